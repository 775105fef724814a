//! The words that blog software says in Portuguese.

use super::BlogWords;

/// The words that blog software says in Portuguese.
pub(super) static PORTUGUESE: BlogWords = BlogWords {
    openings: &["O post ", "O conteúdo ", "O artigo "],
    claims: &[" apareceu primeiro em ", " aparece primeiro em "],
    more: &["leia mais", "ler mais", "continuar a ler", "continuar lendo", "continue lendo"],
    more_of: &["continuar a ler "],
    about: &[],
};
