//! Second pass: the code tree.

use super::scope::{CLASS_CELL, Meaning, ScopeId, ScopeKind, Scopes, all_params, mangled};
use super::{Expressions, Home};
use crate::eval::code::{self, *};
use crate::eval::{Exc, Vm};
use crate::source::{SourceFile, Span};
use crate::syntax::SyntaxError;
use crate::syntax::ast::{self, BoolOp, ExprKind, FStringPart, StmtKind};
use crate::value::{Complex, Module, Ref, Str, Value};
use std::collections::HashMap;
use std::rc::Rc;

pub(super) type Lowered<T> = Result<T, SyntaxError>;

/// A variable, wherever it lives: the scope that binds it and its name.
type Variable = (ScopeId, ast::Name);

/// A frame under construction.
struct Frame {
    scope: ScopeId,
    slot_names: Vec<Ref<Str>>,
    slots: HashMap<Variable, u32>,
    /// Variables of outer frames, in the order their cells are brought along, and their slots.
    captured: Vec<(Variable, u32)>,
    /// Own captured variables that are not parameters and not of a comprehension.
    fresh_cells: Vec<u32>,
    qualname: String,
}

pub(super) struct Lowerer<'a> {
    pub(super) vm: &'a mut Vm,
    source: Rc<SourceFile>,
    module: Ref<Module>,
    pub(super) scopes: Scopes,
    frames: Vec<Frame>,
    pub(super) scope: ScopeId,
    echo: bool,
    /// How many `yield` statements the function being lowered has so far.
    yields: usize,
    /// `from __future__ import annotations` was met.
    keeps_annotations_as_text: bool,
    /// Names of the classes around, innermost last, for `__private` names.
    classes: Vec<ast::Name>,
}

pub fn module(
    vm: &mut Vm,
    tree: &ast::Module,
    source: Rc<SourceFile>,
    home: Home,
    scopes: Scopes,
    expressions: Expressions,
) -> Lowered<Rc<Code>> {
    let mut l = Lowerer::new(vm, source, home, scopes);
    l.echo = expressions == Expressions::Echoed;
    let body = match tree.body.split_last() {
        Some((ast::Stmt { kind: StmtKind::Expr(last), .. }, before))
            if expressions == Expressions::LastReturned =>
        {
            let mut body = l.block(before)?.into_vec();
            body.push(Stmt::Return(l.expr(last)?));
            body.into()
        }
        _ => l.with_annotations(&tree.body)?,
    };
    if let Some(doc) = doc_of(&tree.body)
        && expressions == Expressions::Dropped
        && !home.has_namespace
    {
        home.module.set_text("__doc__", Value::str(doc));
    }
    Ok(l.finish_module(body))
}

pub fn expression(
    vm: &mut Vm,
    tree: &ast::Expr,
    source: Rc<SourceFile>,
    home: Home,
    scopes: Scopes,
) -> Lowered<Rc<Code>> {
    let mut l = Lowerer::new(vm, source, home, scopes);
    let value = l.expr(tree)?;
    Ok(l.finish_module(Box::new([Stmt::Return(value)])))
}

fn doc_of(body: &[ast::Stmt]) -> Option<&str> {
    match body.first().map(|s| &s.kind) {
        Some(StmtKind::Expr(ast::Expr { kind: ExprKind::Str(text), .. })) => Some(text),
        _ => None,
    }
}

/// Where a statement, or one inside its blocks, first annotates a name.
fn first_annotation(stmt: &ast::Stmt) -> Option<Span> {
    let find = |body: &[ast::Stmt]| body.iter().find_map(first_annotation);
    match &stmt.kind {
        StmtKind::AnnAssign { target, is_simple, .. } => is_simple.then_some(target.span),
        StmtKind::If { branches, orelse } => {
            branches.iter().find_map(|(_, body)| find(body)).or_else(|| find(orelse))
        }
        StmtKind::While { body, orelse, .. } | StmtKind::For { body, orelse, .. } => {
            find(body).or_else(|| find(orelse))
        }
        StmtKind::With { body, .. } => find(body),
        StmtKind::Try { body, handlers, orelse, finally, .. } => find(body)
            .or_else(|| handlers.iter().find_map(|handler| find(&handler.body)))
            .or_else(|| find(orelse))
            .or_else(|| find(finally)),
        StmtKind::Match { cases, .. } => cases.iter().find_map(|case| find(&case.body)),
        _ => None,
    }
}

fn unsupported(what: &str, span: Span) -> SyntaxError {
    SyntaxError::new(format!("not supported yet: {what}"), span)
}

impl<'a> Lowerer<'a> {
    fn new(vm: &'a mut Vm, source: Rc<SourceFile>, home: Home, scopes: Scopes) -> Self {
        let mut l = Lowerer {
            vm,
            source,
            module: home.module.clone(),
            scopes,
            frames: Vec::new(),
            scope: 0,
            echo: false,
            yields: 0,
            keeps_annotations_as_text: false,
            classes: Vec::new(),
        };
        let frame =
            if home.has_namespace { l.class_frame(0, String::new()) } else { Frame::new(0, String::new()) };
        l.frames.push(frame);
        l
    }

    /// The frame of a class body: the namespace in slot 0, the cell of `__class__` in slot 1.
    fn class_frame(&mut self, scope: ScopeId, qualname: String) -> Frame {
        let mut frame = Frame::new(scope, qualname);
        frame.slot_names.push(self.vm.intern("<namespace>"));
        frame.slot_names.push(self.vm.intern(CLASS_CELL));
        frame.slots.insert((scope, CLASS_CELL.into()), 1);
        frame
    }

    fn finish_module(mut self, body: Box<[Stmt]>) -> Rc<Code> {
        let frame = self.frames.pop().expect("the module's frame is there");
        let name = self.vm.intern("<module>");
        let end = self.source.text.len() as u32;
        Rc::new(Code {
            qualname: name.clone(),
            name,
            kind: if self.scopes.list[0].kind == ScopeKind::Class {
                CodeKind::Class
            } else {
                CodeKind::Module
            },
            source: self.source,
            span: Span::new(0, end),
            params: Default::default(),
            slot_names: frame.slot_names.into(),
            cell_params: Box::default(),
            fresh_cells: frame.fresh_cells.into(),
            captured_slots: Box::default(),
            body,
            doc: None,
            is_generator: false,
        })
    }

    // ---- names ----

    fn mangle(&self, name: &ast::Name) -> ast::Name {
        mangled(self.classes.last(), name)
    }

