//! Single items: from bytes to values and back.

use super::Array;
use crate::builtins::struct_::{Kind, unpack_value};
use crate::eval::{Exc, Vm};
use crate::text::surrogate;
use crate::value::{BigInt, Int, Res, Value};
use num_traits::ToPrimitive;

/// Whether the bytes of numbers are stored from the lowest on.
const IS_LITTLE: bool = cfg!(target_endian = "little");

/// The item in a place, if there is one.
pub fn item(array: &Array, place: usize) -> Option<Value> {
    let size = array.format.size();
    let data = array.bytes.data.borrow();
    let bytes = data.get(place * size..(place + 1) * size)?;
    Some(of_bytes(array, bytes))
}

/// All items.
pub fn items(array: &Array) -> Vec<Value> {
    let data = array.bytes.data.borrow();
    data.chunks_exact(array.format.size()).map(|bytes| of_bytes(array, bytes)).collect()
}

fn of_bytes(array: &Array, bytes: &[u8]) -> Value {
    match (array.code, bytes) {
        ('i', &[a, b, c, d]) => Value::int(i32::from_ne_bytes([a, b, c, d]).into()),
        ('l' | 'q', &[a, b, c, d, e, f, g, h]) => Value::int(i64::from_ne_bytes([a, b, c, d, e, f, g, h])),
        ('B', &[byte]) => Value::int(byte.into()),
        ('d', &[a, b, c, d, e, f, g, h]) => Value::float(f64::from_ne_bytes([a, b, c, d, e, f, g, h])),
        ('u', &[a, b, c, d]) => character(u32::from_ne_bytes([a, b, c, d])),
        _ => unpack_value(&array.format.field, bytes, IS_LITTLE),
    }
}

fn character(code: u32) -> Value {
    let is_one = char::from_u32(code).is_some() || (0xD800..0xE000).contains(&code);
    let shown = if is_one { surrogate::to_char(code) } else { char::REPLACEMENT_CHARACTER };
    Value::str(shown.encode_utf8(&mut [0; 4]))
}

/// The bytes of a value as an item; the array itself is not touched.
///
/// # Errors
/// `TypeError`: it is nothing of that kind. `OverflowError`: it does not fit.
pub fn packed(vm: &mut Vm, array: &Array, value: &Value) -> Res<Vec<u8>> {
    match (array.code, array.format.field.kind) {
        ('u', _) => packed_character(vm, value),
        (_, Kind::Float) => packed_float(vm, array, value),
        (_, Kind::Int { is_signed }) => packed_int(vm, array, is_signed, value),
        _ => Err(vm.type_error("bad argument type for built-in operation")),
    }
}

fn packed_character(vm: &mut Vm, value: &Value) -> Res<Vec<u8>> {
    let mut chars = Vm::unwrap_native(value).as_str().unwrap_or_default().chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(surrogate::code_point(c).to_ne_bytes().to_vec()),
        _ => Err(vm.type_error("array item must be unicode character")),
    }
}

fn packed_float(vm: &mut Vm, array: &Array, value: &Value) -> Res<Vec<u8>> {
    let number = vm.to_float(value)?;
    Ok(match array.code {
        'f' => (number as f32).to_ne_bytes().to_vec(),
        _ => number.to_ne_bytes().to_vec(),
    })
}

fn packed_int(vm: &mut Vm, array: &Array, is_signed: bool, value: &Value) -> Res<Vec<u8>> {
    let value = vm.to_int_value(value)?;
    let number = match Int::of(&value) {
        Some(Int::Small(number)) => Some(number as i128),
        Some(Int::Big(big)) => big.to_i128(),
        None => None,
    };
    let bits = 8 * array.format.size() as u32;
    let (low, high) = if is_signed {
        (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
    } else {
        (0, (1i128 << bits) - 1)
    };
    match number {
        Some(number) if (low..=high).contains(&number) => {
            let mut bytes = number.to_le_bytes()[..array.format.size()].to_vec();
            if !IS_LITTLE {
                bytes.reverse();
            }
            Ok(bytes)
        }
        _ => {
            let is_negative = Int::of(&value).is_some_and(|int| *int.to_big() < BigInt::ZERO);
            Err(vm.error(Exc::OverflowError, too_large(array.code, number, is_negative)))
        }
    }
}

/// What the error says of an int that does not fit.
fn too_large(code: char, number: Option<i128>, is_negative: bool) -> String {
    let is_long = number.is_some_and(|number| i64::try_from(number).is_ok());
    let is_within = |bits: u32| number.is_some_and(|number| number >> (bits - 1) == number >> 127);
    // Some kinds are read as a larger one first, which complains first.
    let name = match code {
        'I' | 'L' if is_negative => return "can't convert negative value to unsigned int".to_string(),
        'Q' if is_negative => return "can't convert negative int to unsigned".to_string(),
        'I' if number.is_none_or(|number| u64::try_from(number).is_err()) => {
            return "Python int too large to convert to C unsigned long".to_string();
        }
        'L' => return "Python int too large to convert to C unsigned long".to_string(),
        'q' | 'Q' => return "int too big to convert".to_string(),
        'I' => "unsigned int",
        'l' => return "Python int too large to convert to C long".to_string(),
        _ if !is_long => return "Python int too large to convert to C long".to_string(),
        'b' if is_within(16) => "signed char",
        'b' | 'h' => "signed short integer",
        'B' => "unsigned byte integer",
        'H' if is_within(32) => "unsigned short",
        _ => "signed integer",
    };
    let side = if is_negative { "less than minimum" } else { "greater than maximum" };
    format!("{name} is {side}")
}
