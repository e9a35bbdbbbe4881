//! The syntax tree: what was written, with the place of every node, and nothing about what it means.
//!
//! Assignment targets are ordinary expressions; `validate` has checked that they can be assigned.
//! Numbers and strings hold their decoded value. Names are plain text: which variable a name means is
//! decided by `resolve`.

use crate::source::Span;
use num_bigint::BigInt;
use std::rc::Rc;

pub type Name = Rc<str>;

/// An identifier with its place.
#[derive(Clone, Debug)]
pub struct Ident {
    pub name: Name,
    pub span: Span,
}

#[derive(Clone, Debug, Default)]
pub struct Module {
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum StmtKind {
    Expr(Expr),
    /// `a = b = value`: targets from left to right.
    Assign {
        targets: Vec<Expr>,
        value: Expr,
    },
    AugAssign {
        target: Expr,
        op: BinaryOp,
        value: Expr,
    },
    AnnAssign {
        target: Expr,
        annotation: Expr,
        value: Option<Expr>,
        /// The target is a name without brackets: only then the annotation is kept, and makes the name local.
        is_simple: bool,
    },
    Return(Option<Expr>),
    Delete(Vec<Expr>),
    Pass,
    Break,
    Continue,
    Global(Vec<Ident>),
    Nonlocal(Vec<Ident>),
    Assert {
        test: Expr,
        message: Option<Expr>,
    },
    Raise {
        exception: Option<Expr>,
        cause: Option<Expr>,
    },
    Import(Vec<Alias>),
    /// `from ..module import names`; `level` counts the leading dots; `*` is one alias named `*`.
    ImportFrom {
        module: Option<Ident>,
        names: Vec<Alias>,
        level: u32,
    },
    /// `if` and every `elif` as one list.
    If {
        branches: Vec<(Expr, Vec<Stmt>)>,
        orelse: Vec<Stmt>,
    },
    While {
        test: Expr,
        body: Vec<Stmt>,
        orelse: Vec<Stmt>,
    },
    For {
        target: Expr,
        iter: Expr,
        body: Vec<Stmt>,
        orelse: Vec<Stmt>,
        is_async: bool,
    },
    With {
        items: Vec<WithItem>,
        body: Vec<Stmt>,
        is_async: bool,
    },
    Try {
        body: Vec<Stmt>,
        handlers: Vec<Handler>,
        orelse: Vec<Stmt>,
        finally: Vec<Stmt>,
        is_star: bool,
    },
    FunctionDef(Box<FunctionDef>),
    ClassDef(Box<ClassDef>),
    Match {
        subject: Expr,
        cases: Vec<MatchCase>,
    },
    TypeAlias {
        name: Ident,
        type_params: Vec<TypeParam>,
        value: Expr,
    },
}

/// `import a.b as c` or one name of a `from` import.
#[derive(Clone, Debug)]
pub struct Alias {
    pub name: Ident,
    pub asname: Option<Ident>,
}

#[derive(Clone, Debug)]
pub struct WithItem {
    pub context: Expr,
    pub target: Option<Expr>,
}

#[derive(Clone, Debug)]
pub struct Handler {
    pub exception: Option<Expr>,
    pub name: Option<Ident>,
    pub body: Vec<Stmt>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct FunctionDef {
    pub name: Ident,
    pub decorators: Vec<Expr>,
    pub type_params: Vec<TypeParam>,
    pub params: Params,
    pub returns: Option<Expr>,
    pub body: Vec<Stmt>,
    pub is_async: bool,
}

#[derive(Clone, Debug)]
pub struct ClassDef {
    pub name: Ident,
    pub decorators: Vec<Expr>,
    pub type_params: Vec<TypeParam>,
    /// Bases, `metaclass=` and other keywords, as written between the parentheses.
    pub args: Vec<Arg>,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug)]
pub struct TypeParam {
    pub name: Ident,
    pub kind: TypeParamKind,
    pub bound: Option<Expr>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeParamKind {
    TypeVar,
    /// `*Ts`
    Tuple,
    /// `**P`
    Spec,
}

/// Parameters of a `def` or `lambda`, in the order they are written.
#[derive(Clone, Debug, Default)]
pub struct Params {
    pub positional_only: Vec<Param>,
    pub positional: Vec<Param>,
    /// `*args`
    pub rest: Option<Param>,
    pub keyword_only: Vec<Param>,
    /// `**kwargs`
    pub keywords: Option<Param>,
}

#[derive(Clone, Debug)]
pub struct Param {
    pub name: Ident,
    pub annotation: Option<Expr>,
    pub default: Option<Expr>,
}

#[derive(Clone, Debug)]
pub struct MatchCase {
    pub pattern: Pattern,
    pub guard: Option<Expr>,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug)]
pub struct Pattern {
    pub kind: PatternKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum PatternKind {
    /// A literal number or string, or a dotted name: compared with `==`.
    Value(Expr),
    /// `none`, `true`, `false` (either spelling): compared with `is`.
    Singleton(Expr),
    /// A name to bind.
    Capture(Ident),
    Wildcard,
    Sequence(Vec<Pattern>),
    /// `*name` (or `*_`: `None`) inside a sequence.
    Star(Option<Ident>),
    /// Keys are literals or dotted names; `rest` is `**name`.
    Mapping {
        items: Vec<(Expr, Pattern)>,
        rest: Option<Ident>,
    },
    Class {
        class: Expr,
        positional: Vec<Pattern>,
        keyword: Vec<(Ident, Pattern)>,
    },
    As {
        pattern: Box<Pattern>,
        name: Ident,
    },
    Or(Vec<Pattern>),
}

#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
    /// Height of the tree below, so that input nested without limit is refused while it is parsed.
    pub depth: u32,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    Name(Name),
    None,
    True,
    False,
    Ellipsis,
    Int(BigInt),
    Float(f64),
    /// `2j`: the imaginary part.
    Imaginary(f64),
    Str(Rc<str>),
    Bytes(Rc<[u8]>),
    FString(Vec<FStringPart>),
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Set(Vec<Expr>),
    Dict(Vec<DictItem>),
    Unary {
        op: UnaryOp,
        operand: Box<Expr>,
    },
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
        op_span: Span,
    },
    /// `a and b and c`: at least two values.
    Bool {
        op: BoolOp,
        values: Vec<Expr>,
    },
    /// `left op right op right ...`
    Compare {
        left: Box<Expr>,
        rest: Vec<(CompareOp, Expr)>,
    },
    /// `body if test else orelse`
    Conditional {
        test: Box<Expr>,
        body: Box<Expr>,
        orelse: Box<Expr>,
    },
    Lambda {
        params: Box<Params>,
        body: Box<Expr>,
    },
    /// A lambda that yields, as `resolve` rewrites it: the statements that give its value.
    GeneratorLambda {
        params: Box<Params>,
        body: Vec<Stmt>,
    },
    Call {
        function: Box<Expr>,
        args: Vec<Arg>,
    },
    Attribute {
        value: Box<Expr>,
        name: Ident,
    },
    Subscript {
        value: Box<Expr>,
        index: Box<Expr>,
    },
    /// Only inside a subscript (possibly within a tuple).
    Slice {
        lower: Option<Box<Expr>>,
        upper: Option<Box<Expr>>,
        step: Option<Box<Expr>>,
    },
    /// `*value` in a display, call-free target or subscript.
    Starred(Box<Expr>),
    /// `target := value`
    Named {
        target: Ident,
        value: Box<Expr>,
    },
    Yield(Option<Box<Expr>>),
    YieldFrom(Box<Expr>),
    Await(Box<Expr>),
    ListComp {
        element: Box<Expr>,
        clauses: Vec<Comprehension>,
    },
    SetComp {
        element: Box<Expr>,
        clauses: Vec<Comprehension>,
    },
    Generator {
        element: Box<Expr>,
        clauses: Vec<Comprehension>,
    },
    DictComp {
        key: Box<Expr>,
        value: Box<Expr>,
        clauses: Vec<Comprehension>,
    },
}

