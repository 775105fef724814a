//! The pages of sources: who they are, what they bring to topics, how they are.

use std::collections::{BTreeMap, HashSet};

use askama::Template;

use super::days::{self, DayHeading};
use super::plot::{self, Plot};
use super::story::{self, Stand, on_page};
use super::{
    Frame, OutageShown, PAGE_BYTES_MAX, PageLink, PageStory, date_in_words, day, html, instant, outages, page_of,
    site_title,
};
use crate::feed::Timestamp;
use crate::publish::channel::Channel;
use crate::publish::item;
use crate::publish::words::{self, Words};
use crate::publish::{CONFIG, Credit, Edition, Representation, hidden, legal};
use crate::state::{Health, Turn};
use crate::story::{SourceTally, Story};

#[derive(Template)]
#[template(path = "sources.html", whitespace = "minimize")]
struct Sources<'a> {
    frame: Frame<'a>,
    outages: Vec<OutageShown>,
    groups: Vec<Group>,
    hubs: Vec<HubShown>,
    /// The words for a hub in trouble.
    hub_trouble: &'static str,
}

/// A hub on a page.
struct HubShown {
    address: String,
    /// Why it takes no announcements.
    trouble: Option<String>,
}

/// Sources that fare alike.
struct Group {
    id: &'static str,
    heading: &'static str,
    sources: Vec<SourceShown>,
}

/// A source on a page.
struct SourceShown {
    id: String,
    title: String,
    /// Whether it has a page of its own.
    has_page: bool,
    site: Option<String>,
    feed: Option<String>,
    brought: Option<Brought>,
    /// Its current problem.
    trouble: Option<Trouble>,
    moved_to: Option<String>,
}

/// The part that a source has in the topics.
struct Brought {
    /// Its stories of a year and their share.
    year: String,
    share: String,
    rhythm: Plot,
    rhythm_told: String,
    instant: String,
    last: String,
}

struct Trouble {
    health: &'static str,
    instant: String,
    day: String,
    /// With its language.
    detail: Option<(String, &'static str)>,
}

#[derive(Template)]
#[template(path = "source.html", whitespace = "minimize")]
struct SourcePage<'a> {
    frame: Frame<'a>,
    source: SourceShown,
    is_read: bool,
    /// The topics that it tells of, each with the number of its stories.
    topics: Vec<(PageLink, u64)>,
    days: Vec<(DayHeading, String)>,
}

#[derive(Template)]
#[template(path = "river.html", whitespace = "minimize")]
struct SourceStory<'a> {
    words: &'a Words,
    item: PageStory<'a>,
    line: Option<String>,
    topics: Vec<PageLink>,
}

/// The stories that a source brought to the topics in a year.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceYear {
    /// Its stories, and the date of the last; one of two topics counts twice.
    tally: SourceTally,
    /// Its stories by topic, in the order of the config.
    topics: Vec<(String, u64)>,
    /// Their part of all stories of all topics, in per cent.
    percent: Option<u64>,
}

/// Returns what each source brought to the topics of an edition in a year.
#[must_use]
pub fn figures(edition: &Edition<'_>) -> BTreeMap<String, SourceYear> {
    let years: Vec<_> = edition
        .selections
        .iter()
        .map(|selection| (&selection.topic.id, plot::year(&selection.counts, edition.today)))
        .collect();
    let all: u64 = years.iter().map(|(_, year)| year.stories()).sum();
    let mut figures: BTreeMap<String, SourceYear> = BTreeMap::new();
    for (topic, year) in years {
        for (id, tally) in year.sources {
            let of = figures.entry(id).or_default();
            of.topics.push((topic.clone(), tally.stories()));
            of.tally.last = of.tally.last.max(tally.last);
            for (sum, stories) in of.tally.weekdays.iter_mut().zip(tally.weekdays) {
                *sum += stories;
            }
        }
    }
    for of in figures.values_mut() {
        of.percent = plot::per_cent(of.tally.stories(), all);
    }
    figures
}

/// Renders `/sources/`: who is read, what each brings, and how each is.
pub(in crate::publish) fn sources(edition: &Edition<'_>) -> Representation {
    let site = site_title(edition);
    let frame = Frame::new(edition, "../", &site, "/sources/");
    let figures = figures(edition);
    let polled = edition.sources.iter().filter(|(_, credit)| credit.is_polled);
    let mut sources: Vec<(bool, SourceShown)> = polled
        .map(|(id, credit)| (credit.about.format.is_some(), shown_source(edition, id, credit, figures.get(id))))
        .collect();
    sources.sort_by_key(|(_, source)| source.title.to_lowercase());
    let (ill, others): (Vec<_>, Vec<_>) = sources.into_iter().partition(|(_, source)| source.trouble.is_some());
    let (well, unread): (Vec<_>, Vec<_>) = others.into_iter().partition(|(is_read, _)| *is_read);
    let of = |sources: Vec<(bool, SourceShown)>| sources.into_iter().map(|(_, source)| source);
    let words = frame.words;
    let config = edition.config.as_ref().map(|turn| config(edition, turn));
    let groups = [
        Group { id: "in_trouble", heading: words.in_trouble, sources: config.into_iter().chain(of(ill)).collect() },
        Group { id: "unread", heading: words.unread, sources: of(unread).collect() },
        Group { id: "well", heading: words.in_order, sources: of(well).collect() },
    ];
    let groups = groups.into_iter().filter(|group| !group.sources.is_empty()).collect();
    let hub_trouble = (frame.words.health)(Health::Unreachable);
    let hubs = hubs(edition);
    page_of("/sources/".to_owned(), &Sources { frame, outages: outages(edition), groups, hubs, hub_trouble })
}

