//! The facts that the store remembers of a source between polls.

mod health;
pub mod lease;

use chrono::{DurationRound, TimeDelta};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::feed::{Person, Rhythm, Timestamp};
use crate::text;

pub use health::{Health, Monitored, Turn};
pub use lease::{Granted, Hold, LeaseAnswer, LeaseRequest, NodeSign, NodeState, Planned};

/// The facts that the store remembers of a source (a [`crate::config::Source`] is its settings only).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceState {
    /// The id of the source in the config.
    pub source_id: String,
    /// Validators by the URL that sent them; never sent to another.
    pub validators: Vec<Validators>,
    /// SHA-256 of the last body that was read, so that the same bytes are not read twice.
    pub body_hash: Option<[u8; 32]>,
    /// When it was last asked, or would have been but for its host.
    pub last_poll: Option<Timestamp>,
    /// When it last answered with a feed or "not modified".
    pub last_success: Option<Timestamp>,
    /// When to ask next; `None` before the first poll, and for a retired source.
    pub next_poll: Option<Timestamp>,
    /// Why then.
    pub next_poll_why: String,
    /// Failed polls in a row.
    pub failures: u32,
    /// The last failure, until a success.
    pub last_error: Option<PollFailure>,
    /// 410 Gone: never polled again unless its URL in the config changes.
    pub retired: bool,
    /// The URL of the config when it was last polled; another one forgets what belongs to the old.
    pub url: Option<Url>,
    /// The address adopted after permanent redirects; `url` stays what the config says.
    pub moved_to: Option<Url>,
    /// A permanent redirect seen lately, not adopted yet.
    pub redirect: Option<Redirect>,
    /// The feed's own metadata, for `atom:source`; boxed, since a publication moves that of every source.
    pub about: Box<About>,
}

/// How the polls of a source went, in short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polls {
    /// When it last answered with a feed or "not modified".
    pub last_success: Option<Timestamp>,
    /// When to ask next; `None` before the first poll, and for a retired source.
    pub next_poll: Option<Timestamp>,
    /// Failed polls in a row.
    pub failures: u32,
    /// 410 Gone: never polled again unless its URL in the config changes.
    pub retired: bool,
}

/// A source as the store knows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remembered {
    /// Its state.
    pub state: SourceState,
    /// Its health, as it was told last.
    pub health: Option<Health>,
    /// Since when its longest missed entry is missed.
    pub missed_since: Option<Timestamp>,
}

/// Validators that a server told us to send back (RFC 9110 §8.8), byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// The URL that sent them.
    pub url: String,
    /// `ETag`.
    pub etag: Option<Vec<u8>>,
    /// `Last-Modified`.
    pub last_modified: Option<Vec<u8>>,
}

/// A permanent redirect under observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The end of the chain.
    pub to: Url,
    /// When it was first seen, without another answer since.
    pub since: Timestamp,
    /// Number of polls in a row that saw it.
    pub polls: u32,
}

/// Why a poll brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollFailure {
    /// A stable word for programs: `timeout`, `dns`, `http_404`, `not_a_feed`, …
    pub code: String,
    /// One line for people, with what can be done.
    pub message: String,
    /// When it happened first in this row of failures.
    pub since: Timestamp,
}

impl PollFailure {
    /// Tells whether all feeds of the host fail in this way: nothing of the one feed was asked yet.
    #[must_use]
    pub fn is_of_host(&self) -> bool {
        matches!(self.code.as_str(), "dns" | "connect" | "tls" | "proxy" | "timeout" | "protocol")
    }
}

/// The feed-level words of a source, as last read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The feed's own id.
    pub id: Option<String>,
    /// Plain text.
    pub title: Option<String>,
    /// The site.
    pub url: Option<Url>,
    /// Plain text.
    pub description: Option<String>,
    /// A BCP 47 tag.
    pub language: Option<String>,
    /// As the publisher says.
    pub updated: Option<Timestamp>,
    /// Plain text.
    pub rights: Option<String>,
    /// The feed's authors.
    pub authors: Vec<Person>,
    /// The software that made it.
    pub generator: Option<String>,
    /// The dialect it is written in.
    pub format: Option<String>,
    /// Its wishes on how often it is polled.
    pub rhythm: Rhythm,
    /// Whether the config kept its address private when it was last polled: it stays so after the source has left the config.
    pub is_private: bool,
    /// Addresses that it had while they were private, the latest last: stored entries may still name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Url>,
    /// Defects found when it was last read.
    pub defects: Vec<crate::feed::Defect>,
    /// Documents were read between these instants of our clock while it was behind that of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_was_behind: Option<(Timestamp, Timestamp)>,
}

