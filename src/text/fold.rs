//! Folding: what makes two spellings one word.
//!
//! No stemmer: Snowball merges *éducatif* with *éducation* and *élève* with *élever*, and scored lower on labelled news.

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
    for c in text.chars() {
        match LATIN.get(c as usize) {
            Some(latin) => folded.push_str(latin),
            None => return Cow::Owned(fold_any(text)),
        }
    }
    Cow::Owned(folded)
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
            other => split.push(other),
        }
    }
    split.nfkd().filter(|c| canonical_combining_class(*c) == 0).collect::<String>().to_lowercase()
}

/// Folds plural and feminine of a folded word: `numeriques` is `numerique`, `enseignantes` is `enseignant`.
///
/// Never merges *numérique*, *numéro*, *numéraire*. Words with digits and short words stay.
#[must_use]
pub fn lite(folded: &str) -> Cow<'_, str> {
    let length = folded.chars().count();
    if length < 4 || folded.chars().any(char::is_numeric) {
        return Cow::Borrowed(folded);
    }
    let singular = singular(folded, length);
    if !singular.ends_with('e') {
        return singular;
    }
    for (feminine, masculine) in FEMININES {
        if let Some(stem) = singular.strip_suffix(feminine)
            && stem.chars().count() >= 3
        {
            return Cow::Owned(format!("{stem}{masculine}"));
        }
    }
    match singular {
        Cow::Borrowed(word) if word.chars().count() > 4 && word.ends_with("ee") => {
            Cow::Borrowed(word.strip_suffix('e').unwrap_or(word))
        }
        other => other,
    }
}

/// Feminine endings and their masculine, the first that fits wins; all end in `e`.
const FEMININES: [(&str, &str); 11] = [
    ("rice", "eur"),
    ("euse", "eur"),
    ("ienne", "ien"),
    ("enne", "en"),
    ("onne", "on"),
    ("elle", "el"),
    ("ere", "er"),
    ("ive", "if"),
    ("ale", "al"),
    ("ante", "ant"),
    ("ente", "ent"),
];

fn singular(word: &str, length: usize) -> Cow<'_, str> {
    let eaux = word.ends_with("eaux");
    if length > 5
        && !eaux
        && let Some(stem) = word.strip_suffix("aux")
    {
        return Cow::Owned(format!("{stem}al"));
    }
    if length > 5 && eaux {
        return Cow::Borrowed(word.strip_suffix('x').unwrap_or(word));
    }
    if word.ends_with("ss") {
        return Cow::Borrowed(word);
    }
    Cow::Borrowed(word.strip_suffix(['s', 'x']).unwrap_or(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: &str) {
        assert_eq!(lite(&fold(word)), expected, "{word}");
    }

    #[test]
    fn case_accents_and_ligatures_do_not_count() {
        check("Cœur", "coeur");
        check("NUMÉRIQUE", "numerique");
        check("E\u{301}cole", "ecole");
        check("ﬁn", "fin");
    }

    #[test]
    fn plural_and_feminine_are_one_word() {
        check("numériques", "numerique");
        check("enseignantes", "enseignant");
        check("directrices", "directeur");
        check("régionaux", "regional");
        check("tableaux", "tableau");
        check("lycéennes", "lyceen");
        check("éducative", "educatif");
        check("connectée", "connecte");
    }

    #[test]
    fn what_only_looks_alike_stays_apart() {
        for (one, other) in [("numérique", "numéro"), ("éducatif", "éducation"), ("élève", "élever")] {
            assert_ne!(lite(&fold(one)), lite(&fold(other)), "{one}, {other}");
        }
    }

    #[test]
    fn short_words_and_numbers_stay() {
        check("bus", "bus");
        check("CM2", "cm2");
        check("presse", "presse");
        check("stress", "stress");
    }
}