    /// The slot of a variable in the running frame, made if needed.
    fn slot(&mut self, frame: usize, owner: ScopeId, name: &ast::Name) -> u32 {
        let key = (owner, name.clone());
        if let Some(&slot) = self.frames[frame].slots.get(&key) {
            return slot;
        }
        let interned = self.vm.intern(name);
        let symbol = self.scopes.symbol(owner, name);
        let is_own = self.scopes.frame_of(owner) == self.frames[frame].scope;
        let is_of_comprehension = self.scopes.list[owner].kind.is_frameless();
        let f = &mut self.frames[frame];
        let slot = f.slot_names.len() as u32;
        f.slot_names.push(interned);
        f.slots.insert(key.clone(), slot);
        if !is_own {
            f.captured.push((key, slot));
        } else if symbol.is_captured && !symbol.is_param && !is_of_comprehension {
            f.fresh_cells.push(slot);
        }
        slot
    }

    fn read_global(&mut self, name: &ast::Name, span: Span) -> code::Expr {
        self.vm.ensure_builtin(name);
        let name = self.vm.intern(name);
        if !self.module.is_dict() {
            return code::Expr::Global(self.module.variable(&name), span);
        }
        let builtin = self.vm.builtins.variable(&name);
        code::Expr::DictGlobal(Box::new(DictGlobal { name, builtin, span }))
    }

    fn global_target(&mut self, name: &ast::Name) -> Target {
        self.vm.ensure_builtin(name);
        let name = self.vm.intern(name);
        if self.module.is_dict() {
            Target::DictGlobal(name)
        } else {
            Target::Global(self.module.variable(&name))
        }
    }

    pub(super) fn read(&mut self, name: &ast::Name, span: Span) -> code::Expr {
        let mangled = self.mangle(name);
        self.read_from(self.scope, &mangled, span)
    }

    fn read_from(&mut self, scope: ScopeId, name: &ast::Name, span: Span) -> code::Expr {
        match self.scopes.resolve(scope, name) {
            Meaning::Global => self.read_global(name, span),
            Meaning::ClassName(class) => {
                let outer = match self.scopes.resolve_outside_class(class, name) {
                    Meaning::Variable(owner) => self.read_variable(owner, name, span),
                    _ => self.read_global(name, span),
                };
                code::Expr::ClassName(Box::new(ClassName { name: self.vm.intern(name), outer }))
            }
            Meaning::Variable(owner) => self.read_variable(owner, name, span),
        }
    }

    fn read_variable(&mut self, owner: ScopeId, name: &ast::Name, span: Span) -> code::Expr {
        let frame = self.frames.len() - 1;
        let slot = self.slot(frame, owner, name);
        if self.is_cell(owner, name) { code::Expr::Deref(slot, span) } else { code::Expr::Local(slot, span) }
    }

    fn is_cell(&self, owner: ScopeId, name: &str) -> bool {
        self.scopes.symbol(owner, name).is_captured || self.scopes.list[owner].kind == ScopeKind::Class
    }

    pub(super) fn name_target(&mut self, name: &ast::Name) -> Target {
        let mangled = self.mangle(name);
        let mut scope = self.scope;
        // A walrus inside a comprehension binds outside of it.
        while self.scopes.list[scope].is_comprehension && !self.scopes.symbol(scope, &mangled).is_bound {
            scope = self.scopes.list[scope].parent.unwrap_or(0);
        }
        match self.scopes.resolve(scope, &mangled) {
            Meaning::Global => self.global_target(&mangled),
            Meaning::ClassName(_) => Target::ClassName(self.vm.intern(&mangled)),
            Meaning::Variable(owner) => {
                let frame = self.frames.len() - 1;
                let slot = self.slot(frame, owner, &mangled);
                if self.is_cell(owner, &mangled) { Target::Deref(slot) } else { Target::Local(slot) }
            }
        }
    }

    // ---- statements ----

    pub(super) fn block(&mut self, body: &[ast::Stmt]) -> Lowered<Box<[Stmt]>> {
        let mut out = Vec::with_capacity(body.len());
        for stmt in body {
            self.stmt(stmt, &mut out)?;
        }
        Ok(out.into())
    }

    fn stmt(&mut self, stmt: &ast::Stmt, out: &mut Vec<Stmt>) -> Lowered<()> {
        let span = stmt.span;
        let yields_before = self.yields;
        let lowered = match &stmt.kind {
            StmtKind::Expr(ast::Expr { kind: ExprKind::Yield(_) | ExprKind::YieldFrom(_), .. }) => {
                let StmtKind::Expr(e) = &stmt.kind else { return Ok(()) };
                self.yield_stmt(e, None)?
            }
            StmtKind::Assign { targets, value }
                if targets.len() == 1
                    && matches!(value.kind, ExprKind::Yield(_) | ExprKind::YieldFrom(_)) =>
            {
                self.yield_stmt(value, Some(&targets[0]))?
            }
            StmtKind::Expr(e) => {
                if self.echo && self.scope == 0 {
                    Stmt::Echo(self.expr(e)?)
                } else if is_constant(e) {
                    return Ok(());
                } else {
                    Stmt::Expr(self.expr(e)?)
                }
            }
            StmtKind::Assign { targets, value } => self.assign(targets, value)?,
            StmtKind::AugAssign { target, op, value } => self.aug_assign(target, *op, value, span)?,
            StmtKind::AnnAssign { target, annotation, value, is_simple } => {
                return self.ann_assign(target, annotation, value.as_ref(), *is_simple, out);
            }
            StmtKind::Return(value) => Stmt::Return(match value {
                Some(value) => self.expr(value)?,
                None => code::Expr::Const(Value::NONE),
            }),
            StmtKind::Delete(targets) => {
                for target in targets {
                    let lowered = self.target(target)?;
                    out.push(Stmt::Delete(Box::new((lowered, target.span))));
                }
                return Ok(());
            }
            StmtKind::Pass | StmtKind::Global(_) | StmtKind::Nonlocal(_) => return Ok(()),
            StmtKind::Break => Stmt::Break,
            StmtKind::Continue => Stmt::Continue,
            StmtKind::Assert { test, message } => Stmt::Assert(Box::new(Assert {
                test: self.expr(test)?,
                message: self.maybe(message.as_ref())?,
                span: test.span,
            })),
            StmtKind::Raise { exception, cause } => Stmt::Raise(Box::new(Raise {
                exception: self.maybe(exception.as_ref())?,
                cause: self.maybe(cause.as_ref())?,
                span,
            })),
            StmtKind::Import(aliases) => {
                for alias in aliases {
                    out.push(self.import(alias, span));
                }
                return Ok(());
            }
            StmtKind::ImportFrom { module, names, level } => {
                let is_future = module.as_ref().is_some_and(|module| &*module.name == "__future__");
                self.keeps_annotations_as_text |=
                    is_future && names.iter().any(|alias| &*alias.name.name == "annotations");
                self.import_from(module.as_ref(), names, *level, span)
            }
            StmtKind::If { branches, orelse } => {
                let mut lowered = Vec::with_capacity(branches.len());
                for (test, body) in branches {
                    lowered.push((self.expr(test)?, self.block(body)?));
                }
                Stmt::If(Box::new(If { branches: lowered.into(), orelse: self.block(orelse)? }))
            }
            StmtKind::While { test, body, orelse } => Stmt::While(Box::new(While {
                test: self.expr(test)?,
                body: self.block(body)?,
                orelse: self.block(orelse)?,
            })),
            StmtKind::For { target, iter, body, orelse, .. } => {
                let lowered_iter = self.expr(iter)?;
                Stmt::For(Box::new(For {
                    target: self.target(target)?,
                    iter: lowered_iter,
                    is_iterator: false,
                    iter_span: span,
                    body: self.block(body)?,
                    orelse: self.block(orelse)?,
                }))
            }
            StmtKind::With { items, body, .. } => self.with(items, body)?,
            StmtKind::Try { body, handlers, orelse, finally, is_star } => {
                let lowered = self.try_stmt(body, handlers, orelse, finally)?;
                match lowered {
                    Stmt::Try(t) if *is_star => Stmt::TryStar(t),
                    lowered => lowered,
                }
            }
            StmtKind::FunctionDef(def) if def.is_async => self.async_def(span)?,
            StmtKind::FunctionDef(def) => self.function_def(def, out)?,
            StmtKind::ClassDef(def) => self.class_def(def, span, out)?,
            StmtKind::Match { subject, cases } => self.match_stmt(subject, cases)?,
            StmtKind::TypeAlias { name, type_params, value } => {
                self.type_alias(name, type_params, value, out)?
            }
        };
        let lowered = if self.yields == yields_before { lowered } else { resumable(lowered) };
        out.push(lowered);
        Ok(())
    }

