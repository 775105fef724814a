//! Our own hub (`WebSub` §5 to §7): requests are noted and verified, subscribers get each new document of their topic.
//!
//! The document that a subscriber has is noted after it has answered: a crash repeats a delivery and never
//! loses one. Only the node with the jobs verifies and delivers.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use futures_util::StreamExt;
use futures_util::stream::{self, FuturesUnordered};
use tokio_util::sync::CancellationToken;
use tracing::debug;
use url::Url;

use super::Context;
use super::subscribing::random;
use crate::feed::Timestamp;
use crate::fetch::{self, Client, ClientError, FetchError, Route, Settings};
use crate::outbox::{HttpAnswer, HttpCall, Verb};
use crate::store::{Change, StoreError};
use crate::websub::{
    self, DeliveryResult, HubMode, HubRequest, Settlement, Subscriber, SubscriberIntent, SubscribersAsked, WebSubChange,
};

/// Longest time that a subscriber may take for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// Requests of the hub at once to one host.
const PER_HOST: usize = 8;

/// Deliveries that are under way at once.
const DELIVERIES: usize = 64;

/// Callbacks of one host that fail in one go until its others wait for the next.
const HOST_FAILURES: usize = 4;

/// Subscribers that are read at once, and results that are kept at once.
const PAGE: usize = 512;
const KEPT_AT_ONCE: usize = 64;

/// Most requests that wait to be verified, in all and of one host.
const INTENTS_MAX: usize = 2000;
const INTENTS_PER_HOST: usize = 200;

/// Intents that are verified in one go.
const INTENTS_AT_ONCE: usize = 200;

/// Longest time that one go begins further deliveries: then newer documents count.
const GO_MAX: Duration = Duration::from_secs(20);

/// Shortest time to the next go for those that failed.
const NEXT_MIN: TimeDelta = TimeDelta::seconds(10);

/// A document of one of our topics, as subscribers get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubDocument {
    /// The topic's address.
    pub address: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Another one for each content.
    pub mark: String,
    /// The document.
    pub body: Bytes,
}

/// The result of one go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HubReport {
    /// Documents that subscribers took.
    pub delivered: usize,
    /// Deliveries that failed.
    pub failed: usize,
    /// Subscribers, verified or not.
    pub subscribers: usize,
    /// When there is something to do again.
    pub next: Option<Timestamp>,
}

/// Makes the client of the hub. Subscribers have asked to be told at once, so their hosts need no pause; the guard of
/// addresses is that of feeds.
pub(super) fn deliverer(settings: &Settings) -> Result<Client, ClientError> {
    let timeout = settings.timeout.min(ANSWER_MAX);
    Client::new(&Settings {
        per_host: PER_HOST.max(settings.per_host),
        host_delay: Duration::ZERO,
        concurrency: settings.concurrency.max(DELIVERIES).min(fetch::descriptors::Shares::now().requests),
        timeout,
        connect_timeout: settings.connect_timeout.min(timeout),
        idle_timeout: settings.idle_timeout.min(timeout),
        ..settings.clone()
    })
}

/// Notes a request to the hub, to be verified; returns a word for what became of it.
///
/// Too many subscribers are denied (§5.2). A flood of requests is dropped: each would be one request to a callback.
///
/// # Errors
/// When the store fails.
pub async fn take_hub_request(
    context: &Context,
    request: HubRequest,
    now: Timestamp,
) -> Result<&'static str, StoreError> {
    let settings = context.config.websub.clone();
    let host = request.callback.host_str().unwrap_or_default().to_owned();
    let job = move |store: &mut dyn crate::store::Store| {
        let counts = store.subscriber_counts(&host)?;
        if counts.intents >= INTENTS_MAX || counts.intents_of_host >= INTENTS_PER_HOST {
            return Ok("dropped");
        }
        let is_full = counts.all >= settings.subscribers_max || counts.of_host >= settings.subscribers_per_host;
        let (callback, topic, mode) = (request.callback.clone(), request.topic.clone(), request.mode);
        let mut intent = request.intent(settings.lease, settings.lease_max, now);
        let is_denied = is_full && mode == HubMode::Subscribe;
        intent.denied = is_denied.then(|| "this hub has no room for more subscribers".to_owned());
        let _ = store.apply(&[Change::WebSub(WebSubChange::Intent { callback, topic, intent })], None)?;
        Ok(if is_denied { "denied" } else { "noted" })
    };
    context.store.call(job).await
}

