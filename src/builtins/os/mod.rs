//! `os`, `os.path` and the flat `os_`, `file_` and `dir_` functions.
//!
//! The modules raise as Python does; the flat functions answer failures with a value. Both are thin rows
//! over the same steps of the system.

mod descriptors;
mod files;
mod flat;
mod flat_files;
mod path;
mod process;

pub use flat::FLAT;
pub use flat_files::{DIR, FILE};
pub use path::MODULE as PATH;

use super::mapping;
use crate::call::{Call, Native, NativeModule};
use crate::eval::{Exc, Vm};
use crate::value::{Raised, Res, Value};
use std::path::PathBuf;

const fn row(
    name: &'static str,
    params: &'static str,
    run: crate::call::NativeFn,
    doc: &'static str,
) -> Native {
    Native { name, params, doc, run }
}

pub static MODULE: NativeModule = NativeModule {
    name: "os",
    doc: "The operating system: files and folders, the environment, processes, descriptors.",
    functions: &[
        row("getcwd", "", files::getcwd, "The current folder."),
        row("chdir", "path", files::chdir, "Changes the current folder."),
        row(
            "listdir",
            "path=None",
            files::listdir,
            "Names of what is in a folder, in the order of the system.",
        ),
        row("mkdir", "path, mode=0o777", files::mkdir, "Makes a folder."),
        row(
            "makedirs",
            "name, mode=0o777, exist_ok=False",
            files::makedirs,
            "Makes a folder and those above it.",
        ),
        row("remove", "path", files::remove, "Deletes a file."),
        row("unlink", "path", files::remove, "Deletes a file."),
        row("rmdir", "path", files::rmdir, "Deletes an empty folder."),
        row(
            "removedirs",
            "name",
            files::removedirs,
            "Deletes an empty folder, and those above it that become empty.",
        ),
        row("rename", "src, dst", files::rename, "Renames or moves a file or folder; replaces a file."),
        row("replace", "src, dst", files::rename, "As `rename`."),
        row(
            "renames",
            "old, new",
            files::renames,
            "As `rename`, making folders for the new name and deleting emptied old ones.",
        ),
        row("link", "src, dst", files::link, "Makes another name for a file."),
        row(
            "symlink",
            "src, dst, target_is_directory=False",
            files::symlink,
            "Makes a symbolic link `dst` to `src`.",
        ),
        row("readlink", "path", files::readlink, "What a symbolic link points at."),
        row(
            "stat",
            "path, *, follow_symlinks=True",
            files::stat,
            "What the system knows about a file, as a named tuple.",
        ),
        row("lstat", "path", files::lstat, "As `stat`, about a link itself."),
        row("fstat", "fd", files::fstat, "As `stat`, about an open descriptor."),
        row("statvfs", "path", files::statvfs, "What is known about the disk that a path is on."),
        row("chown", "path, uid, gid", files::chown, "Sets owner and group; -1 leaves one as it is."),
        row("chmod", "path, mode", files::chmod, "Sets the permission bits."),
        row(
            "utime",
            "path, times=None, *, ns=None",
            files::utime,
            "Sets access and change time to a pair of seconds, of nanoseconds (`ns`), or to now.",
        ),
        row("truncate", "path, length", files::truncate, "Cuts a file or lengthens it with zeros."),
        row(
            "access",
            "path, mode",
            files::access,
            "Whether this process may use a path in a way: F_OK, R_OK, W_OK, X_OK.",
        ),
        row(
            "umask",
            "mask, /",
            files::umask,
            "Sets the permission bits that new files do not get; the old ones.",
        ),
        row("fspath", "path", files::fspath, "The text of a path object."),
        row("fsencode", "filename", files::fsencode, "A path as bytes."),
        row("fsdecode", "filename", files::fsdecode, "A path as text."),
        row(
            "getenv",
            "key, default=None",
            process::getenv,
            "The value of an environment variable, or `default`.",
        ),
        row("putenv", "name, value, /", process::putenv, "Sets an environment variable."),
        row("unsetenv", "name, /", process::unsetenv, "Takes an environment variable out."),
        row("getpid", "", process::getpid, "The number of this process."),
        row("getppid", "", process::getppid, "The number of the process that started this one."),
        row("getuid", "", process::getuid, "The user this process runs as."),
        row("geteuid", "", process::geteuid, "The user whose rights this process has."),
        row("getgid", "", process::getgid, "The group this process runs as."),
        row("getegid", "", process::getegid, "The group whose rights this process has."),
        row("setuid", "uid, /", process::setuid, "Sets the user of this process."),
        row("setgid", "gid, /", process::setgid, "Sets the group of this process."),
        row(
            "setreuid",
            "ruid, euid, /",
            process::setreuid,
            "Sets the real and the effective user; -1 leaves one.",
        ),
        row(
            "setregid",
            "rgid, egid, /",
            process::setregid,
            "Sets the real and the effective group; -1 leaves one.",
        ),
        row("getgroups", "", process::getgroups, "Other groups that this process is in."),
        row("setgroups", "groups, /", process::setgroups, "Sets the other groups that this process is in."),
        row("getpgid", "pid", process::getpgid, "The process group of a process; 0 is this one."),
        row("getpgrp", "", process::getpgrp, "The process group of this process."),
        row("setpgid", "pid, pgrp, /", process::setpgid, "Puts a process in a process group."),
        row("setsid", "", process::setsid, "Starts a session and process group of this process's own."),
        row("getsid", "pid, /", process::getsid, "The session of a process."),
        row("getlogin", "", process::getlogin, "The name of the user who logged in."),
        row(
            "kill",
            "pid, signal, /",
            process::kill,
            "Sends a signal to a process; 0 only asks whether it is there.",
        ),
        row("killpg", "pgid, signal, /", process::killpg, "Sends a signal to a process group."),
        row("nice", "increment, /", process::nice, "Lowers the priority of this process; the new niceness."),
        row("cpu_count", "", process::cpu_count, "How many CPUs the machine has."),
        row("process_cpu_count", "", process::usable_cpus, "How many CPUs this process may use."),
        row("sched_getaffinity", "pid, /", process::affinity, "The CPUs a process may use, as a set."),
        row("getloadavg", "", process::getloadavg, "The average load of the last 1, 5 and 15 minutes."),
        row(
            "times",
            "",
            process::times,
            "Processor and wall clock times of this process and of its children.",
        ),
        row("uname", "", process::uname, "Name and version of the system."),
        row("system", "command", process::system, "Runs a shell command and waits; its wait status."),
        row(
            "waitpid",
            "pid, options, /",
            process::waitpid,
            "Waits for a child, for any one if `pid` is -1: its pid and wait status. With WNOHANG, 0 and 0 while it runs.",
        ),
        row(
            "_exit",
            "status",
            process::exit_now,
            "Ends the process at once, without flushing or cleaning up.",
        ),
        row("abort", "", process::abort, "Ends the process with SIGABRT."),
        row(
            "WIFEXITED",
            "status",
            process::wifexited,
            "Whether a wait status says that the process ended by itself.",
        ),
        row("WEXITSTATUS", "status", process::wexitstatus, "The exit code in a wait status."),
        row(
            "WIFSIGNALED",
            "status",
            process::wifsignaled,
            "Whether a wait status says that a signal ended the process.",
        ),
        row("WTERMSIG", "status", process::wtermsig, "The signal that ended the process."),
        row(
            "WIFSTOPPED",
            "status",
            process::wifstopped,
            "Whether a wait status says that the process was stopped.",
        ),
        row("WSTOPSIG", "status", process::wstopsig, "The signal that stopped the process."),
        row("WCOREDUMP", "status", process::wcoredump, "Whether the process left a core dump."),
        row(
            "waitstatus_to_exitcode",
            "status",
            process::exit_code,
            "A wait status as an exit code; minus the signal that ended the process.",
        ),
        row("strerror", "code, /", strerror, "The system's text for an error number."),
        row("urandom", "size, /", urandom, "Random bytes fit for secrets."),
        row("open", "path, flags, mode=0o777", descriptors::open, "Opens a file; its descriptor."),
        row(
            "fdopen",
            "fd, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None",
            super::io::open,
            "A file object for a descriptor.",
        ),
        row("close", "fd", descriptors::close, "Closes a descriptor."),
        row(
            "closerange",
            "fd_low, fd_high, /",
            descriptors::closerange,
            "Closes the descriptors from the first up to but without the second.",
        ),
        row("read", "fd, length, /", descriptors::read, "At most so many bytes from a descriptor."),
        row(
            "write",
            "fd, data, /",
            descriptors::write,
            "Writes bytes to a descriptor; how many were written.",
        ),
        row("pipe", "", descriptors::pipe, "A new pipe: the descriptors of its reading and its writing end."),
        row("dup", "fd, /", descriptors::dup, "Another descriptor of the same file."),
        row(
            "dup2",
            "fd, fd2, inheritable=True",
            descriptors::dup2,
            "Makes `fd2` a descriptor of the same file as `fd`.",
        ),
        row("lseek", "fd, position, whence, /", descriptors::lseek, "Moves the position of a descriptor."),
        row("ftruncate", "fd, length, /", descriptors::ftruncate, "Cuts an open file."),
        row("fsync", "fd", descriptors::fsync, "Waits until an open file is on the disk."),
        row("isatty", "fd, /", descriptors::isatty, "Whether a descriptor is a terminal."),
        row(
            "get_inheritable",
            "fd, /",
            descriptors::get_inheritable,
            "Whether programs started by this one keep a descriptor.",
        ),
        row(
            "set_inheritable",
            "fd, inheritable, /",
            descriptors::set_inheritable,
            "Sets whether programs started by this one keep a descriptor.",
        ),
        row("get_blocking", "fd, /", descriptors::get_blocking, "Whether reading from a descriptor waits."),
        row(
            "set_blocking",
            "fd, blocking, /",
            descriptors::set_blocking,
            "Sets whether reading from a descriptor waits.",
        ),
        row(
            "get_terminal_size",
            "fd=1, /",
            descriptors::get_terminal_size,
            "Columns and lines of a terminal.",
        ),
    ],
    constants: &[
        ("path", |vm| vm.import_module("os.path").unwrap_or(Value::NONE)),
        ("environ", |_| mapping::environment()),
        ("walk", |vm| super::in_zpy(vm, "_os", "walk")),
        ("scandir", |vm| super::in_zpy(vm, "_os", "scandir")),
        ("DirEntry", |vm| super::in_zpy(vm, "_os", "DirEntry")),
        ("PathLike", |vm| super::in_zpy(vm, "_os", "PathLike")),
        ("stat_result", |vm| vm.struct_class(&files::STAT_RESULT).map_or(Value::NONE, Value::from)),
        ("statvfs_result", |vm| vm.struct_class(&files::STATVFS_RESULT).map_or(Value::NONE, Value::from)),
        ("terminal_size", |vm| vm.struct_class(&descriptors::TERMINAL_SIZE).map_or(Value::NONE, Value::from)),
        ("get_exec_path", |vm| super::in_zpy(vm, "_os", "get_exec_path")),
        ("environb", |vm| super::in_zpy(vm, "_os", "environb")),
        ("supports_effective_ids", |vm| vm.set_from(Vec::new()).map_or(Value::NONE, Value::from)),
        ("supports_bytes_environ", |_| Value::TRUE),
        ("getenvb", |vm| super::in_zpy(vm, "_os", "getenvb")),
        ("popen", |vm| super::in_zpy(vm, "_os", "popen")),
        ("wait", |vm| super::in_zpy(vm, "_os", "wait")),
        ("error", |vm| vm.types.exception(Exc::OSError).into()),
        ("name", |_| Value::str("posix")),
        ("sep", |_| Value::str("/")),
        ("altsep", |_| Value::NONE),
        ("extsep", |_| Value::str(".")),
        ("pathsep", |_| Value::str(":")),
        ("linesep", |_| Value::str("\n")),
        ("curdir", |_| Value::str(".")),
        ("pardir", |_| Value::str("..")),
        ("defpath", |_| Value::str("/bin:/usr/bin")),
        ("devnull", |_| Value::str("/dev/null")),
        ("F_OK", |_| Value::int(libc::F_OK as i64)),
        ("R_OK", |_| Value::int(libc::R_OK as i64)),
        ("W_OK", |_| Value::int(libc::W_OK as i64)),
        ("X_OK", |_| Value::int(libc::X_OK as i64)),
        ("O_RDONLY", |_| Value::int(libc::O_RDONLY as i64)),
        ("O_WRONLY", |_| Value::int(libc::O_WRONLY as i64)),
        ("O_RDWR", |_| Value::int(libc::O_RDWR as i64)),
        ("O_CREAT", |_| Value::int(libc::O_CREAT as i64)),
        ("O_EXCL", |_| Value::int(libc::O_EXCL as i64)),
        ("O_TRUNC", |_| Value::int(libc::O_TRUNC as i64)),
        ("O_APPEND", |_| Value::int(libc::O_APPEND as i64)),
        ("O_NONBLOCK", |_| Value::int(libc::O_NONBLOCK as i64)),
        ("O_CLOEXEC", |_| Value::int(libc::O_CLOEXEC as i64)),
        ("SEEK_SET", |_| Value::int(0)),
        ("SEEK_CUR", |_| Value::int(1)),
        ("SEEK_END", |_| Value::int(2)),
        ("WNOHANG", |_| Value::int(libc::WNOHANG as i64)),
        ("WUNTRACED", |_| Value::int(libc::WUNTRACED as i64)),
        ("EX_OK", |_| Value::int(0)),
    ],
};

