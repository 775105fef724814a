//! Changed rules and polls at the same time: whichever ends first, every entry ends up with the labels of the new rules.

use std::fs;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use veille::pipeline::{self, Context, Relabelling};

use crate::desk::Desk;
use crate::origin::{Gate, Origin, document};
use crate::world::{TOPIC, World, item, justice, partnership, rss};

const JUSTICE: &str = "[[topic]]\nid = \"justice\"\nany = [\"justice des mineurs\"]\n";

const BUDGET: &str = "[[topic]]\nid = \"budget\"\nany = [\"budget\"]\n";

fn now() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// A desk with one feed, polled under the topic of justice; then rules change to the topic of the budget.
struct Change {
    desk: Desk,
    /// As it was before the rules changed.
    old: Arc<Context>,
    /// Kept so that it answers.
    _origin: Origin,
}

impl Change {
    /// `answers`: the titles of the feed's items at each poll, each item known by its first letter.
    async fn of<const N: usize>(answers: [&[&str]; N]) -> Self {
        let origin = Origin::start();
        let items = |titles: &[&str]| {
            rss(&titles.iter().map(|title| item(&title[..1], title, "Texte", &[])).collect::<Vec<_>>())
        };
        origin.answers("/a", answers.map(|titles| document(items(titles))));
        let feed = format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", origin.url("/a"));
        let mut desk = Desk::new(&format!("{feed}{JUSTICE}"));
        pipeline::relabel(&desk.context).await.unwrap();
        desk.poll("a", now()).await;
        let old = Arc::clone(&desk.context);
        desk.reload(&format!("{feed}{BUDGET}"));
        Self { desk, old, _origin: origin }
    }

    async fn poll(&self, context: &Arc<Context>) {
        pipeline::poll(context, &context.config.sources[0], true, now() + TimeDelta::hours(1)).await.unwrap();
    }

    /// The titles of entries with their topics, in the order of their coming.
    async fn labels(&self) -> Vec<(String, Vec<String>)> {
        let read = |store: &mut dyn veille::store::Store| {
            let entries = store.entries_after(0, 100)?;
            let labelled = entries.into_iter().map(|stored| {
                let topics = store.labels(stored.number)?.into_iter().map(|label| label.topic).collect();
                Ok((stored.entry.title.unwrap_or_default(), topics))
            });
            labelled.collect()
        };
        self.desk.context.store.call(read).await.unwrap()
    }
}

fn labelled(title: &str, topics: &[&str]) -> (String, Vec<String>) {
    (title.to_owned(), topics.iter().map(|topic| (*topic).to_owned()).collect())
}

#[tokio::test]
async fn an_entry_that_changes_after_it_was_judged_is_judged_as_it_is_then() {
    let change = Change::of([&["A : le budget", "B : la justice des mineurs"], &["A : la mer", "B : le budget"]]).await;
    let judged = Relabelling::judge(&change.desk.context).await.unwrap();
    change.poll(&change.old).await;
    assert!(judged.keep(&change.desk.context).await.unwrap());
    assert_eq!(change.labels().await, [labelled("A : la mer", &[]), labelled("B : le budget", &["budget"])]);
}

#[tokio::test]
async fn an_entry_that_comes_after_the_judging_is_judged_by_the_new_rules() {
    let change = Change::of([&["A : la mer"], &["A : la mer", "B : le budget", "C : la justice des mineurs"]]).await;
    let judged = Relabelling::judge(&change.desk.context).await.unwrap();
    change.poll(&change.old).await;
    judged.keep(&change.desk.context).await.unwrap();
    let expected = [
        labelled("A : la mer", &[]),
        labelled("B : le budget", &["budget"]),
        labelled("C : la justice des mineurs", &[]),
    ];
    assert_eq!(change.labels().await, expected);
}

#[tokio::test]
async fn a_poll_under_the_new_rules_in_between_keeps_its_labels() {
    let change = Change::of([&["A : la justice des mineurs"], &["A : le budget"]]).await;
    let judged = Relabelling::judge(&change.desk.context).await.unwrap();
    change.poll(&change.desk.context).await;
    judged.keep(&change.desk.context).await.unwrap();
    assert_eq!(change.labels().await, [labelled("A : le budget", &["budget"])]);
}

#[test]
fn a_poll_that_ends_after_the_rules_have_changed_is_labelled_by_the_new_ones() {
    let gate = Gate::new();
    let late = item("tard", "La justice des mineurs, plus tard", "Texte", &[]);
    let world = World::new()
        .feed("education", [document(rss(&[partnership(), justice()]))])
        .feed("slow", [document(rss(&[late])).behind(&gate)]);
    let topics = format!("{TOPIC}{JUSTICE}");
    let patient = |topics: &str| {
        world.write_config(topics);
        let text = fs::read_to_string(world.config()).unwrap().replace("timeout = \"2s\"", "timeout = \"60s\"");
        let beside = world.folder.path().join("patient.toml");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, world.config()).unwrap();
    };
    patient(TOPIC);
    let daemon = world.run();
    daemon.until("/numerique-educatif.atom", |body| body.contains("Signature"));
    daemon.until("/metrics", |_| !world.origin.requests("/slow").is_empty());
    patient(&topics);
    // The new rules are in force for all that is stored, and only then the old poll goes on.
    daemon.until("/justice.atom", |body| body.contains("Réforme de la justice"));
    gate.open();
    daemon.until("/justice.atom", |body| body.contains("plus tard"));
}
