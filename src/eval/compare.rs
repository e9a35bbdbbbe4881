//! Equality, ordering, membership and truth.

use super::Vm;
use super::code::CompareOp;
use super::expr::order_answer;
use crate::value::{
    BigInt, Complex, DictView, Instance, Int, Ref, Res, Str, Tag, Value, View, dict, memoryview,
};
use std::cmp::Ordering;

/// Result of comparing two built-in values that have an order.
pub type Order = Option<Ordering>;

impl Vm {
    /// Truth of a value: `bool(value)`.
    pub fn truth(&mut self, value: &Value) -> Res<bool> {
        Ok(match value.view() {
            View::None => false,
            View::Bool(flag) => flag,
            View::Int(int) => int != 0,
            View::Float(float) => float != 0.0,
            View::Complex(c) => c.re != 0.0 || c.im != 0.0,
            View::Str(text) => !text.is_empty(),
            View::Bytes(bytes) => !bytes.data().is_empty(),
            View::ByteArray(bytes) => !bytes.data.borrow().is_empty(),
            View::List(list) => !list.is_empty(),
            View::Tuple(tuple) => !tuple.is_empty(),
            View::Dict(dict) => !dict.is_empty(),
            View::Set(set) => !set.is_empty(),
            View::FrozenSet(set) => !set.items.is_empty(),
            View::Range(range) => range.len() != Some(0),
            View::DictView(view) => !view.dict.is_empty(),
            View::MemoryView(_) | View::MappingProxy(_) => self.len(value)? != 0,
            View::Instance(_) | View::Exception(_) | View::Type(_) => return self.truth_of_instance(value),
            _ => true,
        })
    }

    fn truth_of_instance(&mut self, value: &Value) -> Res<bool> {
        if let Some(method) = self.special_method(value, "__bool__")? {
            let result = self.call(&method, &[])?;
            return match result.as_bool() {
                Some(flag) => Ok(flag),
                None => {
                    let name = self.type_name(&result);
                    Err(self.type_error(format!("__bool__ should return bool, returned {name}")))
                }
            };
        }
        if self.special_method(value, "__len__")?.is_some() {
            return Ok(self.len(value)? != 0);
        }
        match value.get::<Instance>().and_then(Instance::native) {
            Some(native) => self.truth(&native.clone()),
            None => Ok(true),
        }
    }

    /// `left == right` as a bool, identity first, as containers compare their items.
    pub fn eq(&mut self, left: &Value, right: &Value) -> Res<bool> {
        if left.same(right) {
            return Ok(true);
        }
        self.equals(left, right)
    }

    /// `left == right` as a bool.
    pub fn equals(&mut self, left: &Value, right: &Value) -> Res<bool> {
        self.compare_test(CompareOp::Eq, left, right)
    }

    /// A comparison as a bool.
    pub(super) fn compare_test(&mut self, op: CompareOp, left: &Value, right: &Value) -> Res<bool> {
        match op {
            CompareOp::Is => return Ok(left.same(right)),
            CompareOp::IsNot => return Ok(!left.same(right)),
            CompareOp::In => return self.contains(right, left),
            CompareOp::NotIn => return Ok(!self.contains(right, left)?),
            _ => {}
        }
        if let Some(answer) = self.compare_builtin(op, left, right)? {
            return Ok(answer);
        }
        let value = self.compare_special(op, left, right)?;
        self.truth(&value)
    }

    /// A comparison as the value it gives (classes may answer with anything).
    pub fn compare_value(&mut self, op: CompareOp, left: &Value, right: &Value) -> Res {
        let is_rich = !matches!(op, CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn);
        if is_rich && (left.tag().asks_methods() || right.tag().asks_methods()) {
            return self.compare_special(op, left, right);
        }
        Ok(Value::bool(self.compare_test(op, left, right)?))
    }

    /// Comparison of built-in values; `None` if a class of a script has a say.
    fn compare_builtin(&mut self, op: CompareOp, left: &Value, right: &Value) -> Res<Option<bool>> {
        if left.tag().asks_methods() || right.tag().asks_methods() {
            return Ok(None);
        }
        self.compare_native(op, left, right).map(Some)
    }

