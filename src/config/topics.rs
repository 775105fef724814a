//! `[topic_defaults]`, `[[topic]]` and `[[topic.rule]]`: topics, short forms made into rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Source;
use super::diagnostic::Problems;
use super::keys::{BOOST, Key, RULE};
use super::lexicon::Lexicon;
use super::section::{Section, decimal, decimal_of, text, texts, unfit, whole, words};
use super::sources::{unique_id, unknown};
use super::tree::{Node, Value};
use crate::topic::{Boost, Field, Pattern, Rule, Topic};

/// Weight of the short forms `any` and `near`.
const SHORT_WEIGHT: f64 = 3.0;
/// Where the short form `near` looks.
const SHORT_NEAR: [Field; 2] = [Field::Title, Field::Head];
/// Within how many tokens the short form `near` looks.
const SHORT_WITHIN: u32 = 12;

/// Ids whose files would lie where something else is published.
const RESERVED: [&str; 16] = [
    "sources", "opml", "healthz", "metrics", "static", "sitemap", "robots", "index", "archive", "favicon", "assets",
    "feed", "feeds", "topics", "search", "humans",
];

/// `[topic_defaults]`
#[derive(Debug)]
pub(super) struct Defaults {
    /// Empty for any.
    language: String,
    threshold: f64,
    boost: Boost,
    body_cap: u32,
}

pub(super) fn defaults(section: &Section<'_>, problems: &mut Problems) -> Defaults {
    // A value is missing only if it is wrong, and then no topic is built; the topics are still to be checked.
    Defaults {
        language: section.read("lang", language, problems).unwrap_or_default(),
        threshold: section.read("threshold", decimal, problems).unwrap_or_default(),
        boost: boost(section, Boost::default(), problems),
        body_cap: section.read("body_cap", whole, problems).unwrap_or_default(),
    }
}

/// Returns the ids of the topics, as far as they are written.
pub(super) fn ids(sections: &[Section<'_>], problems: &mut Problems) -> Vec<String> {
    let mut written = HashMap::new();
    for section in sections {
        match section.node("id") {
            None => section.missing("id", problems),
            Some(node) => unique_topic_id(node, &mut written, problems),
        }
    }
    sections.iter().filter_map(|section| section.read("id", words, &mut Problems::default())).collect()
}

fn unique_topic_id<'n>(node: &'n Node, written: &mut HashMap<&'n str, &'n Node>, problems: &mut Problems) {
    unique_id(node, written, problems);
    if let Value::Text(id) = &node.value
        && RESERVED.contains(&id.as_str())
    {
        let error = problems.error(&node.span, format!("no topic can have the id `{id}`"));
        error.help("its files would lie where others are published: write another word");
    }
}

/// What topics can name.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub(super) source_ids: &'a [String],
    pub(super) sources: &'a [Source],
    pub(super) topic_ids: &'a [String],
}

