//! A story as every format shows it: each field legal, dated, credited, never half empty.
//!
//! Formats only arrange what is found here. Nothing is invented: what a publisher left out is taken from what it did
//! say elsewhere, or left out.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use url::Url;

use crate::config::Site;
use crate::feed::{Category, Comments, Enclosure, Image, Person, Timestamp};
use crate::publish::channel::language_tag;
use crate::publish::{Credit, Edition, Selection, dates, id, legal};
use crate::story::Story;
use crate::text::{self, Folding};
use crate::topic::{self, Topic};

/// Length of a title that is made from the text, in characters.
const MADE_TITLE_MAX: usize = 80;

/// A story, ready for any format.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: String,
    /// Plain text on one line, never empty.
    pub(super) title: String,
    pub(super) url: Option<String>,
    pub(super) published: Timestamp,
    /// When readers of the main document see it; see [`Story::placed`].
    pub(super) placed: Timestamp,
    /// Not before `published`.
    pub(super) updated: Timestamp,
    /// Only if it is not the site's.
    pub(super) language: Option<String>,
    /// Each with a name; never empty.
    pub(super) authors: Vec<Person>,
    /// Each with a scheme, none twice; the topic is the last.
    pub(super) categories: Vec<Category>,
    /// HTML, not blank.
    pub(super) summary: Option<String>,
    /// HTML, not blank, not the summary.
    pub(super) content: Option<String>,
    /// None twice.
    pub(super) enclosures: Vec<Enclosure>,
    /// Its picture, at an address of the web.
    pub(super) image: Option<Image>,
    pub(super) comments: Comments,
    pub(super) rights: Option<String>,
    /// Other tellings of the story.
    pub(super) elsewhere: Vec<Link>,
    /// Earlier news on the same subject, best first.
    pub(super) related: Vec<Link>,
    /// The feed that the publisher says it copied the entry from.
    pub(super) via: Option<Link>,
    pub(super) source: Attribution,
    /// The terms that brought it into the topic, as the editor wrote them.
    pub(super) why: Vec<String>,
    /// The points that it reached there.
    pub(super) score: f64,
}

/// A page elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) url: String,
    pub(super) title: Option<String>,
    /// The title of the source that it is from, of another telling.
    pub(super) teller: Option<String>,
}

/// The source of a story's head.
#[derive(Debug)]
pub(super) struct Attribution {
    /// Its id in the config.
    pub(super) source_id: String,
    /// An absolute IRI.
    pub(super) id: String,
    /// Never empty.
    pub(super) title: String,
    /// Its feed.
    pub(super) url: Option<String>,
    /// Its site.
    pub(super) site: Option<String>,
    pub(super) authors: Vec<Person>,
    pub(super) rights: Option<String>,
}

/// Returns the items of a topic's main document: at most `publish.entries`, no id twice.
pub(super) fn items(edition: &Edition<'_>, selection: &Selection<'_>) -> Vec<Item> {
    distinct(edition, selection.topic, &selection.stories).take(edition.settings.entries).collect()
}

/// Returns the items of stories, no id twice.
fn distinct<'a>(edition: &'a Edition<'_>, topic: &'a Topic, stories: &'a [Story]) -> impl Iterator<Item = Item> + 'a {
    let mut ids = HashSet::new();
    stories.iter().map(|story| item(edition, topic, story)).filter(move |item| ids.insert(item.id.clone()))
}

/// Returns a story as every format shows it, without what is hidden.
pub(super) fn item(edition: &Edition<'_>, topic: &Topic, story: &Story) -> Item {
    edition.hidden.hide(as_told(edition, topic, story))
}

fn as_told(edition: &Edition<'_>, topic: &Topic, story: &Story) -> Item {
    let entry = &story.head.entry;
    let source = attribution(edition, &story.head.source_id);
    let (summary, content) = texts(edition, story);
    let url = entry.url.as_ref().and_then(|url| page(edition, url));
    let title = entry.title.as_deref().and_then(legal::readable_line);
    Item {
        id: id::published_id(&edition.hidden.id(&story.head.atom_id)),
        title: title.unwrap_or_else(|| made_title([&summary, &content], url.as_deref(), &source.title)),
        published: story.head.date,
        placed: story.placed,
        updated: dates::updated(&story.head),
        language: foreign(edition.site, entry.language.as_deref()),
        authors: authors(&entry.authors, &source),
        categories: categories(edition, topic, story),
        enclosures: enclosures(&entry.enclosures),
        image: entry.image.as_ref().and_then(image),
        comments: comments(edition, &entry.comments),
        rights: entry.rights.as_deref().and_then(legal::label),
        elsewhere: elsewhere(edition, story, url.as_deref()),
        related: related(edition, story, url.as_deref()),
        via: entry.origin.as_ref().and_then(|origin| {
            let url = origin.url.as_ref().and_then(legal::link)?;
            Some(Link { url, title: origin.title.as_deref().and_then(legal::label), teller: None })
        }),
        why: why(story),
        score: story.label.score,
        summary,
        content,
        url,
        source,
    }
}

