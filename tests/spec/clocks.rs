//! A clock that was wrong: it silences no source for long, and entries get their own dates once it is right.

use chrono::{DateTime, TimeDelta, Utc};
use veille::pipeline::Outcome;
use veille::store::Filter;

use crate::desk::Desk;
use crate::origin::{Answer, Origin, document, status};
use crate::world::{item, rss};

fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn feed(origin: &Origin, id: &str, more: &str) -> String {
    format!("[[feed]]\nid = \"{id}\"\nurl = \"{}\"\n{more}\n", origin.url(&format!("/{id}")))
}

/// One item, published on 23 November at seven (UTC).
fn news() -> Answer {
    document(rss(&[item("a", "École", "Texte", &[])]))
}

/// The same, told at an instant by the server's clock.
fn told_at(date: DateTime<Utc>) -> Answer {
    news().header("date", date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// Checks whether a feed is asked at noon that was asked so long after noon, under a clock that was ahead.
async fn check_ahead(ahead: TimeDelta, schedule: &str, answer: Answer, is_asked: bool) {
    let origin = Origin::start();
    origin.answers("/a", [answer, news()]);
    let desk = Desk::new(&feed(&origin, "a", schedule));
    desk.poll("a", noon() + ahead).await;
    let polled = desk.poll("a", noon()).await;
    assert_eq!(polled.outcome != Outcome::NotDue, is_asked, "{ahead} ahead, {schedule}");
    assert_eq!(origin.requests("/a").len(), 1 + usize::from(is_asked));
}

#[tokio::test]
async fn a_feed_that_was_asked_in_the_future_is_due() {
    for hours in [1, 2, 24, 72, 800 * 24] {
        for schedule in ["", "schedule = \"0 6 * * *\"", "schedule = \"@monthly\""] {
            check_ahead(TimeDelta::hours(hours), schedule, news(), true).await;
            check_ahead(TimeDelta::hours(hours), schedule, status(500), true).await;
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_corrected_by_seconds_makes_nothing_due() {
    check_ahead(TimeDelta::seconds(0), "", news(), false).await;
    check_ahead(TimeDelta::seconds(90), "", news(), false).await;
}

#[tokio::test]
async fn a_wait_that_a_server_may_impose_stays() {
    for wait in ["86400", "604800"] {
        check_ahead(TimeDelta::zero(), "", status(503).header("retry-after", wait), false).await;
    }
    check_ahead(TimeDelta::zero(), "schedule = \"0 0 1 1 *\"", news(), false).await;
}

#[tokio::test]
async fn a_host_that_asked_for_an_hour_in_the_future_is_asked_with_all_its_feeds() {
    for hours in [3, 72, 800 * 24] {
        let origin = Origin::start();
        origin.answers("/a", [status(429).header("retry-after", "3600"), news()]);
        origin.answers("/b", news());
        let mut desk = Desk::new(&[feed(&origin, "a", ""), feed(&origin, "b", "")].concat());
        desk.poll("a", noon() + TimeDelta::hours(hours)).await;
        assert_eq!(desk.poll("b", noon() + TimeDelta::hours(hours)).await.outcome, Outcome::HostPostponed);
        let states = [desk.state("a").await];
        desk.context.mend_throttles(&states, noon()).await.unwrap();
        desk.restart(noon()).await;
        assert!(matches!(desk.poll("b", noon()).await.outcome, Outcome::Read(_)), "{hours} hours ahead");
        assert!(matches!(desk.poll("a", noon()).await.outcome, Outcome::Read(_)), "{hours} hours ahead");
    }
}

#[tokio::test]
async fn a_host_that_asked_for_a_week_in_time_is_left_alone() {
    let origin = Origin::start();
    origin.answers("/a", status(429).header("retry-after", "604800"));
    origin.answers("/b", news());
    let mut desk = Desk::new(&[feed(&origin, "a", ""), feed(&origin, "b", "")].concat());
    desk.poll("a", noon()).await;
    desk.context.mend_throttles(&[desk.state("a").await], noon()).await.unwrap();
    desk.restart(noon() + TimeDelta::minutes(1)).await;
    assert_eq!(desk.poll("b", noon() + TimeDelta::minutes(1)).await.outcome, Outcome::HostPostponed);
}

/// Returns the date of the only entry after polls at these instants, each answered at another by the server's clock.
async fn date(polls: &[(DateTime<Utc>, Answer)]) -> DateTime<Utc> {
    let origin = Origin::start();
    let desk = Desk::new(&feed(&origin, "a", ""));
    for (now, answer) in polls {
        origin.answers("/a", answer.clone());
        assert!(!matches!(desk.poll("a", *now).await.outcome, Outcome::NotDue | Outcome::Failed(_)), "{now}");
    }
    let filter = Filter { limit: 2, ..Filter::default() };
    let entries = desk.context.store.call(move |store| store.entries(&filter)).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert!(entries[0].stored.first_seen >= entries[0].stored.date);
    entries[0].stored.date
}

fn published() -> DateTime<Utc> {
    "2026-11-23T07:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn an_entry_first_met_under_a_clock_that_was_behind_gets_its_own_date_once_it_is_right() {
    let right = |hours: i64| (noon() + TimeDelta::hours(hours), told_at(noon() + TimeDelta::hours(hours)));
    for behind in [TimeDelta::days(3), TimeDelta::days(800), noon() - DateTime::UNIX_EPOCH] {
        let wrong = |hours: i64| (noon() + TimeDelta::hours(hours) - behind, told_at(noon() + TimeDelta::hours(hours)));
        assert_eq!(date(&[wrong(0)]).await, noon() - behind, "as far as can be known then");
        assert_eq!(date(&[wrong(0), right(1)]).await, published());
        assert_eq!(date(&[wrong(0), wrong(2), right(4), right(6)]).await, published());
        let unchanged = (noon(), told_at(noon()).etag("\"v\""));
        let first = (noon() - behind, told_at(noon()).etag("\"v\""));
        assert_eq!(date(&[first, unchanged]).await, published(), "also when the server says that nothing has changed");
    }
}

#[tokio::test]
async fn an_entry_without_a_date_first_met_under_a_clock_that_was_ahead_is_not_of_the_future() {
    let undated = |date: DateTime<Utc>| {
        let item = item("a", "École", "Texte", &[]);
        let (before, rest) = item.split_once("<pubDate>").unwrap();
        let item = format!("{before}{}", rest.split_once("</pubDate>").unwrap().1);
        document(rss(&[item])).header("date", date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
    };
    for ahead in [TimeDelta::days(3), TimeDelta::days(800)] {
        assert_eq!(date(&[(noon() + ahead, undated(noon())), (noon(), undated(noon()))]).await, noon());
        assert_eq!(date(&[(noon() + ahead, told_at(noon())), (noon(), told_at(noon()))]).await, published());
        // This clock is wrong, not the one before.
        assert_eq!(date(&[(noon(), undated(noon())), (noon() - ahead, undated(noon()))]).await, noon());
    }
}

#[tokio::test]
async fn an_entry_announced_ahead_of_its_date_keeps_the_day_on_which_it_was_seen() {
    let seen = published() - TimeDelta::days(5);
    assert_eq!(date(&[(seen, told_at(seen)), (noon(), told_at(noon()))]).await, seen);
}

#[tokio::test]
async fn a_server_whose_own_clock_is_ahead_dates_nothing_anew() {
    let seen = published() - TimeDelta::days(5);
    let ahead = |now: DateTime<Utc>| (now, told_at(now + TimeDelta::days(6)));
    assert_eq!(date(&[ahead(seen), ahead(noon())]).await, seen);
}
