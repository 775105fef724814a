//! Who is who: an entry within its source, and the story that it tells with others.
//!
//! Pure functions: no store, no clock, no network.

mod atom_id;
mod identity;
mod link;

pub use atom_id::minted_id;
pub use identity::{Decision, decide, identify};
pub use link::canonical_link;
mod story;
pub use story::*;
