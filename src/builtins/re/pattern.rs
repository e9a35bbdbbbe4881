//! Compiled patterns: running them, and the methods of `re.Pattern`.
//!
//! The engine needs a variant of the pattern for each way to run it: anywhere or at one place, to the very
//! end, not empty (after an empty match at the same place), and each with one of two meanings of `$`, which
//! is plain end of text unless the text ends in a newline. Variants are built when first needed.

use super::matched::{self, Matched};
use super::parse::{self, DOLLAR, NO_BOUNDARY, Part, Problem, TemplateProblem, Translated};
use super::{ITERATOR_TYPE, PATTERN_TYPE, raise_problem};
use crate::call::{Call, Native};
use crate::eval::{Exc, Vm};
use crate::text::surrogate;
use crate::value::bytes::methods::contents;
use crate::value::{Bytes, Dict, Foreign, MemoryView, Raised, Ref, Res, Str, Value, View, mapping_proxy};
use fancy_regex::{BytesMode, CompileError, Regex, RegexBuilder, RegexInput};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

/// Steps back before a backtracking match is given up. Each takes some ten nanoseconds.
const BACKTRACK_LIMIT: usize = 100_000_000;
/// Bytes a compiled automaton may take; repeated Unicode classes are large.
const SIZE_LIMIT: usize = 1 << 28;

pub struct Compiled {
    pub source: Value,
    pub translated: Translated,
    is_text: bool,
    /// `None` for a variant that can never match.
    engines: [OnceCell<Option<Regex>>; 6],
}

/// How to run a pattern.
#[derive(Clone, Copy, PartialEq)]
pub enum Way {
    Search,
    Match,
    FullMatch,
    /// At one place, and not an empty match.
    MatchSome,
}

/// Byte offsets of the whole match and of each group.
pub type Spans = Vec<Option<(usize, usize)>>;

/// A text or bytes to look at.
#[derive(Clone)]
pub struct Subject {
    /// As the script gave it.
    pub given: Value,
    /// `Str` or `Bytes`.
    inner: Value,
    /// Keeps bytes that could change as long as they are: a view onto them.
    _hold: Option<Ref<MemoryView>>,
    is_changeable: bool,
}

impl Subject {
    pub fn of(value: &Value) -> Option<Subject> {
        let inside = Vm::unwrap_native(value);
        let (inner, hold) = match inside.view() {
            View::Str(_) | View::Bytes(_) => (inside.clone(), None),
            _ => (Value::bytes(contents(inside)?), MemoryView::of(value)),
        };
        let is_changeable = hold.is_some();
        Some(Subject { given: value.clone(), inner, _hold: hold, is_changeable })
    }

    pub fn text(&self) -> Option<&Str> {
        self.inner.get::<Str>()
    }

    pub fn is_text(&self) -> bool {
        self.inner.is::<Str>()
    }

    pub fn bytes(&self) -> &[u8] {
        match self.inner.view() {
            View::Str(text) => text.as_str().as_bytes(),
            View::Bytes(bytes) => Bytes::data(bytes),
            _ => &[],
        }
    }

    /// Number of characters.
    fn len(&self) -> usize {
        self.text().map_or(self.bytes().len(), Str::len)
    }

    /// Byte offset of a character.
    fn offset(&self, index: usize) -> usize {
        self.text().map_or(index, |text| text.byte_offset(index))
    }

    /// Character index of a byte offset.
    pub fn index(&self, offset: usize) -> usize {
        self.text().map_or(offset, |text| text.char_index(offset))
    }

    /// The part between two byte offsets.
    pub fn part(&self, start: usize, end: usize) -> Value {
        match self.text() {
            Some(text) => Value::str(&text.as_str()[start..end]),
            None => Value::bytes(&self.bytes()[start..end]),
        }
    }

    /// As `part`, of bytes that may have changed meanwhile: what is there now.
    pub fn part_now(&self, start: usize, end: usize) -> Value {
        if self.is_changeable
            && let Some(data) = contents(Vm::unwrap_native(&self.given))
        {
            let end = end.min(data.len());
            return Value::bytes(&data[start.min(end)..end]);
        }
        self.part(start, end)
    }

