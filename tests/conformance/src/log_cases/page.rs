//! Pages and their limits.

use syncline_core::log::Segment;
use syncline_core::{Result, SharedLog};

use super::support::*;
use crate::LogFixture;
use crate::lanes::{Follower, replica};

/// Three lanes whose segments differ in size, eighteen in all.
async fn uneven(fixture: &LogFixture, log: &dyn SharedLog) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut lanes = [fixture.sealer(1), fixture.sealer(2), fixture.sealer(3)];
    for at in 0..18_usize {
        let long = "long ".repeat(at * 7 % 5 * 40);
        let texts = std::iter::repeat_n(long.as_str(), at % 4 + 1);
        segments.push(lanes[at * at % 3].notes(texts));
    }
    store(log, &segments).await?;
    Ok(segments)
}

/// A limit that fits nothing still lets one segment through: sync goes on.
pub async fn one_segment_comes_whatever_the_limits(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let segments = uneven(fixture, &*log).await?;
    for (limit_bytes, limit_entries) in [(0, 0), (0, 1_000), (1 << 20, 0)] {
        let mut follower = Follower::new(replica(9));
        follower.request.limit_bytes = limit_bytes;
        follower.request.limit_entries = limit_entries;
        let mut more = true;
        while more {
            let page = follower.page(&*log).await?;
            assert_eq!(page.segments.len(), 1);
            more = page.more;
        }
        same(&follower.received, &segments.iter().collect::<Vec<_>>());
    }
    Ok(())
}

/// A page with several segments keeps to both limits.
pub async fn pages_keep_to_their_limits(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let segments = uneven(fixture, &*log).await?;
    for (limit_bytes, limit_entries) in [(2_000, 1_000), (1 << 20, 5), (3_000, 7)] {
        let mut follower = Follower::new(replica(9));
        follower.request.limit_bytes = limit_bytes;
        follower.request.limit_entries = limit_entries;
        let (mut more, mut pages) = (true, 0);
        while more {
            let page = follower.page(&*log).await?;
            let bytes: usize = page.segments.iter().map(|segment| segment.bytes().len()).sum();
            let entries: u64 = page.segments.iter().map(|segment| segment.header().entries).sum();
            let is_within = bytes <= limit_bytes && entries <= limit_entries;
            assert!(is_within || page.segments.len() == 1, "{bytes} bytes, {entries} entries");
            (more, pages) = (page.more, pages + 1);
        }
        assert!((2..18).contains(&pages), "{pages} pages: several segments fit into one");
        same(&follower.received, &segments.iter().collect::<Vec<_>>());
    }
    Ok(())
}

/// What fits into one page comes in one page, and it is the last.
pub async fn what_fits_comes_in_one_page(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let segments = uneven(fixture, &*log).await?;
    let mut follower = Follower::new(replica(9));
    follower.request.limit_bytes = segments.iter().map(|segment| segment.bytes().len()).sum();
    follower.request.limit_entries = segments.iter().map(|segment| segment.header().entries).sum();
    let page = follower.page(&*log).await?;
    assert_eq!((page.segments.len(), page.more), (segments.len(), false));
    Ok(())
}

/// Several readers move for themselves.
pub async fn readers_do_not_share_a_place(fixture: &LogFixture) -> Result<()> {
    let log = fixture.log().await?;
    let segments = uneven(fixture, &*log).await?;
    let all: Vec<&Segment> = segments.iter().collect();
    let (mut slow, mut fast) = (Follower::new(replica(8)), Follower::new(replica(9)));
    slow.request.limit_entries = 1;
    let _ = slow.page(&*log).await?;
    same(&fast.all(&*log).await?, &all);
    let _ = slow.all(&*log).await?;
    same(&slow.received, &all);
    Ok(())
}
