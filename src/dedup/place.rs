//! Which story a new entry tells.

use super::compare::{Comparison, Refusal, compare, compare_words};
use super::subject::Subject;
use crate::story::{Sameness, StoredEntry};

/// On one page of a source, texts shorter than this are told apart by their dates too.
const WORDS_MIN: usize = 20;

/// Where a new entry belongs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// In a story of its own.
    New,
    /// It is this stored entry of the same source under another guid or title: it replaces what that one says.
    Entry(i64),
    /// In this story, for it is the same item as an entry there.
    Story(i64, Sameness),
}

/// Says where a new entry belongs.
///
/// `candidates` are stored entries that share a clue with it, and the heads of their stories; a story without its head
/// is left alone, for no entry joins a story whose head a guard refuses. `present` are the numbers of the stored entries
/// that the same document holds: an entry that is there beside the new one is another entry.
///
/// The best reason wins, then the earliest story, whatever the order of the candidates.
#[must_use]
pub fn place(new: &Subject, candidates: &[StoredEntry], present: &[i64]) -> Place {
    let compared: Vec<Compared> = candidates.iter().map(|stored| Compared::new(new, stored, present)).collect();
    if let Some(number) = compared.iter().filter(|other| other.is_itself).map(|other| other.number).min() {
        return Place::Entry(number);
    }
    let accepts =
        |story: i64| compared.iter().any(|other| other.number == story && !other.verdict.is_err_and(Refusal::is_guard));
    let same = compared.iter().filter_map(|other| Some((rank(other.verdict.ok()?), other.story, other.verdict.ok()?)));
    let best = same.filter(|(_, story, _)| accepts(*story)).min_by_key(|(rank, story, _)| (*rank, *story));
    best.map_or(Place::New, |(_, story, sameness)| Place::Story(story, sameness))
}

/// The surest reason first.
fn rank(sameness: Sameness) -> u8 {
    match sameness {
        Sameness::Link => 0,
        Sameness::Guid => 1,
        Sameness::TitleText => 2,
        Sameness::Text => 3,
        Sameness::Title => 4,
    }
}

/// A candidate, compared with the new entry.
struct Compared {
    number: i64,
    story: i64,
    verdict: Result<Sameness, Refusal>,
    /// The new entry is this one under another guid or title.
    is_itself: bool,
}

impl Compared {
    fn new(new: &Subject, stored: &StoredEntry, present: &[i64]) -> Self {
        let (verdict, is_itself) = verdict(new, stored, present.contains(&stored.number));
        Self { number: stored.number, story: stored.story, verdict, is_itself }
    }
}

fn verdict(new: &Subject, stored: &StoredEntry, is_present: bool) -> (Result<Sameness, Refusal>, bool) {
    if is_present && new.source_id == stored.source_id && !is_dated_like(new, stored) {
        // Before any text is looked at: a new source's whole document is a crowd of neighbours.
        return (Err(Refusal::Neighbours), false);
    }
    let other = Subject::stored(stored);
    if is_present && new.source_id == other.source_id {
        return (if is_listed_twice(new, &other) { Ok(Sameness::Text) } else { Err(Refusal::Neighbours) }, false);
    }
    if new.source_id != other.source_id {
        return (compare(new, &other).verdict, false);
    }
    if new.page.is_some() && new.page == other.page {
        let is_itself = is_edited(new, &other);
        return (if is_itself { Ok(Sameness::Link) } else { Err(Refusal::Neighbours) }, is_itself);
    }
    // A source that fills one template again and again (an official journal, a licensing authority) writes texts that
    // differ by a name: what it tells under another address is another item.
    let is_itself = is_moved(new, &other);
    (if is_itself { Ok(Sameness::Text) } else { Err(Refusal::Neighbours) }, is_itself)
}

/// On the same page of the same source, which in itself tells nothing: next week's agenda takes the place of this
/// week's, and a court's docket has one page for all its documents. So the texts must be nearly the same, and short
/// ones at the same date too.
fn is_edited(new: &Subject, other: &Subject) -> bool {
    let Comparison { verdict, text, words, .. } = compare_words(new, other);
    let is_dated_alike = new.published == other.published || new.published.is_none();
    let is_alike = if words < WORDS_MIN { is_dated_alike && (words == 0 || text >= 0.95) } else { text >= 0.8 };
    // A short title over a short text is too little for another page, not for this one.
    let is_unaltered = verdict == Err(Refusal::Unlike) && is_dated_alike && says_the_same(new, other);
    verdict.is_ok() && is_alike || is_unaltered
}

fn is_dated_like(new: &Subject, stored: &StoredEntry) -> bool {
    new.published.is_some() && new.published == stored.entry.published
}

/// In one document under two addresses (`/index.php/a` and `/a`): title, date and a text of some length are the same.
fn is_listed_twice(new: &Subject, other: &Subject) -> bool {
    new.page != other.page && compare_words(new, other).words >= WORDS_MIN && is_moved(new, other)
}

/// On another page of the same source: the site has moved and kept titles and texts, and the dates too unless the
/// texts are long enough to be recognised without.
fn is_moved(new: &Subject, other: &Subject) -> bool {
    let is_dated_alike = new.published.is_some() && new.published == other.published;
    let Comparison { verdict, words, .. } = compare_words(new, other);
    verdict.is_ok() && (is_dated_alike || words >= WORDS_MIN) && says_the_same(new, other)
}

