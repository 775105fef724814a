//! `veille diff`: what a changed config would do to the stored history, before it is live.
//!
//! Against the labels that are stored, which are what is published; reads only, beside a running daemon.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::thread::ScopedJoinHandle;

use serde::Serialize;

use super::output::{self, Paint};
use super::{Failure, judged, open, progress};
use crate::config::{self, Config, Source};
use crate::feed::Timestamp;
use crate::store::{Filter, Store, StoreError, StorePlace, Which};
use crate::story::{Plain, StoredEntry};
use crate::tag;
use crate::topic::{Label, Matcher, Reason, Verdict};

/// Entries read from the store in one go.
const BATCH: usize = 200;

#[derive(Debug, clap::Args)]
pub(super) struct DiffOptions {
    /// Show at most so many entries gained and so many lost of each topic, the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print a JSON line for every entry gained or lost
    #[arg(long)]
    json: bool,
}

/// An entry that a topic would gain or lose; the keys are a contract.
#[derive(Debug, Serialize)]
struct GainOrLoss {
    topic: String,
    #[serde(rename = "change")]
    direction: Direction,
    id: i64,
    feed: String,
    title: Option<String>,
    url: Option<String>,
    date: Timestamp,
    /// Under the new config.
    score: f64,
    threshold: f64,
    /// Under the new config; `None` if that has no such topic.
    verdict: Option<Verdict>,
    /// Of a gained entry, its reasons; of a lost one, each rule with the points that it gives more or less than before.
    reasons: Vec<Reason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Gained,
    Lost,
}

/// The changes of a topic.
#[derive(Debug, Default)]
struct TopicDiff {
    before: usize,
    changes: Vec<GainOrLoss>,
}

pub(super) fn run(config: &Config, options: &DiffOptions) -> Result<(), Failure> {
    let mut store = store(config)?;
    let mut outcomes = compare(config, &mut *store)?;
    for outcome in outcomes.values_mut() {
        outcome.changes.sort_by_key(|change| (change.direction == Direction::Lost, std::cmp::Reverse(change.date)));
    }
    // As in the config; topics that it has no more come last.
    let mut ids: Vec<&str> = config.topics.iter().map(|topic| topic.id.as_str()).collect();
    ids.extend(outcomes.keys().map(String::as_str).filter(|id| !config.topics.iter().any(|topic| topic.id == *id)));
    let paint = Paint::of_stdout();
    let mut text = String::new();
    let none = TopicDiff::default();
    for id in ids {
        let outcome = outcomes.get(id).unwrap_or(&none);
        if options.json {
            for change in &outcome.changes {
                text.push_str(&serde_json::to_string(change)?);
                text.push('\n');
            }
        } else {
            for_people(&mut text, id, outcome, options.limit, paint);
        }
    }
    Ok(output::print(&text)?)
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

/// By topic: how many entries it has, and what changes.
fn compare(config: &Config, store: &mut dyn Store) -> Result<BTreeMap<String, TopicDiff>, Failure> {
    let matcher = Matcher::new(config.topics.clone());
    let sources: HashMap<&str, &Source> = config.sources.iter().map(|source| (source.id.as_str(), source)).collect();
    let source = |stored: &StoredEntry| sources.get(stored.source_id.as_str()).copied();
    let judge = |part: &[StoredWithLabels]| -> Vec<GainOrLoss> {
        part.iter().flat_map(|labelled| changes(&matcher, source(&labelled.0), labelled)).collect()
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let bar = progress::counter("entries compared");
    let mut outcomes: BTreeMap<String, TopicDiff> = BTreeMap::new();
    let mut batch = labelled_after(store, 0)?;
    while let Some((last, _)) = batch.last() {
        // Judging takes the processors, reading the disk; in the end all is in the order of the entries.
        let (changed, next) = std::thread::scope(|scope| {
            let (judge, share) = (&judge, batch.len().div_ceil(workers));
            let parts: Vec<_> = batch.chunks(share).map(|part| scope.spawn(move || judge(part))).collect();
            let next = labelled_after(store, last.number);
            (parts.into_iter().map(ScopedJoinHandle::join).collect::<Result<Vec<_>, _>>(), next)
        });
        let changed = changed.map_err(|_| anyhow::anyhow!("veille has a fault that an entry brings to light"))?;
        for label in batch.iter().flat_map(|(_, labels)| labels) {
            outcomes.entry(label.topic.clone()).or_default().before += 1;
        }
        for change in changed.into_iter().flatten() {
            outcomes.entry(change.topic.clone()).or_default().changes.push(change);
        }
        bar.inc(batch.len() as u64);
        batch = next?;
    }
    bar.finish_and_clear();
    Ok(outcomes)
}

/// An entry with the labels that are published.
type StoredWithLabels = (StoredEntry, Vec<Label>);

fn labelled_after(store: &mut dyn Store, after: i64) -> Result<Vec<StoredWithLabels>, StoreError> {
    let filter = Filter { which: Which::After(after), limit: BATCH, ..Filter::default() };
    Ok(store.entries(&filter)?.into_iter().map(|held| (held.stored, held.labels)).collect())
}

/// Returns the changes of one entry.
fn changes(matcher: &Matcher, source: Option<&Source>, (stored, old): &StoredWithLabels) -> Vec<GainOrLoss> {
    let StoredEntry { entry, source_id, .. } = stored;
    let plain = Plain::of(entry);
    let new = tag::labels(matcher, entry, &plain, source_id, source);
    let is_in = |labels: &[Label], topic: &str| labels.iter().any(|label| label.topic == topic);
    if old.len() == new.len() && old.iter().all(|label| is_in(&new, &label.topic)) {
        return Vec::new();
    }
    let judgements = tag::judgements(matcher, entry, &plain, source_id, source);
    let judged = |topic: &str| judgements.iter().find(|judgement| judgement.topic == topic);
    let change = |topic: &str, direction, reasons| GainOrLoss {
        topic: topic.to_owned(),
        direction,
        id: stored.number,
        feed: source_id.clone(),
        title: entry.title.clone(),
        url: entry.url.as_ref().map(ToString::to_string),
        date: stored.date,
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

/// `laicite  +12 −3  (154 entries now, 163 then)`, then the entries.
fn for_people(text: &mut String, id: &str, outcome: &TopicDiff, limit: usize, paint: Paint) {
    let of = |direction| outcome.changes.iter().filter(move |change| change.direction == direction);
    let (gained, lost) = (of(Direction::Gained).count(), of(Direction::Lost).count());
    let counts = format!("{} {}", paint.good(&format!("+{gained}")), paint.bad(&format!("−{lost}")));
    let then = (outcome.before + gained).saturating_sub(lost);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}  {counts}  ({} now, {then} then)", paint.strong(id), outcome.before);
    for (direction, count) in [(Direction::Gained, gained), (Direction::Lost, lost)] {
        for change in of(direction).take(limit) {
            line(text, change, paint);
        }
        if count > limit {
            let _ = writeln!(text, "  … and {} more (`--limit {count}`)", count - limit);
        }
    }
}

fn line(text: &mut String, change: &GainOrLoss, paint: Paint) {
    let sign = match change.direction {
        Direction::Gained => paint.good("+"),
        Direction::Lost => paint.bad("−"),
    };
    let title = output::harmless(change.title.as_deref().unwrap_or("(no title)"));
    let _ = writeln!(text, "  {sign} {}  {:>6}  {title}", change.date.format("%Y-%m-%d"), change.id);
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
