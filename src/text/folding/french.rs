//! French: plural and feminine folded.
//!
//! No stemmer: Snowball merges *éducatif* with *éducation* and *élève* with *élever*, and scored lower on labelled news.

use std::borrow::Cow;

/// Folds plural and feminine of a folded word: `numeriques` is `numerique`, `enseignantes` is `enseignant`.
///
/// Never merges *numérique*, *numéro*, *numéraire*. Words with digits and short words stay.
pub(super) fn root(folded: &str) -> Cow<'_, str> {
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

/// Plurals in `-aux` whose singular is none in `-al`, and those that end like `-eaux` and are of one in `-al`.
const IRREGULAR: [(&str, &str); 16] = [
    ("travaux", "travail"),
    ("vitraux", "vitrail"),
    ("coraux", "corail"),
    ("soupiraux", "soupirail"),
    ("vantaux", "vantail"),
    ("baux", "bail"),
    ("noyaux", "noyau"),
    ("tuyaux", "tuyau"),
    ("boyaux", "boyau"),
    ("joyaux", "joyau"),
    ("fabliaux", "fabliau"),
    ("esquimaux", "esquimau"),
    ("ideaux", "ideal"),
    ("egaux", "egal"),
    ("inegaux", "inegal"),
    ("maux", "mal"),
];

fn singular(word: &str, length: usize) -> Cow<'_, str> {
    if word.ends_with("aux")
        && let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| *plural == word)
    {
        return Cow::Borrowed(singular);
    }
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
    use crate::text::fold;

    fn check(word: &str, expected: &str) {
        assert_eq!(root(&fold(word)), expected, "{word}");
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
    fn plurals_that_end_like_others_find_their_own_singular() {
        for (plural, singular) in
            [("travaux", "travail"), ("vitraux", "vitrail"), ("tuyaux", "tuyau"), ("idéaux", "idéal")]
        {
            assert_eq!(root(&fold(plural)), root(&fold(singular)), "{plural}");
        }
        assert_ne!(root("royaux"), root("royau"));
    }

    #[test]
    fn what_only_looks_alike_stays_apart() {
        for (one, other) in [("numérique", "numéro"), ("éducatif", "éducation"), ("élève", "élever")] {
            assert_ne!(root(&fold(one)), root(&fold(other)), "{one}, {other}");
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
