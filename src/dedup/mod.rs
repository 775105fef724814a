//! Identity of entries within a source, sameness across sources.
//!
//! Pure functions: no store, no clock, no network. Four rooms, in the order in which a poll uses them:
//!
//! 1. `identity`: [`identify`] gives each entry of a document its [`Identity`](crate::story::Identity), and [`recognise`]
//!    says whether it is new to its source.
//! 2. `sameness`: a new or changed entry becomes a [`Subject`]; its [`Subject::clues`] find candidates, [`compare`]
//!    judges each of them, and [`partition`] parts all of them into stories.
//! 3. `lifecycle`: [`itself`] recognises a stored entry under a new guid, [`is_significant`] says whether an edit is
//!    news, [`listing_change`] and [`takes_away`] decide which entries their publisher has withdrawn.
//! 4. `related`: [`related`] chooses, by [`telling_words`], the earlier stories of a topic on the same subject.

mod identity;
mod lifecycle;
mod related;
mod sameness;

pub use identity::{Decision, canonical_link, identify, identify_apart_from, minted_id, recognise};
pub use lifecycle::{Listing, ListingChange, is_due, is_significant, itself, listing_change, takes_away};
pub use related::{related, telling_words};
pub use sameness::{
    Comparison, Member, Refusal, Sketched, Subject, compare, may_be_same, partition, read_back, sketch, sketched,
};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::settings as usual_settings;
