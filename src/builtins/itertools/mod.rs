//! `itertools`: iterators that make, combine and select items.
//!
//! Each is a class whose constructor makes an `Iter` around one of the states in `tools.rs`; `tee` is a function.

mod tools;

use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::value::iterator::{IterState, Tool};
use crate::value::{Int, Iter, Res, Tag, Value, View};
use tools::{
    Accumulate, Arranged, Batched, Chain, Compress, Count, Cycle, Filtered, Groupby, Islice, Longest, Order,
    Pairwise, Product, Repeat, Starmap, Tee,
};

/// The classes with their constructors.
const CLASSES: &[(&str, &[Native])] = &[
    ("_tee", TEE),
    ("_grouper", GROUPER),
    ("count", COUNT),
    ("cycle", CYCLE),
    ("repeat", REPEAT),
    ("accumulate", ACCUMULATE),
    ("batched", BATCHED),
    ("chain", CHAIN),
    ("compress", COMPRESS),
    ("dropwhile", DROPWHILE),
    ("filterfalse", FILTERFALSE),
    ("groupby", GROUPBY),
    ("islice", ISLICE),
    ("pairwise", PAIRWISE),
    ("starmap", STARMAP),
    ("takewhile", TAKEWHILE),
    ("zip_longest", ZIP_LONGEST),
    ("product", PRODUCT),
    ("permutations", PERMUTATIONS),
    ("combinations", COMBINATIONS),
    ("combinations_with_replacement", COMBINATIONS_WITH_REPLACEMENT),
];

/// Rows of the class of that name, beside the methods all iterators have.
pub fn rows_of(name: &str) -> &'static [Native] {
    CLASSES.iter().find(|(class, _)| *class == name).map_or(&[], |(_, rows)| rows)
}

fn class(vm: &Vm, name: &'static str) -> Value {
    vm.types.named(name, Tag::Iter).into()
}

pub static MODULE: NativeModule = NativeModule {
    name: "itertools",
    doc: "Iterators that make, combine and select items.",
    functions: &[Native {
        name: "tee",
        params: "iterable, n=2, /",
        run: tee,
        doc: "A tuple of `n` iterators that each give all the items.",
    }],
    constants: &[
        ("_tee", |vm| class(vm, "_tee")),
        ("_grouper", |vm| class(vm, "_grouper")),
        ("count", |vm| class(vm, "count")),
        ("cycle", |vm| class(vm, "cycle")),
        ("repeat", |vm| class(vm, "repeat")),
        ("accumulate", |vm| class(vm, "accumulate")),
        ("batched", |vm| class(vm, "batched")),
        ("chain", |vm| class(vm, "chain")),
        ("compress", |vm| class(vm, "compress")),
        ("dropwhile", |vm| class(vm, "dropwhile")),
        ("filterfalse", |vm| class(vm, "filterfalse")),
        ("groupby", |vm| class(vm, "groupby")),
        ("islice", |vm| class(vm, "islice")),
        ("pairwise", |vm| class(vm, "pairwise")),
        ("starmap", |vm| class(vm, "starmap")),
        ("takewhile", |vm| class(vm, "takewhile")),
        ("zip_longest", |vm| class(vm, "zip_longest")),
        ("product", |vm| class(vm, "product")),
        ("permutations", |vm| class(vm, "permutations")),
        ("combinations", |vm| class(vm, "combinations")),
        ("combinations_with_replacement", |vm| class(vm, "combinations_with_replacement")),
    ],
};

