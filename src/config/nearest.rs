//! The word that a misspelt one probably stands for.

use std::ops::Range;

use super::diagnostic::Problems;

/// Returns the nearest candidate (Damerau-Levenshtein), if `word` can be a slip for it: at most a third of its letters
/// differ, or one.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let edits = |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
    let near = candidates.map(|candidate| (edits(candidate), candidate));
    near.filter(|(edits, candidate)| *edits <= (candidate.chars().count() / 3).max(1)).min().map(|(_, near)| near)
}

/// Notes a name that stands for nothing, and the nearest name that stands for something.
pub(super) fn unknown<'a>(
    span: &Range<usize>,
    noun: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    problems: &mut Problems,
) {
    let error = problems.error(span, format!("there is no {noun} `{name}`"));
    let all = known.clone().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match nearest(name, known) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None if all.is_empty() => error.help(format!("this config has no {noun} at all")),
        None => error.help(format!("there are {all}")),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: Option<&str>) {
        assert_eq!(nearest(word, ["id", "title", "schedule", "entries_max"].into_iter()), expected, "{word}");
    }

    #[test]
    fn slips_of_the_finger_are_near() {
        check("titel", Some("title"));
        check("Schedul", Some("schedule"));
        check("entry_max", Some("entries_max"));
    }

    #[test]
    fn other_words_are_not() {
        check("url", None);
        check("language", None);
    }
}
