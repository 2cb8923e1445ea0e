//! Who is in the group, and what they said.

use syncline_core::log::{Peer, VersionVector};
use syncline_core::{ReplicaId, Result, SharedLog};

use super::support::*;
use crate::LogFixture;
use crate::lanes::replica;

/// The peers, sorted.
async fn sorted(log: &dyn SharedLog) -> Result<Vec<Peer>> {
    let mut peers = log.peers().await?;
    peers.sort_unstable_by_key(|peer| peer.replica);
    Ok(peers)
}

/// What this replica said last that it has received.
async fn acknowledged(log: &dyn SharedLog, replica: ReplicaId) -> Result<VersionVector> {
    let peers = log.peers().await?;
    let peer = peers.into_iter().find(|peer| peer.replica == replica);
    Ok(peer.expect("who acknowledges is a peer").acknowledged)
}

fn new(replica: ReplicaId) -> Peer {
    Peer { replica, heads: Vec::new(), acknowledged: VersionVector::default() }
}

/// Nobody is there at first.
pub async fn an_empty_log_has_no_peers(fixture: &LogFixture) -> Result<()> {
    assert_eq!(fixture.log().await?.peers().await?, []);
    Ok(())
}

/// Joining makes a replica known, and joining again changes nothing.
pub async fn joining_twice_is_joining_once(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    log.join(replica(2)).await?;
    log.join(replica(1)).await?;
    log.join(replica(2)).await?;
    fixture.log().await?.join(replica(1)).await?;
    assert_eq!(sorted(&*log).await?, [new(replica(1)), new(replica(2))]);
    Ok(())
}

/// Peers tell how far every lane goes, each branch for itself.
pub async fn peers_tell_how_far_lanes_go(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    for member in [replica(1), replica(2), replica(3)] {
        log.join(member).await?;
    }
    store(&*log, &[ann.notes(["a"]), ann.notes(["b"]), bob.notes(["x"])]).await?;
    let mut copy = bob.clone();
    store(&*log, &[bob.notes(["y"]), copy.notes(["other"])]).await?;
    let heads: Vec<_> = sorted(&*log).await?.into_iter().map(|peer| peer.heads).collect();
    let branches = VersionVector::new([bob.tip(), copy.tip()]).tips;
    assert_eq!(heads, [vec![ann.tip()], branches, Vec::new()]);
    Ok(())
}

/// What a replica said last counts, also if it is less than before: it was restored from a backup.
pub async fn an_acknowledgement_is_never_a_maximum(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let first = ann.notes(["a"]);
    store(&*log, &[first.clone(), ann.notes(["b"]), bob.notes(["x"])]).await?;
    let (eve, less) = (replica(5), VersionVector::new([first.span().tip()]));
    let more = VersionVector::new([ann.tip(), bob.tip()]);
    let other = VersionVector::new([bob.tip()]);
    for known in [&less, &more, &less, &other, &more, &VersionVector::default()] {
        log.acknowledge(eve, known).await?;
        assert_eq!(&acknowledged(&*log, eve).await?, known);
    }
    Ok(())
}

/// Saying the same again changes nothing.
pub async fn acknowledging_again_changes_nothing(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut ann = fixture.sealer(1);
    store(&*log, &[ann.notes(["a"])]).await?;
    let known = VersionVector::new([ann.tip()]);
    log.join(replica(5)).await?;
    for _ in 0..3 {
        log.acknowledge(replica(5), &known).await?;
        assert_eq!(acknowledged(&*log, replica(5)).await?, known);
    }
    fixture.log().await?.acknowledge(replica(5), &known).await?;
    assert_eq!(sorted(&*log).await?.len(), 2);
    Ok(())
}

/// Each replica speaks for itself, and others read it.
pub async fn acknowledgements_are_told_apart(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    store(&*log, &[ann.notes(["a"]), bob.notes(["x"])]).await?;
    let (anns, bobs) = (VersionVector::new([bob.tip()]), VersionVector::new([ann.tip()]));
    log.acknowledge(ann.replica(), &anns).await?;
    log.acknowledge(bob.replica(), &bobs).await?;
    let again = fixture.log().await?;
    assert_eq!(acknowledged(&*again, ann.replica()).await?, anns);
    assert_eq!(acknowledged(&*again, bob.replica()).await?, bobs);
    Ok(())
}
