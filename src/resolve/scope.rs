//! First pass: scopes, the names they bind, and which of those inner functions capture.
//!
//! A scope is found again in the second pass by the address of the syntax node that opens it.

use crate::source::Span;
use crate::syntax::SyntaxError;
use crate::syntax::ast::*;
use std::collections::HashMap;

pub type ScopeId = usize;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopeKind {
    Module,
    Function,
    Class,
    Comprehension,
    /// The type parameters of a `def`, `class` or `type` statement. No frame, and class names stay visible.
    TypeParams,
}

impl ScopeKind {
    /// Whether variables of the scope are slots of the frame around it.
    pub fn is_frameless(self) -> bool {
        matches!(self, ScopeKind::Comprehension | ScopeKind::TypeParams)
    }
}

/// What a scope knows about a name.
#[derive(Clone, Copy, Default, Debug)]
pub struct Symbol {
    /// Assigned, imported, a parameter, ...
    pub is_bound: bool,
    pub is_param: bool,
    pub is_global: bool,
    pub is_nonlocal: bool,
    /// An inner function uses the variable bound here.
    pub is_captured: bool,
}

#[derive(Debug)]
pub struct Scope {
    pub kind: ScopeKind,
    /// That of a comprehension or generator expression: `:=` binds outside of it.
    pub is_comprehension: bool,
    /// The first `yield` of the function.
    pub first_yield: Option<Span>,
    pub parent: Option<ScopeId>,
    pub symbols: HashMap<Name, Symbol>,
    uses: Vec<Name>,
}

#[derive(Default, Debug)]
pub struct Scopes {
    pub list: Vec<Scope>,
    by_node: HashMap<usize, ScopeId>,
    /// Places of all `:=`, in order.
    walruses: Vec<Span>,
}

/// Where a name leads from a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// A variable of the function (or comprehension) scope.
    Variable(ScopeId),
    Global,
    /// A name of a class body, looked up as it runs.
    ClassName(ScopeId),
}

/// The implicit variable of a class body that `super()` and `__class__` in its methods mean.
pub const CLASS_CELL: &str = "__class__";

impl Scopes {
    pub fn of_node<T>(&self, node: &T) -> ScopeId {
        self.by_node[&address(node)]
    }

    pub fn is_class(&self, id: ScopeId) -> bool {
        self.list[id].kind == ScopeKind::Class
    }

    /// The nearest scope around (or at) `id` that has a frame.
    pub fn frame_of(&self, mut id: ScopeId) -> ScopeId {
        while self.list[id].kind.is_frameless() {
            id = self.list[id].parent.expect("a comprehension is inside something");
        }
        id
    }

    /// What a name used in scope `id` means.
    pub fn resolve(&self, id: ScopeId, name: &str) -> Meaning {
        self.resolve_from(id, name, true)
    }

    /// What a name that a class body uses, but does not have as the body runs, means there.
    pub fn resolve_outside_class(&self, class: ScopeId, name: &str) -> Meaning {
        match self.list[class].parent {
            // A name that the body binds somewhere is never that of a function around.
            Some(parent) if !self.symbol(class, name).is_bound => self.resolve_from(parent, name, false),
            _ => Meaning::Global,
        }
    }

    /// Class names are visible in the class body itself, not in functions or comprehensions inside.
    fn resolve_from(&self, id: ScopeId, name: &str, class_is_visible: bool) -> Meaning {
        let mut at = id;
        let (mut is_own, mut is_inlined) = (class_is_visible, class_is_visible);
        loop {
            let scope = &self.list[at];
            match scope.kind {
                ScopeKind::Module => return Meaning::Global,
                // The names of text that runs as a class body does are visible in its comprehensions, too.
                ScopeKind::Class if is_own || is_inlined && scope.parent.is_none() => {
                    match scope.symbols.get(name) {
                        Some(s) if s.is_global => return Meaning::Global,
                        Some(s) if s.is_nonlocal => {}
                        _ => return Meaning::ClassName(at),
                    }
                }
                ScopeKind::Class => {
                    if name == CLASS_CELL && scope.parent.is_some() {
                        return Meaning::Variable(at);
                    }
                }
                ScopeKind::Function | ScopeKind::Comprehension | ScopeKind::TypeParams => {
                    if let Some(s) = scope.symbols.get(name) {
                        if s.is_global {
                            return Meaning::Global;
                        }
                        if s.is_bound && !s.is_nonlocal {
                            return Meaning::Variable(at);
                        }
                    }
                }
            }
            let Some(parent) = scope.parent else { return Meaning::Global };
            is_own &= scope.kind == ScopeKind::TypeParams;
            is_inlined &= scope.kind.is_frameless();
            at = parent;
        }
    }

