//! Subjects: entries prepared for comparison, once, before the store is asked for those that may be the same.

use std::sync::LazyLock;

use regex::Regex;
use xxhash_rust::xxh3::xxh3_64;

use super::title::Title;
use crate::dedup::identity::{canonical_link, is_world_unique};
use crate::feed::{Entry, Timestamp};
use crate::story::{Clues, Identity, Plain, StoredEntry};
use crate::text::Passage;

/// Words at the beginning of a text from which clues are taken: a cut copy still has them.
const LEAD_WORDS: usize = 40;

/// Clues taken from the beginning.
const LEAD_CLUES: usize = 3;

/// Clues taken from the whole text.
const TEXT_CLUES: usize = 4;

/// Clues taken from the summary beside a content: another source may show only the summary.
const SUMMARY_CLUES: usize = 2;

/// Texts with fewer characters count as cut.
const WHOLE_TEXT_MIN: usize = 300;

/// Longest end that [`MORE`] is looked for in, with room for blanks, in bytes.
const MORE_BYTES_MAX: usize = 64;

/// Ends of texts that say "there is more".
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static MORE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\s*(?:\[?(?:…|\.\.\.)\]?|\(?lire la suite\)?|en savoir plus|read more)\s*\.?$")
        .expect("constant pattern")
});

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static CVE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)cve-[0-9]{4}-[0-9]+").expect("constant pattern"));

/// The id of a vulnerability, or a number with its decimals or groups.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
pub(in crate::dedup) static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)cve-[0-9]{4}-[0-9]+|[0-9]+(?:[.,][0-9]+)*").expect("constant pattern"));

/// An entry prepared for comparison.
#[derive(Debug, Clone)]
pub struct Subject {
    pub(in crate::dedup) source_id: String,
    /// The canonical link, if it identifies the entry.
    pub(in crate::dedup) link: Option<String>,
    /// The canonical link, also if several entries share it.
    pub(in crate::dedup) page: Option<String>,
    /// The guid, also if several entries share it.
    pub(in crate::dedup) id: Option<String>,
    /// The guid, if the entry alone has it and it is unique in the world.
    pub(in crate::dedup) guid: Option<String>,
    pub(in crate::dedup) title: Title,
    pub(in crate::dedup) text: Text,
    /// The ids of vulnerabilities in title and texts.
    pub(in crate::dedup) cves: Set,
    pub(in crate::dedup) published: Option<Timestamp>,
}

/// The text of an entry: the content, or the summary if that is longer.
#[derive(Debug, Clone, Default)]
pub(in crate::dedup) struct Text {
    pub(in crate::dedup) words: usize,
    /// Hashes of its words.
    pub(in crate::dedup) vocabulary: Set,
    pub(in crate::dedup) shingles: Set,
    pub(in crate::dedup) summary_shingles: Set,
    pub(in crate::dedup) numbers: Set,
    pub(in crate::dedup) years: Set,
    pub(in crate::dedup) is_cut: bool,
    /// Shingles of its beginning, from which clues are taken.
    pub(in crate::dedup) lead: Set,
}

impl Subject {
    /// Prepares an entry that was just identified.
    #[must_use]
    pub fn new(source_id: &str, entry: &Entry, plain: &Plain, identity: &Identity) -> Self {
        Self::prepare(source_id, entry, plain, identity.canonical_link.as_ref(), identity.owns_guid)
    }

    /// Prepares a stored entry.
    #[must_use]
    pub fn stored(stored: &StoredEntry) -> Self {
        let StoredEntry { source_id, entry, canonical_link, owns_guid, .. } = stored;
        Self::prepare(source_id, entry, &Plain::of(entry), canonical_link.as_ref(), *owns_guid)
    }

    fn prepare(source_id: &str, entry: &Entry, plain: &Plain, link: Option<&String>, owns_guid: bool) -> Self {
        let guid = entry.id.as_deref().map(str::trim);
        let [title, summary, content] =
            [&entry.title, &entry.summary, &entry.content].map(|part| part.as_deref().unwrap_or_default());
        let cves = [title, summary, content].into_iter().flat_map(|part| CVE.find_iter(part));
        Self {
            source_id: source_id.to_owned(),
            link: link.cloned(),
            page: entry.url.as_ref().and_then(canonical_link),
            id: guid.map(str::to_owned),
            guid: guid.filter(|guid| owns_guid && is_world_unique(guid)).map(str::to_owned),
            title: Title::read(plain),
            text: Text::new(&plain.summary, &plain.content),
            cves: Set::of(cves.map(|cve| xxh3_64(cve.as_str().to_ascii_lowercase().as_bytes()))),
            published: entry.published,
        }
    }

