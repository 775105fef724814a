//! Files for search engines on the site as a whole: `/sitemap.xml` and `/robots.txt`.

use crate::publish::channel::site_address;
use crate::publish::xml::Xml;
use crate::publish::{Edition, Format, Representation, archive, figures, page};

/// Renders `/sitemap.xml`: every page (sitemaps.org).
pub(super) fn map(edition: &Edition<'_>) -> Representation {
    let home = site_address(edition);
    let mut pages = vec![home.clone(), format!("{home}sources/")];
    for selection in &edition.selections {
        let id = &selection.topic.id;
        let subscribe = page::subscribe_path(edition.site, id);
        pages.extend([format!("{home}{id}/"), format!("{home}{id}/archive/")]);
        pages.push(format!("{home}{}", subscribe.trim_start_matches('/')));
        let months = selection.months.iter().rev().map(|month| archive::path(id, *month, Format::Page));
        pages.extend(months.map(|path| format!("{home}{}", path.trim_start_matches('/'))));
    }
    let is_polled = |id: &String| edition.sources.get(id).is_some_and(|credit| credit.is_polled);
    let sources = figures(edition).into_keys().filter(is_polled).map(|id| format!("{home}sources/{id}/"));
    pages.extend(sources);
    let mut xml = Xml::new();
    xml.parent("urlset", &[("xmlns", "http://www.sitemaps.org/schemas/sitemap/0.9")], |xml| {
        for page in &pages {
            xml.parent("url", &[], |xml| xml.text("loc", &[], page));
        }
    });
    Representation::new("/sitemap.xml".to_owned(), Format::Sitemap, xml.into_bytes())
}

/// Renders `/robots.txt` (RFC 9309): all is welcome.
pub(super) fn robots(edition: &Edition<'_>) -> Representation {
    let text = format!("User-agent: *\nAllow: /\nSitemap: {}sitemap.xml\n", site_address(edition));
    Representation::new("/robots.txt".to_owned(), Format::Text, text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::newsroom::Newsroom;
    use crate::story::Month;

    #[test]
    fn the_map_lists_every_page_and_robots_the_map() {
        let newsroom = Newsroom::new();
        let mut edition = newsroom.edition(Vec::new());
        edition.selections[0].months = vec![Month { year: 2026, month: 9 }];
        let text = |document: Representation| String::from_utf8(document.bytes.to_vec()).unwrap();
        let map = text(map(&edition));
        for page in ["", "sources/", "ecole/", "ecole/abonnement/", "ecole/archive/", "ecole/archive/2026-09/"] {
            assert!(map.contains(&format!("<loc>https://veille.example/{page}</loc>")), "{map}");
        }
        assert!(text(robots(&edition)).contains("Sitemap: https://veille.example/sitemap.xml"));
    }
}