/// A path argument: its text, and what the system calls it.
struct Path {
    text: String,
    path: PathBuf,
}

/// A path argument; `what` it is called and `kinds` it may be are for the message.
fn path_argument(call: &mut Call, index: usize, what: &str, kinds: &str) -> Res<Path> {
    let value = call.arg(index);
    let text = call.vm.path_text(value);
    if text.is_err() && call.vm.is_raised(Exc::TypeError) {
        call.vm.take_raised();
        let (name, got) = (call.native.name, call.vm.type_name(value));
        return Err(call.vm.type_error(format!("{name}: {what} should be {kinds}, not {got}")));
    }
    let text = text?;
    let path = super::io::path_bytes(call.vm, &text)?;
    Ok(Path { text, path })
}

fn path_at(call: &mut Call, index: usize, what: &str) -> Res<Path> {
    path_argument(call, index, what, "string, bytes or os.PathLike")
}

/// A result, or the OSError that names the path.
fn done<T>(call: &mut Call, result: std::io::Result<T>, path: &Path) -> Res<T> {
    result.map_err(|error| call.vm.os_error(&error, Some(&path.text)))
}

/// As `done`, naming two paths.
fn done_two(call: &mut Call, result: std::io::Result<()>, from: &Path, to: &Path) -> Res {
    match result {
        Ok(()) => Ok(Value::NONE),
        Err(error) => {
            let code = error.raw_os_error().unwrap_or(0);
            let args = vec![
                Value::int(code as i64),
                Value::str(crate::eval::raise::os_message(code)),
                Value::str(&from.text),
                Value::NONE,
                Value::str(&to.text),
            ];
            let class = call.vm.types.exception(Exc::OSError);
            let exception = call.vm.make_os_error(&class, args);
            Err(call.vm.raise(exception))
        }
    }
}

