//! Words about posts: what waits to be sent, how far it came, and a story as posts tell it.
//!
//! A *post* is what a `[[post]]` section makes, its *target* is where it sends, the *outbox* is what waits to be sent.
//! The store keeps the outbox, `publish` and `post` make messages, `pipeline` sends them. Nothing here does anything.

mod template;

use std::time::Duration;

use chrono::TimeDelta;

use crate::feed::Timestamp;

pub use template::{TemplateFault, TextField, TextPart, TextTemplate};

/// Longest `too_old` that a post can have. A row that is older by a month more is of no use to anybody.
pub const TOO_OLD_MAX: TimeDelta = TimeDelta::days(30);

/// Rows of the outbox are of no use any more after so long: no story is young enough then.
pub const KEPT: TimeDelta = TimeDelta::days(60);

/// A topic that a post tells of. The store makes a row for each story that comes into it from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostTopic {
    /// The post's id.
    pub post: String,
    /// The topic's id.
    pub topic: String,
    /// A story that is dated longer ago when it comes into the topic makes no row.
    pub too_old: TimeDelta,
}

/// An event in the life of a story that a post may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoryEvent {
    /// It came into a topic of the post.
    New,
    /// It was sent, and says something else now.
    Changed,
    /// It was sent, and its publishers took it back.
    Withdrawn,
}

impl StoryEvent {
    /// Returns its word, as webhooks, commands and the store have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Returns the event of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::New, Self::Changed, Self::Withdrawn].into_iter().find(|event| event.word() == word)
    }
}

/// How far a row of the outbox has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowState {
    /// Its event is still to be sent.
    Waiting,
    /// Its story was sent, and there is nothing more to tell.
    Sent,
    /// Its story is never sent.
    Skipped,
}

impl RowState {
    /// Returns its word, as the store has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Skipped => "skipped",
        }
    }
}

/// A row of the outbox: a story that a post has to tell, or has told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number, never given twice. Rows are sent in their order.
    pub number: i64,
    /// The story as it was when the row was made, by the number of its head.
    pub story: i64,
    /// The story that this head tells now: another one if stories were merged since.
    pub told_as: i64,
    /// Whether another row of the post that was sent tells the same story.
    pub is_told: bool,
    /// Whether another row of the post that waits tells the same story, and was made for it.
    pub is_doubled: bool,
    /// The topic that brought it in.
    pub topic: String,
    /// The event that waits.
    pub event: StoryEvent,
    /// When it happened.
    pub noted: Timestamp,
    /// The date of the story's head.
    pub date: Timestamp,
    /// The store's generation when the story was last touched.
    pub generation: i64,
    /// Whether the story was sent before.
    pub was_sent: bool,
    /// The name of the message at the target, if it was sent and the target told one.
    pub remote: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// When to try again, if the last try failed.
    pub next_try: Option<Timestamp>,
    /// Why it failed.
    pub why: Option<String>,
}

impl OutboxRow {
    /// Returns the result that leaves the row as it is.
    #[must_use]
    pub fn unchanged(&self) -> RowResult {
        RowResult {
            number: self.number,
            event: self.event,
            generation: self.generation,
            state: RowState::Waiting,
            sent: None,
            remote: self.remote.clone(),
            failures: self.failures,
            next_try: self.next_try,
            why: self.why.clone(),
        }
    }

    /// Returns the result that ends its waiting without sending anything. A story that was sent before stays sent.
    #[must_use]
    pub fn done(&self, why: &str) -> RowResult {
        let state = if self.event == StoryEvent::New { RowState::Skipped } else { RowState::Sent };
        RowResult { state, why: (state == RowState::Skipped).then(|| why.to_owned()), ..self.unchanged() }
    }
}

/// The end of a try to send a row, or of its waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowResult {
    /// The row.
    pub number: i64,
    /// The event that was tried. If another one came meanwhile, the row goes on waiting for that one.
    pub event: StoryEvent,
    /// The generation that the row had when its message was made. If the story has changed meanwhile, the row waits for that.
    pub generation: i64,
    /// Its state now.
    pub state: RowState,
    /// When it was sent; `None` if nothing was.
    pub sent: Option<Timestamp>,
    /// The name of the message at the target.
    pub remote: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// When to try again.
    pub next_try: Option<Timestamp>,
    /// Why it failed or is skipped.
    pub why: Option<String>,
}

