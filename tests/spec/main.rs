//! The specification, run: the real thing against a scripted origin on loopback.

#[path = "../support/origin.rs"]
mod origin;

mod fetch;
