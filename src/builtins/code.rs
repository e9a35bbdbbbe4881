//! Code objects: what `compile` makes of a text, and what functions and frames show of their code.
//!
//! A text becomes code of one module, because its variables are places there. So a code object keeps the text
//! and the code it became last; run in another module, it is resolved anew. In dicts it is the same code.

use super::ast::{self, Program};
use crate::call::{Call, Native};
use crate::eval::code::{Code, CodeKind};
use crate::eval::{Exc, Vm};
use crate::resolve::{Expressions, Home};
use crate::source::SourceFile;
use crate::syntax::{self, SyntaxError};
use crate::text::declared;
use crate::value::{Dict, Foreign, Module, Ref, Res, Value, View};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Name of the type of code objects.
pub const TYPE_NAME: &str = "code";

/// What the text is, as the argument `mode` of `compile` says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A program.
    Exec,
    /// One expression.
    Eval,
    /// What is typed at the prompt: values of expressions are shown.
    Single,
    /// The types of a function, as in `(int, str) -> bool`: only for trees.
    Signature,
}

/// Which code a text became last: the module it is for, none for that of a dict.
struct Resolved {
    module: Option<Ref<Module>>,
    has_namespace: bool,
    code: Rc<Code>,
}

struct Text {
    source: Rc<SourceFile>,
    /// What was compiled, if it was a tree of nodes instead of the text.
    tree: Option<Program>,
    mode: Mode,
    resolved: RefCell<Option<Resolved>>,
}

enum CodeObject {
    Text(Text),
    /// Code that is part of a program.
    Part(Rc<Code>),
}

fn value(object: CodeObject) -> Value {
    Ref::new(Foreign { type_name: TYPE_NAME, data: RefCell::new(Box::new(Rc::new(object))) }).into()
}

fn object(value: &Value) -> Option<Rc<CodeObject>> {
    value.get::<Foreign>()?.data.borrow().downcast_ref::<Rc<CodeObject>>().cloned()
}

/// The code object of a function or frame.
pub fn of(code: Rc<Code>) -> Value {
    value(CodeObject::Part(code))
}

/// The code behind a code object that is part of a program.
pub fn part(value: &Value) -> Option<Rc<Code>> {
    match object(value).as_deref() {
        Some(CodeObject::Part(code)) => Some(code.clone()),
        _ => None,
    }
}

/// Whether two code objects are of the same code.
pub fn is_same(left: &Value, right: &Value) -> bool {
    match (object(left).as_deref(), object(right).as_deref()) {
        (Some(CodeObject::Part(left)), Some(CodeObject::Part(right))) => Rc::ptr_eq(left, right),
        _ => left.same(right),
    }
}

/// The code of a text.
///
/// # Errors
/// What is wrong with the text. Nothing is raised.
pub fn resolve(
    vm: &mut Vm,
    source: &Rc<SourceFile>,
    mode: Mode,
    home: Home,
) -> Result<Rc<Code>, SyntaxError> {
    let expressions = match mode {
        Mode::Eval => {
            let mut tree = crate::syntax::parse_expression(source)?;
            vm.warn_of(source)?;
            return crate::resolve::expression(vm, &mut tree, source.clone(), home);
        }
        Mode::Exec => Expressions::Dropped,
        Mode::Single => Expressions::Echoed,
        Mode::Signature => Expressions::Dropped,
    };
    let mut tree = crate::syntax::parse(source)?;
    vm.warn_of(source)?;
    crate::resolve::module_without_text(vm, &mut tree, source.clone(), home, expressions)
}

/// The code of a tree that is no text's.
fn resolve_tree(
    vm: &mut Vm,
    tree: Program,
    source: &Rc<SourceFile>,
    mode: Mode,
    home: Home,
) -> Result<Rc<Code>, SyntaxError> {
    match tree {
        Program::Expression(mut tree) => {
            syntax::check_expression(source, &tree)?;
            vm.warn_of(source)?;
            crate::resolve::expression(vm, &mut tree, source.clone(), home)
        }
        Program::Module(mut tree) => {
            syntax::check(source, &tree)?;
            vm.warn_of(source)?;
            let expressions = if mode == Mode::Single { Expressions::Echoed } else { Expressions::Dropped };
            crate::resolve::module_without_text(vm, &mut tree, source.clone(), home, expressions)
        }
    }
}

