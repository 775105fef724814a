//! Texts that are clearly in a language, and texts that are not.

use super::*;

#[track_caller]
fn check(text: &str, expected: Tongue) {
    assert_eq!(tongue(text, None), expected, "{text}");
}

#[test]
fn function_words_decide() {
    check("Le ministre est en visite dans une école", Tongue::French);
    check("The minister is on a visit to the school", Tongue::English);
    check("Der Minister ist mit einer Klasse in der Schule", Tongue::Other("de"));
    check("El alcalde pide a los vecinos que no salgan y que esperen las noticias del martes", Tongue::Other("es"));
    check("Big data, open data", Tongue::Unknown);
}

#[test]
fn trigrams_decide_where_a_text_is_long_and_function_words_prove_nothing() {
    let hungarian = "Új tantárgy kerül bevezetésre szeptembertől minden általános iskolában, közölte kedden minisztériumunk \
                     államtitkára budapesti sajtótájékoztatóján";
    check(hungarian, Tongue::Other("hu"));
}

#[test]
fn a_text_of_no_language_is_unknown() {
    for text in ["a ", "x x", "a, b, c ", "1 2 3 ", "ha ha ", "ÿÿÿÿ ", "ےےے", "Ж ", "Lorem "] {
        let text = format!("École numérique {}", text.repeat(400));
        assert!(tongue(&text, None).allows("fr"), "{:?}: {}", tongue(&text, None), &text[..40]);
    }
}

#[test]
fn a_short_title_in_any_language_is_not_taken_for_another() {
    for (language, titles) in [
        ("es", ["Le dan la razón al maestro", "La crisis de los comedores en Les Corts", "Un plan para la lectura"]),
        ("ca", ["Les classes en català", "El curs comença amb vaga a l'institut", "Des de la Seu"]),
        ("it", ["La scuola e le famiglie", "Il sindaco non si dimette", "Un piano per le mense"]),
        ("pt", ["A escola que se fecha", "Os pais e a greve", "Um plano de leitura em Lisboa"]),
        ("nl", ["De school en de ouders", "Een plan in Gent", "Les in de klas"]),
        ("da", ["En ny lov om et forbud", "De unge og skolen", "Et godt år"]),
        ("nb", ["En dag på skolen", "Et nytt skoleår i Oslo", "De unge og nettet"]),
        ("sv", ["En dag i skolan", "De unga och nätet", "Lagen om en skola för alla"]),
        ("de", ["Des Kaisers neue Schule", "Die Grande Nation streikt", "La Traviata in der Schule"]),
        ("ro", ["Un elev la București", "Ce se schimbă la bacalaureat", "Legea se discută pe larg"]),
        ("pl", ["Na co pieniądze", "Szkoła to nie wszystko", "A w Warszawie strajk"]),
        ("en", ["Les Miserables closes", "Le Monde sues a rival", "On est ici: a French play"]),
        ("fr", ["The Voice au lycée", "Die Zeit et nous", "El Niño est là"]),
        ("gl", ["A escola que pecha", "Un plan para os nenos", "O curso en Vigo"]),
        ("eu", ["Eskola berria Bilbon", "Hezkuntza legea", "Ikasleen greba"]),
    ] {
        for title in titles {
            assert!(tongue(title, None).allows(language), "{title}: {:?}", tongue(title, None));
        }
    }
}

#[test]
fn what_is_declared_counts_where_the_text_agrees() {
    let spanish = "La reforma de las becas";
    assert_eq!((tongue(spanish, None), tongue(spanish, Some("es-MX"))), (Tongue::Unknown, Tongue::Other("es")));
    assert_eq!(tongue("Les notes du brevet", Some("en-US")), Tongue::Unknown);
    assert_eq!(tongue("Edtech", Some("en-US")), Tongue::Unknown);
}

#[test]
fn a_script_tells_what_a_text_is_not() {
    check("Η ελληνική γλώσσα", Tongue::Other("el"));
    check("学校", Tongue::Script("und-Hani"));
    check("Школа и Linux", Tongue::Script("und-Cyrl"));
    for language in ["ru", "uk", "bg", "sr", "mn"] {
        assert!(Tongue::Script("und-Cyrl").allows(language), "{language}");
    }
    assert!(!Tongue::Script("und-Cyrl").allows("fr") && !Tongue::Script("und-Hani").allows("ko"));
}

#[test]
fn only_a_clear_other_language_is_kept_out() {
    assert!(Tongue::Unknown.allows("fr") && Tongue::French.allows("fr") && Tongue::Other("de").allows("de"));
    assert!(!Tongue::English.allows("fr") && !Tongue::Other("es").allows("fr") && !Tongue::French.allows("en"));
}

#[test]
fn codes_of_one_language_are_one() {
    assert!(Tongue::French.allows("fra") && Tongue::Other("nb").allows("no") && Tongue::Other("fa").allows("fas"));
    let czech = "Ministerstvo školství představilo nový plán pro základní školy, podle kterého budou všichni žáci \
                 používat digitální učebnice";
    assert!(tongue(czech, None).allows("cs"), "{:?}", tongue(czech, None));
}

#[test]
fn a_language_that_is_never_guessed_lets_its_neighbours_in() {
    assert!(Tongue::Other("es").allows("eu") && Tongue::Other("da").allows("nn") && !Tongue::English.allows("br"));
}
