//! The composition of all stages. Start reading here.
//!
//! [`ask`] takes one source through all stages: ask its server, read the document, find what is new, decide its topics
//! and its story, keep it. [`publish`] takes the stored stories of each topic out to files and memory.

mod announcement;
mod by_hand;
mod deciding;
mod full_text;
mod health;
mod holding;
mod keeper;
mod opening;
mod posting;
mod publication;
mod rebuilding;
mod relabelling;
mod upkeep;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use chrono::TimeDelta;
use regex::Regex;
use sha2::{Digest, Sha256};
use tracing::{info, warn};
use url::Url;

use crate::config::{Config, Source};
use crate::dedup::{self, Decision, Listing, Subject};
use crate::feed::{Defect, Entry, Feed, Timestamp};
use crate::fetch;
use crate::outage::{Finding, Reply};
use crate::parse;
use crate::readers;
use crate::schedule::{self, Asked};
use crate::state::{About, PollFailure, Remembered, SourceState, Throttle, Validators, Wait};
use crate::store::{Change, Handle, Inquiry, StoreError};
use crate::story::{Identity, Known, Plain, Prepared};
use crate::tag;
use crate::text::rough_duration;
use crate::topic::Matcher;

pub use announcement::{Announced, announce};
pub use by_hand::{Account, Kinship, account, merge, split};
pub use full_text::full_text;
pub use health::{note_config, note_outages};
pub use holding::{HeldByOther, hold, refuse_others};
pub use opening::{open_store, open_store_within, refuse_vanished, reopen_store};
pub use posting::{PostReport, WaitingRow, enroll, post, post_trouble, preview_posts, skip_post, try_post};
pub use publication::{Archives, Published, publish};
pub use relabelling::relabel;
pub use upkeep::upkeep;

use deciding::{Arrival, Fresh, Grouping, News};
use keeper::Keeper;

/// 410: the publisher says that it is gone for good (RFC 9110 §15.5.11).
const GONE: u16 = 410;

/// Extra wait of the feed whose server said "leave this host alone" (429, 503): the host's other feeds are asked first,
/// else one that is always refused would keep them from ever being asked.
const OTHERS_FIRST: TimeDelta = TimeDelta::minutes(10);

/// Wait after a document found no memory: the round of polls is over by then. It is no failure of the publisher, so no
/// back-off.
const BUSY_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// Everything that polls and publications need, built whole from one config.
#[derive(Debug)]
pub struct Context {
    /// The config.
    pub config: Config,
    /// Its topics.
    pub matcher: Matcher,
    /// The HTTP client.
    pub client: Arc<fetch::Client>,
    /// The store.
    pub store: Handle,
    keeper: Keeper,
    grouping: Arc<Grouping>,
    /// A hash of the rules by which entries are labelled.
    rules: Arc<str>,
}

impl Context {
    /// Builds the context of a config. Needs a Tokio runtime: a task that keeps polls is spawned.
    ///
    /// # Errors
    /// When the HTTP client cannot be made, as on a system without CA certificates.
    pub fn new(config: Config, store: Handle) -> Result<Self, fetch::ClientError> {
        let client = Arc::new(fetch::Client::new(&fetch::Settings::new(&config.site, &config.poll))?);
        Ok(Self::with(config, client, store))
    }

    fn with(config: Config, client: Arc<fetch::Client>, store: Handle) -> Self {
        let (matcher, grouping) = (Matcher::new(config.topics.clone()), Arc::new(Grouping::of(&config)));
        let keeper = Keeper::new(store.clone(), Arc::clone(&grouping));
        let rules = relabelling::rules(&config).into();
        Self { config, matcher, client, store, keeper, grouping, rules }
    }

    /// Builds the context of a changed config on the same store. The client stays if its settings do, and with it the
    /// turns of hosts and their throttles.
    ///
    /// # Errors
    /// As [`Context::new`].
    pub fn renewed(&self, config: Config) -> Result<Self, fetch::ClientError> {
        if fetch::Settings::new(&config.site, &config.poll) != *self.client.settings() {
            return Self::new(config, self.store.clone());
        }
        Ok(Self::with(config, Arc::clone(&self.client), self.store.clone()))
    }

