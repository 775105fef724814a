//! A drawer: the stories of one month of a topic, for searching.
//!
//! Words are folded as topics fold them ([`Folding`], by the language of each story), and kept in order, each with the
//! places where it stands. Places are numbers in as few bytes as they need; texts are compressed, some at once. So a
//! thousand short stories take about 400 kB, and no text is unpacked but of the stories that are shown.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::ops::Range;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::dictionary::{Dictionary, DictionaryWriter};
use super::varint::{PackedNumbers, put_number};
use crate::publish::item::Item;
use crate::story::{Month, Story};
use crate::text::{self, Folding, Passage};
use crate::topic::Fields;

/// Bytes of a story's text that are searched. A book would else take the place of a hundred stories.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// Bytes of texts that are compressed together: more save little, and cost more to unpack for one story.
const BLOCK_BYTES: usize = 32 << 10;
/// The scale of DEFLATE ends at 9, which takes twice the time for a hundredth less.
const PACKING: u32 = 6;
/// Parts of a compound that are sought joined, as in `topic::index`.
const JOINED_MAX: usize = 4;
/// Stands in a key between a word that is joined of several parts and their number: no word holds it.
const JOINED: u8 = 0;

/// The stories of one month of a topic, newest first.
pub struct Drawer {
    /// The topic's id.
    pub(super) topic: String,
    /// The month.
    pub month: Month,
    /// The stamp of the month when its stories were read.
    pub stamp: i64,
    /// The basis of all else that it was made from.
    pub basis: String,
    /// The ids of the sources that its stories cite, in order.
    pub cited: Vec<String>,
    /// Whether it has all stories of the month, not only the newest.
    pub is_whole: bool,
    /// By story: its number in the store.
    pub(super) numbers: Box<[i64]>,
    /// By story: its date, in seconds.
    pub(super) dates: Box<[i64]>,
    /// By story: the words of its title. Words of its text come after a gap of one.
    titles: Box<[u16]>,
    /// The foldings of its stories.
    foldings: Vec<Folding>,
    /// The words, each behind the letter of its folding, with their places.
    words: Dictionary,
    /// The texts, compressed by blocks.
    blocks: ByteRows,
    /// By block: its first story.
    firsts: Box<[u32]>,
}

impl fmt::Debug for Drawer {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Drawer({} {}, {} stories, {} bytes)", self.topic, self.month, self.numbers.len(), self.bytes())
    }
}

/// Rows of bytes, one behind the other.
#[derive(Debug, Clone, Default)]
struct ByteRows {
    bytes: Vec<u8>,
    /// The end of each.
    ends: Vec<u32>,
}

impl ByteRows {
    fn push(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(part);
        // A drawer is far smaller than 4 GiB: `publish.search_memory` ends at 1 GiB.
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).map(|end| *end as usize))?;
        self.bytes.get(start..*self.ends.get(at)? as usize)
    }

    fn size(&self) -> usize {
        self.bytes.len() + 4 * self.ends.len()
    }

    fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// A story in a drawer, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FiledStory {
    pub(super) title: String,
    pub(super) url: String,
    pub(super) source: String,
    /// A BCP 47 tag if it is not the site's.
    pub(super) language: String,
    pub(super) folding: Folding,
    /// Plain text.
    pub(super) text: String,
}

impl FiledStory {
    fn new(item: &Item, declared: Option<&str>) -> Self {
        let plain = |html: &Option<String>| html.as_deref().map(text::html_to_text).unwrap_or_default();
        let (summary, content) = (plain(&item.summary), plain(&item.content));
        let mut text = match (summary.is_empty(), content.is_empty()) {
            (_, true) => summary,
            (true, false) => content,
            (false, false) if content.starts_with(&summary) => content,
            (false, false) => format!("{summary} {content}"),
        };
        text.truncate(end_of_text(&text));
        let mut fields = Fields::new(item.title.as_str(), text.as_str(), "", &[], "");
        fields.declared = declared.map(str::to_owned);
        Self {
            title: item.title.clone(),
            url: item.url.clone().unwrap_or_default(),
            source: item.source.title.clone(),
            language: item.language.clone().unwrap_or_default(),
            folding: fields.folding(),
            text,
        }
    }

