//! Methods of `str` that turn other things into text and text into other things: the constructor, bytes,
//! templates, translation tables.

use super::Str;
use super::methods::made;
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};
use crate::text::surrogate;
use crate::value::{Bytes, Dict, Int, Res, Tag, Value, View};

pub const ROWS: &[Native] = &[
    Native {
        name: "__new__",
        params: "cls, object='', encoding='utf-8', errors='strict'",
        doc: "The text of an object, as `print` shows it; with an encoding or errors, decoded bytes.",
        run: new,
    },
    Native {
        name: "encode",
        params: "self, encoding='utf-8', errors='strict'",
        doc: "The text as bytes. `errors` says what becomes of characters the encoding lacks: `strict` \
              (UnicodeEncodeError), `ignore`, `replace`, `backslashreplace`, `namereplace`, \
              `xmlcharrefreplace`, `surrogateescape`, `surrogatepass`.",
        run: encode,
    },
    Native {
        name: "format",
        params: "self, /, *args, **kwargs",
        doc: "The text with its `{fields}` replaced by the arguments.",
        run: format,
    },
    Native {
        name: "format_map",
        params: "self, mapping, /",
        doc: "The text with its `{fields}` replaced by items of a mapping.",
        run: format_map,
    },
    Native {
        name: "maketrans",
        params: "x, y=None, z=None, /",
        doc: "A table for `translate`: from a dict, or from two texts of equal length and a third of characters to remove.",
        run: maketrans,
    },
    Native {
        name: "translate",
        params: "self, table, /",
        doc: "The text with each character replaced by what the table has for its code point: a text, a code point, \
              or none to remove it; characters that are not in the table stay.",
        run: translate,
    },
];

fn new(call: &mut Call) -> Res {
    let Some(object) = call.opt(1) else {
        call.named_str(2)?;
        call.named_str(3)?;
        return Ok(Value::str(""));
    };
    if call.opt(2).is_none() && call.opt(3).is_none() {
        if object.is::<Str>() {
            return Ok(object.clone());
        }
        // What `__str__` gives may be of a derived class, and stays it.
        let is_plain = call.arg(0).same(&call.vm.types.of_tag(Tag::Str).clone().into());
        if is_plain
            && object.tag() == Tag::Instance
            && let Some(method) = call.vm.special_method(object, "__str__")?
            && !method.is::<crate::value::NativeFunction>()
        {
            let text = call.vm.call(&method, &[])?;
            if Vm::unwrap_native(&text).is::<Str>() {
                return Ok(text);
            }
            let got = call.vm.type_name(&text);
            return Err(call.vm.type_error(format!("__str__ returned non-string (type {got})")));
        }
        return Ok(made(call.vm.str_of(object)?));
    }
    let encoding = call.named_str(2)?.unwrap_or("utf-8");
    let errors = call.named_str(3)?.unwrap_or("strict");
    let inside = Vm::unwrap_native(object);
    match inside.tag() {
        Tag::Bytes | Tag::ByteArray | Tag::MemoryView => {
            let data = call.vm.bytes_of(inside)?;
            call.vm.decode(&data, encoding, errors)
        }
        Tag::Str => Err(call.vm.type_error("decoding str is not supported")),
        _ => {
            let got = call.vm.type_name(object);
            Err(call.vm.type_error(format!("decoding to str: need a bytes-like object, {got} found")))
        }
    }
}

fn encode(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let encoding = call.named_str(1)?.unwrap_or("utf-8");
    let errors = call.named_str(2)?.unwrap_or("strict");
    Ok(Bytes::new(call.vm.encode(text, encoding, errors)?).into())
}

fn format(call: &mut Call) -> Res {
    let template = call.this::<Str>()?.as_str();
    let (args, named) = (call.rest(), call.keywords());
    call.vm.format_template(template, args, named)
}

fn format_map(call: &mut Call) -> Res {
    let template = call.this::<Str>()?.as_str();
    call.vm.format_template_map(template, call.arg(1))
}

fn maketrans(call: &mut Call) -> Res {
    let table = Dict::new(Default::default());
    let Some(replacements) = call.opt(1) else {
        fill_from_dict(call, &table)?;
        return Ok(table.into());
    };
    let Some(from) = Vm::unwrap_native(call.arg(0)).as_str() else {
        return Err(call
            .vm
            .type_error("first maketrans argument must be a string if there is a second argument"));
    };
    let Some(to) = Vm::unwrap_native(replacements).as_str() else { return Err(call.wrong_type(1, "str")) };
    if from.chars().count() != to.chars().count() {
        return Err(call.vm.value_error("the first two maketrans arguments must have equal length"));
    }
    for (key, value) in from.chars().zip(to.chars()) {
        call.vm.dict_set(&table, code(key), code(value))?;
    }
    if call.opt(2).is_some() {
        for key in call.str(2)?.chars() {
            call.vm.dict_set(&table, code(key), Value::NONE)?;
        }
    }
    Ok(table.into())
}

fn code(c: char) -> Value {
    Value::int(surrogate::code_point(c) as i64)
}

fn fill_from_dict(call: &mut Call, table: &Dict) -> Res<()> {
    let Some(given) = Vm::unwrap_native(call.arg(0)).get::<Dict>() else {
        return Err(call.vm.type_error("if you give only one argument to maketrans it must be a dict"));
    };
    for (key, value) in given.pairs() {
        let key = match key.view() {
            View::Str(text) => {
                let mut chars = text.as_str().chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) => code(c),
                    _ => {
                        let message = "string keys in translate table must be of length 1";
                        return Err(call.vm.value_error(message));
                    }
                }
            }
            _ if Int::of(&key).is_some() => key,
            _ => return Err(call.vm.type_error("keys in translate table must be strings or integers")),
        };
        call.vm.dict_set(table, key, value)?;
    }
    Ok(())
}

fn translate(call: &mut Call) -> Res {
    let text = call.this::<Str>()?.as_str();
    let table = call.arg(1);
    let mut out = String::with_capacity(text.len());
    // Most characters of a text repeat: what the table said of ASCII characters is kept.
    let mut known: [Option<Option<char>>; 128] = [None; 128];
    for c in text.chars() {
        if let Some(Some(answer)) = known.get(c as usize) {
            out.extend(*answer);
            continue;
        }
        let result = call.vm.get_item(table, &code(c));
        if result.is_err() && !call.vm.is_raised(Exc::LookupError) {
            return Err(crate::value::Raised);
        }
        let answer = match call.vm.catch(result, Exc::LookupError)? {
            None => Some(c),
            Some(value) => match value.view() {
                View::None => None,
                View::Str(text) => {
                    out.push_str(text.as_str());
                    continue;
                }
                _ => Some(mapped_char(call, &value)?),
            },
        };
        out.extend(answer);
        if let Some(slot) = known.get_mut(c as usize) {
            *slot = Some(answer);
        }
    }
    Ok(made(out))
}

/// The character that an int in a translation table stands for.
fn mapped_char(call: &mut Call, value: &Value) -> Res<char> {
    let Some(int) = Int::of(value) else {
        if let Some(text) = Vm::unwrap_native(value).as_str()
            && text.chars().count() == 1
        {
            return Ok(text.chars().next().unwrap_or_default());
        }
        return Err(call.vm.type_error("character mapping must return integer, None or str"));
    };
    match int.to_i64().and_then(|i| u32::try_from(i).ok()).filter(|&i| i < 0x11_0000) {
        Some(cp) => Ok(surrogate::to_char(cp)),
        None => Err(call.vm.value_error("character mapping must be in range(0x110000)")),
    }
}
