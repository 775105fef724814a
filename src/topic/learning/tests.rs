//! Tests of what is learnt.

use super::super::tests::{any, near, topic};
use super::*;

const SOURCES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A title told by each source, once with each of these endings.
fn told(sources: &[&str], title: &str, endings: &[&str], is_about: bool) -> Vec<Lesson> {
    let lesson = |source: &&str, ending: &&str| Lesson {
        fields: Fields::new(format!("{title} {ending}"), "", "", &[], source),
        is_about,
    };
    sources.iter().flat_map(|source| endings.iter().map(move |ending| lesson(source, ending))).collect()
}

/// Learns for a topic with the rule `école numérique` and returns the terms.
fn check(lessons: &[Lesson], expected: &[&str]) -> Learned {
    let topics = [topic(vec![any(&["école numérique"])], &[])];
    let learned = learn_rules(&topics, "numerique-educatif", lessons, &RefusedWords::new(SOURCES)).unwrap();
    assert_eq!(terms(&learned.rules), expected, "{learned:?}");
    learned
}

/// The terms that were learnt.
fn terms(rules: &[LearnedRule]) -> Vec<&str> {
    rules.iter().flat_map(terms_of).map(|term| term.written.as_str()).collect()
}

fn terms_of(learnt: &LearnedRule) -> Vec<&Term> {
    match &learnt.amendment {
        Amendment::Rule(rule) => rule.terms().collect(),
        Amendment::Term { term, .. } | Amendment::Without { term, .. } => vec![term],
    }
}

/// The first rule that was learnt.
fn first_rule(learned: &Learned) -> &Rule {
    match &learned.rules[0].amendment {
        Amendment::Rule(rule) => rule,
        Amendment::Term { .. } | Amendment::Without { .. } => panic!("{learned:?}"),
    }
}

/// Entries that are not about the topic.
fn others() -> Vec<Lesson> {
    told(&SOURCES, "Le budget", &["de la mairie", "du port", "des forêts"], false)
}

#[test]
fn a_term_that_holds_on_other_sources_is_learnt() {
    let about = told(&SOURCES, "Des tablettes", &["au collège", "pour tous"], true);
    let learned = check(&[about, others()].concat(), &["tablettes"]);
    assert_eq!(learned.before, Accuracy { right: 0, false_alarms: 0, missed: 12 });
    assert_eq!(learned.after, Accuracy { right: 12, false_alarms: 0, missed: 0 });
    assert_eq!((learned.rules[0].about, learned.rules[0].others, learned.rules[0].sources), (12, 0, 6));
}

#[test]
fn a_topic_that_is_right_already_learns_nothing() {
    let about = told(&SOURCES, "L’école numérique et les tablettes", &["au collège", "pour tous"], true);
    check(&[about, others()].concat(), &[]);
}

#[test]
fn words_of_one_source_are_not_learnt() {
    let known = told(&SOURCES, "L’école numérique", &["avance"], true);
    let style = told(&["a"], "Le mot du chef", &["un", "deux", "trois", "quatre"], true);
    check(&[known, style, others()].concat(), &[]);
}

#[test]
fn function_words_months_numbers_and_names_of_sources_are_not_learnt() {
    for title in ["Notamment", "En février", "Le 2026", "Avec b", "Jeudi"] {
        let about = told(&SOURCES, title, &["", "."], true);
        check(&[about, others()].concat(), &[]);
    }
}

#[test]
fn a_phrase_tells_what_its_words_do_not() {
    let about = told(&SOURCES, "Une classe mobile", &["ouvre", "ferme"], true);
    let classes = told(&SOURCES, "Une classe verte", &["ouvre", "ferme"], false);
    let phones = told(&SOURCES, "Un réseau mobile", &["ouvre", "ferme"], false);
    check(&[about, classes, phones].concat(), &["classe mobile"]);
}

#[test]
fn two_words_near_one_another_make_a_pair() {
    let about = |ending| told(&SOURCES, "Des tablettes", &[ending], true);
    let about =
        [about("pour nos élèves"), about("offertes à chaque élève"), about("que reçoivent les élèves")].concat();
    let tablets = told(&SOURCES, "Des tablettes", &["de chocolat", "de cire"], false);
    let pupils = told(&SOURCES, "Des élèves", &["au musée", "en forêt"], false);

    let learned = check(&[about, tablets, pupils].concat(), &["élèves", "tablettes"]);
    assert!(matches!(first_rule(&learned).pattern, Pattern::Near { .. }));
}

