//! The wall clock of everything that is planned: that of this machine, set right by the store's where several nodes share
//! one.
//!
//! Plans of one node are followed by the others. A node whose clock is behind would take them for nonsense of a clock that
//! was ahead, and ask again at once.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{TimeDelta, Utc};

use crate::feed::Timestamp;

/// The distance of the store's clock from this machine's, in milliseconds; the process has one clock, and one store.
static AHEAD_MS: AtomicI64 = AtomicI64::new(0);

/// Differences that are smaller are not corrected: a round with the store takes as long.
const SLACK: TimeDelta = TimeDelta::milliseconds(500);

/// Returns the time.
#[must_use]
pub fn current() -> Timestamp {
    let ahead = TimeDelta::milliseconds(AHEAD_MS.load(Ordering::Relaxed));
    Utc::now().checked_add_signed(ahead).unwrap_or_else(Utc::now)
}

/// Sets the time by a clock that showed `theirs` when this machine's showed `ours`. Returns the new distance if it changed by
/// much.
pub(super) fn follow(theirs: Timestamp, ours: Timestamp) -> Option<TimeDelta> {
    let ahead = theirs - ours;
    let ahead = if ahead.abs() < SLACK { TimeDelta::zero() } else { ahead };
    let before = TimeDelta::milliseconds(AHEAD_MS.swap(ahead.num_milliseconds(), Ordering::Relaxed));
    ((ahead - before).abs() > TimeDelta::seconds(5)).then_some(ahead)
}
