//! Judges what the grammar lets through, in one walk over the finished tree.
//!
//! The walk knows what surrounds a node: the loops, functions and comprehensions it is in, and what a scope
//! has done with a name before it says `global`. What a node alone can tell has been judged already while it
//! was built (see `actions` and `targets`). Whether a `nonlocal` name is bound by an enclosing function
//! depends on what comes later, too, and is left to `resolve`.

use super::actions::argument_value;
use super::ast::*;
use super::doubts;
use super::targets::{Checked, refuse};
use crate::source::{SourceFile, Span};
use num_bigint::BigInt;
use num_traits::FromPrimitive;
use std::collections::{HashMap, HashSet};

/// Checks a whole file.
pub fn module(source: &SourceFile, module: &Module) -> Checked {
    let mut walk = Walk::new(source);
    walk.is_past_futures = false;
    for (i, statement) in module.body.iter().enumerate() {
        let is_doc =
            i == 0 && matches!(&statement.kind, StmtKind::Expr(e) if matches!(e.kind, ExprKind::Str(_)));
        walk.is_past_futures |= !is_doc && !is_future_import(statement);
        walk.statement(statement)?;
    }
    Ok(())
}

/// Checks an expression that stands alone.
pub fn expression(source: &SourceFile, value: &Expr) -> Checked {
    let mut walk = Walk::new(source);
    walk.expr(value)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ScopeKind {
    Module,
    Class,
    Function,
}

/// What a scope has done with a name so far.
#[derive(Clone, Copy, Default)]
struct Use {
    is_parameter: bool,
    is_read: bool,
    is_assigned: bool,
    is_annotated: bool,
    is_global: bool,
    is_nonlocal: bool,
}

struct Scope {
    kind: ScopeKind,
    /// It is that of an `async def`.
    is_async: bool,
    names: HashMap<Name, Use>,
}

/// A comprehension around the current place.
#[derive(Default)]
struct Inside {
    /// What it is called; nothing for the first iterable, which is evaluated outside.
    what: Option<&'static str>,
    /// Names that its `for` clauses bind, as far as they were walked.
    targets: HashSet<Name>,
    /// Names that `:=` in it binds.
    assigned: HashSet<Name>,
    /// We are in the expression that a `for` clause iterates over.
    in_iterable: bool,
    /// Index of the scope it is in; a lambda in it begins a new scope.
    scope: usize,
}

/// What `break` and `continue` would find.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    Nothing,
    Loop,
    /// An `except*` block, which they may not leave.
    StarHandler,
}

/// What `from __future__ import` knows.
const FEATURES: &[&str] = &[
    "nested_scopes",
    "generators",
    "division",
    "absolute_import",
    "with_statement",
    "print_function",
    "unicode_literals",
    "barry_as_FLUFL",
    "generator_stop",
    "annotations",
];

fn is_future_import(statement: &Stmt) -> bool {
    let StmtKind::ImportFrom { module: Some(module), level: 0, .. } = &statement.kind else { return false };
    &*module.name == "__future__"
}

struct Walk<'s> {
    /// The statement lies behind the place where `from __future__ import` may stand.
    is_past_futures: bool,
    source: &'s SourceFile,
    scopes: Vec<Scope>,
    comprehensions: Vec<Inside>,
    around: Around,
    in_star_handler: bool,
}

const LEAVES_STAR_HANDLER: &str = "'break', 'continue' and 'return' cannot appear in an except* block";

