//! What our pages say, in the languages that ship.

use crate::config::Language;

/// The words of one language.
pub(super) struct Words {
    /// A BCP 47 tag.
    pub(super) tag: &'static str,
    pub(super) skip: &'static str,
    pub(super) nothing: &'static str,
    pub(super) subscribe: &'static str,
    pub(super) why: &'static str,
    pub(super) elsewhere: &'static str,
    pub(super) made_from: &'static str,
    pub(super) sources: &'static str,
    pub(super) all_feeds: &'static str,
    /// Writes a date: day, month from 0, year.
    pub(super) day: fn(u32, usize, i32) -> String,
    /// Names the comments, with their number if it is known.
    pub(super) comments: fn(Option<u64>) -> String,
}

pub(super) fn of(language: Language) -> &'static Words {
    match language {
        Language::French => &FRENCH,
        Language::English => &ENGLISH,
    }
}

static FRENCH: Words = Words {
    tag: "fr",
    skip: "Aller aux nouvelles",
    nothing: "Rien pour le moment.",
    subscribe: "S’abonner\u{a0}:",
    why: "Ici pour\u{a0}:",
    elsewhere: "Aussi chez\u{a0}:",
    made_from: "Fait par veille à partir de",
    sources: "ces sources",
    all_feeds: "tous les flux (OPML)",
    day: |day, month, year| {
        let months = [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ];
        let ordinal = if day == 1 { "er" } else { "" };
        format!("{day}{ordinal}\u{a0}{} {year}", months.get(month).unwrap_or(&""))
    },
    comments: |count| match count {
        None => "Commentaires".to_owned(),
        Some(count @ 0..=1) => format!("{count} commentaire"),
        Some(count) => format!("{count} commentaires"),
    },
};

static ENGLISH: Words = Words {
    tag: "en",
    skip: "Skip to the news",
    nothing: "Nothing yet.",
    subscribe: "Subscribe:",
    why: "Here for:",
    elsewhere: "Also at:",
    made_from: "Made by veille from",
    sources: "these sources",
    all_feeds: "all feeds (OPML)",
    day: |day, month, year| {
        let months = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        format!("{day}\u{a0}{} {year}", months.get(month).unwrap_or(&""))
    },
    comments: |count| match count {
        None => "Comments".to_owned(),
        Some(1) => "1 comment".to_owned(),
        Some(count) => format!("{count} comments"),
    },
};
