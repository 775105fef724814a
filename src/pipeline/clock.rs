//! Our clock beside those of servers, and the dates that it spoilt while it was wrong.

use chrono::TimeDelta;

use super::Context;
use crate::feed::Timestamp;
use crate::state::{Hold, SourceState};
use crate::store::{Change, StoreError};

/// Our clock beside that of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skew {
    /// The server does not tell the time, or its clock is behind ours.
    Unknown,
    /// Ours is right as far as the server knows.
    Agreed,
    /// Ours is behind.
    Behind,
}

/// Clocks that differ less agree.
const CLOCKS_AGREE: TimeDelta = TimeDelta::minutes(10);

impl Skew {
    pub(super) fn of(date: Option<Timestamp>, now: Timestamp) -> Self {
        match date {
            Some(date) if date - now > CLOCKS_AGREE => Self::Behind,
            Some(date) if now - date <= CLOCKS_AGREE => Self::Agreed,
            Some(_) | None => Self::Unknown,
        }
    }
}

/// Dates entries anew that were first met while the clock was wrong, and forgets that it was.
pub(super) async fn redate_entries(
    context: &Context,
    hold: Option<Hold>,
    mut state: SourceState,
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<(), StoreError> {
    state.about.clock_was_behind = None;
    let redate = Change::Redate { source_id: state.source_id.clone(), from, until, now };
    let under = hold.map(Change::Held).into_iter();
    let changes: Vec<Change> = under.chain([redate, Change::Source(Box::new(state))]).collect();
    context.store.call(move |store| store.apply(&changes, None).map(|_| ())).await
}
