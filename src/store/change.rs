//! Changes: what a decision wants written, as plain data.

use std::sync::Arc;

use crate::feed::Timestamp;
use crate::outbox::{PostState, PostTopic, RowResult};
use crate::state::{Announcement, Hold, SourceState, Throttle, Turn};
use crate::story::{Bond, Clues, Fingerprint, Prepared, TellingWords};
use crate::topic::Label;
use crate::websub::WebSubChange;

/// One write to the store. Dates and numbers are final: the store decides nothing.
///
/// ```
/// use chrono::DateTime;
/// use veille::state::SourceState;
/// use veille::store::{Applied, Change, Store, sqlite::Sqlite};
///
/// let folder = tempfile::tempdir()?;
/// let mut store = Sqlite::open(&folder.path().join("veille.db"))?;
/// let state = SourceState { source_id: "education".into(), ..SourceState::default() };
/// let leave = Change::Leave { numbers: vec![1], now: DateTime::UNIX_EPOCH };
///
/// // Both are written in one transaction, whatever has changed since the last look (`None`).
/// assert_eq!(store.apply(&[Change::Source(Box::new(state)), leave], None)?, Applied::Kept);
/// assert_eq!(store.sources(None)?[0].state.source_id, "education");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Nothing changes by this. All changes beside it are refused ([`super::StoreError::Overtaken`]) if another node has taken
    /// this lease over.
    Held(Hold),
    /// The state of a source, in place of the one before.
    Source(Box<SourceState>),
    /// A host asks to be left alone. A longer wait that it already has stays. Waits that are over at `now` are deleted, and
    /// the wait of the host if the given end is over.
    Throttle {
        /// The host and the end of its wait.
        throttle: Throttle,
        /// When it asked.
        now: Timestamp,
    },
    /// The health of a source, a hub or the config has changed.
    Turn(Turn),
    /// An announcement to a hub.
    Announced(Announcement),
    /// The topics that posts tell of, in place of those before. Only stories with heads that come later are news to a pair
    /// that is new.
    Enroll(Vec<PostTopic>),
    /// Entries brought news: each of their stories makes a row in the outbox of each post that tells of a topic of the
    /// entry, if it is new to the post and young enough. The labels count whatever rules they were made by.
    News {
        /// The entries.
        numbers: Vec<i64>,
        /// When.
        now: Timestamp,
    },
    /// The texts of entries say something else. Posts that have sent their stories have a change to tell; one that is
    /// withdrawn is told by [`Change::Withdraw`].
    Revised {
        /// The entries.
        numbers: Vec<i64>,
        /// When.
        now: Timestamp,
    },
    /// The result of a row of the outbox.
    Outbox(RowResult),
    /// The state of a post.
    Post(PostState),
    /// A subscription of ours, or a subscriber of our hub.
    WebSub(WebSubChange),
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
        /// Its content.
        prepared: Arc<Prepared>,
    },
    /// The text of a stored entry was replaced; its number, story, Atom id and first sight stay.
    Update {
        /// The entry.
        number: i64,
        /// Its content now.
        prepared: Arc<Prepared>,
        /// Its date.
        date: Timestamp,
        /// The date of publication that its publisher gives now or gave before.
        published: Option<Timestamp>,
        /// Its last significant change, if it had one.
        changed: Option<Timestamp>,
        /// If the text before is kept as a revision: the instant of its replacement, and the most revisions of an
        /// entry.
        revision: Option<(Timestamp, usize)>,
    },
    /// An entry is moved to another story.
    Move {
        /// The entry.
        number: i64,
        /// The number of the story's head: the entry's own to make it one.
        story: i64,
        /// When the story that the entry headed was merged into an earlier one, if it headed one.
        joined: Option<Timestamp>,
    },
    /// Two entries are bound, in place of any earlier bond between them.
    Bind(Bond),
    /// The related news of a story in a topic, best first. Nothing happens if it was chosen before: readers have seen
    /// that.
    Relate {
        /// The topic.
        topic: String,
        /// The story.
        story: i64,
        /// The others.
        others: Vec<i64>,
    },
    /// Stories wait for their related news in some topic.
    Unrelated(Vec<i64>),
    /// Stories wait no more.
    Related(Vec<i64>),
    /// The telling words of an entry.
    TellingWords {
        /// The entry.
        number: i64,
        /// Its words.
        telling_words: TellingWords,
    },
    /// Entries are not listed any more by their source. Refused: a date "last seen", which each poll without news would write
    /// for each entry.
    Leave {
        /// The entries.
        numbers: Vec<i64>,
        /// When.
        now: Timestamp,
    },
    /// An entry is listed again: neither missed nor withdrawn.
    Relist {
        /// The entry.
        number: i64,
        /// Its last significant change: now, if it had been withdrawn.
        changed: Option<Timestamp>,
    },
    /// Entries are missed since an instant; `None` for no more. The column is called `suspected`.
    Miss {
        /// The entries.
        numbers: Vec<i64>,
        /// Since when.
        since: Option<Timestamp>,
    },
    /// Entries were withdrawn by their publisher. A story shows only entries that stand; without any, no topic shows
    /// it.
    Withdraw {
        /// The entries.
        numbers: Vec<i64>,
        /// When.
        now: Timestamp,
    },
    /// Entries of a source that came while the clock was wrong get the dates that the source gives them, up to `now`.
    Redate {
        /// The source.
        source_id: String,
        /// The first instant of the wrong clock.
        from: Timestamp,
        /// Its last instant.
        until: Timestamp,
        /// The instant by the right clock.
        now: Timestamp,
    },
    /// A relabelling by these rules begins, or goes on. An unfinished one by other rules is dropped.
    BeginRules(String),
    /// The labels of an entry under the rules to come, else those in force. Nothing happens if the text has changed
    /// since: the poll that changed it has labelled it.
    Label {
        /// The entry.
        number: i64,
        /// The fingerprint of the text that was labelled.
        seen: Fingerprint,
        /// Its labels.
        labels: Vec<Label>,
    },
    /// Every entry up to this number is labelled.
    Labelled(i64),
    /// The labels of the relabelling are published from now on. Nothing happens while an entry waits for labels.
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
    /// Derived data of each entry up to this number is complete; `None`: of all entries.
    Rebuilt(Option<i64>),
}

impl Change {
    /// Tells whether a decision or a publication can see the change. Labels are seen if they differ from those in force; those
    /// of rules to come are not seen before [`Change::FinishRules`].
    #[must_use]
    pub fn is_seen(&self) -> bool {
        match self {
            Self::Held(_)
            | Self::Source(_)
            | Self::Throttle { .. }
            | Self::Enroll(_)
            | Self::News { .. }
            | Self::Revised { .. }
            | Self::Outbox(_)
            | Self::Post(_)
            | Self::WebSub(_)
            | Self::Unrelated(_)
            | Self::Related(_)
            | Self::TellingWords { .. }
            | Self::BeginRules(_)
            | Self::Label { .. }
            | Self::Labelled(_)
            | Self::Sketch { .. }
            | Self::Rebuilt(_) => false,
            Self::Turn(_)
            | Self::Redate { .. }
            | Self::Announced(_)
            | Self::Insert { .. }
            | Self::Update { .. }
            | Self::Move { .. }
            | Self::Bind(_)
            | Self::Relate { .. }
            | Self::Leave { .. }
            | Self::Relist { .. }
            | Self::Miss { .. }
            | Self::Withdraw { .. }
            | Self::FinishRules => true,
        }
    }
}
