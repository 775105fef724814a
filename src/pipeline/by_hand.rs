//! Stories corrected or explained by hand: merge, split, and the account of an entry's story.

use std::collections::HashSet;

use super::deciding::{Draft, Grouping, Memo, candidates, note_waiting, regroup};
use super::keeper::look_decide_write;
use crate::config::Config;
use crate::dedup::{self, Comparison};
use crate::feed::Timestamp;
use crate::store::{self, Inquiry, Store, StoreError, Surroundings};
use crate::story::{Bond, Peer, Revision, StoredEntry};

/// Binds the stories of two entries into one, entry by entry: a bond of the two alone would say nothing about the
/// others.
///
/// # Errors
/// When the store fails.
pub fn merge(store: &mut dyn Store, config: &Config, one: i64, other: i64, now: Timestamp) -> Result<(), StoreError> {
    let grouping = Grouping::of(config);
    let mut memo = Memo::default();
    look_decide_write(store, &about(&[one, other]), |around| {
        let mut draft = Draft::new(around, &grouping, &mut memo);
        let (ours, theirs) = (mates(around, one), mates(around, other));
        bind(&mut draft, &ours, &theirs, true);
        regroup(&mut draft, one, now);
        note_waiting(&mut draft, &[one, other]);
        Ok((draft.finish()?, ()))
    })
}

/// Parts an entry from its story; returns the number of entries that are left there.
///
/// # Errors
/// When the store fails.
pub fn split(store: &mut dyn Store, config: &Config, number: i64, now: Timestamp) -> Result<usize, StoreError> {
    let grouping = Grouping::of(config);
    let mut memo = Memo::default();
    look_decide_write(store, &about(&[number]), |around| {
        let mut draft = Draft::new(around, &grouping, &mut memo);
        let mates = mates(around, number);
        let rest: Vec<i64> = mates.iter().copied().filter(|mate| *mate != number).collect();
        bind(&mut draft, &[number], &rest, false);
        // The rest must not fall apart: it is bound together.
        bind(&mut draft, &rest, &rest, true);
        regroup(&mut draft, number, now);
        note_waiting(&mut draft, &mates);
        Ok((draft.finish()?, rest.len()))
    })
}

fn about(numbers: &[i64]) -> Inquiry {
    Inquiry { peers: numbers.iter().copied().collect(), ..Inquiry::default() }
}

fn mates(around: &Surroundings, number: i64) -> Vec<i64> {
    let story = around.peers.get(&number).map(|peer| peer.story);
    story.and_then(|story| around.stories.get(&story)).cloned().unwrap_or_default()
}

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

/// The reasons why an entry tells its story.
#[derive(Debug, Clone)]
pub struct Account {
    /// The entry.
    pub number: i64,
    /// Its texts before each edit, the latest first.
    pub revisions: Vec<Revision>,
    /// The head of its story.
    pub head: i64,
    /// The other entries of its story.
    pub others: Vec<Kinship>,
    /// The most similar entry of another story.
    pub nearest: Option<Kinship>,
}

/// Another entry beside the one in question.
#[derive(Debug, Clone)]
pub struct Kinship {
    /// The other entry.
    pub stored: StoredEntry,
    /// The comparison of both.
    pub comparison: Comparison,
    /// `true` if they are bound together, `false` if apart, whatever the comparison says.
    pub bond: Option<bool>,
}

/// Explains why a stored entry tells its story; `None` if there is no such entry.
///
/// # Errors
/// When the store fails.
pub fn account(store: &mut dyn Store, config: &Config, number: i64) -> Result<Option<Account>, StoreError> {
    let grouping = Grouping::of(config);
    let mut memo = Memo::default();
    let mut around = store.surroundings(&about(&[number]))?;
    let Some(entry) = around.peers.get(&number).cloned() else { return Ok(None) };
    let near = loop {
        match near(&around, &grouping, &mut memo, &entry) {
            Ok(near) => break near,
            Err(lacking) => {
                let more = store.surroundings(&lacking)?;
                // The store has changed in between: look again.
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

/// The entries of an entry's story and its candidates, each with its comparison.
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
            near.push((peer, dedup::compare(&sketched.subject, &other.subject, &grouping.settings)));
        }
    }
    draft.finish().map(|_| near)
}