impl<'s> Walk<'s> {
    fn new(source: &'s SourceFile) -> Walk<'s> {
        let scopes = vec![Scope { kind: ScopeKind::Module, is_async: false, names: HashMap::new() }];
        let around = Around::Nothing;
        Walk {
            is_past_futures: true,
            source,
            scopes,
            comprehensions: Vec::new(),
            around,
            in_star_handler: false,
        }
    }

    fn kind(&self) -> ScopeKind {
        self.scopes.last().map_or(ScopeKind::Module, |scope| scope.kind)
    }

    fn note(&mut self, name: &Name, change: impl FnOnce(&mut Use)) {
        let Some(scope) = self.scopes.last_mut() else { return };
        match scope.names.get_mut(name) {
            Some(known) => change(known),
            None => change(scope.names.entry(name.clone()).or_default()),
        }
    }

    /// A name is bound, by whatever means.
    fn bind(&mut self, name: &Name, span: Span) -> Checked {
        if &**name == "__debug__" {
            return refuse("cannot assign to __debug__", span);
        }
        self.note(name, |known| known.is_assigned = true);
        Ok(())
    }

    fn bind_ident(&mut self, ident: &Ident) -> Checked {
        self.bind(&ident.name, ident.span)
    }

    /// Runs a part of the walk in a scope of its own.
    fn scoped(&mut self, kind: ScopeKind, body: impl FnOnce(&mut Self) -> Checked) -> Checked {
        self.scopes.push(Scope { kind, is_async: false, names: HashMap::new() });
        let around = std::mem::replace(&mut self.around, Around::Nothing);
        let in_star_handler = std::mem::take(&mut self.in_star_handler);
        body(self)?;
        self.around = around;
        self.in_star_handler = in_star_handler;
        self.scopes.pop();
        Ok(())
    }

    fn surrounded(&mut self, around: Around, body: impl FnOnce(&mut Self) -> Checked) -> Checked {
        let outer = std::mem::replace(&mut self.around, around);
        body(self)?;
        self.around = outer;
        Ok(())
    }

    fn future_import(&self, names: &[Alias], span: Span) -> Checked {
        if self.is_past_futures {
            return refuse("from __future__ imports must occur at the beginning of the file", span);
        }
        names.iter().try_for_each(|alias| match &*alias.name.name {
            "braces" => refuse("not a chance", span),
            name if FEATURES.contains(&name) => Ok(()),
            name => refuse(format!("future feature {name} is not defined"), span),
        })
    }

    // ---- statements ----

    fn block(&mut self, body: &[Stmt]) -> Checked {
        body.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt) -> Checked {
        match &statement.kind {
            StmtKind::Expr(value) => self.expr(value),
            StmtKind::Assign { targets, value } => {
                self.expr(value)?;
                targets.iter().try_for_each(|target| self.target(target))
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.target(target)?;
                self.expr(value)
            }
            StmtKind::AnnAssign { target, annotation, value, is_simple } => {
                if *is_simple || value.is_some() {
                    self.annotated(target, *is_simple, statement.span)?;
                }
                self.expr(annotation)?;
                self.optional(value.as_ref())
            }
            StmtKind::Return(value) => self.return_statement(value.as_ref(), statement.span),
            StmtKind::Delete(targets) => targets.iter().try_for_each(|target| self.target(target)),
            StmtKind::Pass => Ok(()),
            StmtKind::Break | StmtKind::Continue => self.leave_loop(statement),
            StmtKind::Global(names) => names.iter().try_for_each(|name| self.global(name, statement.span)),
            StmtKind::Nonlocal(names) => {
                names.iter().try_for_each(|name| self.nonlocal(name, statement.span))
            }
            StmtKind::Assert { test, message } => {
                doubts::in_assertion(self.source, test);
                self.expr(test)?;
                self.optional(message.as_ref())
            }
            StmtKind::Raise { exception, cause } => {
                self.optional(exception.as_ref())?;
                self.optional(cause.as_ref())
            }
            StmtKind::Import(names) => names.iter().try_for_each(|alias| self.import(alias)),
            StmtKind::ImportFrom { names, .. } => {
                if is_future_import(statement) {
                    self.future_import(names, statement.span)?;
                }
                if let Some(star) = names.iter().find(|alias| &*alias.name.name == "*") {
                    return match self.kind() {
                        ScopeKind::Module => Ok(()),
                        _ => refuse("import * only allowed at module level", star.name.span),
                    };
                }
                names
                    .iter()
                    .try_for_each(|alias| self.bind_ident(alias.asname.as_ref().unwrap_or(&alias.name)))
            }
            _ => self.compound(statement),
        }
    }

    fn compound(&mut self, statement: &Stmt) -> Checked {
        match &statement.kind {
            StmtKind::If { branches, orelse } => {
                for (test, body) in branches {
                    self.expr(test)?;
                    self.block(body)?;
                }
                self.block(orelse)
            }
            StmtKind::While { test, body, orelse } => {
                self.expr(test)?;
                self.surrounded(Around::Loop, |walk| walk.block(body))?;
                self.block(orelse)
            }
            StmtKind::For { target, iter, body, orelse, is_async } => {
                self.asynchronous(*is_async, "'async for' outside async function", statement.span)?;
                self.target(target)?;
                self.expr(iter)?;
                self.surrounded(Around::Loop, |walk| walk.block(body))?;
                self.block(orelse)
            }
            StmtKind::With { items, body, is_async } => {
                self.asynchronous(*is_async, "'async with' outside async function", statement.span)?;
                for item in items {
                    self.expr(&item.context)?;
                    if let Some(target) = &item.target {
                        self.target(target)?;
                    }
                }
                self.block(body)
            }
            StmtKind::Try { body, handlers, orelse, finally, is_star } => {
                self.block(body)?;
                for (i, handler) in handlers.iter().enumerate() {
                    if handler.exception.is_none() && i + 1 < handlers.len() {
                        return refuse("default 'except:' must be last", handler.span);
                    }
                    self.handler(handler, *is_star)?;
                }
                self.block(orelse)?;
                self.block(finally)
            }
            StmtKind::FunctionDef(function) => self.function(function),
            StmtKind::ClassDef(class) => self.class(class),
            StmtKind::Match { subject, cases } => {
                self.expr(subject)?;
                self.cases(cases)
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                self.bind_ident(name)?;
                self.scoped(ScopeKind::Function, |walk| {
                    walk.type_params(type_params)?;
                    walk.expr(value)
                })
            }
            _ => Ok(()),
        }
    }

    fn annotated(&mut self, target: &Expr, is_simple: bool, span: Span) -> Checked {
        let name = match &target.kind {
            ExprKind::Name(name) if is_simple => name,
            _ => return self.target(target),
        };
        let known = self.scopes.last().and_then(|scope| scope.names.get(name)).copied().unwrap_or_default();
        let word = if known.is_nonlocal { "nonlocal" } else { "global" };
        if known.is_nonlocal || known.is_global && self.kind() != ScopeKind::Module {
            return refuse(format!("annotated name '{name}' can't be {word}"), span);
        }
        self.bind(name, target.span)?;
        self.note(name, |known| known.is_annotated = true);
        Ok(())
    }

    fn return_statement(&mut self, value: Option<&Expr>, span: Span) -> Checked {
        if self.kind() != ScopeKind::Function {
            return refuse("'return' outside function", span);
        }
        if self.in_star_handler {
            return refuse(LEAVES_STAR_HANDLER, span);
        }
        self.optional(value)
    }

    fn leave_loop(&mut self, statement: &Stmt) -> Checked {
        let message = match (self.around, &statement.kind) {
            (Around::Loop, _) => return Ok(()),
            (Around::StarHandler, _) => LEAVES_STAR_HANDLER,
            (Around::Nothing, StmtKind::Break) => "'break' outside loop",
            (Around::Nothing, _) => "'continue' not properly in loop",
        };
        refuse(message, statement.span)
    }

    /// What the scope has already done with a name that is now declared to be another scope's.
    fn declared_late(&self, name: &Ident, word: &str, span: Span) -> Checked {
        let known =
            self.scopes.last().and_then(|scope| scope.names.get(&name.name)).copied().unwrap_or_default();
        let name = &name.name;
        if known.is_parameter {
            return refuse(format!("name '{name}' is parameter and {word}"), span);
        }
        if known.is_read {
            return refuse(format!("name '{name}' is used prior to {word} declaration"), span);
        }
        if known.is_annotated {
            return refuse(format!("annotated name '{name}' can't be {word}"), span);
        }
        if known.is_assigned {
            return refuse(format!("name '{name}' is assigned to before {word} declaration"), span);
        }
        if known.is_global && word == "nonlocal" || known.is_nonlocal && word == "global" {
            return refuse(format!("name '{name}' is nonlocal and global"), span);
        }
        Ok(())
    }

    fn global(&mut self, name: &Ident, span: Span) -> Checked {
        self.declared_late(name, "global", span)?;
        self.note(&name.name, |known| known.is_global = true);
        Ok(())
    }

    fn nonlocal(&mut self, name: &Ident, span: Span) -> Checked {
        self.declared_late(name, "nonlocal", span)?;
        if self.kind() == ScopeKind::Module {
            return refuse("nonlocal declaration not allowed at module level", span);
        }
        self.note(&name.name, |known| known.is_nonlocal = true);
        Ok(())
    }

    fn import(&mut self, alias: &Alias) -> Checked {
        match &alias.asname {
            Some(name) => self.bind_ident(name),
            None => {
                let first: Name = alias.name.name.split('.').next().unwrap_or_default().into();
                self.bind(&first, alias.name.span)
            }
        }
    }

    fn handler(&mut self, handler: &Handler, is_star: bool) -> Checked {
        self.optional(handler.exception.as_ref())?;
        if let Some(name) = &handler.name {
            self.bind_ident(name)?;
        }
        if !is_star {
            return self.block(&handler.body);
        }
        let outer = std::mem::replace(&mut self.in_star_handler, true);
        self.surrounded(Around::StarHandler, |walk| walk.block(&handler.body))?;
        self.in_star_handler = outer;
        Ok(())
    }

    fn function(&mut self, function: &FunctionDef) -> Checked {
        function.decorators.iter().try_for_each(|decorator| self.expr(decorator))?;
        self.bind_ident(&function.name)?;
        self.defaults(&function.params)?;
        self.annotations(&function.params)?;
        self.optional(function.returns.as_ref())?;
        self.scoped(ScopeKind::Function, |walk| {
            walk.type_params(&function.type_params)?;
            walk.scoped(ScopeKind::Function, |walk| {
                if let Some(scope) = walk.scopes.last_mut() {
                    scope.is_async = function.is_async;
                }
                walk.parameters(&function.params)?;
                walk.block(&function.body)
            })
        })
    }

    /// What only an `async def` may hold.
    fn asynchronous(&self, is_async: bool, complaint: &str, span: Span) -> Checked {
        let is_allowed = self.scopes.last().is_some_and(|scope| scope.is_async);
        if is_async && !is_allowed { refuse(complaint, span) } else { Ok(()) }
    }

    fn class(&mut self, class: &ClassDef) -> Checked {
        class.decorators.iter().try_for_each(|decorator| self.expr(decorator))?;
        self.bind_ident(&class.name)?;
        self.scoped(ScopeKind::Function, |walk| walk.type_params(&class.type_params))?;
        self.arguments(&class.args)?;
        self.scoped(ScopeKind::Class, |walk| walk.block(&class.body))
    }

    fn type_params(&mut self, params: &[TypeParam]) -> Checked {
        let mut seen = HashSet::new();
        for param in params {
            if !seen.insert(&param.name.name) {
                return refuse(format!("duplicate type parameter '{}'", param.name.name), param.name.span);
            }
            self.optional(param.bound.as_ref())?;
        }
        Ok(())
    }

    // ---- parameters and arguments ----

    fn defaults(&mut self, params: &Params) -> Checked {
        let all = params.positional_only.iter().chain(&params.positional).chain(&params.keyword_only);
        all.filter_map(|param| param.default.as_ref()).try_for_each(|default| self.expr(default))
    }

    fn annotations(&mut self, params: &Params) -> Checked {
        let starred = params.rest.as_ref().and_then(|param| param.annotation.as_ref());
        if let Some(annotation) = starred {
            self.element(annotation)?;
        }
        let plain = params.positional_only.iter().chain(&params.positional).chain(&params.keyword_only);
        let plain = plain.chain(&params.keywords);
        plain.filter_map(|param| param.annotation.as_ref()).try_for_each(|annotation| self.expr(annotation))
    }

    /// Enters parameters as names of the current scope.
    fn parameters(&mut self, params: &Params) -> Checked {
        let all = params.positional_only.iter().chain(&params.positional).chain(&params.rest);
        for param in all.chain(&params.keyword_only).chain(&params.keywords) {
            let name = &param.name.name;
            self.bind_ident(&param.name)?;
            let mut is_duplicate = false;
            self.note(name, |known| is_duplicate = std::mem::replace(&mut known.is_parameter, true));
            if is_duplicate {
                return refuse(
                    format!("duplicate argument '{name}' in function definition"),
                    param.name.span,
                );
            }
        }
        Ok(())
    }

    fn arguments(&mut self, args: &[Arg]) -> Checked {
        for (i, arg) in args.iter().enumerate() {
            if let Arg::Keyword(name, value) = arg {
                let is_same =
                    |other: &Arg| matches!(other, Arg::Keyword(other, _) if other.name == name.name);
                if args[..i].iter().any(is_same) {
                    return refuse(
                        format!("keyword argument repeated: {}", name.name),
                        name.span.to(value.span),
                    );
                }
                if &*name.name == "__debug__" {
                    return refuse("cannot assign to __debug__", name.span.to(value.span));
                }
            }
            self.expr(argument_value(arg))?;
        }
        Ok(())
    }

    // ---- targets ----

    /// A target whose shape `targets` has approved.
    fn target(&mut self, target: &Expr) -> Checked {
        match &target.kind {
            ExprKind::Starred(_) => {
                refuse("starred assignment target must be in a list or tuple", target.span)
            }
            _ => self.target_item(target),
        }
    }

    fn target_item(&mut self, target: &Expr) -> Checked {
        match &target.kind {
            ExprKind::Name(name) => self.bind(name, target.span),
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                one_star(items, target.span)?;
                items.iter().try_for_each(|item| self.target_item(item))
            }
            ExprKind::Starred(inner) => self.target(inner),
            ExprKind::Attribute { name, .. } if &*name.name == "__debug__" => {
                refuse("cannot assign to __debug__", target.span)
            }
            _ => self.expr(target),
        }
    }

