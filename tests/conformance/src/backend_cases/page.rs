//! Answers in pages.

use syncline_core::query::Continuation;
use syncline_core::{Batch, Capability, Direction, Filter, Find, Object, Operation, Page, Result};

use super::support::*;
use crate::Fixture;

/// Twelve users with many ties and nulls, stored out of order.
async fn twelve(fixture: &Fixture) -> Result<()> {
    let object = |n: i64| {
        let age = (n % 3 != 0).then_some(n % 3);
        user(&format!("u{n:02}"), if n % 2 == 0 { "even" } else { "odd" }).with("age", age)
    };
    fixture.fill("user", (0..12).map(|n| object(n * 5 % 12))).await
}

/// Questions that sort in different ways over ties and nulls.
fn questions() -> Vec<Find> {
    let (up, down) = (Direction::Ascending, Direction::Descending);
    let unsorted = || Find::new("user", Filter::All);
    let mut questions = vec![unsorted(), Find::new("user", Filter::eq("name", "odd"))];
    for direction in [up, down] {
        questions.push(unsorted().order_by("age", direction));
        questions.push(unsorted().order_by("id", direction));
        for second in [up, down] {
            questions.push(unsorted().order_by("name", direction).order_by("age", second));
            questions.push(unsorted().order_by("age", direction).order_by("name", second));
        }
    }
    questions
}

fn can_order(find: &Find) -> impl Fn(Capability) -> bool + use<> {
    let fields = find.order.len();
    move |can| (fields == 0 || can.order_by_one) && (fields < 2 || can.order_by_many)
}

/// Pages of 1, 2 and 7 objects hold together what one large page holds.
pub async fn pages_hold_what_one_page_holds(fixture: &Fixture) -> Result<()> {
    twelve(fixture).await?;
    for mut find in questions() {
        let whole = fixture.try_find(can_order(&find), find.clone()).await?;
        let Some(whole) = whole else { continue };
        assert_eq!(whole.len(), if find.filter == Filter::All { 12 } else { 6 });
        for size in [1, 2, 7, 11, 12, 13] {
            find.page_objects = size;
            assert_eq!(fixture.find(find.clone()).await?, whole, "pages of {size}: {find:?}");
        }
    }
    Ok(())
}

/// Only a page that others follow says where to go on.
pub async fn the_last_page_has_no_continuation(fixture: &Fixture) -> Result<()> {
    let _ = three_users(fixture).await?;
    let mut find = Find::new("user", Filter::All);
    for (size, goes_on) in [(1, true), (2, true), (3, false), (4, false)] {
        find.page_objects = size;
        let page = fixture.page(find.clone()).await?;
        assert_eq!((page.objects.len(), page.next.is_some()), (size.min(3), goes_on));
    }
    find.page_objects = 2;
    find.filter = Filter::eq("name", "Zoe");
    assert_eq!(fixture.page(find.clone()).await?, Page::default());
    find.filter = Filter::All;
    find.after = Some(Continuation { order: Vec::new(), key: vec!["eve".into()] });
    assert_eq!(fixture.page(find).await?, Page::default(), "behind the last object");
    Ok(())
}

/// A continuation holds what is sorted by and the key: any backend can go on from it.
pub async fn a_continuation_is_the_place_behind_an_object(fixture: &Fixture) -> Result<()> {
    twelve(fixture).await?;
    let mut find = descending("user", "age").select(["name"]);
    find.page_objects = 5;
    if let Some(answer) = fixture.attempt(order_by_one, Operation::Find(find)).await? {
        let page = answer?.found()?;
        assert_eq!(ids(&page.objects), ["u02", "u05", "u08", "u11", "u01"]);
        let place = Continuation { order: vec![1.into()], key: vec!["u01".into()] };
        assert_eq!(page.next, Some(place));
    }
    fixture.fill("visit", [visit("b", 1), visit("a", 2), visit("a", 1)]).await?;
    let mut find = Find::new("visit", Filter::All);
    find.page_objects = 2;
    let page = fixture.page(find).await?;
    let place = Continuation { order: Vec::new(), key: vec!["a".into(), 2.into()] };
    assert_eq!(page.next, Some(place));
    Ok(())
}

/// Pages over keys of several fields, along the key and against it.
pub async fn pages_follow_compound_keys(fixture: &Fixture) -> Result<()> {
    let stored = [("b", 1), ("a", 10), ("c", 0), ("a", 2), ("b", -1), ("a", 1)];
    fixture.fill("visit", stored.map(|(url, time)| visit(url, time))).await?;
    let sorted = [("a", 1), ("a", 2), ("a", 10), ("b", -1), ("b", 1), ("c", 0)];
    let sorted = sorted.map(|(url, time)| visit(url, time));
    let against = [("c", 0), ("b", -1), ("b", 1), ("a", 1), ("a", 2), ("a", 10)];
    let against = against.map(|(url, time)| visit(url, time));
    for size in [1, 2, 4] {
        let mut find = Find::new("visit", Filter::All);
        find.page_objects = size;
        assert_eq!(fixture.find(find.clone()).await?, sorted, "pages of {size}");
        let find = find.order_by("url", Direction::Descending);
        if let Some(found) = fixture.try_find(order_by_one, find).await? {
            assert_eq!(found, against, "pages of {size}");
        }
    }
    Ok(())
}

