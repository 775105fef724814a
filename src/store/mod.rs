//! Where sources' states, entries, stories and labels live.
//!
//! The contract is the prose on [`Store`]; `tests` in this folder runs it against every backend. [`sqlite`] is the default
//! and the embedded one. [`Handle`] puts a store on its own thread.

pub mod ailment;
mod change;
mod claim;
mod handle;
pub mod sqlite;
mod surroundings;
#[cfg(test)]
mod tests;

use std::path::Path;

use ailment::Ailment;

use crate::feed::Timestamp;
use crate::state::{Announcement, Monitored, Remembered, SourceState, Throttle, Turn};
use crate::story::{Fingerprint, Gist, Month, Order, Revision, StoredEntry, Told, Tombstone};
use crate::topic::Label;

pub use change::Change;
pub use claim::{Claim, holder};
pub use handle::Handle;
pub use surroundings::{Inquiry, SHARING_MAX, STAYS_MAX, Surroundings};

/// A store of everything that outlives the process: reads, one write for all decisions, and upkeep.
///
/// *Transactions.* Each method is atomic by itself and sees one moment. [`Store::apply`] is the only way in for what polls,
/// relabellings and people change.
///
/// *Decisions* are not made here: [`Store::surroundings`] reads what one needs, a pure function makes [`Change`]s of it,
/// and `apply` writes them, unless the store has changed in between.
///
/// *Entries are ground truth.* A story, a label, a clue, a sketch can be made again from the entries; an entry cannot.
///
/// *Numbers* of entries are never given twice. A story's number is that of its head, its earliest entry.
///
/// *Generation.* A number that only grows: [`Store::apply`] raises it with every change that a decision or a publication
/// could depend on, and [`Store::drop_before`] when it drops stories. A publisher that sees a higher one publishes again.
///
/// Times are kept to the second. Every method fails when the store cannot be read or written.
pub trait Store: Send {
    /// What is remembered of the sources that were ever polled, by id: of all, or of these.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn sources(&mut self, ids: Option<&[String]>) -> Result<Vec<Remembered>, StoreError>;

    /// What a decision needs to know, in one look.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn surroundings(&mut self, asked: &Inquiry) -> Result<Surroundings, StoreError>;

    /// Writes all changes in their order, or none.
    ///
    /// `seen` is the generation of the surroundings that they were decided on: if the store has another one by now,
    /// nothing is written. Without it they are written whatever has changed.
    ///
    /// # Errors
    /// When the store cannot be written: then nothing is.
    fn apply(&mut self, changes: &[Change], seen: Option<i64>) -> Result<Applied, StoreError>;

    /// Stored entries that fit a filter.
    ///
    /// # Errors
    /// When the store cannot be read, or the search cannot be understood.
    fn entries(&mut self, filter: &Filter) -> Result<Vec<Held>, StoreError>;

    /// What an entry said before, the latest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn revisions(&mut self, number: i64) -> Result<Vec<Revision>, StoreError>;

    /// The stories of a topic after a place, the earliest first, at most `limit`, each with whether its related news was
    /// chosen: under the rules of the relabelling under way, else of those in force.
    ///
    /// Without a place it begins [`WINDOW`](crate::story::WINDOW) stories before the first for which nothing was chosen, and finds none if there
    /// is no such story.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn unrelated(&mut self, topic: &str, after: Option<Order>, limit: usize) -> Result<Vec<(Gist, bool)>, StoreError>;

    /// What a publication has to know before it reads any story: how `topics` (in their order) and all sources are at one
    /// moment, and the last `turns` turns of sources.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn outline(&mut self, topics: &[String], turns: usize) -> Result<Outline, StoreError>;

    /// The numbers of stories of a topic, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn stories(&mut self, topic: &str, part: Part) -> Result<Vec<i64>, StoreError>;

    /// These stories beside a topic, in the order in which they are given.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn told(&mut self, topic: &str, stories: &[i64]) -> Result<Vec<Told>, StoreError>;

    /// The stories that a topic showed and shows no more, the latest to go first, at most `limit`; of all months, or those
    /// whose heads are of `month`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tombstones(&mut self, topic: &str, month: Option<Month>, limit: usize) -> Result<Vec<Tombstone>, StoreError>;

    /// The days (in UTC) on which each source had entries dated at `since` or later, by source and day.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn entry_days(&mut self, since: Timestamp) -> Result<Vec<EntryDay>, StoreError>;

    /// How many entries each source has, how many of them are in topics, and the latest; by source.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn shares(&mut self) -> Result<Vec<SourceShare>, StoreError>;

    /// The entries with higher numbers than `after`, counted by topic.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn arrivals(&mut self, after: i64) -> Result<Arrivals, StoreError>;

    /// The last change of health of each source, hub and the config but moves; of the given one, or of all.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn health(&mut self, of: Option<&Monitored>) -> Result<Vec<Turn>, StoreError>;

    /// What hubs were told, by hub and topic.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn announcements(&mut self) -> Result<Vec<Announcement>, StoreError>;

    /// The hosts that are to be left alone at `now`, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn throttles(&mut self, now: Timestamp) -> Result<Vec<Throttle>, StoreError>;

