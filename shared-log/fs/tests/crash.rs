//! Power fails, processes die: what is left behind between any two steps of writing a file.

mod common;

use std::fs;
use std::path::Path;

use common::{Place, page, sealer};
use syncline_conformance::lanes::{Follower, replica};
use syncline_core::log::{Receipt, Segment, VersionVector};
use syncline_core::{ErrorKind, SharedLog};

/// After a crash the second of three segments is in some state. The owner, who got no receipt, appends
/// again; then everything is there, and a reader gets it once.
#[track_caller]
fn check(state: &str, crash: impl Fn(&Path, &[u8]), arrived: usize, receipt: Receipt) {
    let mut ann = sealer(1);
    let segments = [ann.notes(["a", "b"]), ann.notes(["c"]), ann.notes(["d"])];
    let place = Place::with(&segments[..1]);
    crash(&place.file(&segments[1]), segments[1].bytes());

    let mut follower = Follower::new(replica(99));
    let before = page(&mut follower, &place.again());
    assert_eq!(before.segments, segments[..arrived], "{state}: what arrived before");
    let owner = page(&mut Follower::new(ann.replica()), &place.again());
    assert_eq!(owner.own, [segments[arrived - 1].span().tip()], "{state}: what the owner sees");

    assert_eq!(place.append(&segments[1..2]), [receipt], "{state}");
    assert_eq!(place.append(&segments[2..]), [Receipt::Stored], "{state}");
    let after = page(&mut follower, &place.again());
    assert_eq!(after.segments, segments[arrived..], "{state}: what arrived after");
    assert_eq!(after.damaged, [], "{state}");
    assert_eq!(place.arrived(), segments, "{state}");
}

fn temporary(file: &Path) -> std::path::PathBuf {
    file.with_file_name(".tmp-4711-0")
}

#[test]
fn before_anything_was_written() {
    check(
        "an empty temporary file",
        |file, _| fs::write(temporary(file), b"").unwrap(),
        1,
        Receipt::Stored,
    );
}

#[test]
fn while_the_temporary_file_was_written() {
    for part in [1, 4, 5, 100] {
        let crash = |file: &Path, bytes: &[u8]| fs::write(temporary(file), &bytes[..part]).unwrap();
        check("a part of a temporary file", crash, 1, Receipt::Stored);
    }
    let zeros =
        |file: &Path, bytes: &[u8]| fs::write(temporary(file), vec![0; bytes.len()]).unwrap();
    check("a temporary file without its contents", zeros, 1, Receipt::Stored);
}

#[test]
fn before_the_file_got_its_name() {
    let crash = |file: &Path, bytes: &[u8]| fs::write(temporary(file), bytes).unwrap();
    check("a whole temporary file", crash, 1, Receipt::Stored);
}

#[test]
fn before_the_temporary_name_was_removed() {
    let crash = |file: &Path, bytes: &[u8]| {
        fs::write(temporary(file), bytes).unwrap();
        fs::hard_link(temporary(file), file).unwrap();
    };
    check("a file with two names", crash, 2, Receipt::Known);
}

#[test]
fn before_the_folder_was_durable() {
    check("a file", |file, bytes| fs::write(file, bytes).unwrap(), 2, Receipt::Known);
}

#[test]
fn while_a_file_was_written_in_place() {
    for part in [0, 1, 4, 5, 100] {
        let crash = |file: &Path, bytes: &[u8]| fs::write(file, &bytes[..part]).unwrap();
        check_in_place(crash, part);
    }
    check_in_place(|file, bytes| fs::write(file, vec![0; bytes.len()]).unwrap(), 0);
}

/// Where there are no links a part of a file may have its name already. A process that has not read it
/// takes it for whole by its name, until it appends again.
#[track_caller]
fn check_in_place(crash: impl Fn(&Path, &[u8]), part: usize) {
    let mut ann = sealer(1);
    let segments = [ann.notes(["a", "b"]), ann.notes(["c"]), ann.notes(["d"])];
    let place = Place::with(&segments[..1]);
    let file = place.file(&segments[1]);
    crash(&file, segments[1].bytes());

    let mut follower = Follower::new(replica(99));
    let before = page(&mut follower, &place.again());
    assert_eq!(before.segments, segments[..1], "{part} bytes");
    let told = before.damaged.iter().map(|damage| damage.span).collect::<Vec<_>>();
    assert_eq!(told, [Some(*segments[1].span())], "{part} bytes");

    assert_eq!(place.append(&segments[1..]), [Receipt::Stored; 2], "{part} bytes");
    assert!(place.names(1).iter().any(|name| name.ends_with("~2.seg")), "under another name");
    let after = page(&mut follower, &place.again());
    assert_eq!((after.segments.as_slice(), after.damaged.as_slice()), (&segments[1..], &[][..]));
    assert_eq!(place.append(&segments), [Receipt::Known; 3], "and never again");
}

