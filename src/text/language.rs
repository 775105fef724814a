//! A guess at the language by function words: enough to keep English entries out of French topics.

/// Characters that are looked at.
const LOOKED_AT: usize = 1_200;

const FRENCH: [&str; 23] = [
    "le", "la", "les", "des", "une", "est", "dans", "pour", "avec", "qui", "sur", "du", "au", "aux", "par", "ne",
    "pas", "et", "que", "se", "ce", "un", "en",
];
const ENGLISH: [&str; 19] = [
    "the", "and", "of", "is", "for", "with", "that", "you", "to", "in", "on", "are", "this", "from", "by", "an", "it",
    "be", "as",
];

/// The longest function word, in bytes.
const WORD_MAX: usize = 4;

/// What a text seems to be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Tongue {
    /// French function words prevail.
    #[serde(rename = "fr")]
    French,
    /// English function words prevail clearly.
    #[serde(rename = "en")]
    English,
    /// Neither.
    #[serde(rename = "und")]
    Unknown,
}

impl Tongue {
    /// Whether a text in this language may be in a topic of `language`, a primary BCP 47 subtag.
    ///
    /// Only a clear other language is kept out.
    #[must_use]
    pub fn allows(self, language: &str) -> bool {
        match self {
            Self::French => language == "fr",
            Self::English => language == "en",
            Self::Unknown => true,
        }
    }
}

/// Guesses the language of a text from its first 1,200 characters.
#[must_use]
pub fn tongue(text: &str) -> Tongue {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(index, _)| index);
    let words = text.get(..end).unwrap_or(text).split(|c: char| !is_letter(c)).filter(|word| !word.is_empty());
    let (mut french, mut english) = (0, 0);
    for word in words.filter(|word| word.len() <= WORD_MAX) {
        french += usize::from(FRENCH.iter().any(|known| known.eq_ignore_ascii_case(word)));
        english += usize::from(ENGLISH.iter().any(|known| known.eq_ignore_ascii_case(word)));
    }
    if french > english {
        Tongue::French
    } else if english > french + 1 {
        Tongue::English
    } else {
        Tongue::Unknown
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || ('À'..='ÿ').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_words_decide() {
        assert_eq!(tongue("Le ministre est en visite dans une école"), Tongue::French);
        assert_eq!(tongue("The minister is on a visit to the school"), Tongue::English);
        assert_eq!(tongue("Big data, open data"), Tongue::Unknown);
    }
}
