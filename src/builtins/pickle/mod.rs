//! `_pickle`: the loops behind the module `pickle`, which is written in ZPy and holds the classes.
//!
//! A pickle is a program for a small machine with a stack and a numbered memo. `save.rs` writes such programs,
//! `load.rs` runs them, `names.rs` finds the global names in them. A `Pickler` or `Unpickler` keeps what lasts between
//! two dumps or loads, above all the memo, in a native object of this module.

mod load;
mod names;
mod opcode;
mod save;

use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::value::{Exception, Foreign, Raised, Ref, Res, Type, Value};
use std::cell::RefCell;
use std::rc::Rc;

const HIGHEST_PROTOCOL: i64 = 5;
const DEFAULT_PROTOCOL: i64 = 4;

pub static MODULE: NativeModule = NativeModule {
    name: "_pickle",
    doc: "Fast parts; `pickle` is the module to import.",
    functions: &[
        Native {
            name: "dump",
            params: "obj, file, protocol=None, *, fix_imports=True, buffer_callback=None",
            run: dump,
            doc: "Writes an object to a file of bytes.",
        },
        Native {
            name: "dumps",
            params: "obj, protocol=None, *, fix_imports=True, buffer_callback=None",
            run: dumps,
            doc: "An object as bytes.",
        },
        Native {
            name: "load",
            params: "file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=()",
            run: load_file,
            doc: "Reads an object from a file of bytes.",
        },
        Native {
            name: "loads",
            params: "data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=()",
            run: loads,
            doc: "The object that bytes describe.",
        },
        Native {
            name: "new_memo",
            params: "",
            run: |_| Ok(hold(SaveMemo::default())),
            doc: "What a pickler remembers between two dumps.",
        },
        Native {
            name: "save",
            params: "pickler, memo, obj, write, protocol, fix_imports, fast, buffer_callback",
            run: save_by_pickler,
            doc: "Writes an object, asking the pickler about persistent objects and reductions.",
        },
        Native { name: "clear_memo", params: "memo", run: clear_memo, doc: "Forgets all objects." },
        Native {
            name: "memo_items",
            params: "memo",
            run: memo_items,
            doc: "What is remembered: numbers and objects by `id`, or objects by number.",
        },
        Native {
            name: "set_memo_items",
            params: "memo, items",
            run: set_memo_items,
            doc: "Replaces what is remembered.",
        },
        Native {
            name: "new_load_memo",
            params: "",
            run: |_| Ok(hold(load::Memo::default())),
            doc: "What an unpickler remembers between two loads.",
        },
        Native {
            name: "run",
            params: "unpickler, memo, file, fix_imports, encoding, errors, buffers",
            run: load_by_unpickler,
            doc: "Reads an object, asking the unpickler about persistent objects and names.",
        },
        Native {
            name: "find_class",
            params: "module, name, memo, fix_imports",
            run: find_class,
            doc: "The object of that name in a module, which is imported.",
        },
    ],
    constants: &[
        ("HIGHEST_PROTOCOL", |_| Value::int(HIGHEST_PROTOCOL)),
        ("DEFAULT_PROTOCOL", |_| Value::int(DEFAULT_PROTOCOL)),
        ("Pickler", |vm| super::in_zpy(vm, "pickle", "Pickler")),
        ("Unpickler", |vm| super::in_zpy(vm, "pickle", "Unpickler")),
        ("PickleBuffer", |vm| super::in_zpy(vm, "pickle", "PickleBuffer")),
        ("PickleError", |vm| super::in_zpy(vm, "pickle", "PickleError")),
        ("PicklingError", |vm| super::in_zpy(vm, "pickle", "PicklingError")),
        ("UnpicklingError", |vm| super::in_zpy(vm, "pickle", "UnpicklingError")),
    ],
};

pub use save::SaveMemo;

/// An object of this module for scripts to keep.
fn hold<T: 'static>(data: T) -> Value {
    let data = RefCell::new(Box::new(Rc::new(RefCell::new(data))) as Box<dyn std::any::Any>);
    Ref::new(Foreign { type_name: "memo", data }).into()
}

