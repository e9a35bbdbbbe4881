//! Makes every `yield` a statement of its own, so that a generator can stop only between statements.
//!
//! `f(a, (yield b))` becomes `t0 = f; t1 = a; t2 = yield b; t0(t1, t2)`: what is evaluated before the
//! `yield` is kept in hidden variables, in order. Where evaluation is conditional (`and`, `or`,
//! `x if c else y`, comparison chains, loop tests) the expression becomes the `if` it means. Runs on the
//! syntax tree before scopes are analysed; hidden variables have names no script can write.

use crate::source::Span;
use crate::syntax::ast::*;

/// Lifts the yields of every function in a block.
pub fn module(body: &mut Vec<Stmt>) {
    let mut l = Lifter::default();
    l.nested_block(body);
}

/// Makes statements of the bodies of lambdas that yield.
pub fn lambdas(body: &mut [Stmt]) {
    for stmt in body {
        let mut exprs = Vec::new();
        exprs_of(&mut stmt.kind, &mut exprs);
        exprs.into_iter().for_each(lambdas_in);
        match &mut stmt.kind {
            StmtKind::FunctionDef(def) => lambdas(&mut def.body),
            kind => for_each_block(kind, &mut |block| lambdas(block)),
        }
    }
}

/// As [`lambdas`], of one expression.
pub fn lambdas_in(expr: &mut Expr) {
    let mut parts = Vec::new();
    children_of(&mut expr.kind, &mut parts);
    parts.into_iter().for_each(lambdas_in);
    match &mut expr.kind {
        ExprKind::ListComp { element, clauses }
        | ExprKind::SetComp { element, clauses }
        | ExprKind::Generator { element, clauses } => {
            lambdas_in(element);
            clauses.iter_mut().for_each(lambdas_in_clause);
        }
        ExprKind::DictComp { key, value, clauses } => {
            lambdas_in(key);
            lambdas_in(value);
            clauses.iter_mut().for_each(lambdas_in_clause);
        }
        ExprKind::Lambda { params, body } => {
            lambdas_in(body);
            if yields(body) {
                let span = body.span;
                let empty = Expr { kind: ExprKind::None, span, depth: 0 };
                let value = std::mem::replace(&mut **body, empty);
                let body = Lifter::default().block(vec![Stmt { kind: StmtKind::Return(Some(value)), span }]);
                let params = std::mem::take(params);
                expr.kind = ExprKind::GeneratorLambda { params, body };
            }
        }
        _ => {}
    }
}

fn lambdas_in_clause(clause: &mut Comprehension) {
    lambdas_in(&mut clause.iter);
    clause.conditions.iter_mut().for_each(lambdas_in);
}

/// The expressions of a statement itself, not of the blocks in it.
fn exprs_of<'a>(kind: &'a mut StmtKind, out: &mut Vec<&'a mut Expr>) {
    match kind {
        StmtKind::Expr(e) | StmtKind::Return(Some(e)) => out.push(e),
        StmtKind::Assign { targets, value } => {
            out.extend(targets);
            out.push(value);
        }
        StmtKind::AugAssign { target, value, .. } => out.extend([target, value]),
        StmtKind::AnnAssign { target, value, .. } => {
            out.push(target);
            out.extend(value);
        }
        StmtKind::Delete(targets) => out.extend(targets),
        StmtKind::Assert { test, message } => {
            out.push(test);
            out.extend(message);
        }
        StmtKind::Raise { exception, cause } => out.extend(exception.iter_mut().chain(cause)),
        StmtKind::If { branches, .. } => out.extend(branches.iter_mut().map(|(test, _)| test)),
        StmtKind::While { test, .. } => out.push(test),
        StmtKind::For { target, iter, .. } => out.extend([target, iter]),
        StmtKind::With { items, .. } => out.extend(items.iter_mut().map(|item| &mut item.context)),
        StmtKind::Try { handlers, .. } => {
            out.extend(handlers.iter_mut().filter_map(|h| h.exception.as_mut()))
        }
        StmtKind::Match { subject, cases } => {
            out.push(subject);
            out.extend(cases.iter_mut().filter_map(|case| case.guard.as_mut()));
        }
        StmtKind::FunctionDef(def) => {
            out.extend(&mut def.decorators);
            let (mut defaults, mut annotations) = (Vec::new(), Vec::new());
            for param in params_of(&mut def.params) {
                defaults.extend(&mut param.default);
                annotations.extend(&mut param.annotation);
            }
            out.extend(defaults);
            out.extend(annotations);
            out.extend(&mut def.returns);
        }
        StmtKind::ClassDef(def) => {
            out.extend(&mut def.decorators);
            out.extend(def.args.iter_mut().map(value_of_arg));
        }
        _ => {}
    }
}

