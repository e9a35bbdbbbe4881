//! Functions of `math` on ints of any size and on many numbers at once.

use super::module::taken_apart;
use crate::call::Call;
use crate::eval::Vm;
use crate::eval::code::BinaryOp;
use crate::value::{BigInt, Int, Res, Value};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

fn big(vm: &mut Vm, value: &Value) -> Res<BigInt> {
    let int = vm.to_int_value(value)?;
    Ok(Int::of(&int).map_or_else(BigInt::zero, |int| int.to_big().into_owned()))
}

pub fn factorial(call: &mut Call) -> Res {
    let n = big(call.vm, call.arg(0))?;
    if n.is_negative() {
        return Err(call.vm.value_error("factorial() not defined for negative values"));
    }
    match n.to_u64() {
        Some(n) if n <= 10_000_000 => Ok(Value::big(product(1, n))),
        _ => Err(call.vm.overflow_error(format!("factorial() argument should not exceed {}", i64::MAX))),
    }
}

/// The product of `low..=high`, halves first so that factors stay of similar size.
fn product(low: u64, high: u64) -> BigInt {
    if low > high {
        return BigInt::one();
    }
    if high - low < 16 {
        return (low..=high).map(BigInt::from).product();
    }
    let middle = low + (high - low) / 2;
    product(low, middle) * product(middle + 1, high)
}

/// `n` and `k` of `comb` and `perm`; `None` if `k > n`.
fn choose(call: &mut Call, n: BigInt, k: BigInt) -> Res<Option<(BigInt, u64)>> {
    if n.is_negative() {
        return Err(call.vm.value_error("n must be a non-negative integer"));
    }
    if k.is_negative() {
        return Err(call.vm.value_error("k must be a non-negative integer"));
    }
    if k > n {
        return Ok(None);
    }
    let k = if call.native.name == "comb" { k.clone().min(&n - &k) } else { k };
    match k.to_u64() {
        Some(k) if k <= 1 << 32 => Ok(Some((n, k))),
        _ => Err(call.vm.overflow_error(format!("k must not exceed {}", i64::MAX))),
    }
}

pub fn comb(call: &mut Call) -> Res {
    let (n, k) = (big(call.vm, call.arg(0))?, big(call.vm, call.arg(1))?);
    let Some((n, k)) = choose(call, n, k)? else { return Ok(Value::int(0)) };
    let mut result = BigInt::one();
    for i in 0..k {
        result *= &n - i;
        result /= i + 1;
    }
    Ok(Value::big(result))
}

pub fn perm(call: &mut Call) -> Res {
    if call.opt_not_none(1).is_none() {
        return factorial(call);
    }
    let (n, k) = (big(call.vm, call.arg(0))?, big(call.vm, call.arg(1))?);
    let Some((n, k)) = choose(call, n, k)? else { return Ok(Value::int(0)) };
    let mut result = BigInt::one();
    for i in 0..k {
        result *= &n - i;
    }
    Ok(Value::big(result))
}

pub fn gcd(call: &mut Call) -> Res {
    let mut result = BigInt::zero();
    for value in call.rest() {
        result = result.gcd(&big(call.vm, value)?);
    }
    Ok(Value::big(result))
}

pub fn lcm(call: &mut Call) -> Res {
    let mut result = BigInt::one();
    for value in call.rest() {
        result = result.lcm(&big(call.vm, value)?);
    }
    Ok(Value::big(result.abs()))
}

pub fn isqrt(call: &mut Call) -> Res {
    let n = big(call.vm, call.arg(0))?;
    if n.is_negative() {
        return Err(call.vm.value_error("isqrt() argument must be nonnegative"));
    }
    Ok(Value::big(n.sqrt()))
}

pub fn prod(call: &mut Call) -> Res {
    let mut total = call.keyword(0).cloned().unwrap_or(Value::int(1));
    let iterator = call.vm.iter(call.arg(0))?;
    while let Some(item) = call.vm.next(&iterator)? {
        total = call.vm.binary(BinaryOp::Mul, &total, &item)?;
    }
    Ok(total)
}

