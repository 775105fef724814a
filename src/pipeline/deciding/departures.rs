//! Entries that a document holds no more: most left because newer ones came, some were taken back by their publisher.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;

use super::Draft;
use crate::dedup::{self, Missed};
use crate::feed::{Defect, Timestamp};
use crate::store::Change;
use crate::story::{EntryKey, Stay};

/// Defects of a document from which entries may be missing that its publisher never took away.
const LOSSES: [&str; 6] = ["cut", "entry", "markup", "mismatched", "too_large", "unclosed"];

/// How far back a source's habits are looked for.
const HABIT: TimeDelta = TimeDelta::days(90);

/// What a document tells of the entries that it does not hold.
#[derive(Debug)]
pub(crate) enum Listing {
    /// Nothing: it brings only what is new (RFC 3229).
    Delta,
    /// They have left the feed; why, nobody can tell: it was cut or broken, or is the first of its address.
    Doubtful,
    /// They have left the feed. The keys of its own, in their order, say which did so out of their turn.
    Whole(Vec<EntryKey>),
}

impl Listing {
    /// Says what a document tells. `is_first`: no document of its address was read before.
    pub(crate) fn new(is_delta: bool, is_first: bool, defects: &[Defect], order: Vec<EntryKey>) -> Self {
        if is_delta {
            Self::Delta
        } else if is_first || defects.iter().any(|defect| LOSSES.contains(&defect.code.as_str())) {
            Self::Doubtful
        } else {
            Self::Whole(order)
        }
    }
}

/// Notes which entries are there and which are missed. `new` entries came with the same document.
pub(super) fn note(
    draft: &mut Draft<'_>,
    source_id: &str,
    listing: &Listing,
    present: &HashSet<i64>,
    new: &HashSet<i64>,
    now: Timestamp,
) {
    let Some(listed) = draft.listed(source_id) else { return };
    let held: HashSet<i64> =
        listed.iter().filter(|entry| entry.suspected.is_none()).map(|entry| entry.number).collect();
    let verdict = match listing {
        Listing::Delta => Missed::default(),
        Listing::Doubtful => {
            let suspected = listed.iter().filter(|entry| entry.suspected.is_some());
            Missed { cleared: suspected.map(|entry| entry.number).collect(), ..Missed::default() }
        }
        Listing::Whole(order) => dedup::missed(listed, present, order, new.len(), now),
    };
    let mut back: Vec<i64> = present.difference(&held).copied().filter(|number| !new.contains(number)).collect();
    back.sort_unstable();
    for number in back {
        let _ = draft.give_back(number, now);
    }
    if !matches!(listing, Listing::Delta) {
        let mut numbers: Vec<i64> = held.difference(present).copied().collect();
        numbers.sort_unstable();
        draft.leave(source_id, numbers, now);
    }
    draft.suspect(source_id, verdict.suspected, Some(now));
    let cleared = verdict.cleared.into_iter().filter(|number| !present.contains(number)).collect();
    draft.suspect(source_id, cleared, None);
}

/// Takes for withdrawn what is missed for long enough. Every poll that was answered does so: "not modified" says that it
/// is missing still.
pub(super) fn conclude(draft: &mut Draft<'_>, source_id: &str, withdrawn_after: TimeDelta, now: Timestamp) {
    let Some(suspected) = draft.suspected(source_id) else { return };
    let due = suspected.into_iter().filter(|(_, since)| *since <= now - withdrawn_after);
    let mut missed: Vec<i64> = due.map(|(number, _)| number).collect();
    missed.sort_unstable();
    if missed.is_empty() {
        return;
    }
    let Some(stays) = draft.stays(source_id, now - HABIT) else { return };
    let left: HashMap<i64, Timestamp> = draft.left(source_id);
    let stays = stays.iter().map(|stay| Stay { until: left.get(&stay.number).copied().or(stay.until), ..*stay });
    let stays: Vec<Stay> = stays.chain(draft.begun(source_id)).collect();
    if dedup::takes_away(&stays) {
        draft.suspect(source_id, missed, None);
    } else {
        draft.changes.push(Change::Withdraw { numbers: missed, now });
    }
}
