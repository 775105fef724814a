//! The surroundings with the changes that were decided so far.
//!
//! A method that returns [`IfRead`] notes in the inquiry whatever was not read yet.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::{Fresh, Grouping, IfRead, Memo};
use crate::dedup::{self, Sketched, Subject};
use crate::feed::{Entry, Timestamp};
use crate::store::{Change, Inquiry, SHARING_MAX, Surroundings};
use crate::story::{self, Bond, EntryKey, Known, Listed, ListedSpan, Peer, Period, Plain, Prepared, StoredEntry};

/// The surroundings, the changes decided so far, and the inquiry for whatever is lacking.
pub(crate) struct Draft<'a> {
    around: &'a Surroundings,
    pub(super) grouping: &'a Grouping,
    memo: &'a mut Memo,
    wants: Inquiry,
    pub(super) changes: Vec<Change>,
    next_number: i64,
    /// New and changed entries.
    peers: HashMap<i64, Peer>,
    sketched: HashMap<i64, Arc<Sketched>>,
    prepared: HashMap<i64, Arc<Prepared>>,
    /// By story with a change: its entries.
    told: HashMap<i64, BTreeSet<i64>>,
    /// By clue: the new or changed entries that have it.
    recent: HashMap<i64, Vec<i64>>,
    lasting: HashMap<i64, Vec<i64>>,
    /// Stored entries whose text was replaced.
    updated: HashSet<i64>,
    bonds: BTreeMap<(i64, i64), bool>,
    atom_ids: HashSet<String>,
    /// By source: entries that left its document.
    left: HashMap<String, HashMap<i64, Timestamp>>,
    /// By source: entries that are missed since an instant, or no more.
    missed: HashMap<String, HashMap<i64, Option<Timestamp>>>,
    /// Entries that are listed again.
    relisted: HashSet<i64>,
    /// Stored entries that came into a topic.
    gained: HashSet<i64>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(around: &'a Surroundings, grouping: &'a Grouping, memo: &'a mut Memo) -> Self {
        memo.turn_to(around.generation);
        Self {
            around,
            grouping,
            memo,
            wants: Inquiry::default(),
            changes: Vec::new(),
            next_number: around.next_number,
            peers: HashMap::new(),
            sketched: HashMap::new(),
            prepared: HashMap::new(),
            told: HashMap::new(),
            recent: HashMap::new(),
            lasting: HashMap::new(),
            updated: HashSet::new(),
            bonds: BTreeMap::new(),
            atom_ids: HashSet::new(),
            left: HashMap::new(),
            missed: HashMap::new(),
            relisted: HashSet::new(),
            gained: HashSet::new(),
        }
    }

    /// Whether everything asked so far was read.
    pub(super) fn lacks_nothing(&self) -> bool {
        self.wants.is_empty()
    }

    /// Ends the decision. The error is the inquiry for whatever it lacked.
    pub(crate) fn finish(self) -> Result<Vec<Change>, Box<Inquiry>> {
        if self.wants.is_empty() { Ok(self.changes) } else { Err(Box::new(self.wants)) }
    }

    /// The stored entries of a source that have one of these keys.
    pub(super) fn known(&mut self, source_id: &str, keys: impl Iterator<Item = EntryKey>) -> IfRead<Vec<Known>> {
        let keys: BTreeSet<EntryKey> = keys.collect();
        if keys.is_empty() {
            return Some(Vec::new());
        }
        let asked = self.around.asked.keys.get(source_id);
        if asked.is_none_or(|asked| !keys.is_subset(asked)) {
            self.wants.keys.entry(source_id.to_owned()).or_default().extend(keys);
            return None;
        }
        Some(self.around.known.get(source_id)?.values().cloned().collect())
    }

    /// The entries that a source listed or that were missed before this decision.
    pub(super) fn listed(&mut self, source_id: &str) -> IfRead<&'a [Listed]> {
        let listed = self.around.listings.get(source_id);
        if listed.is_none() {
            self.wants.listings.insert(source_id.to_owned());
        }
        listed.map(Vec::as_slice)
    }

    pub(super) fn leave(&mut self, source_id: &str, numbers: Vec<i64>, now: Timestamp) {
        if !numbers.is_empty() {
            self.left.entry(source_id.to_owned()).or_default().extend(numbers.iter().map(|number| (*number, now)));
            self.changes.push(Change::Leave { numbers, now });
        }
    }

    pub(super) fn left(&self, source_id: &str) -> HashMap<i64, Timestamp> {
        self.left.get(source_id).cloned().unwrap_or_default()
    }

    /// Entries are missed since an instant; `None` for no more.
    pub(super) fn miss(&mut self, source_id: &str, numbers: Vec<i64>, since: Option<Timestamp>) {
        if !numbers.is_empty() {
            let missed = self.missed.entry(source_id.to_owned()).or_default();
            missed.extend(numbers.iter().map(|number| (*number, since)));
            self.changes.push(Change::Miss { numbers, since });
        }
    }

    pub(super) fn missed(&mut self, source_id: &str) -> IfRead<HashMap<i64, Timestamp>> {
        let listed = self.listed(source_id)?;
        let mut missed: HashMap<i64, Option<Timestamp>> =
            listed.iter().map(|entry| (entry.number, entry.missed_since)).collect();
        missed.extend(self.missed.get(source_id).into_iter().flatten());
        missed.extend(self.relisted.iter().map(|number| (*number, None)));
        Some(missed.into_iter().filter_map(|(number, since)| Some((number, since?))).collect())
    }

    pub(super) fn begun(&self, source_id: &str) -> Vec<ListedSpan> {
        let new = self.peers.values().filter(|peer| peer.number >= self.around.next_number);
        let new = new.filter(|peer| peer.source_id == source_id);
        new.map(|peer| ListedSpan { number: peer.number, date: peer.date, from: peer.first_seen, until: None })
            .collect()
    }

    pub(super) fn spans(&mut self, source_id: &str, since: Timestamp) -> IfRead<&'a [ListedSpan]> {
        let spans = self.around.spans.get(source_id);
        if spans.is_none() {
            self.wants.spans.insert(source_id.to_owned(), since);
        }
        spans.map(Vec::as_slice)
    }

    /// A stored or new entry; also `None` if it was dropped meanwhile.
    pub(crate) fn peer(&mut self, number: i64) -> IfRead<&Peer> {
        if self.peers.contains_key(&number) {
            return self.peers.get(&number);
        }
        let peer = self.around.peers.get(&number);
        if peer.is_none() && !self.around.asked.peers.contains(&number) {
            self.wants.peers.insert(number);
        }
        peer
    }

    /// The sketch of an entry, read back.
    pub(crate) fn sketched(&mut self, number: i64) -> IfRead<Arc<Sketched>> {
        if let Some(sketched) = self.sketched.get(&number).or_else(|| self.memo.sketched.get(&number)) {
            return Some(Arc::clone(sketched));
        }
        let read = self.peer(number).map(dedup::sketched)?;
        let read = match read {
            Some(read) => read,
            // In a store that is being rebuilt the text is read once more.
            None => {
                of_text(self.around.texts.get(&number).or_else(|| {
                    self.want_text(number);
                    None
                })?)
                .0
            }
        };
        let read = Arc::new(read);
        self.memo.sketched.insert(number, Arc::clone(&read));
        Some(read)
    }

    fn want_text(&mut self, number: i64) {
        if !self.around.asked.texts.contains(&number) {
            self.wants.texts.insert(number);
        }
    }

    pub(super) fn text(&mut self, number: i64) -> IfRead<Entry> {
        if let Some(prepared) = self.prepared.get(&number) {
            return Some(prepared.entry.clone());
        }
        let stored = self.around.texts.get(&number);
        if stored.is_none() {
            self.want_text(number);
        }
        stored.map(|stored| stored.entry.clone())
    }

    /// The entries of a story, its head first.
    pub(crate) fn told(&self, story: i64) -> Vec<i64> {
        match self.told.get(&story) {
            Some(told) => told.iter().copied().collect(),
            None => self.around.stories.get(&story).cloned().unwrap_or_default(),
        }
    }

    pub(super) fn bonds(&self, number: i64) -> Vec<Bond> {
        let is_of = |bond: &&Bond| bond.one == number || bond.other == number;
        let stored = self.around.bonds.iter().filter(is_of);
        let stored = stored.filter(|bond| !self.bonds.contains_key(&(bond.one, bond.other))).copied();
        let new = self.bonds.iter().map(|((one, other), together)| Bond::new(*one, *other, *together));
        stored.chain(new.filter(|bond| is_of(&bond))).collect()
    }

    /// The latest entries that have a recent clue and were first seen in `first` or later, at most [`SHARING_MAX`].
    pub(super) fn sharing(&mut self, first: Period, clue: i64) -> IfRead<Vec<i64>> {
        let Some(stored) = self.around.recent.get(&(first, clue)) else {
            self.wants.recent.insert((first, clue));
            return None;
        };
        let new = self.recent.get(&clue);
        Some(self.merged(stored, new, |sketched| sketched.clues.recent.contains(&clue)))
    }

    /// The latest entries that have a lasting clue, at most [`SHARING_MAX`].
    pub(super) fn sharing_lasting(&mut self, clue: i64) -> IfRead<Vec<i64>> {
        let Some(stored) = self.around.lasting.get(&clue) else {
            self.wants.lasting.insert(clue);
            return None;
        };
        let new = self.lasting.get(&clue);
        Some(self.merged(stored, new, |sketched| sketched.clues.lasting.contains(&clue)))
    }

    /// Merges stored and new entries that have a clue, the latest first. A changed entry may have lost the clue.
    fn merged(&self, stored: &[i64], new: Option<&Vec<i64>>, has_still: impl Fn(&Sketched) -> bool) -> Vec<i64> {
        let has_it = |number: &i64| {
            !self.updated.contains(number) || self.sketched.get(number).is_some_and(|sketched| has_still(sketched))
        };
        let mut stored = stored.iter().copied().filter(has_it).peekable();
        let mut new = new.into_iter().flatten().rev().copied().filter(has_it).peekable();
        let mut merged = Vec::new();
        while merged.len() < SHARING_MAX {
            let latest = stored.peek().max(new.peek()).copied();
            let Some(latest) = latest else { break };
            let _ = (stored.next_if_eq(&latest), new.next_if_eq(&latest));
            merged.push(latest);
        }
        merged
    }

    /// Adds a new entry to a story, or as the head of a new one, and returns its number.
    pub(super) fn insert(&mut self, source_id: &str, fresh: &Fresh, story: Option<i64>, now: Timestamp) -> i64 {
        let prepared = &fresh.prepared;
        let number = self.next_number;
        self.next_number += 1;
        let atom_id = self.free_atom_id(source_id, fresh);
        let (story, date) = (story.unwrap_or(number), story::date(&prepared.entry, now));
        self.peers.insert(
            number,
            Peer {
                number,
                source_id: source_id.to_owned(),
                key: prepared.identity.key,
                story,
                joined: None,
                first_seen: now,
                date,
                changed: None,
                withdrawn: None,
                id: prepared.entry.id.clone(),
                canonical_link: prepared.identity.canonical_link.clone(),
                published: prepared.entry.published,
                topics: self.topics_of(fresh),
                sketch: None,
            },
        );
        self.note(number, fresh);
        let mut told: BTreeSet<i64> = self.told(story).into_iter().collect();
        told.insert(number);
        self.told.insert(story, told);
        self.changes.push(Change::Insert {
            number,
            source_id: source_id.to_owned(),
            story,
            first_seen: now,
            date,
            atom_id,
            prepared: Arc::clone(prepared),
        });
        number
    }

    /// The id that the entry came with; another one if that is taken.
    fn free_atom_id(&mut self, source_id: &str, fresh: &Fresh) -> String {
        let own = &fresh.prepared.identity.atom_id;
        if !self.around.asked.atom_ids.contains(own) {
            self.wants.atom_ids.insert(own.clone());
        }
        let is_taken = self.around.atom_ids.contains(own) || self.atom_ids.contains(own);
        let id = if is_taken { dedup::minted_id(source_id, fresh.prepared.identity.key) } else { own.clone() };
        self.atom_ids.insert(id.clone());
        id
    }

    /// Labels under other rules than those in force are not published yet.
    fn topics_of(&self, fresh: &Fresh) -> Vec<String> {
        if *fresh.prepared.rules != *self.around.rules {
            return Vec::new();
        }
        fresh.prepared.labels.iter().map(|label| label.topic.clone()).collect()
    }

    fn note(&mut self, number: i64, fresh: &Fresh) {
        self.sketched.insert(number, Arc::clone(&fresh.sketched));
        self.prepared.insert(number, Arc::clone(&fresh.prepared));
        let clues = &fresh.sketched.clues;
        for (all, clues) in [(&mut self.recent, &clues.recent), (&mut self.lasting, &clues.lasting)] {
            for clue in clues {
                let numbers = all.entry(*clue).or_default();
                // Nearly always at the end.
                if let Err(place) = numbers.binary_search(&number) {
                    numbers.insert(place, number);
                }
            }
        }
    }

    pub(super) fn update(
        &mut self,
        number: i64,
        fresh: &Fresh,
        date: Timestamp,
        changed: Option<Timestamp>,
        revision: Option<(Timestamp, usize)>,
    ) {
        let prepared = &fresh.prepared;
        let Some(before) = self.peer(number).cloned() else { return };
        self.updated.insert(number);
        // Labels under other rules than those in force are not published yet: the labels before stay until then.
        let topics = if *prepared.rules == *self.around.rules { self.topics_of(fresh) } else { before.topics.clone() };
        if topics.iter().any(|topic| !before.topics.contains(topic)) {
            self.gained.insert(number);
        }
        let published = prepared.entry.published.or(before.published);
        self.peers.insert(
            number,
            Peer {
                key: prepared.identity.key,
                date,
                changed,
                id: prepared.entry.id.clone(),
                canonical_link: prepared.identity.canonical_link.clone(),
                published,
                topics,
                ..before
            },
        );
        self.note(number, fresh);
        self.changes.push(Change::Update {
            number,
            prepared: Arc::clone(prepared),
            date,
            published,
            changed,
            revision,
        });
    }

    /// Whether an entry came into a topic by a change of its text.
    pub(super) fn gained(&self, number: i64) -> bool {
        self.gained.contains(&number)
    }

    /// Notes the entries that are news to posts.
    pub(super) fn bring(&mut self, numbers: Vec<i64>, now: Timestamp) {
        if !numbers.is_empty() {
            self.changes.push(Change::News { numbers, now });
        }
    }

    /// Notes for posts that the text of an entry of some topic says something else.
    pub(super) fn revise(&mut self, number: i64, now: Timestamp) {
        if self.peer(number).is_none_or(|peer| peer.topics.is_empty()) {
            return;
        }
        self.changes.push(Change::Revised { numbers: vec![number], now });
    }

    pub(crate) fn assign(&mut self, number: i64, story: i64, now: Timestamp) {
        let Some(peer) = self.peer(number).cloned() else { return };
        let joined = match peer.story {
            _ if story == number => None,
            before if before == number => Some(now),
            _ => peer.joined,
        };
        let mut left: BTreeSet<i64> = self.told(peer.story).into_iter().collect();
        left.remove(&number);
        let mut told: BTreeSet<i64> = self.told(story).into_iter().collect();
        told.insert(number);
        self.told.insert(peer.story, left);
        self.told.insert(story, told);
        self.peers.insert(number, Peer { story, joined, ..peer });
        self.changes.push(Change::Move { number, story, joined });
    }

    /// Notes that derived data is complete up to this entry.
    pub(crate) fn note_rebuilt(&mut self, last: i64) {
        self.changes.push(Change::Rebuilt(Some(last)));
    }

    pub(crate) fn bind(&mut self, bond: Bond) {
        self.bonds.insert((bond.one, bond.other), bond.together);
        self.changes.push(Change::Bind(bond));
    }

    /// An entry is listed again: neither missed nor withdrawn.
    pub(super) fn relist(&mut self, number: i64, now: Timestamp) {
        let Some(before) = self.peer(number).cloned() else { return };
        let is_back = before.withdrawn.is_some();
        let changed = if is_back { Some(now) } else { before.changed };
        self.peers.insert(number, Peer { changed, withdrawn: None, ..before });
        self.relisted.insert(number);
        self.changes.push(Change::Relist { number, changed });
        if is_back {
            self.revise(number, now);
        }
    }

    pub(super) fn topics(&mut self, story: i64) -> BTreeSet<String> {
        let told = self.told(story);
        told.into_iter()
            .flat_map(|number| self.peer(number).map(|peer| peer.topics.clone()).unwrap_or_default())
            .collect()
    }

    /// Whether the related news of a story in a topic was chosen.
    pub(super) fn is_related(&self, topic: &str, story: i64) -> bool {
        self.around.related.contains(&(topic.to_owned(), story))
    }
}

/// The sketch of a prepared entry, read back. All entries are compared by their sketches: hashes are shortened there.
pub(super) fn sketched_of(source_id: &str, prepared: &Prepared) -> Sketched {
    let Prepared { entry, identity, sketch, .. } = prepared;
    let read =
        dedup::read_back(source_id, entry.id.as_deref(), identity.canonical_link.as_ref(), entry.published, sketch);
    read.unwrap_or_else(|| {
        let subject = Subject::new(source_id, entry, &Plain::of(entry), identity);
        Sketched { clues: subject.clues(), subject: Arc::new(subject) }
    })
}

/// The sketch of a stored entry, made from its text and read back, and its bytes.
pub(crate) fn of_text(stored: &StoredEntry) -> (Sketched, Vec<u8>) {
    let subject = Subject::stored(stored);
    let clues = subject.clues();
    let sketch = dedup::sketch(&subject, &clues);
    let StoredEntry { source_id, entry, canonical_link, .. } = stored;
    let read = dedup::read_back(source_id, entry.id.as_deref(), canonical_link.as_ref(), entry.published, &sketch);
    (read.unwrap_or_else(|| Sketched { subject: Arc::new(subject), clues }), sketch)
}
