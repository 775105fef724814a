//! When the daemon publishes, and a publication as it serves it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Daemon, clock};
use crate::config::Config;
use crate::feed::Timestamp;
use crate::outage::{Lack, Outage};
use crate::pipeline::{self, Announced, Archives, Context, Published};
use crate::publish::files::{self, FilesError, FilesFound, Placed, Written};
use crate::publish::{self, SearchIndex, Tree};
use crate::serve::Front;

/// Shortest and longest time that changes gather before they are published together.
const GATHER: Duration = Duration::from_millis(500);
const GATHER_MAX: Duration = Duration::from_secs(30);

/// Of the time while polls bring news, publishing takes no more than one part in so many: with ten thousand sources their
/// pages alone take seconds of a processor that polls need too.
const GATHER_SHARE: u32 = 5;

/// Longest time that archives may stay behind while polls are under way.
const ARCHIVE_DELAY_MAX: Duration = Duration::from_mins(1);

/// When files that could not be written are tried again: a disk may have room by then, and nobody may come to tell us.
pub(super) const FILES_PAUSE: Duration = Duration::from_mins(1);

/// A publication, ready to be served.
pub(super) struct Publication {
    /// The store's generation that it shows.
    pub(super) generation: i64,
    pub(super) tree: Tree,
    /// The path of `site.url`, without its last slash.
    pub(super) prefix: String,
    /// Former ids of topics, each with the id that the topic has now.
    pub(super) aliases: BTreeMap<String, String>,
    /// Its extent.
    pub(super) archives: Archives,
    /// Number of stories that each topic's main document shows.
    pub(super) stories: Vec<(String, usize)>,
    pub(super) announced: Vec<Announced>,
    /// The files of its documents.
    pub(super) placed: Vec<Placed>,
    pub(super) written: Result<Written, FilesError>,
    /// The index of the search, if there is one.
    pub(super) search: Option<SearchIndex>,
    /// Whether it lacks months.
    pub(super) search_waits: bool,
    pub(super) began: Instant,
}

/// Returns the path of `site.url`, without its last slash.
pub(super) fn prefix(config: &Config) -> String {
    config.site.url.path().trim_end_matches('/').to_owned()
}

/// Returns the documents that were published before, as files: for as long as the store cannot be read.
pub(super) fn published_before(directory: &Path, front: &Front) -> Tree {
    let filed =
        files::published_documents(directory).into_iter().map(|filed| (filed.path.clone(), Some(filed))).collect();
    Tree::build(Vec::new(), filed, &front.tree.load(), clock::now())
}

/// Publishes what the store holds now, and tells on the pages of outages that the store cannot know; `None` if told to stop before all of it was.
///
/// # Errors
/// When the store fails. Files that cannot be written are told in [`Publication::written`].
pub(super) async fn make_publication(
    context: Arc<Context>,
    archives: Archives,
    outages: Vec<Outage>,
    now: Timestamp,
    front: Arc<Front>,
    stop: CancellationToken,
) -> anyhow::Result<Option<Publication>> {
    let began = Instant::now();
    let before = front.search.load();
    let published = pipeline::publish_searchable(&context, archives, &outages, now, before, &stop).await?;
    let Some(published) = published else { return Ok(None) };
    let Published { generation, representations, filed, stories, announced, written, search, search_waits } = published;
    let placed = filed.iter().filter_map(|(_, filed)| Some(filed.as_ref()?.plain.clone())).collect();
    let now = clock::now();
    let build = move || Tree::build(representations, filed, &front.tree.load(), now);
    let tree = tokio::task::spawn_blocking(build).await?;
    let (prefix, aliases) = (prefix(&context.config), context.config.aliases.clone());
    Ok(Some(Publication {
        generation,
        tree,
        prefix,
        aliases,
        archives,
        stories,
        announced,
        placed,
        written,
        search,
        search_waits,
        began,
    }))
}

impl Daemon {
    /// Publishes before long, with what else comes until then.
    pub(super) fn gather(&mut self) {
        let gather = (self.publication * GATHER_SHARE).clamp(GATHER, GATHER_MAX);
        self.gathered.get_or_insert_with(|| Instant::now() + gather);
    }

