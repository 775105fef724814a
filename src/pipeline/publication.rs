//! A publication: the stored stories of each topic become files, and documents in memory.

mod indexing;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use tokio::runtime;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::indexing::Indexing;
use super::deciding::choose_related;
use super::keeper::look_decide_write;
use super::{Announced, Context};
use crate::config::{Config, ShownHealth, Source};
use crate::feed::Timestamp;
use crate::outage::Outage;
use crate::publish::archive::{OpenVolume, Volume};
use crate::publish::basis::{self, Bases};
use crate::publish::files::{Filed, FilesError, Folder, Made, Served, Written};
use crate::publish::{
    self, Credit, Edition, Hidden, MonthCount, OpenDrawer, Representation, River, SearchIndex, Selection, ShownStory,
    TopicDigest,
};
use crate::state::{Health, Monitored, SourceState, Turn};
use crate::store::{Inquiry, Outline, Part, Store, StoreError, TopicOutline};
use crate::story::{self, Month, Order, Story, StoryTally, Tombstone};
use crate::text::feed_key;
use crate::topic::Topic;

/// Stories that are read at once.
const STORIES_AT_ONCE: usize = 100;

/// Turns of health that are shown.
const CHANGES: usize = 100;

/// Stories on the page of a source.
const SOURCE_STORIES: usize = 20;

/// The extent of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archives {
    /// Volumes stay as they are, and documents get gzip only: more news is on its way, or readers wait.
    Later,
    /// Changed volumes are made anew, and every coding is made.
    Changed,
    /// Everything is made anew.
    All,
}

/// The result of a publication.
#[derive(Debug)]
pub struct Published {
    /// The store's generation that it shows.
    pub generation: i64,
    /// Main documents that could not be written to the folder: they are served all the same.
    pub representations: Vec<Representation>,
    /// Documents in the folder. Of a volume that could not be written, the one served before stays.
    pub filed: Archived,
    /// Topic ids, each with the number of stories in its main document.
    pub stories: Vec<(String, usize)>,
    /// Topics to announce to hubs: those that have stories, or had.
    pub announced: Vec<Announced>,
    /// The changes in the folder.
    pub written: Result<Written, FilesError>,
    /// The index of the search, if there is one.
    pub search: Option<SearchIndex>,
    /// Whether it lacks months: the next publication goes on with it.
    pub search_waits: bool,
}

/// Documents by path, each with its place in the folder if it was written there.
type Archived = Vec<(String, Option<Filed>)>;

/// Publishes every topic: renders the documents that have changed and puts their files in place.
///
/// A document whose basis is noted beside its files is not read, rendered or compressed. Main documents whose files
/// cannot be written are served all the same. Returns `None` if `stop` came first; the remaining documents then stay as
/// they were. `outages` are those that the store cannot tell of. Of `now` pages tell the day alone.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// Goes on in the background to the end, or until `stop`.
pub async fn publish(
    context: &Arc<Context>,
    archives: Archives,
    outages: &[Outage],
    now: Timestamp,
    stop: &CancellationToken,
) -> Result<Option<Published>, StoreError> {
    publish_with(context, archives, (outages, now), None, stop).await
}

/// Publishes as [`publish()`] does, and makes the index of the search, which follows the one `before`.
///
/// # Errors
/// When the store fails.
///
/// # Cancellation
/// As [`publish()`].
pub async fn publish_searchable(
    context: &Arc<Context>,
    archives: Archives,
    outages: &[Outage],
    now: Timestamp,
    before: Arc<Option<SearchIndex>>,
    stop: &CancellationToken,
) -> Result<Option<Published>, StoreError> {
    publish_with(context, archives, (outages, now), Some(before), stop).await
}

