//! The words that blog software says in Spanish.

use super::BlogWords;

/// The words that blog software says in Spanish.
pub(super) static SPANISH: BlogWords = BlogWords {
    openings: &["La entrada "],
    claims: &[" se publicó primero en ", " aparece primero en "],
    more: &["leer más", "seguir leyendo", "sigue leyendo", "continuar leyendo"],
    more_of: &["seguir leyendo "],
    about: &[" sobre"],
};