    /// `yield` as a statement, or `target = yield ...`.
    fn yield_stmt(&mut self, e: &ast::Expr, target: Option<&ast::Expr>) -> Lowered<Stmt> {
        let target = target.map(|t| self.target(t)).transpose()?;
        self.yields += 1;
        let span = e.span;
        Ok(Stmt::Resumable(Box::new(match &e.kind {
            ExprKind::YieldFrom(value) => {
                Resumable::YieldFrom(Yield { value: self.expr(value)?, target, span })
            }
            ExprKind::Yield(Some(value)) => {
                Resumable::Yield(Yield { value: self.expr(value)?, target, span })
            }
            _ => Resumable::Yield(Yield { value: code::Expr::Const(Value::NONE), target, span }),
        })))
    }

    /// `(element for ...)`: nested loops around one `yield`, in a function that takes the first iterator.
    fn generator(
        &mut self,
        node: &ast::Expr,
        element: &ast::Expr,
        clauses: &[ast::Comprehension],
    ) -> Lowered<code::Expr> {
        if clauses.iter().any(|clause| clause.is_async) {
            return Err(unsupported("async", node.span));
        }
        let first = &clauses[0].iter;
        let iter = self.expr(first)?;
        let scope = self.scopes.of_node(node);
        let name: ast::Name = "<genexpr>".into();
        let qualname = self.qualname(&name);
        let mut frame = Frame::new(scope, qualname.clone());
        frame.slot_names.push(self.vm.intern(".0"));
        self.frames.push(frame);
        let outer = std::mem::replace(&mut self.scope, scope);
        let yields = std::mem::take(&mut self.yields);
        let body = self.generator_clause(element, clauses, 0, node.span);
        self.yields = yields;
        self.scope = outer;
        let frame = self.frames.pop().expect("the generator's frame is there");
        let body = body?;
        let captures = self.captures(&frame);
        let code = Rc::new(Code {
            name: self.vm.intern(&name),
            qualname: Str::new(&qualname),
            kind: CodeKind::Function,
            source: self.source.clone(),
            span: node.span,
            params: code::Params { positional: 1, positional_only: 1, ..Default::default() },
            captured_slots: frame.captured.iter().map(|(_, slot)| *slot).collect(),
            slot_names: frame.slot_names.into(),
            cell_params: Box::default(),
            fresh_cells: frame.fresh_cells.into(),
            body: Box::new([body]),
            doc: None,
            is_generator: true,
        });
        let make = MakeFunction {
            code,
            captures,
            defaults: Box::default(),
            keyword_defaults: Box::default(),
            annotations: Box::default(),
            type_params: Box::default(),
        };
        Ok(code::Expr::Generator(Box::new(GeneratorExpr { make, iter, iter_span: first.span })))
    }

    fn generator_clause(
        &mut self,
        element: &ast::Expr,
        clauses: &[ast::Comprehension],
        number: usize,
        span: Span,
    ) -> Lowered<Stmt> {
        let Some(clause) = clauses.get(number) else {
            let value = self.expr(element)?;
            return Ok(Stmt::Resumable(Box::new(Resumable::Yield(Yield { value, target: None, span }))));
        };
        let iter =
            if number == 0 { code::Expr::Local(0, clause.iter.span) } else { self.expr(&clause.iter)? };
        let target = self.target(&clause.target)?;
        let conditions = self.exprs(&clause.conditions)?;
        let mut body = self.generator_clause(element, clauses, number + 1, span)?;
        for condition in conditions.into_vec().into_iter().rev() {
            let branches = Box::new([(condition, Box::new([body]) as Box<[Stmt]>)]);
            body = Stmt::Resumable(Box::new(Resumable::If(If { branches, orelse: Box::default() })));
        }
        Ok(Stmt::Resumable(Box::new(Resumable::For(For {
            target,
            iter,
            is_iterator: number == 0,
            iter_span: clause.iter.span,
            body: Box::new([body]),
            orelse: Box::default(),
        }))))
    }

    fn assign(&mut self, targets: &[ast::Expr], value: &ast::Expr) -> Lowered<Stmt> {
        let value = self.expr(value)?;
        let mut lowered = Vec::with_capacity(targets.len());
        for target in targets {
            lowered.push(self.target(target)?);
        }
        if lowered.len() == 1 {
            return Ok(match lowered.remove(0) {
                Target::Local(slot) => Stmt::SetLocal(slot, value),
                Target::Global(variable) => Stmt::SetGlobal(variable, value),
                target => Stmt::Assign(Box::new(Assign { targets: Box::new([target]), value })),
            });
        }
        Ok(Stmt::Assign(Box::new(Assign { targets: lowered.into(), value })))
    }

