//! `lru_cache`: results of calls that are kept, the ones used least recently given up first.
//!
//! A dict leads from what was called with to a link of a chain in the order of use. A hit moves a link and leaves the
//! dict alone: comparing keys may run script code that calls the same function.

use super::{fill, with};
use crate::call::{Call, Native};
use crate::value::{Dict, Instance, Raised, Ref, Res, Tag, Value};

pub static ROWS: &[Native] = &[
    Native {
        name: "_set",
        params: "self, function, maxsize, typed, /",
        run: set,
        doc: "Gives the object its function; `maxsize` is an int or none, `typed` a bool.",
    },
    Native {
        name: "__call__",
        params: "self, /, *args, **keywords",
        run: call_it,
        doc: "The result that is kept, or that of the function.",
    },
    Native {
        name: "_counts",
        params: "self, /",
        run: counts,
        doc: "A tuple: hits, misses, the greatest number of results or none, results.",
    },
    Native { name: "cache_clear", params: "self, /", run: clear, doc: "Forgets all results and counts." },
];

/// What a cached function keeps.
pub struct Cache {
    function: Value,
    max_size: Option<usize>,
    is_typed: bool,
    hits: usize,
    misses: usize,
    /// From keys to places in `links`; to results if there is no limit.
    places: Ref<Dict>,
    links: Vec<Link>,
    /// Links that are not in use.
    free: Vec<usize>,
    /// The links used least and most recently.
    ends: Option<(usize, usize)>,
    /// Stands between arguments and named ones in a key.
    mark: Value,
}

struct Link {
    key: Value,
    hash: u64,
    result: Value,
    older: Option<usize>,
    newer: Option<usize>,
}

impl Cache {
    fn new(function: Value, max_size: Option<usize>, is_typed: bool, mark: Value) -> Cache {
        Cache {
            function,
            max_size,
            is_typed,
            hits: 0,
            misses: 0,
            places: Dict::new(Default::default()),
            links: Vec::new(),
            free: Vec::new(),
            ends: None,
            mark,
        }
    }

    pub fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.function);
        visit(&self.places.clone().into());
        visit(&self.mark);
        for link in &self.links {
            visit(&link.key);
            visit(&link.result);
        }
    }

    pub fn take(&mut self) -> Vec<Value> {
        let links = std::mem::take(&mut self.links);
        (self.free, self.ends) = (Vec::new(), None);
        let mut values = vec![self.function.take()];
        let places = std::mem::replace(&mut self.places, Dict::new(Default::default()));
        values.push(places.into());
        values.extend(links.into_iter().flat_map(|link| [link.key, link.result]));
        values
    }

    /// Takes a link out of the chain.
    fn unlink(&mut self, place: usize) {
        let (older, newer) = (self.links[place].older, self.links[place].newer);
        if let Some(older) = older {
            self.links[older].newer = newer;
        }
        if let Some(newer) = newer {
            self.links[newer].older = older;
        }
        if let Some((oldest, newest)) = self.ends {
            let oldest = if oldest == place { newer } else { Some(oldest) };
            let newest = if newest == place { older } else { Some(newest) };
            self.ends = oldest.zip(newest);
        }
    }

    /// Puts a link at the end of those used most recently.
    fn link_newest(&mut self, place: usize) {
        let newest = self.ends.map(|(_, newest)| newest);
        if let Some(newest) = newest {
            self.links[newest].newer = Some(place);
        }
        self.links[place].older = newest;
        self.links[place].newer = None;
        self.ends = Some((self.ends.map_or(place, |(oldest, _)| oldest), place));
    }

    /// The result in a link, which is the one used most recently from now on.
    fn use_link(&mut self, place: usize) -> Option<Value> {
        let result = self.links.get(place)?.result.clone();
        self.unlink(place);
        self.link_newest(place);
        Some(result)
    }

    /// A new link with a result; its place.
    fn add(&mut self, key: Value, hash: u64, result: Value) -> usize {
        let link = Link { key, hash, result, older: None, newer: None };
        let place = match self.free.pop() {
            Some(place) => {
                self.links[place] = link;
                place
            }
            None => {
                self.links.push(link);
                self.links.len() - 1
            }
        };
        self.link_newest(place);
        place
    }

    /// Gives up the link used least recently; its key, the hash of that, and its result.
    fn give_up(&mut self) -> Option<(Value, u64, Value)> {
        let (oldest, _) = self.ends?;
        self.unlink(oldest);
        self.free.push(oldest);
        let link = &mut self.links[oldest];
        Some((link.key.take(), link.hash, link.result.take()))
    }
}

#[cold]
fn not_made(call: &mut Call) -> Raised {
    let (name, got) = (call.native.name, call.vm.type_name(call.arg(0)));
    let message = format!(
        "descriptor '{name}' for 'functools._lru_cache_wrapper' objects doesn't apply to a '{got}' object"
    );
    call.vm.type_error(message)
}

