//! From a tree of any dialect to one Atom 1.0 document that feed-rs reads right.
//!
//! feed-rs is exact about what is well made and loses the rest, whole or in silence: so each field is written for it in
//! the one form that it never misreads: plain titles, escaped HTML, absolute links, RFC 3339 dates, persons in elements.
//! The facts that it has no place for are written to the [`Feed`] that goes along.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::ops::Range;

use quick_xml::escape::escape;
use url::Url;

use super::media::{self, MediaFile};
use super::scan::{self, Place};
use super::xml::{Element, Ns};
use super::{Circumstances, dates, entity, html, persons};
use crate::feed::{Defect, Entry, Feed, Timestamp};
use crate::text::html_to_text;

/// Authors and tags kept of an entry, each.
const PARTS_MAX: usize = 100;

/// By how many bytes at least a content is longer than what is only a summary beside it.
const LENGTH_MIN: usize = 30;

/// Texts read of an entry, of each kind.
const TEXTS_MAX: usize = 2;

/// Dates noted as unreadable; a feed that has one has a thousand.
pub(super) const DEFECTS_MAX: usize = 20;

/// A feed that feed-rs can read, and the fields that it cannot give.
pub(super) struct Repaired {
    pub(super) document: String,
    /// The place of each entry in the document.
    pub(super) entries: Vec<Range<usize>>,
    /// Format, languages, rhythm, bases, comments and origins; as many entries as the document has.
    pub(super) feed: Feed,
}

/// Writes a document for feed-rs.
pub(super) fn repair(root: &Element<'_>, circumstances: Circumstances<'_>) -> Repaired {
    let is_atom = matches!(&*root.name, "feed" | "entry");
    let mut repair = Repair { circumstances, is_atom, out: String::new(), defects: Vec::new() };
    let outside = Place { document: circumstances.base.cloned(), ..Place::default() };
    let fields = scan::feed_fields(root);
    let outside = outside.known_by(&fields);
    let place = outside.inside(root);
    let mut feed = Feed {
        format: scan::format(root),
        language: scan::stated_language(&fields).or_else(|| place.language.clone()),
        rhythm: scan::rhythm(&fields),
        ..Feed::default()
    };
    let page = repair.write_feed(&fields, &place);
    // Atom says what relative addresses refer to (RFC 4287 §2). Those of RSS are meant to be of the site.
    let page = page.filter(|_| !is_atom);
    let mut entries = Vec::new();
    for (element, place) in scan::entry_elements(root, &outside) {
        let start = repair.out.len();
        let entry = repair.write_entry(element, &place, page.as_ref(), feed.language.as_deref());
        feed.entries.push(entry);
        entries.push(start..repair.out.len());
    }
    repair.out.push_str("</feed>");
    feed.defects = repair.defects;
    Repaired { document: repair.out, entries, feed }
}

struct Repair<'c> {
    circumstances: Circumstances<'c>,
    is_atom: bool,
    out: String,
    defects: Vec<Defect>,
}

