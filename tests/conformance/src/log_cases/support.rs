//! What several cases say.

use syncline_core::log::{Receipt, Segment};
use syncline_core::{ErrorKind, Result, SharedLog};

use crate::lanes::{Follower, replica};

/// Appends segments that the log does not hold yet.
pub(super) async fn store(log: &dyn SharedLog, segments: &[Segment]) -> Result<()> {
    let receipts = log.append(segments).await?;
    assert_eq!(receipts, vec![Receipt::Stored; segments.len()]);
    Ok(())
}

/// Everything in the log, as someone new gets it.
pub(super) async fn everything(log: &dyn SharedLog) -> Result<Vec<Segment>> {
    Follower::new(replica(200)).all(log).await
}

/// The log holds exactly these segments, as they were sealed; sorted, for only the order within a lane
/// is promised, and a [`Follower`] sees to that.
pub(super) async fn holds(log: &dyn SharedLog, segments: &[&Segment]) -> Result<()> {
    same(&everything(log).await?, segments);
    Ok(())
}

/// These are the same segments, whatever their order.
#[track_caller]
pub(super) fn same(actual: &[Segment], expected: &[&Segment]) {
    let mut actual: Vec<&Segment> = actual.iter().collect();
    let mut expected = expected.to_vec();
    actual.sort_unstable_by_key(|segment| *segment.span());
    expected.sort_unstable_by_key(|segment| *segment.span());
    let spans = |all: &[&Segment]| -> Vec<_> { all.iter().map(|one| *one.span()).collect() };
    assert_eq!(spans(&actual), spans(&expected));
    assert!(actual == expected, "a segment has other bytes than those that were sealed");
}

/// The answer is an error of this kind.
#[track_caller]
pub(super) fn refused<T>(answer: Result<T>, kind: ErrorKind) {
    match answer {
        Ok(_) => panic!("this is to be refused as {kind}"),
        Err(error) => assert_eq!(error.kind(), kind, "{error}"),
    }
}
