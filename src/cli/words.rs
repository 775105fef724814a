//! `veille words [TOPIC]`: the stories that each rule and term brings, and brings alone; terms that are never seen; stories
//! that are nearly in.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::labelled::{self, ABOUT, Labelled, NOT};
use super::nearby::{self, Nearby};
use super::output::{self, Paint};
use super::{Failure, judged, open, scan};
use crate::config::Config;
use crate::feed::Timestamp;
use crate::store::Held;
use crate::story::Plain;
use crate::tag;
use crate::text::count;
use crate::topic::{Matcher, Topic, TopicPart, Verdict, Weighed};

/// Terms that are named at most of those that bring nothing.
const NAMED_MAX: usize = 40;

/// Share of all stories beyond which a term says nothing about any topic, and the stories that it takes to know.
///
/// On a collection of French administration `le` counts in 18 % of the stories, since many are no more than a title.
const SHARE_MAX: f64 = 0.15;
const TOUCHED_MIN: usize = 10;

#[derive(Debug, clap::Args)]
pub(super) struct WordsOptions {
    /// Only this topic
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
    /// Labelled entries, as for `veille test`: shows how often each rule and term is right and wrong
    #[arg(long, value_name = "FILE")]
    labelled: Option<PathBuf>,
    /// Print a JSON line for each rule and term, and for each story that is nearly in
    #[arg(long)]
    json: bool,
}

/// The line of a rule or a term; the keys are a contract.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PartLine<'a> {
    topic: &'a str,
    kind: LineKind,
    /// `None` for a term of `not`.
    rule: Option<&'a str>,
    pub(super) term: Option<&'a str>,
    /// Stories in which it counts; of a term of `not`, in whose title or lead it stands.
    pub(super) stories: usize,
    /// Its share of all stories.
    share: f64,
    /// Stories that are in only thanks to it; of a term of `not`, that are out only for it.
    pub(super) alone: usize,
    /// Points that it gives on average where it counts.
    points: f64,
    /// The date of the last entry that holds it; `None` if none does.
    last: Option<Timestamp>,
    /// Labelled stories about the topic in which it counts, and others.
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LineKind {
    Rule,
    Term,
    Not,
}

/// The stories of all topics, and the part that rules and terms play in them.
#[derive(Debug, Default)]
pub(super) struct Census {
    /// All stories.
    stories: HashSet<i64>,
    /// By the topic's place in the config.
    topics: Vec<TopicCensus>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct TopicCensus {
    /// By story: the number of its entries that are in.
    inside: HashMap<i64, usize>,
    parts: BTreeMap<TopicPart, PartCensus>,
}

#[derive(Debug, Default, Clone)]
struct PartCensus {
    stories: HashMap<i64, InStory>,
    last: Option<Timestamp>,
    /// Labelled stories.
    right: usize,
    wrong: usize,
}

/// The part that a rule or a term plays in a story.
#[derive(Debug, Default, Clone, Copy)]
struct InStory {
    /// The most that it gives to an entry.
    points: f64,
    /// The number of entries in which it decides.
    decisive: usize,
}

pub(super) fn run(config: &Config, options: &WordsOptions) -> Result<(), Failure> {
    let chosen: Vec<(usize, &Topic)> = match &options.topic {
        Some(id) => {
            let topic = open::find_topic(config, id)?;
            config.topics.iter().enumerate().filter(|(_, other)| other.id == topic.id).collect()
        }
        None => config.topics.iter().enumerate().collect(),
    };
    let labelled = options.labelled.as_deref().map(labelled::read_whole).transpose()?;
    let mut store = open::store_to_read(config)?;
    let matcher = Matcher::new(config.topics.clone());
    let mut census = Census::empty(config);
    let sources: HashMap<&str, _> = config.sources.iter().map(|source| (source.id.as_str(), source)).collect();
    let judge = |held: &Held| {
        let stored = &held.stored;
        let source = sources.get(stored.source_id.as_str()).copied();
        let weighed = tag::weighed(&matcher, &stored.entry, &Plain::of(&stored.entry), &stored.source_id, source);
        (stored.story, stored.date, weighed)
    };
    scan::judge_each(&mut *store, "entries weighed", judge, |(story, date, weighed)| {
        census.count(story, date, weighed);
    })?;
    for story in labelled.iter().flat_map(|entries| labelled::labelled_stories(entries)) {
        census.count_labelled(config, &matcher, &story);
    }
    let inside = |(place, topic): &(usize, &Topic)| {
        let inside = census.topics.get(*place).map(|topic| topic.inside.keys().copied().collect());
        (topic.id.clone(), inside.unwrap_or_default())
    };
    let nearby = nearby::find_nearby(config, &mut *store, &chosen.iter().map(inside).collect())?;
    let paint = Paint::of_stdout();
    let mut text = String::new();
    for (place, topic) in chosen {
        let Some(counted) = census.topics.get(place) else { continue };
        let lines = lines(topic, counted, census.stories.len(), labelled.is_some());
        let none = Nearby::default();
        let near = nearby.get(&topic.id).unwrap_or(&none);
        if options.json {
            for line in &lines {
                push_line(&mut text, line)?;
            }
            for story in &near.stories {
                push_line(&mut text, story)?;
            }
            for way in &near.ways {
                push_line(&mut text, way)?;
            }
        } else {
            for_people(&mut text, topic, counted.inside.len(), &TermTable::new(lines), near, paint);
        }
    }
    Ok(output::print(&text)?)
}

impl TopicCensus {
    /// Returns the table of the topic, among so many stories.
    pub(super) fn table<'a>(&self, topic: &'a Topic, stories: usize) -> TermTable<'a> {
        TermTable::new(lines(topic, self, stories, false))
    }
}

