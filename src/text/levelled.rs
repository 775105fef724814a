//! Text in the one spelling that tokens are cut from.

use unicode_normalization::UnicodeNormalization;

use super::inclusive::without_endings;
use super::tokens::{Token, each_token};

/// A text without what typesetters and writers vary: accents composed, apostrophes, hyphens and blanks of one kind, no
/// soft hyphens, no inclusive endings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levelled(String);

impl Levelled {
    /// Levels a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let levelled =
            level_composed(text).unwrap_or_else(|| text.chars().flat_map(full_width).nfc().filter_map(level).collect());
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
        let mut tokens = Vec::with_capacity(self.0.len() / 5);
        self.each_token(|token| tokens.push(token));
        tokens
    }

    /// Calls with each of its tokens, in order.
    pub(super) fn each_token<'a>(&'a self, call: impl FnMut(Token<'a>)) {
        each_token(&self.0, call);
    }
}

/// Levels a text that is in NFC for certain; `None` if it may not be.
fn level_composed(text: &str) -> Option<String> {
    let mut levelled = String::with_capacity(text.len());
    let (mut copied, mut at) = (0, 0);
    while let Some(next) = text.as_bytes().get(at..)?.iter().position(|byte| !byte.is_ascii() || *byte == b'`') {
        at += next;
        let c = text.get(at..)?.chars().next().filter(|c| is_composed(*c))?;
        let after = at + c.len_utf8();
        if level(c) != Some(c) {
            levelled.push_str(text.get(copied..at)?);
            levelled.extend(level(c));
            copied = after;
        }
        at = after;
    }
    levelled.push_str(text.get(copied..)?);
    Some(levelled)
}

/// Apostrophes, hyphens and blanks as one kind each; nothing for what shows nothing: soft hyphens, joiners, marks of
/// direction and of variants (UAX #29, rule WB4), the stroke that stretches Arabic words, rings around a character.
fn level(c: char) -> Option<char> {
    match c {
        ..'\u{80}' if c != '`' => Some(c),
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{640}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200c}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{20dd}'..='\u{20e4}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e01ef}' => None,
        '`' | '´' | '‘' | '’' | '‛' | '′' | 'ʹ' | 'ʻ' | 'ʼ' | 'ʽ' | 'ˈ' | 'ˊ' | 'ˋ' | '＇' => {
            Some('\'')
        }
        '\u{a0}' | '\u{202f}' => Some(' '),
        '\u{2010}'..='\u{2013}' | '\u{2212}' | '\u{5be}' | '\u{fe63}' | '－' => Some('-'),
        other => Some(other),
    }
}

/// Letters, figures and Kana of half or full width in their usual width.
fn full_width(c: char) -> impl Iterator<Item = char> {
    let is_form = matches!(c, '\u{ff01}'..='\u{ffdc}');
    // One of the two is empty.
    let usual = is_form.then_some(c).into_iter().nfkd();
    usual.chain(Some(c).filter(|_| !is_form))
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
