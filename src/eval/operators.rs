//! Arithmetic and bitwise operators on any values.
//!
//! Order of trials: ints and floats directly, then the built-in meaning for sequences, sets and the like,
//! then the special methods of classes (`__add__`, `__radd__`, `__iadd__`).

use super::Vm;
use super::code::{BinaryOp, UnaryOp};
use crate::value::bytes::methods::{contents, is_bytes_like};
use crate::value::{
    BigInt, ByteArray, Complex, Dict, FrozenSet, Instance, Int, List, Raised, Ref, Res, Set, Str, Tag, Value,
    View,
};
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

/// An operator on two small ints, where the result is exact and no error is possible; else `None`.
#[inline(always)]
pub(super) fn small_binary(op: BinaryOp, x: i64, y: i64) -> Option<Value> {
    let result = match op {
        BinaryOp::Add => x.checked_add(y)?,
        BinaryOp::Sub => x.checked_sub(y)?,
        BinaryOp::Mul => x.checked_mul(y)?,
        BinaryOp::FloorDiv => {
            if y == 0 || y == -1 {
                return None;
            }
            let quotient = x / y;
            if x % y != 0 && (x ^ y) < 0 { quotient - 1 } else { quotient }
        }
        BinaryOp::Mod => {
            if y == 0 || y == -1 {
                return None;
            }
            let rest = x % y;
            if rest != 0 && (rest ^ y) < 0 { rest + y } else { rest }
        }
        BinaryOp::BitAnd => x & y,
        BinaryOp::BitOr => x | y,
        BinaryOp::BitXor => x ^ y,
        BinaryOp::RShift => {
            if y < 0 {
                return None;
            }
            x >> y.min(63)
        }
        BinaryOp::LShift => {
            if !(0..63).contains(&y) || (x << y) >> y != x {
                return None;
            }
            x << y
        }
        BinaryOp::Div => {
            // Exact while both are below 2**53; beyond, rounding needs care.
            const EXACT: i64 = 1 << 53;
            if y == 0 || !(-EXACT..=EXACT).contains(&x) || !(-EXACT..=EXACT).contains(&y) {
                return None;
            }
            return Some(Value::float(x as f64 / y as f64));
        }
        BinaryOp::Pow => {
            let exponent = u32::try_from(y).ok()?;
            x.checked_pow(exponent)?
        }
        BinaryOp::MatMul => return None,
    };
    Some(Value::int(result))
}

/// Symbol and special method names of each operator: `__x__`, `__rx__`, `__ix__`.
pub(crate) fn operator_names(op: BinaryOp) -> (&'static str, &'static str, &'static str, &'static str) {
    match op {
        BinaryOp::Add => ("+", "__add__", "__radd__", "__iadd__"),
        BinaryOp::Sub => ("-", "__sub__", "__rsub__", "__isub__"),
        BinaryOp::Mul => ("*", "__mul__", "__rmul__", "__imul__"),
        BinaryOp::MatMul => ("@", "__matmul__", "__rmatmul__", "__imatmul__"),
        BinaryOp::Div => ("/", "__truediv__", "__rtruediv__", "__itruediv__"),
        BinaryOp::FloorDiv => ("//", "__floordiv__", "__rfloordiv__", "__ifloordiv__"),
        BinaryOp::Mod => ("%", "__mod__", "__rmod__", "__imod__"),
        BinaryOp::Pow => ("** or pow()", "__pow__", "__rpow__", "__ipow__"),
        BinaryOp::LShift => ("<<", "__lshift__", "__rlshift__", "__ilshift__"),
        BinaryOp::RShift => (">>", "__rshift__", "__rrshift__", "__irshift__"),
        BinaryOp::BitAnd => ("&", "__and__", "__rand__", "__iand__"),
        BinaryOp::BitOr => ("|", "__or__", "__ror__", "__ior__"),
        BinaryOp::BitXor => ("^", "__xor__", "__rxor__", "__ixor__"),
    }
}

impl Vm {
    /// `left op right`.
    pub fn binary(&mut self, op: BinaryOp, left: &Value, right: &Value) -> Res {
        if let Some(result) = self.binary_or_none(op, left, right)? {
            return Ok(result);
        }
        let symbol = operator_names(op).0;
        Err(self.unsupported_operands(symbol, left, right))
    }

