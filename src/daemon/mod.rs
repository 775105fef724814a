//! The daemon: what polls when, reloads, publishes after changes, and ends cleanly. Reads the clock.
//!
//! One loop owns all decisions and waits for nothing but the next event. Polls, reading the config, publishing, labelling
//! by new rules, upkeep, announcing and looking at the store are tasks that report back to it.

mod ailing;
mod asking;
mod due;
mod listen;
mod notify;
mod publication;
mod reload;
mod report;
mod roster;
mod rounds;
mod task;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use chrono::{TimeDelta, Utc};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::ailing::{Ailing, Opened};
use self::asking::{Ended, InDoubt};
pub(crate) use self::due::Due;
use self::publication::Publication;
use self::reload::Reloaded;
use self::report::Report;
use self::task::Task;
use self::watch::FileWatch;
use crate::config::Config;
use crate::feed::Timestamp;
use crate::fetch::descriptors::Shares;
use crate::outage::{Lack, Network, Outage};
use crate::pipeline::{self, Announced, Archives, Context, PostReport};
use crate::publish::files::{FilesError, Written};
use crate::serve::{self, Front, Offer, ServingLimits, Socket};
use crate::state::SourceState;
use crate::store::StoreError;

/// Longest time from the signal to stop to the end of the process, whatever is under way.
///
/// Nothing is lost: each file is replaced whole or not at all, and a transaction that the store has not committed by then
/// counts as never begun.
const END_MAX: Duration = Duration::from_secs(4);

/// Part of it in which polls, and answers to readers, may end by themselves.
const GRACE: Duration = Duration::from_secs(2);

/// Time between two checks whether another process changed the store, or the config file was saved.
const LOOK: Duration = Duration::from_secs(2);

/// Longest time that a look at the store may wait for its answer; beyond it the watchdog hears nothing more.
///
/// It is longer than several transactions wait for another process that writes, one after the other. Then each call fails,
/// which is an outage; to be killed earlier would only begin the same wait again.
const LOOK_MAX: Duration = Duration::from_secs(75);

/// Shortest and longest time that changes gather before they are published together.
const GATHER: Duration = Duration::from_millis(500);
const GATHER_MAX: Duration = Duration::from_secs(30);

/// Of the time while polls bring news, publishing takes no more than one part in so many: with ten thousand sources their
/// pages alone take seconds of a processor that polls need too.
const GATHER_SHARE: u32 = 5;

/// When a source is tried again over which we panicked.
const PANIC_PAUSE: TimeDelta = TimeDelta::hours(1);

/// Longest time that archives may stay behind while polls are under way.
const ARCHIVE_DELAY_MAX: Duration = Duration::from_mins(1);

/// When files that could not be written are tried again: a disk may have room by then, and nobody may come to tell us.
const FILES_PAUSE: Duration = Duration::from_mins(1);

/// Sources that should have been polled so long ago are late, and are spread.
const LATE: TimeDelta = TimeDelta::minutes(1);

/// Polls that are begun for each that can run.
const READY: usize = 4;

/// Time between two checks whether the day's upkeep is due.
const UPKEEP: TimeDelta = TimeDelta::hours(1);