    /// Postpones the hosts that asked to be left alone before a restart, or while another process polled (RFC 9110
    /// §10.2.3).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(&self, now: Timestamp) -> Result<(), StoreError> {
        let throttles = self.store.call(move |store| store.throttles(now)).await?;
        for throttle in &throttles {
            self.client.postpone(throttle, now);
        }
        Ok(())
    }

    /// Returns when a source is due; `None` if at once, since it never was polled or what is planned is nonsense.
    #[must_use]
    pub fn due(&self, source: &Source, state: &SourceState, now: Timestamp) -> Option<Timestamp> {
        due(self, source, state, state.next_poll?, now)
    }

    /// Asks hosts again that were told to be left alone while the clock was ahead, as polls in the future show.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mend_throttles(&self, states: &[SourceState], now: Timestamp) -> Result<(), StoreError> {
        let hosts: BTreeSet<String> = states
            .iter()
            .filter(|state| schedule::is_to_come(state.last_poll, now))
            .flat_map(|state| [state.url.as_ref(), state.moved_to.as_ref()])
            .filter_map(|url| url?.host_str().map(str::to_owned))
            .collect();
        if hosts.is_empty() {
            return Ok(());
        }
        for host in &hosts {
            self.client.lift(host);
        }
        let over = |host| Change::Throttle { throttle: Throttle { host, until: now }, now };
        let changes: Vec<Change> = hosts.into_iter().map(over).collect();
        self.store.call(move |store| store.apply(&changes, None).map(|_| ())).await
    }
}

/// The result of a poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Polled {
    /// Its outcome.
    pub outcome: Outcome,
    /// When to poll next; `None` for a source that is gone.
    pub next_poll: Option<Timestamp>,
}

/// Outcome of a poll.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Not asked: another process polled the source meanwhile, or the source is gone for good.
    NotDue,
    /// Not asked: the host asked to be left alone. No failure of the source.
    HostPostponed,
    /// The document was left: too much was being read at once. No failure of the source.
    NoMemory,
    /// The server answered 304, or the bytes are those of the last document.
    Unchanged,
    /// A document was read.
    Read(Counts),
    /// The poll brought nothing.
    Failed(PollFailure),
}

/// Numbers of entries that a document brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries that the store did not know.
    pub new: usize,
    /// Known entries whose text, title or link differs for a reader.
    pub changed: usize,
}

/// The end of a poll, before it is clear whether the host or this machine is at fault.
#[derive(Debug)]
pub enum Conclusion {
    /// All of it is kept.
    Kept {
        /// Its result.
        polled: Polled,
        /// The host answered, even if with nonsense.
        is_answer: bool,
    },
    /// It brought nothing, by the fault of the host or of this machine. Nothing is kept: the source is still due.
    InDoubt(Box<Doubt>),
    /// This machine lacked something to ask with, told in one line. Nothing is kept: the source is still due.
    Lacking(String),
}

/// A poll that brought nothing, with everything to keep if its host is at fault.
#[derive(Debug)]
pub struct Doubt {
    /// The way in which the host did not answer.
    pub reply: Reply,
    source: Source,
    arrival: Arrival,
    ground: Ground,
}

