use super::*;
use crate::feed::{Entry, Origin};
use crate::publish::newsroom::{Newsroom, bare, ordinary, related, story, url};
use crate::story::{StoredEntry, Telling};
use crate::topic::{Field, Reason};

#[track_caller]
fn check(change: impl FnOnce(&mut Entry), claim: impl FnOnce(Item) -> bool) {
    let mut head = ordinary();
    change(&mut head.entry);
    let item = one(head);
    let shown = format!("{item:?}");
    assert!(claim(item), "{shown}");
}

fn one(head: StoredEntry) -> Item {
    let newsroom = Newsroom::new();
    let edition = newsroom.edition(vec![story(head)]);
    items(&edition, &edition.selections[0]).remove(0)
}

#[test]
fn a_missing_title_is_made_from_the_first_words() {
    check(|entry| entry.title = None, |item| item.title == "Le plan tablettes.");
    check(|entry| entry.title = Some("\u{2060}\u{ad}".into()), |item| item.title == "Le plan tablettes.");
}

#[test]
fn a_title_made_from_a_long_text_ends_at_a_word() {
    check(
        |entry| {
            entry.title = Some(" \u{a0}".into());
            entry.summary = Some("mot ".repeat(100));
        },
        |item| item.title.ends_with("mot…") && item.title.chars().count() <= MADE_TITLE_MAX + 1,
    );
}

#[test]
fn an_entry_of_nothing_has_its_source_for_title_and_author() {
    let item = one(bare("1"));
    assert_eq!((item.title.as_str(), item.authors[0].name.as_deref()), ("Ministère & Cie", Some("Ministère & Cie")));
}

#[test]
fn an_author_without_a_name_is_called_by_the_address() {
    check(
        |entry| entry.authors = vec![Person { email: Some("e.nguyen@ministere.example".into()), ..Person::default() }],
        |item| item.authors[0].name.as_deref() == Some("e.nguyen"),
    );
}

#[test]
fn a_tag_without_a_scheme_gets_the_address_of_its_feed() {
    check(
        |entry| entry.categories = vec![Category { term: "Bac".into(), ..Category::default() }],
        |item| item.categories[0].scheme.as_deref() == Some("https://ministere.example/rss.xml"),
    );
}

#[test]
fn an_empty_tag_is_left_out() {
    check(
        |entry| entry.categories = vec![Category { term: " ".into(), ..Category::default() }],
        |item| item.categories.len() == 1,
    );
}

#[test]
fn the_topic_is_a_category_of_the_site() {
    check(
        |_| {},
        |item| {
            let topic = item.categories.last().unwrap();
            (topic.term.as_str(), topic.scheme.as_deref()) == ("ecole", Some("https://veille.example/"))
        },
    );
}

#[test]
fn the_same_text_is_published_once() {
    check(|entry| entry.content.clone_from(&entry.summary), |item| item.summary.is_none() && item.content.is_some());
}

#[test]
fn a_language_is_said_only_if_it_is_foreign() {
    check(|entry| entry.language = Some("fr-CA".into()), |item| item.language.is_none());
    check(|entry| entry.language = Some("de".into()), |item| item.language.as_deref() == Some("de"));
}

#[test]
fn a_link_that_no_reader_should_follow_is_left_out() {
    check(|entry| entry.url = Some(url("javascript:alert(1)")), |item| item.url.is_none());
}

#[test]
fn the_feed_that_an_entry_was_copied_from_is_named() {
    check(
        |entry| entry.origin = Some(Origin { title: Some("AFP".into()), url: Some(url("https://afp.example/rss")) }),
        |item| item.via.is_some_and(|via| via.title.as_deref() == Some("AFP")),
    );
}

