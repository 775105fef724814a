//! Search over what is published, without the store: an index in memory, made at publishing.
//!
//! It is made of [`Drawer`]s, one for each month of a topic. A publication takes over those whose months have not changed,
//! so its cost is in proportion to what has. The newest months come first, as far as `publish.search_months` and
//! `publish.search_memory` allow; with `publish.search = false` there is none at all. A search reads drawers alone: it
//! cannot tell of anything that is in no published topic.

mod asked;
mod described;
mod dictionary;
mod drawer;
mod page;
mod quoted;
#[cfg(test)]
mod tests;
mod varint;
mod words;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Site;
use crate::feed::Timestamp;
use crate::publish::Edition;
use crate::story::Month;
use crate::topic::{Query, Topic};
use asked::{SearchAsked, SearchFault};
use drawer::FiledStory;

pub(super) use described::description;
pub use drawer::{Drawer, OpenDrawer};
pub(super) use page::static_page;

/// Stories on one page of results.
const PAGE_STORIES: usize = 20;

/// The stories that can be searched, and all that their page shows beside them.
#[derive(Debug, Clone)]
pub struct SearchIndex {
    /// Newest months first.
    drawers: Vec<Arc<Drawer>>,
    site: Site,
    /// The title of the site, as pages show it.
    site_title: String,
    /// Its address; ends with `/`.
    home: String,
    /// The id and title of each topic, in the order of the config.
    topics: Vec<(String, String)>,
    /// Former ids of topics, each with the id that the topic has now.
    aliases: BTreeMap<String, String>,
    /// Whether it is still being made.
    is_partial: bool,
}

/// The answer to a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchAnswer {
    /// The page.
    pub html: String,
    /// Whether the question was none.
    pub is_refused: bool,
}

/// The stories that were found, the first to be shown first.
#[derive(Debug, Default)]
struct StoriesFound {
    stories: Vec<FoundStory>,
}

/// The place of a story that was found.
#[derive(Debug, Clone, Copy)]
struct FoundStory {
    /// Its date and number, the newest first.
    order: (Reverse<i64>, Reverse<i64>),
    drawer: usize,
    place: u32,
}

impl SearchIndex {
    /// Makes the index of these drawers, the newest months first.
    #[must_use]
    pub fn new<'t>(
        edition: &Edition<'_>,
        topics: impl Iterator<Item = &'t Topic>,
        aliases: &BTreeMap<String, String>,
        drawers: Vec<Arc<Drawer>>,
        is_partial: bool,
    ) -> Self {
        let title = |topic: &Topic| super::legal::readable_line(&topic.title).unwrap_or_else(|| topic.id.clone());
        Self {
            drawers,
            site: edition.site.clone(),
            site_title: super::page::site_title(edition),
            home: super::channel::site_address(edition),
            topics: topics.map(|topic| (topic.id.clone(), title(topic))).collect(),
            aliases: aliases.clone(),
            is_partial,
        }
    }

    /// Returns the drawer of a month of a topic.
    #[must_use]
    pub fn drawer(&self, topic: &str, month: Month) -> Option<&Arc<Drawer>> {
        self.drawers.iter().find(|drawer| drawer.month == month && drawer.topic == topic)
    }

    /// Returns the bytes that it takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.drawers.iter().map(|drawer| drawer.bytes()).sum()
    }

    /// Returns the number of stories in its drawers; one of several topics counts in each.
    #[must_use]
    pub fn len(&self) -> usize {
        self.drawers.iter().map(|drawer| drawer.len()).sum()
    }

    /// Whether it has no stories.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drawers.iter().all(|drawer| drawer.is_empty())
    }

    /// Answers the query of an address below `/search/`.
    ///
    /// Takes processor time in proportion to how often the words stand in the index, and memory for each story found.
    #[must_use]
    pub fn answer(&self, query: &str) -> SearchAnswer {
        let asked = match SearchAsked::read(query) {
            Ok(asked) => asked,
            Err(fault) => return page::refused_page(self, fault),
        };
        let known = |id: &String| self.topics.iter().any(|(known, _)| known == id);
        let topic = asked.topic.map(|id| self.aliases.get(&id).cloned().unwrap_or(id));
        if topic.as_ref().is_some_and(|id| !known(id)) {
            return page::refused_page(self, SearchFault::Unreadable);
        }
        let mut asked = SearchAsked { topic, ..asked };
        let mut query = Query::parse(&asked.words);
        let found = self.find(&query, asked.topic.as_deref());
        let pages = found.stories.len().div_ceil(PAGE_STORIES).max(1);
        asked.page = asked.page.min(pages);
        page::results(self, &asked, &mut query, &found)
    }

    /// Finds the stories that hold all terms: those with all of them in their titles first, then the newest.
    fn find(&self, query: &Query, topic: Option<&str>) -> StoriesFound {
        let terms: Vec<Vec<Vec<&str>>> = query.spellings().collect();
        if terms.is_empty() {
            return StoriesFound::default();
        }
        let (mut titled, mut others) = (Vec::new(), Vec::new());
        let drawers: Vec<(usize, &Arc<Drawer>)> = self.drawers.iter().enumerate().collect();
        for month in drawers.chunk_by(|(_, one), (_, other)| one.month == other.month) {
            let mut of_month: Vec<(bool, FoundStory)> = Vec::new();
            for (at, drawer) in month.iter().filter(|(_, drawer)| topic.is_none_or(|topic| topic == drawer.topic)) {
                of_month.extend(drawer.holding(&terms).into_iter().filter_map(|(place, in_title)| {
                    let (number, date) = (drawer.numbers.get(place as usize)?, drawer.dates.get(place as usize)?);
                    let order = (Reverse(*date), Reverse(*number));
                    Some((in_title, FoundStory { order, drawer: *at, place }))
                }));
            }
            // Each drawer is in order, which this sort makes use of. A story of several topics stands in several drawers.
            of_month.sort_by_key(|(_, story)| story.order);
            of_month.dedup_by_key(|(_, story)| story.order);
            for (in_title, story) in of_month {
                if in_title { &mut titled } else { &mut others }.push(story);
            }
        }
        titled.append(&mut others);
        let stories = titled;
        StoriesFound { stories }
    }

    /// Returns a story that was found, its date, and the topics that show it, by their place.
    fn shown(&self, found: &FoundStory) -> Option<(FiledStory, Timestamp, Vec<usize>)> {
        let drawer = self.drawers.get(found.drawer)?;
        let (Reverse(date), Reverse(number)) = found.order;
        let others = self.drawers.iter().filter(|other| other.month == drawer.month && other.has(number, date));
        let place = |drawer: &Arc<Drawer>| self.topics.iter().position(|(id, _)| *id == drawer.topic);
        let mut topics: Vec<usize> = others.filter_map(place).collect();
        topics.sort_unstable();
        Some((drawer.story(found.place)?, Timestamp::from_timestamp(date, 0)?, topics))
    }

    /// The first month that is searched.
    fn since(&self) -> Option<Month> {
        self.drawers.iter().filter(|drawer| !drawer.is_empty()).map(|drawer| drawer.month).min()
    }
}