#[test]
fn a_damaged_second_choice_is_superseded_too() {
    let mut ann = sealer(1);
    let segments = [ann.notes(["a"])];
    let place = Place::new();
    fs::create_dir(place.lane(1)).unwrap();
    let file = place.file(&segments[0]);
    fs::write(&file, b"half").unwrap();
    fs::write(file.to_str().unwrap().replace(".seg", "~2.seg"), b"").unwrap();
    assert_eq!(place.append(&segments), [Receipt::Stored]);
    assert_eq!(place.arrived(), segments);
    assert_eq!(place.names(1).len(), 3);
}

#[test]
fn a_missing_file_is_told_and_made_again() {
    let (mut ann, mut bob) = (sealer(1), sealer(2));
    let segments: Vec<Segment> = (0..5).map(|_| ann.notes(["a"])).collect();
    let place = Place::with(&segments);
    let other = bob.notes(["x"]);
    place.append(std::slice::from_ref(&other));
    fs::remove_file(place.file(&segments[1])).unwrap();
    fs::remove_file(place.file(&segments[2])).unwrap();

    let mut follower = Follower::new(replica(99));
    let before = page(&mut follower, &place.log);
    assert_eq!(before.segments, [segments[0].clone(), other]);
    assert_eq!(before.damaged.len(), 1);
    let span = before.damaged[0].span.unwrap();
    assert_eq!((span.root(), span.tip()), (segments[1].span().root(), segments[2].span().tip()));

    // The owner sees where its lane ends, and appends from there.
    let owner = page(&mut Follower::new(ann.replica()), &place.log);
    assert_eq!(owner.own, [segments[0].span().tip()]);
    let receipts = place.append(&segments[1..]);
    assert_eq!(receipts, [Receipt::Stored, Receipt::Stored, Receipt::Known, Receipt::Known]);
    let after = page(&mut follower, &place.log);
    assert_eq!((after.segments.as_slice(), after.damaged.as_slice()), (&segments[1..], &[][..]));
}

#[test]
fn a_missing_start_is_told() {
    let mut ann = sealer(1);
    let segments = [ann.notes(["a", "b"]), ann.notes(["c"])];
    let place = Place::with(&segments);
    fs::remove_file(place.file(&segments[0])).unwrap();
    let damaged = place.damaged();
    assert_eq!(damaged.len(), 1);
    assert_eq!(damaged[0].span, Some(*segments[0].span()));
}

#[test]
fn who_is_beyond_a_gap_does_not_wait_at_it() {
    let mut ann = sealer(1);
    let segments: Vec<Segment> = (0..4).map(|_| ann.notes(["a"])).collect();
    let place = Place::with(&segments);
    fs::remove_file(place.file(&segments[1])).unwrap();
    let known = VersionVector::new([segments[2].span().tip()]);
    let mut follower = Follower::knowing(replica(99), known);
    let fetched = pollster::block_on(follower.page(&place.log)).unwrap();
    assert!(fetched.segments.contains(&segments[3]));
    assert_eq!(fetched.damaged, []);
}

#[test]
fn damage_is_found_before_anyone_meets_it_and_its_owner_mends_it() {
    let mut ann = sealer(1);
    let segments: Vec<Segment> = (0..4).map(|_| ann.notes(["a"])).collect();
    let place = Place::with(&segments);
    assert_eq!(place.log.verify().unwrap(), []);
    common::flip(&place.file(&segments[2]), 60);
    let owner =
        || page(&mut Follower::knowing(ann.replica(), VersionVector::new([ann.tip()])), &place.log);
    assert_eq!(owner().own, [ann.tip()], "names alone do not tell");

    let found = place.log.verify().unwrap();
    assert_eq!(found.iter().map(|one| one.span).collect::<Vec<_>>(), [Some(*segments[2].span())]);
    assert_eq!(owner().own, [segments[1].span().tip()]);
    assert_eq!(place.append(&segments[2..]), [Receipt::Stored, Receipt::Known]);
    assert_eq!(owner().own, [ann.tip()]);
    assert_eq!(place.arrived(), segments);
}

#[test]
fn what_one_caller_finds_damaged_the_owner_mends() {
    let mut ann = sealer(1);
    let segments: Vec<Segment> = (0..4).map(|_| ann.notes(["a"])).collect();
    let place = Place::with(&segments);
    common::flip(&place.file(&segments[2]), 60);
    let mut reader = Follower::new(replica(99));
    assert_eq!(page(&mut reader, &place.log).segments, segments[..2]);
    let knows_all = VersionVector::new([ann.tip()]);
    let owner = page(&mut Follower::knowing(ann.replica(), knows_all), &place.log);
    assert_eq!(owner.own, [segments[1].span().tip()]);
}

#[test]
fn a_damaged_file_is_nothing_to_continue() {
    let mut ann = sealer(1);
    let segments = [ann.notes(["a"]), ann.notes(["b"]), ann.notes(["c"])];
    let place = Place::with(&segments[..2]);
    common::flip(&place.file(&segments[1]), 60);
    let error = pollster::block_on(place.log.append(&segments[2..])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejoin);
    assert_eq!(place.append(&segments[1..]), [Receipt::Stored; 2]);
    assert_eq!(place.arrived(), segments);
}
