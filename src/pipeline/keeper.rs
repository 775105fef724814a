//! Look, decide, write: how polls get into the store.
//!
//! Polls that end together share one look, one decision and one transaction. The next polls gather meanwhile, so a
//! thousand polls cost a few dozen transactions, and a single poll waits for no other.
//! Refused: a savepoint for each poll, which binds us to one backend; a transaction for each, which costs a look and a
//! commit each.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::Counts;
use super::deciding::{Grouping, Memo, PollToKeep, decide};
use crate::dedup::Decision;
use crate::store::{Applied, Change, Handle, Inquiry, Store, StoreError, Surroundings};
use crate::story::Period;

/// Polls that wait in the queue; further callers wait to queue and hold their documents.
const QUEUE: usize = 8;

/// Most polls in one transaction.
const POLLS_MAX: usize = 32;

/// Most new or changed entries in one transaction, unless one document brings more.
const FRESH_MAX: usize = 640;

/// Looks at the store before a decision is given up: other processes write without end, or the decision asks without
/// end.
const LOOKS_MAX: usize = 1000;

/// Keeps polls, one batch after the other.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    queue: mpsc::Sender<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    poll: PollToKeep,
    reply: oneshot::Sender<Kept>,
}

/// The result of keeping a poll; `Err` holds the message of a panic.
type Kept = Result<Result<Counts, StoreError>, String>;

impl Keeper {
    /// Starts a task that ends with the last keeper.
    pub(super) fn new(store: Handle, grouping: Arc<Grouping>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(keep_all(store, grouping, waiting));
        Self { queue }
    }

    /// Keeps the whole poll or nothing; returns the counts after the commit.
    ///
    /// # Errors
    /// When the store fails.
    ///
    /// # Cancellation
    /// A queued poll is kept all the same.
    ///
    /// # Panics
    /// When the decision on this poll panics.
    pub(super) async fn keep(&self, poll: PollToKeep) -> Result<Counts, StoreError> {
        let (reply, kept) = oneshot::channel();
        self.queue.send(Waiting { poll, reply }).await.map_err(|_| StoreError::Closed)?;
        match kept.await.map_err(|_| StoreError::Closed)? {
            Ok(kept) => kept,
            Err(message) => resume_unwind(Box::new(message)),
        }
    }
}

async fn keep_all(store: Handle, grouping: Arc<Grouping>, mut queue: mpsc::Receiver<Waiting>) {
    let mut waiting: Vec<Waiting> = Vec::new();
    while queue.recv_many(&mut waiting, POLLS_MAX).await > 0 {
        while !waiting.is_empty() {
            let rest = waiting.split_off(together(&waiting));
            let batch = std::mem::replace(&mut waiting, rest);
            let (polls, replies): (Vec<PollToKeep>, Vec<_>) =
                batch.into_iter().map(|waiting| (waiting.poll, waiting.reply)).unzip();
            let polls = Arc::new(polls);
            let all = keep_batch(&store, &grouping, &polls, 0..polls.len()).await;
            let is_one_to_blame = matches!(all, Err(_) | Ok(Err(StoreError::Overtaken { .. }))) && replies.len() > 1;
            match all {
                Ok(kept) if !is_one_to_blame => reply_to_all(replies, kept),
                Err(message) if !is_one_to_blame => {
                    if let Some(reply) = replies.into_iter().next() {
                        let _ = reply.send(Err(message));
                    }
                }
                // One of them panicked, or was polled under a lease that was lost: the others are kept without it.
                Ok(_) | Err(_) => {
                    for (place, reply) in replies.into_iter().enumerate() {
                        let kept = keep_batch(&store, &grouping, &polls, place..place + 1).await;
                        let kept = kept.map(|kept| kept.map(|counts| counts.first().copied().unwrap_or_default()));
                        // The poll may have been cancelled.
                        let _ = reply.send(kept);
                    }
                }
            }
        }
    }
}

