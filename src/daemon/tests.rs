use std::fs;

use super::*;

/// A daemon on a folder of its own, before its first publication.
fn daemon(folder: &std::path::Path) -> Daemon {
    let text = "[[topic]]\nid = \"ecole\"\ntitle = \"École\"\nany = [\"école\"]\n";
    let config = config::parse(text, &folder.join("config.toml")).unwrap();
    fs::write(&config.path, text).unwrap();
    let (store, _) = Handle::new(Box::new(Sqlite::open(&config.store.path).unwrap())).unwrap();
    Daemon::new(Arc::new(Context::new(config, store).unwrap()), Arc::default())
}

#[tokio::test]
async fn files_that_could_not_be_written_are_tried_again_without_news() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = daemon(folder.path());
    let file = daemon.context.config.publish.directory.join("ecole.atom");
    fs::create_dir_all(file.join("in the way")).unwrap();
    daemon.publish(false).await.unwrap();
    assert!(daemon.front.health.load().reasons[0].contains("ecole.atom"));
    fs::remove_dir_all(&file).unwrap();
    daemon.look().await.unwrap();
    assert!(!file.exists(), "not at once: a full disk must not be written to every two seconds");
    assert!(daemon.files_again.unwrap() <= tokio::time::Instant::now() + FILES_PAUSE);
    daemon.files_again = Some(tokio::time::Instant::now());
    daemon.look().await.unwrap();
    assert!(file.is_file());
    assert_eq!((daemon.files_again, daemon.front.health.load().reasons.len()), (None, 0));
}
