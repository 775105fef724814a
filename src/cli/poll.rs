//! `veille poll`: one round now.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use super::{Failure, open, output, progress};
use crate::config::{Config, Source};
use crate::daemon::Due;
use crate::feed::Timestamp;
use crate::outage::{Finding, Lack, Network, Outage};
use crate::pipeline::{self, Archives, Attendance, Conclusion, Context, Counts, Doubt, Outcome, Polled, wall_clock};
use crate::store::{Handle, StoreError};
use crate::text::count;

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

/// The JSON line of a poll; the keys are a contract.
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

/// The sums of the round.
#[derive(Default)]
struct Total {
    polled: usize,
    /// Feeds that were not asked, as they are not due, and when the first of them is.
    not_due: usize,
    next: Option<Timestamp>,
    failed: usize,
    new: usize,
    changed: usize,
}

pub(super) fn run(config: Config, options: PollOptions) -> Result<(), Failure> {
    let PollOptions { feeds, force, json } = options;
    let is_named = !feeds.is_empty();
    let force = force || is_named;
    let sources = chosen(&config, &feeds)?;
    pipeline::refuse_others(&config)?;
    let mut store = pipeline::open_store(&config)?;
    // Before anybody is asked: what they answer could not be kept.
    store.attempt()?;
    let (store, thread) = Handle::new(store)?;
    let enabled = config.sources.iter().filter(|source| source.enabled).count();
    let (total, outage) = open::runtime()?.block_on(async {
        let node = pipeline::join(&config, true)?;
        let context = Arc::new(Context::sharing(config, store, node)?);
        let attendance = Attendance::begin(&context).await?;
        pipeline::note_config(&context, None, wall_clock::current()).await?;
        pipeline::enroll(&context).await?;
        if context.has_jobs() {
            pipeline::relabel(&context).await?;
        }
        mend_throttles(&context).await?;
        context.resume(wall_clock::current()).await?;
        let last = context.store.call(|store| Ok(store.arrivals(i64::MAX)?.last)).await?;
        let (total, outage) = round(&context, sources, force, json).await?;
        pipeline::note_outages(&context, outage.iter().cloned().collect(), wall_clock::current()).await?;
        // Where polls are a cron job there is no daemon to do it.
        if context.has_jobs() {
            pipeline::upkeep(&context, wall_clock::current()).await?;
        }
        if let Some(published) =
            pipeline::publish(&context, Archives::Changed, &[], wall_clock::current(), &CancellationToken::new())
                .await?
        {
            published.written?;
            if context.has_jobs() {
                pipeline::announce(&context, &published.announced, wall_clock::current()).await?;
            }
        }
        attendance.end(&context).await?;
        if !json {
            let arrivals = context.store.call(move |store| store.arrivals(last)).await?;
            output::print(&total.for_people(&context.config, &arrivals.topics, wall_clock::current()))?;
        }
        Ok::<_, Failure>((total, outage))
    })?;
    // The last handle went with the context: the store closes in order.
    let _ = thread.join();
    match outage {
        None if total.is_in_vain(is_named, enabled) => {
            let polled = count(total.polled, "feed");
            Err(Failure::Running(anyhow!(
                "nothing could be polled: {polled} asked, all failed\nhelp: `veille feeds` tells why"
            )))
        }
        None => Ok(()),
        Some(Outage { lack, reason, .. }) => Err(Failure::Running(anyhow!("{reason}\nhelp: {}", lack.hint()))),
    }
}

/// Asks hosts again that were told to be left alone while the clock was ahead.
async fn mend_throttles(context: &Context) -> Result<(), StoreError> {
    let states = context.store.call(|store| store.sources(None)).await?;
    let states: Vec<_> = states.into_iter().map(|known| known.state).collect();
    context.mend_throttles(&states, wall_clock::current()).await
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

/// Polls that wait for something that this machine lacks are tried again so often, after such a pause.
const LACKING_TRIES: usize = 30;
const LACKING_PAUSE: Duration = Duration::from_secs(1);

/// A poll that has ended: its source, when it began, what came of it.
type EndedPoll = (Source, Instant, Result<Conclusion, StoreError>);

/// A round under way.
struct Round<'a> {
    context: &'a Arc<Context>,
    force: bool,
    json: bool,
    bar: ProgressBar,
    due: Due,
    polls: JoinSet<EndedPoll>,
    network: Network<Box<Doubt>>,
    total: Total,
    /// The thing that this machine lacks, if it does: no other poll begins.
    outage: Option<Outage>,
    /// Feeds by the failure of their host, which is told once.
    of_hosts: BTreeMap<String, Vec<String>>,
}