async fn publish_with(
    context: &Arc<Context>,
    archives: Archives,
    (outages, now): (&[Outage], Timestamp),
    search: Option<Arc<Option<SearchIndex>>>,
    stop: &CancellationToken,
) -> Result<Option<Published>, StoreError> {
    let topics: Vec<String> = context.config.topics.iter().map(|topic| topic.id.clone()).collect();
    let mut outline = context.store.call(move |store| look(store, &topics)).await?;
    let (context, stop, runtime) = (Arc::clone(context), stop.clone(), runtime::Handle::current());
    let outages = outages.to_vec();
    let today = publish::day_in_zone(&context.config.site, now);
    let publishing = tokio::task::spawn_blocking(move || {
        let stories = Stories { context: &context, runtime: &runtime };
        let publishing = Publishing::begin(&context.config, archives, &stop, &mut outline, outages, today);
        publishing.with_search(search).run(&stories, &outline)
    });
    publishing.await.map_err(|_| StoreError::Closed)?
}

/// Chooses the related news that waits, then reads the outline: one job of the store, so that no poll comes in between.
fn look(store: &mut dyn Store, topics: &[String]) -> Result<Outline, StoreError> {
    loop {
        let outline = store.outline(topics, CHANGES)?;
        if outline.unrelated.is_empty() {
            return Ok(outline);
        }
        let asked = Inquiry { peers: outline.unrelated.iter().copied().collect(), ..Inquiry::default() };
        look_decide_write(store, &asked, |around| Ok((choose_related(around, &outline.unrelated)?, ())))?;
    }
}

/// The stories of the store, read from a blocking thread.
struct Stories<'a> {
    context: &'a Context,
    runtime: &'a runtime::Handle,
}

impl Stories<'_> {
    fn places(&self, topic: &str, part: Part) -> Result<Vec<Order>, StoreError> {
        let topic = topic.to_owned();
        self.runtime.block_on(self.context.store.call(move |store| store.stories(&topic, part)))
    }

    fn shown(&self, topic: &str, places: &[Order]) -> Result<Vec<Story>, StoreError> {
        let mut shown = Vec::with_capacity(places.len());
        for places in places.chunks(STORIES_AT_ONCE) {
            let topic = topic.to_owned();
            let instants: HashMap<i64, Timestamp> = places.iter().map(|(at, number)| (*number, *at)).collect();
            let numbers: Vec<i64> = places.iter().map(|(_, number)| *number).collect();
            let told = self.runtime.block_on(self.context.store.call(move |store| store.told(&topic, &numbers)))?;
            shown.extend(told.into_iter().filter_map(story::shown).map(|story| {
                let at = instants.get(&story.number).copied().unwrap_or(story.placed);
                Story { placed: at, ..story }
            }));
        }
        Ok(shown)
    }

    /// Reads stories that are in several topics, each beside its first topic.
    fn across(&self, chosen: &[(Order, Vec<String>)]) -> Result<Vec<(Story, Vec<String>)>, StoreError> {
        let mut by_topic: BTreeMap<&str, Vec<Order>> = BTreeMap::new();
        for (place, topics) in chosen {
            by_topic.entry(topics.first().map_or("", |topic| topic)).or_default().push(*place);
        }
        let mut read: HashMap<i64, Story> = HashMap::new();
        for (topic, places) in by_topic {
            read.extend(self.shown(topic, &places)?.into_iter().map(|story| (story.number, story)));
        }
        let found = chosen.iter().filter_map(|((_, number), topics)| Some((read.remove(number)?, topics.clone())));
        Ok(found.collect())
    }

    fn newest(&self, topic: &str, limit: usize) -> Result<Vec<Story>, StoreError> {
        self.shown(topic, &self.places(topic, Part::Newest(limit))?)
    }

    fn tally(&self, topics: &[String], from: Timestamp, until: Timestamp) -> Result<StoryTally, StoreError> {
        let topics = topics.to_vec();
        self.runtime.block_on(self.context.store.call(move |store| store.tally(&topics, from, until)))
    }

    /// Counts the stories of a topic by month; months that have the stamp under which they were counted before are not
    /// counted again. In a hurry none is: what is known of a month stays, under its old stamp.
    fn counts(
        &self,
        topic: &str,
        outline: &TopicOutline,
        before: Vec<MonthCount>,
        (archives, today): (Archives, NaiveDate),
    ) -> Result<Vec<MonthCount>, StoreError> {
        let mut before: HashMap<Month, MonthCount> = before.into_iter().map(|count| (count.month, count)).collect();
        let topics = [topic.to_owned()];
        let mut counts = Vec::with_capacity(outline.months.len());
        for (month, stamp) in &outline.months {
            let known = before.remove(month);
            let is_right = known.as_ref().is_some_and(|count| count.stamp == *stamp);
            let count = match known {
                Some(count) if is_right || archives == Archives::Later => count,
                None if archives == Archives::Later => continue,
                Some(_) | None => {
                    let tally = self.tally(&topics, month.start(), month.next().start())?;
                    MonthCount { month: *month, stamp: *stamp, tally }
                }
            };
            counts.push(MonthCount { tally: publish::abridged(*month, count.tally, today), ..count });
        }
        Ok(counts)
    }

    fn gone(&self, topic: &str, month: Option<Month>, limit: usize) -> Result<Vec<Tombstone>, StoreError> {
        let topic = topic.to_owned();
        self.runtime.block_on(self.context.store.call(move |store| store.tombstones(&topic, month, limit)))
    }
}