/// The state of a post as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostState {
    /// The post's id.
    pub post: String,
    /// A mark of the settings and secrets under which its target refused it: nothing is sent until another one is there.
    pub stopped: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// When the first of them happened.
    pub since: Option<Timestamp>,
    /// When to try again.
    pub next_try: Option<Timestamp>,
    /// The last failure, in one line with what to do.
    pub last_error: Option<String>,
    /// When something was last sent.
    pub last_sent: Option<Timestamp>,
}

/// The outbox of one post.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbox {
    /// The post as a whole.
    pub state: PostState,
    /// The rows that wait, in their order; the first ones only.
    pub waiting: Vec<OutboxRow>,
    /// The number of all rows that wait.
    pub count: usize,
    /// When stories were sent since an instant, the earliest first.
    pub sent: Vec<Timestamp>,
}

/// A story as posts tell it: plain texts on one line each, nothing private, nothing escaped.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its Atom id.
    pub id: String,
    /// Never empty.
    pub title: String,
    /// Its page.
    pub link: Option<String>,
    /// A text, maybe empty.
    pub summary: String,
    /// The name of the source of its head.
    pub source: String,
    /// The names of all sources that tell it, the head's first.
    pub sources: Vec<String>,
    /// The publishers' tags.
    pub tags: Vec<String>,
    /// The topic's title.
    pub topic: String,
    /// Its date.
    pub date: Timestamp,
    /// A day by the clock of the site, as people write it.
    pub day: String,
    /// The language of its text.
    pub language: String,
    /// The item of it in our JSON Feed, with the event and the topic around it.
    pub json: serde_json::Value,
}

/// A digest or a single story as a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// On one line.
    pub subject: String,
    /// For mail readers that show text.
    pub text: String,
    /// The same for others.
    pub html: String,
    /// Its language.
    pub language: &'static str,
}

/// A method of HTTP that a post uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// DELETE
    Delete,
}

/// A request to a target. `Debug` shows neither its headers nor its address, which may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// Its method.
    pub verb: Verb,
    /// Where to.
    pub url: url::Url,
    /// Its headers, `Content-Type` too.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for HttpCall {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.url.host_str();
        to.debug_struct("HttpCall").field("verb", &self.verb).field("host", &host).finish_non_exhaustive()
    }
}

/// The answer of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, cut at a limit.
    pub body: Vec<u8>,
    /// `Retry-After`, counted from now.
    pub retry_after: Option<TimeDelta>,
}

impl HttpAnswer {
    /// Returns the first header of this name, which is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.trim())
    }
}

/// At most so many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Stories.
    pub count: usize,
    /// In so long.
    pub span: TimeDelta,
}

impl Pace {
    /// Returns when the next story may go, if these went before; `None` if it may now.
    #[must_use]
    pub fn next(self, sent: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
        // Stories that were sent under a clock which was ahead say nothing.
        let recent: Vec<Timestamp> = sent.iter().copied().filter(|at| *at <= now && *at > now - self.span).collect();
        let place = recent.len().checked_sub(self.count)?;
        recent.get(place).map(|at| *at + self.span)
    }
}

/// Hours in which nothing is sent, by the wall clock of a zone; over midnight if the end is before the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// Its first minute.
    pub from: chrono::NaiveTime,
    /// The first minute after it.
    pub until: chrono::NaiveTime,
}

impl Quiet {
    /// Tells whether it is quiet at an instant.
    #[must_use]
    pub fn holds(self, at: Timestamp, zone: chrono_tz::Tz) -> bool {
        let time = at.with_timezone(&zone).time();
        if self.from <= self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
    }

