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
fn an_id_is_never_invented() {
    check(item("<title>A</title><link>https://site.example/a</link>").id, "");
}

#[test]
fn links_with_schemes_that_are_no_pages_are_none() {
    check(item("<link>javascript:alert(1)</link>").url, "");
}

#[test]
fn titles_are_plain_and_on_one_line() {
    check(item("<title><![CDATA[L&#039;&eacute;cole &amp; <em>co</em>]]></title>").title, "L'école & co");
    check(item("<title>AT&amp;amp;T\n  et R&D</title>").title, "AT&T et R&D");
    check(item("<title><![CDATA[L&amp;eacute;cole]]></title>").title, "Lécole");
    check(item("<title>A <i>b</i> c</title>").title, "A b c");
    check(item("<title>Vec&lt;String&gt; et 1 &lt; 2</title>").title, "Vec<String> et 1 < 2");
}

#[test]
fn a_title_is_never_cut_at_a_tag_that_it_talks_about() {
    for (title, expected) in [
        ("Une balise &lt;script&gt; suffit : la faille", "Une balise <script> suffit : la faille"),
        ("<![CDATA[Pourquoi <iframe> reste risqué]]>", "Pourquoi <iframe> reste risqué"),
        ("<![CDATA[Accessibilité : <b> ou <strong> ?]]>", "Accessibilité : <b> ou <strong> ?"),
        ("<![CDATA[Le <em>vrai</em> rôle de <video>]]>", "Le vrai rôle de <video>"),
        ("Une balise <script> suffit", "Une balise <script> suffit"),
        ("Vec<String> en Rust", "Vec<String> en Rust"),
        ("Le <em>vrai</em> titre", "Le vrai titre"),
    ] {
        check(item(&format!("<title>{title}</title><description>D</description>")).title, expected);
        check(item(&format!("<title>{title}</title><description>D</description>")).summary, "D");
    }
    check(atom("<title type='html'>Une balise &lt;script&gt; suffit</title>").title, "Une balise <script> suffit");
}

#[test]
fn plain_is_plain() {
    for text in ["Vec<String>", "La balise <video>", "<script>alert</script>", "un <em>deux</em>", "R&amp;D &eacute;"] {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
        for kind in ["text", "text/plain", "TEXT/PLAIN; charset=utf-8", "plain"] {
            let entry =
                atom(&format!("<title type='{kind}'>{escaped}</title><summary type='{kind}'>{escaped}</summary>"));
            check(entry.title, text);
            check(entry.summary, &escaped);
        }
        let json = serde_json::json!({"version": "https://jsonfeed.org/version/1.1", "title": text,
            "items": [{"id": "1", "title": text, "summary": text, "content_text": text, "attachments": [{"url": "/a", "title": text}]}]});
        let feed = super::feed(&json.to_string());
        check(feed.title.clone(), text);
        let entry = only(feed);
        check(entry.title, text);
        check(entry.summary, &escaped);
        check(entry.content, &escaped);
        check(entry.enclosures[0].title.clone(), text);
        let film = "<media:content url='https://v.example/v.mp4' medium='video'>";
        let entry = item(&format!(
            "{film}<media:title>{escaped}</media:title><media:description>{escaped}</media:description></media:content>"
        ));
        check(entry.title, text);
        check(entry.summary, &escaped);
    }
    let entry = item(
        "<media:content url='/v.mp4'><media:description type='html'>&lt;b&gt;x&lt;/b&gt;</media:description></media:content>",
    );
    check(entry.enclosures[0].title.clone(), "x");
}