/// What a script kept for us.
fn held<T: 'static>(value: &Value) -> Option<Rc<RefCell<T>>> {
    value.get::<Foreign>()?.data.try_borrow().ok()?.downcast_ref::<Rc<RefCell<T>>>().cloned()
}

fn wanted<T: 'static>(call: &mut Call, index: usize) -> Res<Rc<RefCell<T>>> {
    match held(call.arg(index)) {
        Some(memo) => Ok(memo),
        None => Err(call.wrong_type(index, "a memo")),
    }
}

/// Raises an error class of the module `pickle`.
fn error(vm: &mut Vm, class: &str, message: &str) -> Raised {
    match super::in_zpy(vm, "pickle", class).into_ref::<Type>() {
        Ok(class) => vm.raise(Exception::new(class, vec![Value::str(message)])),
        Err(_) => vm.value_error(message),
    }
}

fn pickling_error(vm: &mut Vm, message: impl AsRef<str>) -> Raised {
    error(vm, "PicklingError", message.as_ref())
}

fn unpickling_error(vm: &mut Vm, message: impl AsRef<str>) -> Raised {
    error(vm, "UnpicklingError", message.as_ref())
}

/// The protocol an argument names; negative is the highest.
fn protocol(call: &mut Call, index: usize) -> Res<i64> {
    let Some(_) = call.opt_not_none(index) else { return Ok(DEFAULT_PROTOCOL) };
    let protocol = call.int(index)?;
    if protocol > HIGHEST_PROTOCOL {
        return Err(call.vm.value_error(format!("pickle protocol must be <= {HIGHEST_PROTOCOL}")));
    }
    Ok(if protocol < 0 { HIGHEST_PROTOCOL } else { protocol })
}

/// The options of `dump` and `dumps`.
fn options(call: &mut Call, protocol: i64) -> Res<save::Options> {
    let fix_imports = match call.keyword(0) {
        Some(value) => call.vm.truth(value)?,
        None => true,
    };
    let buffer_callback = call.keyword(1).filter(|callback| !callback.is_none()).cloned();
    if buffer_callback.is_some() && protocol < 5 {
        return Err(call.vm.value_error("buffer_callback needs protocol >= 5"));
    }
    Ok(save::Options { protocol, fix_imports, fast: false, buffer_callback })
}

fn dumps(call: &mut Call) -> Res {
    let protocol = protocol(call, 1)?;
    let options = options(call, protocol)?;
    let memo = Rc::new(RefCell::new(SaveMemo::default()));
    let data = save::dump(call.vm, call.arg(0), options, memo, None, save::Hooks::default())?;
    Ok(Value::bytes(data))
}

fn dump(call: &mut Call) -> Res {
    let protocol = protocol(call, 2)?;
    let options = options(call, protocol)?;
    let write = match call.vm.has_attribute(call.arg(1), "write")? {
        true => call.vm.get_attribute(call.arg(1), &crate::value::Str::new("write"))?,
        false => return Err(call.vm.type_error("file must have a 'write' attribute")),
    };
    let memo = Rc::new(RefCell::new(SaveMemo::default()));
    save::dump(call.vm, call.arg(0), options, memo, Some(write), save::Hooks::default())?;
    Ok(Value::NONE)
}

fn save_by_pickler(call: &mut Call) -> Res {
    let memo = wanted::<SaveMemo>(call, 1)?;
    let options = save::Options {
        protocol: call.int(4)?,
        fix_imports: call.truth_or(5, true)?,
        fast: call.truth_or(6, false)?,
        buffer_callback: call.opt_not_none(7).cloned(),
    };
    let hooks = save::Hooks::of(call.vm, call.arg(0))?;
    save::dump(call.vm, call.arg(2), options, memo, Some(call.arg(3).clone()), hooks)?;
    Ok(Value::NONE)
}

fn clear_memo(call: &mut Call) -> Res {
    if let Some(memo) = held::<SaveMemo>(call.arg(0)) {
        let old = memo.take();
        drop(old);
    } else {
        let old = wanted::<load::Memo>(call, 0)?.take();
        drop(old);
    }
    Ok(Value::NONE)
}

