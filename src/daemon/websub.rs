//! `WebSub` in the daemon: what came in by HTTP is worked on beside the loop, hubs are asked, subscribers are told.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, info_span};

use super::task::Task;
use super::{Daemon, clock};
use crate::feed::Timestamp;
use crate::fetch::guard::{Guard, is_public};
use crate::pipeline::{self, Context, HubDocument, HubReport, IntentReply, Pushed, Tended};
use crate::publish::{Body, Tree};
use crate::serve::{Arrival, HubDoor};
use crate::store::StoreError;
use crate::websub;

/// Requests that are worked on at once.
const AT_ONCE: usize = 64;

/// Shortest time between two forced polls of a source, however often its hub says that there is news.
const PING_PAUSE: TimeDelta = TimeDelta::minutes(1);

/// Shortest time between two goes over all subscriptions, and the part of the store's time that they may take.
const TENDING_PAUSE: Duration = Duration::from_secs(2);
const TENDING_SHARE: u32 = 50;

/// When subscribers that wait are looked for by a node that may have taken the jobs over.
const DELIVERY_LOOK: TimeDelta = TimeDelta::minutes(1);

/// The daemon's part of `WebSub`.
pub(super) struct Exchange {
    /// The end of the queue.
    arrivals: Option<mpsc::Receiver<Arrival>>,
    /// The requests that are worked on.
    pub(super) inbound: JoinSet<Handled>,
    tending: Task<Tended>,
    /// When subscriptions are looked at.
    next_tending: Option<Timestamp>,
    /// Not before.
    tending_from: Instant,
    /// Whether hubs can find us, or there are subscriptions still.
    is_reached: bool,
    verifying: Task<bool>,
    distributing: Task<HubReport>,
    /// When subscribers are told.
    next_delivery: Option<Timestamp>,
    /// The documents of all topics.
    documents: Arc<Vec<HubDocument>>,
    /// Sources that are polled whether they are due or not: their hubs say that there is news.
    pings: HashSet<String>,
    /// When sources were last polled for that.
    pinged: HashMap<String, Timestamp>,
    /// Subscriptions by stage, and subscribers of our hub, as last told.
    pub(super) subscriptions: BTreeMap<&'static str, usize>,
    pub(super) subscribers: usize,
}

/// The end of a request that came in.
pub(super) enum Handled {
    /// A question of a hub was answered so.
    Question(Result<IntentReply, StoreError>),
    /// A push was worked on, under this context.
    Push(Arc<Context>, Result<Pushed, StoreError>),
    /// A request to our hub was noted.
    Request(Result<&'static str, StoreError>),
}

impl Exchange {
    pub(super) fn new(arrivals: Option<mpsc::Receiver<Arrival>>) -> Self {
        Self {
            arrivals,
            inbound: JoinSet::new(),
            tending: Task::new("asking hubs"),
            next_tending: None,
            tending_from: Instant::now(),
            is_reached: false,
            verifying: Task::new("verifying subscribers"),
            distributing: Task::new("telling subscribers"),
            next_delivery: None,
            documents: Arc::default(),
            pings: HashSet::new(),
            pinged: HashMap::new(),
            subscriptions: BTreeMap::new(),
            subscribers: 0,
        }
    }

    /// Waits for the next event; requests are taken in only if the store takes what they bring.
    ///
    /// # Cancellation
    /// No event is lost.
    pub(super) async fn event(&mut self, takes_in: bool) -> WebSubEvent {
        let has_room = takes_in && self.inbound.len() < AT_ONCE;
        tokio::select! {
            arrival = arrived(&mut self.arrivals), if has_room => WebSubEvent::Arrived(arrival),
            Some(handled) = self.inbound.join_next() => WebSubEvent::Handled(handled),
            tended = self.tending.ended() => WebSubEvent::Tended(tended),
            verified = self.verifying.ended() => WebSubEvent::Verified(verified),
            delivered = self.distributing.ended() => WebSubEvent::Delivered(delivered),
        }
    }

