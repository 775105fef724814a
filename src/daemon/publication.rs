//! A publication as the daemon serves it.

use std::path::Path;
use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::outage::Outage;
use crate::pipeline::{self, Announced, Archives, Context, Published, wall_clock};
use crate::publish::Tree;
use crate::publish::files::{self, FilesError, Written};
use crate::serve::Front;

/// A publication, ready to be served.
pub(super) struct Publication {
    /// The store's generation that it shows.
    pub(super) generation: i64,
    pub(super) tree: Tree,
    /// The path of `site.url`, without its last slash.
    pub(super) prefix: String,
    /// Its extent.
    pub(super) archives: Archives,
    /// Number of stories that each topic's main document shows.
    pub(super) stories: Vec<(String, usize)>,
    pub(super) announced: Vec<Announced>,
    pub(super) written: Result<Written, FilesError>,
    pub(super) began: Instant,
}

/// Returns the path of `site.url`, without its last slash.
pub(super) fn prefix(config: &Config) -> String {
    config.site.url.path().trim_end_matches('/').to_owned()
}

/// Returns the documents that were published before, as files: for as long as the store cannot be read.
pub(super) fn published(directory: &Path, front: &Front) -> Tree {
    let filed = files::published(directory).into_iter().map(|filed| (filed.path.clone(), Some(filed))).collect();
    Tree::build(Vec::new(), filed, &front.tree.load(), wall_clock::now())
}

/// Publishes what the store holds now, and tells on the pages of outages that the store cannot know; `None` if told to stop before all of it was.
///
/// # Errors
/// When the store fails. Files that cannot be written are told in [`Publication::written`].
pub(super) async fn publish(
    context: Arc<Context>,
    archives: Archives,
    outages: Vec<Outage>,
    front: Arc<Front>,
    stop: CancellationToken,
) -> anyhow::Result<Option<Publication>> {
    let began = Instant::now();
    let Some(published) = pipeline::publish(&context, archives, &outages, &stop).await? else { return Ok(None) };
    let Published { generation, representations, filed, stories, announced, written } = published;
    let build = move || Tree::build(representations, filed, &front.tree.load(), wall_clock::now());
    let tree = tokio::task::spawn_blocking(build).await?;
    let prefix = prefix(&context.config);
    Ok(Some(Publication { generation, tree, prefix, archives, stories, announced, written, began }))
}
