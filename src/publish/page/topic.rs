//! The pages of a topic: its newest stories, the months of its archive, and one of them.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{Datelike, NaiveDate};

use super::days::{self, DayHeading};
use super::plot::{self, Plot};
use super::story::{self, Stand, shown_picture};
use super::{Frame, PAGE_BYTES_MAX, PageLink, Shown, date_in_words, html, month_in_words, page_of, shown, site_title};
use crate::config::ShownImages;
use crate::publish::archive::{self as volumes, Volume};
use crate::publish::channel::Channel;
use crate::publish::item::{self, Item};
use crate::publish::policy::Origins;
use crate::publish::{Edition, Format, Representation, Selection};
use crate::story::Month;

/// Days that are open on the page of a topic; earlier ones are folded.
const OPEN_DAYS: usize = 10;
/// Fewest months for which a plot of the archive has room.
const SLOTS_MIN: usize = 36;
/// Sources that are named with their shares.
const SHARES_MAX: usize = 8;

#[derive(Template)]
#[template(path = "topic.html", whitespace = "minimize")]
struct TopicPage<'a> {
    frame: Frame<'a>,
    topic: Shown<'a>,
    /// The `meta` element with the policy for the pictures of other sites, or nothing.
    policy: String,
    /// Its stories of the last seven days.
    week: u64,
    days: Vec<DayShown>,
    /// Earlier days, and the number of their stories.
    earlier: Vec<DayShown>,
    earlier_told: String,
    /// Whether the archive has more.
    goes_on: bool,
    year: Plot,
    /// Each with its first day, for machines and for people.
    weeks: Vec<(NaiveDate, String, u64)>,
    /// The first and the last of the plot.
    span: (String, String),
    shares: Vec<ToldShare>,
}

/// The stories of a day, rendered.
struct DayShown {
    heading: DayHeading,
    stories: String,
    number: usize,
}

/// The part of a topic's stories that a source told.
struct ToldShare {
    title: String,
    page: Option<String>,
    stories: u64,
    percent: u64,
    told: String,
}

#[derive(Template)]
#[template(path = "archive.html", whitespace = "minimize")]
struct Archive<'a> {
    frame: Frame<'a>,
    topic: Shown<'a>,
    plot: Plot,
    years: Vec<Year>,
}

/// A year of the archive, its months newest first.
struct Year {
    number: i32,
    stories: u64,
    months: Vec<MonthRow>,
}

struct MonthRow {
    url: String,
    title: String,
    /// `None` before they were counted.
    stories: Option<u64>,
    /// In per cent of the largest month.
    part: u64,
}

#[derive(Template)]
#[template(path = "month.html", whitespace = "minimize")]
struct MonthPage<'a> {
    frame: Frame<'a>,
    topic: Shown<'a>,
    /// As people write it.
    month: String,
    told: String,
    plot: Plot,
    /// Number of its days.
    days: usize,
    articles: &'a str,
    previous: Option<PageLink>,
    next: Option<PageLink>,
}

/// The days of a volume's page while its stories are added.
#[derive(Debug, Default)]
pub(in crate::publish) struct VolumeDays {
    numbers: BTreeMap<NaiveDate, u64>,
}

/// Renders `/{topic}/`.
pub(in crate::publish) fn topic(edition: &Edition<'_>, channel: &Channel, selection: &Selection<'_>) -> Representation {
    let site = site_title(edition);
    let path = format!("/{}/", channel.id);
    let frame = Frame::new(edition, "../", &site, &path);
    let words = &frame.words.page;
    let weeks = plot::weeks(&selection.counts, edition.today);
    let numbers: Vec<u64> = weeks.iter().map(|(_, stories)| *stories).collect();
    let month = |at: Option<&(NaiveDate, u64)>| {
        at.map(|(day, _)| month_in_words(frame.words, Month { year: day.year(), month: day.month() }))
    };
    let span = (month(weeks.first()).unwrap_or_default(), month(weeks.last()).unwrap_or_default());
    let with_news = weeks.into_iter().rev().filter(|(_, stories)| *stories > 0);
    let template = TopicPage {
        topic: shown(channel),
        policy: String::new(),
        week: plot::last_seven_days(&selection.counts, edition.today),
        days: Vec::new(),
        earlier: Vec::new(),
        earlier_told: String::new(),
        goes_on: false,
        year: Plot::bars(&numbers, words.plot),
        weeks: with_news.map(|(day, stories)| (day, date_in_words(edition.site, day), stories)).collect(),
        span,
        shares: shares(edition, selection),
        frame,
    };
    // The rest of the page is known, so that the stories fill what is left; some of it is for the policy and for headings.
    let room = PAGE_BYTES_MAX.saturating_sub(html(&template).len() + 2048);
    let (mut days, policy, goes_on) = topic_days(edition, channel, room);
    let earlier = days.split_off(days.len().min(OPEN_DAYS));
    let number = earlier.iter().map(|day| day.number).sum();
    let earlier_told = (words.earlier)(number);
    page_of(path, &TopicPage { policy, days, earlier, earlier_told, goes_on, ..template })
}

