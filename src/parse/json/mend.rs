//! JSON strings as some publishers write them, made into strings that are JSON (RFC 8259 §7).

/// Returns `text` with what may not stand in a string replaced: raw control characters, halves of characters, escapes
/// that mean nothing.
pub(super) fn mend(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut is_inside = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '\\' if is_inside => {
                let (taken, escape) = escape(rest);
                length = taken;
                mended.push_str(escape);
            }
            '\0'..='\x1f' if is_inside => mended.push(' '),
            _ => {
                is_inside ^= c == '"';
                mended.push(c);
            }
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    mended
}

/// Returns how much of `text` its first escape takes, and what to write for it.
fn escape(text: &str) -> (usize, &str) {
    let all = |length| (length, text.get(..length).unwrap_or_default());
    match (unit(text), unit(text.get(6..).unwrap_or_default())) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => all(12),
        (Some(0xd800..=0xdfff), _) => (6, "\\ufffd"),
        (Some(_), _) => all(6),
        (None, _) if text.get(1..2).is_some_and(|next| "\"\\/bfnrt".contains(next)) => all(2),
        (None, _) => (1, "\\\\"),
    }
}

/// Returns the UTF-16 unit that `text` begins with, escaped.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        assert_eq!(serde_json::from_str::<String>(&mend(json)).unwrap(), expected);
    }

    #[test]
    fn halves_of_characters_are_replaced() {
        check(r#""a\ud83d b\ude00 \ud83d\ude00 \ud83d\ud83d\ude00""#, "a\u{fffd} b\u{fffd} 😀 \u{fffd}😀");
    }

    #[test]
    fn raw_control_characters_are_blanks() {
        check("\"a\nb\u{1}\"", "a b ");
    }

    #[test]
    fn an_escape_that_means_nothing_is_text() {
        check(r#""\x \u12 \' é""#, r"\x \u12 \' é");
        check(r#""\"\\\n\u00e9""#, "\"\\\né");
    }

    #[test]
    fn what_ends_too_early_is_left_so() {
        assert_eq!(mend("\"\\"), "\"\\\\");
        assert_eq!(mend("\"\\u12"), "\"\\\\u12");
    }
}
