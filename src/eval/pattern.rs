//! `match`: trying patterns on a value.
//!
//! Names are bound only when a whole pattern matched; until then what they would get is collected.

use super::code::{Match, Pattern, Target};
use super::{Exc, Flow, Vm};
use crate::value::{Dict, Res, Str, Tag, Tuple, Type, Value, View};

/// Values for the targets of a pattern, in the order they were met.
type Bindings<'a> = Vec<(&'a Target, Value)>;

/// Values of a class's `__abc_tpflags__`.
const SEQUENCE_FLAG: i64 = 1 << 5;
const MAPPING_FLAG: i64 = 1 << 6;

#[derive(Clone, Copy, PartialEq)]
enum PatternKind {
    Sequence,
    Mapping,
}

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
        if self.pattern_kind(subject) != Some(PatternKind::Sequence) {
            return Ok(false);
        }
        let needed = before.len() + after.len();
        let Some(star) = star else {
            if before.iter().all(|pattern| matches!(pattern, Pattern::Wildcard)) {
                return Ok(self.len(subject)? == needed);
            }
            let items = self.collect_if_len(subject, |len| len == needed)?;
            return match items {
                Some(items) => self.match_all(before, &items, bindings),
                None => Ok(false),
            };
        };
        let Some(target) = star else {
            return self.matches_ends(before, after, subject, bindings);
        };
        let Some(items) = self.collect_if_len(subject, |len| len >= needed)? else { return Ok(false) };
        let tail = items.len() - after.len();
        if !self.match_all(before, &items, bindings)? {
            return Ok(false);
        }
        bindings.push((target, Value::list(items[before.len()..tail].to_vec())));
        self.match_all(after, &items[tail..], bindings)
    }

    /// The items of a sequence if its length is right.
    fn collect_if_len(
        &mut self,
        subject: &Value,
        is_right: impl Fn(usize) -> bool,
    ) -> Res<Option<Vec<Value>>> {
        let len = self.len(subject)?;
        if !is_right(len) {
            return Ok(None);
        }
        if len == 0 {
            return Ok(Some(Vec::new()));
        }
        let items = self.collect(subject)?;
        Ok(is_right(items.len()).then_some(items))
    }

    fn match_all<'a>(
        &mut self,
        patterns: &'a [Pattern],
        items: &[Value],
        bindings: &mut Bindings<'a>,
    ) -> Res<bool> {
        for (pattern, item) in patterns.iter().zip(items) {
            if !self.matches(pattern, item, bindings)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Patterns around a `*_`: only the items at the ends are asked for.
    fn matches_ends<'a>(
        &mut self,
        before: &'a [Pattern],
        after: &'a [Pattern],
        subject: &Value,
        bindings: &mut Bindings<'a>,
    ) -> Res<bool> {
        let needed = before.len() + after.len();
        if needed == 0 {
            return Ok(true);
        }
        let len = self.len(subject)?;
        if len < needed {
            return Ok(false);
        }
        for (number, pattern) in before.iter().chain(after).enumerate() {
            if let Pattern::Wildcard = pattern {
                continue;
            }
            // The length is asked for again, as matching may have run code of the sequence.
            let place = match number < before.len() {
                true => number,
                false => self.len(subject)?.saturating_sub(needed - number),
            };
            let item = self.get_item(subject, &Value::size(place))?;
            if !self.matches(pattern, &item, bindings)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Which patterns apply to an object of a class: the first class among its bases that is a sequence or a
    /// mapping says. Strings and bytes are neither. `collections.abc.Sequence` and `Mapping`, and what was
    /// registered with them, say so by an attribute.
    fn pattern_kind(&mut self, subject: &Value) -> Option<PatternKind> {
        match subject.tag() {
            Tag::List | Tag::Tuple | Tag::Range | Tag::MemoryView => return Some(PatternKind::Sequence),
            Tag::Dict | Tag::MappingProxy => return Some(PatternKind::Mapping),
            Tag::Instance | Tag::Foreign => {}
            _ => return None,
        }
        let flags = Str::new("__abc_tpflags__");
        let class = self.type_of(subject);
        let mro = class.mro.borrow().clone();
        mro.iter().find_map(|base| match base.attributes.get_str(&flags).and_then(|flags| flags.as_int()) {
            Some(SEQUENCE_FLAG) => Some(PatternKind::Sequence),
            Some(MAPPING_FLAG) => Some(PatternKind::Mapping),
            _ if base.flags.is_user => None,
            _ => match base.name().as_str() {
                "list" | "tuple" | "range" | "memoryview" | "deque" | "array" => Some(PatternKind::Sequence),
                "dict" | "mappingproxy" => Some(PatternKind::Mapping),
                _ => None,
            },
        })
    }

    fn matches_mapping<'a>(
        &mut self,
        items: &'a [(super::code::Expr, Pattern)],
        rest: Option<&'a Target>,
        subject: &Value,
        bindings: &mut Bindings<'a>,
    ) -> Res<bool> {
        if self.pattern_kind(subject) != Some(PatternKind::Mapping) {
            return Ok(false);
        }
        if !items.is_empty() && self.len(subject)? < items.len() {
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
        if !self.instance_test(subject, class)? {
            return Ok(false);
        }
        let mut attributes: Vec<(crate::value::Ref<Str>, &'a Pattern)> = Vec::new();
        let mut itself = None;
        if !positional.is_empty() {
            let names = self.find_attribute(class, &Str::new("__match_args__"))?;
            let names = match &names {
                Some(names) => match names.get::<Tuple>() {
                    Some(tuple) => Some(tuple.items().to_vec()),
                    None => {
                        let (shown, got) = (wanted.name(), self.type_name(names));
                        let shown = shown.as_str();
                        return Err(
                            self.type_error(format!("{shown}.__match_args__ must be a tuple (got {got})"))
                        );
                    }
                },
                None => None,
            };
            let allowed = names.as_ref().map_or(matches_itself(&wanted) as usize, Vec::len);
            if positional.len() > allowed {
                let (shown, given) = (wanted.name(), positional.len());
                let plural = if allowed == 1 { "" } else { "s" };
                return Err(self.type_error(format!(
                    "{}() accepts {allowed} positional sub-pattern{plural} ({given} given)",
                    shown.as_str()
                )));
            }
            match names {
                None => itself = positional.first(),
                Some(names) => {
                    for (pattern, name) in positional.iter().zip(&names) {
                        let Some(name) = name.get_ref::<Str>() else {
                            let got = self.type_name(name);
                            return Err(self
                                .type_error(format!("__match_args__ elements must be strings (got {got})")));
                        };
                        attributes.push((name, pattern));
                    }
                }
            }
        }
        attributes.extend(keyword.iter().map(|(name, pattern)| (name.clone(), pattern)));
        let mut values = Vec::with_capacity(attributes.len());
        for (number, (name, _)) in attributes.iter().enumerate() {
            if attributes[..number].iter().any(|(seen, _)| seen.as_str() == name.as_str()) {
                let (shown, name) = (wanted.name(), name.as_str());
                return Err(self.type_error(format!(
                    "{}() got multiple sub-patterns for attribute '{name}'",
                    shown.as_str()
                )));
            }
            let found = self.find_attribute(subject, name);
            match self.catch(found, Exc::AttributeError)?.flatten() {
                Some(value) => values.push(value),
                None => return Ok(false),
            }
        }
        if let Some(pattern) = itself
            && !self.matches(pattern, subject, bindings)?
        {
            return Ok(false);
        }
        for ((_, pattern), value) in attributes.iter().zip(&values) {
            if !self.matches(pattern, value, bindings)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether the one positional pattern of a class applies to the object itself, as in `int(x)`.
fn matches_itself(class: &Type) -> bool {
    matches!(
        class.kind,
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
    )
}
