//! The search page: a form, and the stories found.

use askama::Template;

use crate::publish::page::{Frame, day, html, month_in_words, page_of};
use crate::publish::search::asked::{SearchAsked, SearchFault};
use crate::publish::search::quoted::{QuotedRun, quoted_line, quoted_text};
use crate::publish::search::words::{SearchWords, search_words};
use crate::publish::search::{FoundStory, PAGE_STORIES, SearchAnswer, SearchIndex, StoriesFound};
use crate::publish::{Edition, Representation};
use crate::topic::Query;

/// The path of the page.
const PATH: &str = "/search/";

#[derive(Template)]
#[template(path = "search.html", whitespace = "minimize")]
struct SearchPage<'a> {
    frame: Frame<'a>,
    words: &'static SearchWords,
    /// Whether the page can find anything.
    is_served: bool,
    asked: &'a str,
    topics: Vec<TopicOption<'a>>,
    /// The number of stories found, or why there was no search.
    outcome: Option<String>,
    stories: Vec<StoryFound<'a>>,
    /// The span of the stories that are searched.
    extent: Option<String>,
    is_partial: bool,
    pages: Option<PagesLinked>,
}

struct TopicOption<'a> {
    id: &'a str,
    title: &'a str,
    is_chosen: bool,
}

struct StoryFound<'a> {
    url: Option<String>,
    language: Option<String>,
    title: Vec<QuotedRun>,
    source: String,
    /// RFC 3339, for machines.
    instant: String,
    day: String,
    topics: Vec<(&'a str, &'a str)>,
    text: Vec<QuotedRun>,
}

struct PagesLinked {
    told: String,
    previous: Option<String>,
    next: Option<String>,
}

/// Renders `/search/` as a file: without a server there is no search.
pub(in crate::publish) fn static_page(edition: &Edition<'_>) -> Representation {
    let site = crate::publish::page::site_title(edition);
    let frame = Frame::new(edition, "../", &site, PATH);
    let words = search_words(edition.site.language);
    let template = SearchPage {
        frame,
        words,
        is_served: false,
        asked: "",
        topics: Vec::new(),
        outcome: None,
        stories: Vec::new(),
        extent: None,
        is_partial: false,
        pages: None,
    };
    page_of(PATH.to_owned(), &template)
}

/// Says why a search is refused.
pub(super) fn refused_page(index: &SearchIndex, fault: SearchFault) -> SearchAnswer {
    let words = search_words(index.site.language);
    let outcome = match fault {
        SearchFault::TooLong => words.too_long,
        SearchFault::Unreadable => words.unreadable,
    };
    let page = SearchPage { outcome: Some(outcome.to_owned()), ..empty(index, "", None) };
    SearchAnswer { html: html(&page), is_refused: true }
}

/// Shows a page of the stories found; the form alone if nothing was asked.
pub(super) fn results(
    index: &SearchIndex,
    asked: &SearchAsked,
    query: &mut Query,
    found: &StoriesFound,
) -> SearchAnswer {
    let page = empty(index, &asked.words, asked.topic.as_deref());
    if query.is_empty() {
        return SearchAnswer { html: html(&page), is_refused: false };
    }
    let words = search_words(index.site.language);
    let count = found.stories.len();
    let pages = count.div_ceil(PAGE_STORIES);
    let first = (asked.page - 1) * PAGE_STORIES;
    let shown = found.stories.iter().skip(first).take(PAGE_STORIES);
    let linked = PagesLinked {
        told: (words.page)(asked.page, pages),
        previous: (asked.page > 1).then(|| asked.at(asked.page - 1)),
        next: (asked.page < pages).then(|| asked.at(asked.page + 1)),
    };
    let page = SearchPage {
        outcome: Some((words.found)(count)),
        stories: shown.filter_map(|found| story(index, query, found)).collect(),
        pages: (pages > 1).then_some(linked),
        ..page
    };
    SearchAnswer { html: html(&page), is_refused: false }
}

fn empty<'a>(index: &'a SearchIndex, asked: &'a str, topic: Option<&str>) -> SearchPage<'a> {
    let words = search_words(index.site.language);
    let frame = Frame::apart(index.site.language, "../", &index.site_title, format!("{}search/", index.home));
    let extent = index.since().map(|month| (words.since)(&month_in_words(frame.words, month)));
    let topics = index.topics.iter().map(|(id, title)| TopicOption { id, title, is_chosen: topic == Some(id) });
    SearchPage {
        frame,
        words,
        is_served: true,
        asked,
        topics: topics.collect(),
        outcome: None,
        stories: Vec::new(),
        extent,
        is_partial: index.is_partial,
        pages: None,
    }
}

fn story<'a>(index: &'a SearchIndex, query: &mut Query, found: &FoundStory) -> Option<StoryFound<'a>> {
    let (story, date, topics) = index.shown(found)?;
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let topics = topics.into_iter().filter_map(|at| index.topics.get(at));
    let is_repeated = story.text.trim() == story.title;
    Some(StoryFound {
        title: quoted_line(&story.title, story.folding, query),
        text: if is_repeated { Vec::new() } else { quoted_text(&story.text, story.folding, query) },
        url: filled(story.url),
        language: filled(story.language),
        source: story.source,
        instant: date.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        day: day(&index.site, date),
        topics: topics.map(|(id, title)| (id.as_str(), title.as_str())).collect(),
    })
}
