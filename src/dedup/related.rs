//! Which earlier stories of a topic are news on the same subject ("Sur le même sujet").
//!
//! Two stories are related when they share words that are rare among the topic's stories, some of them in a title. Better
//! none than a wrong one: what is not told by several rare words is not chosen. The weights were found on French
//! government news, by eye: of 15 stories that tell one event in other words all are found.

use crate::story::{Gist, Spot, Term, Terms};
use crate::text::fold;

/// Most related news of a story.
const RELATED_MAX: usize = 3;

/// Points from which a story is related. A rare word brings 3.6 points between two titles, a rare name 4.5.
const POINTS_MIN: f64 = 7.0;

/// Points that must come from a title: texts share the names of institutions and the words of their trade.
const TITLE_POINTS_MIN: f64 = 3.5;

/// So many stories are taken to have been before the first, in which a word had its usual share: among five stories
/// every word is rare.
const STORIES_BEFORE: f64 = 10.0;

/// The usual share of stories that have a given word.
const WORD_SHARE: f64 = 0.04;

/// The usual share of stories that have a given name.
const NAME_SHARE: f64 = 0.006;

/// A word that fewer stories have is no rarer: five hundred stories know more words by accident than fifty.
const RARE_SHARE: f64 = 0.01;

/// What a common word is worth, in nats: one that a third of the stories have brings nothing.
const COMMON: f64 = 1.0;

/// How much more a name says than a word as rare.
const NAME_WEIGHT: f64 = 1.25;

/// Returns which of the `earlier` stories of a topic are related to a story, best first: their numbers.
///
/// Of equal ones the latest is better. None bears the title of the story or of another one: whatever it tells, to a
/// reader it would look like the same news again.
#[must_use]
pub fn related(story: &Gist, earlier: &[&Gist]) -> Vec<i64> {
    let Some(terms) = &story.terms else { return Vec::new() };
    let shared = shared(terms, earlier);
    let weights = weights(story, terms, earlier, &shared);
    let by_story = shared.chunk_by(|one, next| one.story == next.story);
    let scored = by_story.filter_map(|shared| {
        let other = *earlier.get(shared.first()?.story as usize)?;
        Some((points(terms, shared, other.source_id == story.source_id, &weights)?, other))
    });
    let mut scored: Vec<(f64, &Gist)> = scored.collect();
    scored.sort_by(|(one, a), (two, b)| two.total_cmp(one).then_with(|| b.order().cmp(&a.order())));
    let mut titles = vec![title(story)];
    let mut chosen = Vec::new();
    for (_, other) in scored {
        if chosen.len() == RELATED_MAX {
            break;
        }
        let title = title(other);
        if !titles.contains(&title) {
            titles.push(title);
            chosen.push(other.number);
        }
    }
    chosen
}

/// A term that a story and an earlier one have in common.
struct Shared {
    /// The place of the earlier story.
    story: u32,
    /// The place of the term among the story's.
    place: u8,
    theirs: Term,
}

/// Cells of the table by which a word is looked up.
const CELLS: usize = 2048;

/// Finds the terms that a story shares with earlier ones, in the order of these and of its terms.
///
/// Nearly all of the time goes here, so words are looked up in a table with open addressing: most are not there, and that
/// shows at the first cell.
fn shared(terms: &Terms, earlier: &[&Gist]) -> Vec<Shared> {
    let cell = |word: u32| word as usize % CELLS;
    let mut table = [0_u8; CELLS];
    let words: Vec<u32> = terms.iter().map(Term::word).collect();
    for (word, place) in words.iter().zip(1_u8..) {
        let mut at = cell(*word);
        while table.get(at).is_some_and(|taken| *taken != 0) {
            at = (at + 1) % CELLS;
        }
        table.get_mut(at).into_iter().for_each(|free| *free = place);
    }
    let find = |word: u32| {
        let mut at = cell(word);
        loop {
            let place = table.get(at).copied().unwrap_or_default().checked_sub(1)?;
            if words.get(usize::from(place)) == Some(&word) {
                return Some(place);
            }
            at = (at + 1) % CELLS;
        }
    };
    let mut shared = Vec::with_capacity(earlier.len());
    for (other, story) in earlier.iter().zip(0_u32..) {
        let Some(theirs) = &other.terms else { continue };
        for theirs in theirs.iter() {
            if let Some(place) = find(theirs.word()) {
                shared.push(Shared { story, place, theirs });
            }
        }
    }
    shared
}

fn title(gist: &Gist) -> String {
    fold(gist.title.as_deref().unwrap_or_default().trim()).into_owned()
}

/// What a word brings that two titles share.
#[derive(Default, Clone, Copy)]
struct Weight {
    /// With a story of another source.
    elsewhere: f64,
    /// With one of the same source: what a source always says (its name, its headings, the end of each text) is not
    /// rare, however rarely the others say it.
    at_home: f64,
}

