//! The rules for POSIX paths as texts: joining, splitting, normalising. Nothing here asks the system.

/// Joins two paths; an absolute second one stands alone.
pub fn join(path: &mut String, part: &str) {
    if part.starts_with('/') {
        path.clear();
    } else if !path.is_empty() && !path.ends_with('/') {
        path.push('/');
    }
    path.push_str(part);
}

/// The part up to the last slash, without slashes at its end unless it is all slashes, and the part after it.
pub fn split(path: &str) -> (&str, &str) {
    let at = path.rfind('/').map_or(0, |i| i + 1);
    let (head, tail) = path.split_at(at);
    let stripped = head.trim_end_matches('/');
    (if stripped.is_empty() { head } else { stripped }, tail)
}

/// The path without its extension, and the extension with its dot. Dots at the start of a name begin none.
pub fn split_extension(path: &str) -> (&str, &str) {
    let name_start = path.rfind('/').map_or(0, |i| i + 1);
    let name = &path[name_start..];
    let leading_dots = name.len() - name.trim_start_matches('.').len();
    match name.rfind('.') {
        Some(dot) if dot >= leading_dots && leading_dots < name.len() => path.split_at(name_start + dot),
        _ => (path, ""),
    }
}

/// The slashes a path starts with as they count: none, one, or exactly two, which POSIX sets apart.
fn root(path: &str) -> &str {
    if path.starts_with("//") && !path.starts_with("///") {
        "//"
    } else if path.starts_with('/') {
        "/"
    } else {
        ""
    }
}

/// Drive (always empty here), root and the rest.
pub fn split_root(path: &str) -> (&str, &str) {
    match root(path) {
        "" => ("", path),
        root => (root, &path[root.len()..]),
    }
}

/// The path without double slashes, `.` and `..` as far as that is a matter of text.
pub fn normal(path: &str) -> String {
    let root = root(path);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if parts.is_empty() && !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let normal = format!("{root}{}", parts.join("/"));
    if normal.is_empty() { ".".to_string() } else { normal }
}

/// How to get to `path` from `start`; both absolute and normal.
pub fn relative(path: &str, start: &str) -> String {
    let parts = |path: &'_ str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(String::from).collect()
    };
    let (path, start) = (parts(path), parts(start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let mut way = vec!["..".to_string(); start.len() - common];
    way.extend_from_slice(&path[common..]);
    if way.is_empty() { ".".to_string() } else { way.join("/") }
}

/// The longest path that all of these begin with, by whole parts. All are absolute or none is.
pub fn common(paths: &[String]) -> String {
    let split = |path: &String| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(String::from).collect()
    };
    let all: Vec<Vec<String>> = paths.iter().map(split).collect();
    let Some(first) = all.first() else { return String::new() };
    let shared = |at: usize| all.iter().all(|parts| parts.get(at) == first.get(at));
    let count = (0..first.len()).take_while(|&at| shared(at)).count();
    let root = if paths[0].starts_with('/') { "/" } else { "" };
    format!("{root}{}", first[..count].join("/"))
}

/// The longest text that all of these begin with.
pub fn common_prefix(texts: &[String]) -> &str {
    let Some(first) = texts.first() else { return "" };
    let mut end = first.len();
    for text in texts {
        let same = first.char_indices().zip(text.chars()).find(|((_, a), b)| a != b);
        end = end.min(same.map_or(text.len(), |((at, _), _)| at));
    }
    &first[..end]
}

/// Replaces `$NAME` and `${NAME}`; names that `value` does not know stay as they are.
pub fn expand_variables(path: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (name, length) = variable_name(&rest[1..]);
        match if name.is_empty() { None } else { value(name) } {
            Some(found) => {
                out.push_str(&found);
                rest = &rest[1 + length..];
            }
            None => {
                out.push('$');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The name after a `$`, and how many bytes it takes with its braces.
fn variable_name(text: &str) -> (&str, usize) {
    if let Some(inner) = text.strip_prefix('{') {
        return inner.find('}').map_or(("", 0), |end| (&inner[..end], end + 2));
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (&text[..end], end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_paths_are_pythons() {
        let cases = [
            ("", "."), ("/", "/"), ("//", "//"), ("///", "/"), ("///a/./b//../c", "/a/c"), ("../../a", "../../a"),
            ("/../a", "/a"), ("a/..", "."), ("a/../..", ".."),
        ];
        for (path, expected) in cases {
            assert_eq!(normal(path), expected, "{path:?}");
        }
    }

    #[test]
    fn extensions_are_pythons() {
        let cases = [("a.tar.gz", ".gz"), (".bashrc", ""), ("...", ""), ("..a.b", ".b"), ("a.b/c", ""), ("a.", ".")];
        for (path, expected) in cases {
            assert_eq!(split_extension(path).1, expected, "{path:?}");
        }
    }
}
