//! Parameters of native functions, parsed from their one-line text.

/// One parameter.
#[derive(Debug, PartialEq, Eq)]
pub struct Param {
    pub name: &'static str,
    /// The default as written, for `help()`; `None` means required.
    pub default: Option<&'static str>,
}

#[derive(Debug, Default)]
pub struct Signature {
    pub positional: Vec<Param>,
    /// How many of `positional` cannot be given by keyword.
    pub positional_only: usize,
    /// How many of `positional` have no default.
    pub required: usize,
    pub rest: Option<&'static str>,
    pub keyword_only: Vec<Param>,
    pub keywords: Option<&'static str>,
    /// A `__new__`: its result is wrapped for classes derived from the type.
    pub is_constructor: bool,
}

impl Signature {
    /// Parses `"self, item, /, *rest, key=None, **options"`.
    ///
    /// # Errors
    /// The piece that is not understood; a test walks every table so that users never see it.
    pub fn parse(text: &'static str) -> Result<Signature, &'static str> {
        let mut signature = Signature::default();
        let mut after_star = false;
        for piece in split_at_commas(text) {
            if piece == "/" {
                signature.positional_only = signature.positional.len();
            } else if piece == "*" {
                after_star = true;
            } else if let Some(name) = piece.strip_prefix("**") {
                signature.keywords = Some(name);
            } else if let Some(name) = piece.strip_prefix('*') {
                signature.rest = Some(name);
                after_star = true;
            } else {
                let (name, default) = match piece.split_once('=') {
                    Some((name, default)) => (name.trim(), Some(default.trim())),
                    None => (piece, None),
                };
                if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                    return Err(piece);
                }
                let param = Param { name, default };
                if after_star {
                    signature.keyword_only.push(param);
                } else {
                    if param.default.is_none() {
                        signature.required = signature.positional.len() + 1;
                    }
                    signature.positional.push(param);
                }
            }
        }
        Ok(signature)
    }

    /// Whether a call by position with `count` arguments fits without any keyword.
    #[inline]
    pub fn fits(&self, count: usize) -> bool {
        count >= self.required && (count <= self.positional.len() || self.rest.is_some())
    }
}

/// The pieces between top-level commas, trimmed.
fn split_at_commas(text: &'static str) -> Vec<&'static str> {
    let mut pieces = Vec::new();
    let (mut depth, mut quote, mut start) = (0, None, 0);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                pieces.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(text[start..].trim());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::Signature;

    #[test]
    fn reads_every_kind_of_parameter() {
        let signature =
            Signature::parse("self, item=(1, 2), /, sep=', ', *rest, key=None, **options").unwrap();
        assert_eq!(signature.positional.len(), 3);
        assert_eq!(signature.positional_only, 2);
        assert_eq!(signature.required, 1);
        assert_eq!(signature.positional[2].default, Some("', '"));
        assert_eq!(signature.rest, Some("rest"));
        assert_eq!(signature.keyword_only[0].name, "key");
        assert_eq!(signature.keywords, Some("options"));
    }

    #[test]
    fn refuses_what_is_no_parameter() {
        assert_eq!(Signature::parse("a, b c").unwrap_err(), "b c");
    }
}