    /// Lets the bytes change.
    pub fn let_go(&mut self) {
        self._hold = None;
    }

    /// The byte offset of the character after the one at `offset`.
    fn after(&self, offset: usize) -> usize {
        let c = self.text().and_then(|text| text.as_str()[offset..].chars().next());
        offset + c.map_or(1, char::len_utf8)
    }

    /// As characters, bytes as those of the same number.
    pub fn chars(&self) -> Vec<char> {
        match self.text() {
            Some(text) => text.as_str().chars().collect(),
            None => self.bytes().iter().map(|&b| b as char).collect(),
        }
    }
}

/// The compiled pattern that a value is.
pub fn of(value: &Value) -> Option<Rc<Compiled>> {
    value.get::<Foreign>()?.data.borrow().downcast_ref::<Rc<Compiled>>().cloned()
}

pub fn compile(vm: &mut Vm, subject: Subject, flags: i64) -> Res {
    let chars = subject.chars();
    let translated = match parse::parse(&chars, subject.is_text(), flags) {
        Ok(translated) => translated,
        Err(problem) => return Err(raise_problem(vm, problem, &subject.given, &chars)),
    };
    let is_text = subject.is_text();
    let made = Compiled { source: subject.given, translated, is_text, engines: Default::default() };
    made.engine(vm, Way::Search, false)?;
    Ok(Ref::new(Foreign { type_name: PATTERN_TYPE, data: RefCell::new(Box::new(Rc::new(made))) }).into())
}

impl Compiled {
    fn engine(&self, vm: &mut Vm, way: Way, ends_in_newline: bool) -> Res<Option<&Regex>> {
        let special_dollar = ends_in_newline && self.translated.has_dollar;
        let variant = match way {
            Way::Search | Way::Match => 0,
            Way::FullMatch => 2,
            Way::MatchSome => 4,
        } + special_dollar as usize;
        let cell = &self.engines[variant];
        if let Some(engine) = cell.get() {
            return Ok(engine.as_ref());
        }
        let built = self.build(way, special_dollar);
        match built {
            Ok(engine) => Ok(cell.get_or_init(|| Some(engine)).as_ref()),
            Err(fancy_regex::Error::CompileError(error))
                if matches!(*error, CompileError::PatternCanNeverMatch) =>
            {
                Ok(cell.get_or_init(|| None).as_ref())
            }
            Err(error) => {
                let problem = Problem::Syntax(format!("pattern not supported by the engine: {error}"), None);
                Err(raise_problem(vm, problem, &self.source, &[]))
            }
        }
    }

    fn build(&self, way: Way, special_dollar: bool) -> fancy_regex::Result<Regex> {
        let dollar = if special_dollar { r"(?=\n?\z)" } else { r"\z" };
        let mut text = self.translated.text.replace(DOLLAR, dollar).replace(NO_BOUNDARY, r"\B");
        if way == Way::FullMatch {
            // The inline flags at the start, if there are any, stay in front.
            let (flags, rest) = match text.strip_prefix("(?i)") {
                Some(rest) => ("(?i)", rest),
                None => ("", text.as_str()),
            };
            text = format!(r"{flags}(?:{rest})\z");
        }
        let mut builder = RegexBuilder::new(&text);
        builder.backtrack_limit(BACKTRACK_LIMIT).delegate_size_limit(SIZE_LIMIT);
        if !self.is_text {
            builder.unicode_mode(false).bytes_mode(BytesMode::Ascii);
        }
        if way == Way::MatchSome {
            builder.find_not_empty(true);
        }
        builder.build()
    }

    /// Runs the pattern on the bytes up to `end`, from `start` on.
    pub fn find(
        &self,
        vm: &mut Vm,
        subject: &Subject,
        way: Way,
        start: usize,
        end: usize,
    ) -> Res<Option<Spans>> {
        if start > end {
            return Ok(None);
        }
        let bytes = &subject.bytes()[..end];
        if bytes.is_empty() && self.translated.text.contains(NO_BOUNDARY) {
            return self.find_in_nothing(vm, way);
        }
        let Some(engine) = self.engine(vm, way, bytes.last() == Some(&b'\n'))? else { return Ok(None) };
        let found = match subject.text() {
            Some(text) => run(engine, &text.as_str()[..end], way, start, self.translated.groups),
            None => run(engine, bytes, way, start, self.translated.groups),
        };
        match found {
            Ok(found) => Ok(found),
            Err(_) => Err(vm.runtime_error("regular expression takes too many steps on this text")),
        }
    }

