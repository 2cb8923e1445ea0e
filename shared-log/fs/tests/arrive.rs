//! What lies in a folder, and what of it counts.

mod common;

use std::fs;

use common::{Place, all, flip, page, sealer};
use syncline_conformance::lanes::{Follower, Sealer, replica};
use syncline_core::log::{After, Cursor, Receipt, VersionVector};
use syncline_core::{ErrorKind, SharedLog};
use syncline_shared_log_fs::FsLog;

#[test]
fn names_are_lower_case_ascii() {
    let place = Place::with(&[sealer(1).notes(["a"])]);
    pollster::block_on(place.log.join(replica(1))).unwrap();
    pollster::block_on(place.log.acknowledge(replica(1), &VersionVector::default())).unwrap();
    let root = fs::read_dir(place.path()).unwrap();
    let root = root.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = root.chain(place.names(1)).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    for name in names {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(name.bytes().all(|byte| is_plain(byte) || b"-.".contains(&byte)), "{name}");
        assert!(name.len() < 120, "{name}");
    }
}

#[test]
fn a_whole_file_counts_under_any_name_and_in_any_lane() {
    let mut ann = sealer(1);
    let segments = [ann.notes(["a"]), ann.notes(["b"]), ann.notes(["c"]), ann.notes(["d"])];
    let place = Place::with(&segments);
    pollster::block_on(place.log.join(replica(2))).unwrap();
    let strange = [
        place.path().join("beside the lanes.bin"),
        place.lane(2).join("in another lane"),
        place.lane(1).join("a.sync-conflict-20261120-101010-ABCDEFG.seg"),
        place.path().join(format!("lane-{} (conflicted copy)", replica(1))).join(".é"),
    ];
    fs::create_dir(strange[3].parent().unwrap()).unwrap();
    for (segment, path) in segments.iter().zip(&strange) {
        fs::rename(place.file(segment), path).unwrap();
    }
    assert_eq!(place.arrived(), segments);
    assert_eq!(place.damaged(), []);
    let owner = page(&mut Follower::new(replica(1)), &place.log);
    assert_eq!(owner.own, [ann.tip()], "the owner need not append anything again");
}

#[test]
fn a_copy_of_the_marker_that_came_first_is_not_that_of_another_group() {
    let (place, other) = (Place::with(&[sealer(1).notes(["a"])]), tempfile::tempdir().unwrap());
    for entry in fs::read_dir(place.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("group-") {
            let copy = name.replace(".json", " (conflicted copy).json");
            fs::copy(place.path().join(name), other.path().join(copy)).unwrap();
        }
    }
    let _ = FsLog::open(other.path(), "family".parse().unwrap()).unwrap();
    let _ = FsLog::open(other.path(), "family".parse().unwrap()).unwrap();
}

#[test]
fn a_file_with_the_name_of_another_counts_as_what_it_is() {
    let mut ann = sealer(1);
    let segments = [ann.notes(["a"]), ann.notes(["b"]), ann.notes(["c"])];
    let place = Place::with(&segments);
    let [first, second, third] = segments.each_ref().map(|segment| place.file(segment));
    let aside = place.path().join("aside");
    fs::rename(&first, &aside).unwrap();
    fs::rename(&third, &first).unwrap();
    fs::rename(&second, &third).unwrap();
    fs::rename(&aside, &second).unwrap();
    assert_eq!(place.arrived(), segments);
    assert_eq!(place.damaged(), []);
    let mut follower = Follower::new(replica(99));
    follower.request.limit_entries = 1;
    assert_eq!(all(&mut follower, &place.again()), segments, "page by page");
}

#[test]
fn copies_change_nothing() {
    let mut ann = sealer(1);
    let segments = [ann.notes(["a"]), ann.notes(["b"])];
    let place = Place::with(&segments);
    for (segment, at) in segments.iter().zip(0..) {
        fs::copy(place.file(segment), place.path().join(format!("copy {at}"))).unwrap();
        fs::copy(place.file(segment), place.lane(1).join(format!("copy {at}"))).unwrap();
    }
    assert_eq!(place.arrived(), segments);
    assert_eq!(place.append(&segments), [Receipt::Known; 2]);
}

#[test]
fn damaged_copies_of_what_is_whole_are_passed_over() {
    let segment = sealer(1).notes(["a"]);
    let place = Place::with(std::slice::from_ref(&segment));
    let file = place.file(&segment);
    let copy = file.with_extension("sync-conflict-20261120-101010-ABCDEFG.seg");
    fs::copy(&file, &copy).unwrap();
    flip(&copy, 40);
    assert_eq!(place.arrived(), [segment]);
    assert_eq!(place.damaged(), []);
}

