//! The config as far as it is read: its mistakes, and what the keys read later refer to.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;

use super::diagnostic::{Diagnostic, Problems};
use super::keys::{Access, PollSettings, Source, TopicDefaults};
use super::lexicon::Lexicon;
use super::tree::Entries;
use crate::schedule::Schedule;

/// The state of reading. A table that has a mistake is `None`, and a source that has one is left out.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    pub(super) problems: Problems,
    /// The folder that relative paths begin in.
    pub(super) folder: &'a Path,
    /// `poll.timezone`: the wall clock of all schedules.
    pub(super) zone: Tz,
    /// Schedules by pattern: feeds with the same one share it, for each takes some kB.
    pub(super) schedules: HashMap<String, Schedule>,
    /// How the source before was asked: most are asked in the same way, and share it, for it takes much room.
    pub(super) access: Option<Arc<Access>>,
    pub(super) poll: Option<PollSettings>,
    pub(super) topic_defaults: Option<TopicDefaults>,
    pub(super) topic_ids: Vec<String>,
    /// Former ids of topics, each with the id that the topic has now.
    pub(super) aliases: BTreeMap<String, String>,
    /// The ids of all sources, with or without a mistake.
    pub(super) source_ids: Vec<String>,
    pub(super) sources: Vec<Source>,
    pub(super) lexicon: Lexicon<'a>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(folder: &'a Path, entries: &'a Entries) -> Self {
        let mut problems = Problems::default();
        let lexicon = entries.iter().find(|(name, _)| name.text == "lexicon").map(|(_, lexicon)| lexicon);
        let lexicon = Lexicon::new(lexicon, &mut problems);
        Self {
            problems,
            folder,
            zone: Tz::UTC,
            schedules: HashMap::new(),
            access: None,
            poll: None,
            topic_defaults: None,
            topic_ids: Vec::new(),
            aliases: BTreeMap::new(),
            source_ids: Vec::new(),
            sources: Vec::new(),
            lexicon,
        }
    }

    pub(super) fn error(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.problems.error(span, message)
    }

    pub(super) fn warning(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.problems.warning(span, message)
    }
}
