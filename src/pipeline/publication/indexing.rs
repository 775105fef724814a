//! The index of the search follows each publication: drawers of months that have not changed are taken over, those of
//! volumes that were written are filled beside them, and others are filled from the store, some at each publication.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Archives, Flow, Publishing, Stories};
use crate::publish::basis::Bases;
use crate::publish::{self, Drawer, Edition, OpenDrawer, SearchIndex};
use crate::store::{Outline, Part, StoreError};
use crate::story::Month;
use crate::topic::Topic;

/// Stories that one publication reads for the search alone: news must not wait longer than for a second or two.
const STORIES_MAX: usize = 2_000;

/// The index while it is brought up to date.
#[derive(Debug)]
pub(super) struct Indexing {
    before: Arc<Option<SearchIndex>>,
    /// Filled while volumes were written.
    pub(super) filled: Vec<OpenDrawer>,
    pub(super) made: Option<SearchIndex>,
    /// Whether months lack.
    pub(super) waits: bool,
}

impl Indexing {
    /// Begins with the index that was made before, if there was one.
    pub(super) fn after(before: Arc<Option<SearchIndex>>) -> Self {
        Self { before, filled: Vec::new(), made: None, waits: false }
    }

    /// Returns the drawer of a month of a topic, if it was filled before and is right still, as far as `is_right` knows.
    fn known(&self, topic: &str, month: Month, is_right: impl Fn(&Drawer) -> bool) -> Option<Arc<Drawer>> {
        let drawer = self.before.as_ref().as_ref()?.drawer(topic, month)?;
        is_right(drawer).then(|| Arc::clone(drawer))
    }
}

/// Returns the months that are searched, the newest first.
fn searched(outline: &Outline, count: usize) -> Vec<Month> {
    let number = |month: &Month| i64::from(month.year) * 12 + i64::from(month.month);
    let mut months: Vec<Month> =
        outline.topics.iter().flat_map(|topic| topic.months.iter().map(|(month, _)| *month)).collect();
    months.sort_unstable();
    months.dedup();
    months.reverse();
    let first = months.first().map_or(0, number).saturating_sub(i64::try_from(count).unwrap_or(i64::MAX));
    months.retain(|month| number(month) > first);
    months
}

impl Publishing<'_> {
    /// Begins a drawer for a month of a topic, if it is searched.
    pub(super) fn drawer(&self, topic: &str, month: Month, stamp: i64, outline: &Outline) -> Option<OpenDrawer> {
        self.indexing.as_ref()?;
        let is_searched = searched(outline, self.config.publish.search_months).contains(&month);
        is_searched.then(|| OpenDrawer::new(topic, month, stamp, self.memory()))
    }

    /// The memory that the search may take, in bytes.
    fn memory(&self) -> usize {
        usize::try_from(self.config.publish.search_memory).unwrap_or(usize::MAX)
    }

    /// Makes the index: the newest months, as far as memory goes. Of a month that does not fit it takes the newest stories
    /// of each topic, and nothing older.
    pub(super) fn index(
        &mut self,
        edition: &Edition<'_>,
        stories: &Stories<'_>,
        outline: &Outline,
        bases: &Bases<'_>,
    ) -> Result<Flow, StoreError> {
        let Some(mut indexing) = self.indexing.take() else { return Ok(Flow::Continue(())) };
        let mut filled: HashMap<(String, Month), Drawer> = HashMap::new();
        for open in indexing.filled.drain(..) {
            let (topic, month) = open.of();
            filled.insert((topic.clone(), month), open.close(|cited| bases.drawer(&topic, cited)));
        }
        let (mut left, mut drawers, mut read) = (self.memory(), Vec::new(), 0);
        for month in searched(outline, self.config.publish.search_months) {
            let stamp = |months: &[(Month, i64)]| months.iter().find(|(known, _)| *known == month).map(|known| known.1);
            let topics = self.config.topics.iter().zip(&outline.topics);
            let topics: Vec<_> = topics.filter_map(|(topic, of)| Some((topic, stamp(&of.months)?))).collect();
            let share = left / topics.len().max(1);
            let mut of_month = Vec::new();
            for (topic, stamp) in topics {
                let is_right = |drawer: &Drawer| {
                    let is_current = drawer.stamp == stamp || self.archives == Archives::Later;
                    let is_enough = drawer.is_whole || share < 2 * drawer.bytes();
                    is_current && is_enough && drawer.basis == bases.drawer(&topic.id, &drawer.cited)
                };
                let filled = filled.remove(&(topic.id.clone(), month)).map(Arc::new);
                let drawer = filled.or_else(|| indexing.known(&topic.id, month, is_right));
                if let Some(drawer) = drawer {
                    of_month.push(drawer);
                } else if self.archives == Archives::Later || read >= STORIES_MAX {
                    indexing.waits = true;
                } else {
                    let Some(open) = self.fill(edition, stories, (topic, month, stamp))? else {
                        return Ok(Flow::Break(()));
                    };
                    let drawer = open.close(|cited| bases.drawer(&topic.id, cited));
                    read += drawer.len();
                    of_month.push(Arc::new(drawer));
                }
            }
            let is_cut = fit(of_month, &mut left, &mut drawers);
            if is_cut {
                break;
            }
        }
        let topics = self.config.topics.iter();
        indexing.made = Some(SearchIndex::new(edition, topics, &self.config.aliases, drawers, indexing.waits));
        self.indexing = Some(indexing);
        Ok(Flow::Continue(()))
    }

    /// Fills a drawer from the store; `None` if told to stop.
    fn fill(
        &self,
        edition: &Edition<'_>,
        stories: &Stories<'_>,
        (topic, month, stamp): (&Topic, Month, i64),
    ) -> Result<Option<OpenDrawer>, StoreError> {
        let mut open = OpenDrawer::new(&topic.id, month, stamp, self.memory());
        for places in stories.places(&topic.id, Part::Month(month))?.chunks(super::STORIES_AT_ONCE) {
            if self.stop.is_cancelled() {
                return Ok(None);
            }
            if open.is_full() {
                break;
            }
            for story in stories.shown(&topic.id, places)? {
                publish::put_away(edition, topic, &story, &mut open);
            }
        }
        Ok(Some(open))
    }
}

/// Adds the drawers of a month, each within an even share of what is left; small ones leave more to the others. Returns
/// whether one had to be cut.
///
/// A cut leaves some room, so that the next stories of newer months do not ask for another.
fn fit(mut of_month: Vec<Arc<Drawer>>, left: &mut usize, drawers: &mut Vec<Arc<Drawer>>) -> bool {
    of_month.sort_by_key(|drawer| drawer.bytes());
    let mut is_cut = false;
    let count = of_month.len();
    for (done, drawer) in of_month.into_iter().enumerate() {
        let limit = *left / (count - done);
        let drawer = if drawer.bytes() > limit { Arc::new(drawer.cut(limit / 8 * 7)) } else { drawer };
        is_cut |= !drawer.is_whole;
        if !drawer.is_empty() {
            *left = left.saturating_sub(drawer.bytes());
            drawers.push(drawer);
        }
    }
    is_cut
}