/// Reads all topics.
pub(super) fn topics(
    sections: &[Section<'_>],
    defaults: &Defaults,
    named: &Named<'_>,
    lexicon: &mut Lexicon<'_>,
    problems: &mut Problems,
) -> Vec<Topic> {
    sections.iter().filter_map(|section| topic(section, defaults, named, lexicon, problems)).collect()
}

/// Warns of topics that stay empty. To be asked when the config is known to be valid.
pub(super) fn warn_of_empty(sections: &[Section<'_>], topics: &[Topic], sources: &[Source], problems: &mut Problems) {
    for (section, topic) in sections.iter().zip(topics) {
        warn_of_unreachable(section, topic, problems);
        warn_of_worthless(section, topic, problems);
        warn_of_no_feed(section, topic, sources, problems);
    }
}

fn topic(
    section: &Section<'_>,
    defaults: &Defaults,
    named: &Named<'_>,
    lexicon: &mut Lexicon<'_>,
    problems: &mut Problems,
) -> Option<Topic> {
    let id = section.read("id", words, &mut Problems::default());
    let title = section.read("title", text, problems);
    let description = section.read("description", words, problems);
    let threshold = own_or(section, "threshold", decimal, defaults.threshold, problems);
    let language = own_or(section, "lang", language, defaults.language.clone(), problems);
    let body_cap = own_or(section, "body_cap", whole, defaults.body_cap, problems);
    let boost = boost(section, defaults.boost, problems);
    let mut rules = short_rules(section, lexicon, problems);
    let long = section.tables(&RULE, "rule", problems);
    rules.extend(long.iter().filter_map(|section| rule(section, lexicon, problems)));
    let not = section.node("not").map(|node| lexicon.terms(node, problems)).unwrap_or_default();
    let source_bonus =
        section.read_with("sources", problems, |node, key, problems| points(node, key, named.source_ids, problems));
    let include = others(section, "include", named, problems);
    let exclude = others(section, "exclude", named, problems);
    let sources = limit(section, named, problems);
    if ["any", "near", "rule", "sources", "include"].iter().all(|key| section.node(key).is_none()) {
        let error = problems.error(&section.span, "this topic has no rule, so nothing gets in");
        error.help("add `any = [\"a word\", \"some words\"]`");
    }
    let id = id?;
    Some(Topic {
        title: title.unwrap_or_else(|| id.clone()),
        id,
        description: description?,
        threshold,
        language: Some(language).filter(|language| !language.is_empty()),
        boost,
        body_cap,
        rules,
        not,
        source_bonus: source_bonus?,
        sources,
        include: include?,
        exclude: exclude?,
    })
}

/// The topics that `include` or `exclude` names.
fn others(section: &Section<'_>, name: &str, named: &Named<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let own = section.read("id", words, &mut Problems::default());
    section.read_with(name, problems, |node, key, problems| {
        let mut others = Vec::new();
        for (text, node) in texts(node, key, problems)? {
            if own.as_deref() == Some(text) {
                let error = problems.error(&node.span, format!("topic `{text}` cannot {name} itself"));
                error.help("take it out");
            } else if !named.topic_ids.iter().any(|id| id == text) {
                unknown(&node.span, "topic", text, named.topic_ids.iter().map(String::as_str), problems);
            }
            others.push(text.to_owned());
        }
        Some(others)
    })
}

/// The sources that `from` lists and those with a tag of `from_tags`; `None` if neither is written.
fn limit(section: &Section<'_>, named: &Named<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let listed = section.read_with("from", problems, |node, key, problems| {
        let texts = texts(node, key, problems)?;
        for (text, node) in texts.iter().filter(|(text, _)| !named.source_ids.iter().any(|id| id == text)) {
            unknown(&node.span, "feed", text, named.source_ids.iter().map(String::as_str), problems);
        }
        Some(texts.into_iter().map(|(text, _)| text.to_owned()).collect::<Vec<_>>())
    });
    let tagged = section.read_with("from_tags", problems, |node, key, problems| {
        let known: BTreeSet<&str> = named.sources.iter().flat_map(|source| &source.tags).map(String::as_str).collect();
        let texts = texts(node, key, problems)?;
        for (text, node) in texts.iter().filter(|(text, _)| !known.contains(text)) {
            unknown(&node.span, "feed with the tag", text, known.iter().copied(), problems);
        }
        let has_one = |source: &&Source| texts.iter().any(|(text, _)| source.tags.iter().any(|tag| tag == text));
        Some(named.sources.iter().filter(has_one).map(|source| source.id.clone()).collect::<Vec<_>>())
    });
    match (listed, tagged) {
        (None, tagged) => tagged,
        (listed, None) => listed,
        (Some(mut listed), Some(tagged)) => {
            listed.extend(tagged);
            Some(listed)
        }
    }
}

/// The topic's own value of a key, else that of `[topic_defaults]`.
fn own_or<T>(
    section: &Section<'_>,
    name: &str,
    reader: super::section::Reader<T>,
    default: T,
    problems: &mut Problems,
) -> T {
    section.read(name, reader, problems).unwrap_or(default)
}

fn boost(section: &Section<'_>, defaults: Boost, problems: &mut Problems) -> Boost {
    let own = section.table(&BOOST, "boost", problems);
    let mut of = |name: &str, default: f64| match own.node(name) {
        None => default,
        Some(_) => own.read(name, decimal, problems).unwrap_or(default),
    };
    Boost {
        title: of("title", defaults.title),
        lead: of("lead", defaults.lead),
        head: of("head", defaults.head),
        body: of("body", defaults.body),
        tags: of("tags", defaults.tags),
    }
}

