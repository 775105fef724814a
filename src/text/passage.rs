//! A text with its words, which are cut out and folded once for all that is made of them.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use xxhash_rust::xxh3::xxh3_64;

use super::Levelled;
use super::fold::fold_into;

/// A text, or a part of one, that a person reads.
///
/// Its words are cut out when somebody first asks for them. Copies and parts share them.
#[derive(Debug, Clone, Default)]
pub struct Passage {
    whole: Arc<Whole>,
    /// The part, in bytes of the whole text. It begins and ends beside a blank of the whole, or where the whole does.
    part: Range<usize>,
}

/// One position of a text: a [`Token`](super::Token) that was folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// As written, without elision; case and accents kept.
    pub written: &'a str,
    /// As [`fold`](super::fold) folds it.
    pub folded: &'a str,
    /// The XXH3 hash of `folded`.
    pub hash: u64,
    /// On the first part of a hyphenated word, the parts joined: `e-mail` is also `email`.
    pub joined: Option<&'a str>,
    /// The number of parts of the same compound that follow: 1 on the `e` of `e-mail`.
    pub followers: usize,
    /// The levelled text before it.
    pub before: &'a str,
}

#[derive(Debug, Default)]
struct Whole {
    text: String,
    words: OnceLock<WordList>,
}

#[derive(Debug)]
struct WordList {
    levelled: Levelled,
    /// The folded words in a row.
    folded: String,
    places: Vec<Position>,
    /// By index of the word.
    joined: Vec<(usize, String)>,
}

/// The place of a word.
#[derive(Debug)]
struct Position {
    levelled: Range<usize>,
    folded: Range<usize>,
    hash: u64,
    /// As in [`Word`].
    followers: usize,
    /// The number of blanks before it. The text and the levelled text have the same blanks, so that this finds a place
    /// of the one in the other.
    blanks: usize,
}

impl Passage {
    /// A whole text.
    #[must_use]
    pub fn new(text: String) -> Self {
        let part = 0..text.len();
        Self { whole: Arc::new(Whole { text, words: OnceLock::new() }), part }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.whole.text.get(self.part.clone()).unwrap_or_default()
    }

    /// A part of it, in bytes; nothing if that cuts a character.
    ///
    /// The words are shared if the part begins and ends beside blanks: there no word is cut.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        let text = self.as_str();
        let (Some(before), Some(part), Some(after)) =
            (text.get(..range.start), text.get(range.clone()), text.get(range.end..))
        else {
            return Self::default();
        };
        let is_apart = |before: &str, after: &str| {
            before.is_empty() || after.is_empty() || before.ends_with(' ') || after.starts_with(' ')
        };
        let is_shared = is_apart(before, part)
            && is_apart(part, after)
            && !LEVELLED_BLANKS.iter().any(|blank| text.contains(*blank));
        if is_shared {
            let shifted = self.part.start + range.start..self.part.start + range.end;
            Self { whole: Arc::clone(&self.whole), part: shifted }
        } else {
            Self::new(part.to_owned())
        }
    }

    /// Its words, in order.
    #[must_use]
    pub fn words(&self) -> impl ExactSizeIterator<Item = Word<'_>> + Clone {
        let words = self.whole.words.get_or_init(|| WordList::new(&self.whole.text));
        let (range, start) = self.find_in(words);
        let first = range.start;
        let places = words.places.get(range).unwrap_or_default();
        places.iter().enumerate().map(move |(index, place)| words.word(first + index, place, start))
    }

    /// The indexes of its words among those of the whole, and where it begins in the levelled text.
    fn find_in(&self, words: &WordList) -> (Range<usize>, usize) {
        let Range { start, end } = self.part;
        let text = self.whole.text.as_str();
        if start == end {
            return (0..0, 0);
        }
        if start == 0 && end == text.len() {
            return (0..words.places.len(), 0);
        }
        let blanks = |end: usize| text.get(..end).map_or(0, |text| text.bytes().filter(|byte| *byte == b' ').count());
        let is_blank = |at: usize| text.as_bytes().get(at) == Some(&b' ');
        // The text between two blanks is inside or outside as a whole.
        let before = blanks(start);
        let index = |blanks: usize| words.places.partition_point(|place| place.blanks < blanks);
        let from = index(before + usize::from(is_blank(start)));
        let to = index(blanks(end) + usize::from(!is_blank(end - 1)));
        let levelled_start = words.places.get(from).filter(|_| before > 0 || is_blank(start)).and_then(|first| {
            // Behind the last blank before the part, or at the blank that it begins with.
            let levelled = words.levelled.as_str().get(..first.levelled.start)?;
            let (blank, _) = levelled.rmatch_indices(' ').nth(first.blanks - before - usize::from(is_blank(start)))?;
            Some(blank + usize::from(!is_blank(start)))
        });
        (from..to.max(from), levelled_start.unwrap_or_default())
    }
}

