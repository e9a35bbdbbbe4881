//! Nodes back into the syntax tree, for `compile`. Nodes may have been made or changed by scripts, so everything
//! is checked here, in Python's words: first the kinds of the fields, then what only makes sense together.
//!
//! A tree has no text. Its places become places in a stand-in text that has the lines of the named file as far
//! as there is one, and blanks besides, so that lines and columns of errors are right.

use super::Program;
use super::classes::Classes;
use super::to_script::{COMPARISONS, DELETE, LOAD, OPERATORS, STORE, UNARY_OPERATORS};
use crate::builtins::code::Mode;
use crate::eval::{Exc, Vm};
use crate::source::{SourceFile, Span};
use crate::syntax::ast::*;
use crate::syntax::make_expr;
use crate::value::{BigInt, FrozenSet, Instance, List, Ref, Res, Str, Tuple, Value, View};
use std::collections::HashSet;
use std::rc::Rc;

/// Nodes in nodes beyond this are refused.
const MAX_DEPTH: usize = 3000;
/// Places beyond these are taken for the last one: the stand-in text must stay small.
const MAX_LINES: usize = 1_000_000;
const MAX_COLUMNS: usize = 4_000;

/// The tree that nodes stand for, and the text its places are in.
pub fn program_of(vm: &mut Vm, tree: &Value, name: &str, mode: Mode) -> Res<(Program, Rc<SourceFile>)> {
    let classes = Classes::of(vm)?;
    let wanted = match mode {
        Mode::Eval => "Expression",
        Mode::Single => "Interactive",
        Mode::Exec | Mode::Signature => "Module",
    };
    if !classes.is(tree, wanted) {
        let got = vm.type_name(tree);
        return Err(vm.type_error(format!("expected {wanted} node, got {got}")));
    }
    let source = Rc::new(SourceFile::new(name, stand_in(vm, tree, name)));
    let mut reader = Reader { vm, classes, source: source.clone(), depth: 0 };
    let program = match mode {
        Mode::Eval => Program::Expression(reader.required_expr(tree, "Expression", "body", LOAD)?),
        _ => Program::Module(Module { body: reader.block(tree, wanted, "body")? }),
    };
    Ok((program, source))
}

/// A text with all the places that the nodes mention.
fn stand_in(vm: &mut Vm, tree: &Value, name: &str) -> String {
    let widths = widths(vm, tree);
    let is_file = !name.starts_with('<') && std::path::Path::new(name).is_file();
    let text = if is_file { std::fs::read_to_string(name).unwrap_or_default() } else { String::new() };
    let mut lines = text.lines();
    let mut out = String::new();
    for width in widths {
        let line = lines.next().unwrap_or("");
        out.push_str(line);
        out.extend(std::iter::repeat_n(' ', width.saturating_sub(line.len())));
        out.push('\n');
    }
    out
}

/// The width of each line, as far as nodes mention places in it.
fn widths(vm: &mut Vm, tree: &Value) -> Vec<usize> {
    let names = ["lineno", "col_offset", "end_lineno", "end_col_offset"].map(|name| vm.intern(name));
    let mut widths: Vec<usize> = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![tree.clone()];
    while let Some(value) = open.pop() {
        if let Some(list) = value.get::<List>() {
            if seen.insert(value.identity()) {
                open.extend(list.to_vec());
            }
            continue;
        }
        let Some(attributes) = value.get::<Instance>().and_then(|node| node.attributes.get()) else {
            continue;
        };
        if !seen.insert(value.identity()) {
            continue;
        }
        let number = |name: &Ref<Str>| {
            let number = attributes.get_str(name).and_then(|value| value.as_small_int());
            number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
        };
        let [line, column, end_line, end_column] = [0, 1, 2, 3].map(|at| number(&names[at]));
        for (line, column) in [(line, column), (end_line, end_column)] {
            let line = line.min(MAX_LINES);
            if widths.len() < line {
                widths.resize(line, 0);
            }
            if let Some(width) = line.checked_sub(1).and_then(|at| widths.get_mut(at)) {
                *width = (*width).max(column.min(MAX_COLUMNS));
            }
        }
        open.extend(attributes.values());
    }
    widths
}

struct Reader<'v> {
    vm: &'v mut Vm,
    classes: Rc<Classes>,
    source: Rc<SourceFile>,
    depth: usize,
}

type Node<'n> = &'n Value;

