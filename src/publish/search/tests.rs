use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::feed::Entry;
use crate::publish::newsroom::{Newsroom, bare, date, saying, story, url};
use crate::publish::put_away;
use crate::story::Story;
use crate::text::{Folding, Passage, html_to_text};
use crate::topic::Fields;

const MONTH: Month = Month { year: 2026, month: 10 };

/// A story with a number, a title and a text, one hour older than that of the number before.
fn told(number: i64, title: &str, text: &str) -> Story {
    let published = date("2026-10-20T08:00:00Z") - TimeDelta::hours(number);
    let entry = Entry {
        url: Some(url(&format!("https://ministere.example/{number}"))),
        title: Some(title.into()),
        summary: Some(text.into()),
        published: Some(published),
        ..Entry::default()
    };
    let head = saying(bare(&number.to_string()), entry);
    let mut story = story(head);
    story.number = number;
    story.head.date = published;
    story
}

/// A drawer with stories, of a topic.
fn drawer(newsroom: &Newsroom, topic: &str, stories: &[Story], limit: usize) -> Drawer {
    let mut open = OpenDrawer::new(topic, MONTH, 1, limit);
    let edition = newsroom.edition(Vec::new());
    for story in stories {
        put_away(&edition, &newsroom.topic, story, &mut open);
    }
    open.close(|_| String::new())
}

/// An index of drawers, each with a topic and its stories.
fn index(drawers: &[(&str, &[Story])]) -> SearchIndex {
    let newsroom = Newsroom::new();
    let topics: Vec<Topic> = drawers
        .iter()
        .map(|(id, _)| Topic { id: (*id).into(), title: (*id).into(), ..newsroom.topic.clone() })
        .collect();
    let drawers = drawers.iter().map(|(id, stories)| Arc::new(drawer(&newsroom, id, stories, usize::MAX))).collect();
    SearchIndex::new(&newsroom.edition(Vec::new()), topics.iter(), &BTreeMap::new(), drawers, false)
}

/// The numbers of the stories that are found, in order.
fn found(index: &SearchIndex, words: &str, topic: Option<&str>) -> Vec<i64> {
    let found = index.find(&Query::parse(words), topic).stories;
    found.into_iter().map(|story| story.order.1.0).collect()
}

#[track_caller]
fn check(words: &str, expected: &[i64]) {
    let stories = [
        told(1, "Des tablettes à l’école", "<p>Le plan <b>numérique</b> des lycées professionnels.</p>"),
        told(2, "Le plan numérique", "Un e-mail pour chaque élève, et l’école numérique."),
        told(3, "Rien", "Les étudiant·e·s et les écoles numériques."),
        told(4, "Data for all schools", "The teachers say that this is a good plan for the schools of the country."),
    ];
    assert_eq!(found(&index(&[("ecole", &stories)]), words, None), expected, "{words}");
}

#[test]
fn all_words_have_to_be_there_whatever_their_accents_and_endings() {
    check("ECOLE numerique", &[1, 2, 3]);
    check("tablette lycée", &[1]);
    check("tablette élève", &[]);
    check("l’étudiant", &[3]);
    check("school", &[4]);
    check("xyzzy", &[]);
    check("", &[]);
}

#[test]
fn words_in_quotes_follow_one_another_in_the_title_or_in_the_text() {
    check("\"école numérique\"", &[2, 3]);
    check("\"plan numérique\" élève", &[2]);
    check("« numérique plan »", &[]);
    check("\"l’école le plan\"", &[]);
}

#[test]
fn compounds_are_found_parted_and_joined() {
    for words in ["email", "e-mail", "mail", "\"un email pour\"", "\"e mail\""] {
        check(words, &[2]);
    }
}

#[test]
fn titles_come_first_and_then_the_newest() {
    check("plan", &[2, 1, 4]);
}

#[test]
fn a_story_of_two_topics_is_found_once_and_in_each() {
    let stories = [told(1, "École", "a"), told(2, "École", "b")];
    let index = index(&[("un", &stories), ("deux", &stories[1..])]);
    assert_eq!(found(&index, "ecole", None), [1, 2]);
    assert_eq!(found(&index, "ecole", Some("deux")), [2]);
    let html = index.answer("q=ecole").html;
    assert!(html.contains("2 nouvelles trouvées") && html.matches("href=\"../un/\">un</a>").count() == 2, "{html}");
    assert_eq!(html.matches("href=\"../deux/\">deux</a>").count(), 1, "{html}");
}

#[test]
fn what_is_found_is_marked_and_what_was_asked_is_no_markup() {
    let index = index(&[("ecole", &[told(1, "L’<b>École</b>", "Une école &lt;script&gt; pour tous")])]);
    let html = index.answer("q=ecole+%22%3E%3Cscript%3Ealert(1)%3C/script%3E").html;
    assert!(html.contains("value=\"ecole &#34;&#62;&#60;script&#62;alert(1)") && !html.contains("<script"), "{html}");
    let html = index.answer("q=ecole").html;
    assert!(html.contains("<mark>École</mark>") && html.contains("Une <mark>école</mark> &#60;script&#62;"), "{html}");
    assert!(html.contains("<meta name=\"robots\" content=\"noindex\">"), "{html}");
}

