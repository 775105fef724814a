//! Subscriptions of ours at the hubs of publishers (`WebSub` §5): asking for them, renewing and ending them, and answering
//! what hubs ask. The decisions are those of `websub::step` and `websub::intent`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::{Url, form_urlencoded};

use super::Context;
use crate::config::Source;
use crate::feed::Timestamp;
use crate::fetch::guard::is_public;
use crate::fetch::{FetchError, Route};
use crate::outbox::{HttpCall, Verb};
use crate::serve::Inbox;
use crate::store::{Change, Store, StoreError};
use crate::text::without_secrets;
use crate::websub::{
    self, FeedSubscription, HubMode, HubOffer, IntentAnswer, IntentQuery, PushTrust, SECRET_BYTES, SubscriptionStage,
    SubscriptionStep, TOKEN_BYTES, WebSubChange,
};

/// Hubs that are asked at once.
const HUBS_AT_ONCE: usize = 16;

/// Longest time that one go begins further requests: then a changed config and new subscriptions count.
const GO_MAX: Duration = Duration::from_secs(20);

/// Redirects of a hub that are followed (§5.1.2).
const HUB_HOPS_MAX: usize = 5;

/// Much of a hub's refusal that is told.
const REFUSAL_MAX: usize = 120;

/// The result of one go over all subscriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tended {
    /// When there is something to do again.
    pub next: Option<Timestamp>,
    /// The tokens of all callbacks that hubs may use.
    pub tokens: BTreeSet<String>,
    /// Number of subscriptions at each stage, by its word; `trusted` of those whose sources are polled less.
    pub figures: BTreeMap<&'static str, usize>,
    /// The time that the store took to tell of all sources.
    pub store_time: Duration,
    /// Sources that were polled less, and whose hubs push no more: their schedules return.
    pub lapsed: Vec<String>,
}

/// The answer to a hub that asked at a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentReply {
    /// We asked for it: this is sent back.
    Challenge(String),
    /// The end of a subscription is noted, and there is nothing to say.
    Denied {
        /// The source's id.
        source_id: String,
    },
    /// We did not ask for it, or nobody knows the callback.
    Refused,
}

/// The facts about sources that subscriptions depend on.
struct Offers {
    /// By source.
    offers: HashMap<String, HubOffer>,
    subscriptions: HashMap<String, FeedSubscription>,
}

/// A step that a subscription needs now.
struct DueStep {
    source_id: String,
    known: Option<FeedSubscription>,
    step: SubscriptionStep,
    /// The offer of its source if it is to be subscribed, and where hubs find us.
    wish: Option<(HubOffer, Url)>,
}

/// Asks hubs for what is due: new subscriptions, renewals, ends. The inbox admits a callback before its hub hears of it. A
/// node that does not have the jobs only learns of the callbacks.
///
/// # Errors
/// When the store fails. A hub that fails is asked again later.
///
/// # Cancellation
/// A hub may have been asked without that anything more of it is noted: it is asked again.
pub async fn tend_subscriptions(
    context: &Arc<Context>,
    inbox: &Inbox,
    now: Timestamp,
    stop: &CancellationToken,
) -> Result<Tended, StoreError> {
    let began = Instant::now();
    let Offers { offers, subscriptions } = context.store.call(read_offers).await?;
    let mut tended = Tended { store_time: began.elapsed(), ..Tended::default() };
    let base = websub::callback_base(&context.config.site.url, is_public, &context.config.poll.allow_networks);
    let sources: HashMap<&str, &Source> =
        context.config.sources.iter().map(|source| (source.id.as_str(), source)).collect();
    let wish = |source_id: &str| {
        let source = sources.get(source_id).filter(|source| is_wanted(context, source))?;
        offers.get(&source.id).zip(base.as_ref())
    };
    let ids: BTreeSet<&str> = offers.keys().chain(subscriptions.keys()).map(String::as_str).collect();
    let mut steps = Vec::new();
    for id in ids {
        let known = subscriptions.get(id);
        if let Some(known) = known {
            tended.tokens.insert(known.token.clone());
            *tended.figures.entry(known.stage.word()).or_default() += 1;
            *tended.figures.entry("trusted").or_default() += usize::from(known.is_trusted(now));
            tended.lapsed.extend(known.has_lapsed(now).then(|| id.to_owned()));
            tended.next = tended.next.into_iter().chain(known.lease_end.filter(|end| *end > now)).min();
        }
        match websub::next_step(known, wish(id), now) {
            SubscriptionStep::Wait(next) => tended.next = tended.next.into_iter().chain(next).min(),
            due => steps.push(DueStep {
                source_id: id.to_owned(),
                known: known.cloned(),
                step: due,
                wish: wish(id).map(|(offer, base)| (offer.clone(), base.clone())),
            }),
        }
    }
    if !context.has_jobs() {
        tended.next = None;
        return Ok(tended);
    }
    let began = Instant::now();
    let is_over = || stop.is_cancelled() || began.elapsed() > GO_MAX;
    let requests = steps
        .into_iter()
        .map(|due| async { if is_over() { Ok((None, Some(now))) } else { take_step(context, inbox, due, now).await } });
    let mut done = stream::iter(requests.collect::<Vec<_>>()).buffer_unordered(HUBS_AT_ONCE);
    while let Some(result) = done.next().await {
        let (token, next) = result?;
        tended.tokens.extend(token);
        tended.next = tended.next.into_iter().chain(next).min();
    }
    Ok(tended)
}

