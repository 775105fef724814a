//! A day of a daemon in one test: its own loop, store, files and requests, on a clock that the test moves.
//!
//! Publishers are on hosts of their own and count what they are asked. In the day come a host that is dead, an hour without
//! network, an hour on a full disk, a clock that is set ahead and back, and a machine that sleeps.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::time::advance;

use super::clock::{self, simulated};
use super::{Daemon, Ticks};
use crate::config;
use crate::disk::pretended;
use crate::feed::Timestamp;
use crate::outage::Lack;
use crate::pipeline::Context;
use crate::store::sqlite::Sqlite;
use crate::store::{Filter, Handle};

/// Longest time by which the clock is moved at once.
const STEP: Duration = Duration::from_secs(30);

/// Time that passes while something is under way, and the real time that it stands for: a request is never too slow.
const UNDER_WAY: Duration = Duration::from_millis(100);
const REAL: Duration = Duration::from_millis(20);

fn start() -> Timestamp {
    "2026-11-24T00:00:00Z".parse().unwrap()
}

fn hour(hours: i64) -> Timestamp {
    start() + TimeDelta::hours(hours)
}

/// Feeds with the same schedule, each on a host of its own.
struct Habit {
    name: &'static str,
    schedule: &'static str,
    feeds: usize,
    /// Most requests in the day: those of the schedule, and one for each thing that goes wrong.
    requests_max: usize,
}

/// Things that go wrong: two changes of the clock, the sleep, the network, the disk.
const FAULTS: usize = 5;

const HABITS: [Habit; 4] = [
    Habit { name: "quarter", schedule: "*/15 * * * *", feeds: 4, requests_max: 96 + FAULTS },
    Habit { name: "hourly", schedule: "0 * * * *", feeds: 6, requests_max: 24 + FAULTS },
    Habit { name: "six", schedule: "0 */6 * * *", feeds: 2, requests_max: 4 + FAULTS },
    Habit { name: "daily", schedule: "30 2 * * *", feeds: 2, requests_max: 2 + FAULTS },
];

/// The servers of all publishers.
struct Publishers {
    listener: Arc<Mutex<Option<TcpListener>>>,
    port: u16,
    /// When each host was asked, in the time of the test.
    asked: Arc<Mutex<BTreeMap<String, Vec<i64>>>>,
    now: Arc<AtomicI64>,
    /// Entries of each feed.
    entries: Arc<AtomicUsize>,
}

impl Publishers {
    fn start() -> Self {
        let bound = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = bound.local_addr().unwrap().port();
        bound.set_nonblocking(true).unwrap();
        let publishers = Self {
            listener: Arc::new(Mutex::new(Some(bound))),
            port,
            asked: Arc::default(),
            now: Arc::default(),
            entries: Arc::new(AtomicUsize::new(1)),
        };
        let (listener, asked) = (Arc::downgrade(&publishers.listener), Arc::clone(&publishers.asked));
        let (now, entries) = (Arc::clone(&publishers.now), Arc::clone(&publishers.entries));
        std::thread::spawn(move || {
            // Until the test has ended.
            while let Some(listener) = listener.upgrade() {
                let accepted = listener.lock().unwrap().as_ref().and_then(|listener| listener.accept().ok());
                let Some((stream, _)) = accepted else {
                    drop(listener);
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                };
                let host = stream.local_addr().unwrap().ip().to_string();
                asked.lock().unwrap().entry(host.clone()).or_default().push(now.load(Ordering::Relaxed));
                answer(stream, &host, entries.load(Ordering::Relaxed));
            }
        });
        publishers
    }

    /// Lets no host be reached, or all again.
    fn set_reachable(&self, is_reachable: bool) {
        *self.listener.lock().unwrap() = is_reachable.then(|| {
            let listener = TcpListener::bind(("0.0.0.0", self.port)).unwrap();
            listener.set_nonblocking(true).unwrap();
            listener
        });
    }

