//! veille keeps watch over news feeds and republishes each topic as one clean Atom feed.
//!
//! Three tiers, and dependencies point one way: *words* (`feed`, `outage`, `outbox`, `state`, `story`, `text`, `topic`,
//! `websub`, `schedule`, `config`, `disk`) are pure, but that `config` reads its files and `disk` asks the system; *stages* (`fetch`,
//! `parse`, `dedup`, `tag`, `store`, `publish`, `post`) know words and never each other; *composition* (`pipeline`, `readers`,
//! `serve`, `metrics`, `daemon`, `cli`) puts stages together. Start reading at [`pipeline`].

pub mod config;
pub mod disk;
pub mod feed;
pub mod outage;
pub mod outbox;
pub mod schedule;
pub mod state;
pub mod story;
pub mod text;
pub mod topic;
pub mod websub;

pub mod dedup;
pub mod fetch;
pub mod parse;
pub mod post;
pub mod publish;
pub mod store;
pub mod tag;

pub mod cli;
pub mod daemon;
pub mod metrics;
pub mod pipeline;
pub mod readers;
pub mod serve;
