//! From syntax tree to code tree: which variable each name means, and which node each shape becomes.
//!
//! First `lift` gives every `yield` a statement of its own. Then two passes. `scope` collects, for every module, function, class and comprehension, the names it binds
//! and uses, and decides which are captured by inner functions. `lower` then builds the code tree,
//! numbering slots as it goes. A variable is identified by the scope that binds it and its name; a frame
//! that mentions a variable of an outer frame gets a slot that receives the variable's cell on entry.
//!
//! Comprehensions are scopes without a frame: their variables are slots of the frame around them.

mod lift;
mod lower;
mod pattern;
mod scope;

use crate::eval::Vm;
use crate::eval::code::Code;
use crate::source::SourceFile;
use crate::syntax::{SyntaxError, ast};
use crate::value::{Module, Ref};
use std::rc::Rc;

/// Resolves a module's tree. With `echo`, statements that are expressions show their value.
///
/// # Errors
/// Names that cannot be bound as the text demands, and constructs that are not evaluated yet.
pub fn module(
    vm: &mut Vm,
    tree: &mut ast::Module,
    source: Rc<SourceFile>,
    module: &Ref<Module>,
    echo: bool,
) -> Result<Rc<Code>, SyntaxError> {
    lift::module(&mut tree.body);
    let scopes = scope::analyse(&tree.body)?;
    lower::module(vm, tree, source, module, scopes, echo)
}

/// Resolves a module's tree as code that returns the value of its last statement, if that is an expression.
///
/// # Errors
/// As for [`module`].
pub fn module_value(
    vm: &mut Vm,
    tree: &mut ast::Module,
    source: Rc<SourceFile>,
    module: &Ref<Module>,
) -> Result<Rc<Code>, SyntaxError> {
    lift::module(&mut tree.body);
    let scopes = scope::analyse(&tree.body)?;
    lower::module_value(vm, tree, source, module, scopes)
}

/// Resolves a lone expression as the code of a module that returns its value.
///
/// # Errors
/// As for [`module`].
pub fn expression(
    vm: &mut Vm,
    tree: &ast::Expr,
    source: Rc<SourceFile>,
    module: &Ref<Module>,
) -> Result<Rc<Code>, SyntaxError> {
    let scopes = scope::analyse_expression(tree)?;
    lower::expression(vm, tree, source, module, scopes)
}
