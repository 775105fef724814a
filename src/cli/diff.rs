//! `veille diff`: what a changed config would do to the stored history, before it is live.
//!
//! Against the labels that are stored, which are what is published; reads only, beside a running daemon. Stories are counted
//! and listed, as pages show them: a story is in a topic if one of its entries is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::nearby::Nearby;
use super::output::{self, Paint};
use super::telling::{StoryOnPage, on_pages, told_by};
use super::{Failure, former, judged, nearby, open, scan};
use crate::config::{self, Config, Source};
use crate::feed::Timestamp;
use crate::store::{Held, Part, Store, StoreError, StorePlace};
use crate::story::{Plain, StoredEntry};
use crate::tag;
use crate::text::count;
use crate::topic::{Label, Matcher, Reason, Verdict};

/// All stories of a topic: more than any store holds.
const ALL: Part = Part::Newest(u32::MAX as usize);

#[derive(Debug, clap::Args)]
pub(super) struct DiffOptions {
    /// Show at most so many stories gained and so many lost of each topic, the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print a JSON line for every story gained or lost
    #[arg(long)]
    json: bool,
}

/// A story that a topic would gain or lose; the keys are a contract.
#[derive(Debug, Serialize)]
struct GainOrLoss {
    topic: String,
    #[serde(rename = "change")]
    direction: Direction,
    /// The entry that decides: of several that tell the story the one with the most points under the new config.
    id: i64,
    feed: String,
    title: Option<String>,
    url: Option<String>,
    date: Timestamp,
    /// The number of its first entry.
    story: i64,
    /// The number of entries that tell it.
    told_by: usize,
    /// Under the new config.
    score: f64,
    threshold: f64,
    /// Under the new config; `None` if that has no such topic.
    verdict: Option<Verdict>,
    /// Of a gained story, its reasons; of a lost one, each rule with the points that it gives more or less than before.
    reasons: Vec<Reason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Gained,
    Lost,
}

/// The changes of a topic.
#[derive(Debug, Default)]
struct TopicDiff {
    /// The stories that it has, and those that it will have; also those that no page shows, for all their entries are
    /// withdrawn.
    before: HashSet<i64>,
    after: HashSet<i64>,
    /// Entries that come or go, by story: the one with the most points of each.
    changes: HashMap<(i64, Direction), GainOrLoss>,
}

/// The changes of a topic as they are shown.
#[derive(Debug, Default)]
struct ShownDiff {
    /// The number of stories that pages show now.
    before: usize,
    changes: Vec<GainOrLoss>,
}

/// A topic that the config has no more.
#[derive(Debug)]
struct Former {
    id: String,
    /// The new topic that has most of its stories.
    heir: Option<String>,
}

pub(super) fn run(config: &Config, options: &DiffOptions) -> Result<(), Failure> {
    let mut store = store(config)?;
    let mut diffs = compare(config, &mut *store)?;
    let former = former(config, &diffs);
    let after: BTreeMap<String, HashSet<i64>> = config
        .topics
        .iter()
        .map(|topic| (topic.id.clone(), diffs.get(&topic.id).map(|diff| diff.after.clone()).unwrap_or_default()))
        .collect();
    // As in the config; topics that it has no more come last.
    let mut ids: Vec<String> = config.topics.iter().map(|topic| topic.id.clone()).collect();
    ids.extend(diffs.keys().filter(|id| !config.topics.iter().any(|topic| topic.id == **id)).cloned());
    let mut outcomes = Vec::new();
    for id in ids {
        let outcome = outcome(config, &mut *store, &id, diffs.remove(&id).unwrap_or_default())?;
        outcomes.push((id, outcome));
    }
    let nearby = if options.json { BTreeMap::new() } else { nearby(config, &mut *store, &outcomes, after)? };
    let paint = Paint::of_stdout();
    let mut text = String::new();
    let mut unchanged = Vec::new();
    let mut unchanged_ids = BTreeSet::new();
    for (id, outcome) in outcomes {
        if options.json {
            for change in &outcome.changes {
                text.push_str(&serde_json::to_string(change)?);
                text.push('\n');
            }
        } else if outcome.changes.is_empty() {
            unchanged_ids.insert(id.clone());
            unchanged.push(format!("{id} ({})", count(outcome.before, "story")));
        } else {
            for_people(&mut text, &id, &outcome, options.limit, paint);
            if let Some(near) = nearby.get(&id) {
                near.for_people(&mut text, paint);
            }
        }
    }
    if !unchanged.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {}", paint.strong("unchanged"), unchanged.join(", "));
        for (id, near) in
            nearby.iter().filter(|(id, near)| unchanged_ids.contains(id.as_str()) && !near.stories.is_empty())
        {
            let _ = writeln!(text, "{} stays empty", paint.strong(id));
            near.for_people(&mut text, paint);
        }
    }
    for Former { id, heir } in &former {
        let (broken, help) = (former::broken(id), former::way_out(id, heir.as_deref()));
        if options.json {
            output::note(&format!("warning: {broken}\nhelp: {help}"));
        } else {
            let _ = writeln!(text, "{}: {broken}\nhelp: {help}", paint.bad("warning"));
        }
    }
    Ok(output::print(&text)?)
}

