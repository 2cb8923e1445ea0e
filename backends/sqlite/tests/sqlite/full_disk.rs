//! A full disk costs the write that met it, and nothing else.
//!
//! Needs the right to mount a file system of a few megabytes; without it these tests fail, because a
//! promise that is not checked is none.

use std::path::{Path, PathBuf};
use std::process::Command;

use syncline_backend_sqlite::{Durability, SqliteBackend, SqliteConfig};
use syncline_core::{Batch, ErrorKind, Filter, Object};

use super::support::*;

/// A small disk, gone when this ends.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    fn new(size: &str) -> Self {
        let disk = Self { folder: tempfile::tempdir().expect("a folder") };
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(disk.folder.path()));
        disk
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data.db")
    }

    /// Leaves no room at all.
    fn fill(&self) {
        let filler = std::fs::File::create(self.filler()).expect("creates");
        let mut filler = std::io::BufWriter::new(filler);
        while std::io::Write::write_all(&mut filler, &[0; 512]).is_ok() {}
        // What is still in its buffer has no room either.
        let (_, _) = filler.into_parts();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("removes");
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join("filler")
    }

    fn read_only(&self) {
        run(Command::new("mount").args(["-o", "remount,ro"]).arg(self.folder.path()));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("mount is there");
    assert!(output.status.success(), "these tests need the right to mount: {output:?}");
}

fn open_on(path: &Path, durability: Durability) -> SqliteBackend {
    let config = SqliteConfig { durability, ..SqliteConfig::default() };
    let backend = SqliteBackend::open(path, config).expect("opens");
    prepare(&backend, &notes()).expect("prepares");
    backend
}

fn big(id: &str) -> Object {
    a_note(id, &"x".repeat(20_000), 1)
}

#[test]
fn a_write_that_finds_no_room_is_full_and_the_database_stays_usable() {
    for durability in [Durability::Full, Durability::Normal] {
        let disk = SmallDisk::new("2m");
        let backend = open_on(&disk.path(), durability);
        let mut stored = 0;
        let error = loop {
            match write(&backend, Batch::new().create("note", big(&format!("{stored:04}")))) {
                Ok(_) => stored += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Full, "{error}");
        assert!(error.to_string().contains("make room"), "{error}");
        assert!(stored > 5, "there was room at first");
        assert_eq!(all(&backend, "note").len(), stored, "all that was answered for, and no more");

        let several = Batch::new().create("note", big("a")).create("note", big("b"));
        refused(write(&backend, several.clone()), ErrorKind::Full, &["make room"]);
        assert_eq!(all(&backend, "note").len(), stored);

        drop(backend);
        let backend = open_on(&disk.path(), durability);
        assert_eq!(all(&backend, "note").len(), stored, "after opening again as well");
    }
}

#[test]
fn the_same_write_succeeds_once_there_is_room() {
    let disk = SmallDisk::new("4m");
    let backend = open_on(&disk.path(), Durability::Full);
    let _ = write(&backend, many_notes(10)).expect("there is room");
    disk.fill();
    let large =
        || (0..20).fold(Batch::new(), |batch, at| batch.create("note", big(&format!("b{at}"))));
    for _ in 0..3 {
        refused(write(&backend, large()), ErrorKind::Full, &["nothing was written"]);
        assert_eq!(all(&backend, "note").len(), 10);
        assert_eq!(find(&backend, "note", Filter::prefix("id", "b")).expect("finds"), []);
    }

    disk.make_room();

    let _ = write(&backend, large()).expect("there is room");
    assert_eq!(all(&backend, "note").len(), 30);
    let connection = rusqlite::Connection::open(disk.path()).expect("opens");
    let check: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checks");
    assert_eq!(check, "ok");
}

#[test]
fn a_disk_without_room_for_a_database_is_full_or_cannot_open() {
    let disk = SmallDisk::new("64k");
    disk.fill();
    let opened = SqliteBackend::open(disk.path(), SqliteConfig::default());
    let answer = opened.and_then(|backend| prepare(&backend, &notes()));
    refused(answer, ErrorKind::Full, &["make room"]);
}

#[test]
fn a_migration_that_finds_no_room_changes_nothing() {
    let disk = SmallDisk::new("4m");
    let backend = open_on(&disk.path(), Durability::Full);
    let fill = (0..40).fold(Batch::new(), |batch, at| batch.create("note", big(&format!("{at}"))));
    let _ = write(&backend, fill).expect("there is room");
    backend.checkpoint().expect("moves");
    disk.fill();
    let more = schema(2, [note().index(["title"])]);
    refused(prepare(&backend, &more), ErrorKind::Full, &["make room"]);
    assert_eq!(all(&backend, "note").len(), 40);

    disk.make_room();
    prepare(&backend, &more).expect("there is room");
}

#[test]
fn a_disk_that_may_only_be_read_is_denied_to_writers() {
    let disk = SmallDisk::new("2m");
    let backend = open_on(&disk.path(), Durability::Full);
    let _ = write(&backend, many_notes(3)).expect("writes");
    drop(backend);
    disk.read_only();
    let opened = SqliteBackend::open(disk.path(), SqliteConfig::default());
    let answer = opened.and_then(|backend| {
        prepare(&backend, &notes())?;
        write(&backend, many_notes(1))
    });
    refused(answer, ErrorKind::Denied, &["check"]);
}
