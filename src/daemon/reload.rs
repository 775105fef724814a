//! A saved config: reading it, and from the store all that the daemon must know before it follows it; then following it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use tracing::{error, info, warn};

use super::watch::{FileWatch, Sight};
use super::{Daemon, clock, notify};
use crate::config;
use crate::pipeline::{self, Context};
use crate::state::SourceState;
use crate::store::StorePlace;
use crate::text::count;

/// Sources that should have been polled so long ago are late, and are spread.
const LATE: TimeDelta = TimeDelta::minutes(1);

/// The result of looking at the config file.
pub(super) enum Reloaded {
    /// It is as it was.
    Unchanged,
    /// It has mistakes: the config in force stays.
    Refused {
        /// The first, in one line.
        first: String,
        /// All of them, for people.
        all: String,
    },
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
            pipeline::note_config(&context, Some(first.clone()), clock::now()).await?;
            Ok(if is_unreadable { Reloaded::Unreadable(first) } else { Reloaded::Refused { first, all } })
        }
    }
}

/// Builds what the config file asks for now; else its first mistake in one line, and all of them.
fn renewed(old: &Context) -> Result<Context, (String, String)> {
    notify::reloading();
    let config = config::load(&old.config.path).map_err(|invalid| (invalid.0.summary(), invalid.0.list()))?;
    let is_served_as_before =
        config.serve.listen == old.config.serve.listen && config.serve.internal == old.config.serve.internal;
    if !is_served_as_before || StorePlace::of(&config.store) != StorePlace::of(&old.config.store) {
        warn!("`serve.listen`, `serve.internal`, `store.path` and `store.url` change with a restart only");
    }
    old.renewed(config).map_err(|error| (error.to_string(), error.to_string()))
}

/// Reads the state of all sources, and leaves alone the hosts that asked for it, before a config is followed.
pub(super) async fn take_over(context: Arc<Context>) -> anyhow::Result<Reloaded> {
    let now = clock::now();
    pipeline::note_config(&context, None, now).await?;
    pipeline::enroll(&context).await?;
    let states = context.store.call(|store| store.sources(None)).await?;
    let states: Vec<SourceState> = states.into_iter().map(|known| known.state).collect();
    context.mend_throttles(&states, now).await?;
    context.resume(now).await?;
    Ok(Reloaded::Taken(context, states))
}

impl Daemon {
    /// Lives by the config that was read; one with mistakes changes nothing.
    ///
    /// A rule that cannot be read never empties a feed. It is told in the log, on `/healthz` and among the sources.
    pub(super) fn reloaded(&mut self, reloaded: Reloaded) {
        match reloaded {
            Reloaded::Unchanged => return,
            Reloaded::Refused { first, all } => {
                let mistakes = "the config file has mistakes; the last good one is in force";
                self.set_trouble("config", Some(format!("{mistakes}: {first}; `veille check` shows them")));
                error!(
                    "the config has mistakes, the last good one stays in force; `veille check` shows them in their \
                     lines\n{all}"
                );
            }
            Reloaded::Unreadable(why) => {
                error!(
                    "{why}; the last good config stays in force: let this user read `{}`",
                    self.context.config.path.display()
                );
                self.set_trouble("config", Some(format!("{why}; the last good one is in force")));
            }
            Reloaded::Taken(context, states) => self.take_over(context, &states),
        }
        self.publishing.ask();
        if self.published.is_some() {
            self.tell_ready();
        }
    }

    /// Brings due times, and in the background labels, in line with a config.
    pub(super) fn take_over(&mut self, context: Arc<Context>, states: &[SourceState]) {
        if !Arc::ptr_eq(&context, &self.context) {
            let (feeds, topics) = (context.config.sources.len(), context.config.topics.len());
            info!(feeds, topics, "config reloaded: {}, {}", count(feeds, "feed"), count(topics, "topic"));
        }
        self.report_config();
        self.context = context;
        self.set_trouble("config", None);
        self.relabelling.ask_anew();
        let now = clock::now();
        let states: HashMap<&str, _> = states.iter().map(|state| (state.source_id.as_str(), state)).collect();
        self.due.clear();
        let mut late = Vec::new();
        let sources = self.context.config.sources.iter().enumerate();
        self.places = sources.map(|(at, source)| (source.id.clone(), at)).collect();
        for source in self.context.config.sources.iter().filter(|source| source.enabled) {
            let known = states.get(source.id.as_str()).filter(|state| state.url.as_ref() == Some(&source.url));
            match known {
                Some(state) if state.retired => {}
                Some(state) => match self.context.due(source, state, now) {
                    Some(at) if at > now - LATE => self.due.set(&source.id, at),
                    Some(_) | None => late.push(source.id.clone()),
                },
                None => self.due.set(&source.id, now),
            }
        }
        self.due.set_late(late, now);
        self.follow_websub();
        let (feeds, topics) = (self.context.config.sources.len(), self.context.config.topics.len());
        info!(target: "veille::detail", feeds, topics, "watching");
    }

    pub(super) fn tell_ready(&self) {
        let config = &self.context.config;
        notify::ready(&format!("watching {} feeds for {} topics", config.sources.len(), config.topics.len()));
    }
}
