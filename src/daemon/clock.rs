//! The daemon's clocks. A test may have one of its own, which goes on as Tokio's time does.

use std::time::Instant;

use crate::feed::Timestamp;
use crate::pipeline::wall_clock;

/// Returns the time of the wall clock.
pub(super) fn now() -> Timestamp {
    #[cfg(test)]
    if let Some(now) = simulated::now() {
        return now;
    }
    wall_clock::current()
}

/// Returns the time of the steady clock, which nobody sets.
pub(super) fn instant() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A wall clock of a test: that of its thread.
#[cfg(test)]
pub(super) mod simulated {
    use std::cell::Cell;

    use chrono::TimeDelta;
    use tokio::time::Instant;

    use crate::feed::Timestamp;

    thread_local! {
        static CLOCK: Cell<Option<(Timestamp, Instant)>> = const { Cell::new(None) };
    }

    pub(super) fn now() -> Option<Timestamp> {
        let (set_to, set_at) = CLOCK.get()?;
        Some(set_to + TimeDelta::from_std(set_at.elapsed()).unwrap())
    }

    /// Sets the clock.
    pub(in crate::daemon) fn set(to: Timestamp) {
        CLOCK.set(Some((to, Instant::now())));
    }
}
