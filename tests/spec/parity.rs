//! Decisions equal to those of an independent implementation of the rule language, written first, in Python: what it says
//! of documents made for this test is noted here.

use std::path::Path;

use veille::config;
use veille::topic::{Fields, Matcher};

const TOPICS: &str = r#"
[topic_defaults]
lang = "fr"

[lexicon]
outil = ["tablette", "numérique", "=IA", "cyber*", "en ligne"]
public = ["élève", "enseignant", "+directrice", "collège"]

[[topic]]
id = "outils"
title = "Outils"
threshold = 6.0

[[topic.rule]]
name = "expressions"
weight = 3.0
any = ["école numérique", "=ENT", "cahier de textes", "jusqu'au lycée"]

[[topic.rule]]
name = "tête"
weight = 2.0
in = ["title", "head"]
near = [["@outil"], ["@public"]]
within = 6

[[topic.rule]]
name = "corps"
weight = 2.0
in = ["body"]
near = [["@outil"], ["@public"]]
within = 5

[[topic.rule]]
name = "bruit"
weight = -1.5
in = ["title", "lead"]
any = ["cinéma", "cantine"]

[[topic]]
id = "mots"
title = "Mots"
threshold = 4.0
boost = { body = 2.0, tags = 1.0 }
body_cap = 2

[[topic.rule]]
name = "mots"
weight = 2.0
any = ["éducatif", "œuvre", "peut-être", "email", "numéro", "régional"]
"#;

/// Title, summary, content, tags; the score in each topic, and whether the entry is in.
type Expected = (&'static str, &'static str, &'static str, &'static [&'static str], [f64; 2], [bool; 2]);

#[rustfmt::skip]
const DOCUMENTS: [Expected; 19] = [
    ("L’école numérique arrive", "Un plan.", "", &[], [9.0, 0.0], [true, false]),
    ("Écoles numériques : les maires s'organisent", "", "", &[], [9.0, 0.0], [true, false]),
    ("Un cahier de textes", "Il s’ouvre jusqu’au lycée.", "", &[], [9.0, 0.0], [true, false]),
    ("L'ent et la forêt", "Un ent marche.", "", &[], [0.0, 0.0], [false, false]),
    ("L'ENT ferme", "", "", &["vie scolaire"], [9.0, 0.0], [true, false]),
    ("Des tablettes", "pour chaque élève·s du canton", "", &[], [4.0, 0.0], [false, false]),
    ("Des tablettes, encore et encore, ici comme ailleurs", "Rien pour les élèves.", "", &[], [0.0, 0.0], [false, false]),
    ("Une directrice et la cybersécurité", "", "", &[], [6.0, 0.0], [true, false]),
    ("Un directeur et la cybersécurité", "", "", &[], [0.0, 0.0], [false, false]),
    ("IA : les enseignant(e)s à la cantine", "Un menu en ligne.", "", &[], [1.5, 0.0], [false, false]),
    ("Partenariat", "Le ministre a signé.", "", &["École numérique", "Accord"], [6.0, 0.0], [true, false]),
    ("Visite", "", "Le maire a visité le chantier du gymnase avec ses adjoints. La tablette des élèves est restée au collège. Plus loin dans la ville, un autre chantier avance, et les riverains attendent la fin des travaux, qui sont prévus pour la fin de l’année si le temps le permet et si les entreprises tiennent leurs délais. Les enseignants ont reçu une tablette. Un module en ligne attend les élèves. Le numérique change le collège, dit le maire, et puis rien.", &[], [5.3333, 0.0], [false, false]),
    ("Une œuvre éducative", "", "", &[], [0.0, 6.0], [false, true]),
    ("Oeuvres et numéros", "", "", &[], [0.0, 6.0], [false, true]),
    ("Le numéraire", "Des aides régionales, peut‑être.", "", &[], [0.0, 4.0], [false, true]),
    ("Un e-mail", "", "", &["régionaux"], [0.0, 6.0], [false, true]),
    ("The digital school is on the way", "The minister has opened a school with a tablette for each élève and the teachers.", "", &[], [4.0, 0.0], [false, false]),
    ("Cinéma à l’école numérique", "Le cinéma et l'ENT.", "", &[], [4.5, 0.0], [false, false]),
    ("Peut-être", "Un texte.", "Un texte. Une œuvre, une œuvre et encore une œuvre.", &[], [0.0, 6.0], [false, true]),
];

#[test]
fn scores_and_decisions_are_those_of_the_reference() {
    let config = config::parse(TOPICS, Path::new("config.toml")).unwrap();
    let matcher = Matcher::new(config.topics);
    for (title, summary, content, tags, scores, is_in) in DOCUMENTS {
        let fields = Fields::new(title, summary, content, tags, "");
        let judgements = matcher.judgements(&fields);
        for (judgement, score) in judgements.iter().zip(scores) {
            assert!((judgement.score - score).abs() < 1e-4, "{title}: {judgement:#?}");
        }
        let labels = matcher.labels(&fields);
        let found = ["outils", "mots"].map(|topic| labels.iter().any(|label| label.topic == topic));
        assert_eq!(found, is_in, "{title}: {judgements:#?}");
    }
}