    /// Number of requests to all hosts between two instants.
    fn requests(&self, from: Timestamp, until: Timestamp) -> usize {
        let within = |at: &&i64| (from.timestamp()..until.timestamp()).contains(*at);
        self.asked.lock().unwrap().values().flatten().filter(within).count()
    }
}

/// Answers one request for the feed of a host, which has so many entries.
fn answer(mut stream: TcpStream, host: &str, entries: usize) {
    stream.set_nonblocking(false).unwrap();
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let is_known = String::from_utf8_lossy(&head).contains(&format!("\"{entries}\""));
    let mut items = String::new();
    for number in 0..entries {
        let _ = write!(
            items,
            "<item><guid isPermaLink=\"false\">{host}-{number}</guid><title>École {host} {number}</title></item>"
        );
    }
    let body = format!("<rss version=\"2.0\"><channel><title>{host}</title>{items}</channel></rss>");
    let (status, body) = if is_known { ("304 Not Modified", String::new()) } else { ("200 OK", body) };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nETag: \"{entries}\"\r\nContent-Type: application/rss+xml\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
}

/// A daemon and its publishers.
struct Day {
    daemon: Daemon,
    ticks: Ticks,
    publishers: Publishers,
    /// A moment of real time has passed.
    real: Arc<Notify>,
}

impl Day {
    fn new(folder: &Path) -> Self {
        let publishers = Publishers::start();
        let mut text = "[poll]\nallow_networks = [\"127.0.0.0/8\"]\nhost_delay = \"0s\"\n\
                        [[topic]]\nid = \"ecole\"\nlang = \"\"\nany = [\"école\"]\n\
                        [[feed]]\nid = \"dead\"\nurl = \"http://127.8.0.1:9/\"\nschedule = \"0 * * * *\"\n"
            .to_owned();
        let mut number = 0;
        for Habit { name, schedule, feeds, .. } in &HABITS {
            for at in 0..*feeds {
                number += 1;
                let url = format!("http://127.7.0.{number}:{}/feed", publishers.port);
                let _ = write!(
                    text,
                    "[[feed]]\nid = \"{name}-{at}\"\nurl = \"{url}\"\nschedule = \"{schedule}\"\ndedup = false\n"
                );
            }
        }
        let config = config::parse(&text, &folder.join("config.toml")).unwrap();
        std::fs::write(&config.path, text).unwrap();
        let (store, _) = Handle::new(Box::new(Sqlite::open(&config.store.path).unwrap())).unwrap();
        let mut daemon = Daemon::new(Arc::new(Context::new(config, store).unwrap()), None);
        daemon.begin();
        let real = Arc::new(Notify::new());
        let passes = Arc::downgrade(&real);
        std::thread::spawn(move || {
            while let Some(real) = passes.upgrade() {
                real.notify_one();
                drop(real);
                std::thread::sleep(REAL);
            }
        });
        Self { daemon, ticks: Ticks::new().unwrap(), publishers, real }
    }

    /// Lets the daemon live until the clock shows `end`.
    async fn until(&mut self, end: Timestamp) {
        while clock::now() < end {
            let now = clock::now();
            self.publishers.now.store(now.timestamp(), Ordering::Relaxed);
            let hours = usize::try_from((now - start()).num_hours()).unwrap_or_default();
            self.publishers.entries.fetch_max((hours + 1).min(24), Ordering::Relaxed);
            if self.is_quiet() {
                let due = self.daemon.due.next().and_then(|at| (at - now).to_std().ok()).filter(|wait| !wait.is_zero());
                advance(due.unwrap_or(STEP).min(STEP)).await;
                self.daemon.turn(&mut self.ticks).now_or_never().transpose().unwrap();
                continue;
            }
            tokio::select! {
                turned = self.daemon.turn(&mut self.ticks) => turned.unwrap(),
                () = self.real.notified() => advance(UNDER_WAY).await,
            }
        }
    }

    /// Whether nothing is under way.
    fn is_quiet(&self) -> bool {
        let Daemon { polls, noting, reloading, looking, publishing, relabelling, upkeep, mending, report, .. } =
            &self.daemon;
        let is_running = noting.is_running()
            || reloading.is_running()
            || looking.is_running()
            || publishing.is_running()
            || relabelling.is_running()
            || upkeep.is_running()
            || mending.is_running()
            || report.surveying.is_running()
            || report.telling.is_running();
        polls.is_empty() && !is_running
    }

