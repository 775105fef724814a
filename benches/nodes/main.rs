//! Several nodes on one PostgreSQL database, beside one on a file: `tests/postgres.sh --durable cargo bench --bench nodes --
//! [--feeds 5000] [--nodes 0,1,2,4] [--million 1000000]`.
//!
//! Prints two tables for `benches/RESULTS.md`. The first measures daemons as processes, and the server's processes beside
//! them; it fails if the files of two nodes differ. The second fills the tables with so many sources, without any network, and lets nodes pick and keep polls as fast as
//! they can. Linux only.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a benchmark reports to people, and stops at what it did not expect"
)]

#[path = "../rounds/feeds.rs"]
mod feeds;
mod million;
#[path = "../rounds/origin.rs"]
mod origin;
mod rounds;
mod server;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo adds `--bench` at the end.
    if let ["--serve", count] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return origin::serve(count.parse().unwrap());
    }
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<usize>().ok()
    };
    if let Some(feeds) = value("--feeds") {
        let nodes = arguments.iter().position(|argument| argument == "--nodes").and_then(|at| arguments.get(at + 1));
        let nodes = nodes.map_or("0,1,2,4", String::as_str).split(',').map(|nodes| nodes.parse().unwrap());
        println!("{}", rounds::measure(feeds, nodes));
    }
    if let Some(sources) = value("--million") {
        println!("{}", million::measure(sources));
    }
}
