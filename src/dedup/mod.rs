//! Who is who: an entry within its source, and the story that it tells with others.
//!
//! Pure functions: no store, no clock, no network. A poll uses them in this order:
//!
//! 1. [`identify`] gives each entry of a document its [`Identity`](crate::story::Identity);
//! 2. [`decide`] says, with what is stored under its keys, whether the entry is new;
//! 3. a new or changed one, read as [`Plain`](crate::story::Plain) text, becomes a [`Subject`], whose [`Subject::clues`]
//!    go into its identity;
//! 4. [`itself`] says, with the stored entries that share a clue, whether it is one of them under another name;
//! 5. [`partition`] says which story it tells, and whether it makes two stories one;
//! 6. [`is_significant`] says whether a change is news;
//! 7. [`related`] says, by the [`terms`] of a topic's stories, which earlier ones are news on the same subject;
//! 8. [`missed`] says which entries are gone that their publisher may have taken back, [`takes_away`] whether it does so
//!    all the time.
//!
//! [`relation`] says why two entries are the same item or not.

mod atom_id;
mod compare;
mod identity;
mod link;
mod own;
mod partition;
mod related;
mod significance;
mod sketch;
mod subject;
mod terms;
mod title;
mod withdrawal;

pub use atom_id::minted_id;
pub use compare::{Comparison, Refusal};
pub use identity::{Decision, decide, identify};
pub use link::canonical_link;
pub use own::{itself, may_be_same, relation};
pub use partition::{Member, partition};
pub use related::related;
pub use significance::is_significant;
pub use sketch::{Sketched, read_back, sketch, sketched};
pub use subject::Subject;
pub use terms::terms;
pub use withdrawal::{Missed, missed, takes_away};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::settings as usual_settings;
