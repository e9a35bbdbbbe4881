//! What the rules of `grammar/zpy.lalrpop` build: one small function for each kind of node.
//!
//! Two things happen here besides building. Every expression gets its depth, and one that is too deep is
//! refused at once, so that no tree is ever too deep to walk or to drop. And what the grammar lets through but
//! a single node can tell is wrong (a bad target, a parameter out of order) is refused at once too, mostly by
//! asking `targets`; so mistakes are reported in the order in which they are written.

// The parser moves values about a lot: rules box what is large, also inside lists.
#![allow(clippy::vec_box, clippy::boxed_local)]

use super::ast::*;
use super::error::SyntaxError;
use super::literals::{self, StringValue};
use super::targets::{self, Purpose};
use crate::source::{SourceFile, Span};
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use unicode_normalization::{UnicodeNormalization, is_nfkc};

/// The most levels an expression may have. Code that walks a tree recurses this often, on a stack of at
/// least 200 MB.
pub const MAX_DEPTH: u32 = 3000;

type Built<T> = Result<T, SyntaxError>;

/// What every action may need: the text, and the names seen so far, so that equal names share memory.
pub struct Context<'s> {
    pub source: &'s SourceFile,
    names: RefCell<HashSet<Rc<str>>>,
}

impl<'s> Context<'s> {
    pub fn new(source: &'s SourceFile) -> Context<'s> {
        Context { source, names: RefCell::new(HashSet::new()) }
    }

    fn intern(&self, text: &str) -> Name {
        let mut names = self.names.borrow_mut();
        if let Some(name) = names.get(text) {
            return name.clone();
        }
        let name: Name = text.into();
        names.insert(name.clone());
        name
    }
}

/// What the grammar's start symbol gives.
pub enum Parsed {
    File(Module),
    Expression(Expr),
}

pub fn error(message: &str, l: u32, r: u32) -> SyntaxError {
    SyntaxError::new(message, Span::new(l, r))
}

/// The grammar boxes list items that are large; lists hold them plainly.
pub fn unboxed<T>(items: Vec<Box<T>>) -> Vec<T> {
    items.into_iter().map(|item| *item).collect()
}

// ---- expressions ----

pub fn expr(kind: ExprKind, l: u32, r: u32) -> Built<Expr> {
    let depth = 1 + depth_below(&kind);
    if depth > MAX_DEPTH {
        return Err(error("too many nested expressions", l, r));
    }
    Ok(Expr { kind, span: Span::new(l, r), depth })
}

fn deepest<'e>(items: impl IntoIterator<Item = &'e Expr>) -> u32 {
    items.into_iter().map(|item| item.depth).max().unwrap_or(0)
}

/// The greatest depth among the children of a node.
fn depth_below(kind: &ExprKind) -> u32 {
    match kind {
        ExprKind::Name(_)
        | ExprKind::None
        | ExprKind::True
        | ExprKind::False
        | ExprKind::Ellipsis
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Imaginary(_)
        | ExprKind::Str(_)
        | ExprKind::Bytes(_) => 0,
        ExprKind::FString(parts) => depth_of_parts(parts),
        ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Set(items) => deepest(items),
        ExprKind::Bool { values, .. } => deepest(values),
        ExprKind::Dict(items) => items.iter().map(depth_of_item).max().unwrap_or(0),
        ExprKind::Unary { operand, .. } => operand.depth,
        ExprKind::Binary { left, right, .. } => left.depth.max(right.depth),
        ExprKind::Compare { left, rest } => left.depth.max(deepest(rest.iter().map(|(_, right)| right))),
        ExprKind::Conditional { test, body, orelse } => test.depth.max(body.depth).max(orelse.depth),
        ExprKind::Lambda { params, body } => body.depth.max(depth_of_params(params)),
        ExprKind::GeneratorLambda { params, .. } => depth_of_params(params),
        ExprKind::Call { function, args } => {
            function.depth.max(args.iter().map(|arg| argument_value(arg).depth).max().unwrap_or(0))
        }
        ExprKind::Attribute { value, .. } => value.depth,
        ExprKind::Subscript { value, index } => value.depth.max(index.depth),
        ExprKind::Slice { lower, upper, step } => {
            deepest([lower, upper, step].into_iter().flatten().map(|bound| &**bound))
        }
        ExprKind::Starred(value) | ExprKind::YieldFrom(value) | ExprKind::Await(value) => value.depth,
        ExprKind::Named { value, .. } => value.depth,
        ExprKind::Yield(value) => value.as_ref().map_or(0, |value| value.depth),
        ExprKind::ListComp { element, clauses }
        | ExprKind::SetComp { element, clauses }
        | ExprKind::Generator { element, clauses } => element.depth.max(depth_of_clauses(clauses)),
        ExprKind::DictComp { key, value, clauses } => {
            key.depth.max(value.depth).max(depth_of_clauses(clauses))
        }
    }
}

