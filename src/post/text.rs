//! The text of a message: the fields of a template, cut at words where the target takes less, and nobody is mentioned.
//!
//! No text of a publisher pings anybody: behind each `@` stands a word joiner, which nobody sees; in a link, an `@` behind which
//! a name could begin is percent-encoded. A link is sent whole or not at all, and so is a hashtag.

use unicode_segmentation::UnicodeSegmentation;

use super::hashtags::hashtags;
use super::{Dispatch, TargetFacts};
use crate::outbox::{TextField, TextPart};

/// The ways of a target with texts.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// Escapes a publisher's text.
    pub(super) escape: fn(&str) -> String,
    /// Writes an address.
    pub(super) link: fn(&str) -> String,
}

/// U+2060, which has no width: no line breaks there, and no name begins behind it.
pub(super) const WORD_JOINER: char = '\u{2060}';

/// Words of a title that are kept before hashtags go.
const TITLE_WORDS: usize = 6;

/// Characters in which a word without a blank is taken apart, if it is longer than twice that.
const CHUNK: usize = 30;

/// Writes a message.
pub(super) fn message(dispatch: &Dispatch<'_>, facts: &TargetFacts, manner: Manner) -> String {
    let mut draft = TextDraft::new(dispatch, facts, manner);
    for (field, kept) in CUTS {
        if draft.fits() {
            break;
        }
        draft.cut(*field, *kept);
    }
    let text = draft.text();
    if text.is_empty() {
        // The operator asked for fields that this story lacks.
        return draft.written(TextField::Title);
    }
    if draft.fits() {
        return text;
    }
    // Only the operator's own words and the link are left.
    let has_link = dispatch.post.text.0.contains(&TextPart::Field(TextField::Link));
    let fits = |link: &String| has_link && measure(link, facts.link_characters) + 2 < facts.characters_max;
    let link = Some(draft.link()).filter(fits);
    draft.cut(TextField::Link, 0);
    let of_link = link.as_ref().map_or(0, |link| measure(link, facts.link_characters) + 2);
    let text = draft.text();
    let cut: String = text.chars().take(facts.characters_max.saturating_sub(of_link)).collect();
    match link.filter(|link| !link.is_empty()) {
        Some(link) => format!("{}… {link}", cut.trim_end()),
        None => cut,
    }
}

/// Fields in the order in which they are cut, each with the words that it keeps.
const CUTS: &[(TextField, usize)] = &[
    (TextField::Summary, 0),
    (TextField::Sources, 1),
    (TextField::Tags, 0),
    (TextField::Title, TITLE_WORDS),
    (TextField::Hashtags, 0),
    (TextField::Title, 1),
    (TextField::Source, 0),
    (TextField::Topic, 0),
    (TextField::Date, 0),
    (TextField::Language, 0),
    (TextField::Title, 0),
];

struct TextDraft<'a> {
    dispatch: &'a Dispatch<'a>,
    facts: &'a TargetFacts,
    manner: Manner,
    /// Each field in the pieces that it may be cut into; a piece begins with what parts it from the one before.
    fields: Vec<(TextField, Vec<String>, bool)>,
}

impl<'a> TextDraft<'a> {
    fn new(dispatch: &'a Dispatch<'a>, facts: &'a TargetFacts, manner: Manner) -> Self {
        let notice = dispatch.notice;
        let list = |items: &[String], parting: &str| {
            let piece = |(place, item): (usize, &String)| {
                if place == 0 { item.clone() } else { format!("{parting}{item}") }
            };
            items.iter().enumerate().map(piece).collect::<Vec<_>>()
        };
        let fields = TextField::ALL.map(|field| {
            let pieces = match field {
                TextField::Title => words(&notice.title),
                TextField::Link => notice.link.clone().into_iter().collect(),
                TextField::Summary => words(&notice.summary),
                TextField::Source => words(&notice.source),
                TextField::Sources => list(&notice.sources, ", "),
                TextField::Tags => list(&notice.tags, ", "),
                TextField::Hashtags => list(&hashtags(&dispatch.post.hashtags, &notice.tags), " "),
                TextField::Topic => words(&notice.topic),
                TextField::Date => vec![notice.day.clone()],
                TextField::Language => vec![notice.language.clone()],
            };
            (field, pieces, false)
        });
        Self { dispatch, facts, manner, fields: fields.into() }
    }

