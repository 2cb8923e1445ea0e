//! The virtual disk and the carrier themselves: as bad as they should be, and no worse.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use syncline::shared_log::fs::FileSystem;
use syncline_sim::folder::{Carrier, Fault, Files, VirtualDisk, dice};

fn write(disk: &VirtualDisk, path: &str, bytes: &[u8], is_synced: bool) {
    let mut file = disk.create(Path::new(path)).expect("its name is free");
    file.write_all(bytes).expect("nothing fails");
    if is_synced {
        file.sync().expect("nothing fails");
    }
}

fn read(disk: &VirtualDisk, path: &str) -> Option<Vec<u8>> {
    disk.files(Path::new("/")).get(Path::new(path)).map(|bytes| bytes.to_vec())
}

fn sync(disk: &VirtualDisk, path: &str) {
    disk.sync(Path::new(path)).expect("it is there");
}

/// All that a crash may leave of one file.
fn after_crashes(disk: &VirtualDisk, path: &str) -> BTreeSet<Option<Vec<u8>>> {
    let after = |seed| {
        let disk = disk.copy();
        disk.crash(&mut dice(seed));
        read(&disk, path)
    };
    (0..200).map(after).collect()
}

#[test]
fn what_was_synced_survives() {
    let disk = VirtualDisk::new();
    write(&disk, "/a", b"abc", true);
    sync(&disk, "/");
    assert_eq!(after_crashes(&disk, "/a"), [Some(b"abc".to_vec())].into());
}

#[test]
fn what_was_not_synced_may_be_lost_cut_zeroed_or_kept() {
    let disk = VirtualDisk::new();
    write(&disk, "/a", b"abc", false);
    let contents = ["", "a", "ab", "abc", "a\0\0", "ab\0", "\0\0\0"];
    let contents: BTreeSet<_> = contents.map(|text| Some(text.as_bytes().to_vec())).into();
    let with_none = contents.iter().cloned().chain([None]).collect();
    assert_eq!(after_crashes(&disk, "/a"), with_none);
    sync(&disk, "/");
    assert_eq!(after_crashes(&disk, "/a"), contents, "its name is safe, its contents are not");
}

#[test]
fn names_are_kept_or_lost_one_by_one() {
    let disk = VirtualDisk::new();
    write(&disk, "/old", b"x", true);
    sync(&disk, "/");
    disk.link(Path::new("/old"), Path::new("/new")).unwrap();
    disk.remove(Path::new("/old")).unwrap();
    let left = |seed| {
        let disk = disk.copy();
        disk.crash(&mut dice(seed));
        ["/old", "/new"].map(|path| read(&disk, path).is_some())
    };
    assert_eq!((0..100).map(left).collect::<BTreeSet<_>>().len(), 4);
}

#[test]
fn the_first_choice_is_the_worst_and_the_last_the_best() {
    let disk = VirtualDisk::new();
    write(&disk, "/a", b"abc", false);
    let (worst, best) = (disk.copy(), disk.copy());
    worst.crash(&mut |_| 0);
    best.crash(&mut |several| several - 1);
    assert_eq!((read(&worst, "/a"), read(&best, "/a")), (None, Some(b"abc".to_vec())));
}

#[test]
fn what_is_in_a_lost_folder_is_lost() {
    let disk = VirtualDisk::new();
    disk.create_folder(Path::new("/in")).unwrap();
    write(&disk, "/in/a", b"abc", true);
    sync(&disk, "/in");
    disk.crash(&mut |_| 0);
    assert_eq!(read(&disk, "/in/a"), None);
}

#[test]
fn who_died_does_nothing_more_until_the_restart() {
    let disk = VirtualDisk::new();
    disk.fail_at(2, Fault::Dies { done: true });
    let mut file = disk.create(Path::new("/a")).unwrap();
    assert!(!disk.has_failed());
    assert!(file.write_all(b"abc").is_err());
    assert!(disk.has_failed());
    assert!(file.sync().is_err() && disk.list(Path::new("/")).is_err());
    assert_eq!(read(&disk, "/a"), Some(b"abc".to_vec()), "the last call had its effect");
    disk.restart();
    assert_eq!(disk.list(Path::new("/")).unwrap().len(), 1);
}