fn memo_items(call: &mut Call) -> Res {
    let pairs = match held::<SaveMemo>(call.arg(0)) {
        Some(memo) => memo.borrow().items(),
        None => wanted::<load::Memo>(call, 0)?.borrow().items(),
    };
    let dict = crate::value::Dict::new(Default::default());
    for (key, value) in pairs {
        call.vm.dict_set(&dict, key, value)?;
    }
    Ok(dict.into())
}

fn set_memo_items(call: &mut Call) -> Res {
    let pairs = call.dict(1)?.pairs();
    if let Some(memo) = held::<SaveMemo>(call.arg(0)) {
        let mut fresh = SaveMemo::default();
        for (_, entry) in pairs {
            let parts = call.vm.collect(&entry)?;
            let [number, object] = parts.as_slice() else {
                return Err(call.vm.type_error("'memo' values must be 2-item tuples"));
            };
            let number = call.vm.to_index(number)?;
            fresh.put(object, number as u64);
        }
        let old = memo.replace(fresh);
        drop(old);
        return Ok(Value::NONE);
    }
    let memo = wanted::<load::Memo>(call, 0)?;
    let mut fresh = load::Memo::default();
    for (number, object) in pairs {
        let Some(number) = number.as_small_int() else {
            let message = "memo key must be integers";
            return Err(call.vm.type_error(message));
        };
        match u64::try_from(number) {
            Ok(number) => drop(fresh.put(number, object)),
            Err(_) => return Err(call.vm.value_error("memo key must be positive integers.")),
        }
    }
    let old = memo.replace(fresh);
    drop(old);
    Ok(Value::NONE)
}

/// The options of `load` and `loads`, from their keyword-only arguments.
fn load_options(call: &mut Call) -> Res<load::Options> {
    let fix_imports = match call.keyword(0) {
        Some(value) => call.vm.truth(value)?,
        None => true,
    };
    let text = |call: &mut Call, index: usize, default: &str| -> Res<String> {
        match call.keyword(index) {
            Some(value) => call.vm.text_of(value, "encoding"),
            None => Ok(default.to_string()),
        }
    };
    let encoding = text(call, 1, "ASCII")?;
    let errors = text(call, 2, "strict")?;
    let buffers = buffers(call.vm, call.keyword(3))?;
    Ok(load::Options { fix_imports, encoding, errors, buffers })
}

/// An iterator over out-of-band buffers, if there are any.
fn buffers(vm: &mut Vm, given: Option<&Value>) -> Res<Option<Value>> {
    match given {
        Some(given) if given.is_none() => Ok(None),
        Some(given) if given.get::<crate::value::Tuple>().is_some_and(|t| t.is_empty()) => Ok(None),
        Some(given) => vm.iter(given).map(Some),
        None => Ok(None),
    }
}

fn loads(call: &mut Call) -> Res {
    let options = load_options(call)?;
    let data = crate::value::bytes::methods::like(call, 0)?;
    let memo = Rc::new(RefCell::new(load::Memo::default()));
    load::load(call.vm, load::Source::bytes(&data), options, memo, load::Hooks::default())
}

fn load_file(call: &mut Call) -> Res {
    let options = load_options(call)?;
    let source = load::Source::file(call.vm, call.arg(0))?;
    let memo = Rc::new(RefCell::new(load::Memo::default()));
    load::load(call.vm, source, options, memo, load::Hooks::default())
}

fn load_by_unpickler(call: &mut Call) -> Res {
    let memo = wanted::<load::Memo>(call, 1)?;
    let source = load::Source::file(call.vm, call.arg(2))?;
    let options = load::Options {
        fix_imports: call.truth_or(3, true)?,
        encoding: call.str(4)?.to_string(),
        errors: call.str(5)?.to_string(),
        buffers: call.opt_not_none(6).cloned(),
    };
    let hooks = load::Hooks::of(call.vm, call.arg(0))?;
    load::load(call.vm, source, options, memo, hooks)
}

fn find_class(call: &mut Call) -> Res {
    let (module, name) = (call.str(0)?.to_string(), call.str(1)?.to_string());
    let protocol = held::<load::Memo>(call.arg(2)).map_or(0, |memo| memo.borrow().protocol);
    let fix_imports = call.truth_or(3, true)?;
    names::find(call.vm, &module, &name, protocol, fix_imports)
}
