//! An entry under another guid, title or address: its site has moved, changed its ids, or edited the page.

use std::collections::HashSet;
use std::hash::BuildHasher;

use crate::config::DedupSettings;
use crate::dedup::sameness::{Comparison, Refusal, Subject, compare_words};

/// Texts with fewer words are told apart by their dates too.
const WORDS_MIN: usize = 20;

/// Finds the stored entry of the same source that a new entry continues: the one with the lowest number.
///
/// `candidates` are stored entries, by number, that share a clue with `new`. An entry in `present` is in the same document
/// as `new`, so it is another entry.
#[must_use]
pub fn itself<'a>(
    new: &Subject,
    candidates: impl IntoIterator<Item = (i64, &'a Subject)>,
    present: &HashSet<i64, impl BuildHasher>,
    settings: &DedupSettings,
) -> Option<i64> {
    let is_on_page = |other: &Subject| new.page.is_some() && new.page == other.page;
    let is_itself = |other| if is_on_page(other) { is_edited } else { is_moved }(new, other, settings);
    let own = candidates
        .into_iter()
        .filter(|(number, other)| other.source_id == new.source_id && !present.contains(number) && is_itself(other));
    own.map(|(number, _)| number).min()
}

/// Whether a new entry on the page of an earlier one is its edited form.
///
/// The same page alone proves nothing: next week's agenda replaces this week's, and a court's docket has one page for all
/// its documents. The texts must be nearly the same, and short texts must also have the same date.
fn is_edited(new: &Subject, other: &Subject, settings: &DedupSettings) -> bool {
    let Comparison { verdict, text, words, .. } = compare_words(new, other, settings);
    let is_dated_alike = new.published == other.published || new.published.is_none();
    let is_alike = if words < WORDS_MIN { is_dated_alike && (words == 0 || text >= 0.95) } else { text >= 0.8 };
    // A short title over a short text is too little to compare two pages by, but enough on one page.
    let is_unaltered = verdict == Err(Refusal::Unlike) && is_dated_alike && new.says_the_same(other);
    verdict.is_ok() && is_alike || is_unaltered
}

/// Whether a new entry is an earlier one at another address: the same title and text, and the same date unless the text is
/// long enough to be recognised without.
fn is_moved(new: &Subject, other: &Subject, settings: &DedupSettings) -> bool {
    let is_dated_alike = new.published.is_some() && new.published == other.published;
    let Comparison { verdict, words, .. } = compare_words(new, other, settings);
    // The title says little, but the whole text and the instant are the same.
    let is_unaltered = verdict == Err(Refusal::Unlike) && is_dated_alike;
    (verdict.is_ok() && (is_dated_alike || words >= WORDS_MIN) || is_unaltered) && new.says_the_same(other)
}
