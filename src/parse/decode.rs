//! From bytes to text: byte order marks, labels and sniffing (RFC 7303 §3, XML 1.0 appendix F), and what really comes.
//!
//! The only home of `encoding_rs` and `chardetng`. What the bytes prove outranks what a label claims: text that is valid
//! UTF-8 with accents in it is UTF-8 whatever its label says. A declaration left in the text is ignored by what follows.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How much of a document without a usable label the detector looks at.
const GUESS_BYTES_MAX: usize = 64 * 1024;

/// Where a declaration can be.
const LABEL_BYTES_MAX: usize = 512;

/// Returns the document as text without byte order mark, lines ending in `\n` (XML 1.0 §2.11), and what was wrong with
/// its encoding, if anything.
pub(super) fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>) -> (Cow<'a, str>, Option<String>) {
    let (mut text, defect) = decode_as_is(bytes, content_type);
    if text.contains('\r') {
        text = Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"));
    }
    match undo_double_encoding(&text) {
        Some(repaired) => (Cow::Owned(repaired), Some("text was encoded twice as UTF-8".to_owned())),
        None => (text, defect),
    }
}

fn decode_as_is<'a>(bytes: &'a [u8], content_type: Option<&str>) -> (Cow<'a, str>, Option<String>) {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => decode_labelled(rest, None),
        [0x00, 0x00, 0xFE, 0xFF, rest @ ..] => (utf32(rest, u32::from_be_bytes), None),
        [0xFF, 0xFE, 0x00, 0x00, rest @ ..] => (utf32(rest, u32::from_le_bytes), None),
        [0x00, 0x00, 0x00, b'<', ..] => (utf32(bytes, u32::from_be_bytes), None),
        [b'<', 0x00, 0x00, 0x00, ..] => (utf32(bytes, u32::from_le_bytes), None),
        [0xFE, 0xFF, rest @ ..] | rest @ [0x00, b'<' | b'{', 0x00, ..] => (plain(UTF_16BE, rest), None),
        [0xFF, 0xFE, rest @ ..] | rest @ [b'<' | b'{', 0x00, _, 0x00, ..] => (plain(UTF_16LE, rest), None),
        _ => decode_labelled(bytes, content_type.and_then(charset).or_else(|| declared(bytes))),
    }
}

/// Decodes text of a byte-wise encoding, believing `label` as far as the bytes allow.
fn decode_labelled<'a>(bytes: &'a [u8], label: Option<&'static Encoding>) -> (Cow<'a, str>, Option<String>) {
    let label = label.filter(|label| *label != UTF_16LE && *label != UTF_16BE);
    if label == Some(ISO_2022_JP) {
        return (plain(ISO_2022_JP, bytes), None); // seven bits: would pass for UTF-8
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), None);
    }
    match label {
        Some(label) if label != UTF_8 => (plain(label, bytes), None),
        _ => decode_unlabelled(bytes),
    }
}

/// Decodes what claims to be UTF-8, or claims nothing, and is not valid UTF-8.
fn decode_unlabelled(bytes: &[u8]) -> (Cow<'_, str>, Option<String>) {
    let (mut accents, mut strays) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        accents += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        strays += usize::from(!chunk.invalid().is_empty());
    }
    if accents >= strays {
        // Real feeds paste a Windows-1252 paragraph into a UTF-8 template, or are cut within a character.
        return (Cow::Owned(mixed(bytes)), Some("not valid UTF-8: stray bytes read as windows-1252".to_owned()));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes.get(..GUESS_BYTES_MAX).unwrap_or(bytes), true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    (plain(guess, bytes), Some(format!("not valid UTF-8: read as {}", guess.name().to_lowercase())))
}

fn mixed(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(&plain(WINDOWS_1252, chunk.invalid()));
    }
    text
}

fn plain<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Cow<'a, str> {
    encoding.decode_without_bom_handling(bytes).0
}

/// `encoding_rs` leaves UTF-32 out as the WHATWG does; a few feeds of 2004 use it.
fn utf32(bytes: &[u8], read: fn([u8; 4]) -> u32) -> Cow<'_, str> {
    let (units, _) = bytes.as_chunks::<4>();
    Cow::Owned(units.iter().map(|unit| char::from_u32(read(*unit)).unwrap_or('\u{FFFD}')).collect())
}

/// The charset of a `Content-Type` (RFC 9110 §8.3.2).
fn charset(content_type: &str) -> Option<&'static Encoding> {
    let lower = content_type.to_ascii_lowercase();
    let (_, value) = lower.split_once("charset=")?;
    label(value.split(';').next()?.trim_matches(['"', '\'', ' ']))
}