/// Returns the weight of each of a story's terms.
fn weights(story: &Gist, terms: &Terms, earlier: &[&Gist], shared: &[Shared]) -> Vec<Weight> {
    let is_home = |other: &Gist| other.source_id == story.source_id;
    let homes: Vec<bool> = earlier.iter().map(|other| is_home(other)).collect();
    let mut counts = vec![(0_u32, 0_u32); terms.iter().count()];
    for Shared { story, place, .. } in shared {
        let (count, is_home) = (counts.get_mut(usize::from(*place)), homes.get(*story as usize));
        if let (Some((all, home)), Some(is_home)) = (count, is_home) {
            *all += 1;
            *home += u32::from(*is_home);
        }
    }
    let (stories, at_home) = (earlier.len() as f64, homes.iter().filter(|is_home| **is_home).count() as f64);
    let weight = |term: Term, (all, home): (u32, u32)| {
        let (usual, factor) = if term.is_name() { (NAME_SHARE, NAME_WEIGHT) } else { (WORD_SHARE, 1.0) };
        let share = ((f64::from(all) + STORIES_BEFORE * usual) / (stories + STORIES_BEFORE)).max(RARE_SHARE);
        // But for the story that is looked at.
        let share_at_home = f64::from(home.saturating_sub(1)) / (at_home + STORIES_BEFORE);
        let worth = |share: f64| factor * (-share.ln() - COMMON).max(0.0);
        Weight { elsewhere: worth(share), at_home: worth(share.max(share_at_home)) }
    };
    terms.iter().zip(counts).map(|(term, counts)| weight(term, counts)).collect()
}

/// Returns how much two stories have in common, if it is enough.
fn points(terms: &Terms, shared: &[Shared], is_home: bool, weights: &[Weight]) -> Option<f64> {
    let (mut of_titles, mut of_tags, mut of_texts) = (0.0, 0.0, 0.0);
    for Shared { place, theirs, .. } in shared {
        let place = usize::from(*place);
        let (Some(mine), Some(weight)) = (terms.get(place), weights.get(place)) else { continue };
        let weight = if is_home { weight.at_home } else { weight.elsewhere };
        let points = weight * factor(mine.spot()) * factor(theirs.spot());
        match (mine.spot(), theirs.spot()) {
            (Spot::Title, _) | (_, Spot::Title) => of_titles += points,
            (Spot::Tag, _) | (_, Spot::Tag) => of_tags += points,
            (Spot::Text, Spot::Text) => of_texts += points,
        }
    }
    let told: f64 = of_titles + of_tags;
    // Two long texts share many a word, whatever they are about.
    let points = told + told.min(of_texts);
    (points >= POINTS_MIN && of_titles >= TITLE_POINTS_MIN).then_some(points)
}

