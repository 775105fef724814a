//! Announcements: hubs are told of each topic whose documents changed (`WebSub`).
//!
//! An announcement is noted only after the hub has answered: a crash repeats a ping and never loses one.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;
use tracing::{debug, warn};
use url::Url;

use super::Context;
use super::health::note_turn;
use crate::feed::Timestamp;
use crate::state::{Announcement, Health, Monitored};
use crate::store::{Change, Store, StoreError};

/// Wait after the first failure; doubles with each further one.
const RETRY: TimeDelta = TimeDelta::minutes(1);

const RETRY_MAX: TimeDelta = TimeDelta::days(1);

/// Failures in a row (half an hour) before a hub counts as unreachable: most outages are over by then.
const UNREACHABLE_FROM: u32 = 6;

/// The documents of a topic, as hubs know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The topic's id.
    pub topic: String,
    /// A hash of all of them together.
    pub hash: String,
    /// Their public addresses, Atom first.
    pub addresses: Vec<String>,
}

/// Announces to each hub the topics whose documents differ from those announced last; returns the time of the next try,
/// if something failed.
///
/// # Errors
/// When the store fails. A hub that fails is tried again later.
///
/// # Cancellation
/// A hub that was told and not noted is told again.
pub async fn announce(
    context: &Arc<Context>,
    topics: &[Announced],
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let hubs = &context.config.publish.hubs;
    if hubs.is_empty() {
        return Ok(None);
    }
    let known = context.store.call(|store| store.announcements()).await?;
    let pairs = hubs.iter().flat_map(|hub| topics.iter().map(move |topic| (hub, topic)));
    let waiting = pairs.filter_map(|(hub, topic)| {
        let is_this = |known: &&Announcement| known.hub == hub.as_str() && known.topic == topic.topic;
        let last = known.iter().find(is_this).cloned().unwrap_or_else(|| Announcement {
            hub: hub.to_string(),
            topic: topic.topic.clone(),
            ..Announcement::default()
        });
        (last.told != topic.hash).then_some((hub, topic, last))
    });
    let told = join_all(waiting.map(|(hub, topic, last)| async move {
        // A later one was set by a clock that was ahead.
        match last.next_try.filter(|next| *next > now && *next <= now + RETRY_MAX) {
            Some(next) => Ok(Some(next)),
            None => tell_hub(context, hub, topic, last, now).await,
        }
    }));
    let next: Vec<Option<Timestamp>> = told.await.into_iter().collect::<Result<_, _>>()?;
    note_hubs(context, topics, now).await?;
    Ok(next.into_iter().flatten().min())
}

/// Notes which hubs have failed for long, and which take announcements again.
async fn note_hubs(context: &Context, topics: &[Announced], now: Timestamp) -> Result<(), StoreError> {
    let hubs: Vec<String> = context.config.publish.hubs.iter().map(Url::to_string).collect();
    let topics: Vec<String> = topics.iter().map(|topic| topic.topic.clone()).collect();
    let note = move |store: &mut dyn Store| {
        let told = store.announcements()?;
        for hub in &hubs {
            let of_hub = told.iter().filter(|told| told.hub == *hub && topics.contains(&told.topic));
            let Some(worst) = of_hub.max_by_key(|told| told.failures) else { continue };
            let error = worst.last_error.clone().unwrap_or_default();
            let of = Monitored::Hub(hub.clone());
            match worst.failures {
                0 => note_turn(store, &of, None, now)?,
                UNREACHABLE_FROM.. => note_turn(store, &of, Some((Health::Unreachable, error)), now)?,
                _ => {}
            }
        }
        Ok(())
    };
    context.store.call(note).await
}

/// Tells one hub of one topic, and notes it; returns when to try again.
async fn tell_hub(
    context: &Context,
    hub: &Url,
    topic: &Announced,
    last: Announcement,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let result = match context.client.announce(hub, &topic.addresses, now).await {
        Ok(()) => {
            debug!(hub = hub.as_str(), topic = topic.topic, "announced");
            let told = topic.hash.clone();
            Announcement { told, told_at: Some(now), failures: 0, next_try: None, last_error: None, ..last }
        }
        Err(error) => {
            let failures = last.failures.saturating_add(1);
            if failures == 1 {
                warn!(hub = hub.as_str(), "a hub does not take announcements: {error}");
            }
            let next_try = Some(now + wait(failures));
            Announcement { failures, next_try, last_error: Some(error.to_string()), ..last }
        }
    };
    let next_try = result.next_try;
    let announced = context.as_job(vec![Change::Announced(result)])?;
    context.store.call(move |store| store.apply(&announced, None).map(|_| ())).await?;
    Ok(next_try)
}

fn wait(failures: u32) -> TimeDelta {
    let doublings = failures.saturating_sub(1).min(16);
    RETRY.checked_mul(1 << doublings).map_or(RETRY_MAX, |wait| wait.min(RETRY_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_a_day() {
        let minutes = [1, 2, 3, 11, 12, 999, u32::MAX].map(|failures| wait(failures).num_minutes());
        assert_eq!(minutes, [1, 2, 4, 1024, 1440, 1440, 1440]);
    }
}
