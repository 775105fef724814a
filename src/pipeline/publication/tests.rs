use std::fs;
use std::path::PathBuf;

use chrono::Utc;

use super::*;
use crate::config;
use crate::dedup;
use crate::feed::Entry;
use crate::publish::Tree;
use crate::store::sqlite::Sqlite;
use crate::store::{Applied, Change, Handle, Inquiry};
use crate::story::Prepared;
use crate::topic::Label;

/// The noted hash of a document that was never rendered.
const BELIEVED: &str = "00000000000000000000000000000000";

/// Two topics in a folder of their own, each with a story that is long enough to be compressed.
struct TwoTopics {
    folder: tempfile::TempDir,
    context: Arc<Context>,
}

impl TwoTopics {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let topic = |id: &str| format!("[[topic]]\nid = \"{id}\"\ntitle = \"{id}\"\nany = [\"{id}\"]\n");
        let text = format!("{}{}", topic("ecole"), topic("sante"));
        let config = config::parse(&text, &folder.path().join("config.toml")).unwrap();
        let (store, _) = Handle::new(Box::new(Sqlite::open(&config.store.path).unwrap())).unwrap();
        let topics = Self { folder, context: Arc::new(Context::new(config, store).unwrap()) };
        topics.tell("ecole", "un").await;
        topics.tell("sante", "deux").await;
        topics
    }

    async fn tell(&self, topic: &str, name: &str) {
        let text = format!("<p>{}</p>", "Un texte assez long pour être comprimé. ".repeat(40));
        let entry = Entry { id: Some(name.into()), title: Some(name.into()), content: Some(text), ..Entry::default() };
        let (entry, identity) = dedup::identify("source", "rss", vec![entry]).remove(0);
        let labels = vec![Label { topic: topic.into(), score: 6.0, reasons: Vec::new() }];
        let (atom_id, rules) = (identity.atom_id.clone(), Arc::clone(&self.context.rules));
        let prepared = Arc::new(Prepared { entry, identity, labels, rules, telling_words: None, sketch: Vec::new() });
        let insert = move |store: &mut dyn crate::store::Store| {
            let number = store.surroundings(&Inquiry::default())?.next_number;
            let (source_id, first_seen, date) = ("source".to_owned(), Utc::now(), Utc::now());
            let insert = Change::Insert { number, source_id, story: number, first_seen, date, atom_id, prepared };
            store.apply(&[insert], None)
        };
        assert_eq!(self.context.store.call(insert).await.unwrap(), Applied::Kept);
    }

    async fn publish(&self, archives: Archives) -> Published {
        publish(&self.context, archives, &[], Utc::now(), &CancellationToken::new()).await.unwrap().unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(&self.context.config.publish.directory).join(name)
    }

    /// Changes the list of what was published, line by line.
    fn edit_manifest(&self, edit: impl Fn(&str) -> Option<String>) {
        let manifest = fs::read_to_string(self.file(".veille")).unwrap();
        let edited: String = manifest.lines().filter_map(edit).map(|line| line + "\n").collect();
        fs::write(self.file(".veille"), edited).unwrap();
    }

    /// Has every document that is not rendered give itself away by its hash.
    fn mark(&self) {
        self.edit_manifest(|line| {
            let mut parts: Vec<&str> = line.split('\t').collect();
            if parts.len() == 5 && !parts[0].is_empty() {
                parts[2] = BELIEVED;
            }
            Some(parts.join("\t"))
        });
    }
}

/// The documents that were not rendered.
fn believed(published: &Published) -> Vec<&str> {
    let believed = |filed: &&Option<Filed>| filed.as_ref().is_some_and(|filed| filed.hash == BELIEVED);
    published.filed.iter().filter(|(_, filed)| believed(&filed)).map(|(path, _)| path.as_str()).collect()
}

#[tokio::test]
async fn without_news_nothing_is_rendered_unless_everything_is_asked_for() {
    let topics = TwoTopics::new().await;
    let first = topics.publish(Archives::Changed).await;
    topics.mark();
    let second = topics.publish(Archives::Changed).await;
    assert_eq!(believed(&second).len(), second.filed.len());
    assert_eq!(second.stories, first.stories);
    assert_eq!(second.announced.len(), 2);
    assert!(believed(&topics.publish(Archives::All).await).is_empty());
}

#[tokio::test]
async fn a_story_renders_its_topic_and_what_shows_all_topics() {
    let topics = TwoTopics::new().await;
    topics.publish(Archives::Changed).await;
    topics.mark();
    topics.tell("ecole", "trois").await;
    let published = topics.publish(Archives::Changed).await;
    let others = believed(&published);
    assert!(others.len() == 9 && others.iter().all(|path| path.starts_with("/sante")), "{others:?}");
    let home = fs::read_to_string(topics.file("index.html")).unwrap();
    assert!(["un", "deux", "trois"].iter().all(|title| home.contains(&format!(">{title}<"))), "{home}");
}

