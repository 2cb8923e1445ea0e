//! Folders that cannot be used: errors tell what to do, and nothing is lost.

mod common;

use std::fs;

use common::{Place, family, sealer};
use syncline_conformance::lanes::{Follower, replica};
use syncline_core::log::{Receipt, VersionVector};
use syncline_core::{Error, ErrorKind, SharedLog};
use syncline_shared_log_fs::FsLog;

#[track_caller]
fn refused(result: Result<impl Sized, Error>, kind: ErrorKind) -> String {
    let error = result.map(drop).expect_err("this is to be refused");
    assert_eq!(error.kind(), kind, "{error}");
    error.to_string()
}

/// Every method refuses with this kind.
#[track_caller]
fn all_refused(log: &FsLog, kind: ErrorKind) {
    let _ = refused(pollster::block_on(log.append(&[sealer(1).notes(["a"])])), kind);
    let _ = refused(pollster::block_on(log.join(replica(5))), kind);
    let known = VersionVector::default();
    let _ = refused(pollster::block_on(log.acknowledge(replica(5), &known)), kind);
}

#[test]
fn another_group_is_denied() {
    let place = Place::with(&[sealer(1).notes(["a"])]);
    let message = refused(FsLog::open(place.path(), "work".parse().unwrap()), ErrorKind::Denied);
    assert!(message.contains("family") && message.contains("work"), "{message}");
    assert_eq!(place.arrived().len(), 1, "and nothing changed");
}

#[test]
fn a_group_whose_marker_came_from_elsewhere_too_goes_on() {
    // Two folders were begun apart, each by a group of its own, and a sync tool made one of them.
    let (place, other) = (Place::with(&[sealer(1).notes(["a"])]), tempfile::tempdir().unwrap());
    let _ = FsLog::open(other.path(), "work \"and\" play".parse().unwrap()).unwrap();
    for entry in fs::read_dir(other.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), place.path().join(entry.file_name())).unwrap();
    }
    assert_eq!(place.arrived().len(), 1);
    let _ = FsLog::open(place.path(), "work \"and\" play".parse().unwrap()).unwrap();
    let _ = refused(FsLog::open(place.path(), "third".parse().unwrap()), ErrorKind::Denied);
}

#[test]
fn a_path_that_is_a_file_is_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"precious").unwrap();
    for path in [file.clone(), file.join("below")] {
        let message = refused(FsLog::open(path, family()), ErrorKind::Invalid);
        assert!(message.contains("file"), "{message}");
    }
    assert_eq!(fs::read(file).unwrap(), b"precious");
}

#[test]
fn an_unmounted_disk_is_no_empty_log() {
    let mut ann = sealer(1);
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    let place = Place::with(std::slice::from_ref(&first));
    let elsewhere = place.path().with_extension("elsewhere");
    for is_empty_folder_left in [false, true] {
        fs::rename(place.path(), &elsewhere).unwrap();
        if is_empty_folder_left {
            fs::create_dir(place.path()).unwrap();
        }
        all_refused(&place.log, ErrorKind::Unavailable);
        let request = Follower::new(replica(9)).request;
        let _ = refused(pollster::block_on(place.log.fetch(&request)), ErrorKind::Unavailable);
        let _ = refused(pollster::block_on(place.log.peers()), ErrorKind::Unavailable);
        if is_empty_folder_left {
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "nothing was written");
            fs::remove_dir(place.path()).unwrap();
        }
        fs::rename(&elsewhere, place.path()).unwrap();
    }
    assert_eq!(place.append(&[first, second]), [Receipt::Known, Receipt::Stored]);
}

#[test]
fn a_folder_has_one_name_however_it_is_reached() {
    let place = Place::new();
    let roundabout = place.path().join("..").join(place.path().file_name().unwrap());
    assert_eq!(FsLog::open(roundabout, family()).unwrap().name(), place.log.name());
}

/// These run parts of themselves as another user, or with file systems of their own. Both are taken away
/// again when the process ends.
#[cfg(test)]
#[cfg(target_os = "linux")]
mod in_a_process_of_its_own {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::*;

    const FOLDER: &str = "SYNCLINE_TEST_FOLDER";

    fn given() -> Option<PathBuf> {
        std::env::var_os(FOLDER).map(PathBuf::from)
    }

    fn is_root() -> bool {
        fs::metadata("/proc/self").unwrap().uid() == 0
    }

