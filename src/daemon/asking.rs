//! Polls of the daemon: which begin now, what their end says, and what this machine lacks meanwhile.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::TimeDelta;
use futures_util::FutureExt;
use tracing::{Instrument, error, info_span, warn};

use super::{Daemon, LOOK, PANIC_PAUSE, clock};
use crate::config::Source;
use crate::feed::Timestamp;
use crate::outage::{Finding, Lack};
use crate::pipeline::{self, Conclusion, Context, Counts, Doubt, Outcome, Polled};
use crate::state::PollFailure;
use crate::store::StoreError;

/// Others that are due so soon are waited for before it is decided whether a host is dead or this machine is cut off.
pub(super) const SOON: TimeDelta = TimeDelta::seconds(45);

/// Pause before any poll after one that lacked something, and time until that one is tried again.
const LACKING_PAUSE: Duration = Duration::from_secs(5);
const LACKING_RETRY: TimeDelta = TimeDelta::seconds(10);

/// The wall clock was set, or the machine slept, if so much more or less has passed than a round of the loop takes.
const JUMP: TimeDelta = TimeDelta::minutes(1);

/// A poll that has ended.
pub(super) struct Ended {
    pub(super) source_id: String,
    /// The context that it began under.
    pub(super) context: Arc<Context>,
    /// The host that was asked and when that began; `None` if it was only decided that the host is at fault.
    pub(super) asked: Option<(String, Instant)>,
    pub(super) conclusion: Result<Conclusion, StoreError>,
}

/// A poll that waits for the decision whether its host is at fault.
pub(super) struct InDoubt {
    source_id: String,
    context: Arc<Context>,
    doubt: Box<Doubt>,
}

impl Daemon {
    /// Begins the polls that are due, as far as there is room and this machine has what they need.
    pub(super) fn start_polls(&mut self, now: Timestamp) {
        self.notice_jump(now);
        if self.is_lacking() || self.is_ailing() {
            return;
        }
        let room = self.room_for_polls();
        let (context, places) = (&self.context, &self.places);
        let source = |id: &str| places.get(id).and_then(|at| context.config.sources.get(*at));
        let host_of = |id: &str| source(id)?.url.host_str().map(str::to_owned);
        while self.polls.len() < room && self.network.admits(clock::instant()) {
            let Some(source_id) = self.due.take(now, host_of) else { return };
            let Some(source) = source(&source_id) else {
                self.due.end(&source_id, None);
                continue;
            };
            let host = host_or_id(source);
            self.network.ask(&host);
            let span = info_span!("poll", source.id = source_id);
            let is_pinged = self.websub.take_ping(&source_id, now);
            self.polls.spawn(poll_source(Arc::clone(context), source.clone(), host, is_pinged).instrument(span));
        }
    }

    /// Returns the time until the next look for due polls: none are looked for while there is no room for another.
    pub(super) fn until_next_poll(&mut self) -> Duration {
        let now = clock::instant();
        let leasing = self.until_leasing();
        let is_full = self.polls.len() >= self.room_for_polls();
        if is_full || self.is_lacking() || self.is_ailing() || !self.network.admits(now) {
            let next = self.network.next().map(|at| at.saturating_duration_since(now));
            return next.filter(|wait| !wait.is_zero()).unwrap_or(LOOK).min(LOOK).min(leasing);
        }
        self.due.next().map_or(LOOK, |at| (at - clock::now()).to_std().unwrap_or_default()).min(LOOK).min(leasing)
    }

    pub(super) fn is_lacking(&self) -> bool {
        self.lacking_until.is_some_and(|until| clock::instant() < until)
    }

    /// Notices that the wall clock was set, or that the machine slept.
    fn notice_jump(&mut self, now: Timestamp) {
        let passed = now - std::mem::replace(&mut self.round, now);
        if passed > JUMP {
            // Once awake, or by a clock that was set ahead, much is due at once.
            self.due.spread(now);
        } else if passed < -JUMP {
            warn!("the clock was set back by {} minutes: it is looked anew what is due", -passed.num_minutes());
            self.next_upkeep = now;
            self.is_to_replan = true;
            self.reloading.ask();
        }
    }

    /// Plans the next poll, and the publication of what this one brought; or leaves it in doubt who is at fault.
    pub(super) fn end_poll(&mut self, ended: Ended) -> anyhow::Result<()> {
        let Ended { source_id, context, asked, conclusion } = ended;
        let now = clock::instant();
        let conclusion = match conclusion {
            Err(StoreError::Overtaken { .. }) => {
                if let Some((host, _)) = asked {
                    self.network.leave(&host, now);
                }
                // Another node polls its host meanwhile, perhaps this very source.
                self.due.end(&source_id, Some(clock::now()));
                return Ok(());
            }
            Err(error) if error.ailment().is_some() => {
                if let Some((host, _)) = asked {
                    self.network.leave(&host, now);
                }
                self.store_fails(&error);
                // Nothing of it is kept, so it is due still.
                self.due.end(&source_id, Some(clock::now()));
                return Ok(());
            }
            conclusion => conclusion.context("polling failed")?,
        };
        match conclusion {
            Conclusion::Kept { polled, is_answer } => {
                match asked {
                    Some((host, _)) if is_answer => self.answered(&host, now),
                    Some((host, _)) => self.network.leave(&host, now),
                    None => {}
                }
                self.kept(&source_id, &context, &polled);
            }
            Conclusion::InDoubt(doubt) => {
                let (host, began) = asked.unwrap_or_else(|| (source_id.clone(), now));
                let reply = doubt.reply.clone();
                self.network.doubt(&host, reply, began, now, InDoubt { source_id, context, doubt });
            }
            Conclusion::Lacking(why) => {
                if let Some((host, _)) = asked {
                    self.network.leave(&host, now);
                }
                self.due.end(&source_id, Some(clock::now() + LACKING_RETRY));
                self.lacking_until = Some(now + LACKING_PAUSE);
                self.begin_outage(Lack::Resources, why);
            }
        }
        self.judge_doubts();
        Ok(())
    }