/// Renders the page of a source with its latest stories, newest first, each with the ids of its topics.
pub(in crate::publish) fn page_of_source(
    edition: &Edition<'_>,
    channels: &[Channel],
    (id, credit): (&str, &Credit),
    figures: &SourceYear,
    stories: &[(Story, Vec<String>)],
) -> Representation {
    let site = site_title(edition);
    let path = format!("/sources/{id}/");
    let frame = Frame::new(edition, "../../", &site, &path);
    let link = |id: &String| {
        let channel = channels.iter().find(|channel| channel.id == *id)?;
        Some(PageLink { url: format!("../../{id}/"), title: channel.title.clone() })
    };
    let topics = figures.topics.iter().filter_map(|(id, stories)| Some((link(id)?, *stories))).collect();
    let source = shown_source(edition, id, credit, Some(figures));
    let is_read = credit.about.format.is_some();
    let template = SourcePage { frame, source, is_read, topics, days: Vec::new() };
    let mut left = PAGE_BYTES_MAX.saturating_sub(html(&template).len());
    let mut days: Vec<(DayHeading, String)> = Vec::new();
    let mut ids = HashSet::new();
    for (story, topics) in stories {
        let first = topics.first().and_then(|id| edition.selections.iter().find(|known| known.topic.id == *id));
        let Some(selection) = first else { continue };
        let item = item::item(edition, selection.topic, story);
        if !ids.insert(item.id.clone()) {
            continue;
        }
        let on = days::day_in_zone(edition.site, story.placed);
        let stand = Stand { root: "../../", topic: &selection.topic.id, day: on, links_sources: true };
        let told = SourceStory {
            words: words::words_in(edition.site.language),
            item: on_page(edition, &item, &stand),
            line: story::excerpt(&item, super::EXCERPT_MAX),
            topics: topics.iter().filter_map(link).collect(),
        };
        let told = html(&told);
        let Some(rest) = left.checked_sub(told.len() + 200) else { break };
        left = rest;
        // Without words such as "today": else the pages of all sources would be made anew at midnight.
        let heading = days::heading(edition.site, on, None);
        match days.last_mut().filter(|(last, _)| last.id == heading.id) {
            Some((_, stories)) => stories.push_str(&told),
            None => days.push((heading, told)),
        }
    }
    page_of(path, &SourcePage { days, ..template })
}

fn shown_source(edition: &Edition<'_>, id: &str, credit: &Credit, figures: Option<&SourceYear>) -> SourceShown {
    let item::Attribution { title, url, site, .. } = item::attribution(edition, id);
    SourceShown {
        id: id.to_owned(),
        title,
        has_page: figures.is_some(),
        site,
        feed: url,
        brought: figures.map(|figures| brought(edition, figures)),
        trouble: credit.health.as_ref().and_then(|turn| trouble_in_words(edition, turn)),
        moved_to: credit.moved_to.as_ref().filter(|_| !credit.is_private()).and_then(legal::link),
    }
}

fn brought(edition: &Edition<'_>, figures: &SourceYear) -> Brought {
    let SourceYear { tally, percent, .. } = figures;
    let words = words::words_in(edition.site.language);
    let last = Timestamp::from_timestamp(tally.last, 0).unwrap_or_default();
    Brought {
        year: (words.page.in_a_year)(tally.stories(), &(words.page.percent)(*percent)),
        share: (words.page.share)(*percent),
        rhythm: Plot::bars(&tally.weekdays, words.page.plot),
        rhythm_told: (words.page.rhythm_told)(&tally.weekdays),
        instant: instant(last),
        last: date_in_words(edition.site, days::day_in_zone(edition.site, last)),
    }
}

/// The config, as long as something is wrong with it, stands first: no source can mend it.
fn config(edition: &Edition<'_>, turn: &Turn) -> SourceShown {
    SourceShown {
        id: CONFIG.to_owned(),
        title: CONFIG.to_owned(),
        has_page: false,
        site: None,
        feed: None,
        brought: None,
        trouble: trouble(edition, turn),
        moved_to: None,
    }
}

/// The hubs of the config. Dates of announcements are left out: the page would change with each one.
fn hubs(edition: &Edition<'_>) -> Vec<HubShown> {
    let trouble =
        |hub: &str| edition.hubs.iter().filter(|told| told.hub == hub).find_map(|told| told.last_error.clone());
    let hubs = edition.settings.hubs.iter();
    hubs.map(|hub| HubShown { address: legal::iri(hub.as_str()), trouble: trouble(hub.as_str()) }).collect()
}

/// Returns the trouble of a source as readers are told: the answers of servers are the operator's.
fn trouble_in_words(edition: &Edition<'_>, turn: &Turn) -> Option<Trouble> {
    let trouble = trouble(edition, turn)?;
    let detail = trouble.detail.filter(|_| turn.health == Health::Silent);
    Some(Trouble { detail, ..trouble })
}

fn trouble(edition: &Edition<'_>, turn: &Turn) -> Option<Trouble> {
    let words = words::words_in(edition.site.language);
    (turn.health != Health::Recovered).then(|| Trouble {
        health: (words.health)(turn.health),
        instant: instant(turn.date),
        day: day(edition.site, turn.date),
        detail: hidden::detail(edition, turn),
    })
}