#[test]
fn a_full_disk_takes_half_and_can_still_be_read_and_cleared() {
    let disk = VirtualDisk::new();
    disk.fail_at(2, Fault::Fills);
    let mut file = disk.create(Path::new("/a")).unwrap();
    assert_eq!(file.write_all(b"abcd").unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(read(&disk, "/a"), Some(b"ab".to_vec()));
    assert_eq!(disk.create(Path::new("/b")).unwrap_err().kind(), ErrorKind::StorageFull);
    let mut found = Vec::new();
    disk.open(Path::new("/a")).unwrap().contents.read_to_end(&mut found).unwrap();
    assert_eq!(found, b"ab");
    disk.remove(Path::new("/a")).unwrap();
    disk.restart();
    write(&disk, "/b", b"x", true);
}

#[test]
fn names_are_taken_once_and_errors_are_those_of_a_file_system() {
    let disk = VirtualDisk::new();
    write(&disk, "/a", b"x", true);
    let path = Path::new;
    assert_eq!(disk.create(path("/a")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(disk.create_folder(path("/a")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(disk.create(path("/a/b")).unwrap_err().kind(), ErrorKind::NotADirectory);
    assert_eq!(disk.open(path("/c/d")).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(disk.remove(path("/c")).unwrap_err().kind(), ErrorKind::NotFound);
    disk.create_folder(path("/c")).unwrap();
    assert_eq!(disk.canonicalize(path("c/.././a")).unwrap(), path("/a"));
    assert_eq!(disk.open(path("/c")).unwrap_err().kind(), ErrorKind::IsADirectory);
    disk.link(path("/a"), path("/c/b")).unwrap();
    assert_eq!(disk.link(path("/a"), path("/c")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    let stick = VirtualDisk::without_links();
    write(&stick, "/a", b"x", true);
    assert_eq!(stick.link(path("/a"), path("/b")).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_backup_brings_back_everything_as_it_was() {
    let disk = VirtualDisk::new();
    write(&disk, "/a", b"x", true);
    let backup = disk.snapshot();
    disk.remove(Path::new("/a")).unwrap();
    write(&disk, "/b", b"y", true);
    disk.restore(&backup);
    assert_eq!((read(&disk, "/a"), read(&disk, "/b")), (Some(b"x".to_vec()), None));
}

fn sites() -> Vec<VirtualDisk> {
    let sites: Vec<_> = (0..3).map(|_| VirtualDisk::new()).collect();
    for (site, disk) in sites.iter().enumerate() {
        disk.put(&PathBuf::from(format!("/in/own-{site}/a.seg")), &[site as u8; 9], true);
        disk.put(Path::new("/in/same.json"), b"same", true);
        disk.put(Path::new("/in/differs.bin"), &[10 + site as u8; 9], true);
    }
    sites
}

fn contents(files: &Files) -> BTreeSet<Vec<u8>> {
    files.values().map(|bytes| bytes.to_vec()).collect()
}

#[test]
fn in_the_end_everything_has_arrived_everywhere_and_nothing_else() {
    for seed in 0..100 {
        let (sites, mut dice) = (sites(), dice(seed));
        let whole: BTreeSet<_> =
            sites.iter().flat_map(|disk| contents(&disk.files(Path::new("/in")))).collect();
        let mut carrier = Carrier::new(sites.clone(), "/in");
        for _ in 0..seed {
            let _ = carrier.step(&mut dice);
            for disk in &sites {
                let files = disk.files(Path::new("/"));
                // A beginning, perhaps with nothing but zeros behind it.
                let is_part = |bytes: &Arc<Vec<u8>>| {
                    let end = bytes.iter().rposition(|byte| *byte > 0).map_or(0, |last| last + 1);
                    whole.iter().any(|one| one.starts_with(&bytes[..end]))
                };
                assert!(files.values().all(is_part), "nothing is made up");
            }
        }
        sites[0].take_away(Path::new("/in/same.json"));
        carrier.finish();
        assert_eq!(carrier.step(&mut dice), None, "there is nothing left to do");
        let everywhere = sites.iter().map(|disk| disk.files(Path::new("/in")));
        let everywhere: Vec<Files> = everywhere
            .map(|mut files| {
                files.retain(|path, _| !path.to_string_lossy().contains(".syncthing."));
                files
            })
            .collect();
        assert!(everywhere.iter().all(|files| *files == everywhere[0]), "seed {seed}");
        let mut there = contents(&everywhere[0]);
        let _ = there.insert(b"same".to_vec());
        assert_eq!(there, whole, "seed {seed}");
    }
}

#[test]
fn by_steps_alone_everything_arrives_as_well() {
    let (sites, mut dice) = (sites(), dice(1));
    let mut carrier = Carrier::new(sites, "/in");
    let story: Vec<String> = std::iter::from_fn(|| carrier.step(&mut dice)).take(10_000).collect();
    assert!(story.len() < 10_000, "it comes to an end");
    for told in ["gets a part", "gets a copy", "(conflicted copy", "sync-conflict"] {
        assert!(story.iter().any(|line| line.contains(told)), "{told}: {story:#?}");
    }
}

#[test]
fn the_same_dice_tell_the_same_story() {
    let story = || {
        let (mut carrier, mut dice) = (Carrier::new(sites(), "/in"), dice(3));
        std::iter::from_fn(move || carrier.step(&mut dice)).collect::<Vec<_>>()
    };
    assert_eq!(story(), story());
}
