//! Sentences that blog software puts at the end of every excerpt, and that are no part of what it says: `WordPress`'s
//! "The post … appeared first on …", "Read more" of `WordPress`, SPIP and Drupal.
//!
//! It is taken off when texts are judged, searched and published, not when they are stored: fingerprints and comparisons stay
//! those of the publisher's text, and a longer list of sentences works on old entries too.

mod markup;

use std::sync::LazyLock;

use regex::Regex;

pub use markup::without_boilerplate_in_html;

/// The words with which `WordPress` says where a text first stood, around the entry's title; the blog's name follows.
///
/// Phrases of translations and older versions are included. An apostrophe stands for apostrophes of any kind.
const SIGNATURES: [(&str, &str); 26] = [
    ("L'article ", " est apparu en premier sur "),
    ("Cet article ", " est apparu en premier sur "),
    ("Cet article ", " a été publié en premier sur "),
    ("L'article ", " a été publié en premier sur "),
    ("L'article ", " est paru en premier sur "),
    ("The post ", " appeared first on "),
    ("The post ", " first appeared on "),
    ("This post ", " appeared first on "),
    ("This article ", " appeared first on "),
    ("This article ", " first appeared on "),
    ("Der Beitrag ", " erschien zuerst auf "),
    ("Der Artikel ", " erschien zuerst auf "),
    ("La entrada ", " se publicó primero en "),
    ("La entrada ", " aparece primero en "),
    ("L'articolo ", " proviene da "),
    ("L'articolo ", " sembra essere il primo su "),
    ("O post ", " apareceu primeiro em "),
    ("O conteúdo ", " aparece primeiro em "),
    ("O artigo ", " aparece primeiro em "),
    ("Het bericht ", " verscheen eerst op "),
    ("L'entrada ", " ha aparegut primer a "),
    ("Artykuł ", " pochodzi z serwisu "),
    ("Inlägget ", " dök först upp på "),
    ("Indlægget ", " blev først udgivet på "),
    ("Innlegget ", " dukket først opp på "),
    ("Articolul ", " apare prima dată în "),
];

/// Links to the rest of a text, or to its comments, in small letters; the title may follow.
const MORE: [&str; 67] = [
    "lire la suite",
    "lire la suite de l'article",
    "voir la suite",
    "la suite",
    "lire l'article",
    "lire l'article complet",
    "lire l'article en entier",
    "lire plus",
    "en lire plus",
    "en savoir plus",
    "continuer la lecture",
    "poursuivre la lecture",
    "continuer à lire",
    "read more",
    "read on",
    "continue reading",
    "keep reading",
    "read the rest of this entry",
    "read the rest",
    "read the full article",
    "read the full post",
    "read the full story",
    "read full article",
    "weiterlesen",
    "weiter lesen",
    "mehr lesen",
    "leer más",
    "seguir leyendo",
    "sigue leyendo",
    "continuar leyendo",
    "leggi tutto",
    "leggi di più",
    "leggi l'articolo",
    "continua a leggere",
    "continua la lettura",
    "leia mais",
    "ler mais",
    "continuar a ler",
    "continuar lendo",
    "continue lendo",
    "lees meer",
    "lees verder",
    "verder lezen",
    "llegir més",
    "llegeix més",
    "continua llegint",
    "czytaj dalej",
    "czytaj więcej",
    "läs mer",
    "fortsätt läsa",
    "læs mere",
    "læs videre",
    "les mer",
    "fortsett å lese",
    "citește mai mult",
    "citește mai departe",
    "ajouter un commentaire",
    "laisser un commentaire",
    "add new comment",
    "leave a comment",
    "log in to post comments",
    "log in or register to post comments",
    "se connecter pour poster des commentaires",
    "identifiez-vous pour poster des commentaires",
    "se connecter ou s'inscrire pour poster un commentaire",
    "(more…)",
    "(more...)",
];

/// Beginnings of such links behind which anything may stand: "Lire la suite sur le site de la mairie".
const MORE_OF: [&str; 12] = [
    "lire la suite ",
    "continuer la lecture ",
    "poursuivre la lecture ",
    "continue reading ",
    "read the rest of ",
    "read more about ",
    "en savoir plus sur ",
    "weiterlesen ",
    "seguir leyendo ",
    "continua a leggere ",
    "continuar a ler ",
    "lees verder ",
];

/// Words between such a link and the title.
const ABOUT: [&str; 12] =
    [" à propos de", " de", " sur", " about", " of", " on", " über", " von", " sobre", " su", " over", " om"];

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
    let phrases = SIGNATURES.iter().map(|(_, after)| *after).chain(MORE).chain(MORE_OF).map(str::trim);
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

/// Returns the start of the signature that a text ends with.
fn signature(text: &str) -> Option<usize> {
    let ending = tail(text, BLOG_MAX + SIGNATURE_MAX);
    let last = text.get(ending..)?;
    let found = SIGNATURES.iter().filter_map(|(before, after)| {
        let said = ending + last.rfind(after)?;
        let blog = text.get(said + after.len()..)?.trim();
        // The name of a blog is one piece: what goes on with another sentence speaks of an article.
        let is_name = !blog.is_empty() && blog.len() <= BLOG_MAX && !blog.contains([';', '\n']) && !goes_on(blog);
        let from = tail(text.get(..said)?, TITLE_MAX);
        let start = from + last_of(text.get(from..said)?, before)?;
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
        let bare = ABOUT.iter().filter_map(|word| strip_suffix_folded(about, word)).chain([about]);
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
    let place = MORE_OF.iter().filter_map(|phrase| small.rfind(phrase)).max()?;
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
    let found = MORE.iter().filter(|phrase| last.ends_with(*phrase));
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
        for (before, after) in SIGNATURES {
            check(&format!("Un texte. {before}Le plan vélo{after}Mairie de Lyon."), "Un texte.");
            check(&format!("{before}Le plan vélo{after}Mairie"), "");
        }
        check("Un texte. L’article Le plan vélo est apparu en premier sur Mairie.", "Un texte.");
    }

    #[test]
    fn links_to_the_rest_go_in_every_language() {
        for phrase in MORE.iter().filter(|phrase| !phrase.starts_with('(')) {
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
