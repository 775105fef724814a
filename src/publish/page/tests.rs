use super::*;
use crate::config::{Language, ShownImages};
use crate::feed::{Category, Comments, Image};
use crate::publish::files::MonthCount;
use crate::publish::newsroom::{Newsroom, bare, date, ordinary, related, story, url};
use crate::publish::{River, Selection};
use crate::state::{Announcement, Health, Monitored, Turn};
use crate::story::{Story, StoryTally, Telling};
use crate::topic::{Field, Reason};

fn text(document: &Representation) -> &str {
    std::str::from_utf8(&document.bytes).unwrap()
}

fn topic_page(newsroom: &Newsroom, stories: Vec<Story>) -> String {
    let edition = newsroom.edition(stories);
    text(&topic(&edition, &Channel::new(&edition, &edition.selections[0]), &edition.selections[0])).to_owned()
}

/// The home page with these stories, all of them in the topic `ecole`.
fn home_page(newsroom: &Newsroom, stories: Vec<Story>) -> String {
    let edition = newsroom.edition(Vec::new());
    let week = stories.len() as u64;
    let river = River { stories: stories.into_iter().map(|story| (story, vec!["ecole".into()])).collect(), week };
    text(&home(&edition, &[Channel::new(&edition, &edition.selections[0])], &river)).to_owned()
}

