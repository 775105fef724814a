//! Lifecycle: what becomes of a stored entry after its first poll.
//!
//! [`itself`] finds the stored entry that came back under another guid or address. [`is_significant`] says whether an
//! edit is news. The decisions from "listed" to "withdrawn" stand in `withdrawal.rs`.

mod renamed;
mod significance;
mod withdrawal;

pub use renamed::itself;
pub use significance::is_significant;
pub use withdrawal::{Listing, ListingChange, is_due, listing_change, takes_away};
