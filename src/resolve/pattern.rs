//! Lowering of `match`.

use super::lower::{Lowered, Lowerer};
use crate::eval::code::{Case, Match, Pattern, Stmt};
use crate::syntax::ast::{self, ExprKind, PatternKind};
use crate::value::Value;

impl Lowerer<'_> {
    pub(super) fn match_stmt(&mut self, subject: &ast::Expr, cases: &[ast::MatchCase]) -> Lowered<Stmt> {
        let subject = self.expr(subject)?;
        let mut lowered = Vec::with_capacity(cases.len());
        for case in cases {
            lowered.push(Case {
                pattern: self.pattern(&case.pattern)?,
                guard: self.maybe(case.guard.as_ref())?,
                body: self.block(&case.body)?,
                span: case.pattern.span,
            });
        }
        Ok(Stmt::Match(Box::new(Match { subject, cases: lowered.into() })))
    }

    fn pattern(&mut self, pattern: &ast::Pattern) -> Lowered<Pattern> {
        Ok(match &pattern.kind {
            PatternKind::Value(e) => Pattern::Value(self.expr(e)?),
            PatternKind::Singleton(e) => Pattern::Singleton(match e.kind {
                ExprKind::True => Value::TRUE,
                ExprKind::False => Value::FALSE,
                _ => Value::NONE,
            }),
            PatternKind::Capture(name) => Pattern::Capture(self.name_target(&name.name)),
            PatternKind::Wildcard | PatternKind::Star(None) => Pattern::Wildcard,
            PatternKind::Star(Some(name)) => Pattern::Capture(self.name_target(&name.name)),
            PatternKind::Sequence(items) => self.sequence_pattern(items)?,
            PatternKind::Mapping { items, rest } => {
                let mut lowered = Vec::with_capacity(items.len());
                for (key, pattern) in items {
                    lowered.push((self.expr(key)?, self.pattern(pattern)?));
                }
                let rest = rest.as_ref().map(|name| self.name_target(&name.name));
                Pattern::Mapping { items: lowered.into(), rest }
            }
            PatternKind::Class { class, positional, keyword } => {
                let class = self.expr(class)?;
                let positional = self.patterns(positional)?;
                let mut named = Vec::with_capacity(keyword.len());
                for (name, pattern) in keyword {
                    named.push((self.vm.intern(&name.name), self.pattern(pattern)?));
                }
                Pattern::Class { class, positional, keyword: named.into() }
            }
            PatternKind::As { pattern, name } => {
                let inner = self.pattern(pattern)?;
                Pattern::As(Box::new(inner), self.name_target(&name.name))
            }
            PatternKind::Or(choices) => Pattern::Or(self.patterns(choices)?),
        })
    }

    fn patterns(&mut self, patterns: &[ast::Pattern]) -> Lowered<Box<[Pattern]>> {
        patterns.iter().map(|p| self.pattern(p)).collect()
    }

    fn sequence_pattern(&mut self, items: &[ast::Pattern]) -> Lowered<Pattern> {
        let Some(at) = items.iter().position(|p| matches!(p.kind, PatternKind::Star(_))) else {
            return Ok(Pattern::Sequence {
                before: self.patterns(items)?,
                star: None,
                after: Box::default(),
            });
        };
        let star = match &items[at].kind {
            PatternKind::Star(Some(name)) => Some(self.name_target(&name.name)),
            _ => None,
        };
        let (before, after) = (self.patterns(&items[..at])?, self.patterns(&items[at + 1..])?);
        Ok(Pattern::Sequence { before, star: Some(star), after })
    }
}
