//! What stands behind `def f[T]`, `class C[T]` and `type X = ...`: functions of the `typing` module, imported when
//! such a statement first runs.

use crate::call::{Call, Native};
use crate::value::{Res, Str};

/// Functions of `typing` that make a type parameter, the base of a generic class, a type alias.
pub const TYPE_PARAM: &str = "_type_param";
pub const GENERIC_BASE: &str = "_generic_base";
pub const TYPE_ALIAS: &str = "_type_alias";

pub static TYPING: Native = Native {
    name: "typing",
    params: "function, /, *args",
    run: typing,
    doc: "Calls a function of the `typing` module.",
};

fn typing(call: &mut Call) -> Res {
    let module = call.vm.import_module("typing")?;
    let name = Str::new(call.str(0)?);
    let function = call.vm.get_attribute(&module, &name)?;
    call.vm.call(&function, call.rest())
}