const TEE: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, iterable, /",
        run: new_tee,
        doc: "One more iterator over the items of another of these, or the first one over other items.",
    },
    Native {
        name: "__copy__",
        params: "self, /",
        run: copy_tee,
        doc: "One more iterator over the same items.",
    },
];
const GROUPER: &[Native] = &[Native {
    name: "__new__",
    params: "cls, groupby, key, /",
    run: new_grouper,
    doc: "The run of items with that key.",
}];
const COUNT: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, start=0, step=1",
        run: count,
        doc: "start, start + step, start + 2 * step, ...",
    },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "The number that is next, and the step." },
];
const CYCLE: &[Native] = &[Native {
    name: "__new__",
    params: "cls, iterable, /",
    run: cycle,
    doc: "The items, then the items again, and so on.",
}];
const REPEAT: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, object, times=None",
        run: repeat,
        doc: "The same object again and again, or `times` times.",
    },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "The object, and how often it comes." },
    Native {
        name: "__length_hint__",
        params: "self, /",
        run: times_left,
        doc: "How often the object comes. TypeError if there is no end.",
    },
];
const ACCUMULATE: &[Native] = &[Native {
    name: "__new__",
    params: "cls, iterable, func=None, *, initial=None",
    run: accumulate,
    doc: "Running totals, or running results of another function of two arguments.",
}];
const BATCHED: &[Native] = &[Native {
    name: "__new__",
    params: "cls, iterable, n",
    run: batched,
    doc: "Tuples of `n` items; the last may be shorter.",
}];
const CHAIN: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, /, *iterables",
        run: chain,
        doc: "The items of the first iterable, then those of the second, and so on.",
    },
    Native {
        name: "from_iterable",
        params: "cls, iterable, /",
        run: chain_from_iterable,
        doc: "`chain` of the iterables that an iterable gives, as they are asked for.",
    },
];
const COMPRESS: &[Native] = &[Native {
    name: "__new__",
    params: "cls, data, selectors",
    run: compress,
    doc: "The items whose selector is true.",
}];
const DROPWHILE: &[Native] = &[Native {
    name: "__new__",
    params: "cls, predicate, iterable, /",
    run: |call| filtered(call, Filtered::drop_while),
    doc: "Items from the first for which the predicate is false.",
}];
const FILTERFALSE: &[Native] = &[Native {
    name: "__new__",
    params: "cls, predicate, iterable, /",
    run: |call| filtered(call, Filtered::where_false),
    doc: "The items for which the predicate is false; with None, those that are false.",
}];
const TAKEWHILE: &[Native] = &[Native {
    name: "__new__",
    params: "cls, predicate, iterable, /",
    run: |call| filtered(call, Filtered::take_while),
    doc: "Items up to the first for which the predicate is false.",
}];
const GROUPBY: &[Native] = &[Native {
    name: "__new__",
    params: "cls, iterable, key=None",
    run: groupby,
    doc: "Runs of items with equal keys: pairs of a key and an iterator over the run, which ends when the next run is asked for.",
}];
const ISLICE: &[Native] = &[Native {
    name: "__new__",
    params: "cls, /, *args",
    run: islice,
    doc: "Items chosen as a slice does: `islice(items, stop)` or `islice(items, start, stop[, step])`.",
}];
const PAIRWISE: &[Native] = &[Native {
    name: "__new__",
    params: "cls, iterable, /",
    run: pairwise,
    doc: "Each item with its successor.",
}];
const STARMAP: &[Native] = &[Native {
    name: "__new__",
    params: "cls, function, iterable, /",
    run: starmap,
    doc: "`function(*item)` for each item.",
}];
const ZIP_LONGEST: &[Native] = &[Native {
    name: "__new__",
    params: "cls, /, *iterables, fillvalue=None",
    run: zip_longest,
    doc: "Like `zip`, but goes on to the end of the longest, with `fillvalue` in the gaps.",
}];
const PRODUCT: &[Native] = &[Native {
    name: "__new__",
    params: "cls, /, *iterables, repeat=1",
    run: product,
    doc: "All tuples with one item of each iterable; the last place changes fastest.",
}];
const PERMUTATIONS: &[Native] = &[Native {
    name: "__new__",
    params: "cls, iterable, r=None",
    run: permutations,
    doc: "All tuples of `r` different places, in the order of the places.",
}];
const COMBINATIONS: &[Native] = &[Native {
    name: "__new__",
    params: "cls, iterable, r",
    run: combinations,
    doc: "All tuples of `r` places in ascending order.",
}];
const COMBINATIONS_WITH_REPLACEMENT: &[Native] = &[Native {
    name: "__new__",
    params: "cls, iterable, r",
    run: combinations_with_replacement,
    doc: "All tuples of `r` places in ascending order, where a place may repeat.",
}];

fn made(tool: impl Tool + 'static) -> Res {
    Ok(Iter::new(IterState::Tool(Box::new(tool))).into())
}

fn iterators(call: &mut Call, iterables: &[Value]) -> Res<Vec<Value>> {
    iterables.iter().map(|iterable| call.vm.iter(iterable)).collect()
}

/// The text of a `count` or `repeat`.
fn repr(call: &mut Call) -> Res {
    Ok(Value::str(call.vm.repr_of(call.arg(0))?))
}

fn times_left(call: &mut Call) -> Res {
    let left = match &*call.this::<Iter>()?.state.borrow() {
        IterState::Tool(tool) => tool.left(),
        _ => Some(0),
    };
    match left {
        Some(left) => Ok(Value::int(left)),
        None => Err(call.vm.type_error("len() of unsized object")),
    }
}