struct Publishing<'a> {
    config: &'a Config,
    archives: Archives,
    stop: &'a CancellationToken,
    today: NaiveDate,
    credits: BTreeMap<String, Credit>,
    /// The mistake in the config, if there is one.
    broken: Option<Turn>,
    /// The posts that are in trouble.
    post_turns: Vec<Turn>,
    outages: Vec<Outage>,
    folder: Result<Folder, FilesError>,
    representations: Vec<Representation>,
    filed: Archived,
    stories: Vec<(String, usize)>,
    announced: Vec<Announced>,
    indexing: Option<Indexing>,
}

type Flow = ControlFlow<()>;

impl<'a> Publishing<'a> {
    fn begin(
        config: &'a Config,
        archives: Archives,
        stop: &'a CancellationToken,
        outline: &mut Outline,
        outages: Vec<Outage>,
        today: NaiveDate,
    ) -> Self {
        let mut health: HashMap<Monitored, Turn> =
            outline.health.iter().map(|turn| (turn.of.clone(), turn.clone())).collect();
        let mut in_trouble = |of: &Monitored| health.remove(of).filter(|turn| turn.health != Health::Recovered);
        let broken = in_trouble(&Monitored::Config);
        let post_turns = config.posts.iter().filter_map(|post| in_trouble(&Monitored::Post(post.id.clone()))).collect();
        let volumes = config.topics.iter().zip(&outline.topics).flat_map(|(topic, TopicOutline { months, .. })| {
            let months: Vec<Month> = months.iter().map(|(month, _)| *month).collect();
            Volume::all(topic, &months).into_iter().flat_map(|volume| volume.paths()).collect::<Vec<_>>()
        });
        let topics = config.topics.iter().flat_map(|topic| {
            publish::topic_paths(&config.site, &topic.id).into_iter().chain(publish::icon_paths(&topic.id))
        });
        let moved = config.aliases.keys().flat_map(|alias| publish::moved_paths(&config.site, alias));
        let search = publish::search_paths().into_iter().filter(|_| config.publish.search);
        let site = publish::site_paths().into_iter().chain(publish::site_icon_paths()).chain(search);
        let paths: Vec<String> = site.map(str::to_owned).chain(topics).chain(moved).chain(volumes).collect();
        let folder = Folder::open(&config.publish.directory, paths.iter().map(String::as_str));
        Self {
            config,
            archives,
            stop,
            today,
            credits: credits(config, std::mem::take(&mut outline.sources), health),
            broken,
            post_turns,
            outages: outline.health.iter().filter_map(Outage::of).chain(outages).collect(),
            folder: if archives == Archives::Later { folder.map(Folder::hasty) } else { folder },
            representations: Vec::new(),
            filed: Vec::new(),
            stories: Vec::new(),
            announced: Vec::new(),
            indexing: None,
        }
    }

