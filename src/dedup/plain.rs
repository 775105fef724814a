//! What a person reads of an entry.

use crate::feed::Entry;
use crate::text::{html_to_text, one_line};

/// The texts of an entry without markup, read off once for all that is made of them.
#[derive(Debug, Clone, Default)]
pub struct Plain {
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) content: String,
}

impl Plain {
    /// Reads an entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let text = |html: &Option<String>| html_to_text(html.as_deref().unwrap_or_default());
        Self {
            title: one_line(entry.title.as_deref().unwrap_or_default()),
            summary: text(&entry.summary),
            content: text(&entry.content),
        }
    }
}
