//! From bytes to text: byte order marks, labels and sniffing (RFC 7303 §3, XML 1.0 appendix F), and what really comes.
//!
//! The only home of `encoding_rs` and `chardetng`. The evidence of the bytes outranks a label: text that is valid
//! UTF-8 with accents in it is UTF-8 whatever its label says, and a label that the bytes disprove gives way to the next:
//! HTTP's, then the declaration's, then a guess. A declaration left in the text is ignored by what follows.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The byte that begins a change of character set in ISO-2022-JP. No other text of feeds holds it.
const ESCAPE: u8 = 0x1b;

/// One fault in so many characters beyond ASCII does not disprove a label: a byte is lost now and then.
const CHARACTERS_PER_FAULT: usize = 20;

/// Characters that must be restored within words before a text is taken to have been encoded twice: one is a quotation.
const RESTORED_MIN: usize = 2;

/// Bytes that the detector looks at in a document without a usable label.
const GUESS_BYTES_MAX: usize = 64 * 1024;

/// Bytes at the beginning of a document in which a declaration can be.
const LABEL_BYTES_MAX: usize = 1024;

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
        [0xEF, 0xBB, 0xBF, rest @ ..] => decode_labelled(rest, &[]),
        [0x00, 0x00, 0xFE, 0xFF, rest @ ..] => (utf32(rest, u32::from_be_bytes), None),
        [0xFF, 0xFE, 0x00, 0x00, rest @ ..] => (utf32(rest, u32::from_le_bytes), None),
        [0x00, 0x00, 0x00, b'<', ..] => (utf32(bytes, u32::from_be_bytes), None),
        [b'<', 0x00, 0x00, 0x00, ..] => (utf32(bytes, u32::from_le_bytes), None),
        [0xFE, 0xFF, rest @ ..] | rest @ [0x00, 0x01..=0x7F, 0x00, ..] => (plain(UTF_16BE, rest), None),
        [0xFF, 0xFE, rest @ ..] | rest @ [0x01..=0x7F, 0x00, _, 0x00, ..] => (plain(UTF_16LE, rest), None),
        _ => {
            let labels = [content_type.and_then(charset), declared(bytes)];
            decode_labelled(bytes, &labels.into_iter().flatten().collect::<Vec<_>>())
        }
    }
}

/// Decodes text of a byte-wise encoding, believing each of the `labels` as far as the bytes allow.
fn decode_labelled<'a>(bytes: &'a [u8], labels: &[&'static Encoding]) -> (Cow<'a, str>, Option<String>) {
    // Seven bits: would pass for UTF-8.
    if labels.contains(&ISO_2022_JP) && bytes.is_ascii() && bytes.contains(&ESCAPE) {
        return (plain(ISO_2022_JP, bytes), None);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), None);
    }
    let (accents, strays) = utf8_shares(bytes);
    // Texts in encodings of several bytes a character hold some that look like UTF-8.
    let is_utf8 = |label: &&'static Encoding| accents > strays * if label.is_single_byte() { 1 } else { 8 };
    let byte_wise = labels.iter().filter(|label| ![UTF_8, UTF_16LE, UTF_16BE, ISO_2022_JP].contains(label));
    let candidates = byte_wise.filter(|label| !is_utf8(label)).map(|label| (*label, Decoded::new(label, bytes)));
    let mut candidates: Vec<_> = candidates.collect();
    // One that the bytes do not disprove, else one that loses little.
    for share in [CHARACTERS_PER_FAULT, 4] {
        if let Some(at) = candidates.iter().position(|(_, decoded)| decoded.faults * share <= decoded.characters) {
            let (label, decoded) = candidates.swap_remove(at);
            let disproved = labels.first().filter(|first| **first != label);
            return (decoded.text, disproved.map(|first| misread(first, label)));
        }
        if accents >= strays {
            // Real feeds paste a Windows-1252 paragraph into a UTF-8 template, or are cut within a character.
            return (Cow::Owned(mixed(bytes)), Some("not valid UTF-8: stray bytes read as windows-1252".to_owned()));
        }
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes.get(..GUESS_BYTES_MAX).unwrap_or(bytes), true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    (plain(guess, bytes), Some(misread(labels.first().unwrap_or(&UTF_8), guess)))
}

