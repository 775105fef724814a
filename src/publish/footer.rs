//! The last paragraph of a text with `publish.footer`, for readers that show neither `via` nor `related` links.

use crate::config::Language;
use crate::publish::item::{Item, Link};
use crate::publish::words::words_in;
use crate::text::FOOTER_CLASS;

/// Returns the paragraph; `None` if nobody else told the item and nothing is related.
pub(super) fn footer(item: &Item, language: Language) -> Option<String> {
    let words = words_in(language);
    let lines = [(words.elsewhere, &item.elsewhere), (words.related, &item.related)];
    let lines: Vec<String> =
        lines.into_iter().filter(|(_, links)| !links.is_empty()).map(|(told, links)| line(told, links)).collect();
    let tag = words.tag;
    (!lines.is_empty()).then(|| format!("<p class=\"{FOOTER_CLASS}\" lang=\"{tag}\">{}</p>", lines.join("<br>")))
}

fn line(told: &str, links: &[Link]) -> String {
    let links = links.iter().map(|Link { url, title, .. }| {
        let title = title.as_deref().unwrap_or(url);
        format!(
            "<a href=\"{}\" dir=\"auto\">{}</a>",
            html_escape::encode_double_quoted_attribute(url),
            html_escape::encode_text(title)
        )
    });
    format!("{} {}", html_escape::encode_text(told), links.collect::<Vec<_>>().join(" · "))
}

/// Returns the texts of an item, with its footer at the end of the one that readers show: the content, else the summary.
///
/// An item without texts has its footer alone for content.
pub(super) fn texts_with_footer(item: &Item) -> (Option<String>, Option<String>) {
    let (summary, content) = (item.summary.clone(), item.content.clone());
    let Some(footer) = item.footer.clone() else { return (summary, content) };
    match (summary, content) {
        (summary, Some(content)) => (summary, Some(content + &footer)),
        (Some(summary), None) => (Some(summary + &footer), None),
        (None, None) => (None, Some(footer)),
    }
}

/// As [`texts_with_footer`], for formats in which an item without texts says its title twice.
pub(super) fn full_texts_with_footer(item: &Item) -> (Option<String>, Option<String>) {
    match (&item.summary, &item.content, &item.footer) {
        (None, None, Some(footer)) => (None, Some(format!("{}{footer}", html_escape::encode_text(&item.title)))),
        _ => texts_with_footer(item),
    }
}
