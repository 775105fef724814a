//! Choice of related news. For the words used here see `mod.rs`.
//!
//! Two stories are related when they share words that are rare among the topic's stories, some of them in a title. A
//! wrong choice is worse than none: several rare words must be shared. The weights were found on French government
//! news, by eye: of 15 stories that tell one event in other words all are found. Refused: a list of rare words of
//! French, which knows neither a topic's words nor the words that a source says each time.

use std::ops::Range;

use crate::story::{Gist, Spot, TellingWord, TellingWords, WINDOW};
use crate::text::fold;

/// Most stories chosen for one.
const RELATED_MAX: usize = 3;

/// Points from which a story is related. A rare word in both titles brings 3.6 points, a rare name 4.5.
const POINTS_MIN: f64 = 7.0;

/// Points that must come from a title: texts share the names of institutions and the words of their trade.
const TITLE_POINTS_MIN: f64 = 3.5;

/// Weight of the prior (in stories): with few stories, the share of a word is pulled towards its usual one.
const STORIES_BEFORE: f64 = 10.0;

/// The usual share of stories that have a given word.
const WORD_SHARE: f64 = 0.04;

/// The usual share of stories that have a given name.
const NAME_SHARE: f64 = 0.006;

/// Lowest share of a word: five hundred stories have more rare words by accident than fifty.
const RARE_SHARE: f64 = 0.01;

/// Subtracted from the weight of a word, in nats: a word in a third of the stories brings nothing.
const COMMON: f64 = 1.0;

/// Factor of a name beside a word that is as rare.
const NAME_WEIGHT: f64 = 1.25;

/// Chooses for each waiting story the related ones among the last [`WINDOW`] stories before it: their numbers, best
/// first.
///
/// `stories` are the topic's stories with a page, in their order. Of equal ones the latest is better. No chosen story
/// has the title of the waiting story or of another chosen one: to a reader it would look like the same news.
#[must_use]
pub fn related(stories: &[&Gist], waiting: &[&Gist]) -> Vec<Vec<i64>> {
    let index = WordIndex::new(stories, waiting);
    waiting.iter().map(|story| index.related(story)).collect()
}

/// An inverted index: for each word of a waiting story, the stories that have it. Nearly all of the time of choosing
/// goes there.
struct WordIndex<'a> {
    stories: &'a [&'a Gist],
    words: WordTable,
    /// By place in `words`: the stories, in order.
    postings: Vec<Vec<Posting>>,
}

#[derive(Clone, Copy)]
struct Posting {
    story: usize,
    word: TellingWord,
}

impl<'a> WordIndex<'a> {
    fn new(stories: &'a [&'a Gist], waiting: &[&Gist]) -> Self {
        let words = WordTable::new(waiting.iter().flat_map(|story| words(story)));
        let mut postings = vec![Vec::new(); words.len];
        for (story, gist) in stories.iter().enumerate() {
            for word in gist.telling_words.iter().flat_map(TellingWords::iter) {
                if let Some(postings) = words.place(word.hash()).and_then(|place| postings.get_mut(place)) {
                    postings.push(Posting { story, word });
                }
            }
        }
        Self { stories, words, postings }
    }

    /// The stories in a window that have a word.
    fn postings(&self, word: u32, window: &Range<usize>) -> &[Posting] {
        let all = self.words.place(word).and_then(|place| self.postings.get(place)).map_or(&[][..], Vec::as_slice);
        let place = |story: usize| all.partition_point(|posting| posting.story < story);
        all.get(place(window.start)..place(window.end)).unwrap_or_default()
    }

    fn related(&self, story: &Gist) -> Vec<i64> {
        let end = self.stories.partition_point(|other| other.order() < story.order());
        let window = end.saturating_sub(WINDOW)..end;
        let earlier = self.stories.get(window.clone()).unwrap_or_default();
        let points = self.points(story, earlier, &window);
        let mut scored: Vec<(f64, &Gist)> =
            earlier.iter().zip(points).filter_map(|(other, points)| Some((points.enough()?, *other))).collect();
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

    /// The points of each story in the window beside a story.
    fn points(&self, story: &Gist, earlier: &[&Gist], window: &Range<usize>) -> Vec<Points> {
        let is_home: Vec<bool> = earlier.iter().map(|other| other.source_id == story.source_id).collect();
        let at_home = is_home.iter().filter(|is_home| **is_home).count();
        let is_home = |posting: &Posting| is_home.get(posting.story - window.start).copied().unwrap_or_default();
        let mut points = vec![Points::default(); earlier.len()];
        for mine in story.telling_words.iter().flat_map(TellingWords::iter) {
            let postings = self.postings(mine.hash(), window);
            let shared_at_home = postings.iter().filter(|posting| is_home(posting)).count();
            let weight = Weight::new(mine, (postings.len(), shared_at_home), (earlier.len(), at_home));
            // A word of the topic: nearly all stories have it.
            if weight.elsewhere == 0.0 {
                continue;
            }
            for posting in postings {
                let weight = if is_home(posting) { weight.at_home } else { weight.elsewhere };
                if let Some(points) = points.get_mut(posting.story - window.start) {
                    points.add(weight, mine, posting.word);
                }
            }
        }
        points
    }
}