fn value_of_arg(arg: &mut Arg) -> &mut Expr {
    match arg {
        Arg::Positional(e) | Arg::Keyword(_, e) | Arg::Spread(e) | Arg::SpreadKeywords(e) => e,
    }
}

fn params_of(params: &mut Params) -> impl Iterator<Item = &mut Param> {
    let all = params.positional_only.iter_mut().chain(&mut params.positional).chain(&mut params.rest);
    all.chain(&mut params.keyword_only).chain(&mut params.keywords)
}

/// Defaults and annotations, for reading.
fn outsides(params: &Params) -> impl Iterator<Item = &Expr> {
    let all = params.positional_only.iter().chain(&params.positional).chain(&params.rest);
    let all = all.chain(&params.keyword_only).chain(&params.keywords);
    all.flat_map(|param| param.default.iter().chain(&param.annotation))
}

fn defaults_of(params: &mut Params) -> impl Iterator<Item = &mut Expr> {
    let all = params.positional_only.iter_mut().chain(&mut params.positional).chain(&mut params.keyword_only);
    all.filter_map(|param| param.default.as_mut())
}

#[derive(Default)]
struct Lifter {
    temporaries: usize,
}

impl Lifter {
    /// A block outside any generator: only looks for functions.
    fn nested_block(&mut self, body: &mut Vec<Stmt>) {
        for stmt in body {
            match &mut stmt.kind {
                StmtKind::FunctionDef(def) => {
                    if block_yields(&def.body) {
                        let body = std::mem::take(&mut def.body);
                        def.body = self.block(body);
                    } else {
                        self.nested_block(&mut def.body);
                    }
                }
                _ => for_each_block(&mut stmt.kind, &mut |block| self.nested_block(block)),
            }
        }
    }

    fn block(&mut self, body: Vec<Stmt>) -> Vec<Stmt> {
        let mut out = Vec::with_capacity(body.len());
        for stmt in body {
            self.stmt(stmt, &mut out);
        }
        out
    }