    /// Whether there is a `:=` inside a place.
    pub fn has_walrus(&self, span: Span) -> bool {
        self.walruses.iter().any(|w| span.start <= w.start && w.end <= span.end)
    }

    pub fn symbol(&self, id: ScopeId, name: &str) -> Symbol {
        self.list[id].symbols.get(name).copied().unwrap_or_default()
    }
}

/// The scopes of a text. `kind` is `Class` for one whose names are looked up in a namespace as it runs.
pub fn analyse(body: &[Stmt], kind: ScopeKind) -> Result<Scopes, SyntaxError> {
    let mut a = Analyser::default();
    a.open(kind, None);
    a.block(body)?;
    a.finish()
}

/// As [`analyse`], of a lone expression.
pub fn analyse_expression(expr: &Expr, kind: ScopeKind) -> Result<Scopes, SyntaxError> {
    let mut a = Analyser::default();
    a.open(kind, None);
    a.expr(expr)?;
    a.finish()
}

/// What a name inside a class means: `__name` is `_Class__name`.
pub fn mangled(class: Option<&Name>, name: &Name) -> Name {
    let Some(class) = class else { return name.clone() };
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name.clone();
    }
    let class = class.trim_start_matches('_');
    if class.is_empty() { name.clone() } else { format!("_{class}{name}").into() }
}

fn address<T>(node: &T) -> usize {
    node as *const T as usize
}

#[derive(Default)]
struct Analyser {
    scopes: Scopes,
    current: ScopeId,
    /// Names of the classes around, innermost last.
    classes: Vec<Name>,
    /// `nonlocal` declarations, checked when all scopes are known.
    nonlocals: Vec<(ScopeId, Ident)>,
}

type Done = Result<(), SyntaxError>;

impl Analyser {
    fn open(&mut self, kind: ScopeKind, node: Option<usize>) -> ScopeId {
        let parent = (!self.scopes.list.is_empty()).then_some(self.current);
        let id = self.scopes.list.len();
        self.scopes.list.push(Scope {
            kind,
            is_comprehension: false,
            first_yield: None,
            parent,
            symbols: HashMap::new(),
            uses: Vec::new(),
        });
        if let Some(node) = node {
            self.scopes.by_node.insert(node, id);
        }
        self.current = id;
        id
    }

    fn close(&mut self) {
        self.current = self.scopes.list[self.current].parent.expect("only inner scopes are closed");
    }

    fn scope(&mut self) -> &mut Scope {
        &mut self.scopes.list[self.current]
    }

    /// What is known of a name in the current scope.
    fn symbol(&mut self, name: &Name) -> &mut Symbol {
        let name = mangled(self.classes.last(), name);
        self.scope().symbols.entry(name).or_default()
    }

    fn bind(&mut self, name: &Name) {
        self.symbol(name).is_bound = true;
    }

    fn use_name(&mut self, name: &Name) {
        let name = mangled(self.classes.last(), name);
        self.scope().uses.push(name.clone());
        if &*name == "super" {
            self.scope().uses.push(CLASS_CELL.into());
        }
    }

    /// Marks captured variables and checks `nonlocal`.
    fn finish(mut self) -> Result<Scopes, SyntaxError> {
        for (id, ident) in std::mem::take(&mut self.nonlocals) {
            let outer = self.scopes.list[id].parent.unwrap_or(0);
            if !matches!(self.scopes.resolve_from(outer, &ident.name, false), Meaning::Variable(_)) {
                let message = format!("no binding for nonlocal '{}' found", ident.name);
                return Err(SyntaxError::new(message, ident.span));
            }
        }
        for id in 0..self.scopes.list.len() {
            let mut names = std::mem::take(&mut self.scopes.list[id].uses);
            names.extend(
                self.scopes.list[id].symbols.iter().filter(|(_, s)| s.is_nonlocal).map(|(n, _)| n.clone()),
            );
            for name in &names {
                let meaning = match self.scopes.resolve(id, name) {
                    Meaning::ClassName(class) => self.scopes.resolve_outside_class(class, name),
                    other => other,
                };
                if let Meaning::Variable(owner) = meaning
                    && (self.scopes.frame_of(owner) != self.scopes.frame_of(id)
                        || self.scopes.list[owner].kind == ScopeKind::Class)
                {
                    self.scopes.list[owner].symbols.entry(name.clone()).or_default().is_captured = true;
                }
            }
        }
        Ok(self.scopes)
    }