    /// Runs one of these tests again behind the words of a command.
    fn again(test: &str, folder: &Path, words: &[&str]) {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(std::env::current_exe().unwrap());
        command.args(["--exact", &format!("in_a_process_of_its_own::{test}")]);
        let output = command.env(FOLDER, folder).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?} failed:\n{told}\n{errors}");
        assert!(told.contains("1 passed"), "{told}");
    }

    /// Runs one of these tests again where `mount` mounts something over the folder `$1`.
    fn mounted(test: &str, folder: &Path, mount: &str) {
        let script = format!("set -e; {mount}; shift; exec \"$@\"");
        let unshare: &[&str] = if is_root() {
            &["unshare", "--mount"]
        } else {
            &["unshare", "--mount", "--map-root-user"]
        };
        let shell = ["sh", "-c", &script, "sh", folder.to_str().unwrap()];
        again(test, folder, &[unshare, &shell[..]].concat());
    }

    #[test]
    fn without_permission_a_folder_is_read_only() {
        if let Some(folder) = given() {
            return check_read_only(&folder);
        }
        let place = Place::with(&[sealer(2).notes(["x"])]);
        let all = [place.path().to_owned(), place.lane(2)];
        let set = |mode: u32| {
            for path in &all {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
        };
        set(0o555);
        // Root may write everywhere.
        let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
        let words: &[&str] = if is_root() { &nobody } else { &["env"] };
        again("without_permission_a_folder_is_read_only", place.path(), words);
        set(0o755);
    }

    #[test]
    fn a_read_only_file_system_is_read_only() {
        if let Some(folder) = given() {
            return check_read_only(&folder);
        }
        let place = Place::with(&[sealer(2).notes(["x"])]);
        let mount = "mount --bind \"$1\" \"$1\"; mount -o remount,ro,bind \"$1\"";
        mounted("a_read_only_file_system_is_read_only", place.path(), mount);
    }

    /// What is there can be read, what is to be written is denied, and the error says where.
    fn check_read_only(folder: &Path) {
        let log = FsLog::open(folder, family()).unwrap();
        let received = pollster::block_on(Follower::new(replica(9)).all(&log)).unwrap();
        assert_eq!(received.len(), 1);
        all_refused(&log, ErrorKind::Denied);
        let message =
            refused(pollster::block_on(log.append(&[sealer(1).notes(["a"])])), ErrorKind::Denied);
        assert!(message.contains(folder.to_str().unwrap()), "{message}");
        let _ = refused(FsLog::open(folder.join("new"), family()), ErrorKind::Denied);
    }

    #[test]
    fn a_lane_that_may_not_be_read_holds_up_no_other() {
        if let Some(folder) = given() {
            let log = FsLog::open(folder, family()).unwrap();
            let mut follower = Follower::new(replica(9));
            let fetched = pollster::block_on(follower.page(&log)).unwrap();
            assert_eq!(fetched.segments, [sealer(3).notes(["z"])]);
            assert_eq!(fetched.damaged.len(), 2, "{:?}", fetched.damaged);
            return;
        }
        let place = Place::with(&[sealer(1).notes(["x"]), sealer(3).notes(["z"])]);
        let closed = sealer(2).notes(["y"]);
        place.append(std::slice::from_ref(&closed));
        let open = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        open(place.path(), 0o755);
        open(&place.lane(1), 0o000);
        open(&place.file(&closed), 0o000);
        let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
        let words: &[&str] = if is_root() { &nobody } else { &["env"] };
        again("a_lane_that_may_not_be_read_holds_up_no_other", place.path(), words);
        open(&place.lane(1), 0o755);
    }

    #[test]
    fn a_full_disk_loses_nothing() {
        if let Some(folder) = given() {
            return fill_up(&folder);
        }
        let folder = tempfile::tempdir().unwrap();
        let mount = "mount -t tmpfs -o size=1m tmpfs \"$1\"";
        mounted("a_full_disk_loses_nothing", folder.path(), mount);
    }

    fn fill_up(folder: &Path) {
        let log = FsLog::open(folder, family()).unwrap();
        let mut ann = sealer(1);
        let long = "long ".repeat(8_000);
        let segments: Vec<_> = (0..40).map(|_| ann.notes([long.as_str()])).collect();
        let append = || pollster::block_on(log.append(&segments));
        let message = refused(append(), ErrorKind::Full);
        assert!(message.contains("make room"), "{message}");

        // What is there is whole and can be read; nothing half-written is left.
        let mut follower = Follower::new(replica(9));
        let before = pollster::block_on(follower.all(&log)).unwrap();
        assert!((1..40).contains(&before.len()), "{} segments", before.len());
        let fetched = pollster::block_on(follower.page(&log)).unwrap();
        assert_eq!((fetched.damaged.len(), fetched.own.len()), (0, 0));
        let lane = folder.join(format!("lane-{}", replica(1)));
        assert_eq!(fs::read_dir(lane).unwrap().count(), before.len(), "no temporary files");
        let _ = refused(append(), ErrorKind::Full);

        let remount = ["-o", "remount,size=8m"];
        assert!(Command::new("mount").args(remount).arg(folder).status().unwrap().success());
        let receipts = append().unwrap();
        let known = receipts.iter().filter(|receipt| **receipt == Receipt::Known).count();
        assert_eq!((known, receipts.len()), (before.len(), 40));
        let _ = pollster::block_on(follower.all(&log)).unwrap();
        assert_eq!(follower.received, segments);
    }
}
