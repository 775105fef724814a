//! Opening a file, refusing one, and copying it.

use std::time::Duration;

use super::*;
use crate::store::ailment::Ailment;

fn path() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("veille.db");
    (folder, path)
}

#[test]
fn a_new_store_is_empty() {
    check(|store| {
        let pulse = store.pulse().unwrap();
        assert!(pulse.size > 0);
        assert_eq!(pulse, Pulse { size: pulse.size, others: pulse.others, ..Pulse::default() });
        assert_eq!((held(store, Which::Newest), store.sources(None).unwrap()), (Vec::new(), Vec::new()));
    });
}

#[test]
fn folders_on_the_way_to_a_store_are_made() {
    let (folder, _) = path();
    let deep = folder.path().join("a/b/veille.db");
    Sqlite::open(&deep).unwrap();
    assert!(deep.exists());
}

#[test]
fn a_backup_is_a_store_and_overwrites_nothing() {
    check_file(|file| {
        let a = insert(&mut file.store, "education", &prepared("a"));
        let copy = file.path.with_file_name("copy.db");
        file.store.backup(&copy).unwrap();
        assert_eq!(shown(&mut Sqlite::open(&copy).unwrap(), "numerique"), [a]);
        assert!(matches!(file.store.backup(&copy), Err(StoreError::Open { .. })));
    });
}

#[test]
fn tidying_up_is_dated() {
    check(|store| {
        store.tidy(noon()).unwrap();
        assert_eq!(store.pulse().unwrap().tidied, Some(noon()));
    });
}

#[test]
fn a_newer_store_is_refused_and_left_as_it_is() {
    check_file(|file| {
        file.run("PRAGMA user_version = 99");
        let before = std::fs::read(&file.path).unwrap();
        for error in [Sqlite::open(&file.path).unwrap_err(), Sqlite::open_read_only(&file.path).unwrap_err()] {
            let store = file.path.display().to_string();
            assert!(
                matches!(&error, StoreError::Newer { store: named, found: 99, known: 8 } if *named == store),
                "{error}"
            );
        }
        assert_eq!(std::fs::read(&file.path).unwrap(), before);
    });
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let (_folder, path) = path();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let before = std::fs::read(&path).unwrap();
    for error in [Sqlite::open(&path).unwrap_err(), Sqlite::open_read_only(&path).unwrap_err()] {
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let (_folder, path) = path();
    std::fs::write(&path, "not a database at all, but long enough to be read as one ".repeat(20)).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(StoreError::Foreign { .. })));
}

#[test]
fn a_damaged_file_is_found_by_the_check() {
    check_file(|file| {
        let changes =
            (1..400).map(|number| insertion(number, "education", number, &numbered(number, prepared("a")), noon()));
        apply(&mut file.store, &changes.collect::<Vec<_>>());
        file.run("PRAGMA wal_checkpoint(TRUNCATE)");
        let mut bytes = std::fs::read(&file.path).unwrap();
        bytes.chunks_mut(4096).rev().take(5).for_each(|page| page.fill(0xff));
        let copy = file.path.with_file_name("copy.db");
        std::fs::write(&copy, &bytes).unwrap();
        // A log that is left over says that the store was not closed: so the file is checked.
        std::fs::write(file.path.with_file_name("copy.db-wal"), [0; 64]).unwrap();
        let error = Sqlite::open(&copy).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{}", error.reason());
    });
}

#[test]
fn only_a_store_that_is_there_is_opened_for_reading() {
    let (_folder, path) = path();
    assert!(matches!(Sqlite::open_read_only(&path), Err(StoreError::Missing { .. })));
    assert!(!path.exists());
}

#[test]
fn a_store_opened_for_reading_shows_everything_and_takes_no_change() {
    check_file(|file| {
        let a = insert(&mut file.store, "education", &prepared("a"));
        let mut reader = Sqlite::open_read_only(&file.path).unwrap();
        assert_eq!(shown(&mut reader, "numerique"), [a]);
        assert!(reader.apply(&[Change::Labelled(1)], None).is_err());
        assert_eq!(look(&mut reader, Inquiry::default()).next_number, a + 1);
    });
}

/// The cause of a failure, and the advice that goes with it.
#[track_caller]
fn check_cause<T: std::fmt::Debug>(result: Result<T, StoreError>, expected: Ailment) {
    let error = result.unwrap_err();
    let ailment = error.ailment().unwrap();
    assert!(ailment.is_same(expected), "{error:?}");
    assert_eq!(error.hint(), Some(ailment.hint()));
}

