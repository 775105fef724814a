//! Words in order, each with a row of bytes, in little memory: of each word only what differs from the one before it is kept
//! (front coding), by blocks of sixteen, so that a word is found without reading all.

use super::varint::{PackedNumbers, put_number};

/// Words that are kept together.
const BLOCK: usize = 16;

/// The words.
#[derive(Debug, Clone, Default)]
pub(super) struct Dictionary {
    /// Of each word: the bytes that it shares with the one before, how many follow, these, and how many bytes it has in `rows`.
    words: Vec<u8>,
    rows: Vec<u8>,
    /// Of each block: where it begins in `words` and in `rows`.
    blocks: Vec<(u32, u32)>,
}

/// Writes a dictionary; words are given in order.
#[derive(Debug, Default)]
pub(super) struct DictionaryWriter {
    made: Dictionary,
    count: usize,
    last: Vec<u8>,
}

impl DictionaryWriter {
    pub(super) fn push(&mut self, word: &[u8], row: &[u8]) {
        let Dictionary { words, rows, blocks } = &mut self.made;
        let mut shared = 0;
        if self.count.is_multiple_of(BLOCK) {
            // It is far smaller than 4 GiB: `publish.search_memory` ends at 1 GiB.
            let place = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            blocks.push((place(words), place(rows)));
        } else {
            shared = self.last.iter().zip(word).take_while(|(one, other)| one == other).count();
        }
        let rest = word.get(shared..).unwrap_or_default();
        for number in [shared, rest.len()] {
            put_number(words, u32::try_from(number).unwrap_or_default());
        }
        words.extend_from_slice(rest);
        put_number(words, u32::try_from(row.len()).unwrap_or_default());
        rows.extend_from_slice(row);
        self.last.clear();
        self.last.extend_from_slice(word);
        self.count += 1;
    }

    pub(super) fn finish(self) -> Dictionary {
        let Dictionary { mut words, mut rows, mut blocks } = self.made;
        words.shrink_to_fit();
        rows.shrink_to_fit();
        blocks.shrink_to_fit();
        Dictionary { words, rows, blocks }
    }
}

impl Dictionary {
    /// The bytes that it takes.
    pub(super) fn size(&self) -> usize {
        self.words.len() + self.rows.len() + 8 * self.blocks.len()
    }

    /// Reads all words.
    pub(super) fn all(&self) -> WordCursor<'_> {
        self.at(0)
    }

    /// Reads the words that are not before a key.
    pub(super) fn from(&self, key: &[u8]) -> WordCursor<'_> {
        let first = |(at, _): &(u32, u32)| {
            let mut numbers = PackedNumbers(self.words.get(*at as usize..).unwrap_or_default());
            numbers.next().and_then(|_| numbers.bytes()).unwrap_or_default()
        };
        let block = self.blocks.partition_point(|block| first(block) <= key).saturating_sub(1);
        let mut cursor = self.at(block);
        loop {
            let before = cursor.clone();
            if cursor.next().is_none() || cursor.word.as_slice() >= key {
                return before;
            }
        }
    }

    fn at(&self, block: usize) -> WordCursor<'_> {
        let (words, rows) = self.blocks.get(block).copied().unwrap_or_default();
        WordCursor {
            words: PackedNumbers(self.words.get(words as usize..).unwrap_or_default()),
            rows: self.rows.get(rows as usize..).unwrap_or_default(),
            word: Vec::new(),
        }
    }
}

/// Reads words one after the other.
#[derive(Debug, Clone)]
pub(super) struct WordCursor<'a> {
    words: PackedNumbers<'a>,
    rows: &'a [u8],
    /// The word that was read last.
    pub(super) word: Vec<u8>,
}

impl<'a> WordCursor<'a> {
    /// Reads the next word; returns its row.
    pub(super) fn next(&mut self) -> Option<&'a [u8]> {
        let shared = self.words.next()?;
        let rest = self.words.bytes()?;
        self.word.truncate(shared as usize);
        self.word.extend_from_slice(rest);
        let (row, rows) = self.rows.split_at_checked(self.words.next()? as usize)?;
        self.rows = rows;
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found_with_its_row_and_those_behind_it() {
        let mut words: Vec<String> = (0..200).map(|number| format!("mot{}", number * 37 % 211)).collect();
        words.sort();
        let mut writer = DictionaryWriter::default();
        for word in &words {
            writer.push(word.as_bytes(), word.to_uppercase().as_bytes());
        }
        let dictionary = writer.finish();
        for (at, word) in words.iter().enumerate() {
            let mut cursor = dictionary.from(word.as_bytes());
            for expected in &words[at..] {
                let row = cursor.next().unwrap();
                assert_eq!((cursor.word.as_slice(), row), (expected.as_bytes(), expected.to_uppercase().as_bytes()));
            }
            assert_eq!(cursor.next(), None);
        }
        assert!(dictionary.size() < words.iter().map(|word| 2 * word.len()).sum::<usize>());
    }

    #[test]
    fn a_word_that_is_not_there_leads_to_the_next() {
        let mut writer = DictionaryWriter::default();
        (b'b'..b'z').for_each(|word| writer.push(&[word], &[1]));
        let dictionary = writer.finish();
        for (key, expected) in [("a", "b"), ("b", "b"), ("bb", "c"), ("p0", "q"), ("yy", "")] {
            let mut cursor = dictionary.from(key.as_bytes());
            let is_there = cursor.next().is_some();
            assert_eq!(if is_there { cursor.word.as_slice() } else { b"" }, expected.as_bytes(), "{key}");
        }
        assert_eq!(Dictionary::default().from(b"a").next(), None);
    }
}