    fn written(&self, field: TextField) -> String {
        let Some((_, pieces, is_cut)) = self.fields.iter().find(|(other, ..)| *other == field) else {
            return String::new();
        };
        let whole = pieces.concat();
        match field {
            TextField::Link => pieces.first().map(|link| (self.manner.link)(link)).unwrap_or_default(),
            // Made of letters and digits only; a target that escapes would spoil them.
            TextField::Hashtags => whole,
            _ => {
                let cut = if *is_cut && !whole.is_empty() { "…" } else { "" };
                (self.manner.escape)(&format!("{}{cut}", without_overrides(&whole)))
            }
        }
    }

    fn link(&self) -> String {
        self.written(TextField::Link)
    }

    /// The message; lines whose fields are all empty are left out, and so is what parted an empty field from others.
    fn text(&self) -> String {
        let mut lines: Vec<TextLine> = vec![TextLine::default()];
        for part in &self.dispatch.post.text.0 {
            match part {
                TextPart::Literal(literal) => {
                    for (place, piece) in literal.split('\n').enumerate() {
                        if place > 0 {
                            lines.push(TextLine::default());
                        }
                        lines.last_mut().into_iter().for_each(|line| line.literal(piece));
                    }
                }
                TextPart::Field(field) => {
                    let written = self.written(*field);
                    lines.last_mut().into_iter().for_each(|line| line.field(&written));
                }
            }
        }
        let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_left_out()).map(TextLine::end).collect();
        let text = lines.join("\n");
        let mut text = text.trim().to_owned();
        while text.contains("\n\n\n") {
            text = text.replace("\n\n\n", "\n\n");
        }
        match self.dispatch.trial {
            Some(trial) => format!("[{trial}]\n{text}"),
            None => text,
        }
    }

    fn fits(&self) -> bool {
        measure(&self.text(), self.facts.link_characters) <= self.facts.characters_max
    }

    /// Takes pieces off the end of a field until the message fits, or so many are left.
    fn cut(&mut self, field: TextField, kept: usize) {
        let Some(place) = self.fields.iter().position(|(other, ..)| *other == field) else { return };
        let all = self.fields.get(place).map(|(_, pieces, _)| pieces.clone()).unwrap_or_default();
        if all.len() <= kept {
            return;
        }
        // The largest number of pieces that fits: all fewer fit too.
        let (mut low, mut high) = (kept, all.len());
        while low < high {
            let middle = (low + high).div_ceil(2);
            self.keep(place, all.get(..middle).unwrap_or_default());
            if self.fits() {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        self.keep(place, all.get(..low).unwrap_or_default());
    }

    fn keep(&mut self, place: usize, pieces: &[String]) {
        if let Some((_, kept, is_cut)) = self.fields.get_mut(place) {
            *kept = pieces.to_vec();
            *is_cut = true;
        }
    }
}

/// A line of a message under way.
#[derive(Default)]
struct TextLine {
    text: String,
    /// It has fields, and one of them says something.
    fields: Option<bool>,
    /// Literal text that stands behind the last field; it goes if the next field is empty.
    parting: String,
}

impl TextLine {
    fn literal(&mut self, piece: &str) {
        self.parting.push_str(piece);
    }

    fn field(&mut self, written: &str) {
        let said = self.fields.unwrap_or(false);
        if written.is_empty() {
            self.fields = Some(said);
            if is_parting(&self.parting) {
                self.parting.clear();
            }
            return;
        }
        // A parting at the beginning of a line would part nothing.
        if said || !is_parting(&self.parting) || self.fields.is_none() {
            self.text.push_str(&self.parting);
        }
        self.parting.clear();
        self.text.push_str(written);
        self.fields = Some(true);
    }

    fn is_left_out(&self) -> bool {
        self.fields == Some(false)
    }

    fn end(mut self) -> String {
        if self.fields.is_none() || !is_parting(&self.parting) || self.parting.trim().is_empty() {
            self.text.push_str(&self.parting);
        } else {
            self.text.push_str(self.parting.trim_end_matches(|c: char| c.is_whitespace() || PARTINGS.contains(c)));
        }
        self.text.trim_end().to_owned()
    }
}

/// Marks that part two fields.
const PARTINGS: &str = "·•|–—-:,;/";

fn is_parting(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || PARTINGS.contains(c))
}