/// Runs until SIGTERM or SIGINT, and ends within four seconds then.
///
/// The caller must not wait for the runtime's blocking threads afterwards: one may be held up by the disk.
///
/// # Errors
/// When the port cannot be used, when there is no store and nothing else to be served, when another daemon holds the store,
/// or when a part of the daemon fails later. A feed that fails is no error, nor is a store or folder that cannot be written.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let requests = Shares::now().requests;
    if requests < config.poll.concurrency {
        warn!("the limit of open files allows {requests} requests at once: `poll.concurrency` asks for more");
    }
    let _claims = pipeline::hold(&config)?;
    let Opened { handle: store, thread: store_thread, trouble } = ailing::open(&config)?;
    // After the store is open, since a migration may take long and a signal is to end it. Before there is a socket, which a
    // process that a signal kills would leave behind.
    let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (socket, _socket_file) = listen::open(config.serve.listen.as_ref()).await?.unzip();
    let (internal, _internal_file) = listen::open_internal(config.serve.internal.as_ref()).await?.unzip();
    let mut daemon = Daemon::new(Arc::new(Context::new(config, store)?), socket);
    daemon.report.internal_socket = internal;
    if let Some(error) = &trouble {
        daemon.store_fails(error);
    }
    let lived = tokio::select! {
        lived = daemon.live() => lived,
        () = told_to_stop(signals) => Ok(()),
    };
    notify::stopping();
    let deadline = Instant::now() + END_MAX;
    let ended = daemon.end(deadline).await;
    // The store's thread ends when the last handle is gone and its queue is empty.
    let closed = tokio::task::spawn_blocking(move || store_thread.join());
    match timeout_at(deadline, closed).await {
        Ok(Ok(Ok(()))) => info!("stopped"),
        Ok(_) => error!("stopped; the store's thread had panicked"),
        Err(_) => warn!("stopped without waiting for the store: a transaction under way is not kept"),
    }
    lived.and(ended)
}

/// Waits for SIGTERM or SIGINT.
async fn told_to_stop((mut terminate, mut interrupt): (Signal, Signal)) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// The result of a look at the store.
struct Looked {
    generation: i64,
    size: u64,
}

struct Daemon {
    context: Arc<Context>,
    front: Arc<Front>,
    /// Tells the server and a publication to end.
    stop: CancellationToken,
    /// The socket to serve on, until the first publication.
    socket: Option<Socket>,
    server: Task<()>,
    due: Due,
    /// The position of each source in the config.
    places: HashMap<String, usize>,
    polls: JoinSet<Ended>,
    /// Whether hosts answer, and the polls of which it is not known yet who is at fault.
    network: Network<InDoubt>,
    /// The things that this machine lacks.
    outages: BTreeMap<Lack, Outage>,
    /// Whether the store has heard of outages, or of none, since the start.
    is_outage_noted: bool,
    /// The store cannot be written.
    ailing: Option<Ailing>,
    /// Number of tries to write to the store since a poll was last kept.
    tries: usize,
    /// The path of the store; another one that the config names counts from the next start.
    store_path: PathBuf,
    mending: Task<Result<(), StoreError>>,
    /// No poll begins until then: the last one lacked something.
    lacking_until: Option<std::time::Instant>,
    /// When the loop last went round, on the wall clock.
    round: Timestamp,
    /// The clock was set back: due times are to be read anew.
    is_to_replan: bool,
    noting: Task<()>,
    reloading: Task<Reloaded>,
    looking: Task<Looked>,
    publishing: Task<Option<Publication>>,
    relabelling: Task<bool>,
    upkeep: Task<usize>,
    announcing: Task<Option<Timestamp>>,
    posting: Task<Vec<PostReport>>,
    /// When to post: now after a publication, later for what waits.
    next_posting: Option<Timestamp>,
    /// The topics to announce to hubs.
    announced: Arc<Vec<Announced>>,
    /// When to announce: now after a publication, later after a failure.
    next_announcement: Option<Timestamp>,
    /// When to publish the changes that gather.
    gathered: Option<Instant>,
    /// The generation that the last publication showed, if there was one.
    published: Option<i64>,
    /// Its duration.
    publication: Duration,
    /// When the archives were brought up to date.
    archived: Instant,
    /// Whether they are not.
    archives_wait: bool,
    /// When to try again to write files, if that failed.
    files_again: Option<Instant>,
    file: Arc<Mutex<FileWatch>>,
    /// SIGHUP: the config is to be read whether it was saved or not.
    is_told_to_reload: bool,
    /// The current problems, by subject.
    troubles: BTreeMap<&'static str, String>,
    next_upkeep: Timestamp,
    report: Report,
}

