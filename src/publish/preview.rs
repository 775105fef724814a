//! The pages of `veille preview`: how the config in an editor's hands would look, and why. For one person, in English as all
//! that commands print; texts of publishers and topics are marked as in the site's language.
//!
//! Texts come from the commands that print the same; here they only get their markup.

use askama::Template;

use crate::config::Language;
use crate::publish::channel::language_tag;
use crate::publish::item::{self, Item};
use crate::publish::page::lone_story;
use crate::publish::{Edition, legal};
use crate::story::Story;
use crate::topic::{Quote, Topic};

/// The style sheet of the site.
pub const SITE_STYLE: &str = include_str!("../../templates/style.css");
/// The style sheet that previews have besides.
pub const PREVIEW_STYLE: &str = include_str!("../../templates/preview/preview.css");
/// The script that renews a page when the file is saved.
pub const PREVIEW_SCRIPT: &str = include_str!("../../templates/preview/preview.js");

/// A text in which code stands between backquotes, as commands print it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Phrase(String);

/// A part of a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhrasePart<'a> {
    /// The text, without backquotes.
    pub text: &'a str,
    /// Whether it stands between backquotes.
    pub is_code: bool,
}

impl From<String> for Phrase {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Phrase {
    /// Returns its parts, without empty ones.
    pub fn pieces(&self) -> impl Iterator<Item = PhrasePart<'_>> {
        let parts = self.0.split('`').enumerate().map(|(place, text)| PhrasePart { text, is_code: place % 2 == 1 });
        parts.filter(|part| !part.text.is_empty())
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The head of every page: the file, and how it is.
#[derive(Debug, Clone, Default)]
pub struct PreviewHead {
    /// Its path, as it was named.
    pub file: String,
    /// A number that changes with what pages show.
    pub version: u64,
    /// Whether a good file was tried.
    pub has_good: bool,
    /// When that was read, on the site's clocks.
    pub read_at: String,
    /// `120 stories`
    pub stories: String,
    /// How long it took to try them.
    pub took: String,
    /// Says that the store of another config is compared with; empty if not.
    pub store: Phrase,
    /// Whether the saved file is being tried.
    pub is_working: bool,
    /// The mistakes of the saved file, as `veille check` tells them.
    pub mistakes: Option<String>,
    /// Everything that `veille check` tells of the file that was tried, once it is known.
    pub checked: Option<String>,
    /// Whether that is more than that the file is valid.
    pub has_remarks: bool,
    /// The reason why nothing could be tried.
    pub trouble: Option<String>,
}

/// A topic in the list.
#[derive(Debug, Clone, Default)]
pub struct TopicRow {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The stories that pages show now.
    pub before: usize,
    /// The stories that they will show.
    pub then: usize,
    /// Stories that it gains.
    pub gained: usize,
    /// Stories that it loses.
    pub lost: usize,
    /// Whether it is published and not in the file any more.
    pub is_gone: bool,
}

impl TopicRow {
    fn is_same(&self) -> bool {
        self.gained + self.lost == 0
    }

