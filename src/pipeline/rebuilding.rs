//! Making again what is derived from entries and bonds, after somebody has deleted it: clues and stories.

use std::sync::Arc;

use tracing::info;

use super::Context;
use super::grouping::Grouping;
use crate::dedup::{Member, Subject};
use crate::store::{Store, StoreError};
use crate::story::StoredEntry;

/// Entries that are looked at in one go.
const BATCH: usize = 500;

/// Entries after which the log tells how far it is: some ten seconds.
const TOLD: usize = 20_000;

/// Gives every entry its clues again, and a story to those that have none, in the order in which they came.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// What is done is kept; the store is not marked as whole, so the next run goes on.
pub(super) async fn rebuild(context: &Arc<Context>) -> Result<(), StoreError> {
    info!("making again what is derived from the entries");
    let (mut last, mut done) = (0, 0_usize);
    loop {
        let batch = context.store.call(move |store| store.entries_after(last, BATCH)).await?;
        let Some(end) = batch.last() else { return Ok(()) };
        last = end.number;
        done += batch.len();
        if done.is_multiple_of(TOLD) {
            info!(entries = done, "{done} entries done");
        }
        let subjects = tokio::task::spawn_blocking(move || batch.into_iter().map(subject).collect::<Vec<_>>());
        let subjects = subjects.await.map_err(|_| StoreError::Closed)?;
        let grouping = Arc::clone(&context.grouping);
        context.store.call(move |store| place(store, &grouping, subjects)).await?;
    }
}

fn subject(stored: StoredEntry) -> (StoredEntry, Subject) {
    let subject = Subject::stored(&stored);
    (stored, subject)
}

fn place(store: &mut dyn Store, grouping: &Grouping, subjects: Vec<(StoredEntry, Subject)>) -> Result<(), StoreError> {
    for (stored, subject) in subjects {
        store.set_clues(stored.number, &subject.clues())?;
        if stored.story != 0 {
            continue;
        }
        let candidates = grouping.candidates(store, &subject, stored.first_seen)?;
        let new = Member { number: None, key: stored.key, subject };
        let head = grouping.place(store, new, candidates, stored.first_seen)?;
        store.assign(stored.number, head.unwrap_or(stored.number), stored.first_seen)?;
    }
    Ok(())
}
