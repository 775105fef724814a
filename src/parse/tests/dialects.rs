//! Each dialect, and each field in the ways that publishers write it.

use chrono::{TimeDelta, Weekday};

use super::*;

#[test]
fn rss_2_gives_every_field() {
    let feed = feed(
        "<?xml version='1.0'?><rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom' xmlns:slash='http://purl.org/rss/1.0/modules/slash/'
           xmlns:wfw='http://wellformedweb.org/CommentAPI/' xmlns:content='http://purl.org/rss/1.0/modules/content/'>
         <channel><title>Le site</title><link>https://site.example/</link><description>Des <b>nouvelles</b></description>
           <language>fr-FR</language><copyright>© Nous</copyright><generator>SPIP</generator><ttl>60</ttl>
           <lastBuildDate>Mon, 12 Feb 2024 09:00:00 GMT</lastBuildDate>
           <skipHours><hour>3</hour><hour>24</hour></skipHours><skipDays><day>Sunday</day></skipDays>
           <atom:link rel='self' href='https://site.example/feed'/><atom:link rel='hub' href='https://hub.example/'/>
         <item><title>Titre</title><link>https://site.example/a</link><guid isPermaLink='false'> 17 </guid>
           <pubDate>Mon, 12 Feb 2024 10:00:00 CET</pubDate><description>Court</description><content:encoded><![CDATA[<p>Long</p>]]></content:encoded>
           <author>a@b.fr (Élodie)</author><category domain='https://t.example/'>École</category>
           <enclosure url='/son.mp3' type='audio/mpeg' length='12'/><comments>https://site.example/a#c</comments>
           <wfw:commentRss>https://site.example/a/feed</wfw:commentRss><slash:comments>3</slash:comments>
           <source url='https://other.example/rss'>Ailleurs</source></item></channel></rss>",
    );
    assert_eq!((feed.format.as_str(), feed.language.as_deref()), ("rss20", Some("fr-FR")));
    check(feed.title.clone(), "Le site");
    check(feed.url.clone(), "https://site.example/");
    check(feed.self_url.clone(), "https://site.example/feed");
    check(feed.hubs.first(), "https://hub.example/");
    check(feed.description.clone(), "Des nouvelles");
    check(feed.rights.clone(), "© Nous");
    check(feed.generator.clone(), "SPIP");
    check(feed.updated, "2024-02-12 09:00:00 UTC");
    assert_eq!(feed.rhythm.ttl, Some(TimeDelta::minutes(60)));
    assert_eq!((feed.rhythm.skip_hours.clone(), feed.rhythm.skip_days.clone()), (vec![0, 3], vec![Weekday::Sun]));
    assert!(feed.defects.is_empty(), "{:?}", feed.defects);
    let entry = only(feed);
    check(entry.id, "17");
    check(entry.url, "https://site.example/a");
    check(entry.title, "Titre");
    check(entry.summary, "Court");
    check(entry.content, "<p>Long</p>");
    check(entry.published, "2024-02-12 09:00:00 UTC");
    check(entry.updated, "");
    check(entry.language, "fr-FR");
    check(entry.authors[0].name.clone(), "Élodie");
    check(entry.authors[0].email.clone(), "a@b.fr");
    assert_eq!(
        (entry.categories[0].term.as_str(), entry.categories[0].scheme.as_deref()),
        ("École", Some("https://t.example/"))
    );
    assert_eq!(
        (entry.enclosures[0].url.as_str(), entry.enclosures[0].length),
        ("https://site.example/son.mp3", Some(12))
    );
    check(entry.comments.url, "https://site.example/a#c");
    check(entry.comments.feed, "https://site.example/a/feed");
    assert_eq!(entry.comments.count, Some(3));
    let origin = entry.origin.unwrap();
    check(origin.title, "Ailleurs");
    check(origin.url, "https://other.example/rss");
}

