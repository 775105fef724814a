//! The store: states of sources, entries, stories and labels. The contract is the prose on [`Store`].
//!
//! `tests` in this folder run it against every backend. [`sqlite`] is the embedded default, [`postgres`] serves several
//! machines; [`Handle`] puts a store on its own thread.

pub mod ailment;
mod change;
mod claim;
mod clued;
mod details;
mod handle;
mod indexed;
pub mod moving;
mod names;
mod place;
pub mod postgres;
pub mod sqlite;
mod surroundings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ailment::Ailment;

use crate::feed::Timestamp;
use crate::outbox::Outbox;
use crate::state::{
    Announcement, LeaseAnswer, LeaseRequest, Monitored, NodeState, Remembered, SourceState, Throttle, Turn,
};
use crate::story::{Fingerprint, Gist, Month, Order, Revision, StoredEntry, StoryTally, Told, Tombstone};
use crate::topic::Label;

pub use change::Change;
pub use claim::{Claim, Holder, holder};
pub use handle::Handle;
pub use place::StorePlace;
pub use surroundings::{Inquiry, SHARING_MAX, SPANS_MAX, Surroundings};

/// Everything that outlives the process: reads, one write for all decisions, and upkeep.
///
/// *Transactions.* Each method is atomic and sees one moment. [`Store::apply`] is the only way in for changes by polls,
/// relabellings and people.
///
/// *Decisions* are not made here. [`Store::surroundings`] reads what a decision needs, a pure function makes
/// [`Change`]s of it, and `apply` writes them, unless the store has changed in between.
///
/// *Entries are ground truth.* Stories, labels, clues and sketches can be made again from the entries.
///
/// *Numbers* of entries are never given twice. A story's number is that of its head, its earliest entry. There is no
/// table of stories: a head never changes while its story stands, so the table would repeat the entries.
///
/// *Generation.* A number that only grows. [`Store::apply`] raises it with every change that a decision or a
/// publication could depend on, [`Store::drop_before`] when it drops stories. A publisher that sees a higher one
/// publishes again.
///
/// Times are kept to the second.
///
/// # Errors
/// Every method fails when the store cannot be read or written; its own errors, if any, are told beside it.
#[expect(clippy::missing_errors_doc, reason = "said once for all methods")]
pub trait Store: Send {
    /// The memory of sources that were polled, by id: of all sources, or of these.
    fn sources(&mut self, ids: Option<&[String]>) -> Result<Vec<Remembered>, StoreError>;

    /// The answers to all questions of a decision, in one look.
    fn surroundings(&mut self, asked: &Inquiry) -> Result<Surroundings, StoreError>;

    /// Writes all changes in their order, or none.
    ///
    /// `seen` is the generation of the surroundings that the decision saw: if the store has another one by now, nothing
    /// is written. Refused: locks, and callbacks inside the transaction. They tie decisions to one backend and keep it
    /// locked while they think.
    fn apply(&mut self, changes: &[Change], seen: Option<i64>) -> Result<Applied, StoreError>;

    /// The stored entries that fit a filter.
    ///
    /// # Errors
    /// Also when the search cannot be understood.
    fn entries(&mut self, filter: &Filter) -> Result<Vec<Held>, StoreError>;

    /// The texts of an entry before each edit, the latest first.
    fn revisions(&mut self, number: i64) -> Result<Vec<Revision>, StoreError>;

    /// A page of a topic's stories after a place, the earliest first, each with whether its related news was chosen:
    /// under the rules to come, else those in force.
    ///
    /// Without a place the page begins [`WINDOW`](crate::story::WINDOW) stories before the first without a choice; it
    /// is empty if there is none.
    fn unrelated(&mut self, topic: &str, after: Option<Order>, limit: usize) -> Result<Vec<(Gist, bool)>, StoreError>;

    /// The state of `topics` (in their order) and all sources at one moment, with the last `turns` turns of health: all
    /// that a publication needs before it reads any story.
    fn outline(&mut self, topics: &[String], turns: usize) -> Result<Outline, StoreError>;