#[test]
fn results_are_shown_page_by_page() {
    let stories: Vec<Story> = (1..=45).map(|number| told(number, "École", "")).collect();
    let index = index(&[("ecole", &stories)]);
    let shown = |query: &str| index.answer(query).html;
    assert_eq!(shown("q=ecole").matches("<article>").count(), 20);
    let second = shown("q=ecole&page=2");
    assert!(second.contains("page 2 sur 3") && second.contains("href=\"?q=ecole&#38;page=3\""), "{second}");
    assert!(second.contains("href=\"?q=ecole\""), "{second}");
    assert_eq!(shown("q=ecole&page=999"), shown("q=ecole&page=3"));
    assert_eq!(shown("q=ecole&page=3").matches("<article>").count(), 5);
}

#[test]
fn what_is_no_search_is_refused_and_an_empty_one_is_the_form() {
    let index = index(&[("ecole", &[told(1, "École", "")])]);
    for query in ["q=%FF", "q=a&page=0", "q=a&topic=secret", &format!("q={}", "a+".repeat(40))] {
        assert!(index.answer(query).is_refused, "{query}");
    }
    let form = index.answer("");
    assert!(
        !form.is_refused && form.html.contains("type=\"search\"") && !form.html.contains("trouvée"),
        "{}",
        form.html
    );
    assert!(form.html.contains("depuis octobre 2026"), "{}", form.html);
}

#[test]
fn a_former_id_of_a_topic_is_that_topic() {
    let mut index = index(&[("ecole", &[told(1, "École", "")])]);
    index.aliases.insert("college".into(), "ecole".into());
    assert!(index.answer("q=ecole&topic=college").html.contains("<article>"));
}

#[test]
fn a_drawer_keeps_the_newest_stories_within_its_limit() {
    let newsroom = Newsroom::new();
    let text = |number: i64| (0..60).map(|word| format!("mot{} ", number * 7 + word * 31)).collect::<String>();
    let stories: Vec<Story> = (1..=2_000).map(|number| told(number, "École", &text(number))).collect();
    let whole = drawer(&newsroom, "ecole", &stories, usize::MAX);
    assert!(whole.is_whole && whole.len() == 2_000);
    let limit = whole.bytes() / 3;
    for cut in [whole.cut(limit), drawer(&newsroom, "ecole", &stories, limit)] {
        assert!(!cut.is_whole && cut.bytes() <= limit + limit / 8 && cut.bytes() > limit / 2, "{cut:?} of {limit}");
        let ways = vec![vec!["ecole"]];
        assert_eq!(cut.stories_with(&ways).len(), cut.len());
        assert_eq!(cut.story(0), whole.story(0));
        let last = u32::try_from(cut.len()).unwrap() - 1;
        assert_eq!((cut.story(last), cut.story(last + 1)), (whole.story(last), None));
    }
    assert!(whole.cut(0).is_empty());
}

#[test]
fn a_text_beyond_all_measure_is_searched_in_its_beginning() {
    let index = index(&[("ecole", &[told(1, "École", &format!("début {} fin", "milieu ".repeat(9_000)))])]);
    assert_eq!((found(&index, "début", None), found(&index, "fin", None)), (vec![1], vec![]));
}

const WORDS: [&str; 16] = [
    "école",
    "écoles",
    "l’École",
    "e-mail",
    "email",
    "mail",
    "numérique",
    "numériques",
    "porte-à-porte",
    "porte",
    "à",
    "schools",
    "school",
    "教育",
    "étudiant·e·s",
    "R&D",
];

fn words(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..most).prop_map(|words| words.join(" "))
}

fn asked() -> impl Strategy<Value = String> {
    let part =
        (words(4), any::<bool>()).prop_map(|(words, is_phrase)| if is_phrase { format!("\"{words}\"") } else { words });
    prop::collection::vec(part, 1..3).prop_map(|parts| parts.join(" "))
}

/// Whether each term of a query stands in the title or in the text, as the matcher of topics reads them.
fn scanned(story: &Story, words: &str) -> bool {
    let entry = &story.head.entry;
    let title = Passage::from(entry.title.as_deref().unwrap_or_default());
    let text = Passage::new(html_to_text(entry.summary.as_deref().unwrap_or_default()));
    let mut fields = Fields::new(title.clone(), text.clone(), "", &[], "");
    fields.declared.clone_from(&entry.language);
    let folding: Folding = fields.folding();
    let mut query = Query::parse(words);
    let mut terms: Vec<usize> =
        [title, text].iter().flat_map(|text| query.places(text, folding)).map(|(term, _)| term).collect();
    terms.sort_unstable();
    terms.dedup();
    !query.is_empty() && terms.len() == query.spellings().count()
}

proptest! {
    #[test]
    fn a_search_finds_what_a_scan_of_all_texts_finds(
        stories in prop::collection::vec((words(6), words(12), prop::sample::select(vec!["fr", "en", "de"])), 1..12),
        asked in asked(),
    ) {
        let stories: Vec<Story> = stories.into_iter().zip(1..).map(|((title, text, language), number)| {
            // A title is made of the text where there is none.
            let mut story = told(number, &format!("titre {title}"), &text);
            story.head.entry.language = Some(language.into());
            story
        }).collect();
        let mut expected: Vec<i64> =
            stories.iter().filter(|story| scanned(story, &asked)).map(|story| story.number).collect();
        let mut found = found(&index(&[("ecole", &stories)]), &asked, None);
        expected.sort_unstable();
        found.sort_unstable();
        prop_assert_eq!(found, expected, "{}", asked);
    }
}