/// How much a word counts where it stands.
fn factor(spot: Spot) -> f64 {
    match spot {
        Spot::Title => 1.0,
        Spot::Tag => 0.7,
        Spot::Text => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::super::terms;
    use super::*;
    use crate::feed::{Category, Entry};
    use crate::story::Plain;

    /// A story of a source with this title and text, of the day of its number.
    fn gist(number: i64, source_id: &str, title: &str, text: &str) -> Gist {
        let entry = Entry { title: Some(title.into()), summary: Some(text.into()), ..Entry::default() };
        of(number, source_id, entry)
    }

    fn of(number: i64, source_id: &str, entry: Entry) -> Gist {
        Gist {
            number,
            source_id: source_id.into(),
            date: chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(number),
            terms: Some(terms(&entry, &Plain::of(&entry))),
            has_page: true,
            title: entry.title,
        }
    }

    /// Many stories of a topic that have little in common; numbers from 100.
    fn ordinary() -> Vec<Gist> {
        let subjects = ["tablettes", "manuels", "cantines", "internats", "examens", "sorties", "langues", "ateliers"];
        let places = ["Lille", "Nantes", "Rennes", "Toulouse", "Bordeaux"];
        let steps = ["un premier bilan", "le budget voté", "un appel aux familles", "la fermeture"];
        let pairs = subjects.iter().flat_map(|subject| places.iter().map(move |place| (subject, place)));
        let titles = steps.iter().flat_map(|step| {
            pairs.clone().map(move |(subject, place)| format!("École numérique : {subject} à {place}, {step}"))
        });
        (100..).zip(titles).map(|(number, title)| gist(number, "presse", &title, "Le ministère le dit.")).collect()
    }

    /// Which of these stories are related to the last one, among ordinary ones.
    #[track_caller]
    fn check(told: &[(&str, &str, &str)], expected: &[i64]) {
        let mut stories = ordinary();
        stories.extend((1..).zip(told).map(|(number, (source, title, text))| gist(number, source, title, text)));
        let story = stories.pop().unwrap();
        assert_eq!(related(&story, &stories.iter().collect::<Vec<_>>()), expected);
    }

    const BUG: (&str, &str, &str) =
        ("gazette", "École numérique : Parcoursup en panne avant les vœux", "La plateforme Parcoursup a cédé lundi.");
    const NEXT: (&str, &str, &str) =
        ("courrier", "École numérique : après la panne, Parcoursup rouvre", "Les vœux sont prolongés.");

    #[test]
    fn what_shares_rare_words_is_related() {
        check(&[BUG, NEXT], &[1]);
    }

    #[test]
    fn what_shares_only_the_words_of_the_topic_is_not() {
        check(&[BUG, ("courrier", "École numérique : les recteurs à Paris", "Le ministère le dit.")], &[]);
    }

    #[test]
    fn one_shared_word_is_too_little() {
        check(&[BUG, ("courrier", "École numérique : chauffage en panne à Brest", "Il fait froid.")], &[]);
    }

    #[test]
    fn texts_alone_relate_nothing() {
        let text = "Parcoursup, Affelnet, Pronote, Edulog et Cyclades étaient en panne lundi matin, dit la DINUM.";
        check(&[("gazette", "Matinée difficile", text), ("courrier", "Retour au calme", text)], &[]);
    }

    #[test]
    fn what_a_source_always_says_is_not_rare_there() {
        let told = |subject: &str| format!("Lettre Canopé Focus : {subject}");
        let titles: Vec<String> = ["chorales", "jardins", "robots", "poésie", "escalade"].map(told).into();
        let letters: Vec<_> = titles.iter().map(|title| ("canope", title.as_str(), "Lettre Canopé Focus")).collect();
        check(&letters, &[]);
    }

    #[test]
    fn among_few_stories_nothing_is_rare() {
        let [bug, next] =
            [(1, BUG), (2, NEXT)].map(|(number, (source, title, text))| gist(number, source, title, text));
        assert_eq!(related(&next, &[&bug]), [] as [i64; 0]);
        assert_eq!(related(&next, &[]), [] as [i64; 0]);
    }

    #[test]
    fn three_are_chosen_the_best_first_and_the_latest_of_equal_ones() {
        let closer = ("gazette", "Panne : Parcoursup rouvre, les vœux prolongés", "La plateforme rouvre.");
        let text = "La plateforme revient.";
        let told = [
            ("un", "Panne : Parcoursup rouvre", text),
            closer,
            ("deux", "Panne : Parcoursup rouvre mardi", text),
            ("trois", "Panne : Parcoursup rouvre peut-être", text),
            NEXT,
        ];
        check(&told, &[2, 4, 3]);
    }

    #[test]
    fn no_title_is_shown_twice_nor_its_own() {
        let again = ("autre", BUG.1, "Parcoursup a cédé.");
        check(&[BUG, again, NEXT], &[2]);
        check(&[BUG, ("courrier", "ÉCOLE NUMÉRIQUE : Parcoursup en panne avant les vœux ", "Rien.")], &[]);
    }

    #[test]
    fn the_publishers_tags_count() {
        let tagged = |number, title: &str, tags: &[&str]| {
            let tag = |term: &&str| Category { term: (*term).into(), ..Category::default() };
            let categories = tags.iter().map(tag).collect();
            of(number, "gazette", Entry { title: Some(title.into()), categories, ..Entry::default() })
        };
        let tags = ["Parcoursup", "Cybersécurité", "Affelnet"];
        let mut stories = ordinary();
        stories.push(tagged(1, "La DINUM enquête", &tags));
        let stories: Vec<&Gist> = stories.iter().collect();
        let with = related(&tagged(2, "La DINUM répond", &tags), &stories);
        let without = related(&tagged(2, "La DINUM répond", &[]), &stories);
        assert_eq!((with, without), (vec![1], vec![]));
    }

    #[test]
    fn texts_support_what_a_title_tells() {
        let text = |end: &str| format!("Selon Cyclades, Edulog, Affelnet et Pronote, {end}.");
        let check = |one: &str, other: &str, expected: &[i64]| {
            let first = ("gazette", "École numérique : Parcoursup ferme ce soir", one);
            check(&[first, ("courrier", "École numérique : rendez-vous sur Parcoursup", other)], expected);
        };
        check(&text("tout va bien"), &text("rien ne va plus"), &[1]);
        check("Tout va bien.", "Rien ne va plus.", &[]);
    }

    #[test]
    fn words_that_share_a_cell_of_the_table_are_all_found() {
        let in_last_cell = |turn: u64| Term::new((turn * CELLS as u64 + CELLS as u64 - 1) << 35, Spot::Title, false);
        let terms = Terms::new((1..4).map(in_last_cell));
        let gist = Gist { terms: Some(Terms::new((2..5).map(in_last_cell))), ..gist(1, "a", "", "") };
        let found: Vec<u8> = shared(&terms, &[&gist]).iter().map(|shared| shared.place).collect();
        assert_eq!(found, [1, 2]);
    }
}