impl Daemon {
    fn new(context: Arc<Context>, socket: Option<Socket>) -> Self {
        let file = FileWatch::new(&context.config.path, &context.config.warnings.text);
        let store_path = context.config.store.path.clone();
        Self {
            context,
            front: Arc::default(),
            stop: CancellationToken::new(),
            socket,
            server: Task::new("serving over HTTP"),
            due: Due::default(),
            places: HashMap::new(),
            polls: JoinSet::new(),
            network: Network::default(),
            outages: BTreeMap::new(),
            is_outage_noted: false,
            ailing: None,
            tries: 0,
            store_path,
            mending: Task::new("trying the store"),
            lacking_until: None,
            round: Utc::now(),
            is_to_replan: false,
            noting: Task::new("noting outages"),
            reloading: Task::new("reading the config"),
            looking: Task::new("looking at the store"),
            publishing: Task::new("publishing"),
            relabelling: Task::new("labelling stored entries"),
            upkeep: Task::new("the daily upkeep"),
            announcing: Task::new("announcing to hubs"),
            posting: Task::new("posting"),
            next_posting: None,
            announced: Arc::default(),
            next_announcement: None,
            gathered: None,
            published: None,
            publication: Duration::ZERO,
            archived: Instant::now(),
            archives_wait: true,
            files_again: None,
            file: Arc::new(Mutex::new(file)),
            is_told_to_reload: false,
            troubles: BTreeMap::new(),
            next_upkeep: Utc::now(),
            report: Report::new(),
        }
    }

