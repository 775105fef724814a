//! Sketches: the bytes of an entry that the store keeps for comparison, so that no text is parsed again.
//!
//! A version, then fields in order; numbers as LEB128, hashes by their upper 32 bits. Both sides of a comparison come
//! from sketches: a shortened hash never equals a whole one.

use std::sync::Arc;

use super::subject::{Set, Subject, Text};
use super::title::Title;
use crate::feed::Timestamp;
use crate::story::{Clues, Peer};
use crate::text::WORDS_VERSION;

/// Version of the fields of a sketch: at most 15.
const LAYOUT: u32 = 1;

/// The first number of a sketch: its layout, and the version of the words that its hashes stand for. Sketches of other
/// versions are not read, for equal words would have other hashes.
const VERSION: u64 = (WORDS_VERSION << 4 | LAYOUT) as u64;

/// An entry read back from its sketch.
#[derive(Debug, Clone)]
pub struct Sketched {
    /// For comparing.
    pub subject: Arc<Subject>,
    /// The hashes by which others are found.
    pub clues: Clues,
}

/// Writes a sketch.
#[must_use]
pub fn sketch(subject: &Subject, clues: &Clues) -> Vec<u8> {
    let Subject { title, text, cves, page, guid, link, .. } = subject;
    let mut bytes = Vec::with_capacity(64 + 4 * (text.shingles.len() * 2 + text.vocabulary.len()));
    let out = &mut bytes;
    let has_own_page = page != link;
    let flags = [guid.is_some(), has_own_page, text.is_cut, text.summary_shingles == text.shingles];
    number(out, VERSION);
    number(out, flags.iter().rev().fold(0, |bits, flag| bits << 1 | u64::from(*flag)));
    if has_own_page {
        string(out, page.as_deref().unwrap_or_default());
    }
    number(out, title.words.len() as u64);
    let mut content = title.content.iter().peekable();
    for word in &title.words {
        let is_content = content.next_if(|next| *next == word).is_some();
        number(out, (word.len() as u64) << 1 | u64::from(is_content));
        out.extend_from_slice(word.as_bytes());
    }
    number(out, title.numbers.len() as u64);
    for (text, times) in &title.numbers {
        string(out, text);
        number(out, *times as u64);
    }
    number(out, u64::from(title.months));
    number(out, text.words as u64);
    for set in [&text.shingles, &text.vocabulary, &text.numbers, &text.years, cves] {
        hashes(out, set);
    }
    if text.summary_shingles != text.shingles {
        hashes(out, &text.summary_shingles);
    }
    for clues in [&clues.recent, &clues.lasting] {
        number(out, clues.len() as u64);
        out.extend(clues.iter().flat_map(|clue| clue.to_le_bytes()));
    }
    bytes
}

/// Reads the sketch of a stored entry; `None` if it has none, or one of another version.
#[must_use]
pub fn sketched(peer: &Peer) -> Option<Sketched> {
    let Peer { source_id, id, canonical_link, published, sketch, .. } = peer;
    read_back(source_id, id.as_deref(), canonical_link.as_ref(), *published, sketch.as_deref()?)
}