/// Former private addresses that are remembered.
const FORMER_MAX: usize = 16;

impl About {
    /// Remembers addresses that are given up, if they are private.
    fn remember<'u>(&mut self, addresses: impl Iterator<Item = &'u Url>) {
        if self.is_private {
            let new: Vec<Url> = addresses.filter(|url| !self.former.contains(url)).cloned().collect();
            self.former.extend(new);
            self.former.drain(..self.former.len().saturating_sub(FORMER_MAX));
        }
    }
}

impl SourceState {
    /// Makes this the state of `url`: what belonged to another address is forgotten.
    ///
    /// The address that was adopted is no other one: who writes it into the config loses nothing. Nor does who writes a new
    /// token into it; the source is asked at once, for the old one may have been refused.
    pub fn turn_to(&mut self, url: &Url) {
        if self.url.as_ref() == Some(url) {
            return;
        }
        if self.moved_to.as_ref() == Some(url) {
            self.url = self.moved_to.take();
            return;
        }
        self.about.remember(self.url.iter().chain(&self.moved_to));
        let is_same = self.url.as_ref().is_some_and(|former| text::differ_in_secrets(former, url));
        let Self { source_id, validators, body_hash, last_poll, last_success, about, .. } = std::mem::take(self);
        let kept = if is_same {
            Self { validators, body_hash, last_poll, last_success, about, ..Self::default() }
        } else {
            Self { about: Box::new(About { former: about.former, ..About::default() }), ..Self::default() }
        };
        *self = Self { source_id, url: Some(url.clone()), ..kept };
    }

    /// Returns where to ask: the adopted address, or the configured one.
    ///
    /// While the adopted one fails, every second poll asks the configured one again.
    #[must_use]
    pub fn address<'a>(&'a self, configured: &'a Url) -> &'a Url {
        self.moved_to.as_ref().filter(|_| self.failures.is_multiple_of(2)).unwrap_or(configured)
    }

    /// Returns how its polls went.
    #[must_use]
    pub fn polls(&self) -> Polls {
        let Self { last_success, next_poll, failures, retired, .. } = *self;
        Polls { last_success, next_poll, failures, retired }
    }

    /// Notes a poll that was answered with a feed or "not modified".
    pub fn succeed(&mut self, now: Timestamp) {
        self.retired = false;
        self.last_poll = Some(now);
        self.last_success = Some(now);
        self.failures = 0;
        self.last_error = None;
    }

    /// Notes a poll that brought nothing, and returns why; the first of a row dates them all.
    pub fn fail(&mut self, code: String, message: String, now: Timestamp) -> PollFailure {
        let since = self.last_error.as_ref().map_or(now, |first| first.since.min(now));
        let failure = PollFailure { code, message, since };
        self.last_poll = Some(now);
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(failure.clone());
        failure
    }

    /// Learns from where `asked` led with a feed at its end.
    ///
    /// A parked domain redirects for good too: a redirect without a feed at its end does not count.
    pub fn observe_redirect(&mut self, asked: &Url, target: Option<&Url>, now: Timestamp) {
        if self.moved_to.is_some() && self.moved_to.as_ref() != Some(asked) {
            // The adopted address failed, and the configured one was asked.
            if self.moved_to.as_ref() == target {
                return;
            }
            self.moved_to = None;
        }
        let (redirect, adopted) = observe_redirect(self.redirect.as_ref(), target, now);
        self.redirect = redirect;
        if adopted.is_some() {
            self.moved_to = adopted;
        }
    }
}

/// Polls in a row that must see the same permanent redirect before it is adopted.
const REDIRECT_POLLS: u32 = 3;

/// Time over which they must be spread: a hotel's portal or a slip of an operator does not last so long.
const REDIRECT_TIME: TimeDelta = TimeDelta::days(2);

/// Decides what becomes of a source's address after a poll that was answered (RFC 9110 §15.4.2, §15.4.9).
///
/// `target` is where a chain of permanent redirects ended, `None` after any other answer; that ends the observation,
/// and so does another target. Returns what to remember, and the address to adopt: the same target seen by three
/// polls in a row over two days. Polls that failed say nothing and are not to be passed on.
fn observe_redirect(
    previous: Option<&Redirect>,
    target: Option<&Url>,
    now: Timestamp,
) -> (Option<Redirect>, Option<Url>) {
    let Some(to) = target else { return (None, None) };
    let seen = match previous.filter(|previous| previous.to == *to) {
        Some(previous) => {
            // A clock that was ahead noted it in the future.
            let since = previous.since.min(now);
            Redirect { polls: previous.polls.saturating_add(1), since, ..previous.clone() }
        }
        None => Redirect { to: to.clone(), since: now, polls: 1 },
    };
    if seen.polls >= REDIRECT_POLLS && now - seen.since >= REDIRECT_TIME {
        (None, Some(seen.to))
    } else {
        (Some(seen), None)
    }
}