    /// Makes an index of the search too, if there was one before, or none yet.
    fn with_search(self, before: Option<Arc<Option<SearchIndex>>>) -> Self {
        let indexing = before.filter(|_| self.config.publish.search).map(Indexing::after);
        Self { indexing, ..self }
    }

    fn run(mut self, stories: &Stories<'_>, outline: &Outline) -> Result<Option<Published>, StoreError> {
        let credits = std::mem::take(&mut self.credits);
        let outages = std::mem::take(&mut self.outages);
        // The troubles of the config and of posts are the operator's, who hears of them in any case.
        let is_all_shown = self.config.publish.health == ShownHealth::All;
        let is_shown = |turn: &&Turn| is_all_shown || !matches!(turn.of, Monitored::Config | Monitored::Post(_));
        let turns: Vec<Turn> = outline.turns.iter().filter(is_shown).cloned().collect();
        let edition = Edition {
            hidden: Hidden::of(credits.values()),
            site: &self.config.site,
            settings: &self.config.publish,
            sources: &credits,
            selections: Vec::new(),
            turns: &turns,
            own_hub: super::hub_address(self.config),
            hubs: &outline.hubs,
            config: self.broken.take().filter(|_| is_all_shown),
            post_turns: if is_all_shown { std::mem::take(&mut self.post_turns) } else { Vec::new() },
            outages: &outages,
            posts: &self.config.posts,
            today: self.today,
        };
        let flow = self.documents(&edition, stories, outline)?;
        let written = match (self.folder, flow) {
            (Ok(folder), ControlFlow::Break(())) => {
                // Its files are tried again by the next publication.
                let _ = folder.stop();
                return Ok(None);
            }
            (_, ControlFlow::Break(())) => return Ok(None),
            (Ok(folder), ControlFlow::Continue(())) => folder.finish(),
            (Err(error), ControlFlow::Continue(())) => Err(error),
        };
        let Self { representations, filed, stories, announced, indexing, .. } = self;
        let (search, search_waits) = indexing.map_or((None, false), |indexing| (indexing.made, indexing.waits));
        let generation = outline.generation;
        Ok(Some(Published { generation, representations, filed, stories, announced, written, search, search_waits }))
    }

    fn documents(
        &mut self,
        edition: &Edition<'_>,
        stories: &Stories<'_>,
        outline: &Outline,
    ) -> Result<Flow, StoreError> {
        let bases = Bases::new(edition);
        let topics = self.config.topics.iter().zip(&outline.topics);
        let topics: Vec<(&Topic, i64, Vec<Month>)> = topics
            .map(|(topic, outline)| (topic, outline.stamp, outline.months.iter().map(|(month, _)| *month).collect()))
            .collect();
        let (mut selections, mut shown, mut is_all_counted) = (Vec::new(), Vec::new(), true);
        for ((topic, stamp, months), outline) in topics.iter().zip(&outline.topics) {
            let made_from = |cited: &[String]| bases.topic(topic, *stamp, months, cited);
            let Some(made) = self.topic(edition, stories, (topic, months, outline), &made_from)? else {
                return Ok(Flow::Break(()));
            };
            is_all_counted &= is_counted(&made.digest, outline);
            let counts = made.digest.counts;
            let (stories, months, tombstones) = (Vec::new(), months.clone(), Vec::new());
            selections.push(Selection { topic, stories, months, tombstones, counts });
            shown.push(made.digest.shown);
        }
        let edition = &Edition { selections, ..edition.clone() };
        let stamped: Vec<_> = topics.iter().map(|(topic, stamp, months)| (*topic, *stamp, &**months)).collect();
        let made_from = bases.site(&stamped);
        let made_from = if is_all_counted { made_from } else { uncounted(&made_from) };
        if self.site(edition, stories, &made_from)?.is_break() {
            return Ok(Flow::Break(()));
        }
        if self.sources(edition, stories, &shown, &bases)?.is_break() {
            return Ok(Flow::Break(()));
        }
        if self.moved(edition, &bases).is_break() || self.fixed(edition, &bases).is_break() {
            return Ok(Flow::Break(()));
        }
        for ((topic, _, months), of_topic) in topics.iter().zip(&outline.topics) {
            for (volume, (_, stamp)) in Volume::all(topic, months).into_iter().zip(&of_topic.months) {
                let made_from = |cited: &[String]| bases.volume(&volume, *stamp, cited);
                let drawer = self.drawer(&topic.id, volume.month, *stamp, outline);
                if self.volume(edition, stories, (volume, drawer), &made_from)?.is_break() {
                    return Ok(Flow::Break(()));
                }
            }
        }
        self.index(edition, stories, outline, &bases)
    }

