//! The crate inside a host program: running, calling, converting, failing, and keeping engines apart.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Cursor, Write};
use std::rc::Rc;
use zpy::{Call, Engine, Error, IntoValue, Native, NativeModule, Res, Value};

#[path = "../examples/embed.rs"]
#[allow(dead_code)]
mod example;

#[test]
fn the_example_runs() {
    example::main().unwrap();
}

/// A writer that the test can read.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn eval<T: zpy::FromValue>(text: &str) -> Result<T, Error> {
    Engine::new().eval(text)?.to()
}

// --- running ----------------------------------------------------------------------------------------------------------

#[test]
fn the_value_is_that_of_the_last_statement() {
    assert_eq!(eval("1 + 1"), Ok(2));
    assert_eq!(eval("x = 3\nx * x"), Ok(9));
    assert_eq!(eval("'only text'"), Ok("only text".to_string()));
    for text in ["", "x = 1", "1\nx = 2", "if true:\n    5"] {
        assert_eq!(eval(text), Ok(()), "{text:?}");
    }
}

#[test]
fn variables_last() {
    let mut engine = Engine::new();
    engine.eval("count = 1").unwrap();
    engine.eval("def more():\n    global count\n    count += 1\n    return count").unwrap();
    assert_eq!(engine.call("more", ()).unwrap().to(), Ok(2));
    engine.set_global("count", 10);
    assert_eq!(engine.call("more", ()).unwrap().to(), Ok(11));
    assert_eq!(engine.get_global("count").unwrap().to(), Ok(11));
    assert!(engine.get_global("missing").is_none());
}

#[test]
fn functions_are_called_by_name_or_value() {
    let mut engine = Engine::new();
    let double = engine.eval("lambda x: x * 2").unwrap();
    assert_eq!(engine.call(&double, (21,)).unwrap().to(), Ok(42));
    assert_eq!(engine.call("len", ("four",)).unwrap().to(), Ok(4));
    assert_eq!(
        engine.call("nothing", ()).unwrap_err().to_string(),
        "NameError: name 'nothing' is not defined"
    );
}