    // ---- expressions ----

    fn optional(&mut self, value: Option<&Expr>) -> Checked {
        value.map_or(Ok(()), |value| self.expr(value))
    }

    /// An expression where `*value` is allowed.
    fn element(&mut self, value: &Expr) -> Checked {
        match &value.kind {
            ExprKind::Starred(inner) => self.expr(inner),
            _ => self.expr(value),
        }
    }

    fn elements(&mut self, values: &[Expr]) -> Checked {
        values.iter().try_for_each(|value| self.element(value))
    }

    fn expr(&mut self, value: &Expr) -> Checked {
        match &value.kind {
            ExprKind::Name(name) => {
                self.note(name, |known| known.is_read = true);
                Ok(())
            }
            ExprKind::None
            | ExprKind::True
            | ExprKind::False
            | ExprKind::Ellipsis
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Imaginary(_)
            | ExprKind::Str(_)
            | ExprKind::Bytes(_) => Ok(()),
            ExprKind::FString(parts) => self.fstring(parts),
            ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Set(items) => self.elements(items),
            ExprKind::Dict(items) => self.dict(items),
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { left, right, .. } => {
                self.expr(left)?;
                self.expr(right)
            }
            ExprKind::Bool { values, .. } => values.iter().try_for_each(|value| self.expr(value)),
            ExprKind::Compare { left, rest } => {
                self.expr(left)?;
                let mut left = &**left;
                for (op, right) in rest {
                    doubts::in_comparison(self.source, left, *op, right, value.span);
                    self.expr(right)?;
                    left = right;
                }
                Ok(())
            }
            ExprKind::Conditional { test, body, orelse } => {
                self.expr(test)?;
                self.expr(body)?;
                self.expr(orelse)
            }
            ExprKind::Lambda { params, body } => self.lambda(params, |walk| walk.expr(body)),
            ExprKind::GeneratorLambda { params, body } => self.lambda(params, |walk| walk.block(body)),
            ExprKind::Call { function, args } => {
                doubts::in_call(self.source, function, value.span);
                self.expr(function)?;
                self.arguments(args)
            }
            ExprKind::Attribute { value, .. } => self.expr(value),
            ExprKind::Subscript { value: object, index } => {
                doubts::in_subscript(self.source, object, index, value.span);
                self.expr(object)?;
                self.expr(index)
            }
            ExprKind::Slice { lower, upper, step } => {
                [lower, upper, step].into_iter().try_for_each(|bound| self.optional(bound.as_deref()))
            }
            ExprKind::Starred(_) => refuse("can't use starred expression here", value.span),
            ExprKind::Named { target, value: inner } => self.named(target, inner, value.span),
            ExprKind::Yield(inner) => {
                self.yield_expression(value.span)?;
                self.optional(inner.as_deref())
            }
            ExprKind::YieldFrom(inner) => {
                self.yield_expression(value.span)?;
                if self.scopes.last().is_some_and(|scope| scope.is_async) {
                    return refuse("'yield from' inside async function", value.span);
                }
                self.expr(inner)
            }
            ExprKind::Await(inner) => {
                let is_inside = self.kind() == ScopeKind::Function;
                let function = if is_inside { "async function" } else { "function" };
                self.asynchronous(true, &format!("'await' outside {function}"), value.span)?;
                self.expr(inner)
            }
            ExprKind::ListComp { element, clauses } => {
                self.comprehension("list comprehension", [element], clauses)
            }
            ExprKind::SetComp { element, clauses } => {
                self.comprehension("set comprehension", [element], clauses)
            }
            ExprKind::Generator { element, clauses } => {
                self.comprehension("generator expression", [element], clauses)
            }
            ExprKind::DictComp { key, value, clauses } => {
                self.comprehension("dict comprehension", [key, value], clauses)
            }
        }
    }

