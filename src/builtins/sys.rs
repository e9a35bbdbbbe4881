//! `sys`: the interpreter itself.

use super::hooks;
use super::io::{self, Standard};
use super::structs::StructType;
use crate::call::{Call, Native, NativeModule};
use crate::eval::{Exc, Vm};
use crate::value::{Dict, Exception, Instance, Int, Res, Str, Type, Value, View};

pub static MODULE: NativeModule = NativeModule {
    name: "sys",
    doc: "The interpreter: its arguments, streams, modules, limits and version.",
    functions: &[
        Native {
            name: "exit",
            params: "status=None, /",
            run: exit,
            doc: "Ends the program: none and 0 mean success, another int is the exit code, anything else is printed to stderr and means 1.",
        },
        Native {
            name: "exc_info",
            params: "",
            run: exc_info,
            doc: "Class, value and traceback of the exception being handled; three times none if there is none.",
        },
        Native {
            name: "exception",
            params: "",
            run: exception,
            doc: "The exception being handled, or none.",
        },
        Native {
            name: "getrecursionlimit",
            params: "",
            run: get_recursion_limit,
            doc: "How many calls of functions may be nested.",
        },
        Native {
            name: "get_int_max_str_digits",
            params: "",
            run: |call| Ok(Value::size(call.vm.int_max_str_digits)),
            doc: "Most decimal digits of an int that is read from or written as text; 0 for any number.",
        },
        Native {
            name: "set_int_max_str_digits",
            params: "maxdigits",
            run: set_int_max_str_digits,
            doc: "Sets how many decimal digits an int that is read from or written as text may have: 0 or at least 640.",
        },
        Native {
            name: "setrecursionlimit",
            params: "limit, /",
            run: set_recursion_limit,
            doc: "Sets how many calls of functions may be nested. The machine's stack may end earlier, with the same RecursionError.",
        },
        Native {
            name: "getsizeof",
            params: "object, default=None",
            run: get_size_of,
            doc: "About how many bytes of memory the object itself takes.",
        },
        Native {
            name: "getrefcount",
            params: "object, /",
            run: get_ref_count,
            doc: "How many references there are to the object, that of the call included.",
        },
        Native {
            name: "intern",
            params: "string, /",
            run: intern,
            doc: "The one string object of this text.",
        },
        Native { name: "getdefaultencoding", params: "", run: utf_8, doc: "`utf-8`" },
        Native { name: "getfilesystemencoding", params: "", run: utf_8, doc: "`utf-8`" },
        Native { name: "getfilesystemencodeerrors", params: "", run: escape, doc: "`surrogateescape`" },
        Native {
            name: "is_finalizing",
            params: "",
            run: is_finalizing,
            doc: "Always false: no code runs that late.",
        },
        hooks::DISPLAY,
        hooks::EXCEPT,
        hooks::UNRAISABLE,
        hooks::BREAKPOINT,
        Native {
            name: "settrace",
            params: "function, /",
            run: set_trace,
            doc: "Takes none only: there is no tracing. Raises NotImplementedError for a function.",
        },
        Native {
            name: "gettrace",
            params: "",
            run: |_| Ok(Value::NONE),
            doc: "Always none: there is no tracing.",
        },
        Native {
            name: "setprofile",
            params: "function, /",
            run: set_trace,
            doc: "Takes none only: there is no profiling by calls. Raises NotImplementedError for a function.",
        },
        Native { name: "getprofile", params: "", run: |_| Ok(Value::NONE), doc: "Always none." },
        super::frame::GET_FRAME,
    ],
    constants: &[
        ("argv", |vm| vm.argv.clone()),
        ("orig_argv", |vm| vm.argv.clone()),
        ("path", |vm| vm.path.clone()),
        ("modules", |vm| vm.modules.clone().into()),
        ("stdin", |vm| stream(vm, Standard::In)),
        ("stdout", |vm| stream(vm, Standard::Out)),
        ("stderr", |vm| stream(vm, Standard::Err)),
        ("__stdin__", |vm| io::standard(vm, Standard::In)),
        ("__stdout__", |vm| io::standard(vm, Standard::Out)),
        ("__stderr__", |vm| io::standard(vm, Standard::Err)),
        ("__displayhook__", |_| super::function_value(&hooks::DISPLAY, "sys")),
        ("__excepthook__", |_| super::function_value(&hooks::EXCEPT, "sys")),
        ("__breakpointhook__", |_| super::function_value(&hooks::BREAKPOINT, "sys")),
        ("__unraisablehook__", |_| super::function_value(&hooks::UNRAISABLE, "sys")),
        ("platform", |_| Value::str(if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS })),
        ("byteorder", |_| Value::str(if cfg!(target_endian = "little") { "little" } else { "big" })),
        ("maxsize", |_| Value::int(i64::MAX)),
        ("maxunicode", |_| Value::int(0x10_ffff)),
        ("executable", |_| executable()),
        ("version", |_| Value::str(format!("3.12.0 (ZPy {})", env!("CARGO_PKG_VERSION")))),
        ("version_info", version_info),
        ("hexversion", |_| Value::int(0x030c_00f0)),
        ("implementation", implementation),
        ("float_info", float_info),
        ("int_info", int_info),
        ("hash_info", hash_info),
        ("flags", flags),
        ("builtin_module_names", |vm| {
            let names = super::module_names(vm);
            Value::tuple(names.iter().map(Value::str).collect())
        }),
        ("prefix", |_| Value::str("/usr")),
        ("base_prefix", |_| Value::str("/usr")),
        ("base_exec_prefix", |_| Value::str("/usr")),
        ("abiflags", |_| Value::str("")),
        ("api_version", |_| Value::int(1013)),
        ("float_repr_style", |_| Value::str("short")),
        ("exec_prefix", |_| Value::str("/usr")),
        ("copyright", |_| Value::str("The ZPy developers")),
        ("ps1", |_| Value::str(">>> ")),
        ("ps2", |_| Value::str("... ")),
        ("dont_write_bytecode", |_| Value::TRUE),
        ("warnoptions", |vm| vm.warn_options.clone()),
    ],
};

