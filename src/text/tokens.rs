//! Levelled text to tokens: elision taken off, compounds as parts and joined, running scripts character by character.
//!
//! Words go on over combining marks (UAX #29, rule WB4). Chinese, Japanese, Thai and their like are written without
//! blanks: each of their characters is a token, and a word of theirs is a phrase of such tokens.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

/// Version of how words are cut and folded: raised when a text gives other words than before.
///
/// Stores keep data made from words: labels, sketches with their clues, the index of texts. All three are made again, in
/// the background, by a program whose version differs.
pub const WORDS_VERSION: u32 = 3;

/// One position of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'a> {
    /// As written, without elision; case and accents kept.
    pub word: &'a str,
    /// On the first part of a hyphenated word, the parts joined: `e-mail` is also `email`.
    pub joined: Option<String>,
    /// The number of parts of the same compound that follow: 1 on the `e` of `e-mail`.
    pub followers: usize,
    /// The start of `word` in the levelled text, in bytes.
    pub start: usize,
}

/// Elided words of several letters (`qu'`): no part of the word behind their apostrophe. Those of one letter are in
/// [`is_elision`].
const ELIDED: [&str; 5] = ["qu", "jusqu", "lorsqu", "puisqu", "quoiqu"];

/// The zero width space: an invisible place to break a line, within a word or between two.
const BREAK: char = '\u{200b}';

/// Calls with each token of a levelled text, in order.
pub(super) fn each_token<'a>(text: &'a str, mut call: impl FnMut(Token<'a>)) {
    let mut at = 0;
    let mut compound = Compound::default();
    while let Some(start) = next_word(text, at) {
        let end = word_end(text, start);
        if joint(text, end).is_some() {
            at = compound.read(text, start, end);
            compound.each_part(text, &mut call);
        } else {
            call(Token { word: text.get(start..end).unwrap_or_default(), joined: None, followers: 0, start });
            at = end;
        }
    }
}

/// Returns the start of the next word.
fn next_word(text: &str, mut at: usize) -> Option<usize> {
    loop {
        let byte = *text.as_bytes().get(at)?;
        if byte.is_ascii() {
            if is_ascii_part(byte) {
                return Some(at);
            }
            at += 1;
        } else {
            let c = text.get(at..)?.chars().next()?;
            if is_word(c) {
                return Some(at);
            }
            at += c.len_utf8();
        }
    }
}

/// Returns the end of the word that begins at `start`; `start` itself if none begins there.
fn word_end(text: &str, start: usize) -> usize {
    let mut at = start;
    while let Some(&byte) = text.as_bytes().get(at) {
        if byte.is_ascii() {
            if !is_ascii_part(byte) {
                break;
            }
            at += 1;
        } else {
            let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
            let length = c.len_utf8();
            if is_running(c) && is_word(c) {
                // Alone with its marks.
                return if at == start { marks_end(text, at + length) } else { at };
            }
            if !is_word(c) && (at == start || !is_mark(c)) {
                break;
            }
            at += length;
        }
    }
    at
}

/// Returns the end of the combining marks that begin at `at`.
fn marks_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(|c| !is_mark(c)).unwrap_or(rest.len())
}

/// Whether a character is a letter, a number or `_`; vowel signs and circled letters are none.
pub(super) fn is_word(c: char) -> bool {
    match c {
        '_' | 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='\u{24f}' => true,
        ..'\u{80}' => c.is_ascii_alphanumeric(),
        ..'\u{300}' => c.is_alphanumeric(),
        'Ⓐ'..='ⓩ' | '\u{1f130}'..='\u{1f189}' => false,
        _ => c.is_alphanumeric() && !is_combining_mark(c),
    }
}

/// Whether a character belongs to the letter before it.
fn is_mark(c: char) -> bool {
    c >= '\u{300}' && is_combining_mark(c)
}

