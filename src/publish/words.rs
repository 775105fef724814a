//! The texts of our pages, in the languages that ship.

use chrono::{Datelike, NaiveDate};

use crate::config::Language;
use crate::outage::Lack;
use crate::publish::legal;
use crate::state::{Health, Monitored, Turn};
use crate::text::vocabulary;

/// The words of one language.
pub(super) struct Words {
    /// A BCP 47 tag.
    pub(super) tag: &'static str,
    pub(super) skip: &'static str,
    pub(super) nothing: &'static str,
    pub(super) subscribe: &'static str,
    pub(super) why: &'static str,
    pub(super) elsewhere: &'static str,
    pub(super) related: &'static str,
    pub(super) made_from: &'static str,
    pub(super) sources: &'static str,
    pub(super) all_feeds: &'static str,
    pub(super) search: &'static str,
    pub(super) archive: &'static str,
    /// Before the name of a topic that has another address now.
    pub(super) moved: &'static str,
    pub(super) health_of_sources: &'static str,
    pub(super) in_trouble: &'static str,
    pub(super) its_feed: &'static str,
    pub(super) unread: &'static str,
    pub(super) in_order: &'static str,
    pub(super) hubs: &'static str,
    /// Between a source and what became of it.
    pub(super) colon: &'static str,
    /// Before the day of a silent source's last entry.
    pub(super) last_entry: &'static str,
    /// Says that a story was taken back.
    pub(super) withdrawn: &'static str,
    /// Says that a story is told with another, by its title if that has one.
    pub(super) joined: fn(Option<String>) -> String,
    /// Says what became of a source.
    pub(super) health: fn(Health) -> &'static str,
    /// A post, by its id.
    pub(super) post: fn(&str) -> String,
    /// Where operators learn why a post is in trouble: the reason itself may name servers.
    pub(super) post_advice: &'static str,
    /// Says what an outage means to readers.
    pub(super) outage: fn(Lack) -> &'static str,
    /// Between it and when it began.
    pub(super) since: &'static str,
    /// Writes a month: from 0, year.
    pub(super) month: fn(usize, i32) -> String,
    /// Writes a date: day, month from 0, year.
    pub(super) day: fn(u32, usize, i32) -> String,
    /// Names the comments, with their number if it is known.
    pub(super) comments: fn(Option<u64>) -> String,
    /// Counts new stories.
    pub(super) stories: fn(usize) -> String,
    pub(super) unsubscribe: &'static str,
    /// Says that a message is a trial.
    pub(super) trial: &'static str,
}

pub(super) fn words_in(language: Language) -> &'static Words {
    match language {
        Language::French => &FRENCH,
        Language::English => &ENGLISH,
    }
}

impl Words {
    /// Returns why something changed, in one line and its language: what servers and the system say is English.
    pub(super) fn detail(&self, turn: &Turn) -> Option<(String, &'static str)> {
        if let Monitored::Post(_) = turn.of {
            return (turn.health != Health::Recovered).then(|| (self.post_advice.to_owned(), self.tag));
        }
        let detail = turn.detail.as_deref()?;
        match NaiveDate::parse_from_str(detail, "%Y-%m-%d") {
            Ok(last) if turn.health == Health::Silent => {
                let day = (self.day)(last.day(), last.month0() as usize, last.year());
                Some((format!("{} {day}", self.last_entry), self.tag))
            }
            _ => legal::readable_line(detail).map(|line| (line, "en")),
        }
    }
}

