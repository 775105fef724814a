//! The home page: what is new across topics, by day, each story once.

use askama::Template;

use super::days::{self, DayHeading};
use super::plot::{self, Plot};
use super::story::{self, Stand, on_page};
use super::{Frame, OutageShown, PAGE_BYTES_MAX, PageLink, PageStory, html, outages, page_of, site_title};
use crate::feed::Timestamp;
use crate::publish::channel::Channel;
use crate::publish::item::{self, Item};
use crate::publish::words::{self, Words};
use crate::publish::{Edition, Representation, River, Selection};

/// Length of the line of text under a title, in characters.
const LINE_MAX: usize = 140;
/// Weeks of the small plot of a topic.
const WEEKS_SHOWN: usize = 13;

#[derive(Template)]
#[template(path = "home.html", whitespace = "minimize")]
struct Home<'a> {
    frame: Frame<'a>,
    outages: Vec<OutageShown>,
    lead: String,
    /// How much is new, and since when nothing is.
    state: String,
    topics: Vec<HomeTopic<'a>>,
    days: Vec<RiverDay>,
}

/// A topic among all.
struct HomeTopic<'a> {
    id: &'a str,
    title: &'a str,
    /// Its stories of the last seven days.
    week: u64,
    plot: Plot,
}

/// The stories of a day, rendered.
struct RiverDay {
    heading: DayHeading,
    stories: String,
}

#[derive(Template)]
#[template(path = "river.html", whitespace = "minimize")]
struct RiverStory<'a> {
    words: &'a Words,
    item: PageStory<'a>,
    line: Option<String>,
    topics: Vec<PageLink>,
}

/// Renders `/`.
pub(in crate::publish) fn home(edition: &Edition<'_>, channels: &[Channel], river: &River) -> Representation {
    let site = site_title(edition);
    let frame = Frame::new(edition, "./", &site, "/");
    let topics = channels.iter().zip(&edition.selections).map(|(channel, Selection { counts, .. })| {
        let weeks: Vec<u64> = plot::weeks(counts, edition.today).iter().map(|(_, stories)| *stories).collect();
        let newest = weeks.get(weeks.len().saturating_sub(WEEKS_SHOWN)..).unwrap_or_default();
        HomeTopic {
            id: &channel.id,
            title: &channel.title,
            week: plot::last_seven_days(counts, edition.today),
            plot: Plot::bars(newest, frame.words.page.plot),
        }
    });
    let template = Home {
        outages: outages(edition),
        lead: (frame.words.page.lead)(edition.sources.values().filter(|credit| credit.is_polled).count()),
        state: state(edition, river),
        topics: topics.collect(),
        days: Vec::new(),
        frame,
    };
    // The rest of the page is known, so that the river fills what is left.
    let room = PAGE_BYTES_MAX.saturating_sub(html(&template).len());
    page_of("/".to_owned(), &Home { days: river_days(edition, channels, river, room), ..template })
}

/// Says how much is new, and when the last story came.
fn state(edition: &Edition<'_>, river: &River) -> String {
    let (site, words) = (edition.site, &words::words_in(edition.site.language).page);
    let came = river.stories.iter().map(|(story, _)| story.head.first_seen);
    let last: Option<Timestamp> = came.max();
    let last = last.map(|last| {
        let (hour, minute) = days::hour_and_minute(site, last);
        let day = days::in_sentence(site, days::day_in_zone(site, last), edition.today);
        format!(", {}", (words.last_came)(&day, &(words.at_hour)(hour, minute)))
    });
    format!("{}{}.", (words.week)(river.week), last.unwrap_or_default())
}

fn river_days(edition: &Edition<'_>, channels: &[Channel], river: &River, room: usize) -> Vec<RiverDay> {
    let mut days: Vec<RiverDay> = Vec::new();
    let mut left = room;
    for (story, topics) in &river.stories {
        let first = topics.first().and_then(|id| edition.selections.iter().find(|known| known.topic.id == *id));
        let Some(selection) = first else { continue };
        let item = item::item(edition, selection.topic, story);
        let day = days::day_in_zone(edition.site, story.placed);
        let heading = days::heading(edition.site, day, Some(edition.today));
        let shown = river_story(edition, channels, &item, topics, day);
        // A heading of a day is as long as a short story.
        let Some(rest) = left.checked_sub(shown.len() + 200) else { break };
        left = rest;
        match days.last_mut().filter(|last| last.heading.id == heading.id) {
            Some(last) => last.stories.push_str(&shown),
            None => days.push(RiverDay { heading, stories: shown }),
        }
    }
    days
}

fn river_story(
    edition: &Edition<'_>,
    channels: &[Channel],
    item: &Item,
    topics: &[String],
    day: chrono::NaiveDate,
) -> String {
    let stand = Stand { root: "./", topic: topics.first().map_or("", |id| id), day, links_sources: true };
    let named = topics.iter().filter_map(|id| channels.iter().find(|channel| channel.id == *id));
    let template = RiverStory {
        words: words::words_in(edition.site.language),
        item: on_page(edition, item, &stand),
        line: story::excerpt(item, LINE_MAX),
        topics: named
            .map(|channel| PageLink { url: format!("{}/", channel.id), title: channel.title.clone() })
            .collect(),
    };
    html(&template)
}
