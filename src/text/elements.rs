//! The elements of HTML, living and obsolete, and what they do to the text around them (HTML §15.3).

/// Whether an element is one of HTML, of SVG's or of `MathML`'s roots, or was once.
#[rustfmt::skip]
pub(crate) fn is_known(name: &str) -> bool {
    is_inline(name) || is_void(name) || matches!(
        name,
        "address" | "applet" | "article" | "aside" | "audio" | "blockquote" | "body" | "button" | "canvas" | "caption"
            | "center" | "colgroup" | "datalist" | "dd" | "details" | "dialog" | "dir" | "div" | "dl" | "dt"
            | "fieldset" | "figcaption" | "figure" | "footer" | "form" | "frameset" | "h1" | "h2" | "h3" | "h4" | "h5"
            | "h6" | "head" | "header" | "hgroup" | "html" | "iframe" | "image" | "legend" | "li" | "listing" | "main"
            | "map" | "marquee" | "math" | "menu" | "meter" | "nav" | "noembed" | "noframes" | "noscript" | "object"
            | "ol" | "optgroup" | "option" | "p" | "picture" | "plaintext" | "pre" | "progress" | "rp" | "rt" | "rtc"
            | "script" | "search" | "section" | "select" | "slot" | "style" | "summary" | "svg" | "table" | "tbody"
            | "td" | "template" | "textarea" | "tfoot" | "th" | "thead" | "title" | "tr" | "ul" | "video" | "xmp"
    )
}

/// Whether an element has no content, so that it is written without an end tag (HTML §13.1.2).
#[rustfmt::skip]
pub(crate) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area" | "base" | "basefont" | "bgsound" | "br" | "col" | "embed" | "frame" | "hr" | "img" | "input" | "keygen"
            | "link" | "meta" | "param" | "source" | "track" | "wbr"
    )
}

/// Whether an element does not part words; any other does.
#[rustfmt::skip]
pub(crate) fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "a" | "abbr" | "acronym" | "b" | "bdi" | "bdo" | "big" | "blink" | "cite" | "code" | "data" | "del" | "dfn"
            | "em" | "font" | "i" | "ins" | "kbd" | "label" | "mark" | "nobr" | "output" | "q" | "rb" | "ruby" | "s"
            | "samp" | "small" | "span" | "strike" | "strong" | "sub" | "sup" | "time" | "tt" | "u" | "var" | "wbr"
    )
}
