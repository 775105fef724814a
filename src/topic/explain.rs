//! Explains to people why an entry is or is not in a topic: the rules that counted, the words that matched where they
//! stand, and the rules that nearly counted.

use std::collections::HashMap;

use super::index::{Found, HEAD_GAP, Index};
use super::matcher::{Matcher, TopicDecision, Verdict, Watched, decide_topics, first_terms};
use super::score::{Hit, Sought};
use super::{Field, Fields, Pattern, Reason, Rule, Term};
use crate::text::{Levelled, Passage, Tongue};

/// Quotes at most, of each group of a rule.
const QUOTES_MAX: usize = 3;

/// Near misses at most.
const NEAR_MISSES_MAX: usize = 3;

/// Characters that a quote shows on each side of the words that matched.
const CONTEXT_MAX: usize = 40;

/// Characters of the words that matched: a prefix can match a word of any length.
const WORDS_MAX: usize = 80;

/// The decision of one topic about an entry.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Judgement {
    /// The topic's id.
    pub topic: String,
    /// In or why not.
    pub verdict: Verdict,
    /// The points of all rules, and the source's bonus.
    pub score: f64,
    /// The score that the topic asks for.
    pub threshold: f64,
    /// The language that the entry seems to be in.
    pub tongue: Tongue,
    /// The rules that counted, and the bonus if there is one.
    pub evidence: Vec<Evidence>,
    /// Rules that would have spoken for the entry and did not count, the nearest first, at most a few.
    pub near_misses: Vec<NearMiss>,
}

/// A rule that counted, with the words that it found.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Evidence {
    /// The rule, its field and points.
    #[serde(flatten)]
    pub reason: Reason,
    /// The places of its terms, at most a few.
    pub quotes: Vec<Quote>,
}

/// Words that matched, in their context. The text is levelled: apostrophes plain, inclusive endings gone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Quote {
    /// The term as the editor wrote it.
    pub term: String,
    /// The text before the match.
    pub before: String,
    /// The words that matched.
    pub words: String,
    /// The text behind the match.
    pub after: String,
}

/// A rule that nearly counted.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct NearMiss {
    /// The rule's name.
    pub rule: String,
    /// The condition that it lacked.
    pub shortfall: Shortfall,
    /// The points that it would have brought on its best field.
    pub points: f64,
}

/// The condition that a rule lacked; the smallest lack comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortfall {
    /// Its terms stand only where the rule does not look.
    OtherField {
        /// Where.
        field: Field,
        /// Which.
        terms: Vec<String>,
    },
    /// Both groups stand in a field of the rule, too far apart.
    TooFar {
        /// In tokens, where they are closest.
        distance: u32,
        /// The field.
        field: Field,
        /// The largest distance that the rule allows.
        within: u32,
    },
    /// Only one group of `near` stands in the rule's fields.
    OneGroup {
        /// Its terms that stand there.
        terms: Vec<String>,
    },
}

impl Matcher {
    /// Returns what becomes of the entry in every topic, and why, in the order of the topics.
    #[must_use]
    pub fn judgements(&self, fields: &Fields) -> Vec<Judgement> {
        let folded = self.folded(fields.folding());
        let found = folded.index.find(fields);
        let tongue = fields.tongue();
        let decisions = decide_topics(folded.topics.iter(), fields, &found, || tongue);
        decisions.iter().map(|decision| judgement(decision, &folded.index, fields, &found, tongue)).collect()
    }
}

fn judgement(decision: &TopicDecision<'_>, index: &Index, fields: &Fields, found: &Found, tongue: Tongue) -> Judgement {
    let topic = &decision.watched.topic;
    Judgement {
        topic: topic.id.clone(),
        verdict: decision.verdict.clone(),
        score: decision.score,
        threshold: topic.threshold,
        tongue,
        evidence: evidence(decision, index, fields, found),
        near_misses: near_misses(decision.watched, found),
    }
}

fn evidence(decision: &TopicDecision<'_>, index: &Index, fields: &Fields, found: &Found) -> Vec<Evidence> {
    let by_rule = decision.watched.counted(found).map(|(rule, sought, worth)| {
        let groups = sought.hits(&rule.pattern, worth.field, found);
        groups.into_iter().flat_map(|hits| quotes(index, fields, worth.field, &hits)).collect()
    });
    // A source's bonus and an included topic come last and have nothing to quote.
    let quotes = by_rule.chain(std::iter::repeat(Vec::new()));
    let reasons = decision.reasons(fields, found);
    reasons.into_iter().zip(quotes).map(|(reason, quotes)| Evidence { reason, quotes }).collect()
}