    fn unsupported_operands(&mut self, symbol: &str, left: &Value, right: &Value) -> Raised {
        let (l, r) = (self.type_name(left), self.type_name(right));
        if symbol == "+" {
            let message = match left.view() {
                View::Str(_) => format!("can only concatenate str (not \"{r}\") to str"),
                View::List(_) => format!("can only concatenate list (not \"{r}\") to list"),
                View::Tuple(_) => format!("can only concatenate tuple (not \"{r}\") to tuple"),
                View::Bytes(_) => format!("can't concat {r} to bytes"),
                View::ByteArray(_) => format!("can't concat {r} to bytearray"),
                _ => format!("unsupported operand type(s) for +: '{l}' and '{r}'"),
            };
            return self.type_error(message);
        }
        if symbol == ">>"
            && left.get::<crate::value::NativeFunction>().is_some_and(|f| f.native.name == "print")
        {
            return self.type_error(format!(
                "unsupported operand type(s) for >>: '{l}' and '{r}'. Did you mean \
                 \"print(<message>, file=<output_stream>)\"?"
            ));
        }
        if symbol == "*" && is_sequence(left) {
            return self.type_error(format!("can't multiply sequence by non-int of type '{r}'"));
        }
        if symbol == "*" && is_sequence(right) {
            return self.type_error(format!("can't multiply sequence by non-int of type '{l}'"));
        }
        self.type_error(format!("unsupported operand type(s) for {symbol}: '{l}' and '{r}'"))
    }

    /// `left op= right`: objects that can change in place do.
    pub fn inplace(&mut self, op: BinaryOp, left: &Value, right: &Value) -> Res {
        // A sequence is extended in place only if the other operand's class has no say.
        if matches!((op, left.tag()), (BinaryOp::Add | BinaryOp::Mul, Tag::List | Tag::ByteArray))
            && let Some(value) = self.try_special(right, operator_names(op).2, left)?
        {
            return Ok(value);
        }
        match (op, left.view()) {
            (BinaryOp::Add, View::List(list)) => {
                let mut items = Vec::new();
                self.extend_from(&mut items, right)?;
                list.borrow_mut().extend(items);
                return Ok(left.clone());
            }
            (BinaryOp::Mul, View::List(list))
                if Int::of(right).is_some()
                    || right.is::<Instance>() && self.special_method(right, "__index__")?.is_some() =>
            {
                let repeated = self.binary(op, left, right)?;
                if let Some(repeated) = repeated.get::<List>() {
                    let items = repeated.to_vec();
                    let old = std::mem::replace(&mut *list.borrow_mut(), items);
                    drop(old);
                }
                return Ok(left.clone());
            }
            (BinaryOp::Mul, View::ByteArray(bytes)) => {
                let repeated = self.binary(op, left, right)?;
                if let Some(repeated) = repeated.get::<ByteArray>() {
                    if repeated.data.borrow().len() != bytes.data.borrow().len() {
                        self.resizable(bytes)?;
                    }
                    bytes.data.replace(repeated.data.take());
                }
                return Ok(left.clone());
            }
            (BinaryOp::Add, View::ByteArray(bytes)) => {
                if !is_bytes_like(right) {
                    return Err(self.unsupported_operands("+", left, right));
                }
                let more = self.bytes_of(right)?;
                self.resizable(bytes)?;
                bytes.data.borrow_mut().extend(more);
                return Ok(left.clone());
            }
            (BinaryOp::BitOr, View::Dict(_)) => {
                if let Some(dict) = left.get_ref::<Dict>() {
                    self.dict_update(&dict, right)?;
                    return Ok(left.clone());
                }
            }
            (BinaryOp::BitOr | BinaryOp::BitAnd | BinaryOp::Sub | BinaryOp::BitXor, View::Set(set))
                if matches!(right.tag(), Tag::Set | Tag::FrozenSet) || is_set_view(right) =>
            {
                let result = self.binary(op, left, right)?;
                if let Some(result) = result.get::<Set>() {
                    let items = result.borrow().clone();
                    let old = std::mem::replace(&mut *set.borrow_mut(), items);
                    drop(old);
                }
                return Ok(left.clone());
            }
            (_, View::Instance(_) | View::MappingProxy(_)) => {
                let name = operator_names(op).3;
                if let Some(method) = self.special_method(left, name)? {
                    let result = self.call(&method, std::slice::from_ref(right))?;
                    if !result.is_not_implemented() {
                        return Ok(result);
                    }
                }
            }
            _ => {}
        }
        if let Some(result) = self.binary_or_none(op, left, right)? {
            return Ok(result);
        }
        let symbol = match op {
            BinaryOp::Pow => "**=".to_string(),
            _ => format!("{}=", operator_names(op).0),
        };
        let is_concatenation =
            op == BinaryOp::Add && matches!(left.tag(), Tag::Str | Tag::Tuple | Tag::Bytes);
        let is_repetition = op == BinaryOp::Mul
            && (matches!(left.tag(), Tag::Str | Tag::List | Tag::Tuple)
                || matches!(right.tag(), Tag::Str | Tag::List | Tag::Tuple));
        let symbol = if is_concatenation || is_repetition { operator_names(op).0 } else { symbol.as_str() };
        Err(self.unsupported_operands(symbol, left, right))
    }

