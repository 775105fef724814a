//! Rounds of polls by several daemons, measured from outside.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::origin::Origin;
use crate::server::{Database, ticks};

const STEPS: [&str; 3] = ["cold", "without news", "one feed in ten has one new entry"];

/// Measures so many daemons on a database, and with 0 of them one on a file; returns a table.
pub fn measure(feeds: usize, nodes: impl Iterator<Item = usize>) -> String {
    let mut text = "| store | nodes | step | wall s | CPU of nodes s | CPU of PostgreSQL s | feeds a second |\n\
                    | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for nodes in nodes {
        // The third step needs news that the world before did not see.
        let mut origin = Origin::start(feeds);
        let mut world = World::new(nodes, &origin.urls);
        for (step, name) in STEPS.iter().enumerate() {
            if step == 2 {
                origin.next_round();
            }
            let cost = world.round(step > 0);
            eprintln!("{nodes} nodes, {name}: {cost:?}");
            let Cost { wall, nodes: of_nodes, server } = cost;
            let store = if nodes == 0 { "file" } else { "PostgreSQL" };
            let server = if nodes == 0 { String::new() } else { format!("{server:.2}") };
            writeln!(
                text,
                "| {store} | {} | {name} | {wall:.2} | {of_nodes:.2} | {server} | {:.0} |",
                nodes.max(1),
                feeds as f64 / wall
            )
            .unwrap();
        }
        world.compare();
    }
    text + "\nAfter each run the files of all nodes are the same, byte for byte.\n"
}

#[derive(Debug)]
struct Cost {
    wall: f64,
    nodes: f64,
    server: f64,
}

struct World {
    folder: tempfile::TempDir,
    feeds: usize,
    database: Option<Database>,
    nodes: Vec<Node>,
    program: PathBuf,
}

struct Node {
    folder: PathBuf,
    process: Option<Child>,
}

impl Drop for World {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(process) = &mut node.process {
                // It may have ended already.
                let _ = process.kill();
                let _ = process.wait();
            }
        }
    }
}

impl World {
    /// Nodes on a database; with 0 of them one on a file.
    fn new(nodes: usize, urls: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = (nodes > 0).then(|| Database::new(&format!("rounds_{nodes}")));
        let program = std::env::var_os("VEILLE_BIN").map_or_else(|| env!("CARGO_BIN_EXE_veille").into(), PathBuf::from);
        let store = database
            .as_ref()
            .map_or_else(|| "path = \"veille.db\"".to_owned(), |database| format!("url = \"{}\"", database.url()));
        let node = |number: usize| {
            let node = folder.path().join(format!("node{number}"));
            fs::create_dir(&node).unwrap();
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut text = format!(
                "[site]\ntitle = \"Banc d'essai\"\nurl = \"http://127.0.0.1:8080/\"\n[store]\n{store}\n\
                 [poll]\nschedule = \"0 4 1 1 *\"\nconcurrency = 64\nper_host = 8\nhost_delay = \"0s\"\n\
                 allow_networks = [\"127.0.0.0/8\"]\n[publish]\ndirectory = \"public\"\n[serve]\nlisten = \"127.0.0.1:{port}\"\n\
                 [[topic]]\nid = \"numerique-educatif\"\nany = [\"numérique éducatif\"]\n\
                 [[topic.rule]]\nname = \"corps\"\nweight = 18\nany = [\"numérique éducatif\"]\nin = [\"body\"]\n"
            );
            for (number, url) in urls.iter().enumerate() {
                writeln!(text, "[[feed]]\nid = \"f{number}\"\nurl = \"{url}\"").unwrap();
            }
            fs::write(node.join("config.toml"), text).unwrap();
            Node { folder: node, process: None }
        };
        let nodes = (0..nodes.max(1)).map(node).collect();
        Self { folder, feeds: urls.len(), database, nodes, program }
    }