    /// Puts the main documents of a topic; returns what they were made from, `None` if told to stop.
    fn topic(
        &mut self,
        edition: &Edition<'_>,
        stories: &Stories<'_>,
        (topic, months, outline): (&Topic, &[Month], &TopicOutline),
        basis: &dyn Fn(&[String]) -> String,
    ) -> Result<Option<Made>, StoreError> {
        let paths = publish::topic_paths(edition.site, &topic.id);
        let kept = match self.kept(&paths, basis) {
            None if self.archives == Archives::Later => self.kept(&paths, &|cited| uncounted(&basis(cited))),
            kept => kept,
        };
        let made = if let Some(made) = kept {
            made
        } else {
            let limit = self.config.publish.entries;
            let before = self.folder.as_ref().ok().and_then(|folder| folder.made(paths.first()?));
            let before = before.filter(|_| self.archives != Archives::All).map(|made| made.digest.counts.clone());
            let selection = Selection {
                topic,
                stories: stories.newest(&topic.id, limit)?,
                months: months.to_vec(),
                tombstones: stories.gone(&topic.id, None, limit)?,
                counts: stories.counts(&topic.id, outline, before.unwrap_or_default(), (self.archives, self.today))?,
            };
            let made = basis::made(&selection.stories, selection.tombstones.len(), selection.counts.clone());
            let made_from = basis(&made.cited);
            let made_from = if is_counted(&made.digest, outline) { made_from } else { uncounted(&made_from) };
            if self.put(publish::topic(edition, &selection), &made_from, made.clone()).is_break() {
                return Ok(None);
            }
            made
        };
        self.stories.push((topic.id.clone(), made.stories));
        if made.stories + made.gone > 0 {
            self.announced.push(self.announcement(&topic.id, &paths));
        }
        Ok(Some(made))
    }

    fn site(&mut self, edition: &Edition<'_>, stories: &Stories<'_>, made_from: &str) -> Result<Flow, StoreError> {
        if self.kept(&publish::site_paths().map(str::to_owned), &|_| made_from.to_owned()).is_some() {
            return Ok(Flow::Continue(()));
        }
        let river = self.river(edition, stories)?;
        Ok(self.put(publish::site(edition, &river), made_from, Made::default()))
    }

    /// Reads the newest stories of all topics. A story is found at the same place in each of its topics, so each list needs
    /// to be no longer than the river.
    fn river(&self, edition: &Edition<'_>, stories: &Stories<'_>) -> Result<River, StoreError> {
        let ids: Vec<String> = edition.selections.iter().map(|selection| selection.topic.id.clone()).collect();
        let mut found: BTreeMap<Order, Vec<String>> = BTreeMap::new();
        for id in &ids {
            for place in stories.places(id, Part::Newest(publish::RIVER_STORIES))? {
                found.entry(place).or_default().push(id.clone());
            }
        }
        let newest: Vec<_> = found.into_iter().rev().take(publish::RIVER_STORIES).collect();
        let midnight = |days: i64| {
            let day = TimeDelta::try_days(days).and_then(|days| self.today.checked_add_signed(days));
            day.and_then(|day| day.and_hms_opt(0, 0, 0)).map(|midnight| midnight.and_utc()).unwrap_or_default()
        };
        let week = stories.tally(&ids, midnight(-6), midnight(1))?.stories();
        Ok(River { stories: stories.across(&newest)?, week })
    }