/// Asks subscribers whether they asked (§5.3.1), once each; returns whether more wait.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// A subscriber that was asked, and whose answer was not kept, is asked again.
pub async fn verify_intents(context: &Arc<Context>, documents: &[HubDocument]) -> Result<bool, StoreError> {
    let Some(client) = &context.deliverer else { return Ok(false) };
    let asked = SubscribersAsked::Intents { limit: INTENTS_AT_ONCE };
    let waiting = context.store.call(move |store| store.subscribers(&asked)).await?;
    let is_more = waiting.len() == INTENTS_AT_ONCE;
    let mut settled = stream::iter(waiting)
        .map(|subscriber| async move {
            let intent = subscriber.intent.clone()?;
            let settlement = settle(context, client, documents, &subscriber, &intent).await;
            Some(WebSubChange::Settled { number: subscriber.number, intent, settlement })
        })
        .buffer_unordered(DELIVERIES)
        .filter_map(std::future::ready)
        .ready_chunks(KEPT_AT_ONCE);
    while let Some(settled) = settled.next().await {
        keep(context, settled).await?;
    }
    Ok(is_more)
}

async fn settle(
    context: &Context,
    client: &Client,
    documents: &[HubDocument],
    subscriber: &Subscriber,
    intent: &SubscriberIntent,
) -> Settlement {
    let Ok(callback) = Url::parse(&subscriber.callback) else { return Settlement::Failed };
    if let Some(reason) = &intent.denied {
        let _ = call(context, client, &websub::denial_call(&callback, &subscriber.topic, reason)).await;
        return Settlement::Failed;
    }
    let Some(challenge) = random(websub::TOKEN_BYTES) else { return Settlement::Failed };
    let question = websub::challenge_call(&callback, &subscriber.topic, intent, &challenge);
    // The lease counts from the question.
    let asked = Utc::now();
    let answer = call(context, client, &question).await;
    let is_so = answer.is_ok_and(|answer| (200..=299).contains(&answer.status) && answer.body == challenge.as_bytes());
    match (is_so, intent.mode) {
        (false, _) => Settlement::Failed,
        (true, HubMode::Unsubscribe) => Settlement::Unsubscribed,
        (true, HubMode::Subscribe) => Settlement::Subscribed {
            lease_end: asked + TimeDelta::seconds(intent.lease_seconds),
            told: mark_of(documents, &subscriber.topic),
            secret: intent.secret.clone(),
        },
    }
}

fn mark_of(documents: &[HubDocument], topic: &str) -> String {
    documents
        .iter()
        .find(|document| document.address == topic)
        .map(|document| document.mark.clone())
        .unwrap_or_default()
}

/// Delivers documents to the subscribers that have others, as far as is due. `hub` is the hub's address.
///
/// # Errors
/// When the store fails. A subscriber that fails is tried again later.
///
/// # Cancellation
/// A document that was taken, and not noted, is delivered again.
pub async fn distribute(
    context: &Arc<Context>,
    documents: &[HubDocument],
    hub: &str,
    stop: &CancellationToken,
) -> Result<HubReport, StoreError> {
    let Some(client) = &context.deliverer else { return Ok(HubReport::default()) };
    let mut go = DeliveryGo { context, client, hub, stop, began: Instant::now(), failing: HashMap::new() };
    let mut report = HubReport::default();
    let mut is_done = true;
    for document in documents {
        is_done &= go.deliver(document, &mut report).await?;
    }
    let counts = context.store.call(|store| store.subscriber_counts("")).await?;
    report.subscribers = counts.all;
    let now = Utc::now();
    // Of a topic that is gone, or after a lease, it stays in the past until the upkeep.
    let next_try = counts.next_try.map(|next| next.max(now + NEXT_MIN));
    report.next = if is_done { next_try } else { Some(now) };
    Ok(report)
}

/// One go over all documents.
struct DeliveryGo<'a> {
    context: &'a Arc<Context>,
    client: &'a Client,
    hub: &'a str,
    stop: &'a CancellationToken,
    began: Instant,
    /// Failures by host.
    failing: HashMap<String, usize>,
}

