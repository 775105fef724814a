//! A poll and a publication, told from beginning to end. Start reading here.
//!
//! [`poll`] takes one source through all stages: ask its server, read the document, find what is new, decide its topics
//! and its story, keep it. [`publish`] takes the stored stories of each topic out to files and memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use tracing::{info, warn};
use url::Url;

use crate::config::{Config, Source};
use crate::dedup::{self, Decision};
use crate::feed::{Entry, Feed, Timestamp};
use crate::fetch;
use crate::parse;
use crate::publish::{self, Credit, Edition, Representation, Selection, files};
use crate::schedule::{self, Asked};
use crate::state::{About, PollFailure, SourceState, Wait};
use crate::store::{Handle, Store, StoreError};
use crate::story::{EntryKey, Identity, Prepared, StoredEntry};
use crate::tag;
use crate::topic::{Label, Matcher};

/// How far back an entry can join a story.
const STORY_WINDOW: TimeDelta = TimeDelta::days(90);

/// 410: the publisher says that it is gone for good (RFC 9110 §15.5.11).
const GONE: u16 = 410;

/// Entries that are labelled again in one go.
const RELABEL_BATCH: usize = 500;

/// Everything that polls and publications need, built whole from one config.
#[derive(Debug)]
pub struct Context {
    /// The config.
    pub config: Config,
    /// Its topics.
    pub matcher: Matcher,
    /// Who asks servers.
    pub client: Arc<fetch::Client>,
    /// Where everything is kept.
    pub store: Handle,
}

impl Context {
    /// Builds what a config asks for.
    ///
    /// # Errors
    /// When the HTTP client cannot be made, as on a system without any CA certificates.
    pub fn new(config: Config, store: Handle) -> Result<Self, fetch::ClientError> {
        let client = Arc::new(fetch::Client::new(&fetch::Settings::new(&config.site, &config.poll))?);
        Ok(Self { matcher: Matcher::new(config.topics.clone()), config, client, store })
    }

    /// Builds what a changed config asks for, on the same store.
    ///
    /// If it asks servers as before, the client stays: with it the hosts' turns, and who asked to be left alone.
    ///
    /// # Errors
    /// As [`Context::new`].
    pub fn renewed(&self, config: Config) -> Result<Self, fetch::ClientError> {
        if fetch::Settings::new(&config.site, &config.poll) != *self.client.settings() {
            return Self::new(config, self.store.clone());
        }
        let (client, store) = (Arc::clone(&self.client), self.store.clone());
        Ok(Self { matcher: Matcher::new(config.topics.clone()), config, client, store })
    }

    /// Leaves alone the hosts that asked for it before a restart (RFC 9110 §10.2.3), as `states` remember.
    pub fn resume(&self, states: &[SourceState], now: Timestamp) {
        for state in states.iter().filter(|state| state.is_throttled()) {
            let delay = state.next_poll.and_then(|at| (at - now).to_std().ok());
            if let (Some(delay), Some(url)) = (delay, &state.url) {
                self.client.postpone(state.address(url), delay);
            }
        }
    }
}

/// How a poll went.
#[derive(Debug, Clone, PartialEq)]
pub struct Polled {
    /// What came of it.
    pub outcome: Outcome,
    /// When to poll next; `None` for a source that is gone.
    pub next_poll: Option<Timestamp>,
}

/// What came of a poll.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nothing was asked: another process polled it meanwhile, or its host wants to be left alone.
    NotDue,
    /// The server says, or the bytes show, that nothing has changed.
    Unchanged,
    /// A document was read.
    Read(Counts),
    /// It brought nothing.
    Failed(PollFailure),
}

/// What a document brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries that were not known.
    pub new: usize,
    /// Entries that say something else now.
    pub changed: usize,
}

