//! The daemon as one of several nodes on one store: when it makes rounds with the store, and what their answers change.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use super::task::Task;
use super::{Daemon, LOOK, clock};
use crate::pipeline::{Context, LeaseWishes, NodeFigures};
use crate::state::{LeaseAnswer, Planned, SourceState};
use crate::store::StoreError;

/// Shortest time between two rounds with the store.
const PAUSE: Duration = Duration::from_millis(50);

/// The same while other nodes hold all that is wanted.
const PAUSE_IN_VAIN: Duration = Duration::from_millis(500);

/// Longest time between two rounds: a node tells that it lives.
const SIGN: Duration = LOOK;

/// Hosts that are asked for in one round, for each that this node can use now: others may hold the first ones.
const WANTED: usize = 4;

/// Hosts that a node takes in one round, so that several nodes get equal shares of what is due at once.
const TAKEN_MAX: usize = 16;

/// The same of a node that seems to be cut off: others may ask the rest.
const TRIED_MAX: usize = 3;

/// Sources whose plans are looked up in one round; others are found polled when they are read.
const DUE_MAX: usize = 2_000;

/// Rounds with the store.
pub(super) struct Leasing {
    rounds: Task<Leased>,
    /// The last round began.
    began: Instant,
    /// No host is asked for before.
    next_wish: Instant,
    had_jobs: bool,
    /// The next round is made at once.
    is_called: bool,
    /// The store's generation at the last round.
    generation: i64,
}

/// The result of a round.
pub(super) struct Leased {
    wanted: Vec<String>,
    answer: LeaseAnswer,
}

impl Leasing {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            rounds: Task::new("leasing hosts"),
            began: now,
            next_wish: now,
            had_jobs: false,
            is_called: false,
            generation: 0,
        }
    }

    /// Asks for a round at once: the store has changed.
    pub(super) fn call(&mut self) {
        self.is_called = true;
    }

    /// Returns the store's generation at the last round.
    pub(super) fn generation(&self) -> i64 {
        self.generation
    }

    /// Waits for the end of the round under way.
    ///
    /// # Errors
    /// As [`Task::ended`].
    ///
    /// # Cancellation
    /// As [`Task::ended`].
    pub(super) async fn ended(&mut self) -> anyhow::Result<Option<Leased>> {
        self.rounds.ended().await
    }
}

/// Gives the first sign of life, if there may be several nodes.
///
/// # Errors
/// When the store fails.
pub(super) async fn sign_in(context: &Context) -> Result<(), StoreError> {
    match context.node() {
        Some(node) => node.round(context, LeaseWishes::default(), NodeFigures::default()).await.map(|_| ()),
        None => Ok(()),
    }
}

/// Waits until a request needs a lease or has done with one; for ever where there is one node.
pub(super) async fn wished(context: &Context) {
    match context.node() {
        Some(node) => node.leases().wished().await,
        None => std::future::pending().await,
    }
}

/// Waits until another node may have changed what readers see; for ever where there is one node.
pub(super) async fn changed(context: &Context) {
    match context.node() {
        Some(node) => node.changed().await,
        None => std::future::pending().await,
    }
}

impl Daemon {
    /// Returns the time until the next round with the store, if nothing happens before.
    pub(super) fn until_leasing(&self) -> Duration {
        if self.context.node().is_none() || self.leasing.rounds.is_running() {
            return LOOK;
        }
        self.next_leasing().saturating_duration_since(Instant::now())
    }

    fn next_leasing(&self) -> Instant {
        let (leasing, earliest) = (&self.leasing, self.leasing.began + PAUSE);
        let is_pressing = leasing.is_called || self.context.node().is_some_and(|node| node.leases().is_round_wanted());
        let wish = if self.can_poll() && self.due.is_waiting() { leasing.next_wish } else { leasing.began + SIGN };
        let next = if is_pressing { earliest } else { wish.min(leasing.began + SIGN) };
        next.max(earliest)
    }

    /// Whether sources are due whose hosts this node may get from others.
    pub(super) fn is_waiting_for_leases(&self) -> bool {
        self.context.node().is_some() && self.due.is_waiting()
    }

    /// Whether a further poll could begin, had this node the host.
    fn can_poll(&self) -> bool {
        !self.is_lacking()
            && !self.is_ailing()
            && self.polls.len() < self.room_for_polls()
            && self.network.admits(std::time::Instant::now())
    }

