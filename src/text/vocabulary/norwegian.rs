//! The words that blog software says in Norwegian.

use super::BlogWords;

/// The words that blog software says in Norwegian.
pub(super) static NORWEGIAN: BlogWords = BlogWords {
    openings: &["Innlegget "],
    claims: &[" dukket først opp på "],
    more: &["les mer", "fortsett å lese"],
    more_of: &[],
    about: &[],
};
