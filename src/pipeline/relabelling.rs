//! Labelling every stored entry again after the rules have changed.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tracing::info;

use super::Context;
use super::rebuilding::rebuild;
use super::relating::relate;
use crate::config::{Config, Source};
use crate::dedup::{self, Plain};
use crate::store::{Store, StoreError};
use crate::story::{Fingerprint, StoredEntry, Terms};
use crate::tag;
use crate::topic::{Label, Matcher};

/// Entries that are labelled again in one go.
const RELABEL_BATCH: usize = 500;

/// Entries after which the log tells how far a relabelling is: some ten seconds.
const RELABEL_TOLD: usize = 20_000;

/// Labels every stored entry again if the rules differ from those of the last time, or what is derived is missing; says
/// whether labels changed.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// Nothing is kept unless all of it is.
pub async fn relabel(context: &Arc<Context>) -> Result<bool, StoreError> {
    if !context.store.call(|store| store.is_whole()).await? {
        rebuild(context).await?;
        relabel_all(context).await?;
        context.store.call(|store| store.mark_whole()).await?;
        return Ok(true);
    }
    if context.store.call(|store| store.rules()).await? == rules(&context.config) {
        return Ok(false);
    }
    relabel_all(context).await
}

/// Labels every stored entry again; says whether labels changed.
///
/// They change in one step: until then the old ones are published.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// Nothing is kept unless all of it is.
pub async fn relabel_all(context: &Arc<Context>) -> Result<bool, StoreError> {
    Relabelling::judge(context).await?.keep(context).await
}

/// The labels of every stored entry by the rules of one config, judged and not kept yet: only what differs.
#[derive(Debug)]
pub struct Relabelling {
    different: Vec<Relabelled>,
    /// The number of the last entry that was judged.
    last: i64,
    /// How many were.
    done: usize,
}

impl Relabelling {
    /// Judges every stored entry.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn judge(context: &Arc<Context>) -> Result<Self, StoreError> {
        let sources = Arc::new(sources(&context.config));
        let mut different: Vec<Relabelled> = Vec::new();
        let (mut last, mut done) = (0, 0_usize);
        let mut batch = labelled_after(context, last).await?;
        while let Some(end) = batch.last() {
            last = end.stored.number;
            done += batch.len();
            let (judge, sources) = (Arc::clone(context), Arc::clone(&sources));
            let judged = tokio::task::spawn_blocking(move || differing(&judge.matcher, &sources, batch));
            let (next, judged) = tokio::join!(labelled_after(context, last), judged);
            different.extend(judged.map_err(|_| StoreError::Closed)?);
            batch = next?;
            if done.is_multiple_of(RELABEL_TOLD) {
                info!(entries = done, "labelling by the new rules: {done} entries done");
            }
        }
        Ok(Self { different, last, done })
    }

    /// Keeps the labels in one transaction, in which entries that came or changed meanwhile are judged by the rules of
    /// `context`; says whether labels changed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep(self, context: &Arc<Context>) -> Result<bool, StoreError> {
        let Self { different, last, done } = self;
        let count = different.len();
        let judge = Arc::clone(context);
        let swap = move |store: &mut dyn Store| {
            let (sources, rules) = (sources(&judge.config), rules(&judge.config));
            swap(store, &judge.matcher, &sources, different, last, &rules)
        };
        let changed = context.store.call(swap).await?;
        info!(entries = done, changed = count, "labelled {done} entries by the new rules, {count} differently");
        Ok(changed)
    }
}

/// The sources of a config by id.
fn sources(config: &Config) -> HashMap<String, Source> {
    config.sources.iter().map(|source| (source.id.clone(), source.clone())).collect()
}

/// An entry with what the store says of it at one moment.
struct Seen {
    stored: StoredEntry,
    fingerprint: Option<Fingerprint>,
    labels: Vec<Label>,
}

/// An entry whose labels differ under the new rules.
#[derive(Debug)]
struct Relabelled {
    number: i64,
    /// What it said when it was judged.
    fingerprint: Option<Fingerprint>,
    labels: Vec<Label>,
    /// Its telling words, if it comes from no topic into one.
    terms: Option<Terms>,
}

/// The next entries to label, as they are now.
async fn labelled_after(context: &Context, after: i64) -> Result<Vec<Seen>, StoreError> {
    let see = |store: &mut dyn Store, stored: StoredEntry| {
        let (fingerprint, labels) = (store.fingerprint(stored.number)?, store.labels(stored.number)?);
        Ok(Seen { stored, fingerprint, labels })
    };
    let read = move |store: &mut dyn Store| {
        store.entries_after(after, RELABEL_BATCH)?.into_iter().map(|stored| see(store, stored)).collect()
    };
    context.store.call(read).await
}

fn differing(matcher: &Matcher, sources: &HashMap<String, Source>, batch: Vec<Seen>) -> Vec<Relabelled> {
    let relabelled = |seen: Seen| {
        let mut labels = labels(matcher, sources, &seen.stored);
        labels.sort_by(|a, b| a.topic.cmp(&b.topic));
        let Seen { stored, fingerprint, labels: before } = seen;
        let terms = || dedup::terms(&stored.entry, &Plain::of(&stored.entry));
        let terms = (before.is_empty() && !labels.is_empty()).then(terms);
        (labels != before).then_some(Relabelled { number: stored.number, fingerprint, labels, terms })
    };
    batch.into_iter().filter_map(relabelled).collect()
}

/// Writes the labels that differ, those of entries that came or changed since they were looked at, and the rules; chooses
/// the related news of what came into a topic.
fn swap(
    store: &mut dyn Store,
    matcher: &Matcher,
    sources: &HashMap<String, Source>,
    different: Vec<Relabelled>,
    last: i64,
    rules: &str,
) -> Result<bool, StoreError> {
    let mut new: Vec<(i64, Vec<Label>)> = Vec::new();
    for Relabelled { number, fingerprint, labels: judged, terms } in different {
        if store.fingerprint(number)? == fingerprint {
            terms.map_or(Ok(()), |terms| store.save_terms(number, &terms))?;
            new.push((number, judged));
        } else if let Some(stored) = store.entry(number)? {
            new.push((number, labels(matcher, sources, &stored)));
        }
    }
    let late = store.entries_after(last, usize::MAX)?;
    new.extend(late.iter().map(|stored| (stored.number, labels(matcher, sources, stored))));
    store.relabel(&new, rules)?;
    relate(store, new.iter().map(|(number, _)| *number))?;
    if !new.is_empty() {
        store.raise_generation()?;
    }
    Ok(!new.is_empty())
}

fn labels(matcher: &Matcher, sources: &HashMap<String, Source>, stored: &StoredEntry) -> Vec<Label> {
    match sources.get(&stored.source_id) {
        Some(source) => tag::labels(matcher, &stored.entry, source),
        // A feed that is no longer polled: what it told stays.
        None => tag::labels_of_former(matcher, &stored.entry, &stored.source_id),
    }
}

/// Says whether two configs decide labels alike.
#[must_use]
pub fn same_rules(one: &Config, other: &Config) -> bool {
    rules(one) == rules(other)
}

/// A hash of all that decides labels: the topics, and what sources say of their entries' topics.
fn rules(config: &Config) -> String {
    let sources: Vec<_> = config.sources.iter().map(|source| (&source.id, &source.tags, &source.topics)).collect();
    let text = format!("{} {:?} {sources:?}", env!("CARGO_PKG_VERSION"), config.topics);
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
