//! Folding: what makes two spellings one word.
//!
//! For every language; endings are for [`Folding`](super::Folding).

use std::borrow::Cow;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Folds case, accents, ligatures and compatibility forms: `Cœur` and `coeur`, `ÉLÈVE` and `eleve`.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        return if upper { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) };
    }
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    Cow::Owned(folded)
}

/// Writes what [`fold`] makes of a text behind what is in `folded`.
pub(super) fn fold_into(text: &str, folded: &mut String) {
    let start = folded.len();
    if text.is_ascii() {
        folded.push_str(text);
        if let Some(added) = folded.get_mut(start..) {
            added.make_ascii_lowercase();
        }
        return;
    }
    let latin = LATIN.as_slice();
    for c in text.chars() {
        match latin.get(c as usize) {
            _ if c.is_ascii() => folded.push(c.to_ascii_lowercase()),
            Some(latin) => folded.push_str(latin),
            None => {
                folded.truncate(start);
                folded.push_str(&fold_any(text));
                return;
            }
        }
    }
}

/// The folded forms of the Latin characters below U+0250: nearly all that we see, and each folds alone.
static LATIN: LazyLock<Vec<String>> =
    LazyLock::new(|| ('\0'..'\u{250}').map(|c| fold_any(c.encode_utf8(&mut [0; 4]))).collect());

fn fold_any(text: &str) -> String {
    let mut split = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'œ' => split.push_str("oe"),
            'Œ' => split.push_str("OE"),
            'æ' => split.push_str("ae"),
            'Æ' => split.push_str("AE"),
            'ß' => split.push_str("ss"),
            'ø' | 'Ø' => split.push('o'),
            'ł' | 'Ł' => split.push('l'),
            'đ' | 'Đ' | 'ð' | 'Ð' => split.push('d'),
            'ı' => split.push('i'),
            other => split.push(other),
        }
    }
    split.nfkd().filter(|c| !is_accent(*c)).collect::<String>().to_lowercase()
}

/// Whether a character is a mark that a word can be written without: an accent, a vowel of Arabic or Hebrew.
///
/// Marks of India and South-East Asia, and those that voice Kana, are letters: without them other words result.
fn is_accent(c: char) -> bool {
    canonical_combining_class(c) != 0
        && !matches!(c, '\u{900}'..='\u{1aaf}' | '\u{3099}' | '\u{309a}' | '\u{a800}'..='\u{abff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: &str) {
        assert_eq!(fold(word), expected, "{word}");
    }

    #[test]
    fn case_accents_and_ligatures_do_not_count() {
        check("Cœur", "coeur");
        check("NUMÉRIQUE", "numerique");
        check("E\u{301}cole", "ecole");
        check("ﬁn", "fin");
        check("Łódź Tromsø Đà", "lodz tromso da");
    }

    #[test]
    fn vowel_points_do_not_count_and_vowels_do() {
        check("مَدْرَسَة", "مدرسة");
        check("שָׁלוֹם", "שלום");
        assert_ne!(fold("ครู"), fold("คร"));
        assert_ne!(fold("ば"), fold("は"));
    }
}
