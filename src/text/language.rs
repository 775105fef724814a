//! A guess at the language of a text, which keeps entries in other languages out of French topics and says how words
//! are folded. The home of `whatlang`.

use std::sync::LazyLock;

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

/// Function words that no neighbour of French has, and so many are proof.
const ONLY_FRENCH: [&str; 8] = ["dans", "est", "et", "une", "aux", "avec", "du", "pour"];
const ONLY_FRENCH_MIN: usize = 2;

/// Function words that no neighbour of English has.
const ONLY_ENGLISH: [&str; 4] = ["the", "and", "with", "this"];

/// Characters that trigrams are taken from, where function words prove nothing: a thousandth of a second's work.
const TRIGRAMS_OF: usize = 300;

/// What a text seems to be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// French function words prevail.
    French,
    /// English function words prevail clearly.
    English,
    /// Clearly neither: its BCP 47 subtag, of two letters or three.
    Other(&'static str),
    /// Too little or too mixed to tell.
    Unknown,
}

impl Tongue {
    /// Its BCP 47 subtag; `und` if unknown.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
            Self::Other(code) => code,
            Self::Unknown => "und",
        }
    }

    /// Whether a text in this language may be in a topic of `language`, a primary BCP 47 subtag.
    ///
    /// Only a clear other language is kept out.
    #[must_use]
    pub fn allows(self, language: &str) -> bool {
        self == Self::Unknown || self.code() == language
    }
}

impl serde::Serialize for Tongue {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

/// How many function words of each list are there.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    french: usize,
    english: usize,
    only_french: usize,
    only_english: usize,
}

/// Every function word as a number, sorted, with the lists that it is in.
static FUNCTION_WORDS: LazyLock<Vec<(u32, Tally)>> = LazyLock::new(|| {
    let counted = |word: &&str| Tally {
        french: FRENCH.contains(word).into(),
        english: ENGLISH.contains(word).into(),
        only_french: ONLY_FRENCH.contains(word).into(),
        only_english: ONLY_ENGLISH.contains(word).into(),
    };
    let words = FRENCH.iter().chain(&ENGLISH).chain(&ONLY_FRENCH).chain(&ONLY_ENGLISH);
    let mut numbered: Vec<(u32, Tally)> = words.map(|word| (number(word.bytes()), counted(word))).collect();
    numbered.sort_unstable_by_key(|(number, _)| *number);
    numbered.dedup_by_key(|(number, _)| *number);
    numbered
});

/// A word of [`WORD_MAX`] letters of ASCII at most, as a number.
fn number(letters: impl Iterator<Item = u8>) -> u32 {
    letters.fold(0, |number, letter| number << 8 | u32::from(letter.to_ascii_lowercase()))
}

/// Counts the function words of a text.
fn count(text: &str) -> Tally {
    let known = FUNCTION_WORDS.as_slice();
    let mut tally = Tally::default();
    let mut note = |word: &[u8]| {
        if (1..=WORD_MAX).contains(&word.len())
            && let Ok(place) = known.binary_search_by_key(&number(word.iter().copied()), |(number, _)| *number)
            && let Some((_, one)) = known.get(place)
        {
            tally.french += one.french;
            tally.english += one.english;
            tally.only_french += one.only_french;
            tally.only_english += one.only_english;
        }
    };
    // Byte by byte: the letters from `À` to `ÿ` are those that begin with C3, and none is in a function word.
    let mut start = 0;
    let mut is_accent = false;
    for (at, byte) in text.bytes().enumerate() {
        if byte == 0xC3 || std::mem::take(&mut is_accent) {
            is_accent = byte == 0xC3;
        } else if !byte.is_ascii_alphabetic() {
            note(text.as_bytes().get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    note(text.as_bytes().get(start..).unwrap_or_default());
    tally
}

/// Guesses the language of a text from its first 1,200 characters: by function words, and by trigrams where those do
/// not prove French or English.
#[must_use]
pub fn tongue(text: &str) -> Tongue {
    let Tally { french, english, only_french, only_english } = count(beginning(text, LOOKED_AT));
    let (is_french, is_english) = (french > english, english > french + 1);
    if is_french && only_french >= ONLY_FRENCH_MIN {
        return Tongue::French;
    }
    if is_english && only_english > 0 {
        return Tongue::English;
    }
    match by_trigrams(text) {
        Some(other @ Tongue::Other(_)) => other,
        _ if is_french => Tongue::French,
        _ if is_english => Tongue::English,
        found => found.unwrap_or(Tongue::Unknown),
    }
}

/// `None` if trigrams are not sure either.
fn by_trigrams(text: &str) -> Option<Tongue> {
    let found = whatlang::detect(beginning(text, TRIGRAMS_OF)).filter(whatlang::Info::is_reliable)?;
    Some(match found.lang() {
        whatlang::Lang::Fra => Tongue::French,
        whatlang::Lang::Eng => Tongue::English,
        whatlang::Lang::Deu => Tongue::Other("de"),
        whatlang::Lang::Spa => Tongue::Other("es"),
        whatlang::Lang::Ita => Tongue::Other("it"),
        whatlang::Lang::Por => Tongue::Other("pt"),
        whatlang::Lang::Nld => Tongue::Other("nl"),
        whatlang::Lang::Cat => Tongue::Other("ca"),
        whatlang::Lang::Pol => Tongue::Other("pl"),
        whatlang::Lang::Ron => Tongue::Other("ro"),
        whatlang::Lang::Swe => Tongue::Other("sv"),
        whatlang::Lang::Dan => Tongue::Other("da"),
        whatlang::Lang::Fin => Tongue::Other("fi"),
        whatlang::Lang::Ell => Tongue::Other("el"),
        whatlang::Lang::Rus => Tongue::Other("ru"),
        whatlang::Lang::Ukr => Tongue::Other("uk"),
        whatlang::Lang::Ara => Tongue::Other("ar"),
        whatlang::Lang::Cmn => Tongue::Other("zh"),
        whatlang::Lang::Jpn => Tongue::Other("ja"),
        // ISO 639-3, as BCP 47 has it for languages without two letters; few editors set any of those with two.
        other => Tongue::Other(other.code()),
    })
}

fn beginning(text: &str, characters: usize) -> &str {
    let end = text.char_indices().nth(characters).map_or(text.len(), |(index, _)| index);
    text.get(..end).unwrap_or(text)
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

    #[test]
    fn trigrams_decide_where_function_words_prove_nothing() {
        let spanish = "La escuela digital que el ministerio presenta en un acto con la comunidad educativa se extiende";
        assert_eq!(tongue(spanish), Tongue::Other("es"));
        let german = "Die Schulen des Landes erhalten im Herbst neue Tafeln, wie das Ministerium in der Stadt mitteilt";
        assert_eq!(tongue(german), Tongue::Other("de"));
    }

    #[test]
    fn accents_and_apostrophes_part_words_as_letters_do() {
        let tally = |text| {
            let Tally { french, english, .. } = count(text);
            (french, english)
        };
        assert_eq!(tally("L’une et l'UN à été dés «le»the"), (4, 1));
        assert_eq!(tally("aÀet lesé éles un_en"), (2, 0));
    }

    #[test]
    fn only_a_clear_other_language_is_kept_out() {
        assert!(Tongue::Unknown.allows("fr") && Tongue::French.allows("fr") && Tongue::Other("de").allows("de"));
        assert!(!Tongue::English.allows("fr") && !Tongue::Other("es").allows("fr"));
    }
}
