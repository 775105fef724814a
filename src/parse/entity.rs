//! Character and entity references (XML 1.0 §4.1, HTML named references), read as leniently as browsers do.

use std::borrow::Cow;

use quick_xml::escape::resolve_html5_entity;

/// The longest name in HTML (`CounterClockwiseContourIntegral`) and the `#x10FFFF` forms fit.
const NAME_BYTES_MAX: usize = 40;

/// The characters of windows-1252 at 0x80 to 0x9F, which publishers write as references like `&#146;`.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// Returns what stands for `&name;`: `None` if no character does, empty for characters that no document may hold.
pub(super) fn replacement(name: &str) -> Option<Cow<'static, str>> {
    let Some(number) = name.strip_prefix('#') else { return resolve_html5_entity(name).map(Cow::Borrowed) };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    let character = char::from_u32(code).map(windows_1252).filter(|character| is_legal(*character));
    Some(character.map_or(Cow::Borrowed(""), |character| Cow::Owned(character.to_string())))
}

/// Returns the text with its references resolved; what is none stays as it is.
pub(super) fn unescape(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('&') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let window = after.get(..after.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or(after);
        let found = window.split_once(';').and_then(|(name, _)| Some((name.len() + 1, replacement(name)?)));
        let (len, character) = found.unwrap_or((0, Cow::Borrowed("&")));
        out.push_str(&character);
        rest = after.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Returns what is meant by a C1 control character.
fn windows_1252(character: char) -> char {
    let index = u32::from(character).checked_sub(0x80).and_then(|index| usize::try_from(index).ok());
    index.and_then(|index| WINDOWS_1252.get(index)).copied().unwrap_or(character)
}

/// Whether XML 1.0 §2.2 lets a document hold it.
pub(super) fn is_legal(character: char) -> bool {
    !matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Returns the text with C1 controls as windows-1252 meant them and without characters that XML forbids.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    // Looked at as bytes, many at a time: nearly every text is clean.
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    let has_control = text.bytes().fold(false, |found, byte| found | is_control(byte));
    let after = text.as_bytes().get(1..).unwrap_or_default();
    let has_c1 = text.bytes().zip(after).fold(false, |found, (lead, next)| found || (lead == 0xC2 && *next < 0xA0));
    if !has_control && !has_c1 && !text.contains('\u{FFFE}') && !text.contains('\u{FFFF}') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|character| is_legal(*character)).map(windows_1252).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, plain: &str) {
        assert_eq!(unescape(text.into()), plain);
    }

    #[test]
    fn named_and_numbered_references_resolve() {
        check("l&#039;&eacute;cole &amp; co &#x20AC;", "l'école & co €");
    }

    #[test]
    fn windows_code_points_are_meant_as_such() {
        check("l&#146;an&#133;", "l’an…");
    }

    #[test]
    fn a_naked_ampersand_stays() {
        check("R&D ?a=1&b=2;&copy=3 & co", "R&D ?a=1&b=2;&copy=3 & co");
    }

    #[test]
    fn illegal_characters_vanish() {
        check("a&#0;b&#xD800;c&#8;", "abc");
        assert_eq!(clean("a\u{0}b\u{92}"), "ab’");
    }

    #[test]
    fn multi_byte_text_after_an_ampersand_reads() {
        check(&format!("&{}", "é".repeat(60)), &format!("&{}", "é".repeat(60)));
    }
}
