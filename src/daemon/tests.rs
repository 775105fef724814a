use std::fs;
use std::path::Path;

use chrono::Utc;
use tokio::time::advance;

use super::*;
use crate::config;
use crate::pipeline::{Conclusion, Counts, Outcome, Polled};
use crate::store::ailment::Ailment;
use crate::store::sqlite::Sqlite;
use crate::store::{Handle, Store, StoreError};

/// A daemon on a folder of its own, before its first publication.
fn daemon(folder: &Path) -> Daemon {
    let text = "[[topic]]\nid = \"ecole\"\ntitle = \"École\"\nany = [\"école\"]\n";
    let config = config::parse(text, &folder.join("config.toml")).unwrap();
    fs::write(&config.path, text).unwrap();
    let (store, _) = Handle::new(Box::new(Sqlite::open(&config.store.path).unwrap())).unwrap();
    Daemon::new(Arc::new(Context::new(config, store).unwrap()), None)
}

/// Looks at the store, and publishes what the look gave cause for.
async fn look(daemon: &mut Daemon) {
    daemon.looking.ask();
    daemon.start();
    let looked = daemon.looking.ended().await.unwrap().unwrap();
    daemon.looked(&looked);
    publish(daemon).await;
}

/// Publishes if that was asked for.
async fn publish(daemon: &mut Daemon) {
    daemon.start();
    if daemon.publishing.is_running() {
        let publication = daemon.publishing.ended().await.unwrap().flatten().unwrap();
        daemon.published(publication);
    }
}

#[tokio::test]
async fn files_that_somebody_deleted_or_changed_are_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    let directory = daemon.context.config.publish.directory.clone();
    let file = directory.join("ecole.atom");
    daemon.publishing.ask();
    publish(&mut daemon).await;
    // The archives too, which the first publication leaves.
    look(&mut daemon).await;
    let written = fs::read(&file).unwrap();
    let faults: [&dyn Fn(); 3] =
        [&|| fs::remove_dir_all(&directory).unwrap(), &|| fs::remove_file(&file).unwrap(), &|| {
            fs::write(&file, "something else").unwrap();
        }];
    for fault in faults {
        fault();
        look(&mut daemon).await;
        assert_eq!(fs::read(&file).unwrap(), written);
        daemon.looking.ask();
        daemon.start();
        let looked = daemon.looking.ended().await.unwrap().unwrap();
        assert_eq!(looked.files.1, FilesFound::Whole);
    }
}

#[tokio::test]
async fn files_that_could_not_be_written_are_tried_again_without_news() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    let file = daemon.context.config.publish.directory.join("ecole.atom");
    daemon.publishing.ask();
    publish(&mut daemon).await;
    fs::remove_file(&file).unwrap();
    fs::create_dir_all(file.join("in the way")).unwrap();
    daemon.publishing.ask();
    publish(&mut daemon).await;
    assert!(daemon.front.health.load().reasons[0].contains("ecole.atom"));
    fs::remove_dir_all(&file).unwrap();
    look(&mut daemon).await;
    assert!(!file.exists(), "not at once: a full disk must not be written to every two seconds");
    assert!(daemon.files_again.unwrap() <= Instant::now() + publication::FILES_PAUSE);
    daemon.files_again = Some(Instant::now());
    look(&mut daemon).await;
    assert!(file.is_file());
    assert_eq!((daemon.files_again, daemon.front.health.load().reasons.len()), (None, 0));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_at_the_start_keeps_nobody_from_being_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    let file = daemon.context.config.publish.directory.join("ecole.atom");
    fs::create_dir_all(file.join("in the way")).unwrap();
    daemon.publishing.ask();
    publish(&mut daemon).await;
    assert!(daemon.front.tree.load().get("/ecole.atom").is_some());
    assert!(daemon.front.health.load().reasons[0].contains("ecole.atom"));
    fs::remove_dir_all(&file).unwrap();
    daemon.files_again = Some(Instant::now());
    look(&mut daemon).await;
    assert!(file.is_file() && daemon.front.health.load().reasons.is_empty());
}

