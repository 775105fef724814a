//! Pushes of hubs (`WebSub` §7): a signed document goes the way of a poll, as one that says nothing of what it does not hold.
//!
//! Nothing of a push is used before its signature was found good. A push that is no document of the feed only says that
//! there is news: the feed itself is asked then.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tracing::{debug, info, warn};
use url::Url;

use super::deciding::PollToKeep;
use super::reading::{aside, prepare, read_document};
use super::subscribing::change;
use super::{Context, Counts, remembered};
use crate::config::Source;
use crate::feed::Timestamp;
use crate::fetch;
use crate::store::StoreError;
use crate::text::feed_key;
use crate::websub::{self, FeedSubscription, Push, PushFault, SignatureMethod};

/// Bytes of a hash by which a body is known again.
const HASH_BYTES: usize = 16;

/// The end of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// Nobody knows its callback any more.
    Unknown,
    /// Nothing of it was used.
    Refused(PushFault),
    /// The same was pushed before.
    Again,
    /// Its entries are kept.
    Kept {
        /// The source's id.
        source_id: String,
        /// Numbers of its entries.
        counts: Counts,
    },
    /// There is news, and the source is to be polled for it.
    Ping {
        /// The source's id.
        source_id: String,
    },
}

impl Pushed {
    /// Returns its word, for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Refused(fault) => fault.word(),
            Self::Again => "again",
            Self::Kept { .. } => "kept",
            Self::Ping { .. } => "ping",
        }
    }
}

/// Takes in a push.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// All of it is kept, or nothing.
pub async fn take_push(context: &Arc<Context>, push: Push, now: Timestamp) -> Result<Pushed, StoreError> {
    let token = push.token.clone();
    let known = {
        let token = token.clone();
        context.store.call(move |store| store.subscriptions(Some(&token))).await?.pop()
    };
    let Some(known) = known else { return Ok(Pushed::Unknown) };
    let allows_sha1 = context.config.websub.weak_signatures;
    // Beside the loop: a large body takes some milliseconds.
    let judged = aside(move || {
        let checked = websub::check_push(&known, &push, allows_sha1);
        let hash = Sha256::digest(&push.body);
        let hash = data_encoding::HEXLOWER.encode(hash.get(..HASH_BYTES).unwrap_or_default());
        (known, push, checked, hash)
    });
    let Ok((known, push, checked, hash)) = judged.await else { return Ok(Pushed::Refused(PushFault::Forged)) };
    let source = context.config.sources.iter().find(|source| source.id == known.source_id && source.enabled);
    let method = match checked.and_then(|method| source.map(|_| method).ok_or(PushFault::Unasked)) {
        Ok(method) => method,
        Err(fault) => {
            debug!(source.id = known.source_id, "a push is not taken: {}", fault.word());
            change(context, &token, |known| {
                Some(FeedSubscription { refused: known.refused.saturating_add(1), ..known.clone() })
            })
            .await?;
            return Ok(Pushed::Refused(fault));
        }
    };
    let Some(source) = source else { return Ok(Pushed::Unknown) };
    if known.bodies.contains(&hash) {
        return Ok(Pushed::Again);
    }
    let pushed = match take_document(context, source, &known, push, now).await? {
        Some(counts) => Pushed::Kept { source_id: known.source_id, counts },
        None => Pushed::Ping { source_id: known.source_id },
    };
    // A ping has no body to be known by.
    let hash = matches!(pushed, Pushed::Kept { .. }).then_some(hash);
    note(context, &token, method, hash, now).await?;
    Ok(pushed)
}

async fn note(
    context: &Context,
    token: &str,
    method: SignatureMethod,
    hash: Option<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let noted = move |known: &FeedSubscription| {
        let mut noted = known.clone();
        noted.note_push(method, hash, now);
        Some(noted)
    };
    change(context, token, noted).await.map(|_| ())
}

/// Keeps what a pushed document holds; `None` if it is no document of the feed.
async fn take_document(
    context: &Arc<Context>,
    source: &Source,
    known: &FeedSubscription,
    push: Push,
    now: Timestamp,
) -> Result<Option<Counts>, StoreError> {
    if push.body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let mut state = remembered(context, &source.id).await?.state;
    state.turn_to(&source.url);
    if state.body_hash.is_none() {
        // Never read: a poll tells the old from the new.
        return Ok(None);
    }
    let document = fetch::Document { body: push.body, content_type: push.content_type, is_delta: true, offer: None };
    let read = match read_document(context, source, document, known.topic.clone(), false, now).await {
        Ok(read) => read,
        Err(unreadable) => {
            debug!(source.id = source.id, "a push is no feed: {}", unreadable.message);
            return Ok(None);
        }
    };
    let is_own = |own: &Url| {
        let addresses = [Some(&known.topic), Some(&source.url), state.moved_to.as_ref()];
        addresses.into_iter().flatten().any(|address| feed_key(address) == feed_key(own))
    };
    if read.own.as_ref().is_some_and(|own| !is_own(own)) {
        warn!(
            source.id = source.id,
            "the hub {} pushed the document of another feed: the feed itself is asked", known.hub
        );
        return Ok(None);
    }
    let prepared = prepare(context, source, &mut state, Some(read), fetch::Share::default(), now).await?;
    let Ok(document) = prepared else { return Ok(None) };
    let poll = PollToKeep {
        hold: None,
        state,
        health: None,
        moved_to: None,
        throttle: None,
        is_answered: false,
        document,
        trust: None,
        is_pushed: true,
        now,
    };
    let counts = context.keeper.keep(poll).await?;
    let Counts { new, changed } = counts;
    if new + changed > 0 {
        info!(target: "veille::detail", { source.id = source.id, entries.new = new, entries.changed = changed },
            "pushed, {new} new, {changed} changed");
    }
    Ok(Some(counts))
}
