//! The code tree: what runs.
//!
//! `resolve` makes it from the syntax tree. Every name has become a place: a slot of the running frame, a
//! cell in such a slot, or a module variable. Constants are values. Nodes that can fail carry the span to
//! show. A node reads operands that are slots or constants itself (see `Vm::operand`); the commonest
//! statement and expression shapes have nodes of their own.

use crate::source::{SourceFile, Span};
pub use crate::syntax::ast::{BinaryOp, CompareOp, Conversion, UnaryOp};
use crate::value::{Cell as Variable, Dict, GlobalVar, Ref, Str, Value};
use std::cell::Cell;
use std::rc::Rc;

/// The body of a module, function, lambda or class with all that is known about it before it runs.
pub struct Code {
    pub name: Ref<Str>,
    pub qualname: Ref<Str>,
    pub kind: CodeKind,
    pub source: Rc<SourceFile>,
    /// The whole definition.
    pub span: Span,
    pub params: Params,
    /// Name of each slot; parameters come first.
    pub slot_names: Box<[Ref<Str>]>,
    /// Parameters that inner functions capture: wrapped in a cell on entry.
    pub cell_params: Box<[u32]>,
    /// Other captured variables: given an empty cell on entry.
    pub fresh_cells: Box<[u32]>,
    /// Slots that receive the cells the function object brings along.
    pub captured_slots: Box<[u32]>,
    pub body: Box<[Stmt]>,
    pub doc: Option<Ref<Str>>,
    /// Calling the function makes a generator.
    pub is_generator: bool,
}

impl Code {
    /// Numbers and names of the slots that scripts can name; the others are the interpreter's own.
    pub fn named_slots(&self) -> impl Iterator<Item = (usize, &Ref<Str>)> {
        self.slot_names.iter().enumerate().filter(|(_, name)| !name.as_str().starts_with(['<', '.']))
    }

