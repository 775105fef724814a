//! The daemon: what polls when, reloads, publishes after changes, and ends cleanly. Reads the clock.
//!
//! One loop owns all decisions; polls, relabelling and publishing are tasks that report back to it.

mod due;
mod listen;
mod notify;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{TimeDelta, Utc};
use futures_util::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch as flag;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error, info, info_span, warn};

use self::due::Due;
use self::watch::FileWatch;
use crate::config::{self, Config};
use crate::feed::Timestamp;
use crate::pipeline::{self, Announced, Archives, Context, Counts, Outcome, Polled, Published};
use crate::publish::Tree;
use crate::publish::files::{FilesError, Written};
use crate::serve::{self, Front, Health};
use crate::state::PollFailure;
use crate::store::sqlite::Sqlite;
use crate::store::{Handle, StoreError};

/// How long polls in flight may go on after the signal to stop.
const GRACE: Duration = Duration::from_secs(30);

/// How often the store is asked whether another process changed it, and the config file whether it was saved.
const LOOK: Duration = Duration::from_secs(2);

/// How long changes gather before they are published together, at least and at most.
const GATHER: Duration = Duration::from_millis(500);
const GATHER_MAX: Duration = Duration::from_secs(30);

/// Of the time while polls bring news, publishing takes no more than one part in so many: with ten thousand sources their
/// pages alone take seconds, and polls wait meanwhile.
const GATHER_SHARE: u32 = 5;

/// When a source is tried again over which we panicked.
const PANIC_PAUSE: TimeDelta = TimeDelta::hours(1);
/// How long archives may stay behind while polls are under way.
const ARCHIVE_DELAY_MAX: Duration = Duration::from_mins(1);

/// When files that could not be written are tried again: a disk may have room by then, and nobody may come to tell us.
const FILES_PAUSE: Duration = Duration::from_mins(1);

/// Polls that are begun for each that can run.
const READY: usize = 4;

/// How often it is looked whether the day's upkeep is due.
const UPKEEP: TimeDelta = TimeDelta::hours(1);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When the store, the port or the publish directory cannot be used, or the store fails later. A feed that fails is no
/// error.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let store = Sqlite::open(&config.store.path)?;
    let (store, store_thread) = Handle::new(Box::new(store)).context("cannot start the store's thread")?;
    let listener = listen::open(config.serve.listen.as_ref()).await?;
    let (stop, mut stopped) = flag::channel(false);
    let context = Arc::new(Context::new(config, store)?);
    pipeline::note_config(&context, None, Utc::now()).await?;
    let front = Arc::new(Front::default());
    let mut daemon = Daemon::new(context, Arc::clone(&front));
    daemon.publish(true).await?;
    let (socket, _socket_file) = listener.unzip();
    let server = socket.map(|socket| {
        let stop = async move {
            // The sender is gone only when the daemon is.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        tokio::spawn(serve::serve(socket, front, serve::Limits::default(), stop))
    });
    let result = daemon.live().await;
    notify::stopping();
    let _ = stop.send(true);
    daemon.end().await;
    if let Some(server) = server {
        // Ends by itself within its grace once told to stop.
        server.await?.context("the HTTP server failed")?;
    }
    drop(daemon);
    // Ends when the last handle is gone and its queue is empty.
    let _ = tokio::task::spawn_blocking(move || store_thread.join()).await;
    info!("stopped");
    result
}

/// A poll that has ended: its source, the context that it began under, what came of it.
type Ended = (String, Arc<Context>, Result<Polled, StoreError>);

struct Daemon {
    context: Arc<Context>,
    front: Arc<Front>,
    due: Due,
    /// Where each source stands in the config.
    places: HashMap<String, usize>,
    polls: JoinSet<Ended>,
    /// At most one: a reload ends the one before.
    relabelling: JoinSet<Result<bool, StoreError>>,
    /// At most one: it goes through all hubs.
    announcing: JoinSet<Result<Option<Timestamp>, StoreError>>,
    /// What hubs are to hear of.
    announced: Arc<Vec<Announced>>,
    /// When to announce: now after a publication, later after a failure.
    next_announcement: Option<Timestamp>,
    /// A poll that began under older rules has brought something: it is labelled by those.
    is_stale: bool,
    /// What the last publication showed.
    published: i64,
    /// How long it took.
    publication: Duration,
    /// When the archives were brought up to date.
    archived: tokio::time::Instant,
    /// Whether they are not.
    archives_wait: bool,
    /// When to try again to write files, if that failed.
    files_again: Option<tokio::time::Instant>,
    file: FileWatch,
    /// What is wrong, by what it is about.
    troubles: BTreeMap<&'static str, String>,
    next_upkeep: Timestamp,
}

