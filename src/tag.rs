//! From an entry to the topics that it is in.
//!
//! Comments, and the line that blogs append to say where a text first stood, are not the entry's text.

use crate::config::Source;
use crate::feed::Entry;
use crate::text::html_to_text;
use crate::topic::{Fields, Label, Matcher};

/// How blog software signs the text of an entry; what follows is no part of it.
const SIGNATURES: [[&str; 2]; 4] = [
    ["L’article ", " est apparu en premier sur "],
    ["L'article ", " est apparu en premier sur "],
    ["Cet article ", " est apparu en premier sur "],
    ["The post ", " appeared first on "],
];

/// Returns the topics that an entry of `source` is in, and why.
#[must_use]
pub fn labels(matcher: &Matcher, entry: &Entry, source: &Source) -> Vec<Label> {
    let mut labels = matcher.labels(&fields(entry, source));
    if let Some(topics) = &source.topics {
        labels.retain(|label| topics.contains(&label.topic));
    }
    labels
}

/// Returns the topics of an entry whose source is in the config no more: what it told stays.
#[must_use]
pub fn labels_of_removed(matcher: &Matcher, entry: &Entry, source_id: &str) -> Vec<Label> {
    matcher.labels(&fields_of(entry, &[], source_id))
}

/// Returns what rules look at in an entry: its texts without markup, its publisher's tags and the operator's.
#[must_use]
pub fn fields(entry: &Entry, source: &Source) -> Fields {
    fields_of(entry, &source.tags, &source.id)
}

fn fields_of(entry: &Entry, own_tags: &[String], source_id: &str) -> Fields {
    let text = |markup: &Option<String>| markup.as_deref().map(html_to_text).unwrap_or_default();
    let categories = entry.categories.iter().map(|category| category.label.as_deref().unwrap_or(&category.term));
    let tags: Vec<&str> = categories.chain(own_tags.iter().map(String::as_str)).collect();
    Fields::new(
        entry.title.as_deref().unwrap_or_default(),
        unsigned(&text(&entry.summary)),
        unsigned(&text(&entry.content)),
        &tags,
        source_id,
    )
}

fn unsigned(text: &str) -> &str {
    let signature = SIGNATURES.iter().filter_map(|[before, after]| {
        let end = text.rfind(after)?;
        text.get(..end)?.rfind(before)
    });
    signature.min().and_then(|start| text.get(..start)).map_or(text, str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blogs_signature_is_not_the_entrys_text() {
        assert_eq!(unsigned("Un texte. L’article École numérique est apparu en premier sur Blog."), "Un texte.");
        assert_eq!(unsigned("A text. The post About is here appeared first on Blog."), "A text.");
        assert_eq!(unsigned("Un texte sur L’article 12."), "Un texte sur L’article 12.");
    }
}
