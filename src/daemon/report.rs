//! The daemon's reports on itself: `/healthz`, the metrics, and a line a round.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{SubsecRound, TimeDelta};
use tokio::time::Instant;
use tracing::{info_span, warn};

use super::asking::SOON;
use super::roster::Roster;
use super::rounds::{self, PolledRound};
use super::task::Task;
use super::{Daemon, GRACE, Looked, clock};
use crate::config::Source;
use crate::disk;
use crate::feed::Timestamp;
use crate::pipeline::{Context, Outcome, Polled};
use crate::serve::{self, DaemonFigures, DaemonHealth, NodeTold, Offer, OutageTold, ServingLimits, Socket};
use crate::state::{Remembered, SourceState};
use crate::store::{SourceShare, StoreError, StorePlace};
use crate::text::count;

/// Longest time between two surveys of the sources, even if nothing was published: another process may have polled.
const SURVEY: Duration = Duration::from_mins(5);

/// Shortest time between two surveys; and of all time they take no more than one part in so many.
const SURVEY_PAUSE: Duration = Duration::from_secs(2);
const SURVEY_SHARE: u32 = 50;

/// Sources whose states are read at once: all of them would take much memory.
const SURVEYED: usize = 500;

/// Sources that are told one by one, or by name in one line.
const TOLD_ALONE: usize = 3;
const TOLD_BY_NAME: usize = 10;

/// The result of a survey.
pub(super) struct Surveyed {
    roster: Roster,
    /// When sources are to be polled, as the store has it.
    plans: Vec<(String, Timestamp)>,
}

/// The state that reports are made from.
pub(super) struct Report {
    /// The start of this process.
    began: Timestamp,
    roster: Roster,
    pub(super) surveying: Task<Option<Surveyed>>,
    /// Sources that were polled while the survey was under way: it may know nothing of that.
    polled_meanwhile: HashSet<String>,
    /// Sources that fail, as far as that was told.
    failing: BTreeSet<String>,
    is_first_survey: bool,
    /// A round in which most polls failed was told.
    is_bad_round_told: bool,
    /// The mark of other processes' writing in the store that was seen last.
    others: i64,
    is_survey_wanted: bool,
    survey_began: Instant,
    next_survey: Instant,
    round: PolledRound,
    pub(super) telling: Task<Option<i64>>,
    /// The last entry that was told of.
    last_entry: Option<i64>,
    published: Option<Timestamp>,
    store_bytes: u64,
    /// The socket that `/healthz` and `/metrics` have for themselves, until it is served on.
    pub(super) internal_socket: Option<Socket>,
    pub(super) internal: Task<()>,
}

impl Report {
    /// Takes down that another node has polled a source.
    pub(super) fn polled_elsewhere(&mut self, source_id: &str, next_poll: Option<Timestamp>) {
        self.roster.polled_elsewhere(source_id, next_poll);
    }

    pub(super) fn new() -> Self {
        let mut report = Self {
            began: clock::now(),
            roster: Roster::default(),
            surveying: Task::new("asking how sources stand"),
            polled_meanwhile: HashSet::new(),
            failing: BTreeSet::new(),
            is_first_survey: true,
            is_bad_round_told: false,
            others: 0,
            is_survey_wanted: true,
            survey_began: Instant::now(),
            next_survey: Instant::now(),
            round: PolledRound::default(),
            telling: Task::new("telling a round"),
            last_entry: None,
            published: None,
            store_bytes: 0,
            internal_socket: None,
            internal: Task::new("serving health and metrics"),
        };
        // Entries that are there before the first poll are of no round.
        report.telling.ask();
        report
    }
}

impl Report {
    /// Returns how late the poll is that has been due for longest, in seconds.
    pub(super) fn lag_seconds(&self) -> u64 {
        self.roster.lag(clock::now()).max(TimeDelta::zero()).num_seconds().unsigned_abs()
    }
}

impl Daemon {
    /// Returns the problems of this process, one line each.
    pub(super) fn report_reasons(&self) -> Vec<String> {
        let own = self.troubles.iter().filter(|(about, _)| **about != "nodes").map(|(_, trouble)| trouble.clone());
        own.chain(self.report.roster.reasons(self.report.began, clock::now())).collect()
    }

