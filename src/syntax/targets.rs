//! What can be assigned to, and what Python says of everything else.
//!
//! A target is an ordinary expression to the grammar. `actions` asks here, as soon as it builds an assignment,
//! a `for`, a `del` and so on, whether the expression can be a target.

use super::ast::*;
use super::error::SyntaxError;
use crate::source::{SourceFile, Span};

pub type Checked = Result<(), SyntaxError>;

pub fn refuse(message: impl Into<String>, span: Span) -> Checked {
    Err(SyntaxError::new(message, span))
}

/// What a target is a target of: it changes the wording of a refusal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Assign,
    For,
    Delete,
}

/// What Python calls an expression when it refuses it as a target.
pub fn describe(value: &Expr) -> &'static str {
    match &value.kind {
        ExprKind::Name(_) => "name",
        ExprKind::None => "None",
        ExprKind::True => "True",
        ExprKind::False => "False",
        ExprKind::Ellipsis => "ellipsis",
        ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Imaginary(_)
        | ExprKind::Str(_)
        | ExprKind::Bytes(_) => "literal",
        ExprKind::FString(_) => "f-string expression",
        ExprKind::Tuple(_) => "tuple",
        ExprKind::List(_) => "list",
        ExprKind::Set(_) => "set display",
        ExprKind::Dict(_) => "dict literal",
        ExprKind::Unary { .. } | ExprKind::Binary { .. } | ExprKind::Bool { .. } => "expression",
        ExprKind::Compare { .. } => "comparison",
        ExprKind::Conditional { .. } => "conditional expression",
        ExprKind::Lambda { .. } | ExprKind::GeneratorLambda { .. } => "lambda",
        ExprKind::Call { .. } => "function call",
        ExprKind::Attribute { .. } => "attribute",
        ExprKind::Subscript { .. } => "subscript",
        ExprKind::Slice { .. } => "slice",
        ExprKind::Starred(_) => "starred",
        ExprKind::Named { .. } => "named expression",
        ExprKind::Yield(_) | ExprKind::YieldFrom(_) => "yield expression",
        ExprKind::Await(_) => "await expression",
        ExprKind::ListComp { .. } => "list comprehension",
        ExprKind::SetComp { .. } => "set comprehension",
        ExprKind::Generator { .. } => "generator expression",
        ExprKind::DictComp { .. } => "dict comprehension",
    }
}

/// The first part of a target that cannot be one.
fn invalid_part(value: &Expr, purpose: Purpose) -> Option<&Expr> {
    match &value.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => None,
        ExprKind::Tuple(items) | ExprKind::List(items) => {
            items.iter().find_map(|item| invalid_part(item, purpose))
        }
        ExprKind::Starred(_) if purpose == Purpose::Delete => Some(value),
        ExprKind::Starred(inner) => invalid_part(inner, purpose),
        _ => Some(value),
    }
}

fn is_constant(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::None | ExprKind::True | ExprKind::False)
}

/// Refuses what cannot be assigned to or deleted.
pub fn target(value: &Expr, purpose: Purpose) -> Checked {
    let Some(part) = invalid_part(value, purpose) else { return Ok(()) };
    let what = describe(part);
    let is_yield = matches!(part.kind, ExprKind::Yield(_) | ExprKind::YieldFrom(_));
    let is_whole = std::ptr::eq(part, value);
    let message = match purpose {
        Purpose::Delete => format!("cannot delete {what}"),
        Purpose::Assign if is_yield && is_whole => "assignment to yield expression not possible".to_string(),
        _ => format!("cannot assign to {what}"),
    };
    refuse(message, part.span)
}

/// Refuses the target of an assignment with no other target if `==` may have been meant.
pub fn only_target(target: &Expr, value: &Expr, is_bracketed: bool) -> Checked {
    let is_bare_yield = matches!(target.kind, ExprKind::Yield(_) | ExprKind::YieldFrom(_)) && !is_bracketed;
    match invalid_part(target, Purpose::Assign) {
        Some(part) if std::ptr::eq(part, target) && takes_hint(target) && !is_bare_yield => {
            if starts_with_operand(value) {
                refuse(maybe_equality(target), target.span)
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}

/// Whether `==` could stand before this.
fn starts_with_operand(value: &Expr) -> bool {
    !matches!(
        value.kind,
        ExprKind::Unary { op: UnaryOp::Not, .. } | ExprKind::Lambda { .. } | ExprKind::Yield(_)
    )
}

fn maybe_equality(target: &Expr) -> String {
    let what = describe(target);
    format!("cannot assign to {what} here. Maybe you meant '==' instead of '='?")
}

/// Whether `==` may have been meant: Python thinks so of everything that binds tighter than `not`.
fn takes_hint(value: &Expr) -> bool {
    !is_constant(value)
        && !matches!(
            value.kind,
            ExprKind::Compare { .. }
                | ExprKind::Bool { .. }
                | ExprKind::Unary { op: UnaryOp::Not, .. }
                | ExprKind::Conditional { .. }
                | ExprKind::Lambda { .. }
                | ExprKind::Generator { .. }
                | ExprKind::Starred(_)
                | ExprKind::Tuple(_)
                | ExprKind::List(_)
        )
}

pub fn augmented_target(value: &Expr) -> Checked {
    match value.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => Ok(()),
        _ => refuse(
            format!("'{}' is an illegal expression for augmented assignment", describe(value)),
            value.span,
        ),
    }
}

pub fn annotated_target(source: &SourceFile, value: &Expr) -> Checked {
    let message = match value.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => return Ok(()),
        ExprKind::Tuple(_) => "only single target (not tuple) can be annotated",
        ExprKind::List(_) => "only single target (not list) can be annotated",
        _ => "illegal target for annotation",
    };
    // Of a tuple without brackets, Python shows the first item.
    let span = match &value.kind {
        ExprKind::Tuple(items) if !source.slice(value.span).starts_with('(') => {
            items.first().map_or(value.span, |first| first.span)
        }
        _ => value.span,
    };
    refuse(message, span)
}

/// `target = value` where an expression is wanted.
pub fn equal_sign_in_expression(target: &Expr, value: &Expr, equal: Span) -> SyntaxError {
    match &target.kind {
        _ if !starts_with_operand(value) => SyntaxError::new("invalid syntax", equal),
        ExprKind::Name(_) => {
            let span = target.span.to(first_operand(value).span);
            SyntaxError::new("invalid syntax. Maybe you meant '==' or ':=' instead of '='?", span)
        }
        _ if takes_hint(target) => SyntaxError::new(maybe_equality(target), target.span),
        _ => SyntaxError::new("invalid syntax", equal),
    }
}

/// The part of an expression before its first `if`, `or`, `and` or comparison.
fn first_operand(value: &Expr) -> &Expr {
    match &value.kind {
        ExprKind::Conditional { body, .. } => first_operand(body),
        ExprKind::Bool { values, .. } => values.first().map_or(value, first_operand),
        ExprKind::Compare { left, .. } => left,
        _ => value,
    }
}
