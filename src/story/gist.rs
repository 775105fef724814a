//! Gists of stories: all that choosing related news needs. For the words used here see `dedup/related/mod.rs`.

use crate::feed::Timestamp;

/// The head of a story with its telling words.
#[derive(Debug, Clone, PartialEq)]
pub struct Gist {
    /// Its number in the store.
    pub number: i64,
    /// The source of the head.
    pub source_id: String,
    /// The date of its head.
    pub date: Timestamp,
    /// The title of its head.
    pub title: Option<String>,
    /// Whether the head has a page to link to.
    pub has_page: bool,
    /// The telling words of the head; `None` if they were not looked for yet.
    pub telling_words: Option<TellingWords>,
}

/// Stories before a story among which its related news is chosen: older news is history.
pub const WINDOW: usize = 500;

/// A place among the stories of a topic, the earliest first: the date of the head, and its number.
pub type Order = (Timestamp, i64);

impl Gist {
    /// Its place among a topic's stories.
    #[must_use]
    pub fn order(&self) -> Order {
        (self.date, self.number)
    }
}

/// The telling words of an entry, each at most once, sorted by hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TellingWords(Vec<TellingWord>);

impl TellingWords {
    /// Most telling words of an entry.
    pub const MAX: usize = 48;

    /// Sorts words. Of equal words the first stays; words beyond [`TellingWords::MAX`] are dropped.
    #[must_use]
    pub fn new(telling_words: impl IntoIterator<Item = TellingWord>) -> Self {
        let mut telling_words: Vec<TellingWord> = telling_words.into_iter().take(Self::MAX).collect();
        telling_words.sort_by_key(|word| word.hash());
        telling_words.dedup_by_key(|word| word.hash());
        Self(telling_words)
    }

    /// The words, sorted by hash.
    pub fn iter(&self) -> impl Iterator<Item = TellingWord> {
        self.0.iter().copied()
    }

    /// The word at a place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<TellingWord> {
        self.0.get(place).copied()
    }

    /// As bytes for a store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.0.to_le_bytes()).collect()
    }

    /// Reads bytes of [`TellingWords::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let telling_words =
            bytes.chunks_exact(4).filter_map(|bytes| Some(TellingWord(u32::from_le_bytes(bytes.try_into().ok()?))));
        Self::new(telling_words)
    }
}

/// A word by its hash, with its place and whether it looks like a name; four bytes, since a topic's stories hold many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TellingWord(u32);

/// The place of a word in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// In its title.
    Title,
    /// In the publisher's tags.
    Tag,
    /// In its text only.
    Text,
}

impl TellingWord {
    /// Packs a word. Of its hash the highest 29 bits are kept.
    #[must_use]
    pub fn new(word: u64, spot: Spot, is_name: bool) -> Self {
        let spot = match spot {
            Spot::Title => 0,
            Spot::Tag => 1,
            Spot::Text => 2,
        };
        Self(u32::try_from(word >> 35).unwrap_or_default() << 3 | u32::from(is_name) << 2 | spot)
    }

    /// Those bits of its hash.
    #[must_use]
    pub fn hash(self) -> u32 {
        self.0 >> 3
    }

    /// Its place.
    #[must_use]
    pub fn spot(self) -> Spot {
        match self.0 & 3 {
            0 => Spot::Title,
            1 => Spot::Tag,
            _ => Spot::Text,
        }
    }

    /// Whether it is written like a name: `Parcoursup`, `CNIL`, `5G`.
    #[must_use]
    pub fn is_name(self) -> bool {
        self.0 & 4 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn telling_words(words: &[u64]) -> TellingWords {
        TellingWords::new(words.iter().map(|word| TellingWord::new(word << 40, Spot::Text, false)))
    }

    #[test]
    fn a_term_says_what_it_was_made_of() {
        for spot in [Spot::Title, Spot::Tag, Spot::Text] {
            let word = TellingWord::new(u64::MAX, spot, true);
            assert_eq!((word.hash(), word.spot(), word.is_name()), (u32::MAX >> 3, spot, true));
        }
    }

    #[test]
    fn terms_come_back_from_their_bytes() {
        let telling_words = telling_words(&[5, 3, 9]);
        assert_eq!(TellingWords::from_bytes(&telling_words.to_bytes()), telling_words);
        assert_eq!(TellingWords::from_bytes(b"odd"), TellingWords::default());
    }

    #[test]
    fn of_a_word_said_twice_the_first_place_counts() {
        let told = TellingWords::new([
            TellingWord::new(1 << 40, Spot::Title, false),
            TellingWord::new(1 << 40, Spot::Text, true),
        ]);
        assert_eq!(told.iter().map(TellingWord::spot).collect::<Vec<_>>(), [Spot::Title]);
    }
}
