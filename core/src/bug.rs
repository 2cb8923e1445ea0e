//! Mistakes that sync engines made, each behind a switch: the simulator proves that it would see them.
//!
//! The switches are there only when everything is compiled with `--cfg syncline_bugs`. Otherwise each question is
//! answered with no while compiling, and nothing of them is left.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bug {
    /// Acknowledges the highest place that it saw, before anything of it is stored.
    AcknowledgesMaximum,
    /// Stops a lane at the first batch that it cannot apply.
    BadEntryBlocks,
    /// Forgets the histories together with the entries that everybody has.
    CleaningForgetsStamps,
    /// Stores the cursor before the entries that it stands behind.
    CursorBeforeEntries,
    /// Applies the beginning of a batch when its end has not come yet.
    CutsBatches,
    /// Drops an update that comes before its create.
    DropsEarlyUpdates,
    /// Drops an object whose parent is not there.
    DropsOrphans,
    /// Drops a batch that it cannot apply yet instead of parking it.
    DropsParked,
    /// Moves the cursor of an empty page to the greatest number that was ever given.
    #[cfg(syncline_bugs)]
    EmptyFetchMovesCursor,
    /// Keeps only the smallest create of an object when it folds.
    FoldingForgetsCreates,
    /// Lets an object be born by its greatest create instead of its smallest one.
    GreatestCreate,
    /// Goes on under its replica id although the database was restored or copied.
    KeepsRestoredId,
    /// Writes the log in another batch than the data.
    LogsApart,
    /// Does not store which values lost.
    LosesDiscards,
    /// Notes that segments are shared before they are appended.
    MarksSharedFirst,
    /// Takes an unknown cursor for one behind which there is nothing.
    RejoinIsEmpty,
    /// Puts its own entries away for a new id without looking whether another process wrote one.
    RenewsBlindly,
    /// Stamps writes by the wall clock alone.
    ReusesStamps,
    /// Takes the same numbers of a lane for known, whatever their hash says.
    SameNumberIsKnown,
    /// Shows readers numbers behind one that is not committed yet.
    #[cfg(syncline_bugs)]
    SkipsUncommitted,
    /// Stamps a local write after the clock, and not after what its user saw.
    StampsIgnoreObjects,
    /// Keeps the value that is there when two stamps are equal.
    TieKeepsLocal,
    /// Forgets that an object was deleted, after a while.
    TombstonesExpire,
    /// Writes over rows that it read earlier without guarding that they still look so.
    WritesUnguarded,
}

/// Whether a mistake is made.
#[cfg(not(syncline_bugs))]
pub(crate) const fn is(_bug: Bug) -> bool {
    false
}

#[cfg(syncline_bugs)]
mod switch {
    use std::sync::Mutex;

    use super::Bug;

    static MADE: Mutex<Option<Bug>> = Mutex::new(None);

    impl Bug {
        /// All of them.
        pub const ALL: [Self; 24] = [
            Self::AcknowledgesMaximum,
            Self::BadEntryBlocks,
            Self::CleaningForgetsStamps,
            Self::CursorBeforeEntries,
            Self::CutsBatches,
            Self::DropsEarlyUpdates,
            Self::DropsOrphans,
            Self::DropsParked,
            Self::EmptyFetchMovesCursor,
            Self::FoldingForgetsCreates,
            Self::GreatestCreate,
            Self::KeepsRestoredId,
            Self::LogsApart,
            Self::LosesDiscards,
            Self::MarksSharedFirst,
            Self::RejoinIsEmpty,
            Self::RenewsBlindly,
            Self::ReusesStamps,
            Self::SameNumberIsKnown,
            Self::SkipsUncommitted,
            Self::StampsIgnoreObjects,
            Self::TieKeepsLocal,
            Self::TombstonesExpire,
            Self::WritesUnguarded,
        ];

        /// Makes this mistake from now on, everywhere in the process, or none.
        pub fn make(bug: Option<Self>) {
            *MADE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = bug;
        }
    }

    /// Whether a mistake is made.
    pub fn is(bug: Bug) -> bool {
        *MADE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) == Some(bug)
    }
}

#[cfg(syncline_bugs)]
pub use switch::is;
