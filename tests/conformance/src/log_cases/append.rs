//! Appending segments.

use syncline_core::log::{Codec, Extension, Header, Receipt, Segment};
use syncline_core::{ErrorKind, Result};

use super::support::*;
use crate::LogFixture;
use crate::lanes::Sealer;

/// What was sealed is what others get, byte by byte, whatever its codec.
pub async fn a_segment_arrives_as_it_was_sealed(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut segments = Vec::new();
    for (codec, number) in Codec::ALL.into_iter().zip(1..) {
        segments.push(fixture.sealer(number).with_codec(codec).notes(["Ann", "Bob", "é\0\n"]));
    }
    store(&*log, &segments).await?;
    holds(&*log, &segments.iter().collect::<Vec<_>>()).await
}

/// Repeating an append is harmless: the log knows the segment and holds it once.
pub async fn appending_again_is_known(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut ann = fixture.sealer(1);
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    store(&*log, std::slice::from_ref(&first)).await?;
    let receipts = log.append(&[first.clone(), second.clone()]).await?;
    assert_eq!(receipts, [Receipt::Known, Receipt::Stored]);
    let receipts = log.append(&[first.clone(), second.clone()]).await?;
    assert_eq!(receipts, [Receipt::Known, Receipt::Known]);
    holds(&*log, &[&first, &second]).await
}

/// One call may hold a segment twice.
pub async fn a_segment_twice_in_one_call_is_held_once(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let first = fixture.sealer(1).notes(["a"]);
    let receipts = log.append(&[first.clone(), first.clone()]).await?;
    assert_eq!(receipts, [Receipt::Stored, Receipt::Known]);
    holds(&*log, &[&first]).await
}

/// A segment is the same by its span: sealed in another way it is known, and the first bytes stay.
pub async fn the_same_run_sealed_differently_is_known(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let packed = fixture.sealer(1).notes(["a", "b"]);
    let json = fixture.sealer(1).with_codec(Codec::Json).notes(["a", "b"]);
    assert_eq!(packed.span(), json.span(), "one lane, sealed in two ways");
    store(&*log, std::slice::from_ref(&packed)).await?;
    assert_eq!(log.append(&[json]).await?, [Receipt::Known]);
    holds(&*log, &[&packed]).await
}

/// Appending nothing succeeds and stores nothing.
pub async fn appending_nothing_succeeds(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    assert_eq!(log.append(&[]).await?, []);
    holds(&*log, &[]).await
}

/// Segments of another group are denied, and nothing of the call is stored.
pub async fn segments_of_another_group_are_denied(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let ours = fixture.sealer(1).notes(["a"]);
    let theirs = Sealer::new(&"work".parse()?, fixture.sealer(2).replica()).notes(["b"]);
    refused(log.append(&[ours.clone(), theirs]).await, ErrorKind::Denied);
    holds(&*log, &[]).await?;
    store(&*log, std::slice::from_ref(&ours)).await?;
    holds(&*log, &[&ours]).await
}

/// A segment behind a gap is refused until what comes before it is there; nothing of the call is stored.
pub async fn a_segment_that_continues_nothing_is_refused(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let (first, second, third) = (ann.notes(["a"]), ann.notes(["b"]), ann.notes(["c"]));
    let other = bob.notes(["x"]);
    refused(log.append(std::slice::from_ref(&second)).await, ErrorKind::Rejoin);
    store(&*log, std::slice::from_ref(&first)).await?;
    refused(log.append(&[other.clone(), third.clone()]).await, ErrorKind::Rejoin);
    holds(&*log, &[&first]).await?;
    store(&*log, &[second.clone(), third.clone(), other.clone()]).await?;
    holds(&*log, &[&first, &second, &third, &other]).await
}

/// A lane is not continued by the lane of another replica, nor from a place with another hash.
pub async fn a_segment_continues_its_own_lane_only(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let first = ann.notes(["a"]);
    let mut forked = fixture.sealer(1);
    let _ = (bob.notes(["x"]), forked.notes(["other"]));
    store(&*log, std::slice::from_ref(&first)).await?;
    refused(log.append(&[bob.notes(["y"])]).await, ErrorKind::Rejoin);
    refused(log.append(&[forked.notes(["b"])]).await, ErrorKind::Rejoin);
    holds(&*log, &[&first]).await
}

/// Segments of several lanes, one call, in any order that continues each lane.
pub async fn one_call_may_hold_several_lanes(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let segments = [bob.notes(["x"]), ann.notes(["a"]), ann.notes(["b"]), bob.notes(["y"])];
    store(&*log, &segments).await?;
    holds(&*log, &segments.iter().collect::<Vec<_>>()).await
}

/// What was appended is there for another handle on the same place, and nowhere else.
pub async fn what_is_appended_is_there_for_others(fixture: &LogFixture) -> Result<()> {
    let segment = fixture.sealer(1).notes(["a"]);
    store(&*fixture.log().await?, std::slice::from_ref(&segment)).await?;
    holds(&*fixture.log().await?, &[&segment]).await?;
    holds(&*fixture.at(1).await?, &[]).await
}

/// The same place has the same name, another place another one.
pub async fn places_have_names_of_their_own(fixture: &LogFixture) -> Result<()> {
    let (here, again) = (fixture.log().await?, fixture.log().await?);
    assert_eq!(here.name(), again.name());
    assert_ne!(here.name(), fixture.at(1).await?.name());
    Ok(())
}

/// What a later version or a key holder can read, a log keeps and passes on as it is.
pub async fn what_is_not_understood_is_passed_on(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let plain = fixture.sealer(1).notes(["a"]);
    let strange = Segment::seal(
        Header {
            format: 9,
            group_epoch: 3,
            key_epoch: 7,
            codec: 77,
            extensions: vec![Extension { id: 11, bytes: vec![1, 2, 3] }],
            ..plain.header().clone()
        },
        b"not what we call entries",
    );
    store(&*log, std::slice::from_ref(&strange)).await?;
    holds(&*log, &[&strange]).await
}

/// A thousand segments, appended one by one, arrive in order and once.
pub async fn a_thousand_segments_arrive(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut lanes = [fixture.sealer(1), fixture.sealer(2)];
    let segments: Vec<Segment> =
        (0..1_000).map(|at| lanes[usize::from(at % 3 == 0)].notes(["note"])).collect();
    for several in segments.chunks(250) {
        store(&*log, several).await?;
    }
    holds(&*log, &segments.iter().collect::<Vec<_>>()).await
}
