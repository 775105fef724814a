//! Choosing related news, once for each story in each topic.

use std::collections::BTreeSet;

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
    let mut waiting: Vec<(String, Gist)> = Vec::new();
    for story in stories {
        for topic in draft.topics(story) {
            if !draft.is_related(&topic, story) {
                waiting.extend(draft.gist(story).map(|gist| (topic, gist)));
            }
        }
    }
    waiting.sort_by(|(topic, gist), (other_topic, other)| (topic, gist.order()).cmp(&(other_topic, other.order())));
    for (topic, gist) in waiting {
        if let Some(others) = draft.with_window(&topic, gist.order(), |window| dedup::related(&gist, window)) {
            draft.relate(&topic, gist.number, others);
        }
    }
}
