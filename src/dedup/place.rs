//! Which story a new entry tells.

use super::compare::{Comparison, Refusal, compare, compare_words};
use super::subject::Subject;
use crate::story::{Sameness, StoredEntry};

/// On one page of a source, texts shorter than this are told apart by their dates too.
const WORDS_MIN: usize = 20;

/// Where a new entry belongs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// In a story of its own.
    New,
    /// It is this stored entry of the same source under another guid or title: it replaces what that one says.
    Entry(i64),
    /// In this story, for it is the same item as an entry there.
    Story(i64, Sameness),
}

/// Says where a new entry belongs.
///
/// `candidates` are stored entries that share a clue with it, and the heads of their stories; a story without its head
/// is left alone, for no entry joins a story whose head a guard refuses. `present` are the numbers of the stored entries
/// that the same document holds: an entry that is there beside the new one is another entry.
///
/// The best reason wins, then the earliest story, whatever the order of the candidates.
#[must_use]
pub fn place(new: &Subject, candidates: &[StoredEntry], present: &[i64]) -> Place {
    let compared: Vec<Compared> = candidates.iter().map(|stored| Compared::new(new, stored, present)).collect();
    if let Some(number) = compared.iter().filter(|other| other.is_itself).map(|other| other.number).min() {
        return Place::Entry(number);
    }
    let accepts =
        |story: i64| compared.iter().any(|other| other.number == story && !other.verdict.is_err_and(Refusal::is_guard));
    let same = compared.iter().filter_map(|other| Some((rank(other.verdict.ok()?), other.story, other.verdict.ok()?)));
    let best = same.filter(|(_, story, _)| accepts(*story)).min_by_key(|(rank, story, _)| (*rank, *story));
    best.map_or(Place::New, |(_, story, sameness)| Place::Story(story, sameness))
}

/// The surest reason first.
fn rank(sameness: Sameness) -> u8 {
    match sameness {
        Sameness::Link => 0,
        Sameness::Guid => 1,
        Sameness::TitleText => 2,
        Sameness::Text => 3,
        Sameness::Title => 4,
    }
}

/// A candidate, compared with the new entry.
struct Compared {
    number: i64,
    story: i64,
    verdict: Result<Sameness, Refusal>,
    /// The new entry is this one under another guid or title.
    is_itself: bool,
}

impl Compared {
    fn new(new: &Subject, stored: &StoredEntry, present: &[i64]) -> Self {
        let (verdict, is_itself) = verdict(new, stored, present.contains(&stored.number));
        Self { number: stored.number, story: stored.story, verdict, is_itself }
    }
}

fn verdict(new: &Subject, stored: &StoredEntry, is_present: bool) -> (Result<Sameness, Refusal>, bool) {
    let other = Subject::stored(stored);
    if new.source_id != other.source_id {
        return (compare(new, &other).verdict, false);
    }
    if new.page.is_some() && new.page == other.page {
        let is_itself = !is_present && is_edited(new, &other);
        return (if is_itself { Ok(Sameness::Link) } else { Err(Refusal::Neighbours) }, is_itself);
    }
    // A source that fills one template again and again (an official journal, a licensing authority) writes texts that
    // differ by a name: what it tells under another address is another item.
    let is_itself = !is_present && is_moved(new, &other);
    (if is_itself { Ok(Sameness::Text) } else { Err(Refusal::Neighbours) }, is_itself)
}

/// On the same page of the same source, which in itself tells nothing: next week's agenda takes the place of this
/// week's, and a court's docket has one page for all its documents. So the texts must be nearly the same, and short
/// ones at the same date too.
fn is_edited(new: &Subject, other: &Subject) -> bool {
    let Comparison { verdict, text, words, .. } = compare_words(new, other);
    let is_alike = if words < WORDS_MIN {
        (words == 0 || text >= 0.95) && (new.published == other.published || new.published.is_none())
    } else {
        text >= 0.8
    };
    verdict.is_ok() && is_alike
}

/// On another page of the same source: the site has moved, and kept titles, texts and dates.
fn is_moved(new: &Subject, other: &Subject) -> bool {
    let is_dated_alike = new.published.is_some() && new.published == other.published;
    is_dated_alike && new.title.words == other.title.words && new.text.shingles == other.text.shingles
}