fn words(story: &Gist) -> impl Iterator<Item = u32> {
    story.telling_words.iter().flat_map(TellingWords::iter).map(TellingWord::hash)
}

fn title(gist: &Gist) -> String {
    fold(gist.title.as_deref().unwrap_or_default().trim()).into_owned()
}

/// A hash table with open addressing, from words to places. Most looked-up words are absent, and the first cell shows
/// that.
struct WordTable {
    /// Each word with its place from 1 on; place 0 is an empty cell. The number of cells is a power of two, at most a
    /// quarter taken.
    cells: Vec<(u32, u32)>,
    len: usize,
}

impl WordTable {
    fn new(words: impl Iterator<Item = u32>) -> Self {
        let mut words: Vec<u32> = words.collect();
        words.sort_unstable();
        words.dedup();
        let mut table = Self { cells: vec![(0, 0); (words.len() * 4).next_power_of_two()], len: words.len() };
        for (place, word) in (1..).zip(words) {
            let cell = table.cell(word);
            table.cells.get_mut(cell).into_iter().for_each(|cell| *cell = (word, place));
        }
        table
    }

    /// The cell of a word, or the empty cell for it.
    fn cell(&self, word: u32) -> usize {
        let last = self.cells.len() - 1;
        let mut cell = word as usize & last;
        while self.cells.get(cell).is_some_and(|(taken, place)| *place != 0 && *taken != word) {
            cell = (cell + 1) & last;
        }
        cell
    }

    fn place(&self, word: u32) -> Option<usize> {
        let (_, place) = self.cells.get(self.cell(word))?;
        (*place as usize).checked_sub(1)
    }
}

/// The weight of a word that two stories share (inverse document frequency).
#[derive(Clone, Copy)]
struct Weight {
    /// Between stories of two sources.
    elsewhere: f64,
    /// Between stories of one source. The words that a source always says (its name, its headings, its last line) are
    /// not rare there, however rarely others say them.
    at_home: f64,
}

impl Weight {
    /// Weighs a word by the earlier stories that have it, and their number: of all sources and of the same one.
    fn new(word: TellingWord, (all, home): (usize, usize), (stories, at_home): (usize, usize)) -> Self {
        let (usual, factor) = if word.is_name() { (NAME_SHARE, NAME_WEIGHT) } else { (WORD_SHARE, 1.0) };
        let share = ((all as f64 + STORIES_BEFORE * usual) / (stories as f64 + STORIES_BEFORE)).max(RARE_SHARE);
        // Without the story that is looked at.
        let share_at_home = home.saturating_sub(1) as f64 / (at_home as f64 + STORIES_BEFORE);
        let worth = |share: f64| factor * (-share.ln() - COMMON).max(0.0);
        Self { elsewhere: worth(share), at_home: worth(share.max(share_at_home)) }
    }
}

/// The points of two stories, by the places of the shared words.
#[derive(Clone, Copy, Default)]
struct Points {
    titles: f64,
    tags: f64,
    texts: f64,
}

impl Points {
    fn add(&mut self, weight: f64, mine: TellingWord, theirs: TellingWord) {
        let points = weight * factor(mine.spot()) * factor(theirs.spot());
        match (mine.spot(), theirs.spot()) {
            (Spot::Title, _) | (_, Spot::Title) => self.titles += points,
            (Spot::Tag, _) | (_, Spot::Tag) => self.tags += points,
            (Spot::Text, Spot::Text) => self.texts += points,
        }
    }