impl DeliveryGo<'_> {
    fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.began.elapsed() > GO_MAX || !self.context.has_jobs()
    }

    /// Delivers one document; returns whether all that was due had its turn.
    async fn deliver(&mut self, document: &HubDocument, report: &mut HubReport) -> Result<bool, StoreError> {
        let (mut waiting, mut after, mut is_read) = (VecDeque::new(), 0, false);
        let mut under_way = FuturesUnordered::new();
        let mut by_host: HashMap<String, usize> = HashMap::new();
        let mut results = Vec::new();
        loop {
            if waiting.len() < DELIVERIES && !is_read && !self.is_over() {
                let page = self.due(document, after).await?;
                is_read = page.len() < PAGE;
                after = page.last().map_or(after, |last: &Subscriber| last.number);
                waiting.extend(page);
            }
            while under_way.len() < DELIVERIES && !self.is_over() {
                // One host with many callbacks does not keep the others waiting.
                let is_free =
                    |subscriber: &Subscriber| by_host.get(&host(subscriber)).is_none_or(|count| *count < PER_HOST);
                let Some(at) = waiting.iter().position(is_free) else { break };
                let Some(subscriber) = waiting.remove(at) else { break };
                let host = host(&subscriber);
                if self.failing.get(&host).is_some_and(|failures| *failures >= HOST_FAILURES) {
                    let why = "its host does not answer";
                    results.push(DeliveryResult::failed(&subscriber, &document.mark, why, None, Utc::now()));
                    report.failed += 1;
                    continue;
                }
                *by_host.entry(host).or_default() += 1;
                under_way.push(push_to(self.context, self.client, self.hub, document, subscriber));
            }
            if let Some((subscriber, result, is_unreached)) = under_way.next().await {
                let host = host(&subscriber);
                if let Some(count) = by_host.get_mut(&host) {
                    *count = count.saturating_sub(1);
                }
                if is_unreached {
                    *self.failing.entry(host).or_default() += 1;
                }
                let counted = if result.failures == 0 { &mut report.delivered } else { &mut report.failed };
                *counted += 1;
                results.push(result);
            }
            let is_idle = under_way.is_empty();
            if results.len() >= KEPT_AT_ONCE || is_idle && !results.is_empty() {
                let kept = std::mem::take(&mut results).into_iter().map(WebSubChange::Delivered).collect();
                keep(self.context, kept).await?;
            }
            if is_idle && (self.is_over() || waiting.is_empty() && is_read) {
                return Ok(waiting.is_empty() && is_read);
            }
        }
    }

    async fn due(&self, document: &HubDocument, after: i64) -> Result<Vec<Subscriber>, StoreError> {
        let (topic, told) = (document.address.clone(), document.mark.clone());
        let asked = SubscribersAsked::Due { topic, told, now: Utc::now(), after, limit: PAGE };
        self.context.store.call(move |store| store.subscribers(&asked)).await
    }
}

/// Delivers a document to one subscriber; tells the result, and whether its host did not answer at all.
async fn push_to(
    context: &Context,
    client: &Client,
    hub: &str,
    document: &HubDocument,
    subscriber: Subscriber,
) -> (Subscriber, DeliveryResult, bool) {
    let mark = &document.mark;
    let now = Utc::now();
    let Ok(url) = Url::parse(&subscriber.callback) else {
        let result = DeliveryResult::failed(&subscriber, mark, "its address cannot be read", None, now);
        return (subscriber, result, false);
    };
    let mut headers =
        vec![("content-type", document.media_type.to_owned()), ("link", websub::link_value([hub], &document.address))];
    let secret = subscriber.secret.as_ref().filter(|secret| !secret.is_empty());
    let signature = secret.and_then(|secret| websub::signed_sha256(secret.as_bytes(), &document.body));
    headers.extend(signature.map(|signature| ("x-hub-signature", format!("sha256={signature}"))));
    let delivery = HttpCall { verb: Verb::Post, url, headers, body: document.body.to_vec() };
    let answer = call(context, client, &delivery).await;
    let now = Utc::now();
    let (result, is_unreached) = match answer {
        Ok(answer) if (200..=299).contains(&answer.status) => (DeliveryResult::taken(&subscriber, mark), false),
        // §7: the subscription was deleted.
        Ok(answer) if answer.status == 410 => (DeliveryResult::gone(&subscriber), false),
        Ok(answer) => {
            let why = format!("it answered {}", answer.status);
            (DeliveryResult::failed(&subscriber, mark, &why, answer.retry_after, now), false)
        }
        Err(error) => {
            debug!(host = host(&subscriber), "a subscriber was not reached: {error}");
            (DeliveryResult::failed(&subscriber, mark, &error.to_string(), None, now), true)
        }
    };
    (subscriber, result, is_unreached)
}

async fn call(context: &Context, client: &Client, call: &HttpCall) -> Result<HttpAnswer, FetchError> {
    let route = Route { proxy: context.config.poll.proxy.clone(), ca_file: None };
    client.call(call, &route, Utc::now()).await
}

fn host(subscriber: &Subscriber) -> String {
    let url = Url::parse(&subscriber.callback).ok();
    url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned()
}

async fn keep(context: &Context, changes: Vec<WebSubChange>) -> Result<(), StoreError> {
    let changes = context.as_job(changes.into_iter().map(Change::WebSub).collect())?;
    context.store.call(move |store| store.apply(&changes, None).map(|_| ())).await
}