/// Returns the days with their stories, the policy for their pictures, and whether some had no room.
fn topic_days(edition: &Edition<'_>, channel: &Channel, room: usize) -> (Vec<DayShown>, String, bool) {
    let mut origins = Origins::default();
    let is_shown = edition.settings.images == ShownImages::Linked;
    let mut days: Vec<DayShown> = Vec::new();
    let mut left = room;
    for item in &channel.items {
        let day = days::day_in_zone(edition.site, item.placed);
        let stand = Stand { root: "../", topic: &channel.id, day, links_sources: true };
        let picture = item.image.as_ref().filter(|image| is_shown && origins.admit(image)).map(shown_picture);
        let article = story::story_element(edition, item, &stand, picture);
        let Some(rest) = left.checked_sub(article.len() + 40) else { return (days, origins.meta(), true) };
        left = rest;
        let heading = days::heading(edition.site, day, Some(edition.today));
        if let Some(last) = days.last_mut().filter(|last| last.heading.id == heading.id) {
            last.stories.push_str(&article);
            last.number += 1;
        } else {
            // As long as a heading is.
            left = left.saturating_sub(200);
            days.push(DayShown { heading, stories: article, number: 1 });
        }
    }
    (days, origins.meta(), channel.before.is_some())
}

/// Returns the shares of the sources that told most of a topic's stories of the last year.
fn shares(edition: &Edition<'_>, selection: &Selection<'_>) -> Vec<ToldShare> {
    let year = plot::year(&selection.counts, edition.today);
    let all = year.stories();
    let words = &crate::publish::words::words_in(edition.site.language).page;
    let mut sources: Vec<(&String, u64)> = year.sources.iter().map(|(id, source)| (id, source.stories())).collect();
    sources.sort_by_key(|(id, stories)| (std::cmp::Reverse(*stories), *id));
    let share = |(id, stories): &(&String, u64)| {
        let is_polled = edition.sources.get(*id).is_some_and(|credit| credit.is_polled);
        let percent = plot::per_cent(*stories, all);
        ToldShare {
            title: item::attribution(edition, id).title,
            page: is_polled.then(|| format!("../sources/{id}/")),
            stories: *stories,
            percent: percent.unwrap_or(1),
            told: (words.percent)(percent),
        }
    };
    sources.iter().take(SHARES_MAX).map(share).collect()
}

/// Renders `/{topic}/archive/`: the months by years, newest first.
pub(in crate::publish) fn archive(
    edition: &Edition<'_>,
    channel: &Channel,
    selection: &Selection<'_>,
) -> Representation {
    let site = site_title(edition);
    let path = format!("/{}/archive/", channel.id);
    let frame = Frame::new(edition, "../../", &site, &path);
    let counts: BTreeMap<Month, u64> =
        selection.counts.iter().map(|count| (count.month, count.tally.stories())).collect();
    let most = counts.values().copied().max().unwrap_or_default();
    let mut years: Vec<Year> = Vec::new();
    for month in selection.months.iter().rev() {
        let stories = counts.get(month).copied();
        let row = MonthRow {
            url: format!("{month}/"),
            title: month_in_words(frame.words, *month),
            stories,
            part: plot::per_cent(stories.unwrap_or_default(), most).unwrap_or(u64::from(stories > Some(0))),
        };
        match years.last_mut().filter(|year| year.number == month.year) {
            Some(year) => year.months.push(row),
            None => years.push(Year { number: month.year, stories: 0, months: vec![row] }),
        }
        if let Some(year) = years.last_mut() {
            year.stories += stories.unwrap_or_default();
        }
    }
    let plot = Plot::bars(&every_month(&counts), frame.words.page.plot);
    page_of(path, &Archive { topic: shown(channel), plot, years, frame })
}

