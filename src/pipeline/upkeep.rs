//! Daily upkeep: notice silent sources, drop old stories, tidy the store.
//!
//! The store keeps the date, and `run` or `poll`, whichever comes first, does the work: where polls are a cron job, no
//! other process would.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;

use super::Context;
use crate::feed::Timestamp;
use crate::schedule;
use crate::state::{Health, Monitored, Turn};
use crate::store::{Change, Store, StoreError};

const INTERVAL: TimeDelta = TimeDelta::days(1);

/// Longest pause after which the first upkeep drops entries: after a longer one the clock may have jumped ahead, and dropped
/// entries do not come back.
const SUDDEN: TimeDelta = TimeDelta::days(8);

/// Stories dropped in one transaction, so that no poll waits long.
const DROPPED: usize = 500;

async fn notice_silence(context: &Context, now: Timestamp) -> Result<(), StoreError> {
    let polled: BTreeSet<String> =
        context.config.sources.iter().filter(|source| source.enabled).map(|source| source.id.clone()).collect();
    let zone = context.config.site.zone;
    let note = move |store: &mut dyn Store| {
        let ill: HashSet<Monitored> = store
            .health(None)?
            .into_iter()
            .filter(|turn| turn.health != Health::Recovered)
            .map(|turn| turn.of)
            .collect();
        let days = store.entry_days(now - schedule::RHYTHM)?;
        let mut turns = Vec::new();
        for source_id in polled {
            let dates: Vec<Timestamp> = days.get(&source_id).into_iter().flatten().map(|day| day.last).collect();
            let of = Monitored::Source(source_id);
            if ill.contains(&of) {
                continue;
            }
            let Some(silence) = schedule::silence(&dates, now) else { continue };
            let detail = Some(silence.since.with_timezone(&zone).format("%Y-%m-%d").to_string());
            turns.push(Change::Turn(Turn { of, date: now, health: Health::Silent, detail }));
        }
        store.apply(&turns, None).map(|_| ())
    };
    context.store.call(note).await
}

/// Does the upkeep, unless it was done within the last day; returns the number of dropped entries.
///
/// # Errors
/// When the store fails.
pub async fn upkeep(context: &Context, now: Timestamp) -> Result<usize, StoreError> {
    let last = context.store.call(|store| store.pulse()).await?.tidied;
    if last.is_some_and(|last| (last..last + INTERVAL).contains(&now)) {
        return Ok(0);
    }
    notice_silence(context, now).await?;
    if last.is_some_and(|last| now - last > SUDDEN) {
        context.store.call(move |store| store.tidy(now)).await?;
        return Ok(0);
    }
    let before = now - context.config.store.keep;
    let sources: Vec<String> = context.config.sources.iter().map(|source| source.id.clone()).collect();
    let (sources, mut dropped) = (Arc::new(sources), 0);
    loop {
        let sources = Arc::clone(&sources);
        match context.store.call(move |store| store.drop_before(before, &sources, DROPPED)).await? {
            0 => break,
            entries => dropped += entries,
        }
    }
    context.store.call(move |store| store.tidy(now)).await?;
    Ok(dropped)
}
