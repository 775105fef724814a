//! Stories that nearly got into a topic, and the changes of single rules that would let them in.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::output::{self, Paint};
use super::telling::{StoryOnPage, on_pages, told_by};
use super::{Failure, judged, scan};
use crate::config::{Config, Source};
use crate::feed::Timestamp;
use crate::store::{self, Held, Store};
use crate::story::{Plain, StoredEntry};
use crate::tag;
use crate::text::count;
use crate::topic::{Judgement, Matcher, Opening, RuleChange, Topic, Verdict, Weighed};

/// Stories that are shown of each topic.
const NEAREST: usize = 5;

/// Stories of a topic that are kept while all are looked through: some are in through another entry, or withdrawn.
const KEPT: usize = 256;

/// Changes that are tried on all that is stored.
const TRIED: usize = 24;

/// Changes, and titles of other stories for each, that are shown.
const WAYS: usize = 5;
const TITLES: usize = 3;

/// A topic with a part of the points that it wants is near.
const NEAR_SHARE: f64 = 0.5;

/// The stories near a topic, and what would let them in.
#[derive(Debug, Default)]
pub(super) struct Nearby {
    pub(super) stories: Vec<NearStory>,
    /// For a topic without stories alone.
    pub(super) ways: Vec<WayIn>,
    /// Changes that may let the stories in, to be tried.
    openings: Vec<Opening>,
}

/// A story that nearly got in; the keys are a contract.
#[derive(Debug, Serialize)]
pub(super) struct NearStory {
    /// The entry that came nearest.
    pub(super) id: i64,
    story: i64,
    pub(super) title: Option<String>,
    pub(super) url: Option<String>,
    pub(super) date: Timestamp,
    pub(super) told_by: usize,
    /// The points that it lacks.
    lacks: f64,
    #[serde(flatten)]
    pub(super) judgement: Judgement,
}

/// A change of a rule that would let stories in; the keys are a contract.
#[derive(Debug, Serialize)]
pub(super) struct WayIn {
    topic: String,
    rule: String,
    /// As it is written in the config.
    change: String,
    /// Stories among the nearest that it lets in.
    lets_in: Vec<i64>,
    /// The number of other stories that it lets in too.
    others: usize,
    /// Titles of the newest of them.
    other_titles: Vec<String>,
}

/// Entries that are not in topics: of each topic, by its place in the config, those that came nearest, one of each story.
#[derive(Debug, Default)]
pub(super) struct Outsiders(HashMap<usize, HashMap<i64, Outside>>);

impl Outsiders {
    fn take(&mut self, outside: Outside) {
        let known = self.0.entry(outside.topic).or_default();
        if known.get(&outside.story).is_none_or(|known| outside.nearness() > known.nearness()) {
            known.insert(outside.story, outside);
        }
        if known.len() > KEPT * 2 {
            *known = nearest(known, KEPT).into_iter().map(|outside| (outside.story, outside)).collect();
        }
    }

    /// Leaves out stories that are in through another entry.
    fn leave_out(&mut self, topic: usize, inside: &HashSet<i64>) {
        if let Some(known) = self.0.get_mut(&topic) {
            known.retain(|story, _| !inside.contains(story));
        }
    }
}

/// Entries outside of topics, gathered while nobody knows yet which topics stay empty.
#[derive(Debug, Default)]
pub(super) struct Bystanders {
    /// Those with a part of the points that a topic wants.
    near: Outsiders,
    /// Stories that have any point, or nearly one: for topics that stay empty.
    any: Outsiders,
}

impl Bystanders {
    /// Takes an entry in, as every topic weighs it.
    pub(super) fn take(&mut self, config: &Config, story: i64, number: i64, all: &[Weighed]) {
        for (place, (topic, weighed)) in config.topics.iter().zip(all).enumerate() {
            if weighed.verdict != Verdict::BelowThreshold || weighed.score + weighed.missed <= 0.0 {
                continue;
            }
            let outside = Outside { topic: place, story, number, score: weighed.score, missed: weighed.missed };
            if is_near(topic, weighed) {
                self.near.take(outside);
            } else {
                self.any.take(outside);
            }
        }
    }