    /// As `find` in an empty text, where nothing is not a boundary either.
    fn find_in_nothing(&self, vm: &mut Vm, way: Way) -> Res<Option<Spans>> {
        let text = self.translated.text.replace(DOLLAR, r"\z").replace(NO_BOUNDARY, r"(?!)");
        match RegexBuilder::new(&text).build() {
            Ok(engine) if way != Way::MatchSome => {
                let found = run(&engine, "", way, 0, self.translated.groups);
                found.map_err(|_| vm.runtime_error("regular expression takes too many steps on this text"))
            }
            _ => Ok(None),
        }
    }

    /// The next match from `start` on; after an empty match there, an empty one does not count again.
    fn find_next(&self, vm: &mut Vm, subject: &Subject, scan: &Scan) -> Res<Option<Spans>> {
        let Some(start) = scan.start else { return Ok(None) };
        if !scan.was_empty {
            return self.find(vm, subject, Way::Search, start, scan.end);
        }
        let here = self.find(vm, subject, Way::MatchSome, start, scan.end)?;
        if here.is_some() || start >= scan.end {
            return Ok(here);
        }
        self.find(vm, subject, Way::Search, subject.after(start), scan.end)
    }

    /// Fails for a text where the pattern is of bytes, and the other way round.
    fn check_kind(&self, vm: &mut Vm, subject: &Subject) -> Res<()> {
        match (self.is_text, subject.is_text()) {
            (true, false) => Err(vm.type_error("cannot use a string pattern on a bytes-like object")),
            (false, true) => Err(vm.type_error("cannot use a bytes pattern on a string-like object")),
            _ => Ok(()),
        }
    }
}

fn run<S: fancy_regex::Input + ?Sized>(
    engine: &Regex,
    haystack: &S,
    way: Way,
    start: usize,
    groups: usize,
) -> fancy_regex::Result<Option<Spans>>
where
    for<'t> S::Match<'t>: Bounds,
{
    let input = RegexInput::new(haystack).from_pos(start).anchored(way != Way::Search);
    if groups == 0 {
        return Ok(engine.find_input(input)?.map(|found| vec![Some(found.bounds())]));
    }
    let Some(captures) = engine.captures_input(input)? else { return Ok(None) };
    Ok(Some((0..=groups).map(|group| captures.get(group).map(|found| found.bounds())).collect()))
}

/// Start and end of the engine's two kinds of match.
trait Bounds {
    fn bounds(&self) -> (usize, usize);
}

impl Bounds for fancy_regex::Match<'_> {
    fn bounds(&self) -> (usize, usize) {
        (self.start(), self.end())
    }
}

impl Bounds for fancy_regex::MatchBytes<'_> {
    fn bounds(&self) -> (usize, usize) {
        (self.start(), self.end())
    }
}

/// Where a walk over all matches is.
struct Scan {
    /// `None` at the end.
    start: Option<usize>,
    end: usize,
    /// The last match was empty.
    was_empty: bool,
}

impl Scan {
    fn over(subject: &Subject) -> Scan {
        Scan { start: Some(0), end: subject.bytes().len(), was_empty: false }
    }

    fn step(&mut self, compiled: &Compiled, vm: &mut Vm, subject: &Subject) -> Res<Option<Spans>> {
        let found = compiled.find_next(vm, subject, self)?;
        match found.as_ref().and_then(|spans| spans[0]) {
            Some((start, end)) => {
                self.start = Some(end);
                self.was_empty = start == end;
            }
            None => self.start = None,
        }
        Ok(found)
    }
}

