//! Sentences that blog software puts at the end of every excerpt, and that are no part of what it says: `WordPress`'s
//! "The post … appeared first on …", "Read more" of `WordPress`, SPIP and Drupal. Their words stand in `vocabulary`.
//!
//! It is taken off when texts are judged, searched and published, and when an edit is weighed; not when they are stored:
//! fingerprints and comparisons stay those of the publisher's text, and a longer list of sentences works on old entries too.

mod markup;

use std::sync::LazyLock;

use regex::Regex;

use super::vocabulary::BLOGS;

pub use markup::without_boilerplate_in_html;

/// Signs behind such a link: arrows, dots, the end of a bracket.
const BEHIND: [char; 22] =
    ['.', '…', '→', '⟶', '➜', '➔', '➝', '↗', '»', '›', '>', '▸', '►', '▶', ')', ']', '"', '”', ':', '!', '-', '|'];

/// Signs before it that belong to it.
const BEFORE: [char; 18] = ['→', '⟶', '➜', '➔', '➝', '↗', '›', '>', '▸', '►', '▶', '(', '[', '«', '“', '|', '–', '—'];

/// Longest title, and longest name of a blog, that a signature is believed to hold, in bytes.
///
/// A text that speaks of such an article goes on longer.
const TITLE_MAX: usize = 400;
const BLOG_MAX: usize = 150;

/// Longest second half of a signature, in bytes, with room for a character that the search begins in.
const SIGNATURE_MAX: usize = 40;

/// Longest link to the rest, in bytes, with what stands behind it.
const MORE_MAX: usize = 96;

/// Longest link that names what it leads to, in bytes.
const MORE_OF_MAX: usize = 160;

/// Sentences that are taken off one text at most.
const SENTENCES_MAX: usize = 4;

/// The words of any boilerplate: most texts have none of them near their end, and are not looked at any more.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static SUSPECT: LazyLock<Regex> = LazyLock::new(|| {
    let phrases =
        BLOGS.iter().flat_map(|words| [words.claims, words.more, words.more_of]).flatten().map(|words| words.trim());
    let pattern = |phrase: &str| regex::escape(phrase).replace('\'', "['’]").replace(' ', r"(?:\s|&nbsp;)");
    let patterns: Vec<String> = phrases.map(pattern).collect();
    Regex::new(&format!("(?i){}", patterns.join("|"))).expect("constant pattern")
});

/// Bytes before the title at the end of a text in which boilerplate is suspected.
const SUSPECT_MAX: usize = 256;

/// Returns a plain text without the boilerplate that it ends with; `title` is that of its entry, or empty.
#[must_use]
pub fn without_boilerplate<'a>(text: &'a str, title: &str) -> &'a str {
    let mut kept = text;
    let suspected = tail(text, SUSPECT_MAX + title.len().min(TITLE_MAX));
    if !text.get(suspected..).is_some_and(|text| SUSPECT.is_match(text)) {
        return text;
    }
    for _ in 0..SENTENCES_MAX {
        let Some(end) = signature(kept).or_else(|| more(kept, title.trim())).or_else(|| more_of(kept)) else { break };
        kept = kept.get(..end).unwrap_or_default().trim_end();
    }
    kept
}

/// Returns a text without the sentence that it ends with, if that says where it first stood.
#[must_use]
pub fn without_signature(text: &str) -> &str {
    signature(text).and_then(|end| text.get(..end)).map_or(text, str::trim_end)
}

