//! A store on its own thread: callers queue, commits are shared.
//!
//! Forty polls that end together cost one `fsync`, not forty. A caller hears of its job only when the commit is kept.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::sync::{mpsc, oneshot};

use super::{Store, StoreError};

/// Jobs that may wait; further callers wait to queue.
const QUEUE: usize = 256;

/// Jobs that share a commit at most.
const BATCH: usize = 64;

/// A queued job: runs in the shared transaction, if there is one, and returns how to tell its caller of the commit.
type Queued = Box<dyn FnOnce(Result<&mut dyn Store, StoreError>) -> Reply + Send>;
type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The door to a store that lives on its own thread.
#[derive(Debug, Clone)]
pub struct Handle {
    queue: mpsc::Sender<Queued>,
}

impl Handle {
    /// Moves `store` to a thread of its own, which ends when the last handle is dropped and the queue is empty.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(mut store: Box<dyn Store>) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (queue, mut waiting) = mpsc::channel::<Queued>(QUEUE);
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || {
            while let Some(first) = waiting.blocking_recv() {
                run_batch(&mut *store, first, &mut waiting);
            }
        })?;
        Ok((Self { queue }, thread))
    }

    /// Runs `job` on the store's thread, in a transaction of its own within a commit that others may share.
    ///
    /// # Errors
    /// What `job` returned; [`StoreError::Lost`] if the commit failed; [`StoreError::Closed`] if the thread has ended.
    ///
    /// # Cancellation
    /// A job that is queued runs all the same.
    ///
    /// # Panics
    /// When `job` does: its writes are taken back, the store lives on, and the panic goes on in the caller.
    pub async fn call<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let queued: Queued = Box::new(move |store| {
            let result = match store {
                Ok(store) => run_one(store, job),
                Err(error) => Ok(Err(error)),
            };
            Box::new(move |commit| {
                let result = result.map(|result| result.and_then(|value| commit.map(|()| value)));
                // A caller that went away needs no answer.
                let _ = answer.send(result);
            })
        });
        self.queue.send(queued).await.map_err(|_| StoreError::Closed)?;
        match answered.await.map_err(|_| StoreError::Closed)? {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// What a panic carries.
type Panic = Box<dyn std::any::Any + Send>;

/// Runs one job so that its failure, or its panic, takes back only its own writes.
fn run_one<T>(
    store: &mut dyn Store,
    job: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>,
) -> Result<Result<T, StoreError>, Panic> {
    let mut job = Some(job);
    let mut outcome = None;
    let kept = store.atomically(&mut |store| {
        let Some(job) = job.take() else { return Ok(()) };
        match catch_unwind(AssertUnwindSafe(|| job(store))) {
            Ok(result) => {
                outcome = Some(Ok(result?));
                Ok(())
            }
            Err(panic) => {
                outcome = Some(Err(panic));
                // Any error will do: it takes back what the job wrote.
                Err(StoreError::Closed)
            }
        }
    });
    match (outcome, kept) {
        (Some(Err(panic)), _) => Err(panic),
        (_, Err(error)) => Ok(Err(error)),
        (Some(Ok(value)), Ok(())) => Ok(Ok(value)),
        (None, Ok(())) => Ok(Err(StoreError::Closed)),
    }
}

/// Runs `first` and whatever waits behind it in one commit, then answers all.
fn run_batch(store: &mut dyn Store, first: Queued, waiting: &mut mpsc::Receiver<Queued>) {
    let mut replies: Vec<Reply> = Vec::new();
    let mut first = Some(first);
    let commit = store.atomically(&mut |store| {
        let mut next = first.take();
        while let Some(job) = next {
            replies.push(job(Ok(store)));
            next = if replies.len() < BATCH { waiting.try_recv().ok() } else { None };
        }
        Ok(())
    });
    let lost = commit.err().map(|error| reason(&error));
    let answer = || lost.clone().map_or(Ok(()), |reason| Err(StoreError::Lost { reason }));
    // The transaction could not even be opened: the job never ran, and its caller hears why.
    if let (Some(job), Err(error)) = (first, answer()) {
        replies.push(job(Err(error)));
    }
    for reply in replies {
        reply(answer());
    }
}

/// An error with its causes on one line.
fn reason(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
