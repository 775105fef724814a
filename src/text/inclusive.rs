//! Inclusive writing: `élève·s`, `enseignant(e)s`, `poitevin.e.s` read as their base word.

use super::tokens::is_word;

/// The dots that writers use for it. In UTF-8 they begin with C2 or E2.
const DOTS: [char; 5] = ['·', '•', '⸱', '‧', '∙'];

/// Endings after a dot, longest choice by trial in this order; none is allowed too.
const DOT_ENDINGS: [&str; 13] = ["e", "es", "rice", "ice", "euse", "se", "ne", "ive", "ve", "le", "ère", "trice", ""];

/// Endings in brackets.
const BRACKET_ENDINGS: [&str; 6] = ["e", "es", "s", "ne", "trice", "euse"];

/// Returns `text` without inclusive endings.
pub(super) fn without_endings(text: String) -> String {
    let mut kept = String::new();
    let mut copied = 0;
    // Most texts have only full stops, and behind those a blank.
    let openings = text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'(' | b'.' | 0xC2 | 0xE2));
    for (start, _) in openings {
        // A second ending may follow the first: `enseignant·e(s)`.
        let follows_word = start >= copied && text.get(..start).is_some_and(|before| before.ends_with(is_word));
        if follows_word && let Some(length) = text.get(start..).and_then(ending) {
            kept.push_str(text.get(copied..start).unwrap_or_default());
            copied = start + length;
        }
    }
    if copied == 0 {
        return text;
    }
    kept.push_str(text.get(copied..).unwrap_or_default());
    kept
}

/// The length in bytes of the inclusive ending that `text` begins with.
fn ending(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let after = text.get(first.len_utf8()..)?;
    let left = if DOTS.contains(&first) {
        DOT_ENDINGS.iter().find_map(|ending| dot_plural(after.strip_prefix(ending)?))
    } else if first == '(' {
        BRACKET_ENDINGS.iter().find_map(|ending| {
            let rest = after.strip_prefix(ending)?.strip_prefix(')')?;
            first_that_ends([rest.strip_prefix('s'), Some(rest)])
        })
    } else if first == '.' {
        full_stop(after)
    } else {
        None
    }?;
    Some(text.len() - left.len())
}

/// After a dotted ending: perhaps a second dot and an s, perhaps an s, then the end of the word.
fn dot_plural(rest: &str) -> Option<&str> {
    let dotted = DOTS.iter().find_map(|dot| rest.strip_prefix(*dot)).and_then(|rest| rest.strip_prefix('s'));
    first_that_ends([dotted.and_then(|rest| rest.strip_prefix('s')), dotted, rest.strip_prefix('s'), Some(rest)])
}

/// `.e`, `.es`, `.e.s`, `.s` at the end of a word.
fn full_stop(after: &str) -> Option<&str> {
    if let Some(e) = after.strip_prefix('e') {
        let stop = e.strip_prefix('.');
        let choices = [stop.and_then(|rest| rest.strip_prefix('s')), stop, e.strip_prefix('s'), Some(e)];
        if let Some(rest) = first_that_ends(choices) {
            return Some(rest);
        }
    }
    first_that_ends([after.strip_prefix('s')])
}

/// The first choice behind which the word ends.
fn first_that_ends<const N: usize>(choices: [Option<&str>; N]) -> Option<&str> {
    choices.into_iter().flatten().find(|rest| !rest.chars().next().is_some_and(is_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(without_endings(text.to_owned()), expected);
    }

    #[test]
    fn dotted_endings_go() {
        check("les élève·s et enseignant·e·s", "les élève et enseignant");
        check("directeur·trice, expert•es", "directeur, expert");
    }

    #[test]
    fn bracketed_endings_go() {
        check("les enseignant(e)s", "les enseignant");
        check("étudiant(e)", "étudiant");
        check("enseignant·e(s)", "enseignant");
    }

    #[test]
    fn full_stops_go_only_as_endings() {
        check("poitevin.e.s, ami.es", "poitevin, ami");
        check("Fin.Début data.gouv.fr", "Fin.Début data.gouv.fr");
        check("la fin. Et après", "la fin. Et après");
    }

    #[test]
    fn a_real_bracket_stays() {
        check("loi(s) et texte(annexe)", "loi et texte(annexe)");
    }
}
