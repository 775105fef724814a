//! A store on its own thread: callers queue, commits are shared.
//!
//! Forty polls that end together cost one `fsync`, not forty. A caller hears of its job only when the commit is kept.

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
    pub async fn call<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let queued: Queued = Box::new(move |store| {
            let result = store.and_then(|store| run_one(store, job));
            Box::new(move |commit| {
                // A caller that went away needs no answer.
                let _ = answer.send(result.and_then(|value| commit.map(|()| value)));
            })
        });
        self.queue.send(queued).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

/// Runs one job so that its failure takes back only its own writes.
fn run_one<T>(
    store: &mut dyn Store,
    job: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut job = Some(job);
    let mut value = None;
    store.atomically(&mut |store| {
        if let Some(job) = job.take() {
            value = Some(job(store)?);
        }
        Ok(())
    })?;
    value.ok_or(StoreError::Closed)
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
