//! Documents made to kill a reader, through the real program: each costs little, and its neighbour is whole.
//!
//! The classes are those on which feed readers are known to panic, to overflow their stack, to eat memory or time.

use std::time::Duration;

use crate::origin::{Answer, document, status};
use crate::world::{World, item, partnership, rss};

/// Most processor time that a poll with one hostile document may take. Unoptimised it takes some eight times that of a
/// release, and both take three times as long on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 2 });

/// Most memory that it may hold.
const MEMORY_MAX: usize = 200 << 20;

/// Checks that a document costs little and that another feed of the same poll is published.
#[track_caller]
fn check_answer(hostile: Answer) {
    let world = World::new().feed("hostile", hostile).feed("education", document(rss(&[partnership()])));
    let cost = world.poll_watched();
    assert!(cost.cpu < TIME_MAX, "{cost:?}");
    assert!(cost.memory < MEMORY_MAX, "{cost:?}");
    assert!(world.atom().contains("Signature d’un partenariat"), "the other feed was harmed");
}

#[track_caller]
fn check(hostile: impl Into<Vec<u8>>) {
    check_answer(document(hostile));
}

/// Checks a document whose one bad item stands before a good one: that is published too.
#[track_caller]
fn check_item(hostile: &str) {
    let good = item("good", "L’école numérique après lui", "Texte", &["école numérique"]);
    let bad = format!("<item><title>Mauvais</title><link>https://a.example/x</link>{hostile}</item>");
    let world = World::new().feed("hostile", document(rss(&[bad, good])));
    let cost = world.poll_watched();
    assert!(cost.cpu < TIME_MAX, "{cost:?}");
    assert!(cost.memory < MEMORY_MAX, "{cost:?}");
    assert!(world.atom().contains("après lui"), "the item after it was lost: {}", world.succeeds(&["feeds"]));
}

#[test]
fn authors_beside_characters_of_several_bytes_do_not_panic() {
    let authors = ["Élodie\u{a0}a@b.fr", "«a@b.fr", "a@b.fr—Direction", "(é) <é@é.é>", "@"];
    check_item(&authors.map(|author| format!("<author>{author}</author>")).concat());
}

#[test]
fn numbers_beyond_any_range_do_not_panic() {
    let many = "9".repeat(20);
    check_item(&format!(
        "<media:thumbnail xmlns:media='http://search.yahoo.com/mrss/' url='/a.png' time='{many}' width='{many}'/>\
         <itunes:duration xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'>{many}</itunes:duration>\
         <enclosure url='https://a.example/a' length='{many}' type='a/b'/><pubDate>{many}</pubDate>\
         <slash:comments xmlns:slash='http://purl.org/rss/1.0/modules/slash/'>{many}</slash:comments>"
    ));
}

