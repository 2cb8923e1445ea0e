//! Disks that are full or may not be written. Needs root, to mount small disks.

use std::process::Command;

use crate::harness::Place;

/// A disk in memory, in a folder of the place.
struct Disk(std::path::PathBuf);

impl Disk {
    fn new(place: &Place, name: &str, size: &str) -> Self {
        let path = place.path(name);
        std::fs::create_dir(&path).expect("the folder can be made");
        let disk = Self(path);
        disk.mount(&format!("size={size}"), &["-t", "tmpfs", "tmpfs"]);
        disk
    }

    fn change(&self, options: &str) {
        self.mount(&format!("remount,{options}"), &[]);
    }

    #[track_caller]
    fn mount(&self, options: &str, what: &[&str]) {
        let status = Command::new("mount").args(["-o", options]).args(what).arg(&self.0).status();
        assert!(status.is_ok_and(|status| status.success()), "these tests mount disks, as root");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn an_import_into_a_full_disk_goes_on_when_there_is_room() {
    let place = Place::new();
    let all = place.cities("cities.jsonl", 4);
    let disk = Disk::new(&place, "disk", "4m");
    place.ok("init disk/a.db --schema schema.json");
    let error = place.fails("import disk/a.db city cities.jsonl");
    assert_eq!(error["kind"], "Full", "{error}");
    let stopped = place.count("disk/a.db", "city");
    assert_eq!(error["context"]["imported"], stopped.to_string(), "it says what it did");
    assert!(stopped < all);
    assert_eq!(place.fails("import disk/a.db city cities.jsonl")["kind"], "Full");
    disk.change("size=64m");
    let report = place.json("import disk/a.db city cities.jsonl");
    assert_eq!(report["imported"], all - report["before"].as_u64().expect("a count"));
    assert_eq!(place.count("disk/a.db", "city"), all);
    assert_eq!(place.json("status disk/a.db")["written"], all);
    assert_eq!(place.json("doctor disk/a.db")["healthy"], true);
}

#[test]
fn a_sync_into_a_full_disk_goes_on_when_there_is_room() {
    let place = Place::with_database();
    let all = place.cities("cities.jsonl", 4);
    place.ok("import a.db city cities.jsonl");
    let folder = Disk::new(&place, "folder", "64k");
    let error = place.fails("sync a.db --log folder:folder/meet");
    assert_eq!(error["kind"], "Full", "{error}");
    assert_eq!(place.json("status a.db")["pending"], all);
    folder.change("size=64m");
    assert_eq!(place.json("sync a.db --log folder:folder/meet")["finished"], true);

    let disk = Disk::new(&place, "disk", "2m");
    place.ok("init disk/b.db --schema schema.json");
    let error = place.fails("sync disk/b.db --log folder:folder/meet");
    assert_eq!(error["kind"], "Full", "{error}");
    disk.change("size=64m");
    place.ok("sync disk/b.db --log folder:folder/meet");
    assert_eq!(place.fingerprint("disk/b.db"), place.fingerprint("a.db"));
    assert_eq!(place.json("doctor disk/b.db")["healthy"], true);
    assert_eq!(place.count("disk/b.db", "city"), all);
}

#[test]
fn what_may_not_be_written_is_left_alone() {
    let place = Place::with_database();
    place.ok("create a.db user '{\"name\": \"Ann\"}'");
    let disk = Disk::new(&place, "disk", "8m");
    place.ok("init disk/b.db --schema schema.json");
    place.ok("create disk/b.db user '{\"name\": \"Bob\"}'");
    let before = place.sqlite("disk/b.db", "SELECT * FROM user");
    disk.change("ro");
    for line in [
        "init disk/new.db --schema schema.json",
        "create disk/b.db user '{\"name\": \"Cid\"}'",
        "update disk/b.db user {} '{\"age\": 1}'",
        "export a.db user disk/out.csv",
        "sync a.db --log folder:disk/meet",
        "sync disk/b.db --log folder:meet",
    ] {
        let error = place.fails(line);
        assert_eq!(error["kind"], "Denied", "{line}: {error}");
    }
    disk.change("rw");
    assert_eq!(place.sqlite("disk/b.db", "SELECT * FROM user"), before);
    assert_eq!(place.ok("export disk/b.db user").lines().count(), 1);
    place.ok("sync disk/b.db --log folder:meet");
}
