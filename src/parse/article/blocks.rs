//! The parts of a page that are not its article: menus, tags, comments, links to other articles.
//!
//! Three signs, from the surest to the weakest: the element, its class or id, the words it begins with. An element that
//! holds the page's heading is never taken away. Each step costs time in proportion to the page.
//! They go before the article is looked for: a long thread of comments outweighs a short article.

use std::collections::HashSet;

use dom_query::{Document, NodeId, NodeRef};

use crate::text::fold;

/// Elements that never hold the article.
const ELEMENTS: &[&str] = &["nav", "footer", "aside", "dialog", "menu", "button", "noscript"];

/// Values of `role` that say the same.
const ROLES: &[&str] =
    &["navigation", "complementary", "contentinfo", "banner", "search", "dialog", "alertdialog", "menu"];

/// Elements that hold the page, whatever their class says: themes note there what the page has elsewhere.
const FRAMES: &[&str] = &["html", "head", "body", "main"];

/// Words of a class or id.
const WORDS: &[&str] = &[
    // Comments.
    "comment",
    "commentaire",
    "commentaires",
    "commentform",
    "commentlist",
    "comments",
    "disqus",
    "reactions",
    "respond",
    // Other articles.
    "connexes",
    "recommandations",
    "recommended",
    "related",
    "similaires",
    // Tags; `tag` alone is how WordPress notes each tag on the article itself.
    "etiquettes",
    "keywords",
    "motscles",
    "tagcloud",
    "taglist",
    "tags",
    // Around the article.
    "ariane",
    "breadcrumb",
    "breadcrumbs",
    "consent",
    "cookie",
    "cookies",
    "newsletter",
    "pager",
    "pagination",
    "partage",
    "partager",
    "share",
    "sharing",
    "sidebar",
    "skiplinks",
];

/// Words of a class or id that make the others a mere remark: `comments-open`, `no-sidebar`.
const REMARKS: &[&str] =
    &["closed", "count", "disabled", "enabled", "has", "left", "no", "open", "right", "with", "without"];

/// Parts of a class or id, its words joined by `-`.
const PARTS: &[&str] = &[
    "a-lire",
    "articles-lies",
    "contenus-lies",
    "dans-la-meme",
    "lire-aussi",
    "meme-sujet",
    "meme-theme",
    "mots-cles",
    "read-also",
    "see-also",
    "voir-aussi",
];

/// The introductions of lists of other articles, folded.
const RELATED: &[&str] = &[
    "a consulter aussi",
    "a decouvrir aussi",
    "a lire aussi",
    "a lire egalement",
    "a voir aussi",
    "actualites liees",
    "articles associes",
    "articles lies",
    "articles similaires",
    "autres actualites",
    "ces articles peuvent vous interesser",
    "contenus associes",
    "contenus lies",
    "dans la meme rubrique",
    "dans la meme thematique",
    "lire aussi",
    "lire egalement",
    "more on this",
    "plus d actualites",
    "read also",
    "related",
    "see also",
    "sur le meme sujet",
    "sur le meme theme",
    "toutes les actualites",
    "voir aussi",
    "voir egalement",
    "vous aimerez aussi",
    "you may also like",
];

/// The introductions of tags and buttons.
const TAGGED: &[&str] = &["etiquettes", "mot cle", "mots cles", "partager", "partagez", "share", "tags"];

/// The introductions of readers' comments, with a number before them or without.
const COMMENTS: &[&str] = &[
    "ajouter un commentaire",
    "comments",
    "commentaire",
    "commentaires",
    "laisser un commentaire",
    "leave a comment",
    "leave a reply",
    "reactions",
    "reagir",
    "vos commentaires",
    "vos reactions",
];

const HEADINGS: &[&str] = &["h2", "h3", "h4", "h5", "h6"];

/// Elements whose first words are looked at.
const INTRODUCERS: &[&str] = &["b", "div", "dl", "dt", "li", "p", "section", "span", "strong", "ul"];

/// Bytes of text in which an introduction is looked for, and nodes that are visited for them.
const LEAD_BYTES_MAX: usize = 80;
const LEAD_NODES_MAX: usize = 30;

/// Bytes that are allowed beside an introduction: a colon, a number in brackets.
const REST_BYTES_MAX: usize = 12;

/// Takes away what is not the article.
pub(super) fn remove(page: &Document) {
    let kept = holders_of_heading(page);
    remove_where(page, |node| {
        let name = node.node_name().unwrap_or_default();
        !FRAMES.contains(&&*name) && !kept.contains(&node.id) && is_foreign(node, &name)
    });
    for node in elements(page) {
        if !kept.contains(&node.id) && node.parent().is_some() {
            remove_introduced(&node);
        }
    }
}

/// The elements around the page's heading; without any, nothing is sure.
fn holders_of_heading(page: &Document) -> HashSet<NodeId> {
    let mut kept = HashSet::new();
    for heading in elements(page).filter(|node| node.has_name("h1") || node.has_name("main")) {
        // From a known holder on, all holders further out are known.
        for holder in heading.ancestors_it(None) {
            if !kept.insert(holder.id) {
                break;
            }
        }
        kept.insert(heading.id);
    }
    kept
}

fn elements(page: &Document) -> impl Iterator<Item = NodeRef<'_>> {
    page.root().descendants().into_iter().filter(NodeRef::is_element)
}

