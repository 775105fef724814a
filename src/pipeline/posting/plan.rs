//! The next step of each row of an outbox: a pure function of rows, settings and the time.

use chrono::TimeDelta;

use crate::config::Post;
use crate::feed::Timestamp;
use crate::outbox::{Outbox, OutboxRow, StoryEvent};
use crate::post;
use crate::text::exact_duration;

/// A row and its next step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowStep {
    pub(super) row: OutboxRow,
    pub(super) action: RowAction,
}

/// The next step of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RowAction {
    /// Its event goes to the target.
    Send,
    /// Its event is no business of the target: the row is as good as sent.
    Settle,
    /// Its story is never sent, for this reason.
    Skip(String),
    /// It waits until then; `None` for something that no clock tells.
    Wait(Option<Timestamp>),
}

/// Longest wait that a row or post can be given. A later time was set by a clock that was ahead.
const WAIT_MAX: TimeDelta = TimeDelta::days(1);

/// Decides on all rows, in their order. `published` is the generation whose documents are in place, if they are waited for.
pub(super) fn plan_rows(
    post: &Post,
    outbox: &Outbox,
    mark: Option<&str>,
    published: Option<i64>,
    now: Timestamp,
) -> Vec<RowStep> {
    let is_stopped = outbox.state.stopped.is_some() && outbox.state.stopped.as_deref() == mark;
    let closed = match () {
        () if is_stopped => Some(RowAction::Wait(None)),
        () => {
            let quiet = post.quiet.and_then(|quiet| quiet.end(now, post.zone));
            to_come(outbox.state.next_try, now).max(quiet).map(|until| RowAction::Wait(Some(until)))
        }
    };
    let mut sent = outbox.sent.clone();
    let mut steps = Vec::new();
    for row in &outbox.waiting {
        let action = action(post, row, published, now);
        let action = match (action, &closed) {
            (RowAction::Send, Some(closed)) => closed.clone(),
            (RowAction::Send, None) if row.event == StoryEvent::New && post.target.digest().is_none() => {
                if let Some(next) = post.at_most.and_then(|pace| pace.next(&sent, now)) {
                    RowAction::Wait(Some(next))
                } else {
                    sent.push(now);
                    RowAction::Send
                }
            }
            (action, _) => action,
        };
        steps.push(RowStep { row: row.clone(), action });
    }
    steps
}

/// An instant that is still to come, and that no clock set which was ahead.
fn to_come(at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    at.filter(|at| *at > now && *at <= now + WAIT_MAX)
}

/// Decides on a row for itself.
fn action(post: &Post, row: &OutboxRow, published: Option<i64>, now: Timestamp) -> RowAction {
    // Until then other tellings join, and further changes.
    let gathered = if row.event == StoryEvent::Withdrawn { row.noted } else { row.noted + post.wait };
    let due = match post.target.digest() {
        Some(schedule) => schedule.next_after(gathered - TimeDelta::seconds(1)),
        None => Some(gathered),
    };
    let Some(due) = due else { return RowAction::Wait(None) };
    if row.event == StoryEvent::New {
        if row.is_told {
            return RowAction::Skip("told as a part of another story that was sent".to_owned());
        }
        if row.is_doubled && row.told_as != row.story {
            return RowAction::Skip("told as a part of another story that waits".to_owned());
        }
        // A digest may be rare: its stories are old if it is late.
        let since = if post.target.digest().is_some() { due } else { row.date };
        if now - since > post.too_old {
            return RowAction::Skip(format!("older than {}", exact_duration(post.too_old)));
        }
    } else if !post::is_told(post, row.event) || now - row.noted > post.too_old {
        return RowAction::Settle;
    }
    if published.is_some_and(|published| row.generation > published) {
        return RowAction::Wait(None);
    }
    if due > now {
        return RowAction::Wait(Some(due));
    }
    to_come(row.next_try, now).map_or(RowAction::Send, |next| RowAction::Wait(Some(next)))
}

