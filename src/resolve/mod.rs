//! From syntax tree to code tree: which variable each name means, and which node each shape becomes.
//!
//! First `lift` gives every `yield` a statement of its own. Then two passes. `scope` collects, for every
//! module, function, class and comprehension, the names it binds and uses, and decides which are captured by
//! inner functions. `lower` then builds the code tree, numbering slots as it goes. A variable is identified by the scope that binds it and its name; a frame
//! that mentions a variable of an outer frame gets a slot that receives the variable's cell on entry.
//!
//! Comprehensions are scopes without a frame: their variables are slots of the frame around them.

mod generic;
mod lift;
mod lower;
mod pattern;
mod scope;
pub use scope::mangled;

use crate::eval::Vm;
use crate::eval::code::Code;
use crate::source::SourceFile;
use crate::syntax::{SyntaxError, ast};
use crate::value::{Module, Ref};
use scope::ScopeKind;
use std::rc::Rc;

/// What becomes of the values of statements that are expressions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expressions {
    Dropped,
    /// Shown, as at the prompt.
    Echoed,
    /// The last statement's value is that of the whole text.
    LastReturned,
}

/// Where the names of a text live.
#[derive(Clone, Copy)]
pub struct Home<'m> {
    pub module: &'m Ref<Module>,
    /// Names are looked up in, and bound in, a namespace that is given when the code runs; those that are not
    /// there are the module's. So run class bodies, and `exec` with two mappings.
    pub has_namespace: bool,
}

impl Home<'_> {
    fn kind(self) -> ScopeKind {
        if self.has_namespace { ScopeKind::Class } else { ScopeKind::Module }
    }
}

impl<'m> From<&'m Ref<Module>> for Home<'m> {
    fn from(module: &'m Ref<Module>) -> Home<'m> {
        Home { module, has_namespace: false }
    }
}

/// Resolves the tree of a text.
///
/// # Errors
/// Names that cannot be bound as the text demands, and constructs that are not evaluated yet.
pub fn module(
    vm: &mut Vm,
    tree: &mut ast::Module,
    source: Rc<SourceFile>,
    home: Home,
    expressions: Expressions,
) -> Result<Rc<Code>, SyntaxError> {
    if source.text.contains("lambda") && source.text.contains("yield") {
        lift::lambdas(&mut tree.body);
    }
    lifted_module(vm, tree, source, home, expressions)
}

/// As [`module`], for a tree that is not that of its text.
///
/// # Errors
/// As for [`module`].
pub fn module_without_text(
    vm: &mut Vm,
    tree: &mut ast::Module,
    source: Rc<SourceFile>,
    home: Home,
    expressions: Expressions,
) -> Result<Rc<Code>, SyntaxError> {
    lift::lambdas(&mut tree.body);
    lifted_module(vm, tree, source, home, expressions)
}

fn lifted_module(
    vm: &mut Vm,
    tree: &mut ast::Module,
    source: Rc<SourceFile>,
    home: Home,
    expressions: Expressions,
) -> Result<Rc<Code>, SyntaxError> {
    lift::module(&mut tree.body);
    let scopes = scope::analyse(&tree.body, home.kind())?;
    lower::module(vm, tree, source, home, scopes, expressions)
}

/// Resolves a lone expression as code that returns its value.
///
/// # Errors
/// As for [`module`].
pub fn expression(
    vm: &mut Vm,
    tree: &mut ast::Expr,
    source: Rc<SourceFile>,
    home: Home,
) -> Result<Rc<Code>, SyntaxError> {
    lift::lambdas_in(tree);
    let scopes = scope::analyse_expression(tree, home.kind())?;
    lower::expression(vm, tree, source, home, scopes)
}