    fn write(&self, to: &mut Vec<u8>) {
        let folding = self.folding.letter().to_string();
        for text in [&self.title, &self.url, &self.source, &self.language, &folding, &self.text] {
            // Titles and addresses are short, and the text is cut.
            put_number(to, u32::try_from(text.len()).unwrap_or_default());
            to.extend_from_slice(text.as_bytes());
        }
    }

    fn read(from: &mut PackedNumbers<'_>) -> Option<Self> {
        let mut text = || Some(String::from_utf8_lossy(from.bytes()?).into_owned());
        let (title, url, source, language) = (text()?, text()?, text()?, text()?);
        let letter = text()?;
        let folding = Folding::ALL.into_iter().find(|folding| letter.starts_with(folding.letter()))?;
        Some(Self { title, url, source, language, folding, text: text()? })
    }
}

/// The end of the part of a text that is searched: at a blank, if it is long.
fn end_of_text(text: &str) -> usize {
    if text.len() <= TEXT_BYTES_MAX {
        return text.len();
    }
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    text.get(..end).and_then(|text| text.rfind(' ')).unwrap_or(end)
}

/// A drawer that stories are being put in.
#[derive(Debug)]
pub struct OpenDrawer {
    topic: String,
    month: Month,
    stamp: i64,
    limit: usize,
    is_whole: bool,
    numbers: Vec<i64>,
    dates: Vec<i64>,
    titles: Vec<u16>,
    foldings: Vec<Folding>,
    cited: Vec<String>,
    words: HashMap<Vec<u8>, WordPlaces>,
    /// The size of words and places so far.
    size: usize,
    block: Vec<u8>,
    blocks: ByteRows,
    firsts: Vec<u32>,
}

/// The stories of a word so far, and its places in them.
#[derive(Debug, Default)]
struct WordPlaces {
    last: u32,
    stories: Vec<u8>,
    places: Vec<u8>,
}

impl OpenDrawer {
    /// Begins a drawer for a month with this stamp, which will take no more than `limit` bytes.
    #[must_use]
    pub fn new(topic: &str, month: Month, stamp: i64, limit: usize) -> Self {
        Self {
            topic: topic.to_owned(),
            month,
            stamp,
            limit,
            is_whole: true,
            numbers: Vec::new(),
            dates: Vec::new(),
            titles: Vec::new(),
            foldings: Vec::new(),
            cited: Vec::new(),
            words: HashMap::new(),
            size: 0,
            block: Vec::new(),
            blocks: ByteRows::default(),
            firsts: Vec::new(),
        }
    }

    /// The topic and month that it is for.
    #[must_use]
    pub fn of(&self) -> (String, Month) {
        (self.topic.clone(), self.month)
    }

    /// Whether it takes no more stories.
    #[must_use]
    pub fn is_full(&self) -> bool {
        !self.is_whole
    }

    /// Puts a story in it, if there is room; they are given newest first.
    pub(in crate::publish) fn put(&mut self, story: &Story, item: &Item) {
        // The texts that are not compressed yet will take less than half of their room.
        if self.size + self.blocks.size() + self.block.len() / 2 > self.limit {
            self.is_whole = false;
            return;
        }
        let Ok(place) = u32::try_from(self.numbers.len()) else { return };
        let filed = FiledStory::new(item, story.head.entry.language.as_deref());
        for source in crate::publish::archive::cited(story) {
            if let Err(at) = self.cited.binary_search_by(|known| known.as_str().cmp(source)) {
                self.cited.insert(at, source.to_owned());
            }
        }
        self.index(place, &filed);
        self.numbers.push(story.number);
        self.dates.push(story.head.date.timestamp());
        if !self.foldings.contains(&filed.folding) {
            self.foldings.push(filed.folding);
        }
        if self.block.is_empty() {
            self.firsts.push(place);
        }
        filed.write(&mut self.block);
        if self.block.len() >= BLOCK_BYTES {
            self.end_block();
        }
        self.size += 18;
    }