    fn is_new(&self) -> bool {
        self.before == 0 && self.gained > 0
    }
}

/// A story in a list.
#[derive(Debug, Clone, Default)]
pub struct StoryRow {
    /// `gained`, `lost`, or nothing.
    pub mark: &'static str,
    /// Its title.
    pub title: String,
    /// Its address.
    pub url: Option<String>,
    /// Its source, day and tellings.
    pub note: String,
    /// The number of the entry that decides.
    pub entry: i64,
    /// Where a word that was searched stands.
    pub quote: Option<Quote>,
    /// Why it is in or not.
    pub told: Vec<Phrase>,
}

/// A story as the page of its topic would show it.
#[derive(Debug, Clone, Default)]
pub struct ProofRow {
    /// The story in HTML.
    pub html: String,
    /// Whether subscribers do not have it yet.
    pub is_gained: bool,
    /// The number of the entry that decides.
    pub entry: i64,
    /// Its points.
    pub verdict: String,
    /// The rules that counted.
    pub reasons: Vec<ReasonRow>,
}

/// A rule that counted.
#[derive(Debug, Clone, Default)]
pub struct ReasonRow {
    /// With their sign.
    pub points: String,
    /// Rule, field and terms.
    pub told: Phrase,
    /// The words in their context.
    pub quotes: Vec<Quote>,
}

/// A rule or a term in the table of words.
#[derive(Debug, Clone, Default)]
pub struct TermRow {
    /// Whether it is a rule, which its terms follow.
    pub is_rule: bool,
    /// The rule's name, or the term.
    pub name: String,
    /// The stories in which it counts.
    pub stories: usize,
    /// The stories that are in only thanks to it.
    pub alone: usize,
    /// Its points on average.
    pub points: String,
    /// The day on which it was seen last.
    pub last: String,
}

/// A part of the table of words.
#[derive(Debug, Clone, Default)]
pub struct TermGroup {
    /// Empty for the rules.
    pub title: Phrase,
    /// In the order in which they are shown.
    pub rows: Vec<TermRow>,
}

/// The page of a topic.
#[derive(Debug, Clone, Default)]
pub struct TopicSheet {
    /// Its figures.
    pub row: TopicRow,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// Stories that it gains, then those that it loses.
    pub changes: Vec<StoryRow>,
    /// The number of changes that are left out.
    pub changes_more: usize,
    /// The newest stories, in the order in which readers would see them.
    pub proofs: Vec<ProofRow>,
    /// The number of stories that are left out.
    pub proofs_more: usize,
    /// The number of stories that a link offers to show.
    pub next: Option<usize>,
    /// Stories that are nearly in.
    pub near: Vec<StoryRow>,
    /// The changes that would let them in.
    pub ways: Vec<Phrase>,
    /// The table of words.
    pub terms: Vec<TermGroup>,
    /// Terms that bring nothing, or are everywhere.
    pub remarks: Vec<Phrase>,
}

/// An entry that somebody asked about.
#[derive(Debug, Clone, Default)]
pub struct TriedRow {
    /// Its title.
    pub title: String,
    /// Its address.
    pub url: Option<String>,
    /// Its number and source, if it is stored.
    pub note: String,
    /// Topics that have something to say of it.
    pub judgements: Vec<JudgementRow>,
    /// The number of the others, in words.
    pub silent: String,
}

/// A topic's judgement.
#[derive(Debug, Clone, Default)]
pub struct JudgementRow {
    /// The topic's id.
    pub topic: String,
    /// The topic's title.
    pub title: String,
    /// Whether the entry is in.
    pub is_in: bool,
    /// In or why not, with the points.
    pub verdict: Phrase,
    /// The rules that counted.
    pub reasons: Vec<ReasonRow>,
    /// The rules that nearly did.
    pub misses: Vec<Phrase>,
}

#[derive(Template)]
#[template(path = "preview/home.html", whitespace = "minimize")]
struct HomeSheet<'a> {
    head: &'a PreviewHead,
    /// Remarks stand open here alone.
    is_home: bool,
    root: &'static str,
    language: &'static str,
    rows: &'a [TopicRow],
    gone: &'a [Phrase],
}

#[derive(Template)]
#[template(path = "preview/topic.html", whitespace = "minimize")]
struct TopicSheetPage<'a> {
    head: &'a PreviewHead,
    is_home: bool,
    root: &'static str,
    language: &'static str,
    page: &'a TopicSheet,
}

#[derive(Template)]
#[template(path = "preview/search.html", whitespace = "minimize")]
struct SearchSheet<'a> {
    head: &'a PreviewHead,
    is_home: bool,
    root: &'static str,
    language: &'static str,
    words: &'a str,
    found: &'a str,
    rows: &'a [StoryRow],
    more: usize,
    failure: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "preview/try.html", whitespace = "minimize")]
struct TrySheet<'a> {
    head: &'a PreviewHead,
    is_home: bool,
    root: &'static str,
    language: &'static str,
    text: &'a str,
    answers: &'a [TriedRow],
    failure: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "preview/nothing.html", whitespace = "minimize")]
