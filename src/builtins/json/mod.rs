//! `json`: Python's module, and the flat `json_parse` and `json_stringify`.

mod parse;
mod write;

use crate::call::{Call, Native, NativeModule};
use crate::eval::{Exc, Vm};
use crate::text::surrogate;
use crate::value::{Exception, Raised, Ref, Res, Str, Tag, Type, Value, View};
use parse::{Failure, Options, Parser};
use write::{Layout, Writer};

pub static MODULE: NativeModule = NativeModule {
    name: "json",
    doc: "Reading and writing JSON.",
    functions: &[
        Native {
            name: "loads",
            params: "s, *, cls=None, object_hook=None, parse_float=None, parse_int=None, parse_constant=None, object_pairs_hook=None, strict=True, **kw",
            run: loads,
            doc: "The value of a JSON text. JSONDecodeError tells where the text is wrong.",
        },
        Native {
            name: "load",
            params: "fp, *, cls=None, object_hook=None, parse_float=None, parse_int=None, parse_constant=None, object_pairs_hook=None, strict=True, **kw",
            run: load,
            doc: "As `loads`, from a file.",
        },
        Native {
            name: "dumps",
            params: "obj, *, skipkeys=False, ensure_ascii=True, check_circular=True, allow_nan=True, cls=None, indent=None, separators=None, default=None, sort_keys=False, **kw",
            run: dumps,
            doc: "A value as JSON text. `default` is called for what JSON does not know.",
        },
        Native {
            name: "dump",
            params: "obj, fp, *, skipkeys=False, ensure_ascii=True, check_circular=True, allow_nan=True, cls=None, indent=None, separators=None, default=None, sort_keys=False, **kw",
            run: dump,
            doc: "As `dumps`, into a file.",
        },
        Native {
            name: "_scan",
            params: "s, idx, /, *, object_hook=None, parse_float=None, parse_int=None, parse_constant=None, object_pairs_hook=None, strict=True",
            run: scan,
            doc: "The value that starts at a place in a text, and the place after it.",
        },
    ],
    constants: &[
        ("JSONDecodeError", |vm| error_class(vm).map_or(Value::NONE, Value::from)),
        ("JSONEncoder", |vm| super::in_zpy(vm, "json.encoder", "JSONEncoder")),
        ("decoder", |vm| vm.import_module("json.decoder").unwrap_or(crate::value::Value::NONE)),
        ("encoder", |vm| vm.import_module("json.encoder").unwrap_or(crate::value::Value::NONE)),
        ("JSONDecoder", |vm| super::in_zpy(vm, "json.decoder", "JSONDecoder")),
    ],
};

pub static FLAT: NativeModule = NativeModule {
    name: "json",
    doc: "Reading and writing JSON.",
    functions: &[
        Native {
            name: "json_parse",
            params: "text",
            run: parse,
            doc: "The value of a JSON text, or none if it is not JSON.",
        },
        Native {
            name: "json_stringify",
            params: "value, indent=None",
            run: stringify,
            doc: "A value as JSON text: on one line without spaces, or with `indent` spaces for each level. Functions become null.",
        },
    ],
    constants: &[],
};

/// The class `json.JSONDecodeError`, made once.
fn error_class(vm: &mut Vm) -> Res<Ref<Type>> {
    if let Some(class) = &vm.state.json_decode_error {
        return Ok(class.clone());
    }
    let base = vm.types.exception(Exc::ValueError).into();
    let class = vm.new_exception_class("JSONDecodeError", "json.decoder", &[base])?;
    vm.state.json_decode_error = Some(class.clone());
    Ok(class)
}

/// Raises JSONDecodeError for a place in the text, given as a byte offset.
fn fail(vm: &mut Vm, text: &str, message: &str, at: usize) -> Raised {
    let class = match error_class(vm) {
        Ok(class) => class,
        Err(raised) => return raised,
    };
    let before = &text[..at.min(text.len())];
    let position = before.chars().count();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let shown = format!("{message}: line {line} column {column} (char {position})");
    let exception = Exception::new(class, vec![Value::str(shown)]);
    exception.set_attribute("msg", Value::str(message));
    exception.set_attribute("doc", Value::str(text));
    exception.set_attribute("pos", Value::size(position));
    exception.set_attribute("lineno", Value::size(line));
    exception.set_attribute("colno", Value::size(column));
    vm.raise(exception)
}

