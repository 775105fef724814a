//! Bases: a hash for each group of documents of all that they are made from. A group with the same basis need not be made
//! again.
//!
//! Stories stand in it by a stamp of the store. Sources count only where their titles or addresses are shown: for a group
//! with stories, those that the stories cite.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Write};

use sha2::{Digest, Sha256};

use crate::config::PublishSettings;
use crate::publish::archive::{Volume, cited};
use crate::publish::item::attribution;
use crate::publish::{Edition, Made, MonthCount, ShownStory, SourceYear, TopicDigest, hexadecimal};
use crate::story::{Month, Story};
use crate::topic::Topic;

/// The bases of an edition.
#[derive(Debug)]
pub struct Bases<'a> {
    edition: &'a Edition<'a>,
    /// A hash of how each source is credited, by its id.
    credits: BTreeMap<&'a str, String>,
}

impl<'a> Bases<'a> {
    /// Hashes how each source is credited, once for all groups.
    #[must_use]
    pub fn new(edition: &'a Edition<'a>) -> Self {
        let credits = edition.sources.iter().map(|(id, credit)| {
            let shown = (attribution(edition, id), &credit.url, &credit.hidden);
            (id.as_str(), hash(&shown))
        });
        Self { edition, credits: credits.collect() }
    }

    /// Returns the basis of the documents that show all topics and sources; a topic is given with its stamp and months.
    #[must_use]
    pub fn site(&self, topics: &[(&Topic, i64, &[Month])]) -> String {
        let Edition { site, settings, sources, turns, hubs, config, outages, today, .. } = self.edition;
        let topics: Vec<_> = topics.iter().map(|(topic, stamp, months)| (named(topic), stamp, months)).collect();
        let hubs: Vec<_> = hubs.iter().map(|told| (&told.hub, &told.topic, &told.last_error)).collect();
        let said = (topics, sources, turns, hubs, config, outages, today);
        hash(&(
            env!("CARGO_PKG_VERSION"),
            site,
            (settings.entries, settings.related, settings.clean_links, &settings.hubs),
            said,
        ))
    }

    /// Returns the basis of a topic's main documents.
    #[must_use]
    pub fn topic<S: AsRef<str>>(&self, topic: &Topic, stamp: i64, months: &[Month], cited: &[S]) -> String {
        let Edition { today, posts, .. } = self.edition;
        let PublishSettings { hubs, images, .. } = self.edition.settings;
        let posts: Vec<_> =
            posts.iter().filter(|post| post.topics.contains(&topic.id)).map(|post| &post.target).collect();
        self.stories(topic, (stamp, months, hubs, images, today, posts), cited)
    }

    /// Returns the basis of the page of a source: its stories stand in it with the ids of their topics.
    ///
    /// The day is no part of it: the pages of all sources would be made anew each midnight.
    #[must_use]
    pub fn source<S: AsRef<str>>(
        &self,
        (id, figures): (&str, &SourceYear),
        topics: &[&Topic],
        stories: &[(&ShownStory, Vec<String>)],
        cited: &[S],
    ) -> String {
        let Edition { site, settings, sources, .. } = self.edition;
        let topics: Vec<_> = topics.iter().map(|topic| named(topic)).collect();
        let cited: Vec<_> = cited.iter().map(|id| (id.as_ref(), self.credits.get(id.as_ref()))).collect();
        let credits = (sources.get(id), cited);
        hash(&(env!("CARGO_PKG_VERSION"), site, settings.clean_links, figures, topics, stories, credits))
    }

    /// Returns the basis of a volume; `stamp` is that of its month.
    #[must_use]
    pub fn volume<S: AsRef<str>>(&self, volume: &Volume<'_>, stamp: i64, cited: &[S]) -> String {
        let Volume { topic, month, previous, next } = volume;
        self.stories(topic, (month, previous, next, stamp), cited)
    }

    /// Returns the basis of the pages at the former addresses of a topic.
    #[must_use]
    pub fn moved(&self, topic: &Topic, alias: &str) -> String {
        hash(&(env!("CARGO_PKG_VERSION"), self.edition.site, named(topic), alias))
    }

    fn stories<S: AsRef<str>>(&self, topic: &Topic, place: impl Debug, cited: &[S]) -> String {
        let Edition { site, settings, .. } = self.edition;
        let credits: Vec<_> = cited.iter().map(|id| (id.as_ref(), self.credits.get(id.as_ref()))).collect();
        let limits = (settings.entries, settings.related, settings.clean_links);
        hash(&(env!("CARGO_PKG_VERSION"), site, named(topic), place, limits, credits))
    }
}

/// Returns what is to be remembered of a group of documents with these stories.
#[must_use]
pub fn made(stories: &[Story], gone: usize, counts: Vec<MonthCount>) -> Made {
    let shown = stories.iter().map(|story| {
        let mut sources: Vec<String> = cited(story).map(str::to_owned).collect();
        sources.sort_unstable();
        sources.dedup();
        ShownStory { number: story.number, placed: story.placed.timestamp(), hash: hash(story), sources }
    });
    let shown = shown.collect();
    let mut ids: Vec<String> = stories.iter().flat_map(cited).map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    Made { stories: stories.len(), gone, cited: ids, digest: TopicDigest { counts, shown } }
}

/// Returns the settings of a topic that its documents depend on.
fn named(topic: &Topic) -> impl Debug {
    (&topic.id, &topic.title, &topic.description, topic.threshold)
}