    /// Starts what the report needs.
    pub(super) fn start_report(&mut self) {
        let (report, now) = (&mut self.report, Instant::now());
        if report.is_survey_wanted && now >= report.next_survey && !report.surveying.is_running() {
            report.is_survey_wanted = false;
            report.polled_meanwhile.clear();
            report.survey_began = now;
            report.surveying.ask();
        }
        // A store that fails is told elsewhere.
        let context = &self.context;
        report.surveying.start(|| {
            let context = Arc::clone(context);
            async move { Ok(survey(&context).await.ok()) }
        });
        let (round, last, is_bad_round_told) = (&mut report.round, report.last_entry, &mut report.is_bad_round_told);
        let is_failing = report.roster.is_failing();
        report.telling.start(|| {
            let (context, round) = (Arc::clone(context), std::mem::take(round));
            let is_warning = round.is_bad() && !*is_bad_round_told;
            *is_bad_round_told = round.is_bad() || *is_bad_round_told && is_failing;
            async move { Ok(rounds::tell_round(context, round, last, is_warning).await.ok()) }
        });
        if let Some(socket) = report.internal_socket.take() {
            let (front, stop) = (Arc::clone(&self.front), self.stop.clone().cancelled_owned());
            let limits = ServingLimits { grace: GRACE, offer: Offer::Internal, ..ServingLimits::default() };
            report.internal.ask();
            report.internal.start(|| async move { Ok(serve::serve_apart(socket, front, limits, stop).await?) });
            self.tell_health();
        }
    }

    /// Takes over how sources stand.
    pub(super) fn surveyed(&mut self, surveyed: Option<Surveyed>) {
        let (report, now) = (&mut self.report, Instant::now());
        report.next_survey = now + (report.survey_began.elapsed() * SURVEY_SHARE).max(SURVEY_PAUSE);
        if let Some(Surveyed { roster, plans }) = surveyed {
            report.roster = roster;
            for (source_id, at) in &plans {
                if !report.polled_meanwhile.contains(source_id) {
                    self.due.put_off(source_id, *at);
                }
            }
            self.tell_failing();
            self.front.metrics.sources(self.report.roster.figures());
        }
        self.tell_health();
    }

    /// Tells of sources that fail, if no poll of this process did so.
    fn tell_failing(&mut self) {
        let (report, due) = (&mut self.report, &self.due);
        let is_first = std::mem::take(&mut report.is_first_survey);
        let (told, meanwhile, began) = (&report.failing, &report.polled_meanwhile, report.began);
        let is_ours = |id: &str| meanwhile.contains(id) || due.is_polling(id);
        let mut new: Vec<(&str, &str)> = report
            .roster
            .failing()
            .filter(|(id, failure)| if is_first { failure.since < began } else { !told.contains(*id) && !is_ours(id) })
            .map(|(id, failure)| (id, failure.message.as_str()))
            .collect();
        new.sort_unstable();
        let by_name: Vec<&str> = new.iter().map(|(id, _)| *id).take(TOLD_BY_NAME).collect();
        let more = new.len().saturating_sub(by_name.len());
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let (number, names) = (count(new.len(), "feed"), by_name.join(", ") + &more);
        if new.is_empty() {
        } else if is_first {
            warn!("failing since before this start: {number} ({names}); `veille feeds` tells why");
        } else if new.len() > TOLD_ALONE {
            warn!("failing, as another process has found: {number} ({names}); `veille feeds` tells why");
        } else {
            for (id, message) in &new {
                info_span!("poll", source.id = id)
                    .in_scope(|| warn!("failing, as another process has found: {message}"));
            }
        }
        let still = report.roster.failing().map(|(id, _)| id).filter(|id| is_first || told.contains(*id));
        let unknown = told.iter().map(String::as_str).filter(|id| meanwhile.contains(*id));
        let told: BTreeSet<&str> = new.iter().map(|(id, _)| *id).chain(still).chain(unknown).collect();
        report.failing = told.into_iter().map(str::to_owned).collect();
    }

    /// Goes on from the last entry that was told of.
    pub(super) fn round_told(&mut self, last: Option<i64>) {
        self.report.last_entry = last.or(self.report.last_entry);
    }

    /// Takes down what came of a poll.
    pub(super) fn report_poll(&mut self, source_id: &str, polled: &Polled) {
        let report = &mut self.report;
        if let Outcome::Failed(_) = polled.outcome {
            report.failing.insert(source_id.to_owned());
        }
        if report.surveying.is_running() {
            report.polled_meanwhile.insert(source_id.to_owned());
        }
        report.round.add(&polled.outcome);
        report.roster.polled(source_id, polled, clock::now());
        // A survey that began before knows nothing of it.
        report.is_survey_wanted |= report.surveying.is_running();
    }

