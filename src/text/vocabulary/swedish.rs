//! The words that blog software says in Swedish.

use super::BlogWords;

/// The words that blog software says in Swedish.
pub(super) static SWEDISH: BlogWords = BlogWords {
    openings: &["Inlägget "],
    claims: &[" dök först upp på "],
    more: &["läs mer", "fortsätt läsa"],
    more_of: &[],
    about: &[" om"],
};
