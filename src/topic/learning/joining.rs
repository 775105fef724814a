//! Words that stand near one list of a rule `near` of the topic, and might be added to its other list.

use std::collections::{BTreeMap, HashMap};

use super::candidates::{HOLDERS_MIN, Possible, Roots, Spellings, Widespread, WordRun, each_phrase, term_of};
use super::{Lesson, RefusedWords, RuleKind};
use crate::text::Folding;
use crate::topic::index::{Found, Index};
use crate::topic::score::Sought;
use crate::topic::{Field, Pattern, Rule, Term, Topic};

/// Places of a list's terms in a field that are looked at.
const STARTS_MAX: usize = 250;

/// A rule `near` of the topic, as entries of one language are read.
struct NearRule<'a> {
    place: usize,
    rule: &'a Rule,
    within: u32,
    sought: Sought,
    /// The terms of each list.
    lists: [Vec<usize>; 2],
}

/// Finds the words that may join a list, with the points that the rule would gain in each entry.
pub(super) fn joining(
    topic: &Topic,
    lessons: &[Lesson],
    refused: &RefusedWords,
    widespread: &Widespread,
    spellings: &Spellings,
) -> Vec<Possible> {
    let mut read: HashMap<Folding, (Index, Vec<NearRule<'_>>)> = HashMap::new();
    let mut points: BTreeMap<(RuleKind, Roots), Vec<(usize, f64)>> = BTreeMap::new();
    for (number, lesson) in lessons.iter().enumerate() {
        let folding = lesson.fields.folding();
        let (index, rules) = read.entry(folding).or_insert_with(|| near_rules(topic, folding));
        if rules.is_empty() {
            return Vec::new();
        }
        let found = index.find(&lesson.fields);
        let shift = lesson.fields.title.words().len() + 2;
        let mut phrases = Vec::new();
        each_phrase(lesson, refused, |phrase| {
            if widespread.contains(&phrase.roots) {
                phrases.push(phrase);
            }
        });
        for rule in rules.iter() {
            let known = rule.sought.worth(rule.rule, topic, &found).map_or(0.0, |worth| worth.points);
            for (list, others) in [(0, &rule.lists[1]), (1, &rule.lists[0])] {
                for (roots, value) in rule.values(topic, &found, others, &phrases, shift) {
                    let held = points.entry((RuleKind::Joining(rule.place, list), roots)).or_default();
                    held.push((number, (value * rule.rule.weight - known).max(0.0)));
                }
            }
        }
    }
    let enough = points.into_iter().filter(|(_, held)| held.len() >= HOLDERS_MIN);
    let possible = enough.filter_map(|((kind, roots), points)| {
        let term = term_of(spellings.get(&roots)?);
        let RuleKind::Joining(place, list) = kind else { return None };
        let known = topic.rules.get(place).is_some_and(|rule| has_term(rule, list, &term));
        (!known).then_some(Possible { kind, terms: vec![term], points })
    });
    possible.collect()
}

/// The rules `near` that speak for a topic.
fn near_rules(topic: &Topic, folding: Folding) -> (Index, Vec<NearRule<'_>>) {
    let mut index = Index::new(folding);
    let mut rules = Vec::new();
    for (place, rule) in topic.rules.iter().enumerate().filter(|(_, rule)| rule.weight > 0.0) {
        if let Pattern::Near { left, right, within } = &rule.pattern {
            let sought = Sought::new(&rule.pattern, &mut index);
            let mut numbers = |terms: &[Term]| terms.iter().map(|term| index.add(term)).collect();
            let lists = [numbers(left), numbers(right)];
            rules.push(NearRule { place, rule, within: *within, sought, lists });
        }
    }
    (index, rules)
}

fn has_term(rule: &Rule, list: usize, term: &str) -> bool {
    let groups = rule.pattern.groups();
    groups.get(list).is_some_and(|terms| terms.iter().any(|known| known.written.eq_ignore_ascii_case(term)))
}

impl NearRule<'_> {
    /// The phrases that stand near one of the terms `others`, with the points of the rule at weight 1.
    fn values(
        &self,
        topic: &Topic,
        found: &Found,
        others: &[usize],
        phrases: &[WordRun],
        shift: usize,
    ) -> BTreeMap<Roots, f64> {
        let mut values: BTreeMap<Roots, f64> = BTreeMap::new();
        for &field in &self.rule.fields {
            let mut starts: Vec<u32> = others.iter().flat_map(|term| found.starts(*term, field)).collect();
            starts.sort_unstable();
            starts.truncate(STARTS_MAX);
            if starts.is_empty() {
                continue;
            }
            let mut mentions: BTreeMap<&str, u32> = BTreeMap::new();
            for phrase in phrases {
                let position = match (field, phrase.field) {
                    (Field::Head, Field::Lead) => {
                        phrase.position.saturating_add(u32::try_from(shift).unwrap_or(u32::MAX))
                    }
                    (Field::Head, Field::Title) => phrase.position,
                    (field, own) if field == own => phrase.position,
                    _ => continue,
                };
                let is_near = starts.iter().any(|start| start.abs_diff(position) <= self.within && *start != position);
                if is_near {
                    *mentions.entry(phrase.roots.as_str()).or_default() += 1;
                }
            }
            for (roots, mentions) in mentions {
                let cap = topic.body_cap.max(1);
                let share = if field == Field::Body { f64::from(mentions.min(cap)) / f64::from(cap) } else { 1.0 };
                let value = values.entry(roots.to_owned()).or_default();
                *value = value.max(topic.boost.of(field) * share);
            }
        }
        values
    }
}
