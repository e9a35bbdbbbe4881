//! Python judges `zpy::text`: thousands of generated cases, one Python process, every answer compared.
//!
//! A case is a Python expression and what we say it gives; errors are written as `ValueError: message`.
//! Python gets all expressions on its standard input and answers with one line each, in hexadecimal so that
//! no text needs quoting. The cases come from a fixed seed, so a failure is the same on every run. Without
//! Python the test says so and passes.

use num_bigint::{BigInt, BigUint};
use num_traits::{Pow, Zero};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use zpy::text::format_string::{self, Accessor, First, Segments};
use zpy::text::percent::{self, Kind, Piece, Pieces};
use zpy::text::spec::{self, Spec, Target};
use zpy::text::{ErrorKind, FormatError, Int, float, int, repr, surrogate, unicode};

/// What Python runs: it evaluates line after line. `s` makes text and `f` a float without any parsing of
/// ours.
const PROGRAM: &str = r"
import math, re, string, struct, sys, unicodedata
if hasattr(sys, 'set_int_max_str_digits'): sys.set_int_max_str_digits(0)
def s(h): return bytes.fromhex(h).decode('utf-8', 'surrogatepass')
def f(bits): return struct.unpack('>d', bits.to_bytes(8, 'big'))[0]
def bits(x): return struct.pack('>d', x).hex() if x == x else 'nan'
def flags(test): return ''.join('01'[bool(test(chr(c)))] for c in points())
def points(): return (c for c in range(0x110000) if unicodedata.category(chr(c)) not in ('Cn', 'Cs', 'Co'))
out = []
for line in sys.stdin:
    try:
        value = str(eval(line))
    except Exception as error:
        value = type(error).__name__ + ': ' + str(error)
    out.append(value.encode('utf-8', 'surrogatepass').hex())
print('\n'.join(out))
";

/// Splitmix64, for cases that are the same on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// One of the choices more often than not is nothing.
    fn maybe<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        if self.below(2) == 0 { "" } else { self.pick(choices) }
    }

    fn text(&mut self, alphabet: &[char], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }

    /// Floats of all kinds: any bits, short decimals, near integers, powers, specials.
    fn float(&mut self) -> f64 {
        const SPECIAL: [f64; 12] = [
            0.0,
            -0.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            5e-324,
            f64::MAX,
            1e16,
            1e22,
            0.1,
            0.5,
            1e-5,
        ];
        match self.below(8) {
            0 => f64::from_bits(self.next()),
            1 => SPECIAL[self.below(SPECIAL.len())],
            2 => (self.below(2_000_001) as f64 - 1e6) / 1000.0,
            3 => self.below(1000) as f64 / 8.0,
            4 => 2f64.powi(self.below(2098) as i32 - 1074),
            5 => 10f64.powi(self.below(640) as i32 - 330) * (1 + self.below(99)) as f64,
            6 => (self.next() as i64) as f64 / 1e9,
            _ => self.next() as i64 as f64,
        }
    }

    fn int(&mut self) -> i64 {
        const SPECIAL: [i64; 8] = [0, 1, -1, i64::MAX, i64::MIN, 999, -1000, 65];
        match self.below(4) {
            0 => SPECIAL[self.below(SPECIAL.len())],
            1 => self.below(20001) as i64 - 10000,
            _ => self.next() as i64 >> self.below(63),
        }
    }

    fn big(&mut self, most_words: usize) -> BigInt {
        let mut value = BigInt::zero();
        for _ in 0..=self.below(most_words) {
            value = (value << 64) + self.next();
        }
        value >>= self.below(64);
        // Numbers beside powers of two are where rounding goes wrong.
        if self.below(3) == 0 {
            value = (BigInt::from(1) << self.below(64 * most_words)) + self.below(3) - 1;
        }
        if self.below(2) == 0 { -value } else { value }
    }
}

/// The collected cases: expression, our answer.
#[derive(Default)]
struct Oracle {
    cases: Vec<(String, String)>,
}