    /// How the store is.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn pulse(&mut self) -> Result<Pulse, StoreError>;

    /// Drops stories whose every entry is older than `before` and has left its feed, or is of a source that is not among
    /// `sources`; at most `limit` stories. Returns how many entries went; when none did, none is left to go.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn drop_before(&mut self, before: Timestamp, sources: &[String], limit: usize) -> Result<usize, StoreError>;

    /// Forgets labels of rules that are neither in force nor being made, at most `limit`; returns how many went.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn drop_labels(&mut self, limit: usize) -> Result<usize, StoreError>;

    /// Tidies up at `now`, so that queries stay quick over the years.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError>;

    /// Writes a consistent copy of the store to a new file.
    ///
    /// # Errors
    /// When `to` exists or cannot be written.
    fn backup(&mut self, to: &Path) -> Result<(), StoreError>;
}

/// What came of [`Store::apply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// All of it is kept.
    Kept,
    /// Nothing is: the store has changed since it was looked at.
    Conflict,
}

/// How a store is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulse {
    /// See [`Store`].
    pub generation: i64,
    /// Its size in bytes.
    pub size: u64,
    /// When it was tidied last.
    pub tidied: Option<Timestamp>,
    /// The rules whose labels are published; empty before the first.
    pub rules: String,
    /// The relabelling under way.
    pub relabelling: Option<Relabelling>,
    /// Entries that came or changed under other rules than those being made, or those in force if none are.
    pub unlabelled: usize,
    /// If clues, sketches or stories are missing: up to which entry they were made again.
    pub rebuilt: Option<i64>,
}

/// A relabelling that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relabelling {
    /// By these rules.
    pub rules: String,
    /// Every entry up to this number was labelled.
    pub labelled: i64,
}

/// A stored entry with what the store says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The entry.
    pub stored: StoredEntry,
    /// The hash that says "changed".
    pub fingerprint: Fingerprint,
    /// Its labels under the rules in force, by topic.
    pub labels: Vec<Label>,
}

/// Returns one stored entry.
///
/// # Errors
/// When the store cannot be read.
pub fn entry(store: &mut dyn Store, number: i64) -> Result<Option<StoredEntry>, StoreError> {
    let filter = Filter { which: Which::Number(number), limit: 1, ..Filter::default() };
    Ok(store.entries(&filter)?.pop().map(|held| held.stored))
}

/// Which stories of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The newest of which anything stands, at most so many; one that came late (see [`LATE_AFTER`](crate::story::LATE_AFTER))
    /// counts as of its arrival, unless it came with its source's first document.
    Newest(usize),
    /// Those whose heads are of a month, though all of it be withdrawn.
    Month(Month),
}

/// How everything is that is published, at one moment, without any story.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// The store's generation.
    pub generation: i64,
    /// The topics that were asked for, in their order.
    pub topics: Vec<TopicOutline>,
    /// The state of every source that was ever polled, by id.
    pub sources: Vec<SourceState>,
    /// The last change of health of each source, hub and the config but moves.
    pub health: Vec<Turn>,
    /// What became of sources, hubs and the config, newest first; of no outage.
    pub turns: Vec<Turn>,
    /// What hubs were told, by hub and topic.
    pub hubs: Vec<Announcement>,
    /// Stories that wait for their related news, the first 1,000 of them.
    pub unrelated: Vec<i64>,
}

/// How a topic is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicOutline {
    /// A number that grows whenever any story may look different in the topic, or leaves it: the largest of its months,
    /// also of those that are empty now.
    pub stamp: i64,
    /// The months from which it has stories, by the dates of their heads, oldest first; each with its own stamp, a higher
    /// one whenever a story of that month may look different.
    pub months: Vec<(Month, i64)>,
}

/// Which entries to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Among which, and in which order.
    pub which: Which,
    /// Only entries in this topic.
    pub topic: Option<String>,
    /// Only entries of this source.
    pub source_id: Option<String>,
    /// Only entries that hold all these words, as [`crate::topic::Query`] reads them; best matches not first but newest.
    pub search: Option<String>,
    /// Only entries dated at this instant or later.
    pub since: Option<Timestamp>,
    /// At most so many.
    pub limit: usize,
}

/// Among which entries a [`Filter`] looks.
#[derive(Debug, Clone, Default)]
pub enum Which {
    /// All, newest first.
    #[default]
    Newest,
    /// Those with higher numbers than this one, by number.
    After(i64),
    /// Those that came or changed under other rules than those being made, or those in force if none are; by number.
    Unlabelled,
    /// The entry of this number.
    Number(i64),
    /// Those that people call so: by guid, Atom id or link; by number. Looks at every entry.
    Named {
        /// As people write it.
        name: String,
        /// The canonical link that it may be.
        link: Option<String>,
    },
}

/// A day on which a source had entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDay {
    /// Which source.
    pub source_id: String,
    /// The date of the day's last entry.
    pub last: Timestamp,
    /// How many.
    pub entries: u64,
}