/// The length of a message; of each address that a server recognizes, the length that it counts with.
///
/// Mastodon counts characters as people see them, of which there are never more, and mentions without their server, which are
/// broken here: a message that fits by this measure fits by its own (`StatusLengthValidator`).
fn measure(text: &str, link_characters: Option<usize>) -> usize {
    let Some(of_link) = link_characters else { return text.chars().count() };
    text.split_inclusive(char::is_whitespace)
        .map(|word| match recognized_link(word) {
            Some(link) => (word.chars().count() - link.chars().count()) + of_link,
            None => word.chars().count(),
        })
        .sum()
}

/// Returns the part of a word that is surely taken for one address: none behind a letter or without a dot in its host, and
/// neither brackets nor marks at its end (Mastodon's `twitter_regex.rb`, which takes more).
fn recognized_link(word: &str) -> Option<&str> {
    let at = word.find("https://").or_else(|| word.find("http://"))?;
    let (before, link) = word.split_at(at);
    if before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '@' | '＠' | '$' | '#' | '＃' | '\u{feff}')) {
        return None;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() && !c.is_whitespace() || LINK_MARKS.contains(c);
    let link = link.split(|c| !is_part(c)).next().unwrap_or_default();
    let link = link.trim_end_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '/' | '#' | '_' | '-'));
    let host = link.split_once("://")?.1.split(['/', '?', '#', ':']).next()?;
    let (name, domain) = host.rsplit_once('.')?;
    (!name.is_empty() && domain.len() > 1 && domain.chars().all(char::is_alphabetic)).then_some(link)
}

/// Marks that are a part of any address.
const LINK_MARKS: &str = "!*';:=+,.$/%#-_~|@&?";

/// The words of a text, each but the first with the blank before it; a very long one in pieces.
fn words(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    for word in text.split_whitespace() {
        let blank = if pieces.is_empty() { "" } else { " " };
        let is_long = word.chars().nth(2 * CHUNK).is_some();
        let (mut piece, mut length) = (blank.to_owned(), 0);
        // A character as people see it is never torn (UAX #29).
        for character in word.graphemes(true) {
            if is_long && length >= CHUNK {
                pieces.push(std::mem::take(&mut piece));
                length = 0;
            }
            piece.push_str(character);
            length += character.chars().count();
        }
        pieces.push(piece);
    }
    pieces
}

/// Takes out what turns the direction of all that follows: a title ends, what it turned would not.
fn without_overrides(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')).collect()
}

/// Returns a text that mentions nobody.
pub(super) fn unmentioned(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        safe.push(c);
        if matches!(c, '@' | '＠' | '﹫') {
            safe.push(WORD_JOINER);
        }
    }
    safe
}

/// Returns an address in which no target finds a name: behind a letter, a digit, `_`, `=` or `/`, Mastodon does not either
/// (`Account::MENTION_RE`), so that most addresses stay as they are.
pub(super) fn unmentioned_link(link: &str) -> String {
    encoded_names(link, |before| before.is_ascii_alphanumeric() || matches!(before, '_' | '=' | '/'))
}

/// Likewise, and without the names of groups, wherever they stand.
pub(super) fn link_without_groups(link: &str, groups: &[&str]) -> String {
    let without = |link: String, group: &&str| link.replace(&format!("@{group}"), &format!("%40{group}"));
    groups.iter().fold(unmentioned_link(link), without)
}

/// Likewise for targets that find names everywhere.
pub(super) fn link_without_names(link: &str) -> String {
    encoded_names(link, |_| false)
}

