//! `_heapq`: heaps in lists. `stdlib/heapq.zpy` has the rest of `heapq`.
//!
//! Comparing may run script code that changes the list, so no borrow is held: each step reads and writes by index.

use crate::call::{Call, Native, NativeModule};
use crate::eval::{Exc, Vm};
use crate::value::{List, Raised, Res, Value};

pub static MODULE: NativeModule = NativeModule {
    name: "_heapq",
    doc: "Heaps in lists; `heapq` is the module to import.",
    functions: &[
        Native { name: "heappush", params: "heap, item, /", run: push, doc: "Adds an item." },
        Native {
            name: "heappop",
            params: "heap, /",
            run: pop,
            doc: "Removes and returns the smallest item. IndexError if there is none.",
        },
        Native {
            name: "heapreplace",
            params: "heap, item, /",
            run: replace,
            doc: "Removes and returns the smallest item, then adds another.",
        },
        Native {
            name: "heappushpop",
            params: "heap, item, /",
            run: push_pop,
            doc: "Adds an item, then removes and returns the smallest.",
        },
        Native { name: "heapify", params: "heap, /", run: heapify, doc: "Makes a heap of a list, in place." },
    ],
    constants: &[],
};

/// The list; other objects get Python's message.
fn heap<'a>(call: &mut Call<'a>) -> Res<&'a List> {
    match Vm::unwrap_native(call.arg(0)).get::<List>() {
        Some(list) => Ok(list),
        None => {
            let (name, got) = (call.native.name, call.vm.type_name(call.arg(0)));
            let place = if call.args.len() > 1 { " 1" } else { "" };
            Err(call.vm.type_error(format!("{name}() argument{place} must be list, not {got}")))
        }
    }
}

fn changed(vm: &mut Vm) -> Raised {
    vm.runtime_error("list changed size during iteration")
}

fn at(vm: &mut Vm, heap: &List, place: usize) -> Res {
    heap.at(place).ok_or_else(|| changed(vm))
}

fn set(vm: &mut Vm, heap: &List, place: usize, item: Value) -> Res<()> {
    heap.set_at(place, item).map_err(|_| changed(vm))
}

/// Moves the item at a place up until its parent is not greater, but not above `start`.
fn up(vm: &mut Vm, heap: &List, start: usize, mut place: usize) -> Res<()> {
    let len = heap.len();
    let item = at(vm, heap, place)?;
    while place > start {
        let above = (place - 1) / 2;
        let parent = at(vm, heap, above)?;
        let is_less = vm.less_than(&item, &parent)?;
        if heap.len() != len {
            return Err(changed(vm));
        }
        if !is_less {
            break;
        }
        // Swapped at once, so that the list has all its items should a comparison raise.
        set(vm, heap, place, parent)?;
        set(vm, heap, above, item.clone())?;
        place = above;
    }
    Ok(())
}

/// Moves the item at a place down: smaller children rise to the bottom, then the item rises to where it belongs.
fn down(vm: &mut Vm, heap: &List, start: usize) -> Res<()> {
    let len = heap.len();
    let mut place = start;
    while 2 * place + 1 < len {
        let mut child = 2 * place + 1;
        if child + 1 < len {
            let (left, right) = (at(vm, heap, child)?, at(vm, heap, child + 1)?);
            let is_less = vm.less_than(&left, &right)?;
            if heap.len() != len {
                return Err(changed(vm));
            }
            child += !is_less as usize;
        }
        let (above, below) = (at(vm, heap, place)?, at(vm, heap, child)?);
        set(vm, heap, place, below)?;
        set(vm, heap, child, above)?;
        place = child;
    }
    up(vm, heap, start, place)
}

fn push(call: &mut Call) -> Res {
    let heap = heap(call)?;
    heap.borrow_mut().push(call.arg(1).clone());
    up(call.vm, heap, 0, heap.len() - 1)?;
    Ok(Value::NONE)
}

fn pop(call: &mut Call) -> Res {
    let heap = heap(call)?;
    let last = heap.borrow_mut().pop();
    let Some(last) = last else { return Err(call.vm.error(Exc::IndexError, "index out of range")) };
    if heap.is_empty() {
        return Ok(last);
    }
    exchange(call.vm, heap, last)
}

/// Puts an item in the place of the smallest.
fn exchange(vm: &mut Vm, heap: &List, item: Value) -> Res {
    let smallest = at(vm, heap, 0)?;
    set(vm, heap, 0, item)?;
    down(vm, heap, 0)?;
    Ok(smallest)
}

fn replace(call: &mut Call) -> Res {
    let heap = heap(call)?;
    if heap.is_empty() {
        return Err(call.vm.error(Exc::IndexError, "index out of range"));
    }
    exchange(call.vm, heap, call.arg(1).clone())
}

fn push_pop(call: &mut Call) -> Res {
    let heap = heap(call)?;
    let item = call.arg(1);
    let Some(smallest) = heap.at(0) else { return Ok(item.clone()) };
    if !call.vm.less_than(&smallest, item)? {
        return Ok(item.clone());
    }
    if heap.is_empty() {
        return Err(call.vm.error(Exc::IndexError, "index out of range"));
    }
    exchange(call.vm, heap, item.clone())
}

fn heapify(call: &mut Call) -> Res {
    let heap = heap(call)?;
    for place in (0..heap.len() / 2).rev() {
        down(call.vm, heap, place)?;
    }
    Ok(Value::NONE)
}