    /// `left op right`, or `None` if the two have no such operation.
    fn binary_or_none(&mut self, op: BinaryOp, left: &Value, right: &Value) -> Res<Option<Value>> {
        if left.tag().asks_methods() || right.tag().asks_methods() {
            return self.binary_special(op, left, right);
        }
        self.binary_builtin(op, left, right)
    }

    /// The meaning of an operator for built-in types alone.
    pub(crate) fn binary_builtin(&mut self, op: BinaryOp, left: &Value, right: &Value) -> Res<Option<Value>> {
        if let (Some(x), Some(y)) = (Int::of(left), Int::of(right)) {
            if let (Tag::Bool, Tag::Bool) = (left.tag(), right.tag())
                && let Some(flag) = bool_binary(op, !x.is_zero(), !y.is_zero())
            {
                return Ok(Some(flag));
            }
            return self.int_binary(op, x, y);
        }
        if let (Some(x), Some(y)) = (number(left), number(right)) {
            return match (x, y) {
                (Number::Complex(_), _) | (_, Number::Complex(_)) => {
                    let (x, y) = (self.as_complex(x)?, self.as_complex(y)?);
                    self.complex_binary(op, x, y)
                }
                _ => {
                    let (x, y) = (self.as_f64(x)?, self.as_f64(y)?);
                    self.float_binary(op, x, y)
                }
            };
        }
        match op {
            BinaryOp::Add => self.concatenate(left, right),
            BinaryOp::Mul => match (Int::of(left), Int::of(right)) {
                (None, Some(count)) => self.repeat(left, count),
                (Some(count), None) => self.repeat(right, count),
                _ => Ok(None),
            },
            BinaryOp::Mod => match left.view() {
                View::Str(template) => self.percent_format(template.as_str(), right).map(Some),
                View::Bytes(_) | View::ByteArray(_) => self.percent_format_bytes(left, right).map(Some),
                _ => Ok(None),
            },
            BinaryOp::BitOr | BinaryOp::BitAnd | BinaryOp::BitXor | BinaryOp::Sub => {
                self.set_binary(op, left, right)
            }
            _ => Ok(None),
        }
    }

    /// Operators where at least one side is an object with a class of its own.
    fn binary_special(&mut self, op: BinaryOp, left: &Value, right: &Value) -> Res<Option<Value>> {
        let (_, name, reflected, _) = operator_names(op);
        if op == BinaryOp::Add
            && let (Some(l), Some(r)) = (type_text(left), type_text(right))
        {
            return Ok(Some(Value::str(l + &r)));
        }
        if op == BinaryOp::Mod && matches!(left.tag(), Tag::Str | Tag::Bytes | Tag::ByteArray) {
            // A template shows any object as the object wants it, not as the value inside.
            let own = Vm::unwrap_native(right).tag() == left.tag();
            if !own {
                return self.binary_builtin(op, left, right);
            }
        }
        let (left_class, right_class) = (self.type_of(left), self.type_of(right));
        let same = Ref::ptr_eq(&left_class, &right_class);
        let right_first = !same && right_class.is_subtype_of(&left_class) && {
            let key = Str::new(reflected);
            match (self.lookup(&right_class, &key), self.lookup(&left_class, &key)) {
                (Some(r), Some(l)) => !r.same(&l),
                (Some(_), None) => true,
                _ => false,
            }
        };
        if right_first && let Some(value) = self.try_special(right, reflected, left)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.try_special(left, name, right)? {
            return Ok(Some(value));
        }
        if !same
            && !right_first
            && let Some(value) = self.try_special(right, reflected, left)?
        {
            return Ok(Some(value));
        }
        if op == BinaryOp::Mul
            && let Some(repeated) = self.repeat_by_index(left, right)?
        {
            return Ok(Some(repeated));
        }
        let (l, r) = (Vm::unwrap_native(left), Vm::unwrap_native(right));
        if l.same(left) && r.same(right) {
            return Ok(None);
        }
        let (l, r) = (l.clone(), r.clone());
        self.binary_builtin(op, &l, &r)
    }