    /// A topic's stories, newest first: when readers see each, which is its date, or its arrival if it came late, and its
    /// number.
    fn stories(&mut self, topic: &str, part: Part) -> Result<Vec<Order>, StoreError>;

    /// These stories with all their entries beside a topic, in the given order.
    fn told(&mut self, topic: &str, stories: &[i64]) -> Result<Vec<Told>, StoreError>;

    /// The stories that a topic showed and shows no more, the latest to go first; of all months, or with heads of
    /// `month`.
    fn tombstones(&mut self, topic: &str, month: Option<Month>, limit: usize) -> Result<Vec<Tombstone>, StoreError>;

    /// The stories of these topics with heads dated at `from` or later and before `until`, counted. A story of several of
    /// them counts once.
    fn tally(&mut self, topics: &[String], from: Timestamp, until: Timestamp) -> Result<StoryTally, StoreError>;

    /// The days (in UTC) with entries of each source, dated at `since` or later, the first day first.
    fn entry_days(&mut self, since: Timestamp) -> Result<BTreeMap<String, Vec<EntryDay>>, StoreError>;

    /// The number of entries of each source, of those in topics, and the latest; by source.
    fn shares(&mut self) -> Result<Vec<SourceShare>, StoreError>;

    /// The entries with higher numbers than `after`, counted by topic.
    fn arrivals(&mut self, after: i64) -> Result<Arrivals, StoreError>;

    /// The last turn of health of each source, hub and the config, moves excepted; of the given one, or of all.
    fn health(&mut self, of: Option<&Monitored>) -> Result<Vec<Turn>, StoreError>;

    /// The announcements to hubs, by hub and topic.
    fn announcements(&mut self) -> Result<Vec<Announcement>, StoreError>;

    /// The outbox of a post: its state, the first `limit` rows that wait, and when it sent stories since an instant.
    fn outbox(&mut self, post: &str, since: Timestamp, limit: usize) -> Result<Outbox, StoreError>;

    /// The hosts to be left alone at `now`, by name.
    fn throttles(&mut self, now: Timestamp) -> Result<Vec<Throttle>, StoreError>;

    /// Notes a sign of life of a node, and gives, renews and takes back its leases: those wanted are given in their order,
    /// unless another node holds them and renewed them within [`LEASE`](crate::state::lease::LEASE), by the store's clock.
    ///
    /// A store that only one node can use gives all of them.
    fn lease(&mut self, request: &LeaseRequest) -> Result<LeaseAnswer, StoreError>;

    /// The nodes that gave a sign of life within a day, by their start; none where there can only be one.
    fn nodes(&mut self) -> Result<Vec<NodeState>, StoreError>;

    /// The store as a whole.
    fn pulse(&mut self) -> Result<Pulse, StoreError>;

    /// Drops at most `limit` stories. All their entries are older than `before`, and have left their feeds or are of a
    /// source that is not among `sources`. Returns the number of dropped entries; 0 if none is left to drop.
    fn drop_before(&mut self, before: Timestamp, sources: &[String], limit: usize) -> Result<usize, StoreError>;

    /// Deletes at most `limit` labels of rules neither in force nor to come; returns a number above 0 if more may be
    /// left.
    fn drop_labels(&mut self, limit: usize) -> Result<usize, StoreError>;

    /// Writes something that changes nothing, so that it shows whether the store can be written.
    fn attempt(&mut self) -> Result<(), StoreError>;

    /// Waits for other processes that write no longer than this.
    fn set_patience(&mut self, patience: Duration) -> Result<(), StoreError>;

    /// Checks the whole store, as far as that is ours to do: what a server keeps is the server's to check.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first finding.
    fn check_all(&mut self) -> Result<(), StoreError>;

    /// Notes that the daily upkeep was done at `now`, and drops rows of the outbox that nothing can come of any more.
    fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError>;

    /// Writes a consistent copy of the store to a new file.
    ///
    /// # Errors
    /// Also when `to` exists.
    fn backup(&mut self, to: &Path) -> Result<(), StoreError>;
}

/// The result of [`Store::apply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// All changes are written.
    Kept,
    /// Nothing is written: the store has changed since the look.
    Conflict,
}

