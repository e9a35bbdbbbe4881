//! The syntax tree of a text as objects: instances of the classes that `stdlib/_ast.zpy` defines.
//!
//! One small function for each kind of node; `node` makes the object. Whether a name is read, bound or
//! deleted, which Python writes into the node, follows from where it stands: `target` converts what is
//! bound or deleted, `expr` all else.

use super::classes::Classes;
use super::fstring;
use super::places::Places;
use crate::eval::Vm;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::Token;
use crate::value::int::Complex;
use crate::value::{Instance, Ref, Value};
use std::rc::Rc;

pub struct Converter<'v> {
    pub vm: &'v mut Vm,
    pub classes: Rc<Classes>,
    pub places: Places,
}

/// Names of contexts.
pub const LOAD: &str = "Load";
pub const STORE: &str = "Store";
pub const DELETE: &str = "Del";

impl Converter<'_> {
    // ---- making objects ----

    /// A node without a place.
    pub fn plain(&mut self, class: &str, fields: &[(&str, Value)]) -> Value {
        let Some(class) = self.classes.get(class) else { return Value::NONE };
        let instance = Instance::new(class);
        let attributes = instance.attributes();
        for (name, value) in fields {
            attributes.set_str(&self.vm.intern(name), value.clone());
        }
        instance.into()
    }

    pub fn node(&mut self, class: &str, fields: &[(&str, Value)], span: Span) -> Value {
        let made = self.plain(class, fields);
        let (line, column) = self.places.line_and_column(span.start);
        let (end_line, end_column) = self.places.line_and_column(span.end);
        let place = [
            ("lineno", line),
            ("col_offset", column),
            ("end_lineno", end_line),
            ("end_col_offset", end_column),
        ];
        if let Some(instance) = made.get::<Instance>() {
            for (name, value) in place {
                instance.attributes().set_str(&self.vm.intern(name), Value::size(value));
            }
        }
        made
    }

    /// The one node of an operator or context.
    pub fn single(&mut self, class: &'static str) -> Value {
        self.classes.single(class)
    }

    fn list<T>(&mut self, items: &[T], mut convert: impl FnMut(&mut Self, &T) -> Value) -> Value {
        Value::list(items.iter().map(|item| convert(self, item)).collect())
    }

    fn exprs(&mut self, items: &[Expr]) -> Value {
        self.list(items, |this, item| this.expr(item))
    }

    fn optional(&mut self, value: Option<&Expr>) -> Value {
        value.map_or(Value::NONE, |value| self.expr(value))
    }

    // ---- the whole ----

    pub fn module(&mut self, module: &Module) -> Value {
        let body = self.block(&module.body);
        self.plain("Module", &[("body", body), ("type_ignores", Value::list(Vec::new()))])
    }

    pub fn interactive(&mut self, module: &Module) -> Value {
        let body = self.block(&module.body);
        self.plain("Interactive", &[("body", body)])
    }

    pub fn expression(&mut self, value: &Expr) -> Value {
        let body = self.expr(value);
        self.plain("Expression", &[("body", body)])
    }

    // ---- statements ----

    fn block(&mut self, body: &[Stmt]) -> Value {
        self.list(body, |this, statement| this.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt) -> Value {
        let span = statement.span;
        let none = || ("type_comment", Value::NONE);
        match &statement.kind {
            StmtKind::Expr(value) => {
                let value = self.expr(value);
                self.node("Expr", &[("value", value)], span)
            }
            StmtKind::Assign { targets, value } => {
                let targets = self.list(targets, |this, target| this.target(target, STORE));
                let value = self.expr(value);
                self.node("Assign", &[("targets", targets), ("value", value), none()], span)
            }
            StmtKind::AugAssign { target, op, value } => {
                let (target, op) = (self.target(target, STORE), self.single(operator(*op)));
                let value = self.expr(value);
                self.node("AugAssign", &[("target", target), ("op", op), ("value", value)], span)
            }
            StmtKind::AnnAssign { target, annotation, value, is_simple } => {
                let target = self.target(target, STORE);
                let annotation = self.expr(annotation);
                let value = self.optional(value.as_ref());
                let fields = [
                    ("target", target),
                    ("annotation", annotation),
                    ("value", value),
                    ("simple", Value::int(*is_simple as i64)),
                ];
                self.node("AnnAssign", &fields, span)
            }
            StmtKind::Return(value) => {
                let value = self.optional(value.as_ref());
                self.node("Return", &[("value", value)], span)
            }
            StmtKind::Delete(targets) => {
                let targets = self.list(targets, |this, target| this.target(target, DELETE));
                self.node("Delete", &[("targets", targets)], span)
            }
            StmtKind::Pass => self.node("Pass", &[], span),
            StmtKind::Break => self.node("Break", &[], span),
            StmtKind::Continue => self.node("Continue", &[], span),
            StmtKind::Global(names) => {
                let names = self.list(names, |this, name| this.text(&name.name));
                self.node("Global", &[("names", names)], span)
            }
            StmtKind::Nonlocal(names) => {
                let names = self.list(names, |this, name| this.text(&name.name));
                self.node("Nonlocal", &[("names", names)], span)
            }
            StmtKind::Assert { test, message } => {
                let (test, message) = (self.expr(test), self.optional(message.as_ref()));
                self.node("Assert", &[("test", test), ("msg", message)], span)
            }
            StmtKind::Raise { exception, cause } => {
                let (exception, cause) = (self.optional(exception.as_ref()), self.optional(cause.as_ref()));
                self.node("Raise", &[("exc", exception), ("cause", cause)], span)
            }
            StmtKind::Import(names) => {
                let names = self.list(names, |this, alias| this.alias(alias));
                self.node("Import", &[("names", names)], span)
            }
            StmtKind::ImportFrom { module, names, level } => {
                let module = module.as_ref().map_or(Value::NONE, |module| self.text(&module.name));
                let names = self.list(names, |this, alias| this.alias(alias));
                let level = Value::int(i64::from(*level));
                self.node("ImportFrom", &[("module", module), ("names", names), ("level", level)], span)
            }
            _ => self.compound(statement),
        }
    }

    fn compound(&mut self, statement: &Stmt) -> Value {
        let span = self.places.compound(statement.span);
        let none = || ("type_comment", Value::NONE);
        match &statement.kind {
            StmtKind::If { branches, orelse } => self.if_statement(branches, orelse, span),
            StmtKind::While { test, body, orelse } => {
                let test = self.expr(test);
                let (body, orelse) = (self.block(body), self.block(orelse));
                self.node("While", &[("test", test), ("body", body), ("orelse", orelse)], span)
            }
            StmtKind::For { target, iter, body, orelse, is_async } => {
                let (target, iter) = (self.target(target, STORE), self.expr(iter));
                let (body, orelse) = (self.block(body), self.block(orelse));
                let class = if *is_async { "AsyncFor" } else { "For" };
                let fields = [("target", target), ("iter", iter), ("body", body), ("orelse", orelse), none()];
                self.node(class, &fields, span)
            }
            StmtKind::With { items, body, is_async } => {
                let items = self.list(items, |this, item| this.with_item(item));
                let body = self.block(body);
                let class = if *is_async { "AsyncWith" } else { "With" };
                self.node(class, &[("items", items), ("body", body), none()], span)
            }
            StmtKind::Try { body, handlers, orelse, finally, is_star } => {
                let body = self.block(body);
                let handlers = self.list(handlers, |this, handler| this.handler(handler));
                let (orelse, finally) = (self.block(orelse), self.block(finally));
                let class = if *is_star { "TryStar" } else { "Try" };
                let fields =
                    [("body", body), ("handlers", handlers), ("orelse", orelse), ("finalbody", finally)];
                self.node(class, &fields, span)
            }
            StmtKind::FunctionDef(function) => self.function(function, span),
            StmtKind::ClassDef(class) => self.class(class, span),
            StmtKind::Match { subject, cases } => {
                let subject = self.expr(subject);
                let cases = self.list(cases, |this, case| this.case(case));
                self.node("Match", &[("subject", subject), ("cases", cases)], span)
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                let name = self.name(&name.name, STORE, name.span);
                let type_params = self.list(type_params, |this, param| this.type_param(param));
                let value = self.expr(value);
                self.node(
                    "TypeAlias",
                    &[("name", name), ("type_params", type_params), ("value", value)],
                    span,
                )
            }
            _ => Value::NONE,
        }
    }

    /// An `elif` is an `if` in the `orelse` of the one before.
    fn if_statement(&mut self, branches: &[(Expr, Vec<Stmt>)], orelse: &[Stmt], span: Span) -> Value {
        let mut rest = self.block(orelse);
        for (number, (test, body)) in branches.iter().enumerate().rev() {
            let start = match number {
                0 => span.start,
                _ => self.places.start_of_last(Token::Elif, test.span.start),
            };
            let (test, body) = (self.expr(test), self.block(body));
            let place = Span::new(start, span.end);
            let made = self.node("If", &[("test", test), ("body", body), ("orelse", rest)], place);
            if number == 0 {
                return made;
            }
            rest = Value::list(vec![made]);
        }
        rest
    }

    fn with_item(&mut self, item: &WithItem) -> Value {
        let context = self.expr(&item.context);
        let target = item.target.as_ref().map_or(Value::NONE, |target| self.target(target, STORE));
        self.plain("withitem", &[("context_expr", context), ("optional_vars", target)])
    }

    fn handler(&mut self, handler: &Handler) -> Value {
        let exception = self.optional(handler.exception.as_ref());
        let name = handler.name.as_ref().map_or(Value::NONE, |name| self.text(&name.name));
        let body = self.block(&handler.body);
        let span = self.places.compound(handler.span);
        self.node("ExceptHandler", &[("type", exception), ("name", name), ("body", body)], span)
    }

    /// Where a definition begins behind its decorators.
    fn below_decorators(&self, decorators: &[Expr], span: Span) -> Span {
        match decorators.last() {
            None => span,
            Some(last) => {
                let words = [Token::Def, Token::Async, Token::Class];
                Span::new(self.places.start_of_next(&words, last.span.end), span.end)
            }
        }
    }

    fn function(&mut self, function: &FunctionDef, span: Span) -> Value {
        let span = self.below_decorators(&function.decorators, span);
        let type_params = self.list(&function.type_params, |this, param| this.type_param(param));
        let params = self.params(&function.params);
        let returns = self.optional(function.returns.as_ref());
        let body = self.block(&function.body);
        let decorators = self.exprs(&function.decorators);
        let fields = [
            ("name", self.text(&function.name.name)),
            ("args", params),
            ("body", body),
            ("decorator_list", decorators),
            ("returns", returns),
            ("type_comment", Value::NONE),
            ("type_params", type_params),
        ];
        self.node(if function.is_async { "AsyncFunctionDef" } else { "FunctionDef" }, &fields, span)
    }

    fn class(&mut self, class: &ClassDef, span: Span) -> Value {
        let span = self.below_decorators(&class.decorators, span);
        let type_params = self.list(&class.type_params, |this, param| this.type_param(param));
        let (bases, keywords) = self.arguments(&class.args);
        let body = self.block(&class.body);
        let decorators = self.exprs(&class.decorators);
        let fields = [
            ("name", self.text(&class.name.name)),
            ("bases", bases),
            ("keywords", keywords),
            ("body", body),
            ("decorator_list", decorators),
            ("type_params", type_params),
        ];
        self.node("ClassDef", &fields, span)
    }

    fn type_param(&mut self, param: &TypeParam) -> Value {
        let name = ("name", self.text(&param.name.name));
        let span = param.name.span;
        let start = |token| self.places.start_of_last(token, span.start);
        match param.kind {
            TypeParamKind::Tuple => {
                let span = Span::new(start(Token::Star), span.end);
                self.node("TypeVarTuple", &[name], span)
            }
            TypeParamKind::Spec => {
                let span = Span::new(start(Token::DoubleStar), span.end);
                self.node("ParamSpec", &[name], span)
            }
            TypeParamKind::TypeVar => {
                let end = param.bound.as_ref().map_or(span.end, |bound| bound.span.end);
                let bound = self.optional(param.bound.as_ref());
                let span = self.places.with_brackets(span.start, end);
                self.node("TypeVar", &[name, ("bound", bound)], span)
            }
        }
    }

    fn alias(&mut self, alias: &Alias) -> Value {
        let end = alias.asname.as_ref().map_or(alias.name.span, |name| name.span).end;
        let name = self.text(&alias.name.name);
        let asname = alias.asname.as_ref().map_or(Value::NONE, |name| self.text(&name.name));
        let span = Span::new(alias.name.span.start, end);
        self.node("alias", &[("name", name), ("asname", asname)], span)
    }

    // ---- parameters and arguments ----

    fn param(&mut self, param: &Param) -> Value {
        let start = param.name.span.start;
        let end = param.annotation.as_ref().map_or(param.name.span, |annotation| annotation.span).end;
        let span = self.places.with_brackets(start, end);
        let annotation = self.optional(param.annotation.as_ref());
        let name = self.text(&param.name.name);
        self.node("arg", &[("arg", name), ("annotation", annotation), ("type_comment", Value::NONE)], span)
    }

    fn params(&mut self, params: &Params) -> Value {
        let positional_only = self.list(&params.positional_only, |this, param| this.param(param));
        let positional = self.list(&params.positional, |this, param| this.param(param));
        let rest = params.rest.as_ref().map_or(Value::NONE, |param| self.param(param));
        let keyword_only = self.list(&params.keyword_only, |this, param| this.param(param));
        let keyword_defaults =
            self.list(&params.keyword_only, |this, param| this.optional(param.default.as_ref()));
        let keywords = params.keywords.as_ref().map_or(Value::NONE, |param| self.param(param));
        let with_default = params.positional_only.iter().chain(&params.positional);
        let defaults = with_default.filter_map(|param| param.default.as_ref());
        let defaults = defaults.map(|default| self.expr(default)).collect();
        let fields = [
            ("posonlyargs", positional_only),
            ("args", positional),
            ("vararg", rest),
            ("kwonlyargs", keyword_only),
            ("kw_defaults", keyword_defaults),
            ("kwarg", keywords),
            ("defaults", Value::list(defaults)),
        ];
        self.plain("arguments", &fields)
    }

    /// Positional arguments and keywords, each as a list.
    fn arguments(&mut self, args: &[Arg]) -> (Value, Value) {
        let (mut positional, mut keywords) = (Vec::new(), Vec::new());
        for arg in args {
            match arg {
                Arg::Positional(value) => positional.push(self.expr(value)),
                Arg::Spread(value) => {
                    let start = self.places.start_of_last(Token::Star, value.span.start);
                    let span = self.places.with_brackets(start, value.span.end);
                    let value = self.expr(value);
                    let context = self.single(LOAD);
                    positional.push(self.node("Starred", &[("value", value), ("ctx", context)], span));
                }
                Arg::Keyword(name, value) => {
                    let span = self.places.with_brackets(name.span.start, value.span.end);
                    let fields = [("arg", self.text(&name.name)), ("value", self.expr(value))];
                    keywords.push(self.node("keyword", &fields, span));
                }
                Arg::SpreadKeywords(value) => {
                    let start = self.places.start_of_last(Token::DoubleStar, value.span.start);
                    let span = self.places.with_brackets(start, value.span.end);
                    let fields = [("arg", Value::NONE), ("value", self.expr(value))];
                    keywords.push(self.node("keyword", &fields, span));
                }
            }
        }
        (Value::list(positional), Value::list(keywords))
    }

    // ---- patterns ----

    fn case(&mut self, case: &MatchCase) -> Value {
        let pattern = self.pattern(&case.pattern);
        let guard = self.optional(case.guard.as_ref());
        let body = self.block(&case.body);
        self.plain("match_case", &[("pattern", pattern), ("guard", guard), ("body", body)])
    }

    fn pattern(&mut self, pattern: &Pattern) -> Value {
        let span = pattern.span;
        match &pattern.kind {
            PatternKind::Value(value) => {
                let value = self.expr(value);
                self.node("MatchValue", &[("value", value)], span)
            }
            PatternKind::Singleton(value) => {
                let value = match value.kind {
                    ExprKind::True => Value::TRUE,
                    ExprKind::False => Value::FALSE,
                    _ => Value::NONE,
                };
                self.node("MatchSingleton", &[("value", value)], span)
            }
            PatternKind::Capture(name) => {
                let fields = [("pattern", Value::NONE), ("name", self.text(&name.name))];
                self.node("MatchAs", &fields, span)
            }
            PatternKind::Wildcard => {
                self.node("MatchAs", &[("pattern", Value::NONE), ("name", Value::NONE)], span)
            }
            PatternKind::Sequence(items) => {
                let items = self.list(items, |this, item| this.pattern(item));
                let span = self.places.trimmed(span);
                self.node("MatchSequence", &[("patterns", items)], span)
            }
            PatternKind::Star(name) => {
                let name = name.as_ref().map_or(Value::NONE, |name| self.text(&name.name));
                self.node("MatchStar", &[("name", name)], span)
            }
            PatternKind::Mapping { items, rest } => {
                let keys = self.list(items, |this, (key, _)| this.expr(key));
                let patterns = self.list(items, |this, (_, pattern)| this.pattern(pattern));
                let rest = rest.as_ref().map_or(Value::NONE, |name| self.text(&name.name));
                self.node("MatchMapping", &[("keys", keys), ("patterns", patterns), ("rest", rest)], span)
            }
            PatternKind::Class { class, positional, keyword } => {
                let class = self.expr(class);
                let patterns = self.list(positional, |this, pattern| this.pattern(pattern));
                let names = self.list(keyword, |this, (name, _)| this.text(&name.name));
                let values = self.list(keyword, |this, (_, pattern)| this.pattern(pattern));
                let fields =
                    [("cls", class), ("patterns", patterns), ("kwd_attrs", names), ("kwd_patterns", values)];
                self.node("MatchClass", &fields, span)
            }
            PatternKind::As { pattern, name } => {
                let fields = [("pattern", self.pattern(pattern)), ("name", self.text(&name.name))];
                self.node("MatchAs", &fields, span)
            }
            PatternKind::Or(items) => {
                let items = self.list(items, |this, item| this.pattern(item));
                self.node("MatchOr", &[("patterns", items)], span)
            }
        }
    }

    // ---- expressions ----

    pub fn text(&mut self, name: &Name) -> Value {
        self.vm.intern(name).into()
    }

    fn name(&mut self, name: &Name, context: &'static str, span: Span) -> Value {
        let fields = [("id", self.text(name)), ("ctx", self.single(context))];
        self.node("Name", &fields, span)
    }

    pub fn constant(&mut self, value: Value, span: Span) -> Value {
        self.node("Constant", &[("value", value), ("kind", Value::NONE)], span)
    }

    /// What is bound or deleted.
    fn target(&mut self, target: &Expr, context: &'static str) -> Value {
        let ctx = ("ctx", self.single(context));
        match &target.kind {
            ExprKind::Name(name) => self.name(name, context, target.span),
            ExprKind::Tuple(items) => {
                let items = self.list(items, |this, item| this.target(item, context));
                let span = self.places.trimmed(target.span);
                self.node("Tuple", &[("elts", items), ctx], span)
            }
            ExprKind::List(items) => {
                let items = self.list(items, |this, item| this.target(item, context));
                self.node("List", &[("elts", items), ctx], target.span)
            }
            ExprKind::Starred(inner) => {
                let inner = self.target(inner, context);
                self.node("Starred", &[("value", inner), ctx], target.span)
            }
            ExprKind::Attribute { value, name } => {
                let fields = [("value", self.expr(value)), ("attr", self.text(&name.name)), ctx];
                self.node("Attribute", &fields, target.span)
            }
            ExprKind::Subscript { value, index } => {
                let fields = [("value", self.expr(value)), ("slice", self.expr(index)), ctx];
                self.node("Subscript", &fields, target.span)
            }
            _ => self.expr(target),
        }
    }

    pub fn expr(&mut self, value: &Expr) -> Value {
        let span = value.span;
        match &value.kind {
            ExprKind::Name(_)
            | ExprKind::List(_)
            | ExprKind::Tuple(_)
            | ExprKind::Starred(_)
            | ExprKind::Attribute { .. }
            | ExprKind::Subscript { .. } => self.target(value, LOAD),
            ExprKind::None => self.constant(Value::NONE, span),
            ExprKind::True => self.constant(Value::TRUE, span),
            ExprKind::False => self.constant(Value::FALSE, span),
            ExprKind::Ellipsis => self.constant(Value::ELLIPSIS, span),
            ExprKind::Int(number) => self.constant(Value::big(number.clone()), span),
            ExprKind::Float(number) => self.constant(Value::float(*number), span),
            ExprKind::Imaginary(im) => self.constant(Ref::new(Complex { re: 0.0, im: *im }).into(), span),
            ExprKind::Str(text) => self.string(text, span),
            ExprKind::Bytes(data) => self.constant(Value::bytes(data.to_vec()), span),
            ExprKind::FString(parts) => fstring::convert(self, parts, span),
            ExprKind::Set(items) => {
                let items = self.exprs(items);
                self.node("Set", &[("elts", items)], span)
            }
            ExprKind::Dict(items) => self.dict(items, span),
            ExprKind::Unary { op, operand } => {
                let fields = [("op", self.single(unary_operator(*op))), ("operand", self.expr(operand))];
                self.node("UnaryOp", &fields, span)
            }
            ExprKind::Binary { op, left, right, .. } => {
                let left = self.expr(left);
                let fields =
                    [("left", left), ("op", self.single(operator(*op))), ("right", self.expr(right))];
                self.node("BinOp", &fields, span)
            }
            ExprKind::Bool { op, values } => {
                let op = self.single(if *op == BoolOp::And { "And" } else { "Or" });
                let values = self.exprs(values);
                self.node("BoolOp", &[("op", op), ("values", values)], span)
            }
            ExprKind::Compare { left, rest } => {
                let left = self.expr(left);
                let ops = self.list(rest, |this, (op, _)| this.single(comparison(*op)));
                let values = self.list(rest, |this, (_, value)| this.expr(value));
                self.node("Compare", &[("left", left), ("ops", ops), ("comparators", values)], span)
            }
            ExprKind::Conditional { test, body, orelse } => {
                let fields =
                    [("test", self.expr(test)), ("body", self.expr(body)), ("orelse", self.expr(orelse))];
                self.node("IfExp", &fields, span)
            }
            ExprKind::Lambda { params, body } => {
                let fields = [("args", self.params(params)), ("body", self.expr(body))];
                self.node("Lambda", &fields, span)
            }
            ExprKind::Call { function, args } => {
                let function = self.expr(function);
                let (args, keywords) = self.arguments(args);
                self.node("Call", &[("func", function), ("args", args), ("keywords", keywords)], span)
            }
            ExprKind::Slice { lower, upper, step } => {
                let lower = self.optional(lower.as_deref());
                let fields = [
                    ("lower", lower),
                    ("upper", self.optional(upper.as_deref())),
                    ("step", self.optional(step.as_deref())),
                ];
                self.node("Slice", &fields, span)
            }
            ExprKind::Named { target, value } => {
                let target = self.name(&target.name, STORE, target.span);
                let value = self.expr(value);
                self.node("NamedExpr", &[("target", target), ("value", value)], span)
            }
            ExprKind::Yield(value) => {
                let value = self.optional(value.as_deref());
                self.node("Yield", &[("value", value)], span)
            }
            ExprKind::YieldFrom(value) => {
                let value = self.expr(value);
                self.node("YieldFrom", &[("value", value)], span)
            }
            ExprKind::Await(value) => {
                let value = self.expr(value);
                self.node("Await", &[("value", value)], span)
            }
            ExprKind::ListComp { element, clauses } => self.comprehension("ListComp", element, clauses, span),
            ExprKind::SetComp { element, clauses } => self.comprehension("SetComp", element, clauses, span),
            ExprKind::Generator { element, clauses } => {
                let span = self.places.generator(span);
                self.comprehension("GeneratorExp", element, clauses, span)
            }
            ExprKind::DictComp { key, value, clauses } => {
                let (key, value) = (self.expr(key), self.expr(value));
                let clauses = self.clauses(clauses);
                self.node("DictComp", &[("key", key), ("value", value), ("generators", clauses)], span)
            }
            // Only `resolve` makes these.
            ExprKind::GeneratorLambda { .. } => Value::NONE,
        }
    }

    fn string(&mut self, text: &str, span: Span) -> Value {
        let has_prefix = self.places.source.slice(span).starts_with(['u', 'U']);
        let kind = if has_prefix { Value::str("u") } else { Value::NONE };
        self.node("Constant", &[("value", Value::str(text)), ("kind", kind)], span)
    }

    fn dict(&mut self, items: &[DictItem], span: Span) -> Value {
        let keys = self.list(items, |this, item| match item {
            DictItem::Pair(key, _) => this.expr(key),
            DictItem::Spread(_) => Value::NONE,
        });
        let values = self.list(items, |this, item| match item {
            DictItem::Pair(_, value) | DictItem::Spread(value) => this.expr(value),
        });
        self.node("Dict", &[("keys", keys), ("values", values)], span)
    }

    fn comprehension(&mut self, class: &str, element: &Expr, clauses: &[Comprehension], span: Span) -> Value {
        let element = self.expr(element);
        let clauses = self.clauses(clauses);
        self.node(class, &[("elt", element), ("generators", clauses)], span)
    }

    fn clauses(&mut self, clauses: &[Comprehension]) -> Value {
        self.list(clauses, |this, clause| {
            let fields = [
                ("target", this.target(&clause.target, STORE)),
                ("iter", this.expr(&clause.iter)),
                ("ifs", this.exprs(&clause.conditions)),
                ("is_async", Value::int(clause.is_async as i64)),
            ];
            this.plain("comprehension", &fields)
        })
    }
}

