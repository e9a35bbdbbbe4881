//! Methods of dicts.

use super::dict::ViewKind;
use super::special_rows::{CHANGEABLE, CONTAINER, INDEXED, REVERSIBLE, UNION, UNION_IN_PLACE};
use super::{Dict, DictView, Ref, Res, Value, View};
use crate::call::{Call, Native};

pub const DICT: &[Native] =
    crate::rows![OWN, CONTAINER, INDEXED, CHANGEABLE, REVERSIBLE, UNION, UNION_IN_PLACE];

const OWN: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, iterable=(), /, **pairs",
        run: new,
        doc: "A new dict from a mapping or an iterable of pairs, and keyword arguments.",
    },
    Native {
        name: "__init__",
        params: "self, iterable=(), /, **pairs",
        run: init,
        doc: "Adds the pairs of a mapping or an iterable of pairs, and keyword arguments.",
    },
    Native { name: "clear", params: "self, /", run: clear, doc: "Removes all entries." },
    Native { name: "copy", params: "self, /", run: copy, doc: "A new dict with the same entries." },
    Native {
        name: "fromkeys",
        params: "cls, iterable, value=None, /",
        run: from_keys,
        doc: "A new dict with the items of an iterable as keys, all with one value.",
    },
    Native {
        name: "get",
        params: "self, key, default=None, /",
        run: get,
        doc: "The value of a key, or the default if there is none.",
    },
    Native { name: "items", params: "self, /", run: items, doc: "A live view of the entries as pairs." },
    Native { name: "keys", params: "self, /", run: keys, doc: "A live view of the keys." },
    Native { name: "values", params: "self, /", run: values, doc: "A live view of the values." },
    Native {
        name: "pop",
        params: "self, key, default=<absent>, /",
        run: pop,
        doc: "Takes a key out and gives its value, or the default. KeyError if there is neither.",
    },
    Native {
        name: "popitem",
        params: "self, /",
        run: pop_item,
        doc: "Takes out the newest entry and gives it as a pair. KeyError if the dict is empty.",
    },
    Native {
        name: "setdefault",
        params: "self, key, default=None, /",
        run: set_default,
        doc: "The value of a key, stored now as the default if there was none.",
    },
    Native {
        name: "update",
        params: "self, iterable=(), /, **pairs",
        run: update,
        doc: "Stores the pairs of a mapping or an iterable of pairs, and keyword arguments.",
    },
];

/// The dict a method was called on, as a pointer that views and iterators can keep.
fn this(call: &mut Call) -> Res<Ref<Dict>> {
    match call.inner()?.get_ref::<Dict>() {
        Some(dict) => Ok(dict),
        None => Err(call.vm.type_error("a dict is required")),
    }
}

fn new(call: &mut Call) -> Res {
    let made = Dict::new(Default::default());
    // An object of a derived class starts empty and is filled by `__init__`.
    if !call.class()?.flags.is_user {
        fill(call, &made)?;
    }
    Ok(made.into())
}

fn init(call: &mut Call) -> Res {
    update(call)
}

fn update(call: &mut Call) -> Res {
    let dict = this(call)?;
    fill(call, &dict)?;
    Ok(Value::NONE)
}

/// Adds what the arguments after the first bring.
fn fill(call: &mut Call, dict: &Ref<Dict>) -> Res<()> {
    if let Some(other) = call.opt(1) {
        call.vm.dict_update(dict, other)?;
    }
    for (name, value) in call.keyword_pairs() {
        dict.set_str(&name, value);
    }
    Ok(())
}

fn clear(call: &mut Call) -> Res {
    let old = call.this::<Dict>()?.borrow_mut().clear();
    drop(old); // after the borrow: destructors may run script code
    Ok(Value::NONE)
}

fn copy(call: &mut Call) -> Res {
    let map = call.this::<Dict>()?.borrow().clone();
    Ok(Dict::new(map).into())
}

fn from_keys(call: &mut Call) -> Res {
    let class = call.class()?;
    let value = call.opt(2).cloned().unwrap_or(Value::NONE);
    if !class.flags.is_user
        && matches!(call.arg(1).tag(), super::Tag::Set | super::Tag::FrozenSet | super::Tag::Dict)
    {
        // Keys that differ and whose hashes are known.
        let mut made = super::dict::Map::default();
        let mut add = |key: &Value, hash| made.insert_new(key.clone(), hash, value.clone());
        match call.arg(1).view() {
            View::Dict(dict) => dict.borrow().iter().for_each(|entry| add(&entry.key, entry.hash)),
            View::Set(set) => set.borrow().iter().for_each(|(key, hash)| add(key, hash)),
            View::FrozenSet(set) => set.items.iter().for_each(|(key, hash)| add(key, hash)),
            _ => {}
        }
        return Ok(Dict::new(made).into());
    }
    let keys = call.items(1)?;
    if !class.flags.is_user {
        let made = Dict::new(Default::default());
        for key in keys {
            call.vm.dict_set(&made, key, value.clone())?;
        }
        return Ok(made.into());
    }
    let made = call.vm.call(&class.into(), &[])?;
    for key in keys {
        call.vm.set_item(&made, key, value.clone())?;
    }
    Ok(made)
}

fn get(call: &mut Call) -> Res {
    let dict = call.this::<Dict>()?;
    let found = call.vm.dict_get(dict, call.arg(1))?;
    Ok(found.unwrap_or_else(|| call.opt(2).cloned().unwrap_or(Value::NONE)))
}

fn view(call: &mut Call, kind: ViewKind) -> Res {
    let dict = this(call)?;
    Ok(Ref::new(DictView { dict, kind }).into())
}

fn items(call: &mut Call) -> Res {
    view(call, ViewKind::Items)
}

fn keys(call: &mut Call) -> Res {
    view(call, ViewKind::Keys)
}

fn values(call: &mut Call) -> Res {
    view(call, ViewKind::Values)
}

fn pop(call: &mut Call) -> Res {
    let dict = call.this::<Dict>()?;
    match call.vm.dict_remove(dict, call.arg(1))? {
        Some(value) => Ok(value),
        None => match call.opt(2) {
            Some(default) => Ok(default.clone()),
            None => Err(call.vm.key_error(call.arg(1).clone())),
        },
    }
}

fn pop_item(call: &mut Call) -> Res {
    let dict = call.this::<Dict>()?;
    let last = dict.borrow_mut().pop_last();
    match last {
        Some(entry) => Ok(Value::tuple(vec![entry.key, entry.value])),
        None => Err(call.vm.key_error(Value::str("popitem(): dictionary is empty"))),
    }
}

fn set_default(call: &mut Call) -> Res {
    let dict = call.this::<Dict>()?;
    let key = call.arg(1);
    let hash = call.vm.hash(key)?;
    let found = call.vm.dict_find(dict, key, hash)?;
    if let Some(number) = found
        && let Some(entry) = dict.borrow().entry(number)
    {
        return Ok(entry.value.clone());
    }
    let value = call.opt(2).cloned().unwrap_or(Value::NONE);
    dict.borrow_mut().insert_new(key.clone(), hash, value.clone());
    Ok(value)
}