    /// Lives until something fails without which there is no going on.
    ///
    /// # Cancellation
    /// [`Daemon::end`] must follow.
    async fn live(&mut self) -> anyhow::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let (mut look, mut watchdog) = (interval(LOOK), interval(notify::pace()));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        watchdog.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.reloading.ask();
        self.reloading.start(|| reload::take_over(Arc::clone(&self.context)));
        loop {
            self.start();
            let wait = self.until_next_poll();
            tokio::select! {
                _ = hangup.recv() => {
                    self.is_told_to_reload = true;
                    self.reloading.ask();
                }
                Some(ended) = self.polls.join_next() => self.end_poll(ended.context("polling failed")?)?,
                reloaded = self.reloading.ended() => {
                    let is_broken_off = reloaded.is_err();
                    if let Some(reloaded) = self.survive(reloaded)? {
                        self.reloaded(reloaded);
                    }
                    // If the reload broke off, the file is read again at the next one.
                    self.is_told_to_reload |= is_broken_off;
                }
                published = self.publishing.ended() => {
                    if let Some(publication) = self.survive(published)?.flatten() {
                        self.published(publication);
                    }
                }
                relabelled = self.relabelling.ended() => {
                    if self.survive(relabelled)? == Some(true) {
                        self.publishing.ask();
                    }
                }
                dropped = self.upkeep.ended() => {
                    if let Some(dropped @ 1..) = self.survive(dropped)? {
                        info!(entries.dropped = dropped, "dropped {dropped} old entries");
                    }
                }
                announced = self.announcing.ended() => {
                    let next = self.survive(announced)?.flatten();
                    self.next_announcement = self.next_announcement.or(next);
                }
                posted = self.posting.ended() => {
                    if let Some(reports) = self.survive(posted)? {
                        self.posted(&reports);
                    }
                }
                noted = self.noting.ended() => {
                    self.survive(noted)?;
                }
                mended = self.mending.ended() => {
                    if let Some(mended) = mended? {
                        self.mended(mended);
                    }
                }
                looked = self.looking.ended() => {
                    if let Some(looked) = self.survive(looked)? {
                        self.looked(&looked);
                    }
                }
                served = self.server.ended() => {
                    served?;
                    return Err(anyhow!("serving over HTTP has ended by itself"));
                }
                roster = self.report.surveying.ended() => {
                    let roster = roster?.flatten();
                    self.surveyed(roster);
                }
                last = self.report.telling.ended() => {
                    let last = last?.flatten();
                    self.told(last);
                }
                served = self.report.internal.ended() => {
                    served?;
                    return Err(anyhow!("serving health and metrics has ended by itself"));
                }
                () = sleep_until_any(self.gathered) => {
                    self.gathered = None;
                    self.publishing.ask();
                }
                _ = look.tick() => {
                    self.looking.ask();
                    if self.is_ailing() {
                        self.look_at_files();
                    }
                    self.reloading.ask();
                }
                _ = watchdog.tick() => {
                    if self.is_alive() {
                        notify::alive();
                    }
                }
                // The wall clock may be set meanwhile: it is read again before long.
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Whether the store answers. The loop asks this, so it goes round.
    fn is_alive(&self) -> bool {
        self.looking.running_for() < LOOK_MAX
    }

    /// Starts what is due or was asked for.
    fn start(&mut self) {
        let now = Utc::now();
        self.settle();
        self.tend_store();
        self.start_report();
        self.start_polls(now);
        if self.next_upkeep <= now {
            self.next_upkeep = now + UPKEEP;
            self.upkeep.ask();
        }
        // Hubs are not to blame while this machine is cut off.
        if self.next_announcement.is_some_and(|at| at <= now) && !self.network.is_down() {
            self.next_announcement = None;
            self.announcing.ask();
        }
        if self.next_posting.is_some_and(|at| at <= now) && !self.network.is_down() {
            self.next_posting = None;
            self.posting.ask();
        }
        let (context, announced, archives) = (&self.context, &self.announced, self.archives());
        let (front, stop, outages) = (&self.front, &self.stop, self.outages_untold());
        self.publishing
            .start(|| publication::publish(Arc::clone(context), archives, outages, Arc::clone(front), stop.clone()));
        if self.is_ailing() {
            // Tasks that write wait for the store.
            return;
        }
        self.reloading.start(|| {
            let is_told = std::mem::take(&mut self.is_told_to_reload);
            let is_to_replan = std::mem::take(&mut self.is_to_replan);
            reload::reload(Arc::clone(context), Arc::clone(&self.file), is_told, is_to_replan)
        });
        self.noting.start(|| {
            let (context, outages) = (Arc::clone(context), self.outages.values().cloned().collect());
            async move { Ok(pipeline::note_outages(&context, outages, now).await?) }
        });
        self.looking.start(|| look(Arc::clone(context)));
        self.relabelling.start(|| {
            let context = Arc::clone(context);
            async move { Ok(pipeline::relabel(&context).await?) }
        });
        self.upkeep.start(|| {
            let context = Arc::clone(context);
            async move { Ok(pipeline::upkeep(&context, now).await?) }
        });
        self.announcing.start(|| {
            let (context, announced) = (Arc::clone(context), Arc::clone(announced));
            async move { Ok(pipeline::announce(&context, &announced, now).await?) }
        });
        self.posting.start(|| {
            let (context, published, stop) = (Arc::clone(context), self.published, self.stop.clone());
            async move { Ok(pipeline::post(&context, published, &stop).await?) }
        });
    }

    /// Goes on with what waits in the outbox when it is due, and tells of posts in trouble.
    fn posted(&mut self, reports: &[PostReport]) {
        let next = reports.iter().filter_map(|report| report.next).min();
        self.next_posting = self.next_posting.into_iter().chain(next).min();
        let trouble = |report: &PostReport| Some(format!("post `{}`: {}", report.post, report.trouble.as_deref()?));
        let troubles: Vec<String> = reports.iter().filter_map(trouble).collect();
        self.set_trouble("posts", (!troubles.is_empty()).then(|| troubles.join("; ")));
    }

    /// Publishes before long, with what else comes until then.
    fn gather(&mut self) {
        let gather = (self.publication * GATHER_SHARE).clamp(GATHER, GATHER_MAX);
        self.gathered.get_or_insert_with(|| Instant::now() + gather);
    }

    /// Lives by the config that was read; one with mistakes changes nothing.
    ///
    /// A rule that cannot be read never empties a feed. It is told in the log, on `/healthz` and among the sources.
    fn reloaded(&mut self, reloaded: Reloaded) {
        match reloaded {
            Reloaded::Unchanged => return,
            Reloaded::Refused(mistakes) => {
                self.set_trouble("config", Some("the config file has mistakes; the last good one is in force".into()));
                error!("the config has mistakes, the last good one stays in force\n{mistakes}");
            }
            Reloaded::Unreadable(why) => {
                error!(
                    "{why}; the last good config stays in force: let this user read `{}`",
                    self.context.config.path.display()
                );
                self.set_trouble("config", Some(format!("{why}; the last good one is in force")));
            }
            Reloaded::Taken(context, states) => self.take_over(context, &states),
        }
        self.publishing.ask();
        if self.published.is_some() {
            self.tell_ready();
        }
    }

    /// Brings due times, and in the background labels, in line with a config.
    fn take_over(&mut self, context: Arc<Context>, states: &[SourceState]) {
        if !Arc::ptr_eq(&context, &self.context) {
            let (feeds, topics) = (context.config.sources.len(), context.config.topics.len());
            info!(feeds, topics, "config reloaded: {}, {}", count(feeds, "feed"), count(topics, "topic"));
        }
        self.report_config();
        self.context = context;
        self.set_trouble("config", None);
        self.relabelling.ask_anew();
        let now = Utc::now();
        let states: HashMap<&str, _> = states.iter().map(|state| (state.source_id.as_str(), state)).collect();
        self.due.clear();
        let mut late = Vec::new();
        let sources = self.context.config.sources.iter().enumerate();
        self.places = sources.map(|(at, source)| (source.id.clone(), at)).collect();
        for source in self.context.config.sources.iter().filter(|source| source.enabled) {
            let known = states.get(source.id.as_str()).filter(|state| state.url.as_ref() == Some(&source.url));
            match known {
                Some(state) if state.retired => {}
                Some(state) => match self.context.due(source, state, now) {
                    Some(at) if at > now - LATE => self.due.set(&source.id, at),
                    Some(_) | None => late.push(source.id.clone()),
                },
                None => self.due.set(&source.id, now),
            }
        }
        self.due.set_late(late, now);
        let (feeds, topics) = (self.context.config.sources.len(), self.context.config.topics.len());
        info!(target: "veille::detail", feeds, topics, "watching");
    }

    fn tell_ready(&self) {
        let config = &self.context.config;
        notify::ready(&format!("watching {} feeds for {} topics", config.sources.len(), config.topics.len()));
    }

    /// Publishes what another process changed, archives that wait, and files that could not be written.
    fn looked(&mut self, looked: &Looked) {
        self.front.metrics.store(looked.size);
        self.report_look(looked.size);
        self.tell_freshness();
        // A publication under way may show it already: the first look after its end tells.
        if self.publishing.is_running() {
            return;
        }
        if self.published.is_some_and(|published| looked.generation > published) {
            self.gather();
        }
        if self.archives_wait && self.polls.is_empty() {
            self.publishing.ask();
        }
        self.look_at_files();
    }

    /// Publishes files again that could not be written, if that is due.
    fn look_at_files(&mut self) {
        if self.files_again.is_some_and(|at| at <= Instant::now()) && !self.publishing.is_running() {
            self.publishing.ask();
        }
    }

    /// Tells readers how long nothing can change: until the next poll, unless one is under way.
    fn tell_freshness(&mut self) {
        let next = self.due.next().filter(|_| self.polls.is_empty());
        let wait = next.and_then(|at| (at - Utc::now()).to_std().ok());
        let until = wait.map(|wait| std::time::Instant::now() + wait);
        self.front.tree.store(self.front.tree.load().with_fresh_until(until, Utc::now()));
    }

    /// Shows on `/healthz` that something is wrong, or is right again.
    fn set_trouble(&mut self, about: &'static str, trouble: Option<String>) {
        match trouble {
            Some(trouble) => self.troubles.insert(about, trouble),
            None => self.troubles.remove(about),
        };
        self.tell_health();
    }

    /// Chooses how a publication that begins now treats the archives.
    fn archives(&self) -> Archives {
        // While polls are under way, each publication would make the volume of this month anew, and on the first day
        // those of all months.
        let is_busy = !self.polls.is_empty() && Instant::now() < self.archived + ARCHIVE_DELAY_MAX;
        if is_busy || self.published.is_none() { Archives::Later } else { Archives::Changed }
    }

    /// Serves what was published, and from the first time on answers readers. A folder that cannot be written stops files,
    /// not HTTP.
    fn published(&mut self, publication: Publication) {
        let Publication { generation, tree, prefix, archives, stories, announced, written, began } = publication;
        self.front.prefix.store(prefix);
        self.front.tree.store(tree);
        self.tell_freshness();
        self.archives_wait = archives == Archives::Later;
        if !self.archives_wait {
            self.archived = began;
        }
        self.publication = began.elapsed();
        self.front.metrics.published(self.publication, &stories);
        self.report_publication();
        self.announced = Arc::new(announced);
        self.next_announcement = Some(Utc::now());
        self.next_posting = Some(Utc::now());
        let is_first = self.published.replace(generation).is_none();
        self.note_files(written);
        if is_first {
            self.serve();
            self.tell_ready();
        }
    }

    /// Answers readers from now on.
    fn serve(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        let (front, stop) = (Arc::clone(&self.front), self.stop.clone().cancelled_owned());
        let offer = if self.context.config.serve.internal.is_some() { Offer::Published } else { Offer::All };
        let limits =
            ServingLimits { connections: Shares::now().readers, grace: GRACE, offer, ..ServingLimits::default() };
        let config = &self.context.config;
        let (feeds, topics) = (config.sources.len(), config.topics.len());
        info!("Veille on {} · {}, {}", socket.place(), count(feeds, "feed"), count(topics, "topic"));
        self.server.ask();
        self.server.start(|| async move { Ok(serve::serve_apart(socket, front, limits, stop).await?) });
    }

    /// Tells what became of the files, of a failure when it begins and when it ends; it is tried again meanwhile.
    fn note_files(&mut self, written: Result<Written, FilesError>) {
        match written {
            Ok(written) => {
                let Written { changed, removed, .. } = written;
                if changed + removed > 0 {
                    let duration = in_seconds(self.publication);
                    info!(target: "veille::detail", { files.changed = changed, files.removed = removed },
                        "published, {changed} files changed, in {duration}");
                }
                self.files_again = None;
                self.end_outage(Lack::Folder);
            }
            Err(error) => {
                self.files_again = Some(Instant::now() + FILES_PAUSE);
                self.begin_outage(
                    Lack::Folder,
                    format!("cannot publish files: {error}: {}; {}", error.cause, error.hint()),
                );
            }
        }
    }

    /// Ends all that is under way: polls and answers to readers within the grace, a publication before its next document.
    ///
    /// # Errors
    /// When something fails at the end.
    async fn end(mut self, deadline: Instant) -> anyhow::Result<()> {
        self.stop.cancel();
        self.relabelling.give_up();
        let grace = Instant::now() + GRACE;
        let polls = async {
            while let Some(ended) = self.polls.join_next().await {
                self.end_poll(ended.context("polling failed")?)?;
            }
            Ok::<_, anyhow::Error>(())
        };
        if let Ok(ended) = timeout_at(grace, polls).await {
            ended?;
        } else {
            warn!(polls = self.polls.len(), "polls were given up: they are repeated at the next start");
        }
        if self.posting.is_running() {
            // What is sent and not noted would be sent again.
            let ended = timeout_at(grace, self.posting.ended()).await.unwrap_or(Ok(None));
            self.survive(ended)?;
        }
        if self.publishing.is_running() {
            // One that does not hear of the end in time is held up by the disk.
            let ended = timeout_at(deadline, self.publishing.ended()).await.unwrap_or(Ok(None));
            self.survive(ended)?;
        }
        if self.server.is_running() {
            timeout_at(deadline, self.server.ended()).await.unwrap_or(Ok(None))?;
        }
        Ok(())
    }
}

/// Polls that are begun at once: more than can run, so that no place stays free; not all, for each costs memory.
fn polls_max(context: &Context) -> usize {
    context.config.poll.concurrency.saturating_mul(READY)
}

/// Looks whether another process changed the store, or was told to leave a host alone.
async fn look(context: Arc<Context>) -> anyhow::Result<Looked> {
    context.resume(Utc::now()).await?;
    let pulse = context.store.call(|store| store.pulse()).await?;
    Ok(Looked { generation: pulse.generation, size: pulse.size })
}

/// A number of things: `1 feed`, `2 feeds`.
fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A duration for people: `0.3 s`.
fn in_seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Sleeps until an instant, or for ever.
async fn sleep_until_any(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