/// Polls one source.
///
/// `force` polls it also when it is not due.
///
/// # Errors
/// When the store fails. A source that fails is an [`Outcome`].
///
/// # Cancellation
/// Nothing is kept unless all of it is.
pub async fn poll(context: &Arc<Context>, source: &Source, force: bool, now: Timestamp) -> Result<Polled, StoreError> {
    let id = source.id.clone();
    let mut state = context.store.call(move |store| store.source(&id)).await?;
    state.turn_to(&source.url);
    if !force && (state.retired || state.next_poll.is_some_and(|due| due > now)) {
        return Ok(Polled { outcome: Outcome::NotDue, next_poll: state.next_poll });
    }

    // Ask the server.
    let address = state.address(&source.url).clone();
    let mut fetched = match fetch(context, source, &address, &state, now).await {
        Ok(fetched) => fetched,
        Err(error) => return fail(context, source, state, &address, &error, now).await,
    };
    let waits = fetched.asks.clone();
    let moved = fetched.moved().cloned();
    // Kept to the end of this poll: so no more documents are in memory than can be read.
    let _share = std::mem::take(&mut fetched.share);

    // Read the document, unless its bytes are those of the last one.
    let document = match read(context, source, &mut state, fetched, now).await {
        Ok(document) => document,
        Err(Unreadable { code, message }) => {
            let failure = state.fail(code, message, now);
            plan(context, source, &mut state, &waits, now);
            return keep_failure(context, state, failure).await;
        }
    };
    state.succeed(now);
    state.observe_redirect(&address, moved.as_ref(), now);

    // Find what is new in it and make that ready: sanitised, with its topics.
    let news = match document {
        Some(document) => Some(prepare(context, source, &mut state, document).await?),
        None => None,
    };
    plan(context, source, &mut state, &waits, now);

    // Keep all of it, or nothing: an ETag kept without its entries would lose them for good.
    let next_poll = state.next_poll;
    let stories = Stories::of(&context.config, source);
    let outcome = context
        .store
        .call(move |store| {
            store.save_source(&state)?;
            news.map_or(Ok(Outcome::Unchanged), |news| {
                Ok(Outcome::Read(keep(store, &state.source_id, news, &stories, now)?))
            })
        })
        .await?;
    if let Outcome::Read(Counts { new, changed }) = outcome
        && new + changed > 0
    {
        info!(entries.new = new, entries.changed = changed, "polled, {new} new, {changed} changed");
    }
    Ok(Polled { outcome, next_poll })
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

/// Keeps the state of a source whose server brought no document.
async fn fail(
    context: &Context,
    source: &Source,
    mut state: SourceState,
    address: &Url,
    error: &fetch::FetchError,
    now: Timestamp,
) -> Result<Polled, StoreError> {
    if let fetch::FetchError::Postponed { delay, .. } = error {
        // Nothing was sent: another feed of the host was told to wait, and this one waits too.
        state.next_poll = Some(now + TimeDelta::from_std(*delay).unwrap_or(TimeDelta::days(1)));
        state.next_poll_why = error.to_string();
        let next_poll = state.next_poll;
        context.store.call(move |store| store.save_source(&state)).await?;
        return Ok(Polled { outcome: Outcome::NotDue, next_poll });
    }
    let advice = error.advice().map(|advice| format!("; {advice}")).unwrap_or_default();
    let failure = state.fail(error.code(), format!("{error}{advice}"), now);
    // What was adopted may go; the configured address has the last word.
    state.retired = *address == source.url && matches!(error, fetch::FetchError::Status { code: GONE, .. });
    plan(context, source, &mut state, error.asks(), now);
    keep_failure(context, state, failure).await
}

async fn keep_failure(context: &Context, state: SourceState, failure: PollFailure) -> Result<Polled, StoreError> {
    let next_poll = state.next_poll;
    // Told once, when the state changes: `feeds` shows the rest.
    if state.failures == 1 {
        warn!(error.code = failure.code, "failing: {}", failure.message);
    }
    context.store.call(move |store| store.save_source(&state)).await?;
    Ok(Polled { outcome: Outcome::Failed(failure), next_poll })
}

/// Sets when to poll next: never for a source that is gone.
fn plan(context: &Context, source: &Source, state: &mut SourceState, waits: &[Wait], now: Timestamp) {
    if state.retired {
        state.next_poll = None;
        state.next_poll_why = "gone for good (410): give its new address, or remove it from the config".into();
        return;
    }
    let asked = Asked {
        source_id: &source.id,
        schedule: &source.schedule,
        waits,
        rhythm: &state.about.rhythm,
        failures: state.failures,
        postpone_max: context.config.poll.postpone_max,
    };
    let next = schedule::next_poll(&asked, now);
    state.next_poll = Some(next.at);
    state.next_poll_why = next.why;
}

/// A document that was read.
struct Document {
    feed: Feed,
    /// Not a delta (RFC 3229): what it lacks has left the feed.
    whole: bool,
}

/// Why a document could not be read.
struct Unreadable {
    code: String,
    message: String,
}

/// Reads the document of an answer; `None` if it is the last one again.
///
/// Validators are kept only with a document that was read: an ETag for one that was not would turn the failure into a
/// silent "not modified".
async fn read(
    context: &Context,
    source: &Source,
    state: &mut SourceState,
    fetched: fetch::Fetched,
    now: Timestamp,
) -> Result<Option<Document>, Unreadable> {
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
    let whole = !document.is_delta;
    let limits = parse::Limits { entries_max: context.config.poll.entries_max, ..parse::Limits::default() };
    let zone = source.schedule.zone();
    let reading = tokio::task::spawn_blocking(move || {
        parse::read(&document.body, document.content_type.as_deref(), Some(&url), zone, &limits, now)
    });
    let feed = match reading.await {
        Ok(feed) => feed.map_err(|error| Unreadable {
            code: error.code().into(),
            message: format!("{error}; {}", error.advice()),
        })?,
        Err(panic) => return Err(Unreadable { code: "reader_failed".into(), message: panic.to_string() }),
    };
    state.validators = validators;
    state.body_hash = Some(hash);
    Ok(Some(Document { feed, whole }))
}

/// What a document brings, ready for the store.
struct News {
    /// Entries that are new or say something else, as far as the store knew before the transaction.
    prepared: Vec<Prepared>,
    /// Entries that are as they were.
    same: Vec<i64>,
    /// Whether what is neither has left the feed.
    whole: bool,
}

/// Sorts out what is new in a document, so that only that is sanitised and labelled.
async fn prepare(
    context: &Arc<Context>,
    source: &Source,
    state: &mut SourceState,
    document: Document,
) -> Result<News, StoreError> {
    let Document { feed, whole } = document;
    state.about = about(&feed);
    let identified = dedup::identify(&source.id, &feed.format, feed.entries);
    let (id, keys) = (source.id.clone(), keys(identified.iter().map(|(_, identity)| identity)));
    let known = context.store.call(move |store| store.known(&id, &keys)).await?;
    let mut same = Vec::new();
    let mut fresh: Vec<(Entry, Identity)> = Vec::new();
    for (entry, identity) in identified {
        match dedup::decide(&identity, &known) {
            Decision::Same(number) => same.push(number),
            Decision::New | Decision::Changed(_) => fresh.push((entry, identity)),
        }
    }
    let (context, source) = (Arc::clone(context), source.clone());
    let ready = tokio::task::spawn_blocking(move || {
        fresh.into_iter().map(|(entry, identity)| ready(&context.matcher, &source, entry, identity)).collect()
    });
    let prepared = ready.await.map_err(|_| StoreError::Closed)?;
    Ok(News { prepared, same, whole })
}

fn ready(matcher: &Matcher, source: &Source, entry: Entry, identity: Identity) -> Prepared {
    let entry = parse::sanitise(entry);
    let mut identity = identity;
    identity.clues = dedup::clues(identity.canonical_link.as_deref());
    let labels = tag::labels(matcher, &entry, source);
    Prepared { entry, identity, labels }
}

fn keys<'a>(identities: impl Iterator<Item = &'a Identity>) -> Vec<EntryKey> {
    identities.flat_map(Identity::keys).collect()
}