    fn stmt(&mut self, mut stmt: Stmt, out: &mut Vec<Stmt>) {
        let span = stmt.span;
        match &mut stmt.kind {
            // Already statements of their own.
            StmtKind::Expr(Expr { kind: ExprKind::Yield(_) | ExprKind::YieldFrom(_), .. }) => {
                if let StmtKind::Expr(value) = &mut stmt.kind {
                    self.operand_of_yield(value, out);
                }
            }
            StmtKind::Assign { value, targets } if is_yield(value) && !targets.iter().any(yields) => {
                self.operand_of_yield(value, out);
                if targets.len() > 1 {
                    self.take(value, out);
                }
            }
            StmtKind::Expr(e) => self.expr(e, out),
            StmtKind::Assign { targets, value } => {
                self.expr(value, out);
                if targets.iter().any(yields) {
                    self.keep(value, out);
                    // Each target is assigned before the next one is looked at.
                    for mut target in std::mem::take(targets) {
                        self.expr(&mut target, out);
                        let value = value.clone();
                        out.push(Stmt { kind: StmtKind::Assign { targets: vec![target], value }, span });
                    }
                    return;
                }
            }
            StmtKind::AugAssign { target, value, .. } if yields(value) => {
                // The target is read before the value makes the function stop.
                self.aug_target(target, out);
                let mut sum = target.clone();
                self.take(&mut sum, out);
                let place = std::mem::replace(target, sum);
                self.expr(value, out);
                let result = target.clone();
                out.push(stmt);
                out.push(Stmt { kind: StmtKind::Assign { targets: vec![place], value: result }, span });
                return;
            }
            StmtKind::AugAssign { target, .. } => {
                if yields(target) {
                    self.aug_target(target, out);
                }
            }
            StmtKind::AnnAssign { value: Some(value), .. } => self.expr(value, out),
            StmtKind::Return(Some(value)) => self.expr(value, out),
            StmtKind::Delete(targets) => targets.iter_mut().for_each(|t| self.expr(t, out)),
            StmtKind::Assert { test, message } => {
                let mut all: Vec<&mut Expr> = std::iter::once(test).chain(message).collect();
                self.in_order(&mut all, out);
            }
            StmtKind::Raise { exception, cause } => {
                let mut all: Vec<&mut Expr> = exception.iter_mut().chain(cause).collect();
                self.in_order(&mut all, out);
            }
            StmtKind::If { .. } => return self.if_stmt(stmt, out),
            StmtKind::While { test, body, orelse } => {
                let lifted = self.block(std::mem::take(body));
                *orelse = self.block(std::mem::take(orelse));
                if yields(test) {
                    self.while_test(test, lifted, body, out, span);
                } else {
                    *body = lifted;
                }
            }
            StmtKind::For { target, iter, body, orelse, .. } => {
                self.expr(iter, out);
                self.late_target(target, body);
                *body = self.block(std::mem::take(body));
                *orelse = self.block(std::mem::take(orelse));
            }
            StmtKind::With { items, body, .. } => {
                let has_yielding_target = |item: &WithItem| item.target.as_ref().is_some_and(yields);
                let late = items.iter().skip(1).position(|item| yields(&item.context));
                let late =
                    items.iter().position(has_yielding_target).or(late).filter(|late| late + 1 < items.len());
                if let Some(late) = late {
                    // Managers after one that yields are entered inside it.
                    let rest = items.split_off(late + 1);
                    let inner = StmtKind::With { items: rest, body: std::mem::take(body), is_async: false };
                    body.push(Stmt { kind: inner, span });
                }
                if let Some(target) = items.last_mut().and_then(|item| item.target.as_mut()) {
                    self.late_target(target, body);
                }
                *body = self.block(std::mem::take(body));
                if let Some(first) = items.first_mut() {
                    self.expr(&mut first.context, out);
                }
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject, out);
                if let Some(late) = cases.iter().position(|case| case.guard.as_ref().is_some_and(yields)) {
                    let rest = self.guard(subject, cases, late, out, span);
                    for case in cases.iter_mut() {
                        case.body = self.block(std::mem::take(&mut case.body));
                    }
                    out.push(stmt);
                    return self.stmt(rest, out);
                }
                for case in cases {
                    case.body = self.block(std::mem::take(&mut case.body));
                }
            }
            StmtKind::Try { handlers, is_star, .. }
                if handlers.iter().any(|handler| handler.exception.as_ref().is_some_and(yields)) =>
            {
                self.handler_types(handlers, is_star, span);
                return self.stmt(stmt, out);
            }
            StmtKind::FunctionDef(_) | StmtKind::ClassDef(_) => {
                let mut all = Vec::new();
                exprs_of(&mut stmt.kind, &mut all);
                self.in_order(&mut all, out);
                let mut one = vec![stmt];
                self.nested_block(&mut one);
                out.append(&mut one);
                return;
            }
            kind => for_each_block(kind, &mut |block| {
                let body = std::mem::take(block);
                *block = self.block(body);
            }),
        }
        out.push(stmt);
    }

    /// A target that yields is assigned in the block that follows.
    fn late_target(&mut self, target: &mut Expr, body: &mut Vec<Stmt>) {
        if !yields(target) {
            return;
        }
        let (name, span) = (self.temporary(), target.span);
        let real = std::mem::replace(target, read(&name, span));
        let kind = StmtKind::Assign { targets: vec![real], value: read(&name, span) };
        body.insert(0, Stmt { kind, span });
    }

    /// A handler whose class yields becomes `except: t = class; try: raise; except t: ...`. As `except*` has no
    /// handler for everything, all its classes are evaluated in one around it.
    fn handler_types(&mut self, handlers: &mut Vec<Handler>, is_star: &mut bool, span: Span) {
        let late = match *is_star {
            true => Some(0),
            false => handlers.iter().position(|handler| handler.exception.as_ref().is_some_and(yields)),
        };
        let mut rest = handlers.split_off(late.unwrap_or(0));
        let mut body = Vec::new();
        let count = if *is_star { rest.len() } else { 1 };
        for class in rest.iter_mut().take(count).filter_map(|handler| handler.exception.as_mut()) {
            let name = self.temporary();
            let value = std::mem::replace(class, read(&name, span));
            body.push(assign(&name, value));
        }
        let again = Stmt { kind: StmtKind::Raise { exception: None, cause: None }, span };
        let kind = StmtKind::Try {
            body: vec![again],
            handlers: rest,
            orelse: Vec::new(),
            finally: Vec::new(),
            is_star: std::mem::take(is_star),
        };
        body.push(Stmt { kind, span });
        handlers.push(Handler { exception: None, name: None, body, span });
    }

    /// A guard that yields is tested in the block of its case. What comes after it, to be tried if no case up to
    /// it has done its work.
    fn guard(
        &mut self,
        subject: &mut Expr,
        cases: &mut Vec<MatchCase>,
        late: usize,
        out: &mut Vec<Stmt>,
        span: Span,
    ) -> Stmt {
        let name = self.temporary();
        out.push(assign(&name, std::mem::replace(subject, read(&name, span))));
        let again = read(&name, span);
        let is_done = self.temporary();
        out.push(assign(&is_done, expr(ExprKind::False, span)));
        let rest = cases.split_off(late + 1);
        for case in cases.iter_mut() {
            case.body.insert(0, assign(&is_done, expr(ExprKind::True, span)));
        }
        if let Some(case) = cases.last_mut()
            && let Some(test) = case.guard.take()
        {
            let branches = vec![(test, std::mem::take(&mut case.body))];
            case.body.push(Stmt { kind: StmtKind::If { branches, orelse: Vec::new() }, span });
        }
        let operand = Box::new(read(&is_done, span));
        let test = expr(ExprKind::Unary { op: UnaryOp::Not, operand }, span);
        let body = match rest.is_empty() {
            true => Vec::new(),
            false => vec![Stmt { kind: StmtKind::Match { subject: again, cases: rest }, span }],
        };
        Stmt { kind: StmtKind::If { branches: vec![(test, body)], orelse: Vec::new() }, span }
    }

    /// Lifts the blocks of an `if`, then its tests.
    fn if_stmt(&mut self, mut stmt: Stmt, out: &mut Vec<Stmt>) {
        let StmtKind::If { branches, orelse } = &mut stmt.kind else { return };
        *orelse = self.block(std::mem::take(orelse));
        for (_, body) in branches.iter_mut() {
            *body = self.block(std::mem::take(body));
        }
        self.if_tests(stmt, out);
    }

    /// `if`/`elif` whose later tests yield become nested; the blocks are lifted already.
    fn if_tests(&mut self, mut stmt: Stmt, out: &mut Vec<Stmt>) {
        let StmtKind::If { branches, orelse } = &mut stmt.kind else { return };
        if let Some(late) = branches.iter().skip(1).position(|(test, _)| yields(test)) {
            let rest = branches.split_off(late + 1);
            let inner = Stmt {
                kind: StmtKind::If { branches: rest, orelse: std::mem::take(orelse) },
                span: stmt.span,
            };
            self.if_tests(inner, orelse);
        }
        self.expr(&mut branches[0].0, out);
        out.push(stmt);
    }

    /// `while test: body` becomes `t = True; while t: t = test; if t: body`.
    fn while_test(
        &mut self,
        test: &mut Expr,
        lifted: Vec<Stmt>,
        body: &mut Vec<Stmt>,
        out: &mut Vec<Stmt>,
        span: Span,
    ) {
        let name = self.temporary();
        out.push(assign(&name, expr(ExprKind::True, test.span)));
        let mut turn = Vec::new();
        let mut real = std::mem::replace(test, read(&name, test.span));
        self.expr(&mut real, &mut turn);
        turn.push(assign(&name, real));
        let branches = vec![(read(&name, span), lifted)];
        turn.push(Stmt { kind: StmtKind::If { branches, orelse: Vec::new() }, span });
        *body = turn;
    }

    /// Objects and indexes of an augmented target are evaluated once, before the value.
    fn aug_target(&mut self, target: &mut Expr, out: &mut Vec<Stmt>) {
        match &mut target.kind {
            ExprKind::Attribute { value, .. } => {
                self.expr(value, out);
                self.keep(value, out);
            }
            ExprKind::Subscript { value, index } => {
                self.expr(value, out);
                self.keep(value, out);
                self.expr(index, out);
                self.keep(index, out);
            }
            _ => {}
        }
    }

    fn temporary(&mut self) -> Name {
        self.temporaries += 1;
        format!(".y{}", self.temporaries).into()
    }

    /// Evaluates an expression into a hidden variable and puts the variable in its place.
    fn take(&mut self, e: &mut Expr, out: &mut Vec<Stmt>) {
        let name = self.temporary();
        let span = e.span;
        let value = std::mem::replace(e, read(&name, span));
        out.push(assign(&name, value));
    }

    /// As `take`, unless the expression is a constant.
    fn keep(&mut self, e: &mut Expr, out: &mut Vec<Stmt>) {
        match &mut e.kind {
            ExprKind::None
            | ExprKind::True
            | ExprKind::False
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Bytes(_)
            | ExprKind::Ellipsis => {}
            ExprKind::Starred(inner) => self.keep(inner, out),
            ExprKind::Slice { lower, upper, step } => {
                for part in [lower, upper, step].into_iter().flatten() {
                    self.keep(part, out);
                }
            }
            _ => self.take(e, out),
        }
    }

    /// The value a `yield` hands out.
    fn operand_of_yield(&mut self, e: &mut Expr, out: &mut Vec<Stmt>) {
        match &mut e.kind {
            ExprKind::Yield(Some(value)) | ExprKind::YieldFrom(value) => self.expr(value, out),
            _ => {}
        }
    }

    /// Expressions evaluated one after the other: all before the last that yields are kept.
    fn in_order(&mut self, all: &mut [&mut Expr], out: &mut Vec<Stmt>) {
        let Some(last) = all.iter().rposition(|e| yields(e)) else { return };
        for e in &mut all[..last] {
            self.expr(e, out);
            self.keep(e, out);
        }
        self.expr(all[last], out);
    }

    fn expr(&mut self, e: &mut Expr, out: &mut Vec<Stmt>) {
        if !yields(e) {
            return;
        }
        let span = e.span;
        match &mut e.kind {
            ExprKind::Yield(_) | ExprKind::YieldFrom(_) => {
                self.operand_of_yield(e, out);
                self.take(e, out);
            }
            ExprKind::Bool { op, values } => {
                let (op, values) = (*op, std::mem::take(values));
                let name = self.temporary();
                self.bool_chain(&name, op, values, out, span);
                *e = read(&name, span);
            }
            ExprKind::Conditional { test, body, orelse } => {
                self.expr(test, out);
                let name = self.temporary();
                let branch = |l: &mut Self, value: &mut Expr| {
                    let mut block = Vec::new();
                    l.expr(value, &mut block);
                    let value = std::mem::replace(value, expr(ExprKind::None, span));
                    block.push(assign(&name, value));
                    block
                };
                let yes = branch(self, body);
                let no = branch(self, orelse);
                let test = std::mem::replace(&mut **test, expr(ExprKind::None, span));
                out.push(Stmt { kind: StmtKind::If { branches: vec![(test, yes)], orelse: no }, span });
                *e = read(&name, span);
            }
            ExprKind::Compare { left, rest } if rest.len() > 1 => {
                let left = std::mem::replace(&mut **left, expr(ExprKind::None, span));
                let rest = std::mem::take(rest);
                let name = self.temporary();
                self.compare_chain(&name, left, rest, out, span);
                *e = read(&name, span);
            }
            kind => {
                let mut children: Vec<&mut Expr> = Vec::new();
                children_of(kind, &mut children);
                self.in_order(&mut children, out);
            }
        }
    }

    /// `t = first; if t (or not t): t = ...`
    fn bool_chain(&mut self, name: &Name, op: BoolOp, values: Vec<Expr>, out: &mut Vec<Stmt>, span: Span) {
        let mut values = values.into_iter();
        let Some(mut first) = values.next() else { return };
        self.expr(&mut first, out);
        out.push(assign(name, first));
        let rest: Vec<Expr> = values.collect();
        if rest.is_empty() {
            return;
        }
        let mut block = Vec::new();
        self.bool_chain(name, op, rest, &mut block, span);
        let test = match op {
            BoolOp::And => read(name, span),
            BoolOp::Or => {
                expr(ExprKind::Unary { op: UnaryOp::Not, operand: Box::new(read(name, span)) }, span)
            }
        };
        out.push(Stmt { kind: StmtKind::If { branches: vec![(test, block)], orelse: Vec::new() }, span });
    }

    /// `l = left; r = right; t = l op r; if t: ...`
    fn compare_chain(
        &mut self,
        name: &Name,
        mut left: Expr,
        mut rest: Vec<(CompareOp, Expr)>,
        out: &mut Vec<Stmt>,
        span: Span,
    ) {
        self.expr(&mut left, out);
        self.keep(&mut left, out);
        let (op, mut right) = rest.remove(0);
        self.expr(&mut right, out);
        let is_last = rest.is_empty();
        let again = if is_last {
            None
        } else {
            self.take(&mut right, out);
            match &right.kind {
                ExprKind::Name(kept) => Some(read(kept, right.span)),
                _ => None,
            }
        };
        let compare = ExprKind::Compare { left: Box::new(left), rest: vec![(op, right)] };
        out.push(assign(name, expr(compare, span)));
        if let Some(next) = again {
            let mut block = Vec::new();
            self.compare_chain(name, next, rest, &mut block, span);
            let branches = vec![(read(name, span), block)];
            out.push(Stmt { kind: StmtKind::If { branches, orelse: Vec::new() }, span });
        }
    }
}