/// Returns the start of the signature that a text ends with.
fn signature(text: &str) -> Option<usize> {
    let ending = tail(text, BLOG_MAX + SIGNATURE_MAX);
    let last = text.get(ending..)?;
    let found = BLOGS.iter().flat_map(|words| words.claims.iter().map(|claim| (words.openings, *claim)));
    let found = found.filter_map(|(openings, claim)| {
        let said = ending + last_of(last, claim)?;
        // A curly apostrophe is two bytes longer: the name then begins with the end of the claim, which does no harm.
        let blog = text.get(text.ceil_char_boundary(said + claim.len())..)?.trim();
        // The name of a blog is one piece: what goes on with another sentence speaks of an article.
        let is_name = !blog.is_empty() && blog.len() <= BLOG_MAX && !blog.contains([';', '\n']) && !goes_on(blog);
        let from = tail(text.get(..said)?, TITLE_MAX);
        let title = text.get(from..said)?;
        let start = from + openings.iter().filter_map(|opening| last_of(title, opening)).max()?;
        let begins = text.get(..start).is_some_and(|text| !text.ends_with(char::is_alphanumeric));
        (is_name && begins).then_some(start)
    });
    found.min()
}

/// Whether another sentence follows within a text.
fn goes_on(text: &str) -> bool {
    [". ", "! ", "? "].iter().any(|end| text.contains(end))
}

/// Returns the last place of a phrase, with an apostrophe of any kind.
fn last_of(text: &str, phrase: &str) -> Option<usize> {
    let curly = phrase.contains('\'').then(|| text.rfind(&phrase.replace('\'', "’"))).flatten();
    text.rfind(phrase).max(curly)
}

/// Returns the start of the link to the rest that a text ends with.
fn more(text: &str, title: &str) -> Option<usize> {
    let whole = text.trim_end_matches(|c: char| BEHIND.contains(&c) || c.is_whitespace());
    let start = link(text, text.trim_end()).or_else(|| link(text, whole)).or_else(|| {
        let about = whole.strip_suffix(title).filter(|about| !title.is_empty() && about.len() < whole.len())?;
        let about = about.trim_end_matches(|c: char| ['«', '“', '„', '"', '\''].contains(&c) || c.is_whitespace());
        let bare = BLOGS
            .iter()
            .flat_map(|words| words.about)
            .filter_map(|word| strip_suffix_folded(about, word))
            .chain([about]);
        bare.filter_map(|bare| link(text, bare.trim_end_matches(|c: char| BEHIND.contains(&c) || c.is_whitespace())))
            .min()
    })?;
    before_link(text, start)
}

/// Returns the start of a link to the rest that is the last sentence of a text, whatever it leads to.
fn more_of(text: &str) -> Option<usize> {
    let whole = text.trim_end_matches(|c: char| BEHIND.contains(&c) || c.is_whitespace());
    let from = tail(whole, MORE_OF_MAX);
    let last: Vec<(usize, char)> = whole.get(from..)?.char_indices().collect();
    let small: String = last.iter().map(|(_, c)| plain(*c)).collect();
    let place = BLOGS.iter().flat_map(|words| words.more_of).filter_map(|phrase| small.rfind(phrase)).max()?;
    let (start, first) = last.get(small.get(..place)?.chars().count())?;
    let (before, link) = whole.split_at_checked(from + start)?;
    let ends = |c: char| !c.is_alphanumeric() && ![',', '\'', '’', '-'].contains(&c);
    let is_sentence =
        first.is_uppercase() && (before.is_empty() || before.trim_end().ends_with(ends)) && !goes_on(link);
    is_sentence.then(|| before_link(text, from + start)).flatten()
}

/// Returns the end of the text before a link that begins at `start`, and before the signs that lead to it.
fn before_link(text: &str, start: usize) -> Option<usize> {
    let before = text.get(..start)?;
    Some(before.trim_end_matches(|c: char| BEFORE.contains(&c) || c.is_whitespace()).len())
}

