//! Named tuples of native modules: `time.struct_time`, `os.stat_result`, `sys.version_info`.
//!
//! Each is a class derived from `tuple` whose items are computed attributes too. Attributes that are no
//! items (`tm_zone`, `st_mtime_ns`) are in the object's own table.

use crate::call::{Call, Native, Signature};
use crate::eval::Vm;
use crate::value::{
    BoundMethod, Dict, Instance, NativeFunction, Property, Ref, Res, Str, Tuple, Type, Value,
};
use std::rc::Rc;

/// What such a tuple is called and what its items are.
pub struct StructType {
    pub module: &'static str,
    pub name: &'static str,
    pub fields: &'static [&'static str],
    /// Fields whose attribute is not the item but in the object's own table.
    pub hidden: &'static [&'static str],
    /// How many attributes are no items, where Python counts them.
    pub more: usize,
}

impl StructType {
    /// Fields that are found by their name.
    fn shown(&self) -> impl Iterator<Item = &'static str> {
        let shown = self.fields.iter().copied();
        shown.filter(|name| !self.hidden.contains(name))
    }
}

static GET: Native =
    Native { name: "field", params: "index, object, /", run: get, doc: "An item of a named tuple." };
static REPR: Native =
    Native { name: "__repr__", params: "self, /", run: repr, doc: "Shown with the names of the items." };

fn get(call: &mut Call) -> Res {
    let index = call.int(0)? as usize;
    let items = Vm::unwrap_native(call.arg(1)).get::<Tuple>();
    Ok(items.and_then(|items| items.items().get(index)).cloned().unwrap_or(Value::NONE))
}

fn repr(call: &mut Call) -> Res {
    let class = call.vm.type_of(call.arg(0));
    let fields = match class.attributes.get_text("_fields") {
        Some(fields) => call.vm.collect(&fields)?,
        None => Vec::new(),
    };
    let items = call.this::<Tuple>()?.items();
    let mut shown = Vec::new();
    for (name, item) in fields.iter().zip(items) {
        shown.push(format!("{}={}", name.as_str().unwrap_or_default(), call.vm.repr_of(item)?));
    }
    let module = class.attributes.get_text("__module__");
    let module = module.as_ref().and_then(Value::as_str).unwrap_or_default();
    Ok(Value::str(format!("{module}.{}({})", class.name().as_str(), shown.join(", "))))
}

impl Vm {
    /// The class of a named tuple, made once.
    pub fn struct_class(&mut self, kind: &'static StructType) -> Res<Ref<Type>> {
        if let Some((_, class)) = self.state.struct_classes.iter().find(|(name, _)| *name == kind.name) {
            return Ok(class.clone());
        }
        let namespace = Dict::from_pairs([
            ("__module__", Value::str(kind.module)),
            ("_fields", Value::tuple(kind.fields.iter().map(Value::str).collect())),
            ("n_fields", Value::size(kind.fields.len() + kind.more)),
            ("n_sequence_fields", Value::size(kind.fields.len())),
            ("n_unnamed_fields", Value::size(kind.hidden.len())),
            ("__match_args__", Value::tuple(kind.shown().map(Value::str).collect())),
        ]);
        for (index, name) in kind.fields.iter().enumerate().filter(|(_, name)| !kind.hidden.contains(name)) {
            let function = super::function_value(&GET, "builtins");
            let get = Ref::new(BoundMethod { function, receiver: Value::size(index) }).into();
            let field = Property::new(get, Value::NONE, Value::NONE, Value::NONE);
            *field.name.borrow_mut() = Value::str(name);
            namespace.set_text(name, Ref::new(field).into());
        }
        let bases = [self.types.of_tag(crate::value::Tag::Tuple).clone().into()];
        let metaclass: Value = self.types.type_.clone().into();
        let class = self.new_class(&metaclass, Str::new(kind.name), &bases, &namespace, &[])?;
        let class = class.into_ref::<Type>().map_err(|_| crate::value::Raised)?;
        let signature = Rc::new(Signature::parse(REPR.params).unwrap_or_default());
        let owner = Some(class.clone());
        let repr = NativeFunction {
            native: &REPR,
            signature,
            owner,
            module: "builtins",
            kind: crate::value::NativeKind::Slot,
        };
        class.attributes.set_text("__repr__", Ref::new(repr).into());
        class.touch();
        self.state.struct_classes.push((kind.name, class.clone()));
        Ok(class)
    }

    /// A named tuple with these items.
    pub fn struct_value(&mut self, kind: &'static StructType, items: Vec<Value>) -> Res<Ref<Instance>> {
        let class = self.struct_class(kind)?;
        Ok(Instance::with_native(class, Value::tuple(items)))
    }
}