#[test]
fn every_other_telling_is_linked_once() {
    let newsroom = Newsroom::new();
    let mut told = story(ordinary());
    let telling = Telling {
        source_id: "agence".into(),
        title: Some("Tablettes : le plan".into()),
        url: Some(url("https://agence.example/1")),
        canonical_link: None,
        categories: vec![Category { term: "École".into(), ..Category::default() }],
        atom_id: "urn:x-agence:1".into(),
    };
    told.tellings.extend([telling.clone(), telling]);
    let edition = newsroom.edition(vec![told]);
    let item = items(&edition, &edition.selections[0]).remove(0);
    let title = Some("Agence – Tablettes : le plan".to_owned());
    assert_eq!(item.elsewhere, [Link { url: "https://agence.example/1".into(), title, teller: Some("Agence".into()) }]);
    assert!(item.categories.iter().any(|tag| tag.scheme.as_deref() == Some("https://agence.example/feed")));
}

#[test]
fn a_page_under_another_address_is_not_told_elsewhere() {
    let newsroom = Newsroom::new();
    let mut head = ordinary();
    head.canonical_link = Some("ministere.example/tablettes".into());
    let mut told = story(head);
    let agency = Telling { source_id: "agence".into(), ..told.tellings[0].clone() };
    let [tracked, own, again] =
        ["ministere.example/tablettes?utm_source=a", "agence.example/1", "agence.example/1?x=y"]
            .map(|page| Some(url(&format!("https://{page}"))));
    let canonical_link = Some("agence.example/1".to_owned());
    told.tellings.extend([
        Telling { url: tracked, ..agency.clone() },
        Telling { url: own, canonical_link: canonical_link.clone(), ..agency.clone() },
        Telling { url: again, canonical_link, ..agency },
    ]);
    let edition = newsroom.edition(vec![told]);
    let elsewhere = items(&edition, &edition.selections[0]).remove(0).elsewhere;
    assert_eq!(elsewhere.iter().map(|link| &*link.url).collect::<Vec<_>>(), ["https://agence.example/1"]);
}

#[test]
fn what_a_source_tells_twice_is_not_told_elsewhere() {
    let newsroom = Newsroom::new();
    let mut told = story(ordinary());
    let twice = Telling { url: Some(url("https://ministere.example/index.php/tablettes")), ..told.tellings[0].clone() };
    told.tellings.push(twice);
    let edition = newsroom.edition(vec![told]);
    assert!(items(&edition, &edition.selections[0]).remove(0).elsewhere.is_empty());
}

#[test]
fn related_news_is_linked_unless_its_page_is_linked_already() {
    let newsroom = Newsroom::new();
    let mut told = story(ordinary());
    told.related = vec![
        related("Le plan  d’hier", "https://a.example/1"),
        related("La même page", "https://ministere.example/tablettes"),
        related("Sans page", "javascript:alert(1)"),
        related("Encore", "https://a.example/1"),
    ];
    let edition = newsroom.edition(vec![told]);
    let item = items(&edition, &edition.selections[0]).remove(0);
    let title = Some("Le plan d’hier".to_owned());
    assert_eq!(item.related, [Link { url: "https://a.example/1".into(), title, teller: None }]);
    assert!(item.elsewhere.is_empty());
}

#[test]
fn the_best_text_of_the_story_is_shown() {
    let newsroom = Newsroom::new();
    let mut told = story(ordinary());
    told.text = Some((None, Some("<p>Tout le texte.</p>".into())));
    let edition = newsroom.edition(vec![told]);
    let item = items(&edition, &edition.selections[0]).remove(0);
    assert_eq!((item.summary, item.content.as_deref()), (None, Some("<p>Tout le texte.</p>")));
}

#[test]
fn an_id_is_published_once_and_the_first_stays() {
    let newsroom = Newsroom::new();
    let mut second = ordinary();
    second.entry.title = Some("Encore".into());
    let edition = newsroom.edition(vec![story(ordinary()), story(second)]);
    let items = items(&edition, &edition.selections[0]);
    assert_eq!(items.iter().map(|item| item.title.as_str()).collect::<Vec<_>>(), ["Des tablettes à l’école"]);
}

