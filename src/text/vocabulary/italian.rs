//! The words that blog software says in Italian.

use super::BlogWords;

/// The words that blog software says in Italian.
pub(super) static ITALIAN: BlogWords = BlogWords {
    openings: &["L'articolo "],
    claims: &[" proviene da ", " sembra essere il primo su "],
    more: &["leggi tutto", "leggi di più", "leggi l'articolo", "continua a leggere", "continua la lettura"],
    more_of: &["continua a leggere "],
    about: &[" su"],
};