    fn aug_assign(
        &mut self,
        target: &ast::Expr,
        op: BinaryOp,
        value: &ast::Expr,
        span: Span,
    ) -> Lowered<Stmt> {
        let place = match &target.kind {
            ExprKind::Name(name) => {
                let store = self.name_target(name);
                let read = self.read(name, target.span);
                if let (Target::Local(slot), false) = (&store, self.scopes.has_walrus(value.span)) {
                    let slot = *slot;
                    let value = self.expr(value)?;
                    return Ok(Stmt::AugLocal(Box::new(AugLocal {
                        slot,
                        op,
                        value,
                        span,
                        name_span: target.span,
                    })));
                }
                AugTarget::Name(read, store)
            }
            ExprKind::Attribute { value, name } => {
                AugTarget::Attribute(self.attribute(value, name, target.span)?)
            }
            ExprKind::Subscript { value, index } => {
                AugTarget::Subscript(self.subscript(value, index, target.span)?)
            }
            _ => return Err(SyntaxError::new("illegal expression for augmented assignment", target.span)),
        };
        let value = self.expr(value)?;
        Ok(Stmt::AugAssign(Box::new(AugAssign { target: place, op, value, span })))
    }

    fn ann_assign(
        &mut self,
        target: &ast::Expr,
        annotation: &ast::Expr,
        value: Option<&ast::Expr>,
        is_simple: bool,
        out: &mut Vec<Stmt>,
    ) -> Lowered<()> {
        match (value, &target.kind) {
            (Some(value), _) => {
                let lowered = self.assign(std::slice::from_ref(target), value)?;
                out.push(lowered);
            }
            // What the target is a part of must be there.
            (None, ExprKind::Attribute { value, .. }) => out.push(Stmt::Expr(self.expr(value)?)),
            (None, ExprKind::Subscript { value, index }) => {
                out.push(Stmt::Expr(self.expr(value)?));
                if !matches!(index.kind, ExprKind::Slice { .. }) {
                    out.push(Stmt::Expr(self.expr(index)?));
                }
            }
            _ => {}
        }
        // Annotations of module and class variables are kept in `__annotations__`.
        let keeps = matches!(self.scopes.list[self.scope].kind, ScopeKind::Module | ScopeKind::Class);
        if keeps && !is_simple && !self.keeps_annotations_as_text {
            out.push(Stmt::Expr(self.expr(annotation)?));
        }
        if let (ExprKind::Name(name), true, true) = (&target.kind, is_simple, keeps) {
            let annotation = self.annotation(annotation)?;
            let table = self.annotations_table(target.span);
            let key = code::Expr::Const(self.vm.intern(&self.mangle(name)).into());
            let place = Subscript { object: table, index: key, span: target.span };
            let target = Target::Subscript(Box::new(place));
            out.push(Stmt::Assign(Box::new(Assign { targets: Box::new([target]), value: annotation })));
        }
        Ok(())
    }

    /// A call that gives the `__annotations__` of the module or class, made if needed.
    fn annotations_table(&mut self, span: Span) -> code::Expr {
        let function: Value = self.vm.annotations_function();
        let namespace = match self.scopes.list[self.scope].kind {
            ScopeKind::Class => code::Expr::Local(0, span),
            _ => code::Expr::Const(Value::NONE), // that of the module that runs
        };
        code::Expr::Call(Box::new(Call {
            function: code::Expr::Const(function),
            args: Box::new([namespace]),
            keywords: Box::default(),
            span,
        }))
    }

    /// A module or class that annotates a variable has `__annotations__` from the start.
    fn with_annotations(&mut self, body: &[ast::Stmt]) -> Lowered<Box<[Stmt]>> {
        let lowered = self.block(body)?;
        match body.iter().find_map(first_annotation) {
            Some(span) => {
                let mut all = vec![Stmt::Expr(self.annotations_table(span))];
                all.extend(lowered);
                Ok(all.into())
            }
            None => Ok(lowered),
        }
    }

    fn annotation(&mut self, annotation: &ast::Expr) -> Lowered<code::Expr> {
        if !self.keeps_annotations_as_text {
            return match &annotation.kind {
                ExprKind::Starred(items) => self.only_item(items, annotation.span),
                _ => self.expr(annotation),
            };
        }
        let text = match &annotation.kind {
            ExprKind::Str(text) => crate::text::repr::repr_str(text),
            _ => {
                match self.source.slice(annotation.span) {
                    // A tree without a text: the annotation itself is the best there is.
                    blank if blank.trim().is_empty() => return self.expr(annotation),
                    text => text.to_string(),
                }
            }
        };
        Ok(code::Expr::Const(Value::str(text)))
    }

    /// `(*items,)[0]`: what an annotation `*args: *items` means.
    fn only_item(&mut self, items: &ast::Expr, span: Span) -> Lowered<code::Expr> {
        let items = Item::Spread(self.expr(items)?, span);
        let all = Display { kind: DisplayKind::Tuple, items: Box::new([items]), span };
        let object = code::Expr::Display(Box::new(all));
        Ok(code::Expr::Subscript(Box::new(Subscript {
            object,
            index: code::Expr::Const(Value::int(0)),
            span,
        })))
    }

    fn import(&mut self, alias: &ast::Alias, span: Span) -> Stmt {
        let (bound, binds_last) = match &alias.asname {
            Some(name) => (name.name.clone(), true),
            None => (alias.name.name.split('.').next().unwrap_or_default().into(), false),
        };
        let target = self.name_target(&bound);
        Stmt::Import(Box::new(Import { name: self.vm.intern(&alias.name.name), target, binds_last, span }))
    }

    fn import_from(
        &mut self,
        module: Option<&ast::Ident>,
        names: &[ast::Alias],
        level: u32,
        span: Span,
    ) -> Stmt {
        let star = names.iter().any(|alias| &*alias.name.name == "*");
        let mut lowered = Vec::new();
        if !star {
            for alias in names {
                let bound = alias.asname.as_ref().unwrap_or(&alias.name);
                let target = self.name_target(&bound.name);
                lowered.push((self.vm.intern(&alias.name.name), target));
            }
        }
        Stmt::ImportFrom(Box::new(ImportFrom {
            module: self.vm.intern(module.map_or("", |m| &m.name)),
            level,
            names: lowered.into(),
            star,
            span,
        }))
    }

    /// `with a, b: body` is `with a: with b: body`.
    fn with(&mut self, items: &[ast::WithItem], body: &[ast::Stmt]) -> Lowered<Stmt> {
        let (first, rest) = items.split_first().expect("`with` has an item");
        let yields_before = self.yields;
        let context = self.expr(&first.context)?;
        let target = match &first.target {
            Some(target) => Some(self.target(target)?),
            None => None,
        };
        let body = if rest.is_empty() {
            self.block(body)?
        } else {
            let inner = self.with(rest, body)?;
            let inner = if self.yields == yields_before { inner } else { resumable(inner) };
            Box::new([inner])
        };
        Ok(Stmt::With(Box::new(With { context, target, body, span: first.context.span })))
    }