    /// Whether a source is to be polled though it may not be due; it is, from now on.
    pub(super) fn take_ping(&mut self, source_id: &str, now: Timestamp) -> bool {
        let is_pinged = self.pings.remove(source_id);
        if is_pinged {
            self.pinged.insert(source_id.to_owned(), now);
        }
        is_pinged
    }
}

/// Something that happened.
pub(super) enum WebSubEvent {
    /// A request came in.
    Arrived(Arrival),
    /// One was worked on.
    Handled(Result<Handled, JoinError>),
    /// Subscriptions were looked at.
    Tended(anyhow::Result<Option<Tended>>),
    /// Subscribers were asked whether they asked; whether more wait.
    Verified(anyhow::Result<Option<bool>>),
    /// Subscribers were told.
    Delivered(anyhow::Result<Option<HubReport>>),
}

/// Waits for a request that came in; for ever without a queue.
async fn arrived(arrivals: &mut Option<mpsc::Receiver<Arrival>>) -> Arrival {
    if let Some(arrivals) = arrivals
        && let Some(arrival) = arrivals.recv().await
    {
        return arrival;
    }
    std::future::pending().await
}

/// Works on a request that came in.
async fn handle(context: Arc<Context>, arrival: Arrival) -> Handled {
    let now = clock::now();
    match arrival {
        Arrival::Question { token, query, reply } => match pipeline::answer_hub(&context, &token, query, now).await {
            Ok(answer) => {
                // The hub may have gone.
                let _ = reply.send(answer.clone());
                Handled::Question(Ok(answer))
            }
            Err(error) => Handled::Question(Err(error)),
        },
        Arrival::Push { push, room } => {
            let pushed = pipeline::take_push(&context, push, now).await;
            drop(room);
            Handled::Push(context, pushed)
        }
        Arrival::Request(request) => Handled::Request(pipeline::take_hub_request(&context, request, now).await),
    }
}

impl Daemon {
    /// Goes on with what happened.
    pub(super) fn websub_event(&mut self, event: WebSubEvent) -> anyhow::Result<()> {
        match event {
            WebSubEvent::Arrived(arrival) => self.take_in(arrival),
            WebSubEvent::Handled(handled) => self.handled(handled.context("a request of WebSub failed")?)?,
            WebSubEvent::Tended(tended) => {
                if let Some(tended) = self.survive(tended)? {
                    self.tended(tended);
                }
            }
            WebSubEvent::Verified(verified) => {
                if let Some(is_more) = self.survive(verified)? {
                    self.verified(is_more);
                }
            }
            WebSubEvent::Delivered(delivered) => {
                if let Some(report) = self.survive(delivered)? {
                    self.delivered(&report);
                }
            }
        }
        Ok(())
    }

    /// Begins to work on a request that came in.
    fn take_in(&mut self, arrival: Arrival) {
        let work = handle(Arc::clone(&self.context), arrival);
        self.websub.inbound.spawn(work.instrument(info_span!("websub")));
    }

    /// Goes on with what a request brought.
    pub(super) fn handled(&mut self, handled: Handled) -> anyhow::Result<()> {
        match handled {
            Handled::Question(answered) => match self.survive(answered.map(Some).map_err(Into::into))? {
                Some(IntentReply::Challenge(_)) => self.look_at_subscriptions(),
                Some(IntentReply::Denied { source_id }) => {
                    self.look_at_subscriptions();
                    self.ping(&source_id);
                }
                Some(IntentReply::Refused) | None => {}
            },
            Handled::Push(context, pushed) => {
                if let Some(pushed) = self.survive(pushed.map(Some).map_err(Into::into))? {
                    self.pushed(&context, pushed);
                }
            }
            Handled::Request(noted) => {
                if let Some(outcome) = self.survive(noted.map(Some).map_err(Into::into))? {
                    self.front.metrics.hub_asked(outcome);
                    self.websub.verifying.ask();
                }
            }
        }
        Ok(())
    }

