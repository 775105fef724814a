use chrono::Timelike;
use chrono_tz::Europe::Paris;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(text: &str) -> Schedule {
    Schedule::parse(text, Paris).unwrap()
}

/// The runs after `from`, as a clock in Paris shows them.
fn check(pattern: &str, from: &str, runs: &[&str]) {
    let schedule = schedule(pattern);
    let mut now = at(from);
    for run in runs {
        now = schedule.next_after(now).unwrap();
        assert_eq!(now.with_timezone(&Paris).format("%a %F %H:%M %Z").to_string(), *run, "`{pattern}` after {from}");
    }
}

fn check_fault(pattern: &str, message: &str) {
    assert_eq!(Schedule::parse(pattern, Paris).unwrap_err().to_string(), message);
}

#[test]
fn every_hour_is_every_hour() {
    check("0 * * * *", "2026-11-24T09:59:59Z", &["Tue 2026-11-24 11:00 CET", "Tue 2026-11-24 12:00 CET"]);
}

#[test]
fn a_run_is_strictly_later_than_now() {
    check("0 * * * *", "2026-11-24T10:00:00Z", &["Tue 2026-11-24 12:00 CET"]);
    check("0 * * * *", "2026-11-24T10:00:00.5Z", &["Tue 2026-11-24 12:00 CET"]);
}

#[test]
fn a_time_in_the_spring_gap_runs_at_the_first_instant_after_it() {
    check("30 2 * * *", "2027-03-27T12:00:00Z", &["Sun 2027-03-28 03:00 CEST", "Mon 2027-03-29 02:30 CEST"]);
}

#[test]
fn all_times_in_the_spring_gap_are_one_run() {
    check(
        "*/30 * * * *",
        "2027-03-28T00:29:00Z",
        &["Sun 2027-03-28 01:30 CET", "Sun 2027-03-28 03:00 CEST", "Sun 2027-03-28 03:30 CEST"],
    );
}

#[test]
fn a_time_that_autumn_shows_twice_runs_once_the_first_time() {
    check("30 2 * * *", "2026-10-24T12:00:00Z", &["Sun 2026-10-25 02:30 CEST", "Mon 2026-10-26 02:30 CET"]);
}

#[test]
fn from_within_the_repeated_hour_the_next_run_is_after_it() {
    check("0-59/10 2 * * *", "2026-10-25T01:05:00Z", &["Mon 2026-10-26 02:00 CET"]);
}