/// Runs a step on what the receiver keeps.
fn on<R>(call: &mut Call, step: impl FnOnce(&mut Cache) -> R) -> Res<R> {
    match with(call.arg(0), step) {
        Some(result) => Ok(result),
        None => Err(not_made(call)),
    }
}

fn set(call: &mut Call) -> Res {
    let max_size = match call.opt_not_none(2) {
        Some(_) => Some(call.int_clamped(2)?.max(0) as usize),
        None => None,
    };
    let is_typed = call.vm.truth(call.arg(3))?;
    let mark = Instance::new(call.vm.types.object.clone()).into();
    fill(call.arg(0), "_lru_cache_wrapper", Cache::new(call.arg(1).clone(), max_size, is_typed, mark));
    Ok(Value::NONE)
}

/// What tells these arguments from others.
fn key(call: &Call, is_typed: bool, mark: &Value) -> Value {
    let args = call.rest();
    let named = call.keyword_pairs();
    if let [only] = args
        && named.is_empty()
        && !is_typed
        && matches!(only.tag(), Tag::Int | Tag::BigInt | Tag::Str)
    {
        return only.clone();
    }
    let mut parts = args.to_vec();
    if !named.is_empty() {
        parts.push(mark.clone());
        for (name, value) in &named {
            parts.push(name.clone().into());
            parts.push(value.clone());
        }
    }
    if is_typed {
        let values = args.iter().chain(named.iter().map(|(_, value)| value));
        parts.extend(values.map(|value| call.vm.type_of(value).into()));
    }
    Value::tuple(parts)
}

fn call_it(call: &mut Call) -> Res {
    let about = |cache: &mut Cache| {
        (cache.function.clone(), cache.places.clone(), cache.max_size, cache.is_typed, cache.mark.clone())
    };
    let (function, places, max_size, is_typed, mark) = on(call, about)?;
    if max_size == Some(0) {
        on(call, |cache| cache.misses += 1)?;
        return call_function(call, &function);
    }
    let key = key(call, is_typed, &mark);
    let hash = call.vm.hash(&key)?;
    if let Some(found) = kept(call, &places, &key, hash)? {
        return Ok(found);
    }
    on(call, |cache| cache.misses += 1)?;
    let result = call_function(call, &function)?;
    // The function may have called itself with the same arguments.
    match max_size {
        None => match call.vm.dict_find(&places, &key, hash)? {
            Some(number) => {
                let old = std::mem::replace(places.borrow_mut().value_mut(number), result.clone());
                drop(old);
            }
            None => places.borrow_mut().insert_new(key, hash, result.clone()),
        },
        Some(max_size) => {
            if call.vm.dict_find(&places, &key, hash)?.is_none() {
                keep(call, &places, key, hash, result.clone(), max_size)?;
            }
        }
    }
    Ok(result)
}

fn call_function(call: &mut Call, function: &Value) -> Res {
    let named = call.keyword_pairs();
    call.vm.call_with_keywords(function, call.rest(), &named)
}

/// The result that is kept for a key.
fn kept(call: &mut Call, places: &Ref<Dict>, key: &Value, hash: u64) -> Res<Option<Value>> {
    let number = call.vm.dict_find(places, key, hash)?;
    let Some(found) = number.and_then(|n| places.borrow().entry(n).map(|entry| entry.value.clone())) else {
        return Ok(None);
    };
    on(call, |cache| {
        let result = match (cache.max_size, found.as_int()) {
            (Some(_), Some(place)) => cache.use_link(place as usize),
            _ => Some(found),
        };
        cache.hits += result.is_some() as usize;
        result
    })
}

/// Keeps a result, for which another one is given up if there is no room.
fn keep(
    call: &mut Call,
    places: &Ref<Dict>,
    key: Value,
    hash: u64,
    result: Value,
    max_size: usize,
) -> Res<()> {
    if places.len() >= max_size
        && let Some((old, old_hash, _result)) = on(call, Cache::give_up)?
        && let Some(number) = call.vm.dict_find(places, &old, old_hash)?
    {
        let entry = places.borrow_mut().remove_at(number);
        drop(entry);
    }
    let place = on(call, |cache| cache.add(key.clone(), hash, result))?;
    places.borrow_mut().insert_new(key, hash, Value::size(place));
    Ok(())
}

fn counts(call: &mut Call) -> Res {
    let parts = on(call, |cache| {
        let max_size = cache.max_size.map_or(Value::NONE, Value::size);
        vec![Value::size(cache.hits), Value::size(cache.misses), max_size, Value::size(cache.places.len())]
    })?;
    Ok(Value::tuple(parts))
}

fn clear(call: &mut Call) -> Res {
    let old = on(call, |cache| {
        (cache.hits, cache.misses) = (0, 0);
        let function = cache.function.clone();
        let old = cache.take();
        cache.function = function;
        old
    })?;
    drop(old);
    Ok(Value::NONE)
}
