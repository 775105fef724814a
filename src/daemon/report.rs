//! The daemon's reports on itself: `/healthz`, the metrics, and a line a round.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{SubsecRound, TimeDelta, Utc};

use super::asking::SOON;
use super::roster::{Roster, Survey};
use super::rounds::{self, PolledRound};
use super::task::Task;
use super::{Daemon, GRACE};
use crate::disk;
use crate::feed::Timestamp;
use crate::pipeline::{Context, Polled};
use crate::schedule::RHYTHM;
use crate::serve::{self, DaemonFigures, DaemonHealth, Offer, OutageTold, ServingLimits, Socket};
use crate::store::StoreError;

/// Longest time between two surveys of the sources, even if nothing was published: another process may have polled.
const SURVEY: Duration = Duration::from_mins(5);

/// Shortest time between two surveys; and of all time they take no more than one part in so many.
const SURVEY_PAUSE: Duration = Duration::from_secs(2);
const SURVEY_SHARE: u32 = 50;

/// The state that reports are made from.
pub(super) struct Report {
    /// The start of this process.
    began: Timestamp,
    roster: Roster,
    pub(super) surveying: Task<Option<Roster>>,
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
    pub(super) fn new() -> Self {
        let mut report = Self {
            began: Utc::now(),
            roster: Roster::default(),
            surveying: Task::new("asking how sources stand"),
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

impl Daemon {
    /// Starts what the report needs.
    pub(super) fn start_report(&mut self) {
        let (report, now) = (&mut self.report, Instant::now());
        if report.is_survey_wanted && now >= report.next_survey && !report.surveying.is_running() {
            report.is_survey_wanted = false;
            report.survey_began = now;
            report.surveying.ask();
        }
        // A store that fails is told elsewhere.
        let context = &self.context;
        report.surveying.start(|| {
            let context = Arc::clone(context);
            async move { Ok(survey(&context).await.ok()) }
        });
        let (round, last) = (&mut report.round, report.last_entry);
        report.telling.start(|| {
            let (context, round) = (Arc::clone(context), std::mem::take(round));
            async move { Ok(rounds::tell_round(context, round, last).await.ok()) }
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
    pub(super) fn surveyed(&mut self, roster: Option<Roster>) {
        let (report, now) = (&mut self.report, Instant::now());
        report.next_survey = now + (report.survey_began.elapsed() * SURVEY_SHARE).max(SURVEY_PAUSE);
        if let Some(roster) = roster {
            report.roster = roster;
            self.front.metrics.sources(&self.report.roster.figures());
        }
        self.tell_health();
    }

    /// Goes on from the last entry that was told of.
    pub(super) fn round_told(&mut self, last: Option<i64>) {
        self.report.last_entry = last.or(self.report.last_entry);
    }

    /// Takes down what came of a poll.
    pub(super) fn report_poll(&mut self, source_id: &str, polled: &Polled) {
        let report = &mut self.report;
        report.round.add(&polled.outcome);
        report.roster.polled(source_id, polled, Utc::now());
        // A survey that began before knows nothing of it.
        report.is_survey_wanted |= report.surveying.is_running();
    }

    /// Takes down that a publication is there.
    pub(super) fn report_publication(&mut self) {
        self.report.published = Some(Utc::now().trunc_subsecs(0));
        self.report.is_survey_wanted = true;
        self.tell_health();
    }

    /// Asks anew how sources stand: the config has changed.
    pub(super) fn report_config(&mut self) {
        self.report.is_survey_wanted = true;
        self.report.next_survey = Instant::now();
    }

    /// Tells a round that is over, and how the daemon is.
    pub(super) fn report_look(&mut self, store_bytes: u64) {
        self.report.store_bytes = store_bytes;
        self.report.is_survey_wanted |= self.report.survey_began.elapsed() >= SURVEY;
        let soon = Utc::now() + SOON;
        let is_under_way = !self.polls.is_empty() || self.due.next().is_some_and(|at| at <= soon);
        if self.report.round.is_to_be_told(is_under_way) {
            self.report.telling.ask();
        }
        self.tell_health();
    }

    /// Brings `/healthz` and the metrics up to date.
    pub(super) fn tell_health(&mut self) {
        let now = Utc::now();
        // The next poll is spread by parts of a second, which nobody needs to know.
        let next_poll = self.due.next().map(|at| at.trunc_subsecs(0));
        let report = &self.report;
        let lag = report.roster.lag(now).max(TimeDelta::zero()).num_seconds().unsigned_abs();
        let outages: Vec<OutageTold> = self.outages.values().map(OutageTold::from).collect();
        let reasons = self.troubles.values().cloned().chain(report.roster.reasons(report.began, now));
        let free_bytes = disk::free_bytes(&self.context.config.store.path);
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
        let health = DaemonHealth { reasons: reasons.collect(), outages, figures: Some(figures) };
        let metrics = &self.front.metrics;
        let lacks: Vec<&'static str> = health.outages.iter().map(|outage| outage.lack).collect();
        metrics.health(&lacks, health.is_degraded());
        metrics.lag(lag);
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
async fn survey(context: &Context) -> Result<Roster, StoreError> {
    let now = Utc::now();
    let survey = context.store.call(move |store| {
        let states = store.sources(None)?.into_iter().map(|known| known.state).collect();
        Ok(Survey { states, days: store.entry_days(now - RHYTHM)?, shares: store.shares()? })
    });
    Ok(Roster::new(&context.config, survey.await?, now))
}