#[test]
fn what_others_left_in_the_folder_does_no_harm() {
    let segment = sealer(1).notes(["a"]);
    let place = Place::with(std::slice::from_ref(&segment));
    let bytes = fs::read(place.file(&segment)).unwrap();
    for folder in [place.path().to_owned(), place.lane(1)] {
        for name in [".DS_Store", "desktop.ini", "Thumbs.db", ".stignore", "x.seg", "ack-1-x.ack"] {
            fs::write(folder.join(name), b"something else").unwrap();
        }
        for name in ["empty", "empty.seg", "lane-", "group-x.json", ".tmp-1-1", "join-x.json"] {
            fs::write(folder.join(name), b"").unwrap();
        }
        // Under way, by a sync tool and by us.
        for name in [".syncthing.x.seg.tmp", "~syncthing~x.tmp", ".tmp-9-9"] {
            fs::write(folder.join(name), &bytes[..bytes.len() / 2]).unwrap();
        }
        fs::create_dir(folder.join(".stfolder")).unwrap();
        fs::create_dir(folder.join("lane-of-nobody")).unwrap();
        fs::create_dir(folder.join("000000000001-x.seg")).unwrap();
        let huge = fs::File::create(folder.join("huge")).unwrap();
        huge.set_len(1 << 40).unwrap();
    }
    assert_eq!(place.damaged(), []);
    assert_eq!(place.arrived(), [segment]);
    let peers = pollster::block_on(place.again().peers()).unwrap();
    assert_eq!(peers.len(), 1, "{peers:?}");
}

#[test]
fn a_huge_file_that_begins_like_a_segment_is_not_read() {
    let mut ann = sealer(1);
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    let place = Place::with(&[first.clone(), second.clone()]);
    let huge = fs::OpenOptions::new().write(true).open(place.file(&second)).unwrap();
    huge.set_len(1 << 40).unwrap();
    assert_eq!(place.arrived(), [first]);
    assert_eq!(place.damaged()[0].span, Some(*second.span()));
}

#[cfg(unix)]
#[test]
fn links_pipes_and_names_that_are_no_text_do_no_harm() {
    use std::os::unix::ffi::OsStrExt;

    let mut ann = sealer(1);
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    let place = Place::with(&[first.clone(), second.clone()]);
    let no_text = std::ffi::OsStr::from_bytes(b"\xff\xfe.seg");
    fs::rename(place.file(&second), place.lane(1).join(no_text)).unwrap();
    fs::create_dir(place.path().join(std::ffi::OsStr::from_bytes(b"lane-\xff"))).unwrap();
    fs::write(place.path().join(no_text), b"SYNL but no more").unwrap();
    std::os::unix::fs::symlink("/dev/zero", place.lane(1).join("zero.seg")).unwrap();
    std::os::unix::fs::symlink(".", place.path().join("lane-loop")).unwrap();
    std::os::unix::fs::symlink("gone", place.path().join("nowhere")).unwrap();
    let pipe = place.lane(1).join("pipe.seg");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(place.arrived(), [first, second]);
    assert_eq!(place.damaged().len(), 1, "only what begins like a segment is told");
}

#[test]
fn segments_of_another_group_are_passed_over_and_told() {
    let ours = sealer(1).notes(["a"]);
    let place = Place::with(std::slice::from_ref(&ours));
    let theirs = Sealer::new(&"work".parse().unwrap(), replica(2)).notes(["x"]);
    fs::write(place.lane(1).join("theirs"), theirs.bytes()).unwrap();
    let file = place.file(&theirs);
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, theirs.bytes()).unwrap();
    assert_eq!(place.arrived(), [ours]);
    let damaged = place.damaged();
    assert_eq!(damaged.len(), 2);
    assert!(damaged.iter().all(|damage| damage.reason.contains("work")), "{damaged:?}");
}

#[test]
fn a_flipped_bit_anywhere_holds_up_its_lane_and_no_other() {
    let (mut ann, mut bob) = (sealer(1), sealer(2));
    let segments = [ann.notes(["a"]), ann.notes(["b"]), ann.notes(["c"])];
    let other = [bob.notes(["x"]), bob.notes(["y"])];
    let place = Place::with(&segments);
    place.append(&other);
    let file = place.file(&segments[1]);
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        flip(&file, at);
        let mut arrived = place.arrived();
        arrived.sort_unstable_by_key(|segment| *segment.span());
        assert_eq!(arrived, [&segments[..1], &other].concat(), "byte {at}");
        let damaged = place.damaged();
        assert_eq!(damaged.len(), 1, "byte {at}: {damaged:?}");
        assert_eq!(damaged[0].place, file.canonicalize().unwrap().display().to_string());
        assert_eq!(damaged[0].span, Some(*segments[1].span()));
        fs::write(&file, &whole).unwrap();
    }
    assert_eq!(place.damaged(), []);
}

#[test]
fn a_file_that_was_damaged_and_is_whole_now_is_read_again() {
    let segment = sealer(1).notes(["a"]);
    let place = Place::with(std::slice::from_ref(&segment));
    let file = place.file(&segment);
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let set_back = || fs::File::open(&file).unwrap().set_modified(modified).unwrap();
    flip(&file, 30);
    set_back();
    let mut follower = Follower::new(replica(99));
    assert_eq!(page(&mut follower, &place.log).damaged.len(), 1);
    // The same length and the same time: nothing but the contents tells that it arrived.
    flip(&file, 30);
    set_back();
    assert_eq!(all(&mut follower, &place.log), [segment]);
}

