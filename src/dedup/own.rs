//! An entry among those of its own source: whether it is one of them under another name, or told twice.
//!
//! A source that fills one template again and again (an official journal, a licensing authority) writes texts that
//! differ by a name: what it tells under another address is another item, unless everything that it says is the same.

use std::collections::HashSet;
use std::hash::BuildHasher;

use super::compare::{Comparison, Refusal, compare, compare_words};
use super::subject::Subject;
use crate::config::DedupSettings;
use crate::story::{Peer, Sameness};

/// On one page of a source, texts shorter than this are told apart by their dates too.
const WORDS_MIN: usize = 20;

/// The least share of text that a text and its correction have in common.
const CORRECTED: f64 = 0.9;

/// The least share of text that two tellings of one item in one source have in common, if others show that they are.
const ALIKE: f64 = 0.8;

/// Finds the stored entry of the same source that a new one is under another guid or title: the site has moved, or
/// changed all its ids.
///
/// `candidates` are stored entries that share a clue with it, by number. `present` are the numbers of the stored entries
/// that the same document holds: an entry that is there beside the new one is another entry. The earliest is found.
#[must_use]
pub fn itself<'a>(
    new: &Subject,
    candidates: impl IntoIterator<Item = (i64, &'a Subject)>,
    present: &HashSet<i64, impl BuildHasher>,
    settings: &DedupSettings,
) -> Option<i64> {
    let own = candidates.into_iter().filter(|(number, other)| {
        other.source_id == new.source_id && !present.contains(number) && is_itself(new, other, settings)
    });
    own.map(|(number, _)| number).min()
}

fn is_itself(new: &Subject, other: &Subject, settings: &DedupSettings) -> bool {
    if new.page.is_some() && new.page == other.page {
        is_edited(new, other, settings)
    } else {
        is_moved(new, other, settings)
    }
}

/// Says how two different entries compare: of two sources by links, guids, titles and texts; of one source they are two
/// items unless it tells one item twice.
#[must_use]
pub fn relation(one: &Subject, other: &Subject, settings: &DedupSettings) -> Comparison {
    if one.source_id != other.source_id {
        return compare(one, other, settings);
    }
    let comparison = compare_words(one, other, settings);
    let verdict = match comparison.verdict {
        _ if is_told_twice(one, other, &comparison) => Ok(Sameness::Text),
        // Nearly the same text twice: a third source may show that it is one item.
        Ok(_) if comparison.text >= ALIKE => Err(Refusal::Unlike),
        _ => Err(Refusal::Neighbours),
    };
    Comparison { verdict, ..comparison }
}

/// Says whether [`relation`] may find the same item, without looking at any text: a new source's whole document is a
/// crowd of neighbours.
#[must_use]
pub fn may_be_same(one: &Subject, other: &Peer) -> bool {
    let is_dated_alike = one.published.is_some() && one.published == other.published;
    let is_named_alike = one.id.is_some() && one.id.as_deref() == other.id.as_deref().map(str::trim);
    one.source_id != other.source_id || is_dated_alike || is_named_alike
}

/// On the same page of the same source, which in itself tells nothing: next week's agenda takes the place of this
/// week's, and a court's docket has one page for all its documents. So the texts must be nearly the same, and short
/// ones at the same date too.
fn is_edited(new: &Subject, other: &Subject, settings: &DedupSettings) -> bool {
    let Comparison { verdict, text, words, .. } = compare_words(new, other, settings);
    let is_dated_alike = new.published == other.published || new.published.is_none();
    let is_alike = if words < WORDS_MIN { is_dated_alike && (words == 0 || text >= 0.95) } else { text >= 0.8 };
    // A short title over a short text is too little for another page, not for this one.
    let is_unaltered = verdict == Err(Refusal::Unlike) && is_dated_alike && says_the_same(new, other);
    verdict.is_ok() && is_alike || is_unaltered
}

/// On the list of one source two times: at one date, the same text of some length, or on one page whatever it is; or
/// a text and its correction, under one guid.
fn is_told_twice(one: &Subject, other: &Subject, comparison: &Comparison) -> bool {
    let is_dated_alike = one.published.is_some() && one.published == other.published;
    let is_one_page = one.page.is_some() && one.page == other.page;
    let is_long = comparison.words >= WORDS_MIN;
    let is_repeated =
        is_dated_alike && says_the_same(one, other) && (is_one_page || is_long && comparison.verdict.is_ok());
    let is_corrected = is_one_page
        && is_long
        && one.id.is_some()
        && one.id == other.id
        && comparison.verdict.is_ok()
        && comparison.title > 0.99
        && comparison.text >= CORRECTED
        && one.text.numbers == other.text.numbers;
    is_repeated || is_corrected
}

/// On another page of the same source: the site has moved and kept titles and texts, and the dates too unless the
/// texts are long enough to be recognised without.
fn is_moved(new: &Subject, other: &Subject, settings: &DedupSettings) -> bool {
    let is_dated_alike = new.published.is_some() && new.published == other.published;
    let Comparison { verdict, words, .. } = compare_words(new, other, settings);
    // A title that says little, and all that was said under it at that instant.
    let is_unaltered = verdict == Err(Refusal::Unlike) && is_dated_alike;
    (verdict.is_ok() && (is_dated_alike || words >= WORDS_MIN) || is_unaltered) && says_the_same(new, other)
}

fn says_the_same(new: &Subject, other: &Subject) -> bool {
    new.title.words == other.title.words && new.text.shingles == other.text.shingles
}
