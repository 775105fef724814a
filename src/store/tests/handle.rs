//! The handle on a store.

use super::*;

fn open() -> (tempfile::TempDir, Handle, std::thread::JoinHandle<()>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    let (handle, thread) = Handle::new(Box::new(store)).unwrap();
    (folder, handle, thread)
}

#[tokio::test]
async fn a_job_that_fails_leaves_those_of_others_as_they_are() {
    let (_folder, handle, thread) = open();
    let good = handle.call(|store| store.apply(&[insertion(1, "education", 1, &prepared("a"), noon())], None));
    let bad = handle.call(|store| store.apply(&[insertion(1, "education", 1, &prepared("b"), noon())], None));
    let (good, bad) = tokio::join!(good, bad);
    assert!(good.is_ok() && bad.is_err());
    assert_eq!(handle.call(|store| Ok(held(store, Which::Newest).len())).await.unwrap(), 1);
    drop(handle);
    thread.join().unwrap();
}

#[tokio::test]
async fn a_job_whose_caller_went_away_is_done_all_the_same() {
    let (_folder, handle, _thread) = open();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let busy = handle.call(move |_| {
        wait.recv().unwrap();
        Ok(())
    });
    let abandoned = handle.call(|store| Ok(insert(store, "education", &prepared("a"))));
    assert!(futures_util::FutureExt::now_or_never(busy).is_none());
    assert!(futures_util::FutureExt::now_or_never(abandoned).is_none(), "the store was busy");
    release.send(()).unwrap();
    assert_eq!(handle.call(|store| Ok(held(store, Which::Newest).len())).await.unwrap(), 1);
}

#[tokio::test]
async fn a_job_that_panics_leaves_the_store_alive_and_is_told_to_its_caller() {
    let (_folder, handle, _thread) = open();
    let doomed = handle.clone();
    let panicked = tokio::spawn(async move {
        doomed
            .call(|store| -> Result<(), StoreError> {
                insert(store, "education", &prepared("a"));
                panic!("a fault of ours")
            })
            .await
    });
    let panic = panicked.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"a fault of ours"));
    assert_eq!(handle.call(|store| Ok(held(store, Which::Newest).len())).await.unwrap(), 1);
}
