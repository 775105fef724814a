//! A poll that brought nothing: put off, a failure of its source, or in doubt until it is clear who is at fault.

use std::fmt;
use std::sync::LazyLock;

use chrono::TimeDelta;
use regex::Regex;
use tracing::warn;
use url::Url;

use super::deciding::PollToKeep;
use super::planning::plan;
use super::reading::Unreadable;
use super::{Context, Outcome, Polled, telling};
use crate::config::Source;
use crate::feed::Timestamp;
use crate::fetch;
use crate::outage::{Finding, Reply};
use crate::state::{PollFailure, Wait};
use crate::store::StoreError;
use crate::text::{rough_duration, without_secrets};

/// 410: the publisher says that it is gone for good (RFC 9110 §15.5.11).
const GONE: u16 = 410;

/// Extra wait of the feed whose server said "leave this host alone" (429, 503): the host's other feeds are asked first,
/// else one that is always refused would keep them from ever being asked.
const OTHERS_FIRST: TimeDelta = TimeDelta::minutes(10);

/// Wait after a document found no memory: the round of polls is over by then. It is no failure of the publisher, so no
/// back-off.
const BUSY_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// When a source is tried again whose host stayed with another node.
pub(super) const ELSEWHERE_PAUSE: TimeDelta = TimeDelta::minutes(1);

/// A poll that brought nothing, with everything to keep if its host is at fault.
#[derive(Debug)]
pub struct Doubt {
    /// The way in which the host did not answer.
    pub reply: Reply,
    pub(super) source: Source,
    pub(super) poll: PollToKeep,
    pub(super) ground: Ground,
    /// The host stays this node's until it is decided.
    pub(super) lease: Option<fetch::LeaseUse>,
}

/// The reason for which a poll is in doubt.
#[derive(Debug)]
pub(super) enum Ground {
    Fetch { address: Url, error: fetch::FetchError },
    Unreadable { unreadable: Unreadable, waits: Vec<Wait> },
}

impl Doubt {
    /// The source that was polled.
    #[must_use]
    pub fn source_id(&self) -> &str {
        &self.source.id
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ground {
            Ground::Fetch { error, .. } => error.fmt(to),
            Ground::Unreadable { unreadable, .. } => to.write_str(&unreadable.message),
        }
    }
}

/// Longest example of an error that is told of an outage.
const EXAMPLE_MAX: usize = 120;

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("(https?://[^/?#\\s]+)[^\\s)>,;]*").expect("constant pattern"));

/// Says in one line that this machine has no network: what was found of so many polls, and what one of them met.
#[must_use]
pub fn no_network(finding: Finding, polls: usize, example: &str) -> String {
    // Of an address only the host: the feed's may be a secret, and this is told to everybody.
    let example: String = ADDRESS.replace_all(example, "$1/").chars().take(EXAMPLE_MAX).collect();
    let said = match finding {
        Finding::Portal => "one page answers in the place of all hosts: does this network want a login?",
        Finding::Open | Finding::Hosts | Finding::Offline => "no host answers: is this machine connected?",
    };
    format!("{said} ({polls} asked; {example})")
}

/// Keeps a poll in doubt as a failure of its source.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// Nothing is kept unless all of it is.
pub async fn blame(context: &Context, doubt: Doubt) -> Result<Polled, StoreError> {
    let Doubt { source, poll, ground, lease: _held, .. } = doubt;
    match ground {
        Ground::Fetch { address, error } => fail(context, &source, poll, &address, &error).await,
        Ground::Unreadable { unreadable, waits } => misread(context, &source, poll, unreadable, &waits).await,
    }
}

