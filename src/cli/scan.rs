//! Every stored entry in turn, judged on all processors while the next ones are read.

use std::thread::ScopedJoinHandle;

use super::{Failure, progress};
use crate::store::{Filter, Held, Store, StoreError, Which};

/// Entries read from the store in one go.
const BATCH: usize = 200;

/// Judges every stored entry, and takes the judgements in the order of the entries.
pub(super) fn judge_each<T: Send>(
    store: &mut dyn Store,
    doing: &str,
    judge: impl Fn(&Held) -> T + Sync,
    take: impl FnMut(T),
) -> Result<(), Failure> {
    judge_while(store, doing, judge, take, &mut || true).map(|_| ())
}

/// Judges as [`judge_each`] does for as long as the answer is wanted, which is asked now and then. Returns whether it still
/// was at the end.
pub(super) fn judge_while<T: Send>(
    store: &mut dyn Store,
    doing: &str,
    judge: impl Fn(&Held) -> T + Sync,
    mut take: impl FnMut(T),
    is_wanted: &mut dyn FnMut() -> bool,
) -> Result<bool, Failure> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let bar = progress::counter(doing);
    let mut batch = after(store, 0)?;
    while let Some(last) = batch.last() {
        if !is_wanted() {
            bar.finish_and_clear();
            return Ok(false);
        }
        // Judging takes the processors, reading the disk.
        let (judged, next) = std::thread::scope(|scope| {
            let (judge, share) = (&judge, batch.len().div_ceil(workers));
            let judge_all = move |part: &[Held]| part.iter().map(judge).collect::<Vec<T>>();
            let parts: Vec<_> = batch.chunks(share).map(|part| scope.spawn(move || judge_all(part))).collect();
            let next = after(store, last.stored.number);
            (parts.into_iter().map(ScopedJoinHandle::join).collect::<Result<Vec<_>, _>>(), next)
        });
        let judged = judged.map_err(|_| anyhow::anyhow!("veille has a fault that an entry brings to light"))?;
        judged.into_iter().flatten().for_each(&mut take);
        bar.inc(batch.len() as u64);
        batch = next?;
    }
    bar.finish_and_clear();
    Ok(true)
}

fn after(store: &mut dyn Store, number: i64) -> Result<Vec<Held>, StoreError> {
    store.entries(&Filter { which: Which::After(number), limit: BATCH, ..Filter::default() })
}