fn depth_of_item(item: &DictItem) -> u32 {
    match item {
        DictItem::Pair(key, value) => key.depth.max(value.depth),
        DictItem::Spread(value) => value.depth,
    }
}

fn depth_of_clauses(clauses: &[Comprehension]) -> u32 {
    let depth_of =
        |clause: &Comprehension| clause.target.depth.max(clause.iter.depth).max(deepest(&clause.conditions));
    clauses.iter().map(depth_of).max().unwrap_or(0)
}

fn depth_of_params(params: &Params) -> u32 {
    let each = params.positional_only.iter().chain(&params.positional).chain(&params.keyword_only);
    deepest(each.filter_map(|param| param.default.as_ref()))
}

fn depth_of_parts(parts: &[FStringPart]) -> u32 {
    let depth_of = |part: &FStringPart| match part {
        FStringPart::Text(_) => 0,
        FStringPart::Field { value, spec, .. } => {
            value.depth.max(spec.as_ref().map_or(0, |spec| depth_of_parts(spec)))
        }
    };
    parts.iter().map(depth_of).max().unwrap_or(0)
}

pub fn argument_value(arg: &Arg) -> &Expr {
    match arg {
        Arg::Positional(value) | Arg::Keyword(_, value) | Arg::Spread(value) | Arg::SpreadKeywords(value) => {
            value
        }
    }
}

pub fn ident(cx: &Context, l: u32, r: u32) -> Ident {
    let span = Span::new(l, r);
    let text = cx.source.slice(span);
    // Names are compared in the normal form NFKC, as in Python.
    let name = match text.is_ascii() || is_nfkc(text) {
        true => cx.intern(text),
        false => cx.intern(&text.nfkc().collect::<String>()),
    };
    Ident { name, span }
}

/// `a.b.c` as one name, without the blanks that may stand around the dots.
pub fn dotted_ident(cx: &Context, l: u32, r: u32) -> Ident {
    let span = Span::new(l, r);
    let text = cx.source.slice(span);
    if text.bytes().all(|b| b == b'.' || b == b'_' || b.is_ascii_alphanumeric()) {
        return Ident { name: cx.intern(text), span };
    }
    let dense: String = text.nfkc().filter(|c| !c.is_whitespace() && *c != '\\').collect();
    Ident { name: cx.intern(&dense), span }
}

pub fn name(ident: Ident) -> Built<Expr> {
    expr(ExprKind::Name(ident.name), ident.span.start, ident.span.end)
}

pub fn int(cx: &Context, l: u32, r: u32) -> Built<Expr> {
    expr(literals::int(cx.source.slice(Span::new(l, r))), l, r)
}

pub fn float(cx: &Context, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Float(literals::float(cx.source.slice(Span::new(l, r)))), l, r)
}

pub fn imaginary(cx: &Context, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Imaginary(literals::float(cx.source.slice(Span::new(l, r)))), l, r)
}

pub fn tuple(first: Expr, rest: Vec<Expr>, l: u32, r: u32) -> Built<Expr> {
    let mut items = Vec::with_capacity(1 + rest.len());
    items.push(first);
    items.extend(rest);
    expr(ExprKind::Tuple(items), l, r)
}

pub fn starred(value: Expr, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Starred(Box::new(value)), l, r)
}

pub fn yield_(value: Option<Expr>, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Yield(value.map(Box::new)), l, r)
}

pub fn yield_from(value: Expr, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::YieldFrom(Box::new(value)), l, r)
}

pub fn named(target: Expr, value: Expr, l: u32, r: u32) -> Built<Expr> {
    let ExprKind::Name(name) = target.kind else {
        let what = targets::describe(&target);
        return Err(SyntaxError::new(format!("cannot use assignment expressions with {what}"), target.span));
    };
    let target = Ident { name, span: target.span };
    expr(ExprKind::Named { target, value: Box::new(value) }, l, r)
}

pub fn conditional(test: Expr, body: Expr, orelse: Expr, l: u32, r: u32) -> Built<Expr> {
    let kind = ExprKind::Conditional { test: Box::new(test), body: Box::new(body), orelse: Box::new(orelse) };
    expr(kind, l, r)
}