/// Whether a source is to be subscribed if it names a hub.
fn is_wanted(context: &Context, source: &Source) -> bool {
    source.enabled && source.websub.unwrap_or(context.config.websub.subscribe && !source.private)
}

fn read_offers(store: &mut dyn Store) -> Result<Offers, StoreError> {
    let mut offers = HashMap::new();
    for known in store.sources(None)? {
        if let Some(offer) = known.state.about.offer.filter(|_| !known.state.retired) {
            offers.insert(known.state.source_id, offer);
        }
    }
    let subscriptions = store.subscriptions(None)?;
    let subscriptions = subscriptions.into_iter().map(|known| (known.source_id.clone(), known)).collect();
    Ok(Offers { offers, subscriptions })
}

/// Takes one step; returns the token of a callback that is in use from now on, and when to look again.
async fn take_step(
    context: &Context,
    inbox: &Inbox,
    due: DueStep,
    now: Timestamp,
) -> Result<(Option<String>, Option<Timestamp>), StoreError> {
    let DueStep { source_id, known, step, wish } = due;
    let known = known.as_ref();
    let (asked, mode) = match (step, known, wish) {
        (SubscriptionStep::Ask(hub), _, Some((offer, base))) => {
            let Some(asked) = asked_for(&source_id, known, hub, &offer, &base, now) else {
                return Ok((None, Some(now)));
            };
            (asked, HubMode::Subscribe)
        }
        (SubscriptionStep::End, Some(known), _) => {
            let ending = FeedSubscription { stage: SubscriptionStage::Ending, asked: Some(now), ..known.clone() };
            (ending, HubMode::Unsubscribe)
        }
        (SubscriptionStep::Forget, ..) => {
            keep(context, vec![WebSubChange::Forget(source_id)]).await?;
            return Ok((None, None));
        }
        _ => return Ok((None, None)),
    };
    // Noted first: the hub may verify before it answers.
    let mut changes = vec![WebSubChange::Subscription(Box::new(asked.clone()))];
    if known.is_none_or(|known| known.token != asked.token) {
        changes.push(WebSubChange::Trust { source_id: source_id.clone(), trust: PushTrust::default() });
    }
    keep(context, changes).await?;
    inbox.admit(&asked.token);
    let token = Some(asked.token.clone());
    match ask_hub(context, &asked, mode, now).await {
        Ok(()) => Ok((token, Some(now + websub::VERIFIED_WITHIN))),
        Err(_) if mode == HubMode::Unsubscribe => {
            // Its lease runs out by itself.
            keep(context, vec![WebSubChange::Forget(source_id)]).await?;
            Ok((None, None))
        }
        Err(why) => {
            if asked.failures == 0 {
                warn!(source.id = source_id, "the hub {} does not take the subscription: {why}", asked.hub);
            }
            let failed = move |known: &FeedSubscription| {
                let mut failed = known.clone();
                failed.note_failure(why.clone(), now);
                Some(failed)
            };
            let next = change(context, &asked.token, failed).await?.and_then(|failed| failed.next_try);
            Ok((token, next))
        }
    }
}

/// The subscription as it is asked for: with a callback and a secret of its own, unless a known one goes on. `None` if the
/// system has no random numbers.
fn asked_for(
    source_id: &str,
    known: Option<&FeedSubscription>,
    hub: Url,
    offer: &HubOffer,
    base: &Url,
    now: Timestamp,
) -> Option<FeedSubscription> {
    let same = known.filter(|known| known.topic == offer.topic && known.callback.as_str().starts_with(base.as_str()));
    if let Some(known) = same {
        let stage = if known.is_live(now) { SubscriptionStage::Verified } else { SubscriptionStage::Asked };
        let method = known.method.filter(|_| known.hub == hub);
        // It took the last request, and has never verified it.
        let is_unanswered =
            known.next_try.is_none() && known.asked > known.verified && known.stage != SubscriptionStage::Ending;
        let failures = known.failures.saturating_add(u32::from(is_unanswered));
        let why = if is_unanswered { Some("the hub did not verify it".to_owned()) } else { known.why.clone() };
        let asked = Some(now);
        return Some(FeedSubscription { stage, hub, method, asked, next_try: None, failures, why, ..known.clone() });
    }
    let token = random(TOKEN_BYTES)?;
    Some(FeedSubscription {
        source_id: source_id.to_owned(),
        callback: base.join(&token).ok()?,
        token,
        hub,
        topic: offer.topic.clone(),
        secret: random(SECRET_BYTES)?,
        stage: SubscriptionStage::Asked,
        asked: Some(now),
        verified: None,
        lease_end: None,
        next_try: None,
        failures: 0,
        why: None,
        last_push: None,
        pushes: 0,
        refused: 0,
        method: None,
        bodies: Vec::new(),
        trust: PushTrust::default(),
    })
}