impl Text {
    fn code(&self, vm: &mut Vm, home: Home) -> Result<Rc<Code>, SyntaxError> {
        let module = (!home.module.is_dict()).then(|| home.module.clone());
        let is_it = |resolved: &Resolved| {
            let same_module = match (&resolved.module, &module) {
                (None, None) => true,
                (Some(one), Some(other)) => one.as_ptr() == other.as_ptr(),
                _ => false,
            };
            same_module && resolved.has_namespace == home.has_namespace
        };
        if let Some(resolved) = self.resolved.borrow().as_ref().filter(|resolved| is_it(resolved)) {
            return Ok(resolved.code.clone());
        }
        let code = match &self.tree {
            Some(tree) => resolve_tree(vm, tree.clone(), &self.source, self.mode, home)?,
            None => resolve(vm, &self.source, self.mode, home)?,
        };
        let resolved = Resolved { module, has_namespace: home.has_namespace, code: code.clone() };
        *self.resolved.borrow_mut() = Some(resolved);
        Ok(code)
    }
}

/// The code of a code object in a module; nothing if `value` is no code object.
pub fn code_in(vm: &mut Vm, value: &Value, home: Home) -> Res<Option<Rc<Code>>> {
    match object(value).as_deref() {
        None => Ok(None),
        Some(CodeObject::Text(text)) => match text.code(vm, home) {
            Ok(code) => Ok(Some(code)),
            Err(error) => Err(vm.raise_syntax_error(&error, &text.source)),
        },
        Some(CodeObject::Part(code)) if !code.captured_slots.is_empty() => {
            Err(vm.type_error("code object passed to exec() may not contain free variables"))
        }
        Some(CodeObject::Part(code)) => Ok(Some(code.clone())),
    }
}

/// The text in argument `index`, which must be a string or UTF-8 bytes.
pub fn text_argument(call: &mut Call, index: usize, wanted: &str) -> Res<String> {
    let value = Vm::unwrap_native(call.arg(index));
    let text = match value.view() {
        View::Str(text) => text.as_str().to_string(),
        View::Bytes(_) | View::ByteArray(_) | View::MemoryView(_) => {
            match declared::decode(call.bytes(index)?.into_owned()) {
                Ok(text) => text,
                Err(error) => return Err(call.vm.error(Exc::SyntaxError, error.to_string())),
            }
        }
        _ => {
            let name = call.native.name;
            let message = format!("{name}() arg {} must be a {wanted}", index + 1);
            return Err(call.vm.type_error(message));
        }
    };
    if text.contains('\0') {
        return Err(call.vm.error(Exc::SyntaxError, "source code string cannot contain null bytes"));
    }
    Ok(text)
}

/// Bit of `flags` that asks for a syntax tree instead of code.
const ONLY_TREE: i64 = 0x400;

/// All bits of `flags` that mean something: those of trees, and those of `from __future__ import`.
const KNOWN_FLAGS: i64 = ONLY_TREE | 0x200 | 0x1000 | 0x2000 | 0x1ff_0000 | 0x10;