fn misread(label: &'static Encoding, read_as: &'static Encoding) -> String {
    format!("not valid {}: read as {}", label.name(), read_as.name().to_lowercase())
}

/// Counts the characters beyond ASCII that the bytes are in UTF-8, and the runs of bytes that are none.
fn utf8_shares(bytes: &[u8]) -> (usize, usize) {
    let (mut accents, mut strays) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        accents += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        strays += usize::from(!chunk.invalid().is_empty());
    }
    (accents, strays)
}

/// A text as one label has it.
struct Decoded<'a> {
    text: Cow<'a, str>,
    /// Characters beyond ASCII.
    characters: usize,
    /// Characters that no text has: undecodable ones and controls.
    faults: usize,
}

impl<'a> Decoded<'a> {
    fn new(label: &'static Encoding, bytes: &'a [u8]) -> Self {
        let text = plain(label, bytes);
        let beyond = text.chars().filter(|character| !character.is_ascii());
        let (characters, faults) = beyond.fold((0, 0), |(characters, faults), character| {
            let is_fault = matches!(character, '\u{80}'..='\u{9F}' | '\u{FFFD}');
            (characters + 1, faults + usize::from(is_fault))
        });
        Self { text, characters, faults }
    }
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
    let value = lower.split_once("charset")?.1.trim_start().strip_prefix('=')?.trim_start();
    label(value.trim_start_matches(['"', '\'']).split([';', ',', '"', '\'']).next()?.trim())
}

/// The encoding of an XML declaration, else of a page's `meta` element.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(bytes.get(..LABEL_BYTES_MAX).unwrap_or(bytes)).to_ascii_lowercase();
    let Some((_, declaration)) = head.split_once("<?xml") else {
        let (_, meta) = head.split_once("<meta")?;
        let value = meta.split_once("charset")?.1.trim_start().strip_prefix('=')?;
        return label(value.trim_start_matches(['"', '\'', ' ']).split(['"', '\'', ' ', ';', '/', '>']).next()?);
    };
    let value = declaration.split_once("?>")?.0.split_once("encoding")?.1;
    let value = value.trim_start_matches(['=', ' ', '\t', '\r', '\n']);
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    label(value.trim_start_matches(quote).split(quote).next()?.trim())
}

/// ASCII labels are defaults of servers, not knowledge.
fn label(name: &str) -> Option<&'static Encoding> {
    if matches!(name, "us-ascii" | "ascii") {
        return None;
    }
    // Some stand for encodings that browsers refuse to read: as labels they are worth nothing.
    let known = |name: &str| Encoding::for_label_no_replacement(name.as_bytes());
    known(name).or_else(|| known(&name.replace('_', "-"))).or_else(|| known(&name.replace(['-', '_'], "")))
}

