//! The look of "look, decide, write": what a decision asks of the store, and the answer as plain data.
//!
//! A decision that lacks something returns an [`Inquiry`]; the caller asks the store and decides again. Something that
//! was asked for and is not in the answer is not stored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::feed::Timestamp;
use crate::story::{Bond, EntryKey, Gist, Known, Listed, ListedSpan, Order, Peer, Period, StoredEntry};

/// The questions of a decision.
///
/// ```
/// use veille::store::{Inquiry, Store, sqlite::Sqlite};
///
/// let folder = tempfile::tempdir()?;
/// let mut store = Sqlite::open(&folder.path().join("veille.db"))?;
/// let asked = Inquiry { peers: [7].into(), ..Inquiry::default() };
/// let around = store.surroundings(&asked)?;
///
/// assert_eq!(around.asked, asked);
/// assert!(!around.peers.contains_key(&7), "asked for and not there: no entry has this number");
/// assert_eq!(around.next_number, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inquiry {
    /// By source: the entries whose key, or whose guid's key, is one of these.
    pub keys: BTreeMap<String, BTreeSet<EntryKey>>,
    /// The entries that these sources list, and those that are missed.
    pub listings: BTreeSet<String>,
    /// By source: the spans of the listed entries, and of the last [`SPANS_MAX`] that left since an instant.
    pub spans: BTreeMap<String, Timestamp>,
    /// The latest [`SHARING_MAX`] entries that have a clue and were first seen in a period or later.
    pub recent: BTreeSet<(Period, i64)>,
    /// The latest [`SHARING_MAX`] entries that have a lasting clue.
    pub lasting: BTreeSet<i64>,
    /// Entries by number, with the other entries of their stories and their bonds.
    pub peers: BTreeSet<i64>,
    /// Entries by number, whole.
    pub texts: BTreeSet<i64>,
    /// Atom ids that may be taken.
    pub atom_ids: BTreeSet<String>,
    /// By topic: the latest [`WINDOW`](crate::story::WINDOW) stories with a page before each of these places.
    pub windows: BTreeMap<String, BTreeSet<Order>>,
    /// Gists of stories, by number.
    pub gists: BTreeSet<i64>,
}

/// Most departures that are read: a source that exchanges its whole document at each poll has many.
pub const SPANS_MAX: usize = 100;

/// Most entries that are read of those with a clue: one more than a telling phrase may have.
pub const SHARING_MAX: usize = crate::story::COMMON_CLUE + 1;

impl Inquiry {
    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn extend(&mut self, other: &Self) {
        for (source_id, keys) in &other.keys {
            self.keys.entry(source_id.clone()).or_default().extend(keys);
        }
        for (topic, orders) in &other.windows {
            self.windows.entry(topic.clone()).or_default().extend(orders);
        }
        self.listings.extend(other.listings.iter().cloned());
        self.spans.extend(other.spans.iter().map(|(source_id, since)| (source_id.clone(), *since)));
        self.recent.extend(&other.recent);
        self.lasting.extend(&other.lasting);
        self.peers.extend(&other.peers);
        self.texts.extend(&other.texts);
        self.atom_ids.extend(other.atom_ids.iter().cloned());
        self.gists.extend(&other.gists);
    }
}

/// The answers of the store, all of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surroundings {
    /// The generation of that moment. It grows with every change that a decision could depend on.
    pub generation: i64,
    /// The first number for new entries. Refused: numbers given by the database, for then a change could not name an entry
    /// that another one inserts, nor be compared in a test.
    pub next_number: i64,
    /// The rules whose labels are published.
    pub rules: String,
    /// The questions that were answered.
    pub asked: Inquiry,
    /// By source: entries under the keys that were asked for, by number.
    pub known: HashMap<String, BTreeMap<i64, Known>>,
    /// By source.
    pub listings: HashMap<String, Vec<Listed>>,
    /// By source.
    pub spans: HashMap<String, Vec<ListedSpan>>,
    /// By period and clue: numbers, the latest first.
    pub recent: HashMap<(Period, i64), Vec<i64>>,
    /// By clue: numbers, the latest first.
    pub lasting: HashMap<i64, Vec<i64>>,
    /// By number.
    pub peers: HashMap<i64, Peer>,
    /// By story: the numbers of all its entries, the head first.
    pub stories: HashMap<i64, Vec<i64>>,
    /// Of the peers, each once.
    pub bonds: BTreeSet<Bond>,
    /// By number.
    pub texts: HashMap<i64, StoredEntry>,
    /// The Atom ids that are taken.
    pub atom_ids: HashSet<String>,
    /// By topic: stories by their place.
    pub windows: HashMap<String, BTreeMap<Order, Gist>>,
    /// By number.
    pub gists: HashMap<i64, Gist>,
    /// The stories of the peers for which a topic's related news was chosen.
    pub related: HashSet<(String, i64)>,
}

impl Surroundings {
    /// Adds the answers of a second look; `None` if the store has changed between the two.
    #[must_use]
    pub fn with(mut self, more: Self) -> Option<Self> {
        if self.asked.is_empty() {
            return Some(more);
        }
        if self.generation != more.generation {
            return None;
        }
        self.asked.extend(&more.asked);
        for (source_id, known) in more.known {
            self.known.entry(source_id).or_default().extend(known);
        }
        for (topic, stories) in more.windows {
            self.windows.entry(topic).or_default().extend(stories);
        }
        self.listings.extend(more.listings);
        self.spans.extend(more.spans);
        self.recent.extend(more.recent);
        self.lasting.extend(more.lasting);
        self.peers.extend(more.peers);
        self.stories.extend(more.stories);
        self.bonds.extend(more.bonds);
        self.texts.extend(more.texts);
        self.atom_ids.extend(more.atom_ids);
        self.gists.extend(more.gists);
        self.related.extend(more.related);
        Some(self)
    }
}
