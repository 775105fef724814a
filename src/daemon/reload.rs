//! Reading a saved config file, and from the store all that the daemon must know before it follows a config.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use tracing::warn;

use super::notify;
use super::watch::{FileWatch, Sight};
use crate::config;
use crate::pipeline::{self, Context};
use crate::state::SourceState;

/// The result of looking at the config file.
pub(super) enum Reloaded {
    /// It is as it was.
    Unchanged,
    /// It has mistakes (all of them, for people): the config in force stays.
    Refused(String),
    /// It cannot be read, as told in one line: the config in force stays.
    Unreadable(String),
    /// There is a config to follow, with the state of each source that was ever polled.
    Taken(Arc<Context>, Vec<SourceState>),
}

/// Reads the config file if it was saved since the last time, or if the daemon was told to; and the state of all sources
/// if due times are to be read anew (`is_to_replan`).
pub(super) async fn reload(
    context: Arc<Context>,
    file: Arc<Mutex<FileWatch>>,
    is_told: bool,
    is_to_replan: bool,
) -> anyhow::Result<Reloaded> {
    let old = Arc::clone(&context);
    let load = move || {
        let sight = file.lock().unwrap_or_else(PoisonError::into_inner).look(is_told);
        let is_unreadable = sight == Sight::Unreadable;
        (sight != Sight::Same || is_told).then(|| renewed(&old).map_err(|(first, all)| (first, all, is_unreadable)))
    };
    match tokio::task::spawn_blocking(load).await? {
        None if is_to_replan => take_over(context).await,
        None => Ok(Reloaded::Unchanged),
        Some(Ok(context)) => take_over(Arc::new(context)).await,
        Some(Err((first, all, is_unreadable))) => {
            pipeline::note_config(&context, Some(first.clone()), Utc::now()).await?;
            Ok(if is_unreadable { Reloaded::Unreadable(first) } else { Reloaded::Refused(all) })
        }
    }
}

/// Builds what the config file asks for now; else its first mistake in one line, and all of them.
fn renewed(old: &Context) -> Result<Context, (String, String)> {
    notify::reloading();
    let config = config::load(&old.config.path).map_err(|invalid| (invalid.0.summary(), invalid.0.list()))?;
    let is_served_as_before =
        config.serve.listen == old.config.serve.listen && config.serve.internal == old.config.serve.internal;
    if !is_served_as_before || config.store.path != old.config.store.path {
        warn!("`serve.listen`, `serve.internal` and `store.path` change with a restart only");
    }
    old.renewed(config).map_err(|error| (error.to_string(), error.to_string()))
}

/// Reads the state of all sources, and leaves alone the hosts that asked for it, before a config is followed.
pub(super) async fn take_over(context: Arc<Context>) -> anyhow::Result<Reloaded> {
    let now = Utc::now();
    pipeline::note_config(&context, None, now).await?;
    pipeline::enroll(&context).await?;
    let states = context.store.call(|store| store.sources(None)).await?;
    let states: Vec<SourceState> = states.into_iter().map(|known| known.state).collect();
    context.mend_throttles(&states, now).await?;
    context.resume(now).await?;
    Ok(Reloaded::Taken(context, states))
}
