//! A review: a config tried on everything that is stored, in one pass. Topics that were not changed are not tried again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;

use super::super::diff::{self, Compared, ShownDiff, TopicDiff};
use super::super::nearby::{self, Bystanders, Nearby};
use super::super::words::{Census, TopicCensus};
use super::super::{Failure, check, open, scan};
use crate::config::{Config, Source};
use crate::feed::Timestamp;
use crate::store::{Held, Store, StorePlace};
use crate::story::Plain;
use crate::tag;
use crate::topic::{Matcher, Topic, Verdict};

/// Stories gained, and lost, of each topic that are told one by one.
pub(super) const CHANGES_MAX: usize = 100;

/// A config, and what it does to all that is stored.
pub(super) struct Review {
    /// Its store is the one that was looked at.
    pub(super) config: Config,
    pub(super) matcher: Matcher,
    /// When the config was read.
    pub(super) read: Timestamp,
    /// How long it took to try it.
    pub(super) took: Duration,
    /// Says that the store of another config was looked at.
    pub(super) usual: Option<String>,
    /// The store's generation before it was looked at.
    pub(super) generation: i64,
    /// The number of all stories.
    pub(super) stories: usize,
    /// In the order of the config, then those that it has no more.
    pub(super) topics: Vec<Arc<TopicReview>>,
    /// Topics that go, each with what its subscribers lose, and the way out.
    pub(super) former: BTreeMap<String, (String, String)>,
    /// Found later, since nobody waits for it.
    later: Mutex<Later>,
}

/// A topic in a review.
pub(super) struct TopicReview {
    pub(super) id: String,
    pub(super) diff: ShownDiff,
    /// The stories that it will have.
    pub(super) after: HashSet<i64>,
    pub(super) nearby: Option<Nearby>,
    pub(super) census: TopicCensus,
}

/// The parts of a review that come after it.
#[derive(Debug, Clone, Default)]
pub(super) struct Later {
    /// Everything that `veille check` tells of the config, and its last line.
    pub(super) remarks: Option<(String, String)>,
    /// The changes that would let stories into empty topics, by topic.
    pub(super) ways: BTreeMap<String, Vec<String>>,
}