fn hash(parts: &impl Debug) -> String {
    let mut hashed = Hashed(Sha256::new());
    // A hasher takes everything, and no part of a basis refuses to be written.
    let _ = write!(hashed, "{parts:?}");
    hexadecimal(&hashed.0.finalize())
}

/// Hashes the text that is written to it, which may be long: the state of every source stands in the basis of the site.
struct Hashed(Sha256);

impl fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ShownImages;
    use crate::publish::newsroom::{Newsroom, date};

    fn months(numbers: &[u32]) -> Vec<Month> {
        numbers.iter().map(|month| Month { year: 2026, month: *month }).collect()
    }

    fn volume(newsroom: &Newsroom, numbers: &[u32], stamp: i64) -> String {
        let edition = newsroom.edition(Vec::new());
        Bases::new(&edition).volume(&Volume::all(&newsroom.topic, &months(numbers))[0], stamp, &["agence"])
    }

    fn topic(newsroom: &Newsroom, numbers: &[u32], stamp: i64) -> String {
        let edition = newsroom.edition(Vec::new());
        Bases::new(&edition).topic(&newsroom.topic, stamp, &months(numbers), &["agence"])
    }

    fn site(newsroom: &Newsroom, numbers: &[u32], stamp: i64) -> String {
        let edition = newsroom.edition(Vec::new());
        Bases::new(&edition).site(&[(&newsroom.topic, stamp, &months(numbers))])
    }

    /// Says whether a change to the newsroom changes each basis: that of the site, of a topic, of a volume.
    #[track_caller]
    fn check(change: impl Fn(&mut Newsroom), expected: [bool; 3]) {
        let (before, mut after) = (Newsroom::new(), Newsroom::new());
        change(&mut after);
        let changed = [site, topic, volume].map(|basis| basis(&before, &[8], 1) != basis(&after, &[8], 1));
        assert_eq!(changed, expected);
    }

    #[test]
    fn a_basis_depends_on_the_stories_and_on_the_months() {
        let newsroom = Newsroom::new();
        for basis in [site, topic, volume] {
            let before = basis(&newsroom, &[8], 1);
            assert_eq!(before, basis(&newsroom, &[8], 1));
            assert_ne!(before, basis(&newsroom, &[8], 2));
            assert_ne!(before, basis(&newsroom, &[8, 9], 1));
        }
    }

    #[test]
    fn a_basis_depends_on_who_publishes() {
        check(|newsroom| newsroom.site.title = "Autre".into(), [true; 3]);
        check(|newsroom| newsroom.site.zone = chrono_tz::Indian::Reunion, [true; 3]);
        check(|newsroom| newsroom.settings.related = 9, [true; 3]);
        check(|newsroom| newsroom.settings.clean_links = false, [true; 3]);
        check(|newsroom| newsroom.topic.title = "Autre".into(), [true; 3]);
    }

    #[test]
    fn only_main_documents_hold_the_day() {
        check(|newsroom| newsroom.today = newsroom.today.succ_opt().unwrap(), [true, true, false]);
    }

    /// Says whether the page of a source is made anew: before and after, the newsroom, the hash of its story, and its share.
    fn is_anew(change: impl Fn(&mut Newsroom, &mut ShownStory, &mut SourceYear)) -> bool {
        let basis = |is_changed: bool| {
            let (mut newsroom, mut figures) = (Newsroom::new(), SourceYear::default());
            let mut shown = ShownStory { number: 1, placed: 1, hash: "a".into(), sources: vec!["agence".into()] };
            if is_changed {
                change(&mut newsroom, &mut shown, &mut figures);
            }
            let edition = newsroom.edition(Vec::new());
            let stories = [(&shown, vec!["ecole".to_owned()])];
            Bases::new(&edition).source(("agence", &figures), &[&newsroom.topic], &stories, &["agence"])
        };
        basis(false) != basis(true)
    }

    #[test]
    fn the_page_of_a_source_depends_on_its_stories_and_on_itself() {
        assert!(is_anew(|_, shown, _| shown.hash = "b".into()));
        assert!(is_anew(|newsroom, _, _| newsroom.sources.get_mut("agence").unwrap().title = Some("Autre".into())));
        assert!(!is_anew(|newsroom, _, _| newsroom.sources.get_mut("ministere").unwrap().title = Some("Autre".into())));
        assert!(!is_anew(|newsroom, _, _| newsroom.today = newsroom.today.succ_opt().unwrap()));
    }

    #[test]
    fn only_main_documents_name_hubs() {
        let hub = "https://hub.example/".parse().unwrap();
        check(move |newsroom| newsroom.settings.hubs = vec![Clone::clone(&hub)], [true, true, false]);
    }

    #[test]
    fn only_the_pages_of_topics_show_pictures() {
        check(|world| world.settings.images = ShownImages::Linked, [false, true, false]);
    }

    #[test]
    fn a_source_counts_where_it_is_cited() {
        let rename = |id: &'static str| {
            move |newsroom: &mut Newsroom| {
                newsroom.sources.get_mut(id).unwrap().title = Some("Autre".into());
            }
        };
        check(rename("agence"), [true; 3]);
        check(rename("ministere"), [true, false, false]);
    }

    #[test]
    fn only_the_site_shows_how_sources_are() {
        check(|newsroom| newsroom.sources.get_mut("agence").unwrap().is_polled = false, [true, false, false]);
        let later = Some(date("2026-10-10T08:00:00Z"));
        check(|newsroom| newsroom.sources.get_mut("agence").unwrap().about.updated = later, [true, false, false]);
    }
}
