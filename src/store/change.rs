//! What a decision wants written, as plain data.

use std::sync::Arc;

use crate::feed::Timestamp;
use crate::state::{Announcement, SourceState, Throttle, Turn};
use crate::story::{Bond, Clues, Fingerprint, Prepared, Terms};
use crate::topic::Label;

/// One thing that a decision wants written. Dates and numbers are final: the store decides nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// What is remembered of a source.
    Source(Box<SourceState>),
    /// A host asks to be left alone; a longer wait that it already has stays. Those over at `now` go, and all of a host whose
    /// given end is over.
    Throttle {
        /// The host and the end of its wait.
        throttle: Throttle,
        /// When it asked.
        now: Timestamp,
    },
    /// Something became of a source, a hub or the config.
    Turn(Turn),
    /// What a hub was told.
    Announced(Announcement),
    /// A new entry.
    Insert {
        /// Its number: [`super::Surroundings::next_number`] or later, each once.
        number: i64,
        /// The source that tells it.
        source_id: String,
        /// The number of its story's head: its own if it begins one.
        story: i64,
        /// When it was first seen.
        first_seen: Timestamp,
        /// Its date: see [`crate::story::date`].
        date: Timestamp,
        /// The id under which it is published, in place of the one that it came with.
        atom_id: String,
        /// What it says.
        prepared: Arc<Prepared>,
    },
    /// A stored entry says something else; its number, story, Atom id and first sight stay.
    Update {
        /// The entry.
        number: i64,
        /// What it says now.
        prepared: Arc<Prepared>,
        /// Its date.
        date: Timestamp,
        /// When its publisher said that it was published, now or before.
        published: Option<Timestamp>,
        /// Its last significant change, if it had one.
        changed: Option<Timestamp>,
        /// What it said before is kept as replaced at this instant, among at most so many earlier texts.
        revision: Option<(Timestamp, usize)>,
    },
    /// An entry tells another story.
    Move {
        /// The entry.
        number: i64,
        /// The number of the story's head: the entry's own to make it one.
        story: i64,
        /// When the story that it headed became part of an earlier one, if it did.
        joined: Option<Timestamp>,
    },
    /// Two entries are bound, instead of any earlier bond between them.
    Bind(Bond),
    /// The earlier stories that a topic shows with a story, best first. It is chosen once: a first choice stays.
    Relate {
        /// The topic.
        topic: String,
        /// The story.
        story: i64,
        /// The others.
        others: Vec<i64>,
    },
    /// Stories came into a topic and wait for their related news.
    Unrelated(Vec<i64>),
    /// Stories wait no more, whether anything was chosen for them or not.
    Related(Vec<i64>),
    /// The telling words of an entry.
    Terms {
        /// The entry.
        number: i64,
        /// Its words.
        terms: Terms,
    },
    /// Entries have left the document of their source.
    Leave {
        /// The entries.
        numbers: Vec<i64>,
        /// When.
        now: Timestamp,
    },
    /// An entry is in the document of its source again: neither suspected nor withdrawn.
    Return {
        /// The entry.
        number: i64,
        /// Its last significant change: its return, if it had been withdrawn.
        changed: Option<Timestamp>,
    },
    /// Entries are suspected to be withdrawn since an instant; `None` for no more.
    Suspect {
        /// The entries.
        numbers: Vec<i64>,
        /// Since when.
        since: Option<Timestamp>,
    },
    /// Entries were taken back by their publisher. A story shows only tellings that stand; without any, no topic shows it.
    Withdraw {
        /// The entries.
        numbers: Vec<i64>,
        /// When.
        now: Timestamp,
    },
    /// The clock was wrong between two instants: entries that this source told first then get the dates that it gives them,
    /// as far as they are not later than `now`.
    Redate {
        /// The source.
        source_id: String,
        /// The first of the two, by the wrong clock.
        from: Timestamp,
        /// The second.
        until: Timestamp,
        /// By the right one.
        now: Timestamp,
    },
    /// A relabelling by these rules begins, or goes on; labels of another one that was not finished are forgotten.
    BeginRules(String),
    /// The labels of an entry under the rules of the relabelling under way, else of those in force. Nothing happens if the
    /// entry says something else by now: who changed it has labelled it.
    Label {
        /// The entry.
        number: i64,
        /// What it said when it was judged.
        seen: Fingerprint,
        /// Its labels.
        labels: Vec<Label>,
    },
    /// Every entry up to this number was labelled.
    Labelled(i64),
    /// The relabelling is done: its labels are published from now on. Nothing happens while an entry still waits for it.
    FinishRules,
    /// The clues and the sketch of an entry, made again.
    Sketch {
        /// The entry.
        number: i64,
        /// Its clues.
        clues: Clues,
        /// As [`Prepared::sketch`].
        sketch: Vec<u8>,
    },
    /// What is derived of each entry up to this number is there again; `None`: of all.
    Rebuilt(Option<i64>),
}