pub fn sumprod(call: &mut Call) -> Res {
    let (p, q) = (call.items(0)?, call.items(1)?);
    if p.len() != q.len() {
        return Err(call.vm.value_error("Inputs are not the same length"));
    }
    let mut total = Value::int(0);
    for (x, y) in p.iter().zip(&q) {
        let product = call.vm.binary(BinaryOp::Mul, x, y)?;
        total = call.vm.binary(BinaryOp::Add, &total, &product)?;
    }
    Ok(total)
}

fn floats(vm: &mut Vm, values: &[Value]) -> Res<Vec<f64>> {
    values.iter().map(|value| vm.to_float(value)).collect()
}

pub fn hypot(call: &mut Call) -> Res {
    let coordinates = floats(call.vm, call.rest())?;
    Ok(Value::float(length(&coordinates)))
}

pub fn dist(call: &mut Call) -> Res {
    let (p, q) = (call.items(0)?, call.items(1)?);
    if p.len() != q.len() {
        return Err(call.vm.value_error("both points must have the same number of dimensions"));
    }
    let (p, q) = (floats(call.vm, &p)?, floats(call.vm, &q)?);
    let differences: Vec<f64> = p.iter().zip(&q).map(|(x, y)| x - y).collect();
    Ok(Value::float(length(&differences)))
}

/// Length of a vector without overflow on the way.
fn length(coordinates: &[f64]) -> f64 {
    if let [x, y] = coordinates {
        return x.hypot(*y);
    }
    let largest = coordinates.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    if coordinates.iter().any(|x| x.is_infinite()) {
        return f64::INFINITY;
    }
    if coordinates.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    if largest == 0.0 {
        return 0.0;
    }
    // A power of two scales without rounding.
    let scale = (-taken_apart(largest).1 as f64).exp2();
    if !scale.is_finite() || scale == 0.0 {
        return coordinates.iter().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt() * largest;
    }
    let squares = coordinates.iter().map(|x| {
        let x = x * scale;
        // The square and what was lost in rounding it.
        (x * x, x.mul_add(x, -(x * x)))
    });
    let (mut sum, mut lost) = (0.0f64, 0.0f64);
    for (square, rest) in squares {
        let next = sum + square;
        lost += if sum >= square { (sum - next) + square } else { (square - next) + sum } + rest;
        sum = next;
    }
    let root = (sum + lost).sqrt();
    // One step of Newton's method with the exact remainder.
    let remainder = root.mul_add(-root, sum) + lost;
    (root + remainder / (2.0 * root)) / scale
}

/// Shewchuk's algorithm: partial sums that do not overlap, so that nothing is lost.
pub fn fsum(call: &mut Call) -> Res {
    let iterator = call.vm.iter(call.arg(0))?;
    let mut partials: Vec<f64> = Vec::new();
    let mut special = 0.0f64;
    let mut has_special = false;
    while let Some(item) = call.vm.next(&iterator)? {
        let mut x = call.vm.to_float(&item)?;
        if !x.is_finite() {
            if x.is_infinite() && has_special && (special + x).is_nan() && !special.is_nan() {
                return Err(call.vm.value_error("-inf + inf in fsum"));
            }
            special += x;
            has_special = true;
            continue;
        }
        let mut kept = 0;
        for i in 0..partials.len() {
            let mut y = partials[i];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        partials.truncate(kept);
        if !x.is_finite() {
            return Err(call.vm.overflow_error("intermediate overflow in fsum"));
        }
        partials.push(x);
    }
    Ok(Value::float(if has_special { special } else { rounded_sum(&partials) }))
}

/// The sum of non-overlapping partial sums, smallest first, rounded half to even.
fn rounded_sum(partials: &[f64]) -> f64 {
    let mut rest = partials.iter().rev();
    let Some(&first) = rest.next() else { return 0.0 };
    let (mut high, mut low) = (first, 0.0);
    for &y in rest.by_ref() {
        let x = high;
        high = x + y;
        low = y - (high - x);
        if low != 0.0 {
            break;
        }
    }
    if let Some(&next) = rest.next()
        && (low < 0.0 && next < 0.0 || low > 0.0 && next > 0.0)
    {
        let twice = low * 2.0;
        let candidate = high + twice;
        if twice == candidate - high {
            return candidate;
        }
    }
    high
}