pub static METHODS: &[Native] = &[
    Native {
        name: "search",
        params: "self, string, pos=0, endpos=9223372036854775807",
        run: search,
        doc: "The first match anywhere in a text, or none. Only the part from `pos` to `endpos` is looked at.",
    },
    Native {
        name: "match",
        params: "self, string, pos=0, endpos=9223372036854775807",
        run: match_,
        doc: "The match at the start of a text (or at `pos`), or none.",
    },
    Native {
        name: "fullmatch",
        params: "self, string, pos=0, endpos=9223372036854775807",
        run: full_match,
        doc: "The match that is the whole text, or none.",
    },
    Native {
        name: "findall",
        params: "self, string, pos=0, endpos=9223372036854775807",
        run: find_all,
        doc: "A list of all matches: texts, or tuples of groups if the pattern has several.",
    },
    Native {
        name: "finditer",
        params: "self, string, pos=0, endpos=9223372036854775807",
        run: find_iter,
        doc: "An iterator over the match objects of all matches.",
    },
    Native {
        name: "split",
        params: "self, string, maxsplit=0",
        run: split,
        doc: "The parts of a text between matches, with the groups of the matches between them. At most `maxsplit` matches count if that is not 0.",
    },
    Native {
        name: "sub",
        params: "self, repl, string, count=0",
        run: sub,
        doc: "A text with matches replaced by a template or by what a function of the match gives. At most `count` if that is not 0.",
    },
    Native {
        name: "subn",
        params: "self, repl, string, count=0",
        run: subn,
        doc: "As `sub`, as a tuple with the number of replacements.",
    },
    Native { name: "__reduce__", params: "self, /", run: reduce, doc: "How to compile the pattern again." },
    Native { name: ".pattern", params: "self", run: pattern, doc: "The text it was compiled from." },
    Native { name: ".flags", params: "self", run: flags, doc: "The flags, with those inside the pattern." },
    Native { name: ".groups", params: "self", run: groups, doc: "How many groups there are." },
    Native {
        name: ".groupindex",
        params: "self",
        run: group_index,
        doc: "A dict from group names to numbers.",
    },
    Native {
        name: "scanner",
        params: "self, string, pos=0, endpos=9223372036854775807",
        run: scanner,
        doc: "An object that finds the matches one after the other.",
    },
    Native {
        name: "__eq__",
        params: "self, other, /",
        run: eq,
        doc: "Whether both have the same text and flags.",
    },
    Native { name: "__hash__", params: "self, /", run: hash, doc: "A number that equal patterns share." },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "How to compile it." },
    Native { name: "__copy__", params: "self, /", run: same, doc: "The pattern itself." },
    Native { name: "__deepcopy__", params: "self, memo, /", run: same, doc: "The pattern itself." },
];

pub static ITERATOR: &[Native] = &[
    Native { name: "__iter__", params: "self, /", run: same, doc: "The iterator itself." },
    Native {
        name: "__next__",
        params: "self, /",
        run: next,
        doc: "The next match; StopIteration at the end.",
    },
];

fn same(call: &mut Call) -> Res {
    Ok(call.arg(0).clone())
}

fn this(call: &mut Call) -> Res<Rc<Compiled>> {
    match of(call.arg(0)) {
        Some(compiled) => Ok(compiled),
        None => Err(call.wrong_type(0, "re.Pattern")),
    }
}

fn subject(call: &mut Call, index: usize, compiled: &Compiled) -> Res<Subject> {
    let value = call.arg(index);
    let Some(subject) = Subject::of(value) else {
        let got = call.vm.type_name(value);
        return Err(call.vm.type_error(format!("expected string or bytes-like object, got '{got}'")));
    };
    compiled.check_kind(call.vm, &subject)?;
    Ok(subject)
}

/// The arguments `pos` and `endpos` as character indexes inside the text.
fn window(call: &mut Call, subject: &Subject) -> Res<(usize, usize)> {
    let len = subject.len();
    let mut ends = [0, len];
    for (i, end) in ends.iter_mut().enumerate() {
        if call.opt(2 + i).is_some() {
            let given = call.int_clamped(2 + i)?;
            *end = usize::try_from(given).unwrap_or(0).min(len);
        }
    }
    Ok((ends[0], ends[1]))
}

fn scanner(call: &mut Call) -> Res {
    let compiled = this(call)?;
    let subject = subject(call, 1, &compiled)?;
    let (pos, end_pos) = window(call, &subject)?;
    let class = crate::builtins::in_zpy(call.vm, "_re_scanner", "SRE_Scanner");
    let args = [call.arg(0).clone(), call.arg(1).clone(), Value::size(pos), Value::size(end_pos)];
    call.vm.call(&class, &args)
}