struct NothingSheet<'a> {
    head: &'a PreviewHead,
    is_home: bool,
    root: String,
    why: &'a Phrase,
}

/// Renders stories in HTML as the page of their topic shows them, without pictures; the reasons stand beside them.
#[must_use]
pub fn articles(edition: &Edition<'_>, topic: &Topic, stories: &[Story]) -> Vec<String> {
    let unexplained = |story| Item { why: Vec::new(), ..item::item(edition, topic, story) };
    stories.iter().map(|story| lone_story(edition, &topic.id, &unexplained(story))).collect()
}

/// Returns an address to which a link may lead.
#[must_use]
pub fn safe_link(url: &str) -> Option<String> {
    legal::page_address(url)
}

/// Renders the list of topics; `gone` tells of those that subscribers would lose.
#[must_use]
pub fn topics_sheet(head: &PreviewHead, language: Language, rows: &[TopicRow], gone: &[Phrase]) -> String {
    rendered(&HomeSheet { head, is_home: true, root: "./", language: language_tag(language), rows, gone })
}

/// Renders the page of a topic.
#[must_use]
pub fn topic_sheet(head: &PreviewHead, language: Language, page: &TopicSheet) -> String {
    rendered(&TopicSheetPage { head, is_home: false, root: "../", language: language_tag(language), page })
}

/// Renders the search: what was found in words, the stories, and the number of those that are left out; or why it failed.
#[must_use]
pub fn search_sheet(
    head: &PreviewHead,
    language: Language,
    words: &str,
    found: Result<(&str, &[StoryRow], usize), &str>,
) -> String {
    let (failure, (found, rows, more)) = match found {
        Ok(found) => (None, found),
        Err(failure) => (Some(failure), ("", &[][..], 0)),
    };
    rendered(&SearchSheet {
        head,
        is_home: false,
        root: "./",
        language: language_tag(language),
        words,
        found,
        rows,
        more,
        failure,
    })
}

/// Renders the trial of a text: what topics say of it, or why nobody knows.
#[must_use]
pub fn try_sheet(head: &PreviewHead, language: Language, text: &str, tried: Result<&[TriedRow], &str>) -> String {
    let (answers, failure) = match tried {
        Ok(answers) => (answers, None),
        Err(failure) => (&[][..], Some(failure)),
    };
    rendered(&TrySheet { head, is_home: false, root: "./", language: language_tag(language), text, answers, failure })
}

/// Renders the page that says that nothing is here; `depth` is the number of folders above it.
#[must_use]
pub fn nothing_sheet(head: &PreviewHead, depth: usize, why: &Phrase) -> String {
    rendered(&NothingSheet { head, is_home: false, root: format!("./{}", "../".repeat(depth)), why })
}

fn rendered(template: &impl Template) -> String {
    #[expect(clippy::expect_used, reason = "our values always format, and a String takes every byte")]
    template.render().expect("renders into memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stands_between_backquotes() {
        let phrase = Phrase::from("write `aliases = [\"a\"]` in topic `b`".to_owned());
        let parts: Vec<_> = phrase.pieces().map(|part| (part.text, part.is_code)).collect();
        let expected = [("write ", false), ("aliases = [\"a\"]", true), (" in topic ", false), ("b", true)];
        assert_eq!(parts, expected);
    }

    #[test]
    fn texts_of_publishers_stay_texts() {
        let row = StoryRow { title: "<script>alert(1)</script>".into(), ..StoryRow::default() };
        let page = TopicSheet { changes: vec![row], ..TopicSheet::default() };
        let html = topic_sheet(&PreviewHead::default(), Language::French, &page);
        assert!(!html.contains("<script>alert") && html.contains("alert(1)"), "{html}");
    }

    #[test]
    fn a_link_leads_to_the_web_only() {
        assert_eq!(safe_link("javascript:alert(1)"), None);
        assert_eq!(safe_link("https://ministere.example/a?b&c").as_deref(), Some("https://ministere.example/a?b&c"));
    }
}
