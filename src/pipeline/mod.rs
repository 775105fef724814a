//! The composition of all stages. Start reading here.
//!
//! [`ask`] takes one source through all stages: ask its server, read the document, find what is new, decide its topics
//! and its story, keep it. [`publish`] takes the stored stories of each topic out to files and memory.

mod announcement;
mod by_hand;
mod clock;
mod deciding;
mod failing;
mod full_text;
mod health;
mod holding;
mod hub;
mod keeper;
mod node_mark;
mod nodes;
mod opening;
mod planning;
mod posting;
mod proof;
mod publication;
mod pushes;
mod reading;
mod rebuilding;
mod relabelling;
mod subscribing;
mod telling;
mod upkeep;
pub mod wall_clock;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tracing::info;
use url::Url;

use crate::config::{Config, Source};
use crate::dedup;
use crate::feed::Timestamp;
use crate::fetch;
use crate::schedule;
use crate::state::{PollFailure, Remembered, SourceState, Throttle};
use crate::store::{Change, Handle, StoreError};
use crate::text::{count, rough_duration};
use crate::topic::Matcher;
use crate::websub::{FeedSubscription, PushTrust};

pub use announcement::{Announced, announce};
pub use by_hand::{Account, Kinship, account, merge, split};
pub use failing::{Doubt, blame, no_network};
pub use full_text::full_text;
pub use health::{note_config, note_outages};
pub use holding::{HeldByOther, claim_places, refuse_others};
pub use hub::{HubDocument, HubReport, distribute, take_hub_request, verify_intents};
pub use nodes::{Attendance, LeaseWishes, Membership, NodeFigures, join};
pub use opening::{open_store, open_store_within, refuse_vanished, reopen_store};
pub use posting::{PostReport, WaitingRow, enroll, post, post_trouble, preview_posts, skip_post, try_post};
pub use proof::proofs;
pub use publication::{Archives, Published, publish, publish_searchable};
pub use pushes::{Pushed, take_push};
pub use relabelling::relabel;
pub use subscribing::{IntentReply, Tended, answer_hub, tend_subscriptions};
pub use upkeep::upkeep;

use clock::{Skew, redate_entries};
use deciding::{Grouping, PollToKeep, PreparedDocument};
use failing::{ELSEWHERE_PAUSE, Ground, fail, misread};
use keeper::Keeper;
use planning::{plan, when_due};
use reading::{prepare, read_answer};
use telling::FailuresTold;

/// Longest wait for the lease of a host; the daemon begins polls only of hosts that it holds.
const LEASE_WAIT_MAX: Duration = Duration::from_secs(90);

/// Returns the address of our own hub, if there is one.
#[must_use]
pub fn hub_address(config: &Config) -> Option<Url> {
    config.websub.hub.then(|| config.site.url.join("hub").ok())?
}

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
    telling: Arc<FailuresTold>,
    grouping: Arc<Grouping>,
    /// A hash of the rules by which entries are labelled.
    rules: Arc<str>,
    /// This process among the nodes that share the store, if they may be several.
    node: Option<Arc<Membership>>,
    /// The client of our hub: subscribers have asked to be told at once, so their hosts need no pause.
    deliverer: Option<Arc<fetch::Client>>,
}

impl Context {
    /// Builds the context of a config. Needs a Tokio runtime: a task that keeps polls is spawned.
    ///
    /// # Errors
    /// When the HTTP client cannot be made, as on a system without CA certificates.
    pub fn new(config: Config, store: Handle) -> Result<Self, fetch::ClientError> {
        Self::sharing(config, store, None)
    }

    /// Builds the context of a config for one of several nodes that share a store.
    ///
    /// # Errors
    /// As [`Context::new`].
    pub fn sharing(config: Config, store: Handle, node: Option<Arc<Membership>>) -> Result<Self, fetch::ClientError> {
        let leases = node.as_ref().map(|node| Arc::clone(node.leases()));
        let client = Arc::new(fetch::Client::sharing(&fetch::Settings::new(&config.site, &config.poll), leases)?);
        Self::with(config, client, store, Arc::default(), node)
    }

