//! A folder with a config, a publisher's server, and the real binary between them.

#![allow(dead_code, reason = "each module of tests uses its own part")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::database::Database;
use crate::origin::{Origin, Script};

/// Longest wait of a test for something that should come at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// The topic that most tests are about.
pub(crate) const TOPIC: &str = r#"
[[topic]]
id = "numerique-educatif"
title = "Numérique éducatif"
any = ["numérique éducatif", "école numérique"]
not = ["cinéma numérique"]
"#;

/// An operator's machine, with one publisher in reach.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) origin: Origin,
    feeds: String,
    /// `None` for a store in a file.
    database: Option<Database>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_store(Database::if_wanted())
    }

    /// A world whose store is in a file, whatever backend is tested.
    pub(crate) fn in_a_file() -> Self {
        Self::with_store(None)
    }

    fn with_store(database: Option<Database>) -> Self {
        let (folder, origin) = (tempfile::tempdir().unwrap(), Origin::start());
        let world = Self { folder, origin, feeds: String::new(), database };
        world.write_config(TOPIC);
        world
    }

    /// Somebody does this to the store: in SQL of either backend.
    pub(crate) fn change_store(&self, in_a_file: &str, in_a_database: &str) {
        if let Some(database) = &self.database {
            return database.run(in_a_database);
        }
        let store = rusqlite::Connection::open(self.folder.path().join("data/veille.db")).unwrap();
        store.execute_batch(in_a_file).unwrap();
    }

    /// Opens the store.
    pub(crate) fn open_store(&self) -> Box<dyn veille::store::Store> {
        let config = veille::config::load(&self.config()).unwrap();
        veille::pipeline::open_store(&config).unwrap()
    }

    /// Adds a feed that the publisher serves under its id.
    pub(crate) fn feed(mut self, id: &str, answers: impl Into<Script>) -> Self {
        let path = format!("/{id}");
        self.origin.answers(&path, answers);
        let _ = write!(self.feeds, "\n[[feed]]\nid = \"{id}\"\nurl = \"{}\"\n", self.origin.url(&path));
        self.write_config(TOPIC);
        self
    }

    /// Adds lines to the last feed.
    pub(crate) fn with(mut self, lines: &str) -> Self {
        let _ = writeln!(self.feeds, "{lines}");
        self.write_config(TOPIC);
        self
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    /// Writes the config with these topics, as editors do: beside, then renamed.
    pub(crate) fn write_config(&self, topics: &str) {
        let store = self.database.as_ref().map(|database| format!("[store]\nurl = \"{}\"\n\n", database.url()));
        let store = store.unwrap_or_default();
        let text = format!(
            r#"
[site]
title = "Essai"
url = "http://127.0.0.1:8080/"

{store}[poll]
allow_networks = ["127.0.0.0/8"]
host_delay = "0s"
per_host = 8
timeout = "2s"

[serve]
listen = "127.0.0.1:0"
{}{topics}"#,
            self.feeds
        );
        let beside = self.folder.path().join("config.toml.new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, self.config()).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veille"));
        command.arg("--config").arg(self.config()).args(arguments);
        command.env_remove("VEILLE_LOG").env_remove("NO_COLOR").env_remove("VEILLE_CONFIG");
        command
    }

    /// Runs a command to its end.
    pub(crate) fn veille(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed, and returns what it printed. A poll in which every feed failed has done its work.
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.veille(arguments);
        let is_in_vain = arguments[0] == "poll" && stderr(&output).contains("error: nothing could be polled");
        assert!(output.status.success() || is_in_vain, "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that prints JSON lines.
    pub(crate) fn json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        self.succeeds(arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs a poll of everything that must succeed, and watches what it costs.
    pub(crate) fn poll_watched(&self) -> Cost {
        let began = Instant::now();
        let mut child = self.command(&["poll"]).stdout(Stdio::null()).spawn().unwrap();
        let mut cost = Cost::default();
        loop {
            cost.look(child.id());
            if let Some(ended) = child.try_wait().unwrap() {
                assert!(ended.success());
                return Cost { duration: began.elapsed(), ..cost };
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A file of the published tree.
    pub(crate) fn published(&self, name: &str) -> PathBuf {
        self.folder.path().join("data/public").join(name)
    }

    /// The topic's feed as a file.
    pub(crate) fn atom(&self) -> String {
        fs::read_to_string(self.published("numerique-educatif.atom")).unwrap()
    }

    /// Starts the daemon and waits until it serves.
    pub(crate) fn run(&self) -> Daemon {
        Daemon::start(self.command(&["run"]))
    }
}

/// The cost of a process, as Linux tells it.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    /// From start to end: long on a busy machine.
    pub(crate) duration: Duration,
    /// Of all processors.
    pub(crate) cpu: Duration,
    /// The most that it held, in bytes.
    pub(crate) memory: usize,
}

impl Cost {
    fn look(&mut self, process: u32) {
        let read = |file: &str| fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
        let status = read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        self.memory = self.memory.max(kilobytes.unwrap_or_default() << 10);
        // Fields 14 and 15, in hundredths of a second; the second field is a name in brackets.
        let stat = read("stat");
        let ticks = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        let cpu = Duration::from_millis(ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10);
        self.cpu = self.cpu.max(cpu);
    }
}

/// A running daemon; killed when dropped.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: String,
    log: mpsc::Receiver<String>,
    heard: String,
}

impl Daemon {
    /// Starts one, and waits until it serves.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut daemon = Self { child, address: String::new(), log, heard: String::new() };
        let line = daemon.hears("serving");
        let address = line.split("address=").nth(1).unwrap().split_whitespace().next().unwrap();
        address.clone_into(&mut daemon.address);
        daemon
    }

    /// Waits for a line of the log that holds `text`.
    pub(crate) fn hears(&mut self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        while let Ok(line) = self.log.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.heard.push_str(&line);
            self.heard.push('\n');
            if line.contains(text) {
                return line;
            }
        }
        panic!("no line with `{text}` in the log:\n{}", self.heard);
    }

    /// All of the log until the daemon's end.
    pub(crate) fn log(&mut self) -> String {
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            self.heard.push_str(&line);
            self.heard.push('\n');
        }
        self.heard.clone()
    }

    /// One GET; returns head and body.
    pub(crate) fn get(&self, path: &str, headers: &str) -> (String, String) {
        get(&self.address, path, headers)
    }

    /// Asks again and again until the body at `path` fits.
    pub(crate) fn until(&self, path: &str, fits: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let (_, body) = self.get(path, "");
            if fits(&body) {
                return body;
            }
            assert!(Instant::now() < end, "{path} never became what was expected:\n{body}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        // The shell's own: a bare Debian has no program of that name.
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn ends(&mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "the daemon did not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One GET at an address; returns head and body.
pub(crate) fn get(address: &str, path: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: veille\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An RSS 2.0 document with these items.
pub(crate) fn rss(items: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"><channel><title>Ministère</title>\
         <link>https://ministere.example/</link><description>Actualités</description>{}</channel></rss>",
        items.concat()
    )
}

/// An item with a guid, a link, a title, a text and tags.
pub(crate) fn item(name: &str, title: &str, text: &str, tags: &[&str]) -> String {
    let tags: String = tags.iter().map(|tag| format!("<category>{tag}</category>")).collect();
    format!(
        "<item><guid isPermaLink=\"false\">{name}</guid><link>https://ministere.example/{name}</link>\
         <title>{title}</title><description>{text}</description><pubDate>Mon, 23 Nov 2026 08:00:00 +0100</pubDate>\
         {tags}</item>"
    )
}

/// The news of 2015 that the project began with: its title does not say its topic, its publisher's tags do.
pub(crate) fn partnership() -> String {
    item(
        "partenariat",
        "Signature d’un partenariat entre le ministère et un équipementier de réseaux",
        "La ministre a signé un accord de trois ans avec un constructeur.",
        &["numérique éducatif", "école numérique"],
    )
}

/// Its neighbour, of another topic.
pub(crate) fn justice() -> String {
    item("justice", "Réforme de la justice des mineurs", "Le garde des Sceaux présente son projet.", &["justice"])
}
