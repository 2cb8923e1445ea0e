//! The exact JSON of everything that is not bytes, the paths, and what an error becomes.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use syncline_core::log::{LaneHash, Peer, Tip, VersionVector};
use syncline_core::{Error, ErrorKind, Group, ReplicaId};
use syncline_shared_log_wire::item::{
    Check, Checked, Download, Downloaded, Epoch, Epochs, Flush, Item, ItemHistory, ItemId, Known,
    NumberedItem, OldEpoch, Restore, Upload, UploadOutcome, Uploaded, digest,
};
use syncline_shared_log_wire::lease::{Lease, LeaseRequest, Leases};
use syncline_shared_log_wire::notice::Notice;
use syncline_shared_log_wire::{
    PeerJson, PeersJson, Problem, kind_name, kind_named, path, read_object,
};

/// A value is written as exactly this text, and read from it.
#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, pinned: &str) {
    assert_eq!(serde_json::to_string(value).expect("JSON"), pinned);
    assert_eq!(&serde_json::from_str::<T>(pinned).expect("reads back"), value);
}

fn item() -> Item {
    Item {
        kind: "note".to_owned(),
        key: "1".to_owned(),
        data: Some("x".to_owned()),
        timestamp: 5,
        deleted: false,
    }
}

fn id() -> ItemId {
    ItemId { kind: "note".to_owned(), key: "1".to_owned() }
}

fn tip(replica: u8, seq: u64) -> Tip {
    Tip { replica: ReplicaId([replica; 16]), seq, hash: LaneHash([replica + 1; 16]) }
}

const ITEM: &str = r#"{"type":"note","key":"1","data":"x","timestamp":5}"#;
const ID: &str = r#"{"type":"note","key":"1"}"#;