    fn index(&mut self, place: u32, story: &FiledStory) {
        let title = Passage::from(story.title.as_str());
        let length = u16::try_from(title.words().len()).unwrap_or(u16::MAX);
        self.titles.push(length);
        let mut found: Vec<(Vec<u8>, u32)> = Vec::new();
        each_key(&title, story.folding, 0, &mut found);
        each_key(&Passage::from(story.text.as_str()), story.folding, u32::from(length) + 1, &mut found);
        found.sort_unstable();
        let mut rest = found.into_iter().peekable();
        while let Some((key, first)) = rest.next() {
            let mut others = Vec::new();
            while let Some((_, other)) = rest.next_if(|(other, _)| *other == key) {
                others.push(other);
            }
            // Of a word only what differs from its neighbour is kept.
            self.size += if self.words.contains_key(&key) { 0 } else { 8 };
            let WordPlaces { last, stories, places } = self.words.entry(key).or_default();
            let before = stories.len() + places.len();
            let flags = (u32::from(first < u32::from(length)) << 1) | u32::from(!others.is_empty());
            put_number(stories, ((place - *last) << 2) | flags);
            put_number(places, first);
            if !others.is_empty() {
                put_number(stories, u32::try_from(others.len()).unwrap_or_default());
                let mut at = first;
                for other in others {
                    put_number(places, other - at);
                    at = other;
                }
            }
            *last = place;
            self.size += stories.len() + places.len() - before;
        }
    }

    fn end_block(&mut self) {
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::new(PACKING));
        // Memory takes every byte.
        let packed = packed.write_all(&self.block).and_then(|()| packed.finish()).unwrap_or_default();
        self.blocks.push(&packed);
        self.block.clear();
    }

    /// Closes it; `basis` tells, by the sources that its stories cite, all that it was made from but the stories.
    #[must_use]
    pub fn close(mut self, basis: impl FnOnce(&[String]) -> String) -> Drawer {
        if !self.block.is_empty() {
            self.end_block();
        }
        let mut all: Vec<(Vec<u8>, WordPlaces)> = self.words.into_iter().collect();
        all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let mut words = DictionaryWriter::default();
        for (key, WordPlaces { stories, places, .. }) in all {
            words.push(&key, &Postings::row(&stories, &places));
        }
        self.blocks.shrink();
        Drawer {
            topic: self.topic,
            month: self.month,
            stamp: self.stamp,
            basis: basis(&self.cited),
            cited: self.cited,
            is_whole: self.is_whole,
            numbers: self.numbers.into(),
            dates: self.dates.into(),
            titles: self.titles.into(),
            foldings: self.foldings,
            words: words.finish(),
            blocks: self.blocks,
            firsts: self.firsts.into(),
        }
    }
}

/// Lists the keys of a text, each with its place: of words, and of compounds joined.
fn each_key(text: &Passage, folding: Folding, shift: u32, found: &mut Vec<(Vec<u8>, u32)>) {
    let mut words = text.words();
    let mut place = shift;
    while let Some(word) = words.next() {
        found.push((key(folding, word.folded, 1), place));
        if word.followers > 0 {
            let mut joined = word.folded.to_owned();
            for (parts, follower) in (2..).zip(words.clone().take(word.followers.min(JOINED_MAX - 1))) {
                joined.push_str(follower.folded);
                found.push((key(folding, &joined, parts), place));
            }
        }
        place += 1;
    }
}

/// The key of a folded word that is joined of so many parts.
fn key(folding: Folding, folded: &str, parts: u8) -> Vec<u8> {
    let mut key = folding.letter().to_string().into_bytes();
    key.extend_from_slice(folding.root(folded).as_bytes());
    if parts > 1 {
        key.extend_from_slice(&[JOINED, parts]);
    }
    key
}

/// The stories of a drawer in which a term stands, in order, each with whether its title has it.
pub(super) type StoriesWith = Vec<(u32, bool)>;

