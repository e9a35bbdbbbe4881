//! Fetching the program: its text from a file, an argument or standard input, and where it imports from.

use super::options::Program;
use crate::eval::{Exc, Vm};
use crate::source::SourceFile;
use crate::text::codec;
use crate::text::surrogate::decode_utf8_surrogateescape;
use crate::value::Raised;
use anyhow::{Context, Result, anyhow, bail};
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Places in a text are 32-bit numbers.
const LARGEST: usize = u32::MAX as usize - 1;

/// A program.
pub struct Text {
    pub source: SourceFile,
    /// The package of a module that is run; empty if it is in none.
    pub package: Option<String>,
}

fn alone(source: SourceFile) -> Text {
    Text { source, package: None }
}

/// Why there is no program.
pub enum Unread {
    /// For the user to read.
    Said(anyhow::Error),
    /// A package around the module raised an exception.
    Raised(Raised),
}

impl From<anyhow::Error> for Unread {
    fn from(error: anyhow::Error) -> Unread {
        Unread::Said(error)
    }
}

/// The program's text under the name that tracebacks show.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn read(vm: &mut Vm, program: &Program) -> Result<Text, Unread> {
    match program {
        Program::File(path) => {
            let name = decode_utf8_surrogateescape(path.as_bytes());
            let bytes = read_file(Path::new(path)).with_context(|| format!("cannot read '{name}'"))?;
            Ok(alone(source(&name, &name, bytes)?))
        }
        Program::Code(code) => Ok(alone(source("<string>", "the text after -c", code.as_bytes().to_vec())?)),
        Program::Module(name) => module(vm, name),
        Program::Stdin | Program::Session | Program::Unsaid => {
            let mut bytes = Vec::new();
            let read = vm.streams.stdin.read_to_end(&mut bytes);
            read.map_err(plainly).context("cannot read standard input")?;
            Ok(alone(source("<stdin>", "standard input", bytes)?))
        }
    }
}

fn module(vm: &mut Vm, name: &str) -> Result<Text, Unread> {
    let found = vm.module_program(name).map(|(source, package)| Text { source, package: Some(package) });
    found.map_err(|raised| {
        if !vm.is_raised(Exc::ImportError) {
            return Unread::Raised(raised);
        }
        let exception = vm.take_raised();
        let reason = vm.exception_text(&exception).unwrap_or_default();
        Unread::Said(anyhow!("cannot run module '{name}': {reason}"))
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(plainly)
}

/// The system's message without its number.
fn plainly(error: std::io::Error) -> anyhow::Error {
    let text = error.to_string();
    anyhow!(text.split(" (os error ").next().unwrap_or_default().to_string())
}

fn source(name: &str, shown: &str, bytes: Vec<u8>) -> Result<SourceFile> {
    if bytes.len() > LARGEST {
        bail!("{shown} is larger than 4 GiB");
    }
    if let Some(codec) = codec::declared_encoding(&bytes).and_then(codec::Codec::find)
        && let Ok(text) = codec::decode(&bytes, codec, "strict")
    {
        return Ok(SourceFile::new(name, text));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceFile::new(name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let line = bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            bail!("{shown} is not UTF-8 text: line {line} has the byte 0x{:02x}", bytes[at])
        }
    }
}

/// The folder of a script, for imports. It stays right when the script changes the current folder, and
/// leads to the real place of a script that was called through a link.
pub fn folder(script: &OsStr) -> String {
    let real = std::fs::canonicalize(script).ok();
    match real.as_deref().and_then(Path::parent) {
        Some(folder) => decode_utf8_surrogateescape(folder.as_os_str().as_bytes()),
        None => crate::eval::import::folder_of(&decode_utf8_surrogateescape(script.as_bytes())).to_string(),
    }
}

/// The current folder, as the path that stays right when the program changes it; empty if it is gone.
pub fn folder_of_the_process() -> String {
    let folder = std::env::current_dir().unwrap_or_default();
    decode_utf8_surrogateescape(folder.as_os_str().as_bytes())
}

/// The folders of the environment variable `ZPYPATH`.
pub fn zpypath() -> impl Iterator<Item = String> {
    let value = std::env::var_os("ZPYPATH").unwrap_or_default();
    let folders: Vec<String> = std::env::split_paths(&value)
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(|folder| decode_utf8_surrogateescape(folder.as_os_str().as_bytes()))
        .collect();
    folders.into_iter()
}
