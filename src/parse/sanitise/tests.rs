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
    check("a<iframe src='https://v.example/'></iframe>b<object data='x'><p>c</p></object>", "ab<p>c</p>");
    check("a<iframe src='https://v.example/'> b", "a b");
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
