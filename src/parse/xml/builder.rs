//! Builds the tree: tokens of quick-xml, and what to make of those that are none.

use std::borrow::Cow;
use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::Event;
use quick_xml::events::attributes::Attributes;

use super::{Element, Ns, XmlNode, XmlTree};
use crate::parse::{Limits, entity};

/// Attributes kept of one element.
const ATTRIBUTES_MAX: usize = 256;

/// Entities kept of a document type declaration.
const ENTITIES_MAX: usize = 300;

/// Longest text that an entity may stand for.
const ENTITY_BYTES_MAX: usize = 1024;

/// Elements that hold entries.
const CONTAINERS: &[&str] = &["channel", "feed", "items", "rdf", "rss"];

/// Elements of HTML that publishers who forget to escape it leave open, and no feed has.
const VOID: &[&str] = &["br", "hr", "img", "wbr", "BR", "HR", "IMG"];

/// Elements that hold text only, and so end where one of [`FIELDS`] begins.
const LEAVES: &[&str] = &["title", "link", "guid", "id", "pubdate", "published", "updated", "category"];

/// Elements that begin a field of a feed or entry.
const FIELDS: &[&str] =
    &["title", "link", "guid", "id", "pubDate", "published", "updated", "description", "summary", "content"];

/// Reads what is there.
pub(in crate::parse) fn read<'a>(document: &'a str, limits: &Limits) -> XmlTree<'a> {
    let mut builder = Builder::new(limits);
    let mut rest = document;
    // A fault may cost a scan to the end of the document: thousands of them would take minutes.
    let mut budget = document.len() * 8 + 64 * 1024;
    while let Some(fault) = builder.read_until_fault(rest) {
        builder.note("markup", || "markup that is none was read as text".to_owned());
        let tail = rest.get(fault.at..).unwrap_or_default();
        let Some(left) = budget.checked_sub(fault.scanned) else {
            builder.text(Cow::Borrowed(tail));
            break;
        };
        budget = left;
        rest = builder.pass_fault(tail);
    }
    builder.finish()
}

/// The place where a tokeniser gave up.
struct MarkupFault {
    /// The place of the `<` that begins no markup.
    at: usize,
    /// Bytes that it looked at to find out.
    scanned: usize,
}

/// An element whose end was not seen yet.
struct Open<'a> {
    element: Element<'a>,
    /// As its end tag must write it.
    tag: &'a str,
    /// The text between the angle brackets of its start tag.
    markup: &'a str,
    /// Bindings in scope outside.
    bindings: usize,
}

