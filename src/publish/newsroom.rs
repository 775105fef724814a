//! A small newsroom to publish in tests: one site, two sources, one topic.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use url::Url;

use crate::config::{Language, PublishSettings, ShownHealth, ShownImages, Site};
use crate::feed::{Entry, Person, Timestamp};
use crate::publish::{Credit, Edition, Hidden, Selection};
use crate::state::About;
use crate::story::{self, EntryKey, Related, StoredEntry, Story, Telling};
use crate::topic::{Boost, Label, Topic};

pub(super) struct Newsroom {
    pub(super) site: Site,
    pub(super) settings: PublishSettings,
    pub(super) sources: BTreeMap<String, Credit>,
    pub(super) topic: Topic,
    pub(super) today: NaiveDate,
}

impl Newsroom {
    pub(super) fn new() -> Self {
        let site = Site {
            title: "Veille numérique".into(),
            url: url("https://veille.example/"),
            language: Language::French,
            contact: Some("mailto:veille@veille.example".into()),
            zone: chrono_tz::Europe::Paris,
        };
        let settings = PublishSettings {
            directory: PathBuf::new(),
            entries: 50,
            related: 3,
            clean_links: true,
            images: ShownImages::Nowhere,
            hubs: Vec::new(),
            health: ShownHealth::All,
        };
        let ministry = Credit {
            title: None,
            url: url("https://ministere.example/rss.xml"),
            about: Box::new(About {
                title: Some("Ministère & Cie".into()),
                url: Some(url("https://ministere.example/")),
                ..About::default()
            }),
            is_polled: true,
            moved_to: None,
            health: None,
            hidden: Vec::new(),
        };
        let agency = Credit {
            title: Some("Agence".into()),
            url: url("https://agence.example/feed"),
            about: Box::default(),
            is_polled: true,
            moved_to: None,
            health: None,
            hidden: Vec::new(),
        };
        let topic = Topic {
            id: "ecole".into(),
            title: "L’école numérique".into(),
            description: "Ce qui se publie sur l’école numérique".into(),
            threshold: 6.0,
            language: None,
            boost: Boost::default(),
            body_cap: 3,
            rules: Vec::new(),
            not: Vec::new(),
            source_bonus: BTreeMap::new(),
            sources: None,
            include: Vec::new(),
            exclude: Vec::new(),
        };
        let sources = [("ministere".into(), ministry), ("agence".into(), agency)].into();
        let today = date("2026-11-28T12:00:00Z").date_naive();
        Self { site, settings, sources, topic, today }
    }

    pub(super) fn edition(&self, stories: Vec<Story>) -> Edition<'_> {
        Edition {
            hidden: Hidden::of(self.sources.values()),
            site: &self.site,
            settings: &self.settings,
            sources: &self.sources,
            selections: vec![Selection {
                topic: &self.topic,
                stories,
                months: Vec::new(),
                tombstones: Vec::new(),
                counts: Vec::new(),
            }],
            turns: &[],
            hubs: &[],
            config: None,
            outages: &[],
            posts: &[],
            today: self.today,
        }
    }
}

pub(super) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

pub(super) fn date(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An entry of the ministry with nothing but an id, first seen on 10 October 2026 at eight.
pub(super) fn bare(id: &str) -> StoredEntry {
    StoredEntry {
        number: 1,
        source_id: "ministere".into(),
        key: EntryKey([0; 16]),
        atom_id: format!("https://ministere.example/?p={id}"),
        story: 1,
        canonical_link: None,
        owns_guid: true,
        first_seen: date("2026-10-10T08:00:00Z"),
        date: date("2026-10-10T08:00:00Z"),
        changed: None,
        entry: Entry::default(),
    }
}

/// The same entry saying something.
pub(super) fn saying(stored: StoredEntry, entry: Entry) -> StoredEntry {
    StoredEntry { date: story::date(&entry, stored.first_seen), entry, ..stored }
}

/// An ordinary entry of the ministry.
pub(super) fn ordinary() -> StoredEntry {
    let entry = Entry {
        url: Some(url("https://ministere.example/tablettes")),
        title: Some("Des tablettes à l’école".into()),
        summary: Some("<p>Le plan <b>tablettes</b>.</p>".into()),
        published: Some(date("2026-10-09T06:30:00Z")),
        authors: vec![Person { name: Some("Élodie Nguyen".into()), ..Person::default() }],
        ..Entry::default()
    };
    saying(bare("1"), entry)
}

/// The story that one entry tells alone.
pub(super) fn story(head: StoredEntry) -> Story {
    let telling = Telling {
        source_id: head.source_id.clone(),
        title: head.entry.title.clone(),
        url: head.entry.url.clone(),
        canonical_link: head.canonical_link.clone(),
        categories: head.entry.categories.clone(),
        atom_id: head.atom_id.clone(),
    };
    let label = Label { topic: "ecole".into(), score: 9.0, reasons: Vec::new() };
    let (number, placed) = (head.story, head.date);
    Story { number, head, text: None, tellings: vec![telling], label, related: Vec::new(), placed }
}

/// Earlier news of another site.
pub(super) fn related(title: &str, page: &str) -> Related {
    Related { number: 9, title: Some(title.into()), url: Some(url(page)) }
}