    fn fstring(&mut self, parts: &[FStringPart]) -> Checked {
        for part in parts {
            if let FStringPart::Field { value, spec, .. } = part {
                self.expr(value)?;
                self.fstring(spec.as_deref().unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn dict(&mut self, items: &[DictItem]) -> Checked {
        items.iter().try_for_each(|item| match item {
            DictItem::Pair(key, value) => {
                self.expr(key)?;
                self.expr(value)
            }
            DictItem::Spread(value) => self.expr(value),
        })
    }

    fn lambda(&mut self, params: &Params, body: impl FnOnce(&mut Self) -> Checked) -> Checked {
        self.defaults(params)?;
        self.scoped(ScopeKind::Function, |walk| {
            walk.parameters(params)?;
            body(walk)
        })
    }

    fn named(&mut self, target: &Ident, value: &Expr, span: Span) -> Checked {
        let name = &target.name;
        if self.comprehensions.iter().any(|inside| inside.in_iterable) {
            let message = "assignment expression cannot be used in a comprehension iterable expression";
            return refuse(message, span);
        }
        // Comprehensions of this very scope: the target is bound outside them.
        let here = self.scopes.len() - 1;
        for inside in self.comprehensions.iter_mut().rev().take_while(|inside| inside.scope == here) {
            if inside.targets.contains(name) {
                let message =
                    format!("assignment expression cannot rebind comprehension iteration variable '{name}'");
                return refuse(message, target.span);
            }
            inside.assigned.insert(name.clone());
        }
        let is_inside = self.comprehensions.last().is_some_and(|inside| inside.scope == here);
        if is_inside && self.kind() == ScopeKind::Class {
            return refuse(
                "assignment expression within a comprehension cannot be used in a class body",
                target.span,
            );
        }
        self.bind_ident(target)?;
        self.expr(value)
    }

    fn yield_expression(&mut self, span: Span) -> Checked {
        let here = self.scopes.len() - 1;
        let around = self.comprehensions.iter().rev().take_while(|inside| inside.scope == here);
        if let Some(what) = around.filter_map(|inside| inside.what).next() {
            return refuse(format!("'yield' inside {what}"), span);
        }
        if self.kind() != ScopeKind::Function {
            return refuse("'yield' outside function", span);
        }
        Ok(())
    }

    fn comprehension<'e>(
        &mut self,
        what: &'static str,
        elements: impl IntoIterator<Item = &'e Box<Expr>>,
        clauses: &[Comprehension],
    ) -> Checked {
        let scope = self.scopes.len() - 1;
        if let Some(first) = clauses.first() {
            self.iterable(None, &first.iter, scope)?;
        }
        self.comprehensions.push(Inside { what: Some(what), scope, ..Inside::default() });
        for (i, clause) in clauses.iter().enumerate() {
            let complaint = "asynchronous comprehension outside of an asynchronous function";
            self.asynchronous(
                clause.is_async && what != "generator expression",
                complaint,
                clause.iter.span,
            )?;
            self.comprehension_names(&clause.target)?;
            self.comprehension_target(&clause.target)?;
            if i > 0 {
                self.iterable(Some(what), &clause.iter, scope)?;
            }
            clause.conditions.iter().try_for_each(|condition| self.expr(condition))?;
        }
        elements.into_iter().try_for_each(|element| self.expr(element))?;
        self.comprehensions.pop();
        Ok(())
    }

    /// Notes the names that a `for` clause binds.
    fn comprehension_names(&mut self, target: &Expr) -> Checked {
        let mut names = HashSet::new();
        collect_names(target, &mut names);
        let Some(inside) = self.comprehensions.last_mut() else { return Ok(()) };
        if let Some(name) = names.iter().find(|name| inside.assigned.contains(*name)) {
            let message =
                format!("comprehension inner loop cannot rebind assignment expression target '{name}'");
            return refuse(message, target.span);
        }
        inside.targets.extend(names);
        Ok(())
    }

    /// The expression that a `for` clause goes through: it must not bind names.
    fn iterable(&mut self, what: Option<&'static str>, iter: &Expr, scope: usize) -> Checked {
        self.comprehensions.push(Inside { what, in_iterable: true, scope, ..Inside::default() });
        self.expr(iter)?;
        self.comprehensions.pop();
        Ok(())
    }

    /// Targets of a comprehension are its own: they say nothing about names of the scope.
    fn comprehension_target(&mut self, target: &Expr) -> Checked {
        match &target.kind {
            ExprKind::Name(_) => Ok(()),
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                one_star(items, target.span)?;
                items.iter().try_for_each(|item| match &item.kind {
                    ExprKind::Starred(inner) => self.comprehension_target(inner),
                    _ => self.comprehension_target(item),
                })
            }
            ExprKind::Starred(_) => {
                refuse("starred assignment target must be in a list or tuple", target.span)
            }
            _ => self.expr(target),
        }
    }

    // ---- patterns ----

    fn cases(&mut self, cases: &[MatchCase]) -> Checked {
        for (i, case) in cases.iter().enumerate() {
            let mut bound = Vec::new();
            self.pattern(&case.pattern, &mut bound)?;
            if i + 1 < cases.len() && case.guard.is_none() {
                reachable_after(&case.pattern)?;
            }
            for name in bound {
                self.bind_ident(name)?;
            }
            self.optional(case.guard.as_ref())?;
            self.block(&case.body)?;
        }
        Ok(())
    }

    fn patterns<'p>(&mut self, patterns: &'p [Pattern], bound: &mut Vec<&'p Ident>) -> Checked {
        patterns.iter().try_for_each(|pattern| self.pattern(pattern, bound))
    }

    /// Checks a pattern and collects the names it binds.
    fn pattern<'p>(&mut self, pattern: &'p Pattern, bound: &mut Vec<&'p Ident>) -> Checked {
        match &pattern.kind {
            PatternKind::Value(Expr { kind: ExprKind::FString(_), span, .. }) => {
                refuse("patterns may only match literals and attribute lookups", *span)
            }
            PatternKind::Value(value) | PatternKind::Singleton(value) => self.expr(value),
            PatternKind::Wildcard | PatternKind::Star(None) => Ok(()),
            PatternKind::Capture(name) | PatternKind::Star(Some(name)) => capture(name, bound),
            PatternKind::Sequence(items) => {
                let mut stars = items.iter().filter(|item| matches!(item.kind, PatternKind::Star(_)));
                if let (Some(_), Some(_)) = (stars.next(), stars.next()) {
                    return refuse("multiple starred names in sequence pattern", pattern.span);
                }
                self.patterns(items, bound)
            }
            PatternKind::Mapping { items, rest } => {
                let mut seen = HashSet::new();
                for (key, value) in items {
                    if let ExprKind::FString(_) = key.kind {
                        let message = "mapping pattern keys may only match literals and attribute lookups";
                        return refuse(message, key.span);
                    }
                    if let Some(literal) = literal_key(key)
                        && !seen.insert(literal)
                    {
                        let shown = self.shown_key(key);
                        return refuse(
                            format!("mapping pattern checks duplicate key ({shown})"),
                            pattern.span,
                        );
                    }
                    self.expr(key)?;
                    self.pattern(value, bound)?;
                }
                rest.as_ref().map_or(Ok(()), |name| capture(name, bound))
            }
            PatternKind::Class { class, positional, keyword } => {
                self.expr(class)?;
                self.patterns(positional, bound)?;
                let mut seen = HashSet::new();
                for (name, value) in keyword {
                    if !seen.insert(&name.name) {
                        let message = format!("attribute name repeated in class pattern: {}", name.name);
                        return refuse(message, value.span);
                    }
                    self.pattern(value, bound)?;
                }
                Ok(())
            }
            PatternKind::As { pattern: inner, name } => {
                self.pattern(inner, bound)?;
                capture(name, bound)
            }
            PatternKind::Or(alternatives) => self.alternatives(pattern, alternatives, bound),
        }
    }

