//! The standing of each source while the daemon runs: the figures and reasons of `/healthz`. Reads no clock.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;

use crate::config::Source;
use crate::feed::Timestamp;
use crate::metrics::SourceFigures;
use crate::pipeline::{Outcome, Polled};
use crate::schedule::{Schedule, Standing};
use crate::state::{Health, PollFailure, Polls, Remembered};
use crate::store::SourceShare;

/// Rounds of its schedule after which a source that was not asked counts as forgotten.
const ROUNDS: usize = 2;

/// Time beyond them that a round may take: due times are spread, and hosts are asked one request after the other.
const ROUND_DELAY: TimeDelta = TimeDelta::minutes(5);

/// The sources of the config, as they were told of last.
#[derive(Debug, Default)]
pub(super) struct Roster {
    members: HashMap<String, RosterMember>,
}

/// A source of the config, with what decides how it stands.
#[derive(Debug)]
pub(super) struct RosterMember {
    is_enabled: bool,
    schedule: Schedule,
    polls: Polls,
    /// The last failure, until a success.
    failure: Option<Box<PollFailure>>,
    is_silent: bool,
    news: Option<Timestamp>,
    entries: u64,
    topic_entries: u64,
}

impl Roster {
    /// Makes room for so many sources.
    pub(super) fn with_capacity(sources: usize) -> Self {
        Self { members: HashMap::with_capacity(sources) }
    }

    /// Takes down how a source of the config stands by what the store tells.
    pub(super) fn add(&mut self, source: &Source, remembered: Option<&Remembered>, share: Option<&SourceShare>) {
        let known = remembered.filter(|known| known.state.url.as_ref() == Some(&source.url));
        let member = RosterMember {
            is_enabled: source.enabled,
            schedule: source.schedule.clone(),
            polls: known.map(|known| known.state.polls()).unwrap_or_default(),
            failure: known.and_then(|known| known.state.last_error.clone()).map(Box::new),
            is_silent: known.is_some_and(|known| known.health == Some(Health::Silent)),
            news: share.and_then(|share| share.last),
            entries: share.map_or(0, |share| share.entries),
            topic_entries: share.map_or(0, |share| share.in_topics),
        };
        self.members.insert(source.id.clone(), member);
    }

    /// Takes down what came of a poll.
    pub(super) fn polled(&mut self, source_id: &str, polled: &Polled, now: Timestamp) {
        let Some(member) = self.members.get_mut(source_id) else { return };
        match &polled.outcome {
            Outcome::NotDue | Outcome::HostPostponed | Outcome::NoMemory => {}
            Outcome::Unchanged => member.succeed(now),
            Outcome::Read(counts) => {
                member.succeed(now);
                if counts.new > 0 {
                    member.news = member.news.max(Some(now));
                    member.is_silent = false;
                }
            }
            Outcome::Failed(failure) => {
                member.polls.failures = member.polls.failures.saturating_add(1);
                member.polls.retired = polled.next_poll.is_none();
                member.failure = Some(Box::new(failure.clone()));
            }
        }
        member.polls.next_poll = polled.next_poll;
    }

    /// Takes down when a source is polled next that another node has polled.
    pub(super) fn polled_elsewhere(&mut self, source_id: &str, next_poll: Option<Timestamp>) {
        if let Some(member) = self.members.get_mut(source_id) {
            member.polls.next_poll = next_poll;
        }
    }