/// Length of the next batch: it never holds two polls of one source, nor more than [`FRESH_MAX`] entries.
fn together(waiting: &[Waiting]) -> usize {
    let (mut sources, mut fresh) = (HashSet::new(), 0);
    let polls = waiting.iter().map(|waiting| &waiting.poll);
    let fits = polls.map(|poll| {
        fresh += poll.document.as_ref().map_or(0, |document| document.fresh.len());
        sources.insert(poll.state.source_id.as_str()) && fresh <= FRESH_MAX
    });
    fits.take_while(|fits| *fits).count().max(1)
}

fn reply_to_all(replies: Vec<oneshot::Sender<Kept>>, kept: Result<Vec<Counts>, StoreError>) {
    match kept {
        Ok(counts) => {
            for (reply, counts) in replies.into_iter().zip(counts) {
                let _ = reply.send(Ok(Ok(counts)));
            }
        }
        Err(error) => {
            let (reason, ailment) = (error.reason(), error.ailment());
            let mut first = Some(error);
            for reply in replies {
                let error = first.take().unwrap_or_else(|| StoreError::Lost { reason: reason.clone(), ailment });
                let _ = reply.send(Ok(Err(error)));
            }
        }
    }
}

async fn keep_batch(
    store: &Handle,
    grouping: &Arc<Grouping>,
    polls: &Arc<Vec<PollToKeep>>,
    places: std::ops::Range<usize>,
) -> Result<Result<Vec<Counts>, StoreError>, String> {
    let (grouping, polls) = (Arc::clone(grouping), Arc::clone(polls));
    let keeping = store.call(move |store| keep_polls(store, polls.get(places).unwrap_or_default(), &grouping));
    AssertUnwindSafe(keeping).catch_unwind().await.map_err(|panic| crate::readers::said(&*panic))
}

/// Keeps polls in one transaction, or none of them.
pub(super) fn keep_polls(
    store: &mut dyn Store,
    polls: &[PollToKeep],
    grouping: &Grouping,
) -> Result<Vec<Counts>, StoreError> {
    let mut memo = Memo::default();
    look_decide_write(store, &asked(polls, grouping), |around| {
        let decided = decide(polls, around, grouping, &mut memo)?;
        Ok((decided.changes, decided.counts))
    })
}

/// Looks, decides and writes; starts again if the store has changed in between, up to [`LOOKS_MAX`] times.
///
/// `first` is the first inquiry. `decide` is a pure function of the surroundings: it returns the changes and a result,
/// or the inquiry that it lacks.
pub(super) fn look_decide_write<T>(
    store: &mut dyn Store,
    first: &Inquiry,
    mut decide: impl FnMut(&Surroundings) -> Result<(Vec<Change>, T), Box<Inquiry>>,
) -> Result<T, StoreError> {
    let mut around = Surroundings::default();
    let mut asked = first.clone();
    for _ in 0..LOOKS_MAX {
        if !asked.is_empty() {
            let Some(seen) = around.with(store.surroundings(&asked)?) else {
                around = Surroundings::default();
                asked = first.clone();
                continue;
            };
            around = seen;
        }
        match decide(&around) {
            Err(lacking) => asked = *lacking,
            // A decision that depends on nothing stored may be written whatever has changed.
            Ok((changes, result)) => {
                match store.apply(&changes, (!around.asked.is_empty()).then_some(around.generation))? {
                    Applied::Kept => return Ok(result),
                    Applied::Conflict => {
                        around = Surroundings::default();
                        asked = first.clone();
                    }
                }
            }
        }
    }
    Err(StoreError::Contended)
}

