//! `_codecs`: what `codecs` (written in ZPy, `stdlib/codecs.zpy`) needs of the interpreter.
//!
//! Scripts may register handlers for what an encoding cannot express, and functions that find encodings the
//! interpreter does not know. `str.encode` and `bytes.decode` ask both.

use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::text::codec::Codec;
use crate::value::{Res, Value};

/// What scripts have registered.
#[derive(Default)]
pub struct State {
    /// Error handlers by name.
    pub handlers: std::collections::HashMap<String, Value>,
    /// Functions that know encodings by name.
    pub searches: Vec<Value>,
}

pub static MODULE: NativeModule = NativeModule {
    name: "_codecs",
    doc: "Registered error handlers and encodings; `codecs` is the module to import.",
    functions: &[
        Native {
            name: "register_error",
            params: "errors, handler, /",
            run: register_error,
            doc: "Makes a function known as an error handler.",
        },
        Native {
            name: "find_error",
            params: "name, /",
            run: find_error,
            doc: "The registered error handler of a name, or none.",
        },
        Native {
            name: "register",
            params: "search_function, /",
            run: register,
            doc: "Adds a function that gives a `CodecInfo` for the name of an encoding, or none.",
        },
        Native {
            name: "unregister",
            params: "search_function, /",
            run: unregister,
            doc: "Takes out what `register` added.",
        },
        Native {
            name: "searched",
            params: "encoding, /",
            run: searched,
            doc: "What the registered functions give for the name of an encoding, or none.",
        },
        Native {
            name: "canonical",
            params: "encoding, /",
            run: canonical,
            doc: "The name of a built-in encoding as `lookup` shows it, or none.",
        },
    ],
    constants: &[],
};

fn register_error(call: &mut Call) -> Res {
    let name = call.str(0)?.to_string();
    if !call.vm.is_callable(call.arg(1)) {
        return Err(call.vm.type_error("handler must be callable"));
    }
    let handler = call.arg(1).clone();
    let old = call.vm.state.codecs.handlers.insert(name, handler);
    drop(old);
    Ok(Value::NONE)
}

fn find_error(call: &mut Call) -> Res {
    let name = call.str(0)?;
    Ok(Value::opt(call.vm.state.codecs.handlers.get(name).cloned()))
}

fn register(call: &mut Call) -> Res {
    if !call.vm.is_callable(call.arg(0)) {
        return Err(call.vm.type_error("argument must be callable"));
    }
    let function = call.arg(0).clone();
    call.vm.state.codecs.searches.push(function);
    Ok(Value::NONE)
}

fn unregister(call: &mut Call) -> Res {
    let function = call.arg(0);
    let searches = &mut call.vm.state.codecs.searches;
    let place = searches.iter().position(|search| search.same(function));
    let removed = place.map(|place| searches.remove(place));
    drop(removed);
    Ok(Value::NONE)
}

fn searched(call: &mut Call) -> Res {
    let name = call.str(0)?;
    Ok(Value::opt(call.vm.searched_codec(name)?))
}

fn canonical(call: &mut Call) -> Res {
    Ok(Value::opt(Codec::find(call.str(0)?).map(|codec| Value::str(codec.canonical_name()))))
}

impl Vm {
    /// What registered functions know about an encoding.
    pub(crate) fn searched_codec(&mut self, encoding: &str) -> Res<Option<Value>> {
        let searches = self.state.codecs.searches.clone();
        let plain = |c: char| if c == ' ' || c == '-' { '_' } else { c.to_ascii_lowercase() };
        let name = Value::str(encoding.chars().map(plain).collect::<String>());
        for search in searches {
            let found = self.call(&search, std::slice::from_ref(&name))?;
            if !found.is_none() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
