//! Documents with faults: what is whole in them survives, what was wrong is said.

use super::*;

#[test]
fn a_naked_ampersand_harms_nothing() {
    let entry = item("<title>R&D & co</title><link>https://site.example/?a=1&b=2</link>");
    check(entry.title, "R&D & co");
    check(entry.url, "https://site.example/?a=1&b=2");
}

#[test]
fn a_link_that_was_escaped_twice_leads_where_it_should() {
    check(item("<link><![CDATA[https://site.example/?a=1&amp;b=2]]></link>").url, "https://site.example/?a=1&b=2");
}

#[test]
fn html_and_declared_entities_are_resolved() {
    let feed = feed(
        "<!DOCTYPE rss [<!ENTITY maison \"Ministère\">]><rss version='2.0'><channel><item><title>&maison; de l&rsquo;&eacute;cole&nbsp;&inconnue;</title></item></channel></rss>",
    );
    check(only(feed).title, "Ministère de l’école &inconnue;");
}

#[test]
fn a_cut_document_keeps_what_came() {
    let feed = feed(
        "<rss version='2.0'><channel><item><title>A</title></item><item><title>B</title><description><![CDATA[<p>Le dé",
    );
    assert_eq!(feed.entries.len(), 2);
    check(feed.entries[1].title.clone(), "B");
    check(feed.entries[1].summary.clone(), "<p>Le dé</p>");
    assert!(codes(&feed).contains(&"cut") && codes(&feed).contains(&"cut_entry"));
}

#[test]
fn an_item_without_end_ends_where_the_next_begins() {
    let feed =
        feed("<rss version='2.0'><channel><item><title>A<link>/a</link><item><title>B</title></item></channel></rss>");
    assert_eq!(feed.entries.len(), 2);
    check(feed.entries[0].title.clone(), "A");
    check(feed.entries[0].url.clone(), "https://site.example/a");
    check(feed.entries[1].title.clone(), "B");
    assert!(codes(&feed).contains(&"unclosed"));
}

#[test]
fn an_element_without_end_in_the_channel_does_not_swallow_the_items() {
    let feed = feed(
        "<rss version='2.0'><channel><itunes:category text='x'><itunes:category text='y'/><item><title>A</title></item><item><title>B</title></item></channel></rss>",
    );
    assert_eq!(feed.entries.len(), 2);
}

#[test]
fn mismatched_ends_are_survived() {
    let feed = feed(
        "<rss version='2.0'><channel><item><title>A</titel></title><description><b>x</i></description></item><item><title>B</title></item></channel></rss>",
    );
    check(feed.entries[0].title.clone(), "A");
    check(feed.entries[1].title.clone(), "B");
    assert!(codes(&feed).contains(&"mismatched"));
}

#[test]
fn a_naked_less_than_is_text() {
    let entry = item("<title>1 < 2 et 3 <4</title><link>/a</link>");
    check(entry.title, "1 < 2 et 3 <4");
    check(entry.url, "https://site.example/a");
}

#[test]
fn junk_around_the_root_is_passed() {
    for junk in [
        "\u{FEFF}\u{FEFF}  ",
        "Notice: undefined index\n",
        "[24-Nov-2026] PHP Notice\n",
        "<br />\n<b>Warning</b>: x in <b>y.php</b><br />\n",
        "<!-- x -->",
    ] {
        let feed = feed(&format!(
            "{junk}<?xml version='1.0'?><rss version='2.0'><channel><item><title>A</title></item></channel></rss>junk"
        ));
        check(only(feed).title, "A");
    }
}

#[test]
fn prefixes_that_nobody_declared_mean_what_they_usually_mean() {
    let feed = feed(
        "<rss version='2.0'><channel><item><dc:date>2024-02-12T09:00:00Z</dc:date><content:encoded>C</content:encoded></item></channel></rss>",
    );
    let entry = only(feed);
    check(entry.updated, "2024-02-12 09:00:00 UTC");
    check(entry.content, "C");
}

#[test]
fn control_characters_are_dropped() {
    check(item("<title>A\u{1}\u{2}b&#0;&#x1F;</title>").title, "Ab");
    check(item("<description>A\u{1}b ]]&gt; c</description>").summary, "Ab ]]> c");
}

#[test]
fn an_unusable_base_is_passed_over() {
    let feed = feed(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://[bad/'><entry><link href='/a'/></entry></feed>",
    );
    check(only(feed).url, "https://site.example/a");
}

#[test]
fn a_date_that_is_none_is_said() {
    let feed = feed(
        "<rss version='2.0'><channel><item><pubDate>demain</pubDate></item><item><pubDate>01/01/2030</pubDate></item></channel></rss>",
    );
    assert_eq!(codes(&feed), ["date", "date"]);
    assert!(feed.entries.iter().all(|entry| entry.published.is_none()));
}

#[test]
fn what_is_no_feed_is_named() {
    for (document, text) in [
        ("", "document is empty"),
        (" \n", "document is empty"),
        (
            "<!DOCTYPE html><html><head><title>En maintenance</title></head></html>",
            "document is not a feed but an HTML page titled “En maintenance”",
        ),
        ("<html><body>x</body></html>", "document is not a feed but an HTML page"),
        ("<opml version='2.0'><body/></opml>", "document is not a feed but an XML document of another kind, `<opml>`"),
        ("%PDF-1.7", "document is not a feed but a PDF file"),
        ("Bonjour", "document is not a feed but plain text"),
        ("{\"a\":1}", "document is not a feed but JSON that is no JSON Feed"),
        ("{\"a\":", "document is not a feed but text that looks like JSON and is none"),
    ] {
        assert_eq!(read_bytes(document.as_bytes()).unwrap_err().to_string(), text);
    }
}

#[test]
fn a_feed_without_entries_is_a_feed() {
    assert!(feed("<rss/>").entries.is_empty());
    assert!(feed("<feed xmlns='http://www.w3.org/2005/Atom'/>").entries.is_empty());
}

#[test]
fn half_a_character_costs_no_json_feed() {
    let feed = feed(
        r#"{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"A \ud83d","content_text":"x"}],
        "authors":[{"name":"Rédaction","url":"mailto:redaction@site.example"}]}"#,
    );
    assert_eq!(codes(&feed), ["characters"]);
    let entry = only(feed);
    check(entry.title, "A \u{fffd}");
    check(entry.authors[0].email.clone(), "redaction@site.example");
}
