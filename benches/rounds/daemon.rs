//! The daemon with a full store: at rest, while a new topic takes most of what is stored, and told to stop in the middle
//! of its work.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::installation::{FEED, Installation, NEW_FEED};
use crate::process::Process;

/// Time that the daemon is left alone before its memory at rest is read.
const REST: Duration = Duration::from_secs(10);
/// Times after a change of the config at which it is told to stop, at any point of its work.
const STOPS: [Duration; 3] = [Duration::from_secs(1), Duration::from_millis(2_500), Duration::from_secs(6)];
/// A daemon that has not come so far by then never will.
const PATIENCE: Duration = Duration::from_mins(20);
/// Entries of a feed at most, as in the config.
const SHOWN: usize = 1_000;

/// A daemon as seen from outside while it labels and publishes.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub idle_mb: f64,
    /// Until the feed of the new topic was there and full.
    pub new_topic: Duration,
    /// The longest time without a sign of life to the service manager meanwhile.
    pub watchdog_gap: Duration,
    pub slowest_get: Duration,
    pub peak_mb: f64,
    pub stop_relabelling: Duration,
    /// While it publishes too: the longest of [`STOPS`].
    pub stop_busy: Duration,
}

/// Runs the daemon several times. Changes the rules of `installation`.
pub fn watch(installation: &mut Installation) -> Seen {
    let (mut daemon, signs) = start(installation);
    std::thread::sleep(REST);
    let idle_mb = daemon.resident_mb();
    let readers = Readers::start(installation.port);
    let began = Instant::now();
    signs.begin();
    installation.add_topic();
    let wanted = SHOWN.min(installation.feeds() * 10);
    wait("the feed of the new topic", || count_entries(installation.port, NEW_FEED) >= wanted);
    let new_topic = began.elapsed();
    let (watchdog_gap, slowest_get) = (signs.longest(), readers.slowest());
    let peak_mb = daemon.peak_mb();
    daemon.terminate();

    let (daemon, _signs) = start(installation);
    installation.add_topic();
    std::thread::sleep(Duration::from_secs(3)); // the file is looked at every two seconds
    let stop_relabelling = daemon.terminate();

    let stop_busy = STOPS.into_iter().map(|pause| {
        // Each start has the labels to make that the last one left.
        let (daemon, _signs) = start(installation);
        installation.show_fewer();
        std::thread::sleep(pause);
        daemon.terminate()
    });
    let stop_busy = stop_busy.max().unwrap_or_default();
    Seen { idle_mb, new_topic, watchdog_gap, slowest_get, peak_mb, stop_relabelling, stop_busy }
}

/// Starts the daemon and waits until it says that it is ready.
fn start(installation: &Installation) -> (Process, Signs) {
    let signs = Signs::listen(installation);
    let mut command = installation.veille("run");
    command.env("NOTIFY_SOCKET", installation.folder().join("notify")).env("WATCHDOG_USEC", "20000000");
    let daemon = Process::start(&mut command, &installation.folder().join("run.log"));
    wait("the daemon", || signs.ready.load(Ordering::SeqCst));
    (daemon, signs)
}

fn wait(what: &str, mut is_there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_there() {
        assert!(began.elapsed() < PATIENCE, "{what} is not there after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The socket on which the service manager would listen (`sd_notify(3)`).
struct Signs {
    ready: Arc<AtomicBool>,
    /// The last sign of life, and the longest time between two.
    alive: Arc<Mutex<(Instant, Duration)>>,
}

impl Signs {
    fn listen(installation: &Installation) -> Self {
        let path = installation.folder().join("notify");
        let _ = std::fs::remove_file(&path); // that of the daemon before
        let socket = UnixDatagram::bind(path).unwrap();
        let ready = Arc::new(AtomicBool::new(false));
        let alive = Arc::new(Mutex::new((Instant::now(), Duration::ZERO)));
        let signs = Self { ready: Arc::clone(&ready), alive: Arc::clone(&alive) };
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(length) = socket.recv(&mut buffer) {
                for line in String::from_utf8_lossy(&buffer[..length]).lines() {
                    match line {
                        "READY=1" => ready.store(true, Ordering::SeqCst),
                        "WATCHDOG=1" => {
                            let (last, longest) = &mut *alive.lock().unwrap();
                            *longest = last.elapsed().max(*longest);
                            *last = Instant::now();
                        }
                        _ => {}
                    }
                }
            }
        });
        signs
    }

    /// Forgets the times between the signs so far.
    fn begin(&self) {
        self.alive.lock().unwrap().1 = Duration::ZERO;
    }

    /// The longest time between two, that since the last one among them.
    fn longest(&self) -> Duration {
        let (last, longest) = *self.alive.lock().unwrap();
        longest.max(last.elapsed())
    }
}

/// A reader that asks for a feed again and again.
struct Readers {
    slowest: Arc<Mutex<Duration>>,
}

impl Readers {
    fn start(port: u16) -> Self {
        let slowest = Arc::new(Mutex::new(Duration::ZERO));
        let seen = Arc::clone(&slowest);
        std::thread::spawn(move || {
            loop {
                let asked = Instant::now();
                if get(port, FEED, "Accept-Encoding: gzip\r\n").is_err() {
                    return; // the daemon has ended
                }
                let mut seen = seen.lock().unwrap();
                *seen = seen.max(asked.elapsed());
                drop(seen);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { slowest }
    }

    fn slowest(&self) -> Duration {
        *self.slowest.lock().unwrap()
    }
}

fn count_entries(port: u16, path: &str) -> usize {
    let answer = get(port, path, "").unwrap_or_default();
    String::from_utf8_lossy(&answer).matches("<entry").count()
}

fn get(port: u16, path: &str, headers: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