/// The store as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulse {
    /// See [`Store`].
    pub generation: i64,
    /// Bytes of its file, or of its tables.
    pub size: u64,
    /// The last upkeep.
    pub tidied: Option<Timestamp>,
    /// The rules whose labels are published; empty before the first.
    pub rules: String,
    /// The relabelling under way.
    pub relabelling: Option<Relabelling>,
    /// Entries without labels under the rules to come, else those in force.
    pub unlabelled: usize,
    /// If clues, sketches or stories are missing: the last entry that has them again.
    pub rebuilt: Option<i64>,
    /// Another number each time that another process has written; on a server also when another database was written.
    pub others: i64,
}

/// A relabelling under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relabelling {
    /// The rules to come.
    pub rules: String,
    /// Every entry up to this number is labelled.
    pub labelled: i64,
}

/// A stored entry with its fingerprint and labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The entry.
    pub stored: StoredEntry,
    /// The hash that says "changed".
    pub fingerprint: Fingerprint,
    /// Its labels under the rules in force, by topic.
    pub labels: Vec<Label>,
}

/// Reads one stored entry.
///
/// # Errors
/// When the store cannot be read.
pub fn entry(store: &mut dyn Store, number: i64) -> Result<Option<StoredEntry>, StoreError> {
    let filter = Filter { which: Which::Number(number), limit: 1, ..Filter::default() };
    Ok(store.entries(&filter)?.pop().map(|held| held.stored))
}

/// A part of a topic's stories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The newest that are shown, at most this number. A late story (see [`LATE_AFTER`](crate::story::LATE_AFTER)) counts as of
    /// its arrival, unless it came with the first document of its source.
    Newest(usize),
    /// Those with heads of a month, also if all their entries are withdrawn.
    Month(Month),
}

/// Everything that a publication needs before it reads any story, at one moment.
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
    /// Turns of health, newest first, without outages.
    pub turns: Vec<Turn>,
    /// The announcements to hubs, by hub and topic.
    pub hubs: Vec<Announcement>,
    /// Stories that wait for their related news, the first 1,000 of them.
    pub unrelated: Vec<i64>,
}

/// A topic at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicOutline {
    /// Grows whenever a story of the topic may look different or leaves it: the largest stamp of its months, with those
    /// that are empty now.
    pub stamp: i64,
    /// The months of its stories by the dates of their heads, oldest first, each with its stamp.
    pub months: Vec<(Month, i64)>,
}

/// A filter of entries.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The set of entries, and its order.
    pub which: Which,
    /// Only entries in this topic.
    pub topic: Option<String>,
    /// Only entries of this source.
    pub source_id: Option<String>,
    /// Only entries that hold all these words, as [`crate::topic::Query`] reads them; the newest first, not the best.
    pub search: Option<String>,
    /// Only entries dated at this instant or later.
    pub since: Option<Timestamp>,
    /// Most entries.
    pub limit: usize,
}

/// The entries among which a [`Filter`] looks.
#[derive(Debug, Clone, Default)]
pub enum Which {
    /// All, newest first.
    #[default]
    Newest,
    /// Those with higher numbers, by number.
    After(i64),
    /// Those without labels under the rules to come, else those in force; by number.
    Unlabelled,
    /// The entry of this number.
    Number(i64),
    /// Those with this guid, Atom id or link; by number. Looks at every entry.
    Named {
        /// As people write it.
        name: String,
        /// The canonical link that it may be.
        link: Option<String>,
    },
}

/// Says in one line which migrations a store needed that had `done` of them, and how long they took. Each one says in its
/// first line what it does. `None` for a store that was made anew.
fn migrated(all: &[&str], done: i64, took: Duration) -> Option<String> {
    let needed = all.get(usize::try_from(done).ok().filter(|done| *done > 0)?..)?;
    let about = needed.iter().filter_map(|step| step.lines().next()?.strip_prefix("-- Format ")?.strip_suffix('.'));
    let about = about.collect::<Vec<_>>().join("; ");
    Some(format!("the store had format {done} and has {} now, after {:.1} s: {about}", all.len(), took.as_secs_f64()))
}

