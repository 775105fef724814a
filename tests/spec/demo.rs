//! `veille demo`: a newcomer sees everything at work, and nothing stays.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::stopping::wait;
use crate::world::{get, stderr};

/// Longest wait for the address: on a busy machine, and without optimisation.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running demo; killed when dropped.
pub(crate) struct Demo {
    child: Child,
    /// The folder for its temporary files, of nobody else.
    folder: TempDir,
    lines: mpsc::Receiver<String>,
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veille"));
    command.arg("demo").args(arguments).env("TMPDIR", folder).env_remove("VEILLE_LOG").env_remove("VEILLE_CONFIG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

impl Demo {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command(folder.path(), arguments).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        Self { child, folder, lines: receiver }
    }

    /// Waits for a line that holds `text`.
    fn says(&self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut heard = String::new();
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(text) {
                return line;
            }
            heard += &format!("{line}\n");
        }
        panic!("it never said `{text}`:\n{heard}");
    }

    /// The address of the page, as soon as it is told.
    pub(crate) fn address(&self) -> String {
        let line = self.says("is served on http://");
        line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned()
    }

    /// The config that it names.
    fn config(&self) -> PathBuf {
        let line = self.says("veille words --config ");
        PathBuf::from(line.split("--config ").nth(1).unwrap())
    }

    /// Sends a signal, and checks that it ends in order and leaves nothing among temporary files.
    #[track_caller]
    pub(crate) fn ends(&mut self, signal: &str) {
        let status = Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.child.id())]).status().unwrap();
        assert!(status.success());
        let mut ended = None;
        wait(|| {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        assert_eq!(ended.unwrap().code(), Some(0), "{signal}");
        let left: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{signal}: {left:?}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The page at a path, once it is what is expected.
fn page(address: &str, path: &str, fits: impl Fn(&str) -> bool) -> String {
    let mut body = String::new();
    wait(|| {
        body = get(address, path, "").1;
        fits(&body)
    });
    body
}

#[test]
fn the_demo_tells_a_story_of_three_sources_once_shows_its_edit_and_hides_what_was_withdrawn() {
    let demo = Demo::start(&["--port", "0"]);
    let address = demo.address();
    let topic = page(&address, "/numerique-educatif/", |body| body.contains("<article"));
    assert_eq!(topic.matches("Des tablettes pour 40 000 élèves").count(), 1, "{topic}");
    // Any of the three may be the first; the others are named below it.
    for source in ["Ministère de l’École", "La Gazette des écoles", "Académie de Valmont"] {
        assert!(topic.contains(source), "{source}: {topic}");
    }
    assert!(topic.contains("Aussi chez") && topic.contains("cadre d’usage révisé"), "{topic}");
    assert!(!topic.contains("ouverture d’une plateforme"), "{topic}");
}

#[test]
fn each_topic_of_the_demo_has_stories_and_one_feed_is_broken() {
    let demo = Demo::start(&["--port", "0"]);
    let address = demo.address();
    let home = page(&address, "/", |body| body.contains("laicite"));
    for topic in ["numerique-educatif", "laicite", "logiciel-libre"] {
        assert!(home.contains(topic), "{topic}: {home}");
        let feed = page(&address, &format!("/{topic}.atom"), |_| true);
        assert!(feed.matches("<entry>").count() >= 3, "{topic}: {feed}");
    }
    let sources = page(&address, "/sources/", |_| true);
    assert!(sources.contains("Préfecture de Valmont") && sources.contains("id=\"sources_in_trouble\""), "{sources}");
}

#[test]
fn each_signal_ends_the_demo_in_order_and_nothing_stays() {
    for signal in ["INT", "TERM", "HUP"] {
        let mut demo = Demo::start(&["--port", "0"]);
        demo.address();
        demo.ends(signal);
    }
}

#[test]
fn a_demo_that_is_ended_before_it_serves_leaves_nothing_either() {
    let mut demo = Demo::start(&["--port", "0"]);
    demo.says("this morning");
    demo.ends("INT");
}

#[test]
fn a_demo_that_is_kept_leaves_a_config_for_the_other_commands() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("kept");
    let mut demo = Demo::start(&["--port", "0", "--keep", folder.to_str().unwrap()]);
    let config = demo.config();
    demo.ends("TERM");
    let veille = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veille"));
        command.arg("--config").arg(&config).args(arguments).output().unwrap()
    };
    for arguments in [&["check"][..], &["diff"], &["words", "laicite"], &["explain", "1"], &["feeds"]] {
        let output = veille(arguments);
        assert!(output.status.success() && !output.stdout.is_empty(), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(stderr(&veille(&["check"])), "");
    let listed = String::from_utf8(veille(&["entries", "--topic", "numerique-educatif"]).stdout).unwrap();
    assert!(listed.contains("(told by 3)"), "{listed}");
    let again = command(place.path(), &["--keep", folder.to_str().unwrap()]).stderr(Stdio::piped()).output().unwrap();
    assert!(stderr(&again).contains("is not empty"), "{}", stderr(&again));
    assert_eq!(again.status.code(), Some(2));
}

#[test]
fn a_port_that_is_taken_is_told_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = command(folder.path(), &["--port", &port]).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&port) && stderr(&output).contains("`--port 0`"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
