//! A process and what it costs: time, processor time, memory.
//!
//! Memory is read from `/proc` of Linux while the process runs. Processor time is what the system adds to the account of
//! our children (`getrusage(2)`) when the process has ended and is waited for; nothing else is waited for meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

const LOOK: Duration = Duration::from_millis(3);

/// The cost of one run of a process.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub wall: f64,
    /// User and system, seconds.
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
    /// Starts a command. Its output goes to a file, which is shown if it fails.
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
        let (wall, before) = (self.started.elapsed().as_secs_f64(), cpu_of_children());
        let status = self.child.wait().unwrap();
        let cpu = cpu_of_children() - before;
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

    /// Whether the process has ended; its figures stay until it is waited for.
    fn has_ended(&self) -> bool {
        // The state follows the name, which stands in brackets.
        let text = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        text.rsplit_once(')').is_none_or(|(_, fields)| fields.trim_start().starts_with('Z'))
    }
}

/// A daemon must not outlive a benchmark that fails.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of all children that were waited for.
fn cpu_of_children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6
}

fn status_mb(id: u32, name: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let kilobytes = text.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?;
    Some(kilobytes.trim().parse::<f64>().ok()? / 1024.0)
}
