use super::*;
use crate::config::{Language, ShownImages};
use crate::feed::{Category, Comments, Image};
use crate::publish::newsroom::{Newsroom, bare, date, ordinary, related, story, url};
use crate::state::{Announcement, Monitored};
use crate::story::Telling;
use crate::topic::{Field, Reason};

fn text(document: &Representation) -> &str {
    std::str::from_utf8(&document.bytes).unwrap()
}

fn topic_page(newsroom: &Newsroom, stories: Vec<crate::story::Story>) -> String {
    let edition = newsroom.edition(stories);
    text(&topic(&edition, &Channel::new(&edition, &edition.selections[0]))).to_owned()
}

/// The page of a topic whose only story has this picture.
fn page_with(image: Image, images: ShownImages) -> String {
    let mut world = Newsroom::new();
    world.settings.images = images;
    let mut head = ordinary();
    head.entry.image = Some(image);
    topic_page(&world, vec![story(head)])
}

#[test]
fn pages_show_pictures_only_if_the_operator_wants_them() {
    let image = || Image {
        alt: Some("Devant un \"lycée\"".into()),
        width: Some(640),
        height: Some(360),
        ..url("https://cdn.ministere.example/lycee.jpg?a=1&b=2").into()
    };
    let page = page_with(image(), ShownImages::Linked);
    let shown = "<img class=\"picture\" src=\"https://cdn.ministere.example/lycee.jpg?a=1&#38;b=2\" alt=\"Devant un &#34;lycée&#34;\" \
        width=\"640\" height=\"360\" loading=\"lazy\" decoding=\"async\" referrerpolicy=\"no-referrer\">";
    assert!(page.contains(shown), "{page}");
    let policy =
        "<meta http-equiv=\"Content-Security-Policy\" content=\"img-src 'self' https://cdn.ministere.example\">";
    assert!(page.contains(policy), "{page}");
    let page = page_with(image(), ShownImages::Nowhere);
    assert!(!page.contains("<img") && !page.contains("Content-Security-Policy"), "{page}");
}

#[test]
fn a_picture_that_no_policy_can_name_is_not_shown() {
    for address in ["https://[2001:db8::1]/a.jpg", "https://a.example;script-src/a.jpg"] {
        assert!(!page_with(url(address).into(), ShownImages::Linked).contains("<img"), "{address}");
    }
    let bare = page_with(url("https://a.example/a.jpg").into(), ShownImages::Linked);
    assert!(bare.contains("alt=\"\" loading"), "{bare}");
}

