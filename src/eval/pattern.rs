//! `match`: trying patterns on a value.
//!
//! Names are bound only when a whole pattern matched; until then what they would get is collected.

use super::code::{Match, Pattern, Target};
use super::{Exc, Flow, Vm};
use crate::value::{Dict, Ref, Res, Str, Tag, Type, Value, View};

/// Values for the targets of a pattern, in the order they were met.
type Bindings<'a> = Vec<(&'a Target, Value)>;

impl Vm {
    pub(super) fn exec_match(&mut self, m: &Match) -> Flow {
        match self.choose_case(m) {
            Ok(Some(number)) => self.exec_block(&m.cases[number].body),
            Ok(None) => Flow::Next,
            Err(_) => Flow::Raise,
        }
    }

    /// Number of the first case that matches and whose guard holds; its names are bound.
    pub(super) fn choose_case(&mut self, m: &Match) -> Res<Option<usize>> {
        let subject = self.operand(&m.subject)?;
        for (number, case) in m.cases.iter().enumerate() {
            let mut bindings = Vec::new();
            let matched = match self.matches(&case.pattern, &subject, &mut bindings) {
                Ok(matched) => matched,
                Err(_) => return Err(self.at(case.span)),
            };
            if !matched {
                continue;
            }
            for (target, value) in bindings {
                self.assign(target, value)?;
            }
            match &case.guard {
                Some(guard) if !self.test(guard)? => {}
                _ => return Ok(Some(number)),
            }
        }
        Ok(None)
    }