impl Reader<'_> {
    // ---- fields ----

    /// A field; nothing if the node does not have it.
    fn field(&mut self, node: Node, name: &str) -> Res<Option<Value>> {
        let name = self.vm.intern(name);
        self.vm.find_attribute(node, &name)
    }

    fn required(&mut self, node: Node, class: &str, name: &str) -> Res {
        match self.field(node, name)? {
            Some(value) => Ok(value),
            None => Err(self.vm.type_error(format!("required field \"{name}\" missing from {class}"))),
        }
    }

    fn optional(&mut self, node: Node, name: &str) -> Res<Option<Value>> {
        Ok(self.field(node, name)?.filter(|value| !value.is_none()))
    }

    /// The items of a field that is a list; a missing one is empty.
    fn items(&mut self, node: Node, class: &str, name: &str) -> Res<Vec<Value>> {
        let Some(value) = self.field(node, name)? else { return Ok(Vec::new()) };
        match Vm::unwrap_native(&value).get::<List>() {
            Some(list) => Ok(list.to_vec()),
            None => {
                let got = self.vm.type_name(&value);
                Err(self.vm.type_error(format!("{class} field \"{name}\" must be a list, not a {got}")))
            }
        }
    }

    fn missing<T>(&mut self, class: &str, name: &str) -> Res<T> {
        Err(self.vm.value_error(format!("field '{name}' is required for {class}")))
    }

    fn int(&mut self, value: &Value) -> Res<i64> {
        match value.as_small_int() {
            Some(number) if i32::try_from(number).is_ok() => Ok(number),
            Some(_) => Err(self.vm.overflow_error("Python int too large to convert to C int")),
            None => {
                let shown = self.vm.repr_of(value)?;
                Err(self.vm.value_error(format!("invalid integer value: {shown}")))
            }
        }
    }

    fn identifier(&mut self, value: &Value) -> Res<Name> {
        let Some(text) = value.as_str() else {
            return Err(self.vm.type_error("AST identifier must be of type str"));
        };
        if let "None" | "True" | "False" = text {
            return Err(self.vm.value_error(format!("identifier field can't represent '{text}' constant")));
        }
        Ok(text.into())
    }

    fn required_name(&mut self, node: Node, class: &str, name: &str, span: Span) -> Res<Ident> {
        let value = self.required(node, class, name)?;
        if value.is_none() {
            return self.missing(class, name);
        }
        Ok(Ident { name: self.identifier(&value)?, span })
    }

    fn optional_name(&mut self, node: Node, name: &str, span: Span) -> Res<Option<Ident>> {
        match self.optional(node, name)? {
            Some(value) => Ok(Some(Ident { name: self.identifier(&value)?, span })),
            None => Ok(None),
        }
    }

    fn names(&mut self, node: Node, class: &str, name: &str, span: Span) -> Res<Vec<Ident>> {
        let items = self.items(node, class, name)?;
        items.iter().map(|item| Ok(Ident { name: self.identifier(item)?, span })).collect()
    }

    /// Text that the program does not use.
    fn check_text(&mut self, node: Node, name: &str) -> Res<()> {
        match self.optional(node, name)? {
            Some(text) if text.as_str().is_none() && !matches!(text.view(), View::Bytes(_)) => {
                Err(self.vm.type_error("AST string must be of type str"))
            }
            _ => Ok(()),
        }
    }

    fn unexpected<T>(&mut self, sort: &str, value: &Value) -> Res<T> {
        let shown = self.vm.repr_of(value)?;
        Err(self.vm.type_error(format!("expected some sort of {sort}, but got {shown}")))
    }

    // ---- places ----

    fn offset(&self, line: i64, column: i64) -> u32 {
        let line = usize::try_from(line).unwrap_or(0).clamp(1, self.source.line_count());
        let width = self.source.line_text(line).len();
        let mut column = usize::try_from(column).unwrap_or(0).min(width);
        while !self.source.line_text(line).is_char_boundary(column) {
            column -= 1;
        }
        self.source.line_start(line) + column as u32
    }

    fn place(&mut self, node: Node, sort: &str) -> Res<Span> {
        let line = self.required(node, sort, "lineno")?;
        let line = self.int(&line)?;
        let column = self.required(node, sort, "col_offset")?;
        let column = self.int(&column)?;
        let mut ends = [line, column];
        for (end, name) in ends.iter_mut().zip(["end_lineno", "end_col_offset"]) {
            if sort == "pattern" || sort == "type_param" {
                self.required(node, sort, name)?;
            }
            if let Some(value) = self.optional(node, name)? {
                *end = self.int(&value)?;
            }
        }
        let [end_line, end_column] = ends;
        if line > end_line {
            let message = format!("AST node line range ({line}, {end_line}) is not valid");
            return Err(self.vm.value_error(message));
        }
        if line < 0 && end_line != line || column < 0 && column != end_column {
            let message = format!(
                "AST node column range ({column}, {end_column}) for line range ({line}, {end_line}) is not valid"
            );
            return Err(self.vm.value_error(message));
        }
        if line == end_line && column > end_column {
            let message = format!("line {line}, column {column}-{end_column} is not a valid range");
            return Err(self.vm.value_error(message));
        }
        let start = self.offset(line, column);
        Ok(Span::new(start, self.offset(end_line, end_column).max(start)))
    }

    /// Runs a step one level further down.
    fn deeper<T>(&mut self, sort: &str, step: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        if self.depth >= MAX_DEPTH {
            let message = format!("maximum recursion depth exceeded while traversing '{sort}' node");
            return Err(self.vm.error(Exc::RecursionError, message));
        }
        self.depth += 1;
        let result = step(self);
        self.depth -= 1;
        result
    }

    fn kind(&self, node: Node) -> String {
        self.classes.kind_of(node).unwrap_or_default().to_string()
    }

    // ---- statements ----

    fn block(&mut self, node: Node, class: &str, name: &str) -> Res<Vec<Stmt>> {
        let items = self.items(node, class, name)?;
        items.iter().map(|item| self.statement(item)).collect()
    }

    /// A block that must not be empty.
    fn body(&mut self, node: Node, class: &str) -> Res<Vec<Stmt>> {
        let body = self.block(node, class, "body")?;
        self.not_empty(&body, "body", class)?;
        Ok(body)
    }

    fn not_empty<T>(&mut self, items: &[T], name: &str, class: &str) -> Res<()> {
        match items.is_empty() {
            true => Err(self.vm.value_error(format!("empty {name} on {class}"))),
            false => Ok(()),
        }
    }

    fn statement(&mut self, node: Node) -> Res<Stmt> {
        if node.is_none() {
            return Err(self.vm.value_error("None disallowed in statement list"));
        }
        let span = self.place(node, "stmt")?;
        let kind = self.kind(node);
        self.deeper("stmt", |this| this.statement_of(node, &kind, span))
    }

    fn statement_of(&mut self, node: Node, class: &str, span: Span) -> Res<Stmt> {
        let kind = match class {
            "Expr" => StmtKind::Expr(self.required_expr(node, class, "value", LOAD)?),
            "Assign" => {
                let targets = self.exprs(node, class, "targets", STORE)?;
                self.not_empty(&targets, "targets", class)?;
                let value = self.required_expr(node, class, "value", LOAD)?;
                self.check_text(node, "type_comment")?;
                StmtKind::Assign { targets, value }
            }
            "AugAssign" => StmtKind::AugAssign {
                target: self.required_expr(node, class, "target", STORE)?,
                op: self.operator(node, class, "operator", OPERATORS)?,
                value: self.required_expr(node, class, "value", LOAD)?,
            },
            "AnnAssign" => self.annotated(node, class)?,
            "Return" => StmtKind::Return(self.optional_expr(node, "value")?),
            "Delete" => {
                let targets = self.exprs(node, class, "targets", DELETE)?;
                self.not_empty(&targets, "targets", class)?;
                StmtKind::Delete(targets)
            }
            "Pass" => StmtKind::Pass,
            "Break" => StmtKind::Break,
            "Continue" => StmtKind::Continue,
            "Global" | "Nonlocal" => {
                let names = self.names(node, class, "names", span)?;
                self.not_empty(&names, "names", class)?;
                if class == "Global" { StmtKind::Global(names) } else { StmtKind::Nonlocal(names) }
            }
            "Assert" => StmtKind::Assert {
                test: self.required_expr(node, class, "test", LOAD)?,
                message: self.optional_expr(node, "msg")?,
            },
            "Raise" => {
                let exception = self.optional_expr(node, "exc")?;
                let cause = self.optional_expr(node, "cause")?;
                if exception.is_none() && cause.is_some() {
                    return Err(self.vm.value_error("Raise with cause but no exception"));
                }
                StmtKind::Raise { exception, cause }
            }
            "Import" => {
                let names = self.aliases(node, class)?;
                StmtKind::Import(names)
            }
            "ImportFrom" => self.import_from(node, class, span)?,
            "TypeAlias" => {
                let name = self.required_expr(node, class, "name", STORE)?;
                let ExprKind::Name(text) = name.kind else {
                    return Err(self.vm.type_error("TypeAlias with non-Name name"));
                };
                StmtKind::TypeAlias {
                    name: Ident { name: text, span: name.span },
                    type_params: self.type_params(node, class)?,
                    value: self.required_expr(node, class, "value", LOAD)?,
                }
            }
            _ => return self.compound(node, class, span),
        };
        Ok(Stmt { kind, span })
    }

    fn compound(&mut self, node: Node, class: &str, mut span: Span) -> Res<Stmt> {
        let kind = match class {
            "If" => self.if_statement(node)?,
            "While" => StmtKind::While {
                test: self.required_expr(node, class, "test", LOAD)?,
                body: self.body(node, class)?,
                orelse: self.block(node, class, "orelse")?,
            },
            "For" | "AsyncFor" => StmtKind::For {
                target: self.required_expr(node, class, "target", STORE)?,
                iter: self.required_expr(node, class, "iter", LOAD)?,
                body: self.body(node, class)?,
                orelse: self.block(node, class, "orelse")?,
                is_async: class == "AsyncFor",
            },
            "With" | "AsyncWith" => {
                let items = self.items(node, class, "items")?;
                self.not_empty(&items, "items", class)?;
                StmtKind::With {
                    items: items.iter().map(|item| self.with_item(item)).collect::<Res<_>>()?,
                    body: self.body(node, class)?,
                    is_async: class == "AsyncWith",
                }
            }
            "Try" | "TryStar" => self.try_statement(node, class)?,
            "FunctionDef" | "AsyncFunctionDef" => {
                let function = self.function(node, class, span)?;
                span = from_decorators(&function.decorators, span);
                StmtKind::FunctionDef(Box::new(function))
            }
            "ClassDef" => {
                let made = self.class(node, class, span)?;
                span = from_decorators(&made.decorators, span);
                StmtKind::ClassDef(Box::new(made))
            }
            "Match" => {
                let subject = self.required_expr(node, class, "subject", LOAD)?;
                let cases = self.items(node, class, "cases")?;
                self.not_empty(&cases, "cases", class)?;
                let cases = cases.iter().map(|case| self.case(case)).collect::<Res<_>>()?;
                StmtKind::Match { subject, cases }
            }
            _ => return self.unexpected("stmt", node),
        };
        Ok(Stmt { kind, span })
    }

    fn annotated(&mut self, node: Node, class: &str) -> Res<StmtKind> {
        let target = self.required_expr(node, class, "target", STORE)?;
        let annotation = self.required_expr(node, class, "annotation", LOAD)?;
        let value = self.optional_expr(node, "value")?;
        let is_simple = self.required(node, class, "simple")?;
        let is_simple = self.int(&is_simple)? != 0;
        if is_simple && !matches!(target.kind, ExprKind::Name(_)) {
            return Err(self.vm.type_error("AnnAssign with simple non-Name target"));
        }
        Ok(StmtKind::AnnAssign { target, annotation, value, is_simple })
    }

    fn import_from(&mut self, node: Node, class: &str, span: Span) -> Res<StmtKind> {
        let level = match self.optional(node, "level")? {
            Some(level) => self.int(&level)?,
            None => 0,
        };
        let Ok(level) = u32::try_from(level) else {
            return Err(self.vm.value_error("Negative ImportFrom level"));
        };
        let module = self.optional_name(node, "module", span)?;
        Ok(StmtKind::ImportFrom { module, names: self.aliases(node, class)?, level })
    }

    fn aliases(&mut self, node: Node, class: &str) -> Res<Vec<Alias>> {
        let items = self.items(node, class, "names")?;
        self.not_empty(&items, "names", class)?;
        let mut aliases = Vec::new();
        for item in &items {
            if !self.classes.is(item, "alias") {
                return self.unexpected("alias", item);
            }
            let span = self.place(item, "alias")?;
            let name = self.required_name(item, "alias", "name", span)?;
            aliases.push(Alias { name, asname: self.optional_name(item, "asname", span)? });
        }
        Ok(aliases)
    }

    /// An `if` that is all of an `orelse` becomes a branch, so that long chains are not deep.
    fn if_statement(&mut self, node: Node) -> Res<StmtKind> {
        let mut branches = Vec::new();
        let mut node = node.clone();
        loop {
            let test = self.required_expr(&node, "If", "test", LOAD)?;
            branches.push((test, self.body(&node, "If")?));
            let rest = self.items(&node, "If", "orelse")?;
            match &rest[..] {
                [only] if self.classes.is(only, "If") && branches.len() < MAX_DEPTH => {
                    self.place(only, "stmt")?;
                    node = only.clone();
                }
                _ => {
                    let orelse = rest.iter().map(|item| self.statement(item)).collect::<Res<_>>()?;
                    return Ok(StmtKind::If { branches, orelse });
                }
            }
        }
    }

    fn with_item(&mut self, item: Node) -> Res<WithItem> {
        if !self.classes.is(item, "withitem") {
            return self.unexpected("withitem", item);
        }
        let context = self.required_expr(item, "withitem", "context_expr", LOAD)?;
        let target = match self.optional(item, "optional_vars")? {
            Some(target) => Some(self.expr(&target, STORE)?),
            None => None,
        };
        Ok(WithItem { context, target })
    }

    fn try_statement(&mut self, node: Node, class: &str) -> Res<StmtKind> {
        let body = self.body(node, class)?;
        let handlers = self.items(node, class, "handlers")?;
        let handlers: Vec<Handler> = handlers.iter().map(|item| self.handler(item)).collect::<Res<_>>()?;
        let orelse = self.block(node, class, "orelse")?;
        let finally = self.block(node, class, "finalbody")?;
        if handlers.is_empty() && finally.is_empty() {
            return Err(self.vm.value_error(format!("{class} has neither except handlers nor finalbody")));
        }
        if handlers.is_empty() && !orelse.is_empty() {
            return Err(self.vm.value_error(format!("{class} has orelse but no except handlers")));
        }
        Ok(StmtKind::Try { body, handlers, orelse, finally, is_star: class == "TryStar" })
    }

    fn handler(&mut self, node: Node) -> Res<Handler> {
        let span = self.place(node, "excepthandler")?;
        if !self.classes.is(node, "ExceptHandler") {
            return self.unexpected("excepthandler", node);
        }
        Ok(Handler {
            exception: self.optional_expr(node, "type")?,
            name: self.optional_name(node, "name", span)?,
            body: self.body(node, "ExceptHandler")?,
            span,
        })
    }

    fn function(&mut self, node: Node, class: &str, span: Span) -> Res<FunctionDef> {
        self.check_text(node, "type_comment")?;
        Ok(FunctionDef {
            name: self.required_name(node, class, "name", span)?,
            params: self.params(node, class)?,
            body: self.body(node, class)?,
            decorators: self.exprs(node, class, "decorator_list", LOAD)?,
            returns: self.optional_expr(node, "returns")?,
            type_params: self.type_params(node, class)?,
            is_async: class == "AsyncFunctionDef",
        })
    }

    fn class(&mut self, node: Node, class: &str, span: Span) -> Res<ClassDef> {
        Ok(ClassDef {
            name: self.required_name(node, class, "name", span)?,
            args: self.arguments(node, class, "bases")?,
            body: self.body(node, class)?,
            decorators: self.exprs(node, class, "decorator_list", LOAD)?,
            type_params: self.type_params(node, class)?,
        })
    }

    fn type_params(&mut self, node: Node, class: &str) -> Res<Vec<TypeParam>> {
        let mut params = Vec::new();
        for item in self.items(node, class, "type_params")? {
            let span = self.place(&item, "type_param")?;
            let own = self.kind(&item);
            let kind = match &*own {
                "TypeVar" => TypeParamKind::TypeVar,
                "TypeVarTuple" => TypeParamKind::Tuple,
                "ParamSpec" => TypeParamKind::Spec,
                _ => return self.unexpected("type_param", &item),
            };
            let name = self.required_name(&item, &own, "name", span)?;
            let bound =
                if kind == TypeParamKind::TypeVar { self.optional_expr(&item, "bound")? } else { None };
            params.push(TypeParam { name, kind, bound });
        }
        Ok(params)
    }

    // ---- parameters and arguments ----

    fn params(&mut self, node: Node, class: &str) -> Res<Params> {
        let args = self.required(node, class, "args")?;
        if args.is_none() {
            return self.missing(class, "args");
        }
        if !self.classes.is(&args, "arguments") {
            return self.unexpected("arguments", &args);
        }
        let mut params = Params {
            positional_only: self.param_list(&args, "posonlyargs")?,
            positional: self.param_list(&args, "args")?,
            rest: self.optional_param(&args, "vararg")?,
            keyword_only: self.param_list(&args, "kwonlyargs")?,
            keywords: self.optional_param(&args, "kwarg")?,
        };
        let defaults = self.exprs(&args, "arguments", "defaults", LOAD)?;
        let count = params.positional_only.len() + params.positional.len();
        if defaults.len() > count {
            return Err(self.vm.value_error("more positional defaults than args on arguments"));
        }
        let without = count - defaults.len();
        let positional = params.positional_only.iter_mut().chain(&mut params.positional);
        for (param, default) in positional.skip(without).zip(defaults) {
            param.default = Some(default);
        }
        let defaults = self.items(&args, "arguments", "kw_defaults")?;
        if defaults.len() != params.keyword_only.len() {
            let message = "length of kwonlyargs is not the same as kw_defaults on arguments";
            return Err(self.vm.value_error(message));
        }
        for (param, default) in params.keyword_only.iter_mut().zip(&defaults) {
            if !default.is_none() {
                param.default = Some(self.expr(default, LOAD)?);
            }
        }
        Ok(params)
    }

    fn param_list(&mut self, args: Node, name: &str) -> Res<Vec<Param>> {
        let items = self.items(args, "arguments", name)?;
        items.iter().map(|item| self.param(item)).collect()
    }

    fn optional_param(&mut self, args: Node, name: &str) -> Res<Option<Param>> {
        match self.optional(args, name)? {
            Some(param) => Ok(Some(self.param(&param)?)),
            None => Ok(None),
        }
    }

    fn param(&mut self, node: Node) -> Res<Param> {
        if !self.classes.is(node, "arg") {
            return self.unexpected("arg", node);
        }
        let span = self.place(node, "arg")?;
        let name = self.required_name(node, "arg", "arg", span)?;
        self.check_text(node, "type_comment")?;
        Ok(Param { name, annotation: self.optional_expr(node, "annotation")?, default: None })
    }

    /// Positional arguments and keywords of a call or class.
    fn arguments(&mut self, node: Node, class: &str, name: &str) -> Res<Vec<Arg>> {
        let mut args = Vec::new();
        for value in self.exprs(node, class, name, LOAD)? {
            args.push(match value.kind {
                ExprKind::Starred(inner) => Arg::Spread(*inner),
                _ => Arg::Positional(value),
            });
        }
        for item in self.items(node, class, "keywords")? {
            if !self.classes.is(&item, "keyword") {
                return self.unexpected("keyword", &item);
            }
            let span = self.place(&item, "keyword")?;
            let name = self.optional_name(&item, "arg", span)?;
            let value = self.required_expr(&item, "keyword", "value", LOAD)?;
            args.push(match name {
                Some(name) => Arg::Keyword(name, value),
                None => Arg::SpreadKeywords(value),
            });
        }
        Ok(args)
    }

    // ---- patterns ----

    fn case(&mut self, node: Node) -> Res<MatchCase> {
        if !self.classes.is(node, "match_case") {
            return self.unexpected("match_case", node);
        }
        let pattern = self.required(node, "match_case", "pattern")?;
        if pattern.is_none() {
            return self.missing("match_case", "pattern");
        }
        Ok(MatchCase {
            pattern: self.pattern(&pattern, false)?,
            guard: self.optional_expr(node, "guard")?,
            body: self.body(node, "match_case")?,
        })
    }

    fn patterns(&mut self, node: Node, class: &str, name: &str, may_be_star: bool) -> Res<Vec<Pattern>> {
        let items = self.items(node, class, name)?;
        items.iter().map(|item| self.pattern(item, may_be_star)).collect()
    }

    fn pattern(&mut self, node: Node, may_be_star: bool) -> Res<Pattern> {
        if node.is_none() {
            return Err(self.vm.value_error("None disallowed in pattern list"));
        }
        let span = self.place(node, "pattern")?;
        let class = self.kind(node);
        if class == "MatchStar" && !may_be_star {
            return Err(self.vm.value_error("can't use MatchStar here"));
        }
        let kind = self.deeper("pattern", |this| this.pattern_kind(node, &class, span))?;
        Ok(Pattern { kind, span })
    }

    fn pattern_kind(&mut self, node: Node, class: &str, span: Span) -> Res<PatternKind> {
        Ok(match class {
            "MatchValue" => {
                let value = self.required_expr(node, class, "value", LOAD)?;
                self.check_pattern_value(&value)?;
                PatternKind::Value(value)
            }
            "MatchSingleton" => {
                let value = self.required(node, class, "value")?;
                let kind = match value.view() {
                    View::None => ExprKind::None,
                    View::Bool(true) => ExprKind::True,
                    View::Bool(false) => ExprKind::False,
                    _ => {
                        let message = "MatchSingleton can only contain True, False and None";
                        return Err(self.vm.value_error(message));
                    }
                };
                PatternKind::Singleton(self.made(kind, span)?)
            }
            "MatchSequence" => PatternKind::Sequence(self.patterns(node, class, "patterns", true)?),
            "MatchStar" => PatternKind::Star(self.capture(node, "name", span)?),
            "MatchMapping" => {
                let keys = self.exprs(node, class, "keys", LOAD)?;
                let patterns = self.patterns(node, class, "patterns", false)?;
                if keys.len() != patterns.len() {
                    let message = "MatchMapping doesn't have the same number of keys as patterns";
                    return Err(self.vm.value_error(message));
                }
                for key in &keys {
                    if !matches!(key.kind, ExprKind::None | ExprKind::True | ExprKind::False) {
                        self.check_pattern_value(key)?;
                    }
                }
                let rest = self.capture(node, "rest", span)?;
                PatternKind::Mapping { items: keys.into_iter().zip(patterns).collect(), rest }
            }
            "MatchClass" => self.class_pattern(node, class, span)?,
            "MatchAs" => {
                let pattern = match self.optional(node, "pattern")? {
                    Some(pattern) => Some(Box::new(self.pattern(&pattern, false)?)),
                    None => None,
                };
                match (pattern, self.capture(node, "name", span)?) {
                    (None, None) => PatternKind::Wildcard,
                    (None, Some(name)) => PatternKind::Capture(name),
                    (Some(_), None) => {
                        let message = "MatchAs must specify a target name if a pattern is given";
                        return Err(self.vm.value_error(message));
                    }
                    (Some(pattern), Some(name)) => PatternKind::As { pattern, name },
                }
            }
            "MatchOr" => {
                let patterns = self.patterns(node, class, "patterns", false)?;
                if patterns.len() < 2 {
                    return Err(self.vm.value_error("MatchOr requires at least 2 patterns"));
                }
                PatternKind::Or(patterns)
            }
            _ => return self.unexpected("pattern", node),
        })
    }

    fn capture(&mut self, node: Node, name: &str, span: Span) -> Res<Option<Ident>> {
        let name = self.optional_name(node, name, span)?;
        match name {
            Some(name) if &*name.name == "_" => {
                Err(self.vm.value_error("can't capture name '_' in patterns"))
            }
            name => Ok(name),
        }
    }

    fn class_pattern(&mut self, node: Node, class: &str, span: Span) -> Res<PatternKind> {
        let names = self.names(node, class, "kwd_attrs", span)?;
        let values = self.patterns(node, class, "kwd_patterns", false)?;
        if names.len() != values.len() {
            let message = "MatchClass doesn't have the same number of keyword attributes as patterns";
            return Err(self.vm.value_error(message));
        }
        let matched = self.required_expr(node, class, "cls", LOAD)?;
        let mut part = &matched;
        while let ExprKind::Attribute { value, .. } = &part.kind {
            part = value;
        }
        if !matches!(part.kind, ExprKind::Name(_)) {
            let message = "MatchClass cls field can only contain Name or Attribute nodes.";
            return Err(self.vm.value_error(message));
        }
        Ok(PatternKind::Class {
            class: matched,
            positional: self.patterns(node, class, "patterns", false)?,
            keyword: names.into_iter().zip(values).collect(),
        })
    }

    fn check_pattern_value(&mut self, value: &Expr) -> Res<()> {
        let is_number = |value: &Expr| {
            matches!(value.kind, ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Imaginary(_))
        };
        let is_signed = |value: &Expr| match &value.kind {
            ExprKind::Unary { op: UnaryOp::Minus, operand } => is_number(operand),
            _ => is_number(value),
        };
        let is_allowed = match &value.kind {
            ExprKind::Str(_) | ExprKind::Bytes(_) | ExprKind::Attribute { .. } | ExprKind::FString(_) => true,
            ExprKind::Binary { op: BinaryOp::Add | BinaryOp::Sub, left, right, .. } => {
                is_signed(left) && matches!(right.kind, ExprKind::Imaginary(_))
            }
            ExprKind::None | ExprKind::True | ExprKind::False | ExprKind::Ellipsis => {
                return Err(self.vm.value_error("unexpected constant inside of a literal pattern"));
            }
            _ => is_signed(value),
        };
        if is_allowed {
            return Ok(());
        }
        Err(self.vm.value_error("patterns may only match literals and attribute lookups"))
    }

    // ---- expressions ----

    fn made(&mut self, kind: ExprKind, span: Span) -> Res<Expr> {
        make_expr(kind, span.start, span.end)
            .map_err(|error| self.vm.raise_syntax_error(&error, &self.source))
    }

    fn required_expr(&mut self, node: Node, class: &str, name: &str, context: &'static str) -> Res<Expr> {
        let value = self.required(node, class, name)?;
        if value.is_none() {
            return self.missing(class, name);
        }
        self.expr(&value, context)
    }

    fn boxed(&mut self, node: Node, class: &str, name: &str) -> Res<Box<Expr>> {
        Ok(Box::new(self.required_expr(node, class, name, LOAD)?))
    }

    fn optional_expr(&mut self, node: Node, name: &str) -> Res<Option<Expr>> {
        match self.optional(node, name)? {
            Some(value) => Ok(Some(self.expr(&value, LOAD)?)),
            None => Ok(None),
        }
    }

    fn optional_boxed(&mut self, node: Node, name: &str) -> Res<Option<Box<Expr>>> {
        Ok(self.optional_expr(node, name)?.map(Box::new))
    }

    fn exprs(&mut self, node: Node, class: &str, name: &str, context: &'static str) -> Res<Vec<Expr>> {
        let items = self.items(node, class, name)?;
        items.iter().map(|item| self.listed_expr(item, context)).collect()
    }

    fn listed_expr(&mut self, item: Node, context: &'static str) -> Res<Expr> {
        if item.is_none() {
            return Err(self.vm.value_error("None disallowed in expression list"));
        }
        self.expr(item, context)
    }

    fn operator<T: Copy>(&mut self, node: Node, class: &str, sort: &str, table: &[(T, &str)]) -> Res<T> {
        let value = self.required(node, class, "op")?;
        if value.is_none() {
            return self.missing(class, "op");
        }
        self.operator_of(&value, sort, table)
    }

    fn operator_of<T: Copy>(&mut self, value: &Value, sort: &str, table: &[(T, &str)]) -> Res<T> {
        let kind = self.kind(value);
        match table.iter().find(|(_, name)| *name == kind) {
            Some((op, _)) => Ok(*op),
            None => self.unexpected(sort, value),
        }
    }

    /// Refuses a node whose own context is not the one it stands in.
    fn check_context(&mut self, node: Node, class: &str, wanted: &str) -> Res<()> {
        if !matches!(class, "Name" | "Attribute" | "Subscript" | "Starred" | "List" | "Tuple") {
            if wanted == LOAD {
                return Ok(());
            }
            let message = format!("expression which can't be assigned to in {wanted} context");
            return Err(self.vm.value_error(message));
        }
        let context = self.required(node, class, "ctx")?;
        if context.is_none() {
            return self.missing(class, "ctx");
        }
        let got = self.kind(&context);
        if !matches!(&*got, LOAD | STORE | DELETE) {
            return self.unexpected("expr_context", &context);
        }
        if got != wanted {
            let message = format!("expression must have {wanted} context but has {got} instead");
            return Err(self.vm.value_error(message));
        }
        Ok(())
    }

    fn expr(&mut self, node: Node, context: &'static str) -> Res<Expr> {
        let span = self.place(node, "expr")?;
        let class = self.kind(node);
        if !self.classes.is(node, "expr") {
            return self.unexpected("expr", node);
        }
        self.check_context(node, &class, context)?;
        let kind = self.deeper("expr", |this| this.expr_kind(node, &class, context, span))?;
        self.made(kind, span)
    }

    fn expr_kind(&mut self, node: Node, class: &str, context: &'static str, span: Span) -> Res<ExprKind> {
        Ok(match class {
            "Name" => ExprKind::Name(self.required_name(node, class, "id", span)?.name),
            "Constant" => {
                let value = self.required(node, class, "value")?;
                self.check_text(node, "kind")?;
                self.constant(&value, span)?
            }
            "Attribute" => ExprKind::Attribute {
                value: self.boxed(node, class, "value")?,
                name: self.required_name(node, class, "attr", span)?,
            },
            "Subscript" => ExprKind::Subscript {
                value: self.boxed(node, class, "value")?,
                index: self.boxed(node, class, "slice")?,
            },
            "Starred" => ExprKind::Starred(Box::new(self.required_expr(node, class, "value", context)?)),
            "List" => ExprKind::List(self.exprs(node, class, "elts", context)?),
            "Tuple" => ExprKind::Tuple(self.exprs(node, class, "elts", context)?),
            "Set" => ExprKind::Set(self.exprs(node, class, "elts", LOAD)?),
            "Dict" => self.dict(node, class)?,
            "BoolOp" => {
                const TABLE: &[(BoolOp, &str)] = &[(BoolOp::And, "And"), (BoolOp::Or, "Or")];
                let op = self.operator(node, class, "boolop", TABLE)?;
                let values = self.items(node, class, "values")?;
                if values.len() < 2 {
                    return Err(self.vm.value_error("BoolOp with less than 2 values"));
                }
                let values = values.iter().map(|value| self.listed_expr(value, LOAD)).collect::<Res<_>>()?;
                ExprKind::Bool { op, values }
            }
            "BinOp" => ExprKind::Binary {
                left: self.boxed(node, class, "left")?,
                op: self.operator(node, class, "operator", OPERATORS)?,
                right: self.boxed(node, class, "right")?,
                op_span: span,
            },
            "UnaryOp" => ExprKind::Unary {
                op: self.operator(node, class, "unaryop", UNARY_OPERATORS)?,
                operand: self.boxed(node, class, "operand")?,
            },
            "Compare" => self.compare(node, class)?,
            "Lambda" => ExprKind::Lambda {
                params: Box::new(self.params(node, class)?),
                body: self.boxed(node, class, "body")?,
            },
            "IfExp" => ExprKind::Conditional {
                test: self.boxed(node, class, "test")?,
                body: self.boxed(node, class, "body")?,
                orelse: self.boxed(node, class, "orelse")?,
            },
            "Call" => ExprKind::Call {
                function: self.boxed(node, class, "func")?,
                args: self.arguments(node, class, "args")?,
            },
            "Slice" => ExprKind::Slice {
                lower: self.optional_boxed(node, "lower")?,
                upper: self.optional_boxed(node, "upper")?,
                step: self.optional_boxed(node, "step")?,
            },
            "NamedExpr" => {
                let target = self.required_expr(node, class, "target", STORE)?;
                let ExprKind::Name(name) = target.kind else {
                    return Err(self.vm.type_error("NamedExpr target must be a Name"));
                };
                let target = Ident { name, span: target.span };
                ExprKind::Named { target, value: self.boxed(node, class, "value")? }
            }
            "Yield" => ExprKind::Yield(self.optional_boxed(node, "value")?),
            "YieldFrom" => ExprKind::YieldFrom(self.boxed(node, class, "value")?),
            "Await" => ExprKind::Await(self.boxed(node, class, "value")?),
            "ListComp" => ExprKind::ListComp {
                clauses: self.clauses(node, class)?,
                element: self.boxed(node, class, "elt")?,
            },
            "SetComp" => ExprKind::SetComp {
                clauses: self.clauses(node, class)?,
                element: self.boxed(node, class, "elt")?,
            },
            "GeneratorExp" => ExprKind::Generator {
                clauses: self.clauses(node, class)?,
                element: self.boxed(node, class, "elt")?,
            },
            "DictComp" => ExprKind::DictComp {
                clauses: self.clauses(node, class)?,
                key: self.boxed(node, class, "key")?,
                value: self.boxed(node, class, "value")?,
            },
            "JoinedStr" => {
                let mut parts = Vec::new();
                self.joined(node, &mut parts)?;
                ExprKind::FString(parts)
            }
            "FormattedValue" => ExprKind::FString(vec![self.formatted(node)?]),
            _ => return self.unexpected("expr", node),
        })
    }

    fn dict(&mut self, node: Node, class: &str) -> Res<ExprKind> {
        let keys = self.items(node, class, "keys")?;
        let values = self.items(node, class, "values")?;
        if keys.len() != values.len() {
            return Err(self.vm.value_error("Dict doesn't have the same number of keys as values"));
        }
        let mut items = Vec::new();
        for (key, value) in keys.iter().zip(&values) {
            let key = if key.is_none() { None } else { Some(self.expr(key, LOAD)?) };
            let value = self.listed_expr(value, LOAD)?;
            items.push(match key {
                Some(key) => DictItem::Pair(key, value),
                None => DictItem::Spread(value),
            });
        }
        Ok(ExprKind::Dict(items))
    }

    fn compare(&mut self, node: Node, class: &str) -> Res<ExprKind> {
        let left = self.boxed(node, class, "left")?;
        let ops = self.items(node, class, "ops")?;
        let ops: Vec<CompareOp> =
            ops.iter().map(|op| self.operator_of(op, "cmpop", COMPARISONS)).collect::<Res<_>>()?;
        let values = self.exprs(node, class, "comparators", LOAD)?;
        if values.is_empty() {
            return Err(self.vm.value_error("Compare with no comparators"));
        }
        if values.len() != ops.len() {
            return Err(self.vm.value_error("Compare has a different number of comparators and operands"));
        }
        Ok(ExprKind::Compare { left, rest: ops.into_iter().zip(values).collect() })
    }

    fn clauses(&mut self, node: Node, class: &str) -> Res<Vec<Comprehension>> {
        let items = self.items(node, class, "generators")?;
        if items.is_empty() {
            return Err(self.vm.value_error("comprehension with no generators"));
        }
        let mut clauses = Vec::new();
        for item in &items {
            if !self.classes.is(item, "comprehension") {
                return self.unexpected("comprehension", item);
            }
            let is_async = self.required(item, "comprehension", "is_async")?;
            clauses.push(Comprehension {
                target: self.required_expr(item, "comprehension", "target", STORE)?,
                iter: self.required_expr(item, "comprehension", "iter", LOAD)?,
                conditions: self.exprs(item, "comprehension", "ifs", LOAD)?,
                is_async: self.int(&is_async)? != 0,
            });
        }
        Ok(clauses)
    }

    // ---- constants and f-strings ----

    fn constant(&mut self, value: &Value, span: Span) -> Res<ExprKind> {
        Ok(match value.view() {
            View::None => ExprKind::None,
            View::Bool(true) => ExprKind::True,
            View::Bool(false) => ExprKind::False,
            View::Ellipsis => ExprKind::Ellipsis,
            View::Int(number) => ExprKind::Int(BigInt::from(number)),
            View::BigInt(number) => ExprKind::Int(number.clone()),
            View::Float(number) => ExprKind::Float(number),
            View::Complex(number) if number.re == 0.0 => ExprKind::Imaginary(number.im),
            View::Complex(number) => ExprKind::Binary {
                left: Box::new(self.made(ExprKind::Float(number.re), span)?),
                op: BinaryOp::Add,
                right: Box::new(self.made(ExprKind::Imaginary(number.im), span)?),
                op_span: span,
            },
            View::Str(text) => ExprKind::Str(text.as_str().into()),
            View::Bytes(_) => {
                let data = crate::value::bytes::methods::contents(value).unwrap_or_default();
                ExprKind::Bytes(data.as_ref().into())
            }
            View::Tuple(_) | View::FrozenSet(_) => return self.constant_items(value, span),
            _ => {
                let got = self.vm.type_name(value);
                return Err(self.vm.type_error(format!("got an invalid type in Constant: {got}")));
            }
        })
    }

    /// A tuple, or a frozen set, for which there is no literal: a call that makes it.
    fn constant_items(&mut self, value: &Value, span: Span) -> Res<ExprKind> {
        let items = match value.get::<Tuple>() {
            Some(tuple) => tuple.items().to_vec(),
            None => self.vm.collect(value)?,
        };
        let mut parts = Vec::new();
        for item in &items {
            let kind = self.deeper("expr", |this| this.constant(item, span))?;
            parts.push(self.made(kind, span)?);
        }
        let tuple = ExprKind::Tuple(parts);
        if !value.is::<FrozenSet>() {
            return Ok(tuple);
        }
        let function = Box::new(self.made(ExprKind::Name("frozenset".into()), span)?);
        Ok(ExprKind::Call { function, args: vec![Arg::Positional(self.made(tuple, span)?)] })
    }

    fn joined(&mut self, node: Node, parts: &mut Vec<FStringPart>) -> Res<()> {
        for value in self.items(node, "JoinedStr", "values")? {
            self.joined_part(&value, parts)?;
        }
        Ok(())
    }

    /// What stands in an f-string or is a format spec.
    fn joined_part(&mut self, value: Node, parts: &mut Vec<FStringPart>) -> Res<()> {
        if self.classes.is(value, "JoinedStr") {
            self.place(value, "expr")?;
            return self.deeper("expr", |this| this.joined(value, parts));
        }
        if self.classes.is(value, "FormattedValue") {
            parts.push(self.formatted(value)?);
            return Ok(());
        }
        let value = self.listed_expr(value, LOAD)?;
        parts.push(match value.kind {
            ExprKind::Str(text) => FStringPart::Text(text),
            _ => {
                FStringPart::Field { value: Box::new(value), debug_text: None, conversion: None, spec: None }
            }
        });
        Ok(())
    }

    fn formatted(&mut self, node: Node) -> Res<FStringPart> {
        self.place(node, "expr")?;
        let value = self.boxed(node, "FormattedValue", "value")?;
        let conversion = self.required(node, "FormattedValue", "conversion")?;
        let conversion = match self.int(&conversion)? {
            -1 => None,
            115 => Some(Conversion::Str),
            114 => Some(Conversion::Repr),
            97 => Some(Conversion::Ascii),
            other => {
                let message = format!("Unrecognized conversion character {other}");
                return Err(self.vm.error(Exc::SystemError, message));
            }
        };
        let spec = match self.optional(node, "format_spec")? {
            Some(spec) => {
                let mut parts = Vec::new();
                self.deeper("expr", |this| this.joined_part(&spec, &mut parts))?;
                Some(parts)
            }
            None => None,
        };
        Ok(FStringPart::Field { value, debug_text: None, conversion, spec })
    }
}

/// The place of a definition with its decorators.
fn from_decorators(decorators: &[Expr], span: Span) -> Span {
    decorators
        .first()
        .map_or(span, |first| Span::new(first.span.start.saturating_sub(1), first.span.end).to(span))
}