/// Characters that levelling turns into blanks. A search for a string is many times faster than one for a character.
const LEVELLED_BLANKS: [&str; 2] = ["\u{a0}", "\u{202f}"];

impl From<String> for Passage {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Passage {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl WordList {
    fn new(text: &str) -> Self {
        let levelled = Levelled::new(text);
        let mut folded = String::with_capacity(text.len());
        let mut places = Vec::with_capacity(text.len() / 6);
        let mut joined = Vec::new();
        let (mut blanks, mut counted) = (0, 0);
        levelled.each_token(|token| {
            let from = folded.len();
            fold_into(token.word, &mut folded);
            let between = levelled.as_str().as_bytes().get(counted..token.start).unwrap_or_default();
            blanks += between.iter().map(|byte| usize::from(*byte == b' ')).sum::<usize>();
            counted = token.start + token.word.len();
            joined.extend(token.joined.map(|joined| (places.len(), joined)));
            places.push(Position {
                levelled: token.start..counted,
                hash: xxh3_64(folded.as_bytes().get(from..).unwrap_or_default()),
                folded: from..folded.len(),
                followers: token.followers,
                blanks,
            });
        });
        Self { levelled, folded, places, joined }
    }

    fn word<'a>(&'a self, index: usize, place: &'a Position, start: usize) -> Word<'a> {
        let levelled = self.levelled.as_str();
        let joined = self.joined.binary_search_by_key(&index, |(word, _)| *word).ok();
        Word {
            written: levelled.get(place.levelled.clone()).unwrap_or_default(),
            folded: self.folded.get(place.folded.clone()).unwrap_or_default(),
            hash: place.hash,
            joined: joined.and_then(|found| self.joined.get(found)).map(|(_, joined)| joined.as_str()),
            followers: place.followers,
            before: levelled.get(start..place.levelled.start).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::{Token, fold};

    /// The words of a text, cut out anew: what is before them, written, folded, joined.
    fn anew(text: &str) -> Vec<[String; 4]> {
        let levelled = Levelled::new(text);
        let before = |at: usize| levelled.as_str().get(..at).unwrap().trim_start().to_owned();
        let tokens = levelled.tokens().into_iter();
        let word = |token: Token<'_>| {
            [before(token.start), token.word.into(), fold(token.word).into(), token.joined.unwrap_or_default()]
        };
        tokens.map(word).collect()
    }

    fn shared(passage: &Passage) -> Vec<[String; 4]> {
        let word = |word: Word<'_>| {
            let parts = [word.before.trim_start(), word.written, word.folded, word.joined.unwrap_or_default()];
            parts.map(str::to_owned)
        };
        passage.words().map(word).collect()
    }

    #[test]
    fn a_part_has_its_own_words() {
        let text = Passage::from("L’école, l’e-mail et les élèves");
        let folded: Vec<String> = text.part(11..25).words().map(|word| word.folded.to_owned()).collect();
        assert_eq!(
            (text.part(11..25).as_str(), folded),
            (" l’e-mail et", vec!["e".into(), "mail".into(), "et".into()])
        );
    }

    proptest! {
        #[test]
        fn words_of_a_part_are_those_of_its_text(
            text in "([a-zé'’·.()eœs@&-]{0,4}[ \u{a0}\u{301}\u{ad}]?){0,12}",
            from in 0_usize..40,
            length in 0_usize..40,
        ) {
            let from = text.floor_char_boundary(from.min(text.len()));
            let to = text.floor_char_boundary((from + length).min(text.len())).max(from);
            let part = Passage::from(text.as_str()).part(from..to);
            prop_assert_eq!(part.as_str(), &text[from..to]);
            prop_assert_eq!(shared(&part), anew(&text[from..to]));
            let half = part.part(0..part.as_str().find(' ').unwrap_or_default());
            prop_assert_eq!(shared(&half), anew(half.as_str()));
        }
    }
}
