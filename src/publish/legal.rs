//! Values that are legal in a published document: characters, lines, IRIs, addresses, languages.
//!
//! The results of these functions pass a validator, whatever the input; parts that cannot be mended are dropped.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use crate::text;

/// Longest line that is published, in characters: a "title" beyond it is a text in the wrong place.
const LINE_MAX: usize = 1_000;

/// A character that can be seen when it stands alone: no blank, none that Unicode lets be ignored when it cannot be shown
/// (§5.21), nor the braille pattern without a dot.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static VISIBLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[^\s\p{Default_Ignorable_Code_Point}\u{2800}]").expect("constant pattern"));

/// ISO 639-1.
const LANGUAGES: &str = "\
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el \
    en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu \
    ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na \
    nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so \
    sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Returns `text` with only what XML 1.0 §2.2 allows, and no character that stands for a decoding gone wrong.
pub(super) fn characters(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| replacement(c) != Some(c)) {
        return Cow::Borrowed(text);
    }
    text.replace("\r\n", "\n").chars().filter_map(replacement).collect::<String>().into()
}

fn replacement(c: char) -> Option<char> {
    match c {
        '\t' | '\n' => Some(c),
        '\r' => Some('\n'),      // XML reads it as a line feed in any case
        '\u{fffd}' => Some('?'), // lost before we saw it
        // The C1 range is legal, discouraged, and never meant.
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => None,
        _ => (!is_noncharacter(c)).then_some(c),
    }
}

/// Whether Unicode §23.7 reserves the character for ever. XML allows all of these but two, HTML allows none.
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

/// Returns `text` on one line, or `None` if there is nothing to read on it.
///
/// No-break spaces stay: French typography needs them inside « » and before `:`.
pub(super) fn readable_line(text: &str) -> Option<String> {
    let text = characters(text);
    let line = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_matches(|c: char| c.is_whitespace() || c == '\u{200b}' || c == '\u{feff}');
    VISIBLE.is_match(line).then(|| beginning(line, LINE_MAX))
}

/// Returns the first words of a text, at most `characters` and a mark that something follows.
pub(super) fn beginning(text: &str, characters: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(characters) else { return contained(text).into_owned() };
    let start = text.get(..end).unwrap_or_default();
    // Scripts without blanks, and words without end, are cut anywhere.
    format!("{}…", contained(start.rsplit_once(' ').map_or(start, |(words, _)| words).trim_end()))
}

/// Returns `text` without signs of direction (UAX #9 §2) if they would turn round what follows the text.
fn contained(text: &str) -> Cow<'_, str> {
    let mut open = Vec::new();
    let is_nested = text.chars().all(|c| match c {
        '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => {
            open.push('\u{202c}');
            true
        }
        '\u{2066}'..='\u{2068}' => {
            open.push('\u{2069}');
            true
        }
        '\u{202c}' | '\u{2069}' => open.pop() == Some(c),
        _ => true,
    });
    if is_nested && open.is_empty() {
        Cow::Borrowed(text)
    } else {
        text.replace(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'), "").into()
    }
}

/// Returns a line for a place that cannot say "this is no markup": what looks like markup is read as such, once.
pub(super) fn label(text: &str) -> Option<String> {
    let line = readable_line(text)?;
    if is_like_markup(&line) {
        self::readable_line(&text::html_to_text(&line)).map(|line| unmistakable(&line))
    } else {
        Some(line)
    }
}

/// Returns a plain title for such a place: a tag in it is talked about.
pub(super) fn title(text: &str) -> Option<String> {
    readable_line(text).map(|line| unmistakable(&line))
}

/// Returns a line that nobody can take for HTML: what looks like it is written with signs that look the same to people.
pub(super) fn unmistakable(line: &str) -> String {
    if is_like_markup(line) {
        line.replace('<', "‹").replace('>', "›").replace('&', "＆")
    } else {
        line.to_owned()
    }
}

/// Whether a careless reader would take a plain line for HTML.
pub(super) fn is_like_markup(line: &str) -> bool {
    let after = |mark: char| line.match_indices(mark).filter_map(|(at, _)| line.get(at + 1..));
    after('<').any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)))
        || after('&').any(is_like_reference)
}

/// Whether `&` and `rest` would be read as a character reference; some readers do not ask for its `;`.
fn is_like_reference(rest: &str) -> bool {
    let word = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let reference = format!("&{word};");
    rest.starts_with('#') || word.contains(|c: char| !c.is_alphabetic()) || text::html_to_text(&reference) != reference
}

/// Returns `iri` with the characters percent-encoded that RFC 3986 §2 does not allow; legal ones stay as they are.
pub(super) fn iri(iri: &str) -> String {
    text::legal_iri(&characters(iri))
}

/// Returns a link that a reader can follow.
pub(super) fn link(url: &Url) -> Option<String> {
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| iri(url.as_str()))
}

/// Returns the address of a page that people or programs wrote.
pub(super) fn page_address(text: &str) -> Option<String> {
    Url::parse(text.trim()).ok().as_ref().and_then(link)
}

/// Returns an e-mail address (RFC 5322 §3.4.1, without quotes and comments).
pub(super) fn email(text: &str) -> Option<String> {
    let address = text.trim();
    let address = address.strip_prefix("mailto:").unwrap_or(address);
    let (local, domain) = address.rsplit_once('@')?;
    let is_local = |c: char| c.is_ascii_alphanumeric() || "_-+.'!#$%&*/=?^`{|}~".contains(c);
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_legal = !local.is_empty()
        && local.chars().all(is_local)
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && !is_like_markup(address);
    is_legal.then(|| address.to_owned())
}