#[test]
fn lines_of_plain_text_stay_lines() {
    let text = "Ordre :\n\n1. Budget\r\n2. <Cantine>\n \n\nFin.";
    let html = "<p>Ordre :</p><p>1. Budget<br>2. &lt;Cantine></p><p>Fin.</p>";
    let json =
        serde_json::json!({"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "content_text": text}]});
    check(only(feed(&json.to_string())).content, html);
    let escaped = text.replace('<', "&lt;");
    check(atom(&format!("<content type='text'>\n{escaped}\n</content>")).content, html);
    check(atom(&format!("<content type='text/plain'>{escaped}</content>")).content, html);
    check(atom("<summary type='text'>un\ndeux</summary>").summary, "un<br>deux");
    check(item("<description>Un &amp;amp; deux\n\ntrois</description>").summary, "<p>Un &amp; deux</p><p>trois</p>");
    check(
        item("<description>Un\ndeux &lt;b&gt;trois&lt;/b&gt;\n\nquatre</description>").summary,
        "Un\ndeux <b>trois</b>\n\nquatre",
    );
}

#[test]
fn a_text_is_html_where_a_tag_is_sure() {
    check(
        atom("<summary>Un &lt;nom&gt; et &lt;p&gt;un &lt;em&gt;texte&lt;/em&gt;</summary>").summary,
        "Un &lt;nom> et <p>un <em>texte</em>",
    );
    check(atom("<summary>Le &lt;canvas&gt; de HTML</summary>").summary, "Le &lt;canvas> de HTML");
    let ruby = "<ruby>漢<rt>kan</rt></ruby><colgroup></colgroup><hgroup></hgroup>a<wbr>b";
    check(atom(&format!("<summary>{}</summary>", ruby.replace('<', "&lt;"))).summary, ruby);
    check(
        item("<description>Un Vec&lt;String&gt; et &lt;em&gt;deux&lt;/em&gt;</description>").summary,
        "Un Vec&lt;String> et <em>deux</em>",
    );
}

#[test]
fn sections_that_were_escaped_read_as_what_was_meant() {
    let entry = item(
        "<title>&lt;![CDATA[Titre &lt;em&gt;enveloppé&lt;/em&gt;]]&gt;</title><link>&lt;![CDATA[https://site.example/a?b&amp;c]]&gt;</link>
         <guid><![CDATA[<![CDATA[17]]]]></guid><category>&lt;![CDATA[École]]&gt;</category><pubDate>&lt;![CDATA[Mon, 12 Feb 2024 09:00:00 GMT]]&gt;</pubDate>
         <description>&lt;![CDATA[&lt;p&gt;Un.&lt;/p&gt;&lt;p&gt;Deux.&lt;/p&gt;]]&gt;</description>",
    );
    check(entry.title, "Titre enveloppé");
    check(entry.url, "https://site.example/a?b&c");
    check(entry.id, "17");
    check(entry.categories.first().map(|tag| tag.term.clone()), "École");
    check(entry.published, "2024-02-12 09:00:00 UTC");
    check(entry.summary, "<p>Un.</p><p>Deux.</p>");
    check(item("<description>Avant &lt;![CDATA[milieu]]&gt; après.</description>").summary, "Avant milieu après.");
    check(item("<title><![CDATA[<![CDATA[Double]]]]></title>").title, "Double");
    check(item("<title><![CDATA[<![CDATA[Double]]>]]></title>").title, "Double");
    check(atom("<title type='text'>&lt;![CDATA[A]]&gt;</title>").title, "A");
    check(
        atom("<content type='xhtml'><div><p>&lt;![CDATA[A]]&gt; b</p><p>c</p></div></content>").content,
        "<p>A b</p><p>c</p>",
    );
}

#[test]
fn files_have_a_type_and_entries_a_picture() {
    let kind = |fields: &str| item(fields).enclosures[0].media_type.clone().unwrap_or_default();
    assert_eq!(kind("<media:content url='/a.webp' medium='image'/>"), "image/webp");
    assert_eq!(kind("<media:content url='/a?f=jpg' medium='image'/>"), "image/jpeg");
    assert_eq!(kind("<media:content url='/a.png' type='image'/>"), "image/png");
    assert_eq!(kind("<media:content url='/a.mp3' type='audio/x' medium='audio'/>"), "audio/x");
    assert_eq!(kind("<media:content url='/a' medium='video'/>"), "video/mp4");
    assert_eq!(kind("<enclosure url='/a.m4a'/>"), "audio/m4a");
    assert_eq!(kind("<media:content url='/a.html' medium='document'/>"), "");
    let image = |fields: &str| item(fields).image.map(String::from).unwrap_or_default();
    let small = "<media:thumbnail url='/s.jpg' width='75'/>";
    assert_eq!(
        image(&format!("{small}<media:group><media:thumbnail url='/l.jpg' width='640'/></media:group>")),
        "https://site.example/l.jpg"
    );
    assert_eq!(image(&format!("<enclosure url='/e.png' type='image/png'/>{small}")), "https://site.example/s.jpg");
    assert_eq!(image("<enclosure url='/e.png' type='image/png'/>"), "https://site.example/e.png");
    assert_eq!(image("<image><title>x</title><url>/i.png</url></image>"), "https://site.example/i.png");
    assert_eq!(image("<enclosure url='/e.mp3' type='audio/mpeg'/>"), "");
    let json = r#"{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","banner_image":"https://b.example/b.png"}]}"#;
    check(only(feed(json)).image, "https://b.example/b.png");
}

#[test]
fn html_that_nobody_escaped_is_kept() {
    check(
        item("<description>Un <b>gras</b><br>mot & lien <a href='x?a=1&b=2'>l</a></description>").summary,
        "Un <b>gras</b><br>mot &amp; lien <a href=\"x?a=1&amp;b=2\">l</a>",
    );
}

#[test]
fn a_film_without_other_text_is_told_by_its_own() {
    let entry = item(
        "<media:group><media:title>A</media:title><media:description>D</media:description><media:content url='https://v.example/v.mp4' type='video/mp4' fileSize='9'/></media:group>",
    );
    check(entry.title, "A");
    check(entry.summary, "D");
    assert_eq!(entry.enclosures[0].length, Some(9));
    check(entry.enclosures[0].title.clone(), "A");
}

#[test]
fn text_inside_a_medium_speaks_of_that_medium() {
    let caption =
        "<media:title>Lille</media:title><media:description type='plain'>Devant un lycée.</media:description>";
    for medium in [
        format!("<media:content url='/1.jpg'>{caption}</media:content>"),
        format!("<media:content url='/1' medium='image' type='image/jpeg'>{caption}</media:content>"),
        format!("<media:group>{caption}<media:content url='/1.jpg' medium='image'/></media:group>"),
        format!("<media:group><media:content url='/1.jpg'>{caption}</media:content></media:group>"),
        format!(
            "<enclosure url='/1.jpg' type='image/jpeg' length='3'/><media:content url='/1.jpg'>{caption}</media:content>"
        ),
    ] {
        for text in ["<description>Le vrai résumé.</description>", "<dc:description>Le vrai résumé.</dc:description>"]
        {
            for fields in [format!("{medium}{text}"), format!("{text}{medium}")] {
                let entry = item(&format!("<link>/a</link>{fields}"));
                check(entry.summary, "Le vrai résumé.");
                check(entry.content, "");
                check(entry.title, "");
                check(entry.enclosures[0].title.clone(), "Devant un lycée.");
                check(entry.enclosures[0].media_type.clone(), "image/jpeg");
                assert_eq!(entry.enclosures.len(), 1, "{medium}");
            }
        }
        let entry = item(&medium);
        check(entry.summary, "");
        check(entry.title, "");
    }
    let thumbnail = format!("<media:thumbnail url='/1.jpg'>{caption}</media:thumbnail><description>R</description>");
    check(item(&thumbnail).summary, "R");
    check(item(&thumbnail).content, "");
    let item_level =
        item(&format!("<title>T</title>{caption}<description>R</description><media:content url='/1.jpg'/>"));
    check(item_level.title, "T");
    check(item_level.summary, "R");
    check(item_level.content, "");
    check(item_level.enclosures[0].title.clone(), "Devant un lycée.");
}

#[test]
fn the_content_is_the_fullest_telling() {
    let long = "Au sommaire : la rentrée, la cantine, le numérique, puis vos questions.";
    let with_itunes = |fields: &str| {
        only(feed(&format!(
            "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><item>{fields}</item></channel></rss>"
        )))
    };
    for fields in [
        format!("<description>&lt;p&gt;{long}&lt;/p&gt;</description><itunes:summary>Court</itunes:summary>"),
        format!("<itunes:summary>Court</itunes:summary><description>&lt;p&gt;{long}&lt;/p&gt;</description>"),
        format!(
            "<description>Court</description><content:encoded>&lt;p&gt;{long}&lt;/p&gt;</content:encoded><itunes:summary>Autre</itunes:summary>"
        ),
        format!("<description>&lt;p&gt;{long}&lt;/p&gt;</description><content:encoded>Court</content:encoded>"),
    ] {
        let entry = with_itunes(&fields);
        check(entry.summary, "Court");
        check(entry.content, &format!("<p>{long}</p>"));
    }
    let entry = with_itunes(&format!("<description>Court</description><itunes:summary>{long}</itunes:summary>"));
    check(entry.summary, "Court");
    check(entry.content, long);
    let entry = with_itunes("<description>&lt;p&gt;Un&lt;/p&gt;</description><itunes:summary>Un</itunes:summary>");
    check(entry.summary, "<p>Un</p>");
    check(entry.content, "");
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