/// A story of the ministry that is shown at an instant.
fn story_at(id: &str, instant: &str) -> Story {
    let mut head = ordinary();
    (head.date, head.first_seen) = (date(instant), date(instant));
    head.atom_id = format!("https://ministere.example/?p={id}");
    story(head)
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
    let mut newsroom = Newsroom::new();
    newsroom.topic.title = "École & numérique".into();
    insta::assert_snapshot!(body(&topic_page(&newsroom, vec![told])), @r##"
    <a class="skip" href="#main_news">Aller aux nouvelles</a>
    <header>
    <p class="note"><a href="../">Veille numérique</a></p>
    <h1>École &#38; numérique</h1>
    <p class="lead">Ce qui se publie sur l’école numérique</p>
    <p class="bar"><a class="button" href="abonnement/">S’abonner</a> <a href="archive/">Archives</a> <span class="note">Rien de nouveau depuis sept jours</span></p>
    </header>
    <div class="sheet">
    <main id="main_news" itemscope itemtype="https://schema.org/ItemList">
    <section aria-labelledby="day_2026-10-09">
    <h2 class="day" id="day_2026-10-09">Vendredi 9 octobre</h2>
    <article id="n_8ef7460a07fb" itemprop="itemListElement" itemscope itemtype="https://schema.org/NewsArticle">
    <a class="hour" href="../ecole/archive/2026-10/#n_8ef7460a07fb" title="lien durable"><time itemprop="datePublished" datetime="2026-10-09T06:30:00Z">08:30</time></a>
    <h3 dir="auto"><a href="https://ministere.example/tablettes" itemprop="url" hreflang="en" lang="en"><span itemprop="headline">Des tablettes à l’école</span></a></h3>
    <p class="note"><span itemprop="publisher" itemscope itemtype="https://schema.org/Organization"><a href="../sources/ministere/"><bdi itemprop="name">Ministère &#38; Cie</bdi></a></span>. Aussi chez : <a href="https://agence.example/1"><bdi>Agence</bdi></a></p>
    <p class="text" lang="en" dir="auto">Le plan tablettes.</p>
    <p class="note related">Sur le même sujet :</p>
    <ul class="note"><li><a href="https://journal.example/hier" dir="auto">Le plan d’hier &#38; co</a></li></ul>
    <div class="meta note"><p><span class="unseen">Mots-clés de l’éditeur :</span> <bdi>Bac</bdi></p><p><a href="https://ministere.example/c">3 commentaires</a></p><details><summary>Pourquoi ici</summary><p>tablette</p></details></div>
    </article>
    </section>
    </main>
    </div>
    <footer>
    <p>Fait par veille à partir de <a href="../sources/">ces sources</a> · <a href="../opml.xml">tous les flux (OPML)</a> · <a href="../search/">chercher</a></p>
    </footer>
    </body>
    </html>
    "##);
}

/// A page without its head.
fn body(page: &str) -> &str {
    page.split_once("<body>\n").unwrap().1
}

#[test]
fn the_home_page() {
    insta::assert_snapshot!(home_page(&Newsroom::new(), vec![story(ordinary())]), @r##"
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
    <meta name="description" content="Les nouvelles de 2 sources, chacune une fois, rangées par fils.">
    <link rel="alternate" type="application/atom+xml" title="L’école numérique" href="ecole.atom">
    <link rel="stylesheet" href="./style.css">
    </head>
    <body>
    <a class="skip" href="#main_news">Aller aux nouvelles</a>
    <header class="mast">
    <h1>Veille numérique</h1>
    <p class="lead">Les nouvelles de 2 sources, chacune une fois, rangées par fils.</p>
    <p class="note">Une nouvelle en sept jours, la dernière arrivée samedi 10 octobre à 10 h 00.</p>
    </header>
    <div class="sheet">
    <nav class="side" aria-labelledby="topics_all">
    <h2 class="small" id="topics_all">Fils</h2>
    <ul class="topics">
    <li><a href="ecole/">L’école numérique</a> <svg viewBox="0 0 51 24" preserveAspectRatio="none" role="img" aria-label="0 en tout, 0 au plus" class="spark"><path d=""/></svg> <span class="count">0<span class="unseen"> en sept jours</span></span></li>
    </ul>
    </nav>
    <main id="main_news" itemscope itemtype="https://schema.org/ItemList">
    <section aria-labelledby="day_2026-10-09">
    <h2 class="day" id="day_2026-10-09">Vendredi 9 octobre</h2>
    <article itemprop="itemListElement" itemscope itemtype="https://schema.org/NewsArticle">
    <a class="hour" href="./ecole/archive/2026-10/#n_8ef7460a07fb" title="lien durable"><time itemprop="datePublished" datetime="2026-10-09T06:30:00Z">08:30</time></a>
    <h3 dir="auto"><a href="https://ministere.example/tablettes" itemprop="url"><span itemprop="headline">Des tablettes à l’école</span></a></h3>
    <p class="line" dir="auto">Le plan tablettes.</p>
    <div class="meta"><p class="note"><span itemprop="publisher" itemscope itemtype="https://schema.org/Organization"><a href="./sources/ministere/"><bdi itemprop="name">Ministère &#38; Cie</bdi></a></span></p>
    <ul class="tags" aria-label="Fils"><li><a href="ecole/">L’école numérique</a></li></ul></div>
    </article>
    </section>
    </main>
    </div>
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
    let shown = [
        "<h3 dir=\"auto\"><a href=\"https://ministere.example/tablettes\" itemprop=\"url\" hreflang=\"ar\" lang=\"ar\"><span",
        "<p class=\"text\" lang=\"ar\" dir=\"auto\">Le plan",
        "<bdi itemprop=\"name\">وزارة</bdi>",
    ];
    for shown in shown {
        assert!(page.contains(shown), "{page}");
    }
    let edition = newsroom.edition(Vec::new());
    assert!(text(&sources(&edition)).contains("<bdi>وزارة</bdi>"));
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
    assert!(page.contains("<html lang=\"en\">") && page.contains("Friday 9\u{a0}October"), "{page}");
}

#[test]
fn days_are_those_of_the_sites_zone_and_instants_are_instants() {
    let mut head = ordinary();
    head.date = date("2026-11-23T23:05:00Z");
    let page = topic_page(&Newsroom::new(), vec![story(head)]);
    assert!(page.contains("Mardi 24\u{a0}novembre</h2>"), "{page}");
    assert!(page.contains("<time itemprop=\"datePublished\" datetime=\"2026-11-23T23:05:00Z\">00:05</time>"), "{page}");
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
    check_ids(text(&home(&edition, &[Channel::new(&edition, &edition.selections[0])], &River::default())));
    check_ids(text(&sources(&edition)));
}

#[test]
fn today_and_yesterday_are_words_and_other_days_dates() {
    let days = ["2026-11-28T08:00:00Z", "2026-11-27T08:00:00Z", "2026-11-26T08:00:00Z"];
    let stories = || days.iter().enumerate().map(|(at, day)| story_at(&at.to_string(), day)).collect();
    for page in [topic_page(&Newsroom::new(), stories()), home_page(&Newsroom::new(), stories())] {
        let headings: Vec<&str> =
            page.split("<h2 class=\"day\"").skip(1).map(|rest| rest.split('>').nth(1).unwrap()).collect();
        assert_eq!(headings, ["Aujourd’hui <small", "Hier <small", "Jeudi 26\u{a0}novembre</h2"], "{page}");
    }
}

#[test]
fn a_story_that_came_late_stands_under_the_day_of_its_arrival_with_its_own_date() {
    let late = Story { placed: date("2026-11-28T09:00:00Z"), ..story_at("late", "2026-10-05T06:00:00Z") };
    let page = topic_page(&Newsroom::new(), vec![late]);
    assert!(
        page.contains("Aujourd’hui") && page.contains("datetime=\"2026-10-05T06:00:00Z\">5\u{a0}octobre 2026<"),
        "{page}"
    );
}

#[test]
fn days_before_the_last_ten_are_folded() {
    let stories =
        (1..=13).rev().map(|day| story_at(&day.to_string(), &format!("2026-11-{day:02}T08:00:00Z"))).collect();
    let page = topic_page(&Newsroom::new(), stories);
    let (open, folded) = page.split_once("<details class=\"earlier\">").unwrap();
    assert_eq!((open.matches("<article").count(), folded.matches("<article").count()), (10, 3));
    assert!(folded.contains("<summary>3 nouvelles plus anciennes</summary>"), "{folded}");
}

#[test]
fn no_page_is_larger_than_sixty_kilobytes_whatever_publishers_write() {
    let long = |at: usize| {
        let mut story = story_at(&at.to_string(), "2026-11-28T08:00:00Z");
        story.head.entry.title = Some("Un titre & un autre ".repeat(30));
        story.head.entry.summary = Some("Du texte &amp; encore. ".repeat(60));
        story
    };
    let stories = || (0..200).map(long).collect();
    let newsroom = Newsroom::new();
    for page in [topic_page(&newsroom, stories()), home_page(&newsroom, stories())] {
        assert!((40 * 1024..=60 * 1024).contains(&page.len()), "{}", page.len());
    }
}

#[test]
fn sources_that_tell_the_same_are_named_on_one_line_and_many_are_counted() {
    let mut told = story(ordinary());
    let mut newsroom = Newsroom::new();
    for at in 0..6 {
        let agency = newsroom.sources["agence"].clone();
        let named = crate::publish::Credit { title: Some(format!("Journal {at}")), ..agency };
        newsroom.sources.insert(format!("journal-{at}"), named);
        told.tellings.push(Telling {
            source_id: format!("journal-{at}"),
            title: Some(format!("Titre {at}")),
            url: Some(url(&format!("https://journal.example/{at}"))),
            canonical_link: None,
            categories: Vec::new(),
            atom_id: format!("urn:x:{at}"),
        });
    }
    let page = topic_page(&newsroom, vec![told]);
    let line = page.lines().find(|line| line.contains("Aussi chez")).unwrap();
    assert!(line.contains("<bdi>Journal 0</bdi>") && line.contains("<bdi>Journal 3</bdi>"), "{line}");
    assert!(!line.contains("Journal 4") && line.contains(", 2 autres"), "{line}");
}

#[test]
fn a_story_has_an_anchor_that_depends_on_its_id_alone() {
    let anchor = |story: Story| {
        let page = topic_page(&Newsroom::new(), vec![story]);
        page.split("<article id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let first = anchor(story_at("1", "2026-11-28T08:00:00Z"));
    let mut changed = story_at("1", "2026-11-20T08:00:00Z");
    changed.head.entry.title = Some("Un autre titre".into());
    assert_eq!(anchor(changed), first);
    assert_ne!(anchor(story_at("2", "2026-11-28T08:00:00Z")), first);
    assert!(first.starts_with("n_"), "{first}");
}

#[test]
fn the_line_under_the_title_tells_how_much_is_new_and_when_the_last_came() {
    let page = home_page(&Newsroom::new(), vec![story_at("1", "2026-11-28T08:05:00Z")]).replace('\u{a0}', " ");
    assert!(page.contains("Une nouvelle en sept jours, la dernière arrivée aujourd’hui à 9 h 05."), "{page}");
    let page = home_page(&Newsroom::new(), Vec::new());
    assert!(page.contains("Rien de nouveau depuis sept jours."), "{page}");
}

/// The page of a topic with a month of counts.
fn counted_page(tally: StoryTally) -> String {
    let newsroom = Newsroom::new();
    let edition = newsroom.edition(Vec::new());
    let counts = vec![MonthCount { month: Month { year: 2026, month: 11 }, stamp: 1, tally }];
    let selection = Selection { counts, ..edition.selections[0].clone() };
    text(&topic(&edition, &Channel::new(&edition, &selection), &selection)).to_owned()
}

#[test]
fn plots_are_told_in_words_and_in_a_table() {
    let mut tally = StoryTally {
        days: [(crate::story::day_of(date("2026-11-23T08:00:00Z").timestamp()), 4)].into(),
        ..StoryTally::default()
    };
    tally.add("agence", 0, 3, 0);
    tally.add("ministere", 0, 1, 0);
    let page = counted_page(tally).replace('\u{a0}', " ");
    assert!(page.contains("role=\"img\" aria-label=\"Par semaine, sur un an : 4 en tout, 4 au plus\""), "{page}");
    assert!(page.contains("<time datetime=\"2026-11-23\">23 novembre 2026</time></th><td>4</td>"), "{page}");
    let shares = page.split("class=\"shares\"").nth(1).unwrap();
    let [agency, ministry] = ["../sources/agence/", "../sources/ministere/"].map(|link| shares.find(link).unwrap());
    assert!(agency < ministry && shares.contains("M0 0h75v4H0z"), "{shares}");
}

#[test]
fn who_opens_a_feed_is_told_what_it_is_and_its_address() {
    let newsroom = Newsroom::new();
    let edition = newsroom.edition(Vec::new());
    let channel = Channel::new(&edition, &edition.selections[0]);
    for page in [subscribe(&edition, &channel), opened_feed(&edition, &channel)] {
        let page = text(&page);
        assert!(page.contains("<code class=\"address\">https://veille.example/ecole.atom</code>"), "{page}");
        assert!(page.contains("Ceci est un flux") && !page.contains("feed:"), "{page}");
        assert!(!page.contains("Mastodon"), "no post sends there: {page}");
    }
    assert_eq!(subscribe(&edition, &channel).path, "/ecole/abonnement/");
}