pub fn lambda(params: Box<Params>, body: Expr, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Lambda { params, body: Box::new(body) }, l, r)
}

pub fn bool_op(op: BoolOp, first: Expr, rest: Vec<Expr>, l: u32, r: u32) -> Built<Expr> {
    let mut values = Vec::with_capacity(1 + rest.len());
    values.push(first);
    values.extend(rest);
    expr(ExprKind::Bool { op, values }, l, r)
}

pub fn unary(op: UnaryOp, operand: Expr, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Unary { op, operand: Box::new(operand) }, l, r)
}

pub fn binary(op: BinaryOp, left: Expr, right: Expr, op_span: Span, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right), op_span }, l, r)
}

pub fn compare(left: Expr, rest: Vec<(CompareOp, Expr)>, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Compare { left: Box::new(left), rest }, l, r)
}

pub fn attribute(value: Expr, name: Ident, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Attribute { value: Box::new(value), name }, l, r)
}

pub fn call(function: Expr, args: Vec<Arg>, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Call { function: Box::new(function), args }, l, r)
}

pub fn subscript(value: Expr, index: Expr, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Subscript { value: Box::new(value), index: Box::new(index) }, l, r)
}

/// `a[*b]` is `a[(*b,)]`.
pub fn lone_star_subscript(value: Expr, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Tuple(vec![starred(value, l, r)?]), l, r)
}

pub fn slice(lower: Option<Expr>, upper: Option<Expr>, step: Option<Expr>, l: u32, r: u32) -> Built<Expr> {
    let kind =
        ExprKind::Slice { lower: lower.map(Box::new), upper: upper.map(Box::new), step: step.map(Box::new) };
    expr(kind, l, r)
}

pub fn dict(items: Vec<Box<DictItem>>, l: u32, r: u32) -> Built<Expr> {
    expr(ExprKind::Dict(unboxed(items)), l, r)
}

// ---- comprehensions ----

pub fn for_target(target: Expr) -> Built<Expr> {
    targets::target(&target, Purpose::For)?;
    Ok(target)
}

/// `items` is all that stands before the `for`; more than one expression, or a comma, needs brackets.
pub fn comprehension_element(cx: &Context, items: Vec<Expr>, l: u32, r: u32) -> Built<Expr> {
    let has_comma = cx.source.slice(Span::new(l, r)).ends_with(',');
    let mut items = items.into_iter();
    match (items.next(), items.next(), has_comma) {
        (Some(element), None, false) => Ok(element),
        _ => Err(error("did you forget parentheses around the comprehension target?", l, r)),
    }
}

fn not_starred(element: &Expr, message: &str) -> Built<()> {
    match element.kind {
        ExprKind::Starred(_) => Err(SyntaxError::new(message, element.span)),
        _ => Ok(()),
    }
}

const UNPACKING: &str = "iterable unpacking cannot be used in comprehension";

pub fn generator(element: Expr, clauses: Vec<Comprehension>, l: u32, r: u32) -> Built<Expr> {
    not_starred(&element, UNPACKING)?;
    expr(ExprKind::Generator { element: Box::new(element), clauses }, l, r)
}

pub fn list_comp(element: Expr, clauses: Vec<Comprehension>, l: u32, r: u32) -> Built<Expr> {
    not_starred(&element, UNPACKING)?;
    expr(ExprKind::ListComp { element: Box::new(element), clauses }, l, r)
}

pub fn set_comp(element: Expr, clauses: Vec<Comprehension>, l: u32, r: u32) -> Built<Expr> {
    not_starred(&element, UNPACKING)?;
    expr(ExprKind::SetComp { element: Box::new(element), clauses }, l, r)
}

pub fn dict_comp(item: DictItem, clauses: Vec<Comprehension>, l: u32, r: u32) -> Built<Expr> {
    match item {
        DictItem::Pair(key, value) => {
            expr(ExprKind::DictComp { key: Box::new(key), value: Box::new(value), clauses }, l, r)
        }
        DictItem::Spread(_) => {
            Err(error("dict unpacking cannot be used in dict comprehension", l + 1, l + 3))
        }
    }
}

// ---- arguments ----

/// An argument of a call, with what must be known to judge it beside its neighbours.
pub struct Argument {
    arg: Arg,
    span: Span,
    /// `x for x in y` without brackets of its own.
    is_bare_generator: bool,
}