pub const OPERATORS: &[(BinaryOp, &str)] = &[
    (BinaryOp::Add, "Add"),
    (BinaryOp::Sub, "Sub"),
    (BinaryOp::Mul, "Mult"),
    (BinaryOp::MatMul, "MatMult"),
    (BinaryOp::Div, "Div"),
    (BinaryOp::FloorDiv, "FloorDiv"),
    (BinaryOp::Mod, "Mod"),
    (BinaryOp::Pow, "Pow"),
    (BinaryOp::LShift, "LShift"),
    (BinaryOp::RShift, "RShift"),
    (BinaryOp::BitAnd, "BitAnd"),
    (BinaryOp::BitOr, "BitOr"),
    (BinaryOp::BitXor, "BitXor"),
];

pub const UNARY_OPERATORS: &[(UnaryOp, &str)] =
    &[(UnaryOp::Plus, "UAdd"), (UnaryOp::Minus, "USub"), (UnaryOp::Invert, "Invert"), (UnaryOp::Not, "Not")];

pub const COMPARISONS: &[(CompareOp, &str)] = &[
    (CompareOp::Eq, "Eq"),
    (CompareOp::NotEq, "NotEq"),
    (CompareOp::Lt, "Lt"),
    (CompareOp::LtE, "LtE"),
    (CompareOp::Gt, "Gt"),
    (CompareOp::GtE, "GtE"),
    (CompareOp::Is, "Is"),
    (CompareOp::IsNot, "IsNot"),
    (CompareOp::In, "In"),
    (CompareOp::NotIn, "NotIn"),
];

/// The class of an operator.
fn class_of<T: Copy + PartialEq>(table: &[(T, &'static str)], op: T) -> &'static str {
    table.iter().find(|(other, _)| *other == op).map_or("", |(_, class)| class)
}

fn operator(op: BinaryOp) -> &'static str {
    class_of(OPERATORS, op)
}

fn unary_operator(op: UnaryOp) -> &'static str {
    class_of(UNARY_OPERATORS, op)
}

fn comparison(op: CompareOp) -> &'static str {
    class_of(COMPARISONS, op)
}