    fn pushed(&mut self, context: &Arc<Context>, pushed: Pushed) {
        self.front.metrics.pushed(pushed.word());
        match pushed {
            Pushed::Kept { counts, .. } => {
                if counts.new + counts.changed > 0 {
                    self.gather();
                    if !Arc::ptr_eq(context, &self.context) {
                        // Labelled by the rules of before the last reload.
                        self.relabelling.ask();
                    }
                }
            }
            Pushed::Ping { source_id } => self.ping(&source_id),
            Pushed::Unknown | Pushed::Refused(_) | Pushed::Again => {}
        }
    }

    /// Lets a source be polled soon, whether it is due or not.
    fn ping(&mut self, source_id: &str) {
        self.websub.pings.insert(source_id.to_owned());
        self.poll_pinged(source_id);
    }

    /// Makes a source due whose hub said that there is news, unless it is being polled: then its poll's end does.
    pub(super) fn poll_pinged(&mut self, source_id: &str) {
        if !self.websub.pings.contains(source_id) || !self.places.contains_key(source_id) {
            return;
        }
        let now = clock::now();
        let last = self.websub.pinged.get(source_id).filter(|last| **last <= now);
        self.due.set(source_id, last.map_or(now, |last| (*last + PING_PAUSE).max(now)));
    }

    /// Looks soon at what subscriptions need.
    pub(super) fn look_at_subscriptions(&mut self) {
        self.websub.next_tending = Some(clock::now());
    }

    /// The same after a poll that read a document, which may name a hub.
    pub(super) fn note_document(&mut self) {
        if self.websub.is_reached {
            self.look_at_subscriptions();
        }
    }

    /// Follows a config from now on.
    pub(super) fn follow_websub(&mut self) {
        let config = &self.context.config;
        self.front.inbox.limit_pushes(config.poll.body_bytes_max);
        let base = websub::callback_base(&config.site.url, is_public, &config.poll.allow_networks);
        self.websub.is_reached = base.is_some();
        let places = &self.places;
        self.websub.pings.retain(|source_id| places.contains_key(source_id));
        self.websub.pinged.clear();
        self.look_at_subscriptions();
    }

    /// Looks at what other nodes may have noted.
    pub(super) fn look_at_websub(&mut self) {
        if self.context.node().is_none() {
            return;
        }
        self.note_document();
        if self.context.config.websub.hub {
            self.websub.verifying.ask();
            self.websub.next_delivery.get_or_insert_with(|| clock::now() + DELIVERY_LOOK);
        }
    }

    /// Starts what is due of subscriptions; takes nothing in while the store does not either.
    pub(super) fn start_tending(&mut self, now: Timestamp) {
        self.front.inbox.shut(self.is_ailing());
        if self.is_ailing() {
            return;
        }
        let is_due = self.websub.next_tending.is_some_and(|at| at <= now) && Instant::now() >= self.websub.tending_from;
        // Hubs are not to blame while this machine is cut off.
        if is_due && !self.network.is_down() && !self.websub.tending.is_running() {
            self.websub.next_tending = None;
            self.websub.tending.ask();
        }
        let (context, front, stop) = (&self.context, &self.front, &self.stop);
        self.websub.tending.start(|| {
            let (context, front, stop) = (Arc::clone(context), Arc::clone(front), stop.clone());
            async move { Ok(pipeline::tend_subscriptions(&context, &front.inbox, now, &stop).await?) }
        });
    }