fn expr(kind: ExprKind, span: Span) -> Expr {
    Expr { kind, span, depth: 1 }
}

fn read(name: &Name, span: Span) -> Expr {
    expr(ExprKind::Name(name.clone()), span)
}

fn assign(name: &Name, value: Expr) -> Stmt {
    let span = value.span;
    Stmt { kind: StmtKind::Assign { targets: vec![read(name, span)], value }, span }
}

fn is_yield(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Yield(_) | ExprKind::YieldFrom(_))
}

/// Whether evaluating the expression may yield (functions inside it do not count).
fn yields(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Yield(_) | ExprKind::YieldFrom(_) => true,
        ExprKind::Lambda { params, .. } | ExprKind::GeneratorLambda { params, .. } => {
            let all = params.positional_only.iter().chain(&params.positional).chain(&params.keyword_only);
            all.filter_map(|p| p.default.as_ref()).any(yields)
        }
        ExprKind::ListComp { clauses, .. }
        | ExprKind::SetComp { clauses, .. }
        | ExprKind::Generator { clauses, .. }
        | ExprKind::DictComp { clauses, .. } => clauses.first().is_some_and(|c| yields(&c.iter)),
        kind => {
            let mut found = false;
            each_child(kind, &mut |child| found = found || yields(child));
            found
        }
    }
}