/// The encoding of an XML declaration.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(bytes.get(..LABEL_BYTES_MAX).unwrap_or(bytes)).to_ascii_lowercase();
    let (declaration, _) = head.split_once("<?xml")?.1.split_once("?>")?;
    let value = declaration.split_once("encoding")?.1.trim_start_matches(['=', ' ', '\t', '\r', '\n']);
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    label(value.trim_start_matches(quote).split(quote).next()?.trim())
}

/// ASCII labels are defaults of servers, not knowledge.
fn label(name: &str) -> Option<&'static Encoding> {
    if matches!(name, "us-ascii" | "ascii") {
        return None;
    }
    Encoding::for_label(name.as_bytes()).or_else(|| Encoding::for_label(name.replace(['-', '_'], "").as_bytes()))
}

/// Returns the text as it was before UTF-8 was taken for windows-1252 and encoded again, if all of it was.
fn undo_double_encoding(text: &str) -> Option<String> {
    if !["Ã", "Â", "â"].iter().any(|trace| text.contains(trace)) {
        return None;
    }
    // Each run between ASCII characters must make characters of its own: the first accent of an ordinary text does not.
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| !c.is_ascii()) {
        let (before, tail) = rest.split_at_checked(start)?;
        let (run, after) = tail.split_at_checked(tail.find(|c: char| c.is_ascii()).unwrap_or(tail.len()))?;
        let bytes = run.chars().map(windows_1252_byte).collect::<Option<Vec<u8>>>()?;
        repaired.push_str(before);
        repaired.push_str(std::str::from_utf8(&bytes).ok()?);
        rest = after;
    }
    repaired.push_str(rest);
    Some(repaired)
}

fn windows_1252_byte(character: char) -> Option<u8> {
    match u8::try_from(u32::from(character)) {
        Ok(byte) => Some(byte), // undefined in windows-1252, 0x81 comes as U+0081
        Err(_) => match *WINDOWS_1252.encode(character.encode_utf8(&mut [0; 4])).0 {
            [byte] => Some(byte),
            _ => None, // unmappable: written as a reference
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], content_type: Option<&str>, text: &str) {
        assert_eq!(decode(bytes, content_type).0, text);
    }

    fn utf16be(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn utf8_needs_no_label() {
        check("<a>é</a>".as_bytes(), None, "<a>é</a>");
    }

    #[test]
    fn a_byte_order_mark_is_dropped() {
        check("\u{FEFF}<a>é</a>".as_bytes(), Some("text/xml; charset=iso-8859-1"), "<a>é</a>");
    }

    #[test]
    fn utf8_labelled_latin_1_is_utf8() {
        check(
            "<?xml version='1.0' encoding='iso-8859-1'?>é".as_bytes(),
            None,
            "<?xml version='1.0' encoding='iso-8859-1'?>é",
        );
    }

    #[test]
    fn latin_1_labels_mean_windows_1252() {
        check(b"<a>l\x92\xe9cole \x80</a>", Some("text/xml; charset=ISO-8859-1"), "<a>l’école €</a>");
    }

    #[test]
    fn the_declaration_speaks_when_http_does_not() {
        check(b"<?xml encoding=\"koi8-r\"?>\xd0", Some("text/xml"), "<?xml encoding=\"koi8-r\"?>п");
    }

    #[test]
    fn big_endian_utf16_with_a_declaration_reads() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>é</a>";
        check(&utf16be(text), None, text);
        check(&utf16be(&format!("\u{FEFF}{text}")), Some("text/xml; charset=utf-16le"), text);
    }

    #[test]
    fn utf8_declared_as_utf16_reads() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>é</a>";
        check(text.as_bytes(), None, text);
    }

    #[test]
    fn utf32_reads_in_both_orders() {
        let big: Vec<u8> = "<é".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        let little: Vec<u8> = "\u{FEFF}<é".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        check(&big, None, "<é");
        check(&little, None, "<é");
    }

    #[test]
    fn stray_bytes_do_not_spoil_the_rest() {
        check(
            b"<a>\xc3\xa9l\xc3\xa8ve \xc3\xa0 d\x92\xe9t\xe9</a>",
            Some("text/xml; charset=utf-8"),
            "<a>élève à d’été</a>",
        );
    }

    #[test]
    fn bytes_without_label_are_guessed() {
        check(
            "<a>cr\u{e9}dits et libert\u{e9}s</a>".chars().map(|c| c as u8).collect::<Vec<_>>().as_slice(),
            None,
            "<a>crédits et libertés</a>",
        );
    }

    #[test]
    fn a_document_encoded_twice_is_repaired() {
        check("<a>lâ€™Ã©cole</a>".as_bytes(), None, "<a>l’école</a>");
    }

    #[test]
    fn a_tilde_of_its_own_is_left_alone() {
        check("<a>São Ã la carte</a>".as_bytes(), None, "<a>São Ã la carte</a>");
    }
}
