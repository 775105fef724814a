//! A week of 500 feeds of mixed habits on a clock of the test's own: every request is one that the rules allow.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use futures_util::future::join_all;

use crate::desk::Desk;
use crate::origin::{Answer, Origin, Script, document, redirect, status};
use crate::world::{item, rss};

/// How often the simulated daemon looks for what is due; a real one looks at once.
const STEP: TimeDelta = TimeDelta::minutes(20);

/// A Tuesday; the week has a weekend.
fn start() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// What feeds of a kind answer, and what their publishers may expect.
struct Habit {
    name: &'static str,
    feeds: usize,
    /// Lines of the config.
    config: &'static str,
    script: fn() -> Script,
    /// Most requests in the week.
    requests_max: usize,
    /// Least minutes between two requests: the first, the second, … and the last one for all that follow.
    gaps: &'static [i64],
    /// When it must not be asked.
    closed: fn(DateTime<Utc>) -> bool,
}

const NEVER: fn(DateTime<Utc>) -> bool = |_| false;

/// The gaps of a schedule: a tenth of the interval is the jitter, and the first run may be near.
const HOURLY: &[i64] = &[0, 54];

/// One failure may be chance; from the second on the interval doubles up to a day.
const BACK_OFF: &[i64] = &[0, 120, 240, 480, 960, 1440];

fn news() -> String {
    rss(&[item("a", "École", "Texte", &[])])
}

fn asking(elements: &str) -> Answer {
    document(news().replace("<channel>", &format!("<channel>{elements}"))).etag("\"v1\"")
}

fn fresh_for(seconds: u32) -> Answer {
    document(news()).etag("\"v1\"").header("cache-control", format!("max-age={seconds}"))
}

fn habits() -> Vec<Habit> {
    let habit = |name, feeds, script, requests_max, gaps| Habit {
        name,
        feeds,
        config: "",
        script,
        requests_max,
        gaps,
        closed: NEVER,
    };
    let quarter = "schedule = \"*/15 * * * *\"";
    vec![
        habit("etag", 8, || asking("").into(), 169, HOURLY),
        habit("date", 4, || document(news()).last_modified("Mon, 23 Nov 2026 08:00:00 GMT").into(), 169, HOURLY),
        habit("plain", 2, || document(news()).into(), 169, HOURLY),
        habit(
            "flapping",
            3,
            || {
                let etags = ["\"a\"", "\"b\"", "\"c\""].map(|etag| document(news()).etag(etag));
                etags.into()
            },
            169,
            HOURLY,
        ),
        habit("short", 2, || fresh_for(60).into(), 169, HOURLY),
        habit("six-hours", 70, || fresh_for(6 * 3600).into(), 29, &[360]),
        habit("a-year", 52, || fresh_for(31_536_000).into(), 8, &[1440]),
        habit("ttl", 80, || asking("<ttl>720</ttl>").into(), 15, &[720]),
        habit(
            "daily",
            80,
            || {
                asking("<sy:updatePeriod xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\">daily</sy:updatePeriod>").into()
            },
            8,
            &[1440],
        ),
        Habit {
            closed: |at| at.hour() < 18,
            ..habit(
                "evenings",
                10,
                || {
                    let hours: String = (0..18).map(|hour| format!("<hour>{hour}</hour>")).collect();
                    asking(&format!("<skipHours>{hours}</skipHours>")).into()
                },
                43,
                HOURLY,
            )
        },
        Habit {
            closed: |at| matches!(at.weekday(), Weekday::Sat | Weekday::Sun),
            ..habit(
                "working-days",
                4,
                || asking("<skipDays><day>Saturday</day><day>Sunday</day></skipDays>").into(),
                121,
                HOURLY,
            )
        },
        habit("broken", 40, || status(500).into(), 13, BACK_OFF),
        habit("missing", 40, || status(404).into(), 13, BACK_OFF),
        habit(
            "page",
            20,
            || status(200).header("content-type", "text/html").body("<!doctype html><p>Panne").into(),
            13,
            BACK_OFF,
        ),
        habit("reset", 20, || document(news()).reset().into(), 13, BACK_OFF),
        habit("gone", 30, || status(410).into(), 1, &[0]),
        habit("busy", 20, || status(503).header("retry-after", "90000").into(), 7, &[1500]),
        Habit { config: "schedule = \"0 6 * * *\"", ..habit("mornings", 10, || asking("").into(), 8, &[0, 1410]) },
        Habit { config: quarter, ..habit("often", 2, || fresh_for(3600).into(), 169, &[60]) },
        habit("moved", 3, || redirect(301, "/home").into(), 49, HOURLY),
    ]
}

/// A request: when, and whether it was conditional.
struct Asked {
    at: DateTime<Utc>,
    conditional: bool,
}