fn about(feed: &Feed) -> About {
    let Feed { id, title, url, description, language, updated, rights, authors, generator, rhythm, defects, .. } =
        feed.clone();
    let format = Some(feed.format.clone());
    About { id, title, url, description, language, updated, rights, authors, generator, format, rhythm, defects }
}

/// Which entries may tell the same story.
struct Stories {
    /// Whether those of this source may join others (`dedup`).
    joins: bool,
    /// The sources whose entries nobody joins.
    apart: HashSet<String>,
}

impl Stories {
    fn of(config: &Config, source: &Source) -> Self {
        let apart = config.sources.iter().filter(|other| !other.dedup).map(|other| other.id.clone()).collect();
        Self { joins: source.dedup, apart }
    }
}

/// Keeps what a document brought; decided on what the store knows now, inside its transaction.
fn keep(
    store: &mut dyn Store,
    source_id: &str,
    news: News,
    stories: &Stories,
    now: Timestamp,
) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    let mut present = news.same;
    let known = store.known(source_id, &keys(news.prepared.iter().map(|prepared| &prepared.identity)))?;
    for mut prepared in news.prepared {
        let number = match dedup::decide(&prepared.identity, &known) {
            Decision::Same(number) => number,
            Decision::Changed(number) => {
                counts.changed += 1;
                let before = store.entry(number)?;
                let significant = before.is_none_or(|before| dedup::is_significant(&before.entry, &prepared.entry));
                store.update(number, &prepared, significant.then_some(now))?;
                number
            }
            Decision::New => {
                counts.new += 1;
                let story = story(store, source_id, &prepared, stories, now)?;
                if store.has_atom_id(&prepared.identity.atom_id)? {
                    prepared.identity.atom_id = dedup::minted_id(source_id, prepared.identity.key);
                }
                store.insert(source_id, &prepared, story, now)?
            }
        };
        present.push(number);
    }
    if news.whole {
        store.mark_present(source_id, &present, now)?;
    }
    if counts != Counts::default() {
        store.raise_generation()?;
    }
    Ok(counts)
}