    fn try_stmt(
        &mut self,
        body: &[ast::Stmt],
        handlers: &[ast::Handler],
        orelse: &[ast::Stmt],
        finally: &[ast::Stmt],
    ) -> Lowered<Stmt> {
        let body = self.block(body)?;
        let mut lowered = Vec::with_capacity(handlers.len());
        for handler in handlers {
            let exception = self.maybe(handler.exception.as_ref())?;
            let target = handler.name.as_ref().map(|name| self.name_target(&name.name));
            let span = handler.exception.as_ref().map_or(handler.span, |e| e.span);
            lowered.push(Handler { exception, target, body: self.block(&handler.body)?, span });
        }
        Ok(Stmt::Try(Box::new(Try {
            body,
            handlers: lowered.into(),
            orelse: self.block(orelse)?,
            finally: self.block(finally)?,
        })))
    }

    fn decorators(&mut self, decorators: &[ast::Expr]) -> Lowered<Box<[(code::Expr, Span)]>> {
        let mut lowered = Vec::with_capacity(decorators.len());
        for decorator in decorators {
            lowered.push((self.expr(decorator)?, decorator.span));
        }
        Ok(lowered.into())
    }

    fn function_def(&mut self, def: &ast::FunctionDef, out: &mut Vec<Stmt>) -> Lowered<Stmt> {
        let decorators = self.decorators(&def.decorators)?;
        let target = self.name_target(&def.name.name);
        let outer = self.enter_type_params(&def.type_params, out)?;
        let lowered = self.generic_function(def);
        self.scope = outer;
        Ok(Stmt::Function(Box::new(FunctionStmt { make: lowered?, decorators, target })))
    }

    /// A function in the scope of its type parameters.
    fn generic_function(&mut self, def: &ast::FunctionDef) -> Lowered<MakeFunction> {
        let annotations = self.function_annotations(&def.params, def.returns.as_ref())?;
        let mut make = self.make_function(
            self.scopes.of_node(def),
            &def.name.name,
            CodeKind::Function,
            &def.params,
            def.name.span,
            |l| l.block(&def.body),
            doc_of(&def.body),
        )?;
        make.annotations = annotations;
        make.type_params = self.read_type_params(&def.type_params);
        Ok(make)
    }

    /// `async def` fails where it runs; before the start if it would run for certain.
    fn async_def(&mut self, span: Span) -> Lowered<Stmt> {
        let is_in_function =
            self.frames.iter().any(|frame| self.scopes.list[frame.scope].kind == ScopeKind::Function);
        if !is_in_function {
            return Err(unsupported("async", span));
        }
        let class = self.vm.types.exception(Exc::NotImplementedError);
        let exception = code::Expr::Call(Box::new(Call {
            function: code::Expr::Const(class.into()),
            args: [code::Expr::Const(Value::str("not supported yet: async"))].into(),
            keywords: [].into(),
            span,
        }));
        Ok(Stmt::Raise(Box::new(Raise { exception: Some(exception), cause: None, span })))
    }

    fn function_annotations(
        &mut self,
        params: &ast::Params,
        returns: Option<&ast::Expr>,
    ) -> Lowered<Box<[(Ref<Str>, code::Expr)]>> {
        let mut lowered = Vec::new();
        let annotated: Vec<_> =
            all_params(params).filter_map(|p| p.annotation.as_ref().map(|a| (&p.name.name, a))).collect();
        for (name, annotation) in annotated {
            let name = self.mangle(name);
            lowered.push((self.vm.intern(&name), self.annotation(annotation)?));
        }
        if let Some(returns) = returns {
            lowered.push((self.vm.intern("return"), self.annotation(returns)?));
        }
        Ok(lowered.into())
    }

    /// Lowers a function or lambda: defaults in the current frame, the body in a new one.
    #[allow(clippy::too_many_arguments, reason = "def and lambda differ in each of these")]
    pub(super) fn make_function(
        &mut self,
        scope: ScopeId,
        name: &ast::Name,
        kind: CodeKind,
        params: &ast::Params,
        span: Span,
        body: impl FnOnce(&mut Self) -> Lowered<Box<[Stmt]>>,
        doc: Option<&str>,
    ) -> Lowered<MakeFunction> {
        let mut defaults = Vec::new();
        for param in params.positional_only.iter().chain(&params.positional) {
            if let Some(default) = &param.default {
                defaults.push(self.expr(default)?);
            }
        }
        let mut keyword_defaults = Vec::new();
        for param in &params.keyword_only {
            keyword_defaults.push(self.maybe(param.default.as_ref())?);
        }
        let qualname = self.qualname(name);
        self.frames.push(Frame::new(scope, qualname.clone()));
        let outer = std::mem::replace(&mut self.scope, scope);
        let mut cell_params = Vec::new();
        let names: Vec<ast::Name> = all_params(params).map(|p| p.name.name.clone()).collect();
        for name in names {
            let name = self.mangle(&name);
            let frame = self.frames.len() - 1;
            let slot = self.slot(frame, scope, &name);
            if self.scopes.symbol(scope, &name).is_captured {
                cell_params.push(slot);
            }
        }
        let yields = std::mem::take(&mut self.yields);
        let body = body(self)?;
        self.yields = yields;
        self.scope = outer;
        let frame = self.frames.pop().expect("the function's frame is there");
        let captures = self.captures(&frame);
        let code = Rc::new(Code {
            name: self.vm.intern(name),
            qualname: Str::new(&qualname),
            kind,
            source: self.source.clone(),
            span,
            params: code::Params {
                positional_only: params.positional_only.len(),
                positional: params.positional_only.len() + params.positional.len(),
                keyword_only: params.keyword_only.len(),
                rest: params.rest.is_some(),
                keywords: params.keywords.is_some(),
            },
            captured_slots: frame.captured.iter().map(|(_, slot)| *slot).collect(),
            slot_names: frame.slot_names.into(),
            cell_params: cell_params.into(),
            fresh_cells: frame.fresh_cells.into(),
            body,
            doc: doc.map(Str::new),
            is_generator: self.scopes.list[scope].first_yield.is_some(),
        });
        Ok(MakeFunction {
            code,
            captures,
            defaults: defaults.into(),
            keyword_defaults: keyword_defaults.into(),
            annotations: Box::default(),
            type_params: Box::default(),
        })
    }

    fn lambda(
        &mut self,
        node: &ast::Expr,
        params: &ast::Params,
        body: impl FnOnce(&mut Self) -> Lowered<Box<[Stmt]>>,
    ) -> Lowered<code::Expr> {
        let scope = self.scopes.of_node(node);
        let make =
            self.make_function(scope, &"<lambda>".into(), CodeKind::Lambda, params, node.span, body, None)?;
        Ok(code::Expr::Function(Box::new(make)))
    }

    /// Slots of the current frame whose cells an inner frame takes along.
    fn captures(&mut self, inner: &Frame) -> Box<[u32]> {
        let frame = self.frames.len() - 1;
        inner.captured.iter().map(|((owner, name), _)| self.slot(frame, *owner, name)).collect()
    }

