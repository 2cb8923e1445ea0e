//! Items: pages, and what is told of a long list.

mod common;

use pollster::block_on;
use syncline_core::ErrorKind;
use syncline_server::{HubStore, ItemAnswer, ItemRequest, Terms};
use syncline_server_sqlite::SqliteStore;
use syncline_shared_log_wire::item::{
    Check, Checked, Download, Epoch, Flush, Item, Known, MOST, NumberedItem, Restore, Upload,
    UploadOutcome, Uploaded,
};

use crate::common::*;

fn item(at: usize) -> Item {
    let (kind, key) = ("note".to_owned(), format!("{at:06}"));
    Item { kind, key, data: Some("x".to_owned()), timestamp: 1, deleted: false }
}

fn known(at: usize) -> Known {
    let Item { kind, key, timestamp, .. } = item(at);
    Known { kind, key, timestamp, digest: None }
}

fn upload(store: &SqliteStore, items: Vec<Item>) -> Uploaded {
    let ask = ItemRequest::Upload(Upload { epoch: 0, items });
    match block_on(store.items(&group(), ask, &TERMS)).expect("it is kept") {
        ItemAnswer::Uploaded(uploaded) => uploaded,
        other => panic!("this answers something else: {other:?}"),
    }
}

fn check(store: &SqliteStore, ask: Check, terms: &Terms) -> Checked {
    match block_on(store.items(&group(), ItemRequest::Check(ask), terms)).expect("reads") {
        ItemAnswer::Checked(checked) => checked,
        other => panic!("this answers something else: {other:?}"),
    }
}

#[test]
fn an_upload_repeated_is_known_and_takes_no_number() {
    let store = SqliteStore::open_in_memory().expect("opens");
    let items: Vec<Item> = (0..5).map(item).collect();
    assert_eq!(upload(&store, items.clone()).outcomes, [UploadOutcome::Stored; 5]);
    let (again, commits) = (upload(&store, items), block_on(store.groups()));
    assert_eq!((again.outcomes, again.number), (vec![UploadOutcome::Known; 5], 5));
    assert_eq!(commits.expect("reads")[0].items, 5);
}

#[test]
fn too_many_items_in_one_question_are_invalid() {
    let store = SqliteStore::open_in_memory().expect("opens");
    let items: Vec<Item> = (0..=MOST).map(item).collect();
    let check = Check { items: (0..=MOST).map(known).collect(), after: None, up_to: None };
    let upload = ItemRequest::Upload(Upload { epoch: 0, items });
    for ask in [upload, ItemRequest::Check(check)] {
        let refused = block_on(store.items(&group(), ask, &TERMS));
        assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::Invalid));
    }
}

/// More differences than fit: asked again behind where it stopped, each is told once.
#[test]
fn a_long_comparison_is_told_in_parts() {
    let store = SqliteStore::open_in_memory().expect("opens");
    let _ = upload(&store, (0..9_000).map(item).collect());
    let _ = upload(&store, (9_000..15_000).map(item).collect());
    let listed: Vec<Known> = (14_000..16_000).map(known).collect();
    let (mut after, mut unlisted, mut missing, mut parts) = (None, Vec::new(), Vec::new(), 0);
    loop {
        let ask = Check { items: listed.clone(), after: after.clone(), up_to: None };
        let checked = check(&store, ask, &TERMS);
        unlisted.extend(checked.unlisted.into_iter().map(|id| id.key));
        missing.extend(checked.missing.into_iter().map(|id| id.key));
        parts += 1;
        after = checked.more_after;
        if after.is_none() {
            break;
        }
    }
    let keys =
        |range: std::ops::Range<usize>| -> Vec<String> { range.map(|at| item(at).key).collect() };
    assert_eq!(parts, 2);
    assert!(unlisted == keys(0..14_000) && missing == keys(15_000..16_000));
}

