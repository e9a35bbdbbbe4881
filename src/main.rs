//! The `zpy` program: only calls the command line of the library.

fn main() {
    std::process::exit(zpy::cli::main());
}
