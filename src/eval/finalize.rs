//! Script code that runs because an object dies: `finally` blocks of generators, `__del__`.
//!
//! A destructor has no interpreter at hand, so the running one of this thread is remembered while it
//! evaluates ([`enter`]). Finalizers run at once, on top of whatever is running, and leave it untouched:
//! a pending exception or return value is put aside, and errors in them are reported, not raised.

use super::Vm;
use crate::value::{Generator, Instance, Ref, Value, gc};
use std::cell::Cell;

thread_local! {
    static RUNNING: Cell<*mut Vm> = const { Cell::new(std::ptr::null_mut()) };
}

/// Remembers the interpreter that evaluates on this thread while `body` runs.
pub fn enter<T>(vm: &mut Vm, body: impl FnOnce(&mut Vm) -> T) -> T {
    struct Restore(*mut Vm);
    impl Drop for Restore {
        fn drop(&mut self) {
            RUNNING.set(self.0);
        }
    }
    let _restore = Restore(RUNNING.replace(vm));
    body(vm)
}

/// Runs a finalizer on the interpreter of this thread; nothing if none is running.
fn run(finalizer: impl FnOnce(&mut Vm)) {
    let vm = RUNNING.get();
    // SAFETY: the pointer is set by `enter` for as long as the interpreter evaluates, and values die only
    // while it does. The interpreter is in the middle of something, but a finalizer leaves every field
    // (stack pointers, pending exception, returned value) as it found it.
    if let Some(vm) = unsafe { vm.as_mut() } {
        vm.undisturbed(finalizer);
    }
}

/// Ends a generator that nobody refers to any more.
pub fn close_generator(generator: &Ref<Generator>) {
    run(|vm| {
        if vm.close_generator(generator).is_err() {
            vm.report_unraisable("generator", generator.clone().into());
        }
    });
}

/// Runs the `__del__` of an instance that nobody refers to any more.
pub fn finalize_instance(instance: &Ref<Instance>) {
    run(|vm| vm.call_del(&instance.clone().into()));
}

/// Calls the callback of a weak reference whose object died.
pub fn call_weak_callback(callback: &Value, reference: Value) {
    run(|vm| {
        if vm.call(callback, &[reference]).is_err() {
            vm.report_unraisable("weakref callback", callback.clone());
        }
    });
}

impl Vm {
    /// Frees garbage cycles; how many objects they had.
    pub fn collect_garbage(&mut self) -> usize {
        let old = self.lookups.take();
        drop(old);
        gc::collect(&mut |value| {
            if let Some(instance) = value.get::<Instance>()
                && instance.has_finalizer()
            {
                instance.is_finalized.set(true);
                let value = value.clone();
                self.undisturbed(|vm| vm.call_del(&value));
                return true;
            }
            if let Some(generator) = value.get_ref::<Generator>()
                && generator.needs_closing()
            {
                close_generator(&generator);
                return true;
            }
            false
        })
    }

    fn call_del(&mut self, value: &Value) {
        let called = match self.special_method(value, "__del__") {
            Ok(Some(method)) => self.call(&method, &[]).map(drop),
            Ok(None) => Ok(()),
            Err(raised) => Err(raised),
        };
        if called.is_err() {
            let class = self.type_of(value);
            let method = self.lookup(&class, &crate::value::Str::new("__del__")).unwrap_or(Value::NONE);
            self.report_unraisable("__del__", method);
        }
    }

    /// Runs `body` with the pending exception and return value put aside.
    fn undisturbed(&mut self, body: impl FnOnce(&mut Vm)) {
        let raised = self.raised.take();
        let place = std::mem::replace(&mut self.error_place, super::raise::ErrorPlace::Unknown);
        let returned = self.returned.take();
        body(self);
        self.raised = raised;
        self.error_place = place;
        self.returned = returned;
    }
}
