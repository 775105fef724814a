//! What a decision needs to know of what is stored, asked for and read as plain data.
//!
//! A decision that finds something missing says what it lacks ([`Inquiry`]); the store is asked for that, and it is made
//! again. What was asked for and is not there is not stored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::feed::Timestamp;
use crate::story::{Bond, EntryKey, Gist, Known, Listed, ListedSpan, Order, Peer, Period, StoredEntry};

/// What a decision asks of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inquiry {
    /// By source: the entries with one of these keys as their key or their guid's.
    pub keys: BTreeMap<String, BTreeSet<EntryKey>>,
    /// The entries that these sources list, and those that they are suspected to have withdrawn.
    pub listings: BTreeSet<String>,
    /// By source: the entries that it lists, and the last [`SPANS_MAX`] that left it since then.
    pub spans: BTreeMap<String, Timestamp>,
    /// The latest [`SHARING_MAX`] entries that have a clue and were first seen in a period or later.
    pub recent: BTreeSet<(Period, i64)>,
    /// The latest [`SHARING_MAX`] entries that have a lasting clue.
    pub lasting: BTreeSet<i64>,
    /// Entries by number, with all others of their stories, and their bonds.
    pub peers: BTreeSet<i64>,
    /// Entries by number, whole.
    pub texts: BTreeSet<i64>,
    /// Whether an entry is stored under these Atom ids.
    pub atom_ids: BTreeSet<String>,
    /// By topic: the latest [`WINDOW`](crate::story::WINDOW) stories with a page before each of these places.
    pub windows: BTreeMap<String, BTreeSet<Order>>,
    /// Stories as choosing related news needs them, by number.
    pub gists: BTreeSet<i64>,
}

/// Departures that are looked at: a source that turns over its whole document all the time has many.
pub const SPANS_MAX: usize = 100;

/// Entries that are read of those that have a clue: one more than the most that a phrase may have.
pub const SHARING_MAX: usize = crate::story::COMMON_CLUE + 1;

impl Inquiry {
    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what another decision asks.
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

/// What the store knows of what was asked, all of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surroundings {
    /// The number of that moment: it grows with every change that a decision could depend on.
    pub generation: i64,
    /// New entries may take this number and those after it.
    pub next_number: i64,
    /// The rules whose labels are published.
    pub rules: String,
    /// All that was asked.
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
    /// Adds what a second look has brought. `None` if the store has changed between the two.
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