impl Daemon {
    fn new(context: Arc<Context>, front: Arc<Front>) -> Self {
        let file = FileWatch::new(&context.config.path, &context.config.warnings.text);
        Self {
            context,
            front,
            due: Due::default(),
            places: HashMap::new(),
            polls: JoinSet::new(),
            relabelling: JoinSet::new(),
            announcing: JoinSet::new(),
            announced: Arc::default(),
            next_announcement: None,
            is_stale: false,
            published: 0,
            publication: Duration::ZERO,
            archived: tokio::time::Instant::now(),
            archives_wait: true,
            files_again: None,
            file,
            troubles: BTreeMap::new(),
            next_upkeep: Utc::now(),
        }
    }

    /// Lives until told to stop.
    async fn live(&mut self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut look = tokio::time::interval(LOOK);
        let mut gathered: Option<tokio::time::Instant> = None;
        self.take_over().await?;
        loop {
            self.start_due();
            self.freshen();
            let next = self.due.next().map_or(LOOK, |at| (at - Utc::now()).to_std().unwrap_or_default());
            tokio::select! {
                _ = terminate.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
                _ = hangup.recv() => self.reload().await?,
                Some(ended) = self.polls.join_next() => {
                    if self.end_poll(ended?)? {
                        let gather = (self.publication * GATHER_SHARE).clamp(GATHER, GATHER_MAX);
                        gathered.get_or_insert_with(|| tokio::time::Instant::now() + gather);
                    }
                }
                Some(Ok(relabelled)) = self.relabelling.join_next() => {
                    if relabelled? {
                        self.publish(false).await?;
                    }
                }
                Some(announced) = self.announcing.join_next() => {
                    let next = announced??;
                    self.next_announcement = self.next_announcement.or(next);
                    self.announce();
                }
                () = sleep_until(gathered) => {
                    gathered = None;
                    self.publish(false).await?;
                }
                _ = look.tick() => self.look().await?,
                // The wall clock may be set meanwhile: `look` comes round before long.
                () = tokio::time::sleep(next.min(LOOK)) => {}
            }
        }
    }

    /// Brings labels and due times in line with the config. Labels follow in the background.
    async fn take_over(&mut self) -> anyhow::Result<()> {
        self.relabelling.abort_all();
        let context = Arc::clone(&self.context);
        self.relabelling.spawn(async move { pipeline::relabel(&context).await });
        let states = self.context.store.call(|store| store.sources()).await?;
        let now = Utc::now();
        self.context.resume(now).await?;
        let states: HashMap<&str, _> = states.iter().map(|state| (state.source_id.as_str(), state)).collect();
        self.due.clear();
        let sources = self.context.config.sources.iter().enumerate();
        self.places = sources.map(|(at, source)| (source.id.clone(), at)).collect();
        for source in self.context.config.sources.iter().filter(|source| source.enabled) {
            let known = states.get(source.id.as_str()).filter(|state| state.url.as_ref() == Some(&source.url));
            match known {
                Some(state) if state.retired => {}
                Some(state) => self.due.set(&source.id, state.next_poll.unwrap_or(now)),
                None => self.due.set(&source.id, now),
            }
        }
        let config = &self.context.config;
        info!(feeds = config.sources.len(), topics = config.topics.len(), "watching");
        notify::ready(&format!("watching {} feeds for {} topics", config.sources.len(), config.topics.len()));
        Ok(())
    }

    fn start_due(&mut self) {
        let now = Utc::now();
        let (context, places) = (&self.context, &self.places);
        let source = |id: &str| places.get(id).and_then(|at| context.config.sources.get(*at));
        let host_of = |id: &str| source(id)?.url.host_str().map(str::to_owned);
        // More than can be polled at once, so that no place stays free; not all, for each costs memory.
        while self.polls.len() < context.config.poll.concurrency.saturating_mul(READY) {
            let Some(source_id) = self.due.take(now, host_of) else { return };
            let Some(source) = source(&source_id) else {
                self.due.end(&source_id, None);
                continue;
            };
            let (context, source) = (Arc::clone(context), source.clone());
            let span = info_span!("poll", source.id = source_id);
            let poll = async move {
                let polling = pipeline::poll(&context, &source, false, Utc::now());
                let polled =
                    AssertUnwindSafe(polling).catch_unwind().await.unwrap_or_else(|_| Ok(panicked(Utc::now())));
                (source_id, context, polled)
            };
            self.polls.spawn(poll.instrument(span));
        }
    }

