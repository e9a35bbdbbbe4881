//! The flat `math_` functions: every result is a float, and where a function has no value the answer is
//! NaN or an infinity.

use crate::call::{Call, Native, NativeModule};
use crate::value::{Res, Value};

macro_rules! unary {
    ($($name:literal, $function:expr, $doc:literal;)*) => {
        &[
            $(Native { name: $name, params: "x", run: |call| unary(call, $function), doc: $doc },)*
            Native { name: "math_pi", params: "", run: |_| Ok(Value::float(std::f64::consts::PI)), doc: "3.141592653589793" },
            Native { name: "math_e", params: "", run: |_| Ok(Value::float(std::f64::consts::E)), doc: "2.718281828459045" },
            Native { name: "math_tau", params: "", run: |_| Ok(Value::float(std::f64::consts::TAU)), doc: "6.283185307179586" },
            Native { name: "math_inf", params: "", run: |_| Ok(Value::float(f64::INFINITY)), doc: "Infinity." },
            Native { name: "math_nan", params: "", run: |_| Ok(Value::float(f64::NAN)), doc: "Not a number." },
            Native { name: "math_atan2", params: "y, x", run: |call| binary(call, f64::atan2), doc: "The angle of the point (x, y), in radians." },
            Native { name: "math_fmod", params: "x, y", run: fmod, doc: "The remainder of x / y with the sign of x; ValueError if y is 0." },
            Native { name: "math_modf", params: "x", run: modf, doc: "The list `[fraction, whole part]`, both with the sign of x." },
            Native { name: "math_copysign", params: "x, y", run: |call| binary(call, f64::copysign), doc: "x with the sign of y." },
            Native { name: "math_hypot", params: "x, y", run: |call| binary(call, f64::hypot), doc: "The length of the hypotenuse, sqrt(x*x + y*y)." },
        ]
    };
}

pub static FLAT: NativeModule = NativeModule {
    name: "math",
    doc: "Mathematical functions of floats.",
    functions: unary! {
        "math_sqrt", f64::sqrt, "The square root; NaN below 0.";
        "math_cbrt", f64::cbrt, "The cube root.";
        "math_exp", f64::exp, "e to the power x.";
        "math_expm1", f64::exp_m1, "exp(x) - 1, exact near 0.";
        "math_log", f64::ln, "The natural logarithm; -inf for 0, NaN below.";
        "math_log2", f64::log2, "The logarithm to base 2.";
        "math_log10", f64::log10, "The logarithm to base 10.";
        "math_log1p", f64::ln_1p, "log(1 + x), exact near 0.";
        "math_sin", f64::sin, "The sine of an angle in radians.";
        "math_cos", f64::cos, "The cosine of an angle in radians.";
        "math_tan", f64::tan, "The tangent of an angle in radians.";
        "math_asin", f64::asin, "The arc sine in radians; NaN outside -1 to 1.";
        "math_acos", f64::acos, "The arc cosine in radians; NaN outside -1 to 1.";
        "math_atan", f64::atan, "The arc tangent in radians.";
        "math_sinh", f64::sinh, "The hyperbolic sine.";
        "math_cosh", f64::cosh, "The hyperbolic cosine.";
        "math_tanh", f64::tanh, "The hyperbolic tangent.";
        "math_asinh", super::hyperbolic::asinh, "The inverse hyperbolic sine.";
        "math_acosh", super::hyperbolic::acosh, "The inverse hyperbolic cosine; NaN below 1.";
        "math_atanh", super::hyperbolic::atanh, "The inverse hyperbolic tangent; inf at 1, NaN beyond.";
        "math_floor", f64::floor, "The nearest whole number below, as a float.";
        "math_ceil", f64::ceil, "The nearest whole number above, as a float.";
        "math_trunc", f64::trunc, "The whole part, as a float.";
        "math_round", f64::round, "The nearest whole number as a float; halves go away from zero.";
        "math_fabs", f64::abs, "The value without its sign, as a float.";
    },
    constants: &[],
};

fn number(call: &mut Call, index: usize) -> Res<f64> {
    let value = call.arg(index);
    let result = call.vm.to_float(value);
    if result.is_err() && call.vm.is_raised(crate::eval::Exc::TypeError) {
        call.vm.take_raised();
        return Err(call.wrong_type(index, "a number"));
    }
    result
}

fn unary(call: &mut Call, function: fn(f64) -> f64) -> Res {
    let result = function(number(call, 0)?);
    // The sign of a NaN means nothing.
    Ok(Value::float(if result.is_nan() { f64::NAN } else { result }))
}

fn binary(call: &mut Call, function: fn(f64, f64) -> f64) -> Res {
    let (x, y) = (number(call, 0)?, number(call, 1)?);
    Ok(Value::float(function(x, y)))
}

fn fmod(call: &mut Call) -> Res {
    let (x, y) = (number(call, 0)?, number(call, 1)?);
    if y == 0.0 {
        return Err(call.vm.value_error("math_fmod() divisor must not be 0"));
    }
    Ok(Value::float(x % y))
}

fn modf(call: &mut Call) -> Res {
    let x = number(call, 0)?;
    let (fraction, whole) = super::module::split(x);
    Ok(Value::list(vec![Value::float(fraction), Value::float(whole)]))
}
