//! The line that blog software appends to the text of an entry, to say where it first stood.

use super::vocabulary::VOCABULARIES;

/// Each second half of a signature has one of these.
const SIGNATURE_WORDS: [&str; 2] = ["premier", "first"];

/// Longest second half of a signature, in bytes, with room for a character that the search begins in.
const SIGNATURE_MAX: usize = 40;

/// Longest title, and longest name of a blog, that a signature is believed to hold, in bytes.
///
/// A text that speaks of such an article goes on much longer.
const SIGNED_MAX: usize = 400;

/// Returns a text without the signature that it ends with.
#[must_use]
pub fn without_signature(text: &str) -> &str {
    let tail = |text: &str, length: usize| text.floor_char_boundary(text.len().saturating_sub(length));
    let ending = tail(text, SIGNED_MAX + SIGNATURE_MAX);
    if !text.get(ending..).is_some_and(|text| SIGNATURE_WORDS.iter().any(|word| text.contains(word))) {
        return text;
    }
    let signatures = VOCABULARIES.iter().flat_map(|vocabulary| vocabulary.signatures).copied();
    let signature = signatures.filter_map(|(before, after)| {
        let said = ending + text.get(ending..)?.rfind(after)?;
        let blog = text.len() - said - after.len();
        let beginning = tail(text.get(..said)?, SIGNED_MAX);
        let start = beginning + text.get(beginning..said)?.rfind(before)?;
        (blog <= SIGNED_MAX && said - start <= SIGNED_MAX).then_some(start)
    });
    signature.min().and_then(|start| text.get(..start)).map_or(text, str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blogs_signature_is_not_the_entrys_text() {
        assert_eq!(
            without_signature("Un texte. L’article École numérique est apparu en premier sur Blog."),
            "Un texte."
        );
        assert_eq!(without_signature("A text. The post About is here appeared first on Blog."), "A text.");
        assert_eq!(without_signature("Un texte sur L’article 12."), "Un texte sur L’article 12.");
    }

    #[test]
    fn a_text_about_such_an_article_is_kept() {
        let text =
            format!("L’article 12 est apparu en premier sur le blog du ministère, {}", "et plus tard ".repeat(40));
        assert_eq!(without_signature(&text), text);
    }

    #[test]
    fn each_signature_has_a_word_by_which_it_is_looked_for() {
        for (_, after) in VOCABULARIES.iter().flat_map(|vocabulary| vocabulary.signatures) {
            assert!(SIGNATURE_WORDS.iter().any(|word| after.contains(word)) && after.len() < SIGNATURE_MAX, "{after}");
        }
    }
}