    /// A key as its value is shown.
    fn shown_key(&self, key: &Expr) -> String {
        match &key.kind {
            ExprKind::Str(text) => crate::text::repr_str(text),
            ExprKind::Bytes(bytes) => crate::text::repr_bytes(bytes),
            ExprKind::Binary { .. } => {
                let text: String =
                    self.source.slice(key.span).chars().filter(|c| !c.is_whitespace()).collect();
                format!("({text})")
            }
            ExprKind::True => "true".to_string(),
            ExprKind::False => "false".to_string(),
            ExprKind::None => "none".to_string(),
            ExprKind::Unary { operand, .. } if matches!(operand.kind, ExprKind::Int(_)) => {
                number_key(key).map(|(whole, _)| whole).unwrap_or_default()
            }
            _ => self.source.slice(key.span).to_string(),
        }
    }

    fn alternatives<'p>(
        &mut self,
        pattern: &Pattern,
        alternatives: &'p [Pattern],
        bound: &mut Vec<&'p Ident>,
    ) -> Checked {
        let mut first: Option<HashSet<&Name>> = None;
        let before = bound.len();
        let last = alternatives.len().saturating_sub(1);
        for (i, alternative) in alternatives.iter().enumerate() {
            let mut names = bound[..before].to_vec();
            self.pattern(alternative, &mut names)?;
            if i < last {
                reachable_after(alternative)?;
            }
            let own: HashSet<&Name> = names[before..].iter().map(|name| &name.name).collect();
            match &first {
                Some(first) if *first != own => {
                    return refuse("alternative patterns bind different names", pattern.span);
                }
                Some(_) => {}
                None => {
                    first = Some(own);
                    *bound = names;
                }
            }
        }
        Ok(())
    }
}

