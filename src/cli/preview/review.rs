//! A review: a config tried on everything that is stored, in one pass.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;

use super::super::diff::{self, Compared, ShownDiff, TopicDiff};
use super::super::nearby::{self, Bystanders, Nearby};
use super::super::words::Census;
use super::super::{Failure, check, open, scan};
use crate::config::{Config, Source};
use crate::feed::Timestamp;
use crate::store::{Held, Store};
use crate::story::Plain;
use crate::tag;
use crate::topic::{Matcher, Verdict};

/// Stories gained, and lost, of each topic that are told one by one.
pub(super) const CHANGES_MAX: usize = 100;

/// A config, and what it does to all that is stored.
pub(super) struct Review {
    /// Its store is the one that was looked at.
    pub(super) config: Config,
    pub(super) matcher: Matcher,
    /// When the config was read.
    pub(super) read: Timestamp,
    /// How long the pass took.
    pub(super) took: Duration,
    /// Says that the store of another config was looked at.
    pub(super) usual: Option<String>,
    /// Everything that `veille check` tells of it, and its last line.
    pub(super) remarks: (String, String),
    /// The store's generation before it was looked at.
    pub(super) generation: i64,
    pub(super) census: Census,
    /// In the order of the config, then those that it has no more.
    pub(super) topics: Vec<TopicReview>,
    /// Topics that go: what their subscribers lose, and the way out.
    pub(super) former: Vec<(String, String)>,
    /// The changes that would let stories into empty topics, by topic.
    ways: Mutex<BTreeMap<String, Vec<String>>>,
}

/// A topic in a review.
pub(super) struct TopicReview {
    pub(super) id: String,
    /// Its place in the config; `None` if that has it no more.
    pub(super) place: Option<usize>,
    pub(super) diff: ShownDiff,
    /// The stories that it will have.
    pub(super) after: HashSet<i64>,
    pub(super) nearby: Option<Nearby>,
}

impl Review {
    /// Tries a config on all that is stored. Returns the empty topics besides, into which ways are to be found; nothing if
    /// the review is not wanted any more.
    pub(super) fn make(
        mut config: Config,
        is_wanted: &mut dyn FnMut() -> bool,
    ) -> Result<Option<(Self, Vec<String>)>, Failure> {
        let (began, read) = (Instant::now(), Utc::now());
        let (mut store, usual) = diff::store(&config)?;
        let told_usual = usual.as_ref().map(diff::comparing_with);
        if let Some(usual) = usual {
            config.store = usual.store;
        }
        let generation = store.pulse()?.generation;
        let matcher = Matcher::new(config.topics.clone());
        let Some(passed) = passed(&config, &matcher, &mut *store, is_wanted)? else { return Ok(None) };
        let Passed { mut diffs, census, bystanders } = passed;
        let former = diff::former(&config, &diffs).iter().map(diff::Former::told).collect();
        let mut topics = Vec::new();
        let own = config.topics.iter().enumerate().map(|(place, topic)| (topic.id.clone(), Some(place)));
        let known: BTreeSet<&String> = config.topics.iter().map(|topic| &topic.id).collect();
        let gone: Vec<String> = diffs.keys().filter(|id| !known.contains(id)).cloned().collect();
        for (id, place) in own.chain(gone.into_iter().map(|id| (id, None))) {
            let mut of_topic = diffs.remove(&id).unwrap_or_default();
            let after = std::mem::take(&mut of_topic.after);
            of_topic.after.clone_from(&after);
            let diff = diff::outcome(&config, &mut *store, &id, of_topic, CHANGES_MAX)?;
            topics.push(TopicReview { id, place, diff, after, nearby: None });
        }
        let inside: Vec<HashSet<i64>> =
            topics.iter().filter(|topic| topic.place.is_some()).map(|topic| topic.after.clone()).collect();
        let mut near = nearby::describe(&config, &mut *store, &matcher, bystanders.outside_of(&inside))?;
        for topic in &mut topics {
            topic.nearby = near.remove(&topic.id);
        }
        let is_to_open = |topic: &&TopicReview| topic.after.is_empty() && topic.nearby.is_some();
        let empty = topics.iter().filter(is_to_open).map(|topic| topic.id.clone()).collect();
        let remarks = check::remarks(&config);
        let (ways, took) = (Mutex::default(), began.elapsed());
        let usual = told_usual;
        let review =
            Self { config, matcher, read, took, usual, remarks, generation, census, topics, former, ways };
        Ok(Some((review, empty)))
    }

