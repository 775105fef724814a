//! Whether statements read a large table through, by the plans that PostgreSQL makes.
//!
//! Plans are asked for without statistics, as of a new store (where the server assumes some pages), and with those of many
//! rows. A statement is planned once for all values, as our sessions do.

use super::rows;
use super::session::{Call, Session};
use super::*;

/// Longest wait for a lock; nobody else is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tables that stay small, or that a statement may read through.
const READ_THROUGH: [&str; 16] = [
    // As many as the config has, and read as a whole by a publication.
    "source",
    "validator",
    "subscription",
    // A few hundred, or a few.
    "change",
    "announcement",
    "throttle",
    "post_topic",
    "post",
    "ruleset",
    "meta",
    "veille",
    "written",
    "pg_class",
    // Empty after each publication, or after a relabelling.
    "unrelated",
    "unlabelled",
    "relabelled",
];

/// Indexes of only what is gone, was joined, or waits to be sent.
const PARTIAL: [&str; 3] = ["entry_withdrawn", "entry_joined", "outbox_waiting"];

/// Rows of each large table. Numbers that the jobs of tests use are not among them.
const FILL: &str = "
    INSERT INTO entry (number, story, first_seen, date, owns_guid, source_id, key, guid_key, fingerprint, atom_id, title, details)
        SELECT n, n - n % 3, 1795000000 + n, 1795000000 + n, true, 'source ' || n % 500, sha256(n::text::bytea),
            sha256(n::text::bytea), sha256(n::text::bytea), 'urn:' || n, 'Un titre ' || n, '{}'
        FROM generate_series(3000, 33000) n;
    UPDATE entry SET left_feed = first_seen WHERE number % 2 = 0 AND number >= 3000;
    INSERT INTO clue SELECT 230, n * 7919 % 100000, n FROM generate_series(3000, 33000) n;
    INSERT INTO sketch SELECT n, '', '' FROM generate_series(3000, 33000) n;
    INSERT INTO labelled SELECT n, (SELECT max(id) FROM ruleset), 'topic ' || n % 20, 1795000000 + n, 6, '[]'
        FROM generate_series(3000, 33000) n;
    INSERT INTO terms SELECT n, '' FROM generate_series(3000, 33000) n;
    INSERT INTO bond SELECT n, n + 1, true FROM generate_series(3000, 33000) n;
    INSERT INTO revision (entry, replaced) SELECT n, 1795000000 FROM generate_series(3000, 33000) n;
    INSERT INTO related SELECT 'topic ' || n % 20, n, n % 5, n - 1 FROM generate_series(3000, 33000) n;
    INSERT INTO month SELECT 'topic ' || n % 200, '2' || lpad((n / 200)::text, 3, '0') || '-01', n FROM generate_series(3000, 9000) n;
    INSERT INTO outbox (post, story, topic, event, noted, generation, state, sent)
        SELECT 'post ' || n % 5, n, 'topic', 'new', 1795000000, 1, 'sent', 1795000000 FROM generate_series(3000, 33000) n;
    INSERT INTO entry_text SELECT n, 0, 'un titre' FROM generate_series(3000, 33000) n;
    INSERT INTO unindexed SELECT n FROM generate_series(3000, 33000) n;
    INSERT INTO lease (name) SELECT 'h' || n FROM generate_series(3000, 9000) n";

