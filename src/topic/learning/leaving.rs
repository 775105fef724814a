//! Terms of the topic's own rules without which it would be right more often.

use std::collections::{BTreeMap, HashMap};

use super::candidates::{HOLDERS_MIN, Possible};
use super::{Lesson, RuleKind};
use crate::text::Folding;
use crate::topic::index::Index;
use crate::topic::score::Sought;
use crate::topic::{Pattern, Rule, Topic};

/// A rule of the topic, as entries of one language are read.
struct OwnRule<'a> {
    place: usize,
    rule: &'a Rule,
    sought: Sought,
    /// By term: whether another one of its list stays when it leaves.
    may_leave: Vec<bool>,
}

/// Finds the terms that may leave, with the points that their rule would lose in each entry, as negative numbers.
pub(super) fn leaving(topic: &Topic, lessons: &[Lesson]) -> Vec<Possible> {
    let mut read: HashMap<Folding, (Index, Vec<OwnRule<'_>>)> = HashMap::new();
    let mut lost: BTreeMap<(usize, usize), Vec<(usize, f64)>> = BTreeMap::new();
    for (number, lesson) in lessons.iter().enumerate() {
        let folding = lesson.fields.folding();
        let (index, rules) = read.entry(folding).or_insert_with(|| own_rules(topic, folding));
        let found = index.find(&lesson.fields);
        for OwnRule { place, rule, sought, may_leave } in rules.iter() {
            let points = |sought: &Sought| sought.worth(rule, topic, &found).map_or(0.0, |worth| worth.points);
            let with = points(sought);
            if with <= 0.0 {
                continue;
            }
            for (term, held) in sought.terms().enumerate().map(|(term, number)| (term, found.holds_anywhere(number))) {
                let without = || points(&sought.without(term));
                if held && may_leave.get(term).copied().unwrap_or_default() && without() < with {
                    lost.entry((*place, term)).or_default().push((number, without() - with));
                }
            }
        }
    }
    let enough = lost.into_iter().filter(|(_, held)| held.len() >= HOLDERS_MIN);
    let possible = enough.filter_map(|((place, term), points)| {
        let written = topic.rules.get(place)?.terms().nth(term)?.written.clone();
        Some(Possible { kind: RuleKind::Leaving(place, term), terms: vec![written], points })
    });
    possible.collect()
}

/// The rules that speak for a topic.
fn own_rules(topic: &Topic, folding: Folding) -> (Index, Vec<OwnRule<'_>>) {
    let mut index = Index::new(folding);
    let mut rules = Vec::new();
    for (place, rule) in topic.rules.iter().enumerate().filter(|(_, rule)| rule.weight > 0.0) {
        let sought = Sought::new(&rule.pattern, &mut index);
        let lists = match &rule.pattern {
            Pattern::Any(terms) => vec![terms.len()],
            Pattern::Near { left, right, within: _ } => vec![left.len(), right.len()],
        };
        let may_leave = lists.into_iter().flat_map(|terms| vec![terms > 1; terms]).collect();
        rules.push(OwnRule { place, rule, sought, may_leave });
    }
    (index, rules)
}