#[test]
fn a_word_joins_the_list_of_a_rule_that_it_stands_near() {
    let topics = [topic(vec![near(&["tablette"], &["élève"], 6)], &[])];
    let about = told(&SOURCES, "Des tablettes pour", &["les élèves", "les écoles du Gard", "nos écoles"], true);
    let schools = told(&SOURCES, "Des repas pour les écoles", &["du Gard", "du port"], false);
    let tablets = told(&SOURCES, "Des tablettes de cire pour", &["le musée", "la messe"], false);
    let lessons = [about, schools, tablets].concat();
    let learned = learn_rules(&topics, "numerique-educatif", &lessons, &RefusedWords::new(SOURCES)).unwrap();
    let term = Term::parse("écoles").unwrap();
    assert_eq!(learned.rules[0].amendment, Amendment::Term { rule: 0, list: 1, term }, "{learned:?}");
    assert_eq!((learned.rules.len(), learned.after.f1()), (1, 1.0));
}

#[test]
fn a_term_that_brings_mostly_others_leaves_its_rule() {
    let topics = [topic(vec![any(&["tablette", "cahier"])], &[])];
    let about = told(&SOURCES, "Des tablettes", &["au collège", "pour tous"], true);
    let others = told(&SOURCES, "Des cahiers", &["au marché", "pour rien"], false);
    let lessons = [about, others].concat();
    let learned = learn_rules(&topics, "numerique-educatif", &lessons, &RefusedWords::new(SOURCES)).unwrap();
    let term = Term::parse("cahier").unwrap();
    assert_eq!(learned.rules[0].amendment, Amendment::Without { rule: 0, place: 1, term });
    assert_eq!((learned.before.false_alarms, learned.after.false_alarms, learned.after.right), (12, 0, 12));
}

#[test]
fn an_acronym_is_learnt_exactly() {
    let about = told(&SOURCES, "La DRANE", &["recrute", "forme"], true);
    check(&[about, others()].concat(), &["=DRANE"]);
}

#[test]
fn noise_is_pushed_away() {
    let about = told(&SOURCES, "L’école numérique", &["avance", "recule"], true);
    let noise = told(&SOURCES, "L’école numérique de cuisine", &["avance", "recule"], false);
    let learned = check(&[about, noise].concat(), &["cuisine"]);
    assert!(first_rule(&learned).weight < 0.0);
}

#[test]
fn too_few_labels_are_told_by_kind() {
    let topics = [topic(vec![any(&["école numérique"])], &[])];
    let lessons = told(&["a", "b"], "Des tablettes", &["au collège", "pour tous"], true);
    let shortage = learn_rules(&topics, "numerique-educatif", &lessons, &RefusedWords::new([])).unwrap_err();
    assert_eq!(shortage, Shortage { about: 4, others: 0, about_sources: 2, other_sources: 0 });
}

#[test]
fn each_source_is_whole_in_one_fold() {
    let lessons = others();
    let all: Vec<usize> = (0..lessons.len()).collect();
    let mut tested = Vec::new();
    for (learnt_from, tested_on) in folds(&lessons, &all) {
        let sources = |places: &[usize]| -> BTreeSet<String> {
            places.iter().map(|place| lessons[*place].fields.source_id.clone()).collect()
        };
        assert!(sources(&learnt_from).is_disjoint(&sources(&tested_on)));
        tested.extend(tested_on);
    }
    tested.sort_unstable();
    assert_eq!(tested, all);
}

#[test]
fn hints_are_words_of_the_topic_that_stand_elsewhere_too() {
    let topics = [topic(vec![any(&["école numérique"])], &[])];
    let inside = told(&SOURCES, "L’école numérique reçoit des tablettes", &["neuves", "usées"], true);
    let outside = [told(&["a", "b"], "Des tablettes", &["au collège"], false), others()].concat();
    let hints = hint_at_rules(&topics, "numerique-educatif", &[inside, outside].concat(), &RefusedWords::new(SOURCES));
    assert_eq!(terms(&hints), ["tablettes"]);
    assert_eq!((hints[0].about, hints[0].others), (12, 2));
}

#[test]
fn terms_of_one_kind_are_gathered_into_one_rule() {
    let rules = [any(&["un"]), any(&["deux"])];
    let gathered = gathered(&rules);
    assert_eq!(gathered.len(), 1);
    assert_eq!(gathered[0].terms().map(|term| term.written.as_str()).collect::<Vec<_>>(), ["un", "deux"]);
}
