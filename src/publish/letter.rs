//! Stories as posts tell them: the plain facts of one, and a mail of one or several.
//!
//! Nothing else of a story leaves the house by a post than what its documents show: private addresses are hidden here too.

use askama::Template;
use serde_json::{Value, json};

use crate::outbox::{Letter, Notice};
use crate::publish::channel::{language_tag, publisher, site_address};
use crate::publish::item::{self, Item};
use crate::publish::page::{PageStory, day, news};
use crate::publish::words::{Words, words_in};
use crate::publish::{Edition, json, legal};
use crate::story::Story;
use crate::text;
use crate::topic::Topic;

/// Longest summary of a notice, in characters: no target takes a longer message.
const SUMMARY_MAX: usize = 4_000;

#[derive(Template)]
#[template(path = "letter.html", whitespace = "minimize")]
struct LetterPage<'a> {
    words: &'a Words,
    subject: &'a str,
    trial: Option<&'static str>,
    groups: &'a [LetterGroup<'a>],
    site: &'a str,
    home: &'a str,
    unsubscribe: &'a str,
}

#[derive(Template)]
#[template(path = "letter.txt")]
struct LetterText<'a> {
    words: &'a Words,
    trial: Option<&'static str>,
    groups: &'a [LetterGroup<'a>],
    site: &'a str,
    home: &'a str,
    unsubscribe: &'a str,
}

/// A topic and its stories in a mail.
struct LetterGroup<'a> {
    title: String,
    /// As long as the title.
    line: String,
    page: String,
    stories: Vec<PageStory<'a>>,
}

