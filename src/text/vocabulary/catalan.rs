//! The words that blog software says in Catalan.

use super::BlogWords;

/// The words that blog software says in Catalan.
pub(super) static CATALAN: BlogWords = BlogWords {
    openings: &["L'entrada "],
    claims: &[" ha aparegut primer a "],
    more: &["llegir més", "llegeix més", "continua llegint"],
    more_of: &[],
    about: &[],
};