#[test]
fn the_page_of_a_topic() {
    let mut head = ordinary();
    head.entry.language = Some("en".into());
    head.entry.categories = vec![Category { term: "Bac".into(), ..Category::default() }];
    head.entry.comments =
        Comments { url: Some(url("https://ministere.example/c")), count: Some(3), ..Comments::default() };
    let mut told = story(head);
    told.label.reasons =
        vec![Reason { rule: "r".into(), field: Some(Field::Title), terms: vec!["=tablette".into()], points: 9.0 }];
    told.tellings.push(Telling {
        source_id: "agence".into(),
        title: Some("Le plan".into()),
        url: Some(url("https://agence.example/1")),
        canonical_link: None,
        categories: Vec::new(),
        atom_id: "urn:x-agence:1".into(),
    });
    told.related.push(related("Le plan d’hier & co", "https://journal.example/hier"));
    insta::assert_snapshot!(topic_page(&Newsroom::new(), vec![told]), @r##"
    <!doctype html>
    <html lang="fr">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>L’école numérique – Veille numérique</title>
    <meta property="og:title" content="L’école numérique">
    <meta property="og:type" content="website">
    <meta property="og:url" content="https://veille.example/ecole/">
    <meta property="og:site_name" content="Veille numérique">
    <link rel="canonical" href="https://veille.example/ecole/">
    <link rel="icon" type="image/svg+xml" sizes="any" href="../ecole/icon.svg">
    <link rel="icon" type="image/png" sizes="144x144" href="../ecole/icon.png">
    <link rel="apple-touch-icon" href="../ecole/icon.png">
    <link rel="search" type="application/opensearchdescription+xml" title="Veille numérique" href="../opensearch.xml">


    <meta name="description" content="Ce qui se publie sur l’école numérique">
    <meta property="og:description" content="Ce qui se publie sur l’école numérique">

    <link rel="alternate" type="application/atom+xml" title="L’école numérique" href="../ecole.atom">
    <link rel="alternate" type="application/rss+xml" title="L’école numérique" href="../ecole.rss">
    <link rel="alternate" type="application/feed+json" title="L’école numérique" href="../ecole.json">



    <link rel="stylesheet" href="../style.css">
    </head>
    <body>
    <a class="skip" href="#main_news">Aller aux nouvelles</a>

    <header>
    <p><a href="../">Veille numérique</a></p>
    <h1>L’école numérique</h1>
    <p>Ce qui se publie sur l’école numérique</p>
    <p class="feeds"><span>S’abonner :</span> <a href="../ecole.atom">Atom</a> <a href="../ecole.rss">RSS</a> <a href="../ecole.json">JSON</a></p>

    </header>
    <main id="main_news">


    <article>
    <h2><a href="https://ministere.example/tablettes" hreflang="en" lang="en" dir="auto">Des tablettes à l’école</a></h2>
    <p class="note"><bdi>Ministère &#38; Cie</bdi>, <time datetime="2026-10-09T06:30:00Z">9 octobre 2026</time></p>
    <p lang="en" dir="auto">Le plan tablettes.</p>
    <p class="note">Ici pour : tablette</p>

    <p class="note">Aussi chez :</p>
    <ul class="note">
    <li><a href="https://agence.example/1" dir="auto">Agence – Le plan</a></li>

    </ul>


    <p class="note">Sur le même sujet :</p>
    <ul class="note">
    <li><a href="https://journal.example/hier" dir="auto">Le plan d’hier &#38; co</a></li>

    </ul>

    <p class="note"><a href="https://ministere.example/c">3 commentaires</a></p>
    </article>

    </main>

    <nav aria-label="Archives"><a href="../ecole/archive/">Archives</a></nav>


    <footer>
    <p>Fait par veille à partir de <a href="../sources/">ces sources</a> · <a href="../opml.xml">tous les flux (OPML)</a> · <a href="../search/">chercher</a></p>
    </footer>
    </body>
    </html>
    "##);
}

#[test]
fn the_home_page() {
    let newsroom = Newsroom::new();
    let edition = newsroom.edition(vec![story(ordinary())]);
    let channels = [Channel::new(&edition, &edition.selections[0])];
    insta::assert_snapshot!(text(&home(&edition, &channels)), @r##"
    <!doctype html>
    <html lang="fr">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Veille numérique</title>
    <meta property="og:title" content="Veille numérique">
    <meta property="og:type" content="website">
    <meta property="og:url" content="https://veille.example/">
    <meta property="og:site_name" content="Veille numérique">
    <link rel="canonical" href="https://veille.example/">
    <link rel="icon" type="image/svg+xml" sizes="any" href="./icon.svg">
    <link rel="icon" type="image/png" sizes="144x144" href="./icon.png">
    <link rel="apple-touch-icon" href="./icon.png">
    <link rel="search" type="application/opensearchdescription+xml" title="Veille numérique" href="./opensearch.xml">


    <link rel="alternate" type="application/atom+xml" title="L’école numérique" href="ecole.atom">


    <link rel="stylesheet" href="./style.css">
    </head>
    <body>
    <a class="skip" href="#main_news">Aller aux nouvelles</a>

    <header><h1>Veille numérique</h1></header>
    <main id="main_news">

    <section aria-labelledby="ecole">
    <h2 id="ecole"><a href="ecole/">L’école numérique</a></h2>
    <p>Ce qui se publie sur l’école numérique</p>

    <ul class="short">

    <li><a href="https://ministere.example/tablettes" dir="auto">Des tablettes à l’école</a> <span class="note"><bdi>Ministère &#38; Cie</bdi>, <time datetime="2026-10-09T06:30:00Z">9 octobre 2026</time></span></li>

    </ul>

    <p class="feeds"><span>S’abonner :</span> <a href="ecole.atom">Atom<span class="unseen"> – L’école numérique</span></a> <a href="ecole.rss">RSS<span class="unseen"> – L’école numérique</span></a> <a href="ecole.json">JSON<span class="unseen"> – L’école numérique</span></a></p>
    </section>

    </main>

    <footer>
    <p>Fait par veille à partir de <a href="./sources/">ces sources</a> · <a href="./opml.xml">tous les flux (OPML)</a> · <a href="./search/">chercher</a></p>
    </footer>
    </body>
    </html>
    "##);
}

#[test]
fn each_text_of_a_publisher_has_its_own_direction() {
    let mut newsroom = Newsroom::new();
    newsroom.sources.get_mut("ministere").unwrap().title = Some("وزارة".into());
    let mut head = ordinary();
    (head.entry.title, head.entry.language) = (Some("خبر".into()), Some("ar".into()));
    let page = topic_page(&newsroom, vec![story(head)]);
    for shown in [" lang=\"ar\" dir=\"auto\">خبر</a>", "<p lang=\"ar\" dir=\"auto\">Le plan", "<bdi>وزارة</bdi>, <time"]
    {
        assert!(page.contains(shown), "{page}");
    }
    let edition = newsroom.edition(Vec::new());
    assert!(text(&sources(&edition)).contains("<bdi>وزارة</bdi></a>"));
}

#[test]
fn a_topic_without_news_says_so() {
    assert!(topic_page(&Newsroom::new(), Vec::new()).contains("Rien pour le moment."));
}

#[test]
fn the_page_speaks_the_language_of_the_site() {
    let mut newsroom = Newsroom::new();
    newsroom.site.language = Language::English;
    let page = topic_page(&newsroom, vec![story(ordinary())]);
    assert!(page.contains("<html lang=\"en\">") && page.contains("9\u{a0}October 2026"));
}

#[test]
fn days_are_those_of_the_sites_zone_and_instants_are_instants() {
    let mut head = ordinary();
    head.date = date("2026-11-23T23:00:00Z");
    let page = topic_page(&Newsroom::new(), vec![story(head)]);
    assert!(page.contains("<time datetime=\"2026-11-23T23:00:00Z\">24\u{a0}novembre 2026</time>"), "{page}");
}

#[test]
fn markup_in_words_stays_words() {
    let mut head = bare("1");
    head.entry.title = Some("<script>alert(1)</script> & \"x\"".into());
    head.entry.summary = Some("&lt;script&gt;".into());
    let page = topic_page(&Newsroom::new(), vec![story(head)]);
    assert!(!page.contains("<script") && page.contains("&#60;script&#62;alert(1)"));
}

/// The page of sources when the config and a hub are in trouble.
fn troubled_sources(language: Language) -> String {
    let mut newsroom = Newsroom::new();
    newsroom.site.language = language;
    newsroom.settings.hubs = vec![url("https://hub.example/")];
    let told = Announcement {
        hub: "https://hub.example/".into(),
        last_error: Some("answered 500".into()),
        ..Announcement::default()
    };
    let config = Turn {
        of: Monitored::Config,
        date: date("2026-10-01T08:00:00Z"),
        health: Health::Invalid,
        detail: Some("config.toml:3:1: unknown key `anny` in `topic`".into()),
    };
    let edition = Edition { hubs: &[told], config: Some(config), ..newsroom.edition(Vec::new()) };
    text(&sources(&edition)).to_owned()
}

#[test]
fn what_is_wrong_with_the_config_and_hubs_is_told_in_the_language_of_the_site() {
    let french = troubled_sources(Language::French);
    assert!(french.contains("<strong>contient des erreurs, la dernière version correcte reste en vigueur</strong>"));
    assert!(french.contains("<strong>ne répond plus</strong><br><span lang=\"en\">answered 500</span>"), "{french}");
    let english = troubled_sources(Language::English);
    assert!(english.contains("<strong>has mistakes, the last good one stays in force</strong>"), "{english}");
    assert!(english.contains("<strong>does not answer</strong><br><span lang=\"en\">answered 500</span>"));
    assert!(english.contains("unknown key `anny`") && english.contains("Announcements (WebSub)"));
}

#[test]
fn a_source_that_was_never_read_is_not_said_to_be_in_order() {
    let mut newsroom = Newsroom::new();
    newsroom.sources.get_mut("ministere").unwrap().about.format = Some("rss20".into());
    let page = text(&sources(&newsroom.edition(Vec::new()))).to_owned();
    let [unread, ministry, agency, well] =
        ["Pas encore lues", "id=\"ministere\"", "id=\"agence\"", "En ordre"].map(|text| page.find(text).unwrap());
    assert!(unread < agency && agency < well && well < ministry, "{page}");
}

/// Checks that no id stands twice on a page, and that the skip link leads somewhere.
#[track_caller]
fn check_ids(page: &str) {
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(ids.contains(&"main_news") && page.contains("href=\"#main_news\""), "{page}");
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{page}");
}

#[test]
fn topics_and_sources_may_be_called_like_parts_of_a_page() {
    let mut newsroom = Newsroom::new();
    newsroom.topic.id = "news".into();
    newsroom.settings.hubs = vec![url("https://hub.example/")];
    let [ill, unread] = ["ministere", "agence"].map(|id| newsroom.sources.remove(id).unwrap());
    let mut well = unread.clone();
    well.about.format = Some("rss20".into());
    let turn = Turn {
        of: Monitored::Source("in-trouble".into()),
        date: date("2026-10-01T08:00:00Z"),
        health: Health::Gone,
        detail: None,
    };
    newsroom.sources.insert("in-trouble".into(), crate::publish::Credit { health: Some(turn), ..ill });
    newsroom.sources.extend(["news", "well", "hubs", "main"].map(|id| (id.into(), well.clone())));
    newsroom.sources.insert("unread".into(), unread);
    let edition = newsroom.edition(Vec::new());
    check_ids(text(&home(&edition, &[Channel::new(&edition, &edition.selections[0])])));
    check_ids(text(&sources(&edition)));
}
