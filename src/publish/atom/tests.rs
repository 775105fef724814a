use super::*;
use crate::feed::{Comments, Enclosure, Entry as OurEntry, Origin};
use crate::publish::newsroom::{Newsroom, bare, date, ordinary, related, story, url};
use crate::story::{Story, Telling, Tombstone, TombstoneReason};

fn render(stories: Vec<Story>) -> String {
    let newsroom = Newsroom::new();
    let edition = newsroom.edition(stories);
    String::from_utf8(topic(&edition, &Channel::new(&edition, &edition.selections[0])).bytes.to_vec()).unwrap()
}

/// Renders one changed entry, reads the document again and shows the entry to `claim`.
#[track_caller]
fn check(change: impl FnOnce(&mut OurEntry), claim: impl FnOnce(&Entry) -> bool) {
    let mut head = ordinary();
    change(&mut head.entry);
    let document = render(vec![story(head)]);
    let read = Feed::read_from(document.as_bytes()).unwrap();
    assert!(claim(&read.entries[0]), "{document}");
}

#[test]
fn the_whole_document() {
    let mut head = ordinary();
    head.changed = Some(date("2026-10-12T08:00:00Z"));
    head.entry.language = Some("en".into());
    head.entry.rights = Some("Licence ouverte".into());
    head.entry.categories = vec![feed::Category { term: "Bac & co".into(), ..feed::Category::default() }];
    head.entry.comments = Comments {
        url: Some(url("https://ministere.example/tablettes#comments")),
        feed: Some(url("https://ministere.example/tablettes/feed")),
        count: Some(3),
        updated: Some(date("2026-10-11T07:00:00Z")),
    };
    head.entry.enclosures = vec![Enclosure {
        url: url("https://ministere.example/plan.pdf"),
        media_type: Some("application/pdf".into()),
        length: Some(1_234),
        title: None,
    }];
    head.entry.origin = Some(Origin { title: Some("AFP".into()), url: Some(url("https://afp.example/rss")) });
    let mut told = story(head);
    told.tellings.push(Telling {
        source_id: "agence".into(),
        title: Some("Le plan".into()),
        url: Some(url("https://agence.example/1")),
        canonical_link: None,
        categories: Vec::new(),
        atom_id: "urn:x-agence:1".into(),
    });
    told.related.push(related("Le plan d’hier & co", "https://journal.example/hier"));
    insta::assert_snapshot!(render(vec![told]), @r##"
    <?xml version="1.0" encoding="utf-8"?>
    <feed xmlns="http://www.w3.org/2005/Atom" xmlns:schema="https://schema.org/" xmlns:thr="http://purl.org/syndication/thread/1.0" xml:lang="fr">
     <title>L’école numérique</title>
     <id>https://veille.example/ecole.atom</id>
     <updated>2026-10-12T08:00:00.569994+00:00</updated>
     <author>
      <name>Veille numérique</name>
      <email>veille@veille.example</email>
     </author>
     <generator version="0.1.0">veille</generator>
     <icon>https://veille.example/ecole/icon.png</icon>
     <link href="https://veille.example/ecole.atom" rel="self" type="application/atom+xml"/>
     <link href="https://veille.example/ecole/" rel="alternate" type="text/html"/>
     <logo>https://veille.example/ecole/logo.png</logo>
     <subtitle>Ce qui se publie sur l’école numérique</subtitle>
     <entry>
      <title xml:lang="en">Des tablettes à l’école</title>
      <id>https://ministere.example/?p=1</id>
      <updated>2026-10-12T08:00:00.569994+00:00</updated>
      <author>
       <name>Élodie Nguyen</name>
      </author>
      <category term="Bac &amp; co" scheme="https://ministere.example/rss.xml"/>
      <category term="ecole" scheme="https://veille.example/" label="L’école numérique"/>
      <link href="https://ministere.example/tablettes" rel="alternate" hreflang="en"/>
      <link href="https://agence.example/1" rel="via" title="Agence – Le plan"/>
      <link href="https://afp.example/rss" rel="via" title="AFP"/>
      <link href="https://journal.example/hier" rel="related" title="Le plan d’hier &amp; co"/>
      <link href="https://ministere.example/plan.pdf" rel="enclosure" type="application/pdf" length="1234"/>
      <published>2026-10-09T06:30:00+00:00</published>
      <rights>Licence ouverte</rights>
      <source>
       <title>Ministère &amp; Cie</title>
       <id>https://ministere.example/rss.xml</id>
       <updated>2026-10-12T08:00:00+00:00</updated>
       <link href="https://ministere.example/rss.xml" rel="self"/>
       <link href="https://ministere.example/" rel="alternate"/>
      </source>
      <summary xml:lang="en" type="html">&lt;p&gt;Le plan &lt;b&gt;tablettes&lt;/b&gt;.&lt;/p&gt;</summary>
      <link href="https://ministere.example/tablettes#comments" rel="replies" thr:count="3" thr:updated="2026-10-11T07:00:00Z" type="text/html"></link>
      <link href="https://ministere.example/tablettes/feed" rel="replies" thr:count="3" thr:updated="2026-10-11T07:00:00Z" type="application/rss+xml"></link>
      <schema:ratingValue>9</schema:ratingValue>
      <thr:total>3</thr:total>
     </entry>
    </feed>
    "##);
}

#[test]
fn a_topic_without_stories_is_a_feed_with_an_old_date() {
    insta::assert_snapshot!(render(Vec::new()), @r##"
    <?xml version="1.0" encoding="utf-8"?>
    <feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr">
     <title>L’école numérique</title>
     <id>https://veille.example/ecole.atom</id>
     <updated>2005-12-01T00:00:00+00:00</updated>
     <author>
      <name>Veille numérique</name>
      <email>veille@veille.example</email>
     </author>
     <generator version="0.1.0">veille</generator>
     <icon>https://veille.example/ecole/icon.png</icon>
     <link href="https://veille.example/ecole.atom" rel="self" type="application/atom+xml"/>
     <link href="https://veille.example/ecole/" rel="alternate" type="text/html"/>
     <logo>https://veille.example/ecole/logo.png</logo>
     <subtitle>Ce qui se publie sur l’école numérique</subtitle>
    </feed>
    "##);
}

#[test]
fn titles_come_out_as_they_were_meant() {
    for title in ["« A & B »", "«\u{a0}Le bac\u{a0}» : a < b", "🎓 R&D", "La balise <video> & l’entité &eacute;", "]]>"]
    {
        let readers_see = |title: &Text| match title.r#type {
            atom_syndication::TextType::Html => crate::text::html_to_text(&title.value),
            _ => title.value.clone(),
        };
        check(|entry| entry.title = Some(title.into()), |entry| readers_see(&entry.title) == title);
    }
}

#[test]
fn characters_that_xml_forbids_are_stripped_everywhere() {
    let evil = "a\u{0}\u{b}\u{1f}\u{fffe}\u{ffff}]]>b";
    let mut head = ordinary();
    head.atom_id = format!("urn:x:{evil}");
    head.source_id = evil.into();
    head.entry = OurEntry {
        title: Some(evil.into()),
        summary: Some(evil.into()),
        content: Some(format!("<p>{evil}</p>")),
        authors: vec![feed::Person { name: Some(evil.into()), email: Some(evil.into()), uri: Some(evil.into()) }],
        categories: vec![feed::Category {
            term: evil.into(),
            scheme: Some(evil.into()),
            label: Some(format!("{evil}!")),
        }],
        language: Some(evil.into()),
        rights: Some(evil.into()),
        ..OurEntry::default()
    };
    let mut newsroom = Newsroom::new();
    newsroom.site.title = evil.into();
    newsroom.topic.title = evil.into();
    newsroom.topic.description = evil.into();
    let edition = newsroom.edition(vec![story(head)]);
    let document =
        String::from_utf8(topic(&edition, &Channel::new(&edition, &edition.selections[0])).bytes.to_vec()).unwrap();
    assert!(document.chars().all(|c| !c.is_control() || c == '\n') && !document.contains(['\u{fffe}', '\u{ffff}']));
    assert_eq!(Feed::read_from(document.as_bytes()).unwrap().entries.len(), 1);
}

#[test]
fn an_entry_of_nothing_is_a_valid_entry() {
    let document = render(vec![story(bare("1"))]);
    let entry = Feed::read_from(document.as_bytes()).unwrap().entries.remove(0);
    assert!(!entry.title.is_empty() && !entry.authors.is_empty());
    assert!(entry.content.is_some_and(|content| content.value.is_some_and(|value| !value.is_empty())));
}

#[test]
fn a_summary_without_a_page_becomes_the_content() {
    check(|entry| entry.url = None, |entry| entry.summary.is_none() && entry.content.is_some());
}

#[test]
fn foreign_markup_stays_text() {
    check(
        |entry| entry.content = Some("<p>]]></content><evil/></p>".into()),
        |entry| entry.content.as_ref().unwrap().value.as_deref() == Some("<p>]]></content><evil/></p>"),
    );
}

#[test]
fn a_huge_title_is_cut() {
    check(|entry| entry.title = Some("é".repeat(1_000_000)), |entry| entry.title.chars().count() < 1_100);
}

#[test]
fn the_newest_story_dates_the_document() {
    let mut newer = ordinary();
    newer.atom_id = "urn:x:newer".into();
    newer.date = date("2026-10-10T07:00:00Z");
    let read = Feed::read_from(render(vec![story(ordinary()), story(newer)]).as_bytes()).unwrap();
    assert_eq!(read.updated, read.entries[1].updated);
}

#[test]
fn the_same_edition_is_the_same_bytes() {
    let stories = || vec![story(ordinary()), story(bare("2"))];
    assert_eq!(render(stories()), render(stories()));
}

#[test]
fn a_site_below_a_path_links_to_itself() {
    let mut newsroom = Newsroom::new();
    newsroom.site.url = url("https://www.example/veille/");
    let edition = newsroom.edition(Vec::new());
    let read = Feed::read_from(&topic(&edition, &Channel::new(&edition, &edition.selections[0])).bytes[..]).unwrap();
    assert_eq!(read.links[0].href, "https://www.example/veille/ecole.atom");
}

#[test]
fn what_is_gone_is_told_with_its_reason_and_dates_the_document() {
    let newsroom = Newsroom::new();
    let mut edition = newsroom.edition(vec![story(ordinary())]);
    let gone = |id: &str, reason| Tombstone { atom_id: id.into(), date: date("2026-10-20T08:00:00Z"), reason };
    edition.selections[0].tombstones = vec![
        gone("https://ministere.example/?a=1&b=\"2\"", TombstoneReason::Withdrawn),
        gone("urn:xx:2", TombstoneReason::Joined(Some("Un plan & des \u{0}<tablettes>".into()))),
        gone("urn:xx:2", TombstoneReason::Withdrawn),
        gone("https://ministere.example/?p=1", TombstoneReason::Withdrawn),
        gone("urn:xx:3", TombstoneReason::Joined(None)),
    ];
    let render = |edition: &crate::publish::Edition<'_>| {
        String::from_utf8(topic(edition, &Channel::new(edition, &edition.selections[0])).bytes.to_vec()).unwrap()
    };
    let document = render(&edition);
    let lines: Vec<&str> = document.lines().filter(|line| line.contains("at:") || line.starts_with(" <upd")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
     <updated>2026-10-20T08:00:00+00:00</updated>
     <at:deleted-entry ref="https://ministere.example/?a=1&amp;b=%222%22" when="2026-10-20T08:00:00Z">
      <at:comment>Retiré par ceux qui l’avaient publié.</at:comment>
     </at:deleted-entry>
     <at:deleted-entry ref="urn:xx:2" when="2026-10-20T08:00:00Z">
      <at:comment>Même nouvelle que « Un plan &amp; des &lt;tablettes&gt; », qui la dit désormais.</at:comment>
     </at:deleted-entry>
     <at:deleted-entry ref="urn:xx:3" when="2026-10-20T08:00:00Z">
      <at:comment>Même nouvelle qu’une autre, qui la dit désormais.</at:comment>
     </at:deleted-entry>
    "#);
    let settings = crate::config::PublishSettings { entries: 1, ..newsroom.settings.clone() };
    let document = render(&crate::publish::Edition { settings: &settings, ..edition });
    assert_eq!(document.matches("<at:deleted-entry").count(), 1);
}

#[test]
fn a_file_says_what_it_shows() {
    let file = Enclosure {
        url: url("https://ministere.example/lycee.jpg"),
        media_type: Some("image/jpeg".into()),
        length: None,
        title: Some("La balise <video>, devant un lycée".into()),
    };
    check(
        |entry| entry.enclosures = vec![file],
        |entry| {
            let file = entry.links.iter().find(|link| link.rel == "enclosure").unwrap();
            file.title.as_deref() == Some("La balise ‹video›, devant un lycée")
        },
    );
}
