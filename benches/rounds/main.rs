//! The real program, measured as a process, from the first poll to the stop, beside the least that such a program could
//! do: `cargo bench --bench rounds -- [--feeds 100,1000,5000] [--repeats 3] [--out FILE]`.
//!
//! Writes `benches/RESULTS.md` and prints it. `VEILLE_BIN` names another binary to measure, such as one of an older
//! version. Linux only; everything stays on loopback. With 5,000 feeds it takes some ten minutes and 2 GB of memory
//! and disk.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a benchmark reports to people, and stops at what it did not expect"
)]

mod daemon;
mod feeds;
mod floor;
mod installation;
mod origin;
mod process;
mod results;

use std::path::{Path, PathBuf};

use installation::Installation;
use origin::Origin;
use process::Cost;
use results::{Rounds, Step};

/// Begins the part of the results that other commands have measured.
const KEPT: &str = "<!-- Kept by `cargo bench --bench rounds`";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo adds `--bench` at the end.
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve", feeds] => return origin::serve(feeds.parse().unwrap()),
        ["--floor", urls, database] => return floor::poll(urls, database),
        _ => {}
    }
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let sizes: Vec<usize> =
        value("--feeds").unwrap_or("100,1000,5000").split(',').map(|size| size.parse().unwrap()).collect();
    let repeats: usize = value("--repeats").map_or(3, |repeats| repeats.parse().unwrap());
    let out =
        value("--out").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md"), PathBuf::from);
    let program = std::env::var_os("VEILLE_BIN").map_or_else(|| env!("CARGO_BIN_EXE_veille").into(), PathBuf::from);
    let kept = std::fs::read_to_string(&out).unwrap_or_default();
    let kept = kept.split_once(KEPT).map(|(_, kept)| format!("\n{KEPT}{kept}")).unwrap_or_default();
    let mut all = Vec::new();
    for size in sizes {
        all.push(measure(size, &program, repeats));
        // After each size, so that a long run that is broken off has not been for nothing.
        std::fs::write(&out, results::write(&all, &program, repeats) + &kept).unwrap();
    }
    println!("{}", results::write(&all, &program, repeats));
}

/// Runs every step with so many feeds.
fn measure(feeds: usize, program: &Path, repeats: usize) -> Rounds {
    let tell = |step: &str, cost: &Cost| eprintln!("{feeds} feeds, {step}: {cost:.3?}");
    let mut origin = Origin::start(feeds);
    let mut polls: [(&str, Vec<Cost>, Vec<Cost>); 3] =
        ["cold", "without news", "one feed in ten has one new entry"].map(|name| (name, Vec::new(), Vec::new()));
    let mut installation = Installation::new(program, &origin.urls);
    for repeat in 0..repeats {
        if repeat > 0 {
            installation = Installation::new(program, &origin.urls);
        }
        for (step, (name, costs, floors)) in polls.iter_mut().enumerate() {
            if step == 2 {
                origin.next_round();
            }
            let (cost, floor) = (installation.poll(), installation.poll_floor());
            tell(name, &cost);
            costs.push(cost);
            floors.push(floor);
        }
    }
    let entries = installation.entries();
    let expected = feeds * feeds::ENTRIES + (0..feeds).filter(|feed| feeds::changes(*feed, repeats - 1)).count();
    assert_eq!(entries, expected, "not every entry was stored");
    let published: Vec<Cost> = (0..repeats).map(|_| installation.publish()).collect();
    let publish = Cost::median(&published);
    tell("publish", &publish);
    let steps = polls.map(|(name, costs, floors)| Step {
        name,
        cost: Cost::median(&costs),
        floor: Some(Cost::median(&floors)),
    });
    let mut steps = Vec::from(steps);
    steps.push(Step { name: "publish", cost: publish, floor: None });
    let seen = daemon::watch(&mut installation);
    eprintln!("{feeds} feeds: {seen:.2?}");
    Rounds { feeds, entries, steps, seen }
}