#[test]
fn items_keep_their_form() {
    check(&item(), ITEM);
    let deleted = Item { data: None, deleted: true, ..item() };
    check(&deleted, r#"{"type":"note","key":"1","timestamp":5,"deleted":true}"#);
    let upload = Upload { epoch: 0, items: vec![item()] };
    check(&upload, &format!(r#"{{"epoch":0,"items":[{ITEM}]}}"#));
    let outcomes = vec![UploadOutcome::Stored, UploadOutcome::Known, UploadOutcome::Older];
    let uploaded = Uploaded { epoch: 0, number: 3, outcomes };
    check(&uploaded, r#"{"epoch":0,"number":3,"outcomes":["stored","known","older"]}"#);
}

#[test]
fn downloads_keep_their_form() {
    let all = Download { after: 1, limit: Some(2), include_deleted: true, epoch: Some(3) };
    check(&all, r#"{"after":1,"limit":2,"include_deleted":true,"epoch":3}"#);
    assert_eq!(serde_json::from_str::<Download>("{}").expect("all optional"), Download::default());
    let items = vec![NumberedItem { number: 9, item: item() }];
    let downloaded = Downloaded { epoch: 0, number: 9, more: false, items };
    let pinned = r#"{"epoch":0,"number":9,"more":false,"items":[{"number":9,"type":"note","key":"1","data":"x","timestamp":5}]}"#;
    check(&downloaded, pinned);
}

#[test]
fn comparisons_keep_their_form() {
    let known = Known { kind: "note".into(), key: "1".into(), timestamp: 5, digest: None };
    let question =
        Check { items: vec![known], after: Some(("note".into(), "0".into())), up_to: None };
    let pinned =
        r#"{"items":[{"type":"note","key":"1","timestamp":5}],"after":["note","0"],"up_to":null}"#;
    check(&question, pinned);
    let ids = || vec![id()];
    let checked = Checked {
        epoch: 1,
        missing: ids(),
        newer: ids(),
        older: ids(),
        deleted: ids(),
        differs: ids(),
        unlisted: ids(),
        more_after: Some(("note".into(), "1".into())),
    };
    let pinned = format!(
        r#"{{"epoch":1,"missing":[{ID}],"newer":[{ID}],"older":[{ID}],"deleted":[{ID}],"differs":[{ID}],"unlisted":[{ID}],"more_after":["note","1"]}}"#
    );
    check(&checked, &pinned);
}

#[test]
fn epochs_keep_their_form() {
    let flush = Flush { epoch: 1, items: vec![item()] };
    check(&flush, &format!(r#"{{"epoch":1,"items":[{ITEM}]}}"#));
    check(&Restore { epoch: 1 }, r#"{"epoch":1}"#);
    check(&Epoch { epoch: 1, number: 7 }, r#"{"epoch":1,"number":7}"#);
    let epochs = Epochs { epoch: 1, old: vec![OldEpoch { epoch: 0, items: 2, kept_until: 8 }] };
    check(&epochs, r#"{"epoch":1,"old":[{"epoch":0,"items":2,"kept_until":8}]}"#);
    let history = ItemHistory { replaced: vec![item()] };
    check(&history, &format!(r#"{{"replaced":[{ITEM}]}}"#));
}

#[test]
fn a_list_of_values_is_no_object() {
    for (body, inner) in [("[]", "[]"), ("[0,[]]", r#"[["note","1",null,5,false]]"#)] {
        assert!(read_object::<Download>(body.as_bytes()).is_err(), "{body}");
        assert!(read_object::<Upload>(body.as_bytes()).is_err(), "{body}");
        let nested = format!(r#"{{"epoch":0,"items":{inner}}}"#);
        assert_eq!(read_object::<Upload>(nested.as_bytes()).is_ok(), inner == "[]", "{nested}");
        assert_eq!(read_object::<Flush>(nested.as_bytes()).is_ok(), inner == "[]", "{nested}");
    }
    assert!(read_object::<Check>(br#"{"items":[["note","1",5,null]]}"#).is_err());
    assert!(read_object::<Download>(b"{}").is_ok());
}

#[test]
fn a_digest_tells_data_from_no_data_and_deleted_from_kept() {
    let kept = "e349c20f83fba4886beec50647eb6d8e921a0cc49280057a7fc3b396de82a9d3";
    let all = [
        item(),
        Item { deleted: true, ..item() },
        Item { data: None, ..item() },
        Item { data: Some(String::new()), ..item() },
    ];
    let digests: std::collections::BTreeSet<String> = all.iter().map(digest).collect();
    assert_eq!(digests.len(), all.len());
    assert_eq!(digest(&item()), kept);
}

#[test]
fn leases_and_notices_keep_their_form() {
    let request = LeaseRequest { holder: "phone".into(), millis: 1000, token: None, attempt: None };
    check(&request, r#"{"holder":"phone","millis":1000}"#);
    let attempt = LeaseRequest { attempt: Some("a-1".into()), ..request.clone() };
    check(&attempt, r#"{"holder":"phone","millis":1000,"attempt":"a-1"}"#);
    let renewal = LeaseRequest { token: Some(4), ..request };
    check(&renewal, r#"{"holder":"phone","millis":1000,"token":4}"#);
    let lease = Lease { name: "a".into(), holder: "phone".into(), token: 4, expires: 9 };
    let pinned = r#"{"leases":[{"name":"a","holder":"phone","token":4,"expires":9}]}"#;
    check(&Leases { leases: vec![lease] }, pinned);
    let notice = Notice { number: 12 };
    check(&notice, r#"{"number":12}"#);
    assert_eq!(Notice::read(br#"{"number":12,"new":1}"#), Some(notice));
    assert_eq!(Notice::read(br#"{"number":-1}"#), None);
}

#[test]
fn members_keep_their_form() {
    let peer = Peer {
        replica: ReplicaId([7; 16]),
        heads: vec![tip(7, 300)],
        acknowledged: VersionVector::new([tip(7, 300), tip(9, 1)]),
    };
    let json = PeersJson { peers: vec![PeerJson::from(&peer)] };
    let seven = "07".repeat(16);
    let head = format!(r#"{{"replica":"{seven}","seq":300,"hash":"{}"}}"#, "08".repeat(16));
    let other =
        format!(r#"{{"replica":"{}","seq":1,"hash":"{}"}}"#, "09".repeat(16), "0a".repeat(16));
    let pinned = format!(
        r#"{{"peers":[{{"replica":"{seven}","heads":[{head}],"acknowledged":[{head},{other}]}}]}}"#
    );
    check(&json, &pinned);
    assert_eq!(PeersJson::read(pinned.as_bytes()).as_ref(), Some(&json));
    for (part, other) in
        [("heads", "tails"), (":300", ":-1"), ("\"hash\":\"", "\"hash\":1,\"x\":\"")]
    {
        assert_eq!(PeersJson::read(pinned.replace(part, other).as_bytes()), None, "{other}");
    }
    assert_eq!(Peer::try_from(&json.peers[0]).expect("reads back"), peer);
    let mut broken = json.peers[0].clone();
    broken.heads[0].hash.pop();
    assert_eq!(Peer::try_from(&broken).expect_err("broken").kind(), ErrorKind::Corrupt);
}

#[test]
fn names_of_groups_are_one_part_of_a_path_whatever_they_hold() {
    let groups = [
        ("family", "family"),
        ("a/b", "a%2Fb"),
        ("../x", "..%2Fx"),
        ("a b?c#d%", "a%20b%3Fc%23d%25"),
        ("ü", "%C3%BC"),
        ("...", "..."),
    ];
    for (name, part) in groups {
        let group: Group = name.parse().expect("a name");
        let of = path::of(&group, "exchange").expect("a path");
        assert_eq!(of, format!("/v1/groups/{part}/exchange"));
    }
    for name in [".", ".."] {
        let group: Group = name.parse().expect("a name");
        assert_eq!(path::of(&group, "peers").expect_err("refused").kind(), ErrorKind::Invalid);
    }
}

#[test]
fn every_kind_of_error_keeps_its_name_and_status() {
    let kinds = [
        (ErrorKind::ClockSkew, "ClockSkew", 422),
        (ErrorKind::Conflict, "Conflict", 409),
        (ErrorKind::Corrupt, "Corrupt", 422),
        (ErrorKind::Denied, "Denied", 403),
        (ErrorKind::Forked, "Forked", 409),
        (ErrorKind::Full, "Full", 507),
        (ErrorKind::Internal, "Internal", 500),
        (ErrorKind::Invalid, "Invalid", 400),
        (ErrorKind::NotFound, "NotFound", 404),
        (ErrorKind::Rejoin, "Rejoin", 410),
        (ErrorKind::Unavailable, "Unavailable", 503),
        (ErrorKind::Unsupported, "Unsupported", 415),
        (ErrorKind::WrongKey, "WrongKey", 422),
    ];
    for (kind, name, status) in kinds {
        let problem = Problem::new(&Error::new(kind, "what to do"));
        assert_eq!((problem.status, problem.kind.as_str()), (status, name));
        assert_eq!((kind_name(kind), kind_named(name)), (name, Some(kind)));
        assert_eq!(problem.into_error().kind(), kind);
    }
}

#[test]
fn only_the_context_that_is_meant_for_others_travels() {
    let error = Error::new(ErrorKind::Full, "the group's quota is used up")
        .with("limit", 5)
        .with("path", "/var/lib/hub.db")
        .caused_by(std::io::Error::other("secret"));
    let pinned = r#"{"status":507,"kind":"Full","detail":"the group's quota is used up","context":{"limit":"5"}}"#;
    check(&Problem::new(&error), pinned);
    assert_eq!(Problem::read(pinned.as_bytes()), Some(Problem::new(&error)));
    let bare = r#"{"status":413,"kind":"Invalid","detail":"no"}"#;
    let problem = Problem::new(&Error::invalid("no")).with_status(413);
    check(&problem, bare);
    assert_eq!(Problem::read(bare.as_bytes()), Some(problem));
    assert_eq!(Problem::read(bare.replace("413", "70000").as_bytes()), None);
    assert_eq!(Problem::read(pinned.replace("\"5\"", "5").as_bytes()), None);
}

#[test]
fn a_kind_of_a_later_version_is_judged_by_its_status() {
    let statuses = [
        (401, ErrorKind::Denied),
        (403, ErrorKind::Denied),
        (404, ErrorKind::NotFound),
        (408, ErrorKind::Unavailable),
        (429, ErrorKind::Unavailable),
        (502, ErrorKind::Unavailable),
        (400, ErrorKind::Invalid),
    ];
    for (status, kind) in statuses {
        let text = format!(r#"{{"status":{status},"kind":"Later","detail":"x","new":1}}"#);
        let problem: Problem = serde_json::from_str(&text).expect("later members are ignored");
        assert_eq!(problem.into_error().kind(), kind, "{status}");
    }
}