/// Whether a character is of a script that puts no blanks between words: Thai, Lao, Burmese, Khmer and their kin, Han,
/// Kana, Bopomofo.
#[must_use]
pub fn is_running(c: char) -> bool {
    c >= '\u{e00}'
        && matches!(c,
            '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{1950}'..='\u{19ff}'
            | '\u{1a20}'..='\u{1aaf}'
            | '\u{2e80}'..='\u{2fdf}'
            | '\u{3005}'..='\u{312f}'
            | '\u{31a0}'..='\u{31ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{a9e0}'..='\u{a9ff}'
            | '\u{aa60}'..='\u{aa7f}'
            | '\u{f900}'..='\u{faff}'
            | '\u{1aff0}'..='\u{1b16f}'
            | '\u{20000}'..='\u{3fffd}')
}

/// Whether a byte can stand anywhere in a word. `&` and `@` are letters of names: `R&D`, `m@gistère`.
fn is_ascii_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'&')
}

/// The length of the joint that stands at a place: what holds the parts of a compound together.
fn joint(text: &str, at: usize) -> Option<usize> {
    match text.as_bytes().get(at)? {
        b'\'' | b'-' => Some(1),
        0xE2 => text.get(at..)?.starts_with(BREAK).then_some(BREAK.len_utf8()),
        _ => None,
    }
}

/// A word of several parts; joints and parts in any order.
#[derive(Debug, Default)]
struct Compound {
    /// The places of its parts, without those that are elided.
    parts: Vec<Range<usize>>,
    is_hyphenated: bool,
}

impl Compound {
    /// Reads the compound that begins with the part from `start` to `end`; returns where it ends.
    fn read(&mut self, text: &str, start: usize, end: usize) -> usize {
        self.parts.clear();
        self.is_hyphenated = false;
        // In `'n'` the letter is quoted, not elided.
        let is_quoted = start.checked_sub(1).and_then(|before| text.as_bytes().get(before)) == Some(&b'\'');
        let mut part = start..end;
        loop {
            let is_elided = text.as_bytes().get(part.end) == Some(&b'\'')
                && !(is_quoted && part.start == start)
                && text.get(part.clone()).is_some_and(is_elision);
            let after = joint(text, part.end).map(|length| part.end + length);
            let next = after.map(|after| after..word_end(text, after)).filter(|next| !next.is_empty());
            let end = part.end;
            if !is_elided {
                self.is_hyphenated |= next.is_some() && text.as_bytes().get(end) != Some(&b'\'');
                self.parts.push(part);
            }
            match next {
                Some(next) => part = next,
                None => return end,
            }
        }
    }

    /// Calls with each part.
    fn each_part<'a>(&self, text: &'a str, call: &mut impl FnMut(Token<'a>)) {
        let words = || self.parts.iter().filter_map(|part| text.get(part.clone()));
        let mut joined = (self.is_hyphenated && self.parts.len() > 1).then(|| words().collect());
        for (place, (word, part)) in words().zip(&self.parts).enumerate() {
            let followers = self.parts.len() - place - 1;
            call(Token { word, joined: joined.take(), followers, start: part.start });
        }
    }
}

