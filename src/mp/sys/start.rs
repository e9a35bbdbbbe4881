//! Starting a program with `posix_spawn`.
//!
//! Not with `fork`, which copies the page tables of the parent: the cost of a start would grow with the
//! size of the interpreter. Not with `std::process`, because that hands the parent's signal mask
//! on, and a child that cannot be interrupted because its parent happened to be blocking signals is a
//! riddle for whoever meets it.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};

use super::system;

/// A program ready to be started: everything the child gets.
pub struct Image<'a> {
    pub program: &'a Path,
    /// `argv`, its first element included.
    pub argv: Vec<&'a OsStr>,
    pub env: Vec<(OsString, OsString)>,
    pub cwd: Option<&'a Path>,
    /// What becomes descriptor 0, 1 and 2; `None` stays what it is here.
    pub streams: [Option<OwnedFd>; 3],
}

/// Starts the program and returns its pid. The child has no other descriptors than 0, 1 and 2 as far
/// as the system can see to that, no blocked signals, and SIGPIPE at its default.
pub fn start(image: Image<'_>) -> io::Result<u32> {
    let program = c_string(image.program.as_os_str().as_bytes().to_vec())?;
    let argv = Block::new(image.argv.iter().map(|word| word.as_bytes().to_vec()))?;
    let env = Block::new(image.env.into_iter().map(assignment))?;
    let streams = image.streams.into_iter().map(|stream| stream.map(clear_of_standard).transpose());
    let streams = streams.collect::<io::Result<Vec<_>>>()?;

    let mut actions = Actions::new()?;
    for (target, stream) in streams.iter().enumerate() {
        if let Some(stream) = stream {
            actions.place(stream, target as i32)?;
        }
    }
    if let Some(cwd) = image.cwd {
        actions.change_directory(&c_string(cwd.as_os_str().as_bytes().to_vec())?)?;
    }
    system::close_the_rest(&mut actions.0)?;
    let attributes = Attributes::new()?;

    let mut pid: libc::pid_t = 0;
    // SAFETY: all pointers lead to values that live until the call returns, and `posix_spawn` returns when the
    // child has left our memory; the two blocks end with a null pointer.
    refused(unsafe {
        libc::posix_spawn(
            &mut pid,
            program.as_ptr(),
            &actions.0,
            &attributes.0,
            argv.pointers.as_ptr(),
            env.pointers.as_ptr(),
        )
    })?;
    Ok(pid as u32)
}

/// Where a program named without a slash is, in the `PATH` that the child will have.
pub fn look_up(name: &OsStr, path: Option<&OsStr>) -> io::Result<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return Ok(PathBuf::from(name));
    }
    let mut error = libc::ENOENT;
    for directory in std::env::split_paths(path.unwrap_or(OsStr::new("/usr/bin:/bin"))) {
        let candidate = directory.join(name);
        if !name.is_empty() && candidate.is_file() {
            if is_executable(&candidate) {
                return Ok(if directory.as_os_str().is_empty() {
                    Path::new(".").join(name)
                } else {
                    candidate
                });
            }
            error = libc::EACCES;
        }
    }
    Err(io::Error::from_raw_os_error(error))
}

fn is_executable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// A descriptor that reads as empty and swallows what is written.
pub fn null() -> io::Result<OwnedFd> {
    Ok(File::options().read(true).write(true).open("/dev/null")?.into())
}

pub fn c_string(bytes: Vec<u8>) -> io::Result<CString> {
    CString::new(bytes).map_err(|error| {
        let shown = String::from_utf8_lossy(&error.into_vec()).into_owned();
        let shown: String = shown.chars().take(80).collect();
        io::Error::new(io::ErrorKind::InvalidInput, format!("embedded null byte in {shown:?}"))
    })
}

fn assignment((name, value): (OsString, OsString)) -> Vec<u8> {
    let mut bytes = name.into_vec();
    bytes.push(b'=');
    bytes.extend_from_slice(value.as_bytes());
    bytes
}