#[tokio::test]
async fn what_an_older_version_published_is_rendered_once() {
    let topics = TwoTopics::new().await;
    topics.publish(Archives::Changed).await;
    topics.mark();
    topics.edit_manifest(|line| (!line.starts_with('\t')).then(|| line.to_owned()));
    let published = topics.publish(Archives::Changed).await;
    assert!(believed(&published).is_empty());
    assert_eq!(published.written.unwrap().changed, 0, "the bytes were right");
    topics.mark();
    let again = topics.publish(Archives::Changed).await;
    assert_eq!(believed(&again).len(), again.filed.len());
}

#[tokio::test]
async fn a_publication_that_is_stopped_removes_nothing_and_the_next_one_is_whole() {
    let topics = TwoTopics::new().await;
    topics.publish(Archives::Changed).await;
    topics.tell("ecole", "trois").await;
    let stop = CancellationToken::new();
    stop.cancel();
    assert!(publish(&topics.context, Archives::Changed, &[], Utc::now(), &stop).await.unwrap().is_none());
    assert!(!fs::read_to_string(topics.file("ecole.atom")).unwrap().contains("trois"));
    assert!(topics.file("sante.json").exists() && topics.file("ecole.atom.br").exists());
    topics.publish(Archives::Changed).await;
    assert!(fs::read_to_string(topics.file("ecole.atom")).unwrap().contains("trois"));
}

#[tokio::test]
async fn in_a_hurry_nothing_is_counted_and_the_next_publication_makes_up_for_it() {
    let topics = TwoTopics::new().await;
    let counts = || {
        let archive = fs::read_to_string(topics.file("ecole/archive/index.html")).unwrap();
        let numbers = archive.split("<span class=\"count\">").skip(1);
        numbers.map(|rest| rest.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    topics.publish(Archives::Later).await;
    assert_eq!(counts(), Vec::<String>::new());
    topics.mark();
    let again = topics.publish(Archives::Later).await;
    assert!(believed(&again).len() > 20, "what is behind is not made anew in the same hurry");
    topics.publish(Archives::Changed).await;
    assert_eq!(counts(), ["1"]);
    topics.tell("ecole", "trois").await;
    topics.publish(Archives::Later).await;
    assert_eq!(counts(), ["1"], "what was known stays");
    topics.publish(Archives::Changed).await;
    assert_eq!(counts(), ["2"]);
    topics.mark();
    let last = topics.publish(Archives::Changed).await;
    assert_eq!(believed(&last).len(), last.filed.len());
}

#[tokio::test]
async fn in_a_hurry_the_codings_that_take_long_are_left_to_the_next_publication() {
    let topics = TwoTopics::new().await;
    let there = || ["ecole.atom.gz", "ecole.atom.br"].map(|name| topics.file(name).exists());
    let build =
        |published: Published, tree: &Tree| Tree::build(published.representations, published.filed, tree, Utc::now());
    let codings = |tree: &Tree| tree.get("/ecole.atom").unwrap().compressed.len();
    let hurried = build(topics.publish(Archives::Later).await, &Tree::default());
    assert_eq!((there(), codings(&hurried)), ([true, false], 1));
    let whole = build(topics.publish(Archives::Changed).await, &hurried);
    assert_eq!((there(), codings(&whole)), ([true, true], 2));
    let again = build(topics.publish(Archives::Changed).await, &whole);
    assert!(Arc::ptr_eq(again.get("/ecole.atom").unwrap(), whole.get("/ecole.atom").unwrap()));
    topics.tell("ecole", "trois").await;
    topics.publish(Archives::Later).await;
    assert_eq!(there(), [true, false], "what is beside a document is of that document");
}

#[tokio::test]
async fn a_publication_chooses_related_news_for_all_stories_that_wait_for_it() {
    let topics = TwoTopics::new().await;
    let wait = |store: &mut dyn crate::store::Store| store.apply(&[Change::Unrelated(vec![1, 2, 99])], None);
    assert_eq!(topics.context.store.call(wait).await.unwrap(), Applied::Kept);
    topics.publish(Archives::Changed).await;
    let look = |store: &mut dyn crate::store::Store| {
        let chosen = store.unrelated("ecole", Some((chrono::DateTime::UNIX_EPOCH, 0)), 9)?;
        Ok((store.outline(&[], 0)?.unrelated, chosen.into_iter().map(|(_, is_chosen)| is_chosen).collect::<Vec<_>>()))
    };
    let (waiting, chosen) = topics.context.store.call(look).await.unwrap();
    assert_eq!((waiting, chosen), (vec![], vec![true]), "one of them is no longer there");
}
