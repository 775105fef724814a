//! All topics against one entry.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::OnceLock;

use super::index::{Found, Index, TermNumber};
use super::score::{Hit, Sought, Worth};
use super::{Field, Fields, Label, Reason, Rule, Topic};
use crate::text::{Folding, Tongue};

/// Terms that a reason names at most, of each group of a rule.
const TERMS_NAMED: usize = 3;

/// All topics, ready to judge entries in one pass each.
///
/// Only topics that use a term which the entry holds are scored; so cost does not grow with the number of topics.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    french: Folded,
    /// Made when the first such entry comes: most never see one.
    english: OnceLock<Folded>,
    plain: OnceLock<Folded>,
}

/// All topics, their terms folded for entries of one language.
#[derive(Debug, Clone, Default)]
pub(super) struct Folded {
    pub(super) index: Index,
    pub(super) topics: Vec<Watched>,
    /// By term: the topics with a rule that uses it.
    topics_by_term: Vec<Vec<usize>>,
    /// By source: the topics that give it a bonus.
    topics_by_source: HashMap<String, Vec<usize>>,
    /// Topics that need no points of their own: their threshold is not above 0, or they include others.
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
    /// The score reaches the threshold, or a topic that it includes has it.
    In,
    /// It does not.
    BelowThreshold,
    /// This term of `not` stands in the title or lead.
    Excluded(String),
    /// It is clearly in another language.
    OtherLanguage,
    /// Its source is for other topics, or the topic for other sources.
    OtherSource,
    /// It is in this topic, which the topic excludes.
    OtherTopic(String),
}

impl Matcher {
    /// Builds the index of all terms.
    #[must_use]
    pub fn new(topics: Vec<Topic>) -> Self {
        Self { french: Folded::new(Folding::French, topics), ..Self::default() }
    }

    /// The topics that were given, in their order.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.french.topics.iter().map(|watched| &watched.topic)
    }

    /// Returns the topics that the entry is in, and why, in the order of the topics.
    #[must_use]
    pub fn labels(&self, fields: &Fields) -> Vec<Label> {
        self.folded(fields.folding()).labels(fields)
    }

    /// The topics as an entry of this language is read.
    pub(super) fn folded(&self, folding: Folding) -> &Folded {
        let new = || Folded::new(folding, self.topics().cloned().collect());
        match folding {
            Folding::French => &self.french,
            Folding::English => self.english.get_or_init(new),
            Folding::Plain => self.plain.get_or_init(new),
        }
    }
}

impl Folded {
    fn new(folding: Folding, topics: Vec<Topic>) -> Self {
        let mut folded = Self { index: Index::new(folding), ..Self::default() };
        for topic in topics {
            folded.watch(topic);
        }
        folded
    }

    fn labels(&self, fields: &Fields) -> Vec<Label> {
        let found = self.index.find(fields);
        let tongue = LazyCell::new(|| fields.tongue());
        let touched = self.topics.iter().zip(self.touched(fields, &found)).filter(|(_, is_touched)| *is_touched);
        let decisions = decide_topics(touched.map(|(watched, _)| watched), fields, &found, || *tongue);
        let chosen = decisions.into_iter().filter(|decision| decision.verdict == Verdict::In);
        let label = |decision: TopicDecision<'_>| Label {
            topic: decision.watched.topic.id.clone(),
            score: decision.score,
            reasons: decision.reasons(fields, &found),
        };
        chosen.map(label).collect()
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
        if topic.threshold <= 0.0 || !topic.include.is_empty() {
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
    fn score(&self, fields: &Fields, found: &Found) -> f64 {
        let points = self.counted(found).map(|(_, _, worth)| worth.points);
        // From 0: the sum of nothing by `sum` is -0, which JSON shows.
        points.chain(self.bonus(fields)).fold(0.0, |score, points| score + points)
    }

    /// Returns the verdict of the topic's own rules.
    fn verdict(&self, score: f64, fields: &Fields, found: &Found, tongue: impl Fn() -> Tongue) -> Verdict {
        if score < self.topic.threshold {
            return Verdict::BelowThreshold;
        }
        self.barrier(fields, found, tongue).unwrap_or(Verdict::In)
    }

    /// Returns the reason that keeps an entry out whatever its score.
    fn barrier(&self, fields: &Fields, found: &Found, tongue: impl Fn() -> Tongue) -> Option<Verdict> {
        let Topic { not, sources, language, .. } = &self.topic;
        if sources.as_ref().is_some_and(|sources| !sources.contains(&fields.source_id)) {
            return Some(Verdict::OtherSource);
        }
        if let Some((term, _)) = not.iter().zip(&self.not).find(|(_, number)| found.holds(**number, Field::Head)) {
            return Some(Verdict::Excluded(term.written.clone()));
        }
        language.as_deref().is_some_and(|wanted| !tongue().allows(wanted)).then_some(Verdict::OtherLanguage)
    }

    /// The terms of `not` that stand in an entry, by place.
    pub(super) fn barred(&self, found: &Found) -> impl Iterator<Item = usize> {
        let held = self.not.iter().enumerate().filter(|(_, number)| found.holds(**number, Field::Head));
        held.map(|(place, _)| place)
    }

    fn bonus(&self, fields: &Fields) -> Option<f64> {
        self.topic.source_bonus.get(&fields.source_id).copied()
    }
}

/// The decision of one topic about an entry.
pub(super) struct TopicDecision<'a> {
    pub(super) watched: &'a Watched,
    pub(super) score: f64,
    pub(super) verdict: Verdict,
    /// The reason beside the rules: the included topic that brings the entry in.
    pub(super) included: Option<Reason>,
}