impl Drawer {
    /// The bytes that it takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let cited: usize = self.cited.iter().map(|id| id.len() + 24).sum();
        let stories = self.numbers.len() * (8 + 8 + 2) + self.firsts.len() * 4;
        size_of::<Self>() + cited + stories + self.words.size() + self.blocks.size()
    }

    /// The number of its stories.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether it has no story.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Returns a drawer with the newest of its stories, of at most so many bytes; none at all if they are few.
    #[must_use]
    pub fn cut(&self, limit: usize) -> Self {
        // In proportion first; stories differ in length.
        let mut blocks = self.firsts.len().saturating_mul(limit) / self.bytes().max(1);
        blocks = blocks.min(self.firsts.len().saturating_sub(1));
        loop {
            let drawer = self.with_blocks(blocks);
            if blocks == 0 || drawer.bytes() <= limit {
                return drawer;
            }
            blocks -= (blocks / 16).max(1);
        }
    }

    /// Returns a drawer with the stories of its first blocks.
    fn with_blocks(&self, count: usize) -> Self {
        let stories = self.firsts.get(count).map_or(self.numbers.len(), |first| *first as usize);
        let (mut words, mut blocks) = (DictionaryWriter::default(), ByteRows::default());
        let mut all = self.words.all();
        while let Some(row) = all.next() {
            let kept = Postings::new(row).before(u32::try_from(stories).unwrap_or(u32::MAX));
            if let Some(row) = kept {
                words.push(&all.word, &row);
            }
        }
        (0..count).filter_map(|at| self.blocks.get(at)).for_each(|block| blocks.push(block));
        blocks.shrink();
        Self {
            topic: self.topic.clone(),
            basis: self.basis.clone(),
            cited: self.cited.clone(),
            is_whole: stories == self.numbers.len() && self.is_whole,
            numbers: self.numbers.get(..stories).unwrap_or_default().into(),
            dates: self.dates.get(..stories).unwrap_or_default().into(),
            titles: self.titles.get(..stories).unwrap_or_default().into(),
            foldings: self.foldings.clone(),
            words: words.finish(),
            blocks,
            firsts: self.firsts.get(..count).unwrap_or_default().into(),
            month: self.month,
            stamp: self.stamp,
        }
    }

    /// Returns the stories in which all terms stand, each in one of its ways.
    pub(super) fn holding(&self, terms: &[Vec<Vec<&str>>]) -> StoriesWith {
        let mut terms = terms.iter();
        let mut held = terms.next().map(|ways| self.stories_with(ways)).unwrap_or_default();
        for ways in terms {
            if held.is_empty() {
                break;
            }
            held = in_both(&held, &self.stories_with(ways));
        }
        held
    }

    /// Returns the stories in which one of the ways to write a term stands.
    pub(super) fn stories_with(&self, ways: &[Vec<&str>]) -> StoriesWith {
        let mut found = StoriesWith::new();
        for folding in &self.foldings {
            for way in ways {
                match way.as_slice() {
                    [] => {}
                    [word] => self.each_word(*folding, word, &mut found),
                    [first, rest @ ..] => self.each_phrase(*folding, first, rest, &mut found),
                }
            }
        }
        if !found.is_sorted_by(|one, other| one.0 < other.0) {
            // Title first among several of one story.
            found.sort_unstable_by_key(|(story, in_title)| (*story, !in_title));
            found.dedup_by_key(|(story, _)| *story);
        }
        found
    }

    fn each_word(&self, folding: Folding, word: &str, found: &mut StoriesWith) {
        self.each_entry(folding, word, |_, mut postings| {
            while let Some((story, in_title)) = postings.next_story() {
                found.push((story, in_title));
            }
        });
    }

    fn each_phrase(&self, folding: Folding, first: &str, rest: &[&str], found: &mut StoriesWith) {
        let mut begun = self.spans(folding, first);
        for word in rest {
            if begun.is_empty() {
                return;
            }
            let next = self.spans(folding, word);
            // Both in order: by where the one ends, and by where the other begins.
            begun.sort_unstable_by_key(|(story, span)| (*story, span.end));
            let (mut longer, mut from) = (Vec::new(), 0);
            for (story, span) in &begun {
                while next.get(from).is_some_and(|(other, next)| (*other, next.start) < (*story, span.end)) {
                    from += 1;
                }
                let fitting = next.iter().skip(from);
                let fitting = fitting.take_while(|(other, next)| (*other, next.start) == (*story, span.end));
                longer.extend(fitting.map(|(_, next)| (*story, span.start..next.end)));
            }
            longer.dedup();
            begun = longer;
        }
        found.extend(begun.into_iter().map(|(story, span)| (story, self.is_in_title(story, span.start))));
    }

    /// The places of a word, also joined, by story and start.
    fn spans(&self, folding: Folding, word: &str) -> Vec<(u32, Range<u32>)> {
        let mut spans = Vec::new();
        self.each_entry(folding, word, |parts, mut postings| {
            let mut starts = Vec::new();
            while let Some(story) = postings.next_places(|start| starts.push(start)) {
                spans.extend(starts.drain(..).map(|start| (story, start..start + parts)));
            }
        });
        if !spans.is_sorted_by(|one, other| (one.0, one.1.start) <= (other.0, other.1.start)) {
            spans.sort_unstable_by_key(|(story, span)| (*story, span.start));
        }
        spans
    }

    /// Calls with the postings of a word: alone, and joined of several parts, with their number.
    fn each_entry(&self, folding: Folding, word: &str, mut call: impl FnMut(u32, Postings<'_>)) {
        let key = key(folding, word, 1);
        let mut words = self.words.from(&key);
        while let Some(row) = words.next() {
            let parts = match words.word.strip_prefix(key.as_slice()) {
                Some([]) => 1,
                Some([JOINED, parts]) => u32::from(*parts),
                Some(_) | None => return,
            };
            call(parts, Postings::new(row));
        }
    }

    fn is_in_title(&self, story: u32, place: u32) -> bool {
        self.titles.get(story as usize).is_some_and(|words| place < u32::from(*words))
    }

    /// Returns a story as it is shown.
    pub(super) fn story(&self, story: u32) -> Option<FiledStory> {
        let block = self.firsts.partition_point(|first| *first <= story).checked_sub(1)?;
        let first = *self.firsts.get(block)?;
        // The longest block holds one story of any length.
        let mut bytes = Vec::new();
        DeflateDecoder::new(self.blocks.get(block)?).read_to_end(&mut bytes).ok()?;
        let mut numbers = PackedNumbers(&bytes);
        let mut at = first;
        loop {
            let filed = FiledStory::read(&mut numbers)?;
            if at == story {
                return Some(filed);
            }
            at += 1;
        }
    }

    /// Whether it has the story of this number and date.
    pub(super) fn has(&self, number: i64, date: i64) -> bool {
        let from = self.dates.partition_point(|known| *known > date);
        let dates = self.dates.iter().skip(from).take_while(|known| **known == date);
        dates.zip(self.numbers.iter().skip(from)).any(|(_, known)| *known == number)
    }
}

