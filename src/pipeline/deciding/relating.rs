//! Choosing related news, once for each story in each topic.

use std::collections::{BTreeMap, BTreeSet};

use super::Draft;
use crate::dedup;
use crate::story::Gist;

/// Chooses the related news of the stories that these entries tell, in each topic where none has been chosen yet.
///
/// The earliest story goes first, whatever their order: those that came together can be related.
pub(crate) fn relate(draft: &mut Draft<'_>, entries: &[i64]) {
    if !draft.lacks_nothing() {
        // This decision is made again: choosing costs more than all the rest of it.
        return;
    }
    let stories: BTreeSet<i64> =
        entries.iter().filter_map(|number| draft.peer(*number).map(|peer| peer.story)).collect();
    let mut waiting: BTreeMap<String, Vec<Gist>> = BTreeMap::new();
    for story in stories {
        for topic in draft.topics(story) {
            if !draft.is_related(&topic, story)
                && let Some(gist) = draft.gist(story)
            {
                waiting.entry(topic).or_default().push(gist);
            }
        }
    }
    for (topic, mut waiting) in waiting {
        waiting.sort_by_key(Gist::order);
        let waiting: Vec<&Gist> = waiting.iter().collect();
        let chosen = draft.with_stories(&topic, &waiting, |stories| dedup::related(stories, &waiting));
        for (gist, others) in waiting.iter().zip(chosen.unwrap_or_default()) {
            draft.relate(&topic, gist.number, others);
        }
    }
}