    fn with(
        config: Config,
        client: Arc<fetch::Client>,
        store: Handle,
        telling: Arc<FailuresTold>,
        node: Option<Arc<Membership>>,
    ) -> Result<Self, fetch::ClientError> {
        let (matcher, grouping) = (Matcher::new(config.topics.clone()), Arc::new(Grouping::of(&config)));
        let keeper = Keeper::new(store.clone(), Arc::clone(&grouping));
        let rules = relabelling::rules(&config).into();
        let deliverer = if config.websub.hub { Some(Arc::new(hub::deliverer(client.settings())?)) } else { None };
        Ok(Self { config, matcher, client, store, keeper, telling, grouping, rules, node, deliverer })
    }

    /// Builds the context of a changed config on the same store. The client stays if its settings do, and with it the
    /// turns of hosts and their throttles.
    ///
    /// # Errors
    /// As [`Context::new`].
    pub fn renewed(&self, config: Config) -> Result<Self, fetch::ClientError> {
        if fetch::Settings::new(&config.site, &config.poll) != *self.client.settings() {
            return Self::sharing(config, self.store.clone(), self.node.clone());
        }
        let (client, telling) = (Arc::clone(&self.client), Arc::clone(&self.telling));
        Self::with(config, client, self.store.clone(), telling, self.node.clone())
    }

