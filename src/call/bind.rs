//! Putting arguments in parameter order: for native functions by their [`Signature`], for script
//! functions by their [`Params`]. Arguments wait on the value stack, positional ones first and the values
//! of keyword arguments after them, exactly where the callee's slots will be.

use super::{Call, Param, Signature};
use crate::eval::Vm;
use crate::eval::code::Params;
use crate::value::{Dict, Function, NativeFunction, Raised, Ref, Res, Str, Tag, Type, Value, dict::Map};

impl Vm {
    /// Calls a native function with the arguments on the stack from `start`: all positional, then one
    /// value for each of `keywords`. The arguments are gone afterwards.
    #[inline]
    pub(crate) fn invoke_native(
        &mut self,
        function: &NativeFunction,
        start: *mut Value,
        keywords: &[Ref<Str>],
    ) -> Res {
        let signature = &*function.signature;
        let given = self.stack_len(start) - keywords.len();
        let is_plain = keywords.is_empty()
            && signature.keyword_only.is_empty()
            && signature.keywords.is_none()
            && signature.fits(given);
        if is_plain {
            for _ in given..signature.positional.len() {
                self.push(Value::UNBOUND)?;
            }
        } else if let Err(raised) = self.bind_native(function, start, given, keywords) {
            self.truncate(start);
            return Err(raised);
        }
        let count = self.stack_len(start);
        // SAFETY: the stack never moves, and what lies below the stack pointer is not changed by calls
        // made from inside the native function; it is truncated only after the function returned.
        let args = unsafe { std::slice::from_raw_parts(start, count) };
        if signature.is_constructor
            && let Err(raised) = self.check_constructed(function, &args[0])
        {
            self.truncate(start);
            return Err(raised);
        }
        let result = (function.native.run)(&mut Call {
            vm: self,
            args,
            native: function.native,
            signature,
            owner: function.owner.as_ref(),
        });
        let result = match result {
            Ok(made) if signature.is_constructor => Ok(self.wrap_new(&args[0], made)),
            result => result,
        };
        self.truncate(start);
        result
    }

    /// Refuses a `__new__` called with anything but its type or one derived from it.
    fn check_constructed(&mut self, function: &NativeFunction, class: &Value) -> Res<()> {
        let Some(owner) = &function.owner else { return Ok(()) };
        let Some(class) = class.get::<Type>() else {
            let (owner, got) = (owner.name(), self.type_name(class));
            let message = format!("{}.__new__(X): X is not a type object ({got})", owner.as_str());
            return Err(self.type_error(message));
        };
        if class.is_subtype_of(owner) {
            return Ok(());
        }
        let (owner, class) = (owner.name(), class.name());
        let (owner, class) = (owner.as_str(), class.as_str());
        Err(self.type_error(format!("{owner}.__new__({class}): {class} is not a subtype of {owner}")))
    }

    #[cold]
    fn bind_native(
        &mut self,
        function: &NativeFunction,
        start: *mut Value,
        given: usize,
        keywords: &[Ref<Str>],
    ) -> Res<()> {
        let signature = &*function.signature;
        let named = self.pop_many(keywords.len());
        let width = signature.positional.len();
        if given > width && signature.rest.is_none() {
            return Err(self.native_arity_error(function, given, keywords));
        }
        for _ in given..width {
            self.push(Value::UNBOUND)?;
        }
        let mut keyword_only = vec![Value::UNBOUND; signature.keyword_only.len()];
        let mut extra = Map::default();
        for (name, value) in keywords.iter().zip(named) {
            let text = name.as_str();
            let position = signature.positional[signature.positional_only..]
                .iter()
                .position(|p| p.name == text)
                .map(|i| i + signature.positional_only);
            if let Some(i) = position {
                // SAFETY: the slots from `start` hold at least `width` values.
                let slot = unsafe { &mut *start.add(i) };
                if !slot.is_unbound() {
                    let shown = short_name(function);
                    return Err(self.type_error(format!(
                        "argument for {shown}() given by name ('{text}') and position ({})",
                        i + 1 - is_method(signature) as usize
                    )));
                }
                *slot = value;
            } else if let Some(i) = signature.keyword_only.iter().position(|p| p.name == text) {
                keyword_only[i] = value;
            } else if signature.keywords.is_some() {
                extra.set_str(name, value);
            } else {
                return Err(self.native_keyword_error(function, text));
            }
        }
        for i in 0..signature.required {
            // SAFETY: as above.
            if unsafe { (*start.add(i)).is_unbound() } {
                return Err(self.native_arity_error(function, given, keywords));
            }
        }
        for (value, param) in keyword_only.into_iter().zip(&signature.keyword_only) {
            if value.is_unbound() && param.default.is_none() {
                let shown = short_name(function);
                return Err(self.type_error(format!(
                    "{shown}() missing required keyword-only argument: '{}'",
                    param.name
                )));
            }
            self.push(value)?;
        }
        if signature.keywords.is_some() {
            self.push(Dict::new(extra).into())?;
        }
        Ok(())
    }