    fn lacks(&self, lack: Lack) -> bool {
        self.daemon.outages.contains_key(&lack)
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_in_which_all_goes_wrong_loses_nothing_and_asks_nobody_too_often() {
    // Real time alone moves the clock while this waits.
    let (_end, ended) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || ended.recv());
    let folder = tempfile::tempdir().unwrap();
    simulated::set(start());
    let mut day = Day::new(folder.path());

    day.until(hour(5)).await;
    assert!(day.daemon.outages.is_empty(), "a dead host is no outage");

    // An hour without network.
    day.publishers.set_reachable(false);
    day.until(hour(6)).await;
    assert!(day.lacks(Lack::Network));
    day.publishers.set_reachable(true);
    day.until(hour(6) + TimeDelta::minutes(10)).await;
    assert!(!day.lacks(Lack::Network));

    // An hour on a full disk.
    day.until(hour(9)).await;
    pretended::set(folder.path(), true);
    let noticed = hour(9) + TimeDelta::minutes(1);
    day.until(noticed).await;
    assert!(day.lacks(Lack::Store));
    day.until(hour(10)).await;
    assert_eq!(day.publishers.requests(noticed, hour(10)), 0, "nobody is asked for what cannot be kept");
    pretended::set(folder.path(), false);
    day.until(hour(10) + TimeDelta::minutes(3)).await;
    assert!(!day.lacks(Lack::Store));

    // The clock is set ahead by three days, and back after an hour.
    day.until(hour(13)).await;
    simulated::set(hour(13) + TimeDelta::days(3));
    day.until(hour(14) + TimeDelta::days(3)).await;
    simulated::set(hour(14));

    // The machine sleeps for two hours.
    day.until(hour(18)).await;
    simulated::set(hour(20));
    day.until(hour(24)).await;
    // The last entries are read too.
    day.until(hour(31)).await;

    let mut number = 0;
    let asked = day.publishers.asked.lock().unwrap().clone();
    // Until the news ends, and while the clock was ahead.
    let is_of_day = |at: &&i64| **at < hour(24).timestamp() || **at > hour(48).timestamp();
    for Habit { name, feeds, requests_max, .. } in &HABITS {
        for at in 0..*feeds {
            number += 1;
            let requests = &asked[&format!("127.7.0.{number}")];
            let of_day = requests.iter().filter(is_of_day).count();
            println!("{name}-{at}: {of_day} requests, at most {requests_max}");
            assert!(of_day <= *requests_max, "{name}-{at} was asked {of_day} times");
            // Three hours in which nobody can be asked, and what a clock that is ahead leaves out.
            assert!(of_day * 3 >= *requests_max, "{name}-{at} was forgotten: {of_day}");
        }
    }
    let filter = Filter { limit: usize::MAX, ..Filter::default() };
    let entries = day.daemon.context.store.call(move |store| store.entries(&filter)).await.unwrap();
    let mut guids = HashSet::new();
    let is_new = |guid: &Option<String>| guids.insert(guid.clone());
    let twice = entries.iter().map(|held| &held.stored.entry.id).map(is_new).filter(|is_new| !is_new).count();
    assert_eq!(twice, 0);
    let feeds: usize = HABITS.iter().map(|habit| habit.feeds).sum();
    assert_eq!(entries.len(), feeds * 24, "an entry of each feed for each hour");
    let states = day.daemon.context.store.call(|store| store.sources(None)).await.unwrap();
    let failing: Vec<_> = states.iter().filter(|known| known.state.failures > 0).map(|k| &k.state.source_id).collect();
    assert_eq!(failing, ["dead"]);
    let dead = states.iter().find(|known| known.state.source_id == "dead").unwrap();
    assert!(dead.state.failures <= 12, "it is asked less and less often: {}", dead.state.failures);
}