/// `compile(source, filename, mode)`.
pub fn compile(call: &mut Call) -> Res {
    if object(call.arg(0)).is_some() {
        return Ok(call.arg(0).clone());
    }
    let flags = call.int_or(3, 0)?;
    if flags & !KNOWN_FLAGS != 0 {
        return Err(call.vm.value_error("compile(): unrecognised flags"));
    }
    let is_tree = flags & ONLY_TREE != 0;
    let mode = match call.str(2)? {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        "func_type" if is_tree => Mode::Signature,
        "func_type" => {
            return Err(call.vm.value_error("compile() mode 'func_type' requires flag PyCF_ONLY_AST"));
        }
        _ if is_tree => {
            let message = "compile() mode must be 'exec', 'eval', 'single' or 'func_type'";
            return Err(call.vm.value_error(message));
        }
        _ => return Err(call.vm.value_error("compile() mode must be 'exec', 'eval' or 'single'")),
    };
    let name = match call.arg(1).view() {
        View::Bytes(_) => String::from_utf8_lossy(&call.bytes(1)?).into_owned(),
        _ => call.str(1)?.to_string(),
    };
    if ast::is_tree(call.vm, call.arg(0)) {
        if is_tree {
            return Ok(call.arg(0).clone());
        }
        return code_of_tree(call, &name, mode);
    }
    let text = text_argument(call, 0, "string, bytes or AST object")?;
    if is_tree {
        return ast::tree_of(call.vm, Rc::new(SourceFile::new(name, text)), mode);
    }
    let text = if mode == Mode::Eval { text.trim_start_matches([' ', '\t']).to_string() } else { text };
    let source = Rc::new(SourceFile::new(name, text));
    new_text(call.vm, Text { source, tree: None, mode, resolved: RefCell::new(None) })
}

/// The code of a tree of nodes.
fn code_of_tree(call: &mut Call, name: &str, mode: Mode) -> Res {
    let (tree, source) = ast::program_of(call.vm, call.arg(0), name, mode)?;
    new_text(call.vm, Text { source, tree: Some(tree), mode, resolved: RefCell::new(None) })
}

fn new_text(vm: &mut Vm, text: Text) -> Res {
    let scratch = Module::of_dict(Dict::new(Default::default()), vm.builtins.clone());
    match text.code(vm, (&scratch).into()) {
        Ok(_) => Ok(value(CodeObject::Text(text))),
        Err(error) => Err(vm.raise_syntax_error(&error, &text.source)),
    }
}

pub static ROWS: &[Native] = &[
    Native {
        name: ".co_name",
        params: "self",
        run: name,
        doc: "Name of the function, `<module>` for a text.",
    },
    Native { name: ".co_qualname", params: "self", run: qualname, doc: "Dotted name of the function." },
    Native { name: ".co_filename", params: "self", run: filename, doc: "Name of the file." },
    Native { name: ".co_firstlineno", params: "self", run: first_line, doc: "The line it starts at." },
    Native {
        name: ".co_argcount",
        params: "self",
        run: argument_count,
        doc: "How many parameters can be given by position.",
    },
    Native {
        name: ".co_posonlyargcount",
        params: "self",
        run: positional_only_count,
        doc: "How many parameters can be given by position only.",
    },
    Native {
        name: ".co_kwonlyargcount",
        params: "self",
        run: keyword_only_count,
        doc: "How many parameters can be given by name only.",
    },
    Native {
        name: ".co_nlocals",
        params: "self",
        run: local_count,
        doc: "How many local variables there are.",
    },
    Native {
        name: ".co_varnames",
        params: "self",
        run: local_names,
        doc: "Names of the local variables, parameters first.",
    },
    Native {
        name: ".co_freevars",
        params: "self",
        run: free_names,
        doc: "Names of the variables of functions around that it uses.",
    },
    Native {
        name: ".co_cellvars",
        params: "self",
        run: cell_names,
        doc: "Names of its variables that functions inside use.",
    },
    Native {
        name: ".co_flags",
        params: "self",
        run: flags,
        doc: "Sum of 3 for a function, 4 if it takes `*args`, 8 for `**keywords`, 16 if nested, 32 for a generator.",
    },
    Native { name: "__eq__", params: "self, other, /", run: equals, doc: "Whether both are the same code." },
    Native { name: "__hash__", params: "self, /", run: hash, doc: "A number that equal code shares." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "Shown with name and place." },
];