#[test]
fn utf_16_under_any_label_does_not_panic() {
    for label in ["UTF-16", "UTF-16LE", "UTF-16BE", "utf-8"] {
        let text =
            rss(&[item("a", "École", "Texte", &[])]).replace("encoding=\"UTF-8\"", &format!("encoding=\"{label}\""));
        check(format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>());
        check(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    }
}

#[test]
fn nesting_without_end_does_not_overflow_the_stack() {
    let group = |levels: usize| {
        let (open, close) = ("<media:group>".repeat(levels), "</media:group>".repeat(levels));
        format!("<media:group xmlns:media='http://search.yahoo.com/mrss/'>{open}{close}</media:group>")
    };
    check_item(&group(1_000));
    check_item(&group(100_000));
    check_item(&"<a:b>".repeat(100_000));
    check_item(&"<media:group xml:base='a/'>".repeat(30_000));
    check(format!("<feed xmlns='http://www.w3.org/2005/Atom'>{}", "<entry>".repeat(100_000)));
    check("{\"items\":[".repeat(200_000));
}

#[test]
fn unclosed_markup_in_a_text_is_not_quadratic() {
    for open in ["<div>", "<b>", "<table><tr><td>", "<a href=x><p>", "<svg>", "<!--", "<b title='", "<li><ul>"] {
        check_item(&format!("<description><![CDATA[{}]]></description>", open.repeat(50_000)));
    }
    check_item(&format!("<content:encoded>{}</content:encoded>", "&lt;div&gt;x".repeat(50_000)));
    let xhtml = format!("<content type='xhtml'>{}</content>", "<div>".repeat(50_000));
    check(format!("<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>a</title>{xhtml}</entry></feed>"));
}

#[test]
fn unclosed_markup_in_a_document_is_not_quadratic() {
    for fault in ["<a b='", "<![CDATA[", "<!--", "&", "&#0;", "</a>", "<", "<!DOCTYPE a [", "<?a "] {
        check(format!("<rss version='2.0'><channel><item>{}", fault.repeat(200_000)));
    }
}

#[test]
fn millions_of_elements_fill_no_memory() {
    check(format!("<rss version='2.0'><channel>{}", "<item/>".repeat(600_000)));
    check(format!("<rss version='2.0'><channel><title>a</title>{}", "<a/>".repeat(800_000)));
    check(format!("{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{}{{}}]}}", "{},".repeat(800_000)));
}

#[test]
fn one_huge_part_fills_no_memory() {
    let huge = "a".repeat(6_000_000);
    check_item(&format!("<category domain='{huge}'>x</category>"));
    check_item(&format!("<description>{huge}</description>"));
    check_item(&format!("<pubDate>{huge}</pubDate>"));
    check_item(&format!("<{huge}/>"));
    check(format!("<rss version='2.0'><channel><title>{}</title></channel></rss>", "&eacute;".repeat(500_000)));
}

#[test]
fn attributes_and_namespaces_by_the_thousand_are_no_matter() {
    let attributes = (0..20_000).map(|at| format!(" a{at}='1'")).collect::<Vec<_>>().concat();
    let namespaces = (0..20_000).map(|at| format!(" xmlns:n{at}='urn:{at}'")).collect::<Vec<_>>().concat();
    check_item(&format!("<category{attributes}{namespaces}>x</category>"));
    check(format!("<rss version='2.0'{namespaces}{attributes}><channel><title>a</title></channel></rss>"));
}

#[test]
fn entities_neither_multiply_nor_read_files() {
    let laugh = |at: u32| format!("<!ENTITY l{at} \"{}\">", format!("&l{};", at - 1).repeat(10));
    let laughs: String = std::iter::once("<!ENTITY l0 \"lol\">".to_owned()).chain((1..10).map(laugh)).collect();
    let types = format!(
        "<!DOCTYPE rss [{laughs}<!ENTITY x SYSTEM \"file:///etc/hostname\"><!ENTITY y \"{}\">]>",
        "y".repeat(9_000)
    );
    let items = [
        item("a", "École numérique &l9;", "&x;", &["école numérique"]),
        item("b", "B", &"&y;".repeat(9_000), &["école numérique"]),
    ];
    check(rss(&items).replace("<rss", &format!("{types}<rss")));
}

#[test]
fn entries_that_are_alike_cost_no_minutes() {
    let text = "Le ministère annonce un plan pour l’école et la formation des enseignants dans chaque académie.";
    let same: Vec<String> = (0..60).map(|at| item(&at.to_string(), "Un plan pour l’école", text, &[])).collect();
    check(rss(&same).replace("<pubDate>Mon, 23 Nov 2026 08:00:00 +0100</pubDate>", ""));
}

#[test]
fn a_document_that_is_no_feed_at_all_is_refused_in_no_time() {
    check(vec![0; 3_000_000]);
    check("\u{feff}".repeat(800_000));
    check_answer(status(200).header("content-type", "text/html").body("<html>".repeat(300_000)));
    check((0..=255).cycle().take(2_000_000).collect::<Vec<u8>>());
}
