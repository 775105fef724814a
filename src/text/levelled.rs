//! Text in the one spelling that tokens are cut from.

use unicode_normalization::UnicodeNormalization;

use super::inclusive::without_endings;
use super::tokens::{Token, split};

/// A text without what typesetters and writers vary: accents composed, apostrophes, hyphens and blanks of one kind, no
/// soft hyphens, no inclusive endings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levelled(String);

impl Levelled {
    /// Levels a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut levelled = String::with_capacity(text.len());
        if text.chars().all(is_composed) {
            levelled.extend(text.chars().filter_map(level));
        } else {
            levelled.extend(text.nfc().filter_map(level));
        }
        Self(without_endings(levelled))
    }

    /// The levelled text, which [`Token::start`] refers to.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Splits it into tokens, in order.
    #[must_use]
    pub fn tokens(&self) -> Vec<Token<'_>> {
        split(&self.0)
    }
}

fn level(c: char) -> Option<char> {
    match c {
        '\u{ad}' => None,
        '’' | 'ʼ' => Some('\''),
        '\u{a0}' | '\u{202f}' => Some(' '),
        '\u{2010}' | '\u{2011}' => Some('-'),
        other => Some(other),
    }
}

/// Whether NFC leaves a text of such characters alone: Latin and the dashes, quotes and blanks of General Punctuation.
///
/// Looking each character up in the tables of NFC took half the time of cutting a text into tokens.
fn is_composed(c: char) -> bool {
    matches!(c, ..'\u{300}' | '\u{2002}'..'\u{2070}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_typesetters_vary_is_of_one_kind() {
        assert_eq!(
            Levelled::new("l’e\u{301}cole\u{a0}: numé\u{ad}rique, peut\u{2011}être").as_str(),
            "l'école : numérique, peut-être"
        );
    }

    #[test]
    fn the_short_way_and_nfc_agree() {
        for c in (0..0x3000).filter_map(char::from_u32).filter(|c| is_composed(*c)) {
            assert!(std::iter::once(c).nfc().eq([c]), "{c:?}");
        }
    }
}
