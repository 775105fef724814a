//! The part that each rule and term plays in an entry, and the changes of a rule that would let an entry in: for an editor
//! who asks which word brings what.

use super::explain::{near_misses, shortfall};
use super::index::Found;
use super::matcher::{Matcher, TopicDecision, Verdict, decide_topics};
use super::score::Sought;
use super::{Field, Fields, NearMiss, Pattern, Rule, Shortfall, Topic};

/// Largest weight of a rule in a config.
const WEIGHT_MAX: f64 = 100.0;

/// Share of the points of a rule `near` that one of its groups alone is worth.
const ONE_GROUP_SHARE: f64 = 0.1;

/// A part of a topic that an editor can take out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TopicPart {
    /// A rule, by its place in the topic.
    Rule(usize),
    /// A term of a rule, by its place in both groups taken together.
    Term {
        /// The rule's place.
        rule: usize,
        /// Its own.
        term: usize,
    },
    /// A term of `not`, by its place.
    Not(usize),
}

/// The part that a rule or a term plays in one entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartWeight {
    /// The rule or the term.
    pub part: TopicPart,
    /// Its points: those of the rule, or of the rule with this term alone. 0 if it only stands in the text.
    pub points: f64,
    /// Whether it decides: without it the entry would be out, or without the term of `not` in.
    pub is_decisive: bool,
}

/// An entry as one topic weighs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// In or why not.
    pub verdict: Verdict,
    /// The points of all rules, and the source's bonus.
    pub score: f64,
    /// The points that the best of the rules which nearly counted would bring; 0 if none did. Groups of `near` that stand too
    /// far apart are worth less the farther they do, and one group alone a tenth: it often is a common word.
    pub missed: f64,
    /// The rules that count, and the terms that stand in the entry.
    pub parts: Vec<PartWeight>,
}

/// A change of one rule that lets more entries in.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The rule's place in the topic.
    pub rule: usize,
    /// The change.
    pub change: RuleChange,
}

/// A change of a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RuleChange {
    /// Another weight.
    Weight(f64),
    /// One more field to look in.
    Field(Field),
    /// Another distance of the two terms of `near`, in words.
    Within(u32),
}

impl Matcher {
    /// Weighs an entry in every topic, in the order of the topics.
    #[must_use]
    pub fn weighed(&self, fields: &Fields) -> Vec<Weighed> {
        let folded = self.folded(fields.folding());
        let found = folded.index.find(fields);
        let decisions = decide_topics(folded.topics.iter(), fields, &found, || fields.tongue());
        decisions.iter().map(|decision| weighed(decision, &found)).collect()
    }

    /// Returns the changes of single rules that may let an entry into a topic, by its place: what other entries they bring
    /// has to be tried.
    #[must_use]
    pub fn openings(&self, fields: &Fields, topic: usize) -> Vec<Opening> {
        let folded = self.folded(fields.folding());
        let found = folded.index.find(fields);
        let decisions = decide_topics(folded.topics.iter(), fields, &found, || fields.tongue());
        let decision = decisions.get(topic).filter(|decision| decision.verdict == Verdict::BelowThreshold);
        decision.map(|decision| openings(decision, &found)).unwrap_or_default()
    }
}

fn openings(decision: &TopicDecision<'_>, found: &Found) -> Vec<Opening> {
    let topic = &decision.watched.topic;
    let lack = topic.threshold - decision.score;
    let rules = topic.rules.iter().zip(&decision.watched.rules).enumerate();
    let changes = rules.filter_map(|(place, (rule, sought))| {
        let change = match sought.worth(rule, topic, found) {
            Some(worth) if worth.points > 0.0 => {
                // The next half, since people write such weights.
                let weight = (rule.weight * (worth.points + lack) / worth.points * 2.0).ceil() / 2.0;
                (weight <= WEIGHT_MAX).then_some(RuleChange::Weight(weight))
            }
            None if rule.weight > 0.0 => match shortfall(rule, sought, found)? {
                Shortfall::OtherField { field, .. } => Some(RuleChange::Field(field)),
                Shortfall::TooFar { distance, .. } => Some(RuleChange::Within(distance)),
                Shortfall::OneGroup { .. } => None,
            },
            Some(_) | None => None,
        };
        Some(Opening { rule: place, change: change? })
    });
    changes.collect()
}