impl Census {
    /// Makes one that has counted nothing yet.
    pub(super) fn empty(config: &Config) -> Self {
        Self { topics: vec![TopicCensus::default(); config.topics.len()], ..Self::default() }
    }

    /// Returns the number of all stories, and the census of each topic in the order of the config.
    pub(super) fn parted(self) -> (usize, Vec<TopicCensus>) {
        (self.stories.len(), self.topics)
    }

    /// Makes one for these stored entries.
    pub(super) fn of(config: &Config, matcher: &Matcher, entries: &[Held]) -> Self {
        let mut census = Self::empty(config);
        for Held { stored, .. } in entries {
            let weighed = judged::weighed_under(config, matcher, &stored.entry, &stored.source_id);
            census.count(stored.story, stored.date, weighed);
        }
        census
    }

    /// Counts an entry as every topic weighs it.
    pub(super) fn count(&mut self, story: i64, date: Timestamp, weighed: Vec<Weighed>) {
        self.stories.insert(story);
        for (topic, weighed) in self.topics.iter_mut().zip(weighed) {
            if weighed.verdict == Verdict::In {
                *topic.inside.entry(story).or_default() += 1;
            }
            for weight in weighed.parts {
                let part = topic.parts.entry(weight.part).or_default();
                part.last = part.last.max(Some(date));
                // A term of `not` counts wherever it stands; another one only where it gives points.
                if weight.points != 0.0 || matches!(weight.part, TopicPart::Not(_)) {
                    let known = part.stories.entry(story).or_default();
                    known.decisive += usize::from(weight.is_decisive);
                    if weight.points.abs() > known.points.abs() {
                        known.points = weight.points;
                    }
                }
            }
        }
    }

    /// Counts the labelled entries of one story as right or wrong.
    fn count_labelled(&mut self, config: &Config, matcher: &Matcher, story: &[&Labelled]) {
        let weighed: Vec<Vec<Weighed>> = story.iter().map(|entry| entry.weighed(config, matcher)).collect();
        for (place, (topic, counted)) in config.topics.iter().zip(&mut self.topics).enumerate() {
            let is_about = match labelled::label_of(story, &topic.id) {
                ABOUT => true,
                NOT => false,
                _ => continue,
            };
            let parts = weighed.iter().filter_map(|topics| topics.get(place)).flat_map(|weighed| &weighed.parts);
            let counting = parts.filter(|weight| weight.points != 0.0 || matches!(weight.part, TopicPart::Not(_)));
            let parts: HashSet<TopicPart> = counting.map(|weight| weight.part).collect();
            for part in parts {
                let part_census = counted.parts.entry(part).or_default();
                // A term of `not` is right where the story is not about the topic.
                let is_right = is_about != matches!(part, TopicPart::Not(_));
                *(if is_right { &mut part_census.right } else { &mut part_census.wrong }) += 1;
            }
        }
    }