    /// Plans the next poll; says whether there is something to publish.
    fn end_poll(&mut self, (source_id, context, polled): Ended) -> anyhow::Result<bool> {
        let polled = polled?;
        let (outcome, counts) = match &polled.outcome {
            Outcome::NotDue => ("not_due", Counts::default()),
            Outcome::Unchanged => ("unchanged", Counts::default()),
            Outcome::Read(counts) => ("read", *counts),
            Outcome::Failed(_) => ("failed", Counts::default()),
        };
        self.front.metrics.polled(outcome, counts.new, counts.changed);
        self.due.end(&source_id, polled.next_poll);
        let has_news = matches!(polled.outcome, Outcome::Read(counts) if counts != Counts::default());
        let is_current = Arc::ptr_eq(&context, &self.context);
        self.is_stale |= has_news && !is_current && !pipeline::same_rules(&context.config, &self.context.config);
        Ok(has_news)
    }

    /// Labels again what a poll that began before the last reload has labelled by the old rules.
    fn freshen(&mut self) {
        if self.is_stale && self.relabelling.is_empty() {
            self.is_stale = false;
            let context = Arc::clone(&self.context);
            self.relabelling.spawn(async move { pipeline::relabel_all(&context).await });
        }
    }

    /// Looks whether the config file was saved, whether another process changed the store or was told to leave a host
    /// alone, whether upkeep is due.
    async fn look(&mut self) -> anyhow::Result<()> {
        if self.file.changed() {
            self.reload().await?;
        }
        self.context.resume(Utc::now()).await?;
        let generation = self.context.store.call(|store| store.generation()).await?;
        let files_again = self.files_again.is_some_and(|at| at <= tokio::time::Instant::now());
        if generation > self.published || self.archives_wait && self.polls.is_empty() || files_again {
            self.publish(false).await?;
        }
        self.tell_freshness();
        self.announce();
        self.front.metrics.store(self.context.store.call(|store| store.size()).await?);
        let now = Utc::now();
        if now >= self.next_upkeep {
            self.next_upkeep = now + UPKEEP;
            let dropped = pipeline::upkeep(&self.context, now).await?;
            if dropped > 0 {
                info!(entries.dropped = dropped, "dropped {dropped} old entries");
            }
        }
        notify::alive();
        Ok(())
    }

    /// Tells readers how long nothing can change: until the next poll, unless one is under way.
    fn tell_freshness(&mut self) {
        let next = self.due.next().filter(|_| self.polls.is_empty());
        let wait = next.and_then(|at| (at - Utc::now()).to_std().ok());
        let until = wait.map(|wait| std::time::Instant::now() + wait);
        self.front.tree.store(Arc::new(self.front.tree.load().with_fresh_until(until, Utc::now())));
    }

    /// Takes over a changed config if it validates; keeps the old one if not.
    async fn reload(&mut self) -> anyhow::Result<()> {
        notify::reloading();
        let path = self.context.config.path.clone();
        let old = &self.context.config;
        match tokio::task::spawn_blocking(move || config::load(&path)).await? {
            Ok(config) => {
                if config.serve.listen != old.serve.listen || config.store.path != old.store.path {
                    warn!("`serve.listen` and `store.path` change with a restart only");
                }
                match self.context.renewed(config) {
                    Ok(context) => {
                        self.context = Arc::new(context);
                        self.set_trouble("config", None);
                        pipeline::note_config(&self.context, None, Utc::now()).await?;
                        info!("config reloaded");
                    }
                    Err(error) => self.keep_config(error.to_string(), &error.to_string()).await?,
                }
            }
            Err(invalid) => self.keep_config(invalid.0.summary(), &invalid.0.list()).await?,
        }
        self.take_over().await?;
        self.publish(false).await
    }

    /// A rule that cannot be read never empties a feed: what is in force stays. Told in the log, on `/healthz` and among
    /// the sources.
    async fn keep_config(&mut self, first: String, all: &str) -> Result<(), StoreError> {
        self.set_trouble("config", Some("the config file has mistakes; the last good one is in force".into()));
        error!("the config has mistakes, the last good one stays in force\n{all}");
        pipeline::note_config(&self.context, Some(first), Utc::now()).await
    }