/// The last announcement of a topic to a hub (`WebSub`), and when to repeat it if that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announcement {
    /// The hub's address.
    pub hub: String,
    /// The topic's id.
    pub topic: String,
    /// A hash of the documents that it was told of; empty before the first time.
    pub told: String,
    /// When.
    pub told_at: Option<Timestamp>,
    /// Failures in a row since.
    pub failures: u32,
    /// When to try again, if the last try failed.
    pub next_try: Option<Timestamp>,
    /// Why it failed.
    pub last_error: Option<String>,
}

/// Longest wait that `Retry-After` can impose, on a source or on a host.
///
/// It is an instruction, not advice, so it goes beyond `poll.postpone_max`; without a cap one
/// `Retry-After: 31536000` would silence a source for a year.
pub const RETRY_AFTER_MAX: TimeDelta = TimeDelta::days(7);

/// A host that asked to be left alone (429 or 503 with `Retry-After`, RFC 9110 §10.2.3): all its feeds are.
///
/// Kept by host, beside the states of sources: a state forgets a wait that ends before its next round, and knows neither
/// the host's other feeds nor the polls of another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttle {
    /// The host.
    pub host: String,
    /// Its end.
    pub until: Timestamp,
}

impl Throttle {
    /// Begins `now`, and ends with a whole second, as it is kept; none if the wait is over already.
    #[must_use]
    pub fn new(host: String, delay: TimeDelta, now: Timestamp) -> Option<Self> {
        let until =
            now.checked_add_signed(delay.min(RETRY_AFTER_MAX))?.duration_round_up(TimeDelta::seconds(1)).ok()?;
        (delay > TimeDelta::zero()).then_some(Self { host, until })
    }
}

/// The wait that a server asked of us, and the words in which it asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// From now.
    pub delay: TimeDelta,
    /// `Retry-After: 120`, `Cache-Control: max-age=600`, `Expires`, …
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks after which of the polls, told as (hour, target), an address was adopted.
    fn check(polls: &[(i64, Option<&str>)], adopted: &[Option<&str>]) {
        let mut redirect = None;
        let found: Vec<Option<String>> = polls
            .iter()
            .map(|(hour, target)| {
                let target = target.map(|target| Url::parse(target).unwrap());
                let now = Timestamp::UNIX_EPOCH + TimeDelta::hours(*hour);
                let (next, adopted) = observe_redirect(redirect.as_ref(), target.as_ref(), now);
                redirect = next;
                adopted.map(String::from)
            })
            .collect();
        assert_eq!(found, adopted.iter().map(|url| url.map(str::to_owned)).collect::<Vec<_>>());
    }

    const NEW: Option<&str> = Some("https://new.example/feed");
    const OTHER: Option<&str> = Some("https://other.example/feed");

    #[test]
    fn a_permanent_redirect_is_adopted_after_three_polls_over_two_days() {
        check(&[(0, NEW), (24, NEW), (48, NEW)], &[None, None, NEW]);
    }

    #[test]
    fn many_polls_within_two_days_are_not_enough() {
        check(&[(0, NEW), (1, NEW), (2, NEW), (47, NEW), (48, NEW)], &[None, None, None, None, NEW]);
    }

    #[test]
    fn two_polls_are_not_enough_however_far_apart() {
        check(&[(0, NEW), (1000, NEW)], &[None, None]);
    }

    #[test]
    fn another_answer_begins_the_observation_anew() {
        check(&[(0, NEW), (24, NEW), (30, None), (48, NEW), (72, NEW)], &[None; 5]);
    }

    #[test]
    fn another_target_begins_the_observation_anew() {
        check(&[(0, NEW), (24, NEW), (48, OTHER), (72, OTHER), (96, OTHER)], &[None, None, None, None, OTHER]);
    }

    #[test]
    fn a_clock_that_stepped_back_adopts_nothing() {
        check(&[(100, NEW), (0, NEW), (1, NEW)], &[None; 3]);
    }
}
