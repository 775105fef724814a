//! The file, and the handle on it.

use super::*;

#[test]
fn a_failed_job_leaves_nothing_and_an_inner_one_only_takes_back_itself() {
    check(|store| {
        store
            .atomically(&mut |store| {
                store.insert("education", &prepared("a"), None, noon())?;
                let inner = store.atomically(&mut |store| {
                    store.insert("education", &prepared("b"), None, noon())?;
                    Err(StoreError::Closed)
                });
                assert!(matches!(inner, Err(StoreError::Closed)));
                Ok(())
            })
            .unwrap();
        let outer = store.atomically(&mut |store| {
            store.insert("education", &prepared("c"), None, noon())?;
            Err(StoreError::Closed)
        });
        assert!(matches!(outer, Err(StoreError::Closed)));
        let titles: Vec<_> =
            store.entries_after(0, 10).unwrap().into_iter().filter_map(|stored| stored.entry.title).collect();
        assert_eq!(titles, ["a"]);
    });
}

#[test]
fn a_backup_is_a_store_and_overwrites_nothing() {
    check(|store| {
        store.insert("education", &prepared("a"), None, noon()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        store.backup(&copy).unwrap();
        assert_eq!(Sqlite::open(&copy).unwrap().entries_after(0, 10).unwrap().len(), 1);
        assert!(matches!(store.backup(&copy), Err(StoreError::Open { .. })));
    });
}

#[test]
fn a_store_of_the_first_format_is_migrated_and_what_is_derived_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("veille.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../sqlite/001.sql")).unwrap();
    old.execute_batch(
        "INSERT INTO entry (source_id, key, fingerprint, atom_id, story, first_seen, date, title, details)
            VALUES ('education', zeroblob(16), zeroblob(16), 'urn:a', 1, 1790000000, 1790000000, 'Un plan', '{}');
         INSERT INTO label VALUES (1, 'numerique', 1790000000, 6.0, '[]');
         INSERT INTO clue VALUES (7, 1);
         PRAGMA application_id = 0x7665696c; PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);
    let mut store = Sqlite::open(&path).unwrap();
    assert!(!store.is_whole().unwrap());
    assert_eq!(store.entry(1).unwrap().unwrap().entry.title.as_deref(), Some("Un plan"));
    assert_eq!(newest(&mut store, "numerique", 9).len(), 1);
    let clues = Clues { recent: vec![7], lasting: Vec::new() };
    store.set_clues(1, &clues).unwrap();
    store.mark_whole().unwrap();
    assert!(store.is_whole().unwrap());
    assert_eq!(store.candidates(&clues, noon() - TimeDelta::days(999)).unwrap().len(), 1);
}

#[test]
fn a_newer_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("veille.db");
    drop(Sqlite::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_file_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(Sqlite::open(&other), Err(StoreError::Foreign { .. })));
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database at all, but long enough to be read as one ".repeat(20)).unwrap();
    assert!(matches!(Sqlite::open(&text), Err(StoreError::Foreign { .. })));
}

#[tokio::test]
async fn callers_on_the_handle_share_commits_but_not_failures() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    let (handle, thread) = Handle::new(Box::new(store)).unwrap();
    let good = handle.call(|store| store.insert("education", &prepared("a"), None, noon()));
    let bad = handle.call(|store| {
        store.insert("education", &prepared("b"), None, noon())?;
        Err::<(), _>(StoreError::Closed)
    });
    let (good, bad) = tokio::join!(good, bad);
    assert!(good.is_ok() && bad.is_err());
    assert_eq!(handle.call(|store| store.entries_after(0, 10)).await.unwrap().len(), 1);
    drop(handle);
    thread.join().unwrap();
}

#[tokio::test]
async fn a_job_that_panics_takes_back_its_writes_and_leaves_the_store_alive() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    let (handle, _thread) = Handle::new(Box::new(store)).unwrap();
    let doomed = handle.clone();
    let panicked = tokio::spawn(async move {
        doomed
            .call(|store| -> Result<(), StoreError> {
                store.insert("education", &prepared("a"), None, noon())?;
                panic!("a fault of ours")
            })
            .await
    });
    assert!(panicked.await.is_err());
    assert!(handle.call(|store| store.entries_after(0, 10)).await.unwrap().is_empty());
}