/// Percent-encodes each `@` that does not follow a character behind which no name begins.
fn encoded_names(link: &str, is_harmless: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(link.len());
    let mut before = None;
    for c in without_user(link).chars() {
        match c {
            '@' if !before.is_some_and(&is_harmless) => safe.push_str("%40"),
            '＠' | '﹫' => safe.extend(percent_encoding::utf8_percent_encode(
                c.encode_utf8(&mut [0; 4]),
                percent_encoding::NON_ALPHANUMERIC,
            )),
            c => safe.push(c),
        }
        before = Some(c);
    }
    safe
}

/// Takes a name and password out of an address: a page for all needs none.
fn without_user(link: &str) -> String {
    match url::Url::parse(link) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            // An address that can have a name can also have none.
            let _ = url.set_username("").and_then(|()| url.set_password(None));
            url.into()
        }
        Ok(_) | Err(_) => link.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{notice, post};
    use super::*;
    use crate::outbox::{Notice, StoryEvent, TextTemplate};

    fn written(text: &str, notice: &Notice, max: usize, trial: Option<&str>) -> String {
        let mut post = post("mastodon");
        post.text = TextTemplate::parse(text).unwrap();
        post.hashtags = vec!["Laïcité".into()];
        let now = notice.date;
        let dispatch = Dispatch { post: &post, notice, event: StoryEvent::New, noted: now, remote: None, trial, now };
        let facts = TargetFacts { characters_max: max, link_characters: Some(23), room: None };
        message(&dispatch, &facts, Manner { escape: unmentioned, link: unmentioned_link })
    }

    #[track_caller]
    fn check(text: &str, notice: &Notice, max: usize, expected: &str) {
        assert_eq!(written(text, notice, max, None), expected);
    }

    const USUAL: &str = "{title}\n\n{source} · {link}\n{hashtags}";

    #[test]
    fn fields_are_filled_in() {
        check(
            USUAL,
            &notice(),
            500,
            "Une charte de la laïcité\n\nMinistère · https://ministere.example/charte\n#Laïcité #ÉducationNationale",
        );
        check(
            "{sources} {tags} {topic} {date} {language}",
            &notice(),
            500,
            "Ministère, Agence éducation nationale Laïcité 24 novembre 2026 fr",
        );
    }

    #[test]
    fn lines_and_partings_of_empty_fields_are_left_out() {
        let bare = Notice { link: None, summary: String::new(), tags: Vec::new(), ..notice() };
        check("{title}\n{summary}\n\n{source} · {link}", &bare, 500, "Une charte de la laïcité\n\nMinistère");
        check("{link} – {source}", &bare, 500, "Ministère");
        check("Vu sur {source} : {link}", &bare, 500, "Vu sur Ministère");
        check("Lire :\n{title}", &bare, 500, "Lire :\nUne charte de la laïcité");
    }

    #[test]
    fn what_is_too_long_is_cut_at_words_and_link_and_hashtags_stay_whole() {
        let long = Notice { title: "mot ".repeat(300), summary: "phrase ".repeat(300), ..notice() };
        let text = written("{title}\n{summary}\n{link} {hashtags}", &long, 200, None);
        assert!(text.ends_with("mot…\nhttps://ministere.example/charte #Laïcité #ÉducationNationale"), "{text}");
        assert!(measure(&text, Some(23)) <= 200 && measure(&text, Some(23)) > 190, "{text}");
        assert!(!text.contains("phrase"), "{text}");
    }

    #[test]
    fn hashtags_go_one_by_one_when_there_is_no_room_and_the_link_stays() {
        let long = Notice { title: "Anticonstitutionnellement ".repeat(8), ..notice() };
        let text = written(USUAL, &long, 60, None);
        assert!(text.contains("https://ministere.example/charte") && !text.contains("#É"), "{text}");
        assert!(measure(&text, Some(23)) <= 60, "{text}");
    }

    #[test]
    fn a_link_counts_with_the_length_that_the_server_says() {
        let link = format!("https://ministere.example/{}", "a".repeat(400));
        let long = Notice { link: Some(link.clone()), ..notice() };
        check("{title} {link}", &long, 60, &format!("Une charte de la laïcité {link}"));
    }

    #[test]
    fn a_word_without_end_is_cut_and_no_character_is_torn() {
        let family = "👨‍👩‍👧‍👦".repeat(100);
        let long = Notice { title: family, ..notice() };
        let text = written("{title}\n{link}", &long, 100, None);
        assert!(text.contains("…\nhttps://"), "{text}");
        assert!(!text.contains("\u{200d}…"), "{text}");
    }

    #[test]
    fn nobody_is_mentioned() {
        for title in ["@everyone", "écrire à @ministere@social.example", "＠channel", "a@b.example", "@"] {
            let text = written("{title}", &Notice { title: title.into(), ..notice() }, 500, None);
            assert!(
                !text.contains("@e") && !text.contains("@m") && !text.contains("@s") && !text.contains("@b"),
                "{text}"
            );
            assert_eq!(text.replace(WORD_JOINER, ""), title);
        }
    }

    #[test]
    fn every_character_that_folds_to_an_at_sign_is_broken() {
        use unicode_normalization::UnicodeNormalization as _;
        let folded = (0..=0x0010_ffff_u32).filter_map(char::from_u32).filter(|c| c.nfkc().any(|c| c == '@'));
        for c in folded {
            assert_eq!(unmentioned(&format!("{c}all")).chars().nth(1), Some(WORD_JOINER), "{c:?}");
            assert!(!unmentioned_link(&format!("https://a.example/?{c}all")).nfkc().any(|c| c == '@'), "{c:?}");
        }
    }

    #[test]
    fn nobody_is_mentioned_by_a_link_and_usual_ones_stay() {
        for (link, expected) in [
            ("https://a.example/?@all@b.example", "https://a.example/?%40all@b.example"),
            ("https://a.example/-@all", "https://a.example/-%40all"),
            ("https://social.example/@ministere/1", "https://social.example/@ministere/1"),
            ("https://a.example/?x=@all&y=a@b.example", "https://a.example/?x=@all&y=a@b.example"),
            ("https://all:x@a.example/", "https://a.example/"),
        ] {
            assert_eq!(unmentioned_link(link), expected);
        }
        assert_eq!(link_without_names("https://social.example/@all"), "https://social.example/%40all");
    }

    #[test]
    fn only_what_is_surely_an_address_counts_as_one() {
        let long = "a".repeat(100);
        for (text, length) in [
            (format!("https://a.example/{long}"), 23),
            (format!("voir https://a.example/{long} !"), 30),
            (format!("(https://a.example/{long})."), 26),
            ("https://a.example/x".to_owned(), 23),
            // Letters before it, no dot in its host, brackets and quotes: all else counts as it stands.
            (format!("vhttps://a.example/{long}"), 119),
            (format!("http://localhost/{long}"), 117),
            (format!("https://a.example/?q={{{long}}}"), 126),
        ] {
            assert_eq!(measure(&text, Some(23)), length, "{text}");
        }
    }

    #[test]
    fn a_title_turns_the_direction_of_nothing_else() {
        let turned = Notice { title: "\u{202e}الخبر\u{2067} 📰".into(), ..notice() };
        check("{title} – {source}", &turned, 500, "الخبر 📰 – Ministère");
    }

    #[test]
    fn a_message_that_would_be_empty_has_the_title() {
        let bare = Notice { summary: String::new(), ..notice() };
        check("{summary}", &bare, 500, "Une charte de la laïcité");
    }

    #[test]
    fn a_trial_says_so() {
        assert!(
            written(USUAL, &notice(), 500, Some("Ceci est un essai.")).starts_with("[Ceci est un essai.]\nUne charte")
        );
    }

    #[test]
    fn words_of_the_operator_alone_are_cut_too() {
        let text = written(&"x".repeat(100), &notice(), 50, None);
        assert_eq!(text.chars().count(), 50);
        let text = written(&format!("{} {{link}}", "x".repeat(100)), &notice(), 60, None);
        assert!(text.ends_with("… https://ministere.example/charte"), "{text}");
    }
}