    /// Polls all feeds: starts the daemons, or makes all feeds due.
    fn round(&mut self, is_running: bool) -> Cost {
        let (own, server) = (self.cpu(), self.server_cpu());
        let began = Instant::now();
        let since = chrono::Utc::now().timestamp();
        if is_running {
            // Whole seconds: those polls are not to be counted again.
            std::thread::sleep(Duration::from_millis(1100));
        }
        let (began, since) = if is_running { (Instant::now(), since + 1) } else { (began, since) };
        if is_running {
            self.execute(&format!("UPDATE source SET next_poll = {since} - 5"));
            for node in &self.nodes {
                let process = node.process.as_ref().unwrap().id().to_string();
                assert!(Command::new("kill").args(["-HUP", &process]).status().unwrap().success());
            }
        } else {
            for node in &mut self.nodes {
                let log = fs::File::create(node.folder.join("log")).unwrap();
                let mut command = Command::new(&self.program);
                command.arg("--config").arg(node.folder.join("config.toml")).arg("run").stdin(Stdio::null());
                node.process = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
            }
        }
        let mut wall = began.elapsed();
        while self.polled(since) < self.feeds {
            assert!(began.elapsed() < Duration::from_mins(10), "see {}", self.folder.path().display());
            std::thread::sleep(Duration::from_millis(100));
            wall = began.elapsed();
        }
        let cost = Cost { wall: wall.as_secs_f64(), nodes: self.cpu() - own, server: self.server_cpu() - server };
        self.rest();
        cost
    }

    /// Waits until the nodes have nothing to do: their publication is of no round.
    fn rest(&self) {
        let mut before = self.cpu();
        loop {
            std::thread::sleep(Duration::from_secs(5));
            let now = self.cpu();
            if now - before < 0.1 * self.nodes.len() as f64 {
                return;
            }
            before = now;
        }
    }

    fn polled(&self, since: i64) -> usize {
        let sql = format!("SELECT count(*) FROM source WHERE last_poll >= {since}");
        if let Some(database) = &self.database {
            let is_made = database.sql("SELECT to_regclass('source') IS NOT NULL") == "t";
            return if is_made { database.sql(&sql).parse().unwrap() } else { 0 };
        }
        let count = |file: rusqlite::Connection| file.query_row(&sql, [], |row| row.get::<_, i64>(0)).ok();
        self.file().and_then(count).and_then(|count| count.try_into().ok()).unwrap_or_default()
    }

    fn execute(&self, sql: &str) {
        match &self.database {
            Some(database) => drop(database.sql(sql)),
            None => drop(self.file().unwrap().execute(sql, []).unwrap()),
        }
    }

    fn file(&self) -> Option<rusqlite::Connection> {
        let path = self.nodes[0].folder.join("veille.db");
        path.exists().then(|| rusqlite::Connection::open(path).unwrap())
    }

    fn cpu(&self) -> f64 {
        let processes = self.nodes.iter().filter_map(|node| node.process.as_ref());
        processes.filter_map(|process| ticks(process.id(), 13..15)).sum()
    }

    fn server_cpu(&self) -> f64 {
        self.database.as_ref().map(Database::cpu).unwrap_or_default()
    }

    /// Compares what the nodes published, byte for byte.
    fn compare(&self) {
        let trees: Vec<Vec<(String, Vec<u8>)>> =
            self.nodes.iter().map(|node| tree(&node.folder.join("public"))).collect();
        for other in &trees[1..] {
            assert_eq!(other.len(), trees[0].len());
            for (one, other) in trees[0].iter().zip(other) {
                assert!(one == other, "{} differs", one.0);
            }
        }
        eprintln!("{} files are the same", trees[0].len());
    }
}

/// The plain files of a folder, by name.
fn tree(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_plain =
                !name.starts_with('.') && [".gz", ".br", ".zst", ".lock"].iter().all(|end| !name.ends_with(end));
            if path.is_dir() {
                folders.push(path);
            } else if is_plain {
                files.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}
