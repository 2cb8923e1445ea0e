//! Cursors, and logs that do not know them.

use syncline_core::log::{After, Cursor, Segment};
use syncline_core::{ErrorKind, Result, SharedLog};

use super::support::*;
use crate::LogFixture;
use crate::lanes::{Follower, replica};

/// A cursor belongs to the place, not to the handle that issued it.
pub async fn a_cursor_outlives_its_handle(fixture: &LogFixture) -> Result<()> {
    let (mut ann, mut follower) = (fixture.sealer(1), Follower::new(replica(9)));
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    store(&*fixture.log().await?, &[first.clone(), second.clone()]).await?;
    follower.request.limit_entries = 1;
    let page = follower.page(&*fixture.log().await?).await?;
    same(&page.segments, &[&first]);
    same(&follower.all(&*fixture.log().await?).await?, &[&second]);
    Ok(())
}

/// What no log ever issued is refused, so that the reader goes on from what it knows.
pub async fn what_is_no_cursor_is_refused(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    store(&*log, &[fixture.sealer(1).notes(["a"])]).await?;
    let mut request = Follower::new(replica(9)).request;
    for bytes in [&b""[..], b"\xff", b"nothing that a log would ever issue"] {
        request.after = After::Cursor(Cursor(bytes.to_vec()));
        refused(log.fetch(&request).await, ErrorKind::Rejoin);
    }
    Ok(())
}

/// A log that was restored from a backup either knows no longer where the reader was, and says so, or
/// brings what comes after.
pub async fn a_restored_log_leaves_nothing_out(fixture: &LogFixture) -> Result<()> {
    let (log, restored) = (fixture.log().await?, fixture.at(1).await?);
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    let old = bob.notes(["x"]);
    store(&*log, &[first.clone(), old.clone(), second.clone()]).await?;
    let mut follower = Follower::new(replica(9));
    let _ = follower.all(&*log).await?;

    store(&*restored, std::slice::from_ref(&first)).await?;
    let _ = goes_on(&mut follower, &*restored).await?;
    let new = bob.notes(["y"]);
    store(&*restored, &[second, old, new.clone()]).await?;
    assert!(goes_on(&mut follower, &*restored).await?.contains(&new));
    Ok(())
}

/// The same segment may stand at the same place behind others than before the log was restored.
pub async fn a_restored_log_that_looks_alike_leaves_nothing_out(
    fixture: &LogFixture,
) -> Result<()> {
    let (log, restored) = (fixture.log().await?, fixture.at(1).await?);
    let (mut ann, mut bob, mut eve) = (fixture.sealer(1), fixture.sealer(2), fixture.sealer(3));
    let (first, lost, last) = (ann.notes(["a"]), bob.notes(["x"]), ann.notes(["b"]));
    store(&*log, &[first.clone(), lost, last.clone()]).await?;
    let mut follower = Follower::new(replica(9));
    let _ = follower.all(&*log).await?;

    let new = eve.notes(["z"]);
    store(&*restored, &[first, new.clone(), last]).await?;
    assert!(goes_on(&mut follower, &*restored).await?.contains(&new));
    Ok(())
}

/// What a reader gets that goes on from its cursor, or else from what it knows.
async fn goes_on(follower: &mut Follower, log: &dyn SharedLog) -> Result<Vec<Segment>> {
    match log.fetch(&follower.request).await {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::Rejoin => {
            follower.request.after = After::Known(follower.known());
        }
        Err(error) => return Err(error),
    }
    follower.all(log).await
}