/// Returns the text as it was before UTF-8 was taken for windows-1252 and encoded again, if all of it was.
fn undo_double_encoding(text: &str) -> Option<String> {
    if !["Ã", "Â", "â"].iter().any(|trace| text.contains(trace)) {
        return None;
    }
    // Each run between ASCII characters must make characters of its own: the first accent of an ordinary text does not.
    let mut repaired = String::with_capacity(text.len());
    let (mut within_words, mut elsewhere) = (0, 0);
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| !c.is_ascii()) {
        let (before, tail) = rest.split_at_checked(start)?;
        let (run, after) = tail.split_at_checked(tail.find(|c: char| c.is_ascii()).unwrap_or(tail.len()))?;
        let bytes = run.chars().map(windows_1252_byte).collect::<Option<Vec<u8>>>()?;
        let restored = std::str::from_utf8(&bytes).ok()?;
        let is_in_word = before.ends_with(|c: char| c.is_ascii_alphanumeric())
            || after.starts_with(|c: char| c.is_ascii_alphanumeric());
        *(if is_in_word { &mut within_words } else { &mut elsewhere }) += restored.chars().count();
        repaired.push_str(before);
        repaired.push_str(restored);
        rest = after;
    }
    repaired.push_str(rest);
    // An article about such faults quotes them: a sign or two, between quotation marks.
    (within_words >= RESTORED_MIN && within_words >= elsewhere).then_some(repaired)
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

    #[test]
    fn a_sign_quoted_in_an_ascii_text_was_not_encoded_twice() {
        for text in [
            "<a>Why does my feed show \"â€™\" for an apostrophe?</a>",
            "<a>It says donâ€™t</a>",
            "<a>The signs Ã© and Ã¨ and â€¦ stand for accents</a>",
        ] {
            check(text.as_bytes(), None, text);
        }
    }

    fn encoded(text: &str, label: &str) -> Vec<u8> {
        Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned()
    }

    /// Decodes a text that is written in `truth`, labelled by HTTP and by its declaration.
    #[track_caller]
    fn check_labels(text: &str, truth: &str, http: &str, declaration: &str) {
        let text = format!("<?xml version='1.0' encoding='{declaration}'?><a>{text}</a>");
        check(&encoded(&text, truth), Some(&format!("application/rss+xml; charset={http}")), &text);
    }

    #[test]
    fn the_declaration_is_tried_where_the_bytes_disprove_http() {
        check_labels("Книги и школы", "koi8-r", "utf-8", "koi8-r");
        check_labels("szkoły i książki, źródła", "iso-8859-2", "UTF-8", "ISO-8859-2");
        check_labels("学校の本", "shift_jis", "utf-8", "Shift_JIS");
        check_labels("プログラム", "shift_jis", "iso-8859-1", "shift_jis");
        check_labels("НОВОСТИ О ПОБЕДЕ", "ibm866", "iso-8859-1", "ibm866");
    }

    #[test]
    fn a_page_declares_its_encoding_in_an_element() {
        let text = "<html><head><meta name='a'><META http-equiv=x content='text/html; charset=koi8-r'><title>Книги";
        check(&encoded(text, "koi8-r"), Some("text/html; charset=utf-8"), text);
    }

    #[test]
    fn http_goes_before_the_declaration_where_the_bytes_allow_it() {
        check_labels("Книги и школы", "koi8-r", "koi8-r", "windows-1251");
        check_labels("œuvres de l’été", "windows-1252", "ISO-8859-1", "iso-8859-5");
    }

    #[test]
    fn a_wrong_declaration_is_not_believed_either() {
        let text = "<?xml version='1.0' encoding='EUC-KR'?><a>Les écoles, les lycées et l'été à Évry</a>";
        check(&encoded(text, "windows-1252"), Some("text/xml; charset=utf-8"), text);
    }

    #[test]
    fn a_lost_byte_disproves_no_label() {
        let text = format!("<a>{}</a>", "学校の本と先生".repeat(20));
        let mut bytes = encoded(&text, "euc-jp");
        bytes.truncate(bytes.len() - 5);
        let read = decode(&bytes, Some("text/xml; charset=euc-jp")).0.into_owned();
        assert!(read.starts_with(text.trim_end_matches("先生</a>")), "{read}");
    }

    #[test]
    fn utf8_with_strays_stays_so_whatever_its_labels_say() {
        let bytes = b"<?xml encoding='iso-8859-1'?><a>\xc3\xa9l\xc3\xa8ve \xc3\xa0 l\x92\xc3\xa9t\xc3\xa9</a>";
        check(bytes, Some("text/xml; charset=utf-8"), "<?xml encoding='iso-8859-1'?><a>élève à l’été</a>");
        check(bytes, None, "<?xml encoding='iso-8859-1'?><a>élève à l’été</a>");
    }

    #[test]
    fn labels_come_in_many_spellings() {
        for content_type in [
            "text/xml; Charset = \"windows-1251\"",
            "text/xml;charset='WINDOWS_1251'",
            "text/xml; charset=cp1251,utf-8",
        ] {
            check(b"\xea\xed\xe8\xe3\xe8", Some(content_type), "книги");
        }
    }

    #[test]
    fn labels_of_encodings_that_nobody_reads_lose_no_text() {
        check(b"<a>texte</a>", Some("text/xml; charset=iso-2022-kr"), "<a>texte</a>");
        check("<a>été</a>".as_bytes(), Some("text/xml; charset=iso-2022-jp"), "<a>été</a>");
    }

    #[test]
    fn utf16_without_a_mark_may_begin_with_a_blank() {
        check(&utf16be("\n<a>é</a>"), Some("text/xml; charset=utf-16"), "\n<a>é</a>");
    }
}