/// Reads a sketch, given the guid, canonical link and publication date of its entry; `None` if the bytes are of another
/// version or damaged.
#[must_use]
pub fn read_back(
    source_id: &str,
    id: Option<&str>,
    canonical_link: Option<&String>,
    published: Option<Timestamp>,
    bytes: &[u8],
) -> Option<Sketched> {
    let mut from = SketchReader(bytes);
    if from.number()? != VERSION {
        return None;
    }
    let flags = from.number()?;
    let flag = |bit: u32| flags >> bit & 1 == 1;
    let page = if flag(1) { Some(from.string()?).filter(|page| !page.is_empty()) } else { canonical_link.cloned() };
    let title = from.title()?;
    let words = from.length()?;
    let [shingles, vocabulary, numbers, years, cves] =
        [from.hashes()?, from.hashes()?, from.hashes()?, from.hashes()?, from.hashes()?];
    let summary_shingles = if flag(3) { shingles.clone() } else { from.hashes()? };
    let clues = Clues { recent: from.clues()?, lasting: from.clues()? };
    let id = id.map(str::trim);
    let subject = Subject {
        source_id: source_id.to_owned(),
        link: canonical_link.cloned(),
        page,
        guid: id.filter(|_| flag(0)).map(str::to_owned),
        id: id.map(str::to_owned),
        title,
        text: Text {
            words,
            vocabulary,
            shingles,
            summary_shingles,
            numbers,
            years,
            is_cut: flag(2),
            lead: Set::default(),
        },
        cves,
        published,
    };
    Some(Sketched { subject: Arc::new(subject), clues })
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn string(out: &mut Vec<u8>, text: &str) {
    number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn hashes(out: &mut Vec<u8>, set: &Set) {
    number(out, set.len() as u64);
    out.extend(set.iter().flat_map(|hash| {
        let [.., a, b, c, d] = hash.to_le_bytes();
        [a, b, c, d]
    }));
}

/// The bytes that are left to read.
struct SketchReader<'a>(&'a [u8]);

impl<'a> SketchReader<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = u64::from(*self.bytes(1)?.first()?);
            value |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn text(&mut self, length: usize) -> Option<String> {
        String::from_utf8(self.bytes(length)?.to_vec()).ok()
    }

    fn string(&mut self) -> Option<String> {
        let length = self.length()?;
        self.text(length)
    }

    fn title(&mut self) -> Option<Title> {
        let mut title = Title::default();
        for _ in 0..self.number()? {
            let length = self.length()?;
            let word = self.text(length >> 1)?;
            if length & 1 == 1 {
                title.content.push(word.clone());
            }
            title.words.push(word);
        }
        for _ in 0..self.number()? {
            let number = self.string()?;
            title.numbers.insert(number, self.length()?);
        }
        title.months = u16::try_from(self.number()?).ok()?;
        Some(title)
    }

    fn hashes(&mut self) -> Option<Set> {
        let count = self.length()?;
        let bytes = self.bytes(count.checked_mul(4)?)?;
        let hash = |bytes: &[u8]| Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?)) << 32);
        Some(Set::of(bytes.chunks_exact(4).filter_map(hash)))
    }

    fn clues(&mut self) -> Option<Vec<i64>> {
        let count = self.length()?;
        let bytes = self.bytes(count.checked_mul(8)?)?;
        Some(bytes.chunks_exact(8).filter_map(|bytes| Some(i64::from_le_bytes(bytes.try_into().ok()?))).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::compare;
    use super::*;
    use crate::dedup::identify;
    use crate::dedup::tests::settings;
    use crate::feed::Entry;
    use crate::story::{EntryKey, Plain};

    /// An entry with this title and text as a new poll and as the store have it.
    fn of(source_id: &str, title: &str, text: &str, path: &str) -> (Subject, Clues, Peer) {
        let url = url::Url::parse(&format!("https://example.org/{path}")).ok();
        let entry = Entry {
            id: Some(format!("tag:example.org,2026:{path}")),
            title: Some(title.into()),
            content: Some(text.into()),
            url,
            ..Entry::default()
        };
        let (entry, identity) = identify(source_id, "rss20", vec![entry]).remove(0);
        let subject = Subject::new(source_id, &entry, &Plain::of(&entry), &identity);
        let clues = subject.clues();
        let peer = Peer {
            number: 1,
            source_id: source_id.into(),
            key: EntryKey([0; 16]),
            story: 1,
            joined: None,
            first_seen: crate::feed::Timestamp::UNIX_EPOCH,
            date: crate::feed::Timestamp::UNIX_EPOCH,
            changed: None,
            withdrawn: None,
            id: entry.id.clone(),
            canonical_link: identity.canonical_link,
            published: entry.published,
            topics: Vec::new(),
            sketch: Some(sketch(&subject, &clues)),
        };
        (subject, clues, peer)
    }

    proptest! {
        #[test]
        fn sketches_compare_as_the_entries_do(
            one in "([A-Z]?[a-zé]{1,9}[ ,.0-9]){1,30}", other in "([A-Z]?[a-zé]{1,9}[ ,.0-9]){1,30}", same in any::<bool>()
        ) {
            let other = if same { format!("{one} de plus") } else { other };
            let [(a, clues, one), (b, _, other)] = [of("a", &one, &one, "1"), of("b", &other, &other, "2")];
            let [one, other] = [sketched(&one).unwrap(), sketched(&other).unwrap()];
            prop_assert_eq!(&one.clues, &clues);
            prop_assert_eq!(compare(&one.subject, &other.subject, &settings()), compare(&a, &b, &settings()));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80), ours in any::<bool>()) {
            let (.., peer) = of("a", "Un titre de 2026", "Un texte.", "1");
            let bytes = if ours { [vec![1], bytes].concat() } else { bytes };
            let _ = sketched(&Peer { sketch: Some(bytes), ..peer });
        }
    }

    #[test]
    fn whoever_may_be_the_same_is_of_another_source_or_of_one_date_or_guid() {
        let (subject, _, peer) = of("a", "Un plan", "Un texte.", "1");
        let later = Some(crate::feed::Timestamp::UNIX_EPOCH + chrono::TimeDelta::days(1));
        let subject = Subject { published: Some(crate::feed::Timestamp::UNIX_EPOCH), ..subject };
        let is = |source_id: &str, id: &str, published| {
            let peer = Peer { source_id: source_id.into(), id: Some(id.into()), published, ..peer.clone() };
            super::super::may_be_same(&subject, &peer)
        };
        assert!(is("b", "2", later) && is("a", "2", subject.published));
        assert!(is("a", " tag:example.org,2026:1 ", later));
        assert!(!is("a", "2", later) && !is("a", "2", None));
    }

    #[test]
    fn a_sketch_of_other_words_is_not_read() {
        let (subject, clues, _) = of("ministere", "Une école numérique", "Un texte.", "a");
        let bytes = sketch(&subject, &clues);
        assert!(read_back("ministere", None, None, None, &bytes).is_some());
        for version in [1, bytes[0] + 1] {
            let other = [&[version], &bytes[1..]].concat();
            assert!(read_back("ministere", None, None, None, &other).is_none());
        }
    }

    #[test]
    fn numbers_of_any_size_are_read_back() {
        for value in [0, 1, 0x7f, 0x80, 0xff, 0x3fff, 0x4000, u64::MAX] {
            let mut bytes = Vec::new();
            number(&mut bytes, value);
            let mut reader = SketchReader(&bytes);
            assert_eq!((reader.number(), reader.0.len()), (Some(value), 0));
        }
    }

    #[test]
    fn a_page_of_several_entries_is_read_back() {
        let (subject, clues, peer) = of("a", "Un plan", "Un texte.", "1");
        let [list, own] = ["example.org/liste", "example.org/1"].map(|page| Some(page.to_owned()));
        for (page, link) in [(&list, &None), (&list, &own), (&None, &own), (&own, &own), (&None, &None)] {
            let subject = Subject { page: page.clone(), link: link.clone(), ..subject.clone() };
            let bytes = Some(sketch(&subject, &clues));
            let read = sketched(&Peer { canonical_link: link.clone(), sketch: bytes, ..peer.clone() }).unwrap();
            assert_eq!((&read.subject.page, &read.subject.link), (page, link));
        }
    }

    #[test]
    fn what_is_cut_and_what_a_summary_says_beside_is_read_back() {
        let long = "Les classes de chaque village auront enfin une salle. ".repeat(9);
        for (summary, content) in [(Some("Court, et à part."), long.as_str()), (None, long.as_str()), (None, "Court.")]
        {
            let (summary, content) = (summary.map(str::to_owned), Some(content.to_owned()));
            let entry = Entry { title: Some("Un plan".into()), summary, content, ..Entry::default() };
            let (entry, identity) = identify("a", "rss20", vec![entry]).remove(0);
            let subject = Subject::new("a", &entry, &Plain::of(&entry), &identity);
            let bytes = sketch(&subject, &subject.clues());
            let read = read_back("a", None, None, None, &bytes).unwrap().subject;
            assert_eq!((read.text.is_cut, read.text.words), (subject.text.is_cut, subject.text.words));
            assert_eq!(read.text.summary_shingles.len(), subject.text.summary_shingles.len());
            assert_eq!(read.text.shingles.len(), subject.text.shingles.len());
        }
    }
}