struct Builder<'a, 'l> {
    limits: &'l Limits,
    top: Element<'a>,
    open: Vec<Open<'a>>,
    /// Prefixes (`""` is the default) and what they mean, innermost last.
    bindings: Vec<(&'a str, Ns)>,
    /// Starts below the deepest level that we keep, by tag.
    too_deep: HashMap<&'a str, usize>,
    entities: HashMap<String, String>,
    /// Bytes that declared entities may still become: a kilobyte for each `&x;` would fill the memory.
    expansion_left: usize,
    elements: usize,
    entries: usize,
    is_full: bool,
    defects: Vec<(&'static str, String)>,
}

impl<'a, 'l> Builder<'a, 'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            top: Element::new(Ns::Other, Cow::Borrowed("")),
            open: Vec::new(),
            bindings: Vec::new(),
            too_deep: HashMap::new(),
            entities: HashMap::new(),
            expansion_left: limits.text_bytes_max,
            elements: 0,
            entries: 0,
            is_full: false,
            defects: Vec::new(),
        }
    }

    fn finish(mut self) -> XmlTree<'a> {
        if !self.open.is_empty() && !self.is_full {
            self.note("cut", || "the document ends before its last element".to_owned());
            if self.open.iter().any(|open| is_entry(&open.element)) {
                self.note("cut_entry", || "the document ends within its last entry".to_owned());
            }
        }
        self.close_to(0);
        XmlTree { top: self.top, defects: self.defects }
    }

    fn note(&mut self, code: &'static str, message: impl FnOnce() -> String) {
        if self.defects.iter().all(|(known, _)| *known != code) {
            self.defects.push((code, message()));
        }
    }

    /// Reads to the end (`None`), or to what the tokeniser cannot read.
    fn read_until_fault(&mut self, text: &'a str) -> Option<MarkupFault> {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.allow_unmatched_ends = true;
        config.check_end_names = false;
        while !self.is_full {
            let at = offset(reader.buffer_position());
            let event = reader.read_event();
            let end = offset(reader.buffer_position());
            // The event's own slices live shorter than the document.
            let markup = text.get(at + 1..end.saturating_sub(1)).unwrap_or_default();
            match event {
                Ok(Event::Start(tag)) if is_name(tag.name().as_ref()) => self.start(markup, tag.name().as_ref().len()),
                Ok(Event::Empty(tag)) if is_name(tag.name().as_ref()) => {
                    let name = tag.name().as_ref().len();
                    self.start(markup.strip_suffix('/').unwrap_or(markup), name);
                    if !self.is_full {
                        self.end(markup.get(..name).unwrap_or_default());
                    }
                }
                Ok(Event::Start(_) | Event::Empty(_)) => return Some(MarkupFault { at, scanned: end - at }),
                Ok(Event::End(tag)) => self.end(tag.name().as_ref()),
                Ok(Event::Text(_)) => self.text(Cow::Borrowed(text.get(at..end).unwrap_or_default())),
                Ok(Event::CData(data)) => self.text(data.into_inner()),
                Ok(Event::GeneralRef(name)) => {
                    let text = self.resolve(&name);
                    self.text(text);
                }
                Ok(Event::DocType(declaration)) => self.declare_entities(&declaration),
                Ok(Event::Decl(_) | Event::PI(_) | Event::Comment(_)) => {}
                Ok(Event::Eof) => return None,
                Err(_) => return Some(MarkupFault { at: offset(reader.error_position()), scanned: text.len() - at }),
            }
        }
        None
    }

    /// Reads over the `<` of a fault; returns what comes after.
    fn pass_fault(&mut self, tail: &'a str) -> &'a str {
        // The start of a section or comment without end says nothing; any other `<` is text.
        if let Some(rest) = ["<![CDATA[", "<!--", "<?"].iter().find_map(|start| tail.strip_prefix(start)) {
            return rest;
        }
        if tail.starts_with("<!") {
            return tail.split_once('>').map_or("", |(_, rest)| rest);
        }
        let (text, rest) = tail.split_at_checked(naked(tail)).unwrap_or((tail, ""));
        self.text(entity::unescape(Cow::Borrowed(text)));
        rest
    }

    fn start(&mut self, markup: &'a str, name_len: usize) {
        let (tag, _) = markup.split_at_checked(name_len).unwrap_or((markup, ""));
        if self.open.len() >= self.limits.depth_max {
            *self.too_deep.entry(tag).or_default() += 1;
            self.note("too_deep", || "markup nested too deep was left out, its text kept".to_owned());
            return;
        }
        self.close_before(tag);
        let bindings = self.bindings.len();
        let attributes = self.attributes(markup, name_len);
        let (ns, name) = self.resolve_name(tag);
        let element = Element { attributes, ..Element::new(ns, name) };
        self.entries += usize::from(is_entry(&element));
        self.elements += 1;
        if self.entries > self.limits.entries_max || self.elements > self.limits.elements_max {
            self.note("too_large", || "the rest of the document was not read: it holds too much".to_owned());
            self.is_full = true;
            return;
        }
        self.open.push(Open { element, tag, markup, bindings });
        if VOID.contains(&name_of(tag)) {
            self.close_last();
        }
    }

    /// Closes what only a lost end tag can have left open when `tag` begins.
    fn close_before(&mut self, tag: &str) {
        let Some(last) = self.open.last().map(|open| &open.element) else { return };
        let is_leaf_open = last.ns == Ns::Core && LEAVES.contains(&&*last.name);
        let level = match tag {
            "item" | "entry" => {
                let container = self.open.iter().rposition(|open| CONTAINERS.contains(&&*open.element.name));
                container.map(|level| level + 1).filter(|level| *level < self.open.len())
            }
            _ if is_leaf_open && FIELDS.contains(&tag) => Some(self.open.len() - 1),
            _ => None,
        };
        if let Some(level) = level {
            self.close_to(level);
            self.note("unclosed", || "an element without end was closed where the next began".to_owned());
        }
    }

    fn end(&mut self, tag: &str) {
        if let Some(count) = self.too_deep.get_mut(tag)
            && *count > 0
        {
            *count -= 1;
            return;
        }
        let tag = tag.trim();
        match self.open.iter().rposition(|open| open.tag == tag) {
            Some(level) => {
                if level + 1 < self.open.len() {
                    self.note("mismatched", || "end tags that do not match were read as well as may be".to_owned());
                }
                self.close_to(level + 1);
                self.close_last();
            }
            None if VOID.contains(&name_of(tag)) => {}
            None => self.note("mismatched", || "end tags that do not match were read as well as may be".to_owned()),
        }
    }

    /// Closes every open element from `level` inwards, of which none had an end tag.
    fn close_to(&mut self, level: usize) {
        while self.open.len() > level {
            if let Some(open) = self.open.last_mut() {
                open.element.unclosed = open.markup;
            }
            self.close_last();
        }
    }

    /// Closes the innermost open element.
    fn close_last(&mut self) {
        let Some(Open { element, bindings, .. }) = self.open.pop() else { return };
        self.bindings.truncate(bindings);
        self.too_deep.clear();
        let parent = self.open.last_mut().map_or(&mut self.top, |open| &mut open.element);
        if parent.nodes.is_empty() {
            parent.nodes.reserve_exact(1); // most have one child, and a vector begins with four
        }
        parent.nodes.push(XmlNode::Element(element));
    }

    fn text(&mut self, text: Cow<'a, str>) {
        let taken = match self.open.last().and_then(|open| open.element.nodes.last()) {
            Some(XmlNode::Text(last)) => last.len(),
            _ => 0,
        };
        let text = self.cut(text, self.limits.text_bytes_max.saturating_sub(taken));
        let Some(nodes) = self.open.last_mut().map(|open| &mut open.element.nodes) else { return };
        match nodes.last_mut() {
            Some(XmlNode::Text(last)) => last.to_mut().push_str(&text),
            _ if text.is_empty() => {}
            _ => {
                if nodes.is_empty() {
                    nodes.reserve_exact(1);
                }
                nodes.push(XmlNode::Text(text));
            }
        }
    }

    /// Returns what a reference stands for; itself if nothing.
    fn resolve(&mut self, name: &str) -> Cow<'a, str> {
        match self.entities.get(name).filter(|text| text.len() <= self.expansion_left) {
            Some(text) => {
                self.expansion_left -= text.len();
                Cow::Owned(text.clone())
            }
            None => entity::replacement(name).unwrap_or_else(|| Cow::Owned(format!("&{name};"))),
        }
    }

    /// Keeps the entities of an internal subset that stand for plain text: references in them are not followed.
    fn declare_entities(&mut self, declaration: &str) {
        for part in declaration.split("<!ENTITY").skip(1).take(ENTITIES_MAX) {
            let Some((name, rest)) = part.trim_start().split_once(char::is_whitespace) else { continue };
            let mut quoted = rest.trim_start().chars();
            let Some(quote @ ('"' | '\'')) = quoted.next() else { continue };
            let Some((value, _)) = quoted.as_str().split_once(quote) else { continue };
            if value.len() <= ENTITY_BYTES_MAX {
                self.entities.insert(name.to_owned(), entity::unescape(value.into()).into_owned());
            }
        }
    }

    fn attributes(&mut self, markup: &'a str, name_len: usize) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        let mut attributes = Vec::new();
        let mut written = Attributes::html(markup, name_len);
        written.with_checks(false);
        for attribute in written.take(ATTRIBUTES_MAX).filter_map(Result::ok) {
            let key = attribute.key.into_inner();
            let value = self.cut(entity::unescape(attribute.value), self.limits.text_bytes_max);
            if let Some(prefix) = key.strip_prefix("xmlns") {
                self.bindings.push((prefix.trim_start_matches(':'), Ns::of_uri(&value, prefix)));
            }
            attributes.push((lower(key), value));
        }
        attributes
    }

    fn cut(&mut self, text: Cow<'a, str>, room: usize) -> Cow<'a, str> {
        if text.len() <= room {
            return text;
        }
        self.note("text_cut", || "a text longer than we read was cut".to_owned());
        let end = text.floor_char_boundary(room);
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or_default()),
            Cow::Owned(mut text) => {
                text.truncate(end);
                Cow::Owned(text)
            }
        }
    }

    fn resolve_name(&self, tag: &'a str) -> (Ns, Cow<'a, str>) {
        let (prefix, name) = tag.split_once(':').unwrap_or(("", tag));
        let bound = self.bindings.iter().rev().find(|(known, _)| *known == prefix).map(|(_, ns)| *ns);
        let ns = match bound {
            Some(ns) => ns,
            None if prefix.is_empty() => Ns::Core,
            None => Ns::of_prefix(prefix),
        };
        (ns, lower(name))
    }
}

fn is_entry(element: &Element<'_>) -> bool {
    element.ns == Ns::Core && matches!(&*element.name, "item" | "entry")
}

/// Returns where, after a `<` that begins no markup, one comes that can.
fn naked(text: &str) -> usize {
    let mut signs = text.match_indices('<').skip(1).map(|(at, _)| at);
    let begins = |at: &usize| {
        text.get(at + 1..)
            .is_some_and(|next| next.starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '!' | '?' | '_')))
    };
    signs.find(begins).unwrap_or(text.len())
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

fn name_of(tag: &str) -> &str {
    tag.rsplit(':').next().unwrap_or(tag)
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
