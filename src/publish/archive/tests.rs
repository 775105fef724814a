use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::publish::newsroom::{Newsroom, bare, date, story};
use crate::publish::{Selection, render};

/// A subscriber: follows the links of feeds, and counts how often each story is found in the archive.
struct FeedFollower {
    documents: HashMap<String, String>,
}

impl FeedFollower {
    /// Publishes stories of these days.
    fn new(days: &[&str], limit: usize) -> Self {
        let mut newsroom = Newsroom::new();
        newsroom.settings.entries = limit;
        let mut stories: Vec<Story> = days
            .iter()
            .enumerate()
            .map(|(number, day)| {
                let mut head = bare(&number.to_string());
                head.first_seen = date(&format!("{day}T08:00:00Z"));
                head.date = head.first_seen;
                story(head)
            })
            .collect();
        stories.sort_by_key(|story| std::cmp::Reverse(story.head.first_seen));
        let mut by_month: BTreeMap<Month, Vec<Story>> = BTreeMap::new();
        for story in &stories {
            by_month.entry(Month::of(story.head.date)).or_default().push(story.clone());
        }
        let months: Vec<Month> = by_month.keys().copied().collect();
        let mut edition = newsroom.edition(Vec::new());
        edition.selections = vec![Selection {
            topic: &newsroom.topic,
            stories,
            months: months.clone(),
            tombstones: Vec::new(),
            counts: Vec::new(),
        }];
        let volumes = Volume::all(&newsroom.topic, &months);
        let volumes = volumes.iter().flat_map(|volume| {
            let mut open = OpenVolume::new(&edition, *volume, Vec::new(), Vec::new());
            by_month[&volume.month].iter().for_each(|story| open.add(story).unwrap());
            open.finish(&[]).map(|Framed { path, head, body, tail }| (path, [head, body, tail].concat()))
        });
        let main = render(&edition).into_iter().map(|document| (document.path, document.bytes.to_vec()));
        let documents = main.chain(volumes).map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap()));
        Self { documents: documents.collect() }
    }

    fn link(document: &str, rel: &str) -> Option<String> {
        let line = document.lines().find(|line| line.contains(&format!("rel=\"{rel}\"")))?;
        let href = line.split("href=\"").nth(1)?.split('"').next()?;
        href.strip_prefix("https://veille.example").map(str::to_owned)
    }

    fn ids(document: &str) -> Vec<String> {
        let entries = document.split("<entry>").skip(1);
        entries.map(|entry| entry.split("<id>").nth(1).unwrap().split("</id>").next().unwrap().to_owned()).collect()
    }

    /// Returns the documents on the way from the main one to the first.
    fn way(&self) -> Vec<&str> {
        let mut way = vec![self.documents["/ecole.atom"].as_str()];
        while let Some(path) = Self::link(way.last().unwrap(), "prev-archive") {
            way.push(&self.documents[&path]);
        }
        way
    }
}

/// Checks that a subscriber finds each story, in no more than one volume, and what is on the way.
#[track_caller]
fn check(days: &[&str], limit: usize, documents: usize) {
    let subscriber = FeedFollower::new(days, limit);
    let way = subscriber.way();
    let all: std::collections::HashSet<_> = way.iter().flat_map(|document| FeedFollower::ids(document)).collect();
    assert_eq!(all.len(), days.len(), "each story is found");
    let archived: Vec<_> = way.iter().skip(1).flat_map(|document| FeedFollower::ids(document)).collect();
    let distinct: std::collections::HashSet<_> = archived.iter().collect();
    assert_eq!(archived.len(), distinct.len(), "in one volume only");
    assert_eq!(way.len(), documents);
}

#[test]
fn who_follows_the_archive_finds_each_story_once() {
    check(&["2026-08-31", "2026-09-01", "2026-09-30", "2026-10-01", "2026-10-02", "2026-10-03"], 3, 3 + 1);
    check(&["2024-12-31", "2025-01-01", "2026-10-01", "2026-10-02", "2026-10-03"], 2, 4);
    check(&["2026-10-01", "2026-10-02", "2026-10-03"], 2, 2);
    check(&["2026-10-01", "2026-10-02", "2026-10-03"], 50, 1);
    check(&["2026-09-01", "2026-10-02"], 50, 2);
    check(&[], 50, 1);
}

#[test]
fn a_volume_names_its_neighbours_and_the_main_document() {
    let subscriber = FeedFollower::new(&["2026-08-31", "2026-09-01", "2026-10-01"], 50);
    let volume = &subscriber.documents["/ecole/archive/2026-09.atom"];
    for (rel, path) in [
        ("self", "/ecole/archive/2026-09.atom"),
        ("alternate", "/ecole/archive/2026-09/"),
        ("current", "/ecole.atom"),
        ("prev-archive", "/ecole/archive/2026-08.atom"),
        ("next-archive", "/ecole/archive/2026-10.atom"),
    ] {
        assert_eq!(FeedFollower::link(volume, rel).as_deref(), Some(path), "{rel}");
    }
    assert!(volume.contains("<fh:archive>"), "{volume}");
    assert!(volume.contains("<id>https://veille.example/ecole.atom</id>"), "one feed in several documents");
}
