//! The promises, by name.

use std::fmt;

/// A promise that holds in every world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Invariant {
    /// The row of every object equals the law over the entries that the replica applied, after every step.
    RowsEqualLaw,
    /// A batch is applied as a whole or not at all.
    BatchesAreWhole,
    /// A lane counts 1, 2, 3 without gaps, and its running hash holds.
    LanesHaveNoGaps,
    /// A number of a lane stands for one entry, unless the database was copied or rolled back.
    OneNumberOneEntry,
    /// What a database has applied or written stays.
    NothingDisappears,
    /// What the application was told is written is there in the end.
    AcknowledgedWritesStay,
    /// A local write wins over what its user saw, whatever the clocks show.
    LocalWritesWin,
    /// A cursor, an acknowledgement and a mark are never ahead of what is stored.
    MarksFollowStorage,
    /// A value that loses against a write that did not know it is reported.
    LostValuesAreReported,
    /// When faults stop, all is shared, received and applied within a bounded number of rounds.
    ProgressIsMade,
    /// Replicas that know the same show the same, and equal fingerprints.
    ReplicasConverge,
    /// Errors are of the kinds that the situation explains.
    ErrorsAreExpected,
    /// The engine never panics.
    NothingPanics,
    /// Whatever the application itself promises.
    ApplicationHolds,
}

impl Invariant {
    /// The promise in words.
    pub fn says(self) -> &'static str {
        match self {
            Self::RowsEqualLaw => "the row of every object equals the law over the applied entries",
            Self::BatchesAreWhole => "a batch is applied as a whole or not at all",
            Self::LanesHaveNoGaps => "a lane has no gaps and its running hash holds",
            Self::OneNumberOneEntry => "a number of a lane stands for one entry",
            Self::NothingDisappears => "what was applied or written stays",
            Self::AcknowledgedWritesStay => "what the application was told is written stays",
            Self::LocalWritesWin => "a local write wins over what its user saw",
            Self::MarksFollowStorage => "cursors and acknowledgements follow storage",
            Self::LostValuesAreReported => "a value that loses unseen is reported",
            Self::ProgressIsMade => "when faults stop, all is exchanged in a few rounds",
            Self::ReplicasConverge => "replicas that know the same show the same",
            Self::ErrorsAreExpected => "errors are of the kinds that the situation explains",
            Self::NothingPanics => "nothing panics",
            Self::ApplicationHolds => "the application's own promise holds",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.says())
    }
}

/// A promise that was broken, and how it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which promise.
    pub invariant: Invariant,
    /// What was seen.
    pub seen: String,
}

impl Broken {
    /// A broken promise.
    pub fn new(invariant: Invariant, seen: impl Into<String>) -> Self {
        Self { invariant, seen: seen.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not so: {}\n{}", self.invariant, self.seen)
    }
}
