//! Tags, comments and raw texts as browsers part them (HTML §13.2.5), where nothing more than that must be known.

/// Whether markup holds anything to read.
pub(super) fn has_text(markup: &str) -> bool {
    markup.split('<').any(|part| !part.split_once('>').map_or(part, |(_, text)| text).trim().is_empty())
}

/// Returns what follows a comment that was begun (HTML §13.2.5.43 to 52).
pub(super) fn after_comment(comment: &str) -> &str {
    if let Some(after) = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->")) {
        return after;
    }
    let mut rest = comment;
    while let Some((_, after)) = rest.split_once("--") {
        if let Some(after) = after.strip_prefix('>').or_else(|| after.strip_prefix("!>")) {
            return after;
        }
        // Of `--->` the last two count.
        rest =
            if after.starts_with('-') { rest.get(rest.len() - after.len() - 1..).unwrap_or_default() } else { after };
    }
    ""
}

/// Returns where the `>` of a tag is, which quotes can hide.
pub(super) fn end(tag: &str) -> Option<usize> {
    let mut quote = None;
    let mut previous = b' ';
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') if previous == b'=' => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            previous = byte;
        }
    }
    // A quote that never ends hides nothing.
    tag.find('>')
}

/// Returns what follows the end tag of an element whose content is left out.
pub(super) fn after_raw<'h>(content: &'h str, name: &str, tag: &str) -> &'h str {
    if tag.ends_with('/') && name == "svg" {
        return content;
    }
    raw_content(content, name).map_or("", |(_, after)| after)
}

/// Parts the content of an element from what follows its end tag.
pub(super) fn raw_content<'h>(content: &'h str, name: &str) -> Option<(&'h str, &'h str)> {
    let mut rest = content;
    while let Some((_, after)) = rest.split_once("</") {
        if after.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            let inner = content.get(..content.len() - after.len() - 2).unwrap_or_default();
            return Some((inner, after.split_once('>').map_or("", |(_, after)| after)));
        }
        rest = after;
    }
    None
}

/// Returns the value of an attribute as it is written, if it is not blank.
pub(super) fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let value = attributes(tag).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    value.filter(|value| !value.is_empty())
}

/// Returns the attributes of a tag with their values as they are written, trimmed.
pub(super) fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag.split_once(|c: char| c.is_ascii_whitespace() || c == '/').map_or("", |(_, rest)| rest);
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/')).unwrap_or(rest.len());
        // A sign of equality may begin a name.
        let end = if end == 0 { rest.chars().next()?.len_utf8() } else { end };
        let (key, after) = rest.split_at_checked(end)?;
        let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else {
            rest = after;
            return Some((key, ""));
        };
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.get(1..)?.split_once(quote)?,
            _ => value.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((value, "")),
        };
        rest = after;
        Some((key, value.trim()))
    })
}