/// The entries of a source and its share in the topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceShare {
    /// Which source.
    pub source_id: String,
    /// How many entries are kept of it.
    pub entries: u64,
    /// How many of them are in any topic.
    pub in_topics: u64,
    /// The date of its latest entry that its feed still lists.
    pub last: Option<Timestamp>,
}

/// Entries that came after one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// The number of the last entry that ever came.
    pub last: i64,
    /// How many are in each topic that has any, by topic.
    pub topics: Vec<(String, usize)>,
}

/// Why the store could not do as told.
///
/// Most causes are faults of this machine ([`StoreError::ailment`]): the daemon lives on, and tries again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be made or opened.
    #[error("cannot open the store{}", opening(store, *ailment))]
    Open {
        /// The file.
        store: String,
        /// The cause.
        ailment: Ailment,
        /// What the system says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is another program's.
    #[error("`{store}` is not a store of veille")]
    Foreign {
        /// The file.
        store: String,
    },
    /// A later veille has migrated it.
    #[error("the store `{store}` has format {found}, this veille knows up to {known}")]
    Newer {
        /// The file.
        store: String,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// There is no store yet, and none is to be made.
    #[error("there is no store at `{store}` yet")]
    Missing {
        /// The file.
        store: String,
    },
    /// There is no store any more.
    #[error("the store `{store}` is gone: there is none, but {trace}")]
    Vanished {
        /// The file.
        store: String,
        /// What shows that there was one.
        trace: String,
    },
    /// The file is damaged.
    #[error("the store `{store}` is damaged: {finding}")]
    Damaged {
        /// The file.
        store: String,
        /// The first finding of the check.
        finding: String,
    },
    /// Reading or writing failed.
    #[error("{}", ailment.said(store))]
    Failed {
        /// The file; empty as long as the place of the failure does not know it.
        store: String,
        /// The cause.
        ailment: Ailment,
        /// What the backend says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A transaction that several polls shared was lost.
    #[error("the store could not keep a transaction: {reason}")]
    Lost {
        /// What the backend says.
        reason: String,
        /// The cause; `None` if it is a fault of ours.
        ailment: Option<Ailment>,
    },
    /// Another process holds it.
    #[error("the store `{store}` is held by {by}")]
    Held {
        /// The file.
        store: String,
        /// The other process, in words.
        by: String,
    },
    /// Other processes write all the time.
    #[error("other processes change the store all the time")]
    Contended,
    /// No store is open: the one that there is cannot be.
    #[error("no store is open")]
    Shut,
    /// The store's thread has ended.
    #[error("the store is closed")]
    Closed,
}

/// Goes on with why a store cannot be opened, or with its name if nobody knows.
fn opening(store: &str, ailment: Ailment) -> String {
    if ailment == Ailment::Other { format!(" `{store}`") } else { format!(": {}", ailment.said(store)) }
}

impl StoreError {
    /// Returns the fault of this machine that is behind it; `None` if there is no such fault, or only a new start can
    /// help.
    #[must_use]
    pub fn ailment(&self) -> Option<Ailment> {
        match self {
            Self::Open { ailment, .. } | Self::Failed { ailment, .. } => Some(*ailment),
            Self::Lost { ailment, .. } => *ailment,
            Self::Damaged { .. } => Some(Ailment::Damaged),
            Self::Missing { .. } | Self::Vanished { .. } => Some(Ailment::Gone),
            Self::Foreign { .. } | Self::Newer { .. } | Self::Shut => Some(Ailment::Other),
            Self::Contended => Some(Ailment::Locked),
            Self::Held { .. } | Self::Closed => None,
        }
    }

    /// What the operator can do, apart from the error itself.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Open { ailment: Ailment::Other, .. } => Some("check that `store.path` leads to a folder and a file"),
            Self::Open { ailment, .. } | Self::Failed { ailment, .. } => Some(ailment.advice()),
            Self::Foreign { .. } => Some("point `store.path` to another file; this one is left as it is"),
            Self::Newer { .. } => Some("install the veille that wrote it, or put a backup back; nothing was changed"),
            Self::Missing { .. } => Some("`veille poll` or `veille run` makes it"),
            Self::Vanished { .. } => {
                Some("put a backup back with `veille restore FILE`, or move what is named away to begin anew")
            }
            Self::Damaged { .. } => Some(Ailment::Damaged.advice()),
            Self::Lost { ailment, .. } => ailment.map(Ailment::advice),
            Self::Contended => Some("let one veille run on this store, or wait for the others to end"),
            Self::Held { .. } => Some("stop that process first, or let `store.path` name another file"),
            Self::Shut | Self::Closed => None,
        }
    }

    /// The error with its causes on one line.
    #[must_use]
    pub fn reason(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(inner) = cause {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        text
    }

    /// What is wrong, and what the operator can do, on one line.
    #[must_use]
    pub fn outage(&self) -> String {
        let said = match self {
            Self::Open { store, ailment, .. } if *ailment != Ailment::Other => ailment.said(store),
            Self::Failed { ailment: Ailment::Other | Ailment::Device, .. } | Self::Open { .. } => self.reason(),
            _ => self.to_string(),
        };
        self.hint().map(|hint| format!("{said}; {hint}")).unwrap_or(said)
    }
}