/// Lets a week pass, and returns what was asked, by host and path. With `restarts` each step is a new daemon.
async fn week(desk: &mut Desk, origin: &Origin, restarts: bool) -> BTreeMap<(String, String), Vec<Asked>> {
    let ids: Vec<String> = desk.context.config.sources.iter().map(|source| source.id.clone()).collect();
    let mut due: BTreeSet<(DateTime<Utc>, String)> = ids.into_iter().map(|id| (start(), id)).collect();
    let mut asked: BTreeMap<(String, String), Vec<Asked>> = BTreeMap::new();
    let mut now = start();
    while now < start() + TimeDelta::weeks(1) {
        let later = due.split_off(&(now + TimeDelta::seconds(1), String::new()));
        let ready = std::mem::replace(&mut due, later);
        if restarts && !ready.is_empty() {
            desk.restart(now).await;
        }
        let polls = ready.iter().map(|(_, id)| desk.poll(id, now));
        for ((_, id), polled) in ready.iter().zip(join_all(polls).await) {
            due.extend(polled.next_poll.map(|next| (next, id.clone())));
        }
        for seen in origin.take_requests() {
            let host = seen.header("host").unwrap().to_owned();
            let conditional = seen.header("if-none-match").or(seen.header("if-modified-since")).is_some();
            asked.entry((host, seen.path)).or_default().push(Asked { at: now, conditional });
        }
        now += STEP;
    }
    asked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_feeds_are_asked_as_the_rules_allow_and_no_more() {
    let origin = Origin::on([0, 0, 0, 0]);
    let port = origin.address().port();
    let (mut feeds, mut hosts) = (String::new(), HashMap::new());
    for habit in habits() {
        for at in 0..habit.feeds {
            let (id, host) =
                (format!("{}-{at}", habit.name), format!("127.1.{}.{}", hosts.len() / 200, hosts.len() % 200 + 1));
            origin.answers(&format!("/{id}"), (habit.script)());
            let _ = write!(feeds, "[[feed]]\nid = \"{id}\"\nurl = \"http://{host}:{port}/{id}\"\n{}\n", habit.config);
            hosts.insert(id, format!("{host}:{port}"));
        }
    }
    origin.answers("/home", asking(""));
    assert_eq!(hosts.len(), 500);
    let began = std::time::Instant::now();
    let asked = week(&mut Desk::new(&feeds), &origin, false).await;

    let mut total = 0;
    for habit in habits() {
        for at in 0..habit.feeds {
            let id = format!("{}-{at}", habit.name);
            let requests = &asked[&(hosts[&id].clone(), format!("/{id}"))];
            total += requests.len();
            assert!(requests.len() <= habit.requests_max, "{id}: {} requests", requests.len());
            for (nth, pair) in requests.windows(2).enumerate() {
                let gap = (pair[1].at - pair[0].at).num_minutes();
                let least = habit.gaps.get(nth).or(habit.gaps.last()).unwrap();
                assert!(gap >= *least, "{id}: {gap} min after request {}", nth + 1);
            }
            assert!(!requests[1..].iter().any(|asked| (habit.closed)(asked.at)), "{id} was asked when closed");
            if ["etag", "date", "flapping", "short", "six-hours", "ttl", "daily"].contains(&habit.name) {
                assert!(requests[1..].iter().all(|asked| asked.conditional), "{id}: asked for what we have");
            }
        }
    }
    println!("500 feeds, {total} requests in a week, none in excess ({:?})", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_host_gets_no_request_before_the_time_that_it_named() {
    let origin = Origin::on([0, 0, 0, 0]);
    let host = format!("127.1.0.1:{}", origin.address().port());
    let mut feeds = String::new();
    for at in 0..4 {
        let _ = write!(feeds, "[[feed]]\nid = \"feed-{at}\"\nurl = \"http://{host}/feed-{at}\"\n");
        origin.answers(&format!("/feed-{at}"), asking(""));
    }
    let throttled = status(429).header("retry-after", "18000");
    origin.answers("/feed-0", [throttled.clone(), asking(""), throttled.clone(), throttled, asking("")]);
    let mut desk = Desk::new(&feeds);
    let asked = week(&mut desk, &origin, true).await;

    let refused: Vec<DateTime<Utc>> = asked[&(host, "/feed-0".to_owned())].iter().map(|asked| asked.at).collect();
    for nth in [0, 2, 3] {
        let (from, to) = (refused[nth], refused[nth] + TimeDelta::seconds(18_000));
        // Those that were asked in the same step may have come before the refusal.
        let between = asked.values().flatten().filter(|asked| asked.at > from && asked.at < to).count();
        assert_eq!(between, 0, "after refusal {nth} at {from}");
    }
    assert!(asked.values().all(|asked| asked.len() > 100), "and then goes on as before");
}