/// Returns what a source is credited with.
pub(super) fn attribution(edition: &Edition<'_>, source_id: &str) -> Attribution {
    let id_in_config = source_id.to_owned();
    let own_id = || format!("{}#{}", legal::iri(edition.site.url.as_str()), legal::iri(source_id));
    let Some(credit) = edition.sources.get(source_id) else {
        // Gone from the config and not remembered: its id is all that is known.
        let id = own_id();
        let title = legal::label(source_id).unwrap_or_else(|| id.clone());
        let (authors, rights) = (Vec::new(), None);
        return Attribution { source_id: id_in_config, id, title, url: None, site: None, authors, rights };
    };
    let Credit { title, url, about, .. } = credit;
    let title = title.as_deref().or(about.title.as_deref()).and_then(legal::label);
    if credit.is_private() {
        let hidden = &edition.hidden;
        return Attribution {
            source_id: id_in_config,
            id: own_id(),
            title: hidden.text(&title.unwrap_or_else(|| source_id.to_owned())),
            url: None,
            site: about.url.clone().and_then(|url| hidden.url(url)).as_ref().and_then(legal::link),
            authors: about.authors.iter().filter_map(person).map(|person| hidden.person(person)).collect(),
            rights: about.rights.as_deref().and_then(legal::label).map(|rights| hidden.text(&rights)),
        };
    }
    let address = legal::iri(url.as_str());
    Attribution {
        source_id: id_in_config,
        id: about.id.as_deref().and_then(text::normal_iri).unwrap_or_else(|| id::published_id(&address)),
        title: title.or_else(|| url.host_str().map(str::to_owned)).unwrap_or(address),
        url: legal::link(url),
        site: about.url.as_ref().and_then(legal::link),
        authors: about.authors.iter().filter_map(person).collect(),
        rights: about.rights.as_deref().and_then(legal::label),
    }
}

/// The address of a page, as readers get it.
fn page(edition: &Edition<'_>, url: &Url) -> Option<String> {
    if edition.settings.clean_links { legal::link(&text::without_tracking(url)) } else { legal::link(url) }
}

fn comments(edition: &Edition<'_>, comments: &Comments) -> Comments {
    let clean = |url: &Url| text::without_tracking(url).into_owned();
    let url = comments.url.as_ref().map(|url| if edition.settings.clean_links { clean(url) } else { url.clone() });
    Comments { url, ..comments.clone() }
}

/// The best texts of a story, without what blog software puts under each; blank ones are none, and the same twice is once.
fn texts(edition: &Edition<'_>, story: &Story) -> (Option<String>, Option<String>) {
    let entry = &story.head.entry;
    let (summary, content) = story.text.clone().unwrap_or_else(|| (entry.summary.clone(), entry.content.clone()));
    // The text may be another telling's, under its own title.
    let titles: BTreeSet<String> =
        story.tellings.iter().filter_map(|told| Some(text::one_line(told.title.as_deref()?))).collect();
    let legal = |html: String| {
        let mut html = legal::characters(html.trim()).into_owned();
        for title in titles.iter().map(String::as_str).chain([""]) {
            if let Cow::Owned(shorter) = text::without_boilerplate_in_html(&html, title) {
                html = shorter;
            }
        }
        if edition.settings.clean_links
            && let Cow::Owned(clean) = text::without_tracking_in_html(&html)
        {
            html = clean;
        }
        Some(html).filter(|html| !html.is_empty())
    };
    let (summary, content) = (summary.and_then(legal), content.and_then(legal));
    if summary == content { (None, content) } else { (summary, content) }
}

/// A title made from the first words of the text, else from the link, else from the source.
fn made_title(texts: [&Option<String>; 2], url: Option<&str>, source: &str) -> String {
    let text = texts.into_iter().flatten().find_map(|html| legal::readable_line(&text::html_to_text(html)));
    text.map_or_else(|| url.unwrap_or(source).to_owned(), |text| legal::beginning(&text, MADE_TITLE_MAX))
}

fn foreign(site: &Site, language: Option<&str>) -> Option<String> {
    let tag = language.and_then(legal::language_code)?;
    let primary = tag.split('-').next().unwrap_or_default();
    (!primary.eq_ignore_ascii_case(language_tag(site.language))).then_some(tag)
}

fn authors(entry: &[Person], source: &Attribution) -> Vec<Person> {
    let own: Vec<Person> = entry.iter().filter_map(person).collect();
    if !own.is_empty() {
        own
    } else if source.authors.is_empty() {
        vec![Person { name: Some(source.title.clone()), email: None, uri: source.site.clone() }]
    } else {
        source.authors.clone()
    }
}

/// A person with a name: if none is given, what stands before the `@`, else the address of the page.
fn person(person: &Person) -> Option<Person> {
    let email = person.email.as_deref().and_then(legal::email);
    let uri = person.uri.as_deref().and_then(legal::page_address);
    let name = person.name.as_deref().and_then(legal::label).filter(|name| !name.contains('@'));
    let local = email.as_deref().and_then(|email| email.split('@').next()).map(str::to_owned);
    let name = name.or(local).or_else(|| uri.clone())?;
    Some(Person { name: Some(name), email, uri })
}