    /// A sequence times an object that counts as an int by `__index__`.
    pub(crate) fn repeat_by_index(&mut self, left: &Value, right: &Value) -> Res<Option<Value>> {
        for (sequence, count) in [(left, right), (right, left)] {
            let sequence = Vm::unwrap_native(sequence);
            if is_sequence(sequence)
                && count.tag() == Tag::Instance
                && self.special_method(count, "__index__")?.is_some()
            {
                let count = self.to_int_value(count)?;
                return self.binary_builtin(BinaryOp::Mul, sequence, &count);
            }
        }
        Ok(None)
    }

    /// Calls a special method of an object's class; `None` if there is none or it does not apply.
    pub(super) fn try_special(&mut self, object: &Value, name: &str, other: &Value) -> Res<Option<Value>> {
        if !object.tag().asks_methods() {
            return Ok(None);
        }
        let Some(method) = self.special_method(object, name)? else { return Ok(None) };
        let result = self.call(&method, std::slice::from_ref(other))?;
        Ok((!result.is_not_implemented()).then_some(result))
    }

    fn int_binary(&mut self, op: BinaryOp, x: Int, y: Int) -> Res<Option<Value>> {
        if let (Some(a), Some(b)) = (x.to_i64(), y.to_i64())
            && let Some(value) = small_binary(op, a, b)
        {
            return Ok(Some(value));
        }
        let (a, b) = (x.to_big(), y.to_big());
        let (a, b) = (a.as_ref(), b.as_ref());
        let value = match op {
            BinaryOp::Add => Value::big(a + b),
            BinaryOp::Sub => Value::big(a - b),
            BinaryOp::Mul => Value::big(a * b),
            BinaryOp::Div => {
                if b.is_zero() {
                    return Err(self.zero_division("division by zero"));
                }
                match crate::text::float::div_big(a, b) {
                    Some(quotient) => Value::float(quotient),
                    None => return Err(self.overflow_error("integer division result too large for a float")),
                }
            }
            BinaryOp::FloorDiv => {
                if b.is_zero() {
                    return Err(self.zero_division("integer division or modulo by zero"));
                }
                Value::big(a.div_floor(b))
            }
            BinaryOp::Mod => {
                if b.is_zero() {
                    return Err(self.zero_division("integer modulo by zero"));
                }
                Value::big(a.mod_floor(b))
            }
            BinaryOp::Pow => return self.int_power(a, b).map(Some),
            BinaryOp::LShift => return self.shift_left(a, b).map(Some),
            BinaryOp::RShift => {
                if b.is_negative() {
                    return Err(self.value_error("negative shift count"));
                }
                match b.to_usize() {
                    Some(count) => Value::big(a >> count),
                    None => Value::int(if a.is_negative() { -1 } else { 0 }),
                }
            }
            BinaryOp::BitAnd => Value::big(a & b),
            BinaryOp::BitOr => Value::big(a | b),
            BinaryOp::BitXor => Value::big(a ^ b),
            BinaryOp::MatMul => return Ok(None),
        };
        Ok(Some(value))
    }

    fn int_power(&mut self, base: &BigInt, exponent: &BigInt) -> Res {
        if exponent.is_negative() {
            if base.is_zero() {
                return Err(self.zero_division("0.0 cannot be raised to a negative power"));
            }
            let (x, y) = (self.big_to_f64(base)?, self.big_to_f64(exponent)?);
            return Ok(Value::float(x.powf(y)));
        }
        let small = match exponent.to_u32() {
            Some(small) => small,
            None if base.is_zero() || base.abs() == BigInt::from(1) => {
                (exponent % 2u32).to_u32().unwrap_or(0) + 2
            }
            None => return Err(self.error(super::Exc::MemoryError, "integer result too large")),
        };
        if base.bits().saturating_mul(small as u64) > MAX_BITS {
            return Err(self.error(super::Exc::MemoryError, "integer result too large"));
        }
        Ok(Value::big(base.pow(small)))
    }