    /// The terms of topics that count in more than a share of all stories: topic's place, term, share. Empty while there
    /// are too few stories to know.
    pub(super) fn common<'a>(&self, config: &'a Config) -> Vec<(usize, &'a str, f64)> {
        let mut common = Vec::new();
        for (place, (topic, counted)) in config.topics.iter().zip(&self.topics).enumerate() {
            let lines = lines(topic, counted, self.stories.len(), false);
            let terms = lines.into_iter().filter(|line| line.kind == LineKind::Term && line.is_common());
            common.extend(terms.filter_map(|line| Some((place, line.term?, line.share))));
        }
        common.dedup_by_key(|(place, term, _)| (*place, *term));
        common
    }
}

/// The lines of a topic as people read them.
#[derive(Debug)]
pub(super) struct TermTable<'a> {
    /// Rules, each with those of its terms that count.
    pub(super) rules: Vec<PartLine<'a>>,
    /// Terms of `not` that keep something out.
    pub(super) barred: Vec<PartLine<'a>>,
    /// Terms that bring nothing, each once, under the words that say so.
    pub(super) silent: Vec<(&'static str, Vec<&'a str>)>,
    /// Terms that tell no topic, each with its share of all stories.
    pub(super) common: Vec<(&'a str, f64)>,
}

impl<'a> TermTable<'a> {
    fn new(lines: Vec<PartLine<'a>>) -> Self {
        let idle = |is_seen: bool| {
            let mut once = HashSet::new();
            let terms = lines.iter().filter(move |line| line.stories == 0 && line.last.is_some() == is_seen);
            terms.filter_map(|line| line.term).filter(|term| once.insert(*term)).collect::<Vec<_>>()
        };
        let silent = [("seen, but never where they count", idle(true)), ("never seen", idle(false))];
        let common = lines.iter().filter(|line| line.kind == LineKind::Term && line.is_common());
        Self {
            common: common.filter_map(|line| Some((line.term?, line.share))).collect(),
            silent: silent.into_iter().filter(|(_, terms)| !terms.is_empty()).collect(),
            barred: lines.iter().filter(|line| line.kind == LineKind::Not && line.stories > 0).cloned().collect(),
            rules: lines
                .into_iter()
                .filter(|line| line.kind == LineKind::Rule || line.kind == LineKind::Term && line.stories > 0)
                .collect(),
        }
    }
}

/// Says how common a term is.
pub(super) fn too_common(term: &str, share: f64) -> String {
    format!("`{}` counts in {:.0} % of all stories", output::harmless(term), share * 100.0)
}

impl PartLine<'_> {
    /// Whether it is that of a rule, which those of its terms follow.
    pub(super) fn is_rule(&self) -> bool {
        self.kind == LineKind::Rule
    }

    /// The term, or the rule's name.
    pub(super) fn name(&self) -> String {
        output::harmless(self.term.or(self.rule).unwrap_or_default())
    }

    /// Its points on average; a dot if it gives none.
    pub(super) fn points_told(&self) -> String {
        if self.kind == LineKind::Not || self.stories == 0 { "·".to_owned() } else { output::signed(self.points) }
    }

    /// The day on which it was seen last.
    pub(super) fn last_told(&self) -> String {
        self.last.map_or_else(|| "never".to_owned(), |last| last.format("%Y-%m-%d").to_string())
    }

    fn is_common(&self) -> bool {
        self.stories >= TOUCHED_MIN && self.share > SHARE_MAX
    }
}

