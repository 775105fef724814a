//! Entries that their publisher takes back, and the earlier texts of those that it edits.

use std::fs;

use crate::origin::{Script, document};
use crate::world::{World, item, rss};

const TEXT: &str = "La ministre a présenté ce matin devant les recteurs le plan qui doit équiper chaque école rurale \
    d’une connexion rapide et former ses enseignants aux usages nouveaux dans les trois ans.";

/// News of the topic from a day of November 2024.
fn news(day: u32) -> String {
    let date = format!("{day:02} Nov 2024");
    let item =
        item(&format!("n{day}"), &format!("École numérique {day}"), TEXT, &[]).replace("Mon, 23 Nov 2026", &date);
    item.replace(&format!(">n{day}</guid>"), &format!(">tag:ministere.example,2024:{day}</guid>"))
}

/// A feed with the news of these days.
fn feed(days: impl DoubleEndedIterator<Item = u32>) -> String {
    rss(&days.rev().map(news).collect::<Vec<_>>())
}

/// A world in which entries are withdrawn at once.
fn world(answers: impl Into<Script>) -> World {
    World::new().feed("education", answers).with("dedup = false\n[dedup]\nwithdrawn_after = \"0s\"")
}

/// The published documents in which news of a day may be.
fn documents(world: &World) -> Vec<(&'static str, String)> {
    let topic = "numerique-educatif";
    let names = [".atom", ".rss", ".json", "/index.html", "/archive/2024-11.atom", "/archive/2024-11/index.html"];
    let read = |name| fs::read_to_string(world.published(&format!("{topic}{name}"))).unwrap();
    names.into_iter().map(|name| (name, read(name))).collect()
}

/// Checks in every document whether it shows the news of a day, and whether the feed says that it is deleted.
#[track_caller]
fn check(world: &World, day: u32, is_shown: bool, is_deleted: bool) {
    for (name, document) in documents(world) {
        let title = format!("École numérique {day}<");
        let title = if name == ".json" { title.replace('<', "\"") } else { title };
        assert_eq!(document.contains(&title), is_shown, "{name} {day}: {document}");
    }
    for archive in ["", "/archive/2024-11"] {
        let document = fs::read_to_string(world.published(&format!("numerique-educatif{archive}.atom"))).unwrap();
        let tombstones = document.split("<at:deleted-entry ").skip(1);
        let begins = format!("ref=\"tag:ministere.example,2024:{day}\" when=\"20");
        let found = tombstones.filter(|tombstone| tombstone.starts_with(&begins)).count();
        assert_eq!(found, usize::from(is_deleted), "{document}");
    }
}

#[test]
fn an_entry_taken_back_from_the_middle_of_a_feed_goes_from_every_document_and_comes_back_when_listed_again() {
    let whole = document(feed(1..=10));
    let world = world([whole.clone(), document(feed((1..=10).filter(|day| *day != 6))), whole]);
    world.succeeds(&["poll", "--force"]);
    check(&world, 6, true, false);
    world.succeeds(&["poll", "--force"]);
    check(&world, 6, false, true);
    check(&world, 5, true, false);
    world.succeeds(&["poll", "--force"]);
    check(&world, 6, true, false);
}

#[test]
fn entries_that_leave_for_newer_ones_stay_published() {
    let world = world([document(feed(1..=10)), document(feed(3..=12)), document(feed(6..=15))]);
    for _ in 0..3 {
        world.succeeds(&["poll", "--force"]);
    }
    for day in 1..=15 {
        check(&world, day, true, false);
    }
}

#[test]
fn an_entry_is_taken_back_while_another_comes() {
    let world = world([document(feed(1..=10)), document(feed((1..=11).filter(|day| *day != 7)))]);
    world.succeeds(&["poll", "--force"]);
    world.succeeds(&["poll", "--force"]);
    check(&world, 7, false, true);
    check(&world, 11, true, false);
}