    /// Its publication date, as its publisher says.
    #[must_use]
    pub fn published(&self) -> Option<Timestamp> {
        self.published
    }

    /// Whether a word of its title is in its text and not in the other's: the word tells the two apart.
    pub(in crate::dedup) fn means(&self, word: &str, other: &Self) -> bool {
        let hash = xxh3_64(word.as_bytes());
        self.text.vocabulary.has(hash) && !other.text.vocabulary.has(hash)
    }

    /// Whether both have the same title words and the same text.
    pub(in crate::dedup) fn says_the_same(&self, other: &Self) -> bool {
        self.title.words == other.title.words && self.text.shingles == other.text.shingles
    }

    /// Its source.
    #[must_use]
    pub fn source_id(&self) -> &str {
        &self.source_id
    }

    /// The hashes by which others find it: of link, guid, title and a few shingles; of its link and its whole text
    /// within its source.
    ///
    /// The smallest shingles are chosen, so that two texts with most shingles in common choose the same ones (Broder's
    /// min-hash).
    #[must_use]
    pub fn clues(&self) -> Clues {
        let named = |kind: &str, value: &str| xxh3_64(format!("{kind} {value}").as_bytes()) | 1;
        let own = |kind: &str, value: &str| named(kind, &format!("{} {value}", self.source_id));
        let link = self.link.as_deref().map(|link| named("link", link));
        let guid = self.guid.as_deref().map(|guid| named("guid", guid));
        let title = self.title.is_telling().then(|| named("title", &self.title.key()));
        let Text { lead, shingles, summary_shingles, .. } = &self.text;
        let texts = [(lead, LEAD_CLUES), (shingles, TEXT_CLUES), (summary_shingles, SUMMARY_CLUES)];
        let least = texts.into_iter().flat_map(|(set, clues)| set.0.iter().take(clues).map(|hash| hash & !1));
        let recent = Set::of([link, guid, title].into_iter().flatten().chain(least));
        let said = format!("{} {:x}", self.title.key(), shingles.digest());
        let lasting = self.link.iter().map(|link| own("link", link)).chain([own("said", &said)]);
        let signed = |hashes: Set| hashes.0.into_iter().map(u64::cast_signed).collect();
        Clues { recent: signed(recent), lasting: signed(Set::of(lasting)) }
    }
}

impl Text {
    fn new(summary: &Passage, content: &Passage) -> Self {
        let length = |text: &Passage| text.as_str().chars().count();
        let is_content = !content.as_str().is_empty() && length(content) > length(summary);
        let full = if is_content { content } else { summary };
        let shown = shown(full);
        let is_cut = shown.as_str().len() < full.as_str().len() || length(full) < WHOLE_TEXT_MIN;
        let words = words(&shown);
        let shingles = Set::of(shingles(&words));
        let summary_shingles =
            if is_content { Set::of(self::shingles(&self::words(&self::shown(summary)))) } else { shingles.clone() };
        let (numbers, years) = numbers(shown.as_str());
        Self {
            lead: Set::of(self::shingles(words.get(..LEAD_WORDS).unwrap_or(&words))),
            words: words.len(),
            vocabulary: Set::of(words),
            shingles,
            summary_shingles,
            numbers,
            years,
            is_cut,
        }
    }
}

/// A text without the end that says "there is more".
fn shown(text: &Passage) -> Passage {
    text.part(0..without_more(text.as_str()).len())
}

pub(in crate::dedup) fn without_more(text: &str) -> &str {
    let mut text = text;
    for _ in 0..2 {
        let tail = text.floor_char_boundary(text.len().saturating_sub(MORE_BYTES_MAX));
        let more = text.get(tail..).and_then(|tail| MORE.find(tail));
        text = more.and_then(|more| text.get(..tail + more.start())).unwrap_or(text);
    }
    text
}

