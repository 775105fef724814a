//! Where sources' states, entries, stories and labels live.
//!
//! The contract is the prose on [`Store`]; `tests::contract` in this folder runs it against every backend. [`sqlite`] is
//! the default and the embedded one. [`Handle`] puts a store on its own thread.

mod handle;
pub mod sqlite;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::feed::Timestamp;
use crate::state::{Announcement, Change, SourceState, Throttle};
use crate::story::{
    Bond, Clues, EntryKey, Fingerprint, Gist, Known, Listed, Month, Prepared, Revision, Stay, StoredEntry, Terms, Told,
    Tombstone,
};
use crate::topic::Label;

pub use handle::Handle;

/// A store of everything that outlives the process.
///
/// *Transactions.* Each method is atomic by itself. [`Store::atomically`] makes several so: either all that the job wrote
/// is kept or, when it returns an error, nothing. It nests: an inner job that fails takes back only its own part.
///
/// *Entries are ground truth.* A story, a label, a clue can be made again from the entries; an entry cannot.
///
/// *Numbers* are given in order of arrival, start at 1 and are never given twice. A story's number is that of its head,
/// its earliest entry.
///
/// *Generation.* A number that only grows; whoever changes what is published raises it in the same transaction, and who
/// publishes does so again when it sees a higher one.
///
/// Times are kept to the second.
pub trait Store: Send {
    /// Runs `job` in one transaction.
    ///
    /// # Errors
    /// What `job` returned, after taking back what it wrote; or why the transaction could not be opened or kept.
    fn atomically(&mut self, job: Job<'_>) -> Result<(), StoreError>;

    /// The state of every source that was ever polled, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn sources(&mut self) -> Result<Vec<SourceState>, StoreError>;

    /// The state of one source; a new one if it was never polled.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn source(&mut self, source_id: &str) -> Result<SourceState, StoreError>;

    /// Keeps the state of a source.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn save_source(&mut self, state: &SourceState) -> Result<(), StoreError>;

    /// The stored entries of a source that have one of `keys` as their key or their guid's key.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn known(&mut self, source_id: &str, keys: &[EntryKey]) -> Result<Vec<Known>, StoreError>;

    /// The entries that share a clue, and the heads of their stories; earliest first.
    ///
    /// Those that share a recent clue were first seen at `since` or later. At most [`CANDIDATES_MAX`] share a clue: those
    /// that share most, the latest of equal ones. A single even clue is too little, unless there are few; and one that
    /// more than [`COMMON_CLUE`] entries have of late is passed over: a phrase of the trade.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn candidates(&mut self, clues: &Clues, since: Timestamp) -> Result<Vec<StoredEntry>, StoreError>;

    /// The entries of a story, its head first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tellings(&mut self, story: i64) -> Result<Vec<StoredEntry>, StoreError>;

    /// Moves an entry to a story, given by the number of its head: the entry's own to make it one.
    ///
    /// A head that goes to an earlier story remembers `now` as when it was joined to it.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn assign(&mut self, number: i64, story: i64, now: Timestamp) -> Result<(), StoreError>;

    /// The bonds of an entry.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn bonds(&mut self, number: i64) -> Result<Vec<Bond>, StoreError>;

    /// Binds two entries, instead of any earlier bond between them.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn bind(&mut self, bond: Bond) -> Result<(), StoreError>;

    /// Whether an entry is stored under this Atom id.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn has_atom_id(&mut self, atom_id: &str) -> Result<bool, StoreError>;

    /// Adds an entry to `story`, or as the head of a new one, and returns its number.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn insert(
        &mut self,
        source_id: &str,
        prepared: &Prepared,
        story: Option<i64>,
        now: Timestamp,
    ) -> Result<i64, StoreError>;

    /// Replaces what an entry says; its number, story, Atom id and first sight stay.
    ///
    /// `changed` is the date of a significant change; without one the last date stays.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn update(&mut self, number: i64, prepared: &Prepared, changed: Option<Timestamp>) -> Result<(), StoreError>;

    /// Keeps what an entry says, for it is about to be replaced; of its revisions the latest `most` stay.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn keep_revision(&mut self, number: i64, most: usize, now: Timestamp) -> Result<(), StoreError>;

    /// What an entry said before, the latest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn revisions(&mut self, number: i64) -> Result<Vec<Revision>, StoreError>;

    /// The entries of a source that its last document held, and those that are suspected to be withdrawn.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn listed(&mut self, source_id: &str) -> Result<Vec<Listed>, StoreError>;

