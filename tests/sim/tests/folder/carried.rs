//! Three replicas, each with a copy of the folder of its own, and a carrier between them that takes its time.

use std::collections::BTreeSet;
use std::fmt::Write;

use syncline::{Filter, Object};
use syncline_it::{Replica, law};
use syncline_sim::folder::{Carrier, Choose, Fault, Snapshot, VirtualDisk, dice};

use crate::synced::Peer;

const STORIES: u64 = 60;
const ACTS: usize = 60;

/// Everyone, and what has happened so far.
struct World {
    peers: Vec<Peer>,
    carrier: Carrier,
    backups: Vec<Option<Snapshot>>,
    /// Objects that were created; they are never deleted.
    created: BTreeSet<String>,
    is_restored: bool,
    told: String,
}

impl World {
    async fn new(seed: u64) -> Self {
        let disk = |site: u64| match (seed + site) % 4 {
            0 => VirtualDisk::without_links(),
            _ => VirtualDisk::new(),
        };
        let disks: Vec<VirtualDisk> = (0..3).map(disk).collect();
        let mut peers = Vec::new();
        for (number, disk) in (1..).zip(&disks) {
            peers.push(Peer::new(number, disk).await);
        }
        let carrier = Carrier::new(disks, "/meet");
        let (backups, created) = (vec![None; 3], BTreeSet::new());
        let told = format!("seed {seed}\n");
        Self { peers, carrier, backups, created, is_restored: false, told }
    }

    fn tell(&mut self, what: impl AsRef<str>) {
        writeln!(self.told, "{}", what.as_ref()).expect("a text has room");
    }

    /// One thing that somebody does.
    async fn act(&mut self, choose: Choose<'_>) {
        let who = choose(self.peers.len());
        match choose(20) {
            0..4 => self.write(who, choose).await,
            4..8 => self.sync(who).await,
            8 => self.sync_and_die(who, choose).await,
            9 => {
                self.tell(format!("{who}: starts again"));
                self.peers[who].start().await;
            }
            10 => match (self.backups[who].take(), choose(2)) {
                (Some(backup), 0) => {
                    self.tell(format!("{who}: the folder is restored"));
                    self.is_restored = true;
                    self.peers[who].disk.restore(&backup);
                    // Who has the log open finds that the folder is no longer what it was.
                    if choose(2) == 0 {
                        self.peers[who].start().await;
                    }
                }
                _ => {
                    self.tell(format!("{who}: the folder is backed up"));
                    self.backups[who] = Some(self.peers[who].disk.snapshot());
                }
            },
            _ => {
                for _ in 0..choose(12) {
                    let Some(told) = self.carrier.step(choose) else { break };
                    self.tell(told);
                }
            }
        }
    }

    async fn write(&mut self, who: usize, choose: Choose<'_>) {
        let count = self.created.len();
        let replica = &self.peers[who].replica;
        let told = match choose(4) {
            0 if count > 0 => {
                let at = choose(count);
                let id = self.created.iter().nth(at).cloned().unwrap_or_default();
                let changes = Object::new().with("text", format!("by {who}"));
                let found = replica.update("note", Filter::key(id.as_str()), changes).await;
                format!("{who}: edits {id}: {found}")
            }
            1 => {
                // The same few objects, by everyone.
                let (id, name) = (format!("shared-{}", choose(3)), format!("name-{who}"));
                let there = replica.update("user", Filter::key(id.as_str()), named(&name)).await;
                match choose(3) {
                    0 => drop(replica.delete("user", Filter::key(id.as_str())).await),
                    _ if there == 0 => {
                        drop(replica.create("user", named(&name).with("id", id.as_str())).await);
                    }
                    _ => {}
                }
                format!("{who}: writes {id}")
            }
            _ => {
                let id = format!("note-{count:03}");
                self.peers[who].note(&id, "new").await;
                let _ = self.created.insert(id.clone());
                format!("{who}: creates {id}")
            }
        };
        self.tell(told);
    }

    async fn sync(&mut self, who: usize) {
        let answer = self.peers[who].sync().await;
        self.tell(format!("{who}: syncs: {answer:?}"));
        answer.unwrap_or_else(|error| panic!("{error}\n{}", self.told));
        law::check(&self.peers[who].replica).await;
    }

    /// The power is cut in the midst of a sync, or only the process dies.
    async fn sync_and_die(&mut self, who: usize, choose: Choose<'_>) {
        let (call, done, is_cut) = (1 + choose(60), choose(2) == 0, choose(2) == 0);
        let peer = &mut self.peers[who];
        peer.disk.fail_at(call as u64, Fault::Dies { done });
        let answer = peer.sync().await;
        if is_cut {
            peer.disk.crash(choose);
        } else {
            peer.disk.restart();
        }
        peer.start().await;
        self.tell(format!("{who}: dies, done: {done}, cut: {is_cut}: {answer:?}"));
        law::check(&self.peers[who].replica).await;
    }

    /// Everything is carried, everyone syncs, until nothing moves any more.
    async fn end(&mut self) {
        self.carrier.finish();
        if self.is_restored {
            // A backup may hold the beginning of a file, and the carrier took that for the newest of it. Owners
            // tell their own files by the names, until they are asked to read them.
            for peer in &self.peers {
                let _ = peer.log.verify().expect("it can be read");
            }
        }
        for _ in 0..6 {
            self.carrier.finish();
            for who in 0..self.peers.len() {
                self.sync(who).await;
            }
        }
        self.tell("the end");
        let replicas: Vec<Replica> = self.peers.iter().map(|peer| peer.replica.clone()).collect();
        let rows = law::seen(&replicas[0]).await;
        for replica in &replicas[1..] {
            assert_eq!(law::seen(replica).await, rows, "{}", self.told);
        }
        law::check_equal(&replicas).await;
        for (site, peer) in self.peers.iter().enumerate() {
            let there = peer.replica.all("note").await;
            let there = there.iter().filter_map(|note| note.value("id").as_text());
            let lost: Vec<_> = self.created.iter().map(String::as_str).collect();
            assert!(there.eq(lost), "site {site} lost something:\n{}", self.told);
            // Whoever comes late finds everything in any copy of the folder.
            let late = Peer::new(10 + site as u64, &peer.disk).await;
            late.sync().await.expect("it syncs");
            assert_eq!(law::seen(&late.replica).await, rows, "site {site}:\n{}", self.told);
        }
    }
}

fn named(name: &str) -> Object {
    Object::new().with("name", name)
}

async fn story(seed: u64) -> String {
    let (mut world, mut dice) = (World::new(seed).await, dice(seed));
    for _ in 0..ACTS {
        world.act(&mut dice).await;
    }
    world.end().await;
    world.told
}

#[test]
fn all_agree_once_everything_was_carried() {
    for seed in 0..STORIES {
        let _ = pollster::block_on(story(seed));
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 1000..1003 {
        assert_eq!(pollster::block_on(story(seed)), pollster::block_on(story(seed)));
    }
}
