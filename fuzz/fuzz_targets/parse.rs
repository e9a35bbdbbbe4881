//! Any text is lexed, parsed and resolved without a crash; every error has a place inside the text.
//!
//! `cargo fuzz run parse` (with a nightly compiler, or `RUSTC_BOOTSTRAP=1`).

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::rc::Rc;
use zpy::engine::Streams;
use zpy::eval::Vm;
use zpy::resolve::Expressions;
use zpy::source::SourceFile;

thread_local! {
    /// One interpreter for all inputs: making one costs more than parsing.
    static VM: RefCell<Vm> = RefCell::new(Vm::new(Streams::of_process()));
}

fuzz_target!(|text: &str| {
    stacker::grow(256 << 20, || {
        let source = Rc::new(SourceFile::new("<fuzz>", text));
        match zpy::syntax::parse(&source) {
            Ok(mut tree) => {
                let resolved = VM.with_borrow_mut(|vm| {
                    let module = vm.new_main(None);
                    zpy::resolve::module(vm, &mut tree, source.clone(), (&module).into(), Expressions::Dropped)
                });
                if let Err(error) = resolved {
                    let _ = error.render(&source);
                }
            }
            Err(error) => {
                assert!(error.span.end as usize <= text.len() + 1);
                let _ = error.render(&source);
            }
        }
    });
});