    /// Returns those that matter; `inside` has the stories of each topic, in the order of the config.
    pub(super) fn outside_of(self, inside: &[HashSet<i64>]) -> Outsiders {
        let Self { mut near, any } = self;
        for (place, inside) in inside.iter().enumerate() {
            if inside.is_empty() {
                let more = any.0.get(&place).into_iter().flat_map(HashMap::values);
                more.for_each(|outside| near.take(*outside));
            }
            near.leave_out(place, inside);
        }
        near
    }
}

/// An entry that is not in a topic.
#[derive(Debug, Clone, Copy)]
struct Outside {
    /// The topic's place in the config.
    topic: usize,
    story: i64,
    number: i64,
    score: f64,
    /// Points that a rule which nearly counted would bring.
    missed: f64,
}

impl Outside {
    /// A rule that nearly counted is worth half.
    fn nearness(&self) -> f64 {
        self.score + self.missed / 2.0
    }
}

/// Finds the stories that nearly got into topics, by their ids; `inside` has the stories of each.
pub(super) fn find_nearby(
    config: &Config,
    store: &mut dyn Store,
    inside: &BTreeMap<String, HashSet<i64>>,
) -> Result<BTreeMap<String, Nearby>, Failure> {
    let mut found = BTreeMap::new();
    if inside.is_empty() {
        return Ok(found);
    }
    let matcher = Matcher::new(config.topics.clone());
    let sources = sources(config);
    let mut near = Outsiders::default();
    let judge = |held: &Held| outside(config, &matcher, source(&sources, &held.stored), inside, &held.stored);
    scan::judge_each(store, "entries looked through for near misses", judge, |all| {
        for outside in all {
            near.take(outside);
        }
    })?;
    for (id, mut nearby) in describe(config, store, &matcher, near)? {
        let is_empty = inside.get(&id).is_some_and(HashSet::is_empty);
        if let Some(topic) = config.topics.iter().find(|topic| topic.id == id && is_empty) {
            nearby.ways = nearby.ways_into(config, store, topic, &mut || true)?;
        }
        found.insert(id, nearby);
    }
    Ok(found)
}

/// Looks up the nearest stories, by topic.
pub(super) fn describe(
    config: &Config,
    store: &mut dyn Store,
    matcher: &Matcher,
    near: Outsiders,
) -> Result<BTreeMap<String, Nearby>, Failure> {
    let sources = sources(config);
    let mut found = BTreeMap::new();
    for (place, known) in near.0 {
        let Some(topic) = config.topics.get(place) else { continue };
        let mut stories = Vec::new();
        let mut openings = Vec::new();
        let nearest = nearest(&known, KEPT);
        let mut pages = on_pages(store, nearest.iter().take(NEAREST * 4).map(|outside| outside.story))?;
        for outside in nearest {
            let Some(page) = pages.remove(&outside.story).filter(|_| stories.len() < NEAREST) else { continue };
            let Some(stored) = store::entry(store, outside.number)? else { continue };
            openings.extend(matcher.openings(&fields(&stored, source(&sources, &stored)), place));
            let judgements = judged::judgements_under(config, matcher, &stored.entry, &stored.source_id);
            let judgement = judgements.into_iter().nth(place);
            stories.extend(judgement.map(|judgement| near_story(&outside, page, judgement)));
        }
        found.insert(topic.id.clone(), Nearby { stories, ways: Vec::new(), openings });
    }
    Ok(found)
}

fn sources(config: &Config) -> HashMap<&str, &Source> {
    config.sources.iter().map(|source| (source.id.as_str(), source)).collect()
}

fn source<'a>(sources: &HashMap<&str, &'a Source>, stored: &StoredEntry) -> Option<&'a Source> {
    sources.get(stored.source_id.as_str()).copied()
}

fn fields(stored: &StoredEntry, source: Option<&Source>) -> crate::topic::Fields {
    tag::fields(&stored.entry, &Plain::of(&stored.entry), &stored.source_id, source)
}