/// A day on which a source had entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryDay {
    /// The date of the day's last entry.
    pub last: Timestamp,
    /// The number of entries.
    pub entries: u32,
}

/// The entries of a source and its share in the topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceShare {
    /// The source's id.
    pub source_id: String,
    /// The number of its entries.
    pub entries: u64,
    /// The number of those in any topic.
    pub in_topics: u64,
    /// The date of its latest entry; of those that its feed still lists, if it lists any.
    pub last: Option<Timestamp>,
}

/// Entries that came after one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// The number of the last entry that ever came.
    pub last: i64,
    /// Their number in each topic that has any, by topic.
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
        /// The system's error.
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
        /// The trace that it left.
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
        /// The backend's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A transaction that several polls shared was lost.
    #[error("the store could not keep a transaction: {reason}")]
    Lost {
        /// The backend's message.
        reason: String,
        /// The cause; `None` if it is a fault of ours.
        ailment: Option<Ailment>,
    },
    /// A copy that was broken off.
    #[error("the store `{store}` is an unfinished copy of another one")]
    Unfinished {
        /// The database.
        store: String,
    },
    /// Another process holds it.
    #[error("the store `{store}` is held by {by}")]
    Held {
        /// The file.
        store: String,
        /// The other process.
        by: Holder,
    },
    /// Another node has taken over the lease under which the changes were made. Nothing is written.
    #[error("another node has taken over `{lease}`")]
    Overtaken {
        /// The host, or the name of a job.
        lease: String,
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
    /// It is a server's, which has tools of its own for this.
    #[error("the store `{store}` is PostgreSQL's")]
    OfServer {
        /// The database.
        store: String,
        /// The tool of the server, for people.
        instead: &'static str,
    },
}

/// Goes on with why a store cannot be opened, or with its name if nobody knows.
fn opening(store: &str, ailment: Ailment) -> String {
    if ailment == Ailment::Other { format!(" `{store}`") } else { format!(": {}", ailment.said(store)) }
}

/// Whether the name of a store is that of a database.
fn is_database(store: &str) -> bool {
    store.starts_with("postgresql:")
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
            Self::Foreign { .. } | Self::Newer { .. } | Self::Unfinished { .. } | Self::Shut => Some(Ailment::Other),
            Self::Contended => Some(Ailment::Locked),
            Self::Held { .. } | Self::Overtaken { .. } | Self::Closed | Self::OfServer { .. } => None,
        }
    }

    /// Returns the way out, for people, apart from the error itself.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Open { ailment: Ailment::Other, .. } => Some("check that `store.path` leads to a folder and a file"),
            Self::Open { ailment, .. } | Self::Failed { ailment, .. } => Some(ailment.hint()),
            Self::Foreign { store } if is_database(store) => Some(
                "let `store.url` name an empty database, or a schema of its own (`options=-csearch_path%3DSCHEMA`)",
            ),
            Self::Foreign { .. } => Some("point `store.path` to another file; this one is left as it is"),
            Self::Newer { .. } => Some("install the veille that wrote it, or put a backup back; nothing was changed"),
            Self::Missing { .. } => Some("`veille poll` or `veille run` makes it"),
            Self::Vanished { store, .. } if is_database(store) => Some(
                "copy what is stored to it with `veille store copy --to`, put a dump back with `pg_restore`, or move what is \
                 named away to begin anew",
            ),
            Self::Vanished { .. } => Some(
                "stop veille if it runs, put a backup back with `veille restore FILE`, and start it; or move what is \
                     named away to begin anew",
            ),
            Self::Damaged { .. } => Some(Ailment::Damaged.hint()),
            Self::Lost { ailment, .. } => ailment.map(Ailment::hint),
            Self::Contended => Some("let one veille run on this store, or wait for the others to end"),
            Self::Held { .. } => Some("stop that process first, or let `store.path` name another file"),
            Self::Unfinished { .. } => {
                Some("give the `veille store copy` that made it once more: it goes on where it stood")
            }
            Self::OfServer { instead, .. } => Some(instead),
            Self::Overtaken { .. } | Self::Shut | Self::Closed => None,
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

    /// Returns the fault and the way out, on one line.
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