/// A primary language subtag (RFC 5646 §2.2.1), empty for any language.
fn language(node: &Node, key: &Key, problems: &mut Problems) -> Option<String> {
    let text = words(node, key, problems)?;
    let is_language = matches!(text.len(), 0 | 2 | 3) && text.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_language { Some(text) } else { unfit(node, key, problems) }
}

/// `any` and `near` of a topic itself.
fn short_rules(section: &Section<'_>, lexicon: &mut Lexicon<'_>, problems: &mut Problems) -> Vec<Rule> {
    let any = section.node("any").and_then(|node| {
        let pattern = any(node, lexicon, problems)?;
        Some(Rule { name: name_of(node), weight: SHORT_WEIGHT, fields: ALL_FIELDS.to_vec(), pattern })
    });
    let near = section.node("near").and_then(|node| {
        let pattern = near(node, SHORT_WITHIN, lexicon, problems)?;
        Some(Rule { name: name_of(node), weight: SHORT_WEIGHT, fields: SHORT_NEAR.to_vec(), pattern })
    });
    any.into_iter().chain(near).collect()
}

/// Where a rule looks that does not say where: `head` would only repeat title and lead.
const ALL_FIELDS: [Field; 4] = [Field::Title, Field::Lead, Field::Body, Field::Tags];

fn rule(section: &Section<'_>, lexicon: &mut Lexicon<'_>, problems: &mut Problems) -> Option<Rule> {
    let name = section.read("name", text, problems);
    let weight = section.read("weight", weight, problems);
    let fields = section.read("in", fields, problems);
    let within = section.read("within", whole, problems);
    let (node, pattern) = match (section.node("any"), section.node("near")) {
        (Some(node), None) => (node, any(node, lexicon, problems)),
        (None, Some(node)) => (node, near(node, within?, lexicon, problems)),
        (Some(_), Some(node)) => {
            let error = problems.error(&node.span, "a rule has either `any` or `near`");
            error.help("make two rules of it");
            return None;
        }
        (None, None) => {
            let error = problems.error(&section.span, "this rule has no terms");
            error.help("add `any = [\"a word\"]` or `near = [[\"a word\"], [\"another\"]]`");
            return None;
        }
    };
    if let (Some(within), Some(_)) = (section.node("within"), section.node("any")) {
        problems.warning(&within.span, "`within` says nothing without `near`").help("take it out");
    }
    Some(Rule { name: name.unwrap_or_else(|| name_of(node)), weight: weight?, fields: fields?, pattern: pattern? })
}

fn any(node: &Node, lexicon: &mut Lexicon<'_>, problems: &mut Problems) -> Option<Pattern> {
    not_empty(node, problems)?;
    Some(Pattern::Any(lexicon.terms(node, problems)))
}

fn near(node: &Node, within: u32, lexicon: &mut Lexicon<'_>, problems: &mut Problems) -> Option<Pattern> {
    let sides = match &node.value {
        Value::List(sides) => sides.as_slice(),
        _ => &[],
    };
    let [left, right] = sides else {
        for side in sides {
            lexicon.terms(side, problems);
        }
        let error = problems.error(&node.span, "`near` has two sides: a word of one near a word of the other");
        error.help("write `near = [[\"@num\"], [\"@ecole\"]]`");
        return None;
    };
    not_empty(left, problems)?;
    not_empty(right, problems)?;
    let (left, right) = (lexicon.terms(left, problems), lexicon.terms(right, problems));
    Some(Pattern::Near { left, right, within })
}

fn not_empty(node: &Node, problems: &mut Problems) -> Option<()> {
    match &node.value {
        Value::List(list) if list.is_empty() => {
            problems.error(&node.span, "this list of terms is empty").help("without terms nothing matches");
            None
        }
        _ => Some(()),
    }
}

fn weight(node: &Node, key: &Key, problems: &mut Problems) -> Option<f64> {
    let weight = decimal(node, key, problems)?;
    if weight == 0.0 {
        problems.error(&node.span, "a rule of weight 0 does nothing").help("take the rule out");
    }
    Some(weight)
}