    fn shift_left(&mut self, value: &BigInt, count: &BigInt) -> Res {
        if count.is_negative() {
            return Err(self.value_error("negative shift count"));
        }
        if value.is_zero() {
            return Ok(Value::int(0));
        }
        match count.to_u64() {
            Some(count) if value.bits().saturating_add(count) <= MAX_BITS => {
                Ok(Value::big(value << count as usize))
            }
            _ => Err(self.overflow_error("too many digits in integer")),
        }
    }

    fn big_to_f64(&mut self, value: &BigInt) -> Res<f64> {
        match crate::text::float::big_to_f64(value) {
            Some(float) => Ok(float),
            None => Err(self.overflow_error("int too large to convert to float")),
        }
    }

    fn float_binary(&mut self, op: BinaryOp, x: f64, y: f64) -> Res<Option<Value>> {
        let value = match op {
            BinaryOp::Add => x + y,
            BinaryOp::Sub => x - y,
            BinaryOp::Mul => x * y,
            BinaryOp::Div => {
                if y == 0.0 {
                    return Err(self.zero_division("float division by zero"));
                }
                x / y
            }
            BinaryOp::FloorDiv => {
                if y == 0.0 {
                    return Err(self.zero_division("float floor division by zero"));
                }
                float_divmod(x, y).0
            }
            BinaryOp::Mod => {
                if y == 0.0 {
                    return Err(self.zero_division("float modulo"));
                }
                float_divmod(x, y).1
            }
            BinaryOp::Pow => return self.float_power(x, y).map(Some),
            _ => return Ok(None),
        };
        Ok(Some(Value::float(value)))
    }

    fn float_power(&mut self, x: f64, y: f64) -> Res {
        if x == 0.0 && y < 0.0 && y.is_finite() {
            return Err(self.zero_division("0.0 cannot be raised to a negative power"));
        }
        if x < 0.0 && x.is_finite() && y.is_finite() && y.fract() != 0.0 {
            let power = complex_pow(Complex { re: x, im: 0.0 }, Complex { re: y, im: 0.0 });
            return Ok(Ref::new(power).into());
        }
        let value = x.powf(y);
        if value.is_infinite() && x.is_finite() && y.is_finite() {
            let args = vec![Value::int(34), Value::str("Numerical result out of range")];
            return Err(self.error_with(super::Exc::OverflowError, args));
        }
        Ok(Value::float(value))
    }

    fn complex_binary(&mut self, op: BinaryOp, x: Complex, y: Complex) -> Res<Option<Value>> {
        let value = match op {
            BinaryOp::Add => Complex { re: x.re + y.re, im: x.im + y.im },
            BinaryOp::Sub => Complex { re: x.re - y.re, im: x.im - y.im },
            BinaryOp::Mul => Complex { re: x.re * y.re - x.im * y.im, im: x.re * y.im + x.im * y.re },
            BinaryOp::Div => {
                if y.re == 0.0 && y.im == 0.0 {
                    return Err(self.zero_division("complex division by zero"));
                }
                complex_div(x, y)
            }
            BinaryOp::Pow => {
                if x.re == 0.0 && x.im == 0.0 && (y.re < 0.0 || y.im != 0.0) {
                    return Err(self.zero_division("0.0 to a negative or complex power"));
                }
                let power = complex_pow(x, y);
                let is_finite = |c: Complex| c.re.is_finite() && c.im.is_finite();
                if !is_finite(power) && is_finite(x) && is_finite(y) {
                    return Err(self.overflow_error("complex exponentiation"));
                }
                power
            }
            _ => return Ok(None),
        };
        Ok(Some(Ref::new(value).into()))
    }

    fn as_f64(&mut self, number: Number) -> Res<f64> {
        match number {
            Number::Int(Int::Small(i)) => Ok(i as f64),
            Number::Int(Int::Big(big)) => self.big_to_f64(big),
            Number::Float(f) => Ok(f),
            Number::Complex(c) => Ok(c.re),
        }
    }

