//! Several nodes decide at once on one database, as one would: `tests/postgres.sh` runs these.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::config::Secret;
use crate::pipeline::keeper::Keeper;
use crate::pipeline::{Archives, Context, publish};
use crate::state::{Hold, LeaseRequest, NodeSign};
use crate::store::postgres::{Address, Postgres};
use crate::store::{Handle, StoreError};
use crate::topic::Label;

/// A database's schema of its own.
fn address() -> Address {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = std::env::var("VEILLE_TEST_POSTGRES").expect("tests/postgres.sh names the server");
    let schema = format!("deciding_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let psql = std::env::var("VEILLE_TEST_POSTGRES_BIN").map_or_else(|_| "psql".to_owned(), |bin| bin + "/psql");
    let made = std::process::Command::new(psql).args([&server, "-qc", &format!("CREATE SCHEMA {schema}")]).status();
    assert!(made.unwrap().success());
    Address { url: Secret::Text(format!("{server} options='-c search_path={schema}'")), password: None }
}

fn open(address: &Address) -> Postgres {
    Postgres::open_within(address, Duration::from_secs(30)).unwrap()
}

/// As [`poll_with`], in the topic `ecole`.
fn labelled(source_id: &str, entries: &[Entry]) -> PollToKeep {
    let mut poll = poll_with(source_id, entries, noon());
    for fresh in poll.document.iter_mut().flat_map(|document| &mut document.fresh) {
        let mut prepared = (*fresh.prepared).clone();
        prepared.labels = vec![Label { topic: "ecole".into(), score: 6.0, reasons: Vec::new() }];
        fresh.prepared = Arc::new(prepared);
    }
    poll
}

/// The files that are published from a store.
fn published(store: Box<dyn Store>) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[topic]]\nid = 'ecole'\nany = ['école']\n";
    let config = crate::config::parse(text, &folder.path().join("config.toml")).unwrap();
    let directory = config.publish.directory.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (store, _) = Handle::new(store).unwrap();
        let context = Arc::new(Context::new(config, store).unwrap());
        publish(&context, Archives::All, &[], chrono::Utc::now(), &CancellationToken::new())
            .await
            .unwrap()
            .unwrap()
            .written
            .unwrap();
    });
    files(&directory)
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
    let named = files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()));
    // The list of what was published notes stamps, which are of one store.
    named.filter(|(name, _)| !name.starts_with('.')).collect()
}

#[tokio::test]
#[ignore = "needs a server: tests/postgres.sh"]
async fn a_poll_under_a_lost_lease_takes_none_of_its_batch_along() {
    let address = address();
    let mut store = open(&address);
    let sign = NodeSign { id: "a".into(), ..NodeSign::default() };
    let wanted: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
    let request = LeaseRequest { node: sign, most: 3, wanted, ..LeaseRequest::default() };
    let mut holds: Vec<Hold> = store.lease(&request).unwrap().granted.into_iter().map(|granted| granted.hold).collect();
    holds.sort_by(|one, other| one.name.cmp(&other.name));
    holds[1].fence -= 1;
    let (store, _) = Handle::new(Box::new(store)).unwrap();
    let keeper = Keeper::new(store, Arc::new(grouping()));
    let keep = |(hold, (title, text)): (&Hold, (&str, &str))| {
        let poll = poll_with(&hold.name, &[entry(&hold.name, title, text)], noon());
        let (keeper, poll) = (keeper.clone(), PollToKeep { hold: Some(hold.clone()), ..poll });
        tokio::spawn(async move { keeper.keep(poll).await })
    };
    // Queued before the keeper looks, on a runtime of one thread: one batch.
    let polls: Vec<_> = holds.iter().zip(SUBJECTS).map(keep).collect();
    let kept = futures_util::future::join_all(polls).await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    assert!(matches!(&kept[..], [Ok(_), Err(StoreError::Overtaken { lease }), Ok(_)] if lease == "b"), "{kept:?}");
    assert_eq!(all(&mut open(&address)).len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    #[ignore = "needs a server: tests/postgres.sh"]
    fn nodes_that_decide_at_once_give_the_stories_and_feeds_of_one(told in retellings(), nodes in 1..=4_usize) {
        let mut documents: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for (source, entry) in &told {
            documents.entry(source.clone()).or_default().push(entry.clone());
        }
        let documents: Vec<(String, Vec<Entry>)> = documents.into_iter().collect();
        let (address, next) = (address(), AtomicUsize::new(0));
        drop(open(&address));
        std::thread::scope(|scope| {
            for _ in 0..nodes {
                scope.spawn(|| {
                    let mut store = open(&address);
                    while let Some((source, entries)) = documents.get(next.fetch_add(1, Ordering::Relaxed)) {
                        keep_polls(&mut store, &[labelled(source, entries)], &grouping()).unwrap();
                    }
                });
            }
        });
        let mut shared = open(&address);
        let kept = all(&mut shared);
        // One node, in the order in which these were kept.
        let first = |source: &str| kept.iter().find(|stored| stored.source_id == source).unwrap().number;
        let mut in_order = documents.clone();
        in_order.sort_by_key(|(source, _)| first(source));
        let (_folder, mut alone) = stored(&[]);
        for (source, entries) in &in_order {
            keep_polls(&mut alone, &[labelled(source, entries)], &grouping()).unwrap();
        }
        prop_assert_eq!(&kept, &all(&mut alone));
        // And in any other order the same stories.
        let by_name: Vec<(&str, Vec<Entry>)> = documents.iter().map(|(source, entries)| (source.as_str(), entries.clone())).collect();
        prop_assert_eq!(super::told(&mut shared), super::told(&mut stored(&by_name).1));
        prop_assert_eq!(published(Box::new(shared)), published(Box::new(alone)));
    }
}
