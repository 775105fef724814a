//! `veille poll`: one round now.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::Utc;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Failure, open, output, progress};
use crate::config::{Config, Source};
use crate::daemon::Due;
use crate::feed::Timestamp;
use crate::pipeline::{self, Archives, Context, Counts, Outcome, Polled};
use crate::store::sqlite::Sqlite;
use crate::store::{Handle, StoreError};

#[derive(Debug, clap::Args)]
pub(super) struct PollOptions {
    /// Poll these feeds (ids), due or not
    #[arg(value_name = "FEED")]
    feeds: Vec<String>,
    /// Poll all feeds, due or not
    #[arg(long)]
    force: bool,
    /// Print a JSON line a feed
    #[arg(long)]
    json: bool,
}

/// What a line tells of a poll; the keys are a contract.
#[derive(Debug, Serialize)]
struct PollLine<'a> {
    feed: &'a str,
    outcome: &'static str,
    new: usize,
    changed: usize,
    error: Option<&'a str>,
    next_poll: Option<Timestamp>,
}

/// Polls that are begun for each that can run.
const READY: usize = 2;

/// What the round came to.
#[derive(Default)]
struct Total {
    polled: usize,
    failed: usize,
    new: usize,
    changed: usize,
}

pub(super) fn run(config: Config, options: PollOptions) -> Result<(), Failure> {
    let PollOptions { feeds, force, json } = options;
    let force = force || !feeds.is_empty();
    let sources = chosen(&config, &feeds)?;
    let store = Sqlite::open(&config.store.path)?;
    let (store, thread) = Handle::new(Box::new(store))?;
    open::runtime()?.block_on(async {
        let context = Arc::new(Context::new(config, store)?);
        pipeline::note_config(&context, None, Utc::now()).await?;
        pipeline::relabel(&context).await?;
        context.resume(Utc::now()).await?;
        let total = round(&context, sources, force, json).await?;
        // Where polls are a cron job there is no daemon to do it.
        pipeline::upkeep(&context, Utc::now()).await?;
        if let Some(published) = pipeline::publish(&context, Archives::Changed, &CancellationToken::new()).await? {
            published.written?;
            pipeline::announce(&context, &published.announced, Utc::now()).await?;
        }
        if !json {
            output::print(&format!("{}\n", total.for_people()))?;
        }
        Ok::<_, Failure>(())
    })?;
    // The last handle went with the context: the store closes in order.
    let _ = thread.join();
    Ok(())
}

/// The sources to poll: the named ones, else all that are enabled.
fn chosen(config: &Config, names: &[String]) -> Result<Vec<Source>, Failure> {
    if names.is_empty() {
        return Ok(config.sources.iter().filter(|source| source.enabled).cloned().collect());
    }
    let find = |name: &String| {
        config.sources.iter().find(|source| source.id == *name || source.url.as_str() == name).cloned().ok_or_else(
            || Failure::Usage(format!("error: no feed has the id `{name}`\nhelp: `veille feeds` lists them")),
        )
    };
    names.iter().map(find).collect()
}

async fn round(context: &Arc<Context>, sources: Vec<Source>, force: bool, json: bool) -> Result<Total, Failure> {
    let bar = progress::bar(sources.len(), "feeds");
    let now = Utc::now();
    let mut due = Due::default();
    let sources: HashMap<String, Source> = sources.into_iter().map(|source| (source.id.clone(), source)).collect();
    for id in sources.keys() {
        due.set(id, now);
    }
    let host_of = |id: &str| sources.get(id)?.url.host_str().map(str::to_owned);
    let mut polls: JoinSet<(Source, Result<Polled, StoreError>)> = JoinSet::new();
    let mut total = Total::default();
    loop {
        // Each poll under way costs memory, so those that cannot run yet wait where they cost none.
        while polls.len() < context.config.poll.concurrency.saturating_mul(READY)
            && let Some(source) = due.take(now, host_of).and_then(|id| sources.get(&id)).cloned()
        {
            let context = Arc::clone(context);
            polls.spawn(async move {
                let polled = pipeline::poll(&context, &source, force, Utc::now()).await;
                (source, polled)
            });
        }
        let Some(done) = polls.join_next().await else { break };
        let (source, polled) = done?;
        due.end(&source.id, None);
        let polled = polled?;
        bar.inc(1);
        total.add(&polled.outcome);
        let text = if json {
            format!("{}\n", serde_json::to_string(&line(&source.id, &polled))?)
        } else {
            for_people(&source.id, &polled.outcome)
        };
        bar.suspend(|| output::print(&text))?;
    }
    bar.finish_and_clear();
    Ok(total)
}

fn line<'a>(feed: &'a str, polled: &'a Polled) -> PollLine<'a> {
    let (outcome, new, changed, error) = match &polled.outcome {
        Outcome::NotDue | Outcome::HostPostponed | Outcome::NoMemory => ("not_due", 0, 0, None),
        Outcome::Unchanged => ("unchanged", 0, 0, None),
        Outcome::Read(Counts { new, changed }) => ("read", *new, *changed, None),
        Outcome::Failed(failure) => ("failed", 0, 0, Some(failure.message.as_str())),
    };
    PollLine { feed, outcome, new, changed, error, next_poll: polled.next_poll }
}

/// A line for a feed that changed or failed, nothing for the others.
fn for_people(feed: &str, outcome: &Outcome) -> String {
    match outcome {
        Outcome::NotDue
        | Outcome::HostPostponed
        | Outcome::NoMemory
        | Outcome::Unchanged
        | Outcome::Read(Counts { new: 0, changed: 0 }) => String::new(),
        Outcome::Read(Counts { new, changed: 0 }) => format!("{feed}: {new} new\n"),
        Outcome::Read(Counts { new, changed }) => format!("{feed}: {new} new, {changed} changed\n"),
        Outcome::Failed(failure) => format!("{feed}: failed: {}\n", failure.message),
    }
}

fn new_entries(number: usize) -> String {
    if number == 1 { "1 new entry".to_owned() } else { format!("{number} new entries") }
}

impl Total {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::NotDue | Outcome::HostPostponed | Outcome::NoMemory => return,
            Outcome::Unchanged => {}
            Outcome::Read(Counts { new, changed }) => {
                self.new += new;
                self.changed += changed;
            }
            Outcome::Failed(_) => self.failed += 1,
        }
        self.polled += 1;
    }

    fn for_people(&self) -> String {
        format!(
            "{} polled, {} failed: {}, {} changed",
            output::count(self.polled, "feed"),
            self.failed,
            new_entries(self.new),
            self.changed
        )
    }
}