#[derive(Debug)]
enum Ground {
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

/// Polls one source by itself, for lack of others to compare with: if it brings nothing, its host is at fault. `force` polls
/// it also when it is not due.
///
/// # Errors
/// When the store fails. A source that fails is an [`Outcome`].
///
/// # Cancellation
/// The store keeps the whole poll or nothing.
pub async fn poll(context: &Arc<Context>, source: &Source, force: bool, now: Timestamp) -> Result<Polled, StoreError> {
    match ask(context, source, force, now).await? {
        Conclusion::Kept { polled, .. } => Ok(polled),
        Conclusion::InDoubt(doubt) => blame(context, *doubt).await,
        Conclusion::Lacking(_) => Ok(Polled { outcome: Outcome::NotDue, next_poll: Some(now + BUSY_PAUSE) }),
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
    let Doubt { source, arrival, ground, .. } = doubt;
    match ground {
        Ground::Fetch { address, error } => fail(context, &source, arrival, &address, &error).await,
        Ground::Unreadable { unreadable, waits } => misread(context, &source, arrival, unreadable, &waits).await,
    }
}

/// Polls one source, and leaves it open who is at fault if its host does not answer.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// As [`poll`].
pub async fn ask(
    context: &Arc<Context>,
    source: &Source,
    force: bool,
    now: Timestamp,
) -> Result<Conclusion, StoreError> {
    let Remembered { mut state, health, missed_since } = remembered(context, &source.id).await?;
    let last_poll = state.last_poll;
    let moved_to = state.moved_to.clone();
    state.turn_to(&source.url);
    state.about.is_private = source.private;
    let due = state.next_poll.filter(|next| due(context, source, &state, *next, now).is_some_and(|due| due > now));
    if !force && (state.retired || due.is_some()) {
        let polled = Polled { outcome: Outcome::NotDue, next_poll: state.next_poll };
        return Ok(Conclusion::Kept { polled, is_answer: false });
    }

    let withdrawn_after = context.config.dedup.withdrawn_after;
    let arrival = |state: SourceState| Arrival {
        state,
        health,
        moved_to: moved_to.clone(),
        throttle: None,
        is_answered: false,
        news: None,
        now,
    };

    // Ask the server.
    let address = state.address(&source.url).clone();
    let mut fetched = match fetch(context, source, &address, &state, now).await {
        Ok(fetched) => fetched,
        Err(fetch::FetchError::Lack { why }) => return Ok(Conclusion::Lacking(why)),
        Err(error) => {
            let (arrival, is_answer) = (arrival(state), error.is_answer());
            if let Some(reply) = error.reply(&address) {
                let ground = Ground::Fetch { address, error };
                return Ok(Conclusion::InDoubt(Box::new(Doubt { reply, source: source.clone(), arrival, ground })));
            }
            return Ok(Conclusion::Kept { polled: fail(context, source, arrival, &address, &error).await?, is_answer });
        }
    };
    let doubtful = fetched.doubtful(&address);
    let skew = Skew::of(fetched.date, now);
    let waits = fetched.asks.clone();
    let moved = fetched.moved().cloned();
    // Held while the document is worked on, so that memory bounds the number of documents.
    let share = std::mem::take(&mut fetched.share);

    // Read the document, unless its bytes are those of the last one. Sanitise and label its new entries.
    let news = match read(context, source, &mut state, fetched, now).await {
        Ok(document) => prepare(context, source, &mut state, document, share, now).await?,
        Err(unreadable) => Err(unreadable),
    };
    let news = match news {
        Ok(news) => news,
        Err(unreadable) => {
            let arrival = arrival(state);
            if let Some(reply) = doubtful {
                let ground = Ground::Unreadable { unreadable, waits };
                return Ok(Conclusion::InDoubt(Box::new(Doubt { reply, source: source.clone(), arrival, ground })));
            }
            let polled = misread(context, source, arrival, unreadable, &waits).await?;
            return Ok(Conclusion::Kept { polled, is_answer: true });
        }
    };
    if let (Skew::Behind, Some(_)) = (skew, &news) {
        let from = state.about.clock_was_behind.map_or(now, |(from, _)| from.min(now));
        let until = state.about.clock_was_behind.map_or(now, |(_, until)| until.max(now));
        state.about.clock_was_behind = Some((from, until));
    }
    let recovered = state.last_error.as_ref().map(|error| (state.failures, error.since));
    state.succeed(now);
    state.observe_redirect(&address, moved.as_ref(), now);
    plan(context, source, &mut state, &waits, now);

    // Keep all of it, or nothing: an ETag kept without its entries would lose them for good.
    let (next_poll, is_read) = (state.next_poll, news.is_some());
    let is_answered = is_read || dedup::is_due(missed_since, withdrawn_after, now);
    let was_ahead = last_poll.filter(|_| schedule::is_to_come(last_poll, now)).map(|until| (now, until));
    let wrong = state.about.clock_was_behind.or(was_ahead).filter(|_| skew == Skew::Agreed);
    let misdated = wrong.map(|span| (span, state.clone()));
    let counts = context.keeper.keep(Arrival { is_answered, news, ..arrival(state) }).await?;
    if let Some((span, state)) = misdated {
        redate(context, state, span, now).await?;
    }
    if let Some((failures, since)) = recovered {
        let times = if failures == 1 { "1 failure".to_owned() } else { format!("{failures} failures") };
        info!(failures, "well again, after {times} in {}", rough_duration(now - since));
    }
    let Counts { new, changed } = counts;
    if new + changed > 0 {
        // People who watch are told each round as a whole.
        info!(target: "veille::detail", { entries.new = new, entries.changed = changed },
            "polled, {new} new, {changed} changed");
    }
    let outcome = if is_read { Outcome::Read(counts) } else { Outcome::Unchanged };
    Ok(Conclusion::Kept { polled: Polled { outcome, next_poll }, is_answer: true })
}

/// Our clock beside that of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Skew {
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
    fn of(date: Option<Timestamp>, now: Timestamp) -> Self {
        match date {
            Some(date) if date - now > CLOCKS_AGREE => Self::Behind,
            Some(date) if now - date <= CLOCKS_AGREE => Self::Agreed,
            Some(_) | None => Self::Unknown,
        }
    }
}

/// Dates entries anew that were first met while the clock was wrong, and forgets that it was.
async fn redate(
    context: &Context,
    mut state: SourceState,
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<(), StoreError> {
    state.about.clock_was_behind = None;
    let redate = Change::Redate { source_id: state.source_id.clone(), from, until, now };
    let changes = [redate, Change::Source(Box::new(state))];
    context.store.call(move |store| store.apply(&changes, None).map(|_| ())).await
}

/// When a source is due that is planned for `next_poll`; `None` at once, for a clock that was ahead set it.
fn due(
    context: &Context,
    source: &Source,
    state: &SourceState,
    next_poll: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    schedule::due(&asked(context, source, state, &[]), state.last_poll, next_poll, now)
}

/// Reads what is stored of a source; a new state if it was never polled.
async fn remembered(context: &Context, source_id: &str) -> Result<Remembered, StoreError> {
    let ids = [source_id.to_owned()];
    let known = context.store.call(move |store| store.sources(Some(&ids))).await?.pop();
    let new = || SourceState { source_id: source_id.to_owned(), ..SourceState::default() };
    Ok(known.unwrap_or_else(|| Remembered { state: new(), ..Remembered::default() }))
}

async fn fetch(
    context: &Context,
    source: &Source,
    address: &Url,
    state: &SourceState,
    now: Timestamp,
) -> Result<fetch::Fetched, fetch::FetchError> {
    let request = fetch::Request::of(source, address.clone(), state.validators.clone()).await?;
    context.client.fetch(&request, now).await
}

/// Keeps the failure of a source whose server brought no document, or when to try again.
async fn fail(
    context: &Context,
    source: &Source,
    arrival: Arrival,
    address: &Url,
    error: &fetch::FetchError,
) -> Result<Polled, StoreError> {
    let Arrival { mut state, now, .. } = arrival;
    if let Some((outcome, next_poll)) = put_off(error, now) {
        // Dates the plan, should the clock be ahead.
        state.last_poll = Some(now);
        state.next_poll = Some(next_poll);
        state.next_poll_why = error.to_string();
        context.keeper.keep(Arrival { state, ..arrival }).await?;
        return Ok(Polled { outcome, next_poll: Some(next_poll) });
    }
    let advice = error.advice().map(|advice| format!("; {advice}")).unwrap_or_default();
    let last_poll = state.last_poll;
    let failure = state.fail(error.code(), format!("{error}{advice}"), now);
    // The configured address has the last word: an adopted address may go.
    state.retired = *address == source.url && matches!(error, fetch::FetchError::Status { code: GONE, .. });
    plan(context, source, &mut state, error.asks(), now);
    if let Some(throttle) = error.throttle() {
        state.next_poll = state.next_poll.max(Some(throttle.until + OTHERS_FIRST));
    }
    let arrival = Arrival { state, throttle: error.throttle().cloned(), ..arrival };
    keep_failure(context, arrival, failure, last_poll).await
}

/// Keeps the state of a source whose document could not be read.
async fn misread(
    context: &Context,
    source: &Source,
    arrival: Arrival,
    Unreadable { code, message }: Unreadable,
    waits: &[Wait],
) -> Result<Polled, StoreError> {
    let mut state = arrival.state.clone();
    let last_poll = state.last_poll;
    let failure = state.fail(code, message, arrival.now);
    plan(context, source, &mut state, waits, arrival.now);
    keep_failure(context, Arrival { state, ..arrival }, failure, last_poll).await
}

/// Returns the outcome and the next try of a poll that ended without a failure of the source.
fn put_off(error: &fetch::FetchError, now: Timestamp) -> Option<(Outcome, Timestamp)> {
    match error {
        fetch::FetchError::Postponed { until, .. } => Some((Outcome::HostPostponed, *until)),
        fetch::FetchError::Busy { .. } => Some((Outcome::NoMemory, now + BUSY_PAUSE)),
        _ => None,
    }
}

async fn keep_failure(
    context: &Context,
    arrival: Arrival,
    failure: PollFailure,
    last_poll: Option<Timestamp>,
) -> Result<Polled, StoreError> {
    let next_poll = arrival.state.next_poll;
    // Told when the state changes, then once a day: `feeds` shows the rest.
    let (failures, since) = (arrival.state.failures, failure.since);
    if failures == 1 {
        warn!(error.code = failure.code, "failing: {}", failure.message);
    } else if is_told_again(since, last_poll, arrival.now) {
        let for_so_long = rough_duration(arrival.now - since);
        warn!(error.code = failure.code, failures, "failing for {for_so_long}: {}", failure.message);
    }
    context.keeper.keep(arrival).await?;
    Ok(Polled { outcome: Outcome::Failed(failure), next_poll })
}

/// Whether a failure that stays is told at this poll: at the first of each day since it began.
fn is_told_again(since: Timestamp, last_poll: Option<Timestamp>, now: Timestamp) -> bool {
    let days = |at: Timestamp| (at - since).num_days();
    last_poll.is_some_and(|last| days(now) > days(last))
}

/// Sets the next poll; none for a source that is gone.
fn plan(context: &Context, source: &Source, state: &mut SourceState, waits: &[Wait], now: Timestamp) {
    if state.retired {
        state.next_poll = None;
        state.next_poll_why = "gone for good (410): give its new address, or remove it from the config".into();
        return;
    }
    let next = schedule::next_poll(&asked(context, source, state, waits), now);
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
        postpone_max: context.config.poll.postpone_max,
    }
}

struct ReadDocument {
    about: About,
    entries: Vec<(Entry, Identity)>,
    listing: Listing,
    hash: [u8; 32],
    /// Kept only with the document: the `ETag` of an unread document would turn the failure into a silent "not
    /// modified".
    validators: Vec<Validators>,
}

#[derive(Debug)]
struct Unreadable {
    code: String,
    message: String,
}

/// Runs `work` on a reader thread. A panic is a fault of the document.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Unreadable> {
    readers::run(work).await.map_err(|panic| Unreadable { code: "reader_failed".into(), message: panic.to_string() })
}

