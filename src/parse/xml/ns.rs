//! The vocabularies that feeds speak, by namespace and by custom.

/// The vocabularies that we read. Prefixes do not matter, nor the case of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::parse) enum Ns {
    /// RSS of every version, Atom of every version, and default namespaces that nobody knows.
    Core,
    Content,
    Dc,
    DcTerms,
    Itunes,
    Media,
    Rdf,
    Slash,
    Sy,
    Thr,
    Wfw,
    Xhtml,
    /// None that we read.
    Other,
}

impl Ns {
    /// Returns what a namespace is, else what its prefix usually is: publishers mistype the one, not the other.
    pub(super) fn of_uri(uri: &str, prefix: &str) -> Self {
        let uri = uri.trim().trim_end_matches(['/', '#']).to_ascii_lowercase();
        match uri.as_str() {
            "http://purl.org/rss/1.0/modules/content" => Self::Content,
            "http://purl.org/dc/elements/1.1" => Self::Dc,
            "http://purl.org/dc/terms" => Self::DcTerms,
            "http://www.itunes.com/dtds/podcast-1.0.dtd" => Self::Itunes,
            "http://search.yahoo.com/mrss" | "http://www.rssboard.org/media-rss" => Self::Media,
            "http://www.w3.org/1999/02/22-rdf-syntax-ns" => Self::Rdf,
            "http://purl.org/rss/1.0/modules/slash" => Self::Slash,
            "http://purl.org/rss/1.0/modules/syndication" => Self::Sy,
            "http://purl.org/syndication/thread/1.0" => Self::Thr,
            "http://wellformedweb.org/commentapi" => Self::Wfw,
            "http://www.w3.org/1999/xhtml" => Self::Xhtml,
            "http://www.w3.org/2005/atom" | "http://purl.org/atom/ns" | "http://purl.org/rss/1.0" => Self::Core,
            _ if uri.contains("backend.userland.com/rss") || uri.contains("netscape.com/rdf/simple") => Self::Core,
            _ => Self::of_prefix(prefix.trim_start_matches(':')),
        }
    }

    pub(super) fn of_prefix(prefix: &str) -> Self {
        match prefix {
            "" | "atom" | "atom10" | "rss" => Self::Core,
            "content" => Self::Content,
            "dc" => Self::Dc,
            "dcterms" => Self::DcTerms,
            "itunes" => Self::Itunes,
            "media" => Self::Media,
            "rdf" => Self::Rdf,
            "slash" => Self::Slash,
            "sy" => Self::Sy,
            "thr" => Self::Thr,
            "wfw" => Self::Wfw,
            "xhtml" => Self::Xhtml,
            _ => Self::Other,
        }
    }
}
