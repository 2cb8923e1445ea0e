//! Leases: one holder at a time, and tokens that only rise.

mod common;

use pollster::block_on;
use syncline_core::{Error, ErrorKind};
use syncline_server::{HubStore, LeaseChange, Terms};
use syncline_server_sqlite::SqliteStore;
use syncline_shared_log_wire::lease::Lease;

use crate::common::*;

fn ask(store: &SqliteStore, change: LeaseChange, now: i64) -> Result<Lease, Error> {
    block_on(store.lease(&group(), change, &Terms { now, ..TERMS }))
}

fn take(store: &SqliteStore, holder: &str, now: i64) -> Result<Lease, Error> {
    let (name, holder) = ("door".to_owned(), holder.to_owned());
    ask(store, LeaseChange::Take { name, holder, millis: 100, attempt: None }, now)
}

fn renew(store: &SqliteStore, token: u64, now: i64) -> Result<Lease, Error> {
    ask(store, LeaseChange::Renew { name: "door".to_owned(), token, millis: 100 }, now)
}

fn release(store: &SqliteStore, token: u64, now: i64) -> Result<Lease, Error> {
    ask(store, LeaseChange::Release { name: "door".to_owned(), token }, now)
}

fn held(store: &SqliteStore, now: i64) -> Vec<Lease> {
    block_on(store.leases(&group(), now)).expect("reads")
}

#[track_caller]
fn refused(answer: Result<Lease, Error>, kind: ErrorKind) -> Error {
    let error = answer.expect_err("this is to be refused");
    assert_eq!(error.kind(), kind, "{error}");
    error
}

#[test]
fn a_name_has_one_holder_and_the_other_is_told_who() {
    let store = SqliteStore::open_in_memory().unwrap();
    let lease = take(&store, "ann", 1_000).unwrap();
    assert_eq!((lease.holder.as_str(), lease.expires), ("ann", 1_100));
    for other in ["bob", "ann"] {
        let error = refused(take(&store, other, 1_099), ErrorKind::Conflict);
        assert!(error.context().any(|pair| pair == ("holder", "ann")), "{error}");
    }
    assert_eq!(held(&store, 1_099), [lease]);
}

#[test]
fn a_token_is_greater_than_all_before_it_also_after_release_and_expiry() {
    let store = SqliteStore::open_in_memory().unwrap();
    let mut greatest = 0;
    for round in 0..10 {
        let now = round * 1_000;
        let lease = take(&store, "ann", now).unwrap();
        assert!(lease.token > greatest);
        greatest = lease.token;
        if round % 2 == 0 {
            assert_eq!(release(&store, lease.token, now + 1).unwrap(), lease);
            assert_eq!(held(&store, now + 1), []);
        }
    }
}

#[test]
fn renewing_keeps_the_token_and_moves_the_end() {
    let store = SqliteStore::open_in_memory().unwrap();
    let lease = take(&store, "ann", 0).unwrap();
    let renewed = renew(&store, lease.token, 50).unwrap();
    assert_eq!(renewed, Lease { expires: 150, ..lease.clone() });
    let again = renew(&store, lease.token, 50).unwrap();
    assert_eq!(again, renewed, "a repeated request has no further effect");
}

#[test]
fn an_old_token_neither_renews_nor_releases() {
    let store = SqliteStore::open_in_memory().unwrap();
    let old = take(&store, "ann", 0).unwrap();
    let new = take(&store, "bob", 100).unwrap();
    let error = refused(renew(&store, old.token, 101), ErrorKind::Conflict);
    assert!(error.context().any(|pair| pair == ("holder", "bob")), "{error}");
    let _ = refused(release(&store, old.token, 101), ErrorKind::Conflict);
    assert_eq!(held(&store, 101), [new]);
}

#[test]
fn what_has_expired_is_gone_for_its_holder_too() {
    let store = SqliteStore::open_in_memory().unwrap();
    let _ = refused(release(&store, 1, 0), ErrorKind::NotFound);
    let lease = take(&store, "ann", 0).unwrap();
    let _ = refused(renew(&store, lease.token, 100), ErrorKind::NotFound);
    let _ = refused(release(&store, lease.token, 100), ErrorKind::NotFound);
    assert_eq!(held(&store, 100), []);
}

#[test]
fn an_attempt_that_is_repeated_is_answered_with_the_lease_that_it_got() {
    let store = SqliteStore::open_in_memory().unwrap();
    let attempt = |holder: &str, attempt: Option<&str>, now| {
        let (name, holder) = ("door".to_owned(), holder.to_owned());
        let attempt = attempt.map(str::to_owned);
        ask(&store, LeaseChange::Take { name, holder, millis: 100, attempt }, now)
    };
    let lease = attempt("ann", Some("a-1"), 0).unwrap();
    assert_eq!(attempt("ann", Some("a-1"), 50).unwrap(), lease, "it lasts no longer for that");
    for (holder, other) in [("ann", Some("a-2")), ("ann", None), ("bob", Some("a-1"))] {
        let _ = refused(attempt(holder, other, 50), ErrorKind::Conflict);
    }
    let renewed = renew(&store, lease.token, 60).unwrap();
    assert_eq!(attempt("ann", Some("a-1"), 70).unwrap(), renewed);
    let _ = release(&store, lease.token, 80).unwrap();
    let unnamed = take(&store, "ann", 80).unwrap();
    let _ = refused(attempt("ann", Some("a-1"), 90), ErrorKind::Conflict);
    assert!(unnamed.token > lease.token);
    assert!(attempt("ann", Some("a-1"), 200).unwrap().token > unnamed.token, "it had expired");
}

#[test]
fn groups_do_not_see_each_others_leases() {
    let store = SqliteStore::open_in_memory().unwrap();
    let _ = take(&store, "ann", 0).unwrap();
    let other = "work".parse().unwrap();
    assert_eq!(block_on(store.leases(&other, 0)).unwrap(), []);
    let (name, holder) = ("door".to_owned(), "bob".to_owned());
    let take = LeaseChange::Take { name, holder, millis: 100, attempt: None };
    assert_eq!(block_on(store.lease(&other, take, &TERMS)).unwrap().holder, "bob");
}
