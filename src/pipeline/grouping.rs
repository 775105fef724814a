//! Stories: which entries tell one, decided on all that may, inside the store's transaction.
//!
//! A new entry looks for what is the same item; what is the same as those belongs to the circle too, and so do the
//! stories that they tell. The whole circle is then parted anew, so that the order in which its entries came does not
//! count, but for who heads a story.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::config::{Config, DedupSettings};
use crate::dedup::{self, Member, Subject};
use crate::feed::Timestamp;
use crate::store::{Store, StoreError};
use crate::story::{Bond, StoredEntry};

/// Most entries that are parted at once. Each is compared with each, and no news was ever told so often.
const CIRCLE_MAX: usize = 64;

/// Which entries may tell the same story.
pub(super) struct Stories {
    /// How they are compared.
    pub(super) settings: DedupSettings,
    /// The sources whose entries keep to themselves (`dedup = false`).
    apart: HashSet<String>,
}

impl Stories {
    pub(super) fn of(config: &Config) -> Self {
        let apart = config.sources.iter().filter(|source| !source.dedup).map(|source| source.id.clone()).collect();
        Self { settings: config.dedup.clone(), apart }
    }

    fn may_meet(&self, one: &str, other: &str) -> bool {
        one == other || !self.apart.contains(one) && !self.apart.contains(other)
    }

    /// The stored entries that share a clue with an entry and may tell its story.
    pub(super) fn candidates(
        &self,
        store: &mut dyn Store,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let mut found = store.candidates(&subject.clues(), subject.source_id(), now - self.settings.window)?;
        found.retain(|stored| self.may_meet(subject.source_id(), &stored.source_id));
        Ok(found)
    }

    /// Finds the story of a new entry, given what [`Stories::candidates`] found, and makes one of stories that it links;
    /// `None` if it begins its own.
    pub(super) fn place(
        &self,
        store: &mut dyn Store,
        new: Member,
        candidates: Vec<StoredEntry>,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let mut circle = Circle::around(new);
        circle.admit(0, candidates, self);
        if circle.members.len() == 1 {
            return Ok(None);
        }
        circle.grow(1, store, self, now)?;
        circle.settle(store, self, now)
    }

    /// Finds the stories of a stored entry and its circle anew, after it was edited or bound.
    pub(super) fn regroup(&self, store: &mut dyn Store, number: i64, now: Timestamp) -> Result<(), StoreError> {
        let Some(stored) = store.entry(number)? else { return Ok(()) };
        let mut circle = Circle::around(member(&stored));
        circle.stories.insert(number, stored.story);
        circle.grow(0, store, self, now)?;
        circle.settle(store, self, now)?;
        Ok(())
    }

    /// Holds an edited entry in its story, though it may not say the same any more: readers were told that it is.
    pub(super) fn hold(
        &self,
        store: &mut dyn Store,
        before: &StoredEntry,
        after: &StoredEntry,
    ) -> Result<(), StoreError> {
        let mates: Vec<StoredEntry> =
            store.tellings(before.story)?.into_iter().filter(|mate| mate.number != after.number).collect();
        if mates.is_empty() {
            return Ok(());
        }
        let (before, now) = (Subject::stored(before), Subject::stored(after));
        for mate in mates {
            let subject = Subject::stored(&mate);
            let is_same = |entry: &Subject| dedup::relation(entry, &subject, &self.settings).verdict.is_ok();
            if is_same(&before) && !is_same(&now) {
                store.bind(Bond::new(after.number, mate.number, true))?;
            }
        }
        Ok(())
    }
}

fn member(stored: &StoredEntry) -> Member {
    Member { number: Some(stored.number), key: stored.key, subject: Subject::stored(stored) }
}

/// The entries that may tell a story together, directly or through others.
struct Circle {
    members: Vec<Member>,
    /// The stories that the stored ones tell now.
    stories: HashMap<i64, i64>,
    bonds: Vec<Bond>,
}

impl Circle {
    fn around(first: Member) -> Self {
        Self { members: vec![first], stories: HashMap::new(), bonds: Vec::new() }
    }

    fn has(&self, number: i64) -> bool {
        self.stories.contains_key(&number)
    }

    fn add(&mut self, stored: &StoredEntry, member: Member) {
        if self.members.len() < CIRCLE_MAX && self.stories.insert(stored.number, stored.story).is_none() {
            self.members.push(member);
        }
    }

    /// Takes in those candidates that are the same item as the member at `place`.
    fn admit(&mut self, place: usize, candidates: Vec<StoredEntry>, stories: &Stories) {
        for stored in candidates {
            let Some(one) = self.members.get(place) else { return };
            if self.has(stored.number) || !dedup::may_be_same(&one.subject, &stored) {
                continue;
            }
            let other = member(&stored);
            if dedup::relation(&one.subject, &other.subject, &stories.settings).verdict.is_ok() {
                self.add(&stored, other);
            }
        }
    }

    /// Takes in what belongs to the members from the `place`th on, and to those that come with it.
    fn grow(
        &mut self,
        place: usize,
        store: &mut dyn Store,
        stories: &Stories,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut place = place;
        while let Some(member) = self.members.get(place) {
            if let Some(number) = member.number {
                let candidates = stories.candidates(store, &member.subject, now)?;
                self.admit(place, candidates, stories);
                self.add_bound(number, store)?;
            }
            place += 1;
        }
        Ok(())
    }

    /// Takes in the entries that tell a member's story with it, and those that it is bound to.
    fn add_bound(&mut self, number: i64, store: &mut dyn Store) -> Result<(), StoreError> {
        let mates = match self.stories.get(&number) {
            Some(story) => store.tellings(*story)?,
            None => Vec::new(),
        };
        for mate in mates {
            if !self.has(mate.number) {
                self.add(&mate, member(&mate));
            }
        }
        for bond in store.bonds(number)? {
            let other = if bond.one == number { bond.other } else { bond.one };
            if bond.together
                && !self.has(other)
                && let Some(stored) = store.entry(other)?
            {
                self.add(&stored, member(&stored));
            }
            self.bonds.push(bond);
        }
        Ok(())
    }

    /// Parts the circle into stories and moves the entries that are not where they belong; returns the story of the
    /// first member, `None` if that is new and alone.
    fn settle(&self, store: &mut dyn Store, stories: &Stories, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let parts = dedup::partition(&self.members, &self.bonds, &stories.settings);
        let mut heads: BTreeMap<usize, i64> = BTreeMap::new();
        for (part, member) in parts.iter().zip(&self.members) {
            if let Some(number) = member.number {
                let head = heads.entry(*part).or_insert(number);
                *head = number.min(*head);
            }
        }
        for (part, member) in parts.iter().zip(&self.members) {
            if let (Some(number), Some(head)) = (member.number, heads.get(part))
                && self.stories.get(&number) != Some(head)
            {
                store.assign(number, *head, now)?;
            }
        }
        Ok(parts.first().and_then(|part| heads.get(part)).copied())
    }
}

#[cfg(test)]
mod tests;