    fn native_keyword_error(&mut self, function: &NativeFunction, keyword: &str) -> Raised {
        let signature = &function.signature;
        let takes_none =
            signature.positional_only == signature.positional.len() && signature.keyword_only.is_empty();
        let message = if takes_none {
            format!("{} takes no keyword arguments", shown_name(function))
        } else {
            format!("'{keyword}' is an invalid keyword argument for {}()", short_name(function))
        };
        self.type_error(message)
    }

    /// Python has one wording for functions that take positions only and another for the rest.
    fn native_arity_error(
        &mut self,
        function: &NativeFunction,
        given: usize,
        keywords: &[Ref<Str>],
    ) -> Raised {
        let signature = &*function.signature;
        let name = short_name(function);
        let skipped = is_method(signature) as usize;
        if given < skipped {
            let shown = shown_name(function);
            return self.type_error(match &function.owner {
                Some(owner) if signature.is_constructor => {
                    format!("{}.__new__(): not enough arguments", owner.name().as_str())
                }
                _ => format!("unbound method {shown} needs an argument"),
            });
        }
        let given = given - skipped;
        let most = signature.positional.len() - skipped;
        let least = signature.required.saturating_sub(skipped);
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let by_position_only = signature.positional_only == signature.positional.len()
            && signature.keyword_only.is_empty()
            && keywords.is_empty();
        // These methods of text count in other words than the rest.
        let counts_in_words = by_position_only
            && signature.positional.len() == 4
            && function
                .owner
                .as_ref()
                .is_some_and(|owner| matches!(owner.kind, Tag::Str | Tag::Bytes | Tag::ByteArray))
            && matches!(
                function.native.name,
                "find" | "rfind" | "index" | "rindex" | "count" | "startswith" | "endswith"
            );
        let message = if counts_in_words {
            let (bound, number) = if given < least { ("at least", least) } else { ("at most", most) };
            format!("{name}() takes {bound} {number} argument{} ({given} given)", plural(number))
        } else if by_position_only {
            if signature.rest.is_some() {
                format!("{name} expected at least {least} argument{}, got {given}", plural(least))
            } else if most == 0 {
                format!("{} takes no arguments ({given} given)", shown_name(function))
            } else if most == 1 && least == 1 {
                format!("{} takes exactly one argument ({given} given)", shown_name(function))
            } else if most == least {
                format!("{name} expected {most} argument{}, got {given}", plural(most))
            } else if given < least {
                format!("{name} expected at least {least} argument{}, got {given}", plural(least))
            } else {
                format!("{name} expected at most {most} argument{}, got {given}", plural(most))
            }
        } else if given > most && most == 0 && !signature.keyword_only.is_empty() {
            format!("{name}() takes no positional arguments")
        } else if given > most {
            let all = given + keywords.len();
            let bound = if most == least { "exactly" } else { "at most" };
            let kind = if signature.keyword_only.is_empty() { "" } else { "positional " };
            format!("{name}() takes {bound} {most} {kind}argument{} ({all} given)", plural(most))
        } else {
            let missing = signature.positional[skipped..least + skipped]
                .iter()
                .enumerate()
                .find(|(i, p)| *i >= given && !keywords.iter().any(|k| k.as_str() == p.name));
            match missing {
                // Unlike all others, `enumerate` does not count.
                Some((_, p)) if is_constructor(function) && name == "enumerate" => {
                    format!("{name}() missing required argument '{}'", p.name)
                }
                Some((i, p)) => {
                    format!("{name}() missing required argument '{}' (pos {})", p.name, i + 1)
                }
                None => format!("{name}() takes at least {least} arguments ({given} given)"),
            }
        };
        self.type_error(message)
    }