impl Review {
    /// Tries a config on all that is stored; nothing if the review is not wanted any more. Topics that are in `last` as they
    /// are now, with the same store, are taken from there.
    pub(super) fn make(
        mut config: Config,
        last: Option<&Self>,
        is_wanted: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Self>, Failure> {
        let (began, read) = (Instant::now(), Utc::now());
        let (mut store, usual) = diff::store(&config)?;
        let told_usual = usual.as_ref().map(diff::comparing_with);
        if let Some(usual) = usual {
            config.store = usual.store;
        }
        let generation = store.pulse()?.generation;
        let last = last.filter(|last| last.generation == generation && is_judged_alike(&last.config, &config));
        let mut known = last.map(|last| last.kept(&config)).unwrap_or_default();
        let mut stories = last.map_or(0, |last| last.stories);
        let mut former = last.map(|last| last.former.clone()).unwrap_or_default();
        let is_new = config.topics.iter().any(|topic| !known.contains_key(&topic.id));
        if is_new || last.is_none_or(|last| last.loses_one(&known)) {
            let part = Untried::of(&config, &known);
            let Some(passed) = part.passed(&mut *store, is_wanted)? else { return Ok(None) };
            former.extend(diff::former(&config, &passed.diffs).iter().map(|gone| (gone.id.clone(), gone.told())));
            let (all, reviews) = part.reviewed(&mut *store, passed)?;
            stories = all;
            known.extend(reviews.into_iter().map(|review| (review.id.clone(), Arc::new(review))));
        }
        former.retain(|id, _| config.topics.iter().all(|topic| topic.id != *id) && !config.aliases.contains_key(id));
        let mut topics: Vec<Arc<TopicReview>> =
            config.topics.iter().filter_map(|topic| known.remove(&topic.id)).collect();
        topics.extend(known.into_values());
        let later = last.map(Self::later).unwrap_or_default();
        let later = Mutex::new(Later { remarks: None, ..later });
        let (matcher, took, usual) = (Matcher::new(config.topics.clone()), began.elapsed(), told_usual);
        Ok(Some(Self { config, matcher, read, took, usual, generation, stories, topics, former, later }))
    }

    /// The topics that this review holds as they would be in a review of `config`.
    fn kept(&self, config: &Config) -> BTreeMap<String, Arc<TopicReview>> {
        let old: HashMap<&str, &Topic> = self.config.topics.iter().map(|topic| (&*topic.id, topic)).collect();
        let is_old = |topic: &Topic| old.get(&*topic.id).is_some_and(|old| *old == topic);
        let mut changed: BTreeSet<&str> =
            config.topics.iter().filter(|topic| !is_old(topic)).map(|topic| &*topic.id).collect();
        // Other topics decide what is in a topic that includes or excludes them.
        loop {
            let depends = |topic: &&Topic| referred(topic).any(|other| changed.contains(other));
            let more: Vec<&str> = config.topics.iter().filter(depends).map(|topic| &*topic.id).collect();
            let before = changed.len();
            changed.extend(more);
            if changed.len() == before {
                break;
            }
        }
        let is_own = |id: &str| config.topics.iter().any(|topic| topic.id == id);
        let goes = self.topics.iter().any(|review| review.diff.before > 0 && !is_own(&review.id));
        let reviews = self.topics.iter().filter(|review| {
            let was_own = old.contains_key(&*review.id);
            // One that has no readers yet may take the place of a topic that goes.
            let may_be_heir = goes && review.diff.before == 0;
            was_own == is_own(&review.id) && !changed.contains(&*review.id) && !may_be_heir
        });
        reviews.map(|review| (review.id.clone(), Arc::clone(review))).collect()
    }

    /// Whether a topic of this review that has readers is neither as it was nor known to be gone.
    fn loses_one(&self, known: &BTreeMap<String, Arc<TopicReview>>) -> bool {
        self.topics.iter().any(|topic| topic.diff.before > 0 && !known.contains_key(&topic.id))
    }

    /// Finds everything that `veille check` tells of the config.
    pub(super) fn check(&self) {
        let remarks = check::remarks(&self.config);
        self.later.lock().unwrap_or_else(PoisonError::into_inner).remarks = Some(remarks);
    }

    /// The empty topics into which ways are not known yet.
    pub(super) fn without_ways(&self) -> Vec<String> {
        let Later { ways, .. } = self.later();
        let is_to_open = |topic: &&Arc<TopicReview>| topic.after.is_empty() && topic.nearby.is_some();
        let empty = self.topics.iter().filter(is_to_open).map(|topic| topic.id.clone());
        empty.filter(|id| !ways.contains_key(id)).collect()
    }

    /// Finds the changes that would let stories into an empty topic; returns whether they were wanted to the end.
    pub(super) fn find_ways(&self, id: &str, is_wanted: &mut dyn FnMut() -> bool) -> Result<bool, Failure> {
        let topic = self.config.topics.iter().find(|topic| topic.id == id);
        let nearby = self.topic(id).and_then(|topic| topic.nearby.as_ref());
        let (Some(topic), Some(nearby)) = (topic, nearby) else { return Ok(true) };
        let mut was_wanted = true;
        let mut asked = || {
            was_wanted = is_wanted();
            was_wanted
        };
        let ways = nearby.ways_into(&self.config, &mut *self.store()?, topic, &mut asked)?;
        let told = ways.iter().map(nearby::WayIn::told).collect();
        if was_wanted {
            self.later.lock().unwrap_or_else(PoisonError::into_inner).ways.insert(id.to_owned(), told);
        }
        Ok(was_wanted)
    }

    /// The parts that came after it, so far.
    pub(super) fn later(&self) -> Later {
        self.later.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the store that was looked at.
    pub(super) fn store(&self) -> Result<Box<dyn Store>, Failure> {
        open::store_to_read(&self.config)
    }

    /// Returns a topic.
    pub(super) fn topic(&self, id: &str) -> Option<&TopicReview> {
        self.topics.iter().find(|topic| topic.id == id).map(|topic| &**topic)
    }
}

/// Whether two configs differ in nothing but topics, as far as entries are judged.
fn is_judged_alike(one: &Config, other: &Config) -> bool {
    let sources = |config: &Config| -> Vec<(String, Option<Vec<String>>, Vec<String>)> {
        let judged = |source: &Source| (source.id.clone(), source.topics.clone(), source.tags.clone());
        config.sources.iter().map(judged).collect()
    };
    one.aliases == other.aliases
        && StorePlace::of(&one.store) == StorePlace::of(&other.store)
        && sources(one) == sources(other)
}

/// The topics that a topic names.
fn referred(topic: &Topic) -> impl Iterator<Item = &str> {
    topic.include.iter().chain(&topic.exclude).map(String::as_str)
}

/// The part of a config that is tried in one pass: all topics but known ones.
struct Untried<'a> {
    /// With these topics, and those that they name.
    config: Config,
    matcher: Matcher,
    known: &'a BTreeMap<String, Arc<TopicReview>>,
}

/// The yield of a pass through the store.
struct Passed {
    diffs: BTreeMap<String, TopicDiff>,
    census: Census,
    bystanders: Bystanders,
}

impl<'a> Untried<'a> {
    fn of(config: &Config, known: &'a BTreeMap<String, Arc<TopicReview>>) -> Self {
        let mut wanted: BTreeSet<&str> =
            config.topics.iter().map(|topic| &*topic.id).filter(|id| !known.contains_key(*id)).collect();
        loop {
            let of = config.topics.iter().filter(|topic| wanted.contains(&*topic.id));
            let named: Vec<&str> = of.flat_map(referred).collect();
            let before = wanted.len();
            wanted.extend(named);
            if wanted.len() == before {
                break;
            }
        }
        let topics: Vec<Topic> = config.topics.iter().filter(|topic| wanted.contains(&*topic.id)).cloned().collect();
        let matcher = Matcher::new(topics.clone());
        Self { config: Config { topics, ..config.clone() }, matcher, known }
    }

