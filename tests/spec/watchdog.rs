//! The daemon and its service manager (`sd_notify(3)`): the real binary talks to a socket of the test.

use std::os::unix::net::UnixDatagram;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::origin::document;
use crate::stopping::{months, wait};
use crate::world::{Daemon, TOPIC, World, partnership, rss};

/// Within this time the manager wants to hear that the daemon is alive.
const LIMIT: Duration = Duration::from_secs(4);

/// A service manager that listens to one daemon.
struct Manager {
    daemon: Daemon,
    told: mpsc::Receiver<(Instant, String)>,
    heard: Vec<(Instant, String)>,
}

impl Manager {
    /// Starts the daemon of a world as a service.
    fn start(world: &World) -> Self {
        let path = world.folder.path().join("notify.sock");
        let socket = UnixDatagram::bind(&path).unwrap();
        let (sender, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(length) = socket.recv(&mut buffer) {
                let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if sender.send((Instant::now(), message)).is_err() {
                    break;
                }
            }
        });
        let mut command = world.command(&["run"]);
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", LIMIT.as_micros().to_string());
        Self { daemon: Daemon::start(command), told, heard: Vec::new() }
    }

    /// Waits until it hears a message that begins so.
    #[track_caller]
    fn hears(&mut self, start: &str) {
        while let Ok((at, message)) = self.told.recv_timeout(Duration::from_secs(20)) {
            let is_it = message.starts_with(start);
            self.heard.push((at, message));
            if is_it {
                return;
            }
        }
        panic!("no `{start}` was heard: {:?}", self.heard);
    }

    /// The longest time in which it heard no sign of life, from the first one on.
    fn longest_silence(&mut self) -> Duration {
        self.heard.extend(self.told.try_iter());
        let signs = self.heard.iter().filter(|(_, message)| message.starts_with("WATCHDOG=1")).map(|(at, _)| *at);
        let signs: Vec<Instant> = signs.chain([Instant::now()]).collect();
        signs.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
    }
}

#[test]
fn it_is_told_when_the_daemon_is_ready_reloads_and_stops() {
    let world = World::new().feed("education", [document(rss(&[partnership()]))]);
    let mut manager = Manager::start(&world);
    manager.hears("READY=1\nSTATUS=watching 1 feeds for 1 topics");
    manager.daemon.signal("HUP");
    manager.hears("RELOADING=1\nMONOTONIC_USEC=");
    manager.hears("READY=1");
    manager.daemon.signal("TERM");
    manager.hears("STOPPING=1");
}

#[test]
fn it_hears_signs_of_life_and_readers_get_answers_while_much_is_published_and_labelled() {
    let world = World::new().feed("education", [document(months(80))]).with("dedup = false");
    let mut manager = Manager::start(&world);
    manager.hears("WATCHDOG=1");
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    let mut until = |path: &str, text: &str| {
        wait(|| {
            let asked = Instant::now();
            let (_, body) = manager.daemon.get(path, "");
            slowest = slowest.max(asked.elapsed());
            body.contains(text)
        });
    };
    until("/numerique-educatif/archive/2026-01.atom", "École numérique 0");
    world.write_config(&format!("{TOPIC}[[topic]]\nid = \"tablettes\"\nany = [\"tablettes\"]\n"));
    until("/tablettes/archive/2026-01.atom", "École numérique 0");
    assert!(began.elapsed() > LIMIT / 2, "it was to take a while: {:?}", began.elapsed());
    let silence = manager.longest_silence();
    assert!(silence < LIMIT * 6 / 10, "{silence:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}