/// Finds the stories that are nearly in the topics that change or stay empty.
fn nearby(
    config: &Config,
    store: &mut dyn Store,
    outcomes: &[(String, ShownDiff)],
    mut after: BTreeMap<String, HashSet<i64>>,
) -> Result<BTreeMap<String, Nearby>, Failure> {
    let changed: HashSet<&String> =
        outcomes.iter().filter(|(_, outcome)| !outcome.changes.is_empty()).map(|(id, _)| id).collect();
    after.retain(|id, stories| changed.contains(id) || stories.is_empty());
    nearby::find_nearby(config, store, &after)
}

/// The topics that go, each with the topic that seems to be the same under another id.
fn former(config: &Config, diffs: &BTreeMap<String, TopicDiff>) -> Vec<Former> {
    let ids = former::former_topics(config, diffs.keys().cloned());
    let heir = |id: &str| {
        let lost = diffs.get(id).map(|diff| &diff.before).filter(|lost| !lost.is_empty())?;
        let new = config.topics.iter().filter_map(|topic| Some((&topic.id, diffs.get(&topic.id)?)));
        // A topic that readers have already is another one.
        let new = new.filter(|(_, diff)| diff.before.is_empty());
        let shared = new.map(|(topic, diff)| (diff.after.intersection(lost).count(), topic));
        let (shared, topic) = shared.reduce(|best, other| if other.0 > best.0 { other } else { best })?;
        (shared * 2 > lost.len()).then(|| topic.clone())
    };
    ids.into_iter().map(|id| Former { heir: heir(&id), id }).collect()
}

/// The store of this config; of the usual config if this one has none yet, as a copy elsewhere that is being edited.
fn store(config: &Config) -> Result<Box<dyn Store>, Failure> {
    let missing = match open::store_to_read(config) {
        Err(Failure::Running(error)) if matches!(error.downcast_ref(), Some(StoreError::Missing { .. })) => error,
        other => return other,
    };
    let usual = open::config_path(None).ok().and_then(|path| config::load(&path).ok());
    match usual.filter(|usual| StorePlace::of(&usual.store).file().is_none_or(std::path::Path::exists)) {
        Some(usual) => {
            output::note(&format!("comparing with the store of `{}`", usual.path.display()));
            open::store_to_read(&usual)
        }
        None => Err(missing.into()),
    }
}

/// By topic: the stories that it has and will have, and the entries that come and go.
fn compare(config: &Config, store: &mut dyn Store) -> Result<BTreeMap<String, TopicDiff>, Failure> {
    let matcher = Matcher::new(config.topics.clone());
    let sources: HashMap<&str, &Source> = config.sources.iter().map(|source| (source.id.as_str(), source)).collect();
    let judge = |held: &Held| {
        let source = sources.get(held.stored.source_id.as_str()).copied();
        compared(&matcher, source, &(held.stored.clone(), renamed(config, held.labels.clone())))
    };
    let mut diffs: BTreeMap<String, TopicDiff> = BTreeMap::new();
    scan::judge_each(store, "entries compared", judge, |Compared { story, before, after, changes }| {
        for topic in before {
            diffs.entry(topic).or_default().before.insert(story);
        }
        for topic in after {
            diffs.entry(topic).or_default().after.insert(story);
        }
        for change in changes {
            diffs.entry(change.topic.clone()).or_default().note(change);
        }
    })?;
    Ok(diffs)
}

