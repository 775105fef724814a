//! Sameness of stored entries.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use url::Url;

use super::*;
use crate::config::DedupSettings;
use crate::feed::Entry;
use crate::story::{Bond, StoredEntry};

const TEXT: &str = "La ministre a présenté ce matin devant les recteurs le plan qui doit équiper chaque école rurale \
    d’une connexion rapide et former ses enseignants aux usages nouveaux dans les trois ans.";

/// The settings of an empty config.
pub(crate) fn settings() -> DedupSettings {
    let days = chrono::TimeDelta::days;
    DedupSettings { window: days(90), near_duplicates: true, withdrawn_after: days(3), revisions: 20 }
}

/// A stored entry: its number, source, address, title and text.
fn stored(number: i64, source_id: &str, url: &str, title: &str, text: &str) -> StoredEntry {
    let published = chrono::DateTime::UNIX_EPOCH;
    let entry = Entry {
        id: Some(url.to_owned()),
        url: Url::parse(url).ok(),
        title: Some(title.to_owned()),
        summary: Some(text.to_owned()),
        published: Some(published),
        ..Entry::default()
    };
    let (entry, identity) = identify(source_id, "rss20", vec![entry]).remove(0);
    StoredEntry {
        number,
        source_id: source_id.to_owned(),
        key: identity.key,
        atom_id: identity.atom_id,
        story: number,
        canonical_link: identity.canonical_link,
        owns_guid: identity.owns_guid,
        first_seen: published,
        date: published,
        changed: None,
        entry,
    }
}

fn members(entries: &[StoredEntry]) -> Vec<Member> {
    let member = |entry: &StoredEntry| Member {
        number: Some(entry.number),
        key: entry.key,
        subject: Arc::new(Subject::stored(entry)),
    };
    entries.iter().map(member).collect()
}

/// The stories that these entries tell, each as the numbers of its entries.
fn stories(entries: &[StoredEntry], bonds: &[Bond]) -> Vec<Vec<i64>> {
    let mut stories: std::collections::BTreeMap<usize, Vec<i64>> = std::collections::BTreeMap::new();
    for (story, entry) in partition(&members(entries), bonds, &settings()).into_iter().zip(entries) {
        stories.entry(story).or_default().push(entry.number);
    }
    let mut stories: Vec<Vec<i64>> = stories.into_values().collect();
    for story in &mut stories {
        story.sort_unstable();
    }
    stories.sort();
    stories
}

fn check(entries: &[StoredEntry], expected: &[&[i64]]) {
    assert_eq!(stories(entries, &[]), expected);
}

fn check_itself(new: &StoredEntry, known: &StoredEntry, expected: Option<i64>) {
    let (new, known) = (Subject::stored(new), (known.number, &Subject::stored(known)));
    assert_eq!(itself(&new, [known], &HashSet::new(), &settings()), expected);
}

#[test]
fn the_same_page_told_by_another_source_is_one_story() {
    let one = stored(1, "a", "https://example.org/plan", "Un plan pour les écoles", TEXT);
    let other = stored(2, "b", "http://www.example.org/plan?utm_source=b", "Le plan", "");
    check(&[one, other], &[&[1, 2]]);
}

#[test]
fn the_same_text_elsewhere_is_one_story() {
    let one = stored(1, "a", "https://a.example/plan", "Un plan pour les écoles", TEXT);
    let other = stored(2, "b", "https://b.example/12", "[Communiqué] Un plan pour les écoles", TEXT);
    check(&[one, other], &[&[1, 2]]);
}

#[test]
fn an_item_told_twice_by_one_source_is_one_story_but_a_template_filled_twice_is_not() {
    let one = stored(1, "a", "https://example.org/plan", "Un plan pour les écoles", TEXT);
    let twice = stored(2, "a", "https://example.org/index.php/plan", "Un plan pour les écoles", TEXT);
    let other = stored(3, "a", "https://example.org/3", "Un plan pour les écoles", &TEXT.replace("rurale", "urbaine"));
    check(&[one, twice, other], &[&[1, 2], &[3]]);
}

#[test]
fn nobody_joins_a_story_of_which_a_guard_refuses_a_member() {
    let head = stored(1, "a", "https://a.example/12", "Bulletin numéro 12 des écoles", TEXT);
    let bridge = stored(2, "b", "https://b.example/x", "Bulletin des écoles", TEXT);
    let next = stored(3, "c", "https://b.example/x?xtor=1", "Bulletin numéro 13 des écoles", TEXT);
    check(&[head, bridge, next], &[&[1], &[2, 3]]);
}

