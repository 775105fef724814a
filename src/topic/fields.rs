//! The parts of an entry that rules look at, as plain text.

use std::sync::OnceLock;

use super::Field;
use crate::text::{Folding, Passage, Tongue, leans_to_french, tongue};

/// Characters of the content that stand for a summary that is not there.
const LEAD_MAX: usize = 300;

/// The texts of an entry that topics judge: plain text, by field.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    /// The title.
    pub title: Passage,
    /// The summary, else the first 300 characters of the content.
    pub lead: Passage,
    /// The rest of the content.
    pub body: Passage,
    /// The tags; no phrase spans two.
    pub tags: Vec<Passage>,
    /// The source that told it.
    pub source_id: String,
    /// The language that it declares, a BCP 47 tag.
    pub declared: Option<String>,
    /// The language of its texts, once somebody has asked.
    pub(super) tongue: OnceLock<Tongue>,
}

impl Fields {
    /// Takes an entry apart: without a summary the content's beginning is the lead.
    #[must_use]
    pub fn new(
        title: impl Into<Passage>,
        summary: impl Into<Passage>,
        content: impl Into<Passage>,
        tags: &[&str],
        source_id: &str,
    ) -> Self {
        let (summary, content) = (summary.into(), content.into());
        let (lead, body) = if summary.as_str().is_empty() {
            split(&content, lead_end(content.as_str()))
        } else {
            let repeated = if content.as_str().starts_with(summary.as_str()) { summary.as_str().len() } else { 0 };
            let (_, body) = split(&content, repeated);
            (summary, body)
        };
        Self {
            title: title.into(),
            lead,
            body,
            tags: tags.iter().map(|tag| Passage::from(*tag)).collect(),
            source_id: source_id.to_owned(),
            ..Self::default()
        }
    }

    /// The texts that a field is made of, in order.
    #[must_use]
    pub fn texts(&self, field: Field) -> Vec<&Passage> {
        match field {
            Field::Title => vec![&self.title],
            Field::Lead => vec![&self.lead],
            Field::Head => vec![&self.title, &self.lead],
            Field::Body => vec![&self.body],
            Field::Tags => self.tags.iter().collect(),
        }
    }

    /// The language that its texts are clearly written in. The declared one counts where they agree: too many feeds declare
    /// their software's default.
    #[must_use]
    pub fn tongue(&self) -> Tongue {
        *self.tongue.get_or_init(|| tongue(&self.text(), self.declared.as_deref()))
    }

    /// The folding of its words: by the language of its text, by the declared one where the text does not tell, as
    /// French where neither does. A declared French is believed: it is no software's default.
    #[must_use]
    pub fn folding(&self) -> Folding {
        let declared = self.declared.as_deref().map(Folding::of);
        match (declared, self.tongue()) {
            (Some(Folding::French), _) => Folding::French,
            // English is the default of most software.
            (None | Some(Folding::English), Tongue::Unknown) => match leans_to_french(&self.text()) {
                Some(true) => Folding::French,
                Some(false) => Folding::English,
                None => declared.unwrap_or_default(),
            },
            (Some(declared), Tongue::Unknown) => declared,
            (_, known) => Folding::of(known.code()),
        }
    }

    fn text(&self) -> String {
        [&self.title, &self.lead, &self.body].map(Passage::as_str).join(" ")
    }
}

/// Returns the end of the lead of a content: the last blank within its length.
fn lead_end(content: &str) -> usize {
    let Some((end, _)) = content.char_indices().nth(LEAD_MAX) else { return content.len() };
    content.get(..end).and_then(|lead| lead.rfind(' ')).unwrap_or(end)
}

fn split(text: &Passage, at: usize) -> (Passage, Passage) {
    (text.part(0..at), text.part(at..text.as_str().len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_without_summary_leads_with_its_first_words() {
        let content = "mot ".repeat(100);
        let fields = Fields::new("", "", content.as_str(), &[], "");
        assert_eq!(fields.lead.as_str().chars().count(), 299);
        assert_eq!(format!("{}{}", fields.lead.as_str(), fields.body.as_str()), content);
    }

    #[test]
    fn a_content_that_repeats_the_summary_counts_it_once() {
        let fields = Fields::new("", "Un résumé.", "Un résumé. La suite.", &[], "");
        assert_eq!((fields.lead.as_str(), fields.body.as_str()), ("Un résumé.", " La suite."));
    }
}