#[test]
fn what_is_missing_from_a_document_that_was_cut_was_not_taken_back() {
    let cut = feed((1..=10).filter(|day| *day != 6)).replace("</channel></rss>", "");
    let world = world([document(feed(1..=10)), document(cut)]);
    world.succeeds(&["poll", "--force"]);
    world.succeeds(&["poll", "--force"]);
    check(&world, 6, true, false);
}

#[test]
fn an_answer_of_not_modified_completes_the_grace() {
    let whole = document(feed(1..=10)).etag("\"1\"");
    let less = document(feed((1..=10).filter(|day| *day != 6))).etag("\"2\"");
    let world = World::new().feed("education", [whole, less]).with("dedup = false");
    world.succeeds(&["poll", "--force"]);
    world.succeeds(&["poll", "--force"]);
    check(&world, 6, true, false);
    let world = world.with("[dedup]\nwithdrawn_after = \"0s\"");
    world.succeeds(&["poll", "--force"]);
    check(&world, 6, false, true);
}

#[test]
fn a_story_that_another_source_tells_stays_under_its_id() {
    let told = rss(&[item("autre", "École numérique 6", TEXT, &[])
        .replace("https://ministere.example", "https://agence.example")
        .replace("Mon, 23 Nov 2026", "07 Nov 2024")
        .replace("trois ans", "quatre ans")]);
    let world = World::new()
        .feed("education", [document(feed(1..=10)), document(feed((1..=10).filter(|day| *day != 6)))])
        .feed("agence", document(told))
        .with("[dedup]\nwithdrawn_after = \"0s\"");
    world.succeeds(&["poll", "education", "--force"]);
    world.succeeds(&["poll", "agence", "--force"]);
    let entry = |id: &str| {
        let atom = world.atom();
        let entry = atom.split("<entry>").find(|entry| entry.contains(&format!("<id>{id}</id>"))).map(str::to_owned);
        entry.unwrap_or_else(|| panic!("{id}: {atom}"))
    };
    let id = "tag:ministere.example,2024:6";
    let before = entry(id);
    assert!(
        before.contains("https://ministere.example/n6\" rel=\"alternate") && before.contains("rel=\"via"),
        "{before}"
    );
    world.succeeds(&["poll", "education", "--force"]);
    let after = entry(id);
    assert!(
        after.contains("https://agence.example/autre\" rel=\"alternate") && after.contains("quatre ans"),
        "{after}"
    );
    assert!(
        !after.contains("ministere.example/n6") && !after.contains("rel=\"via") && !after.contains("trois ans"),
        "{after}"
    );
    let line = |entry: &str, name: &str| entry.lines().find(|line| line.contains(name)).map(str::to_owned);
    assert_eq!(line(&after, "<published>"), line(&before, "<published>"));
    assert!(!world.atom().contains("deleted-entry"));
}

#[test]
fn what_an_edited_entry_said_before_is_kept_unless_a_person_reads_the_same() {
    let told = |text: &str| document(rss(&[news(1).replace(TEXT, text)]));
    let world = world([told("Avant"), told("Après"), told("&lt;p&gt;Après&lt;/p&gt;"), told("Enfin")]);
    for _ in 0..4 {
        world.succeeds(&["poll", "--force"]);
    }
    let mut store = world.open_store();
    let texts: Vec<String> = store.revisions(1).unwrap().into_iter().filter_map(|revision| revision.summary).collect();
    assert_eq!(texts, ["Après", "Avant"]);
}

#[test]
fn what_is_taken_away_because_it_is_over_was_not_taken_back() {
    let gone = [18, 16, 19, 15, 17];
    let documents: [_; 6] =
        std::array::from_fn(|count| document(feed((1..=20).filter(|day| !gone[..count].contains(day)))));
    let world = world(documents);
    for _ in 0..=gone.len() {
        world.succeeds(&["poll", "--force"]);
    }
    check(&world, 19, false, true);
    check(&world, 15, true, false);
    check(&world, 17, true, false);
}