fn block_yields(body: &[Stmt]) -> bool {
    body.iter().any(stmt_yields)
}

fn stmt_yields(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Expr(e) | StmtKind::Return(Some(e)) => yields(e),
        StmtKind::Assign { targets, value } => yields(value) || targets.iter().any(yields),
        StmtKind::AugAssign { target, value, .. } => yields(value) || yields(target),
        StmtKind::AnnAssign { value, .. } => value.as_ref().is_some_and(yields),
        StmtKind::Delete(targets) => targets.iter().any(yields),
        StmtKind::Assert { test, message } => yields(test) || message.as_ref().is_some_and(yields),
        StmtKind::Raise { exception, cause } => exception.iter().chain(cause).any(yields),
        StmtKind::If { branches, orelse } => {
            branches.iter().any(|(test, body)| yields(test) || block_yields(body)) || block_yields(orelse)
        }
        StmtKind::While { test, body, orelse } => yields(test) || block_yields(body) || block_yields(orelse),
        StmtKind::For { target, iter, body, orelse, .. } => {
            yields(iter) || yields(target) || block_yields(body) || block_yields(orelse)
        }
        StmtKind::With { items, body, .. } => {
            items.iter().any(|i| yields(&i.context) || i.target.as_ref().is_some_and(yields))
                || block_yields(body)
        }
        StmtKind::Try { body, handlers, orelse, finally, .. } => {
            block_yields(body)
                || handlers.iter().any(|h| block_yields(&h.body) || h.exception.as_ref().is_some_and(yields))
                || block_yields(orelse)
                || block_yields(finally)
        }
        StmtKind::Match { subject, cases } => {
            let case_yields =
                |case: &MatchCase| block_yields(&case.body) || case.guard.as_ref().is_some_and(yields);
            yields(subject) || cases.iter().any(case_yields)
        }
        StmtKind::FunctionDef(def) => {
            def.decorators.iter().any(yields) || outsides(&def.params).chain(&def.returns).any(yields)
        }
        StmtKind::ClassDef(def) => {
            let value = |arg: &Arg| match arg {
                Arg::Positional(e) | Arg::Keyword(_, e) | Arg::Spread(e) | Arg::SpreadKeywords(e) => {
                    yields(e)
                }
            };
            def.decorators.iter().any(yields) || def.args.iter().any(value)
        }
        _ => false,
    }
}

