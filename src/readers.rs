//! Reader threads, for work that takes the processor: reading documents, sanitising, labelling.
//!
//! There is one a processor. Tokio's blocking threads are no place for it: there may be hundreds, and each keeps memory
//! of the largest document that it ever read.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

type ReadingJob = Box<dyn FnOnce() + Send>;

/// Stack of a thread, in bytes, for recursive parsers. Only the touched part takes memory.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// The work panicked: a fault of its document.
#[derive(Debug, thiserror::Error)]
#[error("reader failed: {message}")]
pub struct Panicked {
    /// The message of the panic.
    pub message: String,
}

/// Runs `work` on a reader thread, in the order of calls.
///
/// # Errors
/// When `work` panics.
///
/// # Cancellation
/// Queued work is done all the same, and its result is dropped.
pub async fn run_aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Panicked> {
    static JOBS: LazyLock<Sender<ReadingJob>> = LazyLock::new(start);
    let (done, result) = oneshot::channel();
    let job: ReadingJob = Box::new(move || {
        // The caller may be gone.
        let _ = done.send(catch_unwind(AssertUnwindSafe(work)));
    });
    if let Err(back) = JOBS.send(job) {
        // No thread could be started: the runtime has some.
        tokio::task::spawn_blocking(back.0);
    }
    match result.await {
        Ok(done) => done.map_err(|panic| Panicked { message: said(&*panic) }),
        Err(_) => Err(Panicked { message: "its thread has ended".to_owned() }),
    }
}

fn start() -> Sender<ReadingJob> {
    let (jobs, queue) = channel();
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
        let queue = Arc::clone(&queue);
        // Fewer threads are slower; with none, `run_aside` falls back to the runtime's.
        let _ = thread::Builder::new().name("reader".to_owned()).stack_size(STACK_BYTES).spawn(move || read(&queue));
    }
    jobs
}

fn read(queue: &Mutex<Receiver<ReadingJob>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_comes_back_with_its_result() {
        assert_eq!(run_aside(|| 6 * 7).await.unwrap(), 42);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_next_work_is_done() {
        for _ in 0..50 {
            let error = run_aside(|| assert_eq!(1, 2, "odd document")).await.unwrap_err();
            assert!(error.message.contains("odd document"), "{error}");
        }
        assert!(run_aside(|| true).await.unwrap());
    }
}
