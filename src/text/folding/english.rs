//! English: plural folded.

use std::borrow::Cow;

/// Words that end like a plural and are none, or are the same in both numbers.
const NO_PLURALS: [&str; 6] = ["news", "series", "species", "lens", "always", "perhaps"];

/// Folds the plural of a folded word: `schools` is `school`, `studies` is `study`.
///
/// Words with digits and short words stay.
pub(super) fn root(folded: &str) -> Cow<'_, str> {
    let length = folded.chars().count();
    if length < 4 || NO_PLURALS.contains(&folded) || folded.chars().any(char::is_numeric) {
        return Cow::Borrowed(folded);
    }
    if length > 4
        && let Some(stem) = folded.strip_suffix("ies")
    {
        return Cow::Owned(format!("{stem}y"));
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if folded.ends_with(ending) {
            return Cow::Borrowed(folded.strip_suffix("es").unwrap_or(folded));
        }
    }
    if ["ss", "us", "is"].iter().any(|ending| folded.ends_with(ending)) {
        return Cow::Borrowed(folded);
    }
    Cow::Borrowed(folded.strip_suffix('s').unwrap_or(folded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: &str) {
        assert_eq!(root(word), expected, "{word}");
    }

    #[test]
    fn plurals_are_one_word_with_their_singular() {
        check("schools", "school");
        check("studies", "study");
        check("classes", "class");
        check("boxes", "box");
        check("houses", "house");
    }

    #[test]
    fn what_only_looks_like_a_plural_stays() {
        for word in ["news", "class", "campus", "analysis", "bus", "mp3s"] {
            check(word, word);
        }
    }

    #[test]
    fn endings_of_french_are_no_endings() {
        check("active", "active");
        check("motorbikes", "motorbike");
    }
}
