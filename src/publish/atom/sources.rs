//! `/sources.atom`: what became of sources.

use super::{Feed, HTML, Representation, Text, link, own, person, represent, text};
use crate::feed::Timestamp;
use crate::publish::channel::{language_tag, publisher, site_address};
use crate::publish::{CONFIG, Edition, POST, dates, hidden, item, legal, words};
use crate::state::{Monitored, Turn};

/// Renders it: an entry a change, newest first.
pub(in crate::publish) fn sources(edition: &Edition<'_>) -> Representation {
    let words = words::words_in(edition.site.language);
    let address = format!("{}sources.atom", site_address(edition));
    let entries: Vec<_> = edition.turns.iter().map(|turn| entry(edition, turn)).collect();
    let updated = entries.iter().map(|entry| entry.updated).max();
    let owner = publisher(edition);
    let title = format!("{} – {}", owner.name.as_deref().unwrap_or_default(), words.health_of_sources);
    let document = Feed {
        id: address.clone(),
        title: text(&title),
        updated: updated.unwrap_or_else(|| dates::EMPTY.fixed_offset()),
        authors: vec![person(&owner)],
        links: vec![own(address), link("alternate", format!("{}sources/", site_address(edition)), Some(HTML), None)],
        lang: Some(language_tag(edition.site.language).to_owned()),
        entries,
        ..Feed::default()
    };
    represent("/sources.atom".to_owned(), &document)
}

fn entry(edition: &Edition<'_>, turn: &Turn) -> super::Entry {
    let Turn { of, date, health, .. } = turn;
    let words = words::words_in(edition.site.language);
    let (name, anchor) = match of {
        // Outages are no news of a source, and are not among these changes.
        Monitored::Config | Monitored::Machine(_) => (CONFIG.to_owned(), CONFIG.to_owned()),
        Monitored::Post(id) => ((words.post)(id), format!("{POST}{id}")),
        Monitored::Source(id) | Monitored::Hub(id) => (item::attribution(edition, id).title, legal::iri(id)),
    };
    let title = format!("{name}{} {}", words.colon, (words.health)(*health));
    let page = format!("{}sources/#{anchor}", site_address(edition));
    // Source, instant and kind: the same after the store was copied, another one at the next change.
    let id = format!("{page}-{}-{health:?}", date.timestamp()).to_lowercase();
    let updated: Timestamp = dates::told_apart(*date, &id);
    let summary = match hidden::detail(edition, turn) {
        Some((detail, tag)) => Text { lang: Some(tag.to_owned()).filter(|tag| tag != words.tag), ..text(&detail) },
        None => text(&title),
    };
    super::Entry {
        id,
        title: text(&title),
        updated: updated.fixed_offset(),
        published: Some(date.fixed_offset()),
        links: vec![link("alternate", page, Some(HTML), None)],
        summary: Some(summary),
        ..super::Entry::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::publish::newsroom::{Newsroom, date};
    use crate::state::{Health, Monitored, Turn};

    #[test]
    fn an_english_site_says_it_in_english_and_needs_not_say_so() {
        let mut newsroom = Newsroom::new();
        newsroom.site.language = crate::config::Language::English;
        let turn = Turn {
            of: Monitored::Source("agence".into()),
            date: date("2026-10-01T08:00:00Z"),
            health: Health::Gone,
            detail: Some("answered 410".into()),
        };
        let edition = crate::publish::Edition { turns: &[turn], ..newsroom.edition(Vec::new()) };
        let document = String::from_utf8(super::sources(&edition).bytes.to_vec()).unwrap();
        for expected in ["<title>Agence: withdrawn by its publisher</title>", "<summary>answered 410</summary>"] {
            assert!(document.contains(expected), "{document}");
        }
    }

    #[test]
    fn each_change_is_an_entry_with_its_own_id_and_date() {
        let newsroom = Newsroom::new();
        let turn = |day: u32, health| Turn {
            of: Monitored::Source("ministere".into()),
            date: date(&format!("2026-10-{day:02}T08:00:00Z")),
            health,
            detail: Some("https://ministere.example/rss.xml answered 404".into()),
        };
        let turns = [turn(2, Health::Recovered), turn(1, Health::Unreachable)];
        let edition = crate::publish::Edition { turns: &turns, ..newsroom.edition(Vec::new()) };
        let document = super::sources(&edition);
        insta::assert_snapshot!(std::str::from_utf8(&document.bytes).unwrap());
    }
}
