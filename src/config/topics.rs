//! `[[topic]]` and `[[topic.rule]]`: topics, short forms made into rules.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::findings::Findings;
use super::keys::{BoostTable, RuleTable, Source, TopicTable};
use super::nearest::unknown;
use super::section::Section;
use super::sources::{ID, is_id, unique};
use super::table::{Key, KeyType, Wanted};
use super::tree::{Literal, Value};
use super::values::{fraction, note_unfit, read_line, read_texts};
use crate::topic::{Boost, Field, Pattern, Rule, Term, Topic};

/// A primary language subtag (RFC 5646 §2.2.1), empty for any language.
pub(super) const LANGUAGE: KeyType<String> =
    KeyType::new("a language of two or three letters such as `\"fr\"`, or `\"\"` for any", language);
pub(super) const BOOST: KeyType<Boost> = KeyType::new("a table", boost);
pub(super) const TERMS: KeyType<Vec<Term>> =
    KeyType::new("a list of terms: `[\"numérique éducatif\", \"=ENT\"]`", |literal, _, found| {
        Some(found.lexicon.terms(literal, &mut found.problems))
    });
/// Terms, at least one.
pub(super) const ANY: KeyType<Vec<Term>> =
    KeyType::new("a list of terms: `[\"numérique éducatif\", \"=ENT\"]`", |literal, _, found| any(literal, found));
pub(super) const NEAR: KeyType<[Vec<Term>; 2]> = KeyType::new("two lists of terms: `[[\"@num\"], [\"@ecole\"]]`", near);
pub(super) const WEIGHT: KeyType<f64> = KeyType { wanted: Wanted::Decimal(-100.0, 100.0), read: weight };
pub(super) const FIELDS: KeyType<Vec<Field>> = KeyType::new("a list of fields: `[\"title\", \"lead\"]`", fields);
pub(super) const POINTS: KeyType<BTreeMap<String, f64>> =
    KeyType::new("a table of numbers from -100 to 100: `{ education = 2.0 }`", points);
pub(super) const FEEDS: KeyType<Vec<String>> = KeyType::new("a list of feeds by id: `[\"cnil\"]`", feeds);
/// Tags; the value is the ids of the sources that have one of them.
pub(super) const TAGGED: KeyType<Vec<String>> = KeyType::new("a list of texts: `[\"one\", \"two\"]`", tagged);
pub(super) const RULES: KeyType<Vec<Rule>> = KeyType::new("a list of tables", |literal, _, found| {
    let sections = Section::list(RuleTable::TABLE, literal, found)?;
    Some(sections.iter().filter_map(|section| rule(section, found)).collect())
});

/// Ids whose files would lie where something else is published.
const RESERVED: [&str; 18] = [
    "sources", "opml", "healthz", "metrics", "static", "sitemap", "robots", "index", "archive", "favicon", "assets",
    "feed", "feeds", "topics", "search", "humans", "404", "503",
];

