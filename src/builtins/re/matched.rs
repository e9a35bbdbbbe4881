//! `re.Match`: what a pattern found.

use super::MATCH_TYPE;
use super::pattern::{self, Compiled, Spans, Subject};
use crate::call::{Call, Native};
use crate::value::{Dict, Foreign, Ref, Res, Value};
use std::cell::RefCell;
use std::rc::Rc;

pub struct Matched {
    /// The pattern as scripts see it.
    pub pattern: Value,
    pub compiled: Rc<Compiled>,
    pub subject: Subject,
    pub spans: Spans,
    /// The part looked at, in characters.
    pub pos: usize,
    pub end_pos: usize,
}

pub fn value(mut matched: Matched) -> Value {
    matched.subject.let_go();
    Ref::new(Foreign { type_name: MATCH_TYPE, data: RefCell::new(Box::new(Rc::new(matched))) }).into()
}

impl Matched {
    fn part(&self, group: usize, otherwise: &Value) -> Value {
        match self.spans[group] {
            Some((start, end)) => self.subject.part_now(start, end),
            None => otherwise.clone(),
        }
    }

    /// Start and end of a group in characters, -1 if it took no part.
    fn span(&self, group: usize) -> (i64, i64) {
        match self.spans[group] {
            Some((start, end)) => (self.subject.index(start) as i64, self.subject.index(end) as i64),
            None => (-1, -1),
        }
    }

    /// The group that was closed last.
    fn last_index(&self) -> Option<usize> {
        let closing = &self.compiled.translated.closing;
        let taken = (1..self.spans.len()).filter_map(|group| self.spans[group].map(|(_, end)| (end, group)));
        taken.max_by_key(|&(end, group)| (end, closing[group])).map(|(_, group)| group)
    }

    fn name_of(&self, group: usize) -> Option<&str> {
        let mut names = self.compiled.translated.names.iter();
        names.find(|(_, number)| *number == group).map(|(name, _)| name.as_str())
    }
}

pub static METHODS: &[Native] = &[
    Native {
        name: "group",
        params: "self, *groups",
        run: group,
        doc: "The text of a group by number or name, none if it took no part; a tuple for several groups; the whole match without any.",
    },
    Native {
        name: "groups",
        params: "self, default=None",
        run: groups,
        doc: "A tuple of all groups, with `default` for those that took no part.",
    },
    Native {
        name: "groupdict",
        params: "self, default=None",
        run: group_dict,
        doc: "A dict of the named groups.",
    },
    Native {
        name: "start",
        params: "self, group=0, /",
        run: start,
        doc: "Where a group starts, -1 if it took no part.",
    },
    Native {
        name: "end",
        params: "self, group=0, /",
        run: end,
        doc: "Where a group ends, -1 if it took no part.",
    },
    Native { name: "span", params: "self, group=0, /", run: span, doc: "Start and end of a group." },
    Native {
        name: "expand",
        params: "self, template",
        run: expand,
        doc: "A replacement template with the groups filled in.",
    },
    Native {
        name: "__getitem__",
        params: "self, group, /",
        run: item,
        doc: "The text of a group by number or name.",
    },
    Native { name: "__repr__", params: "self, /", run: repr, doc: "Place and text." },
    Native { name: "__copy__", params: "self, /", run: same, doc: "The match itself." },
    Native { name: "__deepcopy__", params: "self, memo, /", run: same, doc: "The match itself." },
    Native { name: ".string", params: "self", run: string, doc: "The text looked at." },
    Native { name: ".re", params: "self", run: re, doc: "The pattern." },
    Native { name: ".pos", params: "self", run: pos, doc: "Where the part looked at starts." },
    Native { name: ".endpos", params: "self", run: end_pos, doc: "Where the part looked at ends." },
    Native {
        name: ".lastindex",
        params: "self",
        run: last_index,
        doc: "Number of the group that was closed last, or none.",
    },
    Native {
        name: ".lastgroup",
        params: "self",
        run: last_group,
        doc: "Name of the group that was closed last, or none.",
    },
    Native {
        name: ".regs",
        params: "self",
        run: regs,
        doc: "The spans of the whole match and of all groups.",
    },
];

fn this(call: &mut Call) -> Res<Rc<Matched>> {
    let found = match call.arg(0).get::<Foreign>() {
        Some(object) => object.data.borrow().downcast_ref::<Rc<Matched>>().cloned(),
        None => None,
    };
    found.ok_or_else(|| call.wrong_type(0, "re.Match"))
}