#[test]
fn nothing_is_written_to_a_file_that_was_deleted_or_replaced() {
    check_file(|file| {
        let other = file.path.with_file_name("other.db");
        file.store.backup(&other).unwrap();
        std::fs::rename(&other, &file.path).unwrap();
        check_cause(file.store.pulse(), Ailment::Replaced);
        check_cause(file.store.apply(&[Change::Labelled(1)], None), Ailment::Replaced);
        std::fs::remove_file(&file.path).unwrap();
        check_cause(file.store.tidy(noon()), Ailment::Gone);
        check_cause(file.store.attempt(), Ailment::Gone);
        assert!(matches!(Sqlite::open_existing(&file.path, Duration::ZERO), Err(StoreError::Missing { .. })));
    });
}

#[test]
fn a_store_that_another_process_holds_is_locked() {
    check_file(|file| {
        let holder = rusqlite::Connection::open(&file.path).unwrap();
        holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        let short = Duration::from_millis(10);
        check_cause(Sqlite::open_existing(&file.path, short), Ailment::Locked);
        Sqlite::read_within(&file.path, short).unwrap().pulse().unwrap();
        drop(holder);
        Sqlite::open_existing(&file.path, short).unwrap().attempt().unwrap();
    });
}

#[test]
fn the_pulse_tells_that_another_process_has_written() {
    check_file(|file| {
        let before = file.store.pulse().unwrap().others;
        file.store.tidy(noon()).unwrap();
        assert_eq!(file.store.pulse().unwrap().others, before, "its own writing is no news");
        Sqlite::open(&file.path).unwrap().tidy(noon() + TimeDelta::days(1)).unwrap();
        assert_ne!(file.store.pulse().unwrap().others, before);
    });
}

#[test]
fn a_backup_is_read_without_a_trace_and_keeps_its_format() {
    check_file(|file| {
        let backup = file.path.with_file_name("backup.db");
        file.store.backup(&backup).unwrap();
        rusqlite::Connection::open(&backup).unwrap().pragma_update(None, "user_version", 5).unwrap();
        let others = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().count();
        let before = (others(backup.parent().unwrap()), std::fs::read(&backup).unwrap());
        let mut opened = Sqlite::open_backup(&backup).unwrap();
        assert_eq!(opened.format().unwrap(), 5);
        opened.sources(None).unwrap();
        drop(opened);
        assert_eq!((others(backup.parent().unwrap()), std::fs::read(&backup).unwrap()), before);
    });
}

#[test]
fn a_try_to_write_changes_nothing() {
    check_file(|file| {
        let before = file.store.pulse().unwrap();
        file.store.attempt().unwrap();
        assert_eq!(file.store.pulse().unwrap(), before);
    });
}

#[test]
fn a_damaged_store_says_so_and_is_not_copied() {
    check_file(|file| {
        let changes =
            (1..400).map(|number| insertion(number, "education", number, &numbered(number, prepared("a")), noon()));
        apply(&mut file.store, &changes.collect::<Vec<_>>());
        file.run("PRAGMA wal_checkpoint(TRUNCATE)");
        let mut bytes = std::fs::read(&file.path).unwrap();
        bytes.chunks_mut(4096).skip(1).for_each(|page| page.fill(0x5a));
        let copy = file.path.with_file_name("copy.db");
        std::fs::write(&copy, &bytes).unwrap();
        let mut reader = Sqlite::open_read_only(&copy).unwrap();
        check_cause(reader.sources(None), Ailment::Damaged);
        let backup = file.path.with_file_name("backup.db");
        check_cause(reader.backup(&backup), Ailment::Damaged);
        assert!(!backup.exists());
    });
}

#[test]
fn a_backup_ends_while_another_process_writes_all_the_time() {
    check_file(|file| {
        let changes =
            (1..400).map(|number| insertion(number, "education", number, &numbered(number, prepared("a")), noon()));
        apply(&mut file.store, &changes.collect::<Vec<_>>());
        let path = file.path.clone();
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = std::sync::Arc::clone(&stop);
        let writer = std::thread::spawn(move || {
            let mut store = Sqlite::open(&path).unwrap();
            while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                store.tidy(noon()).unwrap();
            }
        });
        file.store.backup(&file.path.with_file_name("copy.db")).unwrap();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        writer.join().unwrap();
    });
}

#[tokio::test]
async fn a_handle_without_a_store_fails_until_one_is_put() {
    let (_folder, path) = path();
    let (handle, _thread) = Handle::shut().unwrap();
    assert!(matches!(handle.call(|store| store.pulse()).await, Err(StoreError::Shut)));
    handle.put(Box::new(Sqlite::open(&path).unwrap())).await.unwrap();
    assert_eq!(handle.call(|store| store.pulse()).await.unwrap().generation, 0);
}

#[test]
fn an_error_names_the_file_as_text() {
    let error = StoreError::Missing { store: "veille.db".into() };
    assert_eq!(error.to_string(), "there is no store at `veille.db` yet");
}