    /// Arranges the arguments of a script function into its parameter slots.
    #[cold]
    pub(crate) fn bind_function(
        &mut self,
        function: &Function,
        start: *mut Value,
        keywords: &[Ref<Str>],
    ) -> Res<()> {
        let code = &*function.code;
        let params = &code.params;
        let given = self.stack_len(start) - keywords.len();
        let named = self.pop_many(keywords.len());
        let rest = if given > params.positional { self.pop_many(given - params.positional) } else { vec![] };
        let has_extra = !rest.is_empty() && !params.rest;
        self.ensure_room(params.count())?;
        for _ in given..params.positional {
            self.push(Value::UNBOUND)?;
        }
        for _ in 0..params.keyword_only {
            self.push(Value::UNBOUND)?;
        }
        // SAFETY: the stack holds `positional + keyword_only` values from `start`.
        let slots = unsafe { std::slice::from_raw_parts_mut(start, params.positional + params.keyword_only) };
        let extra = self.bind_keywords(function, slots, keywords, named)?;
        if has_extra {
            return Err(self.too_many_positional(function, given, slots));
        }
        self.fill_defaults(function, slots)?;
        if params.rest {
            self.push(Value::tuple(rest))?;
        }
        if params.keywords {
            self.push(Dict::new(extra).into())?;
        }
        Ok(())
    }

    fn bind_keywords(
        &mut self,
        function: &Function,
        slots: &mut [Value],
        keywords: &[Ref<Str>],
        named: Vec<Value>,
    ) -> Res<Map> {
        let code = &*function.code;
        let params = &code.params;
        let mut extra = Map::default();
        for (name, value) in keywords.iter().zip(named) {
            let found = code.slot_names[params.positional_only..slots.len()]
                .iter()
                .position(|n| Ref::ptr_eq(n, name) || n.as_str() == name.as_str());
            match found.map(|i| &mut slots[i + params.positional_only]) {
                Some(slot) if slot.is_unbound() => *slot = value,
                Some(_) => {
                    let shown = function.qualname.borrow().clone();
                    return Err(self.type_error(format!(
                        "{}() got multiple values for argument '{}'",
                        shown.as_str(),
                        name.as_str()
                    )));
                }
                None if params.keywords => {
                    if extra.set_str(name, value).is_some() {
                        let shown = function.qualname.borrow().clone();
                        return Err(self.type_error(format!(
                            "{}() got multiple values for keyword argument '{}'",
                            shown.as_str(),
                            name.as_str()
                        )));
                    }
                }
                None => return Err(self.unexpected_keyword(function, name, keywords)),
            }
        }
        Ok(extra)
    }

    fn unexpected_keyword(&mut self, function: &Function, name: &Str, keywords: &[Ref<Str>]) -> Raised {
        let code = &*function.code;
        let params = &code.params;
        let shown = function.qualname.borrow().clone();
        let positional_only = &code.slot_names[..params.positional_only];
        let misused: Vec<&str> = positional_only
            .iter()
            .map(|n| n.as_str())
            .filter(|n| keywords.iter().any(|k| k.as_str() == *n))
            .collect();
        if !misused.is_empty() {
            return self.type_error(format!(
                "{}() got some positional-only arguments passed as keyword arguments: '{}'",
                shown.as_str(),
                misused.join(", ")
            ));
        }
        let mut message =
            format!("{}() got an unexpected keyword argument '{}'", shown.as_str(), name.as_str());
        let known = code.slot_names[params.positional_only..params.positional + params.keyword_only].iter();
        if let Some(near) = crate::eval::suggest::nearest(name.as_str(), known.map(|n| n.as_str())) {
            message.push_str(&format!(". Did you mean '{near}'?"));
        }
        self.type_error(message)
    }