/// Checks that a daemon that is prepared so ends by itself, with this reason.
async fn check_ends(prepare: impl FnOnce(&mut Daemon), reason: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    prepare(&mut daemon);
    let error = format!("{:#}", daemon.live().await.unwrap_err());
    assert!(error.starts_with(reason), "{error}");
    daemon.end(Instant::now() + END_MAX).await.unwrap();
}

/// Makes a task panic.
fn break_<T: Send + 'static>(task: &mut Task<T>) {
    task.ask();
    task.start(async || panic!("a fault"));
}

#[tokio::test]
async fn a_server_that_dies_ends_the_daemon_with_its_reason() {
    check_ends(|daemon| break_(&mut daemon.server), "serving over HTTP failed: ").await;
    let ends = |daemon: &mut Daemon| {
        daemon.server.ask();
        daemon.server.start(async || Ok(()));
    };
    check_ends(ends, "serving over HTTP has ended by itself").await;
}

#[tokio::test]
async fn a_task_that_panics_ends_the_daemon_with_its_name() {
    check_ends(|daemon| break_(&mut daemon.publishing), "publishing failed: ").await;
    check_ends(|daemon| break_(&mut daemon.relabelling), "labelling stored entries failed: ").await;
    check_ends(|daemon| break_(&mut daemon.upkeep), "the daily upkeep failed: ").await;
    check_ends(|daemon| break_(&mut daemon.announcing), "announcing to hubs failed: ").await;
    check_ends(|daemon| break_(&mut daemon.looking), "looking at the store failed: ").await;
    check_ends(|daemon| break_(&mut daemon.reloading), "reading the config failed: ").await;
}

#[tokio::test]
async fn a_fault_of_ours_in_the_store_ends_the_daemon_with_its_reason() {
    let fails = |daemon: &mut Daemon| {
        let lost = StoreError::Lost { reason: "a fault".into(), ailment: None };
        daemon.looking.ask();
        daemon.looking.start(async || Err(lost.into()));
    };
    check_ends(fails, "looking at the store failed: the store could not keep a transaction: a fault").await;
}

/// The error of a store on a full disk.
fn full() -> StoreError {
    let ailment = Ailment::Full { free_bytes: 7 };
    StoreError::Failed { store: "veille.db".into(), ailment, source: "it said so".into() }
}

#[tokio::test]
async fn a_poll_that_the_store_cannot_keep_is_due_still_and_stops_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    daemon.due.set("ecole", clock::now());
    let taken = daemon.due.take(clock::now(), |_| None).unwrap();
    let context = Arc::clone(&daemon.context);
    daemon.end_poll(Ended { source_id: taken, context, asked: None, conclusion: Err(full()) }).unwrap();
    assert!(daemon.due.next().unwrap() <= clock::now(), "it stays due");
    assert!(daemon.until_next_poll() > Duration::ZERO, "but nobody is asked");
    daemon.start_polls(clock::now());
    assert!(daemon.polls.is_empty());
    let reasons = &daemon.front.health.load().reasons;
    assert!(reasons[0].starts_with("the disk of `veille.db` is full: 7 bytes free; free some space"), "{reasons:?}");
}

#[tokio::test]
async fn a_store_that_can_be_written_again_ends_the_outage_with_a_few_polls_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    daemon.store_fails(&full());
    daemon.store_fails(&full());
    assert_eq!(daemon.outages.len(), 1);
    daemon.mended(Err(full()));
    assert!(daemon.is_ailing() && daemon.tries == 2);
    daemon.mended(Ok(()));
    assert!(!daemon.is_ailing() && daemon.outages.is_empty() && daemon.front.health.load().reasons.is_empty());
    assert!(daemon.room_for_polls() < polls_max(&daemon.context), "it may be full again at once");
    let context = Arc::clone(&daemon.context);
    let conclusion =
        Ok(Conclusion::Kept { polled: Polled { outcome: Outcome::Unchanged, next_poll: None }, is_answer: true });
    daemon.end_poll(Ended { source_id: "ecole".into(), context, asked: None, conclusion }).unwrap();
    assert_eq!(daemon.room_for_polls(), polls_max(&daemon.context));
}

