//! `__slots__`, and the attributes `__dict__` and `__weakref__` of instances.

use super::Vm;
use super::pour::method_value;
use crate::builtins::core::slots::{INSTANCE_DICT, INSTANCE_WEAKREF};
use crate::resolve::mangled;
use crate::value::{Dict, Ref, Res, Str, Tag, Type, Value};

/// What instances of a new class have.
pub(super) struct Slots {
    /// Names of the slots that the class adds, mangled, with the text its namespace may have for them.
    names: Vec<Ref<Str>>,
    pub has_table: bool,
    adds_table: bool,
    pub has_weakrefs: bool,
    adds_weakrefs: bool,
}

impl Vm {
    /// Reads `__slots__` from the namespace of a class.
    ///
    /// # Errors
    /// `TypeError`, `ValueError`: names that are none, that bases have already, or that the class sets as well.
    pub(super) fn slots_of(
        &mut self,
        class: &Ref<Str>,
        bases: &[Ref<Type>],
        best: &Ref<Type>,
        namespace: &Dict,
    ) -> Res<Slots> {
        let has_table = matches!(best.kind, Tag::Exception | Tag::Type | Tag::Module)
            || bases.iter().any(|base| base.flags.is_user && !base.flags.is_slotted);
        let has_weakrefs = matches!(best.kind, Tag::Type | Tag::Module | Tag::Set | Tag::FrozenSet)
            || bases.iter().any(|base| base.flags.has_weakrefs);
        let has_items = matches!(best.kind, Tag::Int | Tag::Tuple | Tag::Bytes);
        let mut slots =
            Slots { names: Vec::new(), has_table, adds_table: false, has_weakrefs, adds_weakrefs: false };
        match namespace.get_text("__slots__") {
            None => {
                slots.adds_table = !has_table;
                slots.adds_weakrefs = !has_weakrefs && !has_items;
            }
            Some(given) => self.read_slots(&given, class, best, has_items, namespace, &mut slots)?,
        }
        slots.has_table |= slots.adds_table;
        slots.has_weakrefs |= slots.adds_weakrefs;
        Ok(slots)
    }

    fn read_slots(
        &mut self,
        given: &Value,
        class: &Ref<Str>,
        best: &Ref<Type>,
        has_items: bool,
        namespace: &Dict,
        slots: &mut Slots,
    ) -> Res<()> {
        let names =
            if Vm::unwrap_native(given).is::<Str>() { vec![given.clone()] } else { self.collect(given)? };
        if has_items && !names.is_empty() {
            let base = best.name();
            let message = format!("nonempty __slots__ not supported for subtype of '{}'", base.as_str());
            return Err(self.type_error(message));
        }
        for name in names {
            let Some(name) = Vm::unwrap_native(&name).get_ref::<Str>() else {
                let got = self.type_name(&name);
                return Err(self.type_error(format!("__slots__ items must be strings, not '{got}'")));
            };
            if !crate::text::unicode::is_identifier(name.as_str()) {
                return Err(self.type_error("__slots__ must be identifiers"));
            }
            match name.as_str() {
                "__dict__" if slots.has_table || slots.adds_table => {
                    return Err(self.type_error("__dict__ slot disallowed: we already got one"));
                }
                "__dict__" => slots.adds_table = true,
                "__weakref__" if slots.has_weakrefs || slots.adds_weakrefs || has_items => {
                    return Err(self.type_error("__weakref__ slot disallowed: we already got one"));
                }
                "__weakref__" => slots.adds_weakrefs = true,
                text => {
                    let full = mangled(Some(&class.as_str().into()), &text.into());
                    let may_be_set = matches!(text, "__qualname__" | "__classcell__");
                    if !may_be_set && namespace.get_text(&full).is_some() {
                        return Err(
                            self.value_error(format!("'{text}' in __slots__ conflicts with class variable"))
                        );
                    }
                    slots.names.push(self.intern(&full));
                }
            }
        }
        Ok(())
    }

    /// Gives a class the descriptors of its slots, of `__dict__` and of `__weakref__`.
    pub(super) fn add_slots(&mut self, class: &Ref<Type>, slots: &Slots) -> Res<()> {
        for name in &slots.names {
            let member = self.slot_member(class, name);
            class.attributes.set_str(name, member);
        }
        *class.slots.borrow_mut() = slots.names.clone();
        if slots.adds_table {
            class.attributes.set_text("__dict__", method_value(&INSTANCE_DICT[0], INSTANCE_DICT, class));
        }
        if slots.adds_weakrefs {
            class
                .attributes
                .set_text("__weakref__", method_value(&INSTANCE_WEAKREF[0], INSTANCE_WEAKREF, class));
        }
        if class.attributes.get_text("__doc__").is_none() {
            class.attributes.set_text("__doc__", Value::NONE);
        }
        Ok(())
    }
}
