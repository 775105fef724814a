//! Stories: which entries tell one, decided on all that may, inside the store's transaction.
//!
//! A new entry looks for what is the same item; what is the same as those belongs to the circle too, and so do the
//! stories that they tell. The whole circle is then parted anew, so that the order in which its entries came does not
//! count, but for who heads a story.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::relating::relate;
use crate::config::{Config, DedupSettings};
use crate::dedup::{self, Comparison, Member, Subject};
use crate::feed::Timestamp;
use crate::store::{Store, StoreError};
use crate::story::{Bond, Revision, StoredEntry};

/// Most entries that are parted at once. Each is compared with each, and no news was ever told so often.
const CIRCLE_MAX: usize = 64;

/// Which entries may tell the same story.
#[derive(Debug)]
pub(super) struct Grouping {
    /// How they are compared.
    pub(super) settings: DedupSettings,
    /// The sources whose entries keep to themselves (`dedup = false`).
    apart: HashSet<String>,
}

impl Grouping {
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
        // A source that is new to us may tell what others have told long ago.
        let told = subject.published().map_or(now, |published| published.min(now));
        let mut found = store.candidates(&subject.clues(), told - self.settings.window)?;
        // What is without a story waits for it: a store that is being rebuilt.
        found.retain(|stored| stored.story != 0 && self.may_meet(subject.source_id(), &stored.source_id));
        Ok(found)
    }

    /// Finds the story of a new entry, given what [`Grouping::candidates`] found, and makes one of stories that it links;
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
        if let Some(story) = circle.only_story(store, self)? {
            return Ok(Some(story));
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

/// Says that two entries are one story, from now on.
///
/// # Errors
/// When the store fails.
pub fn merge(store: &mut dyn Store, config: &Config, one: i64, other: i64, now: Timestamp) -> Result<(), StoreError> {
    let grouping = Grouping::of(config);
    store.atomically(&mut |store| {
        let (ours, theirs) = (mates(store, one)?, mates(store, other)?);
        bind(store, &ours, &theirs, true)?;
        grouping.regroup(store, one, now)?;
        relate(store, [one, other])?;
        store.raise_generation()
    })
}

/// Says that an entry is a story of its own, from now on; returns how many others told it.
///
/// # Errors
/// When the store fails.
pub fn split(store: &mut dyn Store, config: &Config, number: i64, now: Timestamp) -> Result<usize, StoreError> {
    let grouping = Grouping::of(config);
    let mut others = 0;
    store.atomically(&mut |store| {
        let mates = mates(store, number)?;
        let rest: Vec<i64> = mates.iter().copied().filter(|mate| *mate != number).collect();
        bind(store, &[number], &rest, false)?;
        // Nobody asked for what is left to fall apart.
        bind(store, &rest, &rest, true)?;
        others = rest.len();
        grouping.regroup(store, number, now)?;
        relate(store, mates)?;
        store.raise_generation()
    })?;
    Ok(others)
}

/// Binds each of some entries to each of others, together or apart.
fn bind(store: &mut dyn Store, some: &[i64], others: &[i64], together: bool) -> Result<(), StoreError> {
    for one in some {
        for other in others.iter().filter(|other| *other != one) {
            store.bind(Bond::new(*one, *other, together))?;
        }
    }
    Ok(())
}

/// The entries that tell a story with this one, itself among them.
fn mates(store: &mut dyn Store, number: i64) -> Result<Vec<i64>, StoreError> {
    let Some(entry) = store.entry(number)? else { return Ok(Vec::new()) };
    Ok(store.tellings(entry.story)?.iter().map(|mate| mate.number).collect())
}

/// Why an entry tells its story.
#[derive(Debug, Clone)]
pub struct Account {
    /// The entry.
    pub number: i64,
    /// What it said before it was edited, the latest first.
    pub revisions: Vec<Revision>,
    /// The head of its story.
    pub head: i64,
    /// The others that tell it.
    pub others: Vec<Kinship>,
    /// The one that is most like it and tells another story.
    pub nearest: Option<Kinship>,
}

/// How another entry compares.
#[derive(Debug, Clone)]
pub struct Kinship {
    /// The other entry.
    pub stored: StoredEntry,
    /// What their words say.
    pub comparison: Comparison,
    /// Whether they are bound together, or apart, whatever these say.
    pub bond: Option<bool>,
}

/// Says why a stored entry tells its story; `None` if it is not there.
///
/// # Errors
/// When the store fails.
pub fn account(store: &mut dyn Store, config: &Config, number: i64) -> Result<Option<Account>, StoreError> {
    let Some(entry) = store.entry(number)? else { return Ok(None) };
    let (grouping, subject) = (Grouping::of(config), Subject::stored(&entry));
    let bonds = store.bonds(number)?;
    let kinship = |stored: StoredEntry| {
        let is_of = |bond: &&Bond| bond.one == stored.number || bond.other == stored.number;
        let comparison = dedup::relation(&subject, &Subject::stored(&stored), &grouping.settings);
        Kinship { comparison, bond: bonds.iter().find(is_of).map(|bond| bond.together), stored }
    };
    let is_other = |stored: &StoredEntry| stored.number != number;
    let others = store.tellings(entry.story)?.into_iter().filter(is_other).map(kinship).collect();
    let strangers = grouping.candidates(store, &subject, entry.first_seen)?;
    let strangers = strangers.into_iter().filter(|stored| stored.story != entry.story).map(kinship);
    let likeness = |kinship: &Kinship| kinship.comparison.title + kinship.comparison.text;
    let nearest = strangers.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let revisions = store.revisions(number)?;
    Ok(Some(Account { number, revisions, head: entry.story, others, nearest }))
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
    fn admit(&mut self, place: usize, candidates: Vec<StoredEntry>, grouping: &Grouping) {
        for stored in candidates {
            let Some(one) = self.members.get(place) else { return };
            if self.has(stored.number) || !dedup::may_be_same(&one.subject, &stored) {
                continue;
            }
            let other = member(&stored);
            if dedup::relation(&one.subject, &other.subject, &grouping.settings).verdict.is_ok() {
                self.add(&stored, other);
            }
        }
    }

    /// The one story to which all others belong, if nothing in it speaks against the first member: nearly always so, and
    /// then whatever else is like them was parted from them before, and stays so.
    fn only_story(&self, store: &mut dyn Store, grouping: &Grouping) -> Result<Option<i64>, StoreError> {
        let found: HashSet<i64> = self.stories.values().copied().collect();
        let (Some(new), Some(head), 1) = (self.members.first(), found.iter().next(), found.len()) else {
            return Ok(None);
        };
        let others = store.tellings(*head)?.into_iter().filter(|mate| !self.has(mate.number));
        let mut refusals =
            others.map(|mate| dedup::relation(&new.subject, &Subject::stored(&mate), &grouping.settings).verdict.err());
        let is_refused = refusals.any(|refusal| refusal.is_some_and(dedup::Refusal::is_guard));
        Ok((!is_refused).then_some(*head))
    }

    /// Takes in what belongs to the members from the `place`th on, and to those that come with it.
    fn grow(
        &mut self,
        place: usize,
        store: &mut dyn Store,
        grouping: &Grouping,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut place = place;
        while let Some(member) = self.members.get(place) {
            if let Some(number) = member.number {
                let candidates = grouping.candidates(store, &member.subject, now)?;
                self.admit(place, candidates, grouping);
                self.add_bound(number, store)?;
            }
            place += 1;
        }
        Ok(())
    }

    /// Takes in the entries that tell a member's story with it, and those that it is bound to.
    fn add_bound(&mut self, number: i64, store: &mut dyn Store) -> Result<(), StoreError> {
        let mates = match self.stories.get(&number) {
            Some(head) => store.tellings(*head)?,
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
    fn settle(&self, store: &mut dyn Store, grouping: &Grouping, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let parts = dedup::partition(&self.members, &self.bonds, &grouping.settings);
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