#[test]
fn atom_gives_every_field() {
    let feed = feed(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:thr='http://purl.org/syndication/thread/1.0' xml:lang='fr' xml:base='https://site.example/x/'>
         <title>Le site</title><id>tag:site.example,2024:f</id><updated>2024-02-12T09:00:00Z</updated><subtitle>Sous</subtitle>
         <author><name>Élodie</name><email>a@b.fr</email><uri>https://b.fr/</uri></author>
         <entry xml:lang='en'><id>tag:site.example,2024:1</id><title type='html'>&lt;b&gt;A&lt;/b&gt; &amp;amp; B</title>
           <link rel='self' href='self'/><link href='a'/><link rel='alternate' href='b'/><link rel='enclosure' href='c.pdf' type='application/pdf' length='7'/>
           <link rel='replies' type='text/html' href='a#c' thr:count='4' thr:updated='2024-02-13T09:00:00+01:00'/><published>2024-02-11T09:00:00Z</published><updated>2024-02-12T09:00:00Z</updated>
           <summary>1 &lt; 2</summary><content type='xhtml' xml:base='y/'><div xmlns='http://www.w3.org/1999/xhtml'><p title='x&quot;y'>Long<br/>texte</p></div></content>
           <category term='t' scheme='https://s.example/' label='Tag'/><rights>CC-BY</rights>
           <source><title>Ailleurs</title><link rel='self' href='https://other.example/atom'/></source></entry></feed>",
    );
    assert_eq!(feed.format, "atom10");
    check(feed.id.clone(), "tag:site.example,2024:f");
    check(feed.description.clone(), "Sous");
    let entry = only(feed);
    check(entry.url, "https://site.example/x/a");
    check(entry.title, "A & B");
    check(entry.summary, "1 &lt; 2");
    check(entry.content, "<p title=\"x&quot;y\">Long<br>texte</p>");
    check(entry.base, "https://site.example/x/y/");
    check(entry.published, "2024-02-11 09:00:00 UTC");
    check(entry.updated, "2024-02-12 09:00:00 UTC");
    check(entry.language, "en");
    check(entry.authors[0].uri.clone(), "https://b.fr/");
    check(entry.categories[0].label.clone(), "Tag");
    check(entry.enclosures[0].media_type.clone(), "application/pdf");
    check(entry.comments.url, "https://site.example/x/a#c");
    assert_eq!(entry.comments.count, Some(4));
    check(entry.comments.updated, "2024-02-13 08:00:00 UTC");
    check(entry.rights, "CC-BY");
    check(entry.origin.unwrap().url, "https://other.example/atom");
}

#[test]
fn a_language_may_stand_on_the_texts_alone() {
    check(atom("<title xml:lang='en'>A</title><summary xml:lang='fr'>B</summary>").language, "fr");
    check(atom("<title xml:lang='en'>A</title><summary>B</summary>").language, "en");
}

#[test]
fn atom_03_is_not_empty() {
    let feed = feed(
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><title>T</title><tagline>S</tagline><modified>2004-01-02T03:04:05Z</modified>
         <entry><title mode='escaped' type='text/html'>&lt;i&gt;A&lt;/i&gt;</title><issued>2004-01-01T00:00:00Z</issued>
         <modified>2004-01-02T00:00:00Z</modified><content mode='base64' type='text/html'>PGI+Yjwv\nYj4</content></entry></feed>",
    );
    assert_eq!((feed.format.as_str(), feed.description.as_deref()), ("atom03", Some("S")));
    let entry = only(feed);
    check(entry.title, "A");
    check(entry.published, "2004-01-01 00:00:00 UTC");
    check(entry.updated, "2004-01-02 00:00:00 UTC");
    check(entry.content, "<b>b</b>");
}

