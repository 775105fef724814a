//! The specification, run: the real thing against a scripted origin on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy takes the helpers of an integration test for production code"
)]

#[path = "../support/database.rs"]
mod database;
#[path = "../support/desk.rs"]
mod desk;
#[path = "../support/loopback.rs"]
mod loopback;
#[path = "../support/mastodon.rs"]
mod mastodon;
#[path = "../support/origin.rs"]
mod origin;
#[path = "../support/packed.rs"]
mod packed;
#[path = "../support/secure.rs"]
mod secure;
#[path = "../support/tunnel.rs"]
mod tunnel;
#[path = "../support/world.rs"]
mod world;

mod accessible;
mod add;
mod ailing;
mod away;
mod beside;
mod clocks;
mod descriptors;
mod editor;
mod fetch;
mod files;
mod full_text;
mod health;
mod hostile;
mod house;
mod inspect;
mod manners;
mod manual;
mod monitoring;
mod moving;
mod outage;
mod pages;
mod parity;
mod poll;
mod post;
mod private;
mod publish;
mod reading;
mod relabelling;
mod related;
mod run;
mod second;
mod service;
mod stopping;
mod stories;
mod valid;
mod watchdog;
mod ways;
mod week;
mod withdrawn;
mod xss;
