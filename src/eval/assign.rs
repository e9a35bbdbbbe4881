//! Assignment, unpacking, augmented assignment and `del`.

use super::Vm;
use super::code::*;
use crate::source::Span;
use crate::value::{List, Raised, Ref, Res, Str, Tag, Tuple, Value};

impl Vm {
    pub(super) fn assign(&mut self, target: &Target, value: Value) -> Res<()> {
        match target {
            Target::Local(slot) => {
                self.set_slot(*slot, value);
                Ok(())
            }
            Target::Deref(slot) => {
                self.cell(*slot).set(value);
                Ok(())
            }
            Target::Global(variable) => {
                variable.set(value);
                Ok(())
            }
            Target::DictGlobal(name) => {
                self.current_module().set(name, value);
                Ok(())
            }
            Target::ClassName(name) => {
                let namespace = self.class_namespace();
                self.set_item(&namespace, name.clone().into(), value)
            }
            Target::Attribute(a) => {
                let object = self.operand(&a.object)?;
                match self.set_attribute(&object, &a.name, value) {
                    Ok(()) => Ok(()),
                    Err(_) => Err(self.at(a.span)),
                }
            }
            Target::Subscript(s) => {
                let object = self.operand(&s.object)?;
                let index = self.operand(&s.index)?;
                self.store_item(&object, index, value, s.span)
            }
            Target::Unpack(u) => self.unpack(u, value),
        }
    }