fn eq(call: &mut Call) -> Res {
    let compiled = this(call)?;
    let Some(other) = of(call.arg(1)) else { return Ok(Value::NOT_IMPLEMENTED) };
    let is_same = compiled.is_text == other.is_text
        && compiled.translated.flags == other.translated.flags
        && call.vm.equals(&compiled.source, &other.source)?;
    Ok(Value::bool(is_same))
}

fn hash(call: &mut Call) -> Res {
    let compiled = this(call)?;
    let key = Value::tuple(vec![compiled.source.clone(), Value::int(compiled.translated.flags)]);
    Ok(Value::int(call.vm.hash(&key)? as i64))
}

fn once(call: &mut Call, way: Way) -> Res {
    let compiled = this(call)?;
    let subject = subject(call, 1, &compiled)?;
    let (pos, end_pos) = window(call, &subject)?;
    let (start, end) = (subject.offset(pos), subject.offset(end_pos));
    let found = compiled.find(call.vm, &subject, way, start, end)?;
    Ok(match found {
        Some(spans) => {
            matched::value(Matched { pattern: call.arg(0).clone(), compiled, subject, spans, pos, end_pos })
        }
        None => Value::NONE,
    })
}

fn search(call: &mut Call) -> Res {
    once(call, Way::Search)
}

fn match_(call: &mut Call) -> Res {
    once(call, Way::Match)
}

fn full_match(call: &mut Call) -> Res {
    once(call, Way::FullMatch)
}

fn find_all(call: &mut Call) -> Res {
    let compiled = this(call)?;
    let subject = subject(call, 1, &compiled)?;
    let (pos, end_pos) = window(call, &subject)?;
    let mut scan = Scan { start: Some(subject.offset(pos)), end: subject.offset(end_pos), was_empty: false };
    let mut found = Vec::new();
    let part = |span: Option<(usize, usize)>| match span {
        Some((start, end)) => subject.part(start, end),
        None => subject.part(0, 0),
    };
    while let Some(spans) = scan.step(&compiled, call.vm, &subject)? {
        found.push(match spans[..] {
            [whole] => part(whole),
            [_, group] => part(group),
            _ => Value::tuple(spans[1..].iter().map(|&span| part(span)).collect()),
        });
    }
    Ok(Value::list(found))
}

/// What `finditer` gives: the pattern, the text and the place.
struct Walk {
    pattern: Value,
    compiled: Rc<Compiled>,
    subject: Subject,
    pos: usize,
    end_pos: usize,
    scan: Cell<Option<Scan>>,
}

fn find_iter(call: &mut Call) -> Res {
    let compiled = this(call)?;
    let subject = subject(call, 1, &compiled)?;
    let (pos, end_pos) = window(call, &subject)?;
    let scan = Scan { start: Some(subject.offset(pos)), end: subject.offset(end_pos), was_empty: false };
    let pattern = call.arg(0).clone();
    let walk = Walk { pattern, compiled, subject, pos, end_pos, scan: Cell::new(Some(scan)) };
    Ok(Ref::new(Foreign { type_name: ITERATOR_TYPE, data: RefCell::new(Box::new(Rc::new(walk))) }).into())
}

fn next(call: &mut Call) -> Res {
    let walk = match call.arg(0).get::<Foreign>() {
        Some(object) => object.data.borrow().downcast_ref::<Rc<Walk>>().cloned(),
        None => None,
    };
    let Some(walk) = walk else { return Err(call.wrong_type(0, "an iterator over matches")) };
    let Some(mut scan) = walk.scan.take() else { return Err(call.vm.error_with(Exc::StopIteration, vec![])) };
    let Some(spans) = scan.step(&walk.compiled, call.vm, &walk.subject)? else {
        return Err(call.vm.error_with(Exc::StopIteration, vec![]));
    };
    walk.scan.set(Some(scan));
    Ok(matched::value(Matched {
        pattern: walk.pattern.clone(),
        compiled: walk.compiled.clone(),
        subject: walk.subject.clone(),
        spans,
        pos: walk.pos,
        end_pos: walk.end_pos,
    }))
}