/// Returns so many random bytes in hexadecimal.
pub(super) fn random(bytes: usize) -> Option<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).ok()?;
    Some(data_encoding::HEXLOWER.encode(&random))
}

/// The form that is sent to a hub (§5.1).
fn form(asked: &FeedSubscription, mode: HubMode) -> Vec<u8> {
    let lease = websub::LEASE_ASKED.num_seconds().to_string();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("hub.mode", mode.word());
    form.append_pair("hub.topic", asked.topic.as_str());
    form.append_pair("hub.callback", asked.callback.as_str());
    if mode == HubMode::Subscribe {
        form.append_pair("hub.lease_seconds", &lease);
        form.append_pair("hub.secret", &asked.secret);
    }
    form.finish().into_bytes()
}

/// Sends a request to a hub, and follows where it leads to (§5.1.2).
async fn ask_hub(context: &Context, asked: &FeedSubscription, mode: HubMode, now: Timestamp) -> Result<(), String> {
    let body = form(asked, mode);
    let route = Route { proxy: context.config.poll.proxy.clone(), ca_file: None };
    let mut url = asked.hub.clone();
    for _ in 0..=HUB_HOPS_MAX {
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        let call = HttpCall { verb: Verb::Post, url: url.clone(), headers, body: body.clone() };
        let answer = context.client.call(&call, &route, now).await.map_err(|error| told(&error))?;
        match answer.status {
            200..=299 => return Ok(()),
            307 | 308 => {
                let to = answer.header("location").and_then(|to| url.join(to).ok());
                url = to.ok_or_else(|| format!("it answered {} without a place to go", answer.status))?;
            }
            status => {
                let said = String::from_utf8_lossy(&answer.body);
                let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
                let said: String = said.chars().filter(|letter| !letter.is_control()).take(REFUSAL_MAX).collect();
                let said = if said.is_empty() { said } else { format!(": {said}") };
                return Err(without_secrets(&format!("it answered {status}{said}")).into_owned());
            }
        }
    }
    Err("it leads from one address to the next".to_owned())
}

fn told(error: &FetchError) -> String {
    without_secrets(&error.to_string()).into_owned()
}

/// Answers a hub that asks at a callback (§5.2, §5.3).
///
/// # Errors
/// When the store fails.
pub async fn answer_hub(
    context: &Context,
    token: &str,
    query: IntentQuery,
    now: Timestamp,
) -> Result<IntentReply, StoreError> {
    let token = token.to_owned();
    let challenge = query.challenge.clone();
    let job = move |store: &mut dyn Store| {
        let Some(known) = store.subscriptions(Some(&token))?.pop() else { return Ok(IntentAnswer::Refused) };
        let answer = websub::answer_intent(&known, &query, now);
        let kept = match &answer {
            IntentAnswer::Confirmed(subscription) | IntentAnswer::Denied(subscription) => {
                WebSubChange::Subscription(subscription.clone())
            }
            IntentAnswer::Ended => WebSubChange::Forget(known.source_id),
            IntentAnswer::Refused => return Ok(answer),
        };
        let _ = store.apply(&[Change::WebSub(kept)], None)?;
        Ok(answer)
    };
    Ok(match context.store.call(job).await? {
        IntentAnswer::Confirmed(subscription) => {
            info!(target: "veille::detail", { source.id = subscription.source_id }, "subscribed at {}", subscription.hub);
            IntentReply::Challenge(challenge)
        }
        IntentAnswer::Ended => IntentReply::Challenge(challenge),
        IntentAnswer::Denied(subscription) => {
            let why = subscription.why.as_deref().unwrap_or_default();
            warn!(source.id = subscription.source_id, "the hub {} denies the subscription: {why}", subscription.hub);
            IntentReply::Denied { source_id: subscription.source_id }
        }
        IntentAnswer::Refused => IntentReply::Refused,
    })
}

/// Changes a subscription as it is now; returns it as it is then, `None` if nobody knows it any more.
pub(super) async fn change(
    context: &Context,
    token: &str,
    changed: impl FnOnce(&FeedSubscription) -> Option<FeedSubscription> + Send + 'static,
) -> Result<Option<FeedSubscription>, StoreError> {
    let token = token.to_owned();
    let job = move |store: &mut dyn Store| {
        let Some(known) = store.subscriptions(Some(&token))?.pop() else { return Ok(None) };
        let Some(changed) = changed(&known) else { return Ok(Some(known)) };
        let _ = store.apply(&[Change::WebSub(WebSubChange::Subscription(Box::new(changed.clone())))], None)?;
        Ok(Some(changed))
    };
    context.store.call(job).await
}

async fn keep(context: &Context, changes: Vec<WebSubChange>) -> Result<(), StoreError> {
    let changes = context.as_job(changes.into_iter().map(Change::WebSub).collect())?;
    context.store.call(move |store| store.apply(&changes, None).map(|_| ())).await
}