/// The stream, and a note of the variable, so that `print` sees when a script puts something else there.
fn stream(vm: &mut Vm, which: Standard) -> Value {
    let name = ["stdin", "stdout", "stderr"][which as usize];
    if let Some(module) = vm.modules.get_text("sys")
        && let Some(module) = module.get::<crate::value::Module>()
    {
        let name = vm.intern(name);
        vm.state.stream_variables[which as usize] = Some(module.variable(&name));
    }
    io::standard(vm, which)
}

fn executable() -> Value {
    let path = std::env::current_exe().ok();
    Value::str(path.map_or(String::new(), |path| path.to_string_lossy().into_owned()))
}

static VERSION_INFO: StructType = StructType {
    module: "sys",
    name: "version_info",
    fields: &["major", "minor", "micro", "releaselevel", "serial"],
    hidden: &[],
    more: 0,
};

/// The version of Python whose language this is.
fn version_info(vm: &mut Vm) -> Value {
    let items = vec![Value::int(3), Value::int(12), Value::int(0), Value::str("final"), Value::int(0)];
    struct_or_none(vm, &VERSION_INFO, items)
}

/// An object of `sys` with these attributes.
pub(super) fn object(vm: &mut Vm, name: &'static str, attributes: &[(&str, Value)]) -> Value {
    let metaclass: Value = vm.types.type_.clone().into();
    let namespace = Dict::from_pairs([("__module__", Value::str("sys"))]);
    let Ok(class) = vm.new_class(&metaclass, Str::new(name), &[], &namespace, &[]) else {
        return Value::NONE;
    };
    let Some(class) = class.get_ref::<Type>() else { return Value::NONE };
    let made = Instance::new(class);
    for (name, value) in attributes {
        let name = vm.intern(name);
        made.attributes().set_str(&name, value.clone());
    }
    made.into()
}

fn implementation(vm: &mut Vm) -> Value {
    let version = version_info(vm);
    object(
        vm,
        "implementation",
        &[
            ("name", Value::str("zpy")),
            ("version", version),
            ("hexversion", Value::int(0x030c_00f0)),
            ("cache_tag", Value::NONE),
        ],
    )
}

