//! The pipeline with a clock of the test's own, between a config and a publisher's server.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use veille::config::{self, Config, Source};
use veille::pipeline::{self, Conclusion, Context, Outcome, Polled};
use veille::state::SourceState;
use veille::store::Handle;
use veille::store::sqlite::Sqlite;

/// Where a test sits as the daemon would.
pub(crate) struct Desk {
    folder: TempDir,
    pub(crate) context: Arc<Context>,
}

impl Desk {
    /// Opens a new store for these feeds; loopback is allowed, and hosts need no pause.
    pub(crate) fn new(feeds: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder, feeds);
        let (store, _) = Handle::new(Box::new(Sqlite::open(&config.store.path).unwrap())).unwrap();
        Self { context: Arc::new(Context::new(config, store).unwrap()), folder }
    }

    /// Leaves hosts this pause between two requests, one at a time.
    pub(crate) fn with_pause(self, pause: Duration) -> Self {
        let (mut config, store) = (self.context.config.clone(), self.context.store.clone());
        (config.poll.per_host, config.poll.host_delay) = (1, pause);
        Self { context: Arc::new(Context::new(config, store).unwrap()), ..self }
    }

    /// Takes over a changed config.
    pub(crate) fn reload(&mut self, feeds: &str) {
        self.context = Arc::new(self.context.renewed(config(&self.folder, feeds)).unwrap());
    }

    /// Starts anew on the same store, as after a restart at `now`.
    pub(crate) async fn restart(&mut self, now: DateTime<Utc>) {
        let (config, store) = (self.context.config.clone(), self.context.store.clone());
        self.context = Arc::new(Context::new(config, store).unwrap());
        self.context.resume(now).await.unwrap();
    }

    /// Polls a feed if it is due.
    pub(crate) async fn poll(&self, id: &str, now: DateTime<Utc>) -> Polled {
        self.polling(id, now).await
    }

    /// Polls a feed if it is due, beside others.
    pub(crate) fn polling(&self, id: &str, now: DateTime<Utc>) -> impl Future<Output = Polled> + use<> {
        let source = self.context.config.sources.iter().find(|source| source.id == id).unwrap().clone();
        let context = Arc::clone(&self.context);
        async move { poll_alone(&context, &source, false, now).await }
    }

    /// Polls a feed whenever it is due from `now` on, `times` times, and returns when that was.
    pub(crate) async fn poll_on(&self, id: &str, mut now: DateTime<Utc>, times: usize) -> Vec<DateTime<Utc>> {
        let mut polls = Vec::new();
        for _ in 0..times {
            let polled = self.poll(id, now).await;
            assert!(!matches!(polled.outcome, Outcome::NotDue | Outcome::HostPostponed | Outcome::NoMemory));
            polls.push(now);
            let Some(next) = polled.next_poll else { break };
            now = next;
        }
        polls
    }

    pub(crate) async fn state(&self, id: &str) -> SourceState {
        let id = id.to_owned();
        let known = self.context.store.call(move |store| store.sources(Some(&[id]))).await.unwrap().pop();
        known.map(|known| known.state).unwrap_or_default()
    }
}

/// Polls one source by itself, for lack of others to compare with: if it brings nothing, its host is at fault.
pub(crate) async fn poll_alone(context: &Arc<Context>, source: &Source, force: bool, now: DateTime<Utc>) -> Polled {
    match pipeline::ask(context, source, force, now).await.unwrap() {
        Conclusion::Kept { polled, .. } => polled,
        Conclusion::InDoubt(doubt) => pipeline::blame(context, *doubt).await.unwrap(),
        Conclusion::Lacking(why) => panic!("{why}"),
    }
}

fn config(folder: &TempDir, feeds: &str) -> Config {
    let text = format!("[poll]\nallow_networks = [\"127.0.0.0/8\"]\nhost_delay = \"0s\"\nper_host = 8\n{feeds}");
    config::parse(&text, &folder.path().join("config.toml")).unwrap_or_else(|invalid| panic!("{invalid}"))
}