impl TopicDiff {
    fn note(&mut self, change: GainOrLoss) {
        let key = (change.story, change.direction);
        if self.changes.get(&key).is_none_or(|known| change.score > known.score) {
            self.changes.insert(key, change);
        }
    }
}

/// Returns the stories that come and go: those of which an entry was in the topic before, or is then, and not both.
fn outcome(config: &Config, store: &mut dyn Store, id: &str, diff: TopicDiff) -> Result<ShownDiff, Failure> {
    let TopicDiff { before, after, changes } = diff;
    let moves = |story: &i64, direction| match direction {
        Direction::Gained => !before.contains(story),
        Direction::Lost => !after.contains(story),
    };
    let mut changes: Vec<GainOrLoss> = changes
        .into_iter()
        .filter(|((story, direction), _)| moves(story, *direction))
        .map(|(_, change)| change)
        .collect();
    let mut pages = on_pages(store, changes.iter().map(|change| change.story))?;
    changes.retain_mut(|change| {
        let Some(StoryOnPage { title, url, date, told_by }) = pages.remove(&change.story) else { return false };
        (change.title, change.url, change.date, change.told_by) = (title, url.map(String::from), date, told_by);
        true
    });
    changes.sort_by_key(|change| {
        (change.direction == Direction::Lost, std::cmp::Reverse(change.date), std::cmp::Reverse(change.story))
    });
    let former = config.aliases.iter().filter(|(_, now)| *now == id).map(|(alias, _)| alias.as_str());
    let mut now: BTreeSet<i64> = BTreeSet::new();
    for id in former.chain([id]) {
        now.extend(store.stories(id, ALL)?.into_iter().map(|(_, number)| number));
    }
    Ok(ShownDiff { before: now.len(), changes })
}

/// An entry with the labels that are published.
type StoredWithLabels = (StoredEntry, Vec<Label>);

/// Gives labels the ids that topics have now.
fn renamed(config: &Config, mut labels: Vec<Label>) -> Vec<Label> {
    for label in &mut labels {
        if let Some(id) = config.aliases.get(&label.topic) {
            label.topic.clone_from(id);
        }
    }
    // Two topics may have become one.
    labels.sort_by(|a, b| a.topic.cmp(&b.topic));
    labels.dedup_by(|a, b| a.topic == b.topic);
    labels
}

/// An entry before and after.
#[derive(Debug)]
struct Compared {
    story: i64,
    /// The topics that it is in.
    before: Vec<String>,
    after: Vec<String>,
    changes: Vec<GainOrLoss>,
}

fn compared(matcher: &Matcher, source: Option<&Source>, labelled: &StoredWithLabels) -> Compared {
    let (stored, old) = labelled;
    let plain = Plain::of(&stored.entry);
    let new = tag::labels(matcher, &stored.entry, &plain, &stored.source_id, source);
    let topics = |labels: &[Label]| labels.iter().map(|label| label.topic.clone()).collect();
    let (before, after) = (topics(old), topics(&new));
    Compared { story: stored.story, before, after, changes: changes(matcher, source, labelled, &plain, new) }
}

