//! Expressions.
//!
//! [`Vm::eval`] is a table of contents: each arm calls a function, so that its own machine frame stays
//! small and recursion deep. A parent reads operands that are locals or constants itself
//! ([`Vm::operand`]) instead of recursing; arithmetic on two small ints never touches a reference count.

use super::Vm;
use super::code::*;
use crate::value::{Function, List, Raised, Ref, Res, Str, Tag, Tuple, Value};
use std::cell::{OnceCell, RefCell};
use std::cmp::Ordering;

impl Vm {
    pub(super) fn eval(&mut self, expr: &Expr) -> Res {
        match expr {
            Expr::Const(value) => Ok(value.clone()),
            Expr::Local(slot, span) => self.load_local(*slot, *span),
            Expr::Deref(slot, span) => self.load_cell(*slot, *span),
            Expr::Global(variable, span) => self.load_global(variable, *span),
            Expr::DictGlobal(name) => self.load_dict_global(name),
            Expr::ClassName(name) => self.load_class_name(name),
            Expr::Add(b) => self.eval_add(b),
            Expr::Sub(b) => self.eval_sub(b),
            Expr::Mul(b) => self.eval_mul(b),
            Expr::Binary(b) => self.eval_binary(b),
            Expr::Compare(c) => self.eval_compare(c),
            Expr::CompareChain(c) => self.eval_compare_chain(c),
            Expr::Not(operand) => Ok(Value::bool(!self.test(operand)?)),
            Expr::Unary(u) => self.eval_unary(u),
            Expr::And(values) => self.eval_and(values),
            Expr::Or(values) => self.eval_or(values),
            Expr::Conditional(c) => {
                if self.test(&c.test)? {
                    self.operand(&c.body)
                } else {
                    self.operand(&c.orelse)
                }
            }
            Expr::Call(c) => self.eval_call(c),
            Expr::MethodCall(c) => self.eval_method_call(c),
            Expr::SpreadCall(c) => self.eval_spread_call(c),
            Expr::Attribute(a) => self.eval_attribute(a),
            Expr::Subscript(s) => self.eval_subscript(s),
            Expr::Slice(parts) => self.eval_slice(parts),
            Expr::Tuple(items) => Ok(Value::tuple(self.eval_all(items)?)),
            Expr::List(items) => Ok(Value::list(self.eval_all(items)?)),
            Expr::Display(d) => self.eval_display(d),
            Expr::Dict(d) => self.eval_dict(d),
            Expr::FString(pieces) => self.eval_fstring(pieces),
            Expr::Function(make) => self.make_function(make),
            Expr::Named(named) => self.eval_named(named),
            Expr::Comprehension(c) => self.eval_comprehension(c),
            Expr::Generator(g) => self.eval_generator(g),
        }
    }

    /// As `eval`, reading locals and constants on the spot.
    #[inline(always)]
    pub(super) fn operand(&mut self, expr: &Expr) -> Res {
        match expr {
            Expr::Local(slot, span) => self.load_local(*slot, *span),
            Expr::Const(value) => Ok(value.clone()),
            _ => self.eval(expr),
        }
    }

    /// The small int an operand stands for, if it is a local or constant that holds one.
    #[inline(always)]
    pub(super) fn peek_int(&self, expr: &Expr) -> Option<i64> {
        match expr {
            Expr::Local(slot, _) => self.slot_int(*slot),
            Expr::Const(value) => value.as_int(),
            _ => None,
        }
    }