    /// Takes down that a publication is there.
    pub(super) fn report_publication(&mut self) {
        self.report.published = Some(clock::now().trunc_subsecs(0));
        self.report.is_survey_wanted = true;
        self.tell_health();
    }

    /// Asks anew how sources stand: the config has changed.
    pub(super) fn report_config(&mut self) {
        self.report.is_survey_wanted = true;
        self.report.next_survey = Instant::now();
    }

    /// Tells a round that is over, and how the daemon is.
    pub(super) fn report_look(&mut self, looked: &Looked) {
        let others = std::mem::replace(&mut self.report.others, looked.others);
        self.report.store_bytes = looked.size;
        self.report.is_survey_wanted |= others != looked.others || self.report.survey_began.elapsed() >= SURVEY;
        let soon = clock::now() + SOON;
        let is_under_way = !self.polls.is_empty() || self.due.next().is_some_and(|at| at <= soon);
        if self.report.round.is_to_be_told(is_under_way) {
            self.report.telling.ask();
        }
        self.tell_health();
    }

    /// Brings `/healthz` and the metrics up to date.
    pub(super) fn tell_health(&mut self) {
        let now = clock::now();
        // The next poll is spread by parts of a second, which nobody needs to know.
        let next_poll = self.due.next().filter(|_| !self.is_ailing()).map(|at| at.trunc_subsecs(0));
        let report = &self.report;
        let lag = report.lag_seconds();
        let outages: Vec<OutageTold> = self.outages.values().map(OutageTold::from).collect();
        let nodes = self.context.node().map(|node| NodeTold::all(&node.nodes(), self.leasing.generation()));
        let nodes = nodes.unwrap_or_default();
        let reasons = self.troubles.values().cloned().chain(report.roster.reasons(report.began, now));
        let free_bytes = StorePlace::of(&self.context.config.store).file().and_then(disk::free_bytes);
        let figures = DaemonFigures {
            sources: report.roster.standings(now),
            topics: self.context.config.topics.len(),
            last_success: report.roster.last_success().map(|at| at.trunc_subsecs(0)),
            next_poll,
            lag_seconds: lag,
            published: report.published,
            store_bytes: report.store_bytes,
            free_bytes,
        };
        let health = DaemonHealth { reasons: reasons.collect(), outages, nodes, figures: Some(figures) };
        let metrics = &self.front.metrics;
        let lacks: Vec<&'static str> = health.outages.iter().map(|outage| outage.lack).collect();
        metrics.health(&lacks, health.is_degraded());
        metrics.lag(lag);
        metrics.nodes(&health.nodes);
        let of_folder = disk::free_bytes(&self.context.config.publish.directory);
        for (of, bytes) in [("store", free_bytes), ("publish", of_folder)] {
            if let Some(bytes) = bytes {
                metrics.free(of, bytes);
            }
        }
        if let Some(figures) = &health.figures {
            metrics.standings(&figures.sources);
        }
        self.front.health.store(health);
    }
}

/// Reads how sources stand.
async fn survey(context: &Context) -> Result<Surveyed, StoreError> {
    let now = clock::now();
    let shares = context.store.call(|store| store.shares()).await?;
    let shares: HashMap<&str, &SourceShare> = shares.iter().map(|share| (share.source_id.as_str(), share)).collect();
    let mut roster = Roster::with_capacity(context.config.sources.len());
    let mut plans = Vec::new();
    for sources in context.config.sources.chunks(SURVEYED) {
        let ids: Vec<String> = sources.iter().map(|source| source.id.clone()).collect();
        let known = context.store.call(move |store| store.sources(Some(&ids))).await?;
        let known: HashMap<&str, &Remembered> =
            known.iter().map(|known| (known.state.source_id.as_str(), known)).collect();
        for source in sources {
            let known = known.get(source.id.as_str()).copied();
            roster.add(source, known, shares.get(source.id.as_str()).copied());
            plans.extend(known.and_then(|known| plan(context, source, &known.state, now)));
        }
    }
    Ok(Surveyed { roster, plans })
}

/// Returns when a source is to be polled, if it is not due.
fn plan(context: &Context, source: &Source, state: &SourceState, now: Timestamp) -> Option<(String, Timestamp)> {
    let at = context.due(source, state, now).filter(|at| state.url.as_ref() == Some(&source.url) && *at > now)?;
    Some((source.id.clone(), at))
}
