//! A store on its own thread: callers queue, one job runs at a time.
//!
//! A store may wait for a disk or another process, which must hold up none of Tokio's threads. One connection has one
//! transaction at a time, so a second thread would only wait for the first.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::sync::{mpsc, oneshot};

use super::{Store, StoreError};

/// Jobs that may wait; further callers wait to queue.
const QUEUE: usize = 256;

type StoreJob = Box<dyn FnOnce(&mut Option<Box<dyn Store>>) + Send>;

/// The door to a store that lives on its own thread.
#[derive(Debug, Clone)]
pub struct Handle {
    queue: mpsc::Sender<StoreJob>,
}

impl Handle {
    /// Moves `store` to a thread of its own, which ends when the last handle is dropped and the queue is empty.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(store: Box<dyn Store>) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        Self::with(Some(store))
    }

    /// Makes a handle without a store: until [`Handle::put`] brings one, every call fails with [`StoreError::Shut`].
    ///
    /// # Errors
    /// As [`Handle::new`].
    pub fn shut() -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        Self::with(None)
    }

    fn with(mut store: Option<Box<dyn Store>>) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (queue, mut waiting) = mpsc::channel::<StoreJob>(QUEUE);
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || {
            while let Some(job) = waiting.blocking_recv() {
                job(&mut store);
            }
        })?;
        Ok((Self { queue }, thread))
    }

    /// Runs `job` on the store's thread.
    ///
    /// # Errors
    /// The error of `job`; [`StoreError::Closed`] if the thread has ended.
    ///
    /// # Cancellation
    /// A queued job runs all the same.
    ///
    /// # Panics
    /// When `job` panics. The store lives on: each of its methods keeps all or nothing.
    pub async fn call<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: StoreJob = Box::new(move |store| {
            let run = || match store {
                Some(store) => job(&mut **store),
                None => Err(StoreError::Shut),
            };
            // A caller that went away needs no answer.
            let _ = answer.send(catch_unwind(AssertUnwindSafe(run)));
        });
        self.queue.send(job).await.map_err(|_| StoreError::Closed)?;
        match answered.await.map_err(|_| StoreError::Closed)? {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Puts a store in the place of the one before, after all jobs that wait for that one.
    ///
    /// # Errors
    /// [`StoreError::Closed`] if the thread has ended.
    pub async fn put(&self, new: Box<dyn Store>) -> Result<(), StoreError> {
        let job: StoreJob = Box::new(move |store| *store = Some(new));
        self.queue.send(job).await.map_err(|_| StoreError::Closed)
    }
}
