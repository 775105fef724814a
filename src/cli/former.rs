//! Topics that are published and that a config has no more: a subscriber of one would lose it.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::publish::files;

/// Returns the topics that are published, or have entries, and that the config has neither as topics nor as aliases.
pub(super) fn former_topics(config: &Config, labelled: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let published = files::published_documents(&config.publish.directory);
    let id = |path: &str| Some(path.strip_prefix('/')?.strip_suffix(".atom")?.to_owned());
    // Volumes lie deeper; the feed of sources is no topic's.
    let published = published.iter().filter_map(|document| id(&document.path));
    let published = published.filter(|id| !id.contains('/') && id != "sources");
    let is_known = |id: &str| config.aliases.contains_key(id) || config.topics.iter().any(|topic| topic.id == id);
    published.chain(labelled).filter(|id| !is_known(id)).collect()
}

/// Says that the addresses of a former topic lead nowhere.
pub(super) fn broken(id: &str) -> String {
    format!("topic `{id}` is gone: its subscribers find nothing at `/{id}.atom` and its other addresses")
}

/// Says how they lead on, to the topic that takes its place if that is known.
pub(super) fn way_out(id: &str, heir: Option<&str>) -> String {
    let place = match heir {
        Some(heir) => format!("in topic `{heir}`, which has most of its stories"),
        None => "in the topic that takes its place".to_owned(),
    };
    format!("write `aliases = [\"{id}\"]` {place}, and they lead on")
}