impl Repair<'_> {
    /// Writes what speaks of the feed; returns its page.
    fn write_feed(&mut self, fields: &[&Element<'_>], place: &Place) -> Option<Url> {
        self.out.push_str("<feed xmlns=\"http://www.w3.org/2005/Atom\">");
        let base = place.reference();
        let page = page(fields, base);
        for link in fields.iter().filter(|field| field.is(Ns::Core, "link")) {
            for rel in ["self", "hub"].into_iter().filter(|rel| scan::is_rel(link, rel)) {
                if let Some(url) = link.attribute("href").and_then(|href| scan::resolve(href, base)) {
                    self.link(rel, &url);
                }
            }
        }
        if let Some(page) = &page {
            self.link("alternate", page);
        }
        self.text("title", first_line(fields, TITLES));
        self.text("subtitle", first_line(fields, SUBTITLES));
        self.text("id", first_text(fields, &[(Ns::Core, "id")]));
        self.text("generator", first_line(fields, &[(Ns::Core, "generator")]));
        self.text("rights", first_line(fields, RIGHTS));
        let updated = self.date(fields, FEED_DATES);
        self.text("updated", updated.map(written));
        self.authors(fields);
        page
    }

    /// Writes an entry; returns what the document has no place for.
    fn write_entry(
        &mut self,
        element: &Element<'_>,
        place: &Place,
        page: Option<&Url>,
        language: Option<&str>,
    ) -> Entry {
        let fields = entry_fields(element);
        let base = place.base.as_ref().or(page).or(place.document.as_ref()).cloned();
        let url = entry_page(element, &fields, base.as_ref());
        let medium = media::own_medium(element, base.as_ref());
        self.out.push_str("<entry>");
        self.text("id", id(element, &fields));
        let title = first_line(&fields, TITLES);
        self.text("title", title.or_else(|| html::line_of(medium?.child(Ns::Media, "title")?)));
        if let Some(url) = &url {
            self.link("alternate", url);
        }
        let text_base = self.write_texts(&fields, medium, place);
        let published = self.date(&fields, PUBLISHED).or_else(|| self.date(&fields, CREATED));
        self.text("published", published.map(written));
        let updated = self.date(&fields, UPDATED);
        self.text("updated", updated.map(written));
        self.authors(&authored(element, &fields));
        self.categories(&fields);
        let files = media::files(element, base.as_ref());
        self.enclosures(&files);
        self.text("rights", first_line(&fields, RIGHTS));
        self.out.push_str("</entry>");
        Entry {
            language: scan::stated_language(&fields)
                .or_else(|| language_of_texts(&fields))
                .or_else(|| place.language.clone())
                .or_else(|| language.map(str::to_owned)),
            comments: scan::comments(element, base.as_ref(), self.circumstances),
            origin: scan::origin(element, place),
            image: media::picture(&fields, &files, base.as_ref()),
            base: if self.is_atom { text_base.or(base).or(url) } else { text_base.or(url).or(base) },
            ..Entry::default()
        }
    }

    /// Writes summary and content; returns the `xml:base` that holds in them.
    ///
    /// The content is the fullest text, whatever it is called: podcasts have their notes in `description` or in
    /// `itunes:summary`.
    fn write_texts(&mut self, fields: &[&Element<'_>], medium: Option<&Element<'_>>, place: &Place) -> Option<Url> {
        let mut texts: Vec<EntryText<'_>> = Vec::new();
        for (kind, is_content) in
            CONTENTS.iter().map(|kind| (kind, true)).chain(SUMMARIES.iter().map(|kind| (kind, false)))
        {
            let fields = fields.iter().filter(|field| field.is(kind.0, kind.1)).take(TEXTS_MAX);
            for text in fields.filter_map(|field| EntryText::new(field, place, is_content)) {
                if !texts.iter().any(|known| known.says(&text)) {
                    texts.push(text);
                }
            }
        }
        if texts.is_empty() {
            let descriptions = fields.iter().copied().chain(medium.into_iter().flat_map(Element::elements));
            let description = descriptions.filter(|field| field.is(Ns::Media, "description"));
            texts.extend(description.filter_map(|field| EntryText::new(field, place, false)).take(1));
        }
        let is_choice = texts.len() > 1;
        let length = |text: &&EntryText<'_>| if is_choice { text.length() } else { 0 };
        let stated = texts.iter().filter(|text| text.is_content).rev().max_by_key(length);
        let fullest = texts.iter().rev().max_by_key(length).filter(|_| is_choice);
        let content = stated.filter(|stated| !fullest.is_some_and(|fullest| fullest.is_fuller(stated))).or(fullest);
        let others = texts.iter().filter(|text| content.is_none_or(|content| !std::ptr::eq(*text, content)));
        let summary = others.clone().find(|text| !text.is_content).or_else(|| others.clone().next());
        if let Some(text) = summary {
            self.html("summary", &text.html);
        }
        if let Some(text) = content {
            self.html("content", &text.html);
        }
        place.inside(content.or(summary)?.field).base
    }

    fn authors(&mut self, fields: &[&Element<'_>]) {
        let mut seen = HashSet::new();
        let authors = fields.iter().filter(|field| persons::is_author(field));
        for person in authors.filter_map(|field| persons::person(field)).take(PARTS_MAX) {
            if seen.insert((person.name.clone(), person.email.clone())) {
                self.out.push_str("<author>");
                self.text("name", person.name);
                self.text("email", person.email);
                self.text("uri", person.uri);
                self.out.push_str("</author>");
            }
        }
    }

    fn categories(&mut self, fields: &[&Element<'_>]) {
        let mut seen = HashSet::new();
        for (term, scheme, label) in fields.iter().flat_map(|field| categories(field)).take(PARTS_MAX) {
            if seen.insert((term.clone(), scheme)) {
                self.out.push_str("<category");
                self.attribute("term", &term);
                scheme.inspect(|scheme| self.attribute("scheme", scheme));
                label.filter(|label| *label != term).inspect(|label| self.attribute("label", label));
                self.out.push_str("/>");
            }
        }
    }

    fn enclosures(&mut self, files: &[MediaFile]) {
        for file in files {
            self.out.push_str("<link");
            self.attribute("rel", "enclosure");
            self.attribute("href", file.url.as_str());
            let others = [("type", &file.media_type), ("length", &file.length), ("title", &file.title)];
            for (name, value) in others {
                value.as_deref().inspect(|value| self.attribute(name, value));
            }
            self.out.push_str("/>");
        }
    }

    fn link(&mut self, rel: &str, url: &Url) {
        self.out.push_str("<link");
        self.attribute("rel", rel);
        self.attribute("href", url.as_str());
        self.out.push_str("/>");
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.extend([" ", name, "=\"", &escape(entity::clean(value)), "\""]);
    }

    fn text<T: AsRef<str>>(&mut self, name: &str, text: Option<T>) {
        if let Some(text) = text {
            self.out.extend(["<", name, ">", &escape(entity::clean(text.as_ref())), "</", name, ">"]);
        }
    }

    /// Writes HTML as a CDATA section: feed-rs reads it twice as fast as escaped text.
    fn html(&mut self, name: &str, html: &str) {
        let html = entity::clean(html).replace("]]>", "]]]]><![CDATA[>");
        self.out.extend(["<", name, " type=\"html\"><![CDATA[", &html, "]]></", name, ">"]);
    }

    /// Reads the first date of the first kind that there is.
    fn date(&mut self, fields: &[&Element<'_>], kinds: &[(Ns, &str)]) -> Option<Timestamp> {
        let Circumstances { zone, now, .. } = self.circumstances;
        let found = kinds.iter().flat_map(|kind| fields.iter().filter(move |field| field.is(kind.0, kind.1)));
        for dates::DateRead { date, defect } in found.filter_map(|field| dates::date_of(field, zone, now)) {
            if let Some(defect) = defect
                && self.defects.len() < DEFECTS_MAX
                && !self.defects.contains(&defect)
            {
                self.defects.push(defect);
            }
            if date.is_some() {
                return date;
            }
        }
        None
    }
}

/// A text of an entry, which may be the summary or the content.
struct EntryText<'t> {
    field: &'t Element<'t>,
    html: Cow<'t, str>,
    /// See [`Self::length`].
    length: OnceCell<usize>,
    /// Whether it is where contents belong.
    is_content: bool,
}

impl<'t> EntryText<'t> {
    fn new(field: &'t Element<'_>, place: &Place, is_content: bool) -> Option<Self> {
        let html = html::html_of(field, place.inside(field).reference())?;
        Some(Self { field, length: OnceCell::new(), html, is_content })
    }

    /// Returns the length of what a person reads, in bytes, roughly.
    fn length(&self) -> usize {
        let texts = || self.html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
        *self.length.get_or_init(|| texts().map(|text| text.trim().len()).sum())
    }

    /// Whether it tells clearly more, so that the other is no content, whatever its publisher calls it.
    fn is_fuller(&self, other: &Self) -> bool {
        self.length() > other.length() + LENGTH_MIN && self.length() > other.length() / 2 * 3
    }

    /// Whether both say the same, with or without markup.
    fn says(&self, other: &Self) -> bool {
        let is_same =
            |other: &Self| self.length() == other.length() && html_to_text(&self.html) == html_to_text(&other.html);
        self.is_content == other.is_content && (self.html == other.html || is_same(other))
    }
}

const TITLES: &[(Ns, &str)] = &[(Ns::Core, "title"), (Ns::Dc, "title"), (Ns::Media, "title")];
const SUBTITLES: &[(Ns, &str)] = &[
    (Ns::Core, "subtitle"),
    (Ns::Core, "description"),
    (Ns::Core, "tagline"),
    (Ns::Dc, "description"),
    (Ns::Itunes, "subtitle"),
    (Ns::Itunes, "summary"),
];
const RIGHTS: &[(Ns, &str)] = &[(Ns::Core, "rights"), (Ns::Core, "copyright"), (Ns::Dc, "rights")];
const FEED_DATES: &[(Ns, &str)] = &[
    (Ns::Core, "updated"),
    (Ns::Core, "lastbuilddate"),
    (Ns::Core, "modified"),
    (Ns::DcTerms, "modified"),
    (Ns::Dc, "date"),
    (Ns::Core, "pubdate"),
];
const PUBLISHED: &[(Ns, &str)] =
    &[(Ns::Core, "pubdate"), (Ns::Core, "published"), (Ns::Core, "issued"), (Ns::DcTerms, "issued")];
const CREATED: &[(Ns, &str)] = &[(Ns::Core, "created"), (Ns::DcTerms, "created")];
const UPDATED: &[(Ns, &str)] = &[
    (Ns::Core, "updated"),
    (Ns::Core, "modified"),
    (Ns::Core, "lastbuilddate"),
    (Ns::DcTerms, "modified"),
    (Ns::Dc, "date"),
];
const SUMMARIES: &[(Ns, &str)] = &[
    (Ns::Core, "summary"),
    (Ns::Core, "description"),
    (Ns::Core, "abstract"),
    (Ns::Dc, "description"),
    (Ns::Itunes, "summary"),
];
const CONTENTS: &[(Ns, &str)] =
    &[(Ns::Core, "content"), (Ns::Content, "encoded"), (Ns::Core, "fullitem"), (Ns::Core, "body"), (Ns::Xhtml, "body")];

/// Returns the fields that name an entry's authors: its own, else those of the feed that it was copied from (RFC 4287 §4.2.1).
fn authored<'t, 'a>(entry: &'t Element<'a>, fields: &[&'t Element<'a>]) -> Vec<&'t Element<'a>> {
    let named = |fields: &[&'t Element<'a>]| -> Vec<&'t Element<'a>> {
        let authors = fields.iter().filter(|field| persons::is_author(field) && persons::person(field).is_some());
        authors.copied().collect()
    };
    let own = named(fields);
    match entry.child(Ns::Core, "source") {
        Some(source) if own.is_empty() => named(&source.elements().collect::<Vec<_>>()),
        _ => own,
    }
}

fn is_one_of(field: &Element<'_>, kinds: &[(Ns, &str)]) -> bool {
    kinds.iter().any(|(ns, name)| field.is(*ns, name))
}

/// Returns the language that the entry's own texts are marked with, the longest kind first.
fn language_of_texts(fields: &[&Element<'_>]) -> Option<String> {
    let marked =
        |kinds| fields.iter().filter(|field| is_one_of(field, kinds)).find_map(|field| field.attribute("xml:lang"));
    [CONTENTS, SUMMARIES, TITLES].into_iter().find_map(marked).map(str::to_owned)
}

fn first_line(fields: &[&Element<'_>], kinds: &[(Ns, &str)]) -> Option<String> {
    kinds
        .iter()
        .find_map(|(ns, name)| fields.iter().filter(|field| field.is(*ns, name)).find_map(|field| html::line_of(field)))
}

fn first_text<'t>(fields: &[&'t Element<'_>], kinds: &[(Ns, &str)]) -> Option<Cow<'t, str>> {
    kinds.iter().find_map(|(ns, name)| fields.iter().filter(|field| field.is(*ns, name)).find_map(|field| field.text()))
}

/// Returns the fields of an entry. A Media RSS group adds its fields, except texts: those describe the media.
fn entry_fields<'t, 'a>(entry: &'t Element<'a>) -> Vec<&'t Element<'a>> {
    let mut fields = Vec::new();
    for child in entry.elements() {
        fields.push(child);
        collect_media(child, &mut fields);
    }
    fields
}

fn collect_media<'t, 'a>(element: &'t Element<'a>, fields: &mut Vec<&'t Element<'a>>) {
    if element.ns != Ns::Media || !matches!(&*element.name, "group" | "content") {
        return;
    }
    for child in element.elements().filter(|child| child.ns == Ns::Media) {
        if matches!(&*child.name, "category" | "keywords" | "thumbnail") {
            fields.push(child);
        }
        collect_media(child, fields);
    }
}

/// Returns what identifies an entry in its own words.
fn id<'t>(entry: &'t Element<'_>, fields: &[&'t Element<'_>]) -> Option<Cow<'t, str>> {
    let stated = first_text(fields, &[(Ns::Core, "guid"), (Ns::Core, "id")]);
    stated.or_else(|| entry.attribute("rdf:about").map(Cow::Borrowed))
}

/// Returns the page: the first link for people, else where the content is, else an id that is an address.
fn entry_page(entry: &Element<'_>, fields: &[&Element<'_>], base: Option<&Url>) -> Option<Url> {
    let is_id = |field: &&&Element<'_>| {
        is_one_of(field, &[(Ns::Core, "guid"), (Ns::Core, "id")])
            && !field.attribute("ispermalink").is_some_and(|is_permalink| is_permalink.eq_ignore_ascii_case("false"))
    };
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
    let source =
        || fields.iter().filter(|field| field.is(Ns::Core, "content")).find_map(|field| field.attribute("src"));
    page(fields, base)
        .or_else(|| scan::resolve(source()?, base))
        // Nothing relative: `17` is a number, no page.
        .or_else(|| fields.iter().find(is_id).and_then(|id| scan::resolve(&id.text()?, None)).filter(is_web))
        .or_else(|| scan::resolve(entry.attribute("rdf:about")?, base))
}

/// Returns the address of the first link for people: the text of an RSS `link`, or an Atom `alternate` of HTML.
fn page(fields: &[&Element<'_>], base: Option<&Url>) -> Option<Url> {
    let links = fields.iter().filter(|field| field.is(Ns::Core, "link") && scan::is_rel(field, "alternate"));
    let pages = links.filter_map(|link| {
        let is_html = link.attribute("type").is_none_or(|kind| kind.contains("html"));
        let address = link.attribute("href").map(Cow::Borrowed).or_else(|| link.text())?;
        let is_none = NO_ADDRESSES.iter().any(|none| address.eq_ignore_ascii_case(none));
        Some((is_html, scan::resolve(&address, base).filter(|_| !is_none)?))
    });
    let mut other = None;
    for (is_html, url) in pages {
        if is_html {
            return Some(url);
        }
        other = other.or(Some(url));
    }
    other
}

/// The words with which programs write that there is no link.
const NO_ADDRESSES: &[&str] = &["#", "-", "n/a", "na", "none", "null", "undefined", "false", "0", "about:blank"];

/// Returns the tags of a field: term, scheme, label.
fn categories<'t>(field: &'t Element<'_>) -> Vec<(String, Option<&'t str>, Option<String>)> {
    let one = |term: Option<String>, scheme| term.map(|term| (term, scheme, None)).into_iter().collect();
    let listed = |scheme| {
        let text = html::line_of(field).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|term| !term.is_empty())
            .map(|term| (term.to_owned(), scheme, None))
            .collect()
    };
    match (field.ns, &*field.name) {
        (Ns::Core | Ns::Media, "category") => {
            let scheme = field.attribute("scheme").or_else(|| field.attribute("domain"));
            let label = field.attribute("label").map(html::open_line);
            let term =
                field.attribute("term").map(html::open_line).or_else(|| html::line_of(field)).or_else(|| label.clone());
            term.map(|term| (term, scheme, label)).into_iter().collect()
        }
        (Ns::Dc, "subject") => one(html::line_of(field), None),
        (Ns::Itunes, "category") => one(field.attribute("text").map(html::open_line), None),
        (Ns::Core | Ns::Itunes | Ns::Media, "keywords") => listed(None),
        _ => Vec::new(),
    }
}

fn written(date: Timestamp) -> String {
    date.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
