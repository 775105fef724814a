//! Tests that tell markup from text that only looks like it.

use super::*;

#[test]
fn titles_are_plain_and_on_one_line() {
    check(item("<title><![CDATA[L&#039;&eacute;cole &amp; <em>co</em>]]></title>").title, "L'école & co");
    check(item("<title>AT&amp;amp;T\n  et R&D</title>").title, "AT&T et R&D");
    check(item("<title><![CDATA[L&amp;eacute;cole]]></title>").title, "Lécole");
    check(item("<title>A <i>b</i> c</title>").title, "A b c");
    check(item("<title>Vec&lt;String&gt; et 1 &lt; 2</title>").title, "Vec<String> et 1 < 2");
}

#[test]
fn a_plain_title_that_was_escaped_before_is_read_as_what_was_meant() {
    let title = |written: &str| atom(&format!("<title type='text'>{}</title>", written.replace('&', "&amp;"))).title;
    check(
        title("La r&eacute;forme d&#039;une &Eacute;cole &amp; le num&eacute;rique"),
        "La réforme d'une École & le numérique",
    );
    check(title("L&rsquo;&eacute;cole"), "L’école");
    for talked_about in ["R&amp;D &eacute; ou &nbsp;", "Écrire &#8217; en HTML", "a&lt;b"] {
        check(title(talked_about), talked_about);
    }
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
    for words in ["if a&lt;b then c&gt;d", "Un &lt;i comme&gt; et &lt;p ou q&gt;"] {
        check(item(&format!("<description>{words}</description>")).summary, &words.replace("&gt;", ">"));
        check(atom(&format!("<summary>{words}</summary>")).summary, &words.replace("&gt;", ">"));
    }
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
    check(item("<title>&lt;![cdata[Petit]]&gt;</title>").title, "Petit");
    check(item("<title><![CDATA[Titre]]>]]&gt;</title>").title, "Titre");
    let talked_about = "Comment écrire &lt;![CDATA[ en XML";
    check(item(&format!("<title>{talked_about}</title>")).title, "Comment écrire <![CDATA[ en XML");
    let file = item("<enclosure url='&lt;![CDATA[https://site.example/a.mp3]]&gt;' type='audio/mpeg'/>");
    check(file.enclosures.first().map(|file| file.url.clone()), "https://site.example/a.mp3");
    check(
        atom("<content type='xhtml'><div><p>&lt;![CDATA[A]]&gt; b</p><p>c</p></div></content>").content,
        "<p>A b</p><p>c</p>",
    );
}