static FLOAT_INFO: StructType = StructType {
    module: "sys",
    name: "float_info",
    fields: &[
        "max",
        "max_exp",
        "max_10_exp",
        "min",
        "min_exp",
        "min_10_exp",
        "dig",
        "mant_dig",
        "epsilon",
        "radix",
        "rounds",
    ],
    hidden: &[],
    more: 0,
};

fn float_info(vm: &mut Vm) -> Value {
    let items = vec![
        Value::float(f64::MAX),
        Value::int(f64::MAX_EXP.into()),
        Value::int(f64::MAX_10_EXP.into()),
        Value::float(f64::MIN_POSITIVE),
        Value::int(f64::MIN_EXP.into()),
        Value::int(f64::MIN_10_EXP.into()),
        Value::int(f64::DIGITS.into()),
        Value::int(f64::MANTISSA_DIGITS.into()),
        Value::float(f64::EPSILON),
        Value::int(2),
        Value::int(1),
    ];
    struct_or_none(vm, &FLOAT_INFO, items)
}

static INT_INFO: StructType = StructType {
    module: "sys",
    name: "int_info",
    fields: &["bits_per_digit", "sizeof_digit", "default_max_str_digits", "str_digits_check_threshold"],
    hidden: &[],
    more: 0,
};

fn int_info(vm: &mut Vm) -> Value {
    let items = [30, 4, 4300, 640].map(Value::int).to_vec();
    struct_or_none(vm, &INT_INFO, items)
}

static FLAGS: StructType = StructType {
    module: "sys",
    name: "flags",
    fields: &[
        "debug",
        "inspect",
        "interactive",
        "optimize",
        "dont_write_bytecode",
        "no_user_site",
        "no_site",
        "ignore_environment",
        "verbose",
        "bytes_warning",
        "quiet",
        "hash_randomization",
        "isolated",
        "dev_mode",
        "utf8_mode",
        "warn_default_encoding",
        "safe_path",
        "int_max_str_digits",
    ],
    hidden: &[],
    more: 0,
};

/// What an interpreter without options has; nothing here can be changed by one.
fn flags(vm: &mut Vm) -> Value {
    let items = FLAGS.fields.iter().map(|&name| match name {
        "dont_write_bytecode" | "hash_randomization" | "utf8_mode" => Value::int(1),
        "dev_mode" | "safe_path" => Value::FALSE,
        "int_max_str_digits" => Value::size(vm.int_max_str_digits),
        _ => Value::int(0),
    });
    let items = items.collect();
    struct_or_none(vm, &FLAGS, items)
}

static HASH_INFO: StructType = StructType {
    module: "sys",
    name: "hash_info",
    fields: &["width", "modulus", "inf", "nan", "imag", "algorithm", "hash_bits", "seed_bits", "cutoff"],
    hidden: &[],
    more: 0,
};

fn hash_info(vm: &mut Vm) -> Value {
    let items = vec![
        Value::int(64),
        Value::int((1 << 61) - 1),
        Value::int(314_159),
        Value::int(0),
        Value::int(1_000_003),
        Value::str("foldhash"),
        Value::int(64),
        Value::int(64),
        Value::int(0),
    ];
    struct_or_none(vm, &HASH_INFO, items)
}

fn struct_or_none(vm: &mut Vm, kind: &'static StructType, items: Vec<Value>) -> Value {
    vm.struct_value(kind, items).map_or(Value::NONE, Value::from)
}

fn exit(call: &mut Call) -> Res {
    let args = call.opt_not_none(0).cloned().into_iter().collect();
    Err(call.vm.error_with(Exc::SystemExit, args))
}

fn exc_info(call: &mut Call) -> Res {
    let exception = call.vm.handled_exception();
    if !exception.is::<Exception>() {
        return Ok(Value::tuple(vec![Value::NONE; 3]));
    }
    let class: Value = call.vm.type_of(&exception).into();
    let traceback = call.vm.get_attribute(&exception, &Str::new("__traceback__"))?;
    Ok(Value::tuple(vec![class, exception, traceback]))
}

