use chrono_tz::Tz;

use super::*;

const NOW: &str = "2026-11-24T10:00:00Z"; // a Tuesday

fn wait(why: &str, seconds: i64) -> Wait {
    Wait { delay: TimeDelta::seconds(seconds), why: why.into() }
}

/// A poll that a test varies; by default, of an hourly source that asks for nothing.
struct Case<'a> {
    schedule: &'a str,
    source_id: &'a str,
    now: &'a str,
    waits: Vec<Wait>,
    rhythm: Rhythm,
    failures: u32,
    is_pushed: bool,
}

impl Default for Case<'_> {
    fn default() -> Self {
        let rhythm = Rhythm::default();
        Self {
            schedule: "0 * * * *",
            source_id: "",
            now: NOW,
            waits: Vec::new(),
            rhythm,
            failures: 0,
            is_pushed: false,
        }
    }
}

impl Case<'_> {
    fn next(&self) -> NextPoll {
        let schedule = Schedule::parse(self.schedule, Tz::UTC).unwrap();
        let asked = Asked {
            source_id: self.source_id,
            schedule: &schedule,
            waits: &self.waits,
            rhythm: &self.rhythm,
            failures: self.failures,
            is_pushed: self.is_pushed,
            postpone_max: Duration::from_hours(24),
        };
        next_poll(&asked, self.now.parse().unwrap())
    }
}

/// An id whose jitter is none, so that tests show round figures.
fn still() -> String {
    let is_still = |hash: u64| hash.is_multiple_of(361) && hash.is_multiple_of(1801);
    let mut ids = (0..10_000_000).map(|number: u32| number.to_string());
    ids.find(|id| is_still(xxh3_64(id.as_bytes()))).unwrap()
}

fn check(case: Case<'_>, at: &str, why: &str) {
    let id = still();
    let next = Case { source_id: &id, ..case }.next();
    assert_eq!((next.at.format("%a %H:%M:%S").to_string().as_str(), next.why.as_str()), (at, why));
}

#[test]
fn without_wishes_the_schedule_decides() {
    check(Case::default(), "Tue 11:00:00", "hourly schedule");
    check(Case { schedule: "30 6 * * *", ..Case::default() }, "Wed 06:30:00", "schedule `30 6 * * *`");
}

#[test]
fn a_wish_shorter_than_the_schedule_changes_nothing() {
    check(
        Case { waits: vec![wait("Cache-Control: max-age=60", 60)], ..Case::default() },
        "Tue 11:00:00",
        "hourly schedule",
    );
}

#[test]
fn a_postponed_poll_keeps_its_own_time() {
    check(
        Case { waits: vec![wait("Retry-After: 3660", 3660)], ..Case::default() },
        "Tue 11:01:00",
        "Retry-After: 3660",
    );
}

#[test]
fn a_postponed_poll_joins_a_round_that_is_near() {
    check(
        Case { waits: vec![wait("Retry-After: 7000", 7000)], ..Case::default() },
        "Tue 12:00:00",
        "Retry-After: 7000",
    );
}

#[test]
fn a_round_a_moment_too_early_is_not_joined() {
    let waits = || vec![wait("Retry-After: 7200", 7200)];
    check(Case { waits: waits(), ..Case::default() }, "Tue 12:00:00", "Retry-After: 7200");
    let id = still();
    let case = Case { now: "2026-11-24T10:00:00.5Z", source_id: &id, waits: waits(), ..Case::default() };
    assert_eq!(case.next().at, "2026-11-24T12:00:00.5Z".parse::<Timestamp>().unwrap());
}

#[test]
fn the_longest_wish_wins_and_says_so() {
    let waits = vec![wait("Cache-Control: max-age=7200", 7200), wait("Retry-After: 10800", 10_800)];
    check(Case { waits, ..Case::default() }, "Tue 13:00:00", "Retry-After: 10800");
}

#[test]
fn freshness_is_cut_to_postpone_max() {
    let waits = vec![wait("Cache-Control: max-age=31536000", 31_536_000)];
    check(Case { waits, ..Case::default() }, "Wed 10:00:00", "Cache-Control: max-age=31536000, cut to 24 h");
}

#[test]
fn retry_after_is_respected_up_to_seven_days() {
    let asked = |seconds: i64| vec![wait(&format!("Retry-After: {seconds}"), seconds)];
    check(Case { waits: asked(2 * 86_400), ..Case::default() }, "Thu 10:00:00", "Retry-After: 172800");
    let year = 31_536_000;
    check(Case { waits: asked(year), ..Case::default() }, "Tue 10:00:00", "Retry-After: 31536000, cut to 7 days");
}

#[test]
fn the_document_may_ask_too() {
    let ttl = Rhythm { ttl: Some(TimeDelta::minutes(120)), ..Rhythm::default() };
    check(Case { rhythm: ttl, ..Case::default() }, "Tue 12:00:00", "ttl: 2 h");
    let daily = Rhythm { update_period: Some(TimeDelta::days(1)), ..Rhythm::default() };
    check(Case { rhythm: daily, ..Case::default() }, "Wed 10:00:00", "sy:updatePeriod: 24 h");
}