    /// Truth of an expression; comparisons of small ints never make a value.
    pub(super) fn test(&mut self, expr: &Expr) -> Res<bool> {
        match expr {
            Expr::Compare(c) => self.test_compare(c),
            Expr::Not(operand) => Ok(!self.test(operand)?),
            Expr::And(values) => {
                for value in values {
                    if !self.test(value)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expr::Or(values) => {
                for value in values {
                    if self.test(value)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => {
                let value = self.operand(expr)?;
                match value.tag() {
                    Tag::Bool => Ok(value.as_bool() == Some(true)),
                    _ => self.truth(&value),
                }
            }
        }
    }

    #[inline(always)]
    fn load_local(&mut self, slot: u32, span: crate::source::Span) -> Res {
        let value = self.slot(slot);
        if value.is_unbound() {
            return Err(self.unbound_local(slot, span));
        }
        Ok(value.clone())
    }

    #[cold]
    pub(super) fn unbound_local(&mut self, slot: u32, span: crate::source::Span) -> Raised {
        let name = self.slot_name(slot);
        let class = super::Exc::UnboundLocalError;
        self.error(
            class,
            format!("cannot access local variable '{name}' where it is not associated with a value"),
        );
        self.at(span)
    }

    fn slot_name(&self, slot: u32) -> String {
        self.current_code().map_or(String::new(), |c| c.slot_names[slot as usize].as_str().to_string())
    }

    fn load_cell(&mut self, slot: u32, span: crate::source::Span) -> Res {
        let value = self.cell(slot).get();
        if value.is_unbound() {
            return Err(self.unbound_cell(slot, span));
        }
        Ok(value)
    }

    #[cold]
    pub(super) fn unbound_cell(&mut self, slot: u32, span: crate::source::Span) -> Raised {
        let is_own = self.current_code().is_some_and(|c| !c.captured_slots.contains(&slot));
        if is_own {
            return self.unbound_local(slot, span);
        }
        let name = self.slot_name(slot);
        self.error(
            super::Exc::NameError,
            format!("cannot access free variable '{name}' where it is not associated with a value in enclosing scope"),
        );
        self.at(span)
    }

    #[inline(always)]
    fn load_global(&mut self, variable: &Ref<crate::value::GlobalVar>, span: crate::source::Span) -> Res {
        let value = variable.get();
        if !value.is_unbound() {
            return Ok(value);
        }
        self.load_builtin(variable, span)
    }

    fn load_builtin(&mut self, variable: &Ref<crate::value::GlobalVar>, span: crate::source::Span) -> Res {
        if let Some(builtin) = &variable.builtin {
            let value = builtin.get();
            if !value.is_unbound() {
                return Ok(value);
            }
        }
        self.undefined_name(variable.name.as_str());
        Err(self.at(span))
    }

    fn load_dict_global(&mut self, global: &DictGlobal) -> Res {
        let module = self.current_module();
        if let Some(value) = module.get(&global.name) {
            return Ok(value);
        }
        match module.own_builtins() {
            Some(builtins) => {
                if let Some(value) = self.get_item_if_present(&builtins, global.name.clone().into())? {
                    return Ok(value);
                }
            }
            None => {
                let value = global.builtin.get();
                if !value.is_unbound() {
                    return Ok(value);
                }
            }
        }
        self.undefined_name(global.name.as_str());
        Err(self.at(global.span))
    }

    fn load_class_name(&mut self, name: &ClassName) -> Res {
        let namespace = self.class_namespace();
        if let Some(value) = self.get_item_if_present(&namespace, name.name.clone().into())? {
            return Ok(value);
        }
        self.eval(&name.outer)
    }

    fn eval_add(&mut self, b: &Binary) -> Res {
        if let (Some(x), Some(y)) = (self.peek_int(&b.left), self.peek_int(&b.right))
            && let Some(sum) = x.checked_add(y)
        {
            return Ok(Value::int(sum));
        }
        let left = self.operand(&b.left)?;
        let right = self.operand(&b.right)?;
        match (left.tag(), right.tag()) {
            (Tag::Int, Tag::Int) => {
                if let (Some(x), Some(y)) = (left.as_int(), right.as_int())
                    && let Some(sum) = x.checked_add(y)
                {
                    return Ok(Value::int(sum));
                }
            }
            (Tag::Float, Tag::Float) => {
                if let (Some(x), Some(y)) = (left.as_float(), right.as_float()) {
                    return Ok(Value::float(x + y));
                }
            }
            _ => {}
        }
        self.binary_at(b, &left, &right)
    }

    fn eval_sub(&mut self, b: &Binary) -> Res {
        if let (Some(x), Some(y)) = (self.peek_int(&b.left), self.peek_int(&b.right))
            && let Some(difference) = x.checked_sub(y)
        {
            return Ok(Value::int(difference));
        }
        let left = self.operand(&b.left)?;
        let right = self.operand(&b.right)?;
        match (left.tag(), right.tag()) {
            (Tag::Int, Tag::Int) => {
                if let (Some(x), Some(y)) = (left.as_int(), right.as_int())
                    && let Some(difference) = x.checked_sub(y)
                {
                    return Ok(Value::int(difference));
                }
            }
            (Tag::Float, Tag::Float) => {
                if let (Some(x), Some(y)) = (left.as_float(), right.as_float()) {
                    return Ok(Value::float(x - y));
                }
            }
            _ => {}
        }
        self.binary_at(b, &left, &right)
    }

    fn eval_mul(&mut self, b: &Binary) -> Res {
        let left = self.operand(&b.left)?;
        let right = self.operand(&b.right)?;
        match (left.tag(), right.tag()) {
            (Tag::Int, Tag::Int) => {
                if let (Some(x), Some(y)) = (left.as_int(), right.as_int())
                    && let Some(product) = x.checked_mul(y)
                {
                    return Ok(Value::int(product));
                }
            }
            (Tag::Float, Tag::Float) => {
                if let (Some(x), Some(y)) = (left.as_float(), right.as_float()) {
                    return Ok(Value::float(x * y));
                }
            }
            _ => {}
        }
        self.binary_at(b, &left, &right)
    }

    fn eval_binary(&mut self, b: &Binary) -> Res {
        let left = self.operand(&b.left)?;
        let right = self.operand(&b.right)?;
        if let (Some(x), Some(y)) = (left.as_int(), right.as_int())
            && let Some(value) = super::operators::small_binary(b.op, x, y)
        {
            return Ok(value);
        }
        self.binary_at(b, &left, &right)
    }

    #[inline(never)]
    fn binary_at(&mut self, b: &Binary, left: &Value, right: &Value) -> Res {
        match self.binary(b.op, left, right) {
            Ok(value) => Ok(value),
            Err(_) => Err(self.at(b.span)),
        }
    }

    #[inline(always)]
    fn test_compare(&mut self, c: &Comparison) -> Res<bool> {
        if let (Some(x), Some(y)) = (self.peek_int(&c.left), self.peek_int(&c.right))
            && let Some(answer) = int_answer(c.op, x, y)
        {
            return Ok(answer);
        }
        self.test_compare_values(c)
    }

    fn test_compare_values(&mut self, c: &Comparison) -> Res<bool> {
        let left = self.operand(&c.left)?;
        let right = self.operand(&c.right)?;
        match (left.tag(), right.tag()) {
            (Tag::Int, Tag::Int) => {
                if let (Some(x), Some(y)) = (left.as_int(), right.as_int())
                    && let Some(answer) = int_answer(c.op, x, y)
                {
                    return Ok(answer);
                }
            }
            (Tag::Float, Tag::Float) => {
                if let (Some(x), Some(y)) = (left.as_float(), right.as_float())
                    && let Some(answer) = order_answer(c.op, x.partial_cmp(&y))
                {
                    return Ok(answer);
                }
            }
            _ => {}
        }
        match self.compare_test(c.op, &left, &right) {
            Ok(answer) => Ok(answer),
            Err(_) => Err(self.at(c.span)),
        }
    }

    fn eval_compare(&mut self, c: &Comparison) -> Res {
        if let (Some(x), Some(y)) = (self.peek_int(&c.left), self.peek_int(&c.right))
            && let Some(answer) = int_answer(c.op, x, y)
        {
            return Ok(Value::bool(answer));
        }
        let left = self.operand(&c.left)?;
        let right = self.operand(&c.right)?;
        match self.compare_value(c.op, &left, &right) {
            Ok(value) => Ok(value),
            Err(_) => Err(self.at(c.span)),
        }
    }

    fn eval_compare_chain(&mut self, c: &CompareChain) -> Res {
        let mut left = self.operand(&c.first)?;
        let last = c.rest.len() - 1;
        for (i, (op, expr)) in c.rest.iter().enumerate() {
            let right = self.operand(expr)?;
            let answer = match self.compare_value(*op, &left, &right) {
                Ok(value) => value,
                Err(_) => return Err(self.at(c.span)),
            };
            if i == last || !self.truth(&answer)? {
                return Ok(answer);
            }
            left = right;
        }
        unreachable!("a chain has at least two comparisons")
    }

    fn eval_unary(&mut self, u: &Unary) -> Res {
        let operand = self.operand(&u.operand)?;
        match self.unary(u.op, &operand) {
            Ok(value) => Ok(value),
            Err(_) => Err(self.at(u.span)),
        }
    }

    fn eval_and(&mut self, values: &[Expr]) -> Res {
        let (last, first) = values.split_last().expect("`and` has operands");
        for expr in first {
            let value = self.operand(expr)?;
            if !self.truth(&value)? {
                return Ok(value);
            }
        }
        self.operand(last)
    }

    fn eval_or(&mut self, values: &[Expr]) -> Res {
        let (last, first) = values.split_last().expect("`or` has operands");
        for expr in first {
            let value = self.operand(expr)?;
            if self.truth(&value)? {
                return Ok(value);
            }
        }
        self.operand(last)
    }

    fn eval_all(&mut self, items: &[Expr]) -> Res<Vec<Value>> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(self.operand(item)?);
        }
        Ok(values)
    }

    fn eval_slice(&mut self, parts: &[Expr; 3]) -> Res {
        let [start, stop, step] = parts;
        let start = self.operand(start)?;
        let stop = self.operand(stop)?;
        let step = self.operand(step)?;
        Ok(Ref::new(crate::value::Slice { start, stop, step }).into())
    }

    fn eval_subscript(&mut self, s: &Subscript) -> Res {
        let object = self.operand(&s.object)?;
        let index = self.operand(&s.index)?;
        if let (Some(list), Some(i)) = (object.get::<List>(), index.as_int())
            && i >= 0
            && let Some(item) = list.at(i as usize)
        {
            return Ok(item);
        }
        if let (Some(tuple), Some(i)) = (object.get::<Tuple>(), index.as_int())
            && i >= 0
            && let Some(item) = tuple.items().get(i as usize)
        {
            return Ok(item.clone());
        }
        match self.get_item(&object, &index) {
            Ok(value) => Ok(value),
            Err(_) => Err(self.at(s.span)),
        }
    }

    fn eval_display(&mut self, d: &Display) -> Res {
        let mut values = Vec::with_capacity(d.items.len());
        for item in &d.items {
            match item {
                Item::One(expr) => values.push(self.operand(expr)?),
                Item::Spread(expr, span) => {
                    let iterable = self.operand(expr)?;
                    if self.extend_from(&mut values, &iterable).is_err() {
                        if self.is_not_iterable(&iterable) {
                            let name = self.type_name(&iterable);
                            self.take_raised();
                            self.type_error(match d.kind {
                                DisplayKind::Set => format!("'{name}' object is not iterable"),
                                _ => format!("Value after * must be an iterable, not {name}"),
                            });
                        }
                        return Err(self.at(*span));
                    }
                }
            }
        }
        match d.kind {
            DisplayKind::Tuple => Ok(Value::tuple(values)),
            DisplayKind::List => Ok(Value::list(values)),
            DisplayKind::Set => match self.set_from(values) {
                Ok(set) => Ok(set.into()),
                Err(_) => Err(self.at(d.span)),
            },
        }
    }

    fn eval_dict(&mut self, d: &DictDisplay) -> Res {
        let dict = crate::value::Dict::new(crate::value::dict::Map::with_capacity(d.items.len()));
        for item in &d.items {
            let done = match item {
                DictItem::Pair(key, value) => {
                    let key = self.operand(key)?;
                    let value = self.operand(value)?;
                    self.dict_set(&dict, key, value)
                }
                DictItem::Spread(expr) => {
                    let mapping = self.operand(expr)?;
                    self.dict_merge(&dict, &mapping, "'{}' object is not a mapping")
                }
            };
            if done.is_err() {
                return Err(self.at(d.span));
            }
        }
        Ok(dict.into())
    }

    pub(super) fn eval_fstring(&mut self, pieces: &[FStringPiece]) -> Res {
        let mut out = String::new();
        self.fstring_into(pieces, &mut out)?;
        Ok(Str::from_string(out).into())
    }

    fn fstring_into(&mut self, pieces: &[FStringPiece], out: &mut String) -> Res<()> {
        for piece in pieces {
            match piece {
                FStringPiece::Text(text) => out.push_str(text),
                FStringPiece::Field { value, conversion, spec, span } => {
                    let value = self.operand(value)?;
                    let spec = match spec {
                        Some(pieces) => {
                            let mut text = String::new();
                            self.fstring_into(pieces, &mut text)?;
                            text
                        }
                        None => String::new(),
                    };
                    if self.format_field(&value, *conversion, &spec, out).is_err() {
                        return Err(self.at(*span));
                    }
                }
            }
        }
        Ok(())
    }

    /// Converts (`!r`) and formats a value, appending to `out`.
    pub(crate) fn format_field(
        &mut self,
        value: &Value,
        conversion: Option<Conversion>,
        spec: &str,
        out: &mut String,
    ) -> Res<()> {
        let converted = match conversion {
            None => return self.format_into(value, spec, out),
            Some(Conversion::Str) => self.str_of(value)?,
            Some(Conversion::Repr) => self.repr_of(value)?,
            Some(Conversion::Ascii) => crate::text::repr::escape_non_ascii(&self.repr_of(value)?),
        };
        if spec.is_empty() {
            out.push_str(&converted);
            return Ok(());
        }
        self.format_into(&Value::str(&converted), spec, out)
    }

    pub(super) fn make_function(&mut self, make: &MakeFunction) -> Res {
        let defaults = self.eval_all(&make.defaults)?;
        let mut keyword_defaults = Vec::with_capacity(make.keyword_defaults.len());
        for default in &make.keyword_defaults {
            keyword_defaults.push(match default {
                Some(expr) => self.operand(expr)?,
                None => Value::UNBOUND,
            });
        }
        let captured = make.captures.iter().map(|&slot| self.cell(slot)).collect();
        let module = self.current_module();
        let code = make.code.clone();
        let function = Ref::new(Function {
            name: RefCell::new(code.name.clone()),
            qualname: RefCell::new(code.qualname.clone()),
            code,
            captured,
            defaults: RefCell::new(defaults.into()),
            keyword_defaults: RefCell::new(keyword_defaults.into()),
            module,
            attributes: crate::value::table::Table::default(),
            fields: OnceCell::new(),
        });
        if !make.annotations.is_empty() {
            let annotations = crate::value::Dict::new(Default::default());
            for (name, expr) in &make.annotations {
                let value = self.operand(expr)?;
                annotations.set_str(name, value);
            }
            function.fields().set_text("__annotations__", annotations.into());
        }
        if !make.type_params.is_empty() {
            let params = Value::tuple(self.eval_all(&make.type_params)?);
            function.fields().set_text("__type_params__", params);
        }
        Ok(function.into())
    }

    fn eval_named(&mut self, named: &(Target, Expr)) -> Res {
        let value = self.operand(&named.1)?;
        self.assign(&named.0, value.clone())?;
        Ok(value)
    }
}

/// The answer of an ordering or equality operator for two small ints; `None` for `is`, `in` and the like.
#[inline(always)]
fn int_answer(op: CompareOp, x: i64, y: i64) -> Option<bool> {
    Some(match op {
        CompareOp::Eq => x == y,
        CompareOp::NotEq => x != y,
        CompareOp::Lt => x < y,
        CompareOp::LtE => x <= y,
        CompareOp::Gt => x > y,
        CompareOp::GtE => x >= y,
        _ => return None,
    })
}

/// The answer of an operator for two things in that order (`None`: unordered, as NaN is).
#[inline(always)]
pub(super) fn order_answer(op: CompareOp, order: Option<Ordering>) -> Option<bool> {
    Some(match op {
        CompareOp::Eq => order == Some(Ordering::Equal),
        CompareOp::NotEq => order != Some(Ordering::Equal),
        CompareOp::Lt => order == Some(Ordering::Less),
        CompareOp::LtE => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        CompareOp::Gt => order == Some(Ordering::Greater),
        CompareOp::GtE => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        _ => return None,
    })
}