fn split(call: &mut Call) -> Res {
    let compiled = this(call)?;
    let subject = subject(call, 1, &compiled)?;
    let limit = call.int_or(2, 0)?;
    let mut scan = Scan::over(&subject);
    let (mut parts, mut from, mut count) = (Vec::new(), 0, 0);
    while limit == 0 || count < limit {
        let Some(spans) = scan.step(&compiled, call.vm, &subject)? else { break };
        let Some((start, end)) = spans[0] else { break };
        parts.push(subject.part(from, start));
        for group in &spans[1..] {
            parts.push(group.map_or(Value::NONE, |(start, end)| subject.part(start, end)));
        }
        from = end;
        count += 1;
    }
    parts.push(subject.part(from, subject.bytes().len()));
    Ok(Value::list(parts))
}

fn sub(call: &mut Call) -> Res {
    Ok(substitute(call)?.0)
}

fn subn(call: &mut Call) -> Res {
    let (text, count) = substitute(call)?;
    Ok(Value::tuple(vec![text, Value::int(count)]))
}

/// What takes the place of a match.
enum Replacement {
    Parts(Vec<Part>),
    Function(Value),
    /// A text for a pattern of bytes, or the other way round: an error once there is a match.
    WrongKind,
}

fn substitute(call: &mut Call) -> Res<(Value, i64)> {
    let compiled = this(call)?;
    let replacement = replacement(call, &compiled)?;
    let subject = subject(call, 2, &compiled)?;
    let limit = call.int_or(3, 0)?;
    let end_pos = subject.len();
    let mut scan = Scan::over(&subject);
    let mut out: Vec<u8> = Vec::new();
    let (mut from, mut count, mut pieces) = (0, 0, 0);
    while limit == 0 || count < limit {
        let Some(spans) = scan.step(&compiled, call.vm, &subject)? else { break };
        let Some((start, end)) = spans[0] else { break };
        out.extend_from_slice(&subject.bytes()[from..start]);
        pieces += (from < start) as usize;
        match &replacement {
            Replacement::Parts(parts) => expand_into(parts, &spans, &subject, &mut out),
            Replacement::WrongKind => {
                let (wanted, got) =
                    if compiled.is_text { ("str instance", "bytes") } else { ("a bytes-like object", "str") };
                let message = format!("sequence item {pieces}: expected {wanted}, {got} found");
                return Err(call.vm.type_error(message));
            }
            Replacement::Function(function) => {
                let pattern = call.arg(0).clone();
                let compiled = compiled.clone();
                let found = Matched { pattern, compiled, subject: subject.clone(), spans, pos: 0, end_pos };
                let made = call.vm.call(function, &[matched::value(found)])?;
                add_made(call.vm, &made, subject.is_text(), pieces, &mut out)?;
            }
        }
        pieces += 1;
        from = end;
        count += 1;
    }
    if count == 0 {
        return Ok((subject.given.clone(), 0));
    }
    out.extend_from_slice(&subject.bytes()[from..]);
    Ok((finished(out, subject.is_text()), count))
}

/// Text or bytes put together from whole parts.
pub fn finished(out: Vec<u8>, is_text: bool) -> Value {
    match is_text {
        true => Str::from_string(String::from_utf8_lossy(&out).into_owned()).into(),
        false => Value::bytes(out),
    }
}

/// Adds what a replacement function gave.
fn add_made(vm: &mut Vm, made: &Value, is_text: bool, pieces: usize, out: &mut Vec<u8>) -> Res<()> {
    if made.is_none() {
        return Ok(());
    }
    match Subject::of(made) {
        Some(part) if part.is_text() == is_text => out.extend_from_slice(part.bytes()),
        _ => {
            let (got, wanted) =
                (vm.type_name(made), if is_text { "str instance" } else { "a bytes-like object" });
            return Err(vm.type_error(format!("sequence item {pieces}: expected {wanted}, {got} found")));
        }
    }
    Ok(())
}