impl Argument {
    pub fn plain(arg: Arg) -> Box<Argument> {
        let span = match &arg {
            Arg::Keyword(name, value) => name.span.to(value.span),
            other => argument_value(other).span,
        };
        Box::new(Argument { arg, span, is_bare_generator: false })
    }

    /// `*value` or `**value`, from `l`.
    pub fn unpacked(arg: Arg, l: u32) -> Box<Argument> {
        let span = Span::new(l, argument_value(&arg).span.end);
        Box::new(Argument { arg, span, is_bare_generator: false })
    }

    pub fn generator(element: Expr, clauses: Vec<Comprehension>, l: u32, r: u32) -> Built<Box<Argument>> {
        let arg = Arg::Positional(generator(element, clauses, l, r)?);
        Ok(Box::new(Argument { arg, span: Span::new(l, r), is_bare_generator: true }))
    }
}

/// `name = value`; the equals sign ends at `r`.
pub fn keyword_argument(name: Expr, value: Expr, l: u32, r: u32) -> Built<Arg> {
    match name.kind {
        ExprKind::Name(text) => Ok(Arg::Keyword(Ident { name: text, span: name.span }, value)),
        ExprKind::True | ExprKind::False | ExprKind::None => {
            let message = format!("cannot assign to {}", targets::describe(&name));
            Err(SyntaxError::new(message, Span::new(l, r)))
        }
        _ => Err(error("expression cannot contain assignment, perhaps you meant \"==\"?", l, r)),
    }
}

/// Judges the arguments of one call: a bare generator stands alone, and the order is positional, then
/// keywords.
pub fn arguments(args: Vec<Box<Argument>>) -> Built<Vec<Arg>> {
    if args.len() > 1
        && let Some(bare) = args.iter().find(|arg| arg.is_bare_generator)
    {
        return Err(SyntaxError::new("Generator expression must be parenthesized", bare.span));
    }
    let mut has_keyword = false;
    let mut has_double_star = false;
    for arg in &args {
        let message = match &arg.arg {
            Arg::Positional(_) if has_double_star => "positional argument follows keyword argument unpacking",
            Arg::Positional(_) if has_keyword => "positional argument follows keyword argument",
            Arg::Spread(_) if has_double_star => {
                "iterable argument unpacking follows keyword argument unpacking"
            }
            Arg::Keyword(..) => {
                has_keyword = true;
                continue;
            }
            Arg::SpreadKeywords(_) => {
                has_double_star = true;
                continue;
            }
            _ => continue,
        };
        return Err(SyntaxError::new(message, arg.span));
    }
    Ok(args.into_iter().map(|arg| arg.arg).collect())
}

// ---- strings ----

/// One of several neighbouring string literals.
pub enum StringPiece {
    Plain(Span),
    Formatted(Vec<FStringPart>),
}

pub fn strings(cx: &Context, pieces: Vec<StringPiece>, l: u32, r: u32) -> Built<Expr> {
    let mut text = String::new();
    let mut bytes: Option<Vec<u8>> = None;
    let mut parts: Option<Vec<FStringPart>> = None;
    let mut has_text = false;
    for piece in pieces {
        match piece {
            StringPiece::Plain(span) => match literals::string(cx.source.slice(span), span)? {
                StringValue::Text(piece) => {
                    has_text = true;
                    text.push_str(&piece);
                }
                StringValue::Bytes(piece) => bytes.get_or_insert_default().extend(piece),
            },
            StringPiece::Formatted(piece) => {
                has_text = true;
                let parts = parts.get_or_insert_default();
                for part in piece {
                    match part {
                        FStringPart::Text(piece) => text.push_str(&piece),
                        field => {
                            flush_text(&mut text, parts);
                            parts.push(field);
                        }
                    }
                }
            }
        }
    }
    match (bytes, parts) {
        (Some(_), _) if has_text => Err(error("cannot mix bytes and nonbytes literals", l, r)),
        (Some(bytes), _) => expr(ExprKind::Bytes(bytes.into()), l, r),
        (None, Some(mut parts)) => {
            flush_text(&mut text, &mut parts);
            expr(ExprKind::FString(parts), l, r)
        }
        (None, None) => expr(ExprKind::Str(text.into()), l, r),
    }
}

fn flush_text(text: &mut String, parts: &mut Vec<FStringPart>) {
    if !text.is_empty() {
        parts.push(FStringPart::Text(std::mem::take(text).into()));
    }
}

