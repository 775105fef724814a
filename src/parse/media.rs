//! The files of an entry, and its picture: `enclosure`, `link rel="enclosure"`, Media RSS, iTunes.
//!
//! Text inside `media:content`, `media:group` and `media:thumbnail` speaks of that medium. Only where an entry is a sound
//! or a film, and has no text of its own, does it speak of the entry too.

use url::Url;

use super::xml::{Element, Ns};
use super::{html, scan};
use crate::feed::Image;

/// Files kept of an entry.
const FILES_MAX: usize = 100;

/// Longest description of a file.
const TITLE_BYTES_MAX: usize = 1000;

/// A file that comes with an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MediaFile {
    pub(super) url: Url,
    pub(super) media_type: Option<String>,
    /// As written.
    pub(super) length: Option<String>,
    pub(super) title: Option<String>,
    /// In pixels, as the publisher says.
    width: Option<u32>,
    height: Option<u32>,
    /// The group of files that are one thing in several forms, by number.
    group: Option<usize>,
}

impl MediaFile {
    /// Tells the type of a file by what the publisher says, else by its name, else by its kind (`medium`).
    pub(super) fn new(url: Url, media_type: Option<&str>, medium: Option<&str>) -> Self {
        let stated = media_type.filter(|stated| stated.contains('/')).map(str::to_owned);
        let medium = medium.or(media_type).map(str::to_ascii_lowercase);
        let by_name = || mime_guess::from_path(url.path()).first_raw().map(str::to_owned);
        // The commonest type of each kind: programs look at the kind, and at the file itself.
        let by_kind = || match medium.as_deref()? {
            "image" => Some("image/jpeg".to_owned()),
            "audio" => Some("audio/mpeg".to_owned()),
            "video" => Some("video/mp4".to_owned()),
            _ => None,
        };
        let is_file = |media_type: &String| {
            let kinds = ["image", "audio", "video"].into_iter().filter(|kind| match medium.as_deref() {
                Some(medium @ ("image" | "audio" | "video")) => medium == *kind,
                _ => true,
            });
            kinds.chain(["application/pdf"]).any(|kind| media_type.starts_with(kind))
        };
        let media_type = stated.or_else(|| by_name().filter(is_file)).or_else(by_kind);
        Self { url, media_type, length: None, title: None, width: None, height: None, group: None }
    }

    fn is_picture(&self) -> bool {
        self.media_type.as_deref().is_some_and(|media_type| media_type.starts_with("image/"))
    }
}

/// Returns the files of an entry, each once.
pub(super) fn files(entry: &Element<'_>, base: Option<&Url>) -> Vec<MediaFile> {
    let mut files = Vec::new();
    collect(entry, &Caption::default().of(entry), None, base, &mut files);
    files
}

fn collect(
    element: &Element<'_>,
    caption: &Caption,
    group: Option<usize>,
    base: Option<&Url>,
    files: &mut Vec<MediaFile>,
) {
    for child in element.elements() {
        let own = match (child.ns, &*child.name) {
            (Ns::Core, "enclosure") => Caption::default(),
            (Ns::Core, "link") if scan::is_rel(child, "enclosure") => Caption::default(),
            (Ns::Media, "content" | "group") => caption.clone().of(child),
            _ => continue,
        };
        if let Some(mut file) = file(child, base) {
            file.length = child.attribute("length").or_else(|| child.attribute("filesize")).map(str::to_owned);
            file.title = child.attribute("title").map(html::open_line).or_else(|| own.title(file.is_picture()));
            (file.width, file.height, file.group) = (pixels(child, "width"), pixels(child, "height"), group);
            add(file, files);
        }
        if child.ns == Ns::Media {
            let group = group.or_else(|| (&*child.name == "group").then_some(files.len()));
            collect(child, &own, group, base, files);
        }
    }
}

fn pixels(element: &Element<'_>, name: &str) -> Option<u32> {
    element.attribute(name)?.trim().trim_end_matches("px").parse().ok().filter(|pixels| *pixels > 0)
}

