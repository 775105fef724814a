//! Rules that tell a topic's entries from others, learnt from labelled entries: greedy forward selection.
//!
//! Starting from the topic as it is, each step makes the change that raises F1 most: a new term, phrase, tag or pair of near
//! words, a word more in a list of `near`, a term less in a rule. Only words that stand in entries of two sources are
//! candidates. Cross-validation with folds of whole sources chooses the number of steps, and measures the result on sources
//! that the rules were not learnt from. No randomness: the same entries give the same rules. L1-regularised logistic
//! regression on the same words did worse (`benches/RESULTS.md`).

mod candidates;
mod joining;
mod learner;
mod leaving;
mod refused;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Field, Fields, Matcher, Pattern, Rule, Term, Topic, Verdict};

use candidates::Extract;
use learner::Learner;
pub use refused::RefusedWords;

/// Number of folds of the cross-validation.
pub const FOLDS: usize = 3;

/// Labelled entries of each kind below which nothing can be learnt.
pub const EACH_MIN: usize = 5;
/// Sources of the entries of each kind below which nothing can be learnt.
pub const SOURCES_MIN: usize = FOLDS;

/// Largest number of steps, thus of terms that are learnt.
const STEPS_MAX: usize = 16;

/// Number of words between the two of a learnt pair.
const WITHIN: u32 = 12;

/// A labelled entry.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// Its texts, with its source.
    pub fields: Fields,
    /// Whether it is about the topic.
    pub is_about: bool,
}

/// The decisions of a topic on labelled entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// Entries about it that are in.
    pub right: usize,
    /// Others that are in.
    pub false_alarms: usize,
    /// Entries about it that are not in.
    pub missed: usize,
}

/// A change of a topic.
#[derive(Debug, Clone, PartialEq)]
pub enum Amendment {
    /// A rule of one term or one pair.
    Rule(Rule),
    /// One more term in a rule `near` of the topic.
    Term {
        /// The rule's place in the topic.
        rule: usize,
        /// The place of its list: 0 or 1.
        list: usize,
        /// The term.
        term: Term,
    },
    /// One term less in a rule of the topic.
    Without {
        /// The rule's place in the topic.
        rule: usize,
        /// The term's place in both lists of the rule taken together.
        place: usize,
        /// The term.
        term: Term,
    },
}

/// A change that was learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedRule {
    /// The change.
    pub amendment: Amendment,
    /// Labelled entries about the topic that hold its words, and others.
    pub about: usize,
    /// Others.
    pub others: usize,
    /// Sources of these entries.
    pub sources: usize,
}

/// The outcome of learning.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// The topic as it is.
    pub before: Accuracy,
    /// The topic with rules learnt from the other folds, on each fold.
    pub after: Accuracy,
    /// The rules learnt from all entries, each of one term or pair. Empty if none holds on other sources.
    pub rules: Vec<LearnedRule>,
}

/// The labels that are lacking before anything can be learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// Labelled entries about the topic.
    pub about: usize,
    /// Labelled entries that are not.
    pub others: usize,
    /// Sources of the entries about it.
    pub about_sources: usize,
    /// Sources of the others.
    pub other_sources: usize,
}

/// The kinds of rules that are learnt. Terms of one kind share a rule, but for pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum RuleKind {
    /// A term that is enough in title, lead or tags.
    Strong,
    /// A term that is half enough.
    Weak,
    /// A tag that is enough.
    Tagged,
    /// Two words near one another in title and lead.
    Pair,
    /// A term that pushes away.
    Away,
    /// One more term in a list of a rule `near` of the topic: the places of the rule and of the list.
    Joining(usize, usize),
    /// One term less in a rule of the topic: the places of the rule and of the term.
    Leaving(usize, usize),
}

impl Accuracy {
    /// The harmonic mean of precision and recall; 1 if there was nothing to find and nothing was found.
    #[must_use]
    pub fn f1(self) -> f64 {
        let all = 2 * self.right + self.false_alarms + self.missed;
        if all == 0 { 1.0 } else { 2.0 * self.right as f64 / all as f64 }
    }

    fn count(&mut self, is_about: bool, is_in: bool) {
        match (is_about, is_in) {
            (true, true) => self.right += 1,
            (false, true) => self.false_alarms += 1,
            (true, false) => self.missed += 1,
            (false, false) => {}
        }
    }
}

impl std::ops::Add for Accuracy {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            right: self.right + other.right,
            false_alarms: self.false_alarms + other.false_alarms,
            missed: self.missed + other.missed,
        }
    }
}