/// The blocks inside a statement, those of a class body included and of a function not.
fn for_each_block(kind: &mut StmtKind, visit: &mut dyn FnMut(&mut Vec<Stmt>)) {
    match kind {
        StmtKind::If { branches, orelse } => {
            branches.iter_mut().for_each(|(_, body)| visit(body));
            visit(orelse);
        }
        StmtKind::While { body, orelse, .. } | StmtKind::For { body, orelse, .. } => {
            visit(body);
            visit(orelse);
        }
        StmtKind::With { body, .. } => visit(body),
        StmtKind::Try { body, handlers, orelse, finally, .. } => {
            visit(body);
            handlers.iter_mut().for_each(|h| visit(&mut h.body));
            visit(orelse);
            visit(finally);
        }
        StmtKind::Match { cases, .. } => cases.iter_mut().for_each(|c| visit(&mut c.body)),
        StmtKind::ClassDef(def) => visit(&mut def.body),
        _ => {}
    }
}

/// The operands of an expression, in order of evaluation.
fn children_of<'a>(kind: &'a mut ExprKind, out: &mut Vec<&'a mut Expr>) {
    match kind {
        ExprKind::FString(parts) => fstring_children(parts, out),
        ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Set(items) => out.extend(items.iter_mut()),
        ExprKind::Dict(items) => {
            for item in items {
                match item {
                    DictItem::Pair(key, value) => out.extend([key, value]),
                    DictItem::Spread(e) => out.push(e),
                }
            }
        }
        ExprKind::Unary { operand, .. } => out.push(operand),
        ExprKind::Binary { left, right, .. } => out.extend([&mut **left, &mut **right]),
        ExprKind::Bool { values, .. } => out.extend(values.iter_mut()),
        ExprKind::Compare { left, rest } => {
            out.push(left);
            out.extend(rest.iter_mut().map(|(_, e)| e));
        }
        ExprKind::Conditional { test, body, orelse } => out.extend([&mut **test, &mut **body, &mut **orelse]),
        ExprKind::Call { function, args } => {
            // `object.method(...)` keeps its shape: the object is what is evaluated first.
            if matches!(function.kind, ExprKind::Attribute { .. }) {
                if let ExprKind::Attribute { value, .. } = &mut function.kind {
                    out.push(value);
                }
            } else {
                out.push(function);
            }
            out.extend(args.iter_mut().map(value_of_arg));
        }
        ExprKind::Attribute { value, .. } => out.push(value),
        ExprKind::Subscript { value, index } => out.extend([&mut **value, &mut **index]),
        ExprKind::Slice { lower, upper, step } => {
            out.extend([lower, upper, step].into_iter().flatten().map(|e| &mut **e));
        }
        ExprKind::Starred(e) | ExprKind::Await(e) | ExprKind::YieldFrom(e) => out.push(e),
        ExprKind::Yield(Some(e)) => out.push(e),
        ExprKind::Named { value, .. } => out.push(value),
        ExprKind::ListComp { clauses, .. }
        | ExprKind::SetComp { clauses, .. }
        | ExprKind::Generator { clauses, .. }
        | ExprKind::DictComp { clauses, .. } => out.extend(clauses.first_mut().map(|c| &mut c.iter)),
        ExprKind::Lambda { params, .. } | ExprKind::GeneratorLambda { params, .. } => {
            out.extend(defaults_of(params));
        }
        _ => {}
    }
}

