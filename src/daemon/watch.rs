//! Notices when the config file is saved.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file whose content is looked at now and then.
///
/// Time and size say whether to read it, the content whether it changed: a `touch` reloads nothing. No notification of
/// the kernel, which misses what editors do (write beside and rename) and what network file systems do.
#[derive(Debug)]
pub(super) struct FileWatch {
    path: PathBuf,
    stamp: Option<(SystemTime, u64)>,
    content: Vec<u8>,
}

impl FileWatch {
    /// Watches the file whose content was `content` when it was read: it may have been saved since.
    pub(super) fn new(path: &Path, content: &str) -> Self {
        Self { path: path.to_owned(), stamp: None, content: content.as_bytes().to_vec() }
    }

    /// Whether the content differs from the last look; a file that cannot be read has not changed.
    pub(super) fn changed(&mut self) -> bool {
        let stamp = self.path.metadata().ok().and_then(|file| Some((file.modified().ok()?, file.len())));
        if stamp.is_none() || stamp == self.stamp {
            return false;
        }
        let Ok(content) = std::fs::read(&self.path) else { return false };
        self.stamp = stamp;
        std::mem::replace(&mut self.content, content) != self.content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_saved_since_it_was_read_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "b").unwrap();
        assert!(FileWatch::new(&path, "a").changed());
    }

    #[test]
    fn only_new_content_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "a").unwrap();
        let mut watch = FileWatch::new(&path, "a");
        assert!(!watch.changed());
        std::fs::write(&path, "ab").unwrap();
        assert!(watch.changed());
        assert!(!watch.changed());
        std::fs::remove_file(&path).unwrap();
        assert!(!watch.changed(), "an editor may be about to put it back");
    }
}