#[tokio::test]
async fn a_store_file_that_is_deleted_is_noticed_and_one_put_back_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    daemon.publishing.ask();
    publish(&mut daemon).await;
    let path = daemon.context.config.store.path.clone();
    let away = path.with_file_name("away.db");
    daemon
        .context
        .store
        .call({
            let away = away.clone();
            move |store| store.backup(&away)
        })
        .await
        .unwrap();
    fs::remove_file(&path).unwrap();
    daemon.looking.ask();
    daemon.start();
    let looked = daemon.looking.ended().await;
    assert!(daemon.survive(looked).unwrap().is_none());
    assert!(daemon.front.health.load().reasons[0].contains("was deleted or moved away while in use"));
    let tried = daemon.context.store.call(|store| store.tidy(Utc::now())).await;
    assert!(tried.is_err(), "nobody would find what is written to a file that is gone");
    for (is_back, expected) in [(false, true), (true, false)] {
        if is_back {
            fs::rename(&away, &path).unwrap();
        }
        daemon.ailing.as_mut().unwrap().try_now();
        daemon.start();
        let mended = daemon.mending.ended().await.unwrap().unwrap();
        daemon.mended(mended);
        assert_eq!(daemon.is_ailing(), expected);
    }
    assert!(!path.with_file_name("away.db").exists());
    daemon.context.store.call(|store| store.tidy(clock::now())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_hears_nothing_while_the_store_leaves_a_look_without_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    let (release, released) = std::sync::mpsc::channel::<()>();
    let store = daemon.context.store.clone();
    tokio::spawn(async move {
        let hold = move |_: &mut dyn Store| {
            let _ = released.recv();
            Ok(())
        };
        store.call(hold).await
    });
    tokio::task::yield_now().await;
    daemon.looking.ask();
    daemon.start();
    advance(LOOK_MAX / 2).await;
    assert!(daemon.is_alive());
    advance(LOOK_MAX / 2).await;
    assert!(!daemon.is_alive());
    drop(release);
    daemon.looking.ended().await.unwrap();
    assert!(daemon.is_alive());
}

#[tokio::test]
async fn changes_of_another_process_are_published_once_a_publication_under_way_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    daemon.publishing.ask();
    publish(&mut daemon).await;
    let files = (Arc::clone(&daemon.placed), FilesFound::Whole);
    let news = Looked { generation: daemon.published.unwrap() + 1, size: 0, others: 0, files };
    daemon.publishing.ask();
    daemon.start();
    daemon.looked(&news);
    assert_eq!(daemon.gathered, None, "this one may show them");
    publish(&mut daemon).await;
    daemon.looked(&news);
    assert!(daemon.gathered.is_some());
}

#[tokio::test]
async fn a_loop_without_room_for_another_poll_sleeps_although_one_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    daemon.due.set("ecole", clock::now());
    assert_eq!(daemon.until_next_poll(), Duration::ZERO);
    for _ in 0..polls_max(&daemon.context) {
        daemon.polls.spawn(std::future::pending());
    }
    assert_eq!(daemon.until_next_poll(), LOOK);
}

/// Checks whether the end of a poll with this outcome, which began under another config, makes labels be looked at again.
fn check_relabelled(outcome: Outcome, is_relabelled: bool) {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    let old = Arc::clone(&daemon.context);
    daemon.context = Arc::new(old.renewed(old.config.clone()).unwrap());
    let conclusion = Ok(Conclusion::Kept { polled: Polled { outcome, next_poll: None }, is_answer: true });
    daemon.end_poll(Ended { source_id: "ecole".into(), context: old, asked: None, conclusion }).unwrap();
    daemon.start();
    assert_eq!((daemon.relabelling.is_running(), daemon.gathered.is_some()), (is_relabelled, is_relabelled));
}