    pub(crate) fn compare_native(&mut self, op: CompareOp, left: &Value, right: &Value) -> Res<bool> {
        let is_equality = matches!(op, CompareOp::Eq | CompareOp::NotEq);
        if let Some(order) = number_order(left, right) {
            let is_complex = left.is::<Complex>() || right.is::<Complex>();
            if !is_complex || is_equality {
                return Ok(order_answer(op, order).unwrap_or(false));
            }
        }
        let order = match (left.view(), right.view()) {
            (View::Str(a), View::Str(b)) => Some(a.order(b)),
            (View::Bytes(a), View::Bytes(b)) => Some(a.data().cmp(b.data())),
            (View::ByteArray(a), View::Bytes(b)) => Some(a.data.borrow()[..].cmp(b.data())),
            (View::Bytes(a), View::ByteArray(b)) => Some(a.data().cmp(&b.data.borrow()[..])),
            (View::ByteArray(a), View::ByteArray(b)) => Some(a.data.borrow()[..].cmp(&b.data.borrow()[..])),
            (View::List(a), View::List(b)) => {
                if is_equality && a.len() != b.len() {
                    return Ok(op == CompareOp::NotEq);
                }
                return self.compare_lists(op, a, b);
            }
            (View::Tuple(a), View::Tuple(b)) => {
                if is_equality && a.len() != b.len() {
                    return Ok(op == CompareOp::NotEq);
                }
                return self.compare_sequences(op, a.items(), b.items());
            }
            (View::Dict(_), View::Dict(_)) if is_equality => {
                let equal = self.dicts_equal(left, right)?;
                return Ok(equal == (op == CompareOp::Eq));
            }
            (View::Set(_) | View::FrozenSet(_), View::Set(_) | View::FrozenSet(_)) => {
                return self.compare_sets(op, left, right);
            }
            (View::DictView(a), View::DictView(_) | View::Set(_) | View::FrozenSet(_))
                if a.kind != dict::ViewKind::Values =>
            {
                return self.compare_views(op, left, right);
            }
            (View::Set(_) | View::FrozenSet(_), View::DictView(b)) if b.kind != dict::ViewKind::Values => {
                return self.compare_views(op, left, right);
            }
            (View::Range(a), View::Range(b)) if is_equality => {
                let (n, m) = (a.length(), b.length());
                let same = n == m
                    && (n == BigInt::ZERO
                        || self.equals(&a.start_value(), &b.start_value())?
                            && (n == BigInt::from(1) || self.equals(&a.step_value(), &b.step_value())?));
                return Ok(same == (op == CompareOp::Eq));
            }
            (View::Slice(a), View::Slice(b)) if is_equality => {
                let (x, y) = (
                    [a.start.clone(), a.stop.clone(), a.step.clone()],
                    [b.start.clone(), b.stop.clone(), b.step.clone()],
                );
                return self.compare_sequences(op, &x, &y);
            }
            (View::BoundMethod(a), View::BoundMethod(b)) if is_equality => {
                let same = a.receiver.same(&b.receiver) && self.eq(&a.function, &b.function)?;
                return Ok(same == (op == CompareOp::Eq));
            }
            (View::MemoryView(_), _) | (_, View::MemoryView(_)) if is_equality => {
                let same = memoryview::items::equal(self, left, right)?.unwrap_or(false);
                return Ok(same == (op == CompareOp::Eq));
            }
            _ if is_equality => {
                return Ok(left.same(right) == (op == CompareOp::Eq));
            }
            _ => return Err(self.unordered(op, left, right)),
        };
        Ok(order_answer(op, order).unwrap_or(false))
    }

    #[cold]
    fn unordered(&mut self, op: CompareOp, left: &Value, right: &Value) -> crate::value::Raised {
        let symbol = compare_names(op).0;
        let (l, r) = (self.type_name(left), self.type_name(right));
        self.type_error(format!("'{symbol}' not supported between instances of '{l}' and '{r}'"))
    }

    /// As `compare_sequences`; the lists may change meanwhile.
    fn compare_lists(&mut self, op: CompareOp, a: &crate::value::List, b: &crate::value::List) -> Res<bool> {
        self.check_depth(" in comparison")?;
        let mut at = 0;
        while let (Some(x), Some(y)) = (a.at(at), b.at(at)) {
            if !self.eq(&x, &y)? {
                if at >= a.len() || at >= b.len() {
                    break;
                }
                return match op {
                    CompareOp::Eq => Ok(false),
                    CompareOp::NotEq => Ok(true),
                    _ => self.compare_test(op, &x, &y),
                };
            }
            at += 1;
        }
        Ok(order_answer(op, Some(a.len().cmp(&b.len()))).unwrap_or(false))
    }

    fn compare_sequences(&mut self, op: CompareOp, a: &[Value], b: &[Value]) -> Res<bool> {
        self.check_depth(" in comparison")?;
        for (x, y) in a.iter().zip(b) {
            if !self.eq(x, y)? {
                return match op {
                    CompareOp::Eq => Ok(false),
                    CompareOp::NotEq => Ok(true),
                    _ => self.compare_test(op, x, y),
                };
            }
        }
        Ok(order_answer(op, Some(a.len().cmp(&b.len()))).unwrap_or(false))
    }

