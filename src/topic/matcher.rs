//! All topics against one entry.

use std::cell::LazyCell;
use std::collections::HashMap;

use super::index::{Found, Index, TermNumber};
use super::score::{Hit, Sought, Worth};
use super::{Field, Fields, Label, Reason, Rule, Topic};
use crate::text::Tongue;

/// Terms that a reason names at most, of each group of a rule.
const TERMS_NAMED: usize = 3;

/// All topics, ready to judge entries in one pass each.
///
/// Only topics that use a term which the entry holds are scored; so cost does not grow with the number of topics.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    pub(super) index: Index,
    pub(super) topics: Vec<Watched>,
    /// By term: the topics with a rule that uses it.
    topics_by_term: Vec<Vec<usize>>,
    /// By source: the topics that give it a bonus.
    topics_by_source: HashMap<String, Vec<usize>>,
    /// Topics that need no points: their threshold is not above 0.
    open_topics: Vec<usize>,
}

/// A topic with its terms as numbers.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) topic: Topic,
    /// Parallel to the topic's rules.
    pub(super) rules: Vec<Sought>,
    /// Parallel to the topic's `not`.
    not: Vec<TermNumber>,
}

/// In or why not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The score reaches the threshold.
    In,
    /// It does not.
    BelowThreshold,
    /// This term of `not` stands in the title or lead.
    Excluded(String),
    /// It is clearly in another language.
    OtherLanguage,
    /// Its source is for other topics.
    OtherSource,
}

impl Matcher {
    /// Builds the index of all terms.
    #[must_use]
    pub fn new(topics: Vec<Topic>) -> Self {
        let mut matcher = Self::default();
        for topic in topics {
            matcher.watch(topic);
        }
        matcher
    }

    /// The topics that were given, in their order.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.iter().map(|watched| &watched.topic)
    }

    /// Returns the topics that the entry is in, and why, in the order of the topics.
    #[must_use]
    pub fn labels(&self, fields: &Fields) -> Vec<Label> {
        let found = self.index.find(fields);
        let tongue = LazyCell::new(|| fields.tongue());
        let candidates = self.topics.iter().zip(self.touched(fields, &found));
        candidates
            .filter(|(_, is_touched)| *is_touched)
            .filter_map(|(watched, _)| {
                let score = watched.score(fields, &found);
                (watched.verdict(score, &found, || *tongue) == Verdict::In).then(|| Label {
                    topic: watched.topic.id.clone(),
                    score,
                    reasons: watched.reasons(fields, &found),
                })
            })
            .collect()
    }

    /// By topic: whether anything can bring the entry in.
    fn touched(&self, fields: &Fields, found: &Found) -> Vec<bool> {
        let mut touched = vec![false; self.topics.len()];
        let by_term = found.terms().filter_map(|term| self.topics_by_term.get(term)).flatten();
        let by_source = self.topics_by_source.get(&fields.source_id).into_iter().flatten();
        for topic in by_term.chain(by_source).chain(&self.open_topics) {
            if let Some(is_touched) = touched.get_mut(*topic) {
                *is_touched = true;
            }
        }
        touched
    }

    fn watch(&mut self, topic: Topic) {
        let number = self.topics.len();
        let rules: Vec<Sought> = topic.rules.iter().map(|rule| Sought::new(&rule.pattern, &mut self.index)).collect();
        let not = topic.not.iter().map(|term| self.index.add(term)).collect();
        self.topics_by_term.resize(self.index.len(), Vec::new());
        for term in rules.iter().flat_map(Sought::terms) {
            if let Some(topics) = self.topics_by_term.get_mut(term)
                && topics.last() != Some(&number)
            {
                topics.push(number);
            }
        }
        for source in topic.source_bonus.keys() {
            self.topics_by_source.entry(source.clone()).or_default().push(number);
        }
        if topic.threshold <= 0.0 {
            self.open_topics.push(number);
        }
        self.topics.push(Watched { topic, rules, not });
    }
}

impl Watched {
    /// The rules that count, in their order.
    pub(super) fn counted<'a>(&'a self, found: &'a Found) -> impl Iterator<Item = (&'a Rule, &'a Sought, Worth)> {
        let rules = self.topic.rules.iter().zip(&self.rules);
        rules.filter_map(|(rule, sought)| Some((rule, sought, sought.worth(rule, &self.topic, found)?)))
    }

    /// The points of all rules, and the source's bonus.
    pub(super) fn score(&self, fields: &Fields, found: &Found) -> f64 {
        let points = self.counted(found).map(|(_, _, worth)| worth.points);
        // From 0: the sum of nothing by `sum` is -0, which JSON shows.
        points.chain(self.bonus(fields)).fold(0.0, |score, points| score + points)
    }

    pub(super) fn verdict(&self, score: f64, found: &Found, tongue: impl Fn() -> Tongue) -> Verdict {
        let is_told = |term: &TermNumber| found.holds(*term, Field::Head);
        if score < self.topic.threshold {
            Verdict::BelowThreshold
        } else if let Some((term, _)) = self.topic.not.iter().zip(&self.not).find(|(_, number)| is_told(number)) {
            Verdict::Excluded(term.written.clone())
        } else if self.topic.language.as_deref().is_some_and(|wanted| !tongue().allows(wanted)) {
            Verdict::OtherLanguage
        } else {
            Verdict::In
        }
    }

    /// The rules that counted, and the source's bonus.
    pub(super) fn reasons(&self, fields: &Fields, found: &Found) -> Vec<Reason> {
        let by_rule = self.counted(found).map(|(rule, sought, worth)| {
            let hits = sought.hits(&rule.pattern, worth.field, found);
            let terms = hits.iter().flat_map(|group| named(group)).collect();
            Reason { rule: rule.name.clone(), field: Some(worth.field), terms, points: worth.points }
        });
        let by_source = self.bonus(fields).map(|points| Reason {
            rule: format!("source {}", fields.source_id),
            field: None,
            terms: Vec::new(),
            points,
        });
        by_rule.chain(by_source).collect()
    }

    fn bonus(&self, fields: &Fields) -> Option<f64> {
        self.topic.source_bonus.get(&fields.source_id).copied()
    }
}

/// The first few terms that hit, each once.
pub(super) fn named(hits: &[Hit<'_>]) -> Vec<String> {
    let mut terms: Vec<String> = hits.iter().map(|hit| hit.term.written.clone()).collect();
    terms.dedup();
    terms.truncate(TERMS_NAMED);
    terms
}
