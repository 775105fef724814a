//! Tests of the targets of links and the bases of relative addresses.

use super::*;

#[test]
fn a_permalink_guid_is_the_link_when_there_is_none() {
    check(item("<guid>https://site.example/p</guid>").url, "https://site.example/p");
    check(item("<guid isPermaLink='false'>https://site.example/p</guid>").url, "");
    check(item("<guid>https://site.example/p</guid><link>/l</link>").url, "https://site.example/l");
}

#[test]
fn a_guid_is_a_permalink_only_if_it_is_an_address() {
    for guid in [
        "<guid>4de55c72-1111-2222-3333-444455556666</guid>",
        "<guid>billet 17 chez example.org</guid>",
        "<guid>/relatif/17</guid>",
        "<guid isPermaLink='true'>17</guid>",
        "<guid isPermaLink='False'>https://site.example/p</guid>",
        "<guid isPermaLink=' FALSE '>https://site.example/p</guid>",
        "<guid>tag:site.example,2026:1</guid>",
        "<guid isPermaLink='true'>ftp://site.example/1</guid>",
        "<guid isPermaLink='false'>e</guid><link>N/A</link>",
    ] {
        check(item(guid).url, "");
    }
    check(item("<guid isPermaLink='True'>https://site.example/p</guid><link>#</link>").url, "https://site.example/p");
    check(atom("<id>https://site.example/p</id>").url, "https://site.example/p");
    check(atom("<id>17</id>").url, "");
}

#[test]
fn relative_addresses_of_atom_refer_to_its_base_else_to_the_document() {
    let atom = |root: &str, entry: &str| {
        only(feed(&format!(
            "<feed xmlns='http://www.w3.org/2005/Atom' {root}><link href='https://autre.example/blog/'/><entry>{entry}</entry></feed>"
        )))
    };
    let entry = "<link href='a'/><link rel='enclosure' href='b.mp3'/><content type='html'>x</content>";
    let found = atom("", entry);
    check(found.url, "https://site.example/a");
    check(found.base, "https://site.example/feed");
    check(found.enclosures.first().map(|file| file.url.clone()), "https://site.example/b.mp3");
    check(atom("xml:base='/x/'", entry).url, "https://site.example/x/a");
    check(atom("xml:base='x/'", "<link xml:base='y/' href='a'/>").url, "https://site.example/x/a");
    check(atom("xml:base='https://base.example/z/'", entry).url, "https://base.example/z/a");
    check(item("<link>a</link>").url, "https://site.example/a");
}

#[test]
fn an_xml_base_inside_xhtml_holds_inside_it() {
    let content = |inner: &str| {
        let inner = format!("<content type='xhtml' xml:base='/x/'>{inner}</content>");
        atom(&inner).content.unwrap()
    };
    assert_eq!(content("<div xml:base='y/'><a href='z'>a</a></div>"), "<a href=\"https://site.example/x/y/z\">a</a>");
    assert_eq!(
        content("<div><p xml:base='y/'><img src='z'/></p><img src='z'/></div>"),
        "<p><img src=\"https://site.example/x/y/z\"></p><img src=\"z\">"
    );
}

#[test]
fn a_language_inside_xhtml_is_said_as_html_says_it() {
    let content = |inner: &str| atom(&format!("<content type='xhtml'>{inner}</content>")).content.unwrap();
    assert_eq!(content("<div><p xml:lang='en'>a</p></div>"), "<p lang=\"en\">a</p>");
    assert_eq!(
        content("<div xml:lang='en'><p xml:lang='fr' lang='fr'>a</p></div>"),
        "<div lang=\"en\"><p lang=\"fr\">a</p></div>"
    );
}

#[test]
fn relations_are_compared_as_the_standards_say() {
    for rel in
        ["Alternate", "ALTERNATE", "http://www.iana.org/assignments/relation/alternate", "bookmark alternate", ""]
    {
        check(
            atom(&format!("<link rel='self' href='/s'/><link rel='{rel}' href='/a'/>")).url,
            "https://site.example/a",
        );
    }
    check(atom("<link rel='https://x.example/alternate' href='/a'/>").url, "");
    let entry = atom(
        "<link rel='http://www.iana.org/assignments/relation/enclosure' href='/b.mp3'/><link rel='Replies' href='/c'/>",
    );
    assert_eq!(entry.enclosures.len(), 1);
    check(entry.comments.url, "https://site.example/c");
    let feed = feed(
        "<feed xmlns='http://www.w3.org/2005/Atom'><link rel='Self' href='/s'/><link rel='HUB' href='/h'/></feed>",
    );
    check(feed.self_url, "https://site.example/s");
    check(feed.hubs.first(), "https://site.example/h");
}

#[test]
fn a_content_that_is_elsewhere_is_the_link_if_there_is_none() {
    check(atom("<content src='/c.html' type='text/html'/><id>17</id>").url, "https://site.example/c.html");
    check(atom("<content src='/c'/><link href='/a'/>").url, "https://site.example/a");
}

#[test]
fn links_with_schemes_that_are_no_pages_are_none() {
    check(item("<link>javascript:alert(1)</link>").url, "");
}
