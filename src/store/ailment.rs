//! The causes of a store's failures, as far as an operator can do something about them.

use std::io;
use std::path::Path;

use crate::disk;

/// Less free space than this on a disk counts as none: a transaction needs some.
pub const RESERVE_BYTES: u64 = 256 * 1024;

/// Why a store cannot be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ailment {
    /// The disk has no room.
    Full {
        /// The bytes that are left.
        free_bytes: u64,
    },
    /// The file system is mounted read-only.
    ReadOnly,
    /// This user may not write the file or its folder.
    Rights,
    /// Another process holds it.
    Locked,
    /// The file's content is damaged.
    Damaged,
    /// The file was deleted or moved away.
    Gone,
    /// Another file lies in its place.
    Replaced,
    /// The disk cannot read or write.
    Device,
    /// None of these.
    Other,
}

impl Ailment {
    /// Finds the cause of what the system said about a file.
    #[must_use]
    pub fn of(error: &io::Error, path: &Path) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::full(path),
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::PermissionDenied => Self::Rights,
            _ => Self::Other,
        }
    }

    /// Returns that the disk of a path is full.
    #[must_use]
    pub fn full(path: &Path) -> Self {
        Self::Full { free_bytes: disk::free_bytes(path).unwrap_or_default() }
    }

    /// Returns that the file that was opened lies at a path no more.
    #[must_use]
    pub fn lost(path: &Path) -> Self {
        if path.exists() { Self::Replaced } else { Self::Gone }
    }

    /// Returns what is wrong with the store at `store`, in one line.
    #[must_use]
    pub fn said(self, store: &str) -> String {
        match self {
            Self::Full { free_bytes } => format!("the disk of `{store}` is full: {free_bytes} bytes free"),
            Self::ReadOnly => format!("the file system of `{store}` is mounted read-only"),
            Self::Rights => format!("this user may not write the store `{store}`"),
            Self::Locked => format!("another process holds the store `{store}`"),
            Self::Damaged => format!("the store `{store}` is damaged"),
            Self::Gone => format!("the store `{store}` was deleted or moved away while in use"),
            Self::Replaced => format!("the store `{store}` was replaced while in use"),
            Self::Device => format!("the disk of the store `{store}` fails"),
            Self::Other => format!("the store `{store}` failed"),
        }
    }

    /// Returns what the operator can do.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Full { .. } => "free some space on that disk",
            Self::ReadOnly => {
                "mount it for writing again, after a check of the disk if the system did that by itself; or let \
                 `store.path` lie elsewhere (under systemd in the `StateDirectory`)"
            }
            Self::Rights => {
                "let the user that veille runs as write the file and its folder (`chown`), or change `store.path`"
            }
            Self::Locked => "wait for that process to end (`fuser` on the file names it), or end it",
            Self::Damaged => {
                "stop veille, put a backup back with `veille restore FILE`, and start it; or move the file away to begin anew"
            }
            Self::Gone => "move it back; or stop veille, put a backup back with `veille restore FILE`, and start it",
            Self::Replaced => "the file that lies there now is used as soon as it is a sound store",
            Self::Device => "look at the system's log: the disk or its connection fails",
            Self::Other => "the cause above is all that is known; please report it if the disk is well",
        }
    }

    /// Tells whether this is the same cause as another, whatever the figures.
    #[must_use]
    pub fn is_same(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ALL: [Ailment; 9] = [
        Ailment::Full { free_bytes: 0 },
        Ailment::ReadOnly,
        Ailment::Rights,
        Ailment::Locked,
        Ailment::Damaged,
        Ailment::Gone,
        Ailment::Replaced,
        Ailment::Device,
        Ailment::Other,
    ];

    #[test]
    fn each_cause_has_its_own_words_and_advice() {
        let said: BTreeSet<_> = ALL.iter().map(|ailment| ailment.said("veille.db")).collect();
        let hint: BTreeSet<_> = ALL.iter().map(|ailment| ailment.hint()).collect();
        assert_eq!((said.len(), hint.len()), (ALL.len(), ALL.len()));
    }

    #[test]
    fn the_same_cause_with_other_figures_is_no_news() {
        let full = |free_bytes| Ailment::Full { free_bytes };
        assert!(full(0).is_same(full(4096)));
        assert!(!full(0).is_same(Ailment::Gone));
    }
}
