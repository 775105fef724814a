//! Words about `WebSub` (W3C Recommendation, 2018), both ways: subscriptions of ours at the hubs of publishers, and
//! subscribers of our own hub.
//!
//! A *push* is a content distribution request (§7). All decisions stand here, as pure functions: [`next_step`] says when a
//! hub is asked, [`answer_intent`] what we asked for, [`PushTrust`] whether a hub tells everything, [`read_request`] what
//! a hub may be asked for, [`DeliveryResult`] when a delivery is tried again. The store keeps what must outlive the
//! process, `serve` takes requests in, `pipeline` acts.

mod delivery;
mod hub;
mod intent;
mod offer;
mod push;
mod signature;
mod step;
mod trust;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::feed::Timestamp;

pub use delivery::DeliveryResult;
pub use hub::{
    HubMode, HubRequest, LEASE_MIN, Settlement, Subscriber, SubscriberCounts, SubscriberIntent, SubscribersAsked,
    challenge_call, denial_call, read_request,
};
pub use intent::{IntentAnswer, IntentQuery, answer_intent};
pub use offer::{HubOffer, link_value, linked_offer};
pub use push::{Push, PushFault, check_push};
pub use signature::{HubSignature, SignatureMethod, signed_sha256};
pub use step::{SubscriptionStep, VERIFIED_WITHIN, callback_base, next_step};
pub use trust::PushTrust;

/// Bytes of a secret of ours, before they are written in hexadecimal (§5.1 allows less than 200).
pub const SECRET_BYTES: usize = 32;

/// Bytes of the unguessable part of a callback (§8.2), before they are written in hexadecimal.
pub const TOKEN_BYTES: usize = 24;

/// The lease that we ask hubs for (§8.2: ten days is a good default).
pub const LEASE_ASKED: TimeDelta = TimeDelta::days(10);

/// Hashes of pushed bodies that are remembered of a subscription.
const BODIES_MAX: usize = 16;

/// A subscription of ours to the topic of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedSubscription {
    /// The source's id.
    #[serde(skip)]
    pub source_id: String,
    /// The unguessable part of its callback.
    #[serde(skip)]
    pub token: String,
    /// The hub, as the publisher names it.
    pub hub: Url,
    /// The topic: the address that the feed gives itself.
    pub topic: Url,
    /// The address at which the hub finds us.
    pub callback: Url,
    /// The key by which the hub signs.
    pub secret: String,
    /// How far it has come.
    pub stage: SubscriptionStage,
    /// When the hub was last asked.
    pub asked: Option<Timestamp>,
    /// When the hub last verified that we asked.
    pub verified: Option<Timestamp>,
    /// The end of the lease; `None` before the first.
    pub lease_end: Option<Timestamp>,
    /// When the hub is asked again, after a failure or denial.
    pub next_try: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// Why the last try failed, or the reason of a denial.
    pub why: Option<String>,
    /// The last push that was as signed.
    pub last_push: Option<Timestamp>,
    /// Number of them.
    pub pushes: u64,
    /// Pushes that were not signed as they should be.
    pub refused: u64,
    /// The strongest method that the hub ever signed with.
    pub method: Option<SignatureMethod>,
    /// Hashes of the last pushed bodies, the latest last.
    pub bodies: Vec<String>,
    /// Whether the hub tells everything, as polls see it. Kept apart: polls write it, and nothing else of this.
    #[serde(skip)]
    pub trust: PushTrust,
}

/// How far a subscription of ours has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStage {
    /// The hub was asked, and has not verified that yet.
    Asked,
    /// The hub has verified it.
    Verified,
    /// The hub does not want it.
    Denied,
    /// The hub was asked to end it.
    Ending,
}

impl SubscriptionStage {
    /// Returns its word, for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Verified => "subscribed",
            Self::Denied => "denied",
            Self::Ending => "ending",
        }
    }
}

impl FeedSubscription {
    /// Whether the hub should push now: it has verified the subscription, and the lease is not over.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.stage == SubscriptionStage::Verified && self.lease_end.is_some_and(|end| end > now)
    }

    /// Whether the source may be polled less: the hub is live and told everything that polls found.
    #[must_use]
    pub fn is_trusted(&self, now: Timestamp) -> bool {
        self.is_live(now) && self.trust.is_earned()
    }

    /// Whether its source was polled less, its lease is over, and no poll was made since.
    #[must_use]
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        let end = self.lease_end.filter(|end| *end <= now);
        self.trust.is_earned() && end.is_some_and(|end| self.trust.polled.is_none_or(|polled| polled < end))
    }

    /// Notes a push that was as signed, and the hash of its body if it held a document.
    pub fn note_push(&mut self, method: SignatureMethod, body_hash: Option<String>, now: Timestamp) {
        self.last_push = Some(now);
        self.pushes = self.pushes.saturating_add(1);
        self.method = self.method.max(Some(method));
        self.bodies.extend(body_hash);
        self.bodies.drain(..self.bodies.len().saturating_sub(BODIES_MAX));
    }

    /// Notes that the hub could not be asked, or did not verify.
    pub fn note_failure(&mut self, why: String, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.next_try = Some(now + step::pause_after(self.failures));
        self.why = Some(why);
    }
}

/// A change of what the store keeps about `WebSub`.
#[derive(Debug, Clone, PartialEq)]
pub enum WebSubChange {
    /// A subscription of ours, in the place of any before for its source. Its trust stays as it was.
    Subscription(Box<FeedSubscription>),
    /// The trust in the hub of a source, if there is a subscription.
    Trust {
        /// The source's id.
        source_id: String,
        /// The trust.
        trust: PushTrust,
    },
    /// A subscription of ours is no more.
    Forget(String),
    /// Somebody asked our hub for something that is still to be verified. A request before it that was not verified yet is
    /// dropped.
    Intent {
        /// The subscriber's address.
        callback: Url,
        /// The topic's address.
        topic: String,
        /// The request.
        intent: SubscriberIntent,
    },
    /// An intent was verified or was not. A later one of the same subscriber stays.
    Settled {
        /// The subscriber's number.
        number: i64,
        /// The intent that is settled.
        intent: SubscriberIntent,
        /// Its end.
        settlement: Settlement,
    },
    /// The result of a delivery.
    Delivered(DeliveryResult),
}
