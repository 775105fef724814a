//! Whether statements read a large table through, by the plans that `SQLite` makes.
//!
//! Plans are asked for with the worst statistics: those of a store that was empty when it was tidied last.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::*;

/// Tables that stay small, or that a statement may read through; and indexes of only what is gone.
const READ_THROUGH: [&str; 17] = [
    "SCAN sqlite_sequence",
    "SCAN pragma_",
    // Once a relabelling.
    "SCAN unlabelled",
    "SCAN relabelled",
    "SCAN source",
    // Empty after each publication.
    "SCAN unrelated",
    "SCAN ruleset",
    "SCAN change",
    "SCAN announcement",
    "SCAN throttle",
    "SCAN post_topic",
    // A list in a parameter.
    "SCAN json_each",
    "SCAN CONSTANT ROW",
    "SCAN (subquery",
    "SCAN gone",
    "USING INDEX entry_withdrawn",
    "USING INDEX entry_joined",
];

/// Steps of a plan that read a large table through, or make an index of it for one statement.
fn is_costly(step: &str) -> bool {
    let is_whole = step.starts_with("SCAN") || step.contains("BLOOM FILTER ON") || step.contains("AUTOMATIC");
    is_whole && !READ_THROUGH.iter().any(|allowed| step.contains(allowed))
}

/// Runs a job on a new store with one entry, and fails on each of its statements whose plan has a costly step.
#[track_caller]
pub(in crate::store) fn check(first: &Change, job: impl FnOnce(&mut dyn Store)) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    store.connection.execute_batch("ANALYZE").unwrap();
    assert_eq!(store.apply(std::slice::from_ref(first), None).unwrap(), Applied::Kept);
    drop(store);
    let mut store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    let statements: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let heard = Arc::clone(&statements);
    let hear = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(statement, _) = event {
            heard.lock().unwrap().insert(statement.sql().into_owned());
        }
    };
    store.connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(hear)).unwrap();
    job(&mut store);
    let heard = statements.lock().unwrap().clone();
    assert!(heard.len() > 3, "nothing was heard: {heard:?}");
    for sql in heard.iter().filter(|sql| !sql.starts_with("EXPLAIN") && !sql.starts_with("PRAGMA")) {
        let mut plan = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps =
            plan.raw_query().mapped(|row| row.get::<_, String>("detail")).collect::<Result<Vec<_>, _>>().unwrap();
        let costly: Vec<_> = steps.iter().filter(|step| is_costly(step)).collect();
        assert!(costly.is_empty(), "{costly:?} in\n{sql}");
    }
}
