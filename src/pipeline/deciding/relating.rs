//! Related news of the stories that polls brought. For the words used here see `dedup/related/mod.rs`.
//!
//! A poll only notes which stories wait ([`note_waiting`]). The next publication chooses for all of them at once ([`choose_related`]):
//! so the windows are read once, and not again for each poll.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Draft, IfRead};
use crate::dedup;
use crate::store::{Change, Inquiry, Surroundings};
use crate::story::{Gist, Order, Plain, TellingWords};

/// Notes that the stories of these entries wait, if a topic shows them without a choice made.
pub(crate) fn note_waiting(draft: &mut Draft<'_>, entries: &[i64]) {
    let stories: BTreeSet<i64> =
        entries.iter().filter_map(|number| draft.peer(*number).map(|peer| peer.story)).collect();
    let waits = |story: &i64| draft.topics(*story).iter().any(|topic| !draft.is_related(topic, *story));
    let waiting: Vec<i64> = stories.into_iter().filter(waits).collect();
    if !waiting.is_empty() {
        draft.changes.push(Change::Unrelated(waiting));
    }
}

/// Chooses the related news of stored stories in each topic without a choice. Needs the stories among the peers of
/// `around`. The error is the inquiry that the choice lacks.
pub(crate) fn choose_related(around: &Surroundings, stories: &[i64]) -> Result<Vec<Change>, Box<Inquiry>> {
    let mut relating = Relating { around, wants: Inquiry::default(), telling_words: HashMap::new() };
    let mut waiting: BTreeMap<&str, Vec<Cow<'_, Gist>>> = BTreeMap::new();
    for story in stories {
        for topic in topics(around, *story) {
            if !around.related.contains(&(topic.to_owned(), *story))
                && let Some(gist) = relating.gist(*story)
            {
                waiting.entry(topic).or_default().push(gist);
            }
        }
    }
    let mut changes = Vec::new();
    for (topic, waiting) in waiting {
        let waiting: Vec<&Gist> = waiting.iter().map(AsRef::as_ref).collect();
        let Some(before) = relating.before(topic, &waiting) else { continue };
        let before: Vec<&Gist> = before.iter().map(AsRef::as_ref).collect();
        for (gist, others) in waiting.iter().zip(dedup::related(&before, &waiting)) {
            changes.push(Change::Relate { topic: topic.to_owned(), story: gist.number, others });
        }
    }
    if !relating.wants.is_empty() {
        return Err(Box::new(relating.wants));
    }
    changes.extend(
        relating
            .telling_words
            .into_iter()
            .map(|(number, telling_words)| Change::TellingWords { number, telling_words }),
    );
    changes.push(Change::Related(stories.to_vec()));
    Ok(changes)
}

fn topics(around: &Surroundings, story: i64) -> BTreeSet<&str> {
    let told = around.stories.get(&story).into_iter().flatten();
    told.filter_map(|number| around.peers.get(number)).flat_map(|peer| &peer.topics).map(String::as_str).collect()
}

struct Relating<'a> {
    around: &'a Surroundings,
    wants: Inquiry,
    /// By entry: telling words that were looked for only now.
    telling_words: HashMap<i64, TellingWords>,
}

impl<'a> Relating<'a> {
    fn gist(&mut self, story: i64) -> IfRead<Cow<'a, Gist>> {
        let around = self.around;
        if !around.asked.gists.contains(&story) {
            self.wants.gists.insert(story);
        }
        around.gists.get(&story).and_then(|gist| self.with_telling_words(gist))
    }

    /// The stories of a topic in the windows before these stories, in order.
    fn before(&mut self, topic: &str, waiting: &[&Gist]) -> IfRead<Vec<Cow<'a, Gist>>> {
        let around = self.around;
        let asked = around.asked.windows.get(topic);
        let places = waiting.iter().map(|gist| gist.order());
        let unknown: Vec<Order> = places.filter(|place| asked.is_none_or(|asked| !asked.contains(place))).collect();
        if !unknown.is_empty() {
            self.wants.windows.entry(topic.to_owned()).or_default().extend(unknown);
            return None;
        }
        let stories = around.windows.get(topic).into_iter().flat_map(BTreeMap::values);
        Some(stories.filter_map(|gist| self.with_telling_words(gist)).collect())
    }

    /// Completes a gist without telling words: its entry was in no topic when it came.
    fn with_telling_words(&mut self, gist: &'a Gist) -> IfRead<Cow<'a, Gist>> {
        if gist.telling_words.is_some() {
            return Some(Cow::Borrowed(gist));
        }
        if !self.telling_words.contains_key(&gist.number) {
            let Some(stored) = self.around.texts.get(&gist.number) else {
                if !self.around.asked.texts.contains(&gist.number) {
                    self.wants.texts.insert(gist.number);
                }
                return None;
            };
            self.telling_words.insert(gist.number, dedup::telling_words(&stored.entry, &Plain::of(&stored.entry)));
        }
        Some(Cow::Owned(Gist { telling_words: self.telling_words.get(&gist.number).cloned(), ..gist.clone() }))
    }
}
