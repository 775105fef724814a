//! The texts of our pages, in the languages that ship.

use chrono::{Datelike, NaiveDate};

use crate::config::Language;
use crate::outage::Lack;
use crate::publish::legal;
use crate::state::{Health, Turn};
use crate::text::vocabulary;

/// The words of one language.
pub(super) struct Words {
    /// A BCP 47 tag.
    pub(super) tag: &'static str,
    pub(super) skip: &'static str,
    pub(super) nothing: &'static str,
    pub(super) elsewhere: &'static str,
    pub(super) related: &'static str,
    pub(super) made_from: &'static str,
    pub(super) sources: &'static str,
    pub(super) all_feeds: &'static str,
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
    /// The words of pages alone.
    pub(super) page: PageWords,
}

/// The words of one language that only pages need.
pub(super) struct PageWords {
    pub(super) today: &'static str,
    pub(super) yesterday: &'static str,
    /// Writes a day with its weekday (from 0, Monday first): weekday, day, month from 0, year if it is to be told.
    pub(super) weekday: fn(usize, u32, usize, Option<i32>) -> String,
    /// Writes an hour in a sentence.
    pub(super) at_hour: fn(u32, u32) -> String,
    /// Says what the site is: the number of its sources.
    pub(super) lead: fn(usize) -> String,
    /// Says how many stories of seven days there are.
    pub(super) week: fn(u64) -> String,
    /// Says when the last story came: a day and an hour.
    pub(super) last_came: fn(&str, &str) -> String,
    pub(super) topics: &'static str,
    /// After a number of stories.
    pub(super) in_a_week: &'static str,
    pub(super) by_week: &'static str,
    pub(super) by_day: &'static str,
    pub(super) by_month: &'static str,
    /// Tells a plot: the number of all stories, and the most of one bar.
    pub(super) plot: fn(u64, u64) -> String,
    pub(super) figures: &'static str,
    pub(super) week_column: &'static str,
    pub(super) stories_column: &'static str,
    pub(super) source_column: &'static str,
    pub(super) share_column: &'static str,
    pub(super) who_tells: &'static str,
    /// Stands for a number of further sources.
    pub(super) other_sources: fn(usize) -> String,
    /// Opens earlier stories, by their number.
    pub(super) earlier: fn(usize) -> String,
    pub(super) goes_on: &'static str,
    pub(super) why: &'static str,
    pub(super) tags: &'static str,
    /// Names the lasting address of a story.
    pub(super) lasting: &'static str,
    /// The folder of the page on subscribing; a part of its address.
    pub(super) subscribe_folder: &'static str,
    pub(super) subscribe: &'static str,
    pub(super) subscribe_to: fn(&str) -> String,
    pub(super) is_a_feed: &'static str,
    pub(super) address: &'static str,
    pub(super) selects: &'static str,
    pub(super) readers: &'static str,
    pub(super) to_the_news: &'static str,
    pub(super) other_ways: &'static str,
    pub(super) as_rss: &'static str,
    pub(super) as_json: &'static str,
    pub(super) as_opml: &'static str,
    pub(super) opml_file: &'static str,
    /// Says that the news is posted from an account of this server.
    pub(super) on_mastodon: &'static str,
    pub(super) by_mail: &'static str,
    pub(super) ask_for_mail: &'static str,
    pub(super) sources: &'static str,
    pub(super) sources_lead: &'static str,
    /// Names a plot of stories by weekday.
    pub(super) rhythm: &'static str,
    /// Tells it, from Monday on.
    pub(super) rhythm_told: fn(&[u64; 7]) -> String,
    /// Writes a part in per cent; `None` for less than one.
    pub(super) percent: fn(Option<u64>) -> String,
    /// The part of all stories of a year that a source told, in per cent; `None` for less than one.
    pub(super) share: fn(Option<u64>) -> String,
    /// Tells the stories of a source in a year, and their share.
    pub(super) in_a_year: fn(u64, &str) -> String,
    pub(super) last_story: &'static str,
    pub(super) none_taken: &'static str,
    pub(super) its_site: &'static str,
    pub(super) health: &'static str,
    pub(super) is_well: &'static str,
    pub(super) is_unread: &'static str,
    pub(super) has_moved: &'static str,
    pub(super) not_found: &'static str,
    pub(super) not_found_told: &'static str,
    pub(super) later: &'static str,
    pub(super) later_told: &'static str,
    pub(super) search: &'static str,
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
    elsewhere: "Aussi chez\u{a0}:",
    related: "Sur le même sujet\u{a0}:",
    made_from: "Fait par veille à partir de",
    sources: "ces sources",
    all_feeds: "tous les flux (OPML)",
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
    },
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
    page: PageWords {
        today: "Aujourd’hui",
        yesterday: "Hier",
        weekday: |weekday, day, month, year| {
            let weekday = vocabulary::FRENCH.weekdays.get(weekday).unwrap_or(&"");
            let ordinal = if day == 1 { "er" } else { "" };
            let month = vocabulary::FRENCH.months.get(month).unwrap_or(&"");
            let year = year.map(|year| format!(" {year}")).unwrap_or_default();
            format!("{weekday} {day}{ordinal}\u{a0}{month}{year}")
        },
        at_hour: |hour, minute| format!("{hour}\u{a0}h\u{a0}{minute:02}"),
        lead: |sources| match sources {
            0..=1 => "Les nouvelles d’une source, chacune une fois, rangées par fils.".to_owned(),
            _ => format!("Les nouvelles de {sources} sources, chacune une fois, rangées par fils."),
        },
        week: |stories| match stories {
            0 => "Rien de nouveau depuis sept jours".to_owned(),
            1 => "Une nouvelle en sept jours".to_owned(),
            _ => format!("{stories} nouvelles en sept jours"),
        },
        last_came: |day, hour| format!("la dernière arrivée {day} à {hour}"),
        topics: "Fils",
        in_a_week: "en sept jours",
        by_week: "Par semaine, sur un an",
        by_day: "Par jour",
        by_month: "Par mois",
        plot: |all, most| format!("{all} en tout, {most} au plus"),
        figures: "En chiffres",
        week_column: "Semaine du",
        stories_column: "Nouvelles",
        source_column: "Source",
        share_column: "Part",
        who_tells: "Qui en parle",
        other_sources: |sources| match sources {
            1 => "une autre".to_owned(),
            _ => format!("{sources} autres"),
        },
        earlier: |stories| match stories {
            1 => "Une nouvelle plus ancienne".to_owned(),
            _ => format!("{stories} nouvelles plus anciennes"),
        },
        goes_on: "La suite est dans les archives.",
        why: "Pourquoi ici",
        tags: "Mots-clés de l’éditeur\u{a0}:",
        lasting: "lien durable",
        subscribe_folder: "abonnement",
        subscribe: "S’abonner",
        subscribe_to: |title| format!("S’abonner à «\u{a0}{title}\u{a0}»"),
        is_a_feed: "Ceci est un flux\u{a0}: une adresse pour un lecteur de flux, qui y cherche les nouvelles à votre place.",
        address: "L’adresse du flux",
        selects: "Un clic la sélectionne en entier.",
        readers: "Un lecteur de flux est une application ou un site, comme Thunderbird, NetNewsWire, Feeder, Miniflux ou \
                  Feedly. Copiez l’adresse, ouvrez-le, choisissez «\u{a0}Ajouter un abonnement\u{a0}» et collez-la. Il vous \
                  montrera chaque nouvelle une fois, sans compte ici, sans publicité et sans que personne ne vous suive.",
        to_the_news: "Lire les nouvelles de ce fil",
        other_ways: "Autrement",
        as_rss: "Le même flux en RSS 2.0, pour un lecteur qui ne connaît pas Atom",
        as_json: "Le même flux en JSON, pour un programme",
        as_opml: "Tous les fils d’un coup\u{a0}: un fichier OPML, que les lecteurs savent importer",
        opml_file: "Télécharger le fichier OPML",
        on_mastodon: "Ces nouvelles sont aussi publiées sur Mastodon, depuis un compte de",
        by_mail: "Ces nouvelles partent aussi par courriel.",
        ask_for_mail: "Demander à les recevoir",
        sources: "Sources",
        sources_lead: "Qui est lu ici, ce que chacun apporte aux fils depuis un an, et comment chacun va.",
        rhythm: "Rythme de la semaine",
        rhythm_told: |weekdays| told(weekdays, &vocabulary::FRENCH.weekdays),
        percent: |percent| match percent {
            None => "<\u{a0}1\u{202f}%".to_owned(),
            Some(percent) => format!("{percent}\u{202f}%"),
        },
        share: |percent| match percent {
            None => "moins de 1\u{202f}% des nouvelles".to_owned(),
            Some(percent) => format!("{percent}\u{202f}% des nouvelles"),
        },
        in_a_year: |stories, share| match stories {
            1 => format!("une nouvelle en un an, {share} du total"),
            _ => format!("{stories} nouvelles en un an, {share} du total"),
        },
        last_story: "dernière\u{a0}:",
        none_taken: "rien dans les fils depuis un an",
        its_site: "site",
        health: "Comment elle va",
        is_well: "Elle répond et se lit sans difficulté.",
        is_unread: "Elle n’a pas encore été lue.",
        has_moved: "Nouvelle adresse de son flux\u{a0}:",
        not_found: "Rien à cette adresse",
        not_found_told: "La page a pu changer d’adresse, ou n’a jamais existé. Voici ce qui se publie ici\u{a0}:",
        later: "Revenez dans un instant",
        later_told: "Cette page manque pour le moment\u{a0}; elle sera bientôt de retour. En attendant\u{a0}:",
        search: "Chercher dans les nouvelles",
    },
};