    /// Notes which entries of a source its document holds now (`present`): if that is the `whole` feed, the others have
    /// left it at `now`.
    ///
    /// Who is back is neither suspected nor withdrawn any more; returns how many had been withdrawn. Writes only what is
    /// new to it.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn mark_present(
        &mut self,
        source_id: &str,
        present: &[i64],
        whole: bool,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Notes since when entries are suspected to be withdrawn; `None` for no more.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn suspect(&mut self, numbers: &[i64], since: Option<Timestamp>) -> Result<(), StoreError>;

    /// The entries of a source that are suspected since `until` or earlier to be withdrawn.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn suspected(&mut self, source_id: &str, until: Timestamp) -> Result<Vec<i64>, StoreError>;

    /// How long the entries of a source were listed: those that are still, and the last `limit` that left at `since` or
    /// later.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn stays(&mut self, source_id: &str, since: Timestamp, limit: usize) -> Result<Vec<Stay>, StoreError>;

    /// Takes entries for withdrawn. A story shows only tellings that stand; without any, no topic shows it.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn withdraw(&mut self, numbers: &[i64], now: Timestamp) -> Result<(), StoreError>;

    /// Stored entries with numbers above `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn entries_after(&mut self, after: i64, limit: usize) -> Result<Vec<StoredEntry>, StoreError>;

    /// One stored entry.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn entry(&mut self, number: i64) -> Result<Option<StoredEntry>, StoreError>;

    /// The entries that people call `name`: their guid, their Atom id or their link; also those of the canonical link
    /// `link`. Looks at every entry.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn find(&mut self, name: &str, link: Option<&str>) -> Result<Vec<StoredEntry>, StoreError>;

    /// The labels of one entry, by topic.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn labels(&mut self, number: i64) -> Result<Vec<Label>, StoreError>;

    /// The fingerprint of one entry.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn fingerprint(&mut self, number: i64) -> Result<Option<Fingerprint>, StoreError>;

    /// Replaces the labels of entries, and remembers the `rules` (a hash of all topics) that they come from.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn relabel(&mut self, labels: &[(i64, Vec<Label>)], rules: &str) -> Result<(), StoreError>;

    /// Whether every entry has its clues, labels and story; else somebody deleted what is derived, so that it is made
    /// again.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn is_whole(&mut self) -> Result<bool, StoreError>;

    /// Notes that all that is derived is there again.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn mark_whole(&mut self) -> Result<(), StoreError>;

    /// Replaces the clues of an entry.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn set_clues(&mut self, number: i64, clues: &Clues) -> Result<(), StoreError>;

    /// The rules of the last [`Store::relabel`]; empty before the first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn rules(&mut self) -> Result<String, StoreError>;

    /// The story that an entry tells, and its topics in which no related news has been chosen for it yet, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn unrelated(&mut self, number: i64) -> Result<Vec<(i64, String)>, StoreError>;

    /// A story as choosing related news needs it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn gist(&mut self, story: i64) -> Result<Option<Gist>, StoreError>;

    /// The latest stories of a topic that have a page and are earlier than `before`, but not than `since`, both given
    /// by [`Gist::order`]; latest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn gists(&mut self, topic: &str, since: Order, before: Order, limit: usize) -> Result<Vec<Gist>, StoreError>;

    /// Keeps the telling words of an entry.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn save_terms(&mut self, number: i64, terms: &Terms) -> Result<(), StoreError>;

    /// Keeps which earlier stories a topic shows with a story, best first. It is chosen once: the first choice stays.
    ///
    /// Those that become part of the same story, leave the topic or are dropped are not shown.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn relate(&mut self, topic: &str, story: i64, others: &[i64]) -> Result<(), StoreError>;

    /// What a publication has to know before it reads any story: how `topics` (in their order) and all sources are at one
    /// moment, and the last `changes` of sources.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn outline(&mut self, topics: &[String], changes: usize) -> Result<Outline, StoreError>;

    /// The numbers of stories of a topic, newest first by the dates of their heads.
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

    /// Entries that fit `filter`, newest first, with their labels.
    ///
    /// # Errors
    /// When the store cannot be read, or `filter.search` cannot be understood.
    fn entries(&mut self, filter: &Filter) -> Result<Vec<(StoredEntry, Vec<Label>)>, StoreError>;

    /// The days (in UTC) on which each source had entries dated at `since` or later, by source and day.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn entry_days(&mut self, since: Timestamp) -> Result<Vec<EntryDay>, StoreError>;

