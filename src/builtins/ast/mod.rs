//! Syntax trees as objects that scripts can look at, change and compile.
//!
//! `compile` with the flag `PyCF_ONLY_AST` gives the tree of a text (`to_script`), without it code of such a
//! tree (`from_script`). The classes of the nodes are defined in `stdlib/_ast.zpy`, what is done with nodes in
//! `stdlib/ast.zpy`.

mod classes;
mod from_script;
mod fstring;
mod places;
mod to_script;

pub use classes::Classes;
pub use from_script::program_of;

use super::code::Mode;
use crate::eval::Vm;
use crate::source::{SourceFile, Span};
use crate::syntax::ast::{Arg, Expr, ExprKind, Module};
use crate::syntax::token::Token;
use crate::syntax::{self, SyntaxError};
use crate::value::{Instance, Res, Value};
use places::Places;
use std::rc::Rc;
use to_script::Converter;

/// A whole tree, as the parser gives it.
#[derive(Clone)]
pub enum Program {
    Module(Module),
    Expression(Expr),
}

/// Whether a value is a node. Before the module of the classes is imported there are none.
pub fn is_tree(vm: &mut Vm, value: &Value) -> bool {
    if !value.is::<Instance>() || vm.modules.get_text(classes::MODULE).is_none() {
        return false;
    }
    Classes::of(vm).is_ok_and(|classes| classes.is(value, "AST"))
}

/// The tree of a text as nodes.
pub fn tree_of(vm: &mut Vm, source: Rc<SourceFile>, mode: Mode) -> Res {
    let parsed = match mode {
        Mode::Signature => return signature(vm, &source),
        Mode::Eval => not_indented(&source)
            .and_then(|()| syntax::parse_expression_unchecked(&source))
            .map(|(value, tokens)| (Program::Expression(value), tokens)),
        _ => syntax::parse_unchecked(&source).map(|(module, tokens)| (Program::Module(module), tokens)),
    };
    let parsed = parsed.and_then(|parsed| vm.warn_of(&source).map(|()| parsed));
    let (program, tokens) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Err(vm.raise_syntax_error(&error, &source)),
    };
    let classes = Classes::of(vm)?;
    let mut converter = Converter { vm, classes, places: Places::new(source, tokens) };
    Ok(match (&program, mode) {
        (Program::Expression(value), _) => converter.expression(value),
        (Program::Module(module), Mode::Single) => converter.interactive(module),
        (Program::Module(module), _) => converter.module(module),
    })
}

/// Blanks before an expression, which `eval` allows, are an error where a tree is wanted.
fn not_indented(source: &SourceFile) -> Result<(), SyntaxError> {
    match syntax::tokens_so_far(source).first() {
        Some((Token::Indent, span)) => Err(SyntaxError::indentation("unexpected indent", *span)),
        _ => Ok(()),
    }
}

/// The nodes of `(int, *str) -> bool`. It is read as a call, of which the name is missing, and an expression.
fn signature(vm: &mut Vm, source: &Rc<SourceFile>) -> Res {
    let parts = split_signature(source).and_then(|(args, returns)| {
        let call = syntax::parse_expression_unchecked(&args)?;
        Ok((args, call, syntax::parse_expression_unchecked(&returns)?, returns))
    });
    let (args, (call, call_tokens), (result, tokens), returns) = match parts {
        Ok(parts) => parts,
        Err(error) => return Err(vm.raise_syntax_error(&error, source)),
    };
    let types = match call.kind {
        ExprKind::Call { args, .. } => args,
        _ => Vec::new(),
    };
    let classes = Classes::of(vm)?;
    let places = Places::new(args, call_tokens).behind(1);
    let mut converter = Converter { vm, classes, places };
    let types = types.iter().map(|arg| match arg {
        Arg::Positional(value) | Arg::Keyword(_, value) | Arg::Spread(value) | Arg::SpreadKeywords(value) => {
            converter.expr(value)
        }
    });
    let types = Value::list(types.collect());
    converter.places = Places::new(returns, tokens);
    let result = converter.expr(&result);
    Ok(converter.plain("FunctionType", &[("argtypes", types), ("returns", result)]))
}

/// The call `f(int, *str)` and the expression `bool` of `(int, *str) -> bool`, each as a text.
fn split_signature(source: &Rc<SourceFile>) -> Result<(Rc<SourceFile>, Rc<SourceFile>), SyntaxError> {
    let tokens = syntax::tokens(source)?;
    let is_open = tokens.first().is_some_and(|(token, _)| *token == Token::LParen);
    let mut depth = 0;
    let arrow = tokens.iter().find(|(token, _)| {
        depth += token.opens_bracket() as i32 - token.closes_bracket() as i32;
        depth == 0 && *token == Token::Arrow
    });
    let Some((_, arrow)) = arrow.filter(|_| is_open) else {
        return Err(SyntaxError::new(
            "invalid syntax",
            tokens.first().map_or(Span::default(), |first| first.1),
        ));
    };
    let (args, returns) = (&source.text[..arrow.start as usize], &source.text[arrow.end as usize..]);
    // Blanks in the place of what is left out, so that the rest keeps its place.
    let blanks: String =
        source.text[..arrow.end as usize].chars().map(|c| if c == '\n' { "\n" } else { " " }).collect();
    let part = |text: String| Rc::new(SourceFile::new(source.name.clone(), text));
    Ok((part(format!("f{args}")), part(format!("{blanks}{returns}"))))
}
