//! `veille export`: the feeds, or the topics, as OPML for other readers.

use std::collections::{BTreeMap, HashMap};

use super::{Failure, open, output};
use crate::config::Config;
use crate::publish::{self, Edition, Hidden, Selection, Subscription};
use crate::state::About;

#[derive(Debug, clap::Args)]
pub(super) struct ExportOptions {
    /// The topics that are published instead of the feeds that are polled
    #[arg(long)]
    topics: bool,
}

pub(super) fn run(config: &Config, options: &ExportOptions) -> Result<(), Failure> {
    let bytes = if options.topics { topics(config) } else { feeds(config) };
    Ok(output::print(&String::from_utf8_lossy(&bytes))?)
}

fn topics(config: &Config) -> Vec<u8> {
    let selection = |topic| Selection {
        topic,
        stories: Vec::new(),
        months: Vec::new(),
        tombstones: Vec::new(),
        counts: Vec::new(),
    };
    let edition = Edition {
        hidden: Hidden::default(),
        site: &config.site,
        settings: &config.publish,
        sources: &BTreeMap::new(),
        selections: config.topics.iter().map(selection).collect(),
        turns: &[],
        hubs: &[],
        config: None,
        outages: &[],
        posts: &[],
        today: chrono::NaiveDate::default(),
    };
    publish::topic_list(&edition).bytes.to_vec()
}

fn feeds(config: &Config) -> Vec<u8> {
    // Titles and sites are known once a feed was read; without a store the list is whole all the same.
    let states = open::store_to_read(config).ok().and_then(|mut store| store.sources(None).ok()).unwrap_or_default();
    let abouts: HashMap<String, Box<About>> =
        states.into_iter().map(|known| (known.state.source_id, known.state.about)).collect();
    let listed = config.sources.iter().filter(|source| source.enabled).map(|source| {
        let about = abouts.get(&source.id);
        let own_title = || about.and_then(|about| about.title.clone());
        Subscription {
            title: source.title.clone().or_else(own_title).unwrap_or_else(|| source.id.clone()),
            url: source.url.to_string(),
            page: about.and_then(|about| about.url.as_ref()).map(url::Url::to_string),
            tags: source.tags.clone(),
        }
    });
    publish::subscriptions(&config.site.title, &listed.collect::<Vec<_>>())
}
