//! Hubs whose disk is full. Needs root, to mount a small disk.

use std::path::{Path, PathBuf};
use std::process::Command;

use syncline::log::Segment;
use syncline::{ErrorKind, SharedLog};
use syncline_conformance::lanes::{Follower, Sealer, replica};
use syncline_hub::{HubProcess, client};

use crate::HUB;

struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path, options: &str, what: &[&str]) {
        let mut command = Command::new("mount");
        let status = command.args(["-o", options]).args(what).arg(path).status();
        assert!(status.is_ok_and(|status| status.success()), "this test mounts a disk, as root");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_without_room_says_so_answers_readers_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    Disk::mount(folder.path(), "size=2m", &["-t", "tmpfs", "tmpfs"]);
    let disk = Disk(folder.path().to_owned());
    let hub = HubProcess::start(HUB, &disk.0.join("hub.db"));
    let log = client(&hub.url());
    let mut sealer = Sealer::new(log.group(), replica(1));
    let text = "many words ".repeat(500);
    let mut stored: Vec<Segment> = Vec::new();
    let refused = loop {
        let segment = sealer.notes([text.as_str()]);
        match log.append(std::slice::from_ref(&segment)).await {
            Ok(_) => stored.push(segment),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Full, "{error}");
                break segment;
            }
        }
        assert!(stored.len() < 2_000, "the disk is small");
    };
    let held = Follower::new(replica(9)).all(&log).await.expect("readers are answered");
    assert_eq!(held, stored, "all that was acknowledged, and nothing else");
    Disk::mount(&disk.0, "remount,size=64m", &[]);
    let _ = log.append(std::slice::from_ref(&refused)).await.expect("there is room");
    stored.push(refused);
    assert_eq!(Follower::new(replica(8)).all(&log).await.expect("it answers"), stored);
    drop(hub);
}