/// Takes away the elements that are as said, and does not look into them.
fn remove_where(page: &Document, is_foreign: impl Fn(&NodeRef<'_>) -> bool) {
    let mut nodes = vec![page.root()];
    while let Some(node) = nodes.pop() {
        if node.is_element() && is_foreign(&node) {
            node.remove_from_parent();
        } else {
            nodes.extend(node.element_children());
        }
    }
}

fn is_foreign(node: &NodeRef<'_>, name: &str) -> bool {
    let role = node.attr("role").unwrap_or_default();
    let is_tag = || name == "a" && node.attr("rel").is_some_and(|rel| rel.split(' ').any(|rel| rel == "tag"));
    let names = || [node.attr("class"), node.attr("id")].into_iter().flatten();
    ELEMENTS.contains(&name)
        || ROLES.contains(&&*role)
        || node.has_attr("hidden")
        || is_tag()
        || names().any(|names| names.split_ascii_whitespace().any(says_foreign))
}

/// Whether a class or id says that the element is not the article.
fn says_foreign(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let words = || name.split(|c: char| !c.is_ascii_alphanumeric());
    PARTS.iter().any(|part| name.contains(part))
        || words().any(|word| WORDS.contains(&word)) && !words().any(|word| REMARKS.contains(&word))
}

/// Takes away what the first words of an element announce, if they do.
fn remove_introduced(node: &NodeRef<'_>) {
    let name = node.node_name().unwrap_or_default();
    let is_heading = HEADINGS.contains(&&*name);
    if !is_heading && !INTRODUCERS.contains(&&*name) {
        return;
    }
    let (lead, is_whole) = lead(node);
    let introduces = |phrases: &[&str]| phrases.iter().find_map(|phrase| after_phrase(&lead, phrase));
    let rest = introduces(RELATED).or_else(|| introduces(TAGGED));
    match rest {
        Some(rest) if is_whole && rest.len() <= REST_BYTES_MAX => remove_list_after(node),
        Some(_) if is_mostly_links(node) => node.remove_from_parent(),
        Some(_) => {}
        None => {
            let rest = introduces(COMMENTS).filter(|rest| is_heading && is_whole && rest.len() <= REST_BYTES_MAX);
            if rest.is_some() {
                remove_rest_from(node);
            }
        }
    }
}

/// The first words of an element, folded, without punctuation or leading number; and whether they are all of them.
fn lead(node: &NodeRef<'_>) -> (String, bool) {
    let mut text = String::new();
    let mut is_whole = true;
    for (at, inner) in node.descendants_it().enumerate() {
        if text.len() >= LEAD_BYTES_MAX || at >= LEAD_NODES_MAX {
            is_whole = false;
            break;
        }
        if inner.is_text() {
            let inner = inner.text();
            let inner = inner.trim_start();
            let end = inner.floor_char_boundary(LEAD_BYTES_MAX);
            is_whole = end == inner.len();
            text.push_str(inner.get(..end).unwrap_or_default());
            text.push(' ');
            if !is_whole {
                break;
            }
        }
    }
    let folded = fold(&text);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words = words.skip_while(|word| word.chars().all(|c| c.is_ascii_digit()));
    (words.collect::<Vec<_>>().join(" "), is_whole)
}

/// Returns the text that follows a phrase, if the text begins with the phrase.
fn after_phrase<'t>(text: &'t str, phrase: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(phrase)?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(rest)
}

/// Takes away an introduction and the links after it.
fn remove_list_after(introduction: &NodeRef<'_>) {
    let introduction = outermost(introduction);
    while let Some(next) = introduction.next_element_sibling().filter(is_mostly_links) {
        next.remove_from_parent();
    }
    introduction.remove_from_parent();
}

/// Takes away a heading and what follows it, up to the next heading of its rank.
fn remove_rest_from(heading: &NodeRef<'_>) {
    let rank = heading.node_name().unwrap_or_default();
    let heading = outermost(heading);
    let ends = |node: &NodeRef<'_>| {
        let name = node.node_name().unwrap_or_default();
        (&*name == "h1" || HEADINGS.contains(&&*name)) && *name <= *rank
    };
    while let Some(next) = heading.next_element_sibling().filter(|next| !ends(next)) {
        next.remove_from_parent();
    }
    heading.remove_from_parent();
}

/// The outermost element that holds nothing but this one.
fn outermost<'p>(node: &NodeRef<'p>) -> NodeRef<'p> {
    let mut node = *node;
    while let Some(parent) = node.parent() {
        let is_frame = FRAMES.iter().chain(&["article"]).any(|name| parent.has_name(name));
        let is_alone = |child: NodeRef<'_>| child.id == node.id || child.is_text() && child.text().trim().is_empty();
        if is_frame || !parent.is_element() || !parent.children_it(false).all(is_alone) {
            break;
        }
        node = parent;
    }
    node
}

/// Whether more than half of an element's text is in links.
fn is_mostly_links(node: &NodeRef<'_>) -> bool {
    let (mut linked, mut all) = (0, 0);
    for text in node.descendants_it().filter(NodeRef::is_text) {
        let length = text.text().trim().len();
        all += length;
        // Links sit near their text: a tree is at most so deep that this costs little.
        if text.ancestors_it(Some(4)).any(|holder| holder.has_name("a")) {
            linked += length;
        }
    }
    linked * 2 > all
}
