//! `_weakref` and `gc`: references that keep nothing alive, and the cycle collector.
//!
//! The table of weak references is in `value/weak.rs`; the dictionaries and sets that use them, proxies and
//! finalizers are written in ZPy (`stdlib/weakref.zpy`).

use crate::call::{Call, Native, NativeModule};
use crate::eval::code::CompareOp;
use crate::value::weak::{self, WeakRef};
use crate::value::{Instance, Res, Tag, Value, gc};
use std::rc::Rc;

pub static MODULE: NativeModule = NativeModule {
    name: "_weakref",
    doc: "Weak references; `weakref` is the module to import.",
    functions: &[
        Native {
            name: "getweakrefcount",
            params: "object, /",
            run: count,
            doc: "How many weak references to an object there are.",
        },
        Native {
            name: "getweakrefs",
            params: "object, /",
            run: all,
            doc: "A list of the weak references to an object.",
        },
    ],
    constants: &[
        ("ref", |vm| vm.types.named(weak::TYPE_NAME, Tag::Foreign).into()),
        ("ReferenceType", |vm| vm.types.named(weak::TYPE_NAME, Tag::Foreign).into()),
    ],
};

/// Methods of weak references.
pub static METHODS: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, object, callback=None, /, **ignored",
        run: new,
        doc: "A reference that does not keep its object alive. `callback` is called with it when the object dies.",
    },
    Native {
        name: "__init__",
        params: "self, object, callback=None, /",
        run: |_| Ok(Value::NONE),
        doc: "Does nothing: `__new__` has done it.",
    },
    Native { name: "__call__", params: "self, /", run: call_, doc: "The object, none if it is dead." },
    Native {
        name: "__hash__",
        params: "self, /",
        run: hash,
        doc: "The hash of the object; TypeError if it died before anybody asked.",
    },
    Native {
        name: "__eq__",
        params: "self, other, /",
        run: eq,
        doc: "References to live objects are equal if the objects are.",
    },
    Native { name: "__ne__", params: "self, other, /", run: ne, doc: "The opposite of equality." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "What it refers to." },
    Native {
        name: ".__callback__",
        params: "self",
        run: callback,
        doc: "The callback, none if there is none or the object is dead.",
    },
];

fn this(call: &mut Call) -> Res<Rc<WeakRef>> {
    match WeakRef::of(call.arg(0)) {
        Some(weak) => Ok(weak),
        None => Err(call.wrong_type(0, "a weak reference")),
    }
}

/// Whether weak references to a value can be made.
fn is_allowed(value: &Value) -> bool {
    weak::is_allowed(value)
        && value.get::<Instance>().is_none_or(|instance| instance.class().flags.has_weakrefs)
}

fn new(call: &mut Call) -> Res {
    let target = call.arg(1);
    if !is_allowed(target) {
        let got = call.vm.type_name(target);
        return Err(call.vm.type_error(format!("cannot create weak reference to '{got}' object")));
    }
    let callback = call.opt(2).cloned().unwrap_or(Value::NONE);
    let class = call.class()?;
    if !class.flags.is_user && call.keywords().is_some_and(|named| !named.is_empty()) {
        return Err(call.vm.type_error("weakref() takes no keyword arguments"));
    }
    Ok(WeakRef::object(target, callback, Some(class).filter(|class| class.flags.is_user)))
}

fn call_(call: &mut Call) -> Res {
    Ok(Value::opt(this(call)?.target()))
}

fn hash(call: &mut Call) -> Res {
    let weak = this(call)?;
    if let Some(hash) = weak.hash.get() {
        return Ok(Value::int(hash as i64));
    }
    let Some(target) = weak.target() else { return Err(call.vm.type_error("weak object has gone away")) };
    let hash = call.vm.hash(&target)?;
    weak.hash.set(Some(hash));
    Ok(Value::int(hash as i64))
}

fn eq(call: &mut Call) -> Res {
    let (weak, other) = (this(call)?, WeakRef::of(call.arg(1)));
    let Some(other) = other else { return Ok(Value::NOT_IMPLEMENTED) };
    match (weak.target(), other.target()) {
        (Some(a), Some(b)) => call.vm.compare_value(CompareOp::Eq, &a, &b),
        _ => Ok(Value::bool(Rc::ptr_eq(&weak, &other))),
    }
}

fn ne(call: &mut Call) -> Res {
    let equal = eq(call)?;
    if equal.is_not_implemented() {
        return Ok(equal);
    }
    Ok(Value::bool(!call.vm.truth(&equal)?))
}

fn repr(call: &mut Call) -> Res {
    let weak = this(call)?;
    let own = call.arg(0).identity();
    Ok(Value::str(match weak.target() {
        Some(target) => {
            let name = call.vm.type_name(&target);
            format!("<weakref at {own:#x}; to '{name}' at {:#x}>", target.identity())
        }
        None => format!("<weakref at {own:#x}; dead>"),
    }))
}