#[test]
fn answers_keep_to_the_bytes_that_fit() {
    let store = SqliteStore::open_in_memory().expect("opens");
    let _ = upload(&store, (0..50).map(item).collect());
    for answer_bytes in [0, 1_000] {
        let terms = Terms { answer_bytes, ..TERMS };
        let checked = check(&store, Check { items: vec![], after: None, up_to: None }, &terms);
        assert!((1..50).contains(&checked.unlisted.len()) && checked.more_after.is_some());
        let ask = ItemRequest::Download(Download::default());
        let answer = block_on(store.items(&group(), ask, &terms)).expect("reads");
        let ItemAnswer::Downloaded(page) = answer else { panic!("this answers something else") };
        assert!((1..50).contains(&page.items.len()) && page.more);
        assert_eq!(page.items.last().map(|last| last.number), Some(page.number));
    }
}

#[test]
fn an_epoch_of_any_length_is_restored_in_its_order() {
    let store = SqliteStore::open_in_memory().unwrap();
    let items: Vec<Item> = (0..2_001).rev().map(item).collect();
    let _ = upload(&store, items.clone());
    let flush = ItemRequest::Flush(Flush { epoch: 0, items: vec![item(9_999)] });
    let _ = block_on(store.items(&group(), flush, &TERMS)).unwrap();
    let restore = ItemRequest::Restore(0, Restore { epoch: 1 });
    let answer = block_on(store.items(&group(), restore, &TERMS)).unwrap();
    assert_eq!(answer, ItemAnswer::Epoch(Epoch { epoch: 2, number: 2_001 + 1 + 2_001 }));
    let ask = ItemRequest::Download(Download::default());
    let answer = block_on(store.items(&group(), ask, &TERMS)).unwrap();
    let ItemAnswer::Downloaded(downloaded) = answer else { panic!("{answer:?}") };
    let numbered = (2_003..).zip(items).map(|(number, item)| NumberedItem { number, item });
    assert_eq!(downloaded.items, numbered.collect::<Vec<_>>());
}

fn epoch(store: &SqliteStore, ask: ItemRequest) -> Result<Epoch, ErrorKind> {
    match block_on(store.items(&group(), ask, &TERMS)).map_err(|error| error.kind())? {
        ItemAnswer::Epoch(epoch) => Ok(epoch),
        other => panic!("this answers something else: {other:?}"),
    }
}

#[test]
fn a_flush_and_a_restore_that_are_repeated_are_answered_as_they_were() {
    let store = SqliteStore::open_in_memory().expect("opens");
    let _ = upload(&store, vec![item(0), item(1)]);
    let flush = |epoch, items: &[usize]| {
        ItemRequest::Flush(Flush { epoch, items: items.iter().copied().map(item).collect() })
    };
    let restore = |which, epoch| ItemRequest::Restore(which, Restore { epoch });
    let made = epoch(&store, flush(0, &[2, 3])).expect("it is kept");
    assert_eq!(epoch(&store, flush(0, &[2, 3])), Ok(made.clone()), "repeated");
    assert_eq!(epoch(&store, flush(0, &[3, 2])), Err(ErrorKind::Conflict), "something else");
    assert_eq!(epoch(&store, flush(0, &[])), Err(ErrorKind::Conflict));
    assert_eq!(epoch(&store, restore(0, 0)), Err(ErrorKind::Conflict));
    // What others did since does not change what was answered, nor is it lost.
    let later = ItemRequest::Upload(Upload { epoch: made.epoch, items: vec![item(4)] });
    let _ = block_on(store.items(&group(), later, &TERMS)).expect("it is kept");
    assert_eq!(epoch(&store, flush(0, &[2, 3])), Ok(made));
    assert_eq!(block_on(store.groups()).expect("reads")[0].items, 3);

    let restored = epoch(&store, restore(0, 1)).expect("it is there");
    assert_eq!(epoch(&store, restore(0, 1)), Ok(restored));
    assert_eq!(epoch(&store, restore(1, 1)), Err(ErrorKind::Conflict));
    assert_eq!(epoch(&store, flush(0, &[2, 3])), Err(ErrorKind::Conflict), "long gone");
    assert_eq!(block_on(store.groups()).expect("reads")[0].items, 2);
}