/// Keeps the failure of a source whose server brought no document, or when to try again.
pub(super) async fn fail(
    context: &Context,
    source: &Source,
    poll: PollToKeep,
    address: &Url,
    error: &fetch::FetchError,
) -> Result<Polled, StoreError> {
    let PollToKeep { mut state, now, .. } = poll;
    if let Some((outcome, next_poll)) = put_off(error, now) {
        // Dates the plan, should the clock be ahead.
        state.last_poll = Some(now);
        state.next_poll = Some(next_poll);
        state.next_poll_why = without_secrets(&error.to_string()).into_owned();
        context.keeper.keep(PollToKeep { state, ..poll }).await?;
        return Ok(Polled { outcome, next_poll: Some(next_poll) });
    }
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    let last_poll = state.last_poll;
    let message = without_secrets(&format!("{error}{hint}")).into_owned();
    let failure = state.fail(error.code(), message, now);
    // The configured address has the last word: an adopted address may go.
    state.retired = *address == source.url && matches!(error, fetch::FetchError::Status { code: GONE, .. });
    plan(context, source, &mut state, error.asks(), false, now);
    if let Some(throttle) = error.throttle() {
        state.next_poll = state.next_poll.max(Some(throttle.until + OTHERS_FIRST));
    }
    let poll = PollToKeep { state, throttle: error.throttle().cloned(), ..poll };
    keep_failure(context, poll, failure, address, last_poll).await
}

/// Keeps the state of a source whose document could not be read.
pub(super) async fn misread(
    context: &Context,
    source: &Source,
    poll: PollToKeep,
    Unreadable { code, message }: Unreadable,
    waits: &[Wait],
) -> Result<Polled, StoreError> {
    let mut state = poll.state.clone();
    let last_poll = state.last_poll;
    let failure = state.fail(code, message, poll.now);
    plan(context, source, &mut state, waits, false, poll.now);
    let address = state.address(&source.url).clone();
    keep_failure(context, PollToKeep { state, ..poll }, failure, &address, last_poll).await
}

/// Returns the outcome and the next try of a poll that ended without a failure of the source.
fn put_off(error: &fetch::FetchError, now: Timestamp) -> Option<(Outcome, Timestamp)> {
    match error {
        fetch::FetchError::Postponed { until, .. } => Some((Outcome::HostPostponed, *until)),
        fetch::FetchError::Elsewhere { .. } => Some((Outcome::HostPostponed, now + ELSEWHERE_PAUSE)),
        fetch::FetchError::Busy { .. } => Some((Outcome::NoMemory, now + BUSY_PAUSE)),
        _ => None,
    }
}

async fn keep_failure(
    context: &Context,
    poll: PollToKeep,
    failure: PollFailure,
    address: &Url,
    last_poll: Option<Timestamp>,
) -> Result<Polled, StoreError> {
    let next_poll = poll.state.next_poll;
    // Told when the state changes, then once a day: `feeds` shows the rest.
    let (failures, since, now) = (poll.state.failures, failure.since, poll.now);
    let is_told = failures == 1 || is_told_again(since, last_poll, now);
    if is_told && (!failure.is_of_host() || context.telling.is_news(address, &failure.message, now)) {
        let for_so_long = if failures == 1 { String::new() } else { format!(" for {}", rough_duration(now - since)) };
        let others = if failure.is_of_host() { telling::with_others(&context.config, address) } else { String::new() };
        warn!(error.code = failure.code, failures, "failing{for_so_long}: {}{others}", failure.message);
    }
    context.keeper.keep(poll).await?;
    Ok(Polled { outcome: Outcome::Failed(failure), next_poll })
}

/// Whether a failure that stays is told at this poll: at the first of each day since it began.
fn is_told_again(since: Timestamp, last_poll: Option<Timestamp>, now: Timestamp) -> bool {
    let days = |at: Timestamp| (at - since).num_days();
    last_poll.is_some_and(|last| days(now) > days(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_stays_is_told_once_a_day() {
        let at = |hours: i64| Timestamp::UNIX_EPOCH + TimeDelta::hours(hours);
        let told: Vec<i64> = (1..80).filter(|hour| is_told_again(at(0), Some(at(hour - 1)), at(*hour))).collect();
        assert_eq!(told, [24, 48, 72]);
        assert!(is_told_again(at(0), Some(at(20)), at(200)), "rare polls tell it each time");
        assert!(!is_told_again(at(0), None, at(200)));
    }

    #[test]
    fn an_outage_tells_hosts_and_no_addresses() {
        let example = "nothing listens at https://a.example:8443/flux?token=secret, nor (http://b.example?key=x)";
        let told = no_network(Finding::Offline, 3, example);
        assert!(
            told.ends_with("(3 asked; nothing listens at https://a.example:8443/, nor (http://b.example/))"),
            "{told}"
        );
    }
}