/// The stories of every month from the first to the last, also of those without any; at most those of the last ten years.
fn every_month(counts: &BTreeMap<Month, u64>) -> Vec<u64> {
    let (Some((first, _)), Some((last, _))) = (counts.first_key_value(), counts.last_key_value()) else {
        return Vec::new();
    };
    let earliest = Month { year: last.year - 10, month: last.month }.next();
    let mut month = (*first).max(earliest);
    let mut numbers = Vec::new();
    while month <= *last {
        numbers.push(counts.get(&month).copied().unwrap_or_default());
        month = month.next();
    }
    // A few bars across the whole page would be blocks.
    let empty = SLOTS_MIN.saturating_sub(numbers.len());
    [vec![0; empty], numbers].concat()
}

/// A character that no text of ours holds (XML has no word for it): it shows where the stories belong.
const STORIES: &str = "\0";

impl VolumeDays {
    /// Renders a story as it stands among others on the page of a volume, below the heading of its day if it is the first.
    /// Without its picture: a volume is written story by story, and its head, which would name where pictures come from, is
    /// written first.
    pub(in crate::publish) fn add(&mut self, edition: &Edition<'_>, topic_id: &str, item: &Item) -> String {
        let day = days::day_in_zone(edition.site, item.published);
        let is_first = !self.numbers.contains_key(&day);
        let head = if is_first {
            let DayHeading { id, name, .. } = days::heading(edition.site, day, None);
            let end = if self.numbers.is_empty() { "" } else { "</section>\n" };
            let name = name.replace('&', "&amp;");
            format!("{end}<section aria-labelledby=\"{id}\">\n<h2 class=\"day\" id=\"{id}\">{name}</h2>\n")
        } else {
            String::new()
        };
        *self.numbers.entry(day).or_default() += 1;
        let stand = Stand { root: "../../../", topic: topic_id, day, links_sources: false };
        format!("{head}{}", story::story_element(edition, item, &stand, None))
    }
}

/// Renders what stands before and after the stories of `/{topic}/archive/{month}/`.
pub(in crate::publish) fn volume(
    edition: &Edition<'_>,
    channel: &Channel,
    volume: &Volume<'_>,
    days: &VolumeDays,
) -> (Vec<u8>, Vec<u8>) {
    let site = site_title(edition);
    let path = volumes::path(&channel.id, volume.month, Format::Page);
    let frame = Frame::new(edition, "../../../", &site, &path);
    let words = frame.words;
    let neighbour = |month: Month| PageLink { url: format!("../{month}/"), title: month_in_words(words, month) };
    let all: u64 = days.numbers.values().sum();
    // A day of the zone may lie outside of the month, which is one of UTC.
    let first = NaiveDate::from_ymd_opt(volume.month.year, volume.month.month, 1).unwrap_or_default();
    let month = first.iter_days().take_while(|day| day.month() == volume.month.month);
    let numbers: Vec<u64> = month.map(|day| days.numbers.get(&day).copied().unwrap_or_default()).collect();
    let template = MonthPage {
        topic: shown(channel),
        month: month_in_words(words, volume.month),
        told: (words.stories)(usize::try_from(all).unwrap_or(usize::MAX)),
        plot: Plot::bars(&numbers, words.page.plot),
        days: numbers.len(),
        articles: if days.numbers.is_empty() { "" } else { STORIES },
        previous: volume.previous.map(neighbour),
        next: volume.next.map(neighbour),
        frame,
    };
    let html = html(&template);
    let (head, tail) = html.split_once(STORIES).unwrap_or((&html, ""));
    (head.into(), tail.into())
}
