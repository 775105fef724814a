//! Stories that learnt rules would add to a topic, and take from it, of all that are stored.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::super::telling::on_pages;
use super::super::{Failure, scan};
use crate::config::{Config, Source};
use crate::store::{Held, Store};
use crate::story::Plain;
use crate::tag;
use crate::topic::learning::LearnedRule;
use crate::topic::{Matcher, Topic};

/// Titles that are shown of stories added, and of those taken away.
const TITLES: usize = 2;

/// The change that one rule makes; the keys are a contract.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Effect {
    /// Stories.
    pub(super) adds: usize,
    pub(super) takes: usize,
    /// Titles of the newest of them.
    pub(super) adds_titles: Vec<String>,
    pub(super) takes_titles: Vec<String>,
}

/// Tries each rule alone beside those of the topic.
pub(super) fn on_history(
    config: &Config,
    store: &mut dyn Store,
    topic: &Topic,
    rules: &[LearnedRule],
) -> Result<Vec<Effect>, Failure> {
    // A blank is in no id, so these are no topics of the config.
    let named = |place: usize| format!("{} {place}", topic.id);
    let with = |(place, learnt): (usize, &LearnedRule)| {
        let mut with = Topic { id: named(place), ..topic.clone() };
        with.amend(std::slice::from_ref(&learnt.amendment));
        with
    };
    let matcher = Matcher::new(config.topics.iter().cloned().chain(rules.iter().enumerate().map(with)).collect());
    let places: HashMap<String, usize> = (0..rules.len()).map(|place| (named(place), place)).collect();
    let sources: HashMap<&str, &Source> = config.sources.iter().map(|source| (source.id.as_str(), source)).collect();
    let judge = |held: &Held| {
        let stored = &held.stored;
        let source = sources.get(stored.source_id.as_str()).copied();
        let taken = source.and_then(|source| source.topics.as_ref());
        if taken.is_some_and(|topics| !topics.contains(&topic.id)) {
            return (stored.story, false, Vec::new());
        }
        let fields = tag::fields(&stored.entry, &Plain::of(&stored.entry), &stored.source_id, source);
        let labels = matcher.labels(&fields);
        let is_in = labels.iter().any(|label| label.topic == topic.id);
        (stored.story, is_in, labels.iter().filter_map(|label| places.get(&label.topic).copied()).collect())
    };
    let mut now: BTreeSet<i64> = BTreeSet::new();
    let mut then: Vec<BTreeSet<i64>> = vec![BTreeSet::new(); rules.len()];
    scan::judge_each(store, "entries tried with each rule", judge, |(story, is_in, with): (i64, bool, Vec<usize>)| {
        if is_in {
            now.insert(story);
        }
        for place in with {
            if let Some(stories) = then.get_mut(place) {
                stories.insert(story);
            }
        }
    })?;
    let mut effects = Vec::new();
    for then in &then {
        let added = newest_first(then.difference(&now));
        let taken = newest_first(now.difference(then));
        effects.push(Effect {
            adds: added.len(),
            takes: taken.len(),
            adds_titles: titles(store, &added)?,
            takes_titles: titles(store, &taken)?,
        });
    }
    Ok(effects)
}

/// Numbers of stories, the newest first.
fn newest_first<'a>(stories: impl Iterator<Item = &'a i64>) -> Vec<i64> {
    let mut all: Vec<i64> = stories.copied().collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all
}

fn titles(store: &mut dyn Store, stories: &[i64]) -> Result<Vec<String>, Failure> {
    let newest = || stories.iter().take(TITLES).copied();
    let mut pages = on_pages(store, newest())?;
    Ok(newest().filter_map(|story| pages.remove(&story)?.title).collect())
}
