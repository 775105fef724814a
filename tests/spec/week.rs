//! A week of 500 feeds of mixed habits that share 120 hosts, on a clock of the test's own: every request is one that the
//! rules allow, for its feed and for its host.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use tokio::task::JoinSet;

use crate::desk::Desk;
use crate::origin::{Answer, Origin, Script, Seen, document, redirect, status};
use crate::world::{item, rss};

/// Interval at which the simulated daemon looks for due polls; a real one looks at once.
const STEP: TimeDelta = TimeDelta::minutes(5);

/// Hosts that share the feeds.
const HOSTS: usize = 120;

/// Between two requests to one host, in real time.
const PAUSE: Duration = Duration::from_millis(2);

/// Time that each answer takes: two requests at once would show.
const ANSWER: Duration = Duration::from_millis(1);

/// Time that a host asks to be left alone for all its feeds: 503, 429.
const BUSY: TimeDelta = TimeDelta::seconds(90_000);
const THROTTLED: TimeDelta = TimeDelta::seconds(18_000);

/// A Tuesday; the week has a weekend.
fn start() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// A kind of feed: its answers, and the limits that its publishers may expect.
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

/// Gaps that come from a schedule, the jitter taken off: nine tenths of the interval, nearly all of a day.
const SCHEDULED: [i64; 2] = [54, 1410];

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
        habit("busy", 16, || status(503).header("retry-after", "90000").into(), 7, &[1500]),
        habit(
            "throttled",
            4,
            || {
                let refusal = status(429).header("retry-after", "18000");
                [refusal.clone(), asking(""), refusal.clone(), refusal, asking("")].into()
            },
            169,
            &[300, 54, 300, 300, 54],
        ),
        Habit { config: "schedule = \"0 6 * * *\"", ..habit("mornings", 10, || asking("").into(), 8, &[0, 1410]) },
        Habit { config: quarter, ..habit("often", 2, || fresh_for(3600).into(), 169, &[60]) },
        habit("moved", 3, || redirect(301, "/home").into(), 49, HOURLY),
    ]
}

/// A request on both clocks: the week's, and the real one, on which hosts' pauses are counted.
struct Asked {
    at: DateTime<Utc>,
    seen: Seen,
}

impl Asked {
    fn host(&self) -> &str {
        self.seen.header("host").unwrap()
    }

    fn is_conditional(&self) -> bool {
        self.seen.header("if-none-match").or(self.seen.header("if-modified-since")).is_some()
    }

    /// Until when the host asked to be left alone.
    fn refused_until(&self) -> Option<DateTime<Utc>> {
        match self.seen.status {
            503 => Some(self.at + BUSY),
            429 => Some(self.at + THROTTLED),
            _ => None,
        }
    }
}

/// Lets a week pass, and returns what was asked, in order. Each night the daemon is started anew.
async fn week(desk: &mut Desk, origin: &Origin) -> Vec<Asked> {
    let ids: Vec<String> = desk.context.config.sources.iter().map(|source| source.id.clone()).collect();
    let mut due: BTreeSet<(DateTime<Utc>, String)> = ids.into_iter().map(|id| (start(), id)).collect();
    let mut asked = Vec::new();
    let mut now = start();
    while now < start() + TimeDelta::weeks(1) {
        if now.hour() == 0 && now.minute() == 0 {
            desk.restart(now).await;
        }
        let later = due.split_off(&(now + TimeDelta::seconds(1), String::new()));
        let mut polls = JoinSet::new();
        for (_, id) in std::mem::replace(&mut due, later) {
            let poll = desk.polling(&id, now);
            polls.spawn(async move { (id, poll.await) });
        }
        for (id, polled) in polls.join_all().await {
            due.extend(polled.next_poll.map(|next| (next, id)));
        }
        asked.extend(origin.take_requests().into_iter().map(|seen| Asked { at: now, seen }));
        now += STEP;
    }
    asked
}

