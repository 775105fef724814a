//! Terms as editors write them.

use super::{Term, TermPart};
use crate::text::{Levelled, Token, fold, is_running};

/// The reason why a term cannot be matched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    /// Nothing or only blanks.
    #[error("the term is empty")]
    Empty,
    /// Only punctuation.
    #[error("nothing of `{word}` is left to look for: it has no letter and no digit")]
    NoLetters {
        /// The word as written.
        word: String,
    },
    /// `*` alone, or a prefix so short that nearly every word has it.
    #[error("the prefix `{word}` is too short: it needs 3 letters before the `*`")]
    ShortPrefix {
        /// The word as written.
        word: String,
    },
}

/// Letters that a prefix needs.
const PREFIX_MIN: usize = 3;

/// Spellings of a term besides its own.
const SPELLINGS_MAX: usize = 16;

impl Term {
    /// Reads a term: `mot`, `=ENT`, `+feminine`, `cyber*`, or a phrase of such words.
    ///
    /// # Errors
    /// When nothing is left of it to look for.
    pub fn parse(written: &str) -> Result<Self, TermError> {
        let mut spellings = vec![Vec::new()];
        for word in written.split_whitespace() {
            let mut ways = parts_of(word)?;
            // All ways of all words, the first way first.
            spellings.truncate((SPELLINGS_MAX / ways.len()).max(1));
            ways.truncate(SPELLINGS_MAX);
            let longer = |way: &Vec<TermPart>| -> Vec<Vec<TermPart>> {
                spellings.iter().map(|spelling| [spelling.as_slice(), way.as_slice()].concat()).collect()
            };
            spellings = ways.iter().flat_map(longer).collect();
        }
        let parts = spellings.remove(0);
        match (parts.is_empty(), written.trim()) {
            (true, "") => Err(TermError::Empty),
            (true, word) => Err(TermError::NoLetters { word: word.to_owned() }),
            (false, _) => Ok(Self { written: written.to_owned(), parts, joined: spellings }),
        }
    }
}