/// One item of a dict display: `key: value`, or `**value`.
#[derive(Clone, Debug)]
pub enum DictItem {
    Pair(Expr, Expr),
    Spread(Expr),
}

/// One `for target in iter if c1 if c2` of a comprehension.
#[derive(Clone, Debug)]
pub struct Comprehension {
    pub target: Expr,
    pub iter: Expr,
    pub conditions: Vec<Expr>,
    pub is_async: bool,
}

/// One argument of a call, in written order.
#[derive(Clone, Debug)]
pub enum Arg {
    Positional(Expr),
    Keyword(Ident, Expr),
    /// `*value`
    Spread(Expr),
    /// `**value`
    SpreadKeywords(Expr),
}

/// A piece of an f-string. A format spec is itself a list of pieces.
#[derive(Clone, Debug)]
pub enum FStringPart {
    Text(Rc<str>),
    Field {
        value: Box<Expr>,
        /// The text of `{expr=}` to show before the value, exactly as written, `=` and blanks included.
        debug_text: Option<Rc<str>>,
        conversion: Option<Conversion>,
        spec: Option<Vec<FStringPart>>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conversion {
    Str,
    Repr,
    Ascii,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOp {
    Plus,
    Minus,
    Invert,
    Not,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    MatMul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    LShift,
    RShift,
    BitAnd,
    BitOr,
    BitXor,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BoolOp {
    And,
    Or,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompareOp {
    Eq,
    NotEq,
    Lt,
    LtE,
    Gt,
    GtE,
    Is,
    IsNot,
    In,
    NotIn,
}
