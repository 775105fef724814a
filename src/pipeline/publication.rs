//! A publication: the stored stories of each topic, out to files and memory.

use std::collections::{BTreeMap, HashMap};
use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::runtime;
use tokio_util::sync::CancellationToken;

use super::{Announced, Context};
use crate::config::Config;
use crate::publish::archive::Volume;
use crate::publish::files::{Filed, FilesError, Folder, Written};
use crate::publish::{self, Credit, Edition, Representation, Selection};
use crate::state::{About, Announcement, Change, Health, SourceState};
use crate::store::{Store, StoreError};
use crate::story::{Month, Story, Tombstone};

/// Changes of sources that are shown.
const CHANGES: usize = 100;

/// What happens to the archives in a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archives {
    /// Volumes stay as they are: more news is on its way, and they are many.
    Later,
    /// Volumes are made anew whose stories or circumstances changed.
    Changed,
    /// All volumes are made anew.
    All,
}

/// What was published.
#[derive(Debug)]
pub struct Published {
    /// The store's generation that it shows.
    pub generation: i64,
    /// Every document but those of the archives.
    pub representations: Vec<Representation>,
    /// The documents of the archives, which lie in the folder of static files; without one, what is served stays.
    pub filed: Archived,
    /// How many stories of each topic its main document shows.
    pub stories: Vec<(String, usize)>,
    /// What hubs are to hear of: the topics that have stories, or had.
    pub announced: Vec<Announced>,
    /// What that changed in the folder.
    pub written: Result<Written, FilesError>,
}

/// The documents of the archives by their paths, each with where it lies if it could be put there.
type Archived = Vec<(String, Option<Filed>)>;

/// The documents of the archives, and what all of that changed in the folder.
type Placed = (Archived, Result<Written, FilesError>);

/// The months of a topic, each with its stamp.
type Stamped = Vec<(Month, i64)>;

/// The stories of a document, and what stands for those that are gone.
type Shown = (Vec<Story>, Vec<Tombstone>);

/// All that a publication reads of the store at once; volumes are read one by one.
struct Stored {
    generation: i64,
    topics: Vec<(Shown, Stamped)>,
    states: Vec<SourceState>,
    health: Vec<Change>,
    changes: Vec<Change>,
    hubs: Vec<Announcement>,
}

/// Publishes the stored stories of every topic: renders them and puts the files in place.
///
/// Files that cannot be written do not keep the main documents from being served. `None` if it was told to `stop` before
/// its end: documents that were put in their places stay there, and the next publication puts the others.
///
/// # Errors
/// When the store fails.
pub async fn publish(
    context: &Arc<Context>,
    archives: Archives,
    stop: &CancellationToken,
) -> Result<Option<Published>, StoreError> {
    let topics: Vec<String> = context.config.topics.iter().map(|topic| topic.id.clone()).collect();
    let limit = context.config.publish.entries;
    let stored = context.store.call(move |store| read(store, &topics, limit)).await?;
    let (context, runtime) = (Arc::clone(context), runtime::Handle::current());
    let stop = stop.clone();
    let rendering = tokio::task::spawn_blocking(move || render(&context, stored, archives, &runtime, &stop));
    match rendering.await {
        Ok(published) => published,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        Err(_) => Err(StoreError::Closed),
    }
}

fn read(store: &mut dyn Store, topics: &[String], limit: usize) -> Result<Stored, StoreError> {
    let topics = topics.iter().map(|topic| {
        let shown = (store.stories(topic, limit)?, store.tombstones(topic, None, limit)?);
        Ok((shown, store.months(topic)?))
    });
    Ok(Stored {
        topics: topics.collect::<Result<_, StoreError>>()?,
        generation: store.pulse()?.generation,
        states: store.sources(None)?.into_iter().map(|remembered| remembered.state).collect(),
        health: store.health(None)?,
        changes: store.changes(CHANGES)?,
        hubs: store.announcements()?,
    })
}