    /// Makes a round with the store, if one is due.
    pub(super) fn start_leasing(&mut self) {
        let Some(node) = self.context.node().cloned() else { return };
        let is_cut_off = self.network.is_down();
        if is_cut_off || self.is_lacking() || self.is_ailing() {
            self.due.close();
        }
        let now = Instant::now();
        if self.is_ailing() || self.leasing.rounds.is_running() || now < self.next_leasing() {
            return;
        }
        let most = if is_cut_off { TRIED_MAX } else { TAKEN_MAX };
        let room = self.room_for_polls().saturating_sub(self.polls.len()).min(most);
        let is_wishing = self.can_poll() && now >= self.leasing.next_wish;
        let wanted = if is_wishing { self.due.wanted(room * WANTED) } else { Vec::new() };
        let due = self.due.waiting_for(&wanted, DUE_MAX);
        let wishes = LeaseWishes { wanted: wanted.clone(), most: room, due };
        let figures = NodeFigures {
            published: self.published.unwrap_or_default(),
            lag_seconds: self.report.lag_seconds(),
            reasons: self.report_reasons(),
        };
        let context = Arc::clone(&self.context);
        self.leasing.began = now;
        self.leasing.is_called = false;
        self.leasing.rounds.ask();
        self.leasing.rounds.start(|| async move {
            let answer = node.round(&context, wishes, figures).await?;
            Ok(Leased { wanted, answer })
        });
    }

    /// Begins polls of the hosts that were given, and follows what other nodes did.
    pub(super) fn leased(&mut self, leased: Leased) {
        let Leased { wanted, answer } = leased;
        answer.planned.iter().for_each(|planned| self.note_plan(planned));
        self.due.open(&wanted);
        let now = Instant::now();
        let is_in_vain = !wanted.is_empty() && answer.granted.is_empty();
        self.leasing.next_wish = now + if is_in_vain { PAUSE_IN_VAIN } else { PAUSE };
        if self.published.is_some_and(|published| answer.generation > published) && !self.publishing.is_running() {
            self.gather();
        }
        self.leasing.generation = answer.generation;
        let has_jobs = self.context.has_jobs();
        if has_jobs && !self.leasing.had_jobs {
            // The node that did them may not have come to an end.
            self.relabelling.ask();
            self.next_upkeep = clock::now();
            self.next_announcement = Some(clock::now());
            self.next_posting = Some(clock::now());
        }
        self.leasing.had_jobs = has_jobs;
        if has_jobs && answer.is_unlabelled {
            self.relabelling.ask();
        }
        self.tell_nodes();
    }

    /// Follows the plan of another node that has polled a source meanwhile.
    fn note_plan(&mut self, planned: &Planned) {
        let Planned { source_id, url, last_poll, next_poll, retired } = planned;
        let source = self.places.get(source_id).and_then(|at| self.context.config.sources.get(*at));
        let Some(source) = source.filter(|source| url.as_ref() == Some(&source.url)) else { return };
        let now = clock::now();
        let state = SourceState { last_poll: *last_poll, next_poll: *next_poll, ..SourceState::default() };
        let next = self.context.due(source, &state, now);
        if *retired || next.is_some_and(|next| next > now) {
            self.report.polled_elsewhere(source_id, next);
            self.due.note(source_id, &super::asking::host_or_id(source), next.filter(|_| !retired));
        }
    }

    /// Tells which nodes there are, and whether they agree.
    fn tell_nodes(&mut self) {
        let Some(node) = self.context.node() else { return };
        let troubles = node.troubles();
        let trouble = (!troubles.is_empty()).then(|| troubles.join("; "));
        if self.troubles.get("nodes") == trouble.as_ref() {
            return;
        }
        if let Some(trouble) = &trouble {
            warn!("{trouble}");
        } else {
            info!("all nodes are there, and run the same rules");
        }
        self.set_trouble("nodes", trouble);
    }

    /// Gives all leases back, so that the other nodes need not wait until they run out.
    pub(super) async fn leave_others(&mut self, deadline: Instant) {
        let Some(node) = self.context.node() else { return };
        let _ = timeout_at(deadline, self.leasing.rounds.ended_if_running()).await;
        if !matches!(timeout_at(deadline, node.leave(&self.context)).await, Ok(Ok(()))) {
            warn!("leases could not be given back: they run out within a minute");
        }
    }
}