#[test]
fn rdf_items_without_link_are_kept() {
    let feed = feed(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'
           xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'><channel><title>T</title><dc:language>fr</dc:language>
           <sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency></channel>
         <item rdf:about='https://site.example/1'><title>A</title><dc:creator>Élodie</dc:creator><dc:subject>école</dc:subject>
           <dc:date>2024-02-12</dc:date><dc:description>D</dc:description></item></rdf:RDF>",
    );
    assert_eq!((feed.format.as_str(), feed.rhythm.update_period), ("rss10", Some(TimeDelta::hours(12))));
    let entry = only(feed);
    check(entry.id, "https://site.example/1");
    check(entry.url, "https://site.example/1");
    check(entry.summary, "D");
    check(entry.authors[0].name.clone(), "Élodie");
    check(entry.categories.first().map(|tag| tag.term.clone()), "école");
    check(entry.language, "fr");
    check(entry.updated, "2024-02-11 23:00:00 UTC");
}

#[test]
fn rss_of_other_years_reads() {
    for (root, format) in [
        ("rss version='0.91'", "rss091"),
        ("rss version='0.93'", "rss093"),
        ("rss version='2.01'", "rss20"),
        ("rss", "rss"),
        ("RSS version='2.0'", "rss20"),
        ("rss version='2.0' xmlns='http://backend.userland.com/rss2'", "rss20"),
        ("rss version='2.0' xmlns='http://www.example.com/unknown'", "rss20"),
    ] {
        let end = root.split(' ').next().unwrap();
        let feed = feed(&format!("<{root}><channel><item><title>A</title></item></channel></{end}>"));
        assert_eq!(feed.format, format);
        check(only(feed).title, "A");
    }
}

#[test]
fn items_beside_the_channel_are_read() {
    let feed = feed("<rss version='2.0'><channel><title>T</title></channel><item><title>A</title></item></rss>");
    check(only(feed).title, "A");
}

#[test]
fn json_feed_reads() {
    let feed = feed(
        r#"{"version":"https://jsonfeed.org/version/1.1","title":"T & U","home_page_url":"https://site.example/","language":"fr",
        "authors":[{"name":"Élodie","url":"https://b.fr/"}],"items":[{"id":17,"url":"a","title":"A","content_html":"<p>x</p>","summary":"1 < 2",
        "date_published":"2024-02-12T10:00:00+01:00","tags":["école",3],"attachments":[{"url":"https://c.example/c.mp3","mime_type":"audio/mpeg","size_in_bytes":5}]},"junk"]}"#,
    );
    assert_eq!((feed.format.as_str(), feed.title.as_deref()), ("json11", Some("T & U")));
    let entry = only(feed);
    check(entry.id, "17");
    check(entry.url, "https://site.example/a");
    check(entry.summary, "1 &lt; 2");
    check(entry.published, "2024-02-12 09:00:00 UTC");
    check(entry.authors[0].name.clone(), "Élodie");
    assert_eq!((entry.categories.len(), entry.enclosures[0].length), (2, Some(5)));
}

#[test]
fn an_id_is_never_invented() {
    check(item("<title>A</title><link>https://site.example/a</link>").id, "");
}

#[test]
fn html_that_nobody_escaped_is_kept() {
    check(
        item("<description>Un <b>gras</b><br>mot & lien <a href='x?a=1&b=2'>l</a></description>").summary,
        "Un <b>gras</b><br>mot &amp; lien <a href=\"x?a=1&amp;b=2\">l</a>",
    );
}

#[test]
fn atom_types_that_are_none_are_read_all_the_same() {
    for kind in ["", "text/plain", "HTML", "text/html; charset=utf-8", "xhtml", "application/xhtml+xml", "nonsense"] {
        check(atom(&format!("<content type='{kind}'>Bonjour</content>")).content, "Bonjour");
    }
    check(atom("<content src='https://x.example/'> </content><title>T</title>").title, "T");
    check(atom("<content type='application/json'>{\"a\":1}</content>").content, "{\"a\":1}");
    check(atom("<content type='image/png'>iVBORw0KGgo=</content><title>T</title>").content, "");
}

