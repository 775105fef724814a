//! The words that blog software says in Danish.

use super::BlogWords;

/// The words that blog software says in Danish.
pub(super) static DANISH: BlogWords = BlogWords {
    openings: &["Indlægget "],
    claims: &[" blev først udgivet på "],
    more: &["læs mere", "læs videre"],
    more_of: &[],
    about: &[],
};
