//! Comprehensions. They run in the frame they are written in, with variables of their own.

use super::Vm;
use super::code::{Clause, Comprehension, ComprehensionKind, Target};
use crate::value::{Dict, Range, Ref, Res, Value};

/// What a comprehension collects.
enum Sink {
    Items(Vec<Value>),
    Dict(Ref<Dict>),
}

impl Vm {
    pub(super) fn eval_comprehension(&mut self, c: &Comprehension) -> Res {
        self.renew_cells(&c.fresh_cells);
        let mut sink = match c.kind {
            ComprehensionKind::Dict => Sink::Dict(Dict::new(Default::default())),
            _ => Sink::Items(Vec::new()),
        };
        let ran = self.run_clause(c, 0, &mut sink);
        c.clauses.iter().for_each(|clause| self.release_target(&clause.target));
        ran?;
        match sink {
            Sink::Dict(dict) => Ok(dict.into()),
            Sink::Items(items) if c.kind == ComprehensionKind::List => Ok(Value::list(items)),
            Sink::Items(items) => match self.set_from(items) {
                Ok(set) => Ok(set.into()),
                Err(_) => Err(self.at(c.span)),
            },
        }
    }

    /// Empties the variables of a comprehension that is done: nobody can ask for them any more.
    fn release_target(&mut self, target: &Target) {
        match target {
            Target::Local(slot) => self.set_slot(*slot, Value::UNBOUND),
            Target::Unpack(unpack) => {
                unpack.before.iter().for_each(|target| self.release_target(target));
                if let Some((star, after)) = &unpack.star {
                    self.release_target(star);
                    after.iter().for_each(|target| self.release_target(target));
                }
            }
            _ => {}
        }
    }

    fn run_clause(&mut self, c: &Comprehension, number: usize, sink: &mut Sink) -> Res<()> {
        let Some(clause) = c.clauses.get(number) else { return self.add_element(c, sink) };
        let iterable = self.operand(&clause.iter)?;
        if let Some(range) = iterable.get::<Range>()
            && range.big.is_none()
        {
            let mut next = range.start;
            for _ in 0..range.len().unwrap_or(0) {
                self.run_turn(c, clause, number, Value::int(next), sink)?;
                next = next.wrapping_add(range.step);
            }
            return Ok(());
        }
        let Ok(iterator) = self.iter(&iterable) else { return Err(self.at(clause.iter_span)) };
        loop {
            match self.next(&iterator) {
                Ok(Some(item)) => self.run_turn(c, clause, number, item, sink)?,
                Ok(None) => return Ok(()),
                Err(_) => return Err(self.at(clause.iter_span)),
            }
        }
    }

    #[inline]
    fn run_turn(
        &mut self,
        c: &Comprehension,
        clause: &Clause,
        number: usize,
        item: Value,
        sink: &mut Sink,
    ) -> Res<()> {
        match &clause.target {
            Target::Local(slot) => self.set_slot(*slot, item),
            target => self.assign(target, item)?,
        }
        if super::interrupt::wants_attention() {
            self.attend()?;
        }
        for condition in &clause.conditions {
            if !self.test(condition)? {
                return Ok(());
            }
        }
        if number + 1 == c.clauses.len() {
            self.add_element(c, sink)
        } else {
            self.run_clause(c, number + 1, sink)
        }
    }

    #[inline]
    fn add_element(&mut self, c: &Comprehension, sink: &mut Sink) -> Res<()> {
        let element = self.operand(&c.element)?;
        match sink {
            Sink::Items(items) => items.push(element),
            Sink::Dict(dict) => {
                let value = match &c.value {
                    Some(value) => self.operand(value)?,
                    None => Value::NONE,
                };
                let dict = dict.clone();
                if self.dict_set(&dict, element, value).is_err() {
                    return Err(self.at(c.span));
                }
            }
        }
        Ok(())
    }
}