/// Decides each topic by its own rules, then by those of the topics that it includes and excludes.
///
/// An included topic counts by its own rules, not by the topics that it includes in turn: so neither the order of topics
/// nor a circle among them matters.
pub(super) fn decide_topics<'a>(
    topics: impl Iterator<Item = &'a Watched>,
    fields: &Fields,
    found: &Found,
    tongue: impl Fn() -> Tongue,
) -> Vec<TopicDecision<'a>> {
    let mut decisions: Vec<TopicDecision<'a>> = topics
        .map(|watched| {
            let score = watched.score(fields, found);
            TopicDecision { watched, score, verdict: watched.verdict(score, fields, found, &tongue), included: None }
        })
        .collect();
    let chosen = decisions.iter().filter(|decision| decision.verdict == Verdict::In);
    let chosen: Vec<&str> = chosen.map(|decision| decision.watched.topic.id.as_str()).collect();
    for decision in &mut decisions {
        let watched = decision.watched;
        decision.combine(&chosen, || watched.barrier(fields, found, &tongue));
    }
    decisions
}

impl TopicDecision<'_> {
    /// Brings in what an included topic has chosen, keeps out what an excluded one has.
    fn combine(&mut self, chosen: &[&str], barrier: impl Fn() -> Option<Verdict>) {
        let Topic { include, exclude, threshold, .. } = &self.watched.topic;
        let chosen_of = |topics: &[String]| topics.iter().find(|id| chosen.contains(&id.as_str())).cloned();
        if self.verdict == Verdict::BelowThreshold
            && let Some(id) = chosen_of(include)
        {
            let points = threshold - self.score;
            self.verdict = barrier().unwrap_or(Verdict::In);
            self.score = *threshold;
            self.included = Some(Reason { rule: format!("topic {id}"), field: None, terms: Vec::new(), points });
        }
        if self.verdict == Verdict::In
            && let Some(id) = chosen_of(exclude)
        {
            self.verdict = Verdict::OtherTopic(id);
        }
    }

    /// The rules that counted, the source's bonus, the included topic.
    pub(super) fn reasons(&self, fields: &Fields, found: &Found) -> Vec<Reason> {
        let by_rule = self.watched.counted(found).map(|(rule, sought, worth)| {
            let hits = sought.hits(&rule.pattern, worth.field, found);
            let terms = hits.iter().flat_map(|group| first_terms(group)).collect();
            Reason { rule: rule.name.clone(), field: Some(worth.field), terms, points: worth.points }
        });
        let by_source = self.watched.bonus(fields).map(|points| Reason {
            rule: format!("source {}", fields.source_id),
            field: None,
            terms: Vec::new(),
            points,
        });
        by_rule.chain(by_source).chain(self.included.clone()).collect()
    }
}

/// The first few terms that hit, each once.
pub(super) fn first_terms(hits: &[Hit<'_>]) -> Vec<String> {
    let mut terms: Vec<String> = hits.iter().map(|hit| hit.term.written.clone()).collect();
    terms.dedup();
    terms.truncate(TERMS_NAMED);
    terms
}
