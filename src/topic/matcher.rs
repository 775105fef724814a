//! All topics against one entry in one pass.
//!
//! The words of all terms of all topics stand in one index. An entry's tokens are looked up there; only terms that begin
//! with a word that was found are tried, and only topics that use such a term are judged. So cost grows with the entry
//! and with what it matches, not with the number of topics.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Boost, Field, Fields, Label, Pattern, Reason, Rule, Term, TermPart, Topic};
use crate::text::{Levelled, Tongue, fold, lite, tongue};

/// Terms that a reason names at most.
const TERMS_NAMED: usize = 5;

/// The gap in tokens between title and lead in the head, so that no phrase spans both.
const HEAD_GAP: u32 = 2;

/// All topics, ready to judge entries.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    topics: Vec<Topic>,
    words: Words,
    terms: Vec<IndexedTerm>,
    /// By word: the terms that begin with it.
    terms_by_word: Vec<Vec<usize>>,
}

/// What became of an entry in one topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The topic's id.
    pub topic: String,
    /// In or why not.
    pub verdict: Verdict,
    /// The points of all rules, and the source's bonus.
    pub score: f64,
    /// What the topic asks for.
    pub threshold: f64,
    /// The rules that counted, and the bonus if there is one.
    pub reasons: Vec<Reason>,
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
}

#[derive(Debug, Clone)]
struct IndexedTerm {
    written: String,
    /// Numbers of words, adjacent.
    words: Vec<usize>,
    uses: Vec<Use>,
}

/// Where a term is used.
#[derive(Debug, Clone, Copy)]
enum Use {
    /// In `not` of a topic.
    Not { topic: usize },
    /// In a rule: the terms of `any`, or the left group of `near`.
    Left { topic: usize, rule: usize },
    /// In the right group of `near`.
    Right { topic: usize, rule: usize },
}

/// Where a term was found: starts by field, in tokens.
type Places = [Vec<u32>; 4];

/// The fields that are scanned; the head is made of the first two.
const SCANNED: [Field; 4] = [Field::Title, Field::Lead, Field::Body, Field::Tags];

/// What was found for one rule.
#[derive(Default)]
struct Found<'a> {
    left: Vec<(&'a str, &'a Places)>,
    right: Vec<(&'a str, &'a Places)>,
}

impl Matcher {
    /// Builds the index of all terms.
    #[must_use]
    pub fn new(topics: Vec<Topic>) -> Self {
        let mut matcher = Self::default();
        let mut known = HashMap::new();
        for (number, topic) in topics.iter().enumerate() {
            matcher.add_terms(&topic.not, Use::Not { topic: number }, &mut known);
            for (rule, Rule { pattern, .. }) in topic.rules.iter().enumerate() {
                let (left, right) = (Use::Left { topic: number, rule }, Use::Right { topic: number, rule });
                match pattern {
                    Pattern::Any(terms) => matcher.add_terms(terms, left, &mut known),
                    Pattern::Near { left: lefts, right: rights, within: _ } => {
                        matcher.add_terms(lefts, left, &mut known);
                        matcher.add_terms(rights, right, &mut known);
                    }
                }
            }
        }
        matcher.topics = topics;
        matcher
    }

    /// The topics that were given, in their order.
    #[must_use]
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    fn add_terms(&mut self, terms: &[Term], used: Use, known: &mut HashMap<Vec<TermPart>, usize>) {
        for term in terms {
            let number = *known.entry(term.parts.clone()).or_insert_with(|| {
                let words: Vec<usize> = term.parts.iter().map(|part| self.words.number(part)).collect();
                let number = self.terms.len();
                self.terms_by_word.resize(self.words.count, Vec::new());
                if let Some(terms) = words.first().and_then(|first| self.terms_by_word.get_mut(*first)) {
                    terms.push(number);
                }
                self.terms.push(IndexedTerm { written: term.written.clone(), words, uses: Vec::new() });
                number
            });
            if let Some(term) = self.terms.get_mut(number) {
                term.uses.push(used);
            }
        }
    }

    /// Returns the topics that the entry is in, and why, in the order of the topics.
    #[must_use]
    pub fn labels(&self, fields: &Fields) -> Vec<Label> {
        let in_topic = |judgement: Judgement| {
            let Judgement { topic, verdict, score, reasons, .. } = judgement;
            (verdict == Verdict::In).then_some(Label { topic, score, reasons })
        };
        self.judge(fields, false).into_iter().filter_map(in_topic).collect()
    }

    /// Returns what becomes of the entry in every topic.
    #[must_use]
    pub fn judgements(&self, fields: &Fields) -> Vec<Judgement> {
        self.judge(fields, true)
    }