async fn round(
    context: &Arc<Context>,
    sources: Vec<Source>,
    force: bool,
    json: bool,
) -> Result<(Total, Option<Outage>), Failure> {
    let now = wall_clock::current();
    let mut due = Due::default();
    let bar = progress::bar(sources.len(), "feeds");
    let sources: HashMap<String, Source> = sources.into_iter().map(|source| (source.id.clone(), source)).collect();
    for id in sources.keys() {
        due.set(id, now);
    }
    let (polls, network, total) = (JoinSet::new(), Network::default(), Total::default());
    let of_hosts = BTreeMap::new();
    let mut round = Round { context, force, json, bar, due, polls, network, total, outage: None, of_hosts };
    loop {
        round.start(&sources, now);
        let Some(ended) = round.polls.join_next().await else { break };
        round.end(ended?).await?;
    }
    if let Some(Outage { reason, .. }) = round.outage.clone() {
        while let Some(id) = round.due.take(now, |_| None) {
            round.due.end(&id, None);
            round.tell_waiting(&id, &reason)?;
        }
    }
    round.bar.finish_and_clear();
    for (message, feeds) in &round.of_hosts {
        output::print(&line_of_host(message, feeds))?;
    }
    Ok((round.total, round.outage))
}

impl Round<'_> {
    /// Begins polls. Each under way costs memory, so those that cannot run yet wait where they cost none.
    fn start(&mut self, sources: &HashMap<String, Source>, now: Timestamp) {
        let host_of = |id: &str| sources.get(id)?.url.host_str().map(str::to_owned);
        while self.outage.is_none()
            && self.polls.len() < self.context.config.poll.concurrency.saturating_mul(READY)
            && let Some(source) = self.due.take(now, host_of).and_then(|id| sources.get(&id)).cloned()
        {
            self.network.ask(host(&source));
            let (context, force) = (Arc::clone(self.context), self.force);
            let span = info_span!("poll", source.id = source.id);
            let polling = async move {
                let began = Instant::now();
                let conclusion = poll_source(&context, &source, force).await;
                (source, began, conclusion)
            };
            self.polls.spawn(polling.instrument(span));
        }
    }

    /// Tells what came of a poll, or leaves it in doubt until others have ended.
    async fn end(&mut self, (source, began, conclusion): EndedPoll) -> Result<(), Failure> {
        let now = Instant::now();
        match conclusion? {
            Conclusion::Kept { polled, is_answer } => {
                if is_answer {
                    self.network.answer(host(&source), now);
                } else {
                    self.network.leave(host(&source), now);
                }
                self.due.end(&source.id, None);
                self.tell(&source.id, &polled)?;
            }
            Conclusion::InDoubt(doubt) => {
                self.due.end(&source.id, None);
                self.network.doubt(host(&source), doubt.reply.clone(), began, now, doubt);
            }
            Conclusion::Lacking(reason) => {
                self.network.leave(host(&source), now);
                self.due.end(&source.id, None);
                self.lack(Lack::Resources, reason);
            }
        }
        // All due feeds are asked at once, so all others are being asked until the last has ended.
        let (finding, doubts) = self.network.settle(false, now);
        let (polls, example) = (doubts.len(), doubts.first().map(ToString::to_string).unwrap_or_default());
        if self.outage.as_ref().is_some_and(|outage| outage.lack == Lack::Network) && !self.network.is_down() {
            self.outage = None;
        }
        match finding {
            Finding::Open => {}
            Finding::Hosts => {
                for doubt in doubts {
                    let id = doubt.source_id().to_owned();
                    let span = info_span!("poll", source.id = id);
                    let polled = pipeline::blame(self.context, *doubt).instrument(span).await?;
                    self.tell(&id, &polled)?;
                }
            }
            Finding::Offline | Finding::Portal => {
                self.lack(Lack::Network, pipeline::no_network(finding, polls, &example));
                for doubt in doubts {
                    self.tell_waiting(doubt.source_id(), &doubt.to_string())?;
                }
            }
        }
        Ok(())
    }

    fn lack(&mut self, lack: Lack, reason: String) {
        self.outage.get_or_insert_with(|| Outage { lack, since: wall_clock::current(), reason });
    }

    fn tell(&mut self, id: &str, polled: &Polled) -> Result<(), Failure> {
        self.bar.inc(1);
        self.total.add(polled);
        if let Outcome::Failed(failure) = &polled.outcome
            && failure.is_of_host()
            && !self.json
        {
            self.of_hosts.entry(failure.message.clone()).or_default().push(id.to_owned());
            return Ok(());
        }
        self.print(&line(id, polled), &for_people(id, &polled.outcome))
    }

    /// Tells that a feed stays due, as this machine lacks something.
    fn tell_waiting(&mut self, feed: &str, error: &str) -> Result<(), Failure> {
        self.bar.inc(1);
        let line = PollLine { feed, outcome: "waiting", new: 0, changed: 0, error: Some(error), next_poll: None };
        self.print(&line, "")
    }

    fn print(&self, line: &PollLine<'_>, for_people: &str) -> Result<(), Failure> {
        let text = if self.json { format!("{}\n", serde_json::to_string(line)?) } else { for_people.to_owned() };
        Ok(self.bar.suspend(|| output::print(&text))?)
    }
}

