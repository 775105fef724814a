//! The `text` of a post: literal text, and fields in braces. `{{` and `}}` are braces.

/// A text with fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTemplate(
    /// In their order; no two literals follow each other.
    pub Vec<TextPart>,
);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPart {
    /// As the operator wrote it.
    Literal(String),
    /// A field of the story.
    Field(TextField),
}

/// A field of a story that a text can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextField {
    /// Its title.
    Title,
    /// The address of its page.
    Link,
    /// Its summary.
    Summary,
    /// The name of its source.
    Source,
    /// The names of all sources that tell it.
    Sources,
    /// Its tags.
    Tags,
    /// Its tags and those of the post, as hashtags.
    Hashtags,
    /// The title of the topic.
    Topic,
    /// The day of its date.
    Date,
    /// Its language.
    Language,
}

/// A fault in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateFault {
    /// A field that no story has.
    Unknown(String),
    /// A brace that opens or closes nothing.
    Brace,
}

impl TextField {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Title,
        Self::Link,
        Self::Summary,
        Self::Source,
        Self::Sources,
        Self::Tags,
        Self::Hashtags,
        Self::Topic,
        Self::Date,
        Self::Language,
    ];

    /// Returns its name, without braces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Link => "link",
            Self::Summary => "summary",
            Self::Source => "source",
            Self::Sources => "sources",
            Self::Tags => "tags",
            Self::Hashtags => "hashtags",
            Self::Topic => "topic",
            Self::Date => "date",
            Self::Language => "language",
        }
    }
}

impl TextTemplate {
    /// Reads a text.
    ///
    /// # Errors
    /// The first fault.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                literal.push('}');
                rest = after;
            } else {
                let named = from.strip_prefix('{').and_then(|from| from.split_once('}'));
                let (name, after) = named.ok_or(TemplateFault::Brace)?;
                let field = TextField::ALL.into_iter().find(|field| field.name() == name);
                let field = field.ok_or_else(|| TemplateFault::Unknown(name.to_owned()))?;
                if !literal.is_empty() {
                    parts.push(TextPart::Literal(std::mem::take(&mut literal)));
                }
                parts.push(TextPart::Field(field));
                rest = after;
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(TextPart::Literal(literal));
        }
        Ok(Self(parts))
    }

    /// Tells whether it names any field.
    #[must_use]
    pub fn has_fields(&self) -> bool {
        self.0.iter().any(|part| matches!(part, TextPart::Field(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_braces_and_doubled_braces_are_braces() {
        let parts = TextTemplate::parse("{title} {{et}}\n{link}").unwrap().0;
        let literal = TextPart::Literal(" {et}\n".into());
        assert_eq!(parts, [TextPart::Field(TextField::Title), literal, TextPart::Field(TextField::Link)]);
    }

    #[test]
    fn other_fields_and_single_braces_are_faults() {
        for (text, fault) in [
            ("{titel}", TemplateFault::Unknown("titel".into())),
            ("{}", TemplateFault::Unknown(String::new())),
            ("{ title }", TemplateFault::Unknown(" title ".into())),
            ("a { b", TemplateFault::Brace),
            ("a } b", TemplateFault::Brace),
            ("{title}}", TemplateFault::Brace),
        ] {
            assert_eq!(TextTemplate::parse(text), Err(fault), "{text}");
        }
    }
}
