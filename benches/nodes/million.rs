//! A million sources, state only: how fast nodes pick hosts and keep polls without news, and what the tables weigh.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use veille::config::Secret;
use veille::state::{About, Hold, LeaseRequest, NodeSign, SourceState, Validators};
use veille::store::postgres::{Address, Postgres};
use veille::store::{Applied, Change, Store};

use crate::server::Database;

/// Sources of one host.
const PER_HOST: usize = 4;

/// Polls kept in one transaction, as the daemon does.
const TOGETHER: usize = 32;

/// Hosts that a node takes in one round.
const TAKEN: usize = 16;

const SPAN: Duration = Duration::from_secs(20);

const TABLES: [&str; 4] = ["source", "validator", "lease", "node"];

/// Fills the tables, measures one, two and four nodes, then a vacuum; returns tables.
pub fn measure(sources: usize) -> String {
    let database = Database::new("million");
    let address = Address { url: Secret::Text(database.url()), password: None };
    let open = || Postgres::open_within(&address, Duration::from_mins(1)).unwrap();
    drop(open());
    let began = Instant::now();
    fill(&database, sources);
    eprintln!("filled in {:.0} s", began.elapsed().as_secs_f64());
    let mut text = format!("{sources} sources on {} hosts.\n\n", sources / PER_HOST);
    text += "| nodes | hosts picked a second | polls without news kept a second | CPU of PostgreSQL, cores | slowest round ms |\n\
             | --- | --- | --- | --- | --- |\n";
    let next_host = AtomicU64::new(0);
    for nodes in [1, 2, 4] {
        let (picked, kept, slowest) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(Duration::ZERO));
        let cpu = database.cpu();
        let began = Instant::now();
        std::thread::scope(|scope| {
            for node in 0..nodes {
                let (picked, kept, slowest, next_host, open) = (&picked, &kept, &slowest, &next_host, &open);
                scope.spawn(move || {
                    let mut store = open();
                    let mut held: Vec<Hold> = Vec::new();
                    let sign =
                        NodeSign { id: format!("{nodes}-{node}"), name: node.to_string(), ..NodeSign::default() };
                    while began.elapsed() < SPAN {
                        // All nodes have the same sources due, in the same order.
                        let first = next_host.load(Ordering::Relaxed);
                        let hosts = (sources / PER_HOST) as u64;
                        let wanted: Vec<String> =
                            (first..first + 4 * TAKEN as u64).map(|number| host(number % hosts)).collect();
                        let returned = held.drain(..).map(|hold| (hold, Duration::ZERO)).collect();
                        let round = Instant::now();
                        let request = LeaseRequest {
                            node: sign.clone(),
                            wanted,
                            most: TAKEN,
                            returned,
                            ..LeaseRequest::default()
                        };
                        let answer = store.lease(&request).unwrap();
                        let took = round.elapsed();
                        let mut most = slowest.lock().unwrap();
                        *most = (*most).max(took);
                        drop(most);
                        held = answer.granted.into_iter().map(|granted| granted.hold).collect();
                        picked.fetch_add(held.len() as u64, Ordering::Relaxed);
                        next_host.fetch_add(held.len() as u64, Ordering::Relaxed);
                        for some in held.chunks(TOGETHER / PER_HOST) {
                            let changes: Vec<Change> = some.iter().flat_map(polls).collect();
                            assert_eq!(store.apply(&changes, None).unwrap(), Applied::Kept);
                            kept.fetch_add((some.len() * PER_HOST) as u64, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let seconds = began.elapsed().as_secs_f64();
        let rate = |count: AtomicU64| count.into_inner() as f64 / seconds;
        let line = format!(
            "| {nodes} | {:.0} | {:.0} | {:.2} | {:.0} |",
            rate(picked),
            rate(kept),
            (database.cpu() - cpu) / seconds,
            slowest.into_inner().unwrap().as_secs_f64() * 1000.0
        );
        eprintln!("{line}");
        writeln!(text, "{line}").unwrap();
    }
    text += "\n| table | rows | table MB | indexes MB | dead rows before the vacuum | vacuum s |\n| --- | --- | --- | --- | --- | --- |\n";
    for table in TABLES {
        let dead = database.sql(&format!(
            "SELECT pg_stat_force_next_flush(); SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = '{table}'"
        ));
        let began = Instant::now();
        database.sql(&format!("VACUUM {table}"));
        let took = began.elapsed().as_secs_f64();
        let sizes = database.sql(&format!(
            "SELECT (SELECT count(*) FROM {table}) || ' | ' || pg_table_size('{table}') / 1000000 || ' | ' || pg_indexes_size('{table}') / 1000000"
        ));
        writeln!(text, "| {table} | {sizes} | {} | {took:.1} |", dead.trim()).unwrap();
    }
    text
}

fn host(number: u64) -> String {
    format!("h{number}.example.org")
}

/// The polls of a host's sources, as the daemon keeps those without news.
fn polls(hold: &Hold) -> Vec<Change> {
    let number: usize = hold.name.trim_start_matches('h').split('.').next().unwrap().parse().unwrap();
    let now = Utc::now();
    let state = |place: usize| SourceState {
        source_id: format!("f{}", number * PER_HOST + place),
        url: Some(format!("https://{}/{place}/feed.xml", hold.name).parse().unwrap()),
        last_poll: Some(now),
        last_success: Some(now),
        next_poll: Some(now + chrono::TimeDelta::hours(1)),
        next_poll_why: "hourly schedule".into(),
        validators: vec![Validators {
            url: format!("https://{}/{place}/feed.xml", hold.name),
            etag: Some(format!("\"f{}\"", number * PER_HOST + place).into_bytes()),
            last_modified: Some(b"Fri, 27 Nov 2026 10:00:00 GMT".to_vec()),
        }],
        about: About {
            title: Some(format!("Le flux de la rédaction {number}")),
            description: Some("Actualités ".repeat(12)),
            format: Some("rss20".into()),
            ..About::default()
        }
        .into(),
        ..SourceState::default()
    };
    let sources = (0..PER_HOST).map(|place| Change::Source(Box::new(state(place))));
    std::iter::once(Change::Held(hold.clone())).chain(sources).collect()
}

fn fill(database: &Database, sources: usize) {
    database.sql(&format!(
        "INSERT INTO source (id, url, body_hash, last_poll, last_success, next_poll, next_poll_why, failures, retired, about)
         SELECT 'f' || n, 'https://h' || n / {PER_HOST} || '.example.org/' || n % {PER_HOST} || '/feed.xml',
            sha256(n::text::bytea), 1795000000, 1795000000, 1795003600, 'hourly schedule', 0, false,
            '{{\"title\":\"Le flux de la rédaction ' || n || '\",\"url\":\"https://h' || n / {PER_HOST}
                || '.example.org/\",\"language\":\"fr\",\"format\":\"rss20\",\"description\":\"' || repeat('Actualités ', 12) || '\"}}'
         FROM generate_series(0, {sources} - 1) n;
         INSERT INTO validator SELECT 'f' || n, 'https://h' || n / {PER_HOST} || '.example.org/' || n % {PER_HOST} || '/feed.xml',
            ('\"f' || n || '\"')::bytea, 'Fri, 27 Nov 2026 10:00:00 GMT'::bytea
         FROM generate_series(0, {sources} - 1) n;
         INSERT INTO lease (name) SELECT 'h' || n || '.example.org' FROM generate_series(0, {sources} / {PER_HOST} - 1) n"
    ));
    database.sql("VACUUM ANALYZE");
}
