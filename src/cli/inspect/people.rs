//! Output of `inspect` for people: the feed, each entry with its topics, what was mended and what was left out.

use std::fmt::Write as _;

use chrono::TimeDelta;

use super::tag_name;
use crate::cli::output::{self, Paint};
use crate::feed::{Entry, Feed, Person, Timestamp};
use crate::text::{count, html_to_text};
use crate::topic::Label;

/// Defects that took something away; the others changed only how it was read.
const LOSSES: [&str; 8] =
    ["date", "entry", "full_text", "full_text_left", "text_cut", "too_deep", "too_large", "unclosed"];

/// Markup that is worth a word when it does not come through.
const NOTABLE: [(&str, &str); 7] = [
    ("<script", "script"),
    ("<iframe", "frame"),
    ("<form", "form"),
    ("<object", "object"),
    ("<svg", "drawing"),
    ("<style", "style sheet"),
    ("<img", "empty or counting picture"),
];

/// Characters of a text that are shown of an entry, and of a full text.
const EXCERPT_MAX: usize = 160;
const ARTICLE_MAX: usize = 2_000;

/// Characters in a line of text.
const WIDTH: usize = 88;

/// Where lines below a date begin.
const INDENT: &str = "            ";

/// Returns the report on a feed, read from entries `as_written`.
pub(super) fn report(feed: &Feed, labels: &[Vec<Label>], as_written: &[Entry], paint: Paint) -> String {
    let mut text = head(feed, paint);
    for ((entry, labels), written) in feed.entries.iter().zip(labels).zip(as_written) {
        text.push('\n');
        text.push_str(&item(entry, labels, written, paint));
    }
    text.push('\n');
    text.push_str(&total(feed, labels, paint));
    let told = feed.defects.iter().map(|defect| (&*defect.code, defect.message.clone()));
    let (mut losses, repairs): (Vec<_>, Vec<_>) = told.partition(|(code, _)| LOSSES.contains(code));
    losses.extend(left_out(feed, as_written).map(|what| ("sanitised", what)));
    text.push_str(&list("Mended", &repairs, paint));
    text.push_str(&list("Left out", &losses, paint));
    text
}

fn head(feed: &Feed, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.strong(feed.title.as_deref().unwrap_or("(no title)")));
    let about = [
        Some(format_name(&feed.format)),
        feed.language.clone(),
        feed.url.as_ref().map(ToString::to_string),
        feed.updated.map(|at| format!("updated {}", minute(at))),
        feed.generator.as_ref().map(|generator| format!("made by {generator}")),
    ];
    let about = about.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", output::harmless(&about));
    let description = feed.description.as_deref().filter(|text| !text.trim().is_empty());
    if let Some(description) = description.filter(|text| Some(*text) != feed.title.as_deref()) {
        let _ = writeln!(text, "{}", paint.quiet(&excerpt(description, EXCERPT_MAX)));
    }
    text
}

/// A dialect as people write it: `rss20` is RSS 2.0.
fn format_name(format: &str) -> String {
    let digits = format.find(|c: char| c.is_ascii_digit()).unwrap_or(format.len());
    let (family, version) = format.split_at_checked(digits).unwrap_or((format, ""));
    let family = match family {
        "rss" => "RSS",
        "atom" => "Atom",
        "json" => "JSON Feed",
        other => other,
    };
    let mut characters = version.chars();
    match characters.next() {
        Some(major) => format!("{family} {major}.{}", characters.as_str()),
        None => family.to_owned(),
    }
}

fn item(entry: &Entry, labels: &[Label], written: &Entry, paint: Paint) -> String {
    let date = entry.published.or(entry.updated);
    let date = date.map_or_else(|| "no date   ".to_owned(), |at| at.format("%Y-%m-%d").to_string());
    let mut text =
        format!("{}  {}\n", paint.quiet(&date), paint.strong(entry.title.as_deref().unwrap_or("(no title)")));
    let mut line = |line: String| {
        let _ = writeln!(text, "{INDENT}{line}");
    };
    if let Some(url) = &entry.url {
        line(output::harmless(url.as_str()));
    }
    if !labels.is_empty() {
        line(format!("in {}", paint.good(&topics(labels))));
    }
    let details = details(entry);
    if !details.is_empty() {
        line(output::harmless(&details));
    }
    if entry.content != written.content && pages_text(entry, written) {
        let article = html_to_text(entry.content.as_deref().unwrap_or_default());
        line(paint.quiet(&format!("full text, {} characters, from its page:", article.chars().count())));
        wrapped(&excerpt(&article, ARTICLE_MAX)).into_iter().for_each(line);
    } else if let Some(html) = entry.summary.as_ref().or(entry.content.as_ref()) {
        let begins = html_to_text(html);
        if Some(&begins) != entry.title.as_ref() {
            for part in wrapped(&excerpt(&begins, EXCERPT_MAX)) {
                line(paint.quiet(&part));
            }
        }
    }
    text
}