    /// Looks at every stored entry.
    fn passed(&self, store: &mut dyn Store, is_wanted: &mut dyn FnMut() -> bool) -> Result<Option<Passed>, Failure> {
        let Self { config, matcher, known } = self;
        let sources: HashMap<&str, &Source> =
            config.sources.iter().map(|source| (source.id.as_str(), source)).collect();
        let judge = |held: &Held| {
            let stored = &held.stored;
            let source = sources.get(stored.source_id.as_str()).copied();
            let plain = Plain::of(&stored.entry);
            let weighed = tag::weighed(matcher, &stored.entry, &plain, &stored.source_id, source);
            let mut labels = diff::renamed(config, held.labels.clone());
            labels.retain(|label| !known.contains_key(&label.topic));
            let inside = config.topics.iter().zip(&weighed).filter(|(_, weighed)| weighed.verdict == Verdict::In);
            let inside = inside.map(|(topic, _)| topic.id.clone());
            let mut after: Vec<String> = inside.filter(|id| !known.contains_key(id)).collect();
            after.sort();
            let compared = if labels.iter().map(|label| &label.topic).eq(&after) {
                Compared { story: stored.story, before: after.clone(), after, changes: Vec::new() }
            } else {
                let mut compared = diff::compared(matcher, source, &(stored.clone(), labels), &plain);
                compared.after.retain(|id| !known.contains_key(id));
                compared.changes.retain(|change| !known.contains_key(&change.topic));
                compared
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

    /// Returns the number of all stories, and the topics of this part and those that are gone.
    fn reviewed(&self, store: &mut dyn Store, passed: Passed) -> Result<(usize, Vec<TopicReview>), Failure> {
        let Self { config, matcher, known } = self;
        let Passed { mut diffs, census, bystanders } = passed;
        let (stories, censuses) = census.parted();
        let own = config.topics.iter().map(|topic| topic.id.clone());
        let mut censuses: BTreeMap<String, TopicCensus> = own.clone().zip(censuses).collect();
        let inside = |id: String| {
            let of_known = known.get(&id).map(|review| &review.after);
            of_known.or(diffs.get(&id).map(|diff| &diff.after)).cloned().unwrap_or_default()
        };
        let inside: Vec<HashSet<i64>> = own.clone().map(inside).collect();
        let mut near = nearby::describe(config, store, matcher, bystanders.outside_of(&inside))?;
        let gone: Vec<String> = diffs.keys().filter(|id| own.clone().all(|own| own != **id)).cloned().collect();
        let mut reviews = Vec::new();
        for id in own.filter(|id| !known.contains_key(id)).chain(gone) {
            let of_topic = diffs.remove(&id).unwrap_or_default();
            let after = of_topic.after.clone();
            let diff = diff::outcome(config, store, &id, of_topic, CHANGES_MAX)?;
            let (nearby, census) = (near.remove(&id), censuses.remove(&id).unwrap_or_default());
            reviews.push(TopicReview { id, diff, after, nearby, census });
        }
        Ok((stories, reviews))
    }
}
