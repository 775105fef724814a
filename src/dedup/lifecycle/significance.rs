//! Significance of an edit: whether it is news (RFC 4287 §4.2.15 leaves that to the publisher).

use std::collections::HashMap;

use crate::dedup::sameness::{Title, is_misspelt, without_more};
use crate::feed::Entry;
use crate::text::{Levelled, fold, html_to_text, without_signature};

/// Fewest changed words that make an edit news.
const CHANGED_MIN: usize = 6;

/// Smallest changed part of the longer text that is news, as a divisor: 5 %.
///
/// On 31 real edits of government pages, corrections, swapped tenses and added press contacts change up to 4.9 %, new
/// paragraphs and rewritten texts 6.7 % and more.
const CHANGED_PART: usize = 20;

/// Most changed words among which typing errors are looked for: the time grows with their square.
const SPELLING_MAX: usize = 64;

/// Whether an edit is worth telling readers again: the title says something else, or much of the text is new or gone.
///
/// No news: a corrected word, another order of words, a new count of readers, the rest of a cut text, and whole texts
/// that appear or disappear beside the same summary.
#[must_use]
pub fn is_significant(old: &Entry, new: &Entry) -> bool {
    is_other_title(old, new) || is_other_text(old, new)
}

fn is_other_title(old: &Entry, new: &Entry) -> bool {
    let [old, new] = [old, new].map(|entry| Title::new(entry.title.as_deref().unwrap_or_default()));
    let (gone, come) = old.differences(&new, is_misspelt);
    !gone.is_empty() || !come.is_empty() || old.numbers != new.numbers || old.months != new.months
}

fn is_other_text(old: &Entry, new: &Entry) -> bool {
    let text = |html: &Option<String>| html_to_text(html.as_deref().unwrap_or_default());
    let [summary, content] = [text(&old.summary), text(&old.content)];
    let [new_summary, new_content] = [text(&new.summary), text(&new.content)];
    if content.is_empty() != new_content.is_empty() && !summary.is_empty() && !new_summary.is_empty() {
        return differ(&summary, &new_summary);
    }
    let longer = |summary: String, content: String| if content.len() > summary.len() { content } else { summary };
    let (old, new) = (longer(summary, content), longer(new_summary, new_content));
    !is_beginning(&old, &new) && differ(without_signature(&old), without_signature(&new))
}

/// Whether a text that said "there is more" is whole now.
fn is_beginning(old: &str, new: &str) -> bool {
    let shown = without_more(old);
    let (mut shown_words, mut words) = (folded(shown), folded(new));
    // The last word may be cut.
    shown_words.pop();
    words.truncate(shown_words.len());
    shown.len() < old.len() && !shown_words.is_empty() && shown_words == words
}

fn folded(text: &str) -> Vec<String> {
    Levelled::new(text).tokens().iter().map(|token| fold(token.word).into_owned()).collect()
}

fn differ(old: &str, new: &str) -> bool {
    let (old, new) = (counted(old), counted(new));
    let (mut gone, mut come) = (only(&old, &new), only(&new, &old));
    if gone.len().max(come.len()) <= SPELLING_MAX {
        gone.retain(|word| {
            let twin = come.iter().position(|other| is_misspelt(word, other));
            twin.map(|twin| come.swap_remove(twin)).is_none()
        });
    }
    let words = old.values().sum::<usize>().max(new.values().sum());
    gone.len() + come.len() >= CHANGED_MIN.max(words / CHANGED_PART)
}

fn counted(text: &str) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    for token in Levelled::new(text).tokens() {
        *words.entry(fold(token.word).into_owned()).or_default() += 1;
    }
    words
}

fn only<'a>(words: &'a HashMap<String, usize>, other: &HashMap<String, usize>) -> Vec<&'a str> {
    let beyond = |(word, count): (&'a String, &usize)| {
        let times = count.saturating_sub(other.get(word).copied().unwrap_or(0));
        std::iter::repeat_n(word.as_str(), times)
    };
    let mut only: Vec<&str> = words.iter().flat_map(beyond).collect();
    only.sort_unstable();
    only
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "La ministre ouvre mardi une école du numérique à Lyon devant trente élèves et leurs professeurs.";

    fn entry(title: &str, summary: &str, content: &str) -> Entry {
        Entry {
            title: Some(title.into()),
            summary: Some(summary.into()),
            content: Some(content.into()),
            ..Entry::default()
        }
    }

    fn check(old: (&str, &str), new: (&str, &str), expected: bool) {
        assert_eq!(is_significant(&entry(old.0, old.1, ""), &entry(new.0, new.1, "")), expected, "{old:?} {new:?}");
    }

    #[test]
    fn a_corrected_word_is_no_news() {
        check(("Une école du numérqiue", TEXT), ("Une école du numérique", TEXT), false);
        check(("Une école", TEXT), ("Une école", &TEXT.replace("ministre", "minsitre")), false);
    }

    #[test]
    fn markup_is_no_news() {
        check(("Une école", TEXT), ("Une école", &format!("<p>{}</p>", TEXT.replace("Lyon", "<b>Lyon</b>"))), false);
    }

    #[test]
    fn a_count_of_readers_is_no_news() {
        check(("Une école", &format!("{TEXT} Lu 12 fois.")), ("Une école", &format!("{TEXT} Lu 310 fois.")), false);
    }

    #[test]
    fn another_date_or_word_in_the_title_is_news() {
        check(("Grève du 12 mai", TEXT), ("Grève du 14 mai", TEXT), true);
        check(("Grève des bus", TEXT), ("Grève des bus annulée", TEXT), true);
    }

    #[test]
    fn a_new_paragraph_is_news() {
        let more = format!("{TEXT} Mise à jour : la visite est reportée à cause de la neige.");
        check(("Une école", TEXT), ("Une école", &more), true);
        check(("Une école", &more), ("Une école", TEXT), true);
    }

    #[test]
    fn the_whole_text_beside_the_same_summary_is_no_news() {
        let whole = format!("{TEXT} {TEXT} Beaucoup d’autres mots que nous avions omis jusque là pour faire court.");
        assert!(!is_significant(&entry("Une école", TEXT, ""), &entry("Une école", TEXT, &whole)));
    }

    #[test]
    fn the_rest_of_a_cut_text_is_no_news() {
        let rest = format!("{TEXT} Les classes viennent de tout le Rhône et y restent trois jours pleins.");
        check(("Une école", "La ministre ouvre mardi une école du numéri [...]"), ("Une école", &rest), false);
        check(("Une école", "La ministre ferme mardi une école du numérique [...]"), ("Une école", &rest), true);
        check(("Une école", TEXT), ("Une école", &rest), true);
    }

    #[test]
    fn where_a_text_was_seen_first_is_no_news() {
        for (before, after) in [
            ("L’article", "est apparu en premier sur"),
            ("Cet article", "a été publié en premier sur"),
            ("The post", "appeared first on"),
            ("The post", "first appeared on"),
        ] {
            let signed = format!("{TEXT}\n{before} Une école {after} Ministère de l’Éducation.");
            check(("Une école", TEXT), ("Une école", &signed), false);
        }
    }

    #[test]
    fn a_word_as_long_as_a_text_takes_no_time() {
        check(("a", &"a".repeat(300_000)), ("a", &format!("{}b", "a".repeat(300_000))), false);
    }
}