    fn dicts_equal(&mut self, left: &Value, right: &Value) -> Res<bool> {
        let (View::Dict(a), View::Dict(b)) = (left.view(), right.view()) else { return Ok(false) };
        if a.len() != b.len() {
            return Ok(false);
        }
        self.check_depth(" in comparison")?;
        for (key, value) in a.pairs() {
            match self.dict_get(b, &key)? {
                Some(other) if self.eq(&value, &other)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    fn compare_sets(&mut self, op: CompareOp, left: &Value, right: &Value) -> Res<bool> {
        let a = self.items_of(left)?;
        let b = self.items_of(right)?;
        Ok(match op {
            CompareOp::Eq => a.len() == b.len() && self.is_subset(&a, &b)?,
            CompareOp::NotEq => !(a.len() == b.len() && self.is_subset(&a, &b)?),
            CompareOp::LtE => self.is_subset(&a, &b)?,
            CompareOp::Lt => a.len() < b.len() && self.is_subset(&a, &b)?,
            CompareOp::GtE => self.is_subset(&b, &a)?,
            _ => b.len() < a.len() && self.is_subset(&b, &a)?,
        })
    }

    /// Comparison of things like sets of which one is a view; the values it shows need no hash.
    fn compare_views(&mut self, op: CompareOp, left: &Value, right: &Value) -> Res<bool> {
        let (n, m) = (self.len(left)?, self.len(right)?);
        Ok(match op {
            CompareOp::Eq => n == m && self.all_in(left, right)?,
            CompareOp::NotEq => !(n == m && self.all_in(left, right)?),
            CompareOp::LtE => n <= m && self.all_in(left, right)?,
            CompareOp::Lt => n < m && self.all_in(left, right)?,
            CompareOp::GtE => m <= n && self.all_in(right, left)?,
            _ => m < n && self.all_in(right, left)?,
        })
    }

    fn all_in(&mut self, items: &Value, container: &Value) -> Res<bool> {
        for item in self.collect(items)? {
            if !self.contains(container, &item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Comparison where a class may define it; falls back to identity and the built-in value inside.
    fn compare_special(&mut self, op: CompareOp, left: &Value, right: &Value) -> Res {
        let (_, name, reflected) = compare_names(op);
        self.check_depth(" in comparison")?;
        if left.tag() == Tag::Foreign
            && let Some(answer) = crate::builtins::functools::compare_keys(self, op, left, right)
        {
            return answer;
        }
        if let Some(answer) = type_equals_text(left, right) {
            match op {
                CompareOp::Eq => return Ok(Value::bool(answer)),
                CompareOp::NotEq => return Ok(Value::bool(!answer)),
                _ => {}
            }
        }
        let (left_class, right_class) = (self.type_of(left), self.type_of(right));
        let right_first = !Ref::ptr_eq(&left_class, &right_class) && right_class.is_subtype_of(&left_class);
        if right_first && let Some(value) = self.try_compare(right, reflected, left)? {
            return Ok(value);
        }
        if let Some(value) = self.try_compare(left, name, right)? {
            return Ok(value);
        }
        if !right_first && let Some(value) = self.try_compare(right, reflected, left)? {
            return Ok(value);
        }
        let (l, r) = (Vm::unwrap_native(left).clone(), Vm::unwrap_native(right).clone());
        if !(l.same(left) && r.same(right)) {
            return Ok(Value::bool(self.compare_test(op, &l, &r)?));
        }
        match op {
            CompareOp::Eq => Ok(Value::bool(left.same(right))),
            CompareOp::NotEq => Ok(Value::bool(!left.same(right))),
            _ => Err(self.unordered(op, left, right)),
        }
    }

    /// A comparison method that a script's class defines; `None` where there is none or it does not apply.
    /// `!=` that no class defines is the opposite of `==`.
    fn try_compare(&mut self, object: &Value, name: &str, other: &Value) -> Res<Option<Value>> {
        if !object.tag().asks_methods() {
            return Ok(None);
        }
        let class = self.type_of(object);
        match self.lookup(&class, &Str::new(name)) {
            // What built-in types inherit or carry inside is compared without its rows.
            Some(found)
                if matches!(Vm::unwrap_native(object).tag(), Tag::Foreign | Tag::MappingProxy)
                    || !found.is::<crate::value::NativeFunction>() =>
            {
                self.try_special(object, name, other)
            }
            Some(found) if name == "__ne__" && self.is_of_object(&found) => {
                match self.try_compare(object, "__eq__", other)? {
                    Some(equal) => Ok(Some(Value::bool(!self.truth(&equal)?))),
                    None => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// Whether an attribute that a class has is what every class gets from `object`.
    fn is_of_object(&self, found: &Value) -> bool {
        let owner = found.get::<crate::value::NativeFunction>().and_then(|native| native.owner.clone());
        owner.is_some_and(|owner| Ref::ptr_eq(&owner, &self.types.object))
    }

    /// `item in container`.
    pub fn contains(&mut self, container: &Value, item: &Value) -> Res<bool> {
        match container.view() {
            View::Str(text) => match Vm::unwrap_native(item).as_str() {
                Some(part) => Ok(memchr::memmem::find(text.as_str().as_bytes(), part.as_bytes()).is_some()),
                None => {
                    let name = self.type_name(item);
                    Err(self.type_error(format!("'in <string>' requires string as left operand, not {name}")))
                }
            },
            View::List(list) => {
                let mut index = 0;
                while let Some(candidate) = list.at(index) {
                    if self.eq(&candidate, item)? {
                        return Ok(true);
                    }
                    index += 1;
                }
                Ok(false)
            }
            View::Tuple(tuple) => {
                for candidate in tuple.items() {
                    if self.eq(candidate, item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            View::Dict(dict) => Ok(self.dict_get(dict, item)?.is_some()),
            View::Set(set) => {
                let (key, hash) = self.set_key(item)?;
                Ok(self.set_find(set, &key, hash)?.is_some())
            }
            View::FrozenSet(set) => {
                let (key, hash) = self.set_key(item)?;
                self.items_contain(&set.items, &key, hash)
            }
            View::DictView(view) => self.view_contains(view, item),
            View::Range(range) => match Int::of(item).filter(|_| item.tag() != Tag::Instance) {
                Some(number) => Ok(range.position_of(number).is_some()),
                None => self.iterated_contains(container, item),
            },
            View::Bytes(_) | View::ByteArray(_) => self.bytes_contain(container, item),
            _ => self.object_contains(container, item),
        }
    }

    /// A set inside a look-up stands for the frozen set equal to it.
    pub(crate) fn set_key(&mut self, item: &Value) -> Res<(Value, u64)> {
        let View::Set(set) = Vm::unwrap_native(item).view() else {
            return Ok((item.clone(), self.hash(item)?));
        };
        if item.is::<Instance>() {
            // A class derived from set may have a hash.
            let hash = self.hash(item);
            if let Some(hash) = self.catch(hash, super::Exc::TypeError)? {
                return Ok((item.clone(), hash));
            }
        }
        let frozen: Value = crate::value::FrozenSet::new(set.borrow().clone()).into();
        let hash = self.hash(&frozen)?;
        Ok((frozen, hash))
    }

    fn view_contains(&mut self, view: &DictView, item: &Value) -> Res<bool> {
        match view.kind {
            dict::ViewKind::Keys => Ok(self.dict_get(&view.dict, item)?.is_some()),
            dict::ViewKind::Values => {
                let values = Value::list(view.dict.values());
                self.contains(&values, item)
            }
            dict::ViewKind::Items => {
                let Some(pair) = item.get::<crate::value::Tuple>() else { return Ok(false) };
                let [key, value] = pair.items() else { return Ok(false) };
                match self.dict_get(&view.dict, key)? {
                    Some(found) => self.eq(&found, value),
                    None => Ok(false),
                }
            }
        }
    }

    fn bytes_contain(&mut self, container: &Value, item: &Value) -> Res<bool> {
        let data = self.bytes_of(container)?;
        if let Some(int) = Int::of(item) {
            return match int.to_i64().and_then(|i| u8::try_from(i).ok()) {
                Some(byte) => Ok(data.contains(&byte)),
                None => Err(self.value_error("byte must be in range(0, 256)")),
            };
        }
        let part = self.bytes_of(item)?;
        Ok(part.is_empty() || data.windows(part.len()).any(|w| w == part))
    }

    fn object_contains(&mut self, container: &Value, item: &Value) -> Res<bool> {
        if self.refuses(container, "__contains__") {
            let name = self.type_name(container);
            return Err(self.type_error(format!("'{name}' object is not a container")));
        }
        if let Some(method) = self.special_method(container, "__contains__")? {
            let answer = self.call(&method, std::slice::from_ref(item))?;
            return self.truth(&answer);
        }
        if let Some(native) = container.get::<Instance>().and_then(Instance::native)
            && self.special_method(container, "__iter__")?.is_none()
        {
            return self.contains(&native.clone(), item);
        }
        self.iterated_contains(container, item)
    }

    /// `item in container` by looking at every item.
    fn iterated_contains(&mut self, container: &Value, item: &Value) -> Res<bool> {
        let Ok(iterator) = self.iter(container) else {
            if self.is_not_iterable(container) {
                let name = self.type_name(container);
                self.take_raised();
                self.type_error(format!("argument of type '{name}' is not iterable"));
            }
            return Err(crate::value::Raised);
        };
        while let Some(candidate) = self.next(&iterator)? {
            if self.eq(&candidate, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Order of two values for sorting: `left < right`.
    pub fn less_than(&mut self, left: &Value, right: &Value) -> Res<bool> {
        match (left.view(), right.view()) {
            (View::Int(a), View::Int(b)) => Ok(a < b),
            (View::Float(a), View::Float(b)) => Ok(a < b),
            (View::Str(a), View::Str(b)) => Ok(a.order(b).is_lt()),
            _ => self.compare_test(CompareOp::Lt, left, right),
        }
    }
}

/// A type and a string are equal when the string is the type's display name; two types by identity.
pub fn type_equals_text(left: &Value, right: &Value) -> Option<bool> {
    match (left.view(), right.view()) {
        (View::Type(class), View::Str(text)) | (View::Str(text), View::Type(class)) => {
            Some(class.display_name() == text.as_str())
        }
        _ => None,
    }
}

/// Order of two numbers; `Some(None)` if they are unordered, `None` if either is no number.
fn number_order(left: &Value, right: &Value) -> Option<Order> {
    match (left.view(), right.view()) {
        (View::Float(a), View::Float(b)) => return Some(a.partial_cmp(&b)),
        (View::Complex(_), _) | (_, View::Complex(_)) => {
            let (a, b) = match (complex_of(left), complex_of(right)) {
                // An int is compared as it is: not every one is a float.
                (Some(c), _) if Int::of(right).is_some() => return real_order(c, right),
                (_, Some(c)) if Int::of(left).is_some() => return real_order(c, left),
                (a, b) => (a?, b?),
            };
            return Some((a == b).then_some(Ordering::Equal));
        }
        _ => {}
    }
    match (left.as_float(), right.as_float()) {
        (None, None) => Some(int_order(Int::of(left)?, Int::of(right)?)),
        (Some(a), None) => Some(float_int_order(a, Int::of(right)?)),
        (None, Some(b)) => Some(float_int_order(b, Int::of(left)?).map(Ordering::reverse)),
        (Some(a), Some(b)) => Some(a.partial_cmp(&b)),
    }
}

/// Whether a complex number is that int.
fn real_order(complex: Complex, int: &Value) -> Option<Order> {
    let order = float_int_order(complex.re, Int::of(int)?);
    Some(order.filter(|order| order.is_eq() && complex.im == 0.0))
}

fn complex_of(value: &Value) -> Option<Complex> {
    match value.view() {
        View::Complex(c) => Some(*c),
        View::Float(re) => Some(Complex { re, im: 0.0 }),
        _ => Int::of(value)?.to_f64().map(|re| Complex { re, im: 0.0 }),
    }
}

fn int_order(a: Int, b: Int) -> Order {
    match (a, b) {
        (Int::Small(a), Int::Small(b)) => Some(a.cmp(&b)),
        _ => Some(a.to_big().cmp(&b.to_big())),
    }
}

fn float_int_order(a: f64, b: Int) -> Order {
    match b {
        Int::Small(b) if b.unsigned_abs() <= 1 << 53 => a.partial_cmp(&(b as f64)),
        _ => crate::text::float::cmp_big(a, &b.to_big()),
    }
}

/// Symbol, special method, and the method tried on the other side.
pub(crate) fn compare_names(op: CompareOp) -> (&'static str, &'static str, &'static str) {
    match op {
        CompareOp::Eq => ("==", "__eq__", "__eq__"),
        CompareOp::NotEq => ("!=", "__ne__", "__ne__"),
        CompareOp::Lt => ("<", "__lt__", "__gt__"),
        CompareOp::LtE => ("<=", "__le__", "__ge__"),
        CompareOp::Gt => (">", "__gt__", "__lt__"),
        CompareOp::GtE => (">=", "__ge__", "__le__"),
        CompareOp::Is => ("is", "", ""),
        CompareOp::IsNot => ("is not", "", ""),
        CompareOp::In => ("in", "__contains__", ""),
        CompareOp::NotIn => ("not in", "__contains__", ""),
    }
}