/// Quotes the first few hits in a field; of several that are the same words the first.
fn quotes(index: &Index, fields: &Fields, field: Field, hits: &[Hit<'_>]) -> Vec<Quote> {
    let mut quotes = Vec::new();
    let mut shift = 0;
    for passage in fields.texts(field) {
        // The length of a match depends on the term's spelling there.
        let mut ends = HashMap::new();
        let behind = index.find_in(passage, shift, |term, start, end| {
            let known = ends.entry((term, start)).or_insert(end);
            *known = end.max(*known);
        });
        let placed = hits.iter().filter_map(|hit| Some((hit.start, *ends.get(&(hit.number, hit.start))?, hit.term)));
        let mut placed: Vec<(u32, u32, &Term)> = placed.collect();
        placed.sort_by_key(|(start, end, _)| (*start, *end));
        placed.dedup_by_key(|(start, end, _)| (*start, *end));
        let text = Levelled::new(passage.as_str());
        let tokens = text.tokens();
        let token = |position: u32| tokens.get(usize::try_from(position.checked_sub(shift)?).ok()?);
        quotes.extend(placed.into_iter().filter_map(|(start, end, term)| {
            let (first, last) = (token(start)?, token(end.checked_sub(1)?)?);
            Some(quote(term, text.as_str(), first.start, last.start + last.word.len()))
        }));
        shift = behind.saturating_add(if field == Field::Head { HEAD_GAP } else { 0 });
    }
    quotes.truncate(QUOTES_MAX);
    quotes
}

/// Quotes the words from one position of a text to before another.
pub(super) fn quote_at(term: &Term, text: &Passage, start: u32, end: u32) -> Option<Quote> {
    let text = Levelled::new(text.as_str());
    let tokens = text.tokens();
    let token = |position: u32| tokens.get(usize::try_from(position).ok()?);
    let (first, last) = (token(start)?, token(end.checked_sub(1)?)?);
    Some(quote(term, text.as_str(), first.start, last.start + last.word.len()))
}

fn quote(term: &Term, text: &str, start: usize, end: usize) -> Quote {
    let (before, words, after) = (text.get(..start), text.get(start..end), text.get(end..));
    let words = words.unwrap_or_default();
    Quote {
        term: term.written.clone(),
        before: ending(before.unwrap_or_default()),
        words: capped(words, WORDS_MAX).map_or_else(|| words.to_owned(), |words| format!("{words}…")),
        after: beginning(after.unwrap_or_default()),
    }
}

/// The last words of what stands before a match. A word that is longer than all that is shown is cut.
fn ending(text: &str) -> String {
    let Some((cut, _)) = text.char_indices().rev().nth(CONTEXT_MAX) else { return text.to_owned() };
    let Some((_, shown)) = text.split_at_checked(cut) else { return String::new() };
    // `shown` begins with one character too many: if that is a blank, a word begins behind it.
    let from = shown.find(char::is_whitespace).filter(|at| at + 1 < shown.trim_end().len());
    let from = from.unwrap_or_else(|| shown.chars().next().map_or(0, char::len_utf8));
    format!("…{}", shown.get(from..).unwrap_or_default().trim_start())
}

/// The first words of what stands behind a match.
fn beginning(text: &str) -> String {
    let Some(shown) = capped(text, CONTEXT_MAX) else { return text.to_owned() };
    let ends_word = text.get(shown.len()..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
    let last = shown.rfind(char::is_whitespace).filter(|at| *at > 0 && !ends_word);
    let whole = last.and_then(|at| shown.get(..at)).unwrap_or(shown);
    format!("{}…", whole.trim_end())
}

/// The first characters of a text that has more than `max`.
fn capped(text: &str, max: usize) -> Option<&str> {
    let (end, _) = text.char_indices().nth(max)?;
    text.get(..end)
}

pub(super) fn near_misses(watched: &Watched, found: &Found) -> Vec<NearMiss> {
    let topic = &watched.topic;
    let rules = topic.rules.iter().zip(&watched.rules);
    let uncounted = rules.filter(|(rule, sought)| rule.weight > 0.0 && sought.worth(rule, topic, found).is_none());
    let mut misses: Vec<NearMiss> = uncounted
        .filter_map(|(rule, sought)| {
            let boost = rule.fields.iter().map(|field| topic.boost.of(*field)).fold(0.0, f64::max);
            let shortfall = shortfall(rule, sought, found)?;
            Some(NearMiss { rule: rule.name.clone(), shortfall, points: rule.weight * boost })
        })
        .collect();
    misses.sort_by(|a, b| a.shortfall.cmp(&b.shortfall));
    misses.truncate(NEAR_MISSES_MAX);
    misses
}

/// Returns the condition that an uncounted rule lacks; `None` if none of its terms were found.
pub(super) fn shortfall(rule: &Rule, sought: &Sought, found: &Found) -> Option<Shortfall> {
    let all = [Field::Title, Field::Lead, Field::Body, Field::Tags];
    if let Some(field) = all.into_iter().find(|field| sought.mentions(&rule.pattern, *field, found) > 0) {
        let terms = sought.hits(&rule.pattern, field, found).iter().flat_map(|hits| first_terms(hits)).collect();
        return Some(Shortfall::OtherField { field, terms });
    }
    let Pattern::Near { within, .. } = rule.pattern else { return None };
    let distances = rule.fields.iter().filter_map(|field| Some((sought.closest(*field, found)?, *field)));
    if let Some((distance, field)) = distances.min() {
        return Some(Shortfall::TooFar { distance, field, within });
    }
    let terms = sought.present(&rule.pattern, &rule.fields, found);
    (!terms.is_empty()).then_some(Shortfall::OneGroup { terms })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{any, near, topic};
    use super::*;

    fn check(rule: Rule, fields: &Fields) -> Judgement {
        Matcher::new(vec![topic(vec![rule], &[])]).judgements(fields).remove(0)
    }

    fn shown(quotes: &[Quote]) -> Vec<String> {
        quotes.iter().map(|quote| format!("{}[{}]{}", quote.before, quote.words, quote.after)).collect()
    }

    #[test]
    fn words_that_matched_are_quoted_in_context() {
        let fields = Fields::new("L’école numérique, c’est demain", "", "", &[], "");
        let judgement = check(any(&["école numérique"]), &fields);
        assert_eq!(shown(&judgement.evidence[0].quotes), ["L'[école numérique], c'est demain"]);
    }

    #[test]
    fn two_terms_that_match_the_same_words_are_quoted_once() {
        let fields = Fields::new("Le numérique à l’école", "", "", &[], "");
        let judgement = check(any(&["numérique à l'école", "numérique à école"]), &fields);
        assert_eq!(shown(&judgement.evidence[0].quotes), ["Le [numérique à l'école]"]);
    }

    #[test]
    fn both_groups_are_quoted_across_title_and_lead() {
        let fields = Fields::new("Des tablettes", "pour tous les élèves", "", &[], "");
        let judgement = check(near(&["tablette"], &["élève"], 12), &fields);
        assert_eq!(shown(&judgement.evidence[0].quotes), ["Des [tablettes]", "pour tous les [élèves]"]);
    }

    #[test]
    fn a_compound_is_quoted_whole_however_the_term_is_written() {
        let quote = |term: &str, title: &str| {
            let judgement = check(any(&[term]), &Fields::new(title, "", "", &[], ""));
            shown(&judgement.evidence[0].quotes)
        };
        assert_eq!(quote("visioconférence", "Une visio-conférence ratée"), ["Une [visio-conférence] ratée"]);
        assert_eq!(quote("visio-conférence ratée", "Une visioconférence ratée"), ["Une [visioconférence ratée]"]);
        assert_eq!(quote("main d'œuvre", "La main-d’œuvre manque"), ["La [main-d'œuvre] manque"]);
    }

    #[test]
    fn a_tag_is_quoted_whole() {
        let fields = Fields::new("", "", "", &["Collège", "École numérique"], "");
        let judgement = check(any(&["école numérique"]), &fields);
        assert_eq!(shown(&judgement.evidence[0].quotes), ["[École numérique]"]);
    }

    /// The quote of the tablet in a title.
    fn quoted(title: &str) -> String {
        let judgement = check(any(&["tablette"]), &Fields::new(title, "", "", &[], ""));
        shown(&judgement.evidence[0].quotes).remove(0)
    }

    #[test]
    fn a_long_text_is_quoted_in_whole_words() {
        let text =
            "un deux trois quatre cinq six sept huit neuf dix onze, tablette: un deux trois quatre cinq six sept huit";
        let quote = "…cinq six sept huit neuf dix onze, [tablette]: un deux trois quatre cinq six sept…";
        assert_eq!(quoted(text), quote);
    }

    #[test]
    fn what_is_cut_between_two_words_loses_none() {
        let forty = "mot ".repeat(10);
        assert_eq!(quoted(&format!("avant {forty}tablette")), format!("…{forty}[tablette]"));
        let forty = " mot".repeat(10);
        assert_eq!(quoted(&format!("tablette{forty} après")), format!("[tablette]{forty}…"));
        assert_eq!(quoted(&format!("tablette{forty}")), format!("[tablette]{forty}"));
    }

    #[test]
    fn endless_words_are_cut() {
        let quote = quoted(&format!("{} tablette {}", "é".repeat(300), "à".repeat(300)));
        assert_eq!(quote, format!("…{} [tablette] {}…", "é".repeat(39), "à".repeat(39)));
        let judgement = check(any(&["cyber*"]), &Fields::new(format!("cyber{}", "o".repeat(300)), "", "", &[], ""));
        assert_eq!(judgement.evidence[0].quotes[0].words.chars().count(), WORDS_MAX + 1);
    }

    #[test]
    fn a_rule_that_nearly_counted_says_what_it_lacked() {
        let far = Fields::new("Tablettes et cahiers, crayons, gommes, règles pour les élèves", "", "", &[], "");
        let rule = || near(&["tablette"], &["élève"], 3);
        let miss = |fields| check(rule(), fields).near_misses.remove(0).shortfall;
        assert_eq!(miss(&far), Shortfall::TooFar { distance: 8, field: Field::Title, within: 3 });
        let alone = Fields::new("Des tablettes", "", "", &[], "");
        assert_eq!(miss(&alone), Shortfall::OneGroup { terms: vec!["tablette".into()] });
        let elsewhere = Fields::new("", "Un résumé", "la tablette des élèves", &[], "");
        let terms = vec!["tablette".into(), "élève".into()];
        assert_eq!(miss(&elsewhere), Shortfall::OtherField { field: Field::Body, terms });
    }
}
