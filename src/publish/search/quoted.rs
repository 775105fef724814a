//! Texts with the words found marked, cut to what a page has room for.

use std::ops::Range;

use crate::text::{Folding, Passage};
use crate::topic::Query;

/// Length of a quoted text, in bytes.
const QUOTE_MAX: usize = 320;
/// Length of what is quoted before the first word found, in bytes.
const BEFORE_MAX: usize = 100;

/// A run of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QuotedRun {
    pub(super) text: String,
    /// Whether it was looked for.
    pub(super) is_found: bool,
}

/// Returns a title with the words found.
pub(super) fn quoted_line(title: &str, folding: Folding, query: &mut Query) -> Vec<QuotedRun> {
    runs(title, 0..title.len(), &found(title, folding, query))
}

/// Returns the part of a text around the first word found; its beginning if there is none.
pub(super) fn quoted_text(text: &str, folding: Folding, query: &mut Query) -> Vec<QuotedRun> {
    let found = found(text, folding, query);
    let first = found.first().map_or(0, |first| first.start);
    let start = if first > BEFORE_MAX { blank_after(text, first - BEFORE_MAX).min(first) } else { 0 };
    let end = if text.len() - start > QUOTE_MAX { blank_before(text, start + QUOTE_MAX, start) } else { text.len() };
    let mut runs = runs(text, start..end, &found);
    let dots = |text: &str| QuotedRun { text: text.to_owned(), is_found: false };
    if start > 0 {
        runs.insert(0, dots("… "));
    }
    if end < text.len() {
        runs.push(dots(" …"));
    }
    runs
}

/// The place behind the first blank from `at` on.
fn blank_after(text: &str, at: usize) -> usize {
    let at = text.ceil_char_boundary(at);
    text.get(at..).and_then(|rest| rest.find(' ')).map_or(at, |blank| at + blank + 1)
}

/// The place of the last blank before `at`, but behind `start`.
fn blank_before(text: &str, at: usize, start: usize) -> usize {
    let at = text.floor_char_boundary(at);
    let blank = text.get(start..at).and_then(|text| text.rfind(' ')).filter(|blank| *blank > 0);
    blank.map_or(at, |blank| start + blank)
}

/// The places of the words found, in bytes of the text, in order and apart.
fn found(text: &str, folding: Folding, query: &mut Query) -> Vec<Range<usize>> {
    let passage = Passage::from(text);
    let mut places: Vec<Range<usize>> = query.places(&passage, folding).into_iter().map(|(_, words)| words).collect();
    places.sort_unstable_by_key(|words| (words.start, words.end));
    let mut wanted = places.into_iter().peekable();
    let (mut found, mut cursor): (Vec<Range<usize>>, usize) = (Vec::new(), 0);
    let mut start = None;
    let mut end_of_span = 0;
    for (at, word) in passage.words().enumerate() {
        // Words are of the levelled text: one that is not in the text as it stands, as with a soft hyphen, is not marked.
        let Some(place) = next_word(text, word.written, cursor) else { continue };
        cursor = place.end;
        while let Some(span) = wanted.next_if(|span| span.start <= at) {
            end_of_span = end_of_span.max(span.end);
        }
        if at < end_of_span {
            let from = *start.get_or_insert(place.start);
            match found.last_mut().filter(|last| last.start == from) {
                Some(last) => last.end = place.end,
                None => found.push(from..place.end),
            }
        }
        if at + 1 >= end_of_span {
            start = None;
        }
    }
    found
}

/// The next place of a whole word.
fn next_word(text: &str, word: &str, from: usize) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric();
    let running = word.contains(crate::text::is_running);
    text.get(from..)?.match_indices(word).map(|(at, _)| from + at..from + at + word.len()).find(|place| {
        let before = text.get(..place.start).and_then(|before| before.chars().next_back());
        let after = text.get(place.end..).and_then(|after| after.chars().next());
        running || !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Cuts a part of a text into runs.
fn runs(text: &str, part: Range<usize>, found: &[Range<usize>]) -> Vec<QuotedRun> {
    let mut runs = Vec::new();
    let mut push = |range: Range<usize>, is_found| {
        if let Some(text) = text.get(range).filter(|text| !text.is_empty()) {
            runs.push(QuotedRun { text: text.to_owned(), is_found });
        }
    };
    let mut at = part.start;
    for place in found.iter().filter(|place| place.start >= part.start && place.start < part.end) {
        push(at..place.start, false);
        at = place.end.min(part.end);
        push(place.start..at, true);
    }
    push(at..part.end, false);
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(runs: &[QuotedRun]) -> String {
        runs.iter().map(|run| if run.is_found { format!("[{}]", run.text) } else { run.text.clone() }).collect()
    }

    #[track_caller]
    fn check(text: &str, query: &str, expected: &str) {
        assert_eq!(shown(&quoted_line(text, Folding::French, &mut Query::parse(query))), expected);
    }

    #[test]
    fn words_are_marked_in_the_text_as_it_stands() {
        check(
            "L’École numérique, l’e-mail et les élèves",
            "ecole eleve",
            "L’[École] numérique, l’e-mail et les [élèves]",
        );
        check("L’École\u{a0}numérique !", "\"école numérique\"", "L’[École\u{a0}numérique] !");
        check("Un e-mail pour tous", "email", "Un [e-mail] pour tous");
        check("écoles et école", "école", "[écoles] et [école]");
        check("a b c d", "\"a b\" \"b c\"", "[a b c] d");
        check("Les étudiant·e·s et l’été", "et", "Les étudiant·e·s [et] l’été");
        check("numé\u{ad}rique, le numérique", "numérique", "numé\u{ad}rique, le [numérique]");
        check("学校教育", "教育", "学校[教育]");
        check("Rien", "tout", "Rien");
    }

    #[test]
    fn a_long_text_is_quoted_around_its_first_word_found() {
        let text = format!("{} une école {}", "avant ".repeat(100), "après ".repeat(100));
        let quoted = shown(&quoted_text(&text, Folding::French, &mut Query::parse("école")));
        assert!(quoted.starts_with("… avant") && quoted.contains(" une [école] après") && quoted.ends_with("après …"));
        assert!(quoted.len() < 350, "{quoted}");
        let quoted = shown(&quoted_text(&text, Folding::French, &mut Query::parse("train")));
        assert!(quoted.starts_with("avant") && quoted.ends_with(" …"), "{quoted}");
    }

    #[test]
    fn a_text_without_blanks_is_cut_between_characters() {
        let text = "é".repeat(1000);
        let quoted = shown(&quoted_text(&text, Folding::French, &mut Query::parse("école")));
        assert!(quoted.chars().count() < 170, "{quoted}");
    }
}