fn settle(vm: &mut Vm, text: &str, result: Result<Value, Failure>) -> Res {
    match result {
        Ok(value) => Ok(value),
        Err(Failure::Raised) => Err(Raised),
        Err(Failure::Wrong { message, at }) => Err(fail(vm, text, message, at)),
    }
}

/// The text in a `str`, `bytes` or `bytearray`.
fn text_of(vm: &mut Vm, value: &Value) -> Res<String> {
    match Vm::unwrap_native(value).view() {
        View::Str(text) => Ok(text.as_str().to_string()),
        View::Bytes(_) | View::ByteArray(_) => {
            let bytes = vm.bytes_of(value)?;
            let text = vm.decode(&bytes, guess_encoding(&bytes), "surrogatepass")?;
            Ok(text.as_str().unwrap_or_default().to_string())
        }
        _ => {
            let got = vm.type_name(value);
            Err(vm.type_error(format!("the JSON object must be str, bytes or bytearray, not {got}")))
        }
    }
}

/// As RFC 4627 tells encodings apart: by where the null bytes are.
fn guess_encoding(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => "utf-8-sig",
        [0, 0, 0xFE, 0xFF, ..] | [0xFF, 0xFE, 0, 0, ..] => "utf-32",
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => "utf-16",
        [0, 0, 0, b, ..] if *b != 0 => "utf-32-be",
        [a, 0, 0, 0, ..] if *a != 0 => "utf-32-le",
        [0, b, ..] if *b != 0 => "utf-16-be",
        [a, 0, ..] if *a != 0 => "utf-16-le",
        _ => "utf-8",
    }
}

/// What `stdlib/json` defines.
fn in_zpy(vm: &mut Vm, module: &str, name: &str) -> Res {
    let module = vm.import_module(module)?;
    vm.get_attribute(&module, &Str::new(name))
}

/// Lets an object of the class given as `cls`, made with the other keyword arguments, read or write the value;
/// None if `cls` is absent. Further keywords go to the class too: without `cls` there is no use for them.
fn by_class(
    call: &mut Call,
    index: usize,
    usual: (&str, &str),
    method: &str,
    value: &Value,
) -> Res<Option<Value>> {
    let more = call.keyword_pairs();
    let class = match call.keyword(index).filter(|class| !class.is_none()) {
        Some(class) => class.clone(),
        None if more.is_empty() => return Ok(None),
        None => in_zpy(call.vm, usual.0, usual.1)?,
    };
    let mut options = Vec::new();
    for (place, param) in call.signature.keyword_only.iter().enumerate() {
        if let Some(given) = call.keyword(place).filter(|given| place != index && !given.is_none()) {
            options.push((Str::new(param.name), given.clone()));
        }
    }
    options.extend(more);
    let object = call.vm.call_with_keywords(&class, &[], &options)?;
    call.vm.call_method(&object, method, std::slice::from_ref(value)).map(Some)
}

fn loads(call: &mut Call) -> Res {
    let value = call.arg(0);
    loads_value(call, value)
}

fn load(call: &mut Call) -> Res {
    let text = call.vm.call_method(call.arg(0), "read", &[])?;
    loads_value(call, &text)
}

fn loads_value(call: &mut Call, value: &Value) -> Res {
    let text = text_of(call.vm, value)?;
    let is_str = Vm::unwrap_native(value).is::<Str>();
    if is_str && text.starts_with('\u{feff}') {
        return Err(fail(call.vm, &text, "Unexpected UTF-8 BOM (decode using utf-8-sig)", 0));
    }
    let whole = Value::str(&text);
    if let Some(value) = by_class(call, 0, ("json.decoder", "JSONDecoder"), "decode", &whole)? {
        return Ok(value);
    }
    let options = options(call, 1)?;
    let result = Parser::new(call.vm, &text, &options).document();
    settle(call.vm, &text, result)
}

/// The hooks among the keyword arguments, the first of them at `from`.
fn options(call: &mut Call, from: usize) -> Res<Options> {
    let hook = |call: &Call, index: usize| call.keyword(index).filter(|hook| !hook.is_none()).cloned();
    Ok(Options {
        object_hook: hook(call, from),
        parse_float: hook(call, from + 1),
        parse_int: hook(call, from + 2),
        parse_constant: hook(call, from + 3),
        object_pairs_hook: hook(call, from + 4),
        strict: match call.keyword(from + 5) {
            Some(strict) => call.vm.truth(strict)?,
            None => true,
        },
        constants: true,
    })
}