    fn qualname(&mut self, name: &str) -> String {
        let outer = &self.frames[self.frames.len() - 1];
        let is_global = self.scopes.symbol(self.scope, &self.mangle(&name.into())).is_global;
        if outer.qualname.is_empty() || is_global {
            return name.to_string();
        }
        match self.scopes.list[outer.scope].kind {
            ScopeKind::Class => format!("{}.{name}", outer.qualname),
            _ => format!("{}.<locals>.{name}", outer.qualname),
        }
    }

    fn class_def(&mut self, def: &ast::ClassDef, span: Span, out: &mut Vec<Stmt>) -> Lowered<Stmt> {
        let decorators = self.decorators(&def.decorators)?;
        let target = self.name_target(&def.name.name);
        let outer = self.enter_type_params(&def.type_params, out)?;
        let lowered = self.generic_class(def);
        self.scope = outer;
        let (args, code, captures) = lowered?;
        let has_class_cell = self.scopes.symbol(self.scopes.of_node(def), CLASS_CELL).is_captured;
        let name = code.name.clone();
        let span = Span::new(span.start.max(def.name.span.start), def.name.span.end);
        Ok(Stmt::Class(Box::new(ClassStmt {
            has_class_cell,
            name,
            code,
            captures,
            args,
            decorators,
            target,
            span,
        })))
    }

    /// Arguments, body and captured slots of a class, in the scope of its type parameters.
    fn generic_class(&mut self, def: &ast::ClassDef) -> Lowered<(Box<[SpreadArg]>, Rc<Code>, Box<[u32]>)> {
        let args = self.spread_args(&def.args)?;
        let args = self.with_generic_base(args, def);
        let scope = self.scopes.of_node(def);
        let qualname = self.qualname(&def.name.name);
        let frame = self.class_frame(scope, qualname.clone());
        self.frames.push(frame);
        let outer = std::mem::replace(&mut self.scope, scope);
        let type_params = self.class_type_params(&def.type_params);
        self.classes.push(def.name.name.clone());
        let body = self.with_annotations(&def.body);
        self.classes.pop();
        self.scope = outer;
        let frame = self.frames.pop().expect("the class's frame is there");
        let body = type_params.into_iter().chain(body?).collect();
        let captures = self.captures(&frame);
        let code = Rc::new(Code {
            name: self.vm.intern(&def.name.name),
            qualname: Str::new(&qualname),
            kind: CodeKind::Class,
            source: self.source.clone(),
            span: def.name.span,
            params: Default::default(),
            captured_slots: frame.captured.iter().map(|(_, slot)| *slot).collect(),
            slot_names: frame.slot_names.into(),
            cell_params: Box::default(),
            fresh_cells: frame.fresh_cells.into(),
            body,
            doc: doc_of(&def.body).map(Str::new),
            is_generator: false,
        });
        Ok((args, code, captures))
    }

    // ---- targets ----