fn replacement(call: &mut Call, compiled: &Compiled) -> Res<Replacement> {
    let given = call.arg(1);
    if let Some(template) = Subject::of(given) {
        if template.is_text() != compiled.is_text {
            return Ok(Replacement::WrongKind);
        }
        return Ok(Replacement::Parts(parse_template(call.vm, &template, compiled)?));
    }
    if call.vm.is_callable(given) {
        return Ok(Replacement::Function(given.clone()));
    }
    let got = call.vm.type_name(given);
    Err(call.vm.type_error(format!("decoding to str: need a bytes-like object, {got} found")))
}

/// The parts of a replacement template.
pub fn parse_template(vm: &mut Vm, template: &Subject, compiled: &Compiled) -> Res<Vec<Part>> {
    let translated = &compiled.translated;
    if !template.bytes().contains(&b'\\') {
        let chars = template.chars();
        return Ok(vec![Part::Literal(chars.into_iter().collect())]);
    }
    let chars = template.chars();
    match parse::template(&chars, template.is_text(), translated.groups, &translated.names) {
        Ok(parts) => Ok(parts),
        Err(TemplateProblem::Problem(problem)) => Err(raise_problem(vm, problem, &template.given, &chars)),
        Err(TemplateProblem::UnknownName(name)) => {
            let shown = crate::text::repr_str(&name);
            Err(vm.index_error(format!("unknown group name {shown}")))
        }
    }
}

/// Adds a template with its groups filled in.
pub fn expand_into(parts: &[Part], spans: &Spans, subject: &Subject, out: &mut Vec<u8>) {
    for part in parts {
        match part {
            Part::Literal(text) if subject.is_text() => out.extend_from_slice(text.as_bytes()),
            Part::Literal(text) => out.extend(text.chars().map(|c| surrogate::code_point(c) as u8)),
            Part::Group(group) => {
                if let Some((start, end)) = spans.get(*group).copied().flatten() {
                    out.extend_from_slice(&subject.bytes()[start..end]);
                }
            }
        }
    }
}

fn reduce(call: &mut Call) -> Res {
    let re = call.vm.import_module("re")?;
    let compile = call.vm.get_attribute(&re, &crate::value::Str::new("_compile"))?;
    let args = vec![pattern(call)?, flags(call)?];
    Ok(Value::tuple(vec![compile, Value::tuple(args)]))
}

fn pattern(call: &mut Call) -> Res {
    Ok(this(call)?.source.clone())
}

fn flags(call: &mut Call) -> Res {
    Ok(Value::int(this(call)?.translated.flags))
}

fn groups(call: &mut Call) -> Res {
    Ok(Value::size(this(call)?.translated.groups))
}

fn group_index(call: &mut Call) -> Res {
    let compiled = this(call)?;
    let names = compiled.translated.names.iter();
    let dict = Dict::from_pairs(names.map(|(name, group)| (name.as_str(), Value::size(*group))));
    Ok(mapping_proxy::of(dict.into()))
}

fn repr(call: &mut Call) -> Res {
    let compiled = this(call)?;
    let shown = call.vm.repr_of(&compiled.source)?;
    let shown: String = shown.chars().take(200).collect();
    let mut flags = compiled.translated.flags;
    if compiled.is_text {
        flags &= !super::UNICODE;
    }
    let names = [
        (super::TEMPLATE, "TEMPLATE"),
        (super::IGNORECASE, "IGNORECASE"),
        (super::LOCALE, "LOCALE"),
        (super::MULTILINE, "MULTILINE"),
        (super::DOTALL, "DOTALL"),
        (super::UNICODE, "UNICODE"),
        (super::VERBOSE, "VERBOSE"),
        (super::DEBUG, "DEBUG"),
        (super::ASCII, "ASCII"),
    ];
    let set: Vec<String> =
        names.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| format!("re.{name}")).collect();
    let known = names.iter().fold(0, |all, (bit, _)| all | bit);
    let mut set = set;
    if flags & !known != 0 {
        set.push(format!("{:#x}", flags & !known));
    }
    Ok(Value::str(if set.is_empty() {
        format!("re.compile({shown})")
    } else {
        format!("re.compile({shown}, {})", set.join("|"))
    }))
}

/// Raises the error of an unknown group.
pub fn no_such_group(vm: &mut Vm) -> Raised {
    vm.index_error("no such group")
}