    #[inline]
    fn store_item(&mut self, object: &Value, index: Value, value: Value, span: Span) -> Res<()> {
        let value = match (object.get::<List>(), index.as_int()) {
            (Some(list), Some(i)) if i >= 0 => match list.set_at(i as usize, value) {
                Ok(()) => return Ok(()),
                Err(value) => value,
            },
            _ => value,
        };
        match self.set_item(object, index, value) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.at(span)),
        }
    }

    fn unpack(&mut self, u: &Unpack, value: Value) -> Res<()> {
        if u.star.is_none() {
            if let Some(tuple) = value.get::<Tuple>()
                && tuple.len() == u.before.len()
            {
                for (target, item) in u.before.iter().zip(tuple.items()) {
                    self.assign(target, item.clone())?;
                }
                return Ok(());
            }
            let items = match self.take_exactly(&value, u.before.len()) {
                Ok(items) => items,
                Err(_) => return Err(self.at(u.span)),
            };
            for (target, item) in u.before.iter().zip(items) {
                self.assign(target, item)?;
            }
            return Ok(());
        }
        match self.unpack_starred(u, &value) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.at(u.span)),
        }
    }

    fn unpack_starred(&mut self, u: &Unpack, value: &Value) -> Res<()> {
        let Some((star, after)) = &u.star else { return Ok(()) };
        let mut items = Vec::new();
        if self.extend_from(&mut items, value).is_err() {
            return Err(self.not_unpackable(value));
        }
        let needed = u.before.len() + after.len();
        if items.len() < needed {
            let got = items.len();
            return Err(self.value_error(format!(
                "not enough values to unpack (expected at least {needed}, got {got})"
            )));
        }
        let tail = items.split_off(items.len() - after.len());
        let rest = items.split_off(u.before.len());
        for (target, item) in u.before.iter().zip(items) {
            self.assign(target, item)?;
        }
        self.assign(star, Value::list(rest))?;
        for (target, item) in after.iter().zip(tail) {
            self.assign(target, item)?;
        }
        Ok(())
    }

    /// Exactly `count` items of an iterable; looks at no more than one item beyond them.
    pub(crate) fn take_exactly(&mut self, value: &Value, count: usize) -> Res<Vec<Value>> {
        let Ok(iterator) = self.iter(value) else { return Err(self.not_unpackable(value)) };
        let mut items = Vec::with_capacity(count);
        while let Some(item) = self.next(&iterator)? {
            if items.len() == count {
                return Err(self.value_error(format!("too many values to unpack (expected {count})")));
            }
            items.push(item);
        }
        if items.len() < count {
            let got = items.len();
            return Err(
                self.value_error(format!("not enough values to unpack (expected {count}, got {got})"))
            );
        }
        Ok(items)
    }

    fn not_unpackable(&mut self, value: &Value) -> Raised {
        if self.is_not_iterable(value) {
            let name = self.type_name(value);
            self.take_raised();
            return self.type_error(format!("cannot unpack non-iterable {name} object"));
        }
        Raised
    }

    pub(super) fn exec_aug_local(&mut self, a: &AugLocal) -> super::Flow {
        if let (Some(x), Some(y)) = (self.slot_int(a.slot), self.peek_int(&a.value))
            && let Some(value) = super::operators::small_binary(a.op, x, y)
        {
            *self.slot(a.slot) = value;
            return super::Flow::Next;
        }
        match self.aug_local(a) {
            Ok(()) => super::Flow::Next,
            Err(_) => super::Flow::Raise,
        }
    }

    fn aug_local(&mut self, a: &AugLocal) -> Res<()> {
        if self.slot_tag(a.slot) == Tag::Unbound {
            return Err(self.unbound_local(a.slot, a.name_span));
        }
        let right = self.operand(&a.value)?;
        // The slot is emptied so that a string or list that nobody else holds can grow in place.
        let left = self.slot(a.slot).take();
        if a.op == BinaryOp::Add && left.is::<Str>() && right.is::<Str>() {
            let joined = join_in_place(left, &right);
            self.set_slot(a.slot, joined);
            return Ok(());
        }
        match self.inplace(a.op, &left, &right) {
            Ok(value) => {
                self.set_slot(a.slot, value);
                Ok(())
            }
            Err(_) => {
                self.set_slot(a.slot, left);
                Err(self.at(a.span))
            }
        }
    }

    pub(super) fn aug_assign(&mut self, a: &AugAssign) -> Res<()> {
        match &a.target {
            AugTarget::Name(read, target) => {
                let left = self.operand(read)?;
                let value = self.aug_value(a, &left)?;
                self.assign(target, value)
            }
            AugTarget::Attribute(place) => {
                let object = self.operand(&place.object)?;
                let left = match self.get_attribute(&object, &place.name) {
                    Ok(left) => left,
                    Err(_) => return Err(self.at(place.span)),
                };
                let value = self.aug_value(a, &left)?;
                match self.set_attribute(&object, &place.name, value) {
                    Ok(()) => Ok(()),
                    Err(_) => Err(self.at(place.span)),
                }
            }
            AugTarget::Subscript(place) => {
                let object = self.operand(&place.object)?;
                let index = self.operand(&place.index)?;
                let left = match self.get_item(&object, &index) {
                    Ok(left) => left,
                    Err(_) => return Err(self.at(place.span)),
                };
                let value = self.aug_value(a, &left)?;
                self.store_item(&object, index, value, place.span)
            }
        }
    }

    fn aug_value(&mut self, a: &AugAssign, left: &Value) -> Res {
        let right = self.operand(&a.value)?;
        match self.inplace(a.op, left, &right) {
            Ok(value) => Ok(value),
            Err(_) => Err(self.at(a.span)),
        }
    }

    pub(super) fn delete(&mut self, target: &Target, span: Span) -> Res<()> {
        match target {
            Target::Local(slot) => {
                if self.slot_tag(*slot) == Tag::Unbound {
                    return Err(self.unbound_local(*slot, span));
                }
                self.set_slot(*slot, Value::UNBOUND);
                Ok(())
            }
            Target::Deref(slot) => {
                let cell = self.cell(*slot);
                if cell.get().is_unbound() {
                    return Err(self.unbound_cell(*slot, span));
                }
                cell.set(Value::UNBOUND);
                Ok(())
            }
            Target::Global(variable) => {
                if variable.get().is_unbound() {
                    self.undefined_name(variable.name.as_str());
                    return Err(self.at(span));
                }
                variable.set(Value::UNBOUND);
                Ok(())
            }
            Target::DictGlobal(name) => {
                if !self.current_module().remove(name) {
                    self.undefined_name(name.as_str());
                    return Err(self.at(span));
                }
                Ok(())
            }
            Target::ClassName(name) => {
                let namespace = self.class_namespace();
                let key: Value = name.clone().into();
                if self.get_item_if_present(&namespace, key.clone())?.is_none() {
                    self.undefined_name(name.as_str());
                    return Err(self.at(span));
                }
                self.delete_item(&namespace, &key)
            }
            Target::Attribute(a) => {
                let object = self.operand(&a.object)?;
                match self.delete_attribute(&object, &a.name) {
                    Ok(()) => Ok(()),
                    Err(_) => Err(self.at(a.span)),
                }
            }
            Target::Subscript(s) => {
                let object = self.operand(&s.object)?;
                let index = self.operand(&s.index)?;
                match self.delete_item(&object, &index) {
                    Ok(()) => Ok(()),
                    Err(_) => Err(self.at(s.span)),
                }
            }
            Target::Unpack(u) => {
                for target in &u.before {
                    self.delete(target, u.span)?;
                }
                Ok(())
            }
        }
    }

    /// Unbinds a name, whether or not it is bound: the end of `except ... as name`.
    pub(super) fn unbind(&mut self, target: &Target) {
        match target {
            Target::Local(slot) => self.set_slot(*slot, Value::UNBOUND),
            Target::Deref(slot) => self.cell(*slot).set(Value::UNBOUND),
            Target::Global(variable) => variable.set(Value::UNBOUND),
            Target::DictGlobal(name) => {
                self.current_module().remove(name);
            }
            Target::ClassName(name) => {
                let namespace = self.class_namespace();
                if let Some(dict) = namespace.get::<crate::value::Dict>() {
                    drop(dict.remove_str(name));
                }
            }
            _ => {}
        }
    }
}

/// `left + right` for two strings, growing `left` if nobody else holds it.
fn join_in_place(left: Value, right: &Value) -> Value {
    let more = right.as_str().unwrap_or("");
    match left.into_ref::<Str>() {
        Ok(mut text) => {
            if let Some(own) = Ref::get_mut(&mut text) {
                own.push_str(more);
                return text.into();
            }
            let mut joined = compact_str::CompactString::with_capacity(text.as_str().len() + more.len());
            joined.push_str(text.as_str());
            joined.push_str(more);
            Str::from_compact(joined).into()
        }
        Err(value) => value,
    }
}
