//! The word that someone probably meant.

/// Returns the candidate that is so near to `word` that it is probably meant.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let edits = |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
    // A third of the letters, at least one: `titel` is `title`, `url` is not `id`.
    let near = candidates.map(|candidate| (edits(candidate), candidate));
    near.filter(|(edits, candidate)| *edits <= (candidate.chars().count() / 3).max(1)).min().map(|(_, near)| near)
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