    fn as_complex(&mut self, number: Number) -> Res<Complex> {
        match number {
            Number::Complex(c) => Ok(c),
            other => Ok(Complex { re: self.as_f64(other)?, im: 0.0 }),
        }
    }

    fn concatenate(&mut self, left: &Value, right: &Value) -> Res<Option<Value>> {
        Ok(Some(match (left.view(), right.view()) {
            (View::Str(a), View::Str(b)) => {
                let (a, b) = (a.as_str(), b.as_str());
                let mut joined = compact_str::CompactString::with_capacity(a.len() + b.len());
                joined.push_str(a);
                joined.push_str(b);
                Str::from_compact(joined).into()
            }
            (View::List(a), View::List(b)) => {
                let mut items = a.to_vec();
                items.extend(b.borrow().iter().cloned());
                Value::list(items)
            }
            (View::Tuple(a), View::Tuple(b)) => Value::tuple([a.items(), b.items()].concat()),
            (View::Bytes(a), _) => match contents(right) {
                Some(b) => Value::bytes([a.data(), &b[..]].concat()),
                None => return Ok(None),
            },
            (View::ByteArray(a), _) => match contents(right) {
                Some(b) => ByteArray::new([&a.data.borrow()[..], &b[..]].concat()).into(),
                None => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    fn repeat(&mut self, sequence: &Value, count: Int) -> Res<Option<Value>> {
        let len = match sequence.view() {
            View::Str(s) => s.as_str().len(),
            View::List(l) => l.len(),
            View::Tuple(t) => t.len(),
            View::Bytes(b) => b.data().len(),
            View::ByteArray(b) => b.data.borrow().len(),
            _ => return Ok(None),
        };
        let count = match count {
            Int::Small(n) => n.max(0) as usize,
            Int::Big(_) => return Err(self.overflow_error("cannot fit 'int' into an index-sized integer")),
        };
        if len.checked_mul(count).is_none_or(|total| total > MAX_ITEMS) {
            return Err(self.error_with(super::Exc::MemoryError, Vec::new()));
        }
        let repeated = |items: &[Value]| {
            let mut out = Vec::with_capacity(items.len() * count);
            for _ in 0..count {
                out.extend_from_slice(items);
            }
            out
        };
        Ok(Some(match sequence.view() {
            View::Str(_) | View::Bytes(_) if count == 1 => sequence.clone(),
            View::Str(s) => Str::from_string(s.as_str().repeat(count)).into(),
            View::List(l) => Value::list(repeated(&l.borrow())),
            View::Tuple(_) if count == 1 => sequence.clone(),
            View::Tuple(t) => Value::tuple(repeated(t.items())),
            View::Bytes(b) => Value::bytes(b.data().repeat(count)),
            View::ByteArray(b) => ByteArray::new(b.data.borrow().repeat(count)).into(),
            _ => return Ok(None),
        }))
    }

    fn set_binary(&mut self, op: BinaryOp, left: &Value, right: &Value) -> Res<Option<Value>> {
        if let (View::Dict(a), View::Dict(b)) = (left.view(), right.view()) {
            if op != BinaryOp::BitOr {
                return Ok(None);
            }
            let merged = Dict::new(a.borrow().clone());
            for (key, value) in b.pairs() {
                self.dict_set(&merged, key, value)?;
            }
            return Ok(Some(merged.into()));
        }
        let is_set = |v: &Value| matches!(v.tag(), Tag::Set | Tag::FrozenSet | Tag::DictView);
        let is_view = left.tag() == Tag::DictView || right.tag() == Tag::DictView;
        // A view takes any iterable as its other side.
        let is_iterable = |v: &Value| {
            is_set(v)
                || matches!(v.tag(), Tag::List | Tag::Tuple | Tag::Str | Tag::Dict | Tag::Range | Tag::Iter)
        };
        if !(is_set(left) && is_set(right) || is_view && is_iterable(left) && is_iterable(right)) {
            return Ok(None);
        }
        if is_view && (is_values_view(left) || is_values_view(right)) {
            return Ok(None);
        }
        let items = self.set_operation(op, left, right)?;
        Ok(Some(if left.is::<FrozenSet>() && !is_view {
            FrozenSet::new(items).into()
        } else {
            Set::new(items).into()
        }))
    }

    /// `op value` for `+ - ~` (and `not`).
    pub fn unary(&mut self, op: UnaryOp, operand: &Value) -> Res {
        if op == UnaryOp::Not {
            return Ok(Value::bool(!self.truth(operand)?));
        }
        let (symbol, name) = match op {
            UnaryOp::Minus => ("-", "__neg__"),
            UnaryOp::Plus => ("+", "__pos__"),
            _ => ("~", "__invert__"),
        };
        if operand.tag() == Tag::Instance
            && let Some(method) = self.special_method(operand, name)?
        {
            return self.call(&method, &[]);
        }
        let operand = Vm::unwrap_native(operand);
        if let Some(int) = Int::of(operand) {
            return Ok(match (op, int) {
                (UnaryOp::Minus, Int::Small(i)) => {
                    i.checked_neg().map_or_else(|| Value::big(-BigInt::from(i)), Value::int)
                }
                (UnaryOp::Minus, Int::Big(big)) => Value::big(-big),
                (UnaryOp::Invert, Int::Small(i)) => Value::int(!i),
                (UnaryOp::Invert, Int::Big(big)) => Value::big(!big),
                (_, int) => int.to_value(),
            });
        }
        match (op, operand.view()) {
            (UnaryOp::Minus, View::Float(f)) => Ok(Value::float(-f)),
            (UnaryOp::Plus, View::Float(f)) => Ok(Value::float(f)),
            (UnaryOp::Minus, View::Complex(c)) => Ok(Ref::new(Complex { re: -c.re, im: -c.im }).into()),
            (UnaryOp::Plus, View::Complex(_)) => Ok(operand.clone()),
            _ => {
                let name = self.type_name(operand);
                Err(self.type_error(format!("bad operand type for unary {symbol}: '{name}'")))
            }
        }
    }
}

/// Larger ints are refused rather than filling the memory (2**33 bits are one gigabyte).
const MAX_BITS: u64 = 1 << 33;
/// Longer sequences are refused rather than filling the memory.
const MAX_ITEMS: usize = 1 << 40;

#[derive(Clone, Copy)]
enum Number<'a> {
    Int(Int<'a>),
    Float(f64),
    Complex(Complex),
}

fn number(value: &Value) -> Option<Number<'_>> {
    match value.view() {
        View::Float(f) => Some(Number::Float(f)),
        View::Complex(c) => Some(Number::Complex(*c)),
        _ => Int::of(value).map(Number::Int),
    }
}

fn bool_binary(op: BinaryOp, x: bool, y: bool) -> Option<Value> {
    Some(Value::bool(match op {
        BinaryOp::BitAnd => x & y,
        BinaryOp::BitOr => x | y,
        BinaryOp::BitXor => x ^ y,
        _ => return None,
    }))
}

fn is_sequence(value: &Value) -> bool {
    matches!(value.tag(), Tag::Str | Tag::List | Tag::Tuple | Tag::Bytes | Tag::ByteArray)
}

fn is_set_view(value: &Value) -> bool {
    value.tag() == Tag::DictView && !is_values_view(value)
}

fn is_values_view(value: &Value) -> bool {
    matches!(value.view(), View::DictView(v) if v.kind == crate::value::dict::ViewKind::Values)
}

/// The text of a string, or the display name of a type: types join with strings.
fn type_text(value: &Value) -> Option<String> {
    match value.view() {
        View::Str(s) => Some(s.as_str().to_string()),
        View::Type(t) => Some(t.display_name()),
        _ => None,
    }
}

/// Floor quotient and remainder with the divisor's sign, as Python computes them.
pub fn float_divmod(x: f64, y: f64) -> (f64, f64) {
    let mut rest = x % y;
    let mut quotient = (x - rest) / y;
    if rest != 0.0 {
        if (y < 0.0) != (rest < 0.0) {
            rest += y;
            quotient -= 1.0;
        }
    } else {
        rest = 0.0f64.copysign(y);
    }
    let floored = if quotient != 0.0 {
        let floor = quotient.floor();
        if quotient - floor > 0.5 { floor + 1.0 } else { floor }
    } else {
        0.0f64.copysign(x / y)
    };
    (floored, rest)
}

/// Complex division by Smith's method, which does not overflow where the quotient does not.
fn complex_div(x: Complex, y: Complex) -> Complex {
    if y.re.abs() >= y.im.abs() {
        let ratio = y.im / y.re;
        let denominator = y.re + y.im * ratio;
        Complex { re: (x.re + x.im * ratio) / denominator, im: (x.im - x.re * ratio) / denominator }
    } else {
        let ratio = y.re / y.im;
        let denominator = y.re * ratio + y.im;
        Complex { re: (x.re * ratio + x.im) / denominator, im: (x.im * ratio - x.re) / denominator }
    }
}

pub fn complex_pow(x: Complex, y: Complex) -> Complex {
    if y.re == 0.0 && y.im == 0.0 {
        return Complex { re: 1.0, im: 0.0 };
    }
    if x.re == 0.0 && x.im == 0.0 {
        return Complex { re: 0.0, im: 0.0 };
    }
    if y.im == 0.0 && y.re.fract() == 0.0 && y.re.abs() <= 100.0 {
        return complex_small_power(x, y.re as i32);
    }
    let length = x.re.hypot(x.im).powf(y.re);
    let angle = x.im.atan2(x.re);
    let mut phase = angle * y.re;
    let mut length = length;
    if y.im != 0.0 {
        length *= (-angle * y.im).exp();
        phase += y.im * x.re.hypot(x.im).ln();
    }
    Complex { re: length * phase.cos(), im: length * phase.sin() }
}

/// Small integer powers by repeated squaring, exact where multiplication is.
fn complex_small_power(x: Complex, exponent: i32) -> Complex {
    let times =
        |a: Complex, b: Complex| Complex { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };
    let one = Complex { re: 1.0, im: 0.0 };
    let (mut result, mut base, mut left) = (one, x, exponent.unsigned_abs());
    while left > 0 {
        if left & 1 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        left >>= 1;
    }
    if exponent < 0 { complex_div(one, result) } else { result }
}

impl Vm {
    /// An int argument as a sequence index or size: objects with `__index__` count as ints.
    ///
    /// # Errors
    /// `TypeError` for anything else, `OverflowError` beyond 64 bits.
    pub fn to_index(&mut self, value: &Value) -> Res<i64> {
        let int = self.to_int_value(value)?;
        match int.as_small_int() {
            Some(small) => Ok(small),
            None => Err(self.overflow_error("Python int too large to convert to C ssize_t")),
        }
    }

    /// The int an object stands for, by itself or by `__index__`.
    pub fn to_int_value(&mut self, value: &Value) -> Res {
        if let Some(int) = Int::of(value) {
            return Ok(int.to_value());
        }
        if value.tag() == Tag::Instance
            && let Some(method) = self.special_method(value, "__index__")?
        {
            let result = self.call(&method, &[])?;
            return self.checked_int("__index__", &result);
        }
        let name = self.type_name(value);
        Err(self.type_error(format!("'{name}' object cannot be interpreted as an integer")))
    }

    /// A number as a float; objects with `__float__` or `__index__` count.
    pub fn to_float(&mut self, value: &Value) -> Res<f64> {
        match value.view() {
            View::Float(f) => return Ok(f),
            View::Int(i) => return Ok(i as f64),
            View::Instance(_) => {
                if let Some(method) = self.special_method(value, "__float__")? {
                    let result = self.call(&method, &[])?;
                    return match Vm::unwrap_native(&result).as_float() {
                        Some(f) if result.tag() == Tag::Float => Ok(f),
                        Some(f) => {
                            let (of, got) = (self.type_name(value), self.type_name(&result));
                            self.warn_of_derived(&format!("{of}.__float__"), "float", &got)?;
                            Ok(f)
                        }
                        None => {
                            let (of, got) = (self.type_name(value), self.type_name(&result));
                            Err(self.type_error(format!("{of}.__float__ returned non-float (type {got})")))
                        }
                    };
                }
                if let Some(f) = Vm::unwrap_native(value).as_float() {
                    return Ok(f);
                }
                if self.special_method(value, "__index__")?.is_some() {
                    let int = self.to_int_value(value)?;
                    return self.to_float(&int);
                }
            }
            _ => {}
        }
        match Int::of(value) {
            Some(Int::Small(i)) => Ok(i as f64),
            Some(Int::Big(big)) => self.big_to_f64(big),
            None => {
                let name = self.type_name(value);
                Err(self.type_error(format!("must be real number, not {name}")))
            }
        }
    }
}