fn same(call: &mut Call) -> Res {
    Ok(call.arg(0).clone())
}

/// The number of a group given by number or name.
fn number(call: &mut Call, matched: &Matched, given: &Value) -> Res<usize> {
    let found = match given.as_str() {
        Some(name) => {
            matched.compiled.translated.names.iter().find(|(n, _)| n == name).map(|(_, group)| *group)
        }
        None => match call.vm.to_index(given) {
            Ok(group) => usize::try_from(group).ok(),
            Err(_) => {
                call.vm.take_raised();
                None
            }
        },
    };
    match found.filter(|&group| group < matched.spans.len()) {
        Some(group) => Ok(group),
        None => Err(pattern::no_such_group(call.vm)),
    }
}

fn group(call: &mut Call) -> Res {
    let matched = this(call)?;
    let rest = call.rest();
    let mut parts = Vec::with_capacity(rest.len());
    for given in rest {
        let group = number(call, &matched, given)?;
        parts.push(matched.part(group, &Value::NONE));
    }
    Ok(match parts.len() {
        0 => matched.part(0, &Value::NONE),
        1 => parts.remove(0),
        _ => Value::tuple(parts),
    })
}

fn item(call: &mut Call) -> Res {
    let matched = this(call)?;
    let group = number(call, &matched, call.arg(1))?;
    Ok(matched.part(group, &Value::NONE))
}

fn default(call: &Call) -> Value {
    call.opt(1).cloned().unwrap_or(Value::NONE)
}

fn groups(call: &mut Call) -> Res {
    let (matched, default) = (this(call)?, default(call));
    Ok(Value::tuple((1..matched.spans.len()).map(|group| matched.part(group, &default)).collect()))
}

fn group_dict(call: &mut Call) -> Res {
    let (matched, default) = (this(call)?, default(call));
    let names = matched.compiled.translated.names.iter();
    Ok(Dict::from_pairs(names.map(|(name, group)| (name.as_str(), matched.part(*group, &default)))).into())
}

/// The span of the group argument, in characters.
fn span_of(call: &mut Call) -> Res<(i64, i64)> {
    let matched = this(call)?;
    let group = match call.opt(1) {
        Some(given) => number(call, &matched, given)?,
        None => 0,
    };
    Ok(matched.span(group))
}

fn start(call: &mut Call) -> Res {
    Ok(Value::int(span_of(call)?.0))
}

fn end(call: &mut Call) -> Res {
    Ok(Value::int(span_of(call)?.1))
}

fn pair((start, end): (i64, i64)) -> Value {
    Value::tuple(vec![Value::int(start), Value::int(end)])
}

fn span(call: &mut Call) -> Res {
    Ok(pair(span_of(call)?))
}

fn regs(call: &mut Call) -> Res {
    let matched = this(call)?;
    Ok(Value::tuple((0..matched.spans.len()).map(|group| pair(matched.span(group))).collect()))
}

fn expand(call: &mut Call) -> Res {
    let matched = this(call)?;
    let Some(template) = Subject::of(call.arg(1)) else { return Err(call.wrong_type(1, "str")) };
    let parts = pattern::parse_template(call.vm, &template, &matched.compiled)?;
    let mut out = Vec::new();
    pattern::expand_into(&parts, &matched.spans, &matched.subject, &mut out);
    Ok(pattern::finished(out, matched.subject.is_text()))
}

fn repr(call: &mut Call) -> Res {
    let matched = this(call)?;
    let (start, end) = matched.span(0);
    let text = call.vm.repr_of(&matched.part(0, &Value::NONE))?;
    Ok(Value::str(format!("<re.Match object; span=({start}, {end}), match={text}>")))
}

fn string(call: &mut Call) -> Res {
    Ok(this(call)?.subject.given.clone())
}

fn re(call: &mut Call) -> Res {
    Ok(this(call)?.pattern.clone())
}

fn pos(call: &mut Call) -> Res {
    Ok(Value::size(this(call)?.pos))
}

fn end_pos(call: &mut Call) -> Res {
    Ok(Value::size(this(call)?.end_pos))
}

fn last_index(call: &mut Call) -> Res {
    Ok(this(call)?.last_index().map_or(Value::NONE, Value::size))
}

fn last_group(call: &mut Call) -> Res {
    let matched = this(call)?;
    Ok(matched.last_index().and_then(|group| matched.name_of(group)).map_or(Value::NONE, Value::str))
}
