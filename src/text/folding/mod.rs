//! The rules, by language, by which two folded words are the same word.
//!
//! A language is a file here and a line in each function of [`Folding`].

mod english;
mod french;

use std::borrow::Cow;

/// The rules that fold the words of a language to their root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Folding {
    /// Plural and feminine.
    #[default]
    French,
    /// Plural.
    English,
    /// Nothing: for languages that we know nothing about.
    Plain,
}

impl Folding {
    /// Every folding.
    pub const ALL: [Self; 3] = [Self::French, Self::English, Self::Plain];

    /// A letter for it, that never changes.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::French => 'f',
            Self::English => 'e',
            Self::Plain => 'p',
        }
    }

    /// The folding of a language, given by its BCP 47 tag.
    #[must_use]
    pub fn of(language: &str) -> Self {
        match language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "fr" | "fra" | "fre" => Self::French,
            "en" | "eng" => Self::English,
            _ => Self::Plain,
        }
    }

    /// The root of a word that [`fold`](super::fold) has folded.
    #[must_use]
    pub fn root(self, folded: &str) -> Cow<'_, str> {
        match self {
            Self::French => french::root(folded),
            Self::English => english::root(folded),
            Self::Plain => Cow::Borrowed(folded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_with_region_is_its_language() {
        assert_eq!(Folding::of("fr-FR"), Folding::French);
        assert_eq!(Folding::of("en_US"), Folding::English);
        assert_eq!(Folding::of("de"), Folding::Plain);
    }

    #[test]
    fn a_language_that_we_know_nothing_about_keeps_its_endings() {
        assert_eq!(Folding::Plain.root("schulen"), "schulen");
        assert_eq!(Folding::Plain.root("escuelas"), "escuelas");
    }
}
