//! `/opensearch.xml`: tells browsers how the site is searched, so that their address bar can (`OpenSearch` 1.1).

use crate::publish::channel::{language_tag, site_address};
use crate::publish::search::words::search_words;
use crate::publish::xml::Xml;
use crate::publish::{Edition, Format, Representation, legal, page};

const MEDIA_TYPE: &str = "application/opensearchdescription+xml";

/// Longest name, in characters, as the specification has it.
const NAME_MAX: usize = 16;

/// Renders the description.
pub(in crate::publish) fn description(edition: &Edition<'_>) -> Representation {
    let home = site_address(edition);
    let site = page::site_title(edition);
    let words = search_words(edition.site.language);
    let name = legal::beginning(&site, NAME_MAX - 1);
    let mut xml = Xml::new();
    xml.parent("OpenSearchDescription", &[("xmlns", "http://a9.com/-/spec/opensearch/1.1/")], |xml| {
        xml.text("ShortName", &[], &name);
        xml.text("Description", &[], &(words.described)(&site));
        let template = format!("{home}search/?q={{searchTerms}}");
        xml.empty("Url", &[("type", "text/html"), ("method", "get"), ("template", &template)]);
        let own = format!("{home}opensearch.xml");
        xml.empty("Url", &[("type", MEDIA_TYPE), ("rel", "self"), ("template", &own)]);
        let icon = format!("{home}icon.png");
        xml.text("Image", &[("width", "144"), ("height", "144"), ("type", "image/png")], &icon);
        xml.text("Language", &[], language_tag(edition.site.language));
        xml.text("InputEncoding", &[], "UTF-8");
        xml.text("OutputEncoding", &[], "UTF-8");
    });
    Representation::new("/opensearch.xml".to_owned(), Format::OpenSearch, xml.into_bytes())
}
