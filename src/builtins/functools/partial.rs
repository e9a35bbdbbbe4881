//! `partial`: a function with some of its arguments given in advance.

use super::{fill, with};
use crate::call::{Call, Native};
use crate::value::{Dict, Raised, Ref, Res, Str, Tuple, Value};

pub static ROWS: &[Native] = &[
    Native {
        name: "_set",
        params: "self, func, args, keywords, /",
        run: set,
        doc: "Gives the object its function, a tuple of arguments and a dict of named ones.",
    },
    Native {
        name: "__call__",
        params: "self, /, *args, **keywords",
        run: call_it,
        doc: "Calls the function with the arguments given in advance and these.",
    },
    Native { name: ".func", params: "self", run: func, doc: "The function." },
    Native { name: ".args", params: "self", run: args, doc: "The arguments given in advance, as a tuple." },
    Native {
        name: ".keywords",
        params: "self",
        run: keywords,
        doc: "The named arguments given in advance, as a dict.",
    },
];

/// What a partial function keeps.
#[derive(Clone)]
pub struct Partial {
    func: Value,
    /// A tuple.
    args: Value,
    /// A dict.
    keywords: Value,
}

impl Partial {
    pub fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.func);
        visit(&self.args);
        visit(&self.keywords);
    }

    pub fn take(&mut self) -> Vec<Value> {
        vec![self.func.take(), self.args.take(), self.keywords.take()]
    }
}

fn this(call: &mut Call) -> Res<Partial> {
    match with::<Partial, _>(call.arg(0), |partial| partial.clone()) {
        Some(partial) if !partial.func.is_unbound() => Ok(partial),
        _ => Err(not_made(call)),
    }
}

#[cold]
fn not_made(call: &mut Call) -> Raised {
    let (name, got) = (call.native.name, call.vm.type_name(call.arg(0)));
    let message = format!("descriptor '{name}' requires a 'functools.partial' object but received a '{got}'");
    call.vm.type_error(message)
}

fn set(call: &mut Call) -> Res {
    let partial = Partial {
        func: call.arg(1).clone(),
        args: match call.arg(2) {
            args if args.is::<Tuple>() => args.clone(),
            _ => Value::tuple(call.items(2)?),
        },
        keywords: match call.arg(3).get_ref::<Dict>() {
            Some(dict) => dict.into(),
            None => return Err(call.wrong_type(3, "a dict")),
        },
    };
    fill(call.arg(0), "partial", partial);
    Ok(Value::NONE)
}

fn call_it(call: &mut Call) -> Res {
    let partial = this(call)?;
    let mut args = partial.args.get::<Tuple>().map(|args| args.items().to_vec()).unwrap_or_default();
    args.extend_from_slice(call.rest());
    let given = call.keyword_pairs();
    let in_advance = partial.keywords.get::<Dict>().filter(|keywords| !keywords.is_empty());
    let Some(in_advance) = in_advance else {
        return call.vm.call_with_keywords(&partial.func, &args, &given);
    };
    let mut named: Vec<(Ref<Str>, Value)> = Vec::new();
    for (name, value) in in_advance.pairs() {
        match name.into_ref::<Str>() {
            Ok(name) => named.push((name, value)),
            Err(_) => return Err(call.vm.type_error("keywords must be strings")),
        }
    }
    for (name, value) in given {
        match named.iter_mut().find(|(known, _)| known.as_str() == name.as_str()) {
            Some(known) => known.1 = value,
            None => named.push((name, value)),
        }
    }
    call.vm.call_with_keywords(&partial.func, &args, &named)
}

fn func(call: &mut Call) -> Res {
    Ok(this(call)?.func)
}

fn args(call: &mut Call) -> Res {
    Ok(this(call)?.args)
}

fn keywords(call: &mut Call) -> Res {
    Ok(this(call)?.keywords)
}