/// Returns a BCP 47 tag whose language is in ISO 639-1; `fr_FR` is read as `fr-FR`.
pub(super) fn language_code(text: &str) -> Option<String> {
    let tag = text.trim().replace('_', "-");
    let mut parts = tag.split('-');
    let primary = parts.next()?.to_ascii_lowercase();
    let is_subtag = |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    (LANGUAGES.split(' ').any(|known| known == primary) && parts.all(is_subtag)).then_some(tag)
}

/// Returns a media type without parameters (RFC 9110 §8.3.1).
pub(super) fn media_type(text: &str) -> Option<String> {
    let media_type = text.split(';').next()?.trim().to_ascii_lowercase();
    let is_token =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c));
    media_type.split_once('/').is_some_and(|(kind, name)| is_token(kind) && is_token(name)).then_some(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: AsRef<str>>(published: Option<T>, expected: Option<&str>) {
        assert_eq!(published.map(|text| text.as_ref().to_owned()).as_deref(), expected);
    }

    #[test]
    fn control_characters_and_noncharacters_are_left_out() {
        check(Some(characters("a\u{0}b\u{b}c\u{fffe}d\u{85}e\tf\ng\u{fdd0}\u{1ffff}h")), Some("abcde\tf\ngh"));
    }

    #[test]
    fn a_carriage_return_is_a_line_feed() {
        check(Some(characters("a\r\nb\rc")), Some("a\nb\nc"));
    }

    #[test]
    fn a_line_keeps_no_break_spaces_and_emoji() {
        check(
            readable_line(" «\u{a0}L’école\u{a0}»\n\t demain\u{202f}? 🎓 "),
            Some("«\u{a0}L’école\u{a0}» demain\u{202f}? 🎓"),
        );
    }

    #[test]
    fn a_line_without_anything_to_read_is_none() {
        check(readable_line(" \u{a0}\u{200b}\u{1} \n"), None);
        check(readable_line("\u{2060}\u{ad} \u{200d}\u{fe0f}\u{2800}\u{3164}\u{e0020}"), None);
        check(label("\u{202e}\u{2069}"), None);
        check(readable_line("\u{ad}a\u{2060}"), Some("\u{ad}a\u{2060}"));
    }

    #[test]
    fn a_huge_line_is_cut_between_characters() {
        assert_eq!(readable_line(&"é".repeat(100_000)).unwrap().chars().count(), LINE_MAX + 1);
    }

    #[test]
    fn signs_of_direction_that_reach_beyond_a_line_are_left_out() {
        check(readable_line("a \u{202e}gpj.exe"), Some("a gpj.exe"));
        check(label("\u{2067}a\u{202c} b\u{2069}"), Some("a b"));
        check(
            readable_line("\u{2067}שלום\u{2069}, \u{202a}b\u{202c}"),
            Some("\u{2067}שלום\u{2069}, \u{202a}b\u{202c}"),
        );
        check(Some(beginning("\u{2067}un deux\u{2069}", 4)), Some("un…"));
    }

    #[test]
    fn a_label_reads_what_looks_like_markup() {
        check(label("Q&amp;R : <b>le bac</b>"), Some("Q&R : le bac"));
        check(label("R&D, a < b"), Some("R&D, a < b"));
        check(label("&amp;copy; &lt;b>"), Some("＆copy; ‹b›"));
    }

    #[test]
    fn a_title_keeps_the_tags_that_it_talks_about() {
        check(title("La balise <video> de HTML"), Some("La balise ‹video› de HTML"));
        check(title(" R&D \n"), Some("R&D"));
    }

    #[test]
    fn a_reference_may_lack_its_end() {
        for line in ["5 &euro 20", "l&apos", "&#39", "Q&1", "a &lt; b"] {
            assert!(is_like_markup(line), "{line}");
        }
        for line in ["R&D", "AT&T; SNCF", "a & b;", "Marks&Spencer", "&", "fin&"] {
            assert!(!is_like_markup(line), "{line}");
        }
    }

    #[test]
    fn an_illegal_iri_is_encoded_and_a_legal_one_is_left_alone() {
        check(Some(iri("https://a.example/x y?q={1|2}&r=50%")), Some("https://a.example/x%20y?q=%7B1%7C2%7D&r=50%25"));
        check(Some(iri("https://[::1]/a[1]")), Some("https://[::1]/a%5B1%5D"));
        check(Some(iri("https://a.example/%C3%A9#é")), Some("https://a.example/%C3%A9#é"));
    }

    #[test]
    fn only_web_links_are_links() {
        check(link(&Url::parse("javascript:alert(1)").unwrap()), None);
        check(link(&Url::parse("https://a.example/é").unwrap()), Some("https://a.example/%C3%A9"));
    }

    #[test]
    fn an_address_is_kept_only_if_mail_could_reach_it() {
        check(email("mailto:a.b@c.example"), Some("a.b@c.example"));
        check(email("a@localhost"), None);
        check(email("webmaster (at) c.example"), None);
        check(email("é@c.example"), None);
    }

    #[test]
    fn a_language_is_known_or_dropped() {
        check(language_code("fr_FR"), Some("fr-FR"));
        check(language_code("français"), None);
        check(language_code("xx"), None);
        check(language_code("en-us"), Some("en-us"));
    }

    #[test]
    fn a_media_type_is_well_formed_or_dropped() {
        check(media_type("Audio/MPEG; codecs=x"), Some("audio/mpeg"));
        check(media_type("mp3"), None);
    }
}
