//! Generates the parser from `grammar/zpy.lalrpop`, and the table of the modules under `stdlib/`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    link_for_a_quick_start();
    let out_dir = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    lalrpop::Configuration::new()
        .set_in_dir("grammar")
        .set_out_dir(&out_dir)
        .emit_rerun_directives(true)
        .process()
        .expect("grammar/zpy.lalrpop is a valid grammar");
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    println!("cargo::rerun-if-changed=stdlib");
    let mut rows = String::new();
    collect(&root.join("stdlib"), "", &mut rows);
    let table = format!(
        "/// Name, whether it is a package, and text of every embedded module.\n\
         static STDLIB: &[(&str, bool, &str)] = &[\n{rows}];\n"
    );
    std::fs::write(out_dir.join("stdlib.rs"), table).expect("OUT_DIR is writable");
}

/// Links the program at a fixed address: it holds 16,000 pointers to its own tables, and a program that can
/// lie anywhere has every one of them rewritten, on pages copied for it, each time it starts.
fn link_for_a_quick_start() {
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}

/// Adds a row for each module below a folder.
fn collect(folder: &Path, prefix: &str, rows: &mut String) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, &format!("{prefix}{stem}."), rows);
        } else if path.extension().is_some_and(|ending| ending == "zpy") {
            let is_package = stem == "__init__";
            let name =
                if is_package { prefix.trim_end_matches('.').to_string() } else { format!("{prefix}{stem}") };
            writeln!(rows, "    ({name:?}, {is_package}, include_str!({path:?})),")
                .expect("writing to a string");
        }
    }
}