/// Writes a term as readers see it: without the marks `=` and `+`, and with an ellipsis for the rest of a prefix's word.
#[must_use]
pub fn shown_term(written: &str) -> String {
    let words = written.split_whitespace().map(|word| {
        let word = word.strip_prefix(['=', '+']).unwrap_or(word);
        word.strip_suffix('*').map_or_else(|| word.to_owned(), |stem| format!("{stem}…"))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The ways to write a word, its own first. It can be several tokens (`l'école`, `cahier-de-textes`); a prefix mark
/// belongs to the last.
fn parts_of(word: &str) -> Result<Vec<Vec<TermPart>>, TermError> {
    let folded = |word: &str| fold(word).into_owned();
    let (bare, part): (&str, fn(&str) -> TermPart) = if let Some(exact) = word.strip_prefix('=') {
        (exact, |word| TermPart::Exact(word.to_owned()))
    } else if let Some(plain) = word.strip_prefix('+') {
        (plain, |word| TermPart::Folded(fold(word).into_owned()))
    } else {
        (word, |word| TermPart::Word(fold(word).into_owned()))
    };
    let text = Levelled::new(bare);
    let mut ways = spellings(&text.tokens());
    let mut parts: Vec<Vec<TermPart>> = ways.iter().map(|way| way.iter().map(|word| part(word)).collect()).collect();
    let is_prefix = bare.ends_with('*') && !word.starts_with('=');
    // A character of a running script is a whole token: what begins with it is what holds it.
    let last = text.tokens().last().map(|token| token.word.to_owned());
    if is_prefix && !last.as_deref().is_some_and(|last| last.contains(is_running)) {
        for (way, parts) in ways.iter_mut().zip(&mut parts) {
            let last = way.pop().map(|last| folded(&last)).unwrap_or_default();
            if last.chars().count() < PREFIX_MIN {
                return Err(TermError::ShortPrefix { word: word.to_owned() });
            }
            parts.pop();
            parts.push(TermPart::Prefix(last));
        }
    }
    // Only what is elided may be nothing: `l' école` is `école`.
    if parts.first().is_none_or(Vec::is_empty) && !text.as_str().contains(char::is_alphanumeric) {
        return Err(TermError::NoLetters { word: word.to_owned() });
    }
    Ok(parts)
}

/// The ways to write a word of these tokens: parted as they are, then with neighbours of a compound joined.
fn spellings(tokens: &[Token<'_>]) -> Vec<Vec<String>> {
    let mut ways: Vec<Vec<String>> = vec![Vec::new()];
    for (place, token) in tokens.iter().enumerate() {
        let follows =
            place.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.followers > 0);
        let joined: Vec<Vec<String>> = if follows && ways.len() < SPELLINGS_MAX {
            let join = |way: &Vec<String>| {
                let mut way = way.clone();
                if let Some(last) = way.last_mut() {
                    last.push_str(token.word);
                }
                way
            };
            ways.iter().map(join).collect()
        } else {
            Vec::new()
        };
        for way in &mut ways {
            way.push(token.word.to_owned());
        }
        ways.extend(joined);
    }
    ways
}

#[cfg(test)]
mod tests {
    #[test]
    fn readers_see_no_marks() {
        let seen = ["=TraAM", "+feminine", "cyber*", "plan  =ENT", "école numérique", "2+2"].map(super::shown_term);
        assert_eq!(seen, ["TraAM", "feminine", "cyber…", "plan ENT", "école numérique", "2+2"]);
    }

    use super::*;

    fn check(written: &str, expected: &[TermPart]) {
        assert_eq!(Term::parse(written).unwrap().parts, expected, "{written}");
    }

    #[test]
    fn a_word_is_folded_unless_it_says_otherwise() {
        check("Numériques", &[TermPart::Word("numeriques".into())]);
        check("=ENT", &[TermPart::Exact("ENT".into())]);
        check("+Féminine", &[TermPart::Folded("feminine".into())]);
        check("cyber*", &[TermPart::Prefix("cyber".into())]);
    }

    #[test]
    fn elisions_and_hyphens_make_a_phrase() {
        let words = |words: &[&str]| words.iter().map(|word| TermPart::Word((*word).into())).collect::<Vec<_>>();
        check("l’école numérique", &words(&["ecole", "numerique"]));
        check("cahier-de-textes", &words(&["cahier", "de", "textes"]));
    }

    #[test]
    fn compounds_are_sought_joined_too() {
        let joined = |written: &str| {
            let word = |part: &TermPart| match part {
                TermPart::Word(word) | TermPart::Exact(word) | TermPart::Folded(word) => word.clone(),
                TermPart::Prefix(word) => format!("{word}*"),
            };
            let ways = Term::parse(written).unwrap().joined.into_iter();
            ways.map(|parts| parts.iter().map(word).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(joined("l'école numérique"), [""; 0]);
        assert_eq!(
            joined("porte-à-porte gratuit"),
            ["portea porte gratuit", "porte aporte gratuit", "porteaporte gratuit"]
        );
        assert_eq!(joined("=NIS-2"), ["NIS2"]);
        assert_eq!(joined("cyber-harcel*"), ["cyberharcel*"]);
        assert!(joined(&"a-b-c-d-e-f-g ".repeat(9)).len() < SPELLINGS_MAX);
    }

    #[test]
    fn elisions_may_stand_apart() {
        check("l' école", &[TermPart::Word("ecole".into())]);
        assert_eq!(Term::parse("l'"), Err(TermError::NoLetters { word: "l'".into() }));
    }

    #[test]
    fn words_of_running_scripts_are_phrases_also_with_a_mark() {
        check("教育*", &[TermPart::Word("教".into()), TermPart::Word("育".into())]);
    }

    #[test]
    fn marks_hold_for_every_part_of_a_word() {
        check("=l’Éduc-Nat", &[TermPart::Exact("Éduc".into()), TermPart::Exact("Nat".into())]);
        check("+l’Apprenante", &[TermPart::Folded("apprenante".into())]);
        check("l’e-mail*", &[TermPart::Word("e".into()), TermPart::Prefix("mail".into())]);
    }

    #[test]
    fn a_term_without_letters_is_refused() {
        assert_eq!(Term::parse("  "), Err(TermError::Empty));
        assert_eq!(Term::parse("école …"), Err(TermError::NoLetters { word: "…".into() }));
        assert_eq!(Term::parse("="), Err(TermError::NoLetters { word: "=".into() }));
        assert_eq!(Term::parse("c*"), Err(TermError::ShortPrefix { word: "c*".into() }));
    }
}
