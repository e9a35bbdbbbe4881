//! "Did you mean ...?": the nearest of the known names.

/// What an edit costs: another letter, one more or one less, two swapped.
const EDIT: usize = 2;
/// What it costs if only the case of a letter differs.
const CASE: usize = 1;
/// Longer names are not compared.
const LONGEST: usize = 40;

/// The known name nearest to `name`, if any is near enough to be what was meant: with about one edit for three
/// letters.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        if candidate == name || (candidate.starts_with('_') && !name.starts_with('_')) {
            continue;
        }
        let limit = (length + candidate.chars().count() + 3) * EDIT / 6;
        let limit = best.map_or(limit, |(distance, _)| limit.min(distance - 1));
        if let Some(distance) = distance(name, candidate, limit) {
            best = Some((distance, candidate));
        }
        if best.is_some_and(|(distance, _)| distance <= CASE) {
            break;
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The cost of getting from one name to the other, if at most `limit`.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) * EDIT > limit || a.len().max(b.len()) > LONGEST {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).map(|count| count * EDIT).collect();
    for i in 1..=a.len() {
        let mut row = vec![i * EDIT];
        for j in 1..=b.len() {
            let mut cost =
                (last[j - 1] + other_letter(a[i - 1], b[j - 1])).min(last[j] + EDIT).min(row[j - 1] + EDIT);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(before[j - 2] + EDIT);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|&cost| cost <= limit)
}

fn other_letter(a: char, b: char) -> usize {
    match a == b {
        true => 0,
        false if a.eq_ignore_ascii_case(&b) => CASE,
        false => EDIT,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_slip_of_the_finger() {
        assert_eq!(nearest("pirnt", ["int", "print", "input"]), Some("print"));
        assert_eq!(nearest("lenght", ["length", "len"]), Some("length"));
        assert_eq!(nearest("foo", ["append", "extend"]), None);
        assert_eq!(nearest("c", ["a", "b"]), None);
        assert_eq!(nearest("c", ["a", "C"]), Some("C"));
    }
}
