//! A process and what it costs: time, processor time, memory. From `/proc` of Linux, since a process that has ended
//! keeps its figures there until somebody waits for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(3);

/// What one run of a process cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub wall: f64,
    /// User and system, seconds, to the hundredth.
    pub cpu: f64,
    /// The most memory that was resident at once.
    pub peak_mb: f64,
}

impl Cost {
    /// The median of each figure by itself.
    pub fn median(costs: &[Self]) -> Self {
        let median = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = costs.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Self { wall: median(|cost| cost.wall), cpu: median(|cost| cost.cpu), peak_mb: median(|cost| cost.peak_mb) }
    }
}

/// A process that is running.
pub struct Process {
    child: Child,
    log: PathBuf,
    started: Instant,
    peak_mb: f64,
}

impl Process {
    /// Starts a command. What it says goes to a file, which is shown if it fails.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file = fs::File::create(log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let started = Instant::now();
        Self { child: command.spawn().unwrap(), log: log.to_owned(), started, peak_mb: 0.0 }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Megabytes that are resident now.
    pub fn resident_mb(&self) -> f64 {
        status_mb(self.id(), "VmRSS:").unwrap_or(0.0)
    }

    /// The most that were resident at once since the start.
    pub fn peak_mb(&mut self) -> f64 {
        self.peak_mb = status_mb(self.id(), "VmHWM:").unwrap_or(self.peak_mb);
        self.peak_mb
    }

    /// Waits for the end; the process must have succeeded.
    pub fn end(mut self) -> Cost {
        while !self.has_ended() {
            self.peak_mb();
            std::thread::sleep(LOOK);
        }
        let (wall, cpu) = (self.started.elapsed().as_secs_f64(), self.cpu());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", fs::read_to_string(&self.log).unwrap_or_default());
        Cost { wall, cpu, peak_mb: self.peak_mb }
    }

    /// Sends SIGTERM and returns how long the end took.
    pub fn terminate(self) -> Duration {
        let asked = Instant::now();
        assert!(Command::new("kill").arg(self.id().to_string()).status().unwrap().success());
        self.end();
        asked.elapsed()
    }

    fn has_ended(&self) -> bool {
        self.stat().first().is_none_or(|state| state == "Z")
    }

    fn cpu(&self) -> f64 {
        // Fields 14 and 15, in hundredths of a second: all threads, those that have ended too.
        self.stat().iter().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
    }

    /// The fields of `/proc/ID/stat` from the third, which follows a name in brackets.
    fn stat(&self) -> Vec<String> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().map(str::to_owned).collect()
    }
}

/// A daemon must not outlive a benchmark that fails.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn status_mb(id: u32, name: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let kilobytes = text.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?;
    Some(kilobytes.trim().parse::<f64>().ok()? / 1024.0)
}