/// The result of a C function that gives -1 on failure.
fn checked(result: libc::c_int) -> std::io::Result<libc::c_int> {
    if result == -1 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
}

/// As `done`, without a path.
fn settled<T>(vm: &mut Vm, result: std::io::Result<T>) -> Res<T> {
    result.map_err(|error| vm.os_error(&error, None))
}

/// An error with the last error number of the system.
fn last_error(vm: &mut Vm) -> Raised {
    let error = std::io::Error::last_os_error();
    vm.os_error(&error, None)
}

/// An int argument that fits a C int.
fn c_int(call: &mut Call, index: usize) -> Res<i32> {
    super::sys::descriptor(call.vm, call.arg(index))
}

fn strerror(call: &mut Call) -> Res {
    let code = c_int(call, 0)?;
    Ok(Value::str(crate::eval::raise::os_message(code)))
}

fn urandom(call: &mut Call) -> Res {
    let size = call.int(0)?;
    let Ok(size) = usize::try_from(size) else {
        return Err(call.vm.value_error("negative argument not allowed"));
    };
    let mut bytes = vec![0; size];
    let result =
        std::fs::File::open("/dev/urandom").and_then(|mut f| std::io::Read::read_exact(&mut f, &mut bytes));
    settled(call.vm, result)?;
    Ok(Value::bytes(bytes))
}