pub fn fstring_text(cx: &Context, is_raw: bool, l: u32, r: u32) -> Built<Box<FStringPart>> {
    let span = Span::new(l, r);
    let text = literals::fstring_text(cx.source.slice(span), is_raw, span)?;
    Ok(Box::new(FStringPart::Text(text)))
}

/// What stands in a replacement field behind its expression.
pub struct FieldTail {
    /// For `{expr=}`, where the text to repeat ends.
    pub debug_end: Option<u32>,
    pub conversion: Option<Ident>,
    pub spec: Option<Vec<FStringPart>>,
}

pub fn fstring_field(cx: &Context, value: Expr, start: u32, tail: FieldTail) -> Built<Box<FStringPart>> {
    let debug_text = tail.debug_end.map(|end| Rc::from(cx.source.slice(Span::new(start, end))));
    let conversion = match tail.conversion {
        None => None,
        Some(letter) if !cx.source.text[..letter.span.start as usize].ends_with('!') => {
            // The misspelling is Python's.
            let message = "f-string: conversion type must come right after the exclamanation mark";
            return Err(SyntaxError::new(message, letter.span));
        }
        Some(letter) => match &*letter.name {
            "s" => Some(Conversion::Str),
            "r" => Some(Conversion::Repr),
            "a" => Some(Conversion::Ascii),
            other => {
                let message =
                    format!("f-string: invalid conversion character '{other}': expected 's', 'r', or 'a'");
                return Err(SyntaxError::new(message, letter.span));
            }
        },
    };
    Ok(Box::new(FStringPart::Field { value: Box::new(value), debug_text, conversion, spec: tail.spec }))
}

// ---- simple statements ----

pub fn statement(kind: StmtKind, l: u32, r: u32) -> Box<Stmt> {
    Box::new(Stmt { kind, span: Span::new(l, r) })
}

pub fn assign(cx: &Context, first: Expr, rest: Vec<Expr>) -> Built<Box<StmtKind>> {
    if let [value] = &rest[..] {
        let is_bracketed = cx.source.text[..first.span.start as usize].trim_end().ends_with('(');
        targets::only_target(&first, value, is_bracketed)?;
    }
    let mut targets = Vec::with_capacity(rest.len());
    let mut last = first;
    for next in rest {
        targets::target(&last, Purpose::Assign)?;
        targets.push(std::mem::replace(&mut last, next));
    }
    Ok(Box::new(StmtKind::Assign { targets, value: last }))
}

pub fn augmented_assign(target: Expr, op: BinaryOp, value: Expr) -> Built<Box<StmtKind>> {
    targets::augmented_target(&target)?;
    Ok(Box::new(StmtKind::AugAssign { target, op, value }))
}

pub fn annotated_assign(
    cx: &Context,
    start: u32,
    target: Expr,
    annotation: Expr,
    value: Option<Expr>,
) -> Built<Box<StmtKind>> {
    targets::annotated_target(cx.source, &target)?;
    let is_simple = matches!(target.kind, ExprKind::Name(_)) && target.span.start == start;
    Ok(Box::new(StmtKind::AnnAssign { target, annotation, value, is_simple }))
}

pub fn delete(targets: Vec<Expr>) -> Built<Box<StmtKind>> {
    for target in &targets {
        targets::target(target, Purpose::Delete)?;
    }
    Ok(Box::new(StmtKind::Delete(targets)))
}

pub fn import_star(l: u32, r: u32) -> Alias {
    Alias { name: Ident { name: "*".into(), span: Span::new(l, r) }, asname: None }
}

pub fn import_from((level, module): (u32, Option<Ident>), names: Vec<Alias>) -> StmtKind {
    StmtKind::ImportFrom { module, names, level }
}

pub fn type_param_pack(name: Ident, kind: TypeParamKind, bound: Option<Expr>) -> Built<Box<TypeParam>> {
    if let Some(bound) = bound {
        let what = if kind == TypeParamKind::Tuple { "TypeVarTuple" } else { "ParamSpec" };
        let noun = if matches!(bound.kind, ExprKind::Tuple(_)) { "constraints" } else { "bound" };
        return Err(SyntaxError::new(format!("cannot use {noun} with {what}"), name.span.to(bound.span)));
    }
    Ok(Box::new(TypeParam { name, kind, bound: None }))
}

// ---- compound statements ----

