//! Terms as editors write them.

use super::{Term, TermPart};
use crate::text::{Levelled, fold};

/// Why a term cannot be matched.
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

impl Term {
    /// Reads a term: `mot`, `=ENT`, `+feminine`, `cyber*`, or a phrase of such words.
    ///
    /// # Errors
    /// When nothing is left of it to look for.
    pub fn parse(written: &str) -> Result<Self, TermError> {
        let mut parts = Vec::new();
        for word in written.split_whitespace() {
            let before = parts.len();
            parts_of(word, &mut parts)?;
            if parts.len() == before {
                return Err(TermError::NoLetters { word: word.to_owned() });
            }
        }
        if parts.is_empty() { Err(TermError::Empty) } else { Ok(Self { written: written.to_owned(), parts }) }
    }
}

/// Writes a term as readers see it: without the marks `=` and `+`, and with an ellipsis for the rest of a prefix's word.
#[must_use]
pub fn shown(written: &str) -> String {
    let words = written.split_whitespace().map(|word| {
        let word = word.strip_prefix(['=', '+']).unwrap_or(word);
        word.strip_suffix('*').map_or_else(|| word.to_owned(), |stem| format!("{stem}…"))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// One written word can be several tokens (`l'école`, `cahier-de-textes`); a prefix mark belongs to the last.
fn parts_of(word: &str, parts: &mut Vec<TermPart>) -> Result<(), TermError> {
    let folded = |word: &str| fold(word).into_owned();
    if let Some(exact) = word.strip_prefix('=') {
        push_tokens(exact, parts, |word| TermPart::Exact(word.to_owned()));
    } else if let Some(plain) = word.strip_prefix('+') {
        push_tokens(plain, parts, |word| TermPart::Folded(folded(word)));
    } else {
        let before = parts.len();
        push_tokens(word, parts, |word| TermPart::Word(folded(word)));
        if let Some(stem) = word.strip_suffix('*') {
            let stem = Levelled::new(stem);
            let last = stem.tokens().last().map(|token| folded(token.word)).unwrap_or_default();
            if last.chars().count() < PREFIX_MIN {
                return Err(TermError::ShortPrefix { word: word.to_owned() });
            }
            parts.truncate(parts.len().saturating_sub(1).max(before));
            parts.push(TermPart::Prefix(last));
        }
    }
    Ok(())
}

fn push_tokens(word: &str, parts: &mut Vec<TermPart>, part: impl Fn(&str) -> TermPart) {
    parts.extend(Levelled::new(word).tokens().into_iter().map(|token| part(token.word)));
}

#[cfg(test)]
mod tests {
    #[test]
    fn readers_see_no_marks() {
        let seen = ["=TraAM", "+feminine", "cyber*", "plan  =ENT", "école numérique", "2+2"].map(super::shown);
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