/// Learns rules for the topic `id` of these topics from labelled entries.
///
/// # Errors
/// When there are too few entries, or too few sources, of either kind.
pub fn learn_rules(
    topics: &[Topic],
    id: &str,
    lessons: &[Lesson],
    refused: &RefusedWords,
) -> Result<Learned, Shortage> {
    check_enough(lessons)?;
    let Some(topic) = topics.iter().find(|topic| topic.id == id) else { return Ok(Learned::nothing()) };
    let all: Vec<usize> = (0..lessons.len()).collect();
    let extract = Extract::new(topic, lessons, refused);
    let standing = standings(topics, id, lessons);
    let learner = Learner { topic, lessons, standing: &standing, extract: &extract };
    let before = accuracy(topics, id, lessons, &all);
    let mut after = Accuracy::default();
    for (learnt_from, tested_on) in folds(lessons, &all) {
        let steps = learner.steps(&learnt_from, learner.length(&learnt_from));
        let amendments: Vec<Amendment> = steps.iter().filter_map(|step| learner.amendment(*step)).collect();
        let with = with_amendments(topics, id, &amendments);
        after = after + accuracy(&with, id, lessons, &tested_on);
    }
    if after.f1() <= before.f1() {
        return Ok(Learned { before, after, rules: Vec::new() });
    }
    let steps = learner.steps(&all, learner.length(&all));
    let rules = steps.iter().filter_map(|step| learner.learned(*step)).collect();
    Ok(Learned { before, after, rules })
}

/// Finds rules for the topic `id` among entries that nobody has labelled: words that stand mostly in entries which are in
/// the topic, and in a few that are not. Nothing can be measured.
#[must_use]
pub fn hint_at_rules(topics: &[Topic], id: &str, lessons: &[Lesson], refused: &RefusedWords) -> Vec<LearnedRule> {
    let Some(topic) = topics.iter().find(|topic| topic.id == id) else { return Vec::new() };
    let extract = Extract::new(topic, lessons, refused);
    let standing = standings(topics, id, lessons);
    Learner { topic, lessons, standing: &standing, extract: &extract }.hints()
}

impl Learned {
    fn nothing() -> Self {
        Self { before: Accuracy::default(), after: Accuracy::default(), rules: Vec::new() }
    }
}

fn check_enough(lessons: &[Lesson]) -> Result<(), Shortage> {
    let of = |is_about: bool| lessons.iter().filter(move |lesson| lesson.is_about == is_about);
    let sources = |is_about| of(is_about).map(|lesson| &lesson.fields.source_id).collect::<BTreeSet<_>>().len();
    let shortage = Shortage {
        about: of(true).count(),
        others: of(false).count(),
        about_sources: sources(true),
        other_sources: sources(false),
    };
    let is_enough = shortage.about.min(shortage.others) >= EACH_MIN
        && shortage.about_sources.min(shortage.other_sources) >= SOURCES_MIN;
    if is_enough { Ok(()) } else { Err(shortage) }
}

/// The points of the topic in each entry; `None` if something keeps the entry out whatever its points.
fn standings(topics: &[Topic], id: &str, lessons: &[Lesson]) -> Vec<Option<f64>> {
    let matcher = Matcher::new(topics.to_vec());
    let place = topics.iter().position(|topic| topic.id == id).unwrap_or_default();
    let standing = |lesson: &Lesson| {
        let weighed = matcher.weighed(&lesson.fields);
        let weighed = weighed.get(place)?;
        match weighed.verdict {
            Verdict::In | Verdict::BelowThreshold => Some(weighed.score),
            Verdict::Excluded(_) | Verdict::OtherLanguage | Verdict::OtherSource | Verdict::OtherTopic(_) => None,
        }
    };
    lessons.iter().map(standing).collect()
}

/// Measures the topic `id` on some of the entries.
fn accuracy(topics: &[Topic], id: &str, lessons: &[Lesson], on: &[usize]) -> Accuracy {
    let matcher = Matcher::new(topics.to_vec());
    let mut accuracy = Accuracy::default();
    for lesson in on.iter().filter_map(|place| lessons.get(*place)) {
        let is_in = matcher.labels(&lesson.fields).iter().any(|label| label.topic == id);
        accuracy.count(lesson.is_about, is_in);
    }
    accuracy
}

/// Parts the entries into folds of whole sources: pairs of entries to learn from and entries to test on.
fn folds(lessons: &[Lesson], among: &[usize]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut sources: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for lesson in among.iter().filter_map(|place| lessons.get(*place)) {
        let (about, all) = sources.entry(lesson.fields.source_id.as_str()).or_default();
        *about += usize::from(lesson.is_about);
        *all += 1;
    }
    let mut order: Vec<(&str, (usize, usize))> = sources.into_iter().collect();
    // Those with the most entries about the topic first, each into the fold that has the fewest.
    order.sort_by(|(a, counts_a), (b, counts_b)| counts_b.cmp(counts_a).then(a.cmp(b)));
    let mut loads = [(0, 0); FOLDS];
    let mut fold_of: HashMap<&str, usize> = HashMap::new();
    for (source, (about, all)) in order {
        let lightest = loads.iter().enumerate().min_by_key(|(_, load)| **load).map_or(0, |(fold, _)| fold);
        if let Some((abouts, alls)) = loads.get_mut(lightest) {
            *abouts += about;
            *alls += all;
        }
        fold_of.insert(source, lightest);
    }
    let fold =
        |place: usize| lessons.get(place).and_then(|lesson| fold_of.get(lesson.fields.source_id.as_str())).copied();
    let part = |tested: usize| among.iter().copied().partition(|place| fold(*place) != Some(tested));
    (0..FOLDS).map(part).collect()
}