fn callback(call: &mut Call) -> Res {
    Ok(this(call)?.callback.borrow().clone())
}

fn count(call: &mut Call) -> Res {
    Ok(Value::size(weak::references(call.arg(0)).len()))
}

fn all(call: &mut Call) -> Res {
    Ok(Value::list(weak::references(call.arg(0))))
}

// ---- gc ----

pub static GC: NativeModule = NativeModule {
    name: "gc",
    doc: "The collector of garbage cycles. Everything else is freed by reference counts, at once.",
    functions: &[
        Native {
            name: "collect",
            params: "generation=2",
            run: collect,
            doc: "Frees all garbage cycles; how many objects they had. There is one generation, so the argument means nothing.",
        },
        Native { name: "enable", params: "", run: enable, doc: "Lets collections start by themselves." },
        Native { name: "disable", params: "", run: disable, doc: "Collections start only by `collect()`." },
        Native {
            name: "isenabled",
            params: "",
            run: is_enabled,
            doc: "Whether collections start by themselves.",
        },
        Native {
            name: "get_count",
            params: "",
            run: get_count,
            doc: "Objects that may be in garbage cycles, as the first of three numbers.",
        },
        Native {
            name: "get_threshold",
            params: "",
            run: get_threshold,
            doc: "How many such objects start a collection, as the first of three numbers.",
        },
        Native {
            name: "set_threshold",
            params: "threshold0, threshold1=10, threshold2=10, /",
            run: set_threshold,
            doc: "Sets how many such objects start a collection; 0 turns that off. The next collection chooses anew.",
        },
        Native {
            name: "get_debug",
            params: "",
            run: |_| Ok(Value::int(0)),
            doc: "Which debugging flags are set: none ever is.",
        },
        Native {
            name: "set_debug",
            params: "flags, /",
            run: nothing,
            doc: "Does nothing: collections have nothing to say.",
        },
        Native {
            name: "is_tracked",
            params: "obj, /",
            run: |call| Ok(Value::bool(call.arg(0).tag().is_container())),
            doc: "Whether an object may be part of a cycle.",
        },
        Native {
            name: "get_referents",
            params: "*objs",
            run: referents,
            doc: "A list of the objects that these refer to directly.",
        },
        Native {
            name: "get_freeze_count",
            params: "",
            run: |_| Ok(Value::int(0)),
            doc: "How many objects are frozen: none ever is.",
        },
        Native {
            name: "freeze",
            params: "",
            run: nothing,
            doc: "Does nothing: there are no generations to move objects between.",
        },
        Native {
            name: "unfreeze",
            params: "",
            run: nothing,
            doc: "Does nothing: there are no generations to move objects between.",
        },
    ],
    constants: &[
        ("garbage", |_| Value::list(Vec::new())),
        ("callbacks", |_| Value::list(Vec::new())),
        ("DEBUG_STATS", |_| Value::int(1)),
        ("DEBUG_COLLECTABLE", |_| Value::int(2)),
        ("DEBUG_UNCOLLECTABLE", |_| Value::int(4)),
        ("DEBUG_SAVEALL", |_| Value::int(32)),
        ("DEBUG_LEAK", |_| Value::int(38)),
    ],
};

fn collect(call: &mut Call) -> Res {
    let generation = call.int_or(0, 2)?;
    if !(0..=2).contains(&generation) {
        return Err(call.vm.value_error("invalid generation"));
    }
    Ok(Value::size(call.vm.collect_garbage()))
}

fn referents(call: &mut Call) -> Res {
    let mut found: Vec<Value> = Vec::new();
    for object in call.rest() {
        object.trace(&mut |value| {
            if value.tag().is_heap() {
                found.push(value.clone());
            }
        });
    }
    Ok(Value::list(found))
}

fn enable(_call: &mut Call) -> Res {
    gc::set_enabled(true);
    Ok(Value::NONE)
}

fn disable(_call: &mut Call) -> Res {
    gc::set_enabled(false);
    Ok(Value::NONE)
}

fn is_enabled(_call: &mut Call) -> Res {
    Ok(Value::bool(gc::is_enabled()))
}

fn get_count(_call: &mut Call) -> Res {
    Ok(Value::tuple(vec![Value::size(gc::suspects()), Value::int(0), Value::int(0)]))
}

fn get_threshold(_call: &mut Call) -> Res {
    Ok(Value::tuple(vec![Value::size(gc::threshold()), Value::int(10), Value::int(10)]))
}

fn set_threshold(call: &mut Call) -> Res {
    match call.int(0)? {
        0 => gc::set_enabled(false),
        count => gc::set_threshold(usize::try_from(count).unwrap_or(usize::MAX)),
    }
    Ok(Value::NONE)
}

fn nothing(_call: &mut Call) -> Res {
    Ok(Value::NONE)
}