#[test]
fn the_autumn_night_repeats_a_rhythm_and_no_fixed_time() {
    let from = "2026-10-24T22:59:00Z"; // 00:59 CEST
    let runs = |times: &[&str]| times.iter().map(|time| format!("Sun 2026-10-25 {time}")).collect::<Vec<_>>();
    for (pattern, times) in [
        ("0 * * * *", &["01:00 CEST", "02:00 CEST", "02:00 CET", "03:00 CET", "04:00 CET"][..]),
        ("@hourly", &["01:00 CEST", "02:00 CEST", "02:00 CET", "03:00 CET"]),
        ("20-59/20 */2 * * *", &["02:20 CEST", "02:40 CEST", "02:20 CET", "02:40 CET", "04:20 CET"]),
        ("*/30 2-3 * * *", &["02:00 CEST", "02:30 CEST", "02:00 CET", "02:30 CET", "03:00 CET", "03:30 CET"]),
        ("0,30 0-4 * * *", &["01:00 CEST", "01:30 CEST", "02:00 CEST", "02:30 CEST", "03:00 CET", "03:30 CET"]),
        ("0-59/30 2 25 10 *", &["02:00 CEST", "02:30 CEST"]),
    ] {
        let runs = runs(times);
        check(pattern, from, &runs.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn from_within_the_repeated_hour_a_rhythm_goes_on() {
    check("*/30 * * * *", "2026-10-25T01:05:00Z", &["Sun 2026-10-25 02:30 CET", "Sun 2026-10-25 03:00 CET"]);
    check("*/30 1 * * *", "2026-10-25T01:05:00Z", &["Mon 2026-10-26 01:00 CET"]);
}

#[test]
fn zones_that_repeat_half_an_hour_or_midnight_repeat_a_rhythm_too() {
    let lord_howe = Schedule::parse("*/15 * * * *", chrono_tz::Australia::Lord_Howe).unwrap();
    let runs =
        std::iter::successors(lord_howe.next_after(at("2027-04-03T14:40:00Z")), |run| lord_howe.next_after(*run));
    let runs: Vec<TimeDelta> = runs.take(6).map(|run| run - at("2027-04-03T14:45:00Z")).collect();
    assert_eq!(runs, [0, 15, 30, 45, 60, 75].map(TimeDelta::minutes));
    let havana = Schedule::parse("*/30 * * * *", chrono_tz::America::Havana).unwrap();
    let fixed = Schedule::parse("30 0 * * *", chrono_tz::America::Havana).unwrap();
    assert_eq!(havana.next_after(at("2026-11-01T04:30:00Z")), Some(at("2026-11-01T05:00:00Z")));
    assert_eq!(fixed.next_after(at("2026-11-01T04:30:00Z")), Some(at("2026-11-02T05:30:00Z")));
}

#[test]
fn half_hours_of_the_autumn_night_ascend() {
    check(
        "*/30 * * * *",
        "2026-10-24T23:45:00Z",
        &[
            "Sun 2026-10-25 02:00 CEST",
            "Sun 2026-10-25 02:30 CEST",
            "Sun 2026-10-25 02:00 CET",
            "Sun 2026-10-25 02:30 CET",
            "Sun 2026-10-25 03:00 CET",
            "Sun 2026-10-25 03:30 CET",
        ],
    );
}

#[test]
fn a_day_that_a_zone_skipped_runs_at_its_end() {
    let apia = Schedule::parse("0 12 * * *", chrono_tz::Pacific::Apia).unwrap();
    assert_eq!(apia.next_after(at("2011-12-29T23:00:00Z")), Some(at("2011-12-30T10:00:00Z")));
}

#[test]
fn sunday_is_0_and_7_and_sun() {
    for sunday in ["0", "7", "SUN", "sun", "Sun"] {
        check(&format!("0 6 * * {sunday}"), "2026-11-24T12:00:00Z", &["Sun 2026-11-29 06:00 CET"]);
    }
}

#[test]
fn weekdays_count_from_monday_1_to_friday_5() {
    check(
        "0 6 * * 1-5",
        "2026-11-26T12:00:00Z",
        &["Fri 2026-11-27 06:00 CET", "Mon 2026-11-30 06:00 CET", "Tue 2026-12-01 06:00 CET"],
    );
}

#[test]
fn a_weekday_range_may_end_on_sunday() {
    for range in ["5-7", "FRI-SUN", "5-sun"] {
        check(
            &format!("0 6 * * {range}"),
            "2026-11-26T12:00:00Z",
            &[
                "Fri 2026-11-27 06:00 CET",
                "Sat 2026-11-28 06:00 CET",
                "Sun 2026-11-29 06:00 CET",
                "Fri 2026-12-04 06:00 CET",
            ],
        );
    }
}

#[test]
fn a_weekday_range_may_begin_on_sunday() {
    check("0 6 * * sun-mon", "2026-11-26T12:00:00Z", &["Sun 2026-11-29 06:00 CET", "Mon 2026-11-30 06:00 CET"]);
}

#[test]
fn day_and_weekday_both_set_mean_either() {
    check(
        "0 6 13 * fri",
        "2026-11-10T12:00:00Z",
        &["Fri 2026-11-13 06:00 CET", "Fri 2026-11-20 06:00 CET", "Fri 2026-11-27 06:00 CET"],
    );
    check("0 6 1 * fri", "2026-11-28T12:00:00Z", &["Tue 2026-12-01 06:00 CET", "Fri 2026-12-04 06:00 CET"]);
}

#[test]
fn a_field_that_begins_with_a_star_is_not_set() {
    check("0 6 */2 * mon", "2026-11-24T12:00:00Z", &["Mon 2026-12-07 06:00 CET"]);
}

#[test]
fn steps_run_through_their_range() {
    check(
        "1-30/14,50 8 * * *",
        "2026-11-24T00:00:00Z",
        &[
            "Tue 2026-11-24 08:01 CET",
            "Tue 2026-11-24 08:15 CET",
            "Tue 2026-11-24 08:29 CET",
            "Tue 2026-11-24 08:50 CET",
        ],
    );
    check("40/15 8 * * *", "2026-11-24T00:00:00Z", &["Tue 2026-11-24 08:40 CET", "Tue 2026-11-24 08:55 CET"]);
}

#[test]
fn a_leap_day_comes_every_four_years() {
    check("0 0 29 2 *", "2026-11-24T00:00:00Z", &["Tue 2028-02-29 00:00 CET", "Sun 2032-02-29 00:00 CET"]);
}

#[test]
fn names_stand_for_whole_patterns() {
    for (name, pattern) in
        [("@hourly", "0 * * * *"), ("@Midnight", "0 0 * * *"), ("@weekly", "0 0 * * 0"), ("@annually", "0 0 1 1 *")]
    {
        let now = at("2026-11-24T10:20:30Z");
        assert_eq!(schedule(name).next_after(now), schedule(pattern).next_after(now));
    }
}

#[test]
fn faults_are_named() {
    check_fault("0 0 30 2 *", "this date never comes");
    check_fault("0 0 31 4,6,9,11 */2", "this date never comes");
    check_fault("0 0 * * * *", "a crontab pattern has 5 fields, this has 6");
    check_fault("", "a crontab pattern has 5 fields, this has 0");
    check_fault("@reboot", "`@reboot` is no name of a schedule");
    check_fault("60 * * * *", "minute `60` is not between 0 and 59");
    check_fault("0 0 0 * *", "day of month `0` is not between 1 and 31");
    check_fault("0 0 * * 8", "weekday `8` is not between 0 and 7");
    check_fault("0 0 * * 6-0", "weekday `6-0` runs backwards");
    check_fault("0 22-5 * * *", "hour `22-5` runs backwards");
    check_fault("*/0 * * * *", "step in minute `*/0` is not between 1 and 59");
    check_fault("*/90 * * * *", "step in minute `*/90` is not between 1 and 59");
    check_fault("0 0 L * *", "day of month `l` is neither `*`, a number nor a name");
    check_fault("0 0 * juin *", "month `juin` is neither `*`, a number nor a name");
    check_fault("1,,2 * * * *", "minute `` is neither `*`, a number nor a name");
    check_fault("+1 * * * *", "minute `+1` is neither `*`, a number nor a name");
}

#[test]
fn the_interval_is_the_shortest_between_the_next_runs() {
    assert_eq!(schedule("0,5 * * * *").interval_at(at("2026-11-24T10:03:00Z")), TimeDelta::minutes(5));
    assert_eq!(schedule("0 * * * *").interval_at(at("2026-10-24T23:30:00Z")), TimeDelta::hours(1));
    assert_eq!(schedule("0 * * * *").interval_at(at("2026-11-24T10:20:30Z")), TimeDelta::hours(1));
    assert_eq!(schedule("0 6 * * mon").interval_at(at("2026-11-24T10:20:30Z")), TimeDelta::days(7));
}

#[test]
fn instants_at_the_ends_of_time_do_no_harm() {
    assert_eq!(schedule("@daily").next_after(Timestamp::MAX_UTC), None);
    assert_eq!(schedule("@daily").next_after(at("2100-12-30T12:00:00Z")), Some(at("2100-12-30T23:00:00Z")));
    assert_eq!(schedule("@daily").next_after(at("2100-12-31T12:00:00Z")), None);
    assert_eq!(schedule("@daily").next_after(Timestamp::MIN_UTC), Some(at("1970-01-01T23:00:00Z")));
}

#[test]
fn equal_text_in_the_same_zone_is_the_same_schedule() {
    assert_eq!(schedule("0 *  * * MON"), schedule("0 * * * mon"));
    assert_ne!(schedule("@daily"), Schedule::parse("@daily", Tz::UTC).unwrap());
}

/// One field of a pattern, right or nearly so.
fn field(min: u32, max: u32) -> impl Strategy<Value = String> {
    let number = min..=max;
    prop_oneof![
        3 => Just("*".to_owned()),
        2 => number.clone().prop_map(|number| number.to_string()),
        1 => (number.clone(), number.clone()).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        1 => (number.clone(), 1..=max).prop_map(|(first, step)| format!("{first}/{step}")),
        1 => (1..=max).prop_map(|step| format!("*/{step}")),
        1 => (number.clone(), number).prop_map(|(a, b)| format!("{a},{b}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn runs_strictly_increase_and_show_on_the_wall_clock(
        fields in (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7)),
        zone in prop::sample::select(vec![Paris, Tz::UTC, Tz::Australia__Lord_Howe, Tz::America__Sao_Paulo]),
        seconds in 0_i64..4_200_000_000,
    ) {
        let (minute, hour, day, month, weekday) = fields;
        if let Ok(schedule) = Schedule::parse(&format!("{minute} {hour} {day} {month} {weekday}"), zone) {
            let mut now = DateTime::from_timestamp(seconds, 0).unwrap();
            for _ in 0..20 {
                let Some(next) = schedule.next_after(now) else { break };
                prop_assert!(next > now);
                // Nothing lies between: from any instant in between, the same run is next.
                prop_assert_eq!(schedule.next_after(now + (next - now) / 2), Some(next));
                now = next;
            }
        }
    }

    /// The same runs as a person finds them who looks at a clock every minute and notes each time shown or passed.
    #[test]
    fn runs_are_those_of_the_clock_on_the_wall(
        minute in 0_u32..60, hours in prop::collection::btree_set(0_u32..24, 1..5), weekdays in prop::collection::btree_set(0_u32..7, 1..8),
        from in prop::sample::select(vec!["2027-03-27T12:00:00Z", "2026-10-24T12:00:00Z", "2026-12-31T12:00:00Z"]),
    ) {
        let list = |numbers: &std::collections::BTreeSet<u32>| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let schedule = schedule(&format!("{minute} {} * * {}", list(&hours), list(&weekdays)));
        let is_run = |wall: &NaiveDateTime| {
            wall.minute() == minute && hours.contains(&wall.hour()) && weekdays.contains(&wall.weekday().num_days_from_sunday())
        };
        let mut shown = at(from).with_timezone(&Paris).naive_local();
        let mut expected = Vec::new();
        for passed in 1..36 * 60 {
            let now = at(from) + TimeDelta::minutes(passed);
            let wall = now.with_timezone(&Paris).naive_local();
            let mut news = (1..=(wall - shown).num_minutes()).map(|minutes| shown + TimeDelta::minutes(minutes));
            if news.any(|wall| is_run(&wall)) {
                expected.push(now);
            }
            shown = shown.max(wall);
        }
        let end = at(from) + TimeDelta::minutes(36 * 60 - 1);
        let runs = std::iter::successors(schedule.next_after(at(from)), |run| schedule.next_after(*run));
        prop_assert_eq!(runs.take_while(|run| *run <= end).collect::<Vec<_>>(), expected);
    }

    /// A rhythm runs whenever a clock shows one of its times, as a person finds who looks every minute.
    #[test]
    fn a_rhythm_runs_whenever_the_clock_shows_it(
        minute in 1_u32..60, hour in 1_u32..5,
        zone in prop::sample::select(vec![Paris, Tz::Australia__Lord_Howe, Tz::America__Havana, Tz::UTC]),
        from in prop::sample::select(vec!["2026-10-24T12:00:00Z", "2027-04-03T06:00:00Z", "2026-10-31T20:00:00Z", "2026-12-31T12:00:00Z"]),
    ) {
        let schedule = Schedule::parse(&format!("*/{minute} */{hour} * * *"), zone).unwrap();
        let shown = (1..24 * 60).map(|passed| at(from) + TimeDelta::minutes(passed)).filter(|now| {
            let wall = now.with_timezone(&zone).naive_local();
            wall.minute() % minute == 0 && wall.hour() % hour == 0
        });
        let end = at(from) + TimeDelta::minutes(24 * 60 - 1);
        let runs = std::iter::successors(schedule.next_after(at(from)), |run| schedule.next_after(*run));
        prop_assert_eq!(runs.take_while(|run| *run <= end).collect::<Vec<_>>(), shown.collect::<Vec<_>>());
    }

    #[test]
    fn no_text_panics(text in "[-0-9*/,a-z@ ]{0,30}") {
        let _ = Schedule::parse(&text, Paris);
    }
}