impl Oracle {
    fn case(&mut self, expression: impl Into<String>, ours: impl Into<String>) {
        self.cases.push((expression.into(), ours.into()));
    }

    fn result(&mut self, expression: impl Into<String>, ours: Result<String, FormatError>) {
        self.case(expression, ours.unwrap_or_else(|error| describe(&error)));
    }

    /// Asks Python about all cases; None if there is no Python.
    fn ask(&self) -> Option<Vec<String>> {
        // 3.12 is the promise; what differs in 3.11 is not asked.
        for python in ["python3.12", "python3"] {
            let spawned = Command::new(python)
                .args(["-c", PROGRAM])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            let Ok(mut child) = spawned else { continue };
            let mut stdin = child.stdin.take().expect("piped");
            let lines: String = self.cases.iter().map(|(expression, _)| format!("{expression}\n")).collect();
            // Python reads everything before it answers, so writing first cannot block for ever.
            let written = stdin.write_all(lines.as_bytes());
            drop(stdin);
            let output = child.wait_with_output().expect("python ran");
            if written.is_ok() && output.status.success() {
                let text = String::from_utf8(output.stdout).expect("hexadecimal");
                return Some(text.lines().map(str::to_owned).collect());
            }
        }
        None
    }

    fn check(self) {
        let Some(answers) = self.ask() else {
            return println!("skipped: no python3 to compare with");
        };
        assert_eq!(answers.len(), self.cases.len(), "one answer per case");
        let mut report = String::new();
        let mut wrong = 0;
        for ((expression, ours), theirs) in self.cases.iter().zip(&answers) {
            if hexed(ours) != *theirs {
                wrong += 1;
                if wrong <= 40 {
                    let _ =
                        writeln!(report, "{expression}\n  ours   {ours:?}\n  python {:?}", unhexed(theirs));
                }
            }
        }
        assert!(wrong == 0, "{wrong} of {} differ\n{report}", self.cases.len());
        println!("{} cases agree", self.cases.len());
    }
}

fn describe(error: &FormatError) -> String {
    let name = match error.kind {
        ErrorKind::ValueError => "ValueError",
        ErrorKind::OverflowError => "OverflowError",
        ErrorKind::TypeError => "TypeError",
    };
    format!("{name}: {}", error.message)
}

