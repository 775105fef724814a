//! The check of HTML that both targets with HTML output share.

/// Panics if `html` holds an element that runs code or sends something.
pub fn assert_safe(html: &str) {
    for tag in html.split('<').skip(1) {
        let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap_or_default();
        let is_unsafe = matches!(name, "script" | "style" | "svg" | "math" | "iframe" | "object" | "form" | "base");
        assert!(!is_unsafe, "{html}");
    }
}