    /// The variables in the slots of a frame, as far as they are bound.
    pub fn variables<'v>(&self, slot: impl Fn(usize) -> Option<&'v Value>) -> Ref<Dict> {
        let dict = Dict::new(Default::default());
        for (number, name) in self.named_slots() {
            let Some(value) = slot(number) else { continue };
            let value = value.get::<Variable>().map_or_else(|| value.clone(), Variable::get);
            if !value.is_unbound() {
                dict.set_str(name, value);
            }
        }
        dict
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeKind {
    Module,
    Function,
    Lambda,
    Class,
}

/// Parameters by slot: positional, keyword-only, `*rest`, `**keywords`, in that order.
#[derive(Default, Debug)]
pub struct Params {
    /// How many can be given by position only.
    pub positional_only: usize,
    /// How many can be given by position, those included.
    pub positional: usize,
    pub keyword_only: usize,
    pub rest: bool,
    pub keywords: bool,
}

impl Params {
    /// Only positional parameters: a call by position needs no binding.
    #[inline(always)]
    pub fn is_simple(&self) -> bool {
        self.keyword_only == 0 && !self.rest && !self.keywords
    }

    pub fn count(&self) -> usize {
        self.positional + self.keyword_only + self.rest as usize + self.keywords as usize
    }

    pub fn rest_slot(&self) -> usize {
        self.positional + self.keyword_only
    }

    pub fn keywords_slot(&self) -> usize {
        self.rest_slot() + self.rest as usize
    }
}

pub enum Expr {
    Const(Value),
    Local(u32, Span),
    /// The content of the cell in a slot.
    Deref(u32, Span),
    Global(Ref<GlobalVar>, Span),
    /// A name in a class body: the class namespace, then what it means outside.
    /// A variable of a module whose variables are those of a dict.
    DictGlobal(Box<DictGlobal>),
    ClassName(Box<ClassName>),
    Add(Box<Binary>),
    Sub(Box<Binary>),
    Mul(Box<Binary>),
    Binary(Box<Binary>),
    /// One comparison.
    Compare(Box<Comparison>),
    /// `a < b < c`
    CompareChain(Box<CompareChain>),
    Not(Box<Expr>),
    Unary(Box<Unary>),
    And(Box<[Expr]>),
    Or(Box<[Expr]>),
    Conditional(Box<Conditional>),
    Call(Box<Call>),
    MethodCall(Box<MethodCall>),
    /// A call with `*`, `**`.
    SpreadCall(Box<SpreadCall>),
    Attribute(Box<Attribute>),
    Subscript(Box<Subscript>),
    Slice(Box<[Expr; 3]>),
    Tuple(Box<[Expr]>),
    List(Box<[Expr]>),
    /// A tuple, list or set display; with `*` items for the first two.
    Display(Box<Display>),
    Dict(Box<DictDisplay>),
    FString(Box<[FStringPiece]>),
    Function(Box<MakeFunction>),
    Named(Box<(Target, Expr)>),
    Comprehension(Box<Comprehension>),
    Generator(Box<GeneratorExpr>),
}

const _: () = assert!(size_of::<Expr>() <= 24);

pub struct DictGlobal {
    pub name: Ref<Str>,
    /// What the name means while the dict does not have it.
    pub builtin: Ref<GlobalVar>,
    pub span: Span,
}

pub struct ClassName {
    pub name: Ref<Str>,
    pub outer: Expr,
}

pub struct Binary {
    pub left: Expr,
    pub right: Expr,
    pub op: BinaryOp,
    pub span: Span,
}

pub struct Comparison {
    pub left: Expr,
    pub right: Expr,
    pub op: CompareOp,
    pub span: Span,
}

pub struct CompareChain {
    pub first: Expr,
    pub rest: Box<[(CompareOp, Expr)]>,
    pub span: Span,
}

pub struct Unary {
    pub op: UnaryOp,
    pub operand: Expr,
    pub span: Span,
}

pub struct Conditional {
    pub test: Expr,
    pub body: Expr,
    pub orelse: Expr,
}

pub struct Call {
    pub function: Expr,
    /// Positional arguments, then keyword values.
    pub args: Box<[Expr]>,
    /// Names of the last arguments.
    pub keywords: Box<[Ref<Str>]>,
    pub span: Span,
}

/// `object.name(args)`, which needs no bound method in between.
pub struct MethodCall {
    pub object: Expr,
    pub name: Ref<Str>,
    pub args: Box<[Expr]>,
    pub keywords: Box<[Ref<Str>]>,
    pub span: Span,
    /// Where the attribute look-up fails: object and name.
    pub attribute_span: Span,
    pub cache: MethodCache,
}

/// What a method name meant for the last type seen: the type's version and the function.
#[derive(Default)]
pub struct MethodCache {
    pub version: Cell<u64>,
    pub function: std::cell::RefCell<Value>,
}

pub struct SpreadCall {
    pub function: Expr,
    pub args: Box<[SpreadArg]>,
    pub span: Span,
}

pub enum SpreadArg {
    Positional(Expr),
    Keyword(Ref<Str>, Expr),
    Spread(Expr),
    SpreadKeywords(Expr),
}

impl SpreadArg {
    pub fn is_keyword(&self) -> bool {
        matches!(self, SpreadArg::Keyword(..) | SpreadArg::SpreadKeywords(_))
    }
}

pub struct Attribute {
    pub object: Expr,
    pub name: Ref<Str>,
    pub span: Span,
    /// Where the instance's attribute table had the name last time.
    pub cache: AttributeCache,
}

/// Version of the class last seen, and the entry number of the name in its instances' tables.
#[derive(Default)]
pub struct AttributeCache {
    pub version: Cell<u64>,
    pub entry: Cell<u32>,
}

pub struct Subscript {
    pub object: Expr,
    pub index: Expr,
    pub span: Span,
}

pub struct Display {
    pub kind: DisplayKind,
    pub items: Box<[Item]>,
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DisplayKind {
    Tuple,
    List,
    Set,
}

pub enum Item {
    One(Expr),
    Spread(Expr, Span),
}

pub struct DictDisplay {
    pub items: Box<[DictItem]>,
    pub span: Span,
}

pub enum DictItem {
    Pair(Expr, Expr),
    Spread(Expr),
}

pub enum FStringPiece {
    Text(Rc<str>),
    Field { value: Expr, conversion: Option<Conversion>, spec: Option<Box<[FStringPiece]>>, span: Span },
}

pub struct MakeFunction {
    pub code: Rc<Code>,
    /// Slots of the defining frame whose cells the function takes along.
    pub captures: Box<[u32]>,
    /// Defaults of the last positional parameters.
    pub defaults: Box<[Expr]>,
    /// One for each keyword-only parameter; `None` where required.
    pub keyword_defaults: Box<[Option<Expr>]>,
    /// Names and values for `__annotations__`.
    pub annotations: Box<[(Ref<Str>, Expr)]>,
    /// Values for `__type_params__`.
    pub type_params: Box<[Expr]>,
}

pub struct Comprehension {
    pub kind: ComprehensionKind,
    /// The element, or the key of a dict comprehension.
    pub element: Expr,
    /// The value of a dict comprehension.
    pub value: Option<Expr>,
    pub clauses: Box<[Clause]>,
    /// Slots of its variables that inner functions capture: new cells each time it runs.
    pub fresh_cells: Box<[u32]>,
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ComprehensionKind {
    List,
    Set,
    Dict,
}

pub struct Clause {
    pub target: Target,
    pub iter: Expr,
    pub iter_span: Span,
    pub conditions: Box<[Expr]>,
}

/// Where a value can be stored.
pub enum Target {
    Local(u32),
    Deref(u32),
    Global(Ref<GlobalVar>),
    DictGlobal(Ref<Str>),
    ClassName(Ref<Str>),
    Attribute(Box<Attribute>),
    Subscript(Box<Subscript>),
    Unpack(Box<Unpack>),
}

pub struct Unpack {
    pub before: Box<[Target]>,
    /// `*rest` and the targets after it.
    pub star: Option<(Target, Box<[Target]>)>,
    pub span: Span,
}

pub enum Stmt {
    Pass,
    Break,
    Continue,
    Expr(Expr),
    /// An expression typed at the prompt: its value is shown.
    Echo(Expr),
    SetLocal(u32, Expr),
    SetGlobal(Ref<GlobalVar>, Expr),
    Assign(Box<Assign>),
    /// `local op= value`
    AugLocal(Box<AugLocal>),
    AugAssign(Box<AugAssign>),
    Return(Expr),
    If(Box<If>),
    While(Box<While>),
    For(Box<For>),
    Delete(Box<(Target, Span)>),
    Assert(Box<Assert>),
    Raise(Box<Raise>),
    Try(Box<Try>),
    With(Box<With>),
    Import(Box<Import>),
    ImportFrom(Box<ImportFrom>),
    Function(Box<FunctionStmt>),
    Class(Box<ClassStmt>),
    Match(Box<Match>),
    TryStar(Box<Try>),
    /// Gives captured variables of a scope without a frame new cells.
    RenewCells(Box<[u32]>),
    /// A statement of a generator with a `yield` inside.
    Resumable(Box<Resumable>),
}

/// Statements that a generator can stop in; see `eval/generator.rs`.
pub enum Resumable {
    Yield(Yield),
    YieldFrom(Yield),
    If(If),
    While(While),
    For(For),
    Try(Try),
    TryStar(Try),
    With(With),
    Match(Match),
}

/// `target = yield value`
pub struct Yield {
    pub value: Expr,
    pub target: Option<Target>,
    pub span: Span,
}

/// `(element for ...)`: a generator function of one parameter, the iterator of the first clause.
pub struct GeneratorExpr {
    pub make: MakeFunction,
    pub iter: Expr,
    pub iter_span: Span,
}

pub struct Match {
    pub subject: Expr,
    pub cases: Box<[Case]>,
}

pub struct Case {
    pub pattern: Pattern,
    pub guard: Option<Expr>,
    pub body: Box<[Stmt]>,
    pub span: Span,
}

pub enum Pattern {
    Wildcard,
    Capture(Target),
    Value(Expr),
    Singleton(Value),
    As(Box<Pattern>, Target),
    Or(Box<[Pattern]>),
    /// `star`: absent, `*_`, or `*name`.
    Sequence {
        before: Box<[Pattern]>,
        star: Option<Option<Target>>,
        after: Box<[Pattern]>,
    },
    Mapping {
        items: Box<[(Expr, Pattern)]>,
        rest: Option<Target>,
    },
    Class {
        class: Expr,
        positional: Box<[Pattern]>,
        keyword: Box<[(Ref<Str>, Pattern)]>,
    },
}

pub struct Assign {
    pub targets: Box<[Target]>,
    pub value: Expr,
}

pub struct AugLocal {
    pub slot: u32,
    pub op: BinaryOp,
    pub value: Expr,
    pub span: Span,
    pub name_span: Span,
}

pub struct AugAssign {
    pub target: AugTarget,
    pub op: BinaryOp,
    pub value: Expr,
    pub span: Span,
}

/// Targets of `op=`, with what is needed to read them first.
pub enum AugTarget {
    /// A name: how to read it and where to store.
    Name(Expr, Target),
    Attribute(Attribute),
    Subscript(Subscript),
}

pub struct If {
    pub branches: Box<[(Expr, Box<[Stmt]>)]>,
    pub orelse: Box<[Stmt]>,
}

pub struct While {
    pub test: Expr,
    pub body: Box<[Stmt]>,
    pub orelse: Box<[Stmt]>,
}

pub struct For {
    pub target: Target,
    pub iter: Expr,
    /// Whether `iter` gives an iterator that was made before: the first loop of a generator expression.
    pub is_iterator: bool,
    pub iter_span: Span,
    pub body: Box<[Stmt]>,
    pub orelse: Box<[Stmt]>,
}

pub struct Assert {
    pub test: Expr,
    pub message: Option<Expr>,
    pub span: Span,
}

pub struct Raise {
    pub exception: Option<Expr>,
    pub cause: Option<Expr>,
    pub span: Span,
}

pub struct Try {
    pub body: Box<[Stmt]>,
    pub handlers: Box<[Handler]>,
    pub orelse: Box<[Stmt]>,
    pub finally: Box<[Stmt]>,
}

pub struct Handler {
    /// What it catches; `None` catches all.
    pub exception: Option<Expr>,
    pub target: Option<Target>,
    pub body: Box<[Stmt]>,
    pub span: Span,
}

pub struct With {
    pub context: Expr,
    pub target: Option<Target>,
    pub body: Box<[Stmt]>,
    pub span: Span,
}

pub struct Import {
    /// Dotted name.
    pub name: Ref<Str>,
    pub target: Target,
    /// `import a.b as c` binds `a.b`, `import a.b` binds `a`.
    pub binds_last: bool,
    pub span: Span,
}

pub struct ImportFrom {
    pub module: Ref<Str>,
    pub level: u32,
    pub names: Box<[(Ref<Str>, Target)]>,
    /// `from m import *`: the module that receives the names.
    pub star: bool,
    pub span: Span,
}

pub struct FunctionStmt {
    pub make: MakeFunction,
    /// Expressions and their places, as written from top to bottom.
    pub decorators: Box<[(Expr, Span)]>,
    pub target: Target,
}

pub struct ClassStmt {
    /// A method uses `__class__` or `super()`.
    pub has_class_cell: bool,
    pub name: Ref<Str>,
    pub code: Rc<Code>,
    pub captures: Box<[u32]>,
    pub args: Box<[SpreadArg]>,
    pub decorators: Box<[(Expr, Span)]>,
    pub target: Target,
    pub span: Span,
}