static FRENCH: Words = Words {
    tag: "fr",
    skip: "Aller aux nouvelles",
    nothing: "Rien pour le moment.",
    subscribe: "S’abonner\u{a0}:",
    why: "Ici pour\u{a0}:",
    elsewhere: "Aussi chez\u{a0}:",
    related: "Sur le même sujet\u{a0}:",
    made_from: "Fait par veille à partir de",
    sources: "ces sources",
    all_feeds: "tous les flux (OPML)",
    search: "chercher",
    archive: "Archives",
    moved: "Ce fil a changé d’adresse. Le voici :",
    health_of_sources: "Santé des sources",
    in_trouble: "En difficulté",
    its_feed: "flux",
    unread: "Pas encore lues",
    in_order: "En ordre",
    hubs: "Annonces (WebSub)",
    colon: "\u{a0}:",
    last_entry: "Dernière nouvelle\u{a0}:",
    withdrawn: "Retiré par ceux qui l’avaient publié.",
    joined: |title| match title {
        Some(title) => format!("Même nouvelle que «\u{a0}{title}\u{a0}», qui la dit désormais."),
        None => "Même nouvelle qu’une autre, qui la dit désormais.".to_owned(),
    },
    health: |health| match health {
        Health::Recovered => "de nouveau en ordre",
        Health::Silent => "muette depuis bien plus longtemps que d’habitude",
        Health::Unreachable => "ne répond plus",
        Health::Unreadable => "illisible",
        Health::Gone => "supprimée par son éditeur",
        Health::Moved => "a changé d’adresse",
        Health::Invalid => "contient des erreurs, la dernière version correcte reste en vigueur",
        Health::Lacking => "en panne",
        Health::Refused => "refusé, rien ne part avant une correction",
    },
    post: |id| format!("Envois «\u{a0}{id}\u{a0}»"),
    post_advice: "« veille feeds » et le journal disent pourquoi.",
    outage: |lack| match lack {
        Lack::Network => "Ce site est coupé d’Internet\u{a0}: les nouvelles attendent",
        Lack::Resources => "Ce site manque de ressources\u{a0}: des nouvelles attendent",
        Lack::Store => "Ce site ne peut rien enregistrer\u{a0}: les nouvelles attendent",
        Lack::Folder => "Ce site ne peut écrire ses fichiers\u{a0}: certaines pages sont anciennes",
    },
    since: "depuis le",
    month: |month, year| format!("{} {year}", vocabulary::FRENCH.months.get(month).unwrap_or(&"")),
    day: |day, month, year| {
        let ordinal = if day == 1 { "er" } else { "" };
        format!("{day}{ordinal}\u{a0}{} {year}", vocabulary::FRENCH.months.get(month).unwrap_or(&""))
    },
    comments: |count| match count {
        None => "Commentaires".to_owned(),
        Some(count @ 0..=1) => format!("{count} commentaire"),
        Some(count) => format!("{count} commentaires"),
    },
    stories: |count| if count == 1 { "1 nouvelle".to_owned() } else { format!("{count} nouvelles") },
    unsubscribe: "Ne plus recevoir",
    trial: "Ceci est un essai.",
};

static ENGLISH: Words = Words {
    tag: "en",
    skip: "Skip to the news",
    nothing: "Nothing yet.",
    subscribe: "Subscribe:",
    why: "Here for:",
    elsewhere: "Also at:",
    related: "On the same subject:",
    made_from: "Made by veille from",
    sources: "these sources",
    all_feeds: "all feeds (OPML)",
    search: "search",
    archive: "Archive",
    moved: "This feed has another address now. Here it is:",
    health_of_sources: "Health of sources",
    in_trouble: "In trouble",
    its_feed: "feed",
    unread: "Not read yet",
    in_order: "In order",
    hubs: "Announcements (WebSub)",
    colon: ":",
    last_entry: "Last entry:",
    withdrawn: "Withdrawn by those who had published it.",
    joined: |title| match title {
        Some(title) => format!("The same news as “{title}”, which tells it from now on."),
        None => "The same news as another, which tells it from now on.".to_owned(),
    },
    health: |health| match health {
        Health::Recovered => "well again",
        Health::Silent => "silent for much longer than usual",
        Health::Unreachable => "does not answer",
        Health::Unreadable => "unreadable",
        Health::Gone => "withdrawn by its publisher",
        Health::Moved => "has a new address",
        Health::Invalid => "has mistakes, the last good one stays in force",
        Health::Lacking => "out of order",
        Health::Refused => "refused, nothing is sent until somebody corrects it",
    },
    post: |id| format!("Post “{id}”"),
    post_advice: "`veille feeds` and the log tell why.",
    outage: |lack| match lack {
        Lack::Network => "This site is cut off from the internet: news waits",
        Lack::Resources => "This site is short of resources: some news waits",
        Lack::Store => "This site can keep nothing: news waits",
        Lack::Folder => "This site cannot write its files: some pages are old",
    },
    since: "since",
    month: |month, year| format!("{} {year}", vocabulary::ENGLISH.months.get(month).unwrap_or(&"")),
    day: |day, month, year| format!("{day}\u{a0}{} {year}", vocabulary::ENGLISH.months.get(month).unwrap_or(&"")),
    comments: |count| match count {
        None => "Comments".to_owned(),
        Some(1) => "1 comment".to_owned(),
        Some(count) => format!("{count} comments"),
    },
    stories: |count| if count == 1 { "1 new story".to_owned() } else { format!("{count} new stories") },
    unsubscribe: "Unsubscribe",
    trial: "This is a trial.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_source_is_told_in_our_words_and_an_answer_of_a_server_in_its_own() {
        let turn = |health, detail: &str| Turn {
            of: Monitored::Source("a".into()),
            date: chrono::DateTime::UNIX_EPOCH,
            health,
            detail: Some(detail.into()),
        };
        let (silent, tag) = FRENCH.detail(&turn(Health::Silent, "2026-02-13")).unwrap();
        assert_eq!((&*silent.replace('\u{a0}', " "), tag), ("Dernière nouvelle : 13 février 2026", "fr"));
        assert_eq!(FRENCH.detail(&turn(Health::Gone, "410")), Some(("410".into(), "en")));
    }
}