/// The story that a new entry joins, if it is not one of its own.
fn story(
    store: &mut dyn Store,
    source_id: &str,
    prepared: &Prepared,
    stories: &Stories,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    if !stories.joins {
        return Ok(None);
    }
    let mut candidates = store.candidates(&prepared.identity.clues, now - STORY_WINDOW)?;
    candidates.retain(|candidate| !stories.apart.contains(&candidate.source_id));
    Ok(dedup::story_of(source_id, &prepared.entry, &candidates).map(|(story, _)| story))
}

/// Labels every stored entry again if the rules differ from those of the last time; says whether it did.
///
/// The labels change in one step: until then the old ones are published.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// Nothing is kept unless all of it is.
pub async fn relabel(context: &Arc<Context>) -> Result<bool, StoreError> {
    let rules = rules(&context.config);
    if context.store.call(|store| store.rules()).await? == rules {
        return Ok(false);
    }
    let sources: Arc<HashMap<String, Source>> =
        Arc::new(context.config.sources.iter().map(|source| (source.id.clone(), source.clone())).collect());
    let mut labels: Vec<(i64, Vec<Label>)> = Vec::new();
    loop {
        let after = labels.last().map_or(0, |(number, _)| *number);
        let entries = context.store.call(move |store| store.entries_after(after, RELABEL_BATCH)).await?;
        if entries.is_empty() {
            break;
        }
        let (context, sources) = (Arc::clone(context), Arc::clone(&sources));
        let labelled = tokio::task::spawn_blocking(move || relabelled(&context.matcher, &sources, &entries));
        labels.extend(labelled.await.map_err(|_| StoreError::Closed)?);
    }
    info!(entries = labels.len(), "labelled {} entries by the new rules", labels.len());
    let context_then = Arc::clone(context);
    context
        .store
        .call(move |store| {
            // What a poll under the old rules brought meanwhile.
            let after = labels.last().map_or(0, |(number, _)| *number);
            let late = store.entries_after(after, usize::MAX)?;
            labels.extend(relabelled(&context_then.matcher, &sources, &late));
            store.relabel(&labels, &rules)?;
            store.raise_generation()
        })
        .await?;
    Ok(true)
}