    fn block(&mut self, body: &[Stmt]) -> Done {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Done {
        match &stmt.kind {
            StmtKind::Expr(e) => self.expr(e),
            StmtKind::Assign { targets, value } => {
                self.expr(value)?;
                targets.iter().try_for_each(|t| self.target(t))
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.expr(value)?;
                self.expr(target)?;
                self.target(target)
            }
            StmtKind::AnnAssign { target, annotation, value, is_simple } => {
                if self.scope().kind != ScopeKind::Function {
                    self.expr(annotation)?;
                }
                if let Some(value) = value {
                    self.expr(value)?;
                }
                match &target.kind {
                    ExprKind::Name(_) if !is_simple && value.is_none() => Ok(()),
                    _ => self.target(target),
                }
            }
            StmtKind::Return(value) => self.maybe(value.as_ref()),
            StmtKind::Delete(targets) => targets.iter().try_for_each(|t| self.target(t)),
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
            StmtKind::Global(names) => {
                for ident in names {
                    self.symbol(&ident.name).is_global = true;
                    // Then it is one for the text around as well, even if that has a namespace of its own.
                    let name = mangled(self.classes.last(), &ident.name);
                    self.scopes.list[0].symbols.entry(name).or_default().is_global = true;
                }
                Ok(())
            }
            StmtKind::Nonlocal(names) => {
                for ident in names {
                    self.symbol(&ident.name).is_nonlocal = true;
                    let name = mangled(self.classes.last(), &ident.name);
                    self.nonlocals.push((self.current, Ident { name, span: ident.span }));
                }
                Ok(())
            }
            StmtKind::Assert { test, message } => {
                self.expr(test)?;
                self.maybe(message.as_ref())
            }
            StmtKind::Raise { exception, cause } => {
                self.maybe(exception.as_ref())?;
                self.maybe(cause.as_ref())
            }
            StmtKind::Import(aliases) => {
                for alias in aliases {
                    match &alias.asname {
                        Some(name) => self.bind(&name.name),
                        None => {
                            let first = alias.name.name.split('.').next().unwrap_or_default();
                            self.bind(&first.into());
                        }
                    }
                }
                Ok(())
            }
            StmtKind::ImportFrom { names, .. } => {
                for alias in names {
                    let bound = alias.asname.as_ref().unwrap_or(&alias.name);
                    if &*bound.name != "*" {
                        self.bind(&bound.name);
                    }
                }
                Ok(())
            }
            StmtKind::If { branches, orelse } => {
                for (test, body) in branches {
                    self.expr(test)?;
                    self.block(body)?;
                }
                self.block(orelse)
            }
            StmtKind::While { test, body, orelse } => {
                self.expr(test)?;
                self.block(body)?;
                self.block(orelse)
            }
            StmtKind::For { target, iter, body, orelse, .. } => {
                self.expr(iter)?;
                self.target(target)?;
                self.block(body)?;
                self.block(orelse)
            }
            StmtKind::With { items, body, .. } => {
                for item in items {
                    self.expr(&item.context)?;
                    if let Some(target) = &item.target {
                        self.target(target)?;
                    }
                }
                self.block(body)
            }
            StmtKind::Try { body, handlers, orelse, finally, .. } => {
                self.block(body)?;
                for handler in handlers {
                    self.maybe(handler.exception.as_ref())?;
                    if let Some(name) = &handler.name {
                        self.bind(&name.name);
                    }
                    self.block(&handler.body)?;
                }
                self.block(orelse)?;
                self.block(finally)
            }
            StmtKind::FunctionDef(def) => self.function_def(def),
            StmtKind::ClassDef(def) => self.class_def(def),
            StmtKind::Match { subject, cases } => {
                self.expr(subject)?;
                for case in cases {
                    self.pattern(&case.pattern)?;
                    self.maybe(case.guard.as_ref())?;
                    self.block(&case.body)?;
                }
                Ok(())
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                self.bind(&name.name);
                self.with_type_params(type_params, |a| a.lazily(value))
            }
        }
    }

    fn function_def(&mut self, def: &FunctionDef) -> Done {
        def.decorators.iter().try_for_each(|d| self.expr(d))?;
        self.defaults(&def.params)?;
        self.bind(&def.name.name);
        self.with_type_params(&def.type_params, |a| {
            a.annotations(&def.params)?;
            a.maybe(def.returns.as_ref())?;
            if def.is_async {
                return Ok(()); // Nobody looks into it: see `Lowerer::async_def`.
            }
            a.open(ScopeKind::Function, Some(address(def)));
            a.params(&def.params);
            a.block(&def.body)?;
            a.close();
            Ok(())
        })
    }

    /// Runs `inside` in the scope of type parameters, if there are any.
    fn with_type_params(&mut self, params: &Vec<TypeParam>, inside: impl FnOnce(&mut Self) -> Done) -> Done {
        if params.is_empty() {
            return inside(self);
        }
        self.open(ScopeKind::TypeParams, Some(address(params)));
        for param in params {
            self.bind(&param.name.name);
        }
        for bound in params.iter().filter_map(|param| param.bound.as_ref()) {
            self.lazily(bound)?;
        }
        inside(self)?;
        self.close();
        Ok(())
    }

    /// An expression that is evaluated when somebody asks, as a function is.
    fn lazily(&mut self, expr: &Expr) -> Done {
        self.open(ScopeKind::Function, Some(address(expr)));
        self.expr(expr)?;
        self.close();
        Ok(())
    }

    fn class_def(&mut self, def: &ClassDef) -> Done {
        def.decorators.iter().try_for_each(|d| self.expr(d))?;
        self.bind(&def.name.name);
        self.with_type_params(&def.type_params, |a| {
            a.args(&def.args)?;
            a.open(ScopeKind::Class, Some(address(def)));
            for param in &def.type_params {
                a.scope().uses.push(param.name.name.clone());
            }
            a.classes.push(def.name.name.clone());
            a.block(&def.body)?;
            a.classes.pop();
            a.close();
            Ok(())
        })
    }

    /// Defaults belong to the scope around the function.
    fn defaults(&mut self, params: &Params) -> Done {
        all_params(params).try_for_each(|param| self.maybe(param.default.as_ref()))
    }

    /// Annotations belong to the scope around the function as well, inside that of its type parameters.
    fn annotations(&mut self, params: &Params) -> Done {
        all_params(params).try_for_each(|param| self.maybe(param.annotation.as_ref()))
    }

    fn params(&mut self, params: &Params) {
        for param in all_params(params) {
            let symbol = self.symbol(&param.name.name);
            symbol.is_bound = true;
            symbol.is_param = true;
        }
    }

    fn maybe(&mut self, expr: Option<&Expr>) -> Done {
        expr.map_or(Ok(()), |e| self.expr(e))
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Done {
        exprs.iter().try_for_each(|e| self.expr(e))
    }

    fn args(&mut self, args: &[Arg]) -> Done {
        args.iter().try_for_each(|arg| match arg {
            Arg::Positional(e) | Arg::Keyword(_, e) | Arg::Spread(e) | Arg::SpreadKeywords(e) => self.expr(e),
        })
    }

    fn target(&mut self, target: &Expr) -> Done {
        match &target.kind {
            ExprKind::Name(name) => {
                self.bind(name);
                self.use_name(name);
                Ok(())
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => items.iter().try_for_each(|t| self.target(t)),
            ExprKind::Starred(inner) => self.target(inner),
            _ => self.expr(target),
        }
    }

    fn pattern(&mut self, pattern: &Pattern) -> Done {
        match &pattern.kind {
            PatternKind::Value(e) | PatternKind::Singleton(e) => self.expr(e),
            PatternKind::Capture(name) => {
                self.bind(&name.name);
                Ok(())
            }
            PatternKind::Wildcard => Ok(()),
            PatternKind::Sequence(items) | PatternKind::Or(items) => {
                items.iter().try_for_each(|p| self.pattern(p))
            }
            PatternKind::Star(name) => {
                if let Some(name) = name {
                    self.bind(&name.name);
                }
                Ok(())
            }
            PatternKind::Mapping { items, rest } => {
                for (key, pattern) in items {
                    self.expr(key)?;
                    self.pattern(pattern)?;
                }
                if let Some(rest) = rest {
                    self.bind(&rest.name);
                }
                Ok(())
            }
            PatternKind::Class { class, positional, keyword } => {
                self.expr(class)?;
                positional.iter().try_for_each(|p| self.pattern(p))?;
                keyword.iter().try_for_each(|(_, p)| self.pattern(p))
            }
            PatternKind::As { pattern, name } => {
                self.pattern(pattern)?;
                self.bind(&name.name);
                Ok(())
            }
        }
    }

    fn expr(&mut self, expr: &Expr) -> Done {
        match &expr.kind {
            ExprKind::Name(name) => {
                self.use_name(name);
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
            ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Set(items) => self.exprs(items),
            ExprKind::Dict(items) => items.iter().try_for_each(|item| match item {
                DictItem::Pair(key, value) => {
                    self.expr(key)?;
                    self.expr(value)
                }
                DictItem::Spread(e) => self.expr(e),
            }),
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { left, right, .. } => {
                self.expr(left)?;
                self.expr(right)
            }
            ExprKind::Bool { values, .. } => self.exprs(values),
            ExprKind::Compare { left, rest } => {
                self.expr(left)?;
                rest.iter().try_for_each(|(_, e)| self.expr(e))
            }
            ExprKind::Conditional { test, body, orelse } => {
                self.expr(test)?;
                self.expr(body)?;
                self.expr(orelse)
            }
            ExprKind::Lambda { params, body } => self.lambda(expr, params, |a| a.expr(body)),
            ExprKind::GeneratorLambda { params, body } => self.lambda(expr, params, |a| a.block(body)),
            ExprKind::Call { function, args } => {
                self.expr(function)?;
                self.args(args)
            }
            ExprKind::Attribute { value, .. } => self.expr(value),
            ExprKind::Subscript { value, index } => {
                self.expr(value)?;
                self.expr(index)
            }
            ExprKind::Slice { lower, upper, step } => {
                [lower, upper, step].into_iter().flatten().try_for_each(|e| self.expr(e))
            }
            ExprKind::Starred(e) | ExprKind::Await(e) => self.expr(e),
            ExprKind::YieldFrom(e) => {
                self.note_yield(expr.span);
                self.expr(e)
            }
            ExprKind::Yield(e) => {
                self.note_yield(expr.span);
                self.maybe(e.as_deref())
            }
            ExprKind::Named { target, value } => {
                self.expr(value)?;
                self.bind_walrus(target, expr.span);
                Ok(())
            }
            ExprKind::ListComp { element, clauses } | ExprKind::SetComp { element, clauses } => {
                self.comprehension(expr, &[element], clauses, ScopeKind::Comprehension)
            }
            ExprKind::Generator { element, clauses } => {
                self.comprehension(expr, &[element], clauses, ScopeKind::Function)
            }
            ExprKind::DictComp { key, value, clauses } => {
                self.comprehension(expr, &[key, value], clauses, ScopeKind::Comprehension)
            }
        }
    }

    fn lambda(&mut self, node: &Expr, params: &Params, body: impl FnOnce(&mut Self) -> Done) -> Done {
        self.defaults(params)?;
        self.open(ScopeKind::Function, Some(address(node)));
        self.params(params);
        body(self)?;
        self.close();
        Ok(())
    }

    fn note_yield(&mut self, span: Span) {
        let frame = self.scopes.frame_of(self.current);
        self.scopes.list[frame].first_yield.get_or_insert(span);
    }

    /// `:=` binds in the function around all comprehensions and generator expressions.
    fn bind_walrus(&mut self, target: &Ident, span: Span) {
        self.scopes.walruses.push(span);
        let name = mangled(self.classes.last(), &target.name);
        let mut at = self.current;
        while self.scopes.list[at].is_comprehension {
            at = self.scopes.list[at].parent.unwrap_or(0);
        }
        self.scopes.list[at].symbols.entry(name).or_default().is_bound = true;
        self.use_name(&target.name);
    }

    fn comprehension(
        &mut self,
        node: &Expr,
        elements: &[&Expr],
        clauses: &[Comprehension],
        kind: ScopeKind,
    ) -> Done {
        let [first, rest @ ..] = clauses else { return Ok(()) };
        // The first iterable is evaluated outside.
        self.expr(&first.iter)?;
        self.open(kind, Some(address(node)));
        self.scope().is_comprehension = true;
        if kind == ScopeKind::Function {
            self.note_yield(node.span);
        }
        self.target(&first.target)?;
        for clause in rest {
            self.target(&clause.target)?;
        }
        self.exprs(&first.conditions)?;
        for clause in rest {
            self.expr(&clause.iter)?;
            self.exprs(&clause.conditions)?;
        }
        elements.iter().try_for_each(|e| self.expr(e))?;
        self.close();
        Ok(())
    }

    fn fstring(&mut self, parts: &[FStringPart]) -> Done {
        for part in parts {
            if let FStringPart::Field { value, spec, .. } = part {
                self.expr(value)?;
                if let Some(spec) = spec {
                    self.fstring(spec)?;
                }
            }
        }
        Ok(())
    }
}

/// All parameters in slot order.
pub fn all_params(params: &Params) -> impl Iterator<Item = &Param> {
    params
        .positional_only
        .iter()
        .chain(&params.positional)
        .chain(&params.keyword_only)
        .chain(&params.rest)
        .chain(&params.keywords)
}