    /// Shows on `/healthz` that something is wrong, or is right again.
    fn set_trouble(&mut self, about: &'static str, trouble: Option<String>) {
        match trouble {
            Some(trouble) => self.troubles.insert(about, trouble),
            None => self.troubles.remove(about),
        };
        let reasons = self.troubles.values().cloned().collect();
        self.front.health.store(Arc::new(Health { reasons }));
    }

    /// Publishes what the store holds now.
    ///
    /// # Errors
    /// When the store fails; at the start also when the folder cannot be written. Later that stops files, not HTTP.
    async fn publish(&mut self, starting: bool) -> anyhow::Result<()> {
        // While polls are under way, each publication would make the volume of this month anew, and on the first day
        // those of all months.
        let began = tokio::time::Instant::now();
        let is_busy = !self.polls.is_empty() && began < self.archived + ARCHIVE_DELAY_MAX;
        let archives = if is_busy || starting { Archives::Later } else { Archives::Changed };
        let Some(Published { generation, representations, filed, stories, announced, written }) =
            pipeline::publish(&self.context, archives, &CancellationToken::new()).await?
        else {
            return Ok(());
        };
        self.published = generation;
        self.archives_wait = archives == Archives::Later;
        if !self.archives_wait {
            self.archived = began;
        }
        let prefix = self.context.config.site.url.path().trim_end_matches('/').to_owned();
        self.front.prefix.store(Arc::new(prefix));
        let (front, now) = (Arc::clone(&self.front), Utc::now());
        tokio::task::spawn_blocking(move || {
            front.tree.store(Arc::new(Tree::build(representations, filed, &front.tree.load(), now)));
        })
        .await?;
        self.publication = began.elapsed();
        self.front.metrics.published(self.publication, &stories);
        self.announced = Arc::new(announced);
        self.next_announcement = Some(now);
        self.announce();
        match written {
            Err(error) if starting => return Err(error.into()),
            written => self.note_files(written),
        }
        Ok(())
    }

    /// Tells what became of the files, of a failure when it begins and when it ends; it is tried again meanwhile.
    fn note_files(&mut self, written: Result<Written, FilesError>) {
        let trouble = match written {
            Ok(written) => {
                debug!(files.changed = written.changed, files.removed = written.removed, "published");
                self.files_again = None;
                if self.troubles.contains_key("files") {
                    info!("files are up to date again");
                }
                None
            }
            Err(error) => {
                self.files_again = Some(tokio::time::Instant::now() + FILES_PAUSE);
                let trouble = format!("{error}: {}", error.cause);
                if self.troubles.get("files") != Some(&trouble) {
                    error!("cannot publish files: {trouble}; {}", error.hint());
                }
                Some(trouble)
            }
        };
        self.set_trouble("files", trouble);
    }

    /// Tells the hubs what has changed, if it is time to; publishing never waits for them.
    fn announce(&mut self) {
        let now = Utc::now();
        if self.announcing.is_empty() && self.next_announcement.is_some_and(|at| at <= now) {
            self.next_announcement = None;
            let (context, topics) = (Arc::clone(&self.context), Arc::clone(&self.announced));
            self.announcing.spawn(async move { pipeline::announce(&context, &topics, now).await });
        }
    }

    /// Waits for the polls in flight, within the grace or until Ctrl-C is pressed again.
    async fn end(&mut self) {
        self.relabelling.abort_all();
        let all = async { while self.polls.join_next().await.is_some() {} };
        let ended = tokio::select! {
            ended = tokio::time::timeout(GRACE, all) => ended.is_ok(),
            _ = tokio::signal::ctrl_c() => false,
        };
        if !ended {
            warn!(polls = self.polls.len(), "polls were given up: they are repeated at the next start");
            self.polls.shutdown().await;
        }
    }
}

/// A fault of ours over one source: the others go on, and it is tried again.
fn panicked(now: Timestamp) -> Polled {
    let message = "veille has a fault that this feed brings to light; please report it".to_owned();
    error!("{message}");
    let failure = PollFailure { code: "panic".into(), message, since: now };
    Polled { outcome: Outcome::Failed(failure), next_poll: Some(now + PANIC_PAUSE) }
}

/// Sleeps until an instant, or for ever.
async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