    /// Counts the sources by standing; every standing is listed.
    pub(super) fn standings(&self, now: Timestamp) -> BTreeMap<&'static str, usize> {
        let mut counts: BTreeMap<_, _> = Standing::ALL.iter().map(|standing| (standing.code(), 0)).collect();
        for member in self.members.values() {
            *counts.entry(member.standing(now).code()).or_default() += 1;
        }
        counts
    }

    /// Returns the sources that fail, with why.
    pub(super) fn failing(&self) -> impl Iterator<Item = (&str, &PollFailure)> {
        let polled = self.members.iter().filter(|(_, member)| member.is_enabled && member.polls.failures > 0);
        polled.filter_map(|(id, member)| Some((id.as_str(), member.failure.as_deref()?)))
    }

    /// Whether more than half of the sources fail.
    pub(super) fn is_failing(&self) -> bool {
        let (failing, all) = self.count_failing();
        failing * 2 > all
    }

    fn count_failing(&self) -> (usize, usize) {
        let failing = self.polled_members().filter(|member| member.polls.failures > 0).count();
        (failing, self.polled_members().count())
    }

    /// Returns the figures of each source.
    pub(super) fn figures(&self) -> Vec<SourceFigures> {
        let figures = |(id, member): (&String, &RosterMember)| SourceFigures {
            id: id.clone(),
            failures: member.polls.failures,
            last_success: member.polls.last_success,
            entries: member.entries,
            topic_entries: member.topic_entries,
        };
        self.members.iter().map(figures).collect()
    }

    /// Returns when a source answered last.
    pub(super) fn last_success(&self) -> Option<Timestamp> {
        self.members.values().filter_map(|member| member.polls.last_success).max()
    }

    /// Returns how late the poll is that has been due for longest.
    pub(super) fn lag(&self, now: Timestamp) -> TimeDelta {
        let first = self.polled_members().filter_map(|member| member.polls.next_poll).min();
        first.map_or(TimeDelta::zero(), |first| (now - first).max(TimeDelta::zero()))
    }

    /// Returns what is wrong with polling, of a daemon that runs since `began`.
    pub(super) fn reasons(&self, began: Timestamp, now: Timestamp) -> Vec<String> {
        let (failing, all) = self.count_failing();
        let failing = self.is_failing().then(|| format!("{failing} of {all} sources fail"));
        failing.into_iter().chain(self.stalled(began, now)).collect()
    }

    /// Finds that more than half of the sources have waited for two rounds, and that none has answered meanwhile.
    fn stalled(&self, began: Timestamp, now: Timestamp) -> Option<String> {
        let all = self.polled_members().count();
        let due = self.polled_members().filter_map(|member| Some(member.polls.next_poll?.max(began)).zip(Some(member)));
        let forgotten: Vec<Timestamp> =
            due.filter(|(due, member)| is_forgotten(&member.schedule, *due, now)).map(|(due, _)| due).collect();
        let since = *forgotten.iter().min()?;
        let is_stalled = forgotten.len() * 2 > all && self.last_success().is_none_or(|at| at < since);
        is_stalled.then(|| format!("nothing could be polled for {ROUNDS} rounds, since {}", since.format("%F %T UTC")))
    }

    /// Returns the sources that are to be polled.
    fn polled_members(&self) -> impl Iterator<Item = &RosterMember> {
        self.members.values().filter(|member| member.is_enabled && !member.polls.retired)
    }
}

impl RosterMember {
    fn succeed(&mut self, now: Timestamp) {
        self.polls = Polls { last_success: Some(now), failures: 0, retired: false, ..self.polls };
        self.failure = None;
    }

    fn standing(&self, now: Timestamp) -> Standing {
        Standing::of(self.polls, self.is_enabled, self.is_silent, self.news, now)
    }
}

