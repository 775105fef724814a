//! The points of a rule in an entry.

use super::index::{Found, Index, TermNumber};
use super::{Boost, Field, Pattern, Rule, Term, Topic};

/// The numbers of a rule's terms.
#[derive(Debug, Clone)]
pub(super) struct Sought {
    left: Vec<TermNumber>,
    right: Vec<TermNumber>,
}

/// The points of a rule and the field that gives them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Worth {
    /// The field that it counts on.
    pub(super) field: Field,
    /// Never 0.
    pub(super) points: f64,
}

/// A term where it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit<'a> {
    pub(super) term: &'a Term,
    pub(super) number: TermNumber,
    /// Its first token in the field.
    pub(super) start: u32,
}

impl Sought {
    /// Enters a rule's terms in the index.
    pub(super) fn new(pattern: &Pattern, index: &mut Index) -> Self {
        let [left, right] = pattern.groups().map(|terms| terms.iter().map(|term| index.add(term)).collect());
        Self { left, right }
    }

    /// The rule's terms by number.
    pub(super) fn terms(&self) -> impl Iterator<Item = TermNumber> {
        self.left.iter().chain(&self.right).copied()
    }

    /// The rule as if a term were the only one of its group; terms are counted through both groups.
    pub(super) fn only(&self, place: usize) -> Self {
        self.with_group_of(place, |own, term| own == term)
    }

    /// The rule as if a term were not there.
    pub(super) fn without(&self, place: usize) -> Self {
        self.with_group_of(place, |own, term| own != term)
    }

    fn with_group_of(&self, place: usize, is_kept: impl Fn(usize, usize) -> bool) -> Self {
        let kept = |numbers: &[TermNumber], first: usize| {
            let numbered = numbers.iter().zip(first..);
            numbered.filter(|(_, own)| is_kept(*own, place)).map(|(number, _)| *number).collect()
        };
        let middle = self.left.len();
        if place < middle {
            Self { left: kept(&self.left, 0), right: self.right.clone() }
        } else {
            Self { left: self.left.clone(), right: kept(&self.right, middle) }
        }
    }

    /// Returns the points of the rule on its best field, if it counts at all.
    pub(super) fn worth(&self, rule: &Rule, topic: &Topic, found: &Found) -> Option<Worth> {
        let mut best: Option<Worth> = None;
        for &field in &rule.fields {
            let share = match (self.mentions(&rule.pattern, field, found), field) {
                (mentions, Field::Body) => body_share(mentions, topic.body_cap),
                (0, _) => 0.0,
                (_, _) => 1.0,
            };
            let points = rule.weight * topic.boost.of(field) * share;
            if points.abs() > best.map_or(0.0, |best| best.points.abs()) {
                best = Some(Worth { field, points });
            }
        }
        best
    }

    /// Counts the matches of the pattern in a field; for `any` outside the body, 1 stands for any number.
    pub(super) fn mentions(&self, pattern: &Pattern, field: Field, found: &Found) -> usize {
        let is_there = |terms: &[TermNumber]| terms.iter().any(|term| found.holds(*term, field));
        match pattern {
            Pattern::Any(_) if field == Field::Body => union(&self.left, field, found).len(),
            Pattern::Any(_) => usize::from(is_there(&self.left)),
            Pattern::Near { within, .. } if is_there(&self.left) && is_there(&self.right) => {
                meetings(&union(&self.left, field, found), &union(&self.right, field, found), *within)
            }
            Pattern::Near { .. } => 0,
        }
    }

    /// The rule's terms where they count in a field, by group: all of `any`, those of `near` that meet.
    pub(super) fn hits<'a>(&self, pattern: &'a Pattern, field: Field, found: &Found) -> [Vec<Hit<'a>>; 2] {
        let [left, right] = pattern.groups();
        let (lefts, rights) = (union(&self.left, field, found), union(&self.right, field, found));
        let group = |terms: &'a [Term], numbers: &[TermNumber], others: &[u32]| {
            let hits = terms
                .iter()
                .zip(numbers)
                .flat_map(|(term, &number)| found.starts(number, field).map(move |start| Hit { term, number, start }));
            match pattern {
                Pattern::Any(_) => hits.collect(),
                Pattern::Near { within, .. } => hits.filter(|hit| meets(hit.start, others, *within)).collect(),
            }
        };
        [group(left, &self.left, &rights), group(right, &self.right, &lefts)]
    }

    /// The terms of either group that stand in one of the fields, near or far.
    pub(super) fn present(&self, pattern: &Pattern, fields: &[Field], found: &Found) -> Vec<String> {
        let [left, right] = pattern.groups();
        let terms = left.iter().zip(&self.left).chain(right.iter().zip(&self.right));
        let standing = terms.filter(|(_, number)| fields.iter().any(|field| found.holds(**number, *field)));
        standing.map(|(term, _)| term.written.clone()).collect()
    }

    /// Returns the smallest distance in tokens between the two groups of `near` in a field, if it holds both.
    pub(super) fn closest(&self, field: Field, found: &Found) -> Option<u32> {
        let rights = union(&self.right, field, found);
        let distance = |left: u32| {
            let next = rights.partition_point(|right| *right <= left);
            let before = rights.iter().take(next).rev().find(|right| **right != left);
            before.into_iter().chain(rights.get(next)).map(|right| left.abs_diff(*right)).min()
        };
        union(&self.left, field, found).into_iter().filter_map(distance).min()
    }
}

impl Pattern {
    /// The terms of `any` and nothing, or both groups of `near`.
    #[must_use]
    pub fn groups(&self) -> [&[Term]; 2] {
        match self {
            Self::Any(terms) => [terms, &[]],
            Self::Near { left, right, within: _ } => [left, right],
        }
    }
}

impl Boost {
    /// Returns the weight of a mention in this field.
    #[must_use]
    pub fn of(&self, field: Field) -> f64 {
        match field {
            Field::Title => self.title,
            Field::Lead => self.lead,
            Field::Head => self.head,
            Field::Body => self.body,
            Field::Tags => self.tags,
        }
    }
}

/// A long body mentions much: only repeated mentions count fully.
fn body_share(mentions: usize, cap: u32) -> f64 {
    let cap = cap.max(1);
    f64::from(u32::try_from(mentions).unwrap_or(cap).min(cap)) / f64::from(cap)
}

/// The positions of any of the terms in a field, ascending, each once.
fn union(terms: &[TermNumber], field: Field, found: &Found) -> Vec<u32> {
    let mut all: Vec<u32> = terms.iter().flat_map(|term| found.starts(*term, field)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Counts the positions of `left` within `within` tokens of one of `right`; neighbours are one meeting.
fn meetings(left: &[u32], right: &[u32], within: u32) -> usize {
    let mut count = 0;
    let mut last: Option<u32> = None;
    for &position in left {
        if last.is_none_or(|last| position - last > within) && meets(position, right, within) {
            count += 1;
            last = Some(position);
        }
    }
    count
}

/// Whether one of `others`, ascending, stands within so many tokens of `position`, and not on it.
fn meets(position: u32, others: &[u32], within: u32) -> bool {
    let from = others.partition_point(|other| *other < position.saturating_sub(within));
    let close = others.get(from..).unwrap_or_default().iter().take_while(|other| other.abs_diff(position) <= within);
    close.into_iter().any(|other| *other != position)
}
