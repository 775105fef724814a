//! Stories as the page of a topic would show them, for an editor who has not published them yet.

use std::collections::HashMap;

use super::publication::credits;
use crate::config::Config;
use crate::publish::{self, Edition, Hidden};
use crate::store::{Store, StoreError};
use crate::story::Story;
use crate::topic::Topic;

/// Renders stories in HTML, each as the page of the topic shows it; without pictures, for which other sites would be asked.
///
/// # Errors
/// When the store cannot be read.
pub fn proofs(
    config: &Config,
    store: &mut dyn Store,
    topic: &Topic,
    stories: &[Story],
) -> Result<Vec<String>, StoreError> {
    let states = store.sources(None)?.into_iter().map(|known| known.state).collect();
    let sources = credits(config, states, HashMap::new());
    let edition = Edition {
        hidden: Hidden::of(sources.values()),
        site: &config.site,
        settings: &config.publish,
        sources: &sources,
        selections: Vec::new(),
        turns: &[],
        hubs: &[],
        own_hub: None,
        config: None,
        outages: &[],
        post_turns: Vec::new(),
        posts: &[],
        today: chrono::NaiveDate::default(),
    };
    Ok(publish::articles(&edition, topic, stories))
}
