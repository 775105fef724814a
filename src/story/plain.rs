//! The texts of an entry without markup.

use crate::feed::Entry;
use crate::text::{Passage, html_to_text, one_line};

/// Title, summary and content without markup, extracted once for labelling, comparing and telling words.
#[derive(Debug, Clone, Default)]
pub struct Plain {
    /// On one line.
    pub title: Passage,
    /// The summary.
    pub summary: Passage,
    /// The content.
    pub content: Passage,
}

impl Plain {
    /// Reads an entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let text = |html: &Option<String>| Passage::new(html_to_text(html.as_deref().unwrap_or_default()));
        let title = Passage::new(one_line(entry.title.as_deref().unwrap_or_default()));
        Self { title, summary: text(&entry.summary), content: text(&entry.content) }
    }
}
