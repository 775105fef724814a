//! The texts of the search page, in the languages that ship.

use crate::config::Language;

/// The words of one language.
#[derive(Debug)]
pub(super) struct SearchWords {
    pub(super) title: &'static str,
    pub(super) label: &'static str,
    pub(super) button: &'static str,
    pub(super) topic: &'static str,
    pub(super) all_topics: &'static str,
    /// How to ask.
    pub(super) hint: &'static str,
    /// Counts the stories found.
    pub(super) found: fn(usize) -> String,
    /// Names the first month that is searched.
    pub(super) since: fn(&str) -> String,
    /// Says that older months are still being taken in.
    pub(super) partial: &'static str,
    /// Says, among static files, that there is no search.
    pub(super) needs_server: &'static str,
    pub(super) too_long: &'static str,
    pub(super) unreadable: &'static str,
    pub(super) previous: &'static str,
    pub(super) next: &'static str,
    /// Says which page of how many this is.
    pub(super) page: fn(usize, usize) -> String,
    /// Names what the search is about, for browsers.
    pub(super) described: fn(&str) -> String,
}

pub(super) fn search_words(language: Language) -> &'static SearchWords {
    match language {
        Language::French => &FRENCH,
        Language::English => &ENGLISH,
    }
}

static FRENCH: SearchWords = SearchWords {
    title: "Chercher",
    label: "Mots cherchés",
    button: "Chercher",
    topic: "Dans",
    all_topics: "tous les fils",
    hint: "Tous les mots doivent y être, sans égard aux accents, au pluriel ni au féminin. Entre guillemets, ils se suivent.",
    found: |count| match count {
        0 => "Aucune nouvelle trouvée.".to_owned(),
        1 => "1 nouvelle trouvée.".to_owned(),
        count => format!("{count} nouvelles trouvées."),
    },
    since: |month| format!("Nouvelles cherchées\u{a0}: depuis {month}."),
    partial: "Les mois plus anciens arrivent\u{a0}: la recherche se prépare.",
    needs_server: "Ces pages sont de simples fichiers\u{a0}: pour chercher, il faut que veille les serve elle-même.",
    too_long: "C’est trop long\u{a0}: 32 mots et 400 caractères au plus.",
    unreadable: "Cette recherche n’a pas été comprise.",
    previous: "Page précédente",
    next: "Page suivante",
    page: |page, pages| format!("page {page} sur {pages}"),
    described: |site| format!("Chercher dans les nouvelles de {site}"),
};

static ENGLISH: SearchWords = SearchWords {
    title: "Search",
    label: "Words to search for",
    button: "Search",
    topic: "In",
    all_topics: "all topics",
    hint: "All words have to be there; accents and plurals do not matter. In quotes, they follow one another.",
    found: |count| match count {
        0 => "No story found.".to_owned(),
        1 => "1 story found.".to_owned(),
        count => format!("{count} stories found."),
    },
    since: |month| format!("Searched: stories since {month}."),
    partial: "Older months are on their way: the search is being made ready.",
    needs_server: "These pages are plain files: searching needs veille itself to serve them.",
    too_long: "This is too long: at most 32 words and 400 characters.",
    unreadable: "This search was not understood.",
    previous: "Previous page",
    next: "Next page",
    page: |page, pages| format!("page {page} of {pages}"),
    described: |site| format!("Search the news of {site}"),
};
