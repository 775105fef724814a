//! The daemon: what polls when, reloads, publishes after changes, and ends cleanly. Reads the clock.
//!
//! One loop owns all decisions and waits for nothing but the next event. Polls, reading the config, publishing, labelling
//! by new rules, upkeep, announcing and looking at the store are tasks that report back to it.

mod ailing;
mod asking;
mod clock;
mod due;
mod listen;
mod nodes;
mod notify;
mod publication;
mod reload;
mod report;
mod roster;
mod rounds;
mod task;
pub(crate) mod watch;
mod websub;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use chrono::{NaiveDate, TimeDelta};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::ailing::{Ailing, Opened};
use self::asking::{Ended, InDoubt};
pub(crate) use self::due::Due;
use self::nodes::Leasing;
use self::publication::Publication;
use self::reload::Reloaded;
use self::report::Report;
use self::task::Task;
use self::watch::FileWatch;
use self::websub::Exchange;
use crate::config::Config;
use crate::feed::Timestamp;
use crate::fetch::descriptors::Shares;
use crate::outage::{Lack, Network, Outage};
use crate::pipeline::{self, Announced, Context, PostReport};
use crate::publish::files::{self, FilesFound, Placed};
use crate::serve::{self, Front, Offer, ServingLimits, Socket};
use crate::store::{StoreError, StorePlace};
use crate::text::count;

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

/// When the outbox is looked at again that another process was sending from.
const POSTING_PAUSE: TimeDelta = TimeDelta::seconds(10);

/// When a source is tried again over which we panicked.
const PANIC_PAUSE: TimeDelta = TimeDelta::hours(1);

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
    run_until(config, std::future::pending()).await
}

/// Runs as [`run`] does, and ends likewise when `stop` is done.
///
/// # Errors
/// As [`run`].
pub async fn run_until(config: Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let requests = Shares::now().requests;
    if requests < config.poll.concurrency {
        warn!("the limit of open files allows {requests} requests at once: `poll.concurrency` asks for more");
    }
    let _claims = pipeline::claim_places(&config)?;
    let Opened { handle: store, thread: store_thread, trouble } = ailing::open_as_can_be(&config)?;
    // After the store is open, since a migration may take long and a signal is to end it. Before there is a socket, which a
    // process that a signal kills would leave behind.
    let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (socket, _socket_file) = listen::open_socket(config.serve.listen.as_ref()).await?.unzip();
    let (internal, _internal_file) = listen::open_internal(config.serve.internal.as_ref()).await?.unzip();
    let node = pipeline::join(&config, false)?;
    let context = Arc::new(Context::sharing(config, store, node)?);
    let trouble = match trouble {
        // Sets the clock, before anything is planned by it.
        None => nodes::sign_in(&context).await.err(),
        trouble => trouble,
    };
    let listening = context.node().map(|node| tokio::spawn(node.listen(&context.config)));
    let mut daemon = Daemon::new(context, socket);
    daemon.report.internal_socket = internal;
    if let Some(error) = &trouble {
        daemon.store_fails(error);
    }
    let lived = tokio::select! {
        lived = daemon.live() => lived,
        () = told_to_stop(signals) => Ok(()),
        () = stop => Ok(()),
    };
    notify::stopping();
    listening.inspect(tokio::task::JoinHandle::abort);
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

/// The events that come by themselves.
struct Ticks {
    hangup: Signal,
    look: Interval,
    watchdog: Interval,
}

impl Ticks {
    fn new() -> std::io::Result<Self> {
        let (mut look, mut watchdog) = (interval(LOOK), interval(notify::pace()));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        watchdog.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { hangup: signal(SignalKind::hangup())?, look, watchdog })
    }
}

/// The result of a look at the store.
struct Looked {
    generation: i64,
    size: u64,
    /// See [`Pulse::others`](crate::store::Pulse::others).
    others: i64,
    /// How these files of the last publication were found.
    files: (Arc<Vec<Placed>>, FilesFound),
}

struct Daemon {
    context: Arc<Context>,
    front: Arc<Front>,
    /// Tells a publication and what is sent to end.
    stop: CancellationToken,
    /// Tells the server to end.
    closing: CancellationToken,
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
    store_place: StorePlace,
    mending: Task<Result<(), StoreError>>,
    /// No poll begins until then: the last one lacked something.
    lacking_until: Option<std::time::Instant>,
    /// When the loop last went round, on the wall clock.
    round: Timestamp,
    /// The clock was set back: due times are to be read anew.
    is_to_replan: bool,
    noting: Task<()>,
    leasing: Leasing,
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
    /// The files of its documents.
    placed: Arc<Vec<Placed>>,
    /// Its duration.
    publication: Duration,
    /// The day in the site's zone, as of the last turn of the loop.
    day: Option<NaiveDate>,
    /// When the archives were brought up to date.
    archived: Instant,
    /// Whether they are not.
    archives_wait: bool,
    /// Readers wait for topics by new rules: archives come after them.
    is_hurried: bool,
    /// When to try again to write files, if that failed.
    files_again: Option<Instant>,
    file: Arc<Mutex<FileWatch>>,
    /// SIGHUP: the config is to be read whether it was saved or not.
    is_told_to_reload: bool,
    /// The current problems, by subject.
    troubles: BTreeMap<&'static str, String>,
    /// A generation below the published one, that the last look has seen.
    lower: Option<i64>,
    next_upkeep: Timestamp,
    report: Report,
    websub: Exchange,
}