/// Runs a job on a new store with one entry, and fails on each of its statements whose plan has a costly step.
#[track_caller]
pub(in crate::store) fn check(address: &Address, first: &Change, is_large: bool, job: &impl Fn(&mut dyn Store)) {
    let mut store = Postgres::open_within(address, PATIENCE).unwrap();
    assert_eq!(store.apply(std::slice::from_ref(first), None).unwrap(), Applied::Kept);
    if is_large {
        store.session.simple(FILL).unwrap();
        store.session.simple("ANALYZE").unwrap();
    }
    drop(store);
    let mut store = Postgres::open_within(address, PATIENCE).unwrap();
    job(&mut store);
    let heard = store.session.sent();
    assert!(heard.len() > 3, "nothing was heard: {heard:?}");
    let mut asking = Session::connect(address, PATIENCE).unwrap();
    let mut faults = Vec::new();
    for (sql, parameters) in heard {
        let plan = plan(&mut asking, &sql, parameters);
        let costly = costly_steps(&plan);
        if !costly.is_empty() {
            faults.push(format!("{costly:?} in\n{sql}\n{}\n", plan.join("\n")));
        }
    }
    assert!(faults.is_empty(), "{} costly plans, large: {is_large}\n{}", faults.len(), faults.join("\n"));
}

/// Returns the plan that a session would make once for all values of the parameters.
fn plan(session: &mut Session, sql: &str, parameters: usize) -> Vec<String> {
    session.simple(&format!("PREPARE asked AS {sql}")).unwrap();
    let values = vec!["NULL"; parameters].join(", ");
    let values = if values.is_empty() { values } else { format!("({values})") };
    let mut answers = session.look(&[Call::new(format!("EXPLAIN EXECUTE asked{values}"), Vec::new())]).unwrap();
    session.simple("DEALLOCATE asked").unwrap();
    rows::next(&mut answers, |row| rows::get::<String>(row, 0)).unwrap()
}

/// The steps that read a large table or one of its indexes through: no condition leads them into an index.
fn costly_steps(plan: &[String]) -> Vec<String> {
    let is_step = |line: &String| line.contains("(cost=");
    let mut costly = Vec::new();
    for (place, line) in plan.iter().enumerate().filter(|(_, line)| is_step(line)) {
        let step = line.split("  (cost=").next().unwrap_or_default().trim().trim_start_matches("->").trim();
        let Some((kind, of)) = step.split_once(" on ") else { continue };
        // A bitmap of an index is named by the index; the heap that it leads to has been narrowed down by it.
        let is_reading = ["Seq Scan", "Index Scan", "Index Only Scan"].iter().any(|reading| kind.contains(reading));
        let name = of.split(' ').next().unwrap_or_default();
        let is_small = READ_THROUGH.iter().any(|table| name == *table || name.starts_with(&format!("{table}_")));
        if !is_reading || is_small || PARTIAL.iter().any(|index| step.contains(index)) {
            continue;
        }
        let facts = plan[place + 1..].iter().take_while(|line| !is_step(line));
        if !facts.clone().any(|fact| fact.trim_start().starts_with("Index Cond:")) {
            costly.push(step.to_owned());
        }
    }
    costly
}

#[test]
fn a_step_without_a_condition_of_an_index_is_costly() {
    let check = |plan: &str, expected: &[&str]| {
        let lines: Vec<String> = plan.lines().map(str::to_owned).collect();
        assert_eq!(costly_steps(&lines), expected);
    };
    check("Seq Scan on entry  (cost=0.00..9.00 rows=9 width=8)\n  Filter: (title = $1)", &["Seq Scan on entry"]);
    check("Index Scan using entry_pkey on entry e  (cost=0.00..9.00 rows=9 width=8)\n  Index Cond: (number = $1)", &[]);
    check(
        "Limit  (cost=0.00..9.00 rows=9 width=8)\n  ->  Index Only Scan using entry_by_date on entry  (cost=0.00..9.00 rows=9 \
         width=8)\n        Filter: true\n  ->  Seq Scan on source  (cost=0.00..9.00 rows=9 width=8)",
        &["Index Only Scan using entry_by_date on entry"],
    );
    check(
        "Bitmap Heap Scan on entry  (cost=0.00..9.00 rows=9 width=8)\n  ->  Bitmap Index Scan on entry_by_date  (cost=0.00..9.00 \
         rows=9 width=8)\n        Index Cond: (date > $1)",
        &[],
    );
}