/// A compound statement: its rule ends after the last dedent, its span with its last statement.
pub fn compound(kind: StmtKind, l: u32, r: u32) -> Box<Stmt> {
    let last = match &kind {
        StmtKind::If { branches, orelse } => {
            orelse.last().or_else(|| branches.last().and_then(|(_, body)| body.last()))
        }
        StmtKind::While { body, orelse, .. } | StmtKind::For { body, orelse, .. } => {
            orelse.last().or(body.last())
        }
        StmtKind::With { body, .. } => body.last(),
        StmtKind::Try { body, handlers, orelse, finally, .. } => {
            let in_handler = handlers.last().and_then(|handler| handler.body.last());
            finally.last().or(orelse.last()).or(in_handler).or(body.last())
        }
        StmtKind::FunctionDef(function) => function.body.last(),
        StmtKind::ClassDef(class) => class.body.last(),
        StmtKind::Match { cases, .. } => cases.last().and_then(|case| case.body.last()),
        _ => None,
    };
    let end = last.map_or(r, |last| last.span.end);
    Box::new(Stmt { kind, span: Span::new(l, end) })
}

pub fn if_statement(
    test: Expr,
    body: Vec<Stmt>,
    rest: Vec<Box<(Expr, Vec<Stmt>)>>,
    orelse: Option<Vec<Stmt>>,
) -> Box<StmtKind> {
    let mut branches = Vec::with_capacity(1 + rest.len());
    branches.push((test, body));
    branches.extend(rest.into_iter().map(|branch| *branch));
    Box::new(StmtKind::If { branches, orelse: orelse.unwrap_or_default() })
}

pub fn with_item(context: Expr, target: Expr) -> Built<Box<WithItem>> {
    targets::target(&target, Purpose::Assign)?;
    Ok(Box::new(WithItem { context, target: Some(target) }))
}

pub fn try_statement(
    body: Vec<Stmt>,
    handlers: Vec<Handler>,
    orelse: Option<Vec<Stmt>>,
    finally: Option<Vec<Stmt>>,
) -> Box<StmtKind> {
    let (orelse, finally) = (orelse.unwrap_or_default(), finally.unwrap_or_default());
    Box::new(StmtKind::Try { body, handlers, orelse, finally, is_star: false })
}

pub fn try_star_statement(
    body: Vec<Stmt>,
    handlers: Vec<Handler>,
    orelse: Option<Vec<Stmt>>,
    finally: Option<Vec<Stmt>>,
) -> Box<StmtKind> {
    let (orelse, finally) = (orelse.unwrap_or_default(), finally.unwrap_or_default());
    Box::new(StmtKind::Try { body, handlers, orelse, finally, is_star: true })
}

pub fn handler(
    exception: Option<Expr>,
    name: Option<Ident>,
    body: Vec<Stmt>,
    l: u32,
    r: u32,
) -> Box<Handler> {
    let end = body.last().map_or(r, |last| last.span.end);
    Box::new(Handler { exception, name, body, span: Span::new(l, end) })
}

pub fn function(
    decorators: Vec<Expr>,
    is_async: bool,
    name: Ident,
    type_params: Vec<TypeParam>,
    params: Params,
    returns: Option<Expr>,
    body: Vec<Stmt>,
) -> Box<StmtKind> {
    let function = FunctionDef { name, decorators, type_params, params, returns, body, is_async };
    Box::new(StmtKind::FunctionDef(Box::new(function)))
}

pub fn class(
    cx: &Context,
    decorators: Vec<Expr>,
    name: Ident,
    type_params: Vec<TypeParam>,
    args: Option<Vec<Arg>>,
    body: Vec<Stmt>,
) -> Built<Box<StmtKind>> {
    let args = args.unwrap_or_default();
    // A generator without brackets of its own may be the argument of a call, but not of a class.
    if let [Arg::Positional(Expr { kind: ExprKind::Generator { element, .. }, span, .. })] = &args[..]
        && !cx.source.slice(*span).starts_with('(')
    {
        let rest = cx.source.slice(Span::new(element.span.end, span.end));
        let start = element.span.end + rest.find("for").unwrap_or(0) as u32;
        return Err(error("invalid syntax", start, start + 3));
    }
    Ok(Box::new(StmtKind::ClassDef(Box::new(ClassDef { name, decorators, type_params, args, body }))))
}

// ---- parameters ----

/// One item of a parameter list as written; `parameters` sorts them.
pub struct Parameter {
    kind: ParameterKind,
    span: Span,
}

enum ParameterKind {
    Plain(Param),
    /// `/`
    Slash,
    /// `*` alone
    Star,
    /// `*name`
    Rest(Param),
    /// `**name`
    Keywords(Param),
}

