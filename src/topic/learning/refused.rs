//! Words that no rule should be made of: a person would find it absurd.

use std::collections::HashSet;

use crate::text::vocabulary::VOCABULARIES;
use crate::text::{Levelled, fold};

/// Letters of the shortest word that is learnt, unless it is an acronym.
const LETTERS_MIN: usize = 4;

/// Words that say what kind of text an entry is, not what it is about; folded.
const TRADE: &str = "
    http https www com fr org gouv html aujourd hui texte rapport ministre ministere france francais francaise francaises
    pays national nationale nationaux annonce annonces lance lancement publier propose proposition question etude enquete
    guide bilan plan projet projets programme journee edition";

/// The words that are refused.
#[derive(Debug, Clone)]
pub struct RefusedWords {
    /// Function words, words of the trade, names of months and days; folded.
    empty: HashSet<String>,
    /// Words of the names of sources, folded.
    names: HashSet<String>,
}

impl RefusedWords {
    /// Refuses empty words, and the names of these sources: their ids and titles.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut empty: HashSet<String> = VOCABULARIES.iter().flat_map(|vocabulary| vocabulary.empty_words()).collect();
        empty.extend(TRADE.split_whitespace().map(str::to_owned));
        let words = |name: &str| {
            let name = Levelled::new(&name.replace(['-', '_', '.'], " "));
            name.tokens().iter().map(|token| fold(token.word).into_owned()).collect::<Vec<_>>()
        };
        Self { empty, names: names.into_iter().flat_map(words).collect() }
    }

    /// Whether a word tells nothing by itself.
    pub(super) fn is_empty_word(&self, folded: &str) -> bool {
        self.empty.contains(folded) || folded.chars().count() < 2
    }

    /// Whether no phrase may hold a word: numbers change from one entry to the next, and addresses name sources.
    pub(super) fn breaks_phrases(folded: &str) -> bool {
        folded.contains(|c: char| c.is_numeric() || matches!(c, '@' | '_'))
    }

    /// Whether a phrase of these words, folded, is refused.
    pub(super) fn refuses(&self, words: &[&str], is_acronym: bool) -> bool {
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return true };
        let is_short = words.len() == 1 && !is_acronym && first.chars().count() < LETTERS_MIN;
        is_short
            || self.is_empty_word(first)
            || self.is_empty_word(last)
            || words.iter().all(|word| self.names.contains(*word) || self.is_empty_word(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(phrase: &str, is_refused: bool) {
        let refused = RefusedWords::new(["cafe-pedagogique", "La Gazette"]);
        let words: Vec<&str> = phrase.split(' ').collect();
        assert_eq!(refused.refuses(&words, false), is_refused, "{phrase}");
    }

    #[test]
    fn empty_words_say_nothing_about_a_topic() {
        for phrase in ["notamment", "le", "fevrier", "ecole de", "de la", "est"] {
            check(phrase, true);
        }
        check("ecole", false);
        check("ecole de musique", false);
    }

    #[test]
    fn the_name_of_a_source_says_nothing_about_a_topic() {
        check("gazette", true);
        check("cafe pedagogique", true);
        check("gazette pedagogique", true);
        check("outil pedagogique", false);
    }

    #[test]
    fn short_words_are_acronyms_or_nothing() {
        check("ent", true);
        assert!(!RefusedWords::new([]).refuses(&["ent"], true));
    }

    #[test]
    fn numbers_and_addresses_break_phrases() {
        for word in ["2026", "b2i", "nom@exemple", "a_b"] {
            assert!(RefusedWords::breaks_phrases(word), "{word}");
        }
        assert!(!RefusedWords::breaks_phrases("ecole"));
    }
}