    /// Puts the pages of sources that told something in a year. Only those are made anew that show other stories, or look
    /// different themselves.
    fn sources(
        &mut self,
        edition: &Edition<'_>,
        stories: &Stories<'_>,
        shown: &[Vec<ShownStory>],
        bases: &Bases<'_>,
    ) -> Result<Flow, StoreError> {
        let figures = publish::figures(edition);
        let is_polled = |id: &str| edition.sources.get(id).is_some_and(|credit| credit.is_polled);
        let figures: Vec<_> = figures.into_iter().filter(|(id, _)| is_polled(id)).collect();
        let paths: Vec<String> = figures.iter().map(|(id, _)| publish::source_path(id)).collect();
        if self.archives == Archives::Later {
            for path in paths {
                let filed = self.folder.as_mut().ok().and_then(|folder| folder.leave(&path));
                self.filed.push((path, filed));
            }
            return Ok(Flow::Continue(()));
        }
        if let Ok(folder) = &mut self.folder {
            folder.announce(paths.iter().map(String::as_str));
        }
        let mut told: HashMap<&str, BTreeMap<Order, (&ShownStory, Vec<String>)>> = HashMap::new();
        for (selection, shown) in edition.selections.iter().zip(shown) {
            for story in shown {
                let placed = Timestamp::from_timestamp(story.placed, 0).unwrap_or_default();
                for id in &story.sources {
                    let by_place = told.entry(id).or_default();
                    let topics = &mut by_place.entry((placed, story.number)).or_insert((story, Vec::new())).1;
                    topics.push(selection.topic.id.clone());
                }
            }
        }
        let topics: Vec<&Topic> = edition.selections.iter().map(|selection| selection.topic).collect();
        for (id, figures) in &figures {
            if self.stop.is_cancelled() {
                return Ok(Flow::Break(()));
            }
            let newest: Vec<_> =
                told.remove(id.as_str()).unwrap_or_default().into_iter().rev().take(SOURCE_STORIES).collect();
            let in_basis: Vec<_> = newest.iter().map(|(_, told)| told.clone()).collect();
            let made_from = |cited: &[String]| bases.source((id, figures), &topics, &in_basis, cited);
            let path = publish::source_path(id);
            if self.kept(std::slice::from_ref(&path), &made_from).is_some() {
                continue;
            }
            let chosen: Vec<_> = newest.into_iter().map(|(place, (_, topics))| (place, topics)).collect();
            let Some(page) = publish::source_page(edition, id, figures, &stories.across(&chosen)?) else { continue };
            let mut cited: Vec<String> = in_basis.iter().flat_map(|(story, _)| story.sources.clone()).collect();
            cited.sort_unstable();
            cited.dedup();
            let noted = made_from(&cited);
            if self.put(std::iter::once(page), &noted, Made { cited, ..Made::default() }).is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    /// Puts the pages at the former addresses of topics.
    fn moved(&mut self, edition: &Edition<'_>, bases: &Bases<'_>) -> Flow {
        let config = self.config;
        for (alias, id) in &config.aliases {
            let Some(topic) = config.topics.iter().find(|topic| topic.id == *id) else { continue };
            let made_from = bases.moved(topic, alias);
            if self.kept(&publish::moved_paths(edition.site, alias), &|_| made_from.clone()).is_none() {
                self.put(publish::moved_pages(edition, topic, alias), &made_from, Made::default())?;
            }
        }
        Flow::Continue(())
    }

    /// Puts the documents that do not depend on stories: icons, and the page of the search.
    fn fixed(&mut self, edition: &Edition<'_>, bases: &Bases<'_>) -> Flow {
        let config = self.config;
        let made_from = bases.fixed("icons");
        if self.kept(&publish::site_icon_paths().map(str::to_owned), &|_| made_from.clone()).is_none() {
            self.put(publish::site_icons(edition), &made_from, Made::default())?;
        }
        let made_from = bases.fixed("search");
        if config.publish.search
            && self.kept(&publish::search_paths().map(str::to_owned), &|_| made_from.clone()).is_none()
        {
            self.put(publish::search_documents(edition), &made_from, Made::default())?;
        }
        for topic in &config.topics {
            let made_from = bases.icons(topic);
            if self.kept(&publish::icon_paths(&topic.id), &|_| made_from.clone()).is_none() {
                self.put(publish::topic_icons(topic), &made_from, Made::default())?;
            }
        }
        Flow::Continue(())
    }

    /// Puts a volume, written story by story: its month may not fit into memory.
    fn volume(
        &mut self,
        edition: &Edition<'_>,
        stories: &Stories<'_>,
        (volume, drawer): (Volume<'_>, Option<OpenDrawer>),
        basis: &dyn Fn(&[String]) -> String,
    ) -> Result<Flow, StoreError> {
        let paths = volume.paths();
        if self.archives == Archives::Later {
            let left = paths.into_iter().map(|path| {
                let filed = self.folder.as_mut().ok().and_then(|folder| folder.leave(&path));
                (path, filed)
            });
            self.filed.extend(left);
            return Ok(Flow::Continue(()));
        }
        if self.kept(&paths, basis).is_some() {
            return Ok(Flow::Continue(()));
        }
        let mut spool = || self.folder.as_mut().ok().and_then(Folder::spool);
        let (Some(entries), Some(articles)) = (spool(), spool()) else {
            self.filed.extend(paths.map(|path| (path, None)));
            return Ok(Flow::Continue(()));
        };
        let mut open = OpenVolume::new(edition, volume, entries, articles).beside(drawer);
        let topic = &volume.topic.id;
        for places in stories.places(topic, Part::Month(volume.month))?.chunks(STORIES_AT_ONCE) {
            if self.stop.is_cancelled() {
                return Ok(Flow::Break(()));
            }
            let shown = stories.shown(topic, places)?;
            if let Err(error) = shown.iter().try_for_each(|story| open.add(story)) {
                self.folder.iter_mut().for_each(|folder| folder.note_spool(&error));
                self.filed.extend(paths.map(|path| (path, None)));
                return Ok(Flow::Continue(()));
            }
        }
        if let (Some(drawer), Some(indexing)) = (open.take_drawer(), &mut self.indexing) {
            indexing.filled.push(drawer);
        }
        let gone = stories.gone(topic, Some(volume.month), self.config.publish.entries)?;
        let cited: Vec<String> = open.cited().iter().cloned().collect();
        let basis = basis(&cited);
        if let Ok(folder) = &mut self.folder {
            folder.note(&basis, Made { gone: gone.len(), cited, ..Made::default() });
            for document in open.finish(&gone) {
                let path = document.path.clone();
                self.filed.push((path, folder.put_framed(document, &basis)));
            }
        }
        Ok(Flow::Continue(()))
    }

    /// Keeps documents whose files are whole and made from this basis, which depends on the sources that they cite.
    fn kept(&mut self, paths: &[String], basis: &dyn Fn(&[String]) -> String) -> Option<Made> {
        let folder = self.folder.as_mut().ok().filter(|_| self.archives != Archives::All)?;
        let made = folder.made(paths.first()?)?.clone();
        let basis = basis(&made.cited);
        if !paths.iter().all(|path| folder.holds(path, &basis)) {
            return None;
        }
        for path in paths {
            let filed = folder.keep(path, &basis);
            self.filed.push((path.clone(), filed.map(served)));
        }
        Some(made)
    }

    /// Renders main documents one by one and puts each in its place; a document that cannot be written is kept to be
    /// served.
    fn put(&mut self, documents: impl Iterator<Item = Representation>, basis: &str, made: Made) -> Flow {
        if let Ok(folder) = &mut self.folder {
            folder.note(basis, made);
        }
        for mut document in documents {
            if self.stop.is_cancelled() {
                return Flow::Break(());
            }
            document.basis = Some(basis.to_owned());
            match self.folder.as_mut().ok().and_then(|folder| folder.put(&document)) {
                Some(filed) => self.filed.push((document.path, Some(served(filed)))),
                None => self.representations.push(document),
            }
        }
        Flow::Continue(())
    }

    fn announcement(&self, topic: &str, paths: &[String]) -> Announced {
        let filed = self.filed.iter().filter_map(|(path, filed)| Some((path, &filed.as_ref()?.hash)));
        let others = self.representations.iter().map(|document| (&document.path, &document.hash));
        let hashes: HashMap<&String, &String> = filed.chain(others).collect();
        let feeds = paths.get(..3).unwrap_or_default();
        let hash = feeds.iter().filter_map(|path| hashes.get(path)).map(|hash| hash.as_str()).collect::<Vec<_>>();
        let address = |path: &String| self.config.site.url.join(path.trim_start_matches('/')).ok();
        let addresses = feeds.iter().filter_map(address).map(String::from).collect();
        Announced { topic: topic.to_owned(), hash: hash.join("-"), addresses }
    }
}

/// Whether the months of a topic were counted as they are now.
fn is_counted(digest: &TopicDigest, outline: &TopicOutline) -> bool {
    let counted = digest.counts.iter().map(|count| (count.month, count.stamp));
    counted.eq(outline.months.iter().copied())
}

/// Marks the basis of documents whose plots are behind: the next publication that is in no hurry makes them anew.
fn uncounted(basis: &str) -> String {
    format!("{basis}~")
}

/// Main documents are served from memory.
fn served(filed: Filed) -> Filed {
    let is_volume = filed.path.contains("/archive/") && !filed.path.ends_with("/archive/");
    // Both are asked for seldom. Archives grow for years; what tells of sources grows with the config.
    if is_volume || filed.path.starts_with("/sources") { filed } else { Filed { served: Served::Memory, ..filed } }
}

/// The credit of each source: those of the config, and former ones of stored entries.
pub(super) fn credits(
    config: &Config,
    states: Vec<SourceState>,
    mut health: HashMap<Monitored, Turn>,
) -> BTreeMap<String, Credit> {
    let former = |url, about| Credit {
        title: None,
        url,
        about,
        is_polled: false,
        moved_to: None,
        health: None,
        hidden: Vec::new(),
    };
    let configured: HashMap<&str, &Source> = config.sources.iter().map(|source| (source.id.as_str(), source)).collect();
    let mut credits = BTreeMap::new();
    for state in states {
        let source = configured.get(&*state.source_id);
        let is_private = source.map_or(state.about.is_private, |source| source.private);
        let hidden = if is_private { addresses(&state) } else { Vec::new() };
        if let Some(url) = state.url.or_else(|| source.map(|source| source.url.clone())) {
            credits.insert(state.source_id, Credit { moved_to: state.moved_to, hidden, ..former(url, state.about) });
        }
    }
    let mut private: HashSet<String> = HashSet::new();
    for source in &config.sources {
        let credit = credits.entry(source.id.clone()).or_insert_with(|| former(source.url.clone(), Box::default()));
        credit.title.clone_from(&source.title);
        credit.url.clone_from(&source.url);
        credit.is_polled = source.enabled;
        credit.health = health.remove(&Monitored::Source(source.id.clone()));
        if source.private {
            credit.hidden.push(source.url.clone());
            private.extend(credit.hidden.iter().map(feed_key));
        }
    }
    // One that was renamed is known under its old id, too.
    for credit in credits.values_mut().filter(|credit| !credit.is_polled && private.contains(&feed_key(&credit.url))) {
        credit.hidden.push(credit.url.clone());
    }
    credits
}

/// All addresses of a source that are known.
fn addresses(state: &SourceState) -> Vec<Url> {
    let SourceState { url, moved_to, redirect, validators, about, .. } = state;
    let followed = redirect.iter().map(|redirect| &redirect.to);
    let known = url.iter().chain(moved_to).chain(&about.former).chain(followed).cloned();
    known.chain(validators.iter().filter_map(|known| known.url.parse().ok())).collect()
}

#[cfg(test)]
mod tests;