/// The code of the receiver.
fn code(call: &mut Call) -> Res<Rc<Code>> {
    match object(call.arg(0)).as_deref() {
        Some(CodeObject::Part(code)) => Ok(code.clone()),
        Some(CodeObject::Text(text)) => match text.resolved.borrow().as_ref() {
            Some(resolved) => Ok(resolved.code.clone()),
            None => Err(call.vm.value_error("the code was never resolved")),
        },
        None => Err(call.wrong_type(0, "a code object")),
    }
}

fn is_function(code: &Code) -> bool {
    matches!(code.kind, CodeKind::Function | CodeKind::Lambda)
}

fn name(call: &mut Call) -> Res {
    let code = code(call)?;
    Ok(if code.kind == CodeKind::Module { Value::str("<module>") } else { code.name.clone().into() })
}

fn qualname(call: &mut Call) -> Res {
    let code = code(call)?;
    Ok(if code.kind == CodeKind::Module { Value::str("<module>") } else { code.qualname.clone().into() })
}

fn filename(call: &mut Call) -> Res {
    Ok(Value::str(&*code(call)?.source.name))
}

fn first_line(call: &mut Call) -> Res {
    let code = code(call)?;
    Ok(Value::size(code.source.line_of(code.span.start)))
}

fn argument_count(call: &mut Call) -> Res {
    Ok(Value::size(code(call)?.params.positional))
}

fn positional_only_count(call: &mut Call) -> Res {
    Ok(Value::size(code(call)?.params.positional_only))
}

fn keyword_only_count(call: &mut Call) -> Res {
    Ok(Value::size(code(call)?.params.keyword_only))
}

/// Names of the variables in some slots, in the order of these.
fn names(code: &Code, slots: impl Iterator<Item = usize>) -> Vec<Value> {
    let names: HashMap<usize, _> = code.named_slots().collect();
    slots.filter_map(|slot| names.get(&slot).map(|&name| name.clone().into())).collect()
}

fn own_names(code: &Code) -> Vec<Value> {
    let is_shared = |slot: u32| code.captured_slots.contains(&slot) || code.fresh_cells.contains(&slot);
    let is_own = |slot: &usize| is_function(code) && !is_shared(*slot as u32);
    names(code, (0..code.slot_names.len()).filter(is_own))
}

fn local_count(call: &mut Call) -> Res {
    Ok(Value::size(own_names(&*code(call)?).len()))
}

fn local_names(call: &mut Call) -> Res {
    Ok(Value::tuple(own_names(&*code(call)?)))
}

fn free_names(call: &mut Call) -> Res {
    let code = code(call)?;
    Ok(Value::tuple(names(&code, code.captured_slots.iter().map(|&slot| slot as usize))))
}

fn cell_names(call: &mut Call) -> Res {
    let code = code(call)?;
    let slots = code.cell_params.iter().chain(&code.fresh_cells);
    Ok(Value::tuple(names(&code, slots.map(|&slot| slot as usize))))
}

fn flags(call: &mut Call) -> Res {
    let code = code(call)?;
    let is_nested = code.qualname.as_str().contains("<locals>");
    let bits = [
        (is_function(&code), 3),
        (code.params.rest, 4),
        (code.params.keywords, 8),
        (is_nested, 16),
        (code.is_generator, 32),
    ];
    Ok(Value::int(bits.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum()))
}

fn equals(call: &mut Call) -> Res {
    Ok(Value::bool(is_same(call.arg(0), call.arg(1))))
}

fn hash(call: &mut Call) -> Res {
    Ok(Value::int(Rc::as_ptr(&code(call)?) as usize as i64 >> 4))
}

fn repr(call: &mut Call) -> Res {
    let place = call.arg(0).identity();
    let Ok(name) = name(call)?.into_ref::<crate::value::Str>() else { return Ok(Value::NONE) };
    let code = code(call)?;
    let line = code.source.line_of(code.span.start);
    Ok(Value::str(format!(
        "<code object {} at 0x{place:x}, file \"{}\", line {line}>",
        name.as_str(),
        code.source.name
    )))
}