#[test]
fn a_topic_shows_no_more_than_was_asked_for() {
    let mut newsroom = Newsroom::new();
    newsroom.settings.entries = 2;
    let edition = newsroom.edition(["1", "2", "3"].map(|id| story(bare(id))).to_vec());
    assert_eq!(items(&edition, &edition.selections[0]).len(), 2);
}

#[test]
fn a_source_that_left_the_config_is_still_named() {
    let mut head = ordinary();
    head.source_id = "partie".into();
    assert_eq!(one(head).source.title, "partie");
}

#[test]
fn links_say_nothing_of_how_readers_came() {
    let tracked = |page: &str| url(&format!("https://ministere.example/{page}?id=1&utm_source=rss#xtor=RSS-1"));
    let mut told = story(ordinary());
    told.head.entry.url = Some(tracked("a"));
    told.head.entry.summary = Some("<a href=\"https://a.example/?mtm_campaign=x&amp;b=1\">Texte</a>".into());
    told.head.entry.comments.url = Some(tracked("commentaires"));
    told.tellings.push(Telling { source_id: "agence".into(), url: Some(tracked("b")), ..told.tellings[0].clone() });
    told.related = vec![related("Avant", tracked("c").as_str())];
    let links = |newsroom: &Newsroom| {
        let edition = newsroom.edition(vec![told.clone()]);
        let item = items(&edition, &edition.selections[0]).remove(0);
        let comments = item.comments.url.map(String::from);
        let pages = item.elsewhere.into_iter().chain(item.related).map(|link| link.url);
        item.url.into_iter().chain(pages).chain(comments).chain(item.summary).collect::<Vec<_>>()
    };
    let clean = |page: &str| format!("https://ministere.example/{page}?id=1");
    let text = "<a href=\"https://a.example/?b=1\">Texte</a>".to_owned();
    let mut newsroom = Newsroom::new();
    assert_eq!(links(&newsroom), [clean("a"), clean("b"), clean("c"), clean("commentaires"), text]);
    newsroom.settings.clean_links = false;
    assert!(links(&newsroom).iter().all(|link| link.contains("utm_source=rss") || link.contains("mtm_campaign")));
}

#[test]
fn boilerplate_of_blog_software_is_no_part_of_a_text() {
    let signature =
        "<p>L’article <a href=\"/1\">Des tablettes à l’école</a> est apparu en premier sur <b>Mairie</b>.</p>";
    let more = "<a href=\"/1\">Lire la suite de Des tablettes à l’école</a>";
    check(
        |entry| {
            entry.summary = Some(format!("<p>Un plan… {more}</p>"));
            entry.content = Some(format!("<p>Un plan, en deux ans.</p>\n{signature}"));
        },
        |item| {
            item.summary.as_deref() == Some("<p>Un plan…</p>")
                && item.content.as_deref() == Some("<p>Un plan, en deux ans.</p>")
        },
    );
}

#[test]
fn the_text_of_another_telling_ends_with_its_own_title() {
    let mut told = story(ordinary());
    told.tellings[0].title = Some("Tablettes : le plan".into());
    told.text = Some((None, Some("Un plan. Read more about Tablettes : le plan".into())));
    let newsroom = Newsroom::new();
    let edition = newsroom.edition(vec![told]);
    assert_eq!(items(&edition, &edition.selections[0])[0].content.as_deref(), Some("Un plan."));
}

#[test]
fn of_several_spellings_of_a_term_one_is_shown() {
    let mut told = story(ordinary());
    let terms = ["open source", "opensource", "Open-Source", "logiciel libre", "logiciels libres", "=ENT", "cyber*"];
    let terms = terms.map(str::to_owned).to_vec();
    told.label.reasons = vec![Reason { rule: "r".into(), field: Some(Field::Title), terms, points: 9.0 }];
    let world = Newsroom::new();
    let edition = world.edition(vec![told]);
    assert_eq!(items(&edition, &edition.selections[0])[0].why, ["open source", "logiciel libre", "ENT", "cyber…"]);
}
