//! A guess at the language of a text, which keeps entries in other languages out of a topic and says how words are
//! folded. The home of `whatlang`.
//!
//! An entry that is kept out wrongly is lost to the reader, so a guess counts only where the text is clear: by its script,
//! by function words that agree, by trigrams where the text is long. All else is [`Tongue::Unknown`].

mod function_words;
mod languages;

use std::collections::HashSet;

use whatlang::Script;

use function_words::{ENGLISH, FRENCH, Tally};
use languages::{canonical, languages_of, near};

/// Characters that are looked at.
const LOOKED_AT: usize = 1_200;

/// Characters that trigrams are taken from, where function words prove nothing: a thousandth of a second's work.
const TRIGRAMS_OF: usize = 300;

/// Bytes of a text from which trigrams are believed. They assign every third title to a wrong language.
const TRIGRAMS_FROM: usize = 90;

/// Letters from which a text has different ones, and how many.
const LETTERS_FROM: usize = 100;
const LETTERS_MIN: usize = 8;

/// The language that a text seems to be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// Clearly French.
    French,
    /// Clearly English.
    English,
    /// Clearly neither: its BCP 47 subtag, of two letters or three.
    Other(&'static str),
    /// Clearly one of the languages that are written in this script: `und-` and its ISO 15924 code.
    Script(&'static str),
    /// Too little or too mixed to tell.
    Unknown,
}

impl Tongue {
    /// Its BCP 47 tag; `und` if unknown.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
            Self::Other(code) | Self::Script(code) => code,
            Self::Unknown => "und",
        }
    }

    /// Whether a text in this language may be in a topic of `language`, a primary BCP 47 subtag.
    ///
    /// Only a clear other language is kept out. Languages that are hard to tell from each other let each other in; one that
    /// no guess ever names (Breton, Basque, Occitan) lets in all but French and English, for which it was not taken.
    #[must_use]
    pub fn allows(self, language: &str) -> bool {
        let wanted = canonical(language);
        match self {
            Self::Unknown => true,
            Self::French | Self::English => wanted == Some(self.code()),
            Self::Other(code) => wanted.is_none_or(|wanted| wanted == code || near(wanted, code)),
            Self::Script(script) => wanted.is_none_or(|wanted| languages_of(script).any(|code| code == wanted)),
        }
    }

    fn of(code: &'static str) -> Self {
        match code {
            "fr" => Self::French,
            "en" => Self::English,
            other => Self::Other(other),
        }
    }
}

impl serde::Serialize for Tongue {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

/// Guesses the language of a text from its first 1,200 characters; `declared` is the BCP 47 tag that its publisher gives.
///
/// The declared language is believed only where the text agrees: too many publishers declare their software's default.
#[must_use]
pub fn tongue(text: &str, declared: Option<&str>) -> Tongue {
    let looked_at = beginning(text, LOOKED_AT);
    if looked_at.bytes().any(is_beyond_latin)
        && let Some(script) = whatlang::detect_script(looked_at).filter(|script| *script != Script::Latin)
    {
        return if is_varied(looked_at) { by_script(looked_at, script) } else { Tongue::Unknown };
    }
    let tally = Tally::of(looked_at);
    let clear = || tally.clear().map(Tongue::of);
    let agreed = || tally.agrees_with(canonical(declared?)?).then_some(canonical(declared?)?).map(Tongue::of);
    clear().or_else(|| by_trigrams(looked_at, &tally)).or_else(agreed).unwrap_or(Tongue::Unknown)
}

/// Whether a character that begins with this byte may be a letter of another script: not Latin, and no punctuation.
fn is_beyond_latin(byte: u8) -> bool {
    byte >= 0xCD && byte != 0xE2
}

/// Whether function words of French prevail over those of English, `None` if neither do: a guess that is wrong at times,
/// for those whom that does not hurt.
#[must_use]
pub fn leans_to_french(text: &str) -> Option<bool> {
    let tally = Tally::of(beginning(text, LOOKED_AT));
    let (french, english) = (tally.count(FRENCH), tally.count(ENGLISH));
    match (french > english, english > french + 1) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        (false, false) => None,
    }
}

/// Whether a text has as many different letters as a language has: not one letter again and again, which is how bytes in
/// a wrong encoding look.
fn is_varied(text: &str) -> bool {
    let letters = || text.chars().filter(|c| c.is_alphabetic() && !c.is_ascii());
    letters().nth(LETTERS_FROM).is_none() || letters().collect::<HashSet<char>>().len() >= LETTERS_MIN
}

/// A script that one language alone is written in names it; of the others trigrams choose where the text is long.
fn by_script(text: &str, script: Script) -> Tongue {
    let script = languages::code_of(script);
    let mut written = languages_of(script);
    if let (Some(only), None) = (written.next(), written.next()) {
        return Tongue::of(only);
    }
    let trigrams = if text.len() < TRIGRAMS_FROM * 2 { None } else { detected(text) };
    trigrams.filter(|code| languages_of(script).any(|known| known == *code)).map_or(Tongue::Script(script), Tongue::of)
}

/// `None` if trigrams are not sure either, or function words speak for another language.
fn by_trigrams(text: &str, tally: &Tally) -> Option<Tongue> {
    if text.len() < TRIGRAMS_FROM {
        return None;
    }
    detected(text).filter(|code| tally.may_be(code)).map(Tongue::of)
}

fn detected(text: &str) -> Option<&'static str> {
    let found = whatlang::detect(beginning(text, TRIGRAMS_OF)).filter(whatlang::Info::is_reliable)?;
    canonical(found.lang().code())
}

fn beginning(text: &str, characters: usize) -> &str {
    // A character has four bytes at most.
    if text.len() <= characters {
        return text;
    }
    let end = text.char_indices().nth(characters).map_or(text.len(), |(index, _)| index);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests;
