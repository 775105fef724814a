//! The words of a language that several rooms must know: one file a language.
//!
//! Three tables stand elsewhere, for each serves one purpose: the function words by which a language is guessed
//! (`text/language`; words that two languages share prove nothing there), the beginnings of months' names in dates
//! (`parse/dates`), and the keywords of crontab (`schedule/pattern`), which are of no language.

mod catalan;
mod danish;
mod dutch;
mod english;
mod french;
mod german;
mod italian;
mod norwegian;
mod polish;
mod portuguese;
mod romanian;
mod spanish;
mod swedish;

pub use english::ENGLISH;
pub use french::FRENCH;

use catalan::CATALAN;
use danish::DANISH;
use dutch::DUTCH;
use german::GERMAN;
use italian::ITALIAN;
use norwegian::NORWEGIAN;
use polish::POLISH;
use portuguese::PORTUGUESE;
use romanian::ROMANIAN;
use spanish::SPANISH;
use swedish::SWEDISH;

use crate::text::fold;

/// The words of one language. In lists they are folded, with blanks between them.
#[derive(Debug)]
pub struct Vocabulary {
    /// Names of the months as people write them, January first.
    pub months: [&'static str; 12],
    /// Names of the days, Monday first.
    pub weekdays: [&'static str; 7],
    /// Articles, prepositions, pronouns and the like.
    pub grammar: &'static str,
    /// Words by which sites frame titles: `info`, `communiqué`.
    pub framing: &'static str,
    /// Other words that do not tell what a text is about, though they may tell two titles apart.
    pub untelling: &'static str,
    /// The words that blog software adds to texts.
    pub blog: BlogWords,
}

/// The words of one language that blog software puts under the text of an entry: `WordPress`, SPIP, Drupal.
///
/// Phrases of translations and older versions are included. An apostrophe stands for apostrophes of any kind.
#[derive(Debug)]
pub struct BlogWords {
    /// Words before the title of an entry, where it is said where the entry first stood. A blank follows.
    pub openings: &'static [&'static str],
    /// Words between that title and the blog's name, with the blanks around them.
    pub claims: &'static [&'static str],
    /// Links to the rest of a text, or to its comments, in small letters; the title may follow.
    pub more: &'static [&'static str],
    /// Beginnings of such links behind which anything may stand: "lire la suite sur le site de la mairie".
    pub more_of: &'static [&'static str],
    /// Words between such a link and the title.
    pub about: &'static [&'static str],
}

/// The languages whose blog software is known.
pub static BLOGS: [&BlogWords; 13] = [
    &FRENCH.blog,
    &ENGLISH.blog,
    &GERMAN,
    &SPANISH,
    &ITALIAN,
    &PORTUGUESE,
    &DUTCH,
    &CATALAN,
    &POLISH,
    &SWEDISH,
    &DANISH,
    &NORWEGIAN,
    &ROMANIAN,
];

/// The languages whose words are known.
pub static VOCABULARIES: [&Vocabulary; 2] = [&FRENCH, &ENGLISH];

impl Vocabulary {
    /// Returns the names of the months, folded, January first.
    #[must_use]
    pub fn folded_months(&self) -> [String; 12] {
        self.months.map(|month| fold(month).into_owned())
    }

    /// Returns all words that do not tell what a text is about, names of months and days among them, folded.
    pub fn empty_words(&self) -> impl Iterator<Item = String> {
        let lists = [self.grammar, self.framing, self.untelling].into_iter().flat_map(str::split_whitespace);
        lists.chain(self.months).chain(self.weekdays).map(|word| fold(word).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_word_stands_once_and_folded() {
        for vocabulary in VOCABULARIES {
            let mut seen = HashSet::new();
            for word in [vocabulary.grammar, vocabulary.framing, vocabulary.untelling].join(" ").split_whitespace() {
                assert_eq!(fold(word), word);
                assert!(seen.insert(word.to_owned()), "{word}");
            }
        }
    }

    #[test]
    fn empty_words_are_of_all_lists() {
        let words: HashSet<String> = VOCABULARIES.iter().flat_map(|vocabulary| vocabulary.empty_words()).collect();
        for word in ["le", "communique", "notamment", "fevrier", "jeudi", "the", "said", "march", "friday"] {
            assert!(words.contains(word), "{word}");
        }
    }
}
