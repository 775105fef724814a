//! From a row of the outbox to the story that it tells, as documents show it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{NaiveDate, Utc};

use super::super::Context;
use super::super::publication::credits;
use crate::config::{Post, Target};
use crate::feed::{Entry, Timestamp};
use crate::outbox::{Letter, Notice, OutboxRow, StoryEvent};
use crate::post::{self, Dispatch};
use crate::publish::{self, Credit, Edition, Hidden};
use crate::store::{Part, StoreError};
use crate::story::{self, EntryKey, StoredEntry, Story, Told};
use crate::topic::{Boost, Label, Topic};

/// A story beside a topic, ready for any target.
pub(super) struct Printed {
    pub(super) topic: Topic,
    pub(super) story: Story,
    pub(super) notice: Notice,
}

/// Makes messages of stored stories. Sources are read when the first is made.
pub(super) struct Press<'a> {
    context: &'a Arc<Context>,
    credits: Option<BTreeMap<String, Credit>>,
}

impl<'a> Press<'a> {
    pub(super) fn new(context: &'a Arc<Context>) -> Self {
        Self { context, credits: None }
    }

    /// Returns the story of a row; `None` if no topic of the post shows it.
    pub(super) async fn print(&mut self, post: &Post, row: &OutboxRow) -> Result<Option<Printed>, StoreError> {
        let others = post.topics.iter().filter(|topic| **topic != row.topic);
        for topic in std::iter::once(&row.topic).filter(|topic| post.topics.contains(topic)).chain(others) {
            if let Some(printed) = self.of_topic(topic, row.told_as, row.event).await? {
                return Ok(Some(printed));
            }
        }
        Ok(None)
    }

    async fn of_topic(&mut self, topic: &str, number: i64, event: StoryEvent) -> Result<Option<Printed>, StoreError> {
        let Some(topic) = self.context.config.topics.iter().find(|known| known.id == topic).cloned() else {
            return Ok(None);
        };
        let id = topic.id.clone();
        let told = self.context.store.call(move |store| store.told(&id, &[number])).await?.pop();
        let told = told.map(|told| if event == StoryEvent::Withdrawn { as_it_stood(told, &topic.id) } else { told });
        match told.and_then(story::shown) {
            Some(story) => Ok(Some(self.printed(topic, story).await?)),
            None => Ok(None),
        }
    }

    /// Returns the newest story of a topic of the post; one that is made up if there is none.
    pub(super) async fn print_newest(&mut self, post: &Post) -> Result<Printed, StoreError> {
        for topic in &post.topics {
            let id = topic.clone();
            let newest = self.context.store.call(move |store| store.stories(&id, Part::Newest(1))).await?;
            if let Some((_, number)) = newest.first()
                && let Some(printed) = self.of_topic(topic, *number, StoryEvent::New).await?
            {
                return Ok(printed);
            }
        }
        let topics = &self.context.config.topics;
        let topic = topics.iter().find(|topic| post.topics.contains(&topic.id)).or(topics.first()).cloned();
        let topic = topic.unwrap_or_else(|| made_up_topic(&post.id));
        let story = made_up(&topic, self.context, Utc::now());
        self.printed(topic, story).await
    }

    async fn printed(&mut self, topic: Topic, story: Story) -> Result<Printed, StoreError> {
        if self.credits.is_none() {
            let states = self.context.store.call(|store| store.sources(None)).await?;
            let states: Vec<_> = states.into_iter().map(|known| known.state).collect();
            self.credits = Some(credits(&self.context.config, states, HashMap::new()));
        }
        let notice = self.with_edition(|edition| publish::notice(edition, &topic, &story));
        Ok(Printed { topic, story, notice })
    }

    fn with_edition<T>(&self, make: impl FnOnce(&Edition<'_>) -> T) -> T {
        let none = BTreeMap::new();
        let sources = self.credits.as_ref().unwrap_or(&none);
        make(&Edition {
            hidden: Hidden::of(sources.values()),
            site: &self.context.config.site,
            settings: &self.context.config.publish,
            sources,
            selections: Vec::new(),
            turns: &[],
            hubs: &[],
            config: None,
            posts: &[],
            today: NaiveDate::default(),
            outages: &[],
        })
    }

    pub(super) fn letter(&self, printed: &[Printed], unsubscribe: &str, is_trial: bool) -> Letter {
        let stories: Vec<(&Topic, &Story)> = printed.iter().map(|printed| (&printed.topic, &printed.story)).collect();
        self.with_edition(|edition| publish::letter(edition, &stories, unsubscribe, is_trial))
    }

    pub(super) fn trial_mark(&self) -> &'static str {
        self.with_edition(publish::trial_mark)
    }

    /// Returns a message as people would see it.
    pub(super) fn shown(&self, post: &Post, printed: &Printed, event: StoryEvent, now: Timestamp) -> String {
        if let Target::Mail { from, .. } = &post.target {
            let unsubscribe = post::unsubscribe(&self.context.config.site, &post.id, &from.address);
            let letter = self.letter(std::slice::from_ref(printed), &unsubscribe, false);
            return format!("{}\n\n{}", letter.subject, letter.text);
        }
        let notice = &printed.notice;
        let dispatch = Dispatch { post, notice, event, noted: now, remote: None, trial: None, now };
        post::preview(&dispatch, &post::usual_facts(&post.target))
    }

    /// Tells whether labels are being made, so that topics do not show yet what they will.
    pub(super) async fn is_relabelling(&self) -> Result<bool, StoreError> {
        let pulse = self.context.store.call(|store| store.pulse()).await?;
        Ok(pulse.relabelling.is_some() || pulse.unlabelled > 0 || pulse.rebuilt.is_some())
    }
}

/// A story that was withdrawn, as it stood before.
fn as_it_stood(mut told: Told, topic: &str) -> Told {
    for entry in &mut told.entries {
        entry.is_withdrawn = false;
    }
    if let Some(first) = told.entries.first_mut()
        && first.label.is_none()
    {
        first.label = Some(Label { topic: topic.to_owned(), score: 0.0, reasons: Vec::new() });
    }
    told
}

fn made_up_topic(id: &str) -> Topic {
    Topic {
        id: id.to_owned(),
        title: id.to_owned(),
        description: String::new(),
        threshold: 0.0,
        language: None,
        boost: Boost::default(),
        body_cap: 1,
        rules: Vec::new(),
        not: Vec::new(),
        source_bonus: BTreeMap::new(),
        sources: None,
        include: Vec::new(),
        exclude: Vec::new(),
    }
}

/// A story for a trial before the first one has come.
fn made_up(topic: &Topic, context: &Context, now: Timestamp) -> Story {
    let entry = Entry {
        title: Some(format!("{} – {}", context.config.site.title, topic.title)),
        url: Some(context.config.site.url.clone()),
        ..Entry::default()
    };
    let head = StoredEntry {
        number: 0,
        source_id: "veille".to_owned(),
        key: EntryKey([0; 16]),
        atom_id: format!("urn:veille:trial:{}", topic.id),
        story: 0,
        canonical_link: None,
        owns_guid: false,
        first_seen: now,
        date: now,
        changed: None,
        entry,
    };
    let label = Label { topic: topic.id.clone(), score: 0.0, reasons: Vec::new() };
    Story { number: 0, head, text: None, tellings: Vec::new(), label, related: Vec::new(), placed: now }
}