/// Returns the facts of a story beside a topic, as posts tell them.
#[must_use]
pub fn notice(edition: &Edition<'_>, topic: &Topic, story: &Story) -> Notice {
    let item = item::item(edition, topic, story);
    let html = item.summary.as_deref().or(item.content.as_deref()).unwrap_or_default();
    let summary =
        legal::readable_line(&text::html_to_text(html)).filter(|text| *text != item.title).unwrap_or_default();
    let mut sources: Vec<String> = vec![item.source.title.clone()];
    for telling in &story.tellings {
        let title = item::attribution(edition, &telling.source_id).title;
        if !sources.contains(&title) {
            sources.push(title);
        }
    }
    // The last category is the topic.
    let publishers = item.categories.split_last().map(|(_, publishers)| publishers).unwrap_or_default();
    let mut tags: Vec<String> = Vec::new();
    for tag in publishers.iter().map(|tag| tag.label.as_ref().unwrap_or(&tag.term)) {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    Notice {
        id: item.id.clone(),
        title: item.title.clone(),
        link: item.url.clone(),
        summary: legal::beginning(&summary, SUMMARY_MAX),
        source: item.source.title.clone(),
        sources,
        tags,
        topic: title_of(topic),
        date: item.published,
        day: day(edition.site, item.published),
        language: item.language.clone().unwrap_or_else(|| language_tag(edition.site.language).to_owned()),
        json: about(edition, topic, &item),
    }
}

/// The item in our JSON Feed, and its topic.
fn about(edition: &Edition<'_>, topic: &Topic, item: &Item) -> Value {
    json!({
        "topic": { "id": topic.id, "title": title_of(topic), "url": format!("{}{}/", site_address(edition), topic.id) },
        "item": json::item_value(item),
    })
}

fn title_of(topic: &Topic) -> String {
    legal::readable_line(&topic.title).unwrap_or_else(|| topic.id.clone())
}

/// Writes a mail that tells stories, each beside a topic. `unsubscribe` is the address by which it is given up.
#[must_use]
pub fn letter(edition: &Edition<'_>, stories: &[(&Topic, &Story)], unsubscribe: &str, is_trial: bool) -> Letter {
    let words = words_in(edition.site.language);
    let items: Vec<(&Topic, Item)> =
        stories.iter().map(|(topic, story)| (*topic, item::item(edition, topic, story))).collect();
    let mut groups: Vec<(&Topic, Vec<&Item>)> = Vec::new();
    for (topic, item) in &items {
        match groups.iter_mut().find(|(other, _)| other.id == topic.id) {
            Some((_, of_topic)) => of_topic.push(item),
            None => groups.push((topic, vec![item])),
        }
    }
    let site = publisher(edition).name.unwrap_or_else(|| edition.site.url.to_string());
    let subject = match items.as_slice() {
        [(_, item)] => item.title.clone(),
        _ => format!("{site}{} {}", words.colon, (words.stories)(items.len())),
    };
    // Recipients see it before they open anything.
    let subject = if is_trial { format!("[{}] {subject}", words.trial) } else { subject };
    let groups: Vec<LetterGroup<'_>> = groups
        .into_iter()
        .map(|(topic, items)| {
            let title = title_of(topic);
            LetterGroup {
                line: "=".repeat(title.chars().count().min(72)),
                page: format!("{}{}/", site_address(edition), topic.id),
                stories: items.into_iter().map(|item| news(edition.site, item)).collect(),
                title,
            }
        })
        .collect();
    let (home, trial) = (site_address(edition), is_trial.then_some(words.trial));
    let page = LetterPage { words, subject: &subject, trial, groups: &groups, site: &site, home: &home, unsubscribe };
    let plain = LetterText { words, trial, groups: &groups, site: &site, home: &home, unsubscribe };
    Letter { subject: subject.clone(), text: rendered(&plain), html: rendered(&page), language: words.tag }
}

fn rendered(template: &impl Template) -> String {
    #[expect(clippy::expect_used, reason = "our values always format, and a String takes every byte")]
    template.render().expect("renders into memory")
}

/// Returns the words that mark a message as a trial, in the language of the site.
#[must_use]
pub fn trial_mark(edition: &Edition<'_>) -> &'static str {
    words_in(edition.site.language).trial
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::newsroom::{Newsroom, bare, ordinary, saying, story, url};

    #[test]
    fn a_notice_tells_a_story_in_plain_text() {
        let world = Newsroom::new();
        let edition = world.edition(Vec::new());
        let notice = notice(&edition, &world.topic, &story(ordinary()));
        assert_eq!((&*notice.title, &*notice.summary), ("Des tablettes à l’école", "Le plan tablettes."));
        assert_eq!(notice.link.as_deref(), Some("https://ministere.example/tablettes"));
        assert_eq!((&*notice.source, &*notice.topic), ("Ministère & Cie", "L’école numérique"));
        assert_eq!((&*notice.day, &*notice.language), ("9\u{a0}octobre 2026", "fr"));
        assert_eq!(notice.json["item"]["title"], "Des tablettes à l’école");
        assert_eq!(notice.json["topic"]["url"], "https://veille.example/ecole/");
    }

    #[test]
    fn a_story_without_a_title_has_one_all_the_same() {
        let world = Newsroom::new();
        let edition = world.edition(Vec::new());
        let entry = crate::feed::Entry { url: Some(url("https://ministere.example/x")), ..Default::default() };
        assert_eq!(
            notice(&edition, &world.topic, &story(saying(bare("2"), entry))).title,
            "https://ministere.example/x"
        );
    }

    #[test]
    fn a_mail_escapes_in_html_what_it_shows_as_text() {
        let world = Newsroom::new();
        let edition = world.edition(Vec::new());
        let mut head = ordinary();
        head.entry.title = Some("<script>alert(1)</script> & @everyone".into());
        let (one, two) = (story(head), story(ordinary()));
        let letter = letter(&edition, &[(&world.topic, &one), (&world.topic, &two)], "mailto:a@veille.example", false);
        assert_eq!(letter.subject, "Veille numérique\u{a0}: 2 nouvelles");
        assert!(letter.text.contains("<script>alert(1)</script> & @everyone\nMinistère & Cie · 9"), "{}", letter.text);
        assert!(!letter.html.contains("<script"), "{}", letter.html);
        assert!(letter.html.contains("href=\"mailto:a@veille.example\""), "{}", letter.html);
        assert_eq!(letter.html.matches("<h1").count(), 1);
    }

    #[test]
    fn a_mail_of_one_story_has_its_title_and_a_trial_says_so() {
        let world = Newsroom::new();
        let edition = world.edition(Vec::new());
        let one = story(ordinary());
        let letter = letter(&edition, &[(&world.topic, &one)], "mailto:a@veille.example", true);
        assert_eq!(letter.subject, "[Ceci est un essai.] Des tablettes à l’école");
        assert!(letter.text.starts_with("Ceci est un essai"), "{}", letter.text);
        assert!(letter.html.contains("Ceci est un essai"), "{}", letter.html);
    }
}