/// Reads the document of an answer; `None` if it is the last one again.
async fn read(
    context: &Context,
    source: &Source,
    state: &mut SourceState,
    fetched: fetch::Fetched,
    now: Timestamp,
) -> Result<Option<ReadDocument>, Unreadable> {
    // After a permanent redirect the address leads to another document.
    let is_first = state.body_hash.is_none() || fetched.moved().is_some();
    // While our clock is behind, what is said to be of today would seem to be of the future.
    let now = fetched.date.filter(|date| Skew::of(Some(*date), now) == Skew::Behind).unwrap_or(now);
    let fetch::Fetched { answer, url, validators, .. } = fetched;
    let document = match answer {
        fetch::Answer::NotModified => {
            state.validators = validators;
            return Ok(None);
        }
        fetch::Answer::Document(document) => document,
    };
    let hash: [u8; 32] = Sha256::digest(&document.body).into();
    if state.body_hash == Some(hash) {
        state.validators = validators;
        return Ok(None);
    }
    let is_delta = document.is_delta;
    let limits = parse::Limits { entries_max: context.config.poll.entries_max, ..parse::Limits::default() };
    let (zone, source_id) = (source.schedule.zone(), source.id.clone());
    // The base of relative links is published with them.
    let url = if source.private { url.join(".").unwrap_or(url) } else { url };
    let reading = aside(move || {
        let mut feed = parse::read(&document.body, document.content_type.as_deref(), Some(&url), zone, &limits, now)?;
        // Half an entry would be published for good, or would replace the whole one.
        if feed.entries.len() > 1 && feed.defects.iter().any(|defect| defect.code == "cut_entry") {
            feed.entries.pop();
        }
        let entries = std::mem::take(&mut feed.entries);
        let about = about(feed);
        let format = about.format.as_deref().unwrap_or_default();
        Ok((dedup::identify(&source_id, format, entries), about))
    });
    let unreadable = |error: parse::ParseError| Unreadable {
        code: error.code().into(),
        message: format!("{error}; {}", error.advice()),
    };
    let (entries, about) = reading.await?.map_err(unreadable)?;
    let order = entries.iter().map(|(_, identity)| identity.key).collect();
    let listing = Listing::new(is_delta, is_first, &about.defects, order);
    Ok(Some(ReadDocument { about, entries, listing, hash, validators }))
}