    fn matches<'a>(
        &mut self,
        pattern: &'a Pattern,
        subject: &Value,
        bindings: &mut Bindings<'a>,
    ) -> Res<bool> {
        self.check_depth(" in pattern")?;
        match pattern {
            Pattern::Wildcard => Ok(true),
            Pattern::Capture(target) => {
                bindings.push((target, subject.clone()));
                Ok(true)
            }
            Pattern::Value(expr) => {
                let wanted = self.operand(expr)?;
                self.equals(subject, &wanted)
            }
            Pattern::Singleton(value) => Ok(subject.same(value)),
            Pattern::As(inner, target) => {
                let matched = self.matches(inner, subject, bindings)?;
                if matched {
                    bindings.push((target, subject.clone()));
                }
                Ok(matched)
            }
            Pattern::Or(choices) => {
                for choice in choices {
                    let before = bindings.len();
                    if self.matches(choice, subject, bindings)? {
                        return Ok(true);
                    }
                    bindings.truncate(before);
                }
                Ok(false)
            }
            Pattern::Sequence { before, star, after } => {
                self.matches_sequence(before, star.as_ref(), after, subject, bindings)
            }
            Pattern::Mapping { items, rest } => self.matches_mapping(items, rest.as_ref(), subject, bindings),
            Pattern::Class { class, positional, keyword } => {
                let class = self.operand(class)?;
                self.matches_class(&class, positional, keyword, subject, bindings)
            }
        }
    }

    fn matches_sequence<'a>(
        &mut self,
        before: &'a [Pattern],
        star: Option<&'a Option<Target>>,
        after: &'a [Pattern],
        subject: &Value,
        bindings: &mut Bindings<'a>,
    ) -> Res<bool> {
        if !self.is_sequence(subject)? {
            return Ok(false);
        }
        let needed = before.len() + after.len();
        let is_plain = matches!(subject.tag(), Tag::List | Tag::Tuple);
        if needed == 0 && matches!(star, Some(None)) {
            return Ok(true);
        }
        let len = if needed == 0 && star.is_some() { 0 } else { self.len(subject)? };
        if len < needed || (star.is_none() && len != needed) {
            return Ok(false);
        }
        if !is_plain && matches!(star, Some(None)) {
            return self.matches_ends(before, after, len, subject, bindings);
        }
        let all_wild = before.iter().chain(after).all(|pattern| matches!(pattern, Pattern::Wildcard));
        if star.is_none() && all_wild {
            return Ok(true);
        }
        let items = match star {
            None if !is_plain => self.take_exactly(subject, needed)?,
            _ => self.collect(subject)?,
        };
        if items.len() < needed {
            return Ok(false);
        }
        for (pattern, item) in before.iter().zip(&items) {
            if !self.matches(pattern, item, bindings)? {
                return Ok(false);
            }
        }
        let tail = items.len() - after.len();
        if let Some(Some(target)) = star {
            bindings.push((target, Value::list(items[before.len()..tail].to_vec())));
        }
        for (pattern, item) in after.iter().zip(&items[tail..]) {
            if !self.matches(pattern, item, bindings)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Matches the first and last items of a sequence, of which no others are looked at.
    fn matches_ends<'a>(
        &mut self,
        before: &'a [Pattern],
        after: &'a [Pattern],
        len: usize,
        subject: &Value,
        bindings: &mut Bindings<'a>,
    ) -> Res<bool> {
        let places = (0..before.len()).chain(len - after.len()..len);
        for (pattern, place) in before.iter().chain(after).zip(places) {
            if matches!(pattern, Pattern::Wildcard) {
                continue;
            }
            let item = self.get_item(subject, &Value::size(place))?;
            if !self.matches(pattern, &item, bindings)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sequences for patterns: lists, tuples, ranges and what says so; never strings or bytes.
    fn is_sequence(&mut self, subject: &Value) -> Res<bool> {
        match subject.tag() {
            Tag::List | Tag::Tuple | Tag::Range => return Ok(true),
            Tag::Instance => {}
            _ => return Ok(false),
        }
        self.has_abc_base(subject, &["Sequence", "MutableSequence", "deque", "array"])
    }

    /// Whether a class of that name is among the bases of the subject's class, or it was registered with one.
    fn has_abc_base(&mut self, subject: &Value, names: &[&str]) -> Res<bool> {
        let class = self.type_of(subject);
        let mro = class.mro.borrow().clone();
        // The first base that is one or the other decides.
        let sequences = ["Sequence", "MutableSequence", "deque", "array", "list", "tuple", "range"];
        let mappings = ["Mapping", "MutableMapping", "dict"];
        let decides = |t: &&Ref<Type>| {
            let name = t.name();
            sequences.contains(&name.as_str()) || mappings.contains(&name.as_str())
        };
        if let Some(first) = mro.iter().find(decides) {
            let is_sequence = sequences.contains(&first.name().as_str());
            return Ok(is_sequence == (names[0] == "Sequence"));
        }
        let is_text = mro.iter().any(|t| matches!(t.kind, Tag::Str | Tag::Bytes | Tag::ByteArray));
        if is_text {
            return Ok(false);
        }
        if self.modules.get_text("collections.abc").is_none() {
            return Ok(false);
        }
        let module = self.import_module("collections.abc")?;
        let abc = self.get_attribute(&module, &Str::new(names[0]))?;
        match self.modules.get_text("builtins") {
            Some(builtins) => {
                let answer = self.call_method(&builtins, "isinstance", &[subject.clone(), abc])?;
                self.truth(&answer)
            }
            None => Ok(false),
        }
    }

    fn matches_mapping<'a>(
        &mut self,
        items: &'a [(super::code::Expr, Pattern)],
        rest: Option<&'a Target>,
        subject: &Value,
        bindings: &mut Bindings<'a>,
    ) -> Res<bool> {
        let is_mapping = match subject.tag() {
            Tag::Dict | Tag::MappingProxy => true,
            Tag::Instance => self.has_abc_base(subject, &["Mapping", "MutableMapping"])?,
            _ => false,
        };
        if !is_mapping {
            return Ok(false);
        }
        let mut keys = Vec::with_capacity(items.len());
        for (key, pattern) in items {
            let key = self.operand(key)?;
            for seen in &keys {
                if self.eq(seen, &key)? {
                    let shown = self.repr_of(&key)?;
                    return Err(self.value_error(format!("mapping pattern checks duplicate key ({shown})")));
                }
            }
            let found = match Vm::unwrap_native(subject).view() {
                View::Dict(dict) => self.dict_get(dict, &key)?,
                _ => {
                    let missing = Value::list(Vec::new());
                    let found = self.call_method(subject, "get", &[key.clone(), missing.clone()])?;
                    (!found.same(&missing)).then_some(found)
                }
            };
            keys.push(key);
            let Some(value) = found else { return Ok(false) };
            if !self.matches(pattern, &value, bindings)? {
                return Ok(false);
            }
        }
        if let Some(target) = rest {
            let others = Dict::new(Default::default());
            self.dict_merge(&others, subject, "'{}' object is not a mapping")?;
            for key in &keys {
                self.dict_remove(&others, key)?;
            }
            bindings.push((target, others.into()));
        }
        Ok(true)
    }

    fn matches_class<'a>(
        &mut self,
        class: &Value,
        positional: &'a [Pattern],
        keyword: &'a [(crate::value::Ref<Str>, Pattern)],
        subject: &Value,
        bindings: &mut Bindings<'a>,
    ) -> Res<bool> {
        let Some(wanted) = class.get_ref::<Type>() else {
            let name = self.type_name(class);
            return Err(self.type_error(format!("called match pattern must be a class, not {name}")));
        };
        if !self.isinstance(subject, class)? {
            return Ok(false);
        }
        let mut seen: Vec<String> = Vec::new();
        if !positional.is_empty() {
            let own_value = matches!(
                wanted.kind,
                Tag::Bool
                    | Tag::ByteArray
                    | Tag::Bytes
                    | Tag::Dict
                    | Tag::Float
                    | Tag::FrozenSet
                    | Tag::Int
                    | Tag::List
                    | Tag::Set
                    | Tag::Str
                    | Tag::Tuple
            );
            let names = self.find_attribute(class, &Str::new("__match_args__"))?;
            let names = match names {
                Some(names) => Some(self.collect(&names)?),
                None => None,
            };
            let allowed = names.as_ref().map_or(own_value as usize, Vec::len);
            if positional.len() > allowed {
                let (shown, given) = (wanted.name(), positional.len());
                let plural = if allowed == 1 { "" } else { "s" };
                return Err(self.type_error(format!(
                    "{}() accepts {allowed} positional sub-pattern{plural} ({given} given)",
                    shown.as_str()
                )));
            }
            match names {
                None => {
                    if !self.matches(&positional[0], subject, bindings)? {
                        return Ok(false);
                    }
                }
                Some(names) => {
                    for (pattern, name) in positional.iter().zip(&names) {
                        let Some(name) = name.get_ref::<Str>() else {
                            return Err(self.type_error("__match_args__ elements must be strings"));
                        };
                        seen.push(name.as_str().to_string());
                        if !self.matches_attribute(&name, pattern, subject, bindings)? {
                            return Ok(false);
                        }
                    }
                }
            }
        }
        for (name, pattern) in keyword {
            if seen.iter().any(|s| s == name.as_str()) {
                let shown = wanted.name();
                return Err(self.type_error(format!(
                    "{}() got multiple sub-patterns for attribute '{}'",
                    shown.as_str(),
                    name.as_str()
                )));
            }
            seen.push(name.as_str().to_string());
            if !self.matches_attribute(name, pattern, subject, bindings)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn matches_attribute<'a>(
        &mut self,
        name: &crate::value::Ref<Str>,
        pattern: &'a Pattern,
        subject: &Value,
        bindings: &mut Bindings<'a>,
    ) -> Res<bool> {
        let found = self.find_attribute(subject, name);
        match self.catch(found, Exc::AttributeError)?.flatten() {
            Some(value) => self.matches(pattern, &value, bindings),
            None => Ok(false),
        }
    }

    /// `isinstance(value, class)` for one class or a tuple of them; classes may define the answer.
    pub fn isinstance(&mut self, value: &Value, class: &Value) -> Res<bool> {
        if let Some(wanted) = class.get::<Type>() {
            if self.is_instance(value, wanted) {
                return Ok(true);
            }
            let metaclass = self.type_of(class);
            if !metaclass.flags.is_user {
                return Ok(false);
            }
        }
        if let Some(classes) = class.get::<crate::value::Tuple>() {
            for class in classes.items() {
                if self.isinstance(value, class)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if matches!(class.tag(), Tag::Type | Tag::Instance | Tag::Foreign)
            && let Some(check) = self.special_method(class, "__instancecheck__")?
        {
            let answer = self.call(&check, std::slice::from_ref(value))?;
            return self.truth(&answer);
        }
        if class.is::<Type>() {
            return Ok(false);
        }
        Err(self.type_error("isinstance() arg 2 must be a type, a tuple of types, or a union"))
    }
}
