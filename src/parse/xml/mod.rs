//! A tree of any XML-like document: never an error, always within limits.
//!
//! The only place that tokenises XML. Tags that do not match, naked `<` and `&`, undeclared entities and prefixes, cut
//! documents: each has one meaning here, chosen so that what was written before and after a fault survives.

mod builder;
mod ns;

use std::borrow::Cow;

pub(super) use builder::read;
pub(super) use ns::Ns;

use super::cdata;

/// An element with what it holds. Names are in lower case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element<'a> {
    pub(super) ns: Ns,
    pub(super) name: Cow<'a, str>,
    pub(super) attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) nodes: Vec<XmlNode<'a>>,
    /// Its start tag as written, without the angle brackets, if no end tag of its own closed it; else empty.
    pub(super) unclosed: &'a str,
}

/// A child of an element.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum XmlNode<'a> {
    Text(Cow<'a, str>),
    Element(Element<'a>),
}

impl<'a> Element<'a> {
    fn new(ns: Ns, name: Cow<'a, str>) -> Self {
        Self { ns, name, attributes: Vec::new(), nodes: Vec::new(), unclosed: "" }
    }

    /// Returns its child elements.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Element<'a>> {
        self.nodes.iter().filter_map(|node| match node {
            XmlNode::Element(element) => Some(element),
            XmlNode::Text(_) => None,
        })
    }

    /// Returns the first child of that name.
    pub(super) fn child(&self, ns: Ns, name: &str) -> Option<&Element<'a>> {
        self.elements().find(|child| child.is(ns, name))
    }

    pub(super) fn is(&self, ns: Ns, name: &str) -> bool {
        self.ns == ns && self.name == name
    }

    /// Returns an attribute that is not blank, trimmed; `name` with its usual prefix, in lower case.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let value = self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())?;
        (!value.is_empty()).then_some(value)
    }

    /// Returns all its text, trimmed, without markup and escaped CDATA marks; `None` if blank.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        let text = match self.nodes.as_slice() {
            [] => return None,
            [XmlNode::Text(text)] => Cow::Borrowed(text.trim()),
            _ => {
                let mut text = String::new();
                self.collect_text(&mut text);
                Cow::Owned(text.trim().to_owned())
            }
        };
        let text = cdata::unwrap(text);
        (!text.is_empty()).then_some(text)
    }

    fn collect_text(&self, to: &mut String) {
        for node in &self.nodes {
            match node {
                XmlNode::Text(text) => to.push_str(text),
                XmlNode::Element(element) => element.collect_text(to),
            }
        }
    }
}

/// A document read, and what was wrong with it.
#[derive(Debug)]
pub(super) struct XmlTree<'a> {
    /// Holds the elements of the top; has no name of its own.
    pub(super) top: Element<'a>,
    /// Codes and texts, each once.
    pub(super) defects: Vec<(&'static str, String)>,
}
