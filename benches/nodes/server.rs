//! The PostgreSQL server that `tests/postgres.sh` names, and a database of its own for each measurement.

use std::fs;
use std::process::Command;

/// A database, dropped at the end.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    pub fn new(name: &str) -> Self {
        let server = std::env::var("VEILLE_TEST_POSTGRES").unwrap();
        let database = Self { server, name: format!("bench_{name}_{}", std::process::id()) };
        psql(&database.server, &format!("CREATE DATABASE {}", database.name));
        database
    }

    /// Its address, for a config.
    pub fn url(&self) -> String {
        let words = self.server.split(' ').filter(|word| !word.starts_with("dbname="));
        words.chain([format!("dbname={}", self.name).as_str()]).collect::<Vec<_>>().join(" ")
    }

    /// Runs statements and returns what they print.
    pub fn sql(&self, text: &str) -> String {
        psql(&self.url(), text)
    }

    /// Processor time of the server so far, in seconds: of the processes that run, and of those that have ended.
    pub fn cpu(&self) -> f64 {
        let postmaster = psql(&self.server, "SELECT pg_read_file('postmaster.pid')");
        let postmaster: u32 = postmaster.lines().next().unwrap().parse().unwrap();
        let ended: f64 = ticks(postmaster, 13..17).unwrap_or_default();
        let running =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        let children = running.filter(|process: &u32| parent(*process) == Some(postmaster));
        ended + children.filter_map(|process| ticks(process, 13..15)).sum::<f64>()
    }
}

/// Runs statements on a server and returns what they print.
fn psql(server: &str, text: &str) -> String {
    let bin = std::env::var("VEILLE_TEST_POSTGRES_BIN").map_or_else(|_| "psql".to_owned(), |bin| bin + "/psql");
    let done = Command::new(bin).args([server, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", text]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

impl Drop for Database {
    fn drop(&mut self) {
        psql(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// The fields of `/proc/PID/stat`, numbered from 0.
fn stat(process: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second is a name in brackets, which may hold blanks.
    let rest = text.rsplit_once(')')?.1;
    Some(["", ""].into_iter().chain(rest.split_whitespace()).map(str::to_owned).collect())
}

fn parent(process: u32) -> Option<u32> {
    stat(process)?.get(3)?.parse().ok()
}

/// The sum of these fields in seconds.
pub fn ticks(process: u32, fields: std::ops::Range<usize>) -> Option<f64> {
    let fields: Vec<f64> = stat(process)?.get(fields)?.iter().filter_map(|field| field.parse().ok()).collect();
    Some(fields.iter().sum::<f64>() / 100.0)
}
