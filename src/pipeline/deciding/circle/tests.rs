//! Candidates: which entries count, and their number.

use super::*;
use crate::pipeline::deciding::literals::{around, clued, decided, hour, noon, peer, prepared};
use crate::store::Surroundings;
use crate::story::Peer;

fn stored(number: i64) -> Peer {
    peer(number, "b", &prepared("b", &number.to_string(), "Un texte."))
}

/// The period in which a look for an entry of noon begins.
fn first() -> Period {
    Period::of(hour(-1) - chrono::TimeDelta::days(90))
}

/// A store in which the entries with these numbers have these clues.
fn sharing(
    peers: impl IntoIterator<Item = Peer>,
    recent: &[(i64, Vec<i64>)],
    lasting: &[(i64, Vec<i64>)],
) -> Surroundings {
    let recent = recent.iter().map(|(clue, numbers)| ((first(), *clue), numbers.clone())).collect();
    Surroundings { recent, lasting: lasting.iter().cloned().collect(), ..around(peers) }
}

fn found(around: &Surroundings, new: &Sketched) -> Vec<i64> {
    decided(around, |draft| candidates(draft, new, noon())).0.unwrap()
}

#[test]
fn one_shared_name_is_enough() {
    let around = sharing([stored(1)], &[(3, vec![1])], &[]);
    assert_eq!(found(&around, &clued("a", &[3, 2, 4, 6, 8], &[])), [1]);
}

#[test]
fn of_shared_phrases_two_are_needed() {
    let around = sharing([stored(1), stored(2)], &[(2, vec![2, 1]), (4, vec![1])], &[]);
    assert_eq!(found(&around, &clued("a", &[2, 4, 6, 8], &[])), [1]);
}

#[test]
fn one_shared_phrase_is_enough_for_an_entry_with_few() {
    let around = sharing([stored(1)], &[(2, vec![1])], &[]);
    assert_eq!(found(&around, &clued("a", &[2, 4, 6], &[])), [1]);
}

#[test]
fn a_phrase_that_many_entries_have_is_no_clue_but_a_name_is() {
    let many: Vec<i64> = (1..=i64::try_from(COMMON_CLUE).unwrap() + 1).rev().collect();
    let rare = many[1..].to_vec();
    let look = |clue: i64, numbers: &[i64]| {
        let around = sharing(many.iter().copied().map(stored), &[(clue, numbers.to_vec())], &[]);
        found(&around, &clued("a", &[clue], &[])).len()
    };
    assert_eq!((look(2, &many), look(2, &rare), look(3, &many)), (0, COMMON_CLUE, COMMON_CLUE + 1));
}

#[test]
fn recent_clues_count_within_the_window_to_the_second() {
    let since = hour(-1) - chrono::TimeDelta::days(90);
    let seen = |number, first_seen| Peer { first_seen, ..stored(number) };
    let peers = [seen(1, since - chrono::TimeDelta::seconds(1)), seen(2, since)];
    assert_eq!(found(&sharing(peers, &[(3, vec![2, 1])], &[]), &clued("a", &[3], &[])), [2]);
}

#[test]
fn a_lasting_clue_counts_however_old_its_entry_is() {
    let old = Peer { first_seen: noon() - chrono::TimeDelta::days(3000), ..stored(1) };
    assert_eq!(found(&sharing([old], &[], &[(7, vec![1])]), &clued("a", &[], &[7])), [1]);
}

#[test]
fn candidates_bring_the_head_of_their_story_with_them() {
    let told = Peer { story: 1, ..stored(2) };
    assert_eq!(found(&sharing([stored(1), told], &[(3, vec![2])], &[]), &clued("a", &[3], &[])), [1, 2]);
}

#[test]
fn a_source_that_keeps_to_itself_has_only_candidates_of_its_own() {
    let own = Peer { source_id: "apart".into(), ..stored(2) };
    let around = sharing([stored(1), own], &[(3, vec![2, 1])], &[]);
    assert_eq!(found(&around, &clued("apart", &[3], &[])), [2]);
    assert_eq!(found(&around, &clued("a", &[3], &[])), [1]);
}

#[test]
fn an_entry_without_a_story_waits_for_it() {
    let waiting = Peer { story: 0, ..stored(1) };
    assert_eq!(found(&sharing([waiting], &[(3, vec![1])], &[]), &clued("a", &[3], &[])), [] as [i64; 0]);
}

#[test]
fn clues_of_entries_that_are_gone_lead_nowhere() {
    assert_eq!(found(&sharing([], &[(3, vec![1])], &[]), &clued("a", &[3], &[])), [] as [i64; 0]);
}

#[test]
fn of_many_candidates_those_that_share_most_count_and_the_latest() {
    let clues: Vec<i64> = (0..6).map(|place| 2 * place + 1).collect();
    let entries = |clue: i64| (clue * 20..clue * 20 + 17).rev().collect::<Vec<i64>>();
    let mut shared: Vec<(i64, Vec<i64>)> = clues.iter().map(|clue| (*clue, entries(*clue))).collect();
    // The earliest of all shares a second clue.
    *shared[5].1.last_mut().unwrap() = 20;
    let around = sharing(clues.iter().flat_map(|clue| entries(*clue)).map(stored), &shared, &[]);
    let found = found(&around, &clued("a", &clues, &[]));
    assert_eq!((found.len(), found[0]), (CANDIDATES_MAX, 20));
    assert!(found[1..].iter().all(|number| *number > 60), "{found:?}");
}

#[test]
fn a_circle_has_a_most_however_many_tell_a_story() {
    let told = (1..=100).map(|number| Peer { story: 1, ..stored(number) });
    let (members, _) = decided(&around(told), |draft| {
        let mut circle = Circle::around(member(draft, 1).unwrap());
        circle.stories.insert(1, 1);
        circle.grow(0, draft, noon());
        circle.members.len()
    });
    assert_eq!(members, CIRCLE_MAX);
}
