//! Related news ("Sur le même sujet"): earlier stories of a topic that are about the same subject as a story.
//!
//! | word | meaning | where |
//! | --- | --- | --- |
//! | telling word | a word of an entry that may say what it is about, with its place (title, tag, text) | [`crate::story::TellingWord`] |
//! | gist | a story's head with its telling words: all that choosing needs | [`crate::story::Gist`] |
//! | window | the 500 stories of the topic before a story, among which is chosen | [`crate::story::WINDOW`] |
//! | related | the at most three stories chosen for a story in a topic, once and for good | `Change::Relate` |
//!
//! `words.rs` finds an entry's telling words, `choice.rs` chooses by them. `pipeline::deciding::relating` chooses for
//! stories that polls brought, `pipeline::relabelling` for those that new rules bring into a topic; `store::sqlite::related`
//! reads gists and keeps choices.

mod choice;
mod words;

pub use choice::related;
pub use words::telling_words;
