//! Stories that people correct or ask about: merge, split, and why an entry tells its story.

use std::collections::HashSet;

use super::deciding::{Draft, Grouping, Memo, candidates, regroup, wait};
use super::keeper::settle;
use crate::config::Config;
use crate::dedup::{self, Comparison, Sketched};
use crate::feed::Timestamp;
use crate::store::{self, Inquiry, Store, StoreError, Surroundings};
use crate::story::{Bond, Peer, Revision, StoredEntry};

/// Says that two entries are one story, from now on.
///
/// # Errors
/// When the store fails.
pub fn merge(store: &mut dyn Store, config: &Config, one: i64, other: i64, now: Timestamp) -> Result<(), StoreError> {
    let grouping = Grouping::of(config);
    let mut memo = Memo::new();
    settle(store, &about(&[one, other]), |around| {
        let mut draft = Draft::new(around, &grouping, &mut memo);
        let (ours, theirs) = (mates(around, one), mates(around, other));
        bind(&mut draft, &ours, &theirs, true);
        regroup(&mut draft, one, now);
        wait(&mut draft, &[one, other]);
        Ok((draft.finish()?, ()))
    })
}

/// Says that an entry is a story of its own, from now on; returns how many others told it.
///
/// # Errors
/// When the store fails.
pub fn split(store: &mut dyn Store, config: &Config, number: i64, now: Timestamp) -> Result<usize, StoreError> {
    let grouping = Grouping::of(config);
    let mut memo = Memo::new();
    settle(store, &about(&[number]), |around| {
        let mut draft = Draft::new(around, &grouping, &mut memo);
        let mates = mates(around, number);
        let rest: Vec<i64> = mates.iter().copied().filter(|mate| *mate != number).collect();
        bind(&mut draft, &[number], &rest, false);
        // Nobody asked for what is left to fall apart.
        bind(&mut draft, &rest, &rest, true);
        regroup(&mut draft, number, now);
        wait(&mut draft, &mates);
        Ok((draft.finish()?, rest.len()))
    })
}

fn about(numbers: &[i64]) -> Inquiry {
    Inquiry { peers: numbers.iter().copied().collect(), ..Inquiry::default() }
}

/// The entries that tell a story with this one, itself among them.
fn mates(around: &Surroundings, number: i64) -> Vec<i64> {
    let story = around.peers.get(&number).map(|peer| peer.story);
    story.and_then(|story| around.stories.get(&story)).cloned().unwrap_or_default()
}

/// Binds each of some entries to each of others, together or apart.
fn bind(draft: &mut Draft<'_>, some: &[i64], others: &[i64], together: bool) {
    let mut done = HashSet::new();
    for one in some {
        for other in others.iter().filter(|other| *other != one) {
            let bond = Bond::new(*one, *other, together);
            if done.insert((bond.one, bond.other)) {
                draft.bind(bond);
            }
        }
    }
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
    let grouping = Grouping::of(config);
    let mut memo = Memo::new();
    let mut around = store.surroundings(&about(&[number]))?;
    let Some(entry) = around.peers.get(&number).cloned() else { return Ok(None) };
    let near = loop {
        match near(&around, &grouping, &mut memo, &entry) {
            Ok(near) => break near,
            Err(lacking) => {
                let more = store.surroundings(&lacking)?;
                // Somebody else wrote meanwhile: look again.
                around = match around.with(more) {
                    Some(around) => around,
                    None => store.surroundings(&about(&[number]))?,
                };
            }
        }
    };
    let bond = |other: i64| {
        let bond = Bond::new(number, other, true);
        around.bonds.iter().find(|known| (known.one, known.other) == (bond.one, bond.other)).map(|bond| bond.together)
    };
    let (told, strangers): (Vec<_>, Vec<_>) = near.into_iter().partition(|(peer, _)| peer.story == entry.story);
    let likeness = |comparison: &Comparison| comparison.title + comparison.text;
    let nearest = strangers.into_iter().max_by(|(_, one), (_, other)| likeness(one).total_cmp(&likeness(other)));
    let mut kinship = |(peer, comparison): (Peer, Comparison)| {
        let stored = store::entry(store, peer.number)?;
        Ok(stored.map(|stored| Kinship { comparison, bond: bond(peer.number), stored }))
    };
    let others = told.into_iter().map(&mut kinship).collect::<Result<Vec<_>, StoreError>>()?;
    let nearest = nearest.map(&mut kinship).transpose()?.flatten();
    let others = others.into_iter().flatten().collect();
    let revisions = store.revisions(number)?;
    Ok(Some(Account { number, revisions, head: entry.story, others, nearest }))
}

/// The entries that tell an entry's story or may, each with how it compares.
fn near(
    around: &Surroundings,
    grouping: &Grouping,
    memo: &mut Memo,
    entry: &Peer,
) -> Result<Vec<(Peer, Comparison)>, Box<Inquiry>> {
    let mut draft = Draft::new(around, grouping, memo);
    let mut near = Vec::new();
    if let Some(sketched) = draft.sketched(entry.number) {
        let mut numbers = draft.told(entry.story);
        let told: HashSet<i64> = numbers.iter().copied().collect();
        let strangers = candidates(&mut draft, &sketched, entry.first_seen).unwrap_or_default();
        numbers.extend(strangers.into_iter().filter(|number| !told.contains(number)));
        for number in numbers.into_iter().filter(|number| *number != entry.number) {
            let (Some(other), Some(peer)) = (draft.sketched(number), draft.peer(number).cloned()) else { continue };
            near.push((peer, compared(&sketched, &other, grouping)));
        }
    }
    draft.finish().map(|_| near)
}

fn compared(one: &Sketched, other: &Sketched, grouping: &Grouping) -> Comparison {
    dedup::compare(&one.subject, &other.subject, &grouping.settings)
}
