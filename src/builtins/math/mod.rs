//! `math`: Python's module (`module`), and the flat functions that answer domain errors with NaN (`flat`).

mod exact;
mod flat;
mod hyperbolic;
mod module;

pub use flat::FLAT;
pub use module::MODULE;

/// Functions of the C library that Rust's standard library does not offer.
mod c {
    unsafe extern "C" {
        pub safe fn erf(x: f64) -> f64;
        pub safe fn erfc(x: f64) -> f64;
        pub safe fn tgamma(x: f64) -> f64;
        pub safe fn remainder(x: f64, y: f64) -> f64;
        pub safe fn nextafter(x: f64, y: f64) -> f64;
        pub safe fn lgamma(x: f64) -> f64;
        pub safe fn ldexp(x: f64, exponent: i32) -> f64;
    }
}