/// Whether an entry's content is another text than its feed gave, and not only the same one made safe.
fn pages_text(entry: &Entry, written: &Entry) -> bool {
    let text = |html: &Option<String>| html_to_text(html.as_deref().unwrap_or_default());
    text(&entry.content).len() > text(&written.content).len()
}

/// Authors, tags, files, comments, and the date of a change.
fn details(entry: &Entry) -> String {
    let names: Vec<&str> = entry.authors.iter().filter_map(name).collect();
    let tags: Vec<&str> = entry.categories.iter().map(tag_name).collect();
    let changed = entry.updated.filter(|updated| entry.published.is_some_and(|at| *updated - at > TimeDelta::days(1)));
    let comments = entry.comments.count.and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
    let details = [
        (!names.is_empty()).then(|| format!("by {}", names.join(", "))),
        (!tags.is_empty()).then(|| format!("tags: {}", tags.join(", "))),
        (!entry.enclosures.is_empty()).then(|| count(entry.enclosures.len(), "file")),
        comments.map(|comments| count(comments, "comment")),
        changed.map(|at| format!("changed {}", at.format("%Y-%m-%d"))),
    ];
    details.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn name(person: &Person) -> Option<&str> {
    person.name.as_deref().or(person.email.as_deref())
}

fn topics(labels: &[Label]) -> String {
    let topic = |label: &Label| format!("{} ({})", label.topic, output::points(label.score));
    labels.iter().map(topic).collect::<Vec<_>>().join(", ")
}

/// The number of entries, their dates, and the number of those in a topic.
fn total(feed: &Feed, labels: &[Vec<Label>], paint: Paint) -> String {
    let number = match feed.entries.len() {
        0 => "No entries".to_owned(),
        1 => "1 entry".to_owned(),
        number => format!("{number} entries"),
    };
    let dates: Vec<Timestamp> = feed.entries.iter().filter_map(|entry| entry.published.or(entry.updated)).collect();
    let span = dates.iter().min().zip(dates.iter().max()).filter(|_| dates.len() > 1);
    let span = span.map(|(first, last)| format!(" from {} to {}", first.format("%Y-%m-%d"), last.format("%Y-%m-%d")));
    let undated = feed.entries.len() - dates.len();
    let undated = if undated > 0 { format!(", {undated} without date") } else { String::new() };
    let chosen = labels.iter().filter(|labels| !labels.is_empty()).count();
    format!("{}{undated}, {chosen} in a topic\n", paint.strong(&(number + &span.unwrap_or_default())))
}

/// A heading and its lines; nothing if there are none.
fn list(heading: &str, items: &[(&str, String)], paint: Paint) -> String {
    let mut text = String::new();
    for (code, message) in items {
        if text.is_empty() {
            let _ = writeln!(text, "\n{}", paint.strong(heading));
        }
        let _ = writeln!(text, "  {} {}", output::harmless(message), paint.quiet(&format!("({code})")));
    }
    text
}

/// The markup that was not let through, if any: `3 scripts, 1 frame`.
fn left_out(feed: &Feed, as_written: &[Entry]) -> Option<String> {
    let count_of = |entries: &[Entry], markup: &str| -> usize {
        let texts = entries.iter().flat_map(|entry| [&entry.summary, &entry.content]).flatten();
        texts.map(|html| html.to_ascii_lowercase().matches(markup).count()).sum()
    };
    let parts = NOTABLE.iter().filter_map(|(markup, thing)| {
        let number = count_of(as_written, markup).saturating_sub(count_of(&feed.entries, markup));
        (number > 0).then(|| count(number, thing))
    });
    let parts = parts.collect::<Vec<_>>().join(", ");
    (!parts.is_empty()).then(|| format!("from texts: {parts}"))
}

fn minute(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The beginning of a text, cut at a word.
fn excerpt(text: &str, characters_max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(characters_max) else { return output::harmless(text) };
    let start = text.get(..end).unwrap_or_default();
    let cut = start.rfind(' ').unwrap_or(end);
    format!("{}…", output::harmless(start.get(..cut).unwrap_or(start)))
}

/// A text in lines.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() || line.chars().count() + 1 + word.chars().count() <= WIDTH {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}