fn capture<'p>(name: &'p Ident, bound: &mut Vec<&'p Ident>) -> Checked {
    if bound.iter().any(|other| other.name == name.name) {
        return refuse(format!("multiple assignments to name '{}' in pattern", name.name), name.span);
    }
    bound.push(name);
    Ok(())
}

/// Refuses a pattern that always matches where others follow.
fn reachable_after(pattern: &Pattern) -> Checked {
    match &pattern.kind {
        PatternKind::Wildcard => refuse("wildcard makes remaining patterns unreachable", pattern.span),
        PatternKind::Capture(name) => {
            refuse(format!("name capture '{}' makes remaining patterns unreachable", name.name), pattern.span)
        }
        PatternKind::As { pattern, .. } => reachable_after(pattern),
        PatternKind::Or(alternatives) => alternatives.last().map_or(Ok(()), reachable_after),
        _ => Ok(()),
    }
}

/// The plain names in a target.
fn collect_names(target: &Expr, names: &mut HashSet<Name>) {
    match &target.kind {
        ExprKind::Name(name) => {
            names.insert(name.clone());
        }
        ExprKind::Tuple(items) | ExprKind::List(items) => {
            items.iter().for_each(|item| collect_names(item, names));
        }
        ExprKind::Starred(inner) => collect_names(inner, names),
        _ => {}
    }
}