/// Whether a part before an apostrophe is no part of the word.
fn is_elision(part: &str) -> bool {
    match part.as_bytes() {
        [letter] => matches!(letter.to_ascii_lowercase(), b'l' | b'd' | b'j' | b'm' | b'n' | b's' | b't' | b'c'),
        _ => ELIDED.iter().any(|elided| part.eq_ignore_ascii_case(elided)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Levelled;

    fn check(text: &str, expected: &[&str]) {
        let text = Levelled::new(text);
        let found: Vec<String> = text
            .tokens()
            .into_iter()
            .map(|token| token.joined.map_or(token.word.to_owned(), |joined| format!("{}={joined}", token.word)))
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn elision_is_no_part_of_a_word() {
        check("l’école jusqu'à l'été", &["école", "à", "été"]);
        check("Qu'est-ce", &["est=estce", "ce"]);
    }

    #[test]
    fn elision_is_no_part_wherever_it_stands() {
        check("la main-d’œuvre du Val-d'Oise", &["la", "main=mainœuvre", "œuvre", "du", "Val=ValOise", "Oise"]);
        check(
            "L’Isle-d’Abeau, Saint-Jean-de-l'Hôtel",
            &["Isle=IsleAbeau", "Abeau", "Saint=SaintJeandeHôtel", "Jean", "de", "Hôtel"],
        );
        check("jusqu'au-boutisme", &["au=auboutisme", "boutisme"]);
        check("de l' école, d’", &["de", "école"]);
    }

    #[test]
    fn a_quoted_letter_is_not_elided() {
        check("rock 'n' roll", &["rock", "n", "roll"]);
    }

    #[test]
    fn every_apostrophe_and_hyphen_is_one() {
        for apostrophe in "'’‘ʼ´`′＇ʹʻ‛".chars() {
            check(&format!("l{apostrophe}île"), &["île"]);
        }
        for hyphen in "-\u{2010}\u{2011}\u{2012}–−－﹣\u{5be}".chars() {
            check(&format!("vingt{hyphen}deux"), &["vingt=vingtdeux", "deux"]);
        }
    }

    #[test]
    fn names_keep_their_sign_behind_elisions_and_hyphens() {
        check("d’AT&T, post-B&B, l’@lyon", &["AT&T", "post=postB&B", "B&B", "@lyon"]);
    }

    #[test]
    fn parts_know_how_many_follow() {
        let text = Levelled::new("porte-à-porte, l’été");
        let followers: Vec<usize> = text.tokens().into_iter().map(|token| token.followers).collect();
        assert_eq!(followers, [2, 1, 0, 0]);
    }

    #[test]
    fn marks_and_joiners_do_not_end_a_word() {
        check("مَدْرَسَة שָׁלוֹם", &["مَدْرَسَة", "שָׁלוֹם"]);
        check("numé\u{feff}rique éco\u{2060}le می\u{200c}خواهم x̂y", &["numérique", "école", "میخواهم", "x̂y"]);
        check("e\u{35c}\u{301}x", &["é\u{35c}x"]);
    }

    #[test]
    fn a_place_to_break_a_line_parts_and_joins() {
        check("cyber\u{200b}sécurité\u{200b} ", &["cyber=cybersécurité", "sécurité"]);
    }

    #[test]
    fn each_character_of_a_running_script_is_a_token() {
        check("AI教育、学校", &["AI", "教", "育", "学", "校"]);
        check("データ ﾃﾞｰﾀ", &["デ", "ー", "タ", "デ", "ー", "タ"]);
        check("โรงเรียน", &["โ", "ร", "ง", "เ", "รี", "ย", "น"]);
    }

    #[test]
    fn other_apostrophes_split() {
        check("aujourd'hui", &["aujourd", "hui"]);
    }

    #[test]
    fn hyphens_split_and_join() {
        check("e-mail, peut\u{2011}être", &["e=email", "mail", "peut=peutêtre", "être"]);
    }

    #[test]
    fn soft_hyphens_and_narrow_blanks_do_not_show() {
        check("numé\u{ad}rique\u{202f}: m@gistère", &["numérique", "m@gistère"]);
    }

    #[test]
    fn the_short_way_to_tell_letters_agrees_with_unicode() {
        for c in ('\0'..'\u{300}').filter(|c| *c != '_') {
            assert_eq!(super::is_word(c), c.is_alphanumeric(), "{c:?}");
        }
    }

    #[test]
    fn no_text_is_no_token() {
        check(" … — '-' ", &[]);
    }

    #[test]
    fn a_token_knows_where_it_stands() {
        let text = Levelled::new("D’où\u{a0}: l’e-mail de l’élève");
        let found =
            text.tokens().into_iter().map(|token| text.as_str().get(token.start..).unwrap().starts_with(token.word));
        assert_eq!(found.collect::<Vec<_>>(), [true; 5]);
    }
}