/// Returns the changes of one entry, whose labels will be `new`.
fn changes(
    matcher: &Matcher,
    source: Option<&Source>,
    (stored, old): &StoredWithLabels,
    plain: &Plain,
    new: Vec<Label>,
) -> Vec<GainOrLoss> {
    let StoredEntry { entry, source_id, .. } = stored;
    let is_in = |labels: &[Label], topic: &str| labels.iter().any(|label| label.topic == topic);
    if old.len() == new.len() && old.iter().all(|label| is_in(&new, &label.topic)) {
        return Vec::new();
    }
    let judgements = tag::judgements(matcher, entry, plain, source_id, source);
    let judged = |topic: &str| judgements.iter().find(|judgement| judgement.topic == topic);
    let change = |topic: &str, direction, reasons| GainOrLoss {
        topic: topic.to_owned(),
        direction,
        id: stored.number,
        feed: source_id.clone(),
        // As the story is shown, once it is known which are.
        title: None,
        url: None,
        date: stored.date,
        story: stored.story,
        told_by: 1,
        score: judged(topic).map_or(0.0, |judgement| judgement.score),
        threshold: judged(topic).map_or(0.0, |judgement| judgement.threshold),
        verdict: judged(topic).map(|judgement| judgement.verdict.clone()),
        reasons,
    };
    let lost = old.iter().filter(|label| !is_in(&new, &label.topic)).map(|label| {
        let now: Vec<Reason> = judged(&label.topic)
            .map(|judgement| judgement.evidence.iter().map(|evidence| evidence.reason.clone()).collect())
            .unwrap_or_default();
        change(&label.topic, Direction::Lost, difference(&label.reasons, now))
    });
    let mut changes: Vec<GainOrLoss> = lost.collect();
    let gained = new.into_iter().filter(|label| !is_in(old, &label.topic));
    changes.extend(gained.map(|label| change(&label.topic, Direction::Gained, label.reasons)));
    changes
}

/// Each rule with the points that it gives more (or, below 0, less) than before.
fn difference(before: &[Reason], now: Vec<Reason>) -> Vec<Reason> {
    let gone = before.iter().filter(|old| !now.iter().any(|new| new.rule == old.rule));
    let gone: Vec<Reason> = gone.map(|old| Reason { points: -old.points, ..old.clone() }).collect();
    let points_before = |rule: &str| before.iter().find(|old| old.rule == rule).map_or(0.0, |old| old.points);
    let mut changed: Vec<Reason> =
        now.into_iter().map(|new| Reason { points: new.points - points_before(&new.rule), ..new }).collect();
    changed.retain(|reason| reason.points.abs() > 1e-9);
    changed.extend(gone);
    changed
}

/// `laicite  +12 −3  (154 stories now, 163 then)`, then the stories.
fn for_people(text: &mut String, id: &str, outcome: &ShownDiff, limit: usize, paint: Paint) {
    let of = |direction| outcome.changes.iter().filter(move |change| change.direction == direction);
    let (gained, lost) = (of(Direction::Gained).count(), of(Direction::Lost).count());
    let counts = format!("{} {}", paint.good(&format!("+{gained}")), paint.bad(&format!("−{lost}")));
    let then = (outcome.before + gained).saturating_sub(lost);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}  {counts}  ({} now, {then} then)", paint.strong(id), count(outcome.before, "story"));
    for (direction, number) in [(Direction::Gained, gained), (Direction::Lost, lost)] {
        for change in of(direction).take(limit) {
            line(text, change, paint);
        }
        if number > limit {
            let _ = writeln!(text, "  … and {} more (`--limit {number}`)", number - limit);
        }
    }
}

fn line(text: &mut String, change: &GainOrLoss, paint: Paint) {
    let sign = match change.direction {
        Direction::Gained => paint.good("+"),
        Direction::Lost => paint.bad("−"),
    };
    let title = output::harmless(change.title.as_deref().unwrap_or("(no title)"));
    let _ = writeln!(
        text,
        "  {sign} {}  {:>6}  {title}{}",
        change.date.format("%Y-%m-%d"),
        change.id,
        told_by(change.told_by)
    );
    let _ = writeln!(text, "      {}", why(change));
}

/// `9 of 6 points: +9 expressions (title)`
fn why(change: &GainOrLoss) -> String {
    let of = format!("{} of {} points", output::points(change.score), output::points(change.threshold));
    let because = match &change.verdict {
        None => return "the topic is gone".into(),
        Some(Verdict::In | Verdict::BelowThreshold) => of,
        Some(Verdict::Excluded(term)) => format!("kept out by `{}` of `not`", output::harmless(term)),
        Some(Verdict::OtherLanguage) => "kept out by its language".into(),
        Some(Verdict::OtherSource) => "its feed is not for this topic".into(),
        Some(Verdict::OtherTopic(other)) => format!("kept out by topic `{other}`"),
    };
    if change.reasons.is_empty() { because } else { format!("{because}: {}", judged::in_short(&change.reasons)) }
}
