//! Text as people read it, for machines: markup to text, text to tokens, tokens folded. French before all. And the
//! forms of addresses, dates, durations and numbers of things.
//!
//! Pure. Only this module decides whether two words are "the same word".

mod address;
mod boilerplate;
mod count;
mod duration;
pub(crate) mod elements;
mod fold;
mod folding;
mod footer;
mod html;
mod http_date;
mod inclusive;
mod iri;
mod language;
mod levelled;
mod links;
pub(crate) mod markup;
mod passage;
mod tags;
mod tokens;
mod tracking;
pub mod vocabulary;

pub use address::{
    differ_in_secrets, feed_key, secrets, web_address, without_feed_scheme, without_secrets, without_values,
};
pub use boilerplate::{without_boilerplate, without_boilerplate_in_html, without_signature};
pub use count::count;
pub use duration::{age, exact_duration, rough_duration};
pub use fold::fold;
pub use folding::Folding;
pub use footer::{FOOTER_CLASS, without_footer};
pub use html::{html_to_text, one_line};
pub use http_date::{http_date, read_http_date};
pub use iri::{legal_iri, normal_iri};
pub use language::{Tongue, leans_to_french, tongue};
pub use levelled::Levelled;
pub use links::{Alternate, Alternates, alternates};
pub use passage::{Passage, Word};
pub use tokens::WORDS_VERSION;
pub use tokens::{Token, is_running};
pub use tracking::{is_tracking, without_tracking, without_tracking_in_html};
