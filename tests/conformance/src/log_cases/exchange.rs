//! Several questions in one.

use syncline_core::log::{Append, AppendIf, Exchange, Receipt, Segment, Tip};
use syncline_core::{ErrorKind, Result};

use super::support::*;
use crate::LogFixture;
use crate::lanes::{Follower, replica};

fn appending(of: &Follower, segments: &[&Segment], only_if: AppendIf) -> Exchange {
    let mut exchange = Exchange::of(of.request.replica);
    let segments = segments.iter().map(|segment| (*segment).clone()).collect();
    exchange.fetch = Some(of.request.clone());
    exchange.append = Some(Append { segments, only_if, frozen: false });
    exchange
}

/// What was there comes, what is given is taken, and the place behind both leaves nothing out.
pub async fn an_exchange_fetches_appends_and_leaves_nothing_out(
    fixture: &LogFixture,
) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let (theirs, own, later) = (bob.notes(["x"]), ann.notes(["a"]), bob.notes(["y"]));
    store(&*log, std::slice::from_ref(&theirs)).await?;
    let mut follower = Follower::new(replica(1));
    let only_if = AppendIf::LaneEndsAt(None);
    let exchanged = log.exchange(&appending(&follower, &[&own], only_if)).await?;
    assert_eq!(exchanged.receipts, Some(vec![Receipt::Stored]));
    let fetched = exchanged.fetched.expect("a page was asked for");
    same(&fetched.segments, &[&theirs]);
    assert_eq!((fetched.own, fetched.more), (vec![], false));
    follower.request.after = syncline_core::log::After::Cursor(fetched.cursor);
    store(&*log, std::slice::from_ref(&later)).await?;
    let mut next = log.fetch(&follower.request).await?.segments;
    next.retain(|segment| *segment != own);
    same(&next, &[&later]);
    holds(&*log, &[&theirs, &own, &later]).await
}

/// A lane that stands elsewhere than its owner believes is left as it is, and the answer says where it is.
pub async fn an_exchange_appends_only_where_the_lane_ends(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut ann = fixture.sealer(1);
    let mut copy = ann.clone();
    let (first, second, other) = (ann.notes(["a"]), ann.notes(["b"]), copy.notes(["c"]));
    store(&*log, &[first.clone(), second.clone()]).await?;
    let follower = Follower::new(replica(1));
    let root = Tip { seq: 0, ..other.span().root() };
    for only_if in [None, Some(first.span().tip()), Some(other.span().tip()), Some(root)] {
        let request = appending(&follower, &[&other], AppendIf::LaneEndsAt(only_if));
        let exchanged = log.exchange(&request).await?;
        assert_eq!(exchanged.receipts, None, "the lane does not end at {only_if:?}");
        assert_eq!(exchanged.fetched.map(|fetched| fetched.own), Some(vec![second.span().tip()]));
    }
    holds(&*log, &[&first, &second]).await?;
    let request = appending(&follower, &[&other], AppendIf::Always);
    assert_eq!(log.exchange(&request).await?.receipts, Some(vec![Receipt::Stored]));
    holds(&*log, &[&first, &second, &other]).await
}

/// Who did not hear the answer asks again.
pub async fn an_exchange_asked_again_has_no_further_effect(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let (theirs, first, second) = (bob.notes(["x"]), ann.notes(["a"]), ann.notes(["b"]));
    store(&*log, &[theirs.clone(), first.clone()]).await?;
    let follower = Follower::new(replica(1));
    let only_if = AppendIf::LaneEndsAt(Some(first.span().tip()));
    let mut request = appending(&follower, &[&second], only_if);
    request.join = true;
    request.acknowledge = Some(syncline_core::log::VersionVector::new([theirs.span().tip()]));
    assert_eq!(log.exchange(&request).await?.receipts, Some(vec![Receipt::Stored]));
    let peers = log.peers().await?;
    let again = log.exchange(&request).await?;
    assert!(matches!(again.receipts.as_deref(), None | Some([Receipt::Known])));
    assert_eq!(again.fetched.map(|fetched| fetched.own), Some(vec![second.span().tip()]));
    assert_eq!(log.peers().await?, peers);
    holds(&*log, &[&theirs, &first, &second]).await
}

/// What makes a replica known, and what it received, are heard without anything else.
pub async fn an_exchange_joins_and_acknowledges(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let first = fixture.sealer(1).notes(["a"]);
    store(&*log, std::slice::from_ref(&first)).await?;
    let mut exchange = Exchange::of(replica(2));
    exchange.join = true;
    let exchanged = log.exchange(&exchange).await?;
    assert_eq!((exchanged.fetched, exchanged.receipts), (None, None));
    exchange.acknowledge = Some(syncline_core::log::VersionVector::new([first.span().tip()]));
    let _ = log.exchange(&exchange).await?;
    let peers = log.peers().await?;
    let bob = peers.iter().find(|peer| peer.replica == replica(2)).expect("it joined");
    assert_eq!(bob.acknowledged.tips, [first.span().tip()]);
    Ok(())
}

/// One thing that cannot be done keeps the log from taking anything of the append.
pub async fn an_exchange_with_a_gap_appends_nothing(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let (good, _, gap) = (ann.notes(["a"]), bob.notes(["x"]), bob.notes(["y"]));
    let request = appending(&Follower::new(replica(1)), &[&good, &gap], AppendIf::Always);
    refused(log.exchange(&request).await, ErrorKind::Rejoin);
    holds(&*log, &[]).await
}