    fn target(&mut self, target: &ast::Expr) -> Lowered<Target> {
        Ok(match &target.kind {
            ExprKind::Name(name) => self.name_target(name),
            ExprKind::Attribute { value, name } => {
                Target::Attribute(Box::new(self.attribute(value, name, target.span)?))
            }
            ExprKind::Subscript { value, index } => {
                Target::Subscript(Box::new(self.subscript(value, index, target.span)?))
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => self.unpack(items, target.span)?,
            _ => return Err(SyntaxError::new("cannot assign to expression here", target.span)),
        })
    }

    fn unpack(&mut self, items: &[ast::Expr], span: Span) -> Lowered<Target> {
        let mut before = Vec::new();
        let mut star = None;
        for item in items {
            match (&item.kind, &mut star) {
                (ExprKind::Starred(inner), None) => star = Some((self.target(inner)?, Vec::new())),
                (ExprKind::Starred(_), Some(_)) => {
                    return Err(SyntaxError::new("multiple starred expressions in assignment", span));
                }
                (_, None) => before.push(self.target(item)?),
                (_, Some((_, after))) => {
                    let target = self.target(item)?;
                    after.push(target);
                }
            }
        }
        let star = star.map(|(target, after)| (target, after.into()));
        Ok(Target::Unpack(Box::new(Unpack { before: before.into(), star, span })))
    }

    fn attribute(&mut self, value: &ast::Expr, name: &ast::Ident, span: Span) -> Lowered<Attribute> {
        let mangled = self.mangle(&name.name);
        Ok(Attribute {
            object: self.expr(value)?,
            name: self.vm.intern(&mangled),
            span,
            cache: AttributeCache::default(),
        })
    }

    fn subscript(&mut self, value: &ast::Expr, index: &ast::Expr, span: Span) -> Lowered<Subscript> {
        Ok(Subscript { object: self.expr(value)?, index: self.expr(index)?, span })
    }

    // ---- expressions ----

    pub(super) fn maybe(&mut self, expr: Option<&ast::Expr>) -> Lowered<Option<code::Expr>> {
        expr.map(|e| self.expr(e)).transpose()
    }

    fn exprs(&mut self, exprs: &[ast::Expr]) -> Lowered<Box<[code::Expr]>> {
        exprs.iter().map(|e| self.expr(e)).collect()
    }

    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Lowered<code::Expr> {
        let span = expr.span;
        Ok(match &expr.kind {
            ExprKind::Name(name) => self.read(name, span),
            ExprKind::None => code::Expr::Const(Value::NONE),
            ExprKind::True => code::Expr::Const(Value::TRUE),
            ExprKind::False => code::Expr::Const(Value::FALSE),
            ExprKind::Ellipsis => code::Expr::Const(Value::ELLIPSIS),
            ExprKind::Int(value) => code::Expr::Const(Value::big(value.clone())),
            ExprKind::Float(value) => code::Expr::Const(Value::float(*value)),
            ExprKind::Imaginary(im) => code::Expr::Const(Ref::new(Complex { re: 0.0, im: *im }).into()),
            ExprKind::Str(text) => code::Expr::Const(self.string_constant(text)),
            ExprKind::Bytes(data) => code::Expr::Const(Value::bytes(data.to_vec())),
            ExprKind::FString(parts) => code::Expr::FString(self.fstring(parts)?),
            ExprKind::Tuple(items) => self.display(items, DisplayKind::Tuple, span)?,
            ExprKind::List(items) => self.display(items, DisplayKind::List, span)?,
            ExprKind::Set(items) => self.display(items, DisplayKind::Set, span)?,
            ExprKind::Dict(items) => self.dict(items, span)?,
            ExprKind::Unary { op, operand } => self.unary(*op, operand, span)?,
            ExprKind::Binary { op, left, right, .. } => self.binary(*op, left, right, span)?,
            ExprKind::Bool { op: BoolOp::And, values } => code::Expr::And(self.exprs(values)?),
            ExprKind::Bool { op: BoolOp::Or, values } => code::Expr::Or(self.exprs(values)?),
            ExprKind::Compare { left, rest } => self.compare(left, rest, span)?,
            ExprKind::Conditional { test, body, orelse } => {
                code::Expr::Conditional(Box::new(code::Conditional {
                    test: self.expr(test)?,
                    body: self.expr(body)?,
                    orelse: self.expr(orelse)?,
                }))
            }
            ExprKind::Lambda { params, body } => {
                self.lambda(expr, params, |l| Ok(Box::new([Stmt::Return(l.expr(body)?)])))?
            }
            ExprKind::GeneratorLambda { params, body } => self.lambda(expr, params, |l| l.block(body))?,
            ExprKind::Call { function, args } => self.call(function, args, span)?,
            ExprKind::Attribute { value, name } => {
                code::Expr::Attribute(Box::new(self.attribute(value, name, span)?))
            }
            ExprKind::Subscript { value, index } => {
                code::Expr::Subscript(Box::new(self.subscript(value, index, span)?))
            }
            ExprKind::Slice { lower, upper, step } => {
                let mut part = |e: &Option<Box<ast::Expr>>| match e {
                    Some(e) => self.expr(e),
                    None => Ok(code::Expr::Const(Value::NONE)),
                };
                code::Expr::Slice(Box::new([part(lower)?, part(upper)?, part(step)?]))
            }
            ExprKind::Starred(_) => {
                return Err(SyntaxError::new("can't use starred expression here", span));
            }
            ExprKind::Named { target, value } => {
                let value = self.expr(value)?;
                code::Expr::Named(Box::new((self.name_target(&target.name), value)))
            }
            ExprKind::Yield(_) | ExprKind::YieldFrom(_) => {
                return Err(SyntaxError::new("yield expression cannot be used within a type alias", span));
            }
            ExprKind::Await(_) => return Err(unsupported("await", span)),
            ExprKind::Generator { element, clauses } => self.generator(expr, element, clauses)?,
            ExprKind::ListComp { element, clauses } => {
                self.comprehension(expr, ComprehensionKind::List, element, None, clauses)?
            }
            ExprKind::SetComp { element, clauses } => {
                self.comprehension(expr, ComprehensionKind::Set, element, None, clauses)?
            }
            ExprKind::DictComp { key, value, clauses } => {
                self.comprehension(expr, ComprehensionKind::Dict, key, Some(value), clauses)?
            }
        })
    }

    fn string_constant(&mut self, text: &str) -> Value {
        let is_name_like = text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if is_name_like { self.vm.intern(text).into() } else { Value::str(text) }
    }

    fn display(&mut self, items: &[ast::Expr], kind: DisplayKind, span: Span) -> Lowered<code::Expr> {
        let has_star = items.iter().any(|item| matches!(item.kind, ExprKind::Starred(_)));
        if !has_star && kind != DisplayKind::Set {
            let items = self.exprs(items)?;
            if kind == DisplayKind::List {
                return Ok(code::Expr::List(items));
            }
            // A tuple of constants is a constant.
            if items.iter().all(|item| matches!(item, code::Expr::Const(_))) {
                let values = items.iter().map(|item| match item {
                    code::Expr::Const(value) => value.clone(),
                    _ => Value::NONE,
                });
                return Ok(code::Expr::Const(Value::tuple(values.collect())));
            }
            return Ok(code::Expr::Tuple(items));
        }
        let mut lowered = Vec::with_capacity(items.len());
        for item in items {
            lowered.push(match &item.kind {
                ExprKind::Starred(inner) => Item::Spread(self.expr(inner)?, item.span),
                _ => Item::One(self.expr(item)?),
            });
        }
        Ok(code::Expr::Display(Box::new(Display { kind, items: lowered.into(), span })))
    }

    fn dict(&mut self, items: &[ast::DictItem], span: Span) -> Lowered<code::Expr> {
        let mut lowered = Vec::with_capacity(items.len());
        for item in items {
            lowered.push(match item {
                ast::DictItem::Pair(key, value) => DictItem::Pair(self.expr(key)?, self.expr(value)?),
                ast::DictItem::Spread(e) => DictItem::Spread(self.expr(e)?),
            });
        }
        Ok(code::Expr::Dict(Box::new(DictDisplay { items: lowered.into(), span })))
    }

    fn unary(&mut self, op: UnaryOp, operand: &ast::Expr, span: Span) -> Lowered<code::Expr> {
        let operand = self.expr(operand)?;
        if op == UnaryOp::Not {
            return Ok(code::Expr::Not(Box::new(operand)));
        }
        if let (UnaryOp::Minus, code::Expr::Const(value)) = (op, &operand) {
            if let Some(negated) = value.as_int().and_then(i64::checked_neg) {
                return Ok(code::Expr::Const(Value::int(negated)));
            }
            if let Some(float) = value.as_float() {
                return Ok(code::Expr::Const(Value::float(-float)));
            }
        }
        Ok(code::Expr::Unary(Box::new(Unary { op, operand, span })))
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Lowered<code::Expr> {
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        if let (code::Expr::Const(a), code::Expr::Const(b)) = (&left, &right)
            && let Some(folded) = crate::eval::fold(op, a, b)
        {
            return Ok(code::Expr::Const(folded));
        }
        let node = Box::new(Binary { left, right, op, span });
        Ok(match op {
            BinaryOp::Add => code::Expr::Add(node),
            BinaryOp::Sub => code::Expr::Sub(node),
            BinaryOp::Mul => code::Expr::Mul(node),
            _ => code::Expr::Binary(node),
        })
    }

    fn compare(
        &mut self,
        left: &ast::Expr,
        rest: &[(CompareOp, ast::Expr)],
        span: Span,
    ) -> Lowered<code::Expr> {
        let left = self.expr(left)?;
        if let [(op, right)] = rest {
            let right = self.expr(right)?;
            return Ok(code::Expr::Compare(Box::new(Comparison { left, right, op: *op, span })));
        }
        let mut lowered = Vec::with_capacity(rest.len());
        for (op, right) in rest {
            lowered.push((*op, self.expr(right)?));
        }
        Ok(code::Expr::CompareChain(Box::new(CompareChain { first: left, rest: lowered.into(), span })))
    }

    fn call(&mut self, function: &ast::Expr, args: &[ast::Arg], span: Span) -> Lowered<code::Expr> {
        let is_plain = args.iter().all(|a| matches!(a, ast::Arg::Positional(_) | ast::Arg::Keyword(..)));
        if !is_plain {
            let function = self.expr(function)?;
            let args = self.spread_args(args)?;
            return Ok(code::Expr::SpreadCall(Box::new(SpreadCall { function, args, span })));
        }
        if let ExprKind::Attribute { value, name } = &function.kind {
            let mangled = self.mangle(&name.name);
            let object = self.expr(value)?;
            let (args, keywords) = self.plain_args(args)?;
            return Ok(code::Expr::MethodCall(Box::new(MethodCall {
                object,
                name: self.vm.intern(&mangled),
                args,
                keywords,
                span,
                attribute_span: function.span,
                cache: MethodCache::default(),
            })));
        }
        // `super()` without arguments is given its class and object.
        if let (ExprKind::Name(name), true) = (&function.kind, args.is_empty())
            && &**name == "super"
            && let Some(args) = self.super_args(span)
        {
            let function = self.expr(function)?;
            return Ok(code::Expr::Call(Box::new(Call { function, args, keywords: Box::default(), span })));
        }
        let function = self.expr(function)?;
        let (args, keywords) = self.plain_args(args)?;
        Ok(code::Expr::Call(Box::new(Call { function, args, keywords, span })))
    }

    /// `__class__` and the first parameter of the method around, if there is one.
    fn super_args(&mut self, span: Span) -> Option<Box<[code::Expr]>> {
        let class: ast::Name = CLASS_CELL.into();
        let Meaning::Variable(owner) = self.scopes.resolve(self.scope, &class) else { return None };
        if !self.scopes.is_class(owner) {
            return None;
        }
        let frame_scope = self.frames.last()?.scope;
        let first = self.frames.last()?.slot_names.first()?.clone();
        let first: ast::Name = first.as_str().into();
        if !self.scopes.symbol(frame_scope, &first).is_param {
            return None;
        }
        let class = self.read_variable(owner, &class, span);
        let object = self.read_variable(frame_scope, &first, span);
        Some(Box::new([class, object]))
    }

    #[allow(clippy::type_complexity, reason = "values and the names of the last of them")]
    fn plain_args(&mut self, args: &[ast::Arg]) -> Lowered<(Box<[code::Expr]>, Box<[Ref<Str>]>)> {
        let mut values = Vec::with_capacity(args.len());
        let mut keywords = Vec::new();
        for arg in args {
            match arg {
                ast::Arg::Positional(e) => values.push(self.expr(e)?),
                ast::Arg::Keyword(name, e) => {
                    values.push(self.expr(e)?);
                    keywords.push(self.vm.intern(&name.name));
                }
                ast::Arg::Spread(e) | ast::Arg::SpreadKeywords(e) => values.push(self.expr(e)?),
            }
        }
        Ok((values.into(), keywords.into()))
    }

    fn spread_args(&mut self, args: &[ast::Arg]) -> Lowered<Box<[SpreadArg]>> {
        let mut lowered = Vec::with_capacity(args.len());
        for arg in args {
            lowered.push(match arg {
                ast::Arg::Positional(e) => SpreadArg::Positional(self.expr(e)?),
                ast::Arg::Keyword(name, e) => SpreadArg::Keyword(self.vm.intern(&name.name), self.expr(e)?),
                ast::Arg::Spread(e) => SpreadArg::Spread(self.expr(e)?),
                ast::Arg::SpreadKeywords(e) => SpreadArg::SpreadKeywords(self.expr(e)?),
            });
        }
        Ok(lowered.into())
    }

    fn comprehension(
        &mut self,
        node: &ast::Expr,
        kind: ComprehensionKind,
        element: &ast::Expr,
        value: Option<&ast::Expr>,
        clauses: &[ast::Comprehension],
    ) -> Lowered<code::Expr> {
        let scope = self.scopes.of_node(node);
        let first_iter = self.expr(&clauses[0].iter)?;
        let outer = std::mem::replace(&mut self.scope, scope);
        let mut lowered = Vec::with_capacity(clauses.len());
        let mut first_iter = Some(first_iter);
        for clause in clauses {
            let iter = match first_iter.take() {
                Some(iter) => iter,
                None => self.expr(&clause.iter)?,
            };
            lowered.push(Clause {
                target: self.target(&clause.target)?,
                iter,
                iter_span: clause.iter.span,
                conditions: self.exprs(&clause.conditions)?,
            });
        }
        let element = self.expr(element)?;
        let value = self.maybe(value)?;
        self.scope = outer;
        let fresh_cells = self.fresh_cells(scope);
        Ok(code::Expr::Comprehension(Box::new(Comprehension {
            kind,
            element,
            value,
            clauses: lowered.into(),
            fresh_cells,
            span: node.span,
        })))
    }

    /// Slots of the captured variables of a scope without a frame, which need new cells each time it is entered.
    pub(super) fn fresh_cells(&mut self, scope: ScopeId) -> Box<[u32]> {
        let frame = self.frames.len() - 1;
        let mut captured: Vec<ast::Name> = self.scopes.list[scope]
            .symbols
            .iter()
            .filter(|(_, s)| s.is_captured)
            .map(|(name, _)| name.clone())
            .collect();
        captured.sort();
        captured.iter().map(|name| self.slot(frame, scope, name)).collect()
    }

    fn fstring(&mut self, parts: &[FStringPart]) -> Lowered<Box<[FStringPiece]>> {
        let mut lowered = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                FStringPart::Text(text) => lowered.push(FStringPiece::Text(text.clone())),
                FStringPart::Field { value, debug_text, conversion, spec } => {
                    if let Some(text) = debug_text {
                        lowered.push(FStringPiece::Text(text.clone()));
                    }
                    // `{x=}` shows the repr unless a conversion or spec says otherwise.
                    let conversion = match (conversion, debug_text, spec) {
                        (None, Some(_), None) => Some(Conversion::Repr),
                        (conversion, _, _) => *conversion,
                    };
                    let spec = match spec {
                        Some(parts) => Some(self.fstring(parts)?),
                        None => None,
                    };
                    let span = value.span;
                    let value = self.expr(value)?;
                    lowered.push(FStringPiece::Field { value, conversion, spec, span });
                }
            }
        }
        Ok(lowered.into())
    }
}

impl Frame {
    fn new(scope: ScopeId, qualname: String) -> Frame {
        Frame {
            scope,
            slot_names: Vec::new(),
            slots: HashMap::new(),
            captured: Vec::new(),
            fresh_cells: Vec::new(),
            qualname,
        }
    }
}

/// A compound statement with a `yield` inside, as generators run it.
fn resumable(stmt: Stmt) -> Stmt {
    Stmt::Resumable(Box::new(match stmt {
        Stmt::If(i) => Resumable::If(*i),
        Stmt::While(w) => Resumable::While(*w),
        Stmt::For(f) => Resumable::For(*f),
        Stmt::Try(t) => Resumable::Try(*t),
        Stmt::TryStar(t) => Resumable::TryStar(*t),
        Stmt::With(w) => Resumable::With(*w),
        Stmt::Match(m) => Resumable::Match(*m),
        other => return other,
    }))
}

/// An expression statement without effect: a doc string or another constant.
fn is_constant(expr: &ast::Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Str(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bytes(_)
            | ExprKind::None
            | ExprKind::True
            | ExprKind::False
            | ExprKind::Ellipsis
    )
}