fn file(element: &Element<'_>, base: Option<&Url>) -> Option<MediaFile> {
    let address = element.attribute("url").or_else(|| element.attribute("href"))?;
    Some(MediaFile::new(scan::resolve(address, base)?, element.attribute("type"), element.attribute("medium")))
}

/// Adds a file; of one that is known, what is not known of it.
fn add(file: MediaFile, files: &mut Vec<MediaFile>) {
    if let Some(known) = files.iter_mut().find(|known| known.url == file.url) {
        known.media_type = known.media_type.take().or(file.media_type);
        known.length = known.length.take().or(file.length);
        known.title = known.title.take().or(file.title);
    } else if files.len() < FILES_MAX {
        files.push(file);
    }
}

/// The words that belong to a medium, or to all media of a group.
#[derive(Debug, Clone, Default)]
struct Caption {
    title: Option<String>,
    description: Option<String>,
}

impl Caption {
    /// Returns the words of `element`, else those around it.
    fn of(self, element: &Element<'_>) -> Self {
        let line = |name| element.child(Ns::Media, name).and_then(html::line_of);
        Self { title: line("title").or(self.title), description: line("description").or(self.description) }
    }

    /// A picture is told by what it shows, anything else by its name.
    fn title(&self, is_picture: bool) -> Option<String> {
        let (first, second) =
            if is_picture { (&self.description, &self.title) } else { (&self.title, &self.description) };
        let mut title = first.as_ref().or(second.as_ref())?.clone();
        title.truncate(title.floor_char_boundary(TITLE_BYTES_MAX));
        Some(title)
    }
}

/// Returns the medium that an entry is, if it is one: the first that is no picture.
pub(super) fn own_medium<'t, 'a>(entry: &'t Element<'a>, base: Option<&Url>) -> Option<&'t Element<'a>> {
    let is_shown = |medium: &Element<'_>| file(medium, base).is_none_or(|file| !file.is_picture());
    entry.elements().filter(|child| child.ns == Ns::Media).find(|child| match &*child.name {
        "content" => is_shown(child),
        "group" => {
            let mut contents = child.elements().filter(|child| child.is(Ns::Media, "content")).peekable();
            match contents.peek() {
                Some(_) => contents.any(is_shown),
                // Without a file it speaks of no file.
                None => child.child(Ns::Media, "thumbnail").is_none(),
            }
        }
        _ => false,
    })
}

/// Returns the picture of an entry: a thumbnail, else a file that is one. Of several forms of one, the widest.
pub(super) fn picture(fields: &[&Element<'_>], files: &[MediaFile], base: Option<&Url>) -> Option<Image> {
    let address = |field: &Element<'_>| {
        let inner = || field.elements().find(|child| child.name == "url").and_then(Element::text);
        let written = field.attribute("url").or_else(|| field.attribute("href")).map(Into::into);
        scan::resolve(&written.or_else(inner).or_else(|| field.text())?, base)
    };
    let shown = |field: &Element<'_>| {
        let url = address(field)?;
        let of_file = || files.iter().find(|file| file.url == url).and_then(|file| file.title.clone());
        let alt = Caption::default().of(field).title(true).or_else(of_file);
        Some(Image { url, alt, width: pixels(field, "width"), height: pixels(field, "height") })
    };
    let of = |ns: Ns, name: &'static str| {
        let found = fields.iter().filter(move |field| field.is(ns, name));
        widest(found.filter_map(|field| shown(field)))
    };
    let of_files = || {
        let first = files.iter().find(|file| file.is_picture())?;
        let same = |file: &&MediaFile| file.url == first.url || file.is_picture() && file.group == first.group;
        let forms = files.iter().filter(same).take(if first.group.is_some() { FILES_MAX } else { 1 });
        widest(forms.map(|MediaFile { url, title, width, height, .. }| Image {
            url: url.clone(),
            alt: title.clone(),
            width: *width,
            height: *height,
        }))
    };
    of(Ns::Media, "thumbnail").or_else(|| of(Ns::Itunes, "image")).or_else(|| of(Ns::Core, "image")).or_else(of_files)
}

/// Returns the first of the widest.
fn widest(images: impl Iterator<Item = Image>) -> Option<Image> {
    images.reduce(|best, next| if next.width > best.width { next } else { best })
}