/// The part of the inquiry that is known before the first look.
fn asked(polls: &[PollToKeep], grouping: &Grouping) -> Inquiry {
    let mut asked = Inquiry::default();
    for PollToKeep { state, document, now, is_answered, .. } in polls {
        if document.is_some() || *is_answered {
            asked.listings.insert(state.source_id.clone());
        }
        for fresh in document.iter().flat_map(|document| &document.fresh) {
            let (prepared, clues) = (&fresh.prepared, &fresh.sketched.clues);
            let keys = asked.keys.entry(state.source_id.clone()).or_default();
            keys.extend(prepared.identity.keys());
            if let Decision::Changed(number) = fresh.decision {
                asked.peers.insert(number);
                asked.texts.insert(number);
                continue;
            }
            asked.atom_ids.insert(prepared.identity.atom_id.clone());
            let told = prepared.entry.published.map_or(*now, |published| published.min(*now));
            let first = Period::of(told - grouping.settings.window);
            asked.recent.extend(clues.recent.iter().map(|clue| (first, *clue)));
            asked.lasting.extend(&clues.lasting);
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::super::deciding::{Fresh, PreparedDocument};
    use super::*;
    use crate::config;
    use crate::dedup::{self, Listing};
    use crate::feed::{Entry, Timestamp};
    use crate::fetch::Share;
    use crate::state::SourceState;
    use crate::store::sqlite::Sqlite;
    use crate::story::Prepared;

    /// Checks the length of the first batch of polls, each given by its source and number of new entries.
    #[track_caller]
    fn check(polls: &[(&str, usize)], expected: usize) {
        let waiting = |(source_id, entries): &(&str, usize)| {
            let poll = poll(source_id, *entries, Timestamp::UNIX_EPOCH);
            Waiting { poll, reply: oneshot::channel().0 }
        };
        assert_eq!(together(&polls.iter().map(waiting).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn two_polls_of_one_source_never_go_together() {
        check(&[("a", 1), ("b", 0), ("c", 2)], 3);
        check(&[("a", 1), ("b", 1), ("a", 1), ("c", 1)], 2);
    }

    #[test]
    fn no_more_entries_go_together_than_are_good_for_one_transaction() {
        check(&[("a", FRESH_MAX - 1), ("b", 1), ("c", 1)], 2);
        check(&[("a", FRESH_MAX), ("b", 1)], 1);
        check(&[("a", FRESH_MAX + 1), ("b", 1)], 1);
    }

    /// A poll that brings this number of entries. Its decision panics if `now` is the first instant: no instant is before it.
    fn poll(source_id: &str, entries: usize, now: Timestamp) -> PollToKeep {
        let entry = Entry { title: Some(source_id.into()), ..Entry::default() };
        let (entry, identity) = dedup::identify(source_id, "rss20", vec![entry]).remove(0);
        let (rules, labels, sketch) = ("".into(), Vec::new(), Vec::new());
        let prepared = Prepared { entry, identity, labels, rules, telling_words: None, sketch };
        let one = Fresh::new(source_id, prepared, Decision::New);
        let (prepared, sketched) = (&one.prepared, &one.sketched);
        let fresh = || Fresh { prepared: prepared.clone(), sketched: sketched.clone(), decision: Decision::New };
        let fresh = (0..entries).map(|_| fresh()).collect();
        let document = Some(PreparedDocument {
            fresh,
            same: Vec::new(),
            listing: Listing::Doubtful,
            since: None,
            _share: Share::default(),
        });
        let state = SourceState { source_id: source_id.into(), ..SourceState::default() };
        PollToKeep {
            hold: None,
            state,
            health: None,
            moved_to: None,
            throttle: None,
            is_answered: true,
            document,
            trust: None,
            is_pushed: false,
            now,
        }
    }

    #[tokio::test]
    async fn a_poll_over_which_we_panic_takes_none_of_its_batch_along() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
        let (store, _) = Handle::new(Box::new(store)).unwrap();
        let text = "[[feed]]\nurl = 'https://a.example/'\n[[topic]]\nid = 'a'\nany = ['a']";
        let config = config::parse(text, &folder.path().join("config.toml")).unwrap();
        let keeper = Keeper::new(store, Arc::new(Grouping::of(&config)));
        let keep = |source_id: &str, now| {
            let (keeper, poll) = (keeper.clone(), poll(source_id, 1, now));
            tokio::spawn(async move { keeper.keep(poll).await })
        };
        let noon = Timestamp::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
        // Queued before the keeper looks, on a runtime of one thread: one batch.
        let polls = [keep("a", noon), keep("b", Timestamp::MIN_UTC), keep("c", noon)];
        let [before, faulty, after] = futures_util::future::join_all(polls).await.try_into().unwrap();
        assert!(faulty.unwrap_err().is_panic());
        assert_eq!([before, after].map(|kept| kept.unwrap().unwrap().new), [1, 1]);
        assert_eq!(keep("d", noon).await.unwrap().unwrap().new, 1, "the keeper lives on");
    }
}