    /// Judges the entry in the topics that something speaks for, or in all.
    fn judge(&self, fields: &Fields, all: bool) -> Vec<Judgement> {
        let (found, lengths) = self.find(fields);
        let mut by_rule: BTreeMap<(usize, usize), Found<'_>> = BTreeMap::new();
        let mut excluded: BTreeMap<usize, &str> = BTreeMap::new();
        for (term, places) in &found {
            for used in &term.uses {
                let named = (term.written.as_str(), places);
                match *used {
                    Use::Left { topic, rule } => by_rule.entry((topic, rule)).or_default().left.push(named),
                    Use::Right { topic, rule } => by_rule.entry((topic, rule)).or_default().right.push(named),
                    Use::Not { topic } => {
                        let [title, lead, ..] = places;
                        if !title.is_empty() || !lead.is_empty() {
                            excluded.entry(topic).or_insert(&term.written);
                        }
                    }
                }
            }
        }
        let spoken_for: BTreeSet<usize> = by_rule.keys().map(|(topic, _)| *topic).collect();
        let head_gap = lengths[0] + HEAD_GAP;
        let mut language: Option<Tongue> = None;
        let mut judgements = Vec::new();
        for (number, topic) in self.topics.iter().enumerate() {
            let bonus = topic.source_bonus.get(&fields.source_id).copied();
            if !all && !spoken_for.contains(&number) && bonus.is_none() && topic.threshold > 0.0 {
                continue;
            }
            let rules = by_rule.range((number, 0)..=(number, usize::MAX));
            let mut reasons: Vec<Reason> = rules
                .filter_map(|((_, rule), found)| reason(topic, topic.rules.get(*rule)?, found, head_gap))
                .collect();
            reasons.extend(bonus.map(|points| Reason {
                rule: format!("source {}", fields.source_id),
                field: None,
                terms: Vec::new(),
                points,
            }));
            let score = reasons.iter().fold(0.0, |sum, reason| sum + reason.points);
            let verdict = if score < topic.threshold {
                Verdict::BelowThreshold
            } else if let Some(term) = excluded.get(&number) {
                Verdict::Excluded((*term).to_owned())
            } else if topic.language.as_ref().is_some_and(|wanted| {
                !language
                    .get_or_insert_with(|| tongue(&format!("{} {} {}", fields.title, fields.lead, fields.body)))
                    .allows(wanted)
            }) {
                Verdict::OtherLanguage
            } else {
                Verdict::In
            };
            judgements.push(Judgement { topic: topic.id.clone(), verdict, score, threshold: topic.threshold, reasons });
        }
        judgements
    }

    /// Finds every term in every field; also returns the fields' lengths in tokens.
    fn find(&self, fields: &Fields) -> (Vec<(&IndexedTerm, Places)>, [u32; 4]) {
        let mut places: BTreeMap<usize, Places> = BTreeMap::new();
        let mut lengths = [0; 4];
        for (index, (field, length)) in SCANNED.into_iter().zip(&mut lengths).enumerate() {
            let positions;
            (positions, *length) = self.words.find(fields.text(field));
            let begun = positions.keys().filter_map(|word| self.terms_by_word.get(*word)).flatten();
            for number in begun {
                let starts = self.terms.get(*number).map(|term| starts(&term.words, &positions)).unwrap_or_default();
                if !starts.is_empty()
                    && let Some(place) = places.entry(*number).or_default().get_mut(index)
                {
                    *place = starts;
                }
            }
        }
        let found = places.into_iter().filter_map(|(number, places)| Some((self.terms.get(number)?, places)));
        (found.collect(), lengths)
    }
}

/// Where a phrase starts: its words at adjacent positions.
fn starts(words: &[usize], positions: &HashMap<usize, Vec<u32>>) -> Vec<u32> {
    let Some((first, rest)) = words.split_first() else { return Vec::new() };
    let at = |word: &usize, position: u32| positions.get(word).is_some_and(|all| all.binary_search(&position).is_ok());
    let begins = |start: &u32| rest.iter().zip(1..).all(|(word, offset)| at(word, start + offset));
    positions.get(first).into_iter().flatten().copied().filter(begins).collect()
}

/// What a rule is worth on its best field, if it counts at all.
fn reason(topic: &Topic, rule: &Rule, found: &Found<'_>, head_gap: u32) -> Option<Reason> {
    let mut best: Option<(Field, f64)> = None;
    for field in &rule.fields {
        let left = union(&found.left, *field, head_gap);
        let mentions = match &rule.pattern {
            Pattern::Any(_) => left.len(),
            Pattern::Near { within, .. } => meetings(&left, &union(&found.right, *field, head_gap), *within),
        };
        if mentions == 0 {
            continue;
        }
        let share = if *field == Field::Body {
            let cap = topic.body_cap.max(1);
            f64::from(u32::try_from(mentions).unwrap_or(cap).min(cap)) / f64::from(cap)
        } else {
            1.0
        };
        let points = rule.weight * topic.boost.of(*field) * share;
        if best.is_none_or(|(_, best)| points.abs() > best.abs()) {
            best = Some((*field, points));
        }
    }
    let (field, points) = best.filter(|(_, points)| *points != 0.0)?;
    let is_there = |(_, places): &&(&str, &Places)| !placed(places, field, head_gap).is_empty();
    let named = found.left.iter().chain(&found.right).filter(is_there).map(|(term, _)| (*term).to_owned());
    Some(Reason { rule: rule.name.clone(), field: Some(field), terms: named.take(TERMS_NAMED).collect(), points })
}