fn exception(call: &mut Call) -> Res {
    Ok(call.vm.handled_exception())
}

fn get_recursion_limit(call: &mut Call) -> Res {
    Ok(Value::size(call.vm.recursion_limit))
}

fn set_int_max_str_digits(call: &mut Call) -> Res {
    /// As in CPython: fewer would slow nobody down.
    const LEAST: usize = 640;
    match usize::try_from(call.int(0)?) {
        Ok(limit) if limit == 0 || limit >= LEAST => call.vm.int_max_str_digits = limit,
        _ => return Err(call.vm.value_error("maxdigits must be 0 or larger than 640")),
    }
    Ok(Value::NONE)
}

fn set_recursion_limit(call: &mut Call) -> Res {
    let limit = call.int(0)?;
    if limit < 1 {
        return Err(call.vm.value_error("recursion limit must be greater or equal than 1"));
    }
    if i32::try_from(limit).is_err() {
        return Err(call.vm.overflow_error("Python int too large to convert to C int"));
    }
    let depth = call.vm.depth();
    if limit as usize <= depth {
        let message = format!(
            "cannot set the recursion limit to {limit} at the recursion depth {depth}: the limit is too low"
        );
        return Err(call.vm.error(Exc::RecursionError, message));
    }
    call.vm.recursion_limit = limit as usize;
    Ok(Value::NONE)
}

fn get_size_of(call: &mut Call) -> Res {
    let value = call.arg(0);
    if value.is::<Instance>()
        && let Some(method) = call.vm.special_method(value, "__sizeof__")?
    {
        return call.vm.call(&method, &[]);
    }
    const HEADER: usize = 16;
    const WORD: usize = size_of::<Value>();
    let size = match Vm::unwrap_native(value).view() {
        View::Str(text) => HEADER + 48 + text.as_str().len(),
        View::Bytes(bytes) => HEADER + 16 + bytes.data().len(),
        View::ByteArray(bytes) => HEADER + 24 + bytes.data.borrow().len(),
        View::List(list) => HEADER + 32 + WORD * list.borrow().capacity(),
        View::Tuple(tuple) => HEADER + 16 + WORD * tuple.len(),
        View::Dict(dict) => HEADER + 64 + (2 * WORD + 16) * dict.len(),
        View::Set(set) => HEADER + 64 + (WORD + 8) * set.len(),
        View::BigInt(big) => HEADER + 32 + big.bits() as usize / 8,
        _ if value.tag().is_heap() => HEADER + 48,
        _ => WORD,
    };
    Ok(Value::size(size))
}

fn get_ref_count(call: &mut Call) -> Res {
    Ok(Value::int(call.arg(0).reference_count() as i64))
}

fn intern(call: &mut Call) -> Res {
    match call.arg(0).as_str() {
        Some(text) => Ok(call.vm.intern(text).into()),
        None => {
            let got = call.vm.type_name(call.arg(0));
            Err(call.vm.type_error(format!("intern() argument must be str, not {got}")))
        }
    }
}

fn utf_8(_: &mut Call) -> Res {
    Ok(Value::str("utf-8"))
}

fn escape(_: &mut Call) -> Res {
    Ok(Value::str("surrogateescape"))
}

fn is_finalizing(_: &mut Call) -> Res {
    Ok(Value::FALSE)
}

fn set_trace(call: &mut Call) -> Res {
    if call.arg(0).is_none() {
        return Ok(Value::NONE);
    }
    let name = call.native.name;
    Err(call.vm.error(
        Exc::NotImplementedError,
        format!("sys.{name}(): ZPy calls no function for each line or call"),
    ))
}

/// A small int that fits, for other modules of this folder.
pub fn descriptor(vm: &mut Vm, value: &Value) -> Res<i32> {
    let int = vm.to_int_value(value)?;
    match Int::of(&int).and_then(|int| int.to_i64()).and_then(|int| i32::try_from(int).ok()) {
        Some(number) => Ok(number),
        None => Err(vm.overflow_error("Python int too large to convert to C int")),
    }
}