    fn enough(self) -> Option<f64> {
        let told = self.titles + self.tags;
        // Two long texts share many words, whatever they are about.
        let points = told + told.min(self.texts);
        (points >= POINTS_MIN && self.titles >= TITLE_POINTS_MIN).then_some(points)
    }
}

fn factor(spot: Spot) -> f64 {
    match spot {
        Spot::Title => 1.0,
        Spot::Tag => 0.7,
        Spot::Text => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::super::telling_words;
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
            telling_words: Some(telling_words(&entry, &Plain::of(&entry))),
            has_page: true,
            title: entry.title,
        }
    }

    /// The news related to one story.
    fn chosen(story: &Gist, stories: &[Gist]) -> Vec<i64> {
        related(&stories.iter().collect::<Vec<_>>(), &[story]).remove(0)
    }

    /// Many stories of a topic that have little in common; numbers below 0.
    fn ordinary() -> Vec<Gist> {
        let subjects = ["tablettes", "manuels", "cantines", "internats", "examens", "sorties", "langues", "ateliers"];
        let places = ["Lille", "Nantes", "Rennes", "Toulouse", "Bordeaux"];
        let steps = ["un premier bilan", "le budget voté", "un appel aux familles", "la fermeture"];
        let pairs = subjects.iter().flat_map(|subject| places.iter().map(move |place| (subject, place)));
        let titles = steps.iter().flat_map(|step| {
            pairs.clone().map(move |(subject, place)| format!("École numérique : {subject} à {place}, {step}"))
        });
        (-200..).zip(titles).map(|(number, title)| gist(number, "presse", &title, "Le ministère le dit.")).collect()
    }

    /// Checks which of these stories are related to the last one, among ordinary ones.
    #[track_caller]
    fn check(told: &[(&str, &str, &str)], expected: &[i64]) {
        let mut stories = ordinary();
        stories.extend((1..).zip(told).map(|(number, (source, title, text))| gist(number, source, title, text)));
        let story = stories.pop().unwrap();
        assert_eq!(chosen(&story, &stories), expected);
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
        assert_eq!(chosen(&next, &[bug]), [] as [i64; 0]);
        assert_eq!(chosen(&next, &[]), [] as [i64; 0]);
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
        let with = chosen(&tagged(2, "La DINUM répond", &tags), &stories);
        let without = chosen(&tagged(2, "La DINUM répond", &[]), &stories);
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
    fn each_waiting_story_is_related_to_those_before_it_only() {
        let mut stories = ordinary();
        stories.extend(
            [(1, BUG), (2, NEXT), (3, ("presse", "Parcoursup en panne : les vœux rouvrent", "Enfin."))]
                .map(|(number, (source, title, text))| gist(number, source, title, text)),
        );
        let [.., one, two, three] = &stories[..] else { unreachable!() };
        let stories: Vec<&Gist> = stories.iter().collect();
        assert_eq!(related(&stories, &[three, one, two]), [vec![1, 2], vec![], vec![1]]);
    }

    #[test]
    fn old_news_is_not_looked_at() {
        let others =
            (0..i64::try_from(WINDOW).unwrap() - 80).map(|day| gist(day + 2, "presse", &format!("Sujet{day}"), ""));
        let stories: Vec<Gist> =
            [gist(-1000, BUG.0, BUG.1, BUG.2)].into_iter().chain(ordinary()).chain(others).collect();
        let next = gist(10_000, NEXT.0, NEXT.1, NEXT.2);
        assert_eq!(stories.len(), WINDOW + 81);
        assert_eq!(chosen(&next, &stories[..WINDOW]), [-1000]);
        assert_eq!(chosen(&next, &stories[..=WINDOW]), [] as [i64; 0]);
    }

    #[test]
    fn words_that_share_a_cell_are_all_found() {
        let words = WordTable::new([7, 7 + 16, 7 + 32, 15].into_iter());
        assert_eq!(words.cells.len(), 16);
        let places = [7, 7 + 16, 7 + 32, 15, 8, 7 + 48].map(|word| words.place(word));
        assert_eq!(places, [Some(0), Some(2), Some(3), Some(1), None, None]);
        assert_eq!(WordTable::new(std::iter::empty()).place(7), None);
    }
}