impl Daemon {
    fn new(context: Arc<Context>, socket: Option<Socket>) -> Self {
        let file = FileWatch::new(&context.config.path, &context.config.warnings.text);
        let store_place = StorePlace::of(&context.config.store);
        let due = Due::sharing(context.client.leases().cloned());
        let front: Arc<Front> = Arc::default();
        let websub = Exchange::new(front.inbox.open());
        Self {
            context,
            front,
            stop: CancellationToken::new(),
            closing: CancellationToken::new(),
            socket,
            server: Task::new("serving over HTTP"),
            due,
            places: HashMap::new(),
            polls: JoinSet::new(),
            network: Network::default(),
            outages: BTreeMap::new(),
            is_outage_noted: false,
            ailing: None,
            tries: 0,
            store_place,
            mending: Task::new("trying the store"),
            lacking_until: None,
            round: clock::now(),
            is_to_replan: false,
            noting: Task::new("noting outages"),
            leasing: Leasing::new(),
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
            placed: Arc::default(),
            publication: Duration::ZERO,
            day: None,
            archived: Instant::now(),
            archives_wait: true,
            is_hurried: false,
            files_again: None,
            file: Arc::new(Mutex::new(file)),
            is_told_to_reload: false,
            troubles: BTreeMap::new(),
            lower: None,
            next_upkeep: clock::now(),
            report: Report::new(),
            websub,
        }
    }

    /// Lives until something fails without which there is no going on.
    ///
    /// # Cancellation
    /// [`Daemon::end`] must follow.
    async fn live(&mut self) -> anyhow::Result<()> {
        let mut ticks = Ticks::new()?;
        self.begin();
        loop {
            self.turn(&mut ticks).await?;
        }
    }

    /// Asks for what comes before all else.
    fn begin(&mut self) {
        self.reloading.ask();
        self.reloading.start(|| reload::take_over(Arc::clone(&self.context)));
    }

    /// Starts what is due, and takes in the next event.
    ///
    /// # Cancellation
    /// No event is lost.
    async fn turn(&mut self, ticks: &mut Ticks) -> anyhow::Result<()> {
        self.start();
        let wait = self.until_next_poll();
        let takes_in = !self.is_ailing();
        tokio::select! {
            _ = ticks.hangup.recv() => {
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
                    self.is_hurried = true;
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
            event = self.websub.event(takes_in) => self.websub_event(event)?,
            noted = self.noting.ended() => {
                self.survive(noted)?;
            }
            leased = self.leasing.ended() => {
                if let Some(leased) = self.survive(leased)? {
                    self.leased(leased);
                }
            }
            () = nodes::wished(&self.context) => {}
            () = nodes::changed(&self.context) => self.leasing.call(),
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
                self.round_told(last);
            }
            served = self.report.internal.ended() => {
                served?;
                return Err(anyhow!("serving health and metrics has ended by itself"));
            }
            () = sleep_until_any(self.gathered) => {
                self.gathered = None;
                self.publishing.ask();
            }
            _ = ticks.look.tick() => {
                self.looking.ask();
                if self.is_ailing() {
                    self.look_at_files();
                }
                self.reloading.ask();
            }
            _ = ticks.watchdog.tick() => {
                if self.is_alive() {
                    notify::alive();
                }
            }
            // The wall clock may be set meanwhile: it is read again before long.
            () = tokio::time::sleep(wait) => {}
        }
        Ok(())
    }

    /// Whether the store answers. The loop asks this, so it goes round.
    fn is_alive(&self) -> bool {
        self.looking.running_for() < LOOK_MAX
    }

    /// Starts what is due or was asked for.
    fn start(&mut self) {
        let now = clock::now();
        self.judge_doubts();
        self.tend_store();
        self.start_report();
        self.start_polls(now);
        self.start_leasing();
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
        self.start_tending(now);
        self.look_at_the_day(now);
        let (context, announced, archives) = (&self.context, &self.announced, self.archives());
        let (front, stop, outages) = (&self.front, &self.stop, self.outages_untold());
        self.publishing.start(|| {
            let (context, front) = (Arc::clone(context), Arc::clone(front));
            publication::make_publication(context, archives, outages, now, front, stop.clone())
        });
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
        let placed = &self.placed;
        self.looking.start(|| look(Arc::clone(context), Arc::clone(placed)));
        if !context.has_jobs() {
            // They wait until this node is the one that does them.
            return;
        }
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
        self.start_hub(now);
    }