impl Topic {
    /// Returns the topic with a rule changed.
    #[must_use]
    pub fn opened(&self, opening: &Opening) -> Self {
        let mut topic = self.clone();
        if let Some(rule) = topic.rules.get_mut(opening.rule) {
            match (opening.change, &mut rule.pattern) {
                (RuleChange::Weight(weight), _) => rule.weight = weight,
                (RuleChange::Field(field), _) => rule.fields.push(field),
                (RuleChange::Within(distance), Pattern::Near { within, .. }) => *within = distance,
                (RuleChange::Within(_), Pattern::Any(_)) => {}
            }
        }
        topic
    }
}

fn weighed(decision: &TopicDecision<'_>, found: &Found) -> Weighed {
    let TopicDecision { watched, score, verdict, included } = decision;
    let topic = &watched.topic;
    let own_score: f64 = score - included.as_ref().map_or(0.0, |reason| reason.points);
    // An entry that an included topic brings in stays in without any rule of this one.
    let may_decide = *verdict == Verdict::In && included.is_none();
    let is_decisive = |points: f64| may_decide && own_score - points < topic.threshold;
    let mut parts = Vec::new();
    for (place, (rule, sought)) in topic.rules.iter().zip(&watched.rules).enumerate() {
        let points = sought.worth(rule, topic, found).map_or(0.0, |worth| worth.points);
        if points != 0.0 {
            parts.push(PartWeight { part: TopicPart::Rule(place), points, is_decisive: is_decisive(points) });
        }
        parts.extend(terms(sought).filter_map(|(term, number)| {
            if !found.holds_anywhere(number) {
                return None;
            }
            let worth = |sought: Sought| sought.worth(rule, topic, found).map_or(0.0, |worth| worth.points);
            let alone = worth(sought.only(term));
            let lost = if alone == 0.0 { 0.0 } else { points - worth(sought.without(term)) };
            let part = TopicPart::Term { rule: place, term };
            Some(PartWeight { part, points: alone, is_decisive: alone != 0.0 && is_decisive(lost) })
        }));
    }
    let holding: Vec<usize> = watched.barred(found).collect();
    parts.extend(holding.iter().map(|place| {
        let is_decisive = matches!(verdict, Verdict::Excluded(_)) && holding.len() == 1;
        PartWeight { part: TopicPart::Not(*place), points: 0.0, is_decisive }
    }));
    let near = if *verdict == Verdict::BelowThreshold { near_misses(watched, found) } else { Vec::new() };
    let worth = |miss: &NearMiss| match miss.shortfall {
        Shortfall::OtherField { .. } => miss.points,
        Shortfall::TooFar { distance, within, .. } => miss.points * f64::from(within) / f64::from(distance.max(1)),
        Shortfall::OneGroup { .. } => miss.points * ONE_GROUP_SHARE,
    };
    let missed = near.iter().map(worth).fold(0.0, f64::max);
    Weighed { verdict: verdict.clone(), score: own_score, missed, parts }
}

/// The terms of a rule, each with its place in both groups taken together.
fn terms(sought: &Sought) -> impl Iterator<Item = (usize, usize)> {
    sought.terms().enumerate()
}