    /// Starts what is due of our hub.
    pub(super) fn start_hub(&mut self, now: Timestamp) {
        if !self.context.config.websub.hub {
            return;
        }
        if self.websub.next_delivery.is_some_and(|at| at <= now) && !self.network.is_down() {
            self.websub.next_delivery = None;
            self.websub.distributing.ask();
        }
        let (context, documents, stop) = (&self.context, &self.websub.documents, &self.stop);
        self.websub.verifying.start(|| {
            let (context, documents) = (Arc::clone(context), Arc::clone(documents));
            async move { Ok(pipeline::verify_intents(&context, &documents).await?) }
        });
        let Some(hub) = pipeline::hub_address(&context.config) else { return };
        self.websub.distributing.start(|| {
            let (context, documents, stop) = (Arc::clone(context), Arc::clone(documents), stop.clone());
            async move { Ok(pipeline::distribute(&context, &documents, hub.as_str(), &stop).await?) }
        });
    }

    /// Takes over the result of a go over all subscriptions.
    fn tended(&mut self, tended: Tended) {
        let Tended { next, tokens, figures, store_time, lapsed } = tended;
        self.websub.tending_from =
            Instant::now() + (store_time * TENDING_SHARE).clamp(TENDING_PAUSE, TENDING_PAUSE * 60);
        self.websub.next_tending = self.websub.next_tending.into_iter().chain(next).min();
        self.websub.is_reached |= !tokens.is_empty();
        self.front.inbox.admit_only(tokens, self.context.node().is_some());
        self.front.metrics.subscriptions(&figures);
        self.websub.subscriptions = figures;
        for source_id in &lapsed {
            self.ping(source_id);
        }
    }

    /// Goes on with verifying.
    fn verified(&mut self, is_more: bool) {
        if is_more {
            self.websub.verifying.ask();
        }
        // A subscriber that asked while a document was made may have the one before.
        self.websub.next_delivery.get_or_insert_with(clock::now);
    }

    /// Takes over the result of deliveries.
    fn delivered(&mut self, report: &HubReport) {
        self.front.metrics.hub_delivered(report.delivered, report.failed, report.subscribers);
        self.websub.subscribers = report.subscribers;
        self.websub.next_delivery = self.websub.next_delivery.into_iter().chain(report.next).min();
    }

    /// Lets documents name their hubs, and tells our subscribers of those that have changed.
    pub(super) fn offer_documents(&mut self, tree: &Tree) {
        let config = &self.context.config;
        let own = pipeline::hub_address(config);
        let hubs: Vec<&str> = own.iter().chain(&config.publish.hubs).map(url::Url::as_str).collect();
        let (mut documents, mut links, mut topics) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        let paths =
            config.topics.iter().flat_map(|topic| ["atom", "rss", "json"].map(|end| format!("/{}.{end}", topic.id)));
        for path in paths.filter(|_| !hubs.is_empty()) {
            let (Some(resource), Ok(address)) = (tree.get(&path), config.site.url.join(path.trim_start_matches('/')))
            else {
                continue;
            };
            links.insert(path, websub::link_value(hubs.iter().copied(), address.as_str()));
            let Body::Memory(body) = &resource.plain.body else { continue };
            topics.insert(address.to_string());
            documents.push(HubDocument {
                address: address.into(),
                media_type: resource.format.media_type(),
                mark: resource.plain.etag.clone(),
                body: body.clone(),
            });
        }
        self.front.links.store(links);
        let guard = Guard::new(&config.poll.allow_networks);
        self.front.inbox.hub.store(own.is_some().then_some(HubDoor { topics, guard }));
        self.websub.documents = Arc::new(documents);
        self.websub.next_delivery = own.map(|_| clock::now());
    }

    /// Works on what is in the queue still, and notes what was delivered, for as long as that may take.
    pub(super) async fn end_websub(&mut self, grace: Instant) -> anyhow::Result<()> {
        while let Some(arrival) = self.websub.arrivals.as_mut().and_then(|arrivals| arrivals.try_recv().ok()) {
            self.take_in(arrival);
        }
        while let Ok(Some(handled)) = timeout_at(grace, self.websub.inbound.join_next()).await {
            self.handled(handled.context("a request of WebSub failed")?)?;
        }
        let told = timeout_at(grace, self.websub.distributing.ended_if_running()).await.unwrap_or(Ok(None));
        self.survive(told)?;
        Ok(())
    }
}
