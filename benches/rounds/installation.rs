//! A folder with a config and a store, and the commands that work on it.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Cost, Process};

/// The feed of the topic that is there from the beginning.
pub const FEED: &str = "/numerique-educatif.atom";
/// The feed of the first topic that comes later.
pub const NEW_FEED: &str = "/ecole-1.atom";

/// One installation of veille, and beside it the database of the floor.
pub struct Installation {
    folder: tempfile::TempDir,
    program: PathBuf,
    urls: Vec<String>,
    pub port: u16,
    topics_added: usize,
    shown: usize,
}

impl Installation {
    pub fn new(program: &Path, urls: &[String]) -> Self {
        // Free now; nothing else on this machine is likely to take it before the daemon does.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let installation =
            Self { folder, program: program.to_owned(), urls: urls.to_vec(), port, topics_added: 0, shown: 1_000 };
        fs::write(installation.folder().join("urls"), urls.join("\n")).unwrap();
        installation.write_config();
        installation
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn feeds(&self) -> usize {
        self.urls.len()
    }

    /// A command of the program under test.
    pub fn veille(&self, command: &str) -> Command {
        let mut veille = Command::new(&self.program);
        veille.arg(command).arg("--config").arg(self.folder().join("config.toml"));
        veille
    }

    /// Polls all feeds, due or not.
    pub fn poll(&self) -> Cost {
        self.measure(self.veille("poll").arg("--force"))
    }

    /// Writes everything anew.
    pub fn publish(&self) -> Cost {
        fs::remove_dir_all(self.folder().join("public")).unwrap();
        self.measure(&mut self.veille("publish"))
    }

    /// Polls all feeds as the floor does.
    pub fn poll_floor(&self) -> Cost {
        let mut floor = Command::new(std::env::current_exe().unwrap());
        self.measure(floor.arg("--floor").arg(self.folder().join("urls")).arg(self.folder().join("floor.db")))
    }

    fn measure(&self, command: &mut Command) -> Cost {
        Process::start(command, &self.folder().join("log")).end()
    }

    /// The number of entries in the store.
    pub fn entries(&self) -> usize {
        let listed = self.veille("entries").args(["--json", "--limit", "100000000"]).output().unwrap();
        String::from_utf8_lossy(&listed.stdout).lines().count()
    }

    /// Adds a topic that takes most of the entries.
    pub fn add_topic(&mut self) {
        self.topics_added += 1;
        self.write_config();
    }

    /// Makes all feeds shorter, so that all are published anew.
    pub fn show_fewer(&mut self) {
        self.shown -= 100;
        self.write_config();
    }

    fn write_config(&self) {
        let mut text = format!(
            "[site]\ntitle = \"Banc d'essai\"\nurl = \"http://127.0.0.1:{port}/\"\nlanguage = \"fr\"\n\
             contact = \"mailto:banc@example.org\"\n[store]\npath = \"veille.db\"\n\
             [poll]\nschedule = \"0 4 1 1 *\"\ntimezone = \"Europe/Paris\"\nconcurrency = 64\nper_host = 8\n\
             host_delay = \"0s\"\nallow_networks = [\"127.0.0.0/8\"]\n\
             [publish]\ndirectory = \"public\"\nentries = {shown}\n[serve]\nlisten = \"127.0.0.1:{port}\"\n",
            port = self.port,
            shown = self.shown
        );
        for (number, url) in self.urls.iter().enumerate() {
            writeln!(text, "[[feed]]\nid = \"f{number}\"\nurl = \"{url}\"").unwrap();
        }
        text.push_str(&topic("numerique-educatif", "numérique éducatif"));
        for number in 1..=self.topics_added {
            text.push_str(&topic(&format!("ecole-{number}"), "école"));
        }
        // As editors do: nobody ever reads half a file.
        fs::write(self.folder().join("config.new"), text).unwrap();
        fs::rename(self.folder().join("config.new"), self.folder().join("config.toml")).unwrap();
    }
}

/// A topic of one term, wherever it stands.
fn topic(id: &str, term: &str) -> String {
    format!(
        "[[topic]]\nid = \"{id}\"\ntitle = \"{term}\"\nany = [\"{term}\"]\n\
         [[topic.rule]]\nname = \"corps\"\nweight = 18\nany = [\"{term}\"]\nin = [\"body\"]\n"
    )
}