impl Rule {
    /// Its terms, both groups taken together.
    pub fn terms(&self) -> impl Iterator<Item = &super::Term> {
        self.pattern.groups().into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{any, near, topic};
    use super::*;

    /// Weighs a title in a topic with one rule.
    fn check(rule: Rule, title: &str, expected: &[(TopicPart, f64, bool)]) {
        let weighed = Matcher::new(vec![topic(vec![rule], &["cinéma"])]).weighed(&fields(title));
        let found: Vec<_> =
            weighed[0].parts.iter().map(|weight| (weight.part, weight.points, weight.is_decisive)).collect();
        assert_eq!(found, expected, "{title}");
    }

    fn fields(title: &str) -> Fields {
        Fields::new(title, "", "", &[], "")
    }

    const RULE: TopicPart = TopicPart::Rule(0);

    fn term(term: usize) -> TopicPart {
        TopicPart::Term { rule: 0, term }
    }

    #[test]
    fn a_term_decides_if_no_other_stands_for_it() {
        let rule = || any(&["tablette", "ordinateur"]);
        check(rule(), "Des tablettes", &[(RULE, 9.0, true), (term(0), 9.0, true)]);
        let both = [(RULE, 9.0, true), (term(0), 9.0, false), (term(1), 9.0, false)];
        check(rule(), "Des tablettes et des ordinateurs", &both);
        check(rule(), "Des cahiers", &[]);
    }

    #[test]
    fn a_term_of_near_that_stands_alone_gives_nothing() {
        let rule = || near(&["tablette"], &["élève"], 3);
        check(rule(), "Des tablettes", &[(term(0), 0.0, false)]);
        check(rule(), "Une tablette par élève", &[(RULE, 9.0, true), (term(0), 9.0, true), (term(1), 9.0, true)]);
    }

    #[test]
    fn a_term_of_not_decides_where_the_points_would_do() {
        let rule = || any(&["tablette"]);
        let out = [(RULE, 9.0, false), (term(0), 9.0, false), (TopicPart::Not(0), 0.0, true)];
        check(rule(), "Une tablette au cinéma", &out);
        check(rule(), "Le cinéma", &[(TopicPart::Not(0), 0.0, false)]);
    }

    #[test]
    fn one_group_alone_is_hardly_near() {
        let missed = |title: &str| {
            let topic = topic(vec![near(&["tablette"], &["élève"], 3)], &[]);
            Matcher::new(vec![topic]).weighed(&fields(title))[0].missed
        };
        let far = missed("Tablettes et cahiers, crayons, gommes, règles pour les élèves");
        assert!(missed("Des tablettes") > 0.0 && missed("Des tablettes") < far / 2.0);
        assert!(missed("Des cahiers") < 0.01);
    }

    #[test]
    fn groups_that_stand_far_apart_are_hardly_near() {
        let missed = |words: usize| {
            let title = format!("Tablettes {} élèves", "mot ".repeat(words));
            Matcher::new(vec![topic(vec![near(&["tablette"], &["élève"], 3)], &[])]).weighed(&fields(&title))[0].missed
        };
        assert!(missed(4) > missed(5) && missed(5) > missed(300) * 10.0, "{} {}", missed(4), missed(300));
    }

    #[test]
    fn an_opening_lets_the_entry_in() {
        let opened = |rule: Rule, fields: &Fields| {
            let topic = topic(vec![rule], &[]);
            let opening = Matcher::new(vec![topic.clone()]).openings(fields, 0).remove(0);
            let labels = Matcher::new(vec![topic.opened(&opening)]).labels(fields);
            assert_eq!(labels.len(), 1, "{opening:?}");
            opening.change
        };
        let weak = Rule { weight: 1.0, ..any(&["tablette"]) };
        assert_eq!(opened(weak, &fields("Des tablettes")), RuleChange::Weight(2.0));
        let far = fields("Tablettes et cahiers, crayons, gommes, règles pour les élèves");
        assert_eq!(opened(near(&["tablette"], &["élève"], 3), &far), RuleChange::Within(8));
        let blind = Rule { fields: vec![Field::Body], ..any(&["tablette"]) };
        assert_eq!(opened(blind, &fields("Des tablettes")), RuleChange::Field(Field::Title));
    }
}
