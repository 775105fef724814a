//! Rebuilding of data derived from entries and bonds, after somebody has deleted it: clues, sketches and stories.

use std::sync::Arc;

use tracing::info;

use super::Context;
use super::deciding::{Draft, Grouping, Memo, candidates, of_text, place};
use super::keeper::look_decide_write;
use crate::dedup::Sketched;
use crate::readers;
use crate::store::{Change, Filter, Held, Inquiry, Store, StoreError, Which};
use crate::story::StoredEntry;

/// Entries in one transaction.
const BATCH: usize = 500;

/// Entries between two lines in the log, some ten seconds apart.
const TOLD: usize = 20_000;

/// Makes clues and sketch of every entry after `last`, and finds the story of those that have none, in the order of
/// their numbers. Finished batches are kept, and the next run goes on after them.
pub(super) async fn rebuild(context: &Arc<Context>, mut last: i64) -> Result<(), StoreError> {
    info!("making again what is derived from the entries");
    let mut done = 0_usize;
    loop {
        let filter = Filter { which: Which::After(last), limit: BATCH, ..Filter::default() };
        let batch = context.store.call(move |store| store.entries(&filter)).await?;
        let Some(end) = batch.last() else {
            return context.store.call(|store| store.apply(&[Change::Rebuilt(None)], None).map(|_| ())).await;
        };
        last = end.stored.number;
        done += batch.len();
        if done.is_multiple_of(TOLD) {
            info!(entries = done, "{done} entries done");
        }
        let read = |held: Held| {
            let (sketched, bytes) = of_text(&held.stored);
            (held.stored, Arc::new(sketched), bytes)
        };
        let read = readers::run_aside(move || batch.into_iter().map(read).collect::<Vec<_>>());
        let read = read.await.map_err(|panic| StoreError::Lost { reason: panic.to_string(), ailment: None })?;
        let grouping = Arc::clone(&context.grouping);
        context.store.call(move |store| write_rebuilt(store, &grouping, read, last)).await?;
    }
}

type Read = (StoredEntry, Arc<Sketched>, Vec<u8>);

fn write_rebuilt(store: &mut dyn Store, grouping: &Grouping, read: Vec<Read>, last: i64) -> Result<(), StoreError> {
    let mut changes = Vec::with_capacity(read.len());
    let mut waiting = Vec::new();
    for (stored, sketched, sketch) in read {
        changes.push(Change::Sketch { number: stored.number, clues: sketched.clues.clone(), sketch });
        if stored.story == 0 {
            waiting.push((stored, sketched));
        }
    }
    let _ = store.apply(&changes, None)?;
    let asked = Inquiry { peers: waiting.iter().map(|(stored, _)| stored.number).collect(), ..Inquiry::default() };
    let mut memo = Memo::default();
    look_decide_write(store, &asked, |around| {
        let mut draft = Draft::new(around, grouping, &mut memo);
        for (stored, sketched) in &waiting {
            let Some(candidates) = candidates(&mut draft, sketched, stored.first_seen) else { continue };
            let head = place(&mut draft, stored.key, sketched, candidates, stored.first_seen);
            draft.assign(stored.number, head.unwrap_or(stored.number), stored.first_seen);
        }
        draft.note_rebuilt(last);
        Ok((draft.finish()?, ()))
    })
}
