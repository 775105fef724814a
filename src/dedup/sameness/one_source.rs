//! Two entries of one source: they are two items, unless the source tells one item twice.
//!
//! A source that fills in one form again and again (an official journal, a licensing authority) writes texts that differ
//! by a name. So likeness is not enough within a source.

use super::compare::{Comparison, Refusal, compare_words};
use super::subject::Subject;
use crate::config::DedupSettings;
use crate::story::Sameness;

/// Fewest words of a text that is recognised on another page of its source.
const WORDS_MIN: usize = 20;

/// Smallest share of text that a text and its correction have in common.
const CORRECTED: f64 = 0.9;

/// Smallest share of text that leaves the pair open: an entry of another source may show that they are one item.
const ALIKE: f64 = 0.8;

/// Compares two entries of one source.
pub(super) fn compare_in_source(one: &Subject, other: &Subject, settings: &DedupSettings) -> Comparison {
    let comparison = compare_words(one, other, settings);
    let verdict = match comparison.verdict {
        _ if is_told_twice(one, other, &comparison) => Ok(Sameness::Text),
        Ok(_) if comparison.text >= ALIKE => Err(Refusal::Unlike),
        _ => Err(Refusal::Neighbours),
    };
    Comparison { verdict, ..comparison }
}

/// Whether the source tells one item twice: at one date, with one text that is long or on one page; or as a text and its
/// correction under one guid.
fn is_told_twice(one: &Subject, other: &Subject, comparison: &Comparison) -> bool {
    let is_dated_alike = one.published.is_some() && one.published == other.published;
    let is_one_page = one.page.is_some() && one.page == other.page;
    let is_long = comparison.words >= WORDS_MIN;
    let is_repeated =
        is_dated_alike && one.says_the_same(other) && (is_one_page || is_long && comparison.verdict.is_ok());
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