/// The positions of any of the terms in a field, ascending, each once.
fn union(terms: &[(&str, &Places)], field: Field, head_gap: u32) -> Vec<u32> {
    let mut all: Vec<u32> = terms.iter().flat_map(|(_, places)| placed(places, field, head_gap)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The positions in a field; the head is the title, a gap, the lead.
fn placed([title, lead, body, tags]: &Places, field: Field, head_gap: u32) -> Vec<u32> {
    match field {
        Field::Title => title.clone(),
        Field::Lead => lead.clone(),
        Field::Body => body.clone(),
        Field::Tags => tags.clone(),
        Field::Head => title.iter().copied().chain(lead.iter().map(|start| start + head_gap)).collect(),
    }
}

/// How often something of `left` stands within so many tokens of something of `right`; neighbours count as one meeting.
fn meetings(left: &[u32], right: &[u32], within: u32) -> usize {
    let mut count = 0;
    let mut last: Option<u32> = None;
    for &position in left {
        let from = right.partition_point(|other| *other < position.saturating_sub(within));
        let close = right.get(from..).unwrap_or_default().iter().take_while(|other| **other <= position + within);
        if close.into_iter().any(|other| *other != position) && last.is_none_or(|last| position - last > within) {
            count += 1;
            last = Some(position);
        }
    }
    count
}

impl Boost {
    /// What a mention in this field is worth.
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

/// The numbered words of all terms, by the form in which they are looked up.
#[derive(Debug, Clone, Default)]
struct Words {
    count: usize,
    exact: HashMap<String, usize>,
    folded: HashMap<String, usize>,
    lite: HashMap<String, usize>,
    prefixes: HashMap<String, usize>,
    /// The lengths in bytes that prefixes have.
    prefix_lengths: BTreeSet<usize>,
}

impl Words {
    fn number(&mut self, part: &TermPart) -> usize {
        let (map, text) = match part {
            TermPart::Exact(text) => (&mut self.exact, text),
            TermPart::Folded(text) => (&mut self.folded, text),
            TermPart::Word(text) => (&mut self.lite, text),
            TermPart::Prefix(text) => {
                self.prefix_lengths.insert(text.len());
                (&mut self.prefixes, text)
            }
        };
        *map.entry(text.clone()).or_insert_with(|| {
            self.count += 1;
            self.count - 1
        })
    }

    /// Returns the positions of every known word in `text`, and the text's length in tokens.
    fn find(&self, text: &str) -> (HashMap<usize, Vec<u32>>, u32) {
        let mut positions: HashMap<usize, Vec<u32>> = HashMap::new();
        let mut note = |word: Option<&usize>, position: u32| {
            if let Some(word) = word {
                let all = positions.entry(*word).or_default();
                if all.last() != Some(&position) {
                    all.push(position);
                }
            }
        };
        let mut length = 0;
        let text = Levelled::new(text);
        for token in text.tokens() {
            for surface in token.spellings() {
                let folded = fold(surface);
                let root = lite(&folded);
                note(self.exact.get(surface), length);
                note(self.folded.get(&*folded), length);
                note(self.lite.get(&*root), length);
                for size in &self.prefix_lengths {
                    note(root.get(..*size).and_then(|prefix| self.prefixes.get(prefix)), length);
                }
            }
            length += 1;
        }
        (positions, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(written: &[&str]) -> Vec<Term> {
        written.iter().map(|term| Term::parse(term).unwrap()).collect()
    }

    fn rule(pattern: Pattern, fields: &[Field]) -> Rule {
        Rule { name: "rule".into(), weight: 3.0, fields: fields.to_vec(), pattern }
    }

    fn any(written: &[&str]) -> Rule {
        rule(Pattern::Any(terms(written)), &[Field::Title, Field::Lead, Field::Body, Field::Tags])
    }

    fn near(left: &[&str], right: &[&str], within: u32) -> Rule {
        rule(Pattern::Near { left: terms(left), right: terms(right), within }, &[Field::Title, Field::Head])
    }

    fn topic(rules: Vec<Rule>, not: &[&str]) -> Topic {
        Topic {
            id: "numerique-educatif".into(),
            title: "Numérique éducatif".into(),
            description: String::new(),
            threshold: 6.0,
            language: Some("fr".into()),
            boost: Boost::default(),
            body_cap: 3,
            rules,
            not: terms(not),
            source_bonus: BTreeMap::new(),
        }
    }

    fn check(topic: Topic, fields: &Fields, verdict: &Verdict, score: f64) {
        let judgements = Matcher::new(vec![topic]).judgements(fields);
        let judgement = judgements.first().unwrap();
        assert_eq!((&judgement.verdict, judgement.score), (verdict, score), "{judgement:?}");
    }

    #[test]
    fn a_publishers_tag_alone_gets_an_entry_in() {
        let fields = Fields::new("Partenariat signé", "Le ministre a signé.", "", &["École numérique"], "education");
        check(topic(vec![any(&["école numérique"])], &[]), &fields, &Verdict::In, 6.0);
    }

    #[test]
    fn a_phrase_does_not_span_two_tags() {
        let fields = Fields::new("", "", "", &["école", "numérique"], "education");
        let matcher = Matcher::new(vec![topic(vec![any(&["école numérique"])], &[])]);
        assert_eq!(matcher.labels(&fields).len(), 1, "the parting is no token: `;` separates words, not positions");
    }

    #[test]
    fn a_rule_counts_once_on_its_best_field() {
        let fields = Fields::new("Le numérique éducatif", "Du numérique éducatif", "", &[], "");
        check(topic(vec![any(&["numérique éducatif"])], &[]), &fields, &Verdict::In, 9.0);
    }

    #[test]
    fn the_body_wants_three_mentions() {
        let fields = Fields::new("", "Un résumé", "tablette, une tablette et trois tablettes", &[], "");
        check(topic(vec![any(&["tablette"])], &[]), &fields, &Verdict::BelowThreshold, 3.0);
        let fields = Fields::new("", "Un résumé", "une tablette", &[], "");
        check(topic(vec![any(&["tablette"])], &[]), &fields, &Verdict::BelowThreshold, 1.0);
    }

    #[test]
    fn near_wants_both_groups_close_across_title_and_lead() {
        let fields = Fields::new("Des tablettes", "pour les élèves", "", &[], "");
        check(topic(vec![near(&["tablette"], &["élève"], 12)], &[]), &fields, &Verdict::In, 6.0);
        check(topic(vec![near(&["tablette"], &["élève"], 4)], &[]), &fields, &Verdict::BelowThreshold, 0.0);
    }

    #[test]
    fn a_word_is_not_near_itself() {
        let fields = Fields::new("École", "", "", &[], "");
        check(topic(vec![near(&["école"], &["école"], 12)], &[]), &fields, &Verdict::BelowThreshold, 0.0);
    }

    #[test]
    fn an_excluded_term_keeps_out_whatever_the_score() {
        let fields = Fields::new("Le numérique éducatif et le cinéma numérique", "", "", &[], "");
        let excluded = Verdict::Excluded("cinéma numérique".into());
        check(topic(vec![any(&["numérique éducatif"])], &["cinéma numérique"]), &fields, &excluded, 9.0);
    }

    #[test]
    fn a_clear_other_language_is_out_unless_any_is_wanted() {
        let fields = Fields::new("The edtech plan of the minister is in the news", "", "", &[], "");
        check(topic(vec![any(&["edtech"])], &[]), &fields, &Verdict::OtherLanguage, 9.0);
        let anything = Topic { language: None, ..topic(vec![any(&["edtech"])], &[]) };
        check(anything, &fields, &Verdict::In, 9.0);
    }

    #[test]
    fn exact_terms_keep_case_and_folded_ones_keep_endings() {
        let fields = Fields::new("Ils ent des féminin", "", "", &[], "");
        check(topic(vec![any(&["=ENT", "+feminine"])], &[]), &fields, &Verdict::BelowThreshold, 0.0);
        let fields = Fields::new("L’ENT", "", "", &[], "");
        check(topic(vec![any(&["=ENT"])], &[]), &fields, &Verdict::In, 9.0);
    }

    #[test]
    fn a_source_can_have_a_bonus() {
        let bonus = Topic { source_bonus: BTreeMap::from([("education".into(), 6.5)]), ..topic(vec![], &[]) };
        check(bonus, &Fields::new("Rien", "", "", &[], "education"), &Verdict::In, 6.5);
    }

    #[test]
    fn negative_rules_push_away() {
        let away = Rule { weight: -1.5, ..any(&["cantine"]) };
        let fields = Fields::new("Le numérique éducatif à la cantine", "", "", &[], "");
        check(topic(vec![any(&["numérique éducatif"]), away], &[]), &fields, &Verdict::BelowThreshold, 4.5);
    }
}