/// Checks what was asked of each feed against its publisher's wishes; returns how many requests those allow in all.
fn check_feeds(asked: &[Asked]) -> usize {
    let mut by_path: HashMap<&str, Vec<&Asked>> = HashMap::new();
    for asked in asked {
        by_path.entry(&asked.seen.path).or_default().push(asked);
    }
    let refusing: HashSet<&str> =
        asked.iter().filter(|asked| asked.refused_until().is_some()).map(Asked::host).collect();
    let mut allowed = 0;
    for habit in habits() {
        for at in 0..habit.feeds {
            let id = format!("{}-{at}", habit.name);
            let requests = &by_path[&*format!("/{id}")];
            let is_bound = refusing.contains(requests[0].host());
            assert!(is_bound || habit.name != "etag" || requests.len() > 160, "{id} was forgotten: {}", requests.len());
            allowed += habit.requests_max;
            assert!(requests.len() <= habit.requests_max, "{id}: {} requests", requests.len());
            for (nth, pair) in requests.windows(2).enumerate() {
                let gap = (pair[1].at - pair[0].at).num_minutes();
                let least = *habit.gaps.get(nth).or(habit.gaps.last()).unwrap();
                // A poll that waited for its host keeps its own time; the next round follows by half an interval or more.
                let least = if is_bound && SCHEDULED.contains(&least) { least / 2 } else { least };
                assert!(gap >= least, "{id}: {gap} min after request {}", nth + 1);
            }
            assert!(!requests[1..].iter().any(|asked| (habit.closed)(asked.at)), "{id} was asked when closed");
            if ["etag", "date", "flapping", "short", "six-hours", "ttl", "daily"].contains(&habit.name) {
                assert!(requests[1..].iter().all(|asked| asked.is_conditional()), "{id}: asked for what we have");
            }
        }
    }
    allowed
}

/// Checks what was asked of each host: one request at a time, a pause between two, none while it wants to be left alone.
/// Returns the number of hosts, the shortest time from one request to the next, and how many refusals bound a host.
fn check_hosts(asked: &[Asked]) -> (usize, Duration, usize) {
    let mut by_host: HashMap<&str, Vec<&Asked>> = HashMap::new();
    for asked in asked {
        by_host.entry(asked.host()).or_default().push(asked);
    }
    let (mut closest, mut refusals) = (Duration::MAX, 0);
    for (host, requests) in &by_host {
        let mut left_alone = start();
        for pair in requests.windows(2) {
            closest = closest.min(pair[1].seen.at - pair[0].seen.at);
        }
        for asked in requests {
            assert!(asked.at >= left_alone, "{host} was asked at {} before {left_alone}", asked.at);
            refusals += usize::from(asked.refused_until().is_some());
            left_alone = left_alone.max(asked.refused_until().unwrap_or(left_alone));
        }
    }
    assert!(closest >= ANSWER + PAUSE, "two requests of a host within {closest:?}");
    (by_host.len(), closest, refusals)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_feeds_on_shared_hosts_are_asked_as_the_rules_allow_and_no_more() {
    let origin = Origin::on([0, 0, 0, 0]);
    let port = origin.address().port();
    let (mut feeds, mut number) = (String::new(), 0);
    for habit in habits() {
        for at in 0..habit.feeds {
            let (id, host) = (format!("{}-{at}", habit.name), number % HOSTS + 1);
            origin.answers(&format!("/{id}"), (habit.script)().after(ANSWER));
            let url = format!("http://127.1.0.{host}:{port}/{id}");
            let _ = write!(feeds, "[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n{}\n", habit.config);
            number += 1;
        }
    }
    origin.answers("/home", asking("").after(ANSWER));
    assert_eq!(number, 500);
    let began = Instant::now();
    let asked = week(&mut Desk::new(&feeds).with_pause(PAUSE), &origin).await;

    let allowed = check_feeds(&asked);
    let (hosts, closest, refusals) = check_hosts(&asked);
    println!(
        "500 feeds on {hosts} hosts, seven restarts: {} requests in a week of at most {allowed}, none in excess; \
         {refusals} refusals bound their hosts; closest requests of a host {closest:?} apart of at least {:?} ({:?})",
        asked.len(),
        ANSWER + PAUSE,
        began.elapsed()
    );
}
