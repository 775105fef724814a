//! The words that blog software says in German.

use super::BlogWords;

/// The words that blog software says in German.
pub(super) static GERMAN: BlogWords = BlogWords {
    openings: &["Der Beitrag ", "Der Artikel "],
    claims: &[" erschien zuerst auf "],
    more: &["weiterlesen", "weiter lesen", "mehr lesen"],
    more_of: &["weiterlesen "],
    about: &[" über", " von"],
};
