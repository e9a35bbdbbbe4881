//! `os.scandir` and the entries it gives.

use super::files::{below, entries};
use super::path::{metadata, shown};
use super::paths::like;
use super::stat::{keyword_or_true, stat_value};
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};
use crate::value::{Foreign, Raised, Ref, Res, Value};
use std::cell::RefCell;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

pub const ROWS: &[Native] = &[Native {
    name: "scandir",
    params: "path=None",
    run: scan,
    doc: "An iterator over the entries of a folder, sorted by name; each has `name`, `path`, `is_file()`, `is_dir()` and `stat()`.",
}];

pub const ENTRY_TYPE: &str = "DirEntry";
pub const ITERATOR_TYPE: &str = "ScandirIterator";

/// One entry: as scripts see it, and what the system said of it.
struct Entry {
    name: Value,
    path: Value,
    real: PathBuf,
    kind: Option<std::fs::FileType>,
    number: u64,
}

fn scan(call: &mut Call) -> Res {
    let (folder, found) = entries(call)?;
    let mut items = Vec::with_capacity(found.len());
    for entry in found {
        let path = if folder.descriptor.is_some() {
            shown(Path::new(&entry.file_name()))
        } else {
            below(&folder.text, &entry.file_name())
        };
        let made = Entry {
            name: like(call.vm, folder.is_bytes, &shown(Path::new(&entry.file_name())))?,
            path: like(call.vm, folder.is_bytes, &path)?,
            real: entry.path(),
            kind: entry.file_type().ok(),
            number: entry.ino(),
        };
        items.push(foreign(ENTRY_TYPE, Rc::new(made)));
    }
    items.reverse();
    Ok(foreign(ITERATOR_TYPE, items))
}

fn foreign<T: 'static>(type_name: &'static str, data: T) -> Value {
    Ref::new(Foreign { type_name, data: RefCell::new(Box::new(data)) }).into()
}

pub static ITERATOR: &[Native] = &[
    Native { name: "__iter__", params: "self, /", run: itself, doc: "Itself." },
    Native { name: "__next__", params: "self, /", run: next, doc: "The next entry." },
    Native { name: "__enter__", params: "self, /", run: itself, doc: "Itself." },
    Native { name: "__exit__", params: "self, /, *args", run: close, doc: "Forgets the entries that are left." },
    Native { name: "close", params: "self, /", run: close, doc: "Forgets the entries that are left." },
];

fn itself(call: &mut Call) -> Res {
    Ok(call.arg(0).clone())
}

/// Changes the entries that are left, which wait in reverse order.
fn with_rest<T>(call: &mut Call, change: impl FnOnce(&mut Vec<Value>) -> T) -> Res<Option<T>> {
    let mut data = call.this::<Foreign>()?.data.borrow_mut();
    Ok(data.downcast_mut::<Vec<Value>>().map(change))
}

fn next(call: &mut Call) -> Res {
    match with_rest(call, Vec::pop)?.flatten() {
        Some(entry) => Ok(entry),
        None => Err(call.vm.error_with(Exc::StopIteration, Vec::new())),
    }
}

fn close(call: &mut Call) -> Res {
    let rest = with_rest(call, std::mem::take)?;
    drop(rest);
    Ok(Value::NONE)
}

pub static ENTRY: &[Native] = &[
    Native { name: ".name", params: "self, /", run: |call| Ok(entry(call)?.name.clone()), doc: "Its name in the folder." },
    Native { name: ".path", params: "self, /", run: |call| Ok(entry(call)?.path.clone()), doc: "Its path: the folder's as given, and the name." },
    Native { name: "__fspath__", params: "self, /", run: |call| Ok(entry(call)?.path.clone()), doc: "Its path." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "Shown with its name." },
    Native { name: "is_dir", params: "self, /, *, follow_symlinks=True", run: |call| is(call, Metadata::is_dir), doc: "Whether it is a folder, or a link to one." },
    Native { name: "is_file", params: "self, /, *, follow_symlinks=True", run: |call| is(call, Metadata::is_file), doc: "Whether it is a regular file, or a link to one." },
    Native { name: "is_symlink", params: "self, /", run: is_link, doc: "Whether it is a symbolic link." },
    Native { name: "is_junction", params: "self, /", run: |_| Ok(Value::FALSE), doc: "Always false: only Windows has junctions." },
    Native { name: "stat", params: "self, /, *, follow_symlinks=True", run: stat, doc: "As `os.stat` of its path." },
    Native { name: "inode", params: "self, /", run: inode, doc: "Its number in the file system." },
];

fn entry(call: &mut Call) -> Res<Rc<Entry>> {
    let data = call.this::<Foreign>()?.data.borrow();
    match data.downcast_ref::<Rc<Entry>>() {
        Some(entry) => Ok(entry.clone()),
        None => Err(not_an_entry(call.vm)),
    }
}

fn not_an_entry(vm: &mut Vm) -> Raised {
    vm.type_error("a DirEntry is required")
}

fn repr(call: &mut Call) -> Res {
    let name = entry(call)?.name.clone();
    Ok(Value::str(format!("<DirEntry {}>", call.vm.repr_of(&name)?)))
}

/// A question about the entry; false if it is gone.
fn is(call: &mut Call, question: fn(&Metadata) -> bool) -> Res {
    let follow = keyword_or_true(call, 0)?;
    let entry = entry(call)?;
    match metadata(&entry.real, follow) {
        Ok(found) => Ok(Value::bool(question(&found))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Value::FALSE),
        Err(error) => Err(call.vm.path_error(&error, &entry.path)),
    }
}

fn is_link(call: &mut Call) -> Res {
    Ok(Value::bool(entry(call)?.kind.is_some_and(|kind| kind.is_symlink())))
}

fn stat(call: &mut Call) -> Res {
    let follow = keyword_or_true(call, 0)?;
    let entry = entry(call)?;
    match metadata(&entry.real, follow) {
        Ok(found) => stat_value(call.vm, &found),
        Err(error) => Err(call.vm.path_error(&error, &entry.path)),
    }
}

fn inode(call: &mut Call) -> Res {
    Ok(Value::int(entry(call)?.number as i64))
}
