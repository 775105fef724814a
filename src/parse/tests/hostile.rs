//! Documents made to kill a reader: each is read, or refused, at once.

use super::*;
use crate::feed::Rhythm;

/// Reads an RSS feed with `hostile` in its first item and a harmless second one, which must survive.
#[track_caller]
fn survives(hostile: &str) -> Feed {
    let feed = feed(&format!(
        "<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'>\
         <channel><item>{hostile}</item><item><title>B</title></item></channel></rss>"
    ));
    assert_eq!(feed.entries.len(), 2, "{:?}", feed.defects);
    check(feed.entries[1].title.clone(), "B");
    feed
}

#[test]
fn nested_media_groups_do_not_overflow_the_stack() {
    let feed = survives(&format!("{}{}", "<media:group>".repeat(5000), "</media:group>".repeat(5000)));
    assert!(codes(&feed).contains(&"too_deep"));
}

#[test]
fn nested_elements_without_end_do_not_swallow_the_rest() {
    survives(&"<media:group>".repeat(5000));
    survives(&format!("<description>{}</description>", "<div>x".repeat(20_000)));
    survives(&format!("<description>{}</description>", "<div><b>x</b>".repeat(200)));
}

#[test]
fn utf_16_with_the_wrong_label_does_not_panic() {
    let document = "<?xml version='1.0' encoding='UTF-16'?><rss version='2.0'><channel><item><title>é</title></item></channel></rss>";
    for mark in ["", "\u{FEFF}"] {
        let bytes: Vec<u8> = format!("{mark}{document}").encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(only(read_bytes(&bytes).unwrap()).title, "é");
        let bytes: Vec<u8> = format!("{mark}{document}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(only(read_bytes(&bytes).unwrap()).title, "é");
    }
}

#[test]
fn authors_beside_characters_of_several_bytes_do_not_panic() {
    for author in ["Élodie\u{a0}a@b.fr", "«a@b.fr", "a@b.fr—Direction", "é@", "@", "(é) <é@é.é>"] {
        survives(&format!("<author>{author}</author>"));
    }
}

#[test]
fn numbers_of_twenty_digits_do_not_panic() {
    let n = "99999999999999999999";
    survives(&format!(
        "<itunes:duration>{n}</itunes:duration><media:thumbnail time='{n}'/><enclosure url='/a' length='{n}'/><pubDate>{n}</pubDate>"
    ));
    assert_eq!(feed(&format!("<rss><channel><ttl>{n}</ttl></channel></rss>")).rhythm, Rhythm::default());
}

#[test]
fn a_million_empty_items_are_capped() {
    let feed = feed(&format!("<rss version='2.0'><channel>{}", "<item/>".repeat(1_000_000)));
    assert_eq!(feed.entries.len(), Limits::default().entries_max);
    assert!(codes(&feed).contains(&"too_large"));
}

#[test]
fn a_million_elements_are_capped() {
    let document = format!("<rss version='2.0'><channel><title>T</title>{}", "<a/>".repeat(1_000_000));
    check(feed(&document).title, "T");
}

#[test]
fn an_attribute_of_megabytes_is_cut() {
    let feed = survives(&format!("<category domain='{}'>x</category>", "a".repeat(8_000_000)));
    assert!(codes(&feed).contains(&"text_cut"));
}

#[test]
fn thousands_of_attributes_and_namespaces_are_no_matter() {
    let many: Vec<String> = (0..20_000).map(|n| format!(" a{n}='1' xmlns:n{n}='urn:{n}'")).collect();
    survives(&format!("<category{}>x</category>", many.concat()));
}

#[test]
fn an_entry_has_no_more_parts_than_people_read() {
    let parts: Vec<String> =
        (0..2000).map(|n| format!("<category>{n}</category><enclosure url='/{n}'/><author>{n}</author>")).collect();
    let feed = survives(&format!("<title>{}</title>{}", "é".repeat(100_000), parts.concat()));
    let entry = &feed.entries[0];
    assert_eq!((entry.categories.len(), entry.enclosures.len(), entry.authors.len()), (100, 100, 100));
    assert_eq!(entry.title.as_ref().unwrap().len(), 8192);
}

#[test]
fn billion_laughs_stay_as_they_are() {
    let laugh = |n: u32| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10));
    let entities: Vec<String> = std::iter::once("<!ENTITY l0 \"lol\">".to_owned()).chain((1..10).map(laugh)).collect();
    let entities = entities.concat();
    let feed = feed(&format!(
        "<!DOCTYPE rss [{entities}<!ENTITY x SYSTEM \"file:///etc/passwd\">]><rss><channel><item><title>&l9;</title><description>&x;</description></item></channel></rss>"
    ));
    let entry = only(feed);
    assert!(entry.title.unwrap().len() < 200);
    check(entry.summary, "&x;");
}

#[test]
fn a_declared_entity_does_not_multiply_without_end() {
    let items = format!("<item><description>{}</description></item>", "&a;".repeat(1000)).repeat(100);
    let document =
        format!("<!DOCTYPE rss [<!ENTITY a \"{}\">]><rss><channel>{items}</channel></rss>", "x".repeat(1000));
    let bytes: usize = feed(&document).entries.iter().filter_map(|entry| entry.summary.as_ref()).map(String::len).sum();
    assert!(bytes < 3 * 1024 * 1024, "{bytes}");
}

#[test]
fn faults_by_the_thousand_cost_no_minutes() {
    survives(&format!("<description>{}</description>", "< ".repeat(100_000)));
    feed(&format!("<rss version='2.0'><channel><item>{}", "<a b='".repeat(100_000)));
    feed(&format!("<rss version='2.0'><channel><item>{}", "<![CDATA[".repeat(100_000)));
    feed(&format!("<rss version='2.0'><channel><item>{}", "<!--".repeat(100_000)));
    feed(&format!("<rss version='2.0'><channel><item>{}", "&".repeat(500_000)));
    feed(&format!("<rss version='2.0'><channel><item>{}", "</a>".repeat(200_000)));
}

#[test]
fn nested_relative_bases_stay_small() {
    survives(&"<media:group xml:base='a/'>".repeat(30_000));
}

#[test]
fn a_hundred_thousand_feeds_in_one_are_one() {
    feed(&"<rss><channel>".repeat(50_000));
}

#[test]
fn nested_json_is_refused() {
    assert!(read_bytes("{\"items\":[".repeat(100_000).as_bytes()).is_err());
}