    fn kept(&mut self, source_id: &str, context: &Arc<Context>, polled: &Polled) {
        let (outcome, counts) = match &polled.outcome {
            Outcome::NotDue | Outcome::HostPostponed | Outcome::NoMemory => ("not_due", Counts::default()),
            Outcome::Unchanged => ("unchanged", Counts::default()),
            Outcome::Read(counts) => ("read", *counts),
            Outcome::Failed(_) => ("failed", Counts::default()),
        };
        if outcome != "not_due" {
            // The store takes polls.
            self.tries = 0;
        }
        self.front.metrics.polled(outcome, counts.new, counts.changed);
        self.report_poll(source_id, polled);
        self.due.end(source_id, polled.next_poll);
        self.poll_pinged(source_id);
        if outcome == "read" {
            self.note_document();
        }
        if counts != Counts::default() {
            self.gather();
            if !Arc::ptr_eq(context, &self.context) {
                // Labelled by the rules of before the last reload.
                self.relabelling.ask();
            }
        }
    }

    fn answered(&mut self, host: &str, now: Instant) {
        if self.network.answer(host, now) {
            self.end_outage(Lack::Network);
        }
        if !self.is_lacking() {
            self.lacking_until = None;
            self.end_outage(Lack::Resources);
        }
        if !self.is_outage_noted {
            // An outage that was kept before a restart is over.
            self.is_outage_noted = true;
            self.noting.ask();
        }
    }

    /// Decides on polls in doubt, once that can be decided.
    pub(super) fn judge_doubts(&mut self) {
        let soon = clock::now() + SOON;
        let is_more_to_come = self.due.next().is_some_and(|at| at <= soon) || self.is_waiting_for_leases();
        let was_down = self.network.is_down();
        let (finding, polls) = self.network.settle(is_more_to_come, clock::instant());
        if was_down && !self.network.is_down() {
            self.end_outage(Lack::Network);
        }
        let example = polls.first().map(|poll| poll.doubt.to_string()).unwrap_or_default();
        let hosts = polls.len();
        match finding {
            Finding::Open => {}
            Finding::Hosts => polls.into_iter().for_each(|poll| self.blame(poll)),
            Finding::Offline | Finding::Portal => {
                let now = clock::now();
                for poll in &polls {
                    self.due.end(&poll.source_id, Some(now));
                }
                self.begin_outage(Lack::Network, pipeline::no_network(finding, hosts, &example));
            }
        }
    }

    /// Keeps a poll in doubt as a failure of its source.
    fn blame(&mut self, poll: InDoubt) {
        let InDoubt { source_id, context, doubt } = poll;
        let span = info_span!("poll", source.id = source_id);
        let blaming = async move {
            let conclusion = pipeline::blame(&context, *doubt).await;
            let conclusion = conclusion.map(|polled| Conclusion::Kept { polled, is_answer: false });
            Ended { source_id, context, asked: None, conclusion }
        };
        self.polls.spawn(blaming.instrument(span));
    }
}

/// The host of a source; a source without one stands for itself.
pub(super) fn host_or_id(source: &Source) -> String {
    source.url.host_str().unwrap_or(&source.id).to_owned()
}

/// Polls a source, whether it is due or not if its hub says that there is news. A panic is a fault of ours over this one
/// source.
async fn poll_source(context: Arc<Context>, source: Source, host: String, is_pinged: bool) -> Ended {
    let began = clock::instant();
    let asking = AssertUnwindSafe(pipeline::ask(&context, &source, is_pinged, clock::now())).catch_unwind();
    let conclusion =
        asking.await.unwrap_or_else(|_| Ok(Conclusion::Kept { polled: panicked(clock::now()), is_answer: false }));
    Ended { source_id: source.id, context, asked: Some((host, began)), conclusion }
}

/// A fault of ours over one source: the others go on, and it is tried again.
fn panicked(now: Timestamp) -> Polled {
    let message = "veille has a fault that this feed brings to light; please report it".to_owned();
    error!("{message}");
    let failure = PollFailure { code: "panic".into(), message, since: now };
    Polled { outcome: Outcome::Failed(failure), next_poll: Some(now + PANIC_PAUSE) }
}