/// Separates new and changed entries from known ones: only those are sanitised and labelled.
async fn prepare(
    context: &Arc<Context>,
    source: &Source,
    state: &mut SourceState,
    document: Option<ReadDocument>,
    share: fetch::Share,
    now: Timestamp,
) -> Result<Result<Option<News>, Unreadable>, StoreError> {
    let Some(ReadDocument { mut about, entries, listing, hash, validators }) = document else { return Ok(Ok(None)) };
    let since = state.last_success.filter(|_| state.body_hash.is_some());
    let known = known(context, &source.id, entries.iter().map(|(_, identity)| identity)).await?;
    let mut same = Vec::new();
    let mut fresh: Vec<(Entry, Identity, Decision)> = Vec::new();
    for (entry, identity) in entries {
        match dedup::decide(&identity, &known) {
            Decision::Same(number) => same.push(number),
            decision @ (Decision::New | Decision::Changed(_)) => fresh.push((entry, identity, decision)),
        }
    }
    let share = if source.full_text {
        // First: the pages need places of their own, and two polls that wait for each other would wait for ever.
        drop(share);
        about.defects.extend(full_texts(context, source, &mut fresh, now).await);
        fetch::Share::default()
    } else {
        share
    };
    let (context, source) = (Arc::clone(context), source.clone());
    about.is_private = source.private;
    let ready = aside(move || {
        fresh
            .into_iter()
            .map(|(entry, identity, decision)| ready(&context, &source, entry, identity, decision))
            .collect()
    });
    Ok(ready.await.map(|fresh| {
        about.clock_was_behind = state.about.clock_was_behind;
        state.about = about;
        state.body_hash = Some(hash);
        state.validators = validators;
        Some(News { fresh, same, listing, since, _share: share })
    }))
}