#[test]
fn lanes_take_turns() {
    let (mut ann, mut bob) = (sealer(1), sealer(2));
    let long: Vec<_> = (0..50).map(|_| ann.notes(["a"])).collect();
    let place = Place::with(&long);
    place.append(&[bob.notes(["x"])]);
    let mut follower = Follower::new(replica(99));
    follower.request.limit_entries = 2;
    let first = page(&mut follower, &place.log).segments;
    let lanes: Vec<_> = first.iter().map(|segment| segment.span().replica).collect();
    assert_eq!(lanes, [ann.replica(), bob.replica()]);
}

#[test]
fn only_what_is_delivered_is_read() {
    let mut ann = sealer(1);
    let segments: Vec<_> = (0..20).map(|_| ann.notes(["a"])).collect();
    let place = Place::with(&segments);
    // What is known and what comes later may even be unreadable.
    for segment in segments[..9].iter().chain(&segments[15..]) {
        flip(&place.file(segment), 50);
    }
    let known = VersionVector::new([segments[8].span().tip()]);
    let mut follower = Follower::knowing(replica(99), known);
    follower.request.limit_entries = 5;
    let fetched = page(&mut follower, &place.again());
    assert_eq!((fetched.segments.as_slice(), fetched.more), (&segments[9..14], true));
    assert_eq!(fetched.damaged, []);
}

#[test]
fn damaged_acknowledgements_do_not_count() {
    let place = Place::new();
    let said = |log: &FsLog| pollster::block_on(log.peers()).unwrap()[0].acknowledged.clone();
    let mut ann = sealer(1);
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    let [less, more] = [&first, &second].map(|one| VersionVector::new([one.span().tip()]));
    pollster::block_on(place.log.acknowledge(replica(1), &less)).unwrap();
    let older = place.names(1);
    let old = place.lane(1).join(&older[0]);
    let kept = fs::read(&old).unwrap();
    pollster::block_on(place.log.acknowledge(replica(1), &more)).unwrap();
    assert_eq!(place.names(1).len(), 1, "what was said before is removed");
    assert_eq!(said(&place.log), more);

    // A sync tool brings back the older one, and the newer one is damaged.
    let newer = place.lane(1).join(&place.names(1)[0]);
    fs::write(&old, kept).unwrap();
    assert_eq!(said(&place.log), more);
    flip(&newer, 30);
    assert_eq!(said(&place.log), less);

    // Who says the older one again is heard, though the newer one may heal.
    pollster::block_on(place.log.acknowledge(replica(1), &less)).unwrap();
    assert!(place.names(1).iter().any(|name| name.starts_with("ack-000000000003-")));

    // What is said next overtakes the damaged one as well.
    pollster::block_on(place.log.acknowledge(replica(1), &more)).unwrap();
    fs::rename(place.lane(1).join(&place.names(1)[0]), place.path().join("a copy")).unwrap();
    assert_eq!(said(&place.log), more, "also under another name");
    assert_eq!(pollster::block_on(place.again().peers()).unwrap().len(), 1);
}

#[test]
fn a_cursor_grows_with_the_lanes_and_not_with_what_is_in_them() {
    let (mut ann, mut bob) = (sealer(1), sealer(2));
    let place = Place::new();
    let mut follower = Follower::new(replica(99));
    let mut lengths = Vec::new();
    for _ in 0..5 {
        place.append(&[ann.notes(["a"]), bob.notes(["x"]), bob.notes(["y"])]);
        lengths.push(page(&mut follower, &place.log).cursor.0.len());
    }
    assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
}

#[test]
fn who_read_what_is_gone_since_is_told_to_rejoin() {
    let (place, mut ann) = (Place::new(), sealer(1));
    let segments = [ann.notes(["a"]), ann.notes(["b"])];
    let _ = pollster::block_on(place.log.append(&segments)).expect("they are taken");
    let mut follower = Follower::new(replica(9));
    let _ = all(&mut follower, &place.log);
    std::fs::remove_file(place.file(&segments[1])).expect("it is there");
    for log in [place.log.clone(), place.again()] {
        let answer = pollster::block_on(log.fetch(&follower.request));
        assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::Rejoin));
    }
    let _ = pollster::block_on(place.log.append(&segments)).expect("it is passed on");
    assert!(all(&mut follower, &place.log).is_empty(), "the cursor holds again");
}

#[test]
fn half_a_cursor_is_refused() {
    let place = Place::with(&[sealer(1).notes(["a"])]);
    let mut follower = Follower::new(replica(99));
    let whole = page(&mut follower, &place.log).cursor;
    for length in 0..whole.0.len() {
        follower.request.after = After::Cursor(Cursor(whole.0[..length].to_vec()));
        let error = pollster::block_on(place.log.fetch(&follower.request)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejoin, "{length} bytes");
    }
}
