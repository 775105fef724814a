//! Sanitised HTML as a row of tags and texts, for small changes that need no tree.

/// A piece of HTML with its place in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct TagSpan<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A kind of tag, with the name of its element, or text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Text,
    Open(&'a str),
    /// The tag of an element that has no end tag.
    Void(&'a str),
    Close(&'a str),
}

/// Elements that have no end (HTML §13.1.2).
const VOID: [&str; 8] = ["br", "col", "hr", "img", "input", "source", "track", "wbr"];

/// Splits HTML as our sanitiser writes it: `<` begins a tag, `"` surrounds values, names are small.
pub(super) fn tags(html: &str) -> impl Iterator<Item = TagSpan<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = html.get(at..).filter(|rest| !rest.is_empty())?;
        let length = if rest.starts_with('<') { tag_length(rest) } else { rest.find('<').unwrap_or(rest.len()) };
        let kind = rest.get(..length).and_then(|tag| tag.strip_prefix('<')).map_or(Kind::Text, kind);
        let start = at;
        at += length;
        Some(TagSpan { kind, start, end: at })
    })
}

fn kind(tag: &str) -> Kind<'_> {
    let name = |tag: &'_ str| tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
    if let Some(end) = tag.strip_prefix('/') {
        return Kind::Close(end.get(..name(end)).unwrap_or_default());
    }
    let name = tag.get(..name(tag)).unwrap_or_default();
    if VOID.contains(&name) { Kind::Void(name) } else { Kind::Open(name) }
}

fn tag_length(tag: &str) -> usize {
    let mut is_quoted = false;
    let end = tag.find(|c| {
        is_quoted ^= c == '"';
        c == '>' && !is_quoted
    });
    end.map_or(tag.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_texts_come_in_their_order() {
        let kinds: Vec<Kind<'_>> = tags("a<p title=\"1 > 0\">b<br/></p>c<").map(|tag| tag.kind).collect();
        let expected =
            [Kind::Text, Kind::Open("p"), Kind::Text, Kind::Void("br"), Kind::Close("p"), Kind::Text, Kind::Open("")];
        assert_eq!(kinds, expected);
    }
}