/// Returns when the first of the rows is to be looked at again, if time alone changes something.
pub(super) fn next_due(steps: &[RowStep]) -> Option<Timestamp> {
    let waits = steps.iter().filter_map(|step| match &step.action {
        RowAction::Wait(until) => *until,
        RowAction::Send | RowAction::Settle | RowAction::Skip(_) => None,
    });
    waits.min()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::outbox::PostState;

    fn noon() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn after(minutes: i64) -> Timestamp {
        noon() + TimeDelta::minutes(minutes)
    }

    fn post(keys: &str) -> Post {
        let target =
            if keys.contains("to =") { "" } else { "to = 'mastodon'\nserver = 'https://a.example'\ntoken = 'x'\n" };
        let text = format!(
            "[poll]\ntimezone = 'UTC'\n[[topic]]\nid = 'a'\nany = ['mot']\n[[post]]\nid = 'p'\ntopics = ['a']\n{target}{keys}"
        );
        config::parse(&text, Path::new("config.toml")).unwrap_or_else(|invalid| panic!("{invalid}")).posts.remove(0)
    }

    /// A row that was made at noon of a story of that time.
    fn row(number: i64) -> OutboxRow {
        OutboxRow {
            number,
            story: number,
            told_as: number,
            is_told: false,
            is_doubled: false,
            topic: "a".into(),
            event: StoryEvent::New,
            noted: noon(),
            date: noon(),
            generation: 5,
            was_sent: false,
            remote: None,
            failures: 0,
            next_try: None,
            why: None,
        }
    }

    fn outbox(waiting: Vec<OutboxRow>) -> Outbox {
        Outbox { count: waiting.len(), waiting, ..Outbox::default() }
    }

    #[track_caller]
    fn check(keys: &str, outbox: &Outbox, now: Timestamp, expected: &[RowAction]) {
        let steps = plan_rows(&post(keys), outbox, Some("mark"), Some(5), now);
        assert_eq!(steps.into_iter().map(|step| step.action).collect::<Vec<_>>(), expected);
    }

    fn wait(minutes: i64) -> RowAction {
        RowAction::Wait(Some(after(minutes)))
    }

    #[test]
    fn a_story_waits_for_other_tellings_and_for_its_documents() {
        check("wait = '15m'", &outbox(vec![row(1)]), after(14), &[wait(15)]);
        check("wait = '15m'", &outbox(vec![row(1)]), after(15), &[RowAction::Send]);
        let later = OutboxRow { generation: 6, ..row(1) };
        check("wait = '0s'", &outbox(vec![later]), after(1), &[RowAction::Wait(None)]);
    }

    #[test]
    fn a_pace_lets_the_first_go_and_the_others_wait() {
        let rows = || vec![row(1), row(2), row(3)];
        let full = Outbox { sent: vec![after(-40)], ..outbox(rows()) };
        check("at_most = '2 per hour'", &full, after(15), &[RowAction::Send, wait(20), wait(20)]);
        let used = Outbox { sent: vec![after(-40), after(0)], ..outbox(rows()) };
        check("at_most = '2 per hour'", &used, after(15), &[wait(20), wait(20), wait(20)]);
    }

    #[test]
    fn nothing_goes_in_quiet_hours_and_old_stories_go_away_in_them() {
        let old = OutboxRow { date: after(-60 * 48), ..row(2) };
        check(
            "quiet = '12:10-14:00'",
            &outbox(vec![row(1), old]),
            after(20),
            &[wait(120), RowAction::Skip("older than 2 days".into())],
        );
    }

    #[test]
    fn a_failure_of_the_target_keeps_all_rows_and_one_of_a_row_only_that() {
        let failing = PostState { next_try: Some(after(30)), ..PostState::default() };
        check("", &Outbox { state: failing, ..outbox(vec![row(1)]) }, after(20), &[wait(30)]);
        let ahead = PostState { next_try: Some(after(60 * 48)), ..PostState::default() };
        check("", &Outbox { state: ahead, ..outbox(vec![row(1)]) }, after(20), &[RowAction::Send]);
        let refused = OutboxRow { next_try: Some(after(40)), ..row(1) };
        check("", &outbox(vec![refused, row(2)]), after(20), &[wait(40), RowAction::Send]);
    }

    #[test]
    fn a_target_that_is_down_for_a_day_is_asked_about_once_an_hour_and_gets_all_then() {
        let (mut now, mut failures, mut state) = (noon(), 0, PostState::default());
        while now < noon() + TimeDelta::hours(24) {
            let steps = plan_rows(&post(""), &Outbox { state: state.clone(), ..outbox(vec![row(1)]) }, None, None, now);
            match steps[0].action {
                RowAction::Send => {
                    failures += 1;
                    state.next_try = Some(now + crate::outbox::back_off(failures, None));
                }
                RowAction::Wait(Some(until)) => now = until,
                ref other => panic!("{other:?}"),
            }
        }
        assert!((24..=32).contains(&failures), "{failures}");
        check("", &outbox(vec![row(1)]), now, &[RowAction::Send]);
    }

    #[test]
    fn a_post_that_was_refused_waits_until_its_settings_differ() {
        let stopped = |mark: &str| PostState { stopped: Some(mark.into()), ..PostState::default() };
        check("", &Outbox { state: stopped("mark"), ..outbox(vec![row(1)]) }, after(20), &[RowAction::Wait(None)]);
        check("", &Outbox { state: stopped("other"), ..outbox(vec![row(1)]) }, after(20), &[RowAction::Send]);
    }

    #[test]
    fn of_merged_stories_one_is_sent() {
        let absorbed = OutboxRow { told_as: 1, is_doubled: true, ..row(2) };
        let told = OutboxRow { is_told: true, ..row(3) };
        let other = |with: &str| RowAction::Skip(format!("told as a part of another story that {with}"));
        check(
            "",
            &outbox(vec![row(1), absorbed, told]),
            after(20),
            &[RowAction::Send, other("waits"), other("was sent")],
        );
    }

    #[test]
    fn changes_are_told_to_those_who_follow_them() {
        let changed = || vec![OutboxRow { event: StoryEvent::Changed, was_sent: true, ..row(1) }];
        check("", &outbox(changed()), after(20), &[RowAction::Settle]);
        check("edits = 'update'", &outbox(changed()), after(10), &[wait(15)]);
        check("edits = 'update'", &outbox(changed()), after(20), &[RowAction::Send]);
        check("edits = 'update'", &outbox(changed()), after(60 * 49), &[RowAction::Settle]);
        check("to = 'command'\ncommand = ['x']", &outbox(changed()), after(20), &[RowAction::Send]);
        let gone = || vec![OutboxRow { event: StoryEvent::Withdrawn, was_sent: true, ..row(1) }];
        check("", &outbox(gone()), after(1), &[RowAction::Settle]);
        check("withdrawn = 'delete'", &outbox(gone()), after(1), &[RowAction::Send]);
    }

    #[test]
    fn a_digest_goes_at_its_next_time_and_is_old_when_it_is_late() {
        let weekly =
            "to = 'mail'\nfrom = 'a@a.example'\nrecipients = ['b@b.example']\nschedule = '0 7 * * fri'\nwait = '15m'";
        // Tuesday noon to Friday at seven.
        let friday = 3 * 24 * 60 - 5 * 60;
        check(weekly, &outbox(vec![row(1)]), after(60), &[wait(friday)]);
        check(weekly, &outbox(vec![row(1)]), after(friday), &[RowAction::Send]);
        check(weekly, &outbox(vec![row(1)]), after(friday + 49 * 60), &[RowAction::Skip("older than 2 days".into())]);
    }
}