static ENGLISH: Words = Words {
    tag: "en",
    skip: "Skip to the news",
    nothing: "Nothing yet.",
    elsewhere: "Also at:",
    related: "On the same subject:",
    made_from: "Made by veille from",
    sources: "these sources",
    all_feeds: "all feeds (OPML)",
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
    },
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
    page: PageWords {
        today: "Today",
        yesterday: "Yesterday",
        weekday: |weekday, day, month, year| {
            let weekday = vocabulary::ENGLISH.weekdays.get(weekday).unwrap_or(&"");
            let month = vocabulary::ENGLISH.months.get(month).unwrap_or(&"");
            let year = year.map(|year| format!(" {year}")).unwrap_or_default();
            format!("{weekday} {day}\u{a0}{month}{year}")
        },
        at_hour: |hour, minute| format!("{hour}:{minute:02}"),
        lead: |sources| match sources {
            0..=1 => "The news of one source, each story once, by topic.".to_owned(),
            _ => format!("The news of {sources} sources, each story once, by topic."),
        },
        week: |stories| match stories {
            0 => "Nothing new for seven days".to_owned(),
            1 => "One story in seven days".to_owned(),
            _ => format!("{stories} stories in seven days"),
        },
        last_came: |day, hour| format!("the last came {day} at {hour}"),
        topics: "Topics",
        in_a_week: "in seven days",
        by_week: "By week, for a year",
        by_day: "By day",
        by_month: "By month",
        plot: |all, most| format!("{all} in all, {most} at most"),
        figures: "In figures",
        week_column: "Week of",
        stories_column: "Stories",
        source_column: "Source",
        share_column: "Share",
        who_tells: "Who tells it",
        other_sources: |sources| match sources {
            1 => "one other".to_owned(),
            _ => format!("{sources} others"),
        },
        earlier: |stories| match stories {
            1 => "One earlier story".to_owned(),
            _ => format!("{stories} earlier stories"),
        },
        goes_on: "It goes on in the archive.",
        why: "Why it is here",
        tags: "The publisher’s tags:",
        lasting: "lasting link",
        subscribe_folder: "subscribe",
        subscribe: "Subscribe",
        subscribe_to: |title| format!("Subscribe to “{title}”"),
        is_a_feed: "This is a feed: an address for a feed reader, which looks for the news there in your place.",
        address: "The feed’s address",
        selects: "One click selects all of it.",
        readers: "A feed reader is an app or a site, such as Thunderbird, NetNewsWire, Feeder, Miniflux or Feedly. Copy the \
                  address, open the reader, choose “Add a subscription” and paste it. It shows you each story once, without an \
                  account here, without advertising, and nobody follows you.",
        to_the_news: "Read the news of this topic",
        other_ways: "Other ways",
        as_rss: "The same feed as RSS 2.0, for a reader that does not know Atom",
        as_json: "The same feed as JSON, for a program",
        as_opml: "All topics at once: an OPML file, which readers can import",
        opml_file: "Download the OPML file",
        on_mastodon: "This news is also posted on Mastodon, from an account of",
        by_mail: "This news is also sent by mail.",
        ask_for_mail: "Ask for it",
        sources: "Sources",
        sources_lead: "Who is read here, what each has brought to the topics for a year, and how each is.",
        rhythm: "Rhythm of the week",
        rhythm_told: |weekdays| told(weekdays, &vocabulary::ENGLISH.weekdays),
        percent: |percent| match percent {
            None => "<1%".to_owned(),
            Some(percent) => format!("{percent}%"),
        },
        share: |percent| match percent {
            None => "less than 1% of the stories".to_owned(),
            Some(percent) => format!("{percent}% of the stories"),
        },
        in_a_year: |stories, share| match stories {
            1 => format!("one story in a year, {share} of all"),
            _ => format!("{stories} stories in a year, {share} of all"),
        },
        last_story: "last:",
        none_taken: "nothing in the topics for a year",
        its_site: "site",
        health: "How it is",
        is_well: "It answers and can be read.",
        is_unread: "It has not been read yet.",
        has_moved: "New address of its feed:",
        not_found: "Nothing at this address",
        not_found_told: "The page may have moved, or was never there. This is what is published here:",
        later: "Come back in a moment",
        later_told: "This page is missing for now; it will be back soon. Meanwhile:",
        search: "Search the news",
    },
};

/// Tells numbers by weekday: `monday 3, tuesday 5`.
fn told(numbers: &[u64; 7], weekdays: &[&str; 7]) -> String {
    let told: Vec<String> = weekdays.iter().zip(numbers).map(|(day, number)| format!("{day} {number}")).collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Monitored;

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