    /// Goes on with what waits in the outbox when it is due, and tells of posts in trouble.
    fn posted(&mut self, reports: &[PostReport]) {
        if reports.is_empty() && !self.context.config.posts.is_empty() {
            // Another process is sending.
            self.next_posting.get_or_insert_with(|| clock::now() + POSTING_PAUSE);
            return;
        }
        let figures =
            reports.iter().map(|report| (report.post.as_str(), report.sent, report.waiting, report.trouble.is_some()));
        self.front.metrics.posts(figures);
        let next = reports.iter().filter_map(|report| report.next).min();
        self.next_posting = self.next_posting.into_iter().chain(next).min();
        let trouble = |report: &PostReport| Some(format!("post `{}`: {}", report.post, report.trouble.as_deref()?));
        let troubles: Vec<String> = reports.iter().filter_map(trouble).collect();
        self.set_trouble("posts", (!troubles.is_empty()).then(|| troubles.join("; ")));
    }

    /// Publishes what another process changed, archives that wait, and files that could not be written.
    fn looked(&mut self, looked: &Looked) {
        self.front.metrics.store(looked.size);
        self.report_look(looked);
        self.look_at_websub();
        self.tell_freshness();
        // A publication under way may show it already: the first look after its end tells.
        if self.publishing.is_running() {
            return;
        }
        // A lower one: the store was put back, or a server took over that lacks the last seconds. A look may also have begun
        // before the publication that is shown; then the next one tells another.
        let is_lower = self.published.is_some_and(|published| looked.generation < published);
        let is_lower_still = is_lower && self.lower.replace(looked.generation) == Some(looked.generation);
        if is_lower_still || self.published.is_some_and(|published| looked.generation > published) {
            self.lower = None;
            self.gather();
        }
        if self.archives_wait && self.polls.is_empty() {
            self.publishing.ask();
        }
        self.look_at_files();
        let (placed, found) = &looked.files;
        // A publication that has ended since, or one that is to be tried again, knows better.
        if self.gathered.is_none() && self.files_again.is_none() && Arc::ptr_eq(placed, &self.placed) {
            self.files_found(*found);
        }
    }

    /// Shows on `/healthz` that something is wrong, or is right again.
    fn set_trouble(&mut self, about: &'static str, trouble: Option<String>) {
        match trouble {
            Some(trouble) => self.troubles.insert(about, trouble),
            None => self.troubles.remove(about),
        };
        self.tell_health();
    }

    /// Answers readers from now on.
    fn serve(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        let (front, closing) = (Arc::clone(&self.front), self.closing.clone().cancelled_owned());
        let offer = if self.context.config.serve.internal.is_some() { Offer::Published } else { Offer::All };
        let limits =
            ServingLimits { connections: Shares::now().readers, grace: GRACE, offer, ..ServingLimits::default() };
        let config = &self.context.config;
        let (feeds, topics) = (config.sources.len(), config.topics.len());
        info!("Veille on {} · {}, {}", socket.place(), count(feeds, "feed"), count(topics, "topic"));
        self.server.ask();
        self.server.start(|| async move { Ok(serve::serve_apart(socket, front, limits, closing).await?) });
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
        self.end_websub(grace).await?;
        if self.posting.is_running() {
            // A message that is sent and not noted would be sent again.
            let ended = timeout_at(grace, self.posting.ended()).await.unwrap_or(Ok(None));
            self.survive(ended)?;
        }
        // Last of all that takes time: readers are served while polls end.
        self.closing.cancel();
        if self.publishing.is_running() {
            // One that does not hear of the end in time is held up by the disk.
            let ended = timeout_at(deadline, self.publishing.ended()).await.unwrap_or(Ok(None));
            self.survive(ended)?;
        }
        self.leave_others(deadline).await;
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

/// Looks whether another process changed the store or the published files, or was told to leave a host alone.
async fn look(context: Arc<Context>, placed: Arc<Vec<Placed>>) -> anyhow::Result<Looked> {
    context.resume(clock::now()).await?;
    let pulse = context.store.call(|store| store.pulse()).await?;
    let files = tokio::task::spawn_blocking(move || {
        let found = files::files_found(&placed);
        (placed, found)
    });
    Ok(Looked { generation: pulse.generation, size: pulse.size, others: pulse.others, files: files.await? })
}

/// Sleeps until an instant, or for ever.
async fn sleep_until_any(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod day;
#[cfg(test)]
mod tests;
