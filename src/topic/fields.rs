//! The parts of an entry that rules look at, as plain text.

use super::Field;
use crate::text::{Folding, Tongue, tongue};

/// Characters of the content that stand for a summary that is not there.
const LEAD_MAX: usize = 300;

/// What is judged of an entry: plain texts, by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The title.
    pub title: String,
    /// The summary, else the first 300 characters of the content.
    pub lead: String,
    /// The rest of the content.
    pub body: String,
    /// The tags; no phrase spans two.
    pub tags: Vec<String>,
    /// The source that told it.
    pub source_id: String,
    /// The language that it declares, a BCP 47 tag.
    pub declared: Option<String>,
}

impl Fields {
    /// Takes an entry apart: without a summary the content's beginning is the lead.
    #[must_use]
    pub fn new(title: &str, summary: &str, content: &str, tags: &[&str], source_id: &str) -> Self {
        let (lead, body) = if summary.is_empty() {
            split_lead(content)
        } else {
            (summary, content.strip_prefix(summary).unwrap_or(content))
        };
        Self {
            title: title.to_owned(),
            lead: lead.to_owned(),
            body: body.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            source_id: source_id.to_owned(),
            declared: None,
        }
    }

    /// The texts that a field is made of, in order.
    #[must_use]
    pub fn texts(&self, field: Field) -> Vec<&str> {
        match field {
            Field::Title => vec![&self.title],
            Field::Lead => vec![&self.lead],
            Field::Head => vec![&self.title, &self.lead],
            Field::Body => vec![&self.body],
            Field::Tags => self.tags.iter().map(String::as_str).collect(),
        }
    }

    /// Guesses the language from the text. What a feed declares is not asked: too many declare their software's default.
    #[must_use]
    pub fn tongue(&self) -> Tongue {
        tongue(&format!("{} {} {}", self.title, self.lead, self.body))
    }

    /// How its words are folded: by the language of its text, by the declared one where the text does not tell, as
    /// French where neither does. A declared French is believed: it is no software's default.
    #[must_use]
    pub fn folding(&self) -> Folding {
        let declared = self.declared.as_deref().map(Folding::of);
        if declared == Some(Folding::French) {
            return Folding::French;
        }
        match self.tongue() {
            Tongue::Unknown => declared.unwrap_or_default(),
            known => Folding::of(known.code()),
        }
    }
}

/// Cuts at the last blank within the lead's length.
fn split_lead(content: &str) -> (&str, &str) {
    let Some((end, _)) = content.char_indices().nth(LEAD_MAX) else {
        return (content, "");
    };
    let cut = content.get(..end).and_then(|lead| lead.rfind(' ')).unwrap_or(end);
    content.split_at_checked(cut).unwrap_or((content, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_without_summary_leads_with_its_first_words() {
        let content = "mot ".repeat(100);
        let fields = Fields::new("", "", &content, &[], "");
        assert_eq!(fields.lead.chars().count(), 299);
        assert_eq!(format!("{}{}", fields.lead, fields.body), content);
    }

    #[test]
    fn a_content_that_repeats_the_summary_counts_it_once() {
        let fields = Fields::new("", "Un résumé.", "Un résumé. La suite.", &[], "");
        assert_eq!((fields.lead.as_str(), fields.body.as_str()), ("Un résumé.", " La suite."));
    }
}
