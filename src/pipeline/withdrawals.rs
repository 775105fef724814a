//! Entries that a document holds no more: most left because newer ones came, some were taken back by their publisher.

use chrono::TimeDelta;
use tracing::info;

use crate::dedup::{self, Missed};
use crate::feed::{Defect, Timestamp};
use crate::store::{Store, StoreError};
use crate::story::{EntryKey, Listed};

/// Defects of a document from which entries may be missing that its publisher never took away.
const LOSSES: [&str; 6] = ["cut", "entry", "markup", "mismatched", "too_large", "unclosed"];

/// How far back a source's habits are looked for.
const HABIT: TimeDelta = TimeDelta::days(90);

/// And how many departures are looked at: a source that turns over its whole document all the time has many.
const DEPARTURES: usize = 100;

/// What a document tells of the entries that it does not hold.
pub(super) enum Listing {
    /// Nothing: it brings only what is new (RFC 3229).
    Delta,
    /// They have left the feed; why, nobody can tell: it was cut or broken, or is the first of its address.
    Doubtful,
    /// They have left the feed. The keys of its own, in their order, say which did so out of their turn.
    Whole(Vec<EntryKey>),
}

impl Listing {
    /// Says what a document tells. `is_first`: no document of its address was read before.
    pub(super) fn new(is_delta: bool, is_first: bool, defects: &[Defect], order: Vec<EntryKey>) -> Self {
        if is_delta {
            Self::Delta
        } else if is_first || defects.iter().any(|defect| LOSSES.contains(&defect.code.as_str())) {
            Self::Doubtful
        } else {
            Self::Whole(order)
        }
    }

    /// Returns what the last document held, as far as this one can tell anything of it. To be asked before new ones are
    /// kept.
    pub(super) fn before(&self, store: &mut dyn Store, source_id: &str) -> Result<Vec<Listed>, StoreError> {
        match self {
            Self::Delta => Ok(Vec::new()),
            Self::Doubtful | Self::Whole(_) => store.listed(source_id),
        }
    }

    /// Notes which entries are there and which are missed, inside the poll's transaction; says whether one is back that
    /// was withdrawn. `new` entries came with the same document.
    pub(super) fn note(
        &self,
        store: &mut dyn Store,
        source_id: &str,
        listed: &[Listed],
        present: &[i64],
        new: usize,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let verdict = match self {
            Self::Delta => Missed::default(),
            Self::Doubtful => {
                let suspected = listed.iter().filter(|entry| entry.is_suspected);
                Missed { cleared: suspected.map(|entry| entry.number).collect(), ..Missed::default() }
            }
            Self::Whole(order) => dedup::missed(listed, present, order, new, now),
        };
        let back = store.mark_present(source_id, present, !matches!(self, Self::Delta), now)?;
        store.suspect(&verdict.suspected, Some(now))?;
        store.suspect(&verdict.cleared, None)?;
        Ok(back > 0)
    }
}

/// Takes for withdrawn what is missed for long enough. Every poll that was answered does so: "not modified" says that it
/// is missing still.
pub(super) fn conclude(
    store: &mut dyn Store,
    source_id: &str,
    withdrawn_after: TimeDelta,
    now: Timestamp,
) -> Result<(), StoreError> {
    let missed = store.suspected(source_id, now - withdrawn_after)?;
    if missed.is_empty() {
        return Ok(());
    }
    if dedup::takes_away(&store.stays(source_id, now - HABIT, DEPARTURES)?) {
        return store.suspect(&missed, None);
    }
    info!(entries.withdrawn = missed.len(), "{} entries were taken back by their publisher", missed.len());
    store.withdraw(&missed, now)?;
    store.raise_generation()
}
