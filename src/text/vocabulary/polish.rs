//! The words that blog software says in Polish.

use super::BlogWords;

/// The words that blog software says in Polish.
pub(super) static POLISH: BlogWords = BlogWords {
    openings: &["Artykuł "],
    claims: &[" pochodzi z serwisu "],
    more: &["czytaj dalej", "czytaj więcej"],
    more_of: &[],
    about: &[],
};
