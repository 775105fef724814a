//! The words that blog software says in Romanian.

use super::BlogWords;

/// The words that blog software says in Romanian.
pub(super) static ROMANIAN: BlogWords = BlogWords {
    openings: &["Articolul "],
    claims: &[" apare prima dată în "],
    more: &["citește mai mult", "citește mai departe"],
    more_of: &[],
    about: &[],
};
