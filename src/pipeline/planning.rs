//! When a source is polled next.

use super::Context;
use crate::config::Source;
use crate::feed::Timestamp;
use crate::schedule::{self, Asked};
use crate::state::{SourceState, Wait};

/// When a source is due that is planned for `next_poll`; `None` at once, for a clock that was ahead set it.
pub(super) fn when_due(
    context: &Context,
    source: &Source,
    state: &SourceState,
    next_poll: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    schedule::due(&asked(context, source, state, &[]), state.last_poll, next_poll, now)
}

/// Sets the next poll; none for a source that is gone.
pub(super) fn plan(
    context: &Context,
    source: &Source,
    state: &mut SourceState,
    waits: &[Wait],
    is_pushed: bool,
    now: Timestamp,
) {
    if state.retired {
        state.next_poll = None;
        state.next_poll_why = "gone for good (410): give its new address, or remove it from the config".into();
        return;
    }
    let next = schedule::next_poll(&Asked { is_pushed, ..asked(context, source, state, waits) }, now);
    state.next_poll = Some(next.at);
    state.next_poll_why = next.why;
}

fn asked<'a>(context: &'a Context, source: &'a Source, state: &'a SourceState, waits: &'a [Wait]) -> Asked<'a> {
    Asked {
        source_id: &source.id,
        schedule: &source.schedule,
        waits,
        rhythm: &state.about.rhythm,
        failures: state.failures,
        is_pushed: false,
        postpone_max: context.config.poll.postpone_max,
    }
}