/// The topics that an entry is nearly in, among those that are asked for.
fn outside(
    config: &Config,
    matcher: &Matcher,
    source: Option<&Source>,
    inside: &BTreeMap<String, HashSet<i64>>,
    stored: &StoredEntry,
) -> Vec<Outside> {
    let all = tag::weighed(matcher, &stored.entry, &Plain::of(&stored.entry), &stored.source_id, source);
    let near = config.topics.iter().zip(all).enumerate().filter_map(|(place, (topic, weighed))| {
        let stories = inside.get(&topic.id)?;
        let is_near = if stories.is_empty() { weighed.score + weighed.missed > 0.0 } else { is_near(topic, &weighed) };
        let is_outside = weighed.verdict == Verdict::BelowThreshold && !stories.contains(&stored.story);
        let (story, number) = (stored.story, stored.number);
        let (score, missed) = (weighed.score, weighed.missed);
        (is_near && is_outside).then_some(Outside { topic: place, story, number, score, missed })
    });
    near.collect()
}

fn is_near(topic: &Topic, weighed: &Weighed) -> bool {
    weighed.score >= topic.threshold * NEAR_SHARE
}

fn nearest(known: &HashMap<i64, Outside>, most: usize) -> Vec<Outside> {
    let mut all: Vec<Outside> = known.values().copied().collect();
    // Of those that are as near the newest.
    all.sort_by(|a, b| b.nearness().total_cmp(&a.nearness()).then(b.story.cmp(&a.story)));
    all.truncate(most);
    all
}

fn near_story(outside: &Outside, page: StoryOnPage, judgement: Judgement) -> NearStory {
    let StoryOnPage { title, url, date, told_by } = page;
    NearStory {
        id: outside.number,
        story: outside.story,
        title,
        url: url.map(String::from),
        date,
        told_by,
        lacks: judgement.threshold - judgement.score,
        judgement,
    }
}

/// Tries changes of rules on everything that is stored; those that bring the fewest others come first.
fn ways_in(
    config: &Config,
    store: &mut dyn Store,
    topic: &Topic,
    nearest: &[NearStory],
    openings: &[Opening],
    is_wanted: &mut dyn FnMut() -> bool,
) -> Result<Vec<WayIn>, Failure> {
    let mut tried: Vec<Opening> = Vec::new();
    for opening in openings {
        if tried.len() < TRIED && !tried.contains(opening) {
            tried.push(opening.clone());
        }
    }
    // A blank is in no id, so these are no topics of the config.
    let named = |place: usize| format!("{} {place}", topic.id);
    let opened = tried.iter().enumerate().map(|(place, opening)| Topic { id: named(place), ..topic.opened(opening) });
    let matcher = Matcher::new(config.topics.iter().cloned().chain(opened).collect());
    let places: HashMap<String, usize> = (0..tried.len()).map(|place| (named(place), place)).collect();
    let sources = sources(config);
    let mut through: Vec<BTreeSet<i64>> = vec![BTreeSet::new(); tried.len()];
    let judge = |held: &Held| {
        let source = source(&sources, &held.stored);
        let topics = source.and_then(|source| source.topics.as_ref());
        if topics.is_some_and(|topics| !topics.contains(&topic.id)) {
            return (held.stored.story, Vec::new());
        }
        let labels = matcher.labels(&fields(&held.stored, source)).into_iter();
        (held.stored.story, labels.filter_map(|label| places.get(&label.topic).copied()).collect())
    };
    let take = |(story, topics): (i64, Vec<usize>)| {
        for place in topics {
            if let Some(stories) = through.get_mut(place) {
                stories.insert(story);
            }
        }
    };
    if !scan::judge_while(store, "entries looked through for ways in", judge, take, is_wanted)? {
        return Ok(Vec::new());
    }
    let mut ways = Vec::new();
    for (opening, stories) in tried.iter().zip(through) {
        let lets_in: Vec<i64> = nearest.iter().map(|near| near.story).filter(|story| stories.contains(story)).collect();
        let others: Vec<i64> = stories.into_iter().rev().filter(|story| !lets_in.contains(story)).collect();
        ways.push((opening, lets_in, others));
    }
    ways.retain(|(_, lets_in, _)| !lets_in.is_empty());
    ways.sort_by_key(|(_, lets_in, others)| (others.len(), std::cmp::Reverse(lets_in.len())));
    ways.truncate(WAYS);
    let mut told = Vec::new();
    for (opening, lets_in, others) in ways {
        let mut pages = on_pages(store, others.iter().take(TITLES).copied())?;
        let titles = others.iter().filter_map(|story| pages.remove(story)?.title);
        told.push(WayIn {
            topic: topic.id.clone(),
            rule: topic.rules.get(opening.rule).map(|rule| rule.name.clone()).unwrap_or_default(),
            change: written(topic, opening),
            lets_in,
            others: others.len(),
            other_titles: titles.collect(),
        });
    }
    Ok(told)
}