/// Refuses what no assignment takes apart: several stars, or as many targets before one as Python refuses.
fn one_star(items: &[Expr], span: Span) -> Checked {
    let mut stars = items.iter().enumerate().filter(|(_, item)| matches!(item.kind, ExprKind::Starred(_)));
    let first = stars.next();
    if stars.next().is_some() {
        return refuse("multiple starred expressions in assignment", span);
    }
    match first {
        Some((before, _)) if before >= 256 || items.len() - before > 1 << 24 => {
            refuse("too many expressions in star-unpacking assignment", span)
        }
        _ => Ok(()),
    }
}

/// What a key of a mapping pattern is equal to: keys with the same text are equal, whatever they are written
/// like. `None` for names, which are not known before the program runs.
fn literal_key(key: &Expr) -> Option<String> {
    Some(match &key.kind {
        ExprKind::Str(text) => format!("text {text}"),
        ExprKind::Bytes(bytes) => format!("bytes {bytes:?}"),
        ExprKind::None => "none".to_string(),
        _ => {
            let (real, imaginary) = number_key(key)?;
            if imaginary == 0.0 { real } else { format!("{real} {imaginary}") }
        }
    })
}

/// The real part of a number as a text that equal numbers share, and the imaginary part.
fn number_key(expr: &Expr) -> Option<(String, f64)> {
    let of_float = |value: f64| match BigInt::from_f64(value) {
        Some(whole) if value.fract() == 0.0 => whole.to_string(),
        _ => value.to_string(),
    };
    Some(match &expr.kind {
        ExprKind::True => ("1".to_string(), 0.0),
        ExprKind::False => ("0".to_string(), 0.0),
        ExprKind::Int(value) => (value.to_string(), 0.0),
        ExprKind::Float(value) => (of_float(*value), 0.0),
        ExprKind::Imaginary(value) => ("0".to_string(), *value),
        ExprKind::Unary { op: UnaryOp::Minus, operand } => {
            let (real, imaginary) = number_key(operand)?;
            let negated = match real.strip_prefix('-') {
                Some(positive) => positive.to_string(),
                None if real == "0" => real,
                None => format!("-{real}"),
            };
            (negated, -imaginary)
        }
        ExprKind::Binary { op, left, right, .. } => {
            let (real, _) = number_key(left)?;
            let (_, imaginary) = number_key(right)?;
            (real, if *op == BinaryOp::Sub { -imaginary } else { imaginary })
        }
        _ => return None,
    })
}
