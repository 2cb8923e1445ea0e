//! What a store holds at most: groups, and replicas of each.

mod common;

use pollster::block_on;
use syncline_conformance::lanes::{Sealer, replica};
use syncline_core::log::{Exchange, VersionVector};
use syncline_core::{Error, ErrorKind, Group, Result};
use syncline_server::{Answer, HubStore, ItemRequest, LeaseChange, Terms};
use syncline_server_sqlite::SqliteStore;
use syncline_shared_log_wire::item::{Flush, Item, Upload};

use crate::common::*;

fn named(name: &str) -> Group {
    name.parse().expect("a name")
}

fn join(store: &SqliteStore, group: &Group, number: u8, terms: &Terms) -> Result<Answer> {
    let joins = Exchange { join: true, ..Exchange::of(replica(number)) };
    block_on(store.exchange(group, joins, terms))
}

fn limit(error: &Error) -> Option<&str> {
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    error.context().find(|(name, _)| *name == "limit").map(|(_, limit)| limit)
}

#[test]
fn no_change_begins_one_group_too_many_and_those_that_are_there_go_on() {
    let store = SqliteStore::open_in_memory().unwrap();
    let terms = Terms { groups: 2, ..TERMS };
    for name in ["a", "b"] {
        let _ = join(&store, &named(name), 1, &terms).unwrap();
    }
    let third = named("c");
    let item = Item {
        kind: "note".to_owned(),
        key: "1".to_owned(),
        data: None,
        timestamp: 1,
        deleted: false,
    };
    let upload = ItemRequest::Upload(Upload { epoch: 0, items: vec![item] });
    let flush = ItemRequest::Flush(Flush { epoch: 0, items: Vec::new() });
    let (name, holder, attempt) = ("door".to_owned(), "ann".to_owned(), None);
    let take = LeaseChange::Take { name, holder, millis: 100, attempt };
    let known = Some(VersionVector::default());
    let acknowledge = Exchange { acknowledge: known, ..Exchange::of(replica(1)) };
    let append = appending(&[Sealer::new(&third, replica(1)).notes(["a"])]);
    for refused in [
        join(&store, &third, 1, &terms).unwrap_err(),
        block_on(store.exchange(&third, acknowledge, &terms)).unwrap_err(),
        block_on(store.exchange(&third, append, &terms)).unwrap_err(),
        block_on(store.items(&third, upload, &terms)).unwrap_err(),
        block_on(store.items(&third, flush, &terms)).unwrap_err(),
        block_on(store.lease(&third, take, &terms)).unwrap_err(),
    ] {
        assert_eq!(limit(&refused), Some("2"), "{refused}");
    }
    assert_eq!(block_on(store.groups()).unwrap().len(), 2);
    assert_eq!(block_on(store.peers(&third)).unwrap(), [], "it reads like an empty one");
    let _ = join(&store, &named("a"), 2, &terms).expect("a group that is there");
    let _ = join(&store, &third, 1, &Terms { groups: 3, ..TERMS }).expect("there is more room");
}

#[test]
fn a_group_has_no_more_replicas_than_it_may_and_those_that_it_knows_go_on() {
    let store = SqliteStore::open_in_memory().unwrap();
    let terms = Terms { replicas: 2, ..TERMS };
    let ask = |request| block_on(store.exchange(&group(), request, &terms));
    let mut lanes: Vec<Sealer> = (0..4).map(sealer).collect();
    for number in [1, 2] {
        let _ = join(&store, &group(), number, &terms).unwrap();
        let _ = ask(appending(&[lanes[usize::from(number)].notes(["a"])])).unwrap();
    }
    let known = Some(VersionVector::default());
    let acknowledge =
        |number| Exchange { acknowledge: known.clone(), ..Exchange::of(replica(number)) };
    for refused in [
        join(&store, &group(), 3, &terms).unwrap_err(),
        ask(acknowledge(3)).unwrap_err(),
        ask(appending(&[lanes[3].notes(["a"])])).unwrap_err(),
    ] {
        assert_eq!(limit(&refused), Some("2"), "{refused}");
    }
    let _ = ask(acknowledge(2)).expect("a member");
    let _ = ask(appending(&[lanes[1].notes(["b"])])).expect("a lane that is there");
    let _ = join(&store, &group(), 1, &terms).expect("again");
    let peers = block_on(store.peers(&group())).unwrap();
    assert_eq!(peers.iter().map(|peer| peer.replica).collect::<Vec<_>>(), [replica(1), replica(2)]);
    let _ = join(&store, &named("other"), 3, &terms).expect("another group");
}
