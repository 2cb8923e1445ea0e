//! The virtual disk.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use syncline::shared_log::fs::{FileKind, FileSystem, Listed, Metadata, NewFile, Opened};

use super::Choose;
use super::fault::{Fate, Fault, Faults};
use super::tree::{Id, Node, Tree, plain};

/// So many changes of a disk bear the same time: what looks the same need not be the same.
const CHANGES_IN_A_TICK: u64 = 64;

/// A disk in memory, and the one machine that uses it; clones are the same disk.
///
/// It forgets in a power cut what was not synced, fails when it is told to, and is the same in every run.
///
/// # Example
///
/// ```
/// use syncline::SharedLog;
/// use syncline::shared_log::fs::FsLog;
/// use syncline_sim::folder::{Fault, VirtualDisk, dice};
/// use std::sync::Arc;
///
/// let disk = VirtualDisk::new();
/// let log = FsLog::open_on(Arc::new(disk.clone()), "/meet", "family".parse()?)?;
/// disk.fail_at(3, Fault::Dies { done: true });
/// assert!(pollster::block_on(log.join(syncline::ReplicaId([1; 16]))).is_err());
/// disk.crash(&mut dice(7));
/// assert!(pollster::block_on(log.join(syncline::ReplicaId([1; 16]))).is_ok());
/// # Ok::<(), syncline::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct VirtualDisk {
    state: Arc<Mutex<State>>,
    meanwhile: Arc<Mutex<Option<(u64, Meanwhile)>>>,
}

/// What somebody else does between two calls.
type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) tree: Tree,
    faults: Faults,
    lacks_links: bool,
    temporaries: u64,
}

/// All that was on a disk at some time.
#[derive(Clone, Debug)]
pub struct Snapshot(Tree);

impl VirtualDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty disk that knows no links, like a USB stick.
    pub fn without_links() -> Self {
        let disk = Self::new();
        disk.state().lacks_links = true;
        disk
    }

    /// Another disk, in the same state to the last bit, with faults still to come and all.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.state().clone())), meanwhile: Arc::default() }
    }

    /// A backup.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.state().tree.clone())
    }

    /// Puts a backup in the place of all that is on the disk.
    pub fn restore(&self, backup: &Snapshot) {
        self.state().tree = backup.0.clone();
    }

    /// How many calls the disk has answered, well or badly.
    pub fn calls(&self) -> u64 {
        self.state().faults.calls
    }

    /// Lets something happen at a call, counted from 1, the next one.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        let mut state = self.state();
        state.faults.next = Some((state.faults.calls + call, fault));
        state.faults.happened = false;
    }

    /// Lets somebody else do something right before a call, counted from 1, the next one: another process, or
    /// whoever carries the files.
    pub fn meanwhile(&self, call: u64, act: impl FnOnce() + Send + 'static) {
        let at = self.calls() + call;
        *lock(&self.meanwhile) = Some((at, Box::new(act)));
    }

    /// Whether what was to happen has happened.
    pub fn has_failed(&self) -> bool {
        self.state().faults.happened
    }

    /// Nothing fails any more: whoever died starts again, and there is room. What was written is still there.
    pub fn restart(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.temporaries = 0;
    }

    /// Cuts the power and starts again. What was not synced may be lost, cut, zeroed or kept: the choice is the
    /// caller's, who names one of so many possibilities each time; the first is the worst, the last the best.
    pub fn crash(&self, choose: Choose<'_>) {
        self.state().tree.lose(choose);
        self.restart();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Whoever is to act right before this call does.
    fn let_others_act(&self) {
        let next = self.calls() + 1;
        let act = lock(&self.meanwhile).take_if(|(at, _)| *at == next);
        if let Some((_, act)) = act {
            act();
        }
    }

    fn call<T>(&self, room: bool, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        self.let_others_act();
        let mut state = self.state();
        match state.faults.meet(room) {
            Fate::Goes => act(&mut state),
            Fate::FailsBefore(error) => Err(error),
            Fate::FailsAfter(error) => act(&mut state).and(Err(error)),
        }
    }
}

impl fmt::Debug for VirtualDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("VirtualDisk").field("faults", &state.faults).finish_non_exhaustive()
    }
}

impl FileSystem for VirtualDisk {
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.call(false, |state| state.tree.find(path).and_then(|_| plain(path)))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>> {
        self.call(false, |state| {
            let names = state.tree.names(state.tree.find(folder)?)?.into_iter();
            let listed = |(name, id): (&str, Id)| {
                let kind = kind(state.tree.node(id));
                Listed { name: name.into(), kind }
            };
            Ok(names.map(listed).collect())
        })
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.call(false, |state| {
            let node = state.tree.node(state.tree.find(path)?);
            let (length, changed) = match node {
                Node::File(file) => (file.bytes.len() as u64, file.changed),
                Node::Folder(_) => (0, 0),
            };
            let modified = SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_secs(changed / CHANGES_IN_A_TICK));
            Ok(Metadata { kind: kind(node), length, modified })
        })
    }

    fn open(&self, path: &Path) -> io::Result<Opened> {
        self.call(false, |state| {
            let bytes = state.tree.file(state.tree.find(path)?)?.bytes.clone();
            let length = bytes.len() as u64;
            Ok(Opened { length, contents: Box::new(Reading { disk: self.clone(), bytes, at: 0 }) })
        })
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn NewFile>> {
        self.call(true, |state| {
            let id = state.tree.add_file(path)?;
            Ok(Box::new(Writing { disk: self.clone(), id }) as Box<dyn NewFile>)
        })
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.call(true, |state| state.tree.add_folder(path))
    }

    fn link(&self, file: &Path, name: &Path) -> io::Result<()> {
        self.call(true, |state| {
            if state.lacks_links {
                return Err(ErrorKind::Unsupported.into());
            }
            let id = state.tree.find(file)?;
            state.tree.name(name, id)
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(false, |state| state.tree.remove(path))
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.call(false, |state| {
            let id = state.tree.find(path)?;
            state.tree.sync(id);
            Ok(())
        })
    }

    fn unique(&self) -> String {
        let mut state = self.state();
        state.temporaries += 1;
        // Every process has the same number, and counts from the beginning: names may be taken.
        format!("1-{}", state.temporaries)
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn kind(node: &Node) -> FileKind {
    match node {
        Node::File(_) => FileKind::File,
        Node::Folder(_) => FileKind::Folder,
    }
}

/// A file that is read, as it was when it was opened.
struct Reading {
    disk: VirtualDisk,
    bytes: Arc<Vec<u8>>,
    at: usize,
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut left = &self.bytes[self.at..];
        if left.is_empty() || into.is_empty() {
            return Ok(0);
        }
        let read = self.disk.call(false, |_| left.read(into))?;
        self.at += read;
        Ok(read)
    }
}

/// A file that is written.
#[derive(Debug)]
struct Writing {
    disk: VirtualDisk,
    id: Id,
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.disk.call(true, |state| {
            state.tree.append(self.id, bytes);
            Ok(bytes.len())
        });
        written.inspect_err(|error| {
            if error.kind() == ErrorKind::StorageFull {
                self.disk.state().tree.append(self.id, &bytes[..bytes.len() / 2]);
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl NewFile for Writing {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.call(false, |state| {
            state.tree.sync(self.id);
            Ok(())
        })
    }
}