impl Parameter {
    pub fn plain(
        name: Ident,
        annotation: Option<Expr>,
        default: Option<Expr>,
        l: u32,
        r: u32,
    ) -> Box<Parameter> {
        let kind = ParameterKind::Plain(Param { name, annotation, default });
        Box::new(Parameter { kind, span: Span::new(l, r) })
    }

    pub fn slash(l: u32, r: u32) -> Box<Parameter> {
        Box::new(Parameter { kind: ParameterKind::Slash, span: Span::new(l, r) })
    }

    pub fn star(l: u32, r: u32) -> Box<Parameter> {
        Box::new(Parameter { kind: ParameterKind::Star, span: Span::new(l, r) })
    }

    pub fn rest(
        name: Ident,
        annotation: Option<Expr>,
        default: Option<Expr>,
        l: u32,
        r: u32,
    ) -> Box<Parameter> {
        let kind = ParameterKind::Rest(Param { name, annotation, default });
        Box::new(Parameter { kind, span: Span::new(l, r) })
    }

    pub fn keywords(
        name: Ident,
        annotation: Option<Expr>,
        default: Option<Expr>,
        l: u32,
        r: u32,
    ) -> Box<Parameter> {
        let kind = ParameterKind::Keywords(Param { name, annotation, default });
        Box::new(Parameter { kind, span: Span::new(l, r) })
    }
}

/// Sorts a parameter list by kind, refusing what is out of order.
pub fn parameters(items: Vec<Box<Parameter>>) -> Built<Box<Params>> {
    let mut params = Params::default();
    let mut slash_seen = false;
    let mut star: Option<Span> = None;
    let mut default_seen = false;
    for item in items {
        let Parameter { kind, span } = *item;
        let fail = |message: &str| Err(SyntaxError::new(message, span));
        if params.keywords.is_some() {
            return fail("arguments cannot follow var-keyword argument");
        }
        match kind {
            ParameterKind::Plain(param) if star.is_some() => params.keyword_only.push(param),
            ParameterKind::Plain(param) => {
                if param.default.is_none() && default_seen {
                    return fail("parameter without a default follows parameter with a default");
                }
                default_seen |= param.default.is_some();
                params.positional.push(param);
            }
            ParameterKind::Slash if slash_seen => return fail("/ may appear only once"),
            ParameterKind::Slash if star.is_some() => return fail("/ must be ahead of *"),
            ParameterKind::Slash if params.positional.is_empty() => {
                return fail("at least one argument must precede /");
            }
            ParameterKind::Slash => {
                slash_seen = true;
                params.positional_only = std::mem::take(&mut params.positional);
            }
            ParameterKind::Star | ParameterKind::Rest(_) if star.is_some() => {
                return Err(error("* argument may appear only once", span.start, span.start + 1));
            }
            ParameterKind::Star => star = Some(span),
            ParameterKind::Rest(param) if param.default.is_some() => {
                return default_on_star(&param, "positional");
            }
            ParameterKind::Rest(param) => {
                star = Some(span);
                params.rest = Some(param);
            }
            ParameterKind::Keywords(param) if param.default.is_some() => {
                return default_on_star(&param, "keyword");
            }
            ParameterKind::Keywords(param) => {
                if params.rest.is_none() && params.keyword_only.is_empty() && star.is_some() {
                    return Err(SyntaxError::new("named arguments must follow bare *", star.unwrap_or(span)));
                }
                params.keywords = Some(param);
            }
        }
    }
    match star {
        Some(star) if params.rest.is_none() && params.keyword_only.is_empty() => {
            Err(SyntaxError::new("named arguments must follow bare *", star))
        }
        _ => Ok(Box::new(params)),
    }
}

fn default_on_star<T>(param: &Param, what: &str) -> Built<T> {
    let after = param.annotation.as_ref().map_or(param.name.span, |annotation| annotation.span).end;
    let end = param.default.as_ref().map_or(after + 1, |default| default.span.start);
    let message = format!("var-{what} argument cannot have default value");
    Err(SyntaxError::new(message, Span::new(after, end)))
}

// ---- patterns ----

/// One item of a mapping pattern as written.
pub enum MappingItem {
    Pair(Expr, Pattern),
    Rest(Ident),
}

/// One argument of a class pattern as written.
pub enum ClassPatternArg {
    Positional(Pattern),
    Keyword(Ident, Pattern),
}

