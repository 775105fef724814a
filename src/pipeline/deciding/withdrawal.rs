//! Notes which entries of a source are listed, missed and withdrawn. The decisions are those of
//! `dedup/lifecycle/withdrawal.rs`, which also says how an entry goes from one to the next.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;

use super::Draft;
use crate::dedup::{self, Listing};
use crate::feed::Timestamp;
use crate::store::Change;
use crate::story::ListedSpan;

/// Span in which the departures of a source are looked at for a habit.
const HABIT: TimeDelta = TimeDelta::days(90);

/// Notes what a document changes for the stored entries of its source. `present` are the numbers of its entries, `new`
/// those of them that it brought.
pub(super) fn note_document(
    draft: &mut Draft<'_>,
    source_id: &str,
    listing: &Listing,
    present: &HashSet<i64>,
    new: &HashSet<i64>,
    now: Timestamp,
) {
    let Some(listed) = draft.listed(source_id) else { return };
    let change = dedup::listing_change(listing, listed, present, new, now);
    for number in change.back {
        draft.relist(number, now);
    }
    draft.leave(source_id, change.left, now);
    draft.miss(source_id, change.missed, Some(now));
    draft.miss(source_id, change.excused, None);
}

/// Notes as withdrawn the entries that were missed for long enough, unless their source takes entries away by habit.
///
/// Every answered poll does so: "304 Not Modified" says that they are still missing.
pub(super) fn conclude(draft: &mut Draft<'_>, source_id: &str, withdrawn_after: TimeDelta, now: Timestamp) {
    let Some(missed) = draft.missed(source_id) else { return };
    let is_due = |since| dedup::is_due(Some(since), withdrawn_after, now);
    let due = missed.into_iter().filter(|(_, since)| is_due(*since));
    let mut due: Vec<i64> = due.map(|(number, _)| number).collect();
    due.sort_unstable();
    if due.is_empty() {
        return;
    }
    let Some(spans) = draft.spans(source_id, now - HABIT) else { return };
    let left: HashMap<i64, Timestamp> = draft.left(source_id);
    let until = |span: &ListedSpan| left.get(&span.number).copied().or(span.until);
    let spans = spans.iter().map(|span| ListedSpan { until: until(span), ..*span });
    let spans: Vec<ListedSpan> = spans.chain(draft.begun(source_id)).collect();
    if dedup::takes_away(&spans) {
        draft.miss(source_id, due, None);
    } else {
        draft.changes.push(Change::Withdraw { numbers: due, now });
    }
}
