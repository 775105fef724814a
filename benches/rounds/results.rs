//! The results as Markdown, with the machine that they were measured on.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::Utc;

use crate::daemon::Seen;
use crate::process::Cost;

/// One step with its cost and, if it has one, that of the floor.
pub struct Step {
    pub name: &'static str,
    pub cost: Cost,
    pub floor: Option<Cost>,
}

/// The measurements with one number of feeds.
pub struct Rounds {
    pub feeds: usize,
    pub entries: usize,
    pub steps: Vec<Step>,
    pub seen: Seen,
}

/// Writes all results so far.
pub fn write(all: &[Rounds], program: &Path, repeats: usize) -> String {
    let runs = match repeats {
        1 => "Each figure is of one run.".to_owned(),
        _ => format!("Each figure is the median of {repeats} runs; those of the daemon are of one."),
    };
    let mut text = format!(
        "# Results\n\nMeasured on {} by `cargo bench --bench rounds`: {}, Linux {}; {} built by {}. {runs}\n\n\
         A loopback origin answers for N feeds of 20 French entries of 1.5 KB each (`benches/rounds/feeds.rs`), on 200 \
         hosts, in a process of its own. One topic takes a tenth of them. The floor is reqwest, feed-rs and plain inserts, one \
         transaction a feed, on the same origin in the same run. CPU is user and system time of the process; wall-clock time \
         suffers from other work on the machine.\n\n\
         | feeds | step | wall s | CPU s | CPU ms a feed | peak MB | floor wall s | floor CPU s | floor peak MB | CPU, times the \
         floor |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        Utc::now().format("%Y-%m-%d"),
        machine(),
        output("uname", &["-r"]),
        output(&program.to_string_lossy(), &["--version"]),
        output("rustc", &["--version"]),
    );
    for rounds in all {
        for Step { name, cost, floor } in &rounds.steps {
            let a_feed = cost.cpu * 1_000.0 / rounds.feeds as f64;
            let Cost { wall, cpu, peak_mb } = cost;
            write!(text, "| {} | {name} | {wall:.2} | {cpu:.3} | {a_feed:.2} | {peak_mb:.0} |", rounds.feeds).unwrap();
            match floor {
                Some(floor) => {
                    let times = cpu / floor.cpu;
                    writeln!(text, " {:.2} | {:.3} | {:.0} | {times:.1} |", floor.wall, floor.cpu, floor.peak_mb)
                }
                None => writeln!(text, " | | | |"),
            }
            .unwrap();
        }
    }
    text.push_str(
        "\nThe daemon with the store that these steps leave. A new topic takes most of the entries: how long until its feed \
         shows them, the most memory since the start, the longest time without a watchdog signal, the slowest of the GETs of \
         another feed, fifty a second, meanwhile. Stop: from SIGTERM to the end, in the middle of labelling, and \
         in the middle of labelling and publishing at once (the longest of three).\n\n\
         | feeds | entries | at rest MB | new topic s | peak MB | watchdog gap s | slowest GET s | stop while labelling s | stop \
         while labelling and publishing s |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for Rounds { feeds, entries, seen, .. } in all {
        let Seen { idle_mb, peak_mb, .. } = seen;
        let seconds = [seen.watchdog_gap, seen.slowest_get, seen.stop_relabelling, seen.stop_busy];
        let seconds = seconds.map(|duration| format!("{:.2}", duration.as_secs_f64())).join(" | ");
        let new_topic = seen.new_topic.as_secs_f64();
        writeln!(text, "| {feeds} | {entries} | {idle_mb:.0} | {new_topic:.1} | {peak_mb:.0} | {seconds} |").unwrap();
    }
    text
}

fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {model}")
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