fn fields(node: &Node, key: &Key, problems: &mut Problems) -> Option<Vec<Field>> {
    let known = [
        ("title", Field::Title),
        ("lead", Field::Lead),
        ("head", Field::Head),
        ("body", Field::Body),
        ("tags", Field::Tags),
    ];
    let mut fields = Vec::new();
    for (text, node) in texts(node, key, problems)? {
        match known.iter().find(|(name, _)| *name == text) {
            Some((_, field)) if fields.contains(field) => {
                problems.warning(&node.span, format!("field `{text}` is listed twice"));
            }
            Some((_, field)) => fields.push(*field),
            None => unknown(&node.span, "field", text, known.iter().map(|(name, _)| *name), problems),
        }
    }
    if matches!(&node.value, Value::List(list) if list.is_empty()) {
        problems.error(&node.span, "this rule looks nowhere").help("take `in` out to look everywhere");
    }
    Some(fields)
}

fn points(node: &Node, key: &Key, source_ids: &[String], problems: &mut Problems) -> Option<BTreeMap<String, f64>> {
    let Value::Table(entries) = &node.value else { return unfit(node, key, problems) };
    let mut bonus = BTreeMap::new();
    for (name, node) in entries {
        if !source_ids.contains(&name.text) {
            unknown(&name.span, "feed", &name.text, source_ids.iter().map(String::as_str), problems);
        }
        match decimal_of(node).filter(|points| (-100.0..=100.0).contains(points)) {
            Some(points) => drop(bonus.insert(name.text.clone(), points)),
            None => drop(problems.error(&node.span, "points must be a number from -100 to 100")),
        }
    }
    Some(bonus)
}

/// Names a rule after its first terms: `@num ~ @ecole`, `école numérique, =ENT, …`.
fn name_of(node: &Node) -> String {
    let Value::List(list) = &node.value else { return String::new() };
    if list.iter().any(|node| matches!(node.value, Value::List(_))) {
        return list.iter().map(name_of).collect::<Vec<_>>().join(" ~ ");
    }
    let terms =
        list.iter().filter_map(|node| if let Value::Text(text) = &node.value { Some(text.as_str()) } else { None });
    let more = if list.len() > 3 { ", …" } else { "" };
    terms.take(3).collect::<Vec<_>>().join(", ") + more
}

/// Where a boost is 0 a rule finds much and gives nothing.
fn warn_of_worthless(section: &Section<'_>, topic: &Topic, problems: &mut Problems) {
    // The short forms stand before the long rules in the topic and have no table of their own.
    let long = section.tables(&RULE, "rule", &mut Problems::default());
    for (section, rule) in long.iter().rev().zip(topic.rules.iter().rev()) {
        if rule.fields.iter().all(|field| topic.boost.of(*field) == 0.0) {
            let at = section.node("in").map_or(&section.span, |node| &node.span);
            let warning = problems.warning(at, format!("rule `{}` never gives a point", rule.name));
            warning.help("the `boost` of its fields is 0: raise it, or look elsewhere");
        }
    }
}

/// The most that an entry can score, one best field a rule.
fn score_max(topic: &Topic) -> f64 {
    if !topic.include.is_empty() {
        return f64::INFINITY;
    }
    let boost = |field: &Field| topic.boost.of(*field);
    let best = |rule: &Rule| rule.fields.iter().map(boost).fold(0.0, f64::max) * rule.weight;
    let rules: f64 = topic.rules.iter().map(best).filter(|points| *points > 0.0).sum();
    rules + topic.source_bonus.values().copied().fold(0.0, f64::max)
}

fn warn_of_unreachable(section: &Section<'_>, topic: &Topic, problems: &mut Problems) {
    let max = score_max(topic);
    if max < topic.threshold {
        let at = section.node("threshold").map_or(&section.span, |node| &node.span);
        let message = format!("nothing can get into topic `{}`: all its rules give {max} points", topic.id);
        problems
            .warning(at, message)
            .help(format!("the threshold is {}: lower it, or raise a weight", topic.threshold));
    }
}

fn warn_of_no_feed(section: &Section<'_>, topic: &Topic, sources: &[Source], problems: &mut Problems) {
    let takes = |source: &Source| {
        source.topics.as_ref().is_none_or(|topics| topics.contains(&topic.id))
            && topic.sources.as_ref().is_none_or(|sources| sources.contains(&source.id))
    };
    if !sources.is_empty() && !sources.iter().any(|source| source.enabled && takes(source)) {
        let warning = problems.warning(&section.span, format!("no feed gives entries to topic `{}`", topic.id));
        warning.help(match topic.sources {
            None => "list it in the `topics` of a feed, or take that key out of one",
            Some(_) => "`from` and `from_tags` leave no feed that is on and gives to this topic",
        });
    }
}