#[test]
fn files_run_with_their_folder() {
    let folder = std::env::temp_dir().join(format!("zpy-embed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("helper.zpy"), "name = 'helper'\n").unwrap();
    std::fs::write(folder.join("main.zpy"), "import helper\nhelper.name + ' of ' + __name__\n").unwrap();
    let mut engine = Engine::new();
    let value = engine.eval_file(folder.join("main.zpy"));
    let missing = engine.eval_file(folder.join("missing.zpy"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(value.unwrap().to(), Ok("helper of __main__".to_string()));
    assert_eq!(missing.unwrap_err().kind, "FileNotFoundError");
}

#[test]
fn print_writes_to_the_host() {
    let out = Shared::default();
    let mut engine = Engine::new().with_stdout(out.clone()).with_stdin(Cursor::new("a line\n"));
    engine.eval("print('one', 2)").unwrap();
    assert_eq!(out.text(), "one 2\n");
}

#[test]
fn deep_recursion_is_an_error() {
    let mut engine = Engine::new();
    engine.eval("def f(n): return f(n + 1)").unwrap();
    assert_eq!(engine.call("f", (0,)).unwrap_err().kind, "RecursionError");
    let mut engine = Engine::new().with_recursion_limit(50);
    engine.eval("def f(n): return 0 if n == 0 else f(n - 1)").unwrap();
    assert_eq!(engine.call("f", (40,)).unwrap().to(), Ok(0));
    assert_eq!(engine.call("f", (60,)).unwrap_err().kind, "RecursionError");
}

// --- errors -----------------------------------------------------------------------------------------------------------

#[test]
fn errors_are_data() {
    let mut engine = Engine::new();
    let error = engine.eval_named("job.zpy", "def f(x):\n    return 1 / x\n\ny = f(0)\n").unwrap_err();
    assert_eq!((error.kind.as_str(), error.message.as_str()), ("ZeroDivisionError", "division by zero"));
    let places: Vec<_> =
        error.trace.iter().map(|f| (f.function.as_str(), f.line, f.column, f.end_column)).collect();
    assert_eq!(places, [("<module>", 4, 5, 9), ("f", 2, 12, 17)]);
    assert_eq!(
        (error.trace[1].file.as_str(), error.trace[1].source_line.as_str()),
        ("job.zpy", "    return 1 / x")
    );
    assert_eq!(
        error.to_string().replace('~', "^"),
        "Traceback (most recent call last):\n  File \"job.zpy\", line 4, in <module>\n    y = f(0)\n        ^^^^\n  \
         File \"job.zpy\", line 2, in f\n    return 1 / x\n           ^^^^^\nZeroDivisionError: division by zero"
    );
}

#[test]
fn syntax_errors_have_their_place() {
    let error = Engine::new().eval_named("bad.zpy", "x = 1\ny = = 2\n").unwrap_err();
    assert_eq!((error.kind.as_str(), error.message.as_str()), ("SyntaxError", "invalid syntax"));
    assert_eq!((error.trace[0].line, error.trace[0].column), (2, 5));
    assert!(error.to_string().starts_with("  File \"bad.zpy\", line 2\n    y = = 2\n        ^"), "{error}");
}

#[test]
fn causes_hang_together() {
    let text = "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('wrapped') from e";
    let error = Engine::new().eval(text).unwrap_err();
    assert_eq!(error.kind, "ValueError");
    assert_eq!(error.cause.as_ref().unwrap().kind, "ZeroDivisionError");
    assert!(error.to_string().contains("direct cause"), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("division by zero"), "{source}");
}

#[test]
fn exit_is_an_error_with_a_code() {
    let error = Engine::new().eval("raise SystemExit(3)").unwrap_err();
    assert_eq!((error.kind.as_str(), error.exit_code), ("SystemExit", Some(3)));
}

#[test]
fn errors_go_to_other_threads() {
    fn check<T: Send + Sync + std::error::Error>(_: &T) {}
    check(&Engine::new().eval("1 / 0").unwrap_err());
}

#[test]
fn an_error_leaves_the_engine_usable() {
    let mut engine = Engine::new();
    for _ in 0..3 {
        engine.eval("1 / 0").unwrap_err();
        engine.eval("x = = 1").unwrap_err();
        assert_eq!(engine.eval("5").unwrap().to(), Ok(5));
    }
}

// --- conversions ------------------------------------------------------------------------------------------------------

/// What comes back when a value goes to a script and returns.
fn there_and_back<T: IntoValue + zpy::FromValue>(value: T) -> T {
    let mut engine = Engine::new();
    engine.set_global("value", value);
    engine.eval("value").unwrap().to().unwrap()
}

#[test]
fn values_survive_the_journey() {
    assert_eq!(there_and_back(i64::MIN), i64::MIN);
    assert_eq!(there_and_back(u128::MAX), u128::MAX);
    assert_eq!(there_and_back(1.5), 1.5);
    assert!(there_and_back(true));
    assert_eq!(there_and_back("grüße 😀".to_string()), "grüße 😀");
    assert_eq!(there_and_back(vec![Some(1), None]), [Some(1), None]);
    assert_eq!(there_and_back((1, "a".to_string(), vec![2.5])), (1, "a".to_string(), vec![2.5]));
    let map = HashMap::from([("a".to_string(), vec![1, 2]), ("b".to_string(), vec![])]);
    assert_eq!(there_and_back(map.clone()), map);
    let map = BTreeMap::from([("a".to_string(), BTreeMap::from([("b".to_string(), 1)]))]);
    assert_eq!(there_and_back(map.clone()), map);
    there_and_back(());
}

#[test]
fn conversions_say_what_is_wrong() {
    let said = |error: Error| error.to_string();
    assert_eq!(said(eval::<i64>("'one'").unwrap_err()), "TypeError: wanted int, got str");
    assert_eq!(said(eval::<String>("1").unwrap_err()), "TypeError: wanted str, got int");
    assert_eq!(said(eval::<bool>("1").unwrap_err()), "TypeError: wanted bool, got int");
    assert_eq!(said(eval::<Vec<i64>>("[1, none]").unwrap_err()), "TypeError: wanted int, got NoneType");
    assert_eq!(said(eval::<f64>("[]").unwrap_err()), "TypeError: wanted float, got list");
    assert_eq!(said(eval::<u8>("300").unwrap_err()), "OverflowError: int does not fit into Rust's u8");
    assert_eq!(said(eval::<(i64, i64)>("(1,)").unwrap_err()), "ValueError: wanted 2 items, got 1");
    assert_eq!(said(eval::<HashMap<String, i64>>("{1: 2}").unwrap_err()), "TypeError: wanted str, got int");
    assert_eq!(
        said(eval::<String>("'\\ud800'").unwrap_err()),
        "ValueError: a str with lone surrogates is no Rust String"
    );
}

#[test]
fn bytes_and_floats_convert_too() {
    assert_eq!(eval("b'abc'"), Ok(b"abc".to_vec()));
    assert_eq!(eval("3"), Ok(3.0));
    assert_eq!(eval("true"), Ok(1));
}

// --- native functions -------------------------------------------------------------------------------------------------

static HOST: NativeModule = NativeModule {
    name: "host",
    doc: "For these tests.",
    functions: &[
        Native { name: "add", params: "a, b=10", run: add, doc: "Adds." },
        Native {
            name: "apply",
            params: "function, value",
            run: apply,
            doc: "Calls a function of the script's.",
        },
        Native { name: "log", params: "text", run: log, doc: "Adds a line to the host's log." },
    ],
    constants: &[("ANSWER", |_| Value::int(42))],
};

fn add(call: &mut Call) -> Res {
    let a: i64 = call.get(0)?;
    let b = call.int_or(1, 10)?;
    Ok((a + b).into_value())
}

fn apply(call: &mut Call) -> Res {
    let (function, value) = (call.arg(0).clone(), call.arg(1).clone());
    call.vm.call(&function, &[value])
}

fn log(call: &mut Call) -> Res {
    let line: String = call.get(0)?;
    if let Some(log) = call.data::<Vec<String>>() {
        log.push(line);
    }
    Ok(Value::size(call.data::<Vec<String>>().map_or(0, |log| log.len())))
}

#[test]
fn scripts_call_the_host() {
    let mut engine = Engine::new().with_data(Vec::<String>::new());
    engine.register(&HOST);
    assert_eq!(
        engine.eval("import host\nhost.add(1) + host.add(1, b=2) + host.ANSWER").unwrap().to(),
        Ok(56)
    );
    assert_eq!(engine.eval("host.apply(lambda x: x + 1, 1)").unwrap().to(), Ok(2));
    assert_eq!(engine.eval("host.log('a')\nhost.log('b')").unwrap().to(), Ok(2));
}

#[test]
fn errors_cross_the_border_both_ways() {
    let mut engine = Engine::new();
    engine.register(&HOST);
    engine.eval("import host").unwrap();
    let message = |engine: &mut Engine, text| engine.eval(text).unwrap_err().message.clone();
    assert_eq!(message(&mut engine, "host.add('x')"), "add() argument 1: wanted int, got str");
    assert_eq!(message(&mut engine, "host.add()"), "add() missing required argument 'a' (pos 1)");
    assert_eq!(message(&mut engine, "host.apply(lambda x: 1 / x, 0)"), "division by zero");
}

#[test]
#[should_panic(expected = "broken.f: bad parameter 'a-b'")]
fn bad_rows_are_found_at_once() {
    static BROKEN: NativeModule = NativeModule {
        name: "broken",
        doc: "",
        functions: &[Native { name: "f", params: "a-b", run: add, doc: "" }],
        constants: &[],
    };
    Engine::new().register(&BROKEN);
}

// --- several engines --------------------------------------------------------------------------------------------------

#[test]
fn engines_are_strangers() {
    let (one_out, two_out) = (Shared::default(), Shared::default());
    let mut one = Engine::new().with_stdout(one_out.clone());
    let mut two = Engine::new().with_stdout(two_out.clone());
    for round in 0..3 {
        one.eval(&format!("x = {round}\nprint('one', x)")).unwrap();
        two.eval(&format!("x = {round} * 100\nprint('two', x)")).unwrap();
        one.eval("def len(v): return 'mine'").unwrap();
        assert_eq!(two.call("len", ([1, 2],)).unwrap().to(), Ok(2));
        two.eval("1 / 0").unwrap_err();
        assert_eq!(one.eval("x").unwrap().to(), Ok(round));
    }
    assert_eq!(one_out.text(), "one 0\none 1\none 2\n");
    assert_eq!(two_out.text(), "two 0\ntwo 100\ntwo 200\n");
    let kept = one.eval("[1, [2, 3]]").unwrap();
    drop(one);
    assert_eq!(two.eval("x").unwrap().to(), Ok(200));
    assert_eq!(kept.to(), Ok((1, vec![2, 3])));
}

#[test]
fn engines_run_in_threads() {
    let threads: Vec<_> = (0..4)
        .map(|n| {
            std::thread::spawn(move || {
                let mut engine = Engine::new();
                engine.set_global("n", n);
                engine.eval("total = 0\ni = 0\nwhile i < 20000:\n    total += n\n    i += 1").unwrap();
                engine.get_global("total").unwrap().to::<i64>().unwrap()
            })
        })
        .collect();
    let totals: Vec<i64> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(totals, [0, 20000, 40000, 60000]);
}

#[test]
fn an_engine_may_end_with_its_thread() {
    thread_local! {
        static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
    }
    let thread = std::thread::spawn(|| {
        let text =
            "rest = none\nfor i in range(100000): rest = [rest]\nknot = []\nknot.append([knot, {1: knot}])";
        ENGINE.with_borrow_mut(|slot| slot.insert(Engine::new()).eval(text).map(drop).unwrap());
    });
    thread.join().unwrap();
}