fn scan(call: &mut Call) -> Res {
    let text = call.str(0)?;
    let start = call.int(1)?;
    if start < 0 {
        return Err(call.vm.value_error("idx cannot be negative"));
    }
    let offset = text.char_indices().nth(start as usize).map_or(text.len(), |(offset, _)| offset);
    let options = options(call, 0)?;
    match Parser::new(call.vm, text, &options).value_at(offset) {
        Ok((value, end)) => Ok(Value::tuple(vec![value, Value::size(text[..end].chars().count())])),
        Err(failure) => settle(call.vm, text, Err(failure)),
    }
}

fn parse(call: &mut Call) -> Res {
    let text = match Vm::unwrap_native(call.arg(0)).view() {
        View::Str(text) => text.as_str().to_string(),
        View::Bytes(bytes) => surrogate::decode_utf8_surrogateescape(bytes.data()),
        _ => return Err(call.wrong_type(0, "a string")),
    };
    let options = Options { strict: true, ..Options::default() };
    match Parser::new(call.vm, &text, &options).document() {
        Ok(value) => Ok(value),
        Err(Failure::Raised) => Err(Raised),
        Err(Failure::Wrong { .. }) => Ok(Value::NONE),
    }
}

fn dumps(call: &mut Call) -> Res {
    Ok(Value::str(dumped(call)?))
}

fn dump(call: &mut Call) -> Res {
    let text = dumped(call)?;
    call.vm.call_method(call.arg(1), "write", &[Value::str(text)])?;
    Ok(Value::NONE)
}

fn dumped(call: &mut Call) -> Res<String> {
    let value = call.arg(0);
    if let Some(text) = by_class(call, 4, ("json.encoder", "JSONEncoder"), "encode", value)? {
        return call.vm.text_of(&text, "result of encode()");
    }
    let flag = |call: &mut Call, index: usize, usual: bool| match call.keyword(index) {
        Some(value) => call.vm.truth(value),
        None => Ok(usual),
    };
    let skip_keys = flag(call, 0, false)?;
    let ascii = flag(call, 1, true)?;
    let check_circular = flag(call, 2, true)?;
    let allow_nan = flag(call, 3, true)?;
    let sort_keys = flag(call, 8, false)?;
    let indent = match call.keyword(5).filter(|indent| !indent.is_none()) {
        Some(indent) => Some(match indent.as_str() {
            Some(text) => text.to_string(),
            None => " ".repeat(call.vm.to_index(indent)?.clamp(0, 1 << 20) as usize),
        }),
        None => None,
    };
    let (mut between, mut after_key) =
        (if indent.is_some() { "," } else { ", " }.to_string(), ": ".to_string());
    if let Some(separators) = call.keyword(6).filter(|separators| !separators.is_none()) {
        let pair = call.vm.collect(separators)?;
        let [item, key] = &pair[..] else {
            let (more, count) = (if pair.len() > 2 { "too many" } else { "not enough" }, pair.len());
            return Err(call.vm.value_error(if pair.len() > 2 {
                format!("{more} values to unpack (expected 2)")
            } else {
                format!("{more} values to unpack (expected 2, got {count})")
            }));
        };
        between = call.vm.text_of(item, "item separator")?;
        after_key = call.vm.text_of(key, "key separator")?;
    }
    let default = call.keyword(7).filter(|default| !default.is_none()).cloned();
    let value = call.arg(0);
    let layout = Layout {
        skip_keys,
        ascii,
        check_circular,
        allow_nan,
        sort_keys,
        indent,
        between,
        after_key,
        default,
        functions_are_null: false,
    };
    let mut writer = Writer::new(call.vm, layout);
    writer.write(value, 0)?;
    Ok(writer.out)
}

fn stringify(call: &mut Call) -> Res {
    let indent = match call.opt_not_none(1) {
        Some(_) => call.int(1)?,
        None => 0,
    };
    if indent < 0 {
        return Err(call
            .vm
            .value_error(format!("json_stringify() indent must not be negative, not {indent}")));
    }
    let value = call.arg(0);
    let indent = (indent > 0).then(|| " ".repeat(indent.min(1 << 20) as usize));
    let after_key = if indent.is_some() { ": " } else { ":" }.to_string();
    let layout = Layout { indent, after_key, functions_are_null: true, ..Layout::dense() };
    let mut writer = Writer::new(call.vm, layout);
    writer.write(value, 0)?;
    Ok(Value::str(writer.out))
}

/// Whether a value is a function of any kind.
fn is_function(value: &Value) -> bool {
    matches!(value.tag(), Tag::Function | Tag::NativeFunction | Tag::BoundMethod)
}
