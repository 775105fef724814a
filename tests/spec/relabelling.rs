//! Changed rules and polls at the same time: whichever ends first, every entry ends up with the labels of the new rules.

use std::fs;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use veille::pipeline::{self, Context};
use veille::store::{Filter, StoreError, Which};

use crate::desk::{Desk, poll_alone};
use crate::origin::{Gate, Origin, document};
use crate::world::{TOPIC, World, item, justice, partnership, rss};

const JUSTICE: &str = "[[topic]]\nid = \"justice\"\nany = [\"justice des mineurs\"]\n";

const BUDGET: &str = "[[topic]]\nid = \"budget\"\nany = [\"budget\"]\n";

fn now() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// A desk with one feed, polled under the topic of justice; then rules change to the topic of the budget.
struct ChangedRules {
    desk: Desk,
    /// As it was before the rules changed.
    old: Arc<Context>,
    /// Kept so that it answers.
    _origin: Origin,
}

impl ChangedRules {
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
        poll_alone(context, &context.config.sources[0], true, now() + TimeDelta::hours(1)).await;
    }

    /// The titles of entries with their topics, in order.
    async fn labels(&self) -> Vec<(String, Vec<String>)> {
        let read = |store: &mut dyn veille::store::Store| {
            let filter = Filter { which: Which::After(0), limit: 100, ..Filter::default() };
            let labelled = store.entries(&filter)?.into_iter().map(|held| {
                let topics = held.labels.into_iter().map(|label| label.topic).collect();
                Ok((held.stored.entry.title.unwrap_or_default(), topics))
            });
            let mut labelled: Vec<(String, Vec<String>)> = labelled.collect::<Result<_, StoreError>>()?;
            labelled.sort();
            Ok(labelled)
        };
        self.desk.context.store.call(read).await.unwrap()
    }
}

fn labelled(title: &str, topics: &[&str]) -> (String, Vec<String>) {
    (title.to_owned(), topics.iter().map(|topic| (*topic).to_owned()).collect())
}

/// Takes the new rules over for all that is stored.
async fn relabel(change: &ChangedRules) {
    pipeline::relabel(&change.desk.context).await.unwrap();
}

#[tokio::test]
async fn entries_that_come_or_change_under_the_old_rules_are_labelled_again() {
    let change = ChangedRules::of([
        &["A : le budget", "B : la justice des mineurs"],
        &["A : la mer", "B : le budget", "C : le budget", "D : la justice des mineurs"],
    ])
    .await;
    relabel(&change).await;
    assert_eq!(
        change.labels().await,
        [labelled("A : le budget", &["budget"]), labelled("B : la justice des mineurs", &[])]
    );
    change.poll(&change.old).await;
    relabel(&change).await;
    let expected = [
        labelled("A : la mer", &[]),
        labelled("B : le budget", &["budget"]),
        labelled("C : le budget", &["budget"]),
        labelled("D : la justice des mineurs", &[]),
    ];
    assert_eq!(change.labels().await, expected);
}

#[tokio::test]
async fn a_poll_under_the_new_rules_before_they_are_taken_over_keeps_its_labels() {
    let change = ChangedRules::of([&["A : la justice des mineurs"], &["A : le budget"]]).await;
    change.poll(&change.desk.context).await;
    let before = [labelled("A : le budget", &["justice"])];
    assert_eq!(change.labels().await, before, "nothing of the new rules is published yet, and nothing is gone");
    relabel(&change).await;
    assert_eq!(change.labels().await, [labelled("A : le budget", &["budget"])]);
}

#[tokio::test]
async fn rules_that_are_taken_back_leave_all_as_it_was() {
    let change =
        ChangedRules::of([&["A : la justice des mineurs"], &["A : la justice des mineurs", "B : le budget"]]).await;
    relabel(&change).await;
    change.poll(&change.desk.context).await;
    pipeline::relabel(&change.old).await.unwrap();
    let expected = [labelled("A : la justice des mineurs", &["justice"]), labelled("B : le budget", &[])];
    assert_eq!(change.labels().await, expected);
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
