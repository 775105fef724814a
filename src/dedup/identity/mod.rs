//! Identity of an entry within its source, before any other source is looked at.
//!
//! [`identify`] gives each entry of a document its key, fingerprint, canonical link and Atom id. [`recognise`] compares them
//! with the stored entries that have one of its keys: the entry is new, changed or the same.

mod atom_id;
mod key;
mod link;

pub(super) use atom_id::is_world_unique;
pub use atom_id::minted_id;
pub use key::{Decision, identify, identify_apart_from, recognise};
pub use link::canonical_link;
