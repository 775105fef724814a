//! Levelled text to tokens: elision taken off, compounds as parts and joined.

use unicode_normalization::char::is_combining_mark;

/// One position of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'a> {
    /// As written, without elision; case and accents kept.
    pub word: &'a str,
    /// On the first part of a hyphenated word, the parts joined: `e-mail` is also `email`.
    pub joined: Option<String>,
    /// Where `word` starts in the levelled text, in bytes.
    pub start: usize,
}

/// What precedes an apostrophe without being part of the word.
const ELIDED: [&str; 13] = ["l", "d", "j", "m", "n", "s", "t", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu"];

/// Calls with each token of a levelled text, in order.
pub(super) fn each_token<'a>(text: &'a str, mut call: impl FnMut(Token<'a>)) {
    let mut at = 0;
    while let Some(start) = next_word(text, at) {
        let end = word_end(text, start);
        if matches!(text.as_bytes().get(end), Some(b'\'' | b'-')) {
            let (word, after) = split_word(text.get(start..).unwrap_or_default());
            each_part(without_elision(word), text, &mut call);
            at = text.len() - after.len();
        } else {
            call(Token { word: text.get(start..end).unwrap_or_default(), joined: None, start });
            at = end;
        }
    }
}

/// Where the next word begins.
fn next_word(text: &str, mut at: usize) -> Option<usize> {
    loop {
        let byte = *text.as_bytes().get(at)?;
        if byte.is_ascii() {
            if is_ascii_start(byte) {
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

/// Where the run of characters that begin words ends.
fn word_end(text: &str, mut at: usize) -> usize {
    while let Some(&byte) = text.as_bytes().get(at) {
        if byte.is_ascii() {
            if !is_ascii_start(byte) {
                break;
            }
            at += 1;
        } else {
            let c = text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| is_word(*c));
            let Some(c) = c else { break };
            at += c.len_utf8();
        }
    }
    at
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

fn starts_word(c: char) -> bool {
    is_word(c) || c == '@' || c == '&'
}

fn is_ascii_start(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'&')
}

fn continues_word(c: char) -> bool {
    is_word(c) || c == '@'
}

/// Splits the word off that `text` begins with: a run, then runs behind apostrophes, then runs behind hyphens.
fn split_word(text: &str) -> (&str, &str) {
    let mut end = run(text, starts_word);
    for joint in ['\'', '-'] {
        while let Some(behind) = text.get(end..).and_then(|rest| rest.strip_prefix(joint)) {
            let length = run(behind, continues_word);
            if length == 0 {
                break;
            }
            end += joint.len_utf8() + length;
        }
    }
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The length in bytes of the leading characters that `belong`.
fn run(text: &str, belong: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belong(c)).unwrap_or(text.len())
}

fn without_elision(mut word: &str) -> &str {
    while let Some((head, rest)) = word.split_once('\'') {
        let elided = ELIDED.iter().any(|elided| head.eq_ignore_ascii_case(elided));
        if !elided || !rest.starts_with(is_word) {
            break;
        }
        word = rest;
    }
    word
}

fn each_part<'a>(word: &'a str, text: &str, call: &mut impl FnMut(Token<'a>)) {
    let mut joined = word.contains('-').then(|| word.replace('-', ""));
    for part in word.split(['-', '\'']).filter(|part| !part.is_empty()) {
        let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
        call(Token { word: part, joined: joined.take(), start });
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
