//! `_string`: the readers of `str.format` for `string.Formatter`, which a script can change step by step.

use crate::call::{Call, Native, NativeModule};
use crate::eval::Vm;
use crate::text::format_string::{Accessor, First, Segments, split_name};
use crate::value::iterator::{IterState, Tool};
use crate::value::{Iter, Res, Value};

pub static MODULE: NativeModule = NativeModule {
    name: "_string",
    doc: "Parts of `str.format`; `string` is the module to import.",
    functions: &[
        Native {
            name: "formatter_parser",
            params: "format_string, /",
            run: parser,
            doc: "An iterator over (literal text, field name, format spec, conversion) of a template; the last three are none behind the last field. Mistakes raise ValueError when they are reached.",
        },
        Native {
            name: "formatter_field_name_split",
            params: "field_name, /",
            run: split,
            doc: "The first part of a field name, an int if it is a number, and an iterator over the rest: pairs of whether it is an attribute, and its name or the index.",
        },
    ],
    constants: &[],
};

/// The text of the only argument.
fn text(call: &mut Call) -> Res<String> {
    match Vm::unwrap_native(call.arg(0)).as_str() {
        Some(text) => Ok(text.to_string()),
        None => {
            let got = call.vm.type_name(call.arg(0));
            Err(call.vm.type_error(format!("expected str, got {got}")))
        }
    }
}

fn tool(tool: impl Tool + 'static) -> Value {
    Iter::new(IterState::Tool(Box::new(tool))).into()
}

fn parser(call: &mut Call) -> Res {
    Ok(tool(Pieces { template: text(call)?, at: 0 }))
}

/// Reads a template on from where it is.
struct Pieces {
    template: String,
    at: usize,
}

impl Tool for Pieces {
    fn type_name(&self) -> &'static str {
        "formatteriterator"
    }

    fn next(&mut self, vm: &mut Vm) -> Res<Option<Value>> {
        let mut segments = Segments::new(&self.template[self.at..]);
        let Some(segment) = segments.next() else { return Ok(None) };
        let segment = match segment {
            Ok(segment) => segment,
            Err(error) => return Err(vm.format_error(error)),
        };
        self.at = self.template.len() - segments.rest().len();
        let literal = Value::str(segment.literal);
        Ok(Some(Value::tuple(match segment.field {
            None => vec![literal, Value::NONE, Value::NONE, Value::NONE],
            Some(field) => {
                let conversion = field.conversion.map_or(Value::NONE, |c| Value::str(c.to_string()));
                vec![literal, Value::str(field.name), Value::str(field.spec), conversion]
            }
        })))
    }

    fn trace(&self, _: &mut dyn FnMut(&Value)) {}
}

fn split(call: &mut Call) -> Res {
    let name = text(call)?;
    let (first, accessors) = match split_name(&name) {
        Ok(parts) => parts,
        Err(error) => return Err(call.vm.format_error(error)),
    };
    let first = match first {
        Some(First::Index(index)) => Value::size(index),
        Some(First::Key(key)) => Value::str(key),
        None => Value::str(""),
    };
    let at = name.len() - accessors.rest().len();
    Ok(Value::tuple(vec![first, tool(Rest { name, at })]))
}

/// Reads what follows the first part of a field name.
struct Rest {
    name: String,
    at: usize,
}

impl Tool for Rest {
    fn type_name(&self) -> &'static str {
        "fieldnameiterator"
    }

    fn next(&mut self, vm: &mut Vm) -> Res<Option<Value>> {
        let rest = &self.name[self.at..];
        // Where the rest begins, no first part is left to split off.
        let accessors = split_name(rest).map(|(_, accessors)| accessors);
        let (accessor, left) = match accessors {
            _ if rest.is_empty() => return Ok(None),
            Ok(mut accessors) if rest.starts_with(['.', '[']) => (accessors.next(), accessors.rest().len()),
            _ => {
                let message = "Only '.' or '[' may follow ']' in format field specifier";
                return Err(vm.value_error(message));
            }
        };
        self.at = self.name.len() - left;
        match accessor {
            None => Ok(None),
            Some(Err(error)) => Err(vm.format_error(error)),
            Some(Ok(accessor)) => {
                let (is_attribute, key) = match accessor {
                    Accessor::Attribute(name) => (true, Value::str(name)),
                    Accessor::Index(index) => (false, Value::size(index)),
                    Accessor::Key(key) => (false, Value::str(key)),
                };
                Ok(Some(Value::tuple(vec![Value::bool(is_attribute), key])))
            }
        }
    }

    fn trace(&self, _: &mut dyn FnMut(&Value)) {}
}
