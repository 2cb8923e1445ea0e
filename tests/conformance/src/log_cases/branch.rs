//! Lanes that were forked: a database was copied or rolled back, and both copies wrote on.

use syncline_core::log::{After, VersionVector};
use syncline_core::{ErrorKind, Result};

use super::support::*;
use crate::LogFixture;
use crate::lanes::Follower;

/// A branch is held beside the lane that it left, never instead of it.
pub async fn a_branch_is_held_beside_its_lane(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut ann = fixture.sealer(1);
    let first = ann.notes(["a"]);
    let mut copy = ann.clone();
    let (second, branch) = (ann.notes(["b"]), copy.notes(["other"]));
    store(&*log, &[first.clone(), second.clone()]).await?;
    store(&*log, std::slice::from_ref(&branch)).await?;
    holds(&*log, &[&first, &second, &branch]).await
}

/// The very first entry may differ already.
pub async fn a_lane_may_branch_at_its_start(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut copy) = (fixture.sealer(1), fixture.sealer(1));
    let (first, branch) = (ann.notes(["a"]), copy.notes(["other"]));
    let (second, behind) = (ann.notes(["b"]), copy.notes(["more"]));
    store(&*log, &[first.clone(), branch.clone(), behind.clone(), second.clone()]).await?;
    holds(&*log, &[&first, &second, &branch, &behind]).await
}

/// Who knows one branch is told of the other, whether by cursor or by what it knows.
pub async fn a_branch_reaches_who_knows_the_lane(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut ann = fixture.sealer(1);
    let first = ann.notes(["a"]);
    let mut copy = ann.clone();
    let (second, third) = (ann.notes(["b"]), ann.notes(["c"]));
    store(&*log, &[first, second, third]).await?;
    let mut follower = Follower::new(fixture.sealer(9).replica());
    let _ = follower.all(&*log).await?;

    let (branch, behind) = (copy.notes(["other", "words"]), copy.notes(["more"]));
    store(&*log, &[branch.clone(), behind.clone()]).await?;
    same(&follower.all(&*log).await?, &[&branch, &behind]);

    // Of what it knows, only the tip is named: the log has to find where the branch leaves it.
    let known = VersionVector::new([ann.tip()]);
    let mut request = follower.request.clone();
    request.after = After::Known(known);
    let fetched = log.fetch(&request).await?;
    for segment in [&branch, &behind] {
        assert!(fetched.segments.contains(segment), "{:?} is left out", segment.span());
    }
    Ok(())
}

/// The owner sees how far each branch is held.
pub async fn the_owner_sees_each_branch(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut ann = fixture.sealer(1);
    let first = ann.notes(["a"]);
    let mut copy = ann.clone();
    store(&*log, &[first, ann.notes(["b"]), copy.notes(["other"]), copy.notes(["more"])]).await?;
    let mut follower = Follower::new(ann.replica());
    let fetched = follower.page(&*log).await?;
    assert_eq!(VersionVector::new(fetched.own), VersionVector::new([ann.tip(), copy.tip()]));
    Ok(())
}

/// Each branch is continued for itself; a mixture of both is a gap.
pub async fn a_branch_is_continued_for_itself(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut copy) = (fixture.sealer(1), fixture.sealer(1));
    let (first, branch) = (ann.notes(["a"]), copy.notes(["other"]));
    store(&*log, std::slice::from_ref(&first)).await?;
    let behind = copy.notes(["more"]);
    refused(log.append(std::slice::from_ref(&behind)).await, ErrorKind::Rejoin);
    store(&*log, &[branch.clone(), behind.clone()]).await?;
    holds(&*log, &[&first, &branch, &behind]).await
}