    /// Finds the changes that would let stories into an empty topic; returns whether they were wanted to the end.
    pub(super) fn with_ways(&self, id: &str, is_wanted: &mut dyn FnMut() -> bool) -> Result<bool, Failure> {
        let topic = self.config.topics.iter().find(|topic| topic.id == id);
        let nearby = self.topics.iter().find(|topic| topic.id == id).and_then(|topic| topic.nearby.as_ref());
        let (Some(topic), Some(nearby)) = (topic, nearby) else { return Ok(true) };
        let mut was_wanted = true;
        let mut asked = || {
            was_wanted = is_wanted();
            was_wanted
        };
        let ways = nearby.ways_into(&self.config, &mut *self.store()?, topic, &mut asked)?;
        let told = ways.iter().map(nearby::WayIn::told).collect();
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), told);
        Ok(was_wanted)
    }

    /// The changes that would let stories into a topic, as far as they were found.
    pub(super) fn ways_into(&self, id: &str) -> Vec<String> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned().unwrap_or_default()
    }

    /// Opens the store that was looked at.
    pub(super) fn store(&self) -> Result<Box<dyn Store>, Failure> {
        open::store_to_read(&self.config)
    }

    /// Returns a topic.
    pub(super) fn topic(&self, id: &str) -> Option<&TopicReview> {
        self.topics.iter().find(|topic| topic.id == id)
    }
}

/// The yield of a pass through the store.
struct Passed {
    diffs: BTreeMap<String, TopicDiff>,
    census: Census,
    bystanders: Bystanders,
}

fn passed(
    config: &Config,
    matcher: &Matcher,
    store: &mut dyn Store,
    is_wanted: &mut dyn FnMut() -> bool,
) -> Result<Option<Passed>, Failure> {
    let sources: HashMap<&str, &Source> = config.sources.iter().map(|source| (source.id.as_str(), source)).collect();
    let judge = |held: &Held| {
        let stored = &held.stored;
        let source = sources.get(stored.source_id.as_str()).copied();
        let plain = Plain::of(&stored.entry);
        let weighed = tag::weighed(matcher, &stored.entry, &plain, &stored.source_id, source);
        let labels = diff::renamed(config, held.labels.clone());
        let inside = config.topics.iter().zip(&weighed).filter(|(_, weighed)| weighed.verdict == Verdict::In);
        let mut after: Vec<String> = inside.map(|(topic, _)| topic.id.clone()).collect();
        after.sort();
        let compared = if labels.iter().map(|label| &label.topic).eq(&after) {
            Compared { story: stored.story, before: after.clone(), after, changes: Vec::new() }
        } else {
            diff::compared(matcher, source, &(stored.clone(), labels), &plain)
        };
        (compared, weighed, (stored.story, stored.number, stored.date))
    };
    let (mut diffs, mut census, mut bystanders) = (BTreeMap::new(), Census::empty(config), Bystanders::default());
    let take = |(compared, weighed, (story, number, date)): (Compared, Vec<_>, (i64, i64, Timestamp))| {
        diff::take(&mut diffs, compared, CHANGES_MAX);
        bystanders.take(config, story, number, &weighed);
        census.count(story, date, weighed);
    };
    let was_wanted = scan::judge_while(store, "entries tried", judge, take, is_wanted)?;
    Ok(was_wanted.then_some(Passed { diffs, census, bystanders }))
}