/// Whether two more rounds of a source have passed since it was due.
fn is_forgotten(schedule: &Schedule, due: Timestamp, now: Timestamp) -> bool {
    let mut end = due;
    for _ in 0..ROUNDS {
        match schedule.next_after(end) {
            Some(next) if next + ROUND_DELAY <= now => end = next,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::pipeline::Counts;
    use crate::state::SourceState;

    fn at(minutes: i64) -> Timestamp {
        "2026-11-28T12:00:00Z".parse::<Timestamp>().unwrap() + TimeDelta::minutes(minutes)
    }

    /// A roster of so many sources that are polled at each full hour, each due at 12:00.
    fn roster(sources: usize) -> Roster {
        let feed = |number| format!("[[feed]]\nid = \"f{number}\"\nurl = \"https://f{number}.example/\"\n");
        let text: String = (0..sources).map(feed).collect();
        let config = config::parse(&text, Path::new("config.toml")).unwrap();
        let state = |source: &Source| SourceState {
            source_id: source.id.clone(),
            url: Some(source.url.clone()),
            next_poll: Some(at(0)),
            last_success: Some(at(-60)),
            ..SourceState::default()
        };
        let mut roster = Roster::default();
        for source in &config.sources {
            roster.add(source, Some(&Remembered { state: state(source), ..Remembered::default() }), None);
        }
        roster
    }

    fn poll(roster: &mut Roster, source_id: &str, outcome: Outcome, now: Timestamp) {
        roster.polled(source_id, &Polled { outcome, next_poll: Some(now + TimeDelta::hours(1)) }, now);
    }

    fn failed() -> Outcome {
        Outcome::Failed(PollFailure { code: "dns".into(), message: String::new(), since: at(0) })
    }

    /// Checks what is wrong after so many of five sources have failed.
    #[track_caller]
    fn check_failing(failed_sources: usize, expected: &[&str]) {
        let mut roster = roster(5);
        for number in 0..5 {
            let outcome = if number < failed_sources { failed() } else { Outcome::Unchanged };
            poll(&mut roster, &format!("f{number}"), outcome, at(1));
        }
        assert_eq!(roster.reasons(at(-60), at(2)), expected);
    }

    #[test]
    fn more_than_half_must_fail() {
        check_failing(0, &[]);
        check_failing(2, &[]);
        check_failing(3, &["3 of 5 sources fail"]);
    }

    #[test]
    fn a_source_that_answers_again_fails_no_more() {
        let mut roster = roster(1);
        poll(&mut roster, "f0", failed(), at(1));
        assert_eq!(roster.standings(at(2))["failing"], 1);
        poll(&mut roster, "f0", Outcome::Read(Counts::default()), at(61));
        assert_eq!((roster.standings(at(62))["failing"], roster.standings(at(62))["empty"]), (0, 1));
        assert_eq!(roster.last_success(), Some(at(61)));
    }

    #[test]
    fn two_rounds_without_a_poll_are_told() {
        let roster = roster(3);
        assert_eq!(roster.reasons(at(-60), at(120)), Vec::<String>::new());
        let told = ["nothing could be polled for 2 rounds, since 2026-11-28 12:00:00 UTC"];
        assert_eq!(roster.reasons(at(-60), at(126)), told);
        assert_eq!(roster.lag(at(126)).num_minutes(), 126);
    }

    #[test]
    fn what_another_node_polls_is_not_late() {
        let mut roster = roster(3);
        (0..3).for_each(|number| roster.polled_elsewhere(&format!("f{number}"), Some(at(180))));
        assert_eq!((roster.reasons(at(-60), at(126)), roster.lag(at(126)).num_minutes()), (Vec::new(), 0));
    }

    #[test]
    fn rounds_before_the_start_do_not_count() {
        assert_eq!(roster(3).reasons(at(125), at(126)), Vec::<String>::new());
    }

    #[test]
    fn one_answer_says_that_polling_works() {
        let mut roster = roster(5);
        poll(&mut roster, "f0", Outcome::Unchanged, at(60));
        assert_eq!(roster.reasons(at(-60), at(130)), Vec::<String>::new());
    }

    #[test]
    fn a_source_that_is_gone_is_not_waited_for() {
        let mut roster = roster(1);
        roster.polled("f0", &Polled { outcome: failed(), next_poll: None }, at(1));
        assert_eq!(roster.reasons(at(-60), at(500)), Vec::<String>::new());
        assert_eq!((roster.standings(at(2))["gone"], roster.lag(at(500))), (1, TimeDelta::zero()));
    }
}
