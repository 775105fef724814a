use super::*;
use crate::feed::{Comments, Enclosure};
use crate::publish::newsroom::{Newsroom, bare, ordinary, related, story, url};
use crate::story::{Story, Telling};

fn render(stories: Vec<Story>) -> String {
    let newsroom = Newsroom::new();
    let edition = newsroom.edition(stories);
    let document = topic(&edition, &Channel::new(&edition, &edition.selections[0]));
    String::from_utf8(document.bytes.to_vec()).unwrap()
}

#[expect(clippy::too_many_lines, reason = "a document is shown whole")]
#[test]
fn the_whole_document() {
    let mut head = ordinary();
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
    insta::assert_snapshot!(pretty(&render(vec![told, story(bare("2"))])), @r##"
    {
      "authors": [
        {
          "name": "Veille numérique",
          "url": "mailto:veille@veille.example"
        }
      ],
      "description": "Ce qui se publie sur l’école numérique",
      "favicon": "https://veille.example/ecole/icon.png",
      "feed_url": "https://veille.example/ecole.json",
      "home_page_url": "https://veille.example/ecole/",
      "icon": "https://veille.example/ecole/icon-512.png",
      "items": [
        {
          "_veille": {
            "about": "source: the feed that the item comes from; elsewhere: where else it was told; related: earlier news on the same subject",
            "elsewhere": [
              {
                "title": "Agence – Le plan",
                "url": "https://agence.example/1"
              }
            ],
            "related": [
              {
                "title": "Le plan d’hier & co",
                "url": "https://journal.example/hier"
              }
            ],
            "source": {
              "title": "Ministère & Cie",
              "url": "https://ministere.example/rss.xml"
            }
          },
          "attachments": [
            {
              "mime_type": "application/octet-stream",
              "size_in_bytes": 1234,
              "url": "https://ministere.example/plan.pdf"
            }
          ],
          "authors": [
            {
              "name": "Élodie Nguyen"
            }
          ],
          "content_html": "<p>Tout le plan.</p>",
          "date_modified": "2026-10-09T06:30:00Z",
          "date_published": "2026-10-09T06:30:00Z",
          "id": "https://ministere.example/?p=1",
          "summary": "Le plan tablettes.",
          "tags": [
            "Bac & co",
            "L’école numérique"
          ],
          "title": "Des tablettes à l’école",
          "url": "https://ministere.example/tablettes"
        },
        {
          "_veille": {
            "about": "source: the feed that the item comes from; elsewhere: where else it was told; related: earlier news on the same subject",
            "source": {
              "title": "Ministère & Cie",
              "url": "https://ministere.example/rss.xml"
            }
          },
          "authors": [
            {
              "name": "Ministère & Cie",
              "url": "https://ministere.example/"
            }
          ],
          "content_text": "Ministère & Cie",
          "date_modified": "2026-10-10T08:00:00Z",
          "date_published": "2026-10-10T08:00:00Z",
          "id": "https://ministere.example/?p=2",
          "tags": [
            "L’école numérique"
          ],
          "title": "Ministère & Cie"
        }
      ],
      "language": "fr",
      "title": "L’école numérique",
      "version": "https://jsonfeed.org/version/1.1"
    }
    "##);
}

fn pretty(document: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(document).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn the_picture_and_what_files_show_are_said() {
    let mut head = ordinary();
    head.entry.image = Some(url("https://ministere.example/lycee.jpg").into());
    head.entry.enclosures = vec![Enclosure {
        url: url("https://ministere.example/lycee.jpg"),
        media_type: Some("image/jpeg".into()),
        length: None,
        title: Some("Devant un lycée, à Lille.".into()),
    }];
    let document: serde_json::Value = serde_json::from_str(&render(vec![story(head)])).unwrap();
    let item = document.pointer("/items/0").unwrap();
    assert_eq!(item["image"], "https://ministere.example/lycee.jpg");
    assert_eq!(item["attachments"][0]["title"], "Devant un lycée, à Lille.");
}
