//! A call of a script function allocates nothing on the heap: counted by the allocator itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use zpy::call::{Call, Native, NativeModule};
use zpy::engine::Streams;
use zpy::eval::Vm;
use zpy::value::{Res, Value};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

static PROBE: NativeModule = NativeModule {
    name: "probe",
    doc: "What the allocator has done.",
    functions: &[Native { name: "allocations", params: "", run: allocations, doc: "Allocations so far." }],
    constants: &[],
};

fn allocations(_call: &mut Call) -> Res {
    Ok(Value::int(ALLOCATIONS.get() as i64))
}

/// Runs `body` (a function definition `main` that returns a count) and gives the count.
fn count(body: &str) -> i64 {
    let mut vm = Vm::new(Streams::of_process());
    vm.host_modules.insert("probe", &PROBE);
    vm.on_large_stack(|vm| {
        let module = vm.new_main(None);
        let text = format!("import probe\n{body}\nresult = main()\n");
        let source = std::rc::Rc::new(zpy::source::SourceFile::new("<test>", text));
        let done = vm.run_source(source, &module);
        if done.is_err() {
            let exception = vm.take_raised();
            panic!("{}", vm.format_exception(&exception));
        }
        module.get_text("result").and_then(|v| v.as_int()).expect("main() returned a count")
    })
}

#[test]
fn a_call_allocates_nothing() {
    let calls = count(
        "def add(a, b):
    c = a + b
    return c

def main():
    i = 0
    before = probe.allocations()
    while i < 10000:
        add(i, add(1, i))
        i += 1
    return probe.allocations() - before
",
    );
    assert_eq!(calls, 0);
}

#[test]
fn a_call_with_defaults_and_a_recursive_call_allocate_nothing() {
    let calls = count(
        "def sum_to(n, total=0):
    if n == 0:
        return total
    return sum_to(n - 1, total + n)

def main():
    i = 0
    before = probe.allocations()
    while i < 100:
        sum_to(50)
        i += 1
    return probe.allocations() - before
",
    );
    assert_eq!(calls, 0);
}

#[test]
fn the_counter_counts() {
    let made = count(
        "def main():
    before = probe.allocations()
    x = [1, [2]]
    return probe.allocations() - before
",
    );
    assert!(made >= 2, "{made}");
}