#[test]
fn one_failure_is_chance_more_double_the_interval_up_to_a_day() {
    let failed = |failures| Case { failures, ..Case::default() };
    check(failed(1), "Tue 11:00:00", "hourly schedule");
    check(failed(2), "Tue 12:00:00", "2 failures in a row: every 2 h");
    check(failed(5), "Wed 02:00:00", "5 failures in a row: every 16 h");
    check(failed(6), "Wed 10:00:00", "6 failures in a row: every 24 h");
    check(failed(u32::MAX), "Wed 10:00:00", "4294967295 failures in a row: every 24 h");
}

#[test]
fn failures_never_hasten_a_slow_schedule() {
    let weekly = Case { schedule: "0 6 * * mon", failures: 9, ..Case::default() };
    check(weekly, "Tue 10:00:00", "9 failures in a row: every 7 days");
}

#[test]
fn skipped_hours_are_passed_over() {
    let night = Rhythm { skip_hours: vec![11, 12], ..Rhythm::default() };
    check(Case { rhythm: night, ..Case::default() }, "Tue 13:00:00", "skipHours: 11, 12 (GMT)");
}

#[test]
fn skipped_days_are_passed_over_up_to_a_long_weekend() {
    let weekend = Rhythm { skip_days: vec![Weekday::Sat, Weekday::Sun], ..Rhythm::default() };
    let friday = Case { now: "2026-11-27T23:30:00Z", rhythm: weekend.clone(), ..Case::default() };
    check(friday, "Mon 00:00:00", "skipDays: Sat, Sun (GMT)");
    let sunday = Case { now: "2026-11-29T12:30:00Z", rhythm: weekend, ..Case::default() };
    check(sunday, "Mon 00:00:00", "skipDays: Sat, Sun (GMT)");
    let not_sunday = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat];
    let nearly_closed = Rhythm { skip_days: not_sunday.into(), ..Rhythm::default() };
    check(
        Case { rhythm: nearly_closed, ..Case::default() },
        "Fri 11:00:00",
        "skipDays: Mon, Tue, Wed, Thu, Fri, Sat (GMT)",
    );
}

#[test]
fn a_week_without_an_open_hour_is_no_wish() {
    let closed = Rhythm { skip_hours: (0..24).collect(), ..Rhythm::default() };
    check(Case { rhythm: closed, ..Case::default() }, "Tue 11:00:00", "hourly schedule");
}

#[test]
fn jitter_is_fixed_for_a_source_and_within_a_tenth_of_the_interval() {
    let delays = (0..200).map(|number| {
        let id = format!("source-{number}");
        let case = Case { source_id: &id, ..Case::default() };
        assert_eq!(case.next(), case.next());
        (case.next().at - NOW.parse::<Timestamp>().unwrap()).num_seconds() - 3600
    });
    let delays: std::collections::BTreeSet<i64> = delays.collect();
    assert!(delays.iter().all(|delay| (0..=360).contains(delay)));
    assert!(delays.len() > 100, "{} different delays", delays.len());
}

proptest::proptest! {
    #[test]
    fn the_next_poll_is_never_before_the_next_run_nor_for_ever(
        delay in 0_i64..10_000_000_000, failures in 0_u32..100, skip in 0_u8..24, is_retry: bool, id in "[a-z]{1,8}",
    ) {
        let why = if is_retry { "Retry-After: x" } else { "Expires: x" };
        let rhythm = Rhythm { skip_hours: vec![skip], ..Rhythm::default() };
        let next = Case { source_id: &id, waits: vec![wait(why, delay)], rhythm, failures, ..Case::default() }.next();
        let after = next.at - NOW.parse::<Timestamp>().unwrap();
        proptest::prop_assert!(after >= TimeDelta::hours(1));
        proptest::prop_assert!(after <= TimeDelta::days(7) + TimeDelta::hours(1));
    }
}

#[test]
fn one_failure_may_be_chance_and_postpones_nothing() {
    let polled_off_schedule = |failures| Case { now: "2026-11-24T10:30:00Z", failures, ..Case::default() };
    check(polled_off_schedule(1), "Tue 11:00:00", "hourly schedule");
    check(polled_off_schedule(2), "Tue 12:30:00", "2 failures in a row: every 2 h");
}

#[test]
fn of_equal_reasons_the_first_is_told() {
    let hour = |why: &str| wait(why, 3600);
    check(Case { waits: vec![hour("Retry-After: 3600")], ..Case::default() }, "Tue 11:00:00", "hourly schedule");
    let two = |why: &str| wait(why, 7200);
    let waits = vec![two("Retry-After: 7200"), two("Cache-Control: max-age=7200")];
    check(Case { waits, ..Case::default() }, "Tue 12:00:00", "Retry-After: 7200");
}

#[test]
fn a_source_whose_hub_tells_of_all_news_is_polled_once_a_day() {
    let pushed = || Case { is_pushed: true, ..Case::default() };
    check(pushed(), "Wed 10:00:00", "its hub tells of news: once a day");
    check(Case { schedule: "0 6 * * mon", ..pushed() }, "Mon 06:00:00", "schedule `0 6 * * mon`");
}
