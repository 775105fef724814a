//! Sameness: whether two entries are the same item, and which entries tell one story.
//!
//! A [`Subject`] is an entry prepared for comparison, a [`sketch`] the bytes that the store keeps of it. [`compare`]
//! judges two subjects, [`partition`] parts many into stories.

mod compare;
mod one_source;
mod partition;
mod sketch;
mod subject;
mod title;

pub(in crate::dedup) use compare::compare_words;
pub use compare::{Comparison, Refusal, compare, may_be_same};
pub use partition::{Member, partition};
pub use sketch::{Sketched, read_back, sketch, sketched};
pub use subject::Subject;
pub(in crate::dedup) use subject::without_more;
pub(in crate::dedup) use title::{Title, bare_title, is_misspelt};
