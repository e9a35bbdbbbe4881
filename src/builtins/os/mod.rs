//! `os` as in Python, and the flat functions `os_getcwd`, `os_path_join` and so on.
//!
//! The two share the work and differ in how they fail: the module raises `OSError`, the flat functions
//! give a value. What is easier said in ZPy (`os.walk`, `os.PathLike`, ...) is in `stdlib/_os.zpy`, which is
//! loaded when a script first mentions it.

mod descriptors;
mod files;
mod flat;
pub mod path;
pub mod paths;
mod process;
pub mod scan;
mod stat;

pub use flat::FLAT;

use crate::builtins::mapping;
use crate::call::{Native, NativeModule};
use crate::eval::{Exc, Vm};
use crate::rows;
use crate::value::{Raised, Res, Tag, Value};
use std::io;

pub static MODULE: NativeModule = NativeModule {
    name: "os",
    doc: "The operating system: files, folders, processes and the environment.",
    functions: FUNCTIONS,
    constants: CONSTANTS,
};

const FUNCTIONS: &[Native] =
    rows![files::ROWS, stat::ROWS, scan::ROWS, descriptors::ROWS, process::ROWS];

type Constant = (&'static str, fn(&mut Vm) -> Value);

macro_rules! numbers {
    ($($name:ident)*) => {
        [$((stringify!($name), (|_| Value::int(libc::$name as i64)) as fn(&mut Vm) -> Value)),*]
    };
}

macro_rules! library {
    ($($name:literal)*) => {
        [$(($name, (|vm| from_library(vm, $name)) as fn(&mut Vm) -> Value)),*]
    };
}

const NUMBERS: &[Constant] = &numbers! {
    F_OK R_OK W_OK X_OK SEEK_SET SEEK_CUR SEEK_END
    O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL O_TRUNC O_APPEND O_NONBLOCK O_SYNC O_DSYNC O_CLOEXEC O_NOFOLLOW
    O_DIRECTORY O_NOCTTY O_ACCMODE
    WNOHANG WUNTRACED WCONTINUED P_PID P_PGID P_ALL WEXITED WSTOPPED WNOWAIT
    PRIO_PROCESS PRIO_PGRP PRIO_USER
};

const LIBRARY: &[Constant] = &library! {
    "walk" "fwalk" "removedirs" "renames" "popen" "PathLike" "execl" "execle" "execlp" "execlpe"
};

const VALUES: &[Constant] = &[
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
    ("environ", |_| mapping::environment()),
    ("path", |vm| module(vm, "os.path")),
    ("error", |vm| vm.types.exception(Exc::OSError).into()),
    ("DirEntry", |vm| vm.types.named(scan::ENTRY_TYPE, Tag::Foreign).into()),
    ("stat_result", |vm| stat::stat_class(vm).unwrap_or(Value::NONE)),
    ("terminal_size", |vm| vm.struct_class(&descriptors::TERMINAL_SIZE).map_or(Value::NONE, Value::from)),
    ("times_result", |vm| vm.struct_class(&process::TIMES).map_or(Value::NONE, Value::from)),
    ("uname_result", |vm| vm.struct_class(&process::UNAME).map_or(Value::NONE, Value::from)),
    ("supports_bytes_environ", |_| Value::FALSE),
    ("EX_OK", |_| Value::int(0)),
    ("EX_USAGE", |_| Value::int(64)),
    ("EX_DATAERR", |_| Value::int(65)),
    ("EX_NOINPUT", |_| Value::int(66)),
    ("EX_UNAVAILABLE", |_| Value::int(69)),
    ("EX_SOFTWARE", |_| Value::int(70)),
    ("EX_OSERR", |_| Value::int(71)),
    ("EX_CANTCREAT", |_| Value::int(73)),
    ("EX_IOERR", |_| Value::int(74)),
    ("EX_TEMPFAIL", |_| Value::int(75)),
    ("EX_NOPERM", |_| Value::int(77)),
    ("EX_CONFIG", |_| Value::int(78)),
];

const CONSTANTS: &[Constant] = &{
    const COUNT: usize = VALUES.len() + NUMBERS.len() + LIBRARY.len();
    let mut all = [VALUES[0]; COUNT];
    let (mut at, mut table) = (0, 0);
    let tables = [VALUES, NUMBERS, LIBRARY];
    while table < tables.len() {
        let mut row = 0;
        while row < tables[table].len() {
            all[at] = tables[table][row];
            at += 1;
            row += 1;
        }
        table += 1;
    }
    all
};

/// A module that is part of ZPy; importing one does not fail.
fn module(vm: &mut Vm, name: &str) -> Value {
    vm.import_module(name).unwrap_or_else(|_| {
        vm.take_raised();
        Value::NONE
    })
}

/// What `stdlib/_os.zpy` defines under a name.
fn from_library(vm: &mut Vm, name: &str) -> Value {
    let library = module(vm, "_os");
    let name = vm.intern(name);
    vm.get_attribute(&library, &name).unwrap_or_else(|_| {
        vm.take_raised();
        Value::NONE
    })
}

impl Vm {
    /// Raises the error the last system call left.
    #[cold]
    pub fn last_os_error(&mut self) -> Raised {
        self.os_error(&io::Error::last_os_error(), None)
    }
}

/// What a call that gives 0 or -1 means.
pub fn none_or_error(vm: &mut Vm, result: i32) -> Res {
    if result < 0 { Err(vm.last_os_error()) } else { Ok(Value::NONE) }
}

/// Repeats a call that a signal interrupted, after attending to the signal.
pub fn retried<T>(vm: &mut Vm, mut act: impl FnMut() -> io::Result<T>) -> Res<io::Result<T>> {
    loop {
        match act() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => vm.handle_interrupt()?,
            result => return Ok(result),
        }
    }
}