/// The numbers as [`NUMBER`] finds them, and the years. Text without digits is skipped.
fn numbers(text: &str) -> (Set, Set) {
    let (mut numbers, mut years) = (Vec::new(), Vec::new());
    let mut rest = 0;
    while let Some(digit) = text.get(rest..).and_then(|text| text.find(|c: char| c.is_ascii_digit())) {
        let start = text.floor_char_boundary((rest + digit).saturating_sub("cve-".len()).max(rest));
        let Some(number) = text.get(start..).and_then(|text| NUMBER.find(text)) else { break };
        numbers.push(xxh3_64(number.as_str().to_ascii_lowercase().as_bytes()));
        rest = start + number.end();
        let is_joined = |c: char| c.is_alphanumeric() || c == '_';
        let begins = !text.get(..start + number.start()).is_some_and(|before| before.ends_with(is_joined));
        let ends = !text.get(rest..).is_some_and(|after| after.starts_with(is_joined));
        let parts: Vec<&str> = number.as_str().split(['.', ',', '-']).collect();
        let inner = parts.len().saturating_sub(1);
        let whole = parts.iter().enumerate().filter(|(place, _)| (*place > 0 || begins) && (*place < inner || ends));
        years.extend(whole.filter(|(_, part)| is_year(part)).map(|(_, year)| xxh3_64(year.as_bytes())));
    }
    (Set::of(numbers), Set::of(years))
}

/// 2000 to 2049.
fn is_year(word: &str) -> bool {
    matches!(word.as_bytes(), [b'2', b'0', b'0'..=b'4', last] if last.is_ascii_digit())
}

fn words(text: &Passage) -> Vec<u64> {
    text.words().map(|word| word.hash).collect()
}

/// Hashes of three words in a row; of all words if there are fewer.
fn shingles(words: &[u64]) -> Vec<u64> {
    let hash = |words: &[u64]| {
        let mut bytes = [0; 24];
        for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        xxh3_64(&bytes)
    };
    match words.len() {
        0 => Vec::new(),
        1 | 2 => vec![hash(words)],
        _ => words.windows(3).map(hash).collect(),
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::dedup) struct Set(Vec<u64>);

impl Set {
    pub(in crate::dedup) fn of(hashes: impl IntoIterator<Item = u64>) -> Self {
        let mut hashes: Vec<u64> = hashes.into_iter().collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    pub(in crate::dedup) fn len(&self) -> usize {
        self.0.len()
    }

    /// Compares the upper halves: a sketch keeps no more.
    fn has(&self, hash: u64) -> bool {
        self.0.binary_search_by_key(&(hash >> 32), |known| known >> 32).is_ok()
    }

    pub(in crate::dedup) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }

    fn digest(&self) -> u64 {
        xxh3_64(&self.0.iter().flat_map(|hash| hash.to_le_bytes()).collect::<Vec<u8>>())
    }

    pub(in crate::dedup) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of hashes in both.
    pub(in crate::dedup) fn shared(&self, other: &Self) -> usize {
        let (mut mine, mut theirs) = (self.0.as_slice(), other.0.as_slice());
        let mut shared = 0;
        while let (Some((one, behind_one)), Some((two, behind_two))) = (mine.split_first(), theirs.split_first()) {
            shared += usize::from(one == two);
            if one <= two {
                mine = behind_one;
            }
            if two <= one {
                theirs = behind_two;
            }
        }
        shared
    }

    /// Whether each has a hash that the other lacks.
    pub(in crate::dedup) fn diverges(&self, other: &Self) -> bool {
        let shared = self.shared(other);
        shared < self.len() && shared < other.len()
    }

    /// The share of the smaller set that is in the larger one; 0 if one is empty.
    pub(in crate::dedup) fn containment(&self, other: &Self) -> f64 {
        let smaller = self.len().min(other.len());
        if smaller == 0 { 0.0 } else { self.shared(other) as f64 / smaller as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_years(text: &str, expected: &[&str]) {
        assert_eq!(numbers(text).1, Set::of(expected.iter().map(|year| xxh3_64(year.as_bytes()))), "{text}");
    }

    #[test]
    fn years_of_this_half_century_stand_alone() {
        check_years("De 2025 à 2026.", &["2025", "2026"]);
        check_years("Le 12 mars 1999, à 20 h 50, il y avait 2051 élèves.", &[]);
        check_years("La 2026e école, la note n2026, le lot_2027 et le code 2026_a.", &[]);
        check_years("2025.2026, puis n2027.2028 et 2029,2030e", &["2025", "2026", "2028", "2029"]);
        check_years("CVE-2026-0001", &["2026"]);
    }

    #[test]
    fn a_text_of_one_or_two_words_says_what_they_say() {
        let [none, one, two, other] = [&[][..], &[1], &[1, 2], &[2, 1]].map(shingles);
        assert!(none.is_empty() && one.len() == 1 && two.len() == 1);
        assert!(one != two && two != other);
    }

    #[test]
    fn sets_with_other_hashes_have_other_digests() {
        let [one, same, other] = [[1, 2], [2, 1], [1, 3]].map(|hashes| Set::of(hashes).digest());
        assert!(one == same && one != other);
    }
}