    fn fill_defaults(&mut self, function: &Function, slots: &mut [Value]) -> Res<()> {
        let params = &function.code.params;
        let defaults = function.defaults.borrow().clone();
        let first_default = params.positional.saturating_sub(defaults.len());
        for i in first_default..params.positional {
            if slots[i].is_unbound() {
                slots[i] = defaults[i - first_default].clone();
            }
        }
        let missing = slots[..params.positional].iter().any(Value::is_unbound);
        if missing {
            return Err(self.missing_arguments(function, &slots[..params.positional], 0, "positional"));
        }
        let keyword_defaults = function.keyword_defaults.borrow().clone();
        for (slot, default) in slots[params.positional..].iter_mut().zip(keyword_defaults.iter()) {
            if slot.is_unbound() {
                *slot = default.clone();
            }
        }
        if slots[params.positional..].iter().any(Value::is_unbound) {
            let slots = &slots[params.positional..];
            return Err(self.missing_arguments(function, slots, params.positional, "keyword-only"));
        }
        Ok(())
    }

    fn missing_arguments(
        &mut self,
        function: &Function,
        slots: &[Value],
        first: usize,
        kind: &str,
    ) -> Raised {
        let names = &function.code.slot_names[first..];
        let missing: Vec<String> = slots
            .iter()
            .zip(names)
            .filter(|(slot, _)| slot.is_unbound())
            .map(|(_, name)| format!("'{}'", name.as_str()))
            .collect();
        let list = match missing.as_slice() {
            [one] => one.clone(),
            [one, two] => format!("{one} and {two}"),
            [many @ .., last] => format!("{}, and {last}", many.join(", ")),
            [] => String::new(),
        };
        let plural = if missing.len() == 1 { "" } else { "s" };
        let shown = function.qualname.borrow().clone();
        self.type_error(format!(
            "{}() missing {} required {kind} argument{plural}: {list}",
            shown.as_str(),
            missing.len()
        ))
    }

    fn too_many_positional(&mut self, function: &Function, given: usize, slots: &[Value]) -> Raised {
        let params: &Params = &function.code.params;
        let most = params.positional;
        let least = most - function.defaults.borrow().len().min(most);
        let takes = if least < most {
            format!("from {least} to {most} positional arguments")
        } else {
            format!("{most} positional argument{}", if most == 1 { "" } else { "s" })
        };
        let keyword_only = slots[most..].iter().filter(|slot| !slot.is_unbound()).count();
        let verb = if given == 1 && keyword_only == 0 { "was" } else { "were" };
        let but = if keyword_only > 0 {
            format!(
                "{given} positional argument{} (and {keyword_only} keyword-only argument{})",
                if given == 1 { "" } else { "s" },
                if keyword_only == 1 { "" } else { "s" }
            )
        } else {
            given.to_string()
        };
        let shown = function.qualname.borrow().clone();
        self.type_error(format!("{}() takes {takes} but {but} {verb} given", shown.as_str()))
    }
}

fn is_method(signature: &Signature) -> bool {
    matches!(signature.positional.first(), Some(Param { name: "self" | "cls", .. }))
}

/// Whether calling it is calling its type.
fn is_constructor(function: &NativeFunction) -> bool {
    matches!(function.native.name, "__new__" | "__init__")
}

/// `len` or `append`, as arity messages name it; the type's name for what makes its objects.
fn short_name(function: &NativeFunction) -> String {
    match &function.owner {
        Some(owner) if is_constructor(function) => owner.name().as_str().to_string(),
        _ => function.native.name.to_string(),
    }
}

/// `len()`, `math.sqrt()` or `list.append()`, as arity messages name it.
fn shown_name(function: &NativeFunction) -> String {
    match &function.owner {
        Some(owner) if is_constructor(function) => format!("{}()", owner.name().as_str()),
        Some(owner) => format!("{}.{}()", owner.name().as_str(), function.native.name),
        None if function.module != "builtins" => format!("{}.{}()", function.module, function.native.name),
        None => format!("{}()", function.native.name),
    }
}
