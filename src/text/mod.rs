//! Text as people read it, for machines: markup to text, text to tokens, tokens folded. French before all. And addresses
//! as programs compare them.
//!
//! Pure. What is "the same word" is decided here and nowhere else.

pub(crate) mod elements;
mod fold;
mod folding;
mod html;
mod inclusive;
mod iri;
mod language;
mod levelled;
mod links;
pub(crate) mod markup;
mod passage;
mod tokens;

pub use fold::fold;
pub use folding::Folding;
pub use html::{html_to_text, one_line};
pub use iri::{legal_iri, normal_iri};
pub use language::{Tongue, tongue};
pub use levelled::Levelled;
pub use links::{Alternate, Alternates, alternates};
pub use passage::{Passage, Word};
pub use tokens::Token;