/// The stories of a word, and apart from them its places there, which only phrases ask for.
struct Postings<'a> {
    stories: PackedNumbers<'a>,
    places: PackedNumbers<'a>,
    story: u32,
}

impl<'a> Postings<'a> {
    /// Writes both as one row.
    fn row(stories: &[u8], places: &[u8]) -> Vec<u8> {
        let mut row = Vec::with_capacity(stories.len() + places.len() + 2);
        put_number(&mut row, u32::try_from(stories.len()).unwrap_or_default());
        row.extend_from_slice(stories);
        row.extend_from_slice(places);
        row
    }

    fn new(row: &'a [u8]) -> Self {
        let mut places = PackedNumbers(row);
        let stories = PackedNumbers(places.bytes().unwrap_or_default());
        Self { stories, places, story: 0 }
    }

    /// Goes to the next story; returns it, with whether the word stands in its title.
    fn next_story(&mut self) -> Option<(u32, bool)> {
        let head = self.stories.next()?;
        self.story += head >> 2;
        if head & 1 == 1 {
            self.stories.next()?;
        }
        Some((self.story, head & 2 == 2))
    }

    /// Goes to the next story, and calls with each place of the word there, in order; returns the story.
    fn next_places(&mut self, mut call: impl FnMut(u32)) -> Option<u32> {
        let head = self.stories.next()?;
        self.story += head >> 2;
        let others = if head & 1 == 1 { self.stories.next()? } else { 0 };
        let mut place = self.places.next()?;
        call(place);
        for _ in 0..others {
            place += self.places.next()?;
            call(place);
        }
        Some(self.story)
    }

    /// Returns the row of the stories before one; `None` if there are none.
    fn before(mut self, end: u32) -> Option<Vec<u8>> {
        let (stories, places) = (self.stories.0, self.places.0);
        let mut kept = (0, 0);
        while let Some(story) = self.next_places(|_| ()) {
            if story >= end {
                break;
            }
            kept = (stories.len() - self.stories.0.len(), places.len() - self.places.0.len());
        }
        let (stories, places) = (stories.get(..kept.0)?, places.get(..kept.1)?);
        (!stories.is_empty()).then(|| Self::row(stories, places))
    }
}

/// The stories of both lists; in the title are those that are so in both.
fn in_both(one: &[(u32, bool)], other: &[(u32, bool)]) -> StoriesWith {
    let mut other = other.iter().peekable();
    let mut both = StoriesWith::new();
    for (story, in_title) in one {
        while other.next_if(|(next, _)| next < story).is_some() {}
        if let Some((_, also)) = other.next_if(|(next, _)| next == story) {
            both.push((*story, *in_title && *also));
        }
    }
    both
}