#[test]
fn an_entry_that_is_like_two_makes_them_one_story() {
    let words: Vec<&str> = TEXT.split(' ').collect();
    let (start, end) = words.split_at(words.len() / 2);
    let one = stored(1, "a", "https://a.example/1", "Un plan pour les écoles", &start.join(" "));
    let other = stored(2, "b", "https://b.example/1", "Un plan pour les écoles", &end.join(" "));
    check(&[one.clone(), other.clone()], &[&[1], &[2]]);
    let bridge = stored(3, "c", "https://c.example/1", "Un plan pour les écoles", TEXT);
    check(&[one, other, bridge], &[&[1, 2, 3]]);
}

#[test]
fn what_is_bound_by_hand_outweighs_texts() {
    let one = stored(1, "a", "https://a.example/plan", "Un plan pour les écoles", TEXT);
    let other = stored(2, "b", "https://b.example/12", "Un plan pour les écoles", TEXT);
    let unlike = stored(3, "c", "https://c.example/3", "Autre chose", "");
    let bonds = [Bond::new(2, 1, false), Bond::new(3, 1, true)];
    assert_eq!(stories(&[one, other, unlike], &bonds), [vec![1, 3], vec![2]]);
}

#[test]
fn without_near_duplicates_only_links_and_guids_count() {
    let one = stored(1, "a", "https://example.org/plan", "Un plan pour les écoles", TEXT);
    let link = stored(2, "b", "https://www.example.org/plan", "Un plan", "");
    let text = stored(3, "c", "https://c.example/12", "Un plan pour les écoles", TEXT);
    let settings = DedupSettings { near_duplicates: false, ..settings() };
    assert_eq!(partition(&members(&[one, link, text]), &[], &settings), [0, 0, 1]);
}

#[test]
fn an_entry_whose_guid_was_changed_is_itself() {
    let known = stored(1, "a", "https://a.example/plan", "Un plan pour les écoles", TEXT);
    let new = stored(2, "a", "https://a.example/plan", "Un plan pour les écoles", TEXT);
    let new = StoredEntry { entry: Entry { id: Some("12".into()), ..new.entry }, ..new };
    check_itself(&new, &known, Some(1));
}

#[test]
fn a_short_entry_whose_guid_was_changed_is_itself_at_its_date() {
    let known = stored(1, "a", "https://a.example/plan", "Rentrée", "Paru sur <a href='/'>Ici</a>.");
    let mut new = stored(2, "a", "https://a.example/plan", "Rentrée", "Paru sur Ici .");
    check_itself(&new, &known, Some(1));
    new.entry.published = Some(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1));
    check_itself(&new, &known, None);
}

#[test]
fn a_site_that_moves_brings_nothing_new() {
    let known = stored(1, "a", "https://a.example/plan", "Un plan", TEXT);
    check_itself(&stored(2, "a", "https://new.example/p/1", "Un plan", TEXT), &known, Some(1));
    check_itself(&stored(2, "b", "https://new.example/p/1", "Un plan", TEXT), &known, None);
}

#[test]
fn a_site_that_moves_takes_its_short_titles_along() {
    let [known, new] = [(1, "https://a.example/1"), (2, "https://new.example/p/1")]
        .map(|(number, url)| stored(number, "a", url, "Rentrée", "Les cours reprennent."));
    check_itself(&new, &known, Some(1));
    let [bare, new_bare] = [(1, "https://a.example/1"), (2, "https://new.example/p/1")]
        .map(|(number, url)| stored(number, "a", url, "Discours", ""));
    check_itself(&new_bare, &bare, Some(1));
    let other = stored(3, "a", "https://new.example/p/3", "Rentrée", "Les cours sont finis.");
    check_itself(&other, &known, None);
}

#[test]
fn an_entry_that_is_still_there_is_another() {
    let known = stored(1, "a", "https://a.example/list", "Un plan", TEXT);
    let new = Subject::stored(&stored(2, "a", "https://a.example/list", "Un plan", TEXT));
    assert_eq!(itself(&new, [(1, &Subject::stored(&known))], &HashSet::from([1]), &settings()), None);
}

#[test]
fn what_takes_the_place_of_another_on_its_page_is_new() {
    let known = stored(1, "a", "https://a.example/agenda", "Agenda de la ministre, semaine 12", "Lundi : Lyon.");
    let new = stored(2, "a", "https://a.example/agenda", "Agenda de la ministre, semaine 13", "Mardi : Paris.");
    check_itself(&new, &known, None);
}