fn render(
    context: &Context,
    stored: Stored,
    archives: Archives,
    runtime: &runtime::Handle,
    stop: &CancellationToken,
) -> Result<Option<Published>, StoreError> {
    let config = &context.config;
    let Stored { generation, topics, states, health, changes, hubs } = stored;
    let mut health: HashMap<String, Change> =
        health.into_iter().map(|change| (change.source_id.clone(), change)).collect();
    let broken = health.remove("").filter(|change| change.health != Health::Recovered);
    let credits = credits(config, states, health);
    let mut volumes: Vec<(Volume<'_>, i64)> = Vec::new();
    let mut selections = Vec::new();
    for (topic, ((stories, tombstones), stamped)) in config.topics.iter().zip(topics) {
        let months: Vec<Month> = stamped.iter().map(|(month, _)| *month).collect();
        volumes.extend(Volume::all(topic, &months).into_iter().zip(stamped.iter().map(|(_, stamp)| *stamp)));
        selections.push(Selection { topic, stories, months, tombstones });
    }
    let stories = selections.iter().map(|selection| (selection.topic.id.clone(), selection.stories.len())).collect();
    let edition = Edition {
        site: &config.site,
        settings: &config.publish,
        sources: &credits,
        selections,
        changes: &changes,
        hubs: &hubs,
        config: broken,
    };
    let mut representations = publish::render(&edition);
    let has_news = |selection: &&Selection<'_>| !selection.stories.is_empty() || !selection.tombstones.is_empty();
    let told = edition.selections.iter().filter(has_news);
    let announced = told.map(|selection| announced(config, &selection.topic.id, &representations)).collect();
    let mut shown_in = |volume: &Volume<'_>| {
        let (topic, month, limit) = (volume.topic.id.clone(), volume.month, config.publish.entries);
        let read = move |store: &mut dyn Store| {
            Ok((store.stories_of(&topic, month)?, store.tombstones(&topic, Some(month), limit)?))
        };
        runtime.block_on(context.store.call(read))
    };
    let placed = write(&edition, &mut representations, &volumes, archives, &mut shown_in, stop)?;
    Ok(placed.map(|(filed, written)| Published { generation, representations, filed, stories, announced, written }))
}

/// The main documents of a topic, for hubs.
fn announced(config: &Config, topic: &str, representations: &[Representation]) -> Announced {
    let paths = ["atom", "rss", "json"].map(|extension| format!("{topic}.{extension}"));
    let hashes = paths.iter().filter_map(|path| {
        let document = representations.iter().find(|document| document.path.strip_prefix('/') == Some(path));
        document.map(|document| document.hash.as_str())
    });
    let hash = hashes.collect::<Vec<_>>().join("-");
    let addresses = paths.iter().filter_map(|path| config.site.url.join(path).ok()).map(String::from).collect();
    Announced { topic: topic.to_owned(), hash, addresses }
}

/// Puts all documents in their places, each that can be. Volumes are rendered one by one: a topic's whole past may be
/// large.
fn write(
    edition: &Edition<'_>,
    representations: &mut [Representation],
    volumes: &[(Volume<'_>, i64)],
    archives: Archives,
    shown_in: &mut dyn FnMut(&Volume<'_>) -> Result<Shown, StoreError>,
    stop: &CancellationToken,
) -> Result<Option<Placed>, StoreError> {
    let in_volumes: Vec<String> = volumes.iter().flat_map(|(volume, _)| volume.paths()).collect();
    let main = representations.iter().map(|document| document.path.as_str());
    let paths = main.chain(in_volumes.iter().map(String::as_str));
    let mut folder = match Folder::open(&edition.settings.directory, paths) {
        Ok(folder) => folder,
        Err(error) => return Ok(Some((in_volumes.into_iter().map(|path| (path, None)).collect(), Err(error)))),
    };
    for document in representations {
        if stop.is_cancelled() {
            return Ok(None);
        }
        document.modified = folder.put(document).map(|filed| filed.modified);
    }
    let mut filed = Archived::new();
    for (volume, stamp) in volumes {
        if stop.is_cancelled() {
            return Ok(None);
        }
        let (paths, basis) = (volume.paths(), volume.basis(edition, *stamp));
        let kept = match archives {
            Archives::All => None,
            Archives::Changed => paths.iter().map(|path| folder.keep(path, &basis).map(Some)).collect(),
            Archives::Later => Some(paths.iter().map(|path| folder.leave(path)).collect()),
        };
        let kept: Option<Vec<Option<Filed>>> = kept;
        if let Some(kept) = kept {
            filed.extend(paths.into_iter().zip(kept));
            continue;
        }
        let (stories, tombstones) = shown_in(volume)?;
        for document in volume.render(edition, &stories, &tombstones, &basis) {
            let placed = folder.put(&document);
            filed.push((document.path, placed));
        }
    }
    Ok(Some((filed, folder.finish())))
}

/// What each source is credited with: those of the config, and those that stored entries came from before.
fn credits(config: &Config, states: Vec<SourceState>, mut health: HashMap<String, Change>) -> BTreeMap<String, Credit> {
    let former = |url, about| Credit { title: None, url, about, is_polled: false, moved_to: None, health: None };
    let mut credits: BTreeMap<String, Credit> = states
        .into_iter()
        .filter_map(|state| {
            let credit = Credit { moved_to: state.moved_to, ..former(state.url?, state.about) };
            Some((state.source_id, credit))
        })
        .collect();
    for source in &config.sources {
        let credit = credits.entry(source.id.clone()).or_insert_with(|| former(source.url.clone(), About::default()));
        credit.title.clone_from(&source.title);
        credit.url.clone_from(&source.url);
        credit.is_polled = source.enabled;
        credit.health = health.remove(&source.id);
    }
    credits
}