    /// Publishes anew once it is another day: pages say "today".
    pub(super) fn look_at_the_day(&mut self, now: Timestamp) {
        let today = publish::day_in_zone(&self.context.config.site, now);
        if self.day.replace(today).is_some_and(|day| day != today) {
            self.publishing.ask();
        }
    }

    /// Chooses how a publication that begins now treats the archives.
    pub(super) fn archives(&self) -> Archives {
        // While polls are under way, each publication would make the volume of this month anew, and on the first day
        // those of all months.
        let is_busy = !self.polls.is_empty() && Instant::now() < self.archived + ARCHIVE_DELAY_MAX;
        let is_hurried = self.is_hurried || self.published.is_none();
        if is_busy || is_hurried { Archives::Later } else { Archives::Changed }
    }

    /// Serves what was published, and from the first time on answers readers. A folder that cannot be written stops files,
    /// not HTTP.
    pub(super) fn published(&mut self, publication: Publication) {
        let Publication { generation, tree, prefix, aliases, archives, stories, announced, .. } = publication;
        let Publication { placed, written, search, search_waits, began, .. } = publication;
        self.placed = Arc::new(placed);
        self.front.prefix.store(prefix);
        self.front.aliases.store(aliases);
        self.offer_documents(&tree);
        self.front.tree.store(tree);
        self.front.metrics.search(search.as_ref().map_or((0, 0), |search| (search.len(), search.bytes())));
        self.front.search.store(search);
        self.tell_freshness();
        if search_waits && archives != Archives::Later {
            // It goes on at once, but for news that has come meanwhile.
            self.publishing.ask();
        }
        self.archives_wait = archives == Archives::Later;
        self.is_hurried = false;
        if !self.archives_wait {
            self.archived = began;
        }
        self.publication = began.elapsed();
        self.front.metrics.published(self.publication, &stories);
        self.report_publication();
        self.announced = Arc::new(announced);
        self.next_announcement = Some(clock::now());
        self.next_posting = Some(clock::now());
        let is_first = self.published.replace(generation).is_none();
        self.note_files(written);
        if is_first {
            self.serve();
            self.tell_ready();
        }
    }

    /// Tells what became of the files, of a failure when it begins and when it ends; it is tried again meanwhile.
    pub(super) fn note_files(&mut self, written: Result<Written, FilesError>) {
        match written {
            Ok(written) => {
                let Written { changed, removed, .. } = written;
                if changed + removed > 0 {
                    let duration = in_seconds(self.publication);
                    info!(target: "veille::detail", { files.changed = changed, files.removed = removed },
                        "published, {changed} files changed, in {duration}");
                }
                self.files_again = None;
                self.end_outage(Lack::Folder);
            }
            Err(error) => {
                self.files_again = Some(Instant::now() + FILES_PAUSE);
                self.begin_outage(
                    Lack::Folder,
                    format!("cannot publish files: {error}: {}; {}", error.cause, error.hint()),
                );
            }
        }
    }

    /// Publishes files again that could not be written, if that is due.
    pub(super) fn look_at_files(&mut self) {
        if self.files_again.is_some_and(|at| at <= Instant::now()) && !self.publishing.is_running() {
            self.publishing.ask();
        }
    }

    /// Publishes again if files were deleted or changed by somebody else.
    pub(super) fn files_found(&mut self, found: FilesFound) {
        match found {
            FilesFound::Whole => return,
            // Another process that publishes, most likely.
            FilesFound::Changed => {}
            FilesFound::Missing => {
                let directory = self.context.config.publish.directory.display();
                warn!("files were deleted from `{directory}`: all is written there again");
            }
        }
        self.publishing.ask();
    }

    /// Tells readers how long nothing can change: until the next poll, unless one is under way.
    pub(super) fn tell_freshness(&mut self) {
        // Other nodes may poll what waits for its host.
        let next = self.due.next().filter(|_| self.polls.is_empty() && !self.due.is_waiting());
        let wait = next.and_then(|at| (at - clock::now()).to_std().ok());
        let until = wait.map(|wait| std::time::Instant::now() + wait);
        self.front.tree.store(self.front.tree.load().with_fresh_until(until, clock::now()));
    }
}

/// A duration for people: `0.3 s`.
fn in_seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
