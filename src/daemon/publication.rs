//! A publication as the daemon serves it.

use std::sync::Arc;

use chrono::Utc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::pipeline::{self, Announced, Archives, Context, Published};
use crate::publish::Tree;
use crate::publish::files::{FilesError, Written};
use crate::serve::Front;

/// A publication, ready to be served.
pub(super) struct Publication {
    /// The store's generation that it shows.
    pub(super) generation: i64,
    pub(super) tree: Tree,
    /// The path of `site.url`, without its last slash.
    pub(super) prefix: String,
    /// How the archives were treated.
    pub(super) archives: Archives,
    /// How many stories of each topic its main document shows.
    pub(super) stories: Vec<(String, usize)>,
    pub(super) announced: Vec<Announced>,
    pub(super) written: Result<Written, FilesError>,
    pub(super) began: Instant,
}

/// Publishes what the store holds now; `None` if told to stop before all of it was.
///
/// # Errors
/// When the store fails. Files that cannot be written are told in [`Publication::written`].
pub(super) async fn publish(
    context: Arc<Context>,
    archives: Archives,
    front: Arc<Front>,
    stop: CancellationToken,
) -> anyhow::Result<Option<Publication>> {
    let began = Instant::now();
    let Some(published) = pipeline::publish(&context, archives, &stop).await? else { return Ok(None) };
    let Published { generation, representations, filed, stories, announced, written } = published;
    let build = move || Tree::build(representations, filed, &front.tree.load(), Utc::now());
    let tree = tokio::task::spawn_blocking(build).await?;
    let prefix = context.config.site.url.path().trim_end_matches('/').to_owned();
    Ok(Some(Publication { generation, tree, prefix, archives, stories, announced, written, began }))
}
