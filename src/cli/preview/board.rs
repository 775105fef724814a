//! The board that pages are made from: the last good config with its review, and how the file is now.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::review::Review;

/// The state of the file, and the review of the last good one.
#[derive(Clone, Default)]
pub(super) struct Posted {
    /// Changes with each posting.
    pub(super) version: u64,
    /// The file, as it was named.
    pub(super) file: String,
    /// The review of the last good file; `None` until the first is made.
    pub(super) review: Option<Arc<Review>>,
    /// Whether a review is being made.
    pub(super) is_working: bool,
    /// The mistakes of the file as it is now.
    pub(super) mistakes: Option<String>,
    /// The reason why no review could be made.
    pub(super) trouble: Option<String>,
}

/// The one place where the thread that follows the file posts, and where pages look.
pub(super) struct Board {
    posted: Mutex<Arc<Posted>>,
    versions: watch::Sender<u64>,
}

impl Board {
    pub(super) fn new(file: &Path) -> Self {
        // No version of an earlier preview is this one's, so that a page which was left open is renewed.
        let posted = Posted { version: 1, file: file.display().to_string(), is_working: true, ..Posted::default() };
        Self { posted: Mutex::new(Arc::new(posted)), versions: watch::Sender::new(1) }
    }

    /// The state as it is now.
    pub(super) fn look(&self) -> Arc<Posted> {
        Arc::clone(&self.posted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state, and tells pages.
    pub(super) fn post(&self, change: impl FnOnce(&mut Posted)) {
        let version = {
            let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
            let mut next = Posted::clone(&posted);
            next.version += 1;
            change(&mut next);
            let version = next.version;
            *posted = Arc::new(next);
            version
        };
        self.versions.send_replace(version);
    }

    pub(super) fn versions(&self) -> watch::Receiver<u64> {
        self.versions.subscribe()
    }
}
