//! Numbers of things as messages tell them: `1 feed`, `2 entries`.

/// Writes a number of things; `thing` is one of them.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    match thing.strip_suffix('y') {
        _ if number == 1 => format!("1 {thing}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_no_ending() {
        let counted = [count(0, "feed"), count(1, "feed"), count(1, "new entry"), count(2, "new entry")];
        assert_eq!(counted, ["0 feeds", "1 feed", "1 new entry", "2 new entries"]);
    }
}