async fn known(
    context: &Context,
    source_id: &str,
    identities: impl Iterator<Item = &Identity>,
) -> Result<Vec<Known>, StoreError> {
    let keys = [(source_id.to_owned(), identities.flat_map(Identity::keys).collect())].into();
    let asked = Inquiry { keys, ..Inquiry::default() };
    let mut around = context.store.call(move |store| store.surroundings(&asked)).await?;
    Ok(around.known.remove(source_id).unwrap_or_default().into_values().collect())
}

async fn full_texts(
    context: &Context,
    source: &Source,
    fresh: &mut [(Entry, Identity, Decision)],
    now: Timestamp,
) -> Vec<Defect> {
    // A page that several entries share is a list and belongs to none of them.
    let with_page = fresh.iter_mut().filter(|(_, identity, _)| identity.canonical_link.is_some());
    let entries = with_page.map(|(entry, ..)| entry).collect();
    let defects = full_text(&context.client, source, entries, context.config.poll.pages_max, now).await;
    for defect in &defects {
        warn!(defect.code = defect.code, "{}", defect.message);
    }
    defects
}

fn ready(context: &Context, source: &Source, entry: Entry, mut identity: Identity, decision: Decision) -> Fresh {
    let entry = parse::sanitise(entry);
    let plain = Plain::of(&entry);
    let labels = tag::labels(&context.matcher, &entry, &plain, &source.id, Some(source));
    let subject = Subject::new(&source.id, &entry, &plain, &identity);
    identity.clues = subject.clues();
    let telling_words = (!labels.is_empty()).then(|| dedup::telling_words(&entry, &plain));
    let sketch = dedup::sketch(&subject, &identity.clues);
    let prepared = Prepared { entry, identity, labels, rules: Arc::clone(&context.rules), telling_words, sketch };
    Fresh::new(&source.id, prepared, decision)
}

fn about(feed: Feed) -> About {
    About {
        id: feed.id,
        title: feed.title,
        url: feed.url,
        description: feed.description,
        language: feed.language,
        updated: feed.updated,
        rights: feed.rights,
        authors: feed.authors,
        generator: feed.generator,
        format: Some(feed.format),
        rhythm: feed.rhythm,
        is_private: false,
        defects: feed.defects,
        clock_was_behind: None,
    }
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
