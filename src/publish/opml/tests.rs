use super::*;
use crate::publish::newsroom::Newsroom;

fn text(document: &Representation) -> &str {
    std::str::from_utf8(&document.bytes).unwrap()
}

#[test]
fn every_topic_can_be_subscribed_to() {
    let newsroom = Newsroom::new();
    let edition = newsroom.edition(Vec::new());
    let channels = [Channel::new(&edition, &edition.selections[0])];
    insta::assert_snapshot!(text(&topics(&edition, &channels)), @r##"
    <?xml version="1.0" encoding="utf-8"?>
    <opml version="2.0">
     <head>
      <title>Veille numérique</title>
      <ownerEmail>veille@veille.example</ownerEmail>
     </head>
     <body>
      <outline type="rss" text="L’école numérique" title="L’école numérique" xmlUrl="https://veille.example/ecole.atom" htmlUrl="https://veille.example/ecole/" language="fr"/>
     </body>
    </opml>
    "##);
}

#[test]
fn every_source_that_is_polled_is_listed() {
    let mut newsroom = Newsroom::new();
    newsroom.sources.get_mut("agence").unwrap().is_polled = false;
    insta::assert_snapshot!(text(&sources(&newsroom.edition(Vec::new()))), @r##"
    <?xml version="1.0" encoding="utf-8"?>
    <opml version="2.0">
     <head>
      <title>Veille numérique</title>
      <ownerEmail>veille@veille.example</ownerEmail>
     </head>
     <body>
      <outline type="rss" text="Ministère &amp; Cie" title="Ministère &amp; Cie" xmlUrl="https://ministere.example/rss.xml" htmlUrl="https://ministere.example/"/>
     </body>
    </opml>
    "##);
}