/// Puts amendments into the topic `id`: terms of one kind into one rule, pairs each into its own.
#[must_use]
pub fn with_amendments(topics: &[Topic], id: &str, amendments: &[Amendment]) -> Vec<Topic> {
    let mut topics = topics.to_vec();
    for topic in topics.iter_mut().filter(|topic| topic.id == id) {
        topic.amend(amendments);
    }
    topics
}

impl Topic {
    /// Makes the changes that were learnt.
    pub fn amend(&mut self, amendments: &[Amendment]) {
        let mut rules = Vec::new();
        let mut leaving: BTreeSet<(usize, usize)> = BTreeSet::new();
        for amendment in amendments {
            match amendment {
                Amendment::Rule(rule) => rules.push(rule.clone()),
                Amendment::Without { rule, place, term: _ } => {
                    leaving.insert((*rule, *place));
                }
                Amendment::Term { .. } => {}
            }
        }
        // The last first, so that the places of the others stay.
        for (rule, place) in leaving.into_iter().rev() {
            if let Some(rule) = self.rules.get_mut(rule) {
                rule.pattern.leave(place);
            }
        }
        for amendment in amendments {
            if let Amendment::Term { rule, list, term } = amendment
                && let Some(Rule { pattern: Pattern::Near { left, right, within: _ }, .. }) = self.rules.get_mut(*rule)
            {
                if *list == 0 { left.push(term.clone()) } else { right.push(term.clone()) }
            }
        }
        self.rules.extend(gathered(&rules));
    }
}

impl Pattern {
    /// Takes a term out, by its place in both lists taken together.
    fn leave(&mut self, place: usize) {
        let (list, place) = match self {
            Self::Any(terms) => (terms, place),
            Self::Near { left, right, within: _ } => match place.checked_sub(left.len()) {
                None => (left, place),
                Some(place) => (right, place),
            },
        };
        if place < list.len() {
            list.remove(place);
        }
    }
}

/// Gathers rules that differ in their terms alone into one.
#[must_use]
pub fn gathered(rules: &[Rule]) -> Vec<Rule> {
    let mut gathered: Vec<Rule> = Vec::new();
    for rule in rules {
        let same = gathered.iter_mut().find(|known| known.name == rule.name && known.fields == rule.fields);
        match (same, &rule.pattern) {
            (Some(Rule { pattern: Pattern::Any(known), .. }), Pattern::Any(terms)) => {
                known.extend(terms.iter().cloned());
            }
            _ => gathered.push(rule.clone()),
        }
    }
    gathered
}

impl RuleKind {
    /// The kinds of rules with one term.
    const OF_ONE_TERM: [Self; 4] = [Self::Strong, Self::Weak, Self::Tagged, Self::Away];

    /// The name of its rule in the config.
    fn name(self) -> &'static str {
        match self {
            Self::Strong | Self::Joining(..) | Self::Leaving(..) => "learnt",
            Self::Weak => "learnt, weak",
            Self::Tagged => "learnt, tags",
            Self::Pair => "learnt, near",
            Self::Away => "learnt, noise",
        }
    }

    fn fields(self) -> &'static [Field] {
        match self {
            Self::Strong | Self::Weak | Self::Joining(..) | Self::Leaving(..) => {
                &[Field::Title, Field::Lead, Field::Body, Field::Tags]
            }
            Self::Tagged => &[Field::Tags],
            Self::Pair => &[Field::Title, Field::Head],
            Self::Away => &[Field::Title, Field::Lead],
        }
    }

    /// The weight of its rule: in halves, as people write them. `None` if the topic does not look at these fields.
    fn weight(self, topic: &Topic) -> Option<f64> {
        let in_halves = |weight: f64| (weight * 2.0).ceil() / 2.0;
        let enough = |boost: f64| (boost > 0.0 && topic.threshold > 0.0).then(|| in_halves(topic.threshold / boost));
        match self {
            Self::Strong => enough(topic.boost.lead),
            Self::Weak => enough(topic.boost.lead).map(|weight| weight / 2.0),
            Self::Tagged => enough(topic.boost.tags),
            Self::Pair => enough(topic.boost.head),
            Self::Away => enough(topic.boost.lead).map(|weight| -weight),
            // The points of the rule that it joins or leaves are known.
            Self::Joining(..) | Self::Leaving(..) => Some(1.0),
        }
    }

    /// The rule of the topic in which only the best term counts; `None` where points add up.
    fn shared(self) -> Option<Self> {
        match self {
            Self::Pair | Self::Leaving(..) => None,
            Self::Joining(rule, _) => Some(Self::Joining(rule, 0)),
            Self::Strong | Self::Weak | Self::Tagged | Self::Away => Some(self),
        }
    }
}

#[cfg(test)]
mod tests;
