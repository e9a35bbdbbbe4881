//! `array`: numbers of one kind in a row.
//!
//! The class is written in ZPy (`stdlib/array.zpy`); `install` gives it these rows. Each object carries an [`Array`]:
//! the letter of its kind and a `bytearray` with the bytes of its items, so that views, files and everything else that
//! takes bytes works on the items in place.

mod items;
mod methods;
mod sequence;

pub use methods::ROWS;

use crate::call::{Call, Native, NativeModule};
use crate::eval::pour::add_rows;
use crate::eval::{Exc, Vm};
use crate::value::memoryview::Format;
use crate::value::{ByteArray, Foreign, Instance, Ref, Res, Type, Value};
use std::cell::RefCell;
use std::rc::Rc;

pub static MODULE: NativeModule = NativeModule {
    name: "_array",
    doc: "Fast parts; `array` is the module to import.",
    functions: &[
        Native {
            name: "install",
            params: "cls, /",
            run: install,
            doc: "Gives the class `array` its native methods.",
        },
        Native {
            name: "empty",
            params: "cls, typecode, /",
            run: empty,
            doc: "An object of a class with these methods, without items; a ValueError if there is no such kind.",
        },
    ],
    constants: &[],
};

/// The letters of the kinds.
pub const CODES: &str = "bBuhHiIlLqQfd";

/// What an array keeps.
pub struct Array {
    pub format: Rc<Format>,
    pub code: char,
    pub bytes: Ref<ByteArray>,
}

impl Array {
    fn new(code: char, data: Vec<u8>) -> Option<Array> {
        Some(Array { format: Format::of_array(code)?, code, bytes: ByteArray::new(data) })
    }

    /// How many items there are.
    fn len(&self) -> usize {
        self.bytes.data.borrow().len() / self.format.size()
    }

    fn same_storage(&self) -> Array {
        Array { format: self.format.clone(), code: self.code, bytes: self.bytes.clone() }
    }
}

/// What an array keeps, if the value is one: the copy shares the bytes.
pub fn array_of(value: &Value) -> Option<Array> {
    let data = Vm::unwrap_native(value).get::<Foreign>()?.data.try_borrow().ok()?;
    data.downcast_ref::<Array>().map(Array::same_storage)
}

/// The receiver.
fn this(call: &mut Call) -> Res<Array> {
    if let Some(array) = array_of(call.arg(0)) {
        return Ok(array);
    }
    let (name, got) = (call.native.name, call.vm.type_name(call.arg(0)));
    let message = format!("descriptor '{name}' for 'array.array' objects doesn't apply to a '{got}' object");
    Err(call.vm.type_error(message))
}

/// The receiver, whose length may change.
fn resizable(call: &mut Call) -> Res<Array> {
    let array = this(call)?;
    check_resizable(call.vm, &array)?;
    Ok(array)
}

fn check_resizable(vm: &mut Vm, array: &Array) -> Res<()> {
    if array.bytes.exports.get() == 0 {
        return Ok(());
    }
    Err(vm.error(Exc::BufferError, "cannot resize an array that is exporting buffers"))
}

fn install(call: &mut Call) -> Res {
    let Some(class) = call.arg(0).get_ref::<Type>() else { return Err(call.wrong_type(0, "a class")) };
    add_rows(&class, ROWS);
    call.vm.state.array_class = Some(class);
    Ok(Value::NONE)
}

fn empty(call: &mut Call) -> Res {
    let class = call.class()?;
    let code = call.str(1)?.chars().next().unwrap_or(' ');
    match Array::new(code, Vec::new()) {
        Some(array) => Ok(object(class, array)),
        None => {
            let message = "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)";
            Err(call.vm.value_error(message))
        }
    }
}

fn object(class: Ref<Type>, array: Array) -> Value {
    let data = RefCell::new(Box::new(array) as Box<dyn std::any::Any>);
    Instance::with_native(class, Ref::new(Foreign { type_name: "array", data }).into()).into()
}

/// A new array of the same kind; never of a derived class.
fn like(call: &mut Call, array: &Array, data: Vec<u8>) -> Value {
    let class = match &call.vm.state.array_class {
        Some(class) => class.clone(),
        None => call.vm.type_of(call.arg(0)),
    };
    object(class, Array { format: array.format.clone(), code: array.code, bytes: ByteArray::new(data) })
}