fn is_number(call: &mut Call, value: &Value) -> Res<bool> {
    if matches!(value.tag(), Tag::Float | Tag::Complex) || Int::of(value).is_some() {
        return Ok(true);
    }
    if matches!(value.view(), View::Instance(_)) {
        for name in ["__float__", "__index__", "__complex__"] {
            if call.vm.special_method(value, name)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn count(call: &mut Call) -> Res {
    let value = call.opt(1).cloned().unwrap_or(Value::int(0));
    let step = call.opt(2).cloned().unwrap_or(Value::int(1));
    if !is_number(call, &value)? || !is_number(call, &step)? {
        return Err(call.vm.type_error("a number is required"));
    }
    made(Count { value, step })
}

fn cycle(call: &mut Call) -> Res {
    let items = call.vm.iter(call.arg(1))?;
    made(Cycle { items: Some(items), saved: Vec::new(), at: 0, is_saved: false })
}

fn repeat(call: &mut Call) -> Res {
    let left = match call.opt(2) {
        Some(_) => Some(call.int_clamped(2)?.max(0)),
        None => None,
    };
    made(Repeat { object: call.arg(1).clone(), left })
}

fn accumulate(call: &mut Call) -> Res {
    let items = call.vm.iter(call.arg(1))?;
    let function = call.opt_not_none(2).cloned();
    let initial = call.keyword(0).filter(|initial| !initial.is_none()).cloned();
    made(Accumulate { items, function, total: None, initial })
}

fn batched(call: &mut Call) -> Res {
    let size = call.int_clamped(2)?;
    if size < 1 {
        return Err(call.vm.value_error("n must be at least one"));
    }
    let items = call.vm.iter(call.arg(1))?;
    made(Batched { items, size: size as usize })
}

fn chain(call: &mut Call) -> Res {
    let sources = call.vm.iter(&Value::tuple(call.rest().to_vec()))?;
    made(Chain { sources, active: None })
}

fn chain_from_iterable(call: &mut Call) -> Res {
    let sources = call.vm.iter(call.arg(1))?;
    made(Chain { sources, active: None })
}

fn compress(call: &mut Call) -> Res {
    let (data, selectors) = (call.vm.iter(call.arg(1))?, call.vm.iter(call.arg(2))?);
    made(Compress { data, selectors })
}

fn filtered(call: &mut Call, make: fn(Value, Value) -> Filtered) -> Res {
    let items = call.vm.iter(call.arg(2))?;
    made(make(call.arg(1).clone(), items))
}

fn groupby(call: &mut Call) -> Res {
    let items = call.vm.iter(call.arg(1))?;
    let key = call.opt_not_none(2).cloned().unwrap_or(Value::NONE);
    made(Groupby::new(items, key))
}

/// A bound of a slice that must be a size; nothing for None.
fn size(call: &mut Call, value: &Value) -> Res<Option<Option<u64>>> {
    if value.is_none() {
        return Ok(Some(None));
    }
    let result = call.vm.to_index(value);
    Ok(match result {
        Ok(size) if size >= 0 => Some(Some(size as u64)),
        Ok(_) => None,
        Err(_) => {
            call.vm.take_raised();
            None
        }
    })
}

fn islice(call: &mut Call) -> Res {
    let (iterable, start, stop, step) = match call.rest() {
        [iterable, stop] => (iterable, &Value::NONE, stop, &Value::NONE),
        [iterable, start, stop] => (iterable, start, stop, &Value::NONE),
        [iterable, start, stop, step] => (iterable, start, stop, step),
        given => {
            let wanted = if given.len() < 2 { "at least 2" } else { "at most 4" };
            let got = given.len();
            return Err(call.vm.type_error(format!("islice expected {wanted} arguments, got {got}")));
        }
    };
    let Some(stop) = size(call, stop)? else {
        let message = "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
        return Err(call.vm.value_error(message));
    };
    let Some(start) = size(call, start)? else {
        let message = "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
        return Err(call.vm.value_error(message));
    };
    let step = match size(call, step)? {
        Some(step) if step != Some(0) => step.unwrap_or(1),
        _ => return Err(call.vm.value_error("Step for islice() must be a positive integer or None.")),
    };
    let items = call.vm.iter(iterable)?;
    made(Islice { items: Some(items), next: start.unwrap_or(0), stop, step, taken: 0 })
}

fn pairwise(call: &mut Call) -> Res {
    let items = call.vm.iter(call.arg(1))?;
    made(Pairwise { items, before: None })
}

fn starmap(call: &mut Call) -> Res {
    let items = call.vm.iter(call.arg(2))?;
    made(Starmap { function: call.arg(1).clone(), items })
}

fn zip_longest(call: &mut Call) -> Res {
    let fill = call.keyword(0).cloned().unwrap_or(Value::NONE);
    let inner: Vec<Option<Value>> = iterators(call, call.rest())?.into_iter().map(Some).collect();
    let active = inner.len();
    made(Longest { inner, active, fill })
}

fn product(call: &mut Call) -> Res {
    let times = match call.keyword(0) {
        Some(times) => call.vm.to_index(times)?,
        None => 1,
    };
    if times < 0 {
        return Err(call.vm.value_error("repeat argument cannot be negative"));
    }
    let mut pools = Vec::new();
    for iterable in call.rest() {
        pools.push(call.vm.collect(iterable)?);
    }
    if (pools.len() as u64).saturating_mul(times as u64) > 1 << 24 {
        return Err(call.vm.overflow_error("repeat argument too large"));
    }
    let pools: Vec<Vec<Value>> = (0..times).flat_map(|_| pools.iter().cloned()).collect();
    made(Product { places: vec![0; pools.len()], pools, has_started: false })
}

/// The size of an arrangement.
fn places(call: &mut Call, index: usize) -> Res<usize> {
    let size = call.int_clamped(index)?;
    if size < 0 {
        return Err(call.vm.value_error("r must be non-negative"));
    }
    Ok(size as usize)
}

fn permutations(call: &mut Call) -> Res {
    let pool = call.items(1)?;
    let size = match call.opt_not_none(2) {
        Some(r) if Int::of(r).is_none() => return Err(call.vm.type_error("Expected int as r")),
        Some(_) => places(call, 2)?,
        None => pool.len(),
    };
    made(Arranged::new(pool, size, Order::Permutations))
}

fn combinations(call: &mut Call) -> Res {
    let pool = call.items(1)?;
    let size = places(call, 2)?;
    made(Arranged::new(pool, size, Order::Combinations))
}

fn combinations_with_replacement(call: &mut Call) -> Res {
    let pool = call.items(1)?;
    let size = places(call, 2)?;
    made(Arranged::new(pool, size, Order::WithReplacement))
}

/// One more iterator over the items of a `tee`, if it is one.
fn same_tee(value: &Value) -> Option<Value> {
    let state = value.get::<Iter>()?.state.borrow();
    match &*state {
        IterState::Tool(tool) => tool.twin().map(|twin| Iter::new(IterState::Tool(twin)).into()),
        IterState::Ended("_tee") => {
            drop(state);
            made(Tee::new(crate::value::iterator_reduce::nothing())).ok()
        }
        _ => None,
    }
}

fn new_tee(call: &mut Call) -> Res {
    if let Some(twin) = same_tee(Vm::unwrap_native(call.arg(1))) {
        return Ok(twin);
    }
    made(Tee::new(call.vm.iter(call.arg(1))?))
}

fn copy_tee(call: &mut Call) -> Res {
    same_tee(call.receiver()).ok_or_else(|| call.wrong_receiver(Tag::Iter))
}

fn new_grouper(call: &mut Call) -> Res {
    let shared = match call.arg(1).get::<Iter>().map(|iter| iter.state.borrow()) {
        Some(state) => match &*state {
            IterState::Tool(tool) => tool.shared(),
            _ => None,
        },
        None => None,
    };
    match shared {
        Some(shared) => made(tools::Grouper::new(shared, call.arg(2).clone())),
        None => Err(call.wrong_type(1, "itertools.groupby")),
    }
}

fn tee(call: &mut Call) -> Res {
    let count = if call.opt(1).is_some() { call.int(1)? } else { 2 };
    if count < 0 {
        return Err(call.vm.value_error("n must be >= 0"));
    }
    if count == 0 {
        return Ok(Value::tuple(vec![]));
    }
    let first = match same_tee(call.arg(0)) {
        Some(_) => call.arg(0).clone(),
        None => made(Tee::new(call.vm.iter(call.arg(0))?))?,
    };
    let mut copies = vec![first.clone()];
    for _ in 1..count {
        copies.extend(same_tee(&first));
    }
    Ok(Value::tuple(copies))
}
