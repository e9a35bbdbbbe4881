//! The command line.

use crate::engine::Streams;
use crate::eval::Vm;

/// Runs the program as the arguments say; the exit code.
pub fn main() -> i32 {
    let mut args = std::env::args().skip(1);
    let (name, text) = match args.next().as_deref() {
        Some("-c") => ("<string>".to_string(), args.next().unwrap_or_default()),
        Some(path) => (path.to_string(), std::fs::read_to_string(path).unwrap_or_default()),
        None => return 2,
    };
    let mut vm = Vm::new(Streams::of_process());
    vm.on_large_stack(|vm| {
        let module = vm.new_main(None);
        let result = vm.run_text(&name, &text, &module);
        let mut code = 0;
        if result.is_err() {
            let exception = vm.take_raised();
            let report = vm.format_exception(&exception);
            let _ = vm.streams.stdout.flush();
            let _ = vm.streams.stderr.write(report.as_bytes());
            code = 1;
        }
        let _ = vm.streams.stdout.flush();
        code
    })
}
