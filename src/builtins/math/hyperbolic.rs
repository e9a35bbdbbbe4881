//! Inverse hyperbolic functions, exact to the last digits near the ends of their ranges as well.
//!
//! The textbook formulas lose digits where they subtract near numbers, and overflow where they square large ones; each
//! range has a formula that does neither.

use std::f64::consts::LN_2;

/// Beyond this, `x * x + 1` is `x * x`; below its inverse the functions are `x`.
const LARGE: f64 = (1u64 << 28) as f64;

pub fn asinh(x: f64) -> f64 {
    let size = x.abs();
    let value = if !size.is_finite() || size < 1.0 / LARGE {
        size
    } else if size > LARGE {
        size.ln() + LN_2
    } else if size > 2.0 {
        (2.0 * size + 1.0 / ((size * size + 1.0).sqrt() + size)).ln()
    } else {
        let square = size * size;
        (size + square / (1.0 + (1.0 + square).sqrt())).ln_1p()
    };
    value.copysign(x)
}

pub fn acosh(x: f64) -> f64 {
    if x < 1.0 {
        f64::NAN
    } else if !x.is_finite() {
        x
    } else if x > LARGE {
        x.ln() + LN_2
    } else if x > 2.0 {
        (2.0 * x - 1.0 / (x + (x * x - 1.0).sqrt())).ln()
    } else {
        let rest = x - 1.0;
        (rest + (2.0 * rest + rest * rest).sqrt()).ln_1p()
    }
}

pub fn atanh(x: f64) -> f64 {
    let size = x.abs();
    let value = if size.is_nan() || size > 1.0 {
        f64::NAN
    } else if size < 1.0 / LARGE {
        size
    } else if size < 0.5 {
        let double = 2.0 * size;
        0.5 * (double + double * size / (1.0 - size)).ln_1p()
    } else {
        0.5 * (2.0 * size / (1.0 - size)).ln_1p()
    };
    value.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_the_ranges() {
        assert_eq!(acosh(1.0), 0.0);
        assert!(acosh(0.5).is_nan() && atanh(2.0).is_nan());
        assert_eq!(atanh(-1.0), f64::NEG_INFINITY);
        assert_eq!(asinh(f64::NEG_INFINITY), f64::NEG_INFINITY);
        assert!((acosh(1.3067079752499342e308) - 710.1568668010723).abs() < 1e-12);
        assert_eq!(asinh(-0.0).to_bits(), (-0.0f64).to_bits());
    }
}