/// Notes the ids that no topic can have.
pub(super) fn check_ids(sections: &[Section<'_>], found: &mut Findings<'_>) {
    unique(sections, found);
    for literal in sections.iter().filter_map(|section| section.literal("id")) {
        if let Some(id) = literal.text().filter(|id| RESERVED.contains(id)) {
            let error = found.error(&literal.span, format!("no topic can have the id `{id}`"));
            error.help("its files would lie where others are published: write another word");
        }
    }
}

/// Warns of topics that stay empty, in a config that is known to be valid.
pub(super) fn warn_of_empty(sections: &[Section<'_>], topics: &[Topic], found: &mut Findings<'_>) {
    for (section, topic) in sections.iter().zip(topics) {
        warn_of_unreachable(section, topic, found);
        warn_of_worthless(section, topic, found);
        warn_of_no_feed(section, topic, found);
    }
}

pub(super) fn read_topic(section: &Section<'_>, found: &mut Findings<'_>) -> Option<Topic> {
    let written = TopicTable::read(section, found);
    if ["any", "near", "rule", "sources", "include"].iter().all(|key| section.literal(key).is_none()) {
        let error = found.error(&section.span, "this topic has no rule, so nothing gets in");
        error.help("add `any = [\"a word\", \"some words\"]`");
    }
    for key in ["include", "exclude"] {
        not_itself(section, key, found);
    }
    let written = written?;
    note_aliases(section, &written, found);
    let mut rules = short_rules(section, &written, found)?;
    rules.extend(written.rules);
    let sources = match (written.from, written.from_tags) {
        (Some(listed), Some(tagged)) => Some([listed, tagged].concat()),
        (listed, tagged) => listed.or(tagged),
    };
    Some(Topic {
        title: written.title.unwrap_or_else(|| written.id.clone()),
        id: written.id,
        description: written.description,
        threshold: written.threshold,
        language: Some(written.lang).filter(|language| !language.is_empty()),
        boost: written.boost,
        body_cap: u32::try_from(written.body_cap).ok()?,
        rules,
        not: written.not,
        source_bonus: written.sources,
        sources,
        include: written.include,
        exclude: written.exclude,
    })
}

/// Notes the former ids of a topic. Each is one topic's, and no id that is in use: its addresses lead on.
fn note_aliases(section: &Section<'_>, written: &TopicTable, found: &mut Findings<'_>) {
    let literals = section.literal("aliases").map(Literal::elements).unwrap_or_default();
    let literals = literals.iter().filter(|literal| literal.text().is_some());
    for (alias, literal) in written.aliases.iter().zip(literals) {
        let fault = if !is_id(alias) {
            format!("a former id must be {}", ID.wanted)
        } else if RESERVED.contains(&alias.as_str()) {
            format!("no topic can have had the id `{alias}`")
        } else if found.topic_ids.iter().any(|known| known == alias) {
            format!("`{alias}` is the id of a topic, whose addresses cannot lead elsewhere")
        } else if let Some(other) = found.aliases.get(alias) {
            format!("`{alias}` is an alias of topic `{other}` already")
        } else {
            found.aliases.insert(alias.clone(), written.id.clone());
            continue;
        };
        found.error(&literal.span, fault).help("take it out");
    }
}

fn not_itself(section: &Section<'_>, key: &str, found: &mut Findings<'_>) {
    let topics = section.literal(key).map(Literal::elements).unwrap_or_default();
    let own = section.id();
    for literal in topics.iter().filter(|literal| own.is_some() && literal.text() == own.as_deref()) {
        let message = format!("topic `{}` cannot {key} itself", own.as_deref().unwrap_or_default());
        found.error(&literal.span, message).help("take it out");
    }
}

/// The rules that `any` and `near` of a topic itself stand for: in all else they have the defaults of a rule.
fn short_rules(section: &Section<'_>, written: &TopicTable, found: &mut Findings<'_>) -> Option<Vec<Rule>> {
    let RuleTable { weight, fields, within, .. } = RuleTable::read(&Section::absent(RuleTable::TABLE), found)?;
    let rule = |key, fields: &[Field], pattern| {
        Some(Rule { name: name_of(section.literal(key)?), weight, fields: fields.to_vec(), pattern })
    };
    let any = written.any.clone().and_then(|terms| rule("any", &fields, Pattern::Any(terms)));
    let near = written.near.clone().map(|sides| pattern_near(sides, within));
    let near = near.and_then(|pattern| rule("near", &[Field::Title, Field::Head], pattern));
    Some(any.into_iter().chain(near).collect())
}

fn pattern_near([left, right]: [Vec<Term>; 2], within: usize) -> Pattern {
    Pattern::Near { left, right, within: u32::try_from(within).unwrap_or(u32::MAX) }
}

fn rule(section: &Section<'_>, found: &mut Findings<'_>) -> Option<Rule> {
    let written = RuleTable::read(section, found);
    match (section.literal("any"), section.literal("near")) {
        (Some(_), Some(near)) => {
            found.error(&near.span, "a rule has either `any` or `near`").help("make two rules of it");
        }
        (None, None) => {
            let error = found.error(&section.span, "this rule has no terms");
            error.help("add `any = [\"a word\"]` or `near = [[\"a word\"], [\"another\"]]`");
        }
        (Some(_), None) => {
            if let Some(within) = section.literal("within") {
                found.warning(&within.span, "`within` says nothing without `near`").help("take it out");
            }
        }
        (None, Some(_)) => {}
    }
    let RuleTable { name, weight, fields, any, near, within } = written?;
    let terms = section.literal("any").or(section.literal("near"))?;
    let near = near.map(|sides| pattern_near(sides, within));
    let pattern = any.map(Pattern::Any).or(near)?;
    Some(Rule { name: name.unwrap_or_else(|| name_of(terms)), weight, fields, pattern })
}

/// The boosts that are written, else those of `[topic_defaults]`.
fn boost(literal: &Literal, _: &Key, found: &mut Findings<'_>) -> Option<Boost> {
    let section = Section::of(BoostTable::TABLE, literal, found)?;
    let written = BoostTable::read(&section, found)?;
    let usual = found.topic_defaults.as_ref().map_or_else(Boost::default, |defaults| defaults.boost);
    Some(Boost {
        title: written.title.unwrap_or(usual.title),
        lead: written.lead.unwrap_or(usual.lead),
        head: written.head.unwrap_or(usual.head),
        body: written.body.unwrap_or(usual.body),
        tags: written.tags.unwrap_or(usual.tags),
    })
}

fn language(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<String> {
    let text = read_line(literal, key, found)?;
    let is_language = matches!(text.len(), 0 | 2 | 3) && text.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_language { Some(text) } else { note_unfit(literal, key, found) }
}

fn any(literal: &Literal, found: &mut Findings<'_>) -> Option<Vec<Term>> {
    if matches!(&literal.value, Value::List(list) if list.is_empty()) {
        found.error(&literal.span, "this list of terms is empty").help("without terms nothing matches");
        return None;
    }
    Some(found.lexicon.terms(literal, &mut found.problems))
}

fn near(literal: &Literal, _: &Key, found: &mut Findings<'_>) -> Option<[Vec<Term>; 2]> {
    let [left, right] = literal.elements() else {
        for side in literal.elements() {
            found.lexicon.terms(side, &mut found.problems);
        }
        let error = found.error(&literal.span, "`near` has two sides: a word of one near a word of the other");
        error.help("write `near = [[\"@num\"], [\"@ecole\"]]`");
        return None;
    };
    let (left, right) = (any(left, found), any(right, found));
    Some([left?, right?])
}

fn weight(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<f64> {
    let weight = fraction(literal, key, found)?;
    if weight == 0.0 {
        found.error(&literal.span, "a rule of weight 0 does nothing").help("take the rule out");
    }
    Some(weight)
}

fn fields(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Vec<Field>> {
    let known = [Field::Title, Field::Lead, Field::Head, Field::Body, Field::Tags];
    let mut fields = Vec::new();
    for (text, literal) in read_texts(literal, key, found)? {
        match known.into_iter().find(|field| field.name() == text) {
            Some(field) if fields.contains(&field) => {
                found.warning(&literal.span, format!("field `{text}` is listed twice"));
            }
            Some(field) => fields.push(field),
            None => unknown(&literal.span, "field", text, known.map(Field::name).into_iter(), &mut found.problems),
        }
    }
    if literal.elements().is_empty() {
        found.error(&literal.span, "this rule looks nowhere").help("take `in` out to look everywhere");
    }
    Some(fields)
}

fn points(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<BTreeMap<String, f64>> {
    let Value::Table(entries) = &literal.value else { return note_unfit(literal, key, found) };
    let mut bonus = BTreeMap::new();
    for (name, literal) in entries {
        known_feed(&name.text, &name.span, found);
        match literal.number().filter(|points| (-100.0..=100.0).contains(points)) {
            Some(points) => drop(bonus.insert(name.text.clone(), points)),
            None => drop(found.error(&literal.span, "points must be a number from -100 to 100")),
        }
    }
    Some(bonus)
}

fn feeds(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Vec<String>> {
    let feeds = read_texts(literal, key, found)?;
    for (feed, literal) in &feeds {
        known_feed(feed, &literal.span, found);
    }
    Some(feeds.into_iter().map(|(feed, _)| feed.to_owned()).collect())
}

fn known_feed(id: &str, span: &Range<usize>, found: &mut Findings<'_>) {
    if !found.source_ids.iter().any(|known| known == id) {
        unknown(span, "feed", id, found.source_ids.iter().map(String::as_str), &mut found.problems);
    }
}

fn tagged(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Vec<String>> {
    let tags = read_texts(literal, key, found)?;
    let known: BTreeSet<&str> = found.sources.iter().flat_map(|source| &source.tags).map(String::as_str).collect();
    for (tag, literal) in tags.iter().filter(|(tag, _)| !known.contains(tag)) {
        unknown(&literal.span, "feed with the tag", tag, known.iter().copied(), &mut found.problems);
    }
    let has_one = |source: &&Source| tags.iter().any(|(tag, _)| source.tags.iter().any(|own| own == tag));
    Some(found.sources.iter().filter(has_one).map(|source| source.id.clone()).collect())
}

/// Names a rule after its first terms: `@num ~ @ecole`, `école numérique, =ENT, …`.
fn name_of(literal: &Literal) -> String {
    let list = literal.elements();
    if list.iter().any(|literal| matches!(literal.value, Value::List(_))) {
        return list.iter().map(name_of).collect::<Vec<_>>().join(" ~ ");
    }
    let terms = list.iter().filter_map(Literal::text).take(3);
    terms.collect::<Vec<_>>().join(", ") + if list.len() > 3 { ", …" } else { "" }
}

/// Warns of rules whose fields all have a boost of 0: they match and give nothing.
fn warn_of_worthless(section: &Section<'_>, topic: &Topic, found: &mut Findings<'_>) {
    // The rules of the short forms stand before the long ones in the topic, and have no table of their own.
    let long = section.literal("rule").map(Literal::elements).unwrap_or_default();
    for (literal, rule) in long.iter().rev().zip(topic.rules.iter().rev()) {
        if rule.fields.iter().all(|field| topic.boost.of(*field) == 0.0) {
            let at = literal.member("in").unwrap_or(literal);
            let warning = found.warning(&at.span, format!("rule `{}` never gives a point", rule.name));
            warning.help("the `boost` of its fields is 0: raise it, or look elsewhere");
        }
    }
}

/// The largest score of an entry: each rule counts on its best field.
fn score_max(topic: &Topic) -> f64 {
    if !topic.include.is_empty() {
        return f64::INFINITY;
    }
    let boost = |field: &Field| topic.boost.of(*field);
    let best = |rule: &Rule| rule.fields.iter().map(boost).fold(0.0, f64::max) * rule.weight;
    let rules: f64 = topic.rules.iter().map(best).filter(|points| *points > 0.0).sum();
    rules + topic.source_bonus.values().copied().fold(0.0, f64::max)
}

fn warn_of_unreachable(section: &Section<'_>, topic: &Topic, found: &mut Findings<'_>) {
    let max = score_max(topic);
    if max < topic.threshold {
        let at = section.literal("threshold").map_or(&section.span, |literal| &literal.span);
        let message = format!("nothing can get into topic `{}`: all its rules give {max} points", topic.id);
        found.warning(at, message).help(format!("the threshold is {}: lower it, or raise a weight", topic.threshold));
    }
}

fn warn_of_no_feed(section: &Section<'_>, topic: &Topic, found: &mut Findings<'_>) {
    let takes = |source: &Source| {
        source.topics.as_ref().is_none_or(|topics| topics.contains(&topic.id))
            && topic.sources.as_ref().is_none_or(|sources| sources.contains(&source.id))
    };
    if !found.sources.is_empty() && !found.sources.iter().any(|source| source.enabled && takes(source)) {
        let warning = found.warning(&section.span, format!("no feed gives entries to topic `{}`", topic.id));
        warning.help(match topic.sources {
            None => "list it in the `topics` of a feed, or take that key out of one",
            Some(_) => "`from` and `from_tags` leave no feed that is on and gives to this topic",
        });
    }
}