/// A change as it is written in the config.
fn written(topic: &Topic, opening: &Opening) -> String {
    match opening.change {
        RuleChange::Weight(weight) => format!("weight = {weight:?}"),
        RuleChange::Within(distance) => format!("within = {distance}"),
        RuleChange::Field(_) => {
            let opened = topic.opened(opening);
            let fields = opened.rules.get(opening.rule).into_iter().flat_map(|rule| &rule.fields);
            let fields: Vec<String> = fields.map(|field| format!("\"{}\"", field.name())).collect();
            format!("in = [{}]", fields.join(", "))
        }
    }
}

impl NearStory {
    /// `4.5 of 6 points, 1.5 lacking: +4.5 …`, then the rules that nearly counted, each with the condition that it lacked.
    pub(super) fn told(&self) -> (String, Vec<String>) {
        let Judgement { score, threshold, evidence, near_misses, .. } = &self.judgement;
        let reasons: Vec<_> = evidence.iter().map(|evidence| evidence.reason.clone()).collect();
        let why = if reasons.is_empty() { String::new() } else { format!(": {}", judged::in_short(&reasons)) };
        let [score, threshold, lacks] = [*score, *threshold, self.lacks].map(output::points);
        let misses =
            near_misses.iter().map(|miss| format!("{}: {}", output::harmless(&miss.rule), judged::missed(miss)));
        (format!("{score} of {threshold} points, {lacks} lacking{why}"), misses.collect())
    }
}

impl WayIn {
    /// ``with `weight = 3.0` in rule `any`: 2 of these and 1 other: « … »``
    pub(super) fn told(&self) -> String {
        let Self { rule, change, lets_in, others, other_titles, .. } = self;
        let titles: Vec<String> = other_titles.iter().map(|title| format!("« {} »", output::harmless(title))).collect();
        let and = match others {
            0 => "and nothing else".to_owned(),
            others => format!("and {}: {}", count(*others, "other"), titles.join(", ")),
        };
        let more = if *others > titles.len() { ", …" } else { "" };
        format!("with `{change}` in rule `{}`: {} of these {and}{more}", output::harmless(rule), lets_in.len())
    }
}

impl Nearby {
    /// Finds the changes that would let the stories in, for a topic that stays empty; none if they are not wanted any more.
    pub(super) fn ways_into(
        &self,
        config: &Config,
        store: &mut dyn Store,
        topic: &Topic,
        is_wanted: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<WayIn>, Failure> {
        ways_in(config, store, topic, &self.stories, &self.openings, is_wanted)
    }

    /// Writes the stories with what they lack, then the ways in.
    pub(super) fn for_people(&self, text: &mut String, paint: Paint) {
        if self.stories.is_empty() {
            return;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {}", paint.quiet("just outside:"));
        for near in &self.stories {
            let NearStory { id, title, date, told_by: entries, .. } = near;
            let title = output::harmless(title.as_deref().unwrap_or("(no title)"));
            let _ = writeln!(text, "  ~ {}  {id:>6}  {title}{}", date.format("%Y-%m-%d"), told_by(*entries));
            let (lacks, misses) = near.told();
            for line in std::iter::once(&lacks).chain(&misses) {
                let _ = writeln!(text, "      {line}");
            }
        }
        for way in &self.ways {
            let _ = writeln!(text, "  {}", way.told());
        }
    }
}
