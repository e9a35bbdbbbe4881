//! The `zpy` program: only calls the command line of the library.

/// Scripts make and drop small objects all the time; this allocator halves the price of that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    std::process::exit(zpy::cli::main());
}
