//! Which entries tell one story, decided on all of them at once, so that the order in which they came does not count.
//!
//! Sameness is not transitive: a short entry may be the same item as two that a guard keeps apart. So the pairs are
//! joined from the surest down, and never two groups of which any two members are known to be different items.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::compare::{self, Comparison};
use super::subject::Subject;
use crate::config::DedupSettings;
use crate::story::{Bond, EntryKey, Sameness};

/// An entry that may tell a story with others.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its number in the store; `None` before it has one.
    pub number: Option<i64>,
    /// Its identity within its source.
    pub key: EntryKey,
    /// What it says.
    pub subject: Arc<Subject>,
}

/// Parts entries into stories; gives the number of the story of each, counted from 0 by their first member.
///
/// What `bonds` say counts whatever the texts are. The result depends on the set of members, not on their order.
#[must_use]
pub fn partition(members: &[Member], bonds: &[Bond], settings: &DedupSettings) -> Vec<usize> {
    let relations = Relations::between(members, bonds, settings);
    let mut pairs: Vec<(&Pair, &Sureness)> = relations.same.iter().collect();
    pairs.sort_by_key(|((first, second), sureness)| {
        let members = members.get(*first).zip(members.get(*second));
        (*sureness, members.map(|(one, other)| names(one, other)))
    });
    let mut groups = Groups::of(members.len());
    for ((first, second), sureness) in pairs {
        if *sureness == BOUND || groups.across(*first, *second).all(|(one, other)| relations.allow(one, other)) {
            groups.join(*first, *second);
        }
    }
    groups.numbered()
}

/// Two members by their places, the first one first.
type Pair = (usize, usize);

fn pair(one: usize, other: usize) -> Pair {
    (one.min(other), one.max(other))
}

/// How sure it is that two members are the same item; the least is the surest.
type Sureness = (u8, Reverse<u16>, Reverse<u16>);

/// Surer than any likeness.
const BOUND: Sureness = (0, Reverse(0), Reverse(0));

/// What is known of each pair of members.
#[derive(Default)]
struct Relations {
    same: HashMap<Pair, Sureness>,
    /// A guard refuses.
    different: HashSet<Pair>,
    /// Of one source, and not bound.
    neighbours: HashSet<Pair>,
    /// Bound apart.
    never: HashSet<Pair>,
    /// With whom a member is bound together.
    bound: HashMap<usize, Vec<usize>>,
}

impl Relations {
    fn between(members: &[Member], bonds: &[Bond], settings: &DedupSettings) -> Self {
        let bonds: HashMap<(i64, i64), bool> =
            bonds.iter().map(|bond| ((bond.one, bond.other), bond.together)).collect();
        let mut relations = Self::default();
        for (second, other) in members.iter().enumerate() {
            for (first, one) in members.iter().enumerate().take(second) {
                match bonds.get(&numbers(one, other)) {
                    Some(true) => relations.bind(first, second),
                    Some(false) => {
                        relations.never.insert((first, second));
                    }
                    None => {
                        relations.compare((first, second), compare::compare(&one.subject, &other.subject, settings));
                        if one.subject.source_id == other.subject.source_id {
                            relations.neighbours.insert((first, second));
                        }
                    }
                }
            }
        }
        relations
    }

    fn bind(&mut self, first: usize, second: usize) {
        self.same.insert((first, second), BOUND);
        self.bound.entry(first).or_default().push(second);
        self.bound.entry(second).or_default().push(first);
    }

    fn compare(&mut self, pair: Pair, comparison: Comparison) {
        let Comparison { verdict, text, title, .. } = comparison;
        match verdict {
            Ok(sameness) => {
                self.same.insert(pair, (rank(sameness), Reverse(thousandths(text)), Reverse(thousandths(title))));
            }
            Err(refusal) if refusal.is_guard() => {
                self.different.insert(pair);
            }
            Err(_) => {}
        }
    }

    /// Whether two members may be in one story. A guard does not count against an entry that is bound to one which is
    /// the same as the other: it was edited since, or somebody knows better. But what one source tells apart stays so.
    fn allow(&self, one: usize, other: usize) -> bool {
        let is_excused = |one: usize, other: usize| {
            self.bound
                .get(&one)
                .is_some_and(|mates| mates.iter().any(|mate| self.same.contains_key(&pair(*mate, other))))
        };
        let pair = pair(one, other);
        let is_excused = !self.neighbours.contains(&pair) && (is_excused(one, other) || is_excused(other, one));
        !self.never.contains(&pair) && (!self.different.contains(&pair) || is_excused)
    }
}

/// The surest reason first, after what is bound.
fn rank(sameness: Sameness) -> u8 {
    match sameness {
        Sameness::Link => 1,
        Sameness::Guid => 2,
        Sameness::TitleText => 3,
        Sameness::Text => 4,
        Sameness::Title => 5,
    }
}

/// A share as a number that has an order.
fn thousandths(share: f64) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
    let thousandths = (share * 1000.0).round() as u16;
    thousandths
}

/// What two members are called in bonds.
fn numbers(one: &Member, other: &Member) -> (i64, i64) {
    let number = |member: &Member| member.number.unwrap_or(i64::MAX);
    (number(one).min(number(other)), number(one).max(number(other)))
}

/// What two members are called on every machine, whichever came first.
fn names<'a>(one: &'a Member, other: &'a Member) -> [(&'a str, EntryKey); 2] {
    let mut names = [one, other].map(|member| (member.subject.source_id.as_str(), member.key));
    names.sort();
    names
}

/// Groups of members that grow together.
struct Groups {
    /// The group of each member.
    of: Vec<usize>,
    members: Vec<Vec<usize>>,
}

impl Groups {
    fn of(count: usize) -> Self {
        Self { of: (0..count).collect(), members: (0..count).map(|member| vec![member]).collect() }
    }

    fn group(&self, member: usize) -> (usize, &[usize]) {
        let group = self.of.get(member).copied().unwrap_or_default();
        (group, self.members.get(group).map(Vec::as_slice).unwrap_or_default())
    }

    /// The pairs of members of the groups of two members.
    fn across(&self, first: usize, second: usize) -> impl Iterator<Item = (usize, usize)> {
        let (one, other) = (self.group(first).1, self.group(second).1);
        one.iter().flat_map(move |member| other.iter().map(move |mate| (*member, *mate)))
    }

    fn join(&mut self, first: usize, second: usize) {
        let (into, from) = (self.group(first).0, self.group(second).0);
        if into == from {
            return;
        }
        let moved = self.members.get_mut(from).map(std::mem::take).unwrap_or_default();
        for member in &moved {
            if let Some(group) = self.of.get_mut(*member) {
                *group = into;
            }
        }
        if let Some(members) = self.members.get_mut(into) {
            members.extend(moved);
        }
    }

    /// The groups, numbered by their first members.
    fn numbered(&self) -> Vec<usize> {
        let mut numbers: HashMap<usize, usize> = HashMap::new();
        let number = |group: &usize| {
            let next = numbers.len();
            *numbers.entry(*group).or_insert(next)
        };
        self.of.iter().map(number).collect()
    }
}
