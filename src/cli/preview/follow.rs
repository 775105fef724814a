//! Following the file: each saved version is read, checked, tried on all that is stored, and posted on the board.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{Failure, output};
use super::board::Board;
use super::review::Review;
use crate::config::{self, Config};
use crate::daemon::watch::{FileWatch, Sight};
use crate::store::StorePlace;

/// Pause between two looks at the file.
const LOOK: Duration = Duration::from_millis(200);

/// Pause after which a file that is being written is looked at again.
const SETTLING: Duration = Duration::from_millis(60);

/// Looks at a file that changes all the time.
const SETTLING_MAX: u32 = 20;

/// Pause between two looks at the store, at least.
const STORE_LOOK: Duration = Duration::from_secs(5);

/// The store is looked at no sooner than after so many times the time that a review took.
const REST: u32 = 10;

/// A review that takes longer is announced before it is made.
const ANNOUNCED_AFTER: Duration = Duration::from_millis(700);

/// The end of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    /// It is posted.
    Posted,
    /// The file was saved meanwhile.
    Outdated,
    /// It could not be made, which is posted.
    Failed,
}

/// Follows the file of a config that was read, for ever.
pub(super) fn follow_file(board: &Board, config: Config) {
    let mut watch = FileWatch::new(&config.path, &config.warnings.text);
    let path = config.path.clone();
    let mut next = Some(config);
    // The store may be in order again.
    let mut failed = None;
    let (mut looked, mut took) = (Instant::now(), Duration::ZERO);
    loop {
        if let Some(config) = next.take() {
            let began = Instant::now();
            // The first is announced already.
            if took >= ANNOUNCED_AFTER {
                board.post(|posted| posted.is_working = true);
            }
            failed = None;
            match tried(board, &mut watch, config.clone()) {
                Tried::Posted => {}
                Tried::Failed => failed = Some(config),
                Tried::Outdated => {
                    next = read(board, &mut watch, &path);
                    continue;
                }
            }
            (looked, took) = (Instant::now(), began.elapsed());
        }
        std::thread::sleep(LOOK);
        if watch.look(false) != Sight::Same {
            next = read(board, &mut watch, &path);
        } else if looked.elapsed() > STORE_LOOK.max(took * REST) {
            looked = Instant::now();
            next = failed.take().or_else(|| renewed(board));
        }
    }
}

/// Reads the file once it is written whole. Its mistakes are posted, and the last good file stays.
fn read(board: &Board, watch: &mut FileWatch, path: &std::path::Path) -> Option<Config> {
    for _ in 0..SETTLING_MAX {
        std::thread::sleep(SETTLING);
        if watch.look(false) == Sight::Same {
            break;
        }
    }
    let checked = config::load(path).map_err(|invalid| invalid.render(false)).and_then(|config| {
        let place = StorePlace::of(&config.store).check();
        place.map(|()| config).map_err(|error| output::error_text(&error.into()))
    });
    match checked {
        // Told with the review.
        Ok(config) => Some(config),
        Err(mistakes) => {
            board.post(|posted| {
                posted.mistakes = Some(mistakes.trim_end().to_owned());
                posted.is_working = false;
            });
            None
        }
    }
}

/// Reviews a config and posts it, then what comes later.
fn tried(board: &Board, watch: &mut FileWatch, config: Config) -> Tried {
    let mut asked = Instant::now();
    let mut is_wanted = || {
        if asked.elapsed() < LOOK {
            return true;
        }
        asked = Instant::now();
        watch.look(false) == Sight::Same
    };
    let last = board.look().review.clone();
    let review = match Review::make(config, last.as_deref(), &mut is_wanted) {
        Ok(Some(made)) => made,
        Ok(None) => return Tried::Outdated,
        Err(failure) => {
            board.post(|posted| {
                (posted.trouble, posted.is_working, posted.mistakes) = (Some(failure_told(failure)), false, None);
            });
            return Tried::Failed;
        }
    };
    let review = Arc::new(review);
    board.post(|posted| {
        (posted.review, posted.is_working) = (Some(Arc::clone(&review)), false);
        (posted.mistakes, posted.trouble) = (None, None);
    });
    review.check();
    board.post(|_| {});
    // Ways into empty topics take a pass of their own each.
    for id in review.without_ways() {
        if !is_wanted() {
            return Tried::Outdated;
        }
        match review.find_ways(&id, &mut is_wanted) {
            Ok(true) => board.post(|_| {}),
            Ok(false) => return Tried::Outdated,
            Err(failure) => tracing::warn!("cannot find ways into topic `{id}`: {}", failure_told(failure)),
        }
    }
    Tried::Posted
}

/// Returns the config that is shown if the store has changed since it was reviewed, so that it is reviewed again.
fn renewed(board: &Board) -> Option<Config> {
    let posted = board.look();
    let review = posted.review.as_ref().filter(|_| posted.mistakes.is_none())?;
    let pulse = review.store().ok()?.pulse().ok()?;
    (pulse.generation != review.generation).then(|| review.config.clone())
}

/// A failure as the terminal would tell it.
pub(super) fn failure_told(failure: Failure) -> String {
    match failure {
        Failure::Usage(text) => text,
        Failure::Running(error) => output::error_text(&error),
    }
}
