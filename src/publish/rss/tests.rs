use super::*;
use crate::feed::{Comments, Enclosure};
use crate::publish::newsroom::{Newsroom, bare, date, ordinary, related, story, url};
use crate::story::{Story, Telling};

fn render(stories: Vec<Story>) -> String {
    let newsroom = Newsroom::new();
    let edition = newsroom.edition(stories);
    let document = topic(&edition, &Channel::new(&edition, &edition.selections[0]));
    String::from_utf8(document.bytes.to_vec()).unwrap()
}

#[test]
fn the_whole_document() {
    let mut head = ordinary();
    head.changed = Some(date("2026-10-12T08:00:00Z"));
    head.entry.language = Some("en".into());
    head.entry.content = Some("<p>Tout le plan.</p>".into());
    head.entry.categories = vec![crate::feed::Category { term: "Bac & co".into(), ..Default::default() }];
    head.entry.comments = Comments {
        url: Some(url("https://ministere.example/tablettes#comments")),
        feed: Some(url("https://ministere.example/tablettes/feed")),
        count: Some(3),
        updated: None,
    };
    head.entry.enclosures = vec![Enclosure {
        url: url("https://ministere.example/plan.pdf"),
        media_type: None,
        length: Some(1_234),
        title: None,
    }];
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
    insta::assert_snapshot!(render(vec![told, story(bare("2"))]), @r##"
    <?xml version="1.0" encoding="utf-8"?>
    <rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:wfw="http://wellformedweb.org/CommentAPI/">
     <channel>
      <title>L’école numérique</title>
      <link>https://veille.example/ecole/</link>
      <description>Ce qui se publie sur l’école numérique</description>
      <language>fr</language>
      <managingEditor>veille@veille.example (Veille numérique)</managingEditor>
      <lastBuildDate>Mon, 12 Oct 2026 08:00:00 +0000</lastBuildDate>
      <generator>veille 0.1.0</generator>
      <docs>https://www.rssboard.org/rss-specification</docs>
      <image>
       <url>https://veille.example/ecole/icon.png</url>
       <title>L’école numérique</title>
       <link>https://veille.example/ecole/</link>
       <width>144</width>
       <height>144</height>
      </image>
      <atom:link rel="self" type="application/rss+xml" href="https://veille.example/ecole.rss"/>
      <item>
       <title>Des tablettes à l’école</title>
       <link>https://ministere.example/tablettes</link>
       <guid isPermaLink="false">https://ministere.example/?p=1</guid>
       <pubDate>Fri, 09 Oct 2026 06:30:00 +0000</pubDate>
       <atom:updated>2026-10-12T08:00:00Z</atom:updated>
       <dc:language>en</dc:language>
       <dc:creator>Élodie Nguyen</dc:creator>
       <category domain="https://ministere.example/rss.xml">Bac &amp; co</category>
       <category domain="https://veille.example/">L’école numérique</category>
       <description>&lt;p&gt;Le plan &lt;b&gt;tablettes&lt;/b&gt;.&lt;/p&gt;</description>
       <content:encoded>&lt;p&gt;Tout le plan.&lt;/p&gt;</content:encoded>
       <enclosure url="https://ministere.example/plan.pdf" type="application/octet-stream" length="1234"/>
       <source url="https://ministere.example/rss.xml">Ministère &amp; Cie</source>
       <comments>https://ministere.example/tablettes#comments</comments>
       <wfw:commentRss>https://ministere.example/tablettes/feed</wfw:commentRss>
       <slash:comments>3</slash:comments>
       <atom:link rel="via" href="https://agence.example/1" title="Agence – Le plan"/>
       <atom:link rel="related" href="https://journal.example/hier" title="Le plan d’hier &amp; co"/>
      </item>
      <item>
       <title>Ministère &amp; Cie</title>
       <guid isPermaLink="false">https://ministere.example/?p=2</guid>
       <pubDate>Sat, 10 Oct 2026 08:00:00 +0000</pubDate>
       <dc:creator>Ministère &amp; Cie</dc:creator>
       <category domain="https://veille.example/">L’école numérique</category>
       <source url="https://ministere.example/rss.xml">Ministère &amp; Cie</source>
      </item>
     </channel>
    </rss>
    "##);
}

#[test]
fn a_title_that_looks_like_markup_looks_the_same_to_people() {
    let mut head = ordinary();
    head.entry.title = Some("La balise <video> & R&D".into());
    assert!(render(vec![story(head)]).contains("<title>La balise ‹video› ＆ R＆D</title>"));
}

#[test]
fn an_ordinary_title_is_written_as_it_is() {
    let mut head = ordinary();
    head.entry.title = Some("« R&D » : a < b".into());
    assert!(render(vec![story(head)]).contains("<title>« R&amp;D » : a &lt; b</title>"));
}