/// The lines of a topic: each rule with its terms below it, then `not`.
fn lines<'a>(topic: &'a Topic, counted: &TopicCensus, stories: usize, is_labelled: bool) -> Vec<PartLine<'a>> {
    let line = |part: TopicPart, kind, rule: Option<&'a str>, term: Option<&'a str>| {
        let none = PartCensus::default();
        let census = counted.parts.get(&part).unwrap_or(&none);
        let touched = census.stories.len();
        let is_alone = |(story, in_story): &(&i64, &InStory)| match kind {
            LineKind::Not => in_story.decisive > 0 && !counted.inside.contains_key(*story),
            LineKind::Rule | LineKind::Term => {
                counted.inside.get(*story).is_some_and(|inside| *inside == in_story.decisive)
            }
        };
        let sum: f64 = census.stories.values().map(|in_story| in_story.points).sum();
        PartLine {
            topic: &topic.id,
            kind,
            rule,
            term,
            stories: touched,
            share: touched as f64 / stories.max(1) as f64,
            alone: census.stories.iter().filter(is_alone).count(),
            points: sum / touched.max(1) as f64 + 0.0,
            last: census.last,
            right: is_labelled.then_some(census.right),
            wrong: is_labelled.then_some(census.wrong),
        }
    };
    let mut lines = Vec::new();
    for (place, rule) in topic.rules.iter().enumerate() {
        lines.push(line(TopicPart::Rule(place), LineKind::Rule, Some(&rule.name), None));
        let terms = rule.terms().enumerate().map(|(number, term)| {
            let part = TopicPart::Term { rule: place, term: number };
            line(part, LineKind::Term, Some(&rule.name), Some(&term.written))
        });
        let mut terms: Vec<PartLine<'a>> = terms.collect();
        terms.sort_by_key(|line| std::cmp::Reverse((line.alone, line.stories)));
        lines.extend(terms);
    }
    let not = topic.not.iter().enumerate();
    lines.extend(not.map(|(place, term)| line(TopicPart::Not(place), LineKind::Not, None, Some(&term.written))));
    lines
}

fn push_line(text: &mut String, line: &impl Serialize) -> serde_json::Result<()> {
    text.push_str(&serde_json::to_string(line)?);
    text.push('\n');
    Ok(())
}

/// Writes the table of a topic, which has `inside` stories.
fn for_people(text: &mut String, topic: &Topic, inside: usize, table: &TermTable<'_>, near: &Nearby, paint: Paint) {
    let has_labels = table.rules.iter().any(|line| line.right.is_some());
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}: {}", paint.strong(&topic.id), count(inside, "story"));
    let labels = if has_labels { "  right  wrong" } else { "" };
    let _ = writeln!(text, "{}", paint.quiet(&format!("  stories  alone  points   last seen{labels}")));
    for line in &table.rules {
        row(text, line, paint);
    }
    if !table.barred.is_empty() {
        let _ = writeln!(text, "  kept out by `not`:");
        for line in &table.barred {
            row(text, line, paint);
        }
    }
    for (says, terms) in &table.silent {
        let _ = writeln!(text, "  {says}: {}", named(terms));
    }
    for (term, share) in &table.common {
        let _ = writeln!(text, "  {}: {}", paint.bad("too common"), too_common(term, *share));
    }
    near.for_people(text, paint);
    text.push('\n');
}

fn row(text: &mut String, line: &PartLine<'_>, paint: Paint) {
    let PartLine { stories, alone, .. } = line;
    let labels = line.right.zip(line.wrong).map(|(right, wrong)| format!("  {right:>5}  {wrong:>5}"));
    let name = if line.is_rule() { paint.strong(&line.name()) } else { format!("  {}", line.name()) };
    let (points, last, labels) = (line.points_told(), line.last_told(), labels.unwrap_or_default());
    let _ = writeln!(text, "  {stories:>7}  {alone:>5}  {points:>6}  {last:>10}{labels}  {name}");
}

/// Names terms, and how many more there are.
pub(super) fn named(terms: &[&str]) -> String {
    let shown: Vec<String> = terms.iter().take(NAMED_MAX).map(|term| format!("`{}`", output::harmless(term))).collect();
    let more = if terms.len() > NAMED_MAX { format!(" and {} more", terms.len() - NAMED_MAX) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