/// A page ends when it is heavy, but never without an object.
pub async fn pages_are_bounded_by_bytes(fixture: &Fixture) -> Result<()> {
    let heavy = "x".repeat(100_000);
    let object = |n: i64| thing(&format!("{n:02}")).with("text", heavy.as_str());
    fixture.fill("thing", (0..10).rev().map(object)).await?;
    for (page_bytes, most) in [(0, 1), (1, 1), (100_000, 2), (350_000, 5)] {
        let mut find = Find::new("thing", Filter::All);
        find.page_bytes = page_bytes;
        let mut seen = Vec::new();
        for page in fixture.pages(find).await? {
            let held = page.objects.len();
            assert!((1..=most).contains(&held), "{held} objects in {page_bytes} bytes");
            seen.extend(page.objects);
        }
        let expected: Vec<Object> = (0..10).map(object).collect();
        assert!(seen == expected, "all objects, once and in order, at {page_bytes} bytes a page");
    }
    let mut light = Find::new("thing", Filter::All);
    light.page_bytes = 5_000_000;
    assert_eq!(fixture.page(light).await?.objects.len(), 10, "light enough for one page");
    Ok(())
}

/// A limit holds over all pages together.
pub async fn a_limit_holds_over_all_pages(fixture: &Fixture) -> Result<()> {
    twelve(fixture).await?;
    for mut find in questions() {
        find.filter = Filter::All;
        let Some(whole) = fixture.try_find(can_order(&find), find.clone()).await? else { continue };
        for size in [1, 2, 7, 12] {
            find.page_objects = size;
            for limit in [0_usize, 1, 4, 7, 11, 12, 13] {
                let found = fixture.find(find.clone().limit(limit as u64)).await?;
                assert_eq!(found, whole[..limit.min(12)], "{limit} by {size}: {find:?}");
            }
        }
    }
    Ok(())
}

/// Only the first page skips, and what is skipped does not count towards the limit.
pub async fn only_the_first_page_skips(fixture: &Fixture) -> Result<()> {
    twelve(fixture).await?;
    for mut find in questions() {
        find.filter = Filter::All;
        let can = can_order(&find);
        let Some(whole) = fixture.try_find(&can, find.clone()).await? else { continue };
        for (size, skip, limit) in
            [(1, 3, 20), (2, 1, 5), (7, 5, 7), (7, 9, 2), (3, 11, 9), (3, 12, 9), (3, 40, 9)]
        {
            find.page_objects = size;
            let skipping = find.clone().skip(skip as u64).limit(limit as u64);
            let needed = |caps: Capability| caps.skip && can(caps);
            let Some(found) = fixture.try_find(needed, skipping).await? else { continue };
            let expected: Vec<Object> = whole.iter().skip(skip).take(limit).cloned().collect();
            assert_eq!(found, expected, "skip {skip}, limit {limit}, by {size}: {find:?}");
        }
    }
    Ok(())
}

/// What is stored behind the place where a reader is will be read, what is stored before it not, and
/// nothing is read twice.
pub async fn pages_are_stable_while_objects_come(fixture: &Fixture) -> Result<()> {
    fixture.fill("user", ["b", "h", "d", "f"].map(|id| user(id, "X"))).await?;
    let mut find = Find::new("user", Filter::All);
    find.page_objects = 2;
    let first = fixture.page(find.clone()).await?;
    assert_eq!(ids(&first.objects), ["b", "d"]);
    fixture.fill("user", ["a", "c", "e", "z"].map(|id| user(id, "X"))).await?;
    let rest = find.following(&first).expect("f and h follow");
    assert_eq!(ids(&fixture.find(rest).await?), ["e", "f", "h", "z"]);

    let mut find = descending("user", "name");
    find.page_objects = 3;
    let Some(first) = fixture.try_find(order_by_one, find.clone().limit(3)).await? else {
        return Ok(());
    };
    assert_eq!(ids(&first), ["a", "b", "c"]);
    let first = fixture.page(find.clone()).await?;
    fixture.fill("user", [user("bb", "X"), user("0", "Y"), user("zz", "W")]).await?;
    let rest = find.following(&first).expect("five follow");
    assert_eq!(ids(&fixture.find(rest).await?), ["d", "e", "f", "h", "z", "zz"]);
    Ok(())
}

/// Objects that go, even the one a page ended with, take nothing else with them.
pub async fn pages_are_stable_while_objects_go(fixture: &Fixture) -> Result<()> {
    fixture.fill("user", ["e", "b", "a", "d", "c", "f"].map(|id| user(id, "X"))).await?;
    let cases = [Find::new("user", Filter::All), ascending("user", "name")];
    for (mut find, gone) in cases.into_iter().zip([["a", "b"], ["c", "d"]]) {
        find.page_objects = 2;
        let can = can_order(&find);
        if fixture.try_find(can, find.clone()).await?.is_none() {
            continue;
        }
        let first = fixture.page(find.clone()).await?;
        assert_eq!(ids(&first.objects), gone);
        let keys = Filter::Keys(gone.map(Into::into).into());
        let _ = fixture.write(Batch::new().delete("user", keys)).await?;
        let rest = find.following(&first).expect("others follow");
        let left = all(fixture, "user").await?;
        assert_eq!(fixture.find(rest).await?, left, "all that is left lies behind");
    }
    Ok(())
}

/// A selection that leaves out what is sorted by still knows where to go on.
pub async fn pages_need_not_show_what_they_sort_by(fixture: &Fixture) -> Result<()> {
    twelve(fixture).await?;
    for mut find in questions() {
        let Some(whole) = fixture.try_find(can_order(&find), find.clone()).await? else { continue };
        find.page_objects = 2;
        let found = fixture.find(find.clone().select(["email"])).await?;
        assert_eq!(ids(&found), ids(&whole), "{find:?}");
        assert!(found.iter().all(|object| object.len() == 1), "nothing but the key: {found:?}");
    }
    Ok(())
}
