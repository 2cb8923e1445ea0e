//! Fetching what is new.

use syncline_core::log::{After, Fetched, Tip, VersionVector};
use syncline_core::{Result, Stamp};

use super::support::*;
use crate::LogFixture;
use crate::lanes::{Follower, replica};

/// Everyone gets what anyone wrote, in the order of each lane.
pub async fn who_knows_nothing_gets_everything(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let (first, second) = (ann.notes(["a", "b"]), ann.notes(["c"]));
    let other = bob.notes(["x"]);
    store(&*log, &[first.clone(), second.clone()]).await?;
    store(&*log, std::slice::from_ref(&other)).await?;
    for number in [1, 2, 3] {
        let mut follower = Follower::new(replica(number));
        same(&follower.all(&*log).await?, &[&first, &second, &other]);
        same(&follower.all(&*log).await?, &[]);
    }
    Ok(())
}

/// The own lane comes too: whoever was restored from a backup learns what it wrote.
pub async fn the_own_lane_is_delivered(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut ann = fixture.sealer(1);
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    store(&*log, &[first.clone(), second.clone()]).await?;
    let mut restored = Follower::knowing(ann.replica(), VersionVector::new([first.span().tip()]));
    same(&restored.all(&*log).await?, &[&second]);
    Ok(())
}

/// Without moving the cursor the same comes again.
pub async fn the_same_question_has_the_same_answer(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut ann = fixture.sealer(1);
    store(&*log, &[ann.notes(["a"]), ann.notes(["b"])]).await?;
    let mut follower = Follower::new(replica(9));
    follower.request.limit_entries = 1;
    // What time it is differs all the same.
    let ask = async |request| log.fetch(request).await.map(|page| Fetched { time: None, ..page });
    let request = follower.request.clone();
    assert_eq!(ask(&request).await?, ask(&request).await?);
    let _ = follower.page(&*log).await?;
    let request = follower.request.clone();
    assert_eq!(ask(&request).await?, ask(&request).await?);
    assert_eq!(ask(&request).await?.segments.len(), 1);
    Ok(())
}

/// Only what is behind the cursor comes.
pub async fn a_cursor_brings_what_is_new(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let mut follower = Follower::new(replica(9));
    for _ in 0..3 {
        let (old, new) = (ann.notes(["a", "b"]), bob.notes(["x"]));
        store(&*log, &[old.clone(), new.clone()]).await?;
        same(&follower.all(&*log).await?, &[&old, &new]);
        same(&follower.all(&*log).await?, &[]);
    }
    Ok(())
}

/// What was written long ago and is shared only now is still delivered: no clock is a cursor.
pub async fn what_is_shared_late_is_delivered(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut follower = Follower::new(replica(9));
    let (mut ann, bob) = (fixture.sealer(1), fixture.sealer(2));
    store(&*log, &[ann.notes(["at four", "at six"])]).await?;
    let _ = follower.all(&*log).await?;
    let past = bob.stamped_after(Stamp::at_millis(1)).notes(["at one"]);
    store(&*log, std::slice::from_ref(&past)).await?;
    same(&follower.all(&*log).await?, &[&past]);
    same(&follower.all(&*log).await?, &[]);
    Ok(())
}

/// What is written while another answer is worked on comes with the next one.
pub async fn what_is_written_between_two_pages_comes(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let mut follower = Follower::new(replica(9));
    follower.request.limit_entries = 1;
    let mut segments = vec![ann.notes(["a"]), bob.notes(["x"])];
    store(&*log, &segments).await?;
    while follower.page(&*log).await?.more {
        if segments.len() < 8 {
            let more = [bob.notes(["y"]), ann.notes(["b"])];
            store(&*log, &more).await?;
            segments.extend(more);
        }
    }
    same(&follower.received, &segments.iter().collect::<Vec<_>>());
    Ok(())
}

/// An empty page moves nothing: what comes later is found behind its cursor.
pub async fn an_empty_page_leaves_nothing_out(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let mut ann = fixture.sealer(1);
    let mut follower = Follower::new(replica(9));
    same(&follower.all(&*log).await?, &[]);
    same(&follower.all(&*log).await?, &[]);
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    store(&*log, std::slice::from_ref(&first)).await?;
    same(&follower.all(&*log).await?, &[&first]);
    same(&follower.all(&*log).await?, &[]);
    store(&*log, std::slice::from_ref(&second)).await?;
    same(&follower.all(&*log).await?, &[&second]);
    Ok(())
}

/// Who knows a place in each lane goes on behind it.
pub async fn a_reader_goes_on_from_what_it_knows(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    let (old, new) = (bob.notes(["x"]), bob.notes(["y"]));
    store(&*log, &[first.clone(), second.clone(), old, new]).await?;
    let known = VersionVector::new([first.span().tip(), bob.tip()]);
    same(&Follower::knowing(replica(9), known).all(&*log).await?, &[&second]);
    let all = VersionVector::new([ann.tip(), bob.tip()]);
    same(&Follower::knowing(replica(9), all).all(&*log).await?, &[]);
    Ok(())
}

/// Who knows more than the log, which was restored perhaps, may get things twice, but misses nothing.
pub async fn a_reader_ahead_of_the_log_misses_nothing(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let first = ann.notes(["a"]);
    let lost = ann.notes(["b"]);
    store(&*log, std::slice::from_ref(&first)).await?;
    let nowhere = Tip { replica: replica(7), ..ann.tip() };
    let known = VersionVector::new([ann.tip(), nowhere]);
    let mut follower = Follower::knowing(replica(9), known);
    let _ = follower.all(&*log).await?;

    let (third, other) = (ann.notes(["c"]), bob.notes(["x"]));
    store(&*log, &[lost, third.clone(), other.clone()]).await?;
    let next = follower.all(&*log).await?;
    for segment in [&third, &other] {
        assert!(next.contains(segment), "{:?} is left out", segment.span());
    }
    Ok(())
}

/// The answer says how far the caller's own lane is held, so that it can append again what is missing.
pub async fn the_owner_sees_how_far_its_lane_is_held(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let (mut ann, mut bob) = (fixture.sealer(1), fixture.sealer(2));
    let ask = Follower::new(ann.replica()).request;
    assert_eq!(log.fetch(&ask).await?.own, []);
    store(&*log, &[bob.notes(["x"])]).await?;
    assert_eq!(log.fetch(&ask).await?.own, []);
    for _ in 0..3 {
        store(&*log, &[ann.notes(["a", "b"])]).await?;
        assert_eq!(log.fetch(&ask).await?.own, [ann.tip()]);
    }
    let mut nothing_new = ask;
    nothing_new.after = After::Known(VersionVector::new([ann.tip(), bob.tip()]));
    assert_eq!(log.fetch(&nothing_new).await?.own, [ann.tip()]);
    Ok(())
}
