//! Text to tokens: elision taken off, compounds as parts and joined.

use unicode_normalization::UnicodeNormalization;

use super::inclusive::strip_endings;

/// One position of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As written, without elision; case and accents kept.
    pub word: String,
    /// On the first part of a hyphenated word, the parts joined: `e-mail` is also `email`.
    pub joined: Option<String>,
}

/// What precedes an apostrophe without being part of the word.
const ELIDED: [&str; 13] = ["l", "d", "j", "m", "n", "s", "t", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu"];

/// Composes accents and levels what typesetters vary: apostrophes, hyphens, blanks; soft hyphens go.
#[must_use]
pub fn normalise(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    text.nfc()
        .filter_map(|c| match c {
            '\u{ad}' => None,
            '’' | 'ʼ' => Some('\''),
            '\u{a0}' | '\u{202f}' => Some(' '),
            '\u{2011}' | '\u{2010}' => Some('-'),
            other => Some(other),
        })
        .collect()
}

/// Splits a text into tokens, in order.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let text = strip_endings(normalise(text));
    let mut tokens = Vec::with_capacity(text.len() / 6);
    let mut rest = text.as_str();
    while let Some(start) = rest.find(starts_word) {
        let (word, after) = split_word(rest.get(start..).unwrap_or_default());
        push_word(without_elision(word), &mut tokens);
        rest = after;
    }
    tokens
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn starts_word(c: char) -> bool {
    is_word(c) || c == '@' || c == '&'
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
fn run(text: &str, belong: fn(char) -> bool) -> usize {
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

fn push_word(word: &str, tokens: &mut Vec<Token>) {
    let mut joined = word.contains('-').then(|| word.replace('-', ""));
    for part in word.split('-').filter(|part| !part.is_empty()).flat_map(|part| part.split('\'')) {
        tokens.push(Token { word: part.to_owned(), joined: joined.take() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = tokens(text)
            .into_iter()
            .map(|token| token.joined.map_or(token.word.clone(), |joined| format!("{}={joined}", token.word)))
            .collect();
        assert_eq!(found, expected, "{text}");
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
    fn no_text_is_no_token() {
        check(" … — '-' ", &[]);
    }
}