/// The publishers' tags of every telling, then the topic.
///
/// A tag without a scheme gets the address of the feed that uses it: tags of two publishers are not one list.
fn categories(edition: &Edition<'_>, topic: &Topic, story: &Story) -> Vec<Category> {
    let head = story.head.entry.categories.iter().map(|category| (&story.head.source_id, category));
    let others = story
        .tellings
        .iter()
        .flat_map(|telling| telling.categories.iter().map(move |category| (&telling.source_id, category)));
    let tags = head.chain(others).filter_map(|(source_id, category)| {
        let feed = match edition.sources.get(source_id) {
            Some(credit) if credit.is_private() => attribution(edition, source_id).id,
            Some(credit) => legal::iri(credit.url.as_str()),
            None => legal::iri(edition.site.url.as_str()),
        };
        let scheme = category.scheme.as_deref().and_then(text::normal_iri);
        Some(Category {
            term: legal::label(&category.term)?,
            scheme: scheme.or(Some(feed)),
            label: category.label.as_deref().and_then(legal::label).filter(|label| *label != category.term),
        })
    });
    let topic = Category {
        term: topic.id.clone(),
        scheme: Some(topics_scheme(edition.site)),
        label: legal::label(&topic.title),
    };
    let mut seen = HashSet::new();
    tags.chain([topic]).filter(|tag| seen.insert((tag.term.clone(), tag.scheme.clone()))).collect()
}

/// The list that our topics are from: the home page, which shows it.
fn topics_scheme(site: &Site) -> String {
    legal::iri(site.url.as_str())
}

fn enclosures(enclosures: &[Enclosure]) -> Vec<Enclosure> {
    let mut seen = HashSet::new();
    let legal = enclosures.iter().filter(|enclosure| legal::link(&enclosure.url).is_some_and(|url| seen.insert(url)));
    legal
        .map(|enclosure| Enclosure {
            media_type: enclosure.media_type.as_deref().and_then(legal::media_type),
            title: enclosure.title.as_deref().and_then(legal::title),
            ..enclosure.clone()
        })
        .collect()
}

fn image(image: &Image) -> Option<Image> {
    let is_web = legal::link(&image.url).is_some() && matches!(image.url.scheme(), "http" | "https");
    is_web.then(|| Image { alt: image.alt.as_deref().and_then(legal::title), ..image.clone() })
}

fn elsewhere(edition: &Edition<'_>, story: &Story, own: Option<&str>) -> Vec<Link> {
    let mut seen: HashSet<String> = own.map(str::to_owned).into_iter().collect();
    let mut pages: HashSet<&str> = story.head.canonical_link.as_deref().into_iter().collect();
    // Further tellings by the story's own source are not "elsewhere".
    let tellings = story.tellings.iter().filter(|telling| telling.source_id != story.head.source_id);
    let others = tellings.filter_map(|telling| {
        let url = telling.url.as_ref().and_then(|url| page(edition, url)).filter(|url| seen.insert(url.clone()))?;
        // One page under two addresses is one telling: the addresses differ only in how readers came.
        if !telling.canonical_link.as_deref().is_none_or(|page| pages.insert(page)) {
            return None;
        }
        let source = attribution(edition, &telling.source_id).title;
        let own = story.head.entry.title.as_deref();
        let title = match telling.title.as_deref().filter(|title| Some(*title) != own).and_then(legal::title) {
            Some(title) => legal::readable_line(&format!("{source} – {title}")),
            None => Some(source.clone()),
        };
        Some(Link { url, title, teller: Some(source) })
    });
    others.collect()
}

/// Returns the related links to pages that are not linked already.
fn related(edition: &Edition<'_>, story: &Story, own: Option<&str>) -> Vec<Link> {
    let told = story.tellings.iter().filter_map(|telling| page(edition, telling.url.as_ref()?));
    let mut seen: HashSet<String> = told.chain(own.map(str::to_owned)).collect();
    let links = story.related.iter().filter_map(|related| {
        let url = page(edition, related.url.as_ref()?).filter(|url| seen.insert(url.clone()))?;
        Some(Link { url, title: related.title.as_deref().and_then(legal::title), teller: None })
    });
    links.take(edition.settings.related).collect()
}

/// Returns the terms that spoke for a story; of several spellings of one (`open source`, `opensource`) the first.
fn why(story: &Story) -> Vec<String> {
    let mut seen = HashSet::new();
    let helpful = story.label.reasons.iter().filter(|reason| reason.points > 0.0);
    let terms = helpful.flat_map(|reason| &reason.terms).filter_map(|term| legal::label(&topic::shown_term(term)));
    terms.filter(|term| seen.insert(spelt_as_one(term))).collect()
}

/// Returns a term without all that tells spellings apart: case, accents, hyphens, blanks, the plural of its words.
fn spelt_as_one(term: &str) -> String {
    let words = term.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let joined: String = words.map(|word| Folding::French.root(&text::fold(word)).into_owned()).collect();
    if joined.is_empty() { term.to_owned() } else { joined }
}

#[cfg(test)]
mod tests;