fn relabelled(matcher: &Matcher, sources: &HashMap<String, Source>, entries: &[StoredEntry]) -> Vec<(i64, Vec<Label>)> {
    let label = |stored: &StoredEntry| match sources.get(&stored.source_id) {
        Some(source) => tag::labels(matcher, &stored.entry, source),
        // A feed that is no longer polled: what it told stays.
        None => tag::labels_of_former(matcher, &stored.entry, &stored.source_id),
    };
    entries.iter().map(|stored| (stored.number, label(stored))).collect()
}

/// A hash of all that decides labels: the topics, and what sources say of their entries' topics.
fn rules(config: &Config) -> String {
    let sources: Vec<_> = config.sources.iter().map(|source| (&source.id, &source.tags, &source.topics)).collect();
    let text = format!("{} {:?} {sources:?}", env!("CARGO_PKG_VERSION"), config.topics);
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Drops what is too old and tidies the store; returns how many entries went.
///
/// # Errors
/// When the store fails.
pub async fn upkeep(context: &Context, now: Timestamp) -> Result<usize, StoreError> {
    let before = now - context.config.store.keep;
    let dropped = context.store.call(move |store| store.drop_before(before)).await?;
    context.store.call(|store| store.tidy()).await?;
    Ok(dropped)
}

/// What was published.
#[derive(Debug)]
pub struct Published {
    /// The store's generation that it shows.
    pub generation: i64,
    /// Every document.
    pub representations: Vec<Representation>,
    /// What that changed in the folder of static files.
    pub written: Result<files::Written, files::FilesError>,
}

/// Publishes the stored stories of every topic: renders them and puts the files in place.
///
/// Files that cannot be written do not keep what was rendered from being served.
///
/// # Errors
/// When the store fails.
pub async fn publish(context: &Arc<Context>) -> Result<Published, StoreError> {
    let topics: Vec<String> = context.config.topics.iter().map(|topic| topic.id.clone()).collect();
    let limit = context.config.publish.entries;
    let (generation, stories, states) = context
        .store
        .call(move |store| {
            let stories = topics.iter().map(|topic| store.stories(topic, limit)).collect::<Result<Vec<_>, _>>()?;
            Ok((store.generation()?, stories, store.sources()?))
        })
        .await?;
    let context = Arc::clone(context);
    let rendering = tokio::task::spawn_blocking(move || {
        let config = &context.config;
        let credits = credits(config, states);
        let topics = config.topics.iter().zip(stories);
        let edition = Edition {
            site: &config.site,
            settings: &config.publish,
            sources: &credits,
            selections: topics.map(|(topic, stories)| Selection { topic, stories }).collect(),
        };
        let representations = publish::render(&edition);
        let written = files::write(&config.publish.directory, &representations);
        Published { generation, representations, written }
    });
    rendering.await.map_err(|_| StoreError::Closed)
}

/// What each source is credited with: those of the config, and those that stored entries came from before.
fn credits(config: &Config, states: Vec<SourceState>) -> BTreeMap<String, Credit> {
    let former = |url, about| Credit { title: None, url, about, is_polled: false };
    let mut credits: BTreeMap<String, Credit> =
        states.into_iter().filter_map(|state| Some((state.source_id, former(state.url?, state.about)))).collect();
    for source in &config.sources {
        let credit = credits.entry(source.id.clone()).or_insert_with(|| former(source.url.clone(), About::default()));
        credit.title.clone_from(&source.title);
        credit.url.clone_from(&source.url);
        credit.is_polled = source.enabled;
    }
    credits
}
