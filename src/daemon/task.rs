//! Work beside the daemon's loop.

use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// One kind of work beside the loop, of which at most one is under way.
///
/// Work that is asked for while it is under way is done once more afterwards, however often it was asked for. Dropping the
/// task stops the work at its next `await`.
pub(super) struct Task<T> {
    /// As the text of an error names it.
    name: &'static str,
    running: JoinSet<anyhow::Result<T>>,
    began: Instant,
    is_asked: bool,
}

impl<T: Send + 'static> Task<T> {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, running: JoinSet::new(), began: Instant::now(), is_asked: false }
    }

    /// Asks for the work.
    pub(super) fn ask(&mut self) {
        self.is_asked = true;
    }

    /// Asks for the work from its beginning: gives up the work under way, which is of no use any more.
    pub(super) fn ask_anew(&mut self) {
        self.give_up();
        self.ask();
    }

    /// Stops the work under way at its next `await`.
    pub(super) fn give_up(&mut self) {
        self.running.abort_all();
    }

    pub(super) fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Returns the time that the work under way has taken so far; zero if none is.
    pub(super) fn running_for(&self) -> Duration {
        if self.is_running() { self.began.elapsed() } else { Duration::ZERO }
    }

    /// Begins the work if it was asked for and none is under way.
    pub(super) fn start<F>(&mut self, work: impl FnOnce() -> F)
    where
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
    {
        if self.is_asked && !self.is_running() {
            self.is_asked = false;
            self.began = Instant::now();
            self.running.spawn(work());
        }
    }

    /// Waits for the end of the work under way, for ever if none is; `None` if it was given up.
    ///
    /// # Errors
    /// The work's own, and that it panicked; each with the name of the task.
    ///
    /// # Cancellation
    /// An end that nobody has heard of is told to the next caller.
    pub(super) async fn ended(&mut self) -> anyhow::Result<Option<T>> {
        let result = match self.running.join_next().await {
            None => std::future::pending().await,
            Some(Err(error)) if error.is_cancelled() => return Ok(None),
            Some(Err(panic)) => Err(panic.into()),
            Some(Ok(result)) => result,
        };
        result.map(Some).with_context(|| format!("{} failed", self.name))
    }
}

impl<T: Send + 'static> Task<T> {
    /// Waits for the end of the work under way, if any is.
    ///
    /// # Errors
    /// As [`Task::ended`].
    pub(super) async fn ended_if_running(&mut self) -> anyhow::Result<Option<T>> {
        if self.is_running() { self.ended().await } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// Work that ends after an hour, and says so with `result`.
    async fn hour(result: u32) -> anyhow::Result<u32> {
        tokio::time::sleep(HOUR).await;
        Ok(result)
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_is_asked_for_meanwhile_is_done_once_more_afterwards() {
        let mut task = Task::new("working");
        task.ask();
        task.start(|| hour(1));
        for _ in 0..3 {
            task.ask();
            task.start(|| hour(2));
        }
        assert_eq!(task.ended().await.unwrap(), Some(1));
        task.start(|| hour(3));
        assert_eq!(task.ended().await.unwrap(), Some(3));
        task.start(|| hour(4));
        assert!(!task.is_running());
        assert!(timeout(HOUR * 2, task.ended()).await.is_err(), "nothing is left to end");
    }

    #[tokio::test(start_paused = true)]
    async fn work_asked_for_anew_is_begun_again() {
        let mut task = Task::new("working");
        task.ask();
        task.start(|| hour(1));
        advance(HOUR / 2).await;
        assert_eq!(task.running_for(), HOUR / 2);
        task.ask_anew();
        assert_eq!(task.ended().await.unwrap(), None);
        task.start(|| hour(2));
        assert_eq!(task.running_for(), Duration::ZERO);
        assert_eq!(task.ended().await.unwrap(), Some(2));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_that_names_the_task() {
        let mut task: Task<()> = Task::new("publishing");
        task.ask();
        task.start(async || panic!("odd story"));
        let error = format!("{:#}", task.ended().await.unwrap_err());
        assert!(error.starts_with("publishing failed: ") && error.contains("odd story"), "{error}");
    }
}
