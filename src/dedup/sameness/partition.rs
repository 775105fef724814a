//! Partition of entries into stories, decided on all of them at once: the order in which they came does not count.
//!
//! Sameness is not transitive: a short entry may be the same item as two entries that a guard keeps apart. So pairs are
//! joined from the surest down (single-linkage clustering with constraints), and never two groups with a pair that is
//! known to be different.

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
    /// The entry prepared for comparison.
    pub subject: Arc<Subject>,
}

/// Parts entries into stories; returns for each member the number of its story, counted from 0 by first members.
///
/// Bonds outweigh comparisons. The result depends on the set of members, not on their order.
#[must_use]
pub fn partition(members: &[Member], bonds: &[Bond], settings: &DedupSettings) -> Vec<usize> {
    let verdicts = Verdicts::between(members, bonds, settings);
    let mut pairs: Vec<(&Pair, &Sureness)> = verdicts.same.iter().collect();
    pairs.sort_by_key(|((first, second), sureness)| {
        let members = members.get(*first).zip(members.get(*second));
        (*sureness, members.map(|(one, other)| names(one, other)))
    });
    let mut groups = Groups::of(members.len());
    for ((first, second), sureness) in pairs {
        if *sureness == BOUND || groups.across(*first, *second).all(|(one, other)| verdicts.allow(one, other)) {
            groups.join(*first, *second);
        }
    }
    groups.numbered()
}

/// The places of two members, the lower one first.
type Pair = (usize, usize);

fn pair(one: usize, other: usize) -> Pair {
    (one.min(other), one.max(other))
}

/// The rank of a pair that is the same item; the least is the surest.
type Sureness = (u8, Reverse<u16>, Reverse<u16>);

/// The rank of a bond, surer than any likeness.
const BOUND: Sureness = (0, Reverse(0), Reverse(0));

/// The verdicts on all pairs.
#[derive(Default)]
struct Verdicts {
    same: HashMap<Pair, Sureness>,
    different: HashSet<Pair>,
    /// Of one source, without a bond.
    neighbours: HashSet<Pair>,
    /// Bound apart.
    never: HashSet<Pair>,
    /// By member: the members bound to it.
    bound: HashMap<usize, Vec<usize>>,
}

impl Verdicts {
    fn between(members: &[Member], bonds: &[Bond], settings: &DedupSettings) -> Self {
        let bonds: HashMap<(i64, i64), bool> =
            bonds.iter().map(|bond| ((bond.one, bond.other), bond.together)).collect();
        let mut verdicts = Self::default();
        for (second, other) in members.iter().enumerate() {
            for (first, one) in members.iter().enumerate().take(second) {
                match bonds.get(&numbers(one, other)) {
                    Some(true) => verdicts.bind(first, second),
                    Some(false) => {
                        verdicts.never.insert((first, second));
                    }
                    None => {
                        verdicts.compare((first, second), compare::compare(&one.subject, &other.subject, settings));
                        if one.subject.source_id == other.subject.source_id {
                            verdicts.neighbours.insert((first, second));
                        }
                    }
                }
            }
        }
        verdicts
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

    /// Whether two members may be in one story.
    ///
    /// A guard does not count if one of them is bound to an entry that is the same as the other: it was edited since,
    /// or an operator knows better. Two entries that one source tells apart are never excused by a bond.
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

fn rank(sameness: Sameness) -> u8 {
    match sameness {
        Sameness::Link => 1,
        Sameness::Guid => 2,
        Sameness::TitleText => 3,
        Sameness::Text => 4,
        Sameness::Title => 5,
    }
}

/// A share as a number with an order.
fn thousandths(share: f64) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
    let thousandths = (share * 1000.0).round() as u16;
    thousandths
}

/// The numbers of two members, as bonds name them.
fn numbers(one: &Member, other: &Member) -> (i64, i64) {
    let number = |member: &Member| member.number.unwrap_or(i64::MAX);
    (number(one).min(number(other)), number(one).max(number(other)))
}

/// The names of two members, the same on every machine.
fn names<'a>(one: &'a Member, other: &'a Member) -> [(&'a str, EntryKey); 2] {
    let mut names = [one, other].map(|member| (member.subject.source_id.as_str(), member.key));
    names.sort();
    names
}

/// Groups of members (a union-find that lists its members).
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

    /// The pairs of members across two groups.
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

    /// The group of each member, numbered by first members.
    fn numbered(&self) -> Vec<usize> {
        let mut numbers: HashMap<usize, usize> = HashMap::new();
        let number = |group: &usize| {
            let next = numbers.len();
            *numbers.entry(*group).or_insert(next)
        };
        self.of.iter().map(number).collect()
    }
}
