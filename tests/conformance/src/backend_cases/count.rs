//! Counting objects.

use syncline_core::{Batch, Filter, Operation, Result};

use super::support::*;
use crate::Fixture;

async fn count(fixture: &Fixture, filter: Filter) -> Result<Option<u64>> {
    let operation = Operation::Count("user".into(), filter);
    let answer = fixture.attempt(|can| can.count, operation).await?;
    answer.map(|answer| answer?.counted()).transpose()
}

/// All objects, those that meet an equality, and none.
pub async fn counting_agrees_with_finding(fixture: &Fixture) -> Result<()> {
    if let Some(none) = count(fixture, Filter::All).await? {
        assert_eq!(none, 0, "of an empty collection");
    }
    let _ = three_users(fixture).await?;
    let _ = fixture.create("thing", thing("not a user")).await?;
    let keys = ["eve", "zoe", "ann", "eve"].map(Into::into).into();
    for (filter, expected) in [
        (Filter::All, 3),
        (Filter::eq("name", "Ann"), 1),
        (Filter::eq("name", "Zoe"), 0),
        (Filter::Keys(keys), 2),
    ] {
        if let Some(counted) = count(fixture, filter.clone()).await? {
            assert_eq!(counted, expected, "{filter:?}");
        }
    }
    Ok(())
}

/// A count is of what is there now.
pub async fn counting_follows_writes(fixture: &Fixture) -> Result<()> {
    let _ = three_users(fixture).await?;
    let _ = fixture.write(Batch::new().delete("user", Filter::key("ann"))).await?;
    let _ = fixture.create("user", user("zoe", "Zoe")).await?;
    let _ = fixture.create("user", user("yan", "Yan")).await?;
    if let Some(counted) = count(fixture, Filter::All).await? {
        assert_eq!(counted, 4);
    }
    Ok(())
}

/// Counting is not bound by the size of pages.
pub async fn counting_goes_beyond_one_page(fixture: &Fixture) -> Result<()> {
    fixture.fill("user", (0..2_345).map(|n| user(&n.to_string(), "X"))).await?;
    if let Some(counted) = count(fixture, Filter::All).await? {
        assert_eq!(counted, 2_345);
        assert_eq!(count(fixture, Filter::eq("name", "X")).await?, Some(2_345));
    }
    assert_eq!(all(fixture, "user").await?.len(), 2_345);
    Ok(())
}
