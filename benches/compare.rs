//! How fast `zpy` is next to its peers, as ratios from one interleaved run: `cargo bench --bench compare`.
//!
//! Every `benches/NAME.zpy` runs unchanged under `zpy` and `python3.11`; where a `NAME.lua` lies beside it, `lua5.4` runs
//! that twin. Machines drift, so no absolute time means much: the engines take turns within each round, the CPU time of
//! each child (user and system, from `wait4`) is kept, and the table shows medians and `peer time / zpy time`. A number
//! above 1 means that zpy is faster than that peer. The `startup` row measures an empty program.
//!
//! Options, after `--`: `--rounds N` (default 5), `--filter TEXT`, `--starts N` (default 50).
//! Peers that are not installed are left out. Engines must print the same checksums, or the run fails.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Instant;

const ROUNDS: usize = 5;
const STARTS: usize = 50;

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Zpy,
    Lua,
}

struct Engine {
    name: &'static str,
    path: PathBuf,
    language: Language,
    /// Arguments that run an empty program.
    empty: &'static [&'static str],
}

/// What one run of a program cost, in seconds.
struct Cost {
    cpu: f64,
    wall: f64,
}

struct Options {
    rounds: usize,
    starts: usize,
    filter: String,
}

fn main() -> ExitCode {
    let options = match read_options() {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    match compare(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn read_options() -> Result<Options, String> {
    let mut options = Options { rounds: ROUNDS, starts: STARTS, filter: String::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = |name: &str| words.next().ok_or(format!("{name} wants a value"));
        match word.as_str() {
            "--rounds" => options.rounds = number(&value("--rounds")?)?,
            "--starts" => options.starts = number(&value("--starts")?)?,
            "--filter" => options.filter = value("--filter")?,
            // cargo passes this to every bench target.
            "--bench" => {}
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(options)
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&n| n > 0).ok_or(format!("{text} is not a positive number"))
}

fn compare(options: &Options) -> io::Result<()> {
    let engines = engines();
    println!(
        "{}",
        engines
            .iter()
            .map(|engine| format!("{} = {}", engine.name, engine.path.display()))
            .collect::<Vec<_>>()
            .join(", ")
    );
    println!(
        "{} rounds; median CPU seconds; ratio = peer time / zpy time, above 1 zpy is faster\n",
        options.rounds
    );
    let mut header = format!("{:<12}", "program");
    for engine in &engines {
        header.push_str(&format!("{:>12}", engine.name));
    }
    for peer in &engines[1..] {
        header.push_str(&format!("{:>14}", format!("x {}", peer.name)));
    }
    println!("{header}");
    let mut ratios = vec![Vec::new(); engines.len()];
    for program in programs(&options.filter)? {
        let medians = measure(&engines, &program, options.rounds)?;
        print_row(&stem(&program), &medians, &mut ratios);
    }
    let mut line = format!("{:<12}{}", "geo. mean", " ".repeat(12 * engines.len()));
    for ratios in &ratios[1..] {
        line.push_str(&match geometric_mean(ratios) {
            Some(mean) => format!("{mean:>14.2}"),
            None => format!("{:>14}", "-"),
        });
    }
    println!("{line}");
    if "startup".contains(&options.filter) {
        startup(&engines, options.starts)?;
    }
    Ok(())
}

/// The engines of this machine; `zpy` comes first.
fn engines() -> Vec<Engine> {
    let zpy = PathBuf::from(env!("CARGO_BIN_EXE_zpy"));
    let mut engines =
        vec![Engine { name: "zpy", path: zpy, language: Language::Zpy, empty: &["-c", "pass"] }];
    if let Some(path) = find(&["/usr/bin/python3.11", "python3.11", "python3"]) {
        engines.push(Engine { name: "python", path, language: Language::Zpy, empty: &["-c", "pass"] });
    }
    if let Some(path) = find(&["/usr/bin/lua5.4", "lua5.4"]) {
        engines.push(Engine { name: "lua", path, language: Language::Lua, empty: &["-e", ""] });
    }
    engines
}

fn find(candidates: &[&str]) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    candidates.iter().find_map(|name| {
        // An absolute name replaces the folder it is joined to.
        folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())
    })
}

fn programs(filter: &str) -> io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "zpy") && stem(&path).contains(filter) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The median CPU time of each engine on one program; nothing for an engine that has no twin of it.
fn measure(engines: &[Engine], program: &Path, rounds: usize) -> io::Result<Vec<Option<f64>>> {
    let mut times = vec![Vec::new(); engines.len()];
    let mut wanted: Option<String> = None;
    for _ in 0..rounds {
        for (engine, times) in engines.iter().zip(&mut times) {
            let file = match engine.language {
                Language::Zpy => program.to_path_buf(),
                Language::Lua => program.with_extension("lua"),
            };
            if !file.exists() {
                continue;
            }
            let (cost, output) = run(Command::new(&engine.path).arg(&file))?;
            let output = spell(output.trim());
            match &wanted {
                None => wanted = Some(output),
                Some(wanted) if *wanted == output => {}
                Some(wanted) => {
                    return Err(io::Error::other(format!(
                        "{} prints {output:?} for {}, not {wanted:?}",
                        engine.name,
                        file.display()
                    )));
                }
            }
            times.push(cost.cpu);
        }
    }
    Ok(times.into_iter().map(median).collect())
}

/// Python's spelling of constants made ZPy's.
fn spell(text: &str) -> String {
    let words = text.split(' ').map(|word| match word {
        "True" => "true",
        "False" => "false",
        "None" => "none",
        other => other,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn print_row(name: &str, medians: &[Option<f64>], ratios: &mut [Vec<f64>]) {
    let mut line = format!("{name:<12}");
    for median in medians {
        line.push_str(&match median {
            Some(seconds) => format!("{seconds:>12.3}"),
            None => format!("{:>12}", "-"),
        });
    }
    for (median, ratios) in medians.iter().zip(ratios).skip(1) {
        line.push_str(&match (medians[0], median) {
            (Some(zpy), Some(peer)) if zpy > 0.0 => {
                ratios.push(peer / zpy);
                format!("{:>14.2}", peer / zpy)
            }
            _ => format!("{:>14}", "-"),
        });
    }
    println!("{line}");
}

/// Measures an empty program, by CPU and by the clock.
fn startup(engines: &[Engine], starts: usize) -> io::Result<()> {
    let mut cpu = vec![Vec::new(); engines.len()];
    let mut wall = vec![Vec::new(); engines.len()];
    for _ in 0..starts {
        for (at, engine) in engines.iter().enumerate() {
            let (cost, _) = run(Command::new(&engine.path).args(engine.empty))?;
            cpu[at].push(cost.cpu * 1000.0);
            wall[at].push(cost.wall * 1000.0);
        }
    }
    println!("\nstartup, median of {starts} runs in milliseconds");
    for (label, times) in [("CPU", cpu), ("wall", wall)] {
        let medians: Vec<Option<f64>> = times.into_iter().map(median).collect();
        print_row(label, &medians, &mut vec![Vec::new(); engines.len()]);
    }
    Ok(())
}

/// Runs a command and asks the kernel what exactly that child cost.
fn run(command: &mut Command) -> io::Result<(Cost, String)> {
    let begin = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut output = String::new();
    io::Read::read_to_string(child.stdout.as_mut().expect("stdout is piped"), &mut output)?;
    let (status, usage) = wait(child.id())?;
    let wall = begin.elapsed().as_secs_f64();
    if !status.success() {
        return Err(io::Error::other(format!("{command:?} failed with {status}")));
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok((Cost { cpu: seconds(usage.ru_utime) + seconds(usage.ru_stime), wall }, output))
}

fn wait(pid: u32) -> io::Result<(ExitStatus, libc::rusage)> {
    let mut status = 0;
    // SAFETY: rusage is plain numbers, for which all zeros is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers lead to live variables of the types wait4 fills in.
        let found = unsafe { libc::wait4(pid as libc::pid_t, &mut status, 0, &mut usage) };
        if found >= 0 {
            return Ok((ExitStatus::from_raw(status), usage));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    match times.len() {
        0 => None,
        count if count % 2 == 1 => Some(times[middle]),
        _ => Some((times[middle - 1] + times[middle]) / 2.0),
    }
}

fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    if ratios.is_empty() {
        return None;
    }
    Some((ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp())
}