fn hexed(text: &str) -> String {
    surrogate::encode_utf8_surrogatepass(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhexed(hex: &str) -> String {
    let byte =
        |at: usize| hex.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok()).unwrap_or(b'?');
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    surrogate::decode_utf8_surrogateescape(&bytes)
}

fn py_text(text: &str) -> String {
    format!("s('{}')", hexed(text))
}

fn py_float(value: f64) -> String {
    format!("f({})", value.to_bits())
}

fn bits(value: f64) -> String {
    if value.is_nan() { "nan".into() } else { format!("{:016x}", value.to_bits()) }
}

fn overflow(message: &str) -> impl Fn() -> String {
    move || format!("OverflowError: {message}")
}

#[test]
fn floats() {
    let mut oracle = Oracle::default();
    let mut random = Random(1);
    for _ in 0..6000 {
        let value = random.float();
        let v = py_float(value);
        oracle.case(format!("repr({v})"), float::repr(value));
        oracle.case(format!("{v}.hex()"), float::hex(value));
        if !value.is_nan() {
            oracle.case(format!("hash({v})"), float::hash(value).to_string());
        }
        let places = random.below(44) as i32 - 22;
        let places = if random.below(20) == 0 { places * 16 } else { places };
        let rounded = float::round_to(value, places);
        let ours = if rounded.is_infinite() && value.is_finite() {
            "OverflowError: rounded value too large to represent".into()
        } else {
            bits(rounded)
        };
        oracle.case(format!("bits(round({v}, {places}))"), ours);
        oracle.case(
            format!("bits(float.fromhex({v}.hex()))"),
            bits(float::from_hex(&float::hex(value)).unwrap_or(-1.25)),
        );
        let ratio = float::as_integer_ratio(value).map(|(n, d)| format!("({n}, {d})"));
        oracle.result(format!("{v}.as_integer_ratio()"), ratio);
        let other = random.float();
        oracle.case(format!("str(complex({v}, {}))", py_float(other)), float::complex_repr(value, other));
    }
    oracle.check();
}

#[test]
fn float_reading() {
    let mut oracle = Oracle::default();
    let mut random = Random(2);
    let alphabet: Vec<char> =
        "0123456789012345678901234567890123456789..__eE+- \tinfNaN\u{a0}\u{2003}\x1c١९x".chars().collect();
    let hexadecimal: Vec<char> = "0123456789abcdefABCDEF000000...pPxX+-".chars().collect();
    let mut texts: Vec<String> = (0..4000).map(|_| random.text(&alphabet, 8)).collect();
    for _ in 0..2000 {
        let digits = random.text(&"0123456789".chars().collect::<Vec<_>>(), 30);
        let exponent = random.below(800) as i32 - 400;
        texts.push(format!("{}{digits}.{}e{exponent}", random.maybe(&["-", "+"]), random.below(1000)));
    }
    texts.extend(
        ["infinity", " -Infinity\n", "+nan", "inf", "1e400", "1e-400", "2.2250738585072011e-308"]
            .map(String::from),
    );
    for text in &texts {
        let ours = float::parse(text);
        let ours = ours.map_or_else(
            || format!("ValueError: could not convert string to float: {}", repr::repr_str(text)),
            bits,
        );
        oracle.case(format!("bits(float({}))", py_text(text)), ours);
    }
    for _ in 0..3000 {
        let mut text = random.text(&hexadecimal, 20);
        if random.below(2) == 0 {
            text = format!("0x{}.{}p{}", random.next(), random.next(), random.below(2400) as i32 - 1200);
        }
        oracle.result(format!("bits(float.fromhex({}))", py_text(&text)), float::from_hex(&text).map(bits));
    }
    oracle.check();
}

#[test]
fn floats_and_big_integers() {
    let mut oracle = Oracle::default();
    let mut random = Random(3);
    for _ in 0..3000 {
        let (a, b) = (random.big(18), random.big(18));
        let converted =
            float::big_to_f64(&a).map_or_else(overflow("int too large to convert to float"), bits);
        oracle.case(format!("bits(float({a}))"), converted);
        if !b.is_zero() {
            let ours = float::div_big(&a, &b);
            let ours = ours.map_or_else(overflow("integer division result too large for a float"), bits);
            oracle.case(format!("bits(({a}) / ({b}))"), ours);
        }
        let near = float::big_to_f64(&a).unwrap_or_else(|| random.float());
        let near = if random.below(4) == 0 { random.float() } else { near };
        if !near.is_nan() {
            let v = py_float(near);
            let ours = float::cmp_big(near, &a).map_or(9, |ordering| ordering as i32);
            oracle.case(format!("({v} > {a}) - ({v} < {a})"), ours.to_string());
        }
        if near.is_finite() {
            oracle.case(
                format!("int({})", py_float(near)),
                float::to_big(near).unwrap_or_default().to_string(),
            );
        }
        // Ties between two floats, exactly and just beside.
        let tie: BigInt = ((BigInt::from(random.next() >> 10 | 1 << 53) << 1u32) + 1) << random.below(900);
        for beside in [-1, 0, 1] {
            let value = &tie + beside;
            let ours =
                float::big_to_f64(&value).map_or_else(overflow("int too large to convert to float"), bits);
            oracle.case(format!("bits(float({value}))"), ours);
        }
    }
    for _ in 0..1500 {
        // Quotients around the subnormal numbers.
        let (a, b) = (
            random.next() >> random.below(60),
            BigInt::from(random.next() | 1) << (1000 + random.below(140)),
        );
        let ours = float::div_big(&BigInt::from(a), &b).map_or("none".into(), bits);
        oracle.case(format!("bits({a} / {b})"), ours);
    }
    oracle.check();
}

#[test]
fn integers() {
    let mut oracle = Oracle::default();
    let mut random = Random(4);
    for _ in 0..1500 {
        let big = random.big(6);
        let small = random.int();
        oracle.case(format!("hash({big})"), int::hash_big(&big).to_string());
        oracle.case(format!("hash({small})"), int::hash_small(small).to_string());
        for (name, base) in [("bin", 2), ("oct", 8), ("hex", 16)] {
            oracle.case(format!("{name}({big})"), int::prefixed(&big, base));
            oracle.case(format!("{name}({small})"), int::prefixed(small, base));
        }
        oracle.case(format!("str({big})"), int::decimal(&big));
        oracle.case(format!("str({small})"), int::decimal(small));
    }
    let alphabets = [
        "0123456789_",
        "01_bBoOxX-+ ",
        "0123456789abcdefghijklmnopqrstuvwxyzABCXYZ_",
        "0_١९\u{a0}\u{2003}\x1c\t 7-",
    ];
    let alphabets: Vec<Vec<char>> = alphabets.iter().map(|a| a.chars().collect()).collect();
    for round in 0..6000 {
        let mut text = random.text(&alphabets[round % 4], if round % 7 == 0 { 40 } else { 6 });
        text.insert_str(0, random.maybe(&["-", "0x", "0b1", "0o", "+0x_", " ", "00"]));
        let base = [0, 2, 8, 10, 10, 16, 36, 7, 37, 1][random.below(10)];
        let ours = match int::parse(&text, base) {
            Ok(Int::Small(value)) => value.to_string(),
            Ok(Int::Big(value)) => value.to_string(),
            Err(error) => format!("ValueError: {}", error.message(&text, base)),
        };
        oracle.case(format!("int({}, {base})", py_text(&text)), ours);
    }
    let long = BigUint::from(7u32).pow(40_000u32).to_string();
    let ours = match int::parse(&long, 10) {
        Ok(Int::Big(value)) => int::hash_big(&value),
        _ => 0,
    };
    oracle.case("hash(7 ** 40000)", ours.to_string());
    oracle.check();
}

fn random_spec(random: &mut Random, codes: &[&str]) -> String {
    let fill = random.maybe(&["*", "0", " ", "é", "<", "{", "x"]);
    let align = random.maybe(&["<", ">", "^", "="]);
    let mut spec = if align.is_empty() { String::new() } else { format!("{fill}{align}") };
    for choices in [&["+", "-", " "][..], &["z", ""], &["#", ""], &["0", ""]] {
        if random.below(2) == 0 {
            spec.push_str(random.maybe(choices));
        }
    }
    if random.below(3) != 0 {
        let _ = write!(spec, "{}", random.below(24));
    }
    spec.push_str(random.maybe(&[",", "_", "", "", ",_", "_,"]));
    if random.below(3) == 0 {
        let _ = write!(spec, ".{}", random.below(20));
    }
    if random.below(5) != 0 {
        spec.push_str(random.pick(codes));
    }
    if random.below(60) == 0 {
        spec.push_str(random.pick(&["q", "€", ".", "\0", "99999999999999999999", "٣", ".f"]));
    }
    spec
}

#[test]
fn format_specifications() {
    let mut oracle = Oracle::default();
    let mut random = Random(5);
    let numbers = ["d", "f", "e", "g", "E", "G", "F", "%", "n", "x", "X", "o", "b", "c", "s"];
    for _ in 0..6000 {
        let text = random_spec(&mut random, &numbers);
        let quoted = py_text(&text);
        let value = random.float();
        let parsed =
            Spec::parse(&text, Target::Float, "float").and_then(|spec| spec::format_float(value, &spec));
        oracle.result(format!("format({}, {quoted})", py_float(value)), parsed);
        let value = if random.below(3) == 0 { 80 } else { random.int() };
        let parsed = Spec::parse(&text, Target::Int, "int").and_then(|spec| spec::format_int(value, &spec));
        oracle.result(format!("format({value}, {quoted})"), parsed);
        let value = random.big(18);
        let parsed = Spec::parse(&text, Target::Int, "int").and_then(|spec| spec::format_int(&value, &spec));
        if i64::try_from(&value).is_err() {
            oracle.result(format!("format({value}, {quoted})"), parsed);
        }
        let text = random_spec(&mut random, &["s", "s", "s", "d"]);
        let value = random.pick(&["", "abc", "añ€😀", "a longer text than most"]);
        let parsed = Spec::parse(&text, Target::Str, "str").and_then(|spec| spec::format_str(value, &spec));
        oracle.result(format!("format({}, {})", py_text(value), py_text(&text)), parsed);
        let text = random_spec(&mut random, &["f", "e", "g", "E", "G", "F", "n", "%", "d"]).replace('0', "");
        let (re, im) = (random.float(), random.float());
        let parsed = Spec::parse(&text, Target::Complex, "complex")
            .and_then(|spec| spec::format_complex(re, im, &spec));
        oracle.result(
            format!("format(complex({}, {}), {})", py_float(re), py_float(im), py_text(&text)),
            parsed,
        );
    }
    oracle.check();
}

#[test]
fn representations() {
    let mut oracle = Oracle::default();
    let mut random = Random(6);
    let mut alphabet: Vec<char> =
        "ab'\"\\\n\r\t \0\x7f\u{80}\u{a0}\u{ad}é€\u{200b}\u{2028}\u{feff}\u{e000}😀\u{e0001}"
            .chars()
            .collect();
    alphabet.extend([0xD800, 0xDC80, 0xDFFF].map(surrogate::to_char));
    for _ in 0..2000 {
        let text = random.text(&alphabet, 8);
        let quoted = py_text(&text);
        oracle.case(format!("repr({quoted})"), repr::repr_str(&text));
        oracle.case(format!("ascii({quoted})"), repr::ascii_str(&text));
        let bytes: Vec<u8> =
            (0..random.below(9)).map(|_| (random.next() >> random.below(56)) as u8).collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        oracle.case(format!("repr(bytes.fromhex('{hex}'))"), repr::repr_bytes(&bytes));
        let decoded = surrogate::decode_utf8_surrogateescape(&bytes);
        oracle.case(format!("bytes.fromhex('{hex}').decode('utf-8', 'surrogateescape')"), decoded);
    }
    oracle.check();
}

/// Characters whose letter case Unicode changed after Python 3.12; Rust knows the later answer.
const CHANGED_LATER: &[char] = &[
    '\u{295}', '\u{10FC}', '\u{A7F2}', '\u{A7F3}', '\u{A7F4}', '\u{AB69}', '\u{19B}', '\u{264}', '\u{A7D3}',
    '\u{A7D5}',
];

#[test]
fn characters() {
    type Test = fn(&str) -> bool;
    let tests: [(&str, Test); 12] = [
        ("isalpha", unicode::is_alpha),
        ("isalnum", unicode::is_alnum),
        ("isdecimal", unicode::is_decimal),
        ("isdigit", unicode::is_digit),
        ("isnumeric", unicode::is_numeric),
        ("isspace", unicode::is_space),
        ("isprintable", unicode::is_printable),
        ("isidentifier", unicode::is_identifier),
        ("isupper", unicode::is_upper),
        ("islower", unicode::is_lower),
        ("istitle", unicode::is_title),
        ("isascii", str::is_ascii),
    ];
    type Change = fn(&str) -> String;
    let changes: [(&str, Change); 6] = [
        ("upper", unicode::upper),
        ("lower", unicode::lower),
        ("title", unicode::title),
        ("capitalize", unicode::capitalize),
        ("swapcase", unicode::swap_case),
        ("casefold", unicode::casefold),
    ];
    let mut oracle = Oracle::default();
    let mut random = Random(7);
    // Python names the code points it knows; newer ones are none of its business.
    let mut points = Oracle::default();
    points.case("' '.join(map(str, points()))", "");
    let Some(known) = points.ask() else { return println!("skipped: no python3 to compare with") };
    let known: Vec<char> =
        unhexed(&known[0]).split(' ').filter_map(|cp| char::from_u32(cp.parse().ok()?)).collect();
    let mut different = String::new();
    let mut sweep = Oracle::default();
    for (name, _) in tests {
        sweep.case(format!("flags(str.{name})"), "");
    }
    for (name, _) in changes {
        sweep.case(format!("chr(0xffff).join(chr(c).{name}() for c in points())"), "");
    }
    let answers = sweep.ask().expect("it was there a moment ago");
    for ((name, test), answer) in tests.iter().zip(&answers) {
        for (&c, flag) in known.iter().zip(unhexed(answer).chars()) {
            if test(c.encode_utf8(&mut [0; 4])) != (flag == '1') && !CHANGED_LATER.contains(&c) {
                let _ = writeln!(different, "{name} U+{:04X}, python says {flag}", c as u32);
            }
        }
    }
    for ((name, change), answer) in changes.iter().zip(&answers[tests.len()..]) {
        for (c, theirs) in known.iter().zip(unhexed(answer).split('\u{ffff}')) {
            if change(&c.to_string()) != theirs && !CHANGED_LATER.contains(c) {
                let _ = writeln!(different, "{name} U+{:04X}, python says {theirs:?}", *c as u32);
            }
        }
    }
    assert_eq!(different, "");
    let alphabet: Vec<char> = "aBcΣσςßǆǅﬁİı1 '.-_\u{301}\u{345}ⅷᾳŉĿ".chars().collect();
    for _ in 0..3000 {
        let text = random.text(&alphabet, 7);
        for (name, test) in tests {
            let ours = if test(&text) { "True" } else { "False" };
            oracle.case(format!("{}.{name}()", py_text(&text)), ours);
        }
        for (name, change) in changes {
            oracle.case(format!("{}.{name}()", py_text(&text)), change(&text));
        }
    }
    oracle.check();
}

/// An argument of a printf-style format.
#[derive(Clone)]
enum Argument {
    Int(i64),
    Big(BigInt),
    Float(f64),
    Text(String),
}

impl Argument {
    fn random(random: &mut Random) -> Argument {
        match random.below(5) {
            0 => Argument::Big(random.big(3)),
            1 => Argument::Float(random.float()),
            2 => Argument::Text(random.pick(&["", "a", "é", "añ€😀", "it's"]).to_owned()),
            3 => Argument::Int(random.below(30) as i64 - 5),
            _ => Argument::Int(random.int()),
        }
    }

    fn expression(&self) -> String {
        match self {
            Argument::Int(value) => value.to_string(),
            Argument::Big(value) => value.to_string(),
            Argument::Float(value) => py_float(*value),
            Argument::Text(value) => py_text(value),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Argument::Int(_) | Argument::Big(_) => "int",
            Argument::Float(_) => "float",
            Argument::Text(_) => "str",
        }
    }

    fn shown(&self, kind: Kind) -> String {
        match self {
            Argument::Int(value) => value.to_string(),
            Argument::Big(value) => value.to_string(),
            Argument::Float(value) => float::repr(*value),
            Argument::Text(value) if kind == Kind::Str => value.clone(),
            Argument::Text(value) if kind == Kind::Repr => repr::repr_str(value),
            Argument::Text(value) => repr::ascii_str(value),
        }
    }

    /// What the evaluator will do around `percent`.
    fn write(
        &self,
        conversion: &percent::Conversion<'_, str>,
        layout: &percent::Layout,
        out: &mut String,
    ) -> Result<(), FormatError> {
        let kind = conversion.kind()?;
        match (kind, self) {
            (Kind::Str | Kind::Repr | Kind::Ascii | Kind::Bytes, _) => {
                percent::write_text(&self.shown(kind), layout, out)
            }
            (Kind::Decimal | Kind::Radix, Argument::Int(value)) => percent::write_int(*value, layout, out),
            (Kind::Decimal | Kind::Radix, Argument::Big(value)) => percent::write_int(value, layout, out),
            (Kind::Decimal, Argument::Float(value)) => match float::to_big(*value) {
                Some(value) => percent::write_int(&value, layout, out),
                None if value.is_nan() => Err(FormatError::value("cannot convert float NaN to integer")),
                None => Err(FormatError::overflow("cannot convert float infinity to integer")),
            },
            (Kind::Float, Argument::Float(value)) => percent::write_float(*value, layout, out),
            (Kind::Float, Argument::Int(value)) => percent::write_float(*value as f64, layout, out),
            (Kind::Float, Argument::Big(value)) => {
                percent::write_float(float::big_to_f64(value).unwrap_or(f64::NAN), layout, out)
            }
            (Kind::Char, Argument::Int(value)) => percent::write_char(percent::char_of(*value)?, layout, out),
            (Kind::Char, Argument::Big(value)) => percent::write_char(percent::char_of(value)?, layout, out),
            (Kind::Char, Argument::Text(value)) if value.chars().count() == 1 => {
                percent::write_char(value.chars().next().unwrap_or('?'), layout, out)
            }
            _ => Err(conversion.wrong_argument(kind, self.type_name())),
        }
    }
}

/// `template % tuple`, as the evaluator will do it.
fn percent_format(template: &str, arguments: &[Argument]) -> Result<String, FormatError> {
    let mut out = String::new();
    let mut rest = arguments.iter();
    for piece in Pieces::new(template, false) {
        let conversion = match piece? {
            Piece::Literal(literal) => {
                out.push_str(literal);
                continue;
            }
            Piece::Conversion(conversion) => conversion,
        };
        let missing = || FormatError::wrong_type("not enough arguments for format string");
        let layout = conversion.resolve(|| match rest.next().ok_or_else(missing)? {
            Argument::Int(value) if value.unsigned_abs() < 100 => Ok(*value),
            Argument::Int(_) | Argument::Big(_) => Ok(3),
            _ => Err(FormatError::wrong_type("* wants int")),
        })?;
        let argument = rest.next().ok_or_else(missing)?;
        argument.write(&conversion, &layout, &mut out)?;
    }
    match rest.next() {
        Some(_) => Err(FormatError::wrong_type("not all arguments converted during string formatting")),
        None => Ok(out),
    }
}

#[test]
fn printf_formats() {
    let mut oracle = Oracle::default();
    let mut random = Random(8);
    let codes = [
        "d", "i", "u", "o", "x", "X", "e", "E", "f", "F", "g", "G", "c", "s", "r", "a", "d", "s", "%", "q",
        "é",
    ];
    for round in 0..12_000 {
        let mut template = random.maybe(&["é", "a b", "%%", "x="]).to_owned();
        let mut arguments = Vec::new();
        for _ in 0..=random.below(2) {
            template.push('%');
            for flag in ["-", "+", " ", "0", "#"] {
                template.push_str(if random.below(4) == 0 { flag } else { "" });
            }
            match random.below(6) {
                0 => {
                    template.push('*');
                    arguments.push(Argument::Int(random.below(30) as i64 - 10));
                }
                1 | 2 => {
                    let _ = write!(template, "{}", random.below(15));
                }
                _ => {}
            }
            match random.below(8) {
                0 => {
                    template.push_str(".*");
                    arguments.push(Argument::Int(random.below(20) as i64 - 5));
                }
                1 | 2 => {
                    let _ = write!(template, ".{}", random.maybe(&["0", "1", "3", "12", "40"]));
                }
                _ => {}
            }
            template.push_str(if random.below(9) == 0 { random.pick(&["l", "h", "L"]) } else { "" });
            template.push_str(random.pick(&codes));
            arguments.push(Argument::random(&mut random));
        }
        if round % 40 == 0 {
            template.push_str(random.pick(&[
                "%",
                "%(a)s",
                "%5",
                "%.",
                "%s",
                "%99999999999999999999d",
                "%.99999999999d",
            ]));
        }
        if round % 50 == 0 {
            arguments.push(Argument::Int(1));
        }
        let tuple: String = arguments.iter().map(|argument| argument.expression() + ", ").collect();
        oracle.result(format!("{} % ({tuple})", py_text(&template)), percent_format(&template, &arguments));
    }
    oracle.check();
}

/// Text arguments only; an error is its type and message already.
struct Texts(Vec<&'static str>);

struct Failure(String);

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Failure {
        Failure(describe(&error))
    }
}

impl format_string::Source for Texts {
    type Value = String;
    type Error = Failure;

    fn argument(&mut self, first: First<'_>) -> Result<String, Failure> {
        match first {
            First::Key("k") => Ok("kappa".into()),
            First::Key(key) => Err(Failure(format!("KeyError: {}", repr::repr_str(key)))),
            First::Index(index) => self.0.get(index).map(|text| text.to_string()).ok_or_else(|| {
                Failure(format!(
                    "IndexError: Replacement index {index} out of range for positional args tuple"
                ))
            }),
        }
    }

    fn access(&mut self, value: String, accessor: Accessor<'_>) -> Result<String, Failure> {
        match accessor {
            Accessor::Attribute(name) => {
                Err(Failure(format!("AttributeError: 'str' object has no attribute '{name}'")))
            }
            Accessor::Key(_) => Err(Failure("TypeError: string indices must be integers, not 'str'".into())),
            Accessor::Index(index) => match value.chars().nth(index) {
                Some(c) => Ok(c.into()),
                None => Err(Failure("IndexError: string index out of range".into())),
            },
        }
    }

    fn convert(&mut self, value: String, conversion: char) -> Result<String, Failure> {
        Ok(match conversion {
            'r' => repr::repr_str(&value),
            'a' => repr::ascii_str(&value),
            _ => value,
        })
    }

    fn format(&mut self, value: String, spec: &str, out: &mut String) -> Result<(), Failure> {
        Ok(spec::write_str(&value, &Spec::parse(spec, Target::Str, "str")?, out)?)
    }
}

#[test]
fn format_templates() {
    let mut oracle = Oracle::default();
    let mut random = Random(9);
    let parts = [
        "{",
        "}",
        "{{",
        "}}",
        "{}",
        "{0}",
        "{k}",
        "{1!r}",
        "{0[1]}",
        "{:>7}",
        "{:{}}",
        "{k:^{1}}",
        "!",
        ":",
        "[",
        "]",
        ".",
        "0",
        "1",
        "k",
        "r",
        "é",
        "{k!a:*>{0}}",
        "{k",
        "{0.q}",
        "{9}",
        "{!s}",
        "{k[q]}",
        "{0[1][0]}",
        "{:{:{}}}",
        "{",
        "}",
        "<9",
    ];
    for round in 0..12_000 {
        let template: String =
            (0..=random.below(if round % 2 == 0 { 3 } else { 7 })).map(|_| random.pick(&parts)).collect();
        let quoted = py_text(&template);
        let segments = Segments::new(&template).map(|segment| {
            let segment = segment?;
            let literal = repr::repr_str(segment.literal);
            Ok(match segment.field {
                None => format!("({literal}, None, None, None)"),
                Some(field) => {
                    let conversion =
                        field.conversion.map_or("None".into(), |c| repr::repr_str(&c.to_string()));
                    format!(
                        "({literal}, {}, {}, {conversion})",
                        repr::repr_str(field.name),
                        repr::repr_str(field.spec)
                    )
                }
            })
        });
        let list: Result<Vec<String>, FormatError> = segments.collect();
        oracle.result(
            format!("list(string.Formatter().parse({quoted}))"),
            list.map(|l| format!("[{}]", l.join(", "))),
        );
        let ours = format_string::expand(&template, &mut Texts(vec!["7", "12é", "third"]));
        let ours = ours.unwrap_or_else(|Failure(message)| message);
        oracle.case(format!("{quoted}.format('7', s('3132c3a9'), 'third', k='kappa')"), ours);
    }
    oracle.check();
}