#[test]
fn dates_are_never_copied() {
    let entry = item("<pubDate>Mon, 12 Feb 2024 09:00:00 GMT</pubDate>");
    assert!(entry.published.is_some() && entry.updated.is_none());
    let entry = atom("<updated>2024-02-12T09:00:00Z</updated>");
    assert!(entry.published.is_none() && entry.updated.is_some());
}

#[test]
fn texts_of_forgotten_elements_are_content() {
    check(
        item("<xhtml:body xmlns:xhtml='http://www.w3.org/1999/xhtml'><xhtml:p>A</xhtml:p></xhtml:body>").content,
        "<p>A</p>",
    );
    check(item("<fullitem>A</fullitem>").content, "A");
}

#[test]
fn a_feed_in_a_namespace_that_nobody_knows_is_read() {
    let feed = feed("<x:feed xmlns:x='http://www.w3.org/2005/Atom'><x:entry><x:title>A</x:title></x:entry></x:feed>");
    check(only(feed).title, "A");
    let feed = super::feed("<feed xmlns='urn:nobody'><entry><title>A</title></entry></feed>");
    check(only(feed).title, "A");
}

#[test]
fn fields_of_dublin_core_stand_for_those_of_the_feed() {
    let entry = item(
        "<dc:title>A</dc:title><dc:author>É</dc:author><dc:subject>s</dc:subject><dc:rights>r</dc:rights><dc:language>fr_FR</dc:language><media:category>m</media:category>",
    );
    check(entry.title, "A");
    check(entry.authors[0].name.clone(), "É");
    assert_eq!(entry.categories.iter().map(|tag| tag.term.as_str()).collect::<Vec<_>>(), ["s", "m"]);
    check(entry.rights, "r");
    check(entry.language, "fr-FR");
}

#[test]
fn a_file_in_base64_is_no_text() {
    let atom = |kind: &str, text: &str| atom(&format!("<title>A</title><content type='{kind}'>{text}</content>"));
    let packed = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    for kind in ["application/octet-stream", "application/pdf", "application/json; charset=utf-8", "font/woff2"] {
        check(atom(kind, &packed("Un texte qui est un fichier")).content, "");
    }
    let broken = packed(&"Un texte long ".repeat(9)).replace("dGV", "\n  dGV");
    check(atom("application/zip", &broken).content, "");
    // A slip of the publisher.
    check(atom("application/text", "Un vrai texte").content, "Un vrai texte");
    let title = format!("<title type='application/octet-stream'>{}</title>", packed("Un titre"));
    check(self::atom(&title).title, "Un titre");
}

#[test]
fn base64_says_what_it_holds_only_where_that_is_text() {
    let old = |kind: &str, text: &str| {
        let content = format!("<content mode='base64' type='{kind}'>{text}</content>");
        only(feed(&format!("<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry>{content}</entry></feed>")))
    };
    check(old("application/xhtml+xml", "PGI+Yjwv\nYj4").content, "<b>b</b>");
    check(old("image/png", "PGI+Yjwv\nYj4").content, "");
    check(old("text/html", "/9j/4AAQ").content, "");
}

#[test]
fn authors_are_the_entry_s_else_those_where_it_was_copied_from_else_the_feed_s() {
    let names = |fields: &str| {
        let author = "<author><name>La planète</name></author>";
        let entry = only(feed(&format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'>{author}<entry><id>u:1</id>{fields}</entry></feed>"
        )));
        entry.authors.into_iter().filter_map(|author| author.name).collect::<Vec<_>>()
    };
    let source =
        "<source><title>Carnet</title><author><name>Zoé</name></author><author><name>Ali</name></author></source>";
    assert_eq!(names(source), ["Zoé", "Ali"]);
    assert_eq!(names(&format!("{source}<author><name>Noé</name></author>")), ["Noé"]);
    assert_eq!(names(&format!("<author><name> </name></author>{source}")), ["Zoé", "Ali"]);
    assert_eq!(names("<source><title>Carnet</title></source>"), ["La planète"]);
}