fn fstring_children<'a>(parts: &'a mut [FStringPart], out: &mut Vec<&'a mut Expr>) {
    for part in parts {
        if let FStringPart::Field { value, spec, .. } = part {
            out.push(value);
            if let Some(spec) = spec {
                fstring_children(spec, out);
            }
        }
    }
}

/// As `children_of`, for reading.
fn each_child(kind: &ExprKind, visit: &mut dyn FnMut(&Expr)) {
    match kind {
        ExprKind::FString(parts) => each_fstring_child(parts, visit),
        ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Set(items) => items.iter().for_each(visit),
        ExprKind::Dict(items) => {
            for item in items {
                match item {
                    DictItem::Pair(key, value) => {
                        visit(key);
                        visit(value);
                    }
                    DictItem::Spread(e) => visit(e),
                }
            }
        }
        ExprKind::Unary { operand, .. } => visit(operand),
        ExprKind::Binary { left, right, .. } => {
            visit(left);
            visit(right);
        }
        ExprKind::Bool { values, .. } => values.iter().for_each(visit),
        ExprKind::Compare { left, rest } => {
            visit(left);
            rest.iter().for_each(|(_, e)| visit(e));
        }
        ExprKind::Conditional { test, body, orelse } => {
            [test, body, orelse].into_iter().for_each(|e| visit(e))
        }
        ExprKind::Call { function, args } => {
            visit(function);
            for arg in args {
                match arg {
                    Arg::Positional(e) | Arg::Keyword(_, e) | Arg::Spread(e) | Arg::SpreadKeywords(e) => {
                        visit(e)
                    }
                }
            }
        }
        ExprKind::Subscript { value, index } => {
            visit(value);
            visit(index);
        }
        ExprKind::Slice { lower, upper, step } => {
            [lower, upper, step].into_iter().flatten().for_each(|e| visit(e));
        }
        ExprKind::Attribute { value, .. } | ExprKind::Named { value, .. } => visit(value),
        ExprKind::Starred(e) | ExprKind::Await(e) => visit(e),
        _ => {}
    }
}

fn each_fstring_child(parts: &[FStringPart], visit: &mut dyn FnMut(&Expr)) {
    for part in parts {
        if let FStringPart::Field { value, spec, .. } = part {
            visit(value);
            if let Some(spec) = spec {
                each_fstring_child(spec, visit);
            }
        }
    }
}