/// The host of a source; a source without one stands for itself.
fn host(source: &Source) -> &str {
    source.url.host_str().unwrap_or(&source.id)
}

/// Polls a source; while this machine lacks something for it, again after a pause.
async fn poll_source(context: &Arc<Context>, source: &Source, force: bool) -> Result<Conclusion, StoreError> {
    let mut tries = 1;
    loop {
        let conclusion = pipeline::ask(context, source, force, wall_clock::current()).await?;
        if tries >= LACKING_TRIES || !matches!(conclusion, Conclusion::Lacking(_)) {
            return Ok(conclusion);
        }
        tokio::time::sleep(LACKING_PAUSE).await;
        tries += 1;
    }
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

/// Feeds of one host that are named.
const NAMED: usize = 3;

/// The line of a host that did not answer: `a, b, c and 9 more: failed: connection to …`.
fn line_of_host(message: &str, feeds: &[String]) -> String {
    let mut feeds: Vec<&str> = feeds.iter().map(String::as_str).collect();
    feeds.sort_unstable();
    let named = feeds.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match feeds.len().saturating_sub(NAMED) {
        0 => format!("{named}: failed: {message}\n"),
        more => format!("{named} and {more} more: failed: {message}\n"),
    }
}

impl Total {
    fn add(&mut self, polled: &Polled) {
        match &polled.outcome {
            Outcome::NotDue | Outcome::HostPostponed | Outcome::NoMemory => {
                self.not_due += 1;
                self.next = self.next.into_iter().chain(polled.next_poll).min();
                return;
            }
            Outcome::Unchanged => {}
            Outcome::Read(Counts { new, changed }) => {
                self.new += new;
                self.changed += changed;
            }
            Outcome::Failed(_) => self.failed += 1,
        }
        self.polled += 1;
    }

    /// Whether every feed that was asked has failed: feeds that were named, or more than half of those of the config. Of
    /// few that were due, a single one that is out of order says nothing about the round.
    fn is_in_vain(&self, is_named: bool, enabled: usize) -> bool {
        self.failed > 0 && self.failed == self.polled && (is_named || self.failed * 2 > enabled)
    }

    /// Says the sums, the topics that gained, and where to look.
    fn for_people(&self, config: &Config, topics: &[(String, usize)], now: Timestamp) -> String {
        let feeds = count(self.polled, "feed");
        let zone = config.poll.timezone;
        let next = self.next.map(|at| {
            let at = at.with_timezone(&zone);
            let is_today = at.date_naive() == now.with_timezone(&zone).date_naive();
            at.format(if is_today { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string()
        });
        let not_due = match (self.not_due, next) {
            (0, _) => String::new(),
            (number, None) => format!(", {number} not due (`--force` polls)"),
            (number, Some(at)) => format!(", {number} not due: next at {at} (`--force` polls)"),
        };
        if self.polled == 0 {
            return format!("{feeds} polled{not_due}\n");
        }
        let mut text = format!(
            "{feeds} polled, {} failed: {}, {} changed{not_due}\n",
            self.failed,
            count(self.new, "new entry"),
            self.changed
        );
        let title = |id: &String| config.topics.iter().find(|topic| topic.id == *id).map(|topic| topic.title.as_str());
        let gains: Vec<String> =
            topics.iter().filter_map(|(id, number)| Some(format!("{} +{number}", title(id)?))).collect();
        if self.new > 0 {
            let gains = if gains.is_empty() { "none of them in a topic".to_owned() } else { gains.join(", ") };
            text += &format!("topics: {}\n", output::harmless(&gains));
        }
        if self.failed > 0 {
            text += "troubles: `veille feeds` tells them and what to do\n";
        }
        let page = config.publish.directory.join("index.html");
        text + &format!("published: {} (`veille run` serves it, `veille entries` lists all)\n", page.display())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-28T{time}:00Z").parse().unwrap()
    }

    /// Checks what is said at 03:00 UTC, which is 04:00 in Paris, after these polls of three feeds.
    #[track_caller]
    fn check(outcomes: [Outcome; 3], topics: &[(String, usize)], expected: &str) {
        let text = "[publish]\ndirectory = \"/srv/public\"\n\
                    [[topic]]\nid = \"ecole\"\ntitle = \"École\"\nany = [\"école\"]\n";
        let config = config::parse(text, Path::new("config.toml")).unwrap();
        let mut total = Total::default();
        for (minute, outcome) in (4..).zip(outcomes) {
            total.add(&Polled { outcome, next_poll: Some(at(&format!("04:{minute:02}"))) });
        }
        assert_eq!(total.for_people(&config, topics, at("03:00")), expected);
    }

    #[test]
    fn a_round_without_polls_says_when_the_next_is_due_and_how_to_poll_now() {
        let expected = "0 feeds polled, 3 not due: next at 05:04 (`--force` polls)\n";
        check([Outcome::NotDue, Outcome::HostPostponed, Outcome::NotDue], &[], expected);
    }

    #[test]
    fn a_round_is_in_vain_if_all_fail_that_say_something_about_it() {
        let total = |failed, polled| Total { polled, failed, ..Total::default() };
        assert!(total(3, 3).is_in_vain(false, 5));
        assert!(!total(3, 4).is_in_vain(false, 4), "one answered");
        assert!(!total(1, 1).is_in_vain(false, 2), "one of many was due");
        assert!(total(1, 1).is_in_vain(true, 2), "it was named");
        assert!(!total(0, 0).is_in_vain(false, 0));
    }

    #[test]
    fn feeds_of_a_host_that_fails_are_one_line() {
        let feeds = ["d", "b", "a", "c", "e"].map(str::to_owned);
        assert_eq!(line_of_host("no", &feeds[..2]), "b, d: failed: no\n");
        assert_eq!(line_of_host("no", &feeds), "a, b, c and 2 more: failed: no\n");
    }

    #[test]
    fn a_round_ends_with_topics_and_where_to_look() {
        let read = |new| Outcome::Read(Counts { new, changed: 0 });
        check(
            [read(3), read(2), Outcome::NotDue],
            &[("ecole".to_owned(), 2)],
            "2 feeds polled, 0 failed: 5 new entries, 0 changed, 1 not due: next at 05:06 (`--force` polls)\n\
             topics: École +2\n\
             published: /srv/public/index.html (`veille run` serves it, `veille entries` lists all)\n",
        );
    }
}