    /// Returns the end of the quiet time in which an instant lies; `None` if it lies in none.
    #[must_use]
    pub fn end(self, at: Timestamp, zone: chrono_tz::Tz) -> Option<Timestamp> {
        // Minute by minute: whatever clocks do in the night, the end is the first minute that is not quiet.
        let next_minute = at + TimeDelta::seconds(60 - at.timestamp().rem_euclid(60));
        let minutes = (0..MINUTES_MAX).map(|minute| next_minute + TimeDelta::minutes(minute));
        self.holds(at, zone).then(|| minutes.into_iter().find(|at| !self.holds(*at, zone))).flatten()
    }
}

/// A day and the hours by which it may be longer.
const MINUTES_MAX: i64 = 26 * 60;

/// First wait after a failure; doubles with each further one.
const RETRY: TimeDelta = TimeDelta::minutes(1);

/// Longest wait after a failure.
const RETRY_MAX: TimeDelta = TimeDelta::hours(1);

/// Longest wait that a target can impose.
const ASKED_MAX: TimeDelta = TimeDelta::days(1);

/// Returns the wait after so many failures in a row: the larger of ours and the one that the target asks for.
#[must_use]
pub fn back_off(failures: u32, asked: Option<TimeDelta>) -> TimeDelta {
    let doublings = failures.saturating_sub(1).min(16);
    let own = RETRY.checked_mul(1 << doublings).map_or(RETRY_MAX, |wait| wait.min(RETRY_MAX));
    asked.map_or(own, |asked| own.max(asked.clamp(TimeDelta::zero(), ASKED_MAX)))
}

/// Longest time that a command may take for one story.
pub const COMMAND_MAX: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn quiet_hours_go_over_midnight_by_the_clock_of_their_zone() {
        let time = |hour| chrono::NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let quiet = Quiet { from: time(20), until: time(7) };
        let paris = chrono_tz::Europe::Paris;
        assert_eq!(quiet.end(at("2026-11-24T18:59:00Z"), paris), None);
        assert_eq!(quiet.end(at("2026-11-24T19:00:30Z"), paris), Some(at("2026-11-25T06:00:00Z")));
        assert_eq!(quiet.end(at("2026-11-25T05:59:59Z"), paris), Some(at("2026-11-25T06:00:00Z")));
        assert_eq!(quiet.end(at("2026-11-25T06:00:00Z"), paris), None);
        // The night in which clocks go back has an hour more.
        assert_eq!(quiet.end(at("2026-10-24T20:00:00Z"), paris), Some(at("2026-10-25T06:00:00Z")));
        let noon = Quiet { from: time(12), until: time(14) };
        assert_eq!(noon.end(at("2026-11-24T11:30:00Z"), paris), Some(at("2026-11-24T13:00:00Z")));
        assert_eq!(noon.end(at("2026-11-24T13:00:00Z"), paris), None);
    }

    #[test]
    fn a_pace_lets_the_next_go_when_the_first_of_the_last_is_over() {
        let pace = Pace { count: 2, span: TimeDelta::hours(1) };
        let (one, two, now) = (at("2026-11-24T10:00:00Z"), at("2026-11-24T10:20:00Z"), at("2026-11-24T10:30:00Z"));
        assert_eq!(pace.next(&[], now), None);
        assert_eq!(pace.next(&[one], now), None);
        assert_eq!(pace.next(&[one, two], now), Some(at("2026-11-24T11:00:00Z")));
        assert_eq!(pace.next(&[one, two], at("2026-11-24T11:00:00Z")), None);
        assert_eq!(pace.next(&[at("2026-11-25T10:00:00Z"); 2], now), None, "a clock that was ahead");
    }

    #[test]
    fn each_failure_doubles_the_wait_and_a_target_may_ask_for_more() {
        let minutes = [1, 2, 3, 6, 7, 999].map(|failures| back_off(failures, None).num_minutes());
        assert_eq!(minutes, [1, 2, 4, 32, 60, 60]);
        assert_eq!(back_off(1, Some(TimeDelta::minutes(5))).num_minutes(), 5);
        assert_eq!(back_off(5, Some(TimeDelta::minutes(5))).num_minutes(), 16);
        assert_eq!(back_off(1, Some(TimeDelta::days(400))).num_days(), 1);
        assert_eq!(back_off(1, Some(TimeDelta::days(-1))).num_minutes(), 1);
    }
}