    /// Keeps what has become of a source.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn note(&mut self, change: &Change) -> Result<(), StoreError>;

    /// The last change of each source but moves, by source; of the given one, or of all.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn health(&mut self, source_id: Option<&str>) -> Result<Vec<Change>, StoreError>;

    /// What became of sources, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn changes(&mut self, limit: usize) -> Result<Vec<Change>, StoreError>;

    /// What hubs were told, by hub and topic.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn announcements(&mut self) -> Result<Vec<Announcement>, StoreError>;

    /// Keeps what a hub was told of a topic.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn save_announcement(&mut self, announcement: &Announcement) -> Result<(), StoreError>;

    /// The hosts that are to be left alone at `now`, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn throttles(&mut self, now: Timestamp) -> Result<Vec<Throttle>, StoreError>;

    /// Keeps that a host asked to be left alone; a longer wait that it already has stays. Those over at `now` go.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn save_throttle(&mut self, throttle: &Throttle, now: Timestamp) -> Result<(), StoreError>;

    /// The size of the store in bytes.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn size(&mut self) -> Result<u64, StoreError>;

    /// Drops stories whose every entry is older than `before` and has left its feed, or is of a source that is not among
    /// `sources`; returns how many entries went.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn drop_before(&mut self, before: Timestamp, sources: &[String]) -> Result<usize, StoreError>;

    /// The number that grows when what is published may change.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn generation(&mut self) -> Result<i64, StoreError>;

    /// Raises the generation.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn raise_generation(&mut self) -> Result<(), StoreError>;

    /// Writes a consistent copy of the store to a new file.
    ///
    /// # Errors
    /// When `to` exists or cannot be written.
    fn backup(&mut self, to: &Path) -> Result<(), StoreError>;

    /// Tidies up at `now`, so that queries stay quick over the years.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError>;

    /// When it was tidied last, if ever.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tidied(&mut self) -> Result<Option<Timestamp>, StoreError>;
}

/// What [`Store::atomically`] runs.
pub type Job<'a> = &'a mut dyn FnMut(&mut dyn Store) -> Result<(), StoreError>;

/// A place among the stories of a topic: see [`Gist::order`].
pub type Order = (Timestamp, i64);

/// Most candidates that one entry is compared with.
pub const CANDIDATES_MAX: usize = 64;

/// Most entries that a clue taken from a text may have and still say something.
pub const COMMON_CLUE: usize = 16;

/// Which stories of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The newest of which anything stands, at most so many.
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
    /// The last change of each source but moves, by source.
    pub health: Vec<Change>,
    /// What became of sources, newest first.
    pub changes: Vec<Change>,
    /// What hubs were told, by hub and topic.
    pub hubs: Vec<Announcement>,
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
    /// Only entries in this topic.
    pub topic: Option<String>,
    /// Only entries that hold all these words (accents and case do not count), best matches not first but newest.
    pub search: Option<String>,
    /// Only entries dated at this instant or later.
    pub since: Option<Timestamp>,
    /// At most so many.
    pub limit: usize,
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

/// Why the store could not do as told. A broken store ends the daemon.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be made or opened.
    #[error("cannot open the store `{path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is another program's.
    #[error("`{path}` is not a store of veille")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later veille has migrated it.
    #[error("the store `{path}` has format {found}, this veille knows up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// There is no store yet, and it was opened for reading only.
    #[error("there is no store at `{path}` yet")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("the store `{path}` is damaged: {finding}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first finding of the check.
        finding: String,
    },
    /// Reading or writing failed: a full or broken disk, or another process that holds the store for too long.
    #[error("the store failed")]
    Failed {
        /// What the backend says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The transaction that several callers shared was lost.
    #[error("the store could not keep a transaction: {reason}")]
    Lost {
        /// What the backend says.
        reason: String,
    },
    /// The store's thread has ended.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What the operator can do, apart from the error itself.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Open { .. } => Some("check that the folder exists and that this user may write in it (`store.path`)"),
            Self::Foreign { .. } => Some("point `store.path` to another file; this one is left as it is"),
            Self::Newer { .. } => Some("install the veille that wrote it, or put a backup back; nothing was changed"),
            Self::Missing { .. } => Some("`veille poll` or `veille run` makes it"),
            Self::Damaged { .. } => Some("put a backup back, or move the file away and let veille start anew"),
            Self::Failed { .. } | Self::Lost { .. } => Some("check the disk's space and health"),
            Self::Closed => None,
        }
    }
}