    /// Returns this process as one of the nodes that share the store; `None` if there can only be one.
    #[must_use]
    pub fn node(&self) -> Option<&Arc<Membership>> {
        self.node.as_ref()
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
        when_due(self, source, state, state.next_poll?, now)
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

/// Polls one source, and leaves it open who is at fault if its host does not answer. `force` polls it also when it is not
/// due.
///
/// # Errors
/// When the store fails. A source that fails is an [`Outcome`].
///
/// # Cancellation
/// The store keeps the whole poll or nothing.
pub async fn ask(
    context: &Arc<Context>,
    source: &Source,
    force: bool,
    now: Timestamp,
) -> Result<Conclusion, StoreError> {
    // Before anything is read: what another node keeps while it holds the lease would be overlooked.
    let Ok(lease) = lease(context, source).await else {
        let polled = Polled { outcome: Outcome::NotDue, next_poll: Some(now + ELSEWHERE_PAUSE) };
        return Ok(Conclusion::Kept { polled, is_answer: false });
    };
    let hold = lease.as_ref().map(|lease| lease.hold().clone());
    let Remembered { mut state, health, missed_since, subscription } = remembered(context, &source.id).await?;
    let last_poll = state.last_poll;
    let moved_to = state.moved_to.clone();
    state.turn_to(&source.url);
    state.about.is_private = source.private;
    let due = state.next_poll.filter(|next| when_due(context, source, &state, *next, now).is_some_and(|due| due > now));
    if !force && (state.retired || due.is_some()) {
        let polled = Polled { outcome: Outcome::NotDue, next_poll: state.next_poll };
        return Ok(Conclusion::Kept { polled, is_answer: false });
    }

    let withdrawn_after = context.config.dedup.withdrawn_after;
    let poll = |state: SourceState| PollToKeep {
        hold: hold.clone(),
        state,
        health,
        moved_to: moved_to.clone(),
        throttle: None,
        is_answered: false,
        document: None,
        trust: None,
        is_pushed: false,
        now,
    };

    // Ask the server.
    let address = state.address(&source.url).clone();
    let mut fetched = match fetch(context, source, &address, &state, now).await {
        Ok(fetched) => fetched,
        Err(fetch::FetchError::Lack { why }) => return Ok(Conclusion::Lacking(why)),
        Err(error) => {
            let (poll, is_answer) = (poll(state), error.is_answer());
            if let Some(reply) = error.reply(&address) {
                let ground = Ground::Fetch { address, error };
                return Ok(Conclusion::InDoubt(Box::new(Doubt { reply, source: source.clone(), poll, ground, lease })));
            }
            return Ok(Conclusion::Kept { polled: fail(context, source, poll, &address, &error).await?, is_answer });
        }
    };
    let doubtful = fetched.doubtful(&address);
    let skew = Skew::of(fetched.date, now);
    let waits = fetched.asks.clone();
    let moved = fetched.moved().cloned();
    // Held while the document is worked on, so that memory bounds the number of documents.
    let share = std::mem::take(&mut fetched.share);

    // Read the document, unless its bytes are those of the last one. Sanitise and label its new entries.
    let document = match read_answer(context, source, &mut state, fetched, now).await {
        Ok(document) => prepare(context, source, &mut state, document, share, now).await?,
        Err(unreadable) => Err(unreadable),
    };
    let document = match document {
        Ok(document) => document,
        Err(unreadable) => {
            let poll = poll(state);
            if let Some(reply) = doubtful {
                let ground = Ground::Unreadable { unreadable, waits };
                return Ok(Conclusion::InDoubt(Box::new(Doubt { reply, source: source.clone(), poll, ground, lease })));
            }
            let polled = misread(context, source, poll, unreadable, &waits).await?;
            return Ok(Conclusion::Kept { polled, is_answer: true });
        }
    };
    if let (Skew::Behind, Some(_)) = (skew, &document) {
        let from = state.about.clock_was_behind.map_or(now, |(from, _)| from.min(now));
        let until = state.about.clock_was_behind.map_or(now, |(_, until)| until.max(now));
        state.about.clock_was_behind = Some((from, until));
    }
    let recovered = state.last_error.as_ref().map(|error| (state.failures, error.since));
    state.succeed(now);
    state.observe_redirect(&address, moved.as_ref(), now);
    let found_news = document.as_ref().is_some_and(PreparedDocument::has_news);
    let (trust, is_pushed) = trust_after(subscription.as_deref(), found_news, now);
    plan(context, source, &mut state, &waits, is_pushed, now);

    // Keep all of it, or nothing: an ETag kept without its entries would lose them for good.
    let (next_poll, is_read) = (state.next_poll, document.is_some());
    let is_answered = is_read || dedup::is_due(missed_since, withdrawn_after, now);
    let was_ahead = last_poll.filter(|_| schedule::is_to_come(last_poll, now)).map(|until| (now, until));
    let wrong = state.about.clock_was_behind.or(was_ahead).filter(|_| skew == Skew::Agreed);
    let misdated = wrong.map(|span| (span, state.clone()));
    let counts = context.keeper.keep(PollToKeep { is_answered, document, trust, ..poll(state) }).await?;
    context.telling.is_well(&address);
    if let Some((span, state)) = misdated {
        redate_entries(context, hold, state, span, now).await?;
    }
    if let Some((failures, since)) = recovered {
        let times = count(usize::try_from(failures).unwrap_or(usize::MAX), "failure");
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

/// Learns from an answered poll how far the hub of the source is to be trusted: the trust, and whether it tells everything.
fn trust_after(subscription: Option<&FeedSubscription>, found_news: bool, now: Timestamp) -> (Option<PushTrust>, bool) {
    let Some(subscription) = subscription else { return (None, false) };
    let trust = subscription.trust.after_poll(subscription, found_news, now);
    let is_pushed = subscription.is_live(now) && trust.is_earned();
    (Some(trust), is_pushed)
}

/// The host of a source stays with another node.
struct Elsewhere;

/// Uses the lease of a source's host, where several nodes share the store. The host is that of the configured address, so
/// that two nodes with one config never poll a source at once; others on the way of redirects are leased for each request.
async fn lease(context: &Context, source: &Source) -> Result<Option<fetch::LeaseUse>, Elsewhere> {
    let Some(node) = &context.node else { return Ok(None) };
    let host = source.url.host_str().unwrap_or(&source.id);
    let end = tokio::time::Instant::now() + LEASE_WAIT_MAX;
    node.leases().use_by(host, end).await.map(Some).ok_or(Elsewhere)
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
