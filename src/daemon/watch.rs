//! Notices when the config file is saved, and when it cannot be read.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use xxhash_rust::xxh3::xxh3_128;

/// A file whose content is looked at now and then.
///
/// Time and size say whether to read it, the content whether it changed: a `touch` reloads nothing. No notification of
/// the kernel, which misses what editors do (write beside and rename) and what network file systems do.
#[derive(Debug)]
pub(super) struct FileWatch {
    path: PathBuf,
    stamp: Option<(SystemTime, u64)>,
    /// The hash of its content, so that a long one is not kept.
    hash: u128,
    /// Looks in a row at which it could not be read.
    missed: u32,
}

/// The result of a look at a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// It says what it said.
    Same,
    /// It says something else, or can be read again.
    Saved,
    /// It cannot be read, and that is news.
    Unreadable,
}

impl FileWatch {
    /// Watches the file whose content was `content` when it was read: it may have been saved since.
    pub(super) fn new(path: &Path, content: &str) -> Self {
        Self { path: path.to_owned(), stamp: None, hash: xxh3_128(content.as_bytes()), missed: 0 }
    }

    /// Looks at the file. One that cannot be read is told at the second look, since an editor may be about to put it back;
    /// at once if somebody asks (`is_told`).
    pub(super) fn look(&mut self, is_told: bool) -> Sight {
        // Opened each time: rights may have changed, which no stamp tells.
        let Ok(mut file) = File::open(&self.path) else { return self.miss(is_told) };
        let stamp = file.metadata().ok().and_then(|file| Some((file.modified().ok()?, file.len())));
        let was_missed = self.missed >= TOLD_AT;
        if stamp.is_some() && stamp == self.stamp && !was_missed {
            self.missed = 0;
            return Sight::Same;
        }
        let mut content = Vec::new();
        if file.read_to_end(&mut content).is_err() {
            return self.miss(is_told);
        }
        (self.stamp, self.missed) = (stamp, 0);
        let hash = xxh3_128(&content);
        let is_new = std::mem::replace(&mut self.hash, hash) != hash;
        if is_new || was_missed { Sight::Saved } else { Sight::Same }
    }

    fn miss(&mut self, is_told: bool) -> Sight {
        let before = self.missed;
        self.missed = if is_told { before.max(TOLD_AT) } else { before.saturating_add(1) };
        let is_news = before < TOLD_AT && self.missed >= TOLD_AT;
        if is_news || is_told { Sight::Unreadable } else { Sight::Same }
    }
}

/// The look at which it is told that a file cannot be read.
const TOLD_AT: u32 = 2;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Watches a file that says `b`, and was read when it said `read`.
    fn check(read: &str, claim: impl FnOnce(&Path, &mut FileWatch)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "b").unwrap();
        claim(&path, &mut FileWatch::new(&path, read));
    }

    #[test]
    fn a_file_saved_since_it_was_read_has_changed() {
        check("a", |_, watch| assert_eq!(watch.look(false), Sight::Saved));
    }

    #[test]
    fn only_new_content_counts() {
        check("b", |path, watch| {
            assert_eq!(watch.look(false), Sight::Same);
            fs::write(path, "bc").unwrap();
            assert_eq!([(); 2].map(|()| watch.look(false)), [Sight::Saved, Sight::Same]);
        });
    }

    #[test]
    fn a_file_that_stays_away_is_told_once_and_again_when_it_is_back() {
        check("b", |path, watch| {
            fs::remove_file(path).unwrap();
            let sights = [(); 4].map(|()| watch.look(false));
            assert_eq!(sights, [Sight::Same, Sight::Unreadable, Sight::Same, Sight::Same]);
            fs::write(path, "b").unwrap();
            assert_eq!([(); 2].map(|()| watch.look(false)), [Sight::Saved, Sight::Same]);
        });
    }

    #[test]
    fn a_file_that_an_editor_puts_back_is_not_told() {
        check("b", |path, watch| {
            fs::remove_file(path).unwrap();
            assert_eq!(watch.look(false), Sight::Same);
            fs::write(path, "b").unwrap();
            assert_eq!([(); 3].map(|()| watch.look(false)), [Sight::Same; 3]);
        });
    }

    #[test]
    fn somebody_who_asks_hears_at_once_that_a_file_cannot_be_read_and_later_that_it_can() {
        check("b", |path, watch| {
            fs::remove_file(path).unwrap();
            assert_eq!([(); 2].map(|()| watch.look(true)), [Sight::Unreadable; 2]);
            assert_eq!(watch.look(false), Sight::Same);
            fs::write(path, "b").unwrap();
            assert_eq!(watch.look(false), Sight::Saved);
        });
    }
}