/// Returns the start of the link that `whole`, a beginning of `text`, ends with.
fn link(text: &str, whole: &str) -> Option<usize> {
    let from = tail(whole, MORE_MAX);
    // Small letters can be longer than capitals: the phrase is looked for from the end, by characters.
    let last: String = whole.get(from..)?.chars().map(plain).collect();
    let found = BLOGS.iter().flat_map(|words| words.more).filter(|phrase| last.ends_with(**phrase));
    let starts = found.filter_map(|phrase| whole.char_indices().rev().nth(phrase.chars().count() - 1));
    let (start, first) = starts.min()?;
    let before = text.get(..start)?.trim_end();
    // "pour lire la suite" is part of a sentence, "Lire la suite" is none.
    let is_apart = before.is_empty()
        || first.is_uppercase()
        || !first.is_alphabetic()
        || before.ends_with(|c: char| !c.is_alphanumeric() && ![',', '\'', '’', '-'].contains(&c));
    let begins = text.get(..start).is_some_and(|text| !text.ends_with(char::is_alphanumeric));
    (is_apart && begins).then_some(start)
}

/// A character in small, apostrophes and blanks of one kind.
fn plain(c: char) -> char {
    match c {
        '’' => '\'',
        c if c.is_whitespace() => ' ',
        c => c.to_lowercase().next().unwrap_or(c),
    }
}

fn strip_suffix_folded<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let start = text.len().checked_sub(suffix.len())?;
    text.get(start..).is_some_and(|end| end.to_lowercase() == suffix).then(|| text.get(..start)).flatten()
}

/// Returns the start of the last `length` bytes of a text.
fn tail(text: &str, length: usize) -> usize {
    text.floor_char_boundary(text.len().saturating_sub(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(without_boilerplate(text, "Le plan vélo"), expected, "{text}");
    }

    #[test]
    fn signatures_go_in_every_language() {
        for words in BLOGS {
            for (opening, claim) in
                words.openings.iter().flat_map(|opening| words.claims.iter().map(move |claim| (opening, claim)))
            {
                check(&format!("Un texte. {opening}Le plan vélo{claim}Mairie de Lyon."), "Un texte.");
                check(&format!("{opening}Le plan vélo{claim}Mairie"), "");
            }
        }
        check("Un texte. Le billet Le plan vélo est d’abord apparu sur Mairie.", "Un texte.");
        check("Un texte. L’article Le plan vélo est apparu en premier sur Mairie.", "Un texte.");
    }

    #[test]
    fn links_to_the_rest_go_in_every_language() {
        for phrase in BLOGS.iter().flat_map(|words| words.more).filter(|phrase| !phrase.starts_with('(')) {
            let mut letters = phrase.chars();
            let phrase = letters.next().unwrap().to_uppercase().chain(letters).collect::<String>();
            for end in ["", "…", " →", " »", ".", " de Le plan vélo", " Le plan vélo →", " sur « Le plan vélo »"]
            {
                check(&format!("Un texte {phrase}{end}"), "Un texte");
            }
            check(&format!("Un texte… [{phrase}]"), "Un texte…");
        }
        check("A text (more…)", "A text");
        check("Un texte. Lire la suite sur le site de la mairie", "Un texte.");
        check("Un texte… Continue reading “Un autre titre”", "Un texte…");
        check("Un texte. En savoir plus sur le plan.", "Un texte.");
    }

    #[test]
    fn several_go_together() {
        check("Un texte. Lire la suite The post Le plan vélo appeared first on Lyon.", "Un texte.");
        check("Un texte. Lire la suite de Le plan vélo Ajouter un commentaire", "Un texte.");
    }

    #[test]
    fn a_sentence_that_only_sounds_alike_stays() {
        for text in [
            "Abonnez-vous pour lire la suite",
            "Un texte sur L’article 12.",
            "L’article 12 est apparu en premier sur le blog. Il fut ensuite repris.",
            "Les élèves aiment lire plus",
            "Pour en savoir plus sur le plan, écrivez à la mairie.",
            "Lire la suite sur le site. Un texte suit.",
            "Un texte [...]",
            "",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn any_text_is_read() {
        for text in ["İİİ Read more İ", "ß\u{300}Lire la suite", "»»»»", "…Lire la suite", &"é".repeat(999)]
        {
            assert!(without_boilerplate(text, "İ").len() <= text.len());
        }
    }
}
