//! The causes of a store's failures, as far as an operator can do something about them.

use std::io;
use std::path::Path;

use crate::disk;

/// Less free space than this on a disk counts as none: a transaction needs some.
pub const RESERVE_BYTES: u64 = 256 * 1024;

/// The oldest version of PostgreSQL that we know.
pub const POSTGRES_MIN: u32 = 15;

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
    /// The address of the database cannot be used as it is written.
    Address,
    /// The server cannot be reached, or has ended the connection.
    Away,
    /// The server starts, stops or recovers.
    Starting,
    /// The server refuses the user or the password.
    Login,
    /// TLS with the server cannot be set up.
    Certificate,
    /// The server has no such database.
    NoDatabase,
    /// The user lacks rights in the database.
    Privileges,
    /// The database has another encoding than UTF-8.
    Encoding,
    /// The server is too old.
    Old,
    /// The server takes no more connections.
    Crowded,
    /// The server takes too long, mostly since others hold what we wait for.
    Busy,
    /// The disk of the server has no room.
    ServerFull,
    /// The disk or the memory of the server fails.
    ServerFails,
    /// The server reports damaged data.
    ServerDamaged,
    /// The server takes no writes: it follows another one.
    Replica,
    /// Tables of ours are missing.
    Stripped,
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
            Self::Address => format!("the address of the store `{store}` cannot be used"),
            Self::Away => format!("the PostgreSQL server of `{store}` cannot be reached"),
            Self::Starting => format!("the PostgreSQL server of `{store}` starts, stops or recovers"),
            Self::Login => format!("the PostgreSQL server of `{store}` refuses the user or the password"),
            Self::Certificate => format!("TLS with the PostgreSQL server of `{store}` cannot be set up"),
            Self::NoDatabase => format!("the database of `{store}` does not exist"),
            Self::Privileges => format!("this PostgreSQL user lacks rights in `{store}`"),
            Self::Encoding => format!("the database of `{store}` is not encoded in UTF-8"),
            Self::Old => format!("the PostgreSQL server of `{store}` is older than version {POSTGRES_MIN}"),
            Self::Crowded => format!("the PostgreSQL server of `{store}` takes no more connections"),
            Self::Busy => format!("the PostgreSQL server of `{store}` takes too long"),
            Self::ServerFull => format!("the disk of the PostgreSQL server of `{store}` is full"),
            Self::ServerFails => format!("the PostgreSQL server of `{store}` lacks memory, or its disk fails"),
            Self::ServerDamaged => format!("the PostgreSQL server of `{store}` reports damaged data"),
            Self::Replica => format!("the PostgreSQL server of `{store}` takes no writes"),
            Self::Stripped => format!("tables of `{store}` are missing"),
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
            Self::Address => {
                "write `store.url` as `postgresql://user@host/database` or `host=/run/postgresql dbname=database`"
            }
            Self::Away => "look whether the server runs, and whether `store.url` names its host, port or socket",
            Self::Starting => "wait: all goes on by itself as soon as the server takes connections",
            Self::Login => "check the user in `store.url`, `store.password`, and the server's `pg_hba.conf`",
            Self::Certificate => {
                "check `sslmode` and `sslrootcert` in `store.url`, and the server's certificate (`ssl = on`)"
            }
            Self::NoDatabase => "make it with `createdb --owner=USER --encoding=UTF8 --template=template0 DATABASE`",
            Self::Privileges => {
                "let the user own the database (`ALTER DATABASE … OWNER TO …`): it makes tables in the first schema of \
                 its `search_path`"
            }
            Self::Encoding => "make another one with `createdb --encoding=UTF8 --template=template0 DATABASE`",
            Self::Old => "upgrade the server, or use another one",
            Self::Crowded => "raise `max_connections` of the server or the limit of the user: each veille needs a few",
            Self::Busy => "look into `pg_stat_activity` for what holds it up; all goes on by itself after that",
            Self::ServerFull => "free some space on the server's disk",
            Self::ServerFails => "look at the log of the server",
            Self::ServerDamaged => "look at the log of the server, and put a dump back with `pg_restore`",
            Self::Replica => {
                "let `store.url` name the primary server, or all of them (`host=a,b`): the one that takes writes is used"
            }
            Self::Stripped => "put a dump back with `pg_restore`, or let `store.url` name an empty database",
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

    const ALL: [Ailment; 25] = [
        Ailment::Full { free_bytes: 0 },
        Ailment::ReadOnly,
        Ailment::Rights,
        Ailment::Locked,
        Ailment::Damaged,
        Ailment::Gone,
        Ailment::Replaced,
        Ailment::Device,
        Ailment::Address,
        Ailment::Away,
        Ailment::Starting,
        Ailment::Login,
        Ailment::Certificate,
        Ailment::NoDatabase,
        Ailment::Privileges,
        Ailment::Encoding,
        Ailment::Old,
        Ailment::Crowded,
        Ailment::Busy,
        Ailment::ServerFull,
        Ailment::ServerFails,
        Ailment::ServerDamaged,
        Ailment::Replica,
        Ailment::Stripped,
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