#[test]
fn a_short_text_that_was_changed_on_its_page_is_another() {
    let page = "https://a.example/plan";
    let known = stored(1, "a", page, "Rentrée scolaire des lycées", "Les cours reprennent lundi.");
    check_itself(&stored(2, "a", page, "Rentrée scolaire des lycées", "Les cours reprennent lundi."), &known, Some(1));
    let edited = "Les cours reprennent lundi, sauf à Nîmes, Arles et Lunel.";
    check_itself(&stored(2, "a", page, "Rentrée scolaire des lycées", edited), &known, Some(1));
    let other = stored(2, "a", page, "Rentrée scolaire des lycées", "Les portes ouvrent mardi.");
    check_itself(&other, &known, None);
    let bare = stored(2, "a", page, "Rentrée scolaire des lycées", "");
    check_itself(&bare, &known, Some(1));
}

#[test]
fn a_long_text_that_was_changed_a_little_on_its_page_is_itself_at_any_date() {
    let known = stored(1, "a", "https://a.example/plan", "Un plan pour les écoles", TEXT);
    let mut new = stored(2, "a", "https://a.example/plan", "Un plan pour les écoles", &format!("{TEXT} Enfin."));
    new.entry.published = Some(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1));
    check_itself(&new, &known, Some(1));
    let elsewhere = stored(3, "a", "https://a.example/3", "Un plan pour les écoles", &format!("{TEXT} Enfin."));
    check_itself(&elsewhere, &known, None);
}

#[test]
fn two_texts_of_one_word_are_two_entries() {
    let known = stored(1, "a", "https://a.example/1", "Rentrée", "Reportée.");
    check_itself(&stored(2, "a", "https://new.example/1", "Rentrée", "Annulée."), &known, None);
    check_itself(&stored(2, "a", "https://new.example/1", "Rentrée", "Reportée."), &known, Some(1));
}

#[test]
fn a_bare_title_of_another_day_on_another_page_is_another_entry() {
    let known = stored(1, "a", "https://a.example/1", "Discours", "");
    let mut new = stored(2, "a", "https://new.example/p/1", "Discours", "");
    new.entry.published = Some(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1));
    check_itself(&new, &known, None);
}

#[test]
fn a_correction_under_one_guid_is_the_same_item() {
    let at = |number, title: &str, text: &str| {
        let mut told = stored(number, "a", "https://a.example/plan", title, text);
        told.entry.published = Some(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(number));
        told
    };
    let verdict = |other: StoredEntry| {
        let one = at(1, "Un plan pour les écoles", TEXT);
        compare(&Subject::stored(&one), &Subject::stored(&other), &settings()).verdict
    };
    let corrected = format!("{TEXT} Enfin.");
    assert_eq!(verdict(at(2, "Un plan pour les écoles", &corrected)), Ok(crate::story::Sameness::Text));
    assert_eq!(verdict(at(2, "Un plan pour les écoles rurales", &corrected)), Err(Refusal::Unlike));
    let numbered = format!("{TEXT} Dès 2026.");
    assert_eq!(verdict(at(2, "Un plan pour les écoles", &numbered)), Err(Refusal::Unlike));
    let [short, longer] = ["Les cours reprennent lundi.", "Les cours reprennent lundi matin."]
        .map(|text| Subject::stored(&at(i64::from(text.ends_with("matin.")), "Un plan pour les écoles", text)));
    assert_eq!(compare(&short, &longer, &settings()).verdict, Err(Refusal::Unlike), "too short to show it");
    let mut renamed = at(2, "Un plan pour les écoles", &corrected);
    renamed.entry.id = Some("12".into());
    assert_eq!(verdict(renamed), Err(Refusal::Unlike));
}

proptest! {
    #[test]
    fn the_order_of_members_does_not_count(
        told in prop::collection::vec(("[abc]", "[ab]", "(plan|loi) (1|2)? ?ecole", "(un deux )?trois"), 1..8),
        turn in 0_usize..8,
    ) {
        let mut entries: Vec<StoredEntry> = told.iter().zip(1..).map(|((source, page, title, text), number)| {
            // Some share a page across sources.
            let text = format!("{TEXT} {text}");
            stored(number, source, &format!("https://example.org/{page}?id={}", number / 2), title, &text)
        }).collect();
        let mut keys = std::collections::HashSet::new();
        entries.retain(|entry| keys.insert((entry.source_id.clone(), entry.key)));
        let before = stories(&entries, &[]);
        let turn = turn.min(entries.len());
        entries.rotate_left(turn);
        prop_assert_eq!(stories(&entries, &[]), before.clone());
        entries.reverse();
        prop_assert_eq!(stories(&entries, &[]), before);
    }
}