#[tokio::test]
async fn news_of_a_poll_that_began_under_another_config_is_labelled_again() {
    check_relabelled(Outcome::Read(Counts { new: 1, changed: 0 }), true);
    check_relabelled(Outcome::Read(Counts { new: 0, changed: 1 }), true);
    check_relabelled(Outcome::Read(Counts::default()), false);
    check_relabelled(Outcome::Unchanged, false);
}

/// A daemon with a feed that is due in an hour, and whose loop went round a moment ago.
fn waiting(folder: &Path) -> Daemon {
    let mut daemon = daemon(folder);
    daemon.due.set("ecole", clock::now() + TimeDelta::hours(1));
    daemon
}

#[tokio::test]
async fn a_clock_that_was_set_back_has_due_times_looked_at_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = waiting(folder.path());
    daemon.start_polls(clock::now());
    assert!(!daemon.is_to_replan);
    daemon.round = clock::now() + TimeDelta::days(366);
    daemon.start_polls(clock::now());
    assert!(daemon.is_to_replan);
    daemon.start();
    let reloaded = daemon.reloading.ended().await.unwrap().unwrap();
    assert!(matches!(reloaded, Reloaded::Taken(..)));
    assert!(daemon.next_upkeep <= clock::now() + UPKEEP);
}

#[tokio::test]
async fn a_machine_that_lacks_descriptors_waits_and_blames_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = waiting(folder.path());
    daemon.due.set("ecole", clock::now());
    let taken = daemon.due.take(clock::now(), |_| None).unwrap();
    let context = Arc::clone(&daemon.context);
    let conclusion = Ok(Conclusion::Lacking("Too many open files".into()));
    daemon.end_poll(Ended { source_id: taken, context: Arc::clone(&context), asked: None, conclusion }).unwrap();
    let reasons = &daemon.front.health.load().reasons;
    assert!(reasons[0].contains("Too many open files") && reasons[0].contains("LimitNOFILE="), "{reasons:?}");
    assert!(daemon.until_next_poll() > Duration::ZERO, "it does not try without a pause");
    assert!(daemon.due.next().unwrap() > clock::now(), "it stays due");
    daemon.lacking_until = None;
    let polled = Polled { outcome: Outcome::Unchanged, next_poll: None };
    let conclusion = Ok(Conclusion::Kept { polled, is_answer: true });
    let asked = Some(("h.example".into(), std::time::Instant::now()));
    daemon.end_poll(Ended { source_id: "other".into(), context, asked, conclusion }).unwrap();
    assert!(daemon.front.health.load().reasons.is_empty());
}

#[tokio::test(start_paused = true)]
async fn at_midnight_of_the_zone_pages_are_made_anew_and_at_no_other_hour() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    clock::simulated::set(at("2026-11-28T22:58:00Z"));
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    daemon.publishing.ask();
    publish(&mut daemon).await;
    daemon.publishing.ask();
    publish(&mut daemon).await;
    let is_publishing = |daemon: &mut Daemon, now: &str| {
        clock::simulated::set(at(now));
        daemon.start();
        daemon.publishing.is_running()
    };
    assert!(!is_publishing(&mut daemon, "2026-11-28T22:59:59Z"), "it is a minute before midnight in Paris");
    assert!(is_publishing(&mut daemon, "2026-11-28T23:00:01Z"), "midnight");
    publish(&mut daemon).await;
    assert!(!is_publishing(&mut daemon, "2026-11-29T00:00:01Z"), "midnight in UTC is an hour like others");
    assert!(is_publishing(&mut daemon, "2026-11-28T10:00:00Z"), "a clock that was set back");
}
