//! The words that blog software says in Dutch.

use super::BlogWords;

/// The words that blog software says in Dutch.
pub(super) static DUTCH: BlogWords = BlogWords {
    openings: &["Het bericht "],
    claims: &[" verscheen eerst op "],
    more: &["lees meer", "lees verder", "verder lezen"],
    more_of: &["lees verder "],
    about: &[" over"],
};