fn says_the_same(new: &Subject, other: &Subject) -> bool {
    new.title.words == other.title.words && new.text.shingles == other.text.shingles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::super::identity::identify;
    use super::*;
    use crate::feed::Entry;

    const TEXT: &str = "La ministre a présenté ce matin devant les recteurs le plan qui doit équiper chaque école rurale \
        d’une connexion rapide et former ses enseignants aux usages nouveaux dans les trois ans.";

    /// A stored entry that heads its story: its number, source, address, title and text.
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
            first_seen: published,
            date: published,
            changed: None,
            entry,
        }
    }

    fn check(new: &StoredEntry, candidates: &[StoredEntry], expected: Place) {
        assert_eq!(place(&Subject::stored(new), candidates, &[]), expected);
    }

    #[test]
    fn the_same_page_told_by_another_source_is_one_story() {
        let known = stored(1, "a", "https://example.org/plan", "Un plan pour les écoles", TEXT);
        let new = stored(2, "b", "http://www.example.org/plan?utm_source=b", "Le plan", "");
        check(&new, &[known], Place::Story(1, Sameness::Link));
    }

    #[test]
    fn an_item_listed_twice_in_one_document_is_one_story_but_a_template_filled_twice_is_not() {
        let known = stored(1, "a", "https://example.org/plan", "Un plan pour les écoles", TEXT);
        let twice = stored(2, "a", "https://example.org/index.php/plan", "Un plan pour les écoles", TEXT);
        let present = place(&Subject::stored(&twice), std::slice::from_ref(&known), &[1]);
        assert_eq!(present, Place::Story(1, Sameness::Text));
        let other =
            stored(3, "a", "https://example.org/3", "Un plan pour les écoles", &TEXT.replace("rurale", "urbaine"));
        assert_eq!(place(&Subject::stored(&other), &[known], &[1]), Place::New);
    }

    #[test]
    fn the_same_text_elsewhere_is_one_story() {
        let known = stored(1, "a", "https://a.example/plan", "Un plan pour les écoles", TEXT);
        let new = stored(2, "b", "https://b.example/12", "[Communiqué] Un plan pour les écoles", TEXT);
        check(&new, &[known], Place::Story(1, Sameness::TitleText));
    }

    #[test]
    fn an_entry_whose_guid_was_changed_is_itself() {
        let known = stored(1, "a", "https://a.example/plan", "Un plan pour les écoles", TEXT);
        let new = stored(2, "a", "https://a.example/plan", "Un plan pour les écoles", TEXT);
        let new = StoredEntry { entry: Entry { id: Some("12".into()), ..new.entry }, ..new };
        check(&new, &[known], Place::Entry(1));
    }

    #[test]
    fn a_short_entry_whose_guid_was_changed_is_itself_at_its_date() {
        let known = stored(1, "a", "https://a.example/plan", "Rentrée", "Paru sur <a href='/'>Ici</a>.");
        let mut new = stored(2, "a", "https://a.example/plan", "Rentrée", "Paru sur Ici .");
        check(&new, std::slice::from_ref(&known), Place::Entry(1));
        new.entry.published = Some(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1));
        check(&new, &[known], Place::New);
    }

    #[test]
    fn a_site_that_moves_brings_nothing_new() {
        let known = stored(1, "a", "https://a.example/plan", "Un plan", TEXT);
        check(&stored(2, "a", "https://new.example/p/1", "Un plan", TEXT), &[known], Place::Entry(1));
    }

    #[test]
    fn an_entry_that_is_still_there_is_another() {
        let known = stored(1, "a", "https://a.example/list", "Un plan", TEXT);
        let new = Subject::stored(&stored(2, "a", "https://a.example/list", "Un plan", TEXT));
        assert_eq!(place(&new, &[known], &[1]), Place::New);
    }

    #[test]
    fn what_takes_the_place_of_another_on_its_page_is_new() {
        let known = stored(1, "a", "https://a.example/agenda", "Agenda de la ministre, semaine 12", "Lundi : Lyon.");
        let new = stored(2, "a", "https://a.example/agenda", "Agenda de la ministre, semaine 13", "Mardi : Paris.");
        check(&new, &[known], Place::New);
    }

    #[test]
    fn no_entry_joins_a_story_whose_head_a_guard_refuses() {
        let head = stored(1, "a", "https://a.example/12", "Bulletin numéro 12 des écoles", TEXT);
        let member = stored(2, "b", "https://b.example/x", "Bulletin des écoles", TEXT);
        let member = StoredEntry { story: 1, ..member };
        let new = stored(3, "c", "https://b.example/x?xtor=1", "Bulletin numéro 13 des écoles", TEXT);
        check(&new, &[head, member.clone()], Place::New);
        check(&new, &[member], Place::New);
    }

    #[test]
    fn the_surest_reason_wins_then_the_earliest_story() {
        let text = stored(1, "a", "https://a.example/1", "Un plan pour les écoles", TEXT);
        let link = stored(2, "b", "https://example.org/plan", "Autre chose", "");
        let later = stored(3, "c", "https://example.org/plan", "Autre chose", "");
        let new = stored(4, "d", "https://example.org/plan", "Un plan pour les écoles", TEXT);
        check(&new, &[later, text, link], Place::Story(2, Sameness::Link));
    }

    proptest! {
        #[test]
        fn the_order_of_candidates_does_not_count(
            told in prop::collection::vec(("[abc]", "/[ab]{0,1}", "(plan|loi) (a|b) ecole", "(un deux )?trois"), 1..6),
            turn in 0_usize..6,
        ) {
            let entries: Vec<StoredEntry> = told.iter().zip(1..).map(|((source, path, title, text), number)| {
                stored(number, source, &format!("https://{source}.example{path}"), title, text)
            }).collect();
            let (new, rest) = entries.split_first().unwrap();
            let new = Subject::stored(new);
            let mut turned = rest.to_vec();
            turned.rotate_left(turn.min(rest.len()));
            prop_assert_eq!(place(&new, rest, &[]), place(&new, &turned, &[]));
        }
    }
}