pub fn pattern(kind: PatternKind, l: u32, r: u32) -> Box<Pattern> {
    Box::new(Pattern { kind, span: Span::new(l, r) })
}

pub fn capture_pattern(name: Ident) -> Box<Pattern> {
    let span = name.span;
    let kind = if &*name.name == "_" { PatternKind::Wildcard } else { PatternKind::Capture(name) };
    Box::new(Pattern { kind, span })
}

pub fn star_pattern(name: Ident, l: u32, r: u32) -> Box<Pattern> {
    let name = if &*name.name == "_" { None } else { Some(name) };
    pattern(PatternKind::Star(name), l, r)
}

pub fn literal_pattern(value: Expr, l: u32, r: u32) -> Built<Box<Pattern>> {
    match value.kind {
        ExprKind::None | ExprKind::True | ExprKind::False => Ok(pattern(PatternKind::Singleton(value), l, r)),
        ExprKind::FString(_) => Err(error("patterns may only match literals and attribute lookups", l, r)),
        _ => Ok(pattern(PatternKind::Value(value), l, r)),
    }
}

/// `1 + 2j` in a pattern.
pub fn complex_literal(left: Expr, op: BinaryOp, right: Expr, op_span: Span, l: u32, r: u32) -> Built<Expr> {
    let is_real = |value: &Expr| match &value.kind {
        ExprKind::Unary { operand, .. } => !matches!(operand.kind, ExprKind::Imaginary(_)),
        kind => !matches!(kind, ExprKind::Imaginary(_)),
    };
    if !is_real(&left) {
        return Err(SyntaxError::new("real number required in complex literal", left.span));
    }
    if is_real(&right) {
        return Err(SyntaxError::new("imaginary number required in complex literal", right.span));
    }
    binary(op, left, right, op_span, l, r)
}

pub fn sequence_pattern(
    first: Option<Box<Pattern>>,
    rest: Vec<Box<Pattern>>,
    l: u32,
    r: u32,
) -> Box<Pattern> {
    let items = first.into_iter().chain(rest).map(|item| *item).collect();
    pattern(PatternKind::Sequence(items), l, r)
}

pub fn or_pattern(first: Box<Pattern>, rest: Vec<Box<Pattern>>, l: u32, r: u32) -> Box<Pattern> {
    let items = std::iter::once(first).chain(rest).map(|item| *item).collect();
    pattern(PatternKind::Or(items), l, r)
}

pub fn as_pattern(inner: Box<Pattern>, target: Expr, l: u32, r: u32) -> Built<Box<Pattern>> {
    match target.kind {
        ExprKind::Name(name) if &*name == "_" => {
            Err(SyntaxError::new("cannot use '_' as a target", target.span))
        }
        ExprKind::Name(name) => {
            let name = Ident { name, span: target.span };
            Ok(pattern(PatternKind::As { pattern: inner, name }, l, r))
        }
        _ => Err(SyntaxError::new("invalid pattern target", target.span)),
    }
}

pub fn class_pattern(class: Expr, args: Vec<Box<ClassPatternArg>>, l: u32, r: u32) -> Built<Box<Pattern>> {
    let (mut positional, mut keyword) = (Vec::new(), Vec::new());
    for arg in args {
        match *arg {
            ClassPatternArg::Keyword(name, value) => keyword.push((name, value)),
            ClassPatternArg::Positional(value) if keyword.is_empty() => positional.push(value),
            ClassPatternArg::Positional(value) => {
                let message = "positional patterns follow keyword patterns";
                return Err(SyntaxError::new(message, value.span));
            }
        }
    }
    Ok(pattern(PatternKind::Class { class, positional, keyword }, l, r))
}

pub fn mapping_pattern(parts: Vec<Box<MappingItem>>, l: u32, r: u32) -> Built<Box<Pattern>> {
    let mut items = Vec::new();
    let mut rest: Option<Ident> = None;
    for part in parts {
        match (*part, &rest) {
            (_, Some(rest)) => {
                let span = Span::new(rest.span.start.saturating_sub(2), rest.span.end);
                return Err(SyntaxError::new("double starred pattern must be the last subpattern", span));
            }
            (MappingItem::Pair(key, value), None) => items.push((key, value)),
            (MappingItem::Rest(name), None) if &*name.name == "_" => {
                return Err(SyntaxError::new("invalid syntax", name.span));
            }
            (MappingItem::Rest(name), None) => rest = Some(name),
        }
    }
    Ok(pattern(PatternKind::Mapping { items, rest }, l, r))
}