/// If this process runs with a standard stream closed, a new pipe gets its number, and would be
/// overwritten by another stream before it is put in its own place.
fn clear_of_standard(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    if descriptor.as_raw_fd() > 2 {
        return Ok(descriptor);
    }
    use std::os::fd::FromRawFd;
    let copy = fcntl(descriptor.as_fd(), FcntlArg::F_DUPFD_CLOEXEC(3))?;
    // SAFETY: a descriptor just made, with no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Strings as C wants them: an array of pointers that ends with null.
pub struct Block {
    pub pointers: Vec<*mut libc::c_char>,
    /// What the pointers lead to.
    _strings: Vec<CString>,
}

impl Block {
    pub fn new(strings: impl Iterator<Item = Vec<u8>>) -> io::Result<Block> {
        let strings = strings.map(c_string).collect::<io::Result<Vec<_>>>()?;
        let pointers = strings.iter().map(|string| string.as_ptr().cast_mut());
        Ok(Block { pointers: pointers.chain([std::ptr::null_mut()]).collect(), _strings: strings })
    }
}

/// What the child does to its descriptors and directory before the program begins.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Actions> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: the call initialises what it is given, or fails.
        unsafe {
            refused(libc::posix_spawn_file_actions_init(actions.as_mut_ptr()))?;
            Ok(Actions(actions.assume_init()))
        }
    }

    fn place(&mut self, stream: &OwnedFd, target: i32) -> io::Result<()> {
        // SAFETY: the actions are initialised.
        refused(unsafe { libc::posix_spawn_file_actions_adddup2(&mut self.0, stream.as_raw_fd(), target) })
    }

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    fn change_directory(&mut self, cwd: &CString) -> io::Result<()> {
        // SAFETY: the actions are initialised, and copy the string.
        refused(unsafe { libc::posix_spawn_file_actions_addchdir_np(&mut self.0, cwd.as_ptr()) })
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    fn change_directory(&mut self, _cwd: &CString) -> io::Result<()> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this system cannot start a program in another directory",
        ))
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
}

/// Signals as a new program expects them.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Attributes> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the call initialises what it is given, or fails.
        let mut attributes = unsafe {
            refused(libc::posix_spawnattr_init(attributes.as_mut_ptr()))?;
            Attributes(attributes.assume_init())
        };
        let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
        let mut signals = MaybeUninit::uninit();
        // SAFETY: the attributes are initialised, and the set is by `sigemptyset` before it is read.
        unsafe {
            refused(libc::posix_spawnattr_setflags(&mut attributes.0, flags as _))?;
            libc::sigemptyset(signals.as_mut_ptr());
            refused(libc::posix_spawnattr_setsigmask(&mut attributes.0, signals.as_ptr()))?;
            libc::sigaddset(signals.as_mut_ptr(), libc::SIGPIPE);
            refused(libc::posix_spawnattr_setsigdefault(&mut attributes.0, signals.as_ptr()))?;
        }
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}

/// The `posix_spawn` family returns the error number instead of setting it.
pub fn refused(number: libc::c_int) -> io::Result<()> {
    if number == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_the_given_path() {
        let find = |name: &str, path: &str| look_up(OsStr::new(name), Some(OsStr::new(path)));
        assert_eq!(find("sh", "/nowhere:/bin").unwrap(), Path::new("/bin/sh"));
        assert_eq!(find("a/b", "/bin").unwrap(), Path::new("a/b"));
        assert_eq!(find("sh", "/nowhere").unwrap_err().raw_os_error(), Some(libc::ENOENT));
        assert_eq!(find("passwd", "/etc").unwrap_err().raw_os_error(), Some(libc::EACCES));
        assert_eq!(find("", "/bin").unwrap_err().raw_os_error(), Some(libc::ENOENT));
        assert_eq!(find("tmp", "/").unwrap_err().raw_os_error(), Some(libc::ENOENT));
    }
}
