//! Folders with anything in them: nothing panics, and a lane that is whole is delivered whole.

use std::cell::{Cell, OnceCell};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use arbitrary::{Result, Unstructured};
use syncline_conformance::lanes::{Follower, Sealer, replica};
use syncline_core::log::{After, Cursor, LaneHash, Segment, Span};
use syncline_core::{ErrorKind, SharedLog};
use syncline_shared_log_fs::FsLog;
use tempfile::TempDir;

use crate::family;
use crate::segment::seal;

/// The lane that must arrive, whatever lies beside it.
const VALID: u8 = 9;

/// The lanes that are made use of, and changed.
const OTHERS: u8 = 3;

/// At most so many files.
const FILES: usize = 16;

struct World {
    folder: TempDir,
    valid: Vec<Segment>,
    /// What is appended at the end.
    next: Segment,
    others: Vec<Segment>,
}

thread_local! {
    static WORLD: OnceCell<World> = const { OnceCell::new() };
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

/// Fills a folder as the bytes say, and uses it.
pub fn check(data: &[u8]) {
    WORLD.with(|world| {
        let world = world.get_or_init(World::new);
        NUMBER.set(NUMBER.get() + 1);
        let root = world.folder.path().join(NUMBER.get().to_string());
        let _ = world.fill_and_use(&root, &mut Unstructured::new(data));
        fs::remove_dir_all(&root).expect("it was made here");
    });
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir_in(crate::fast_folder()).expect("a temporary folder");
        let mut sealer = Sealer::new(&family(), replica(VALID));
        let valid = vec![sealer.notes(["a", "b"]), sealer.notes(["c"]), sealer.notes(["d", "e"])];
        let next = sealer.notes(["f"]);
        let mut others = Vec::new();
        for number in 1..=OTHERS {
            let mut sealer = Sealer::new(&family(), replica(number));
            others.extend([sealer.notes(["a"]), sealer.notes(["b", "c"])]);
            // The same places with something else in them.
            let mut branch = sealer.clone();
            others.extend([sealer.notes(["d"]), branch.notes(["another"])]);
        }
        Self { folder, valid, next, others }
    }

    fn fill_and_use(&self, root: &Path, data: &mut Unstructured<'_>) -> Result<()> {
        let log = FsLog::open(root, family()).expect("a new folder");
        let how: u8 = data.arbitrary()?;
        let page = self.follower(how);
        if how & 1 == 0 {
            self.put_valid(root);
        }
        let cursor = bytes(data)?.to_vec();
        let mut follower = page.clone();
        for _ in 0..FILES {
            if data.is_empty() {
                break;
            }
            self.put(root, data)?;
            if how & 2 != 0 {
                // Some of it is met before the rest is there.
                follow(&mut follower, &log);
            }
        }
        self.put_valid(root);
        self.use_all(root, &log, follower, page);
        stray_cursor(&log, cursor);
        Ok(())
    }

    /// A follower with pages as small as the first byte says.
    fn follower(&self, how: u8) -> Follower {
        let mut follower = Follower::new(replica(99));
        if how & 4 != 0 {
            follower.request.limit_bytes = 1;
        }
        if how & 8 != 0 {
            follower.request.limit_entries = 2;
        }
        follower
    }

    /// Whoever has looked before and whoever comes new get the whole lane.
    fn use_all(&self, root: &Path, log: &FsLog, mut seen: Follower, mut new: Follower) {
        let again = FsLog::open(root, family()).expect("it is there already");
        follow(&mut seen, log);
        self.has_all(&seen, &self.valid);
        follow(&mut new, &again);
        self.has_all(&new, &self.valid);
        let _ = log.verify().expect("all of it can be read");
        let _ = pollster::block_on(log.append(&self.others[..3]));
        let ours = pollster::block_on(again.append(std::slice::from_ref(&self.next)));
        let _ = ours.expect("it continues a lane that is here");
        let _ = pollster::block_on(log.join(replica(OTHERS)));
        let _ = pollster::block_on(log.acknowledge(replica(OTHERS), &new.known()));
        pollster::block_on(log.acknowledge(replica(VALID), &new.known())).expect("there is room");
        let peers = pollster::block_on(log.peers()).expect("the folder is there");
        let own = peers.iter().find(|peer| peer.replica == replica(VALID)).expect("it has a lane");
        assert!(own.heads.contains(&self.next.span().tip()), "its lane is whole: {own:?}");
        follow(&mut seen, log);
        self.has_all(&seen, std::slice::from_ref(&self.next));
        let mut last = Follower::new(replica(VALID));
        follow(&mut last, &FsLog::open(root, family()).expect("it is there already"));
        self.has_all(&last, &self.valid);
    }

    fn has_all(&self, follower: &Follower, wanted: &[Segment]) {
        for segment in wanted {
            let came = follower.received.contains(segment);
            assert!(came, "{:?} did not arrive", segment.span());
        }
    }

    fn put_valid(&self, root: &Path) {
        let lane = root.join(format!("lane-{}", replica(VALID)));
        if !lane.is_dir() {
            let _ = fs::remove_file(&lane);
            fs::create_dir_all(&lane).expect("nothing is in the way");
        }
        for segment in &self.valid {
            let path = lane.join(name_of(segment.span()));
            if path.is_dir() {
                fs::remove_dir_all(&path).expect("it can be removed");
            }
            fs::write(path, segment.bytes()).expect("it can be written");
        }
    }

    /// Puts one thing into the folder.
    fn put(&self, root: &Path, data: &mut Unstructured<'_>) -> Result<()> {
        let folder = match data.arbitrary::<u8>()? % 8 {
            0 | 1 => root.to_owned(),
            2 => root.join(format!("lane-{}", replica(VALID))),
            3 => match name(bytes(data)?) {
                Some(name) => root.join(name),
                None => root.to_owned(),
            },
            4 => {
                let end = String::from_utf8_lossy(bytes(data)?).replace(['/', '\0'], "_");
                root.join(format!("lane-{}{end}", replica(VALID)))
            }
            other => root.join(format!("lane-{}", replica(other - 4))),
        };
        let Some(path) = self.path(folder, data)? else { return Ok(()) };
        let contents = self.contents(data)?;
        // Something else may be in the way, and names may be too long: then it cannot be there.
        if let Some(folder) = path.parent() {
            let _ = fs::create_dir_all(folder);
        }
        match contents {
            Some(contents) => drop(fs::write(path, contents)),
            None => drop(fs::create_dir(path)),
        }
        Ok(())
    }

    fn path(&self, folder: PathBuf, data: &mut Unstructured<'_>) -> Result<Option<PathBuf>> {
        let kind: u8 = data.arbitrary()?;
        let text = bytes(data)?;
        let number = text.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let end = String::from_utf8_lossy(text).replace(['/', '\0'], "_");
        let name = match kind % 8 {
            0 => return Ok(name(text).map(|name| folder.join(name))),
            1 => name_of(self.any(text).span()),
            2 => name_of(self.any(text).span()).replace(".seg", &format!("{end}.seg")),
            3 => format!("{}{end}", name_of(self.any(text).span())),
            4 => format!("join-{}.json", replica(text.first().copied().unwrap_or(0))),
            5 => format!("ack-{number:012}-{:016x}.ack", number ^ 0x55),
            6 => format!(
                "{:012}-{number:012}-{}-{}.seg",
                number / 2,
                "00".repeat(16),
                "0a".repeat(16)
            ),
            _ => format!(".tmp-{end}"),
        };
        Ok(Some(folder.join(name)))
    }

    /// What is in a file; nothing means a folder.
    fn contents(&self, data: &mut Unstructured<'_>) -> Result<Option<Vec<u8>>> {
        let kind: u8 = data.arbitrary()?;
        let text = bytes(data)?;
        Ok(Some(match kind % 8 {
            0 => text.to_vec(),
            1 => self.any(text).bytes().to_vec(),
            2 => changed(self.any(text).bytes(), text),
            3 => {
                let bytes = self.any(text).bytes();
                let length = text.iter().map(|byte| usize::from(*byte)).sum::<usize>();
                bytes[..length.min(bytes.len())].to_vec()
            }
            4 => seal(&Segment::MAGIC, text),
            // Never of the lane that must arrive: a lie about it with a checksum that holds is a fork.
            5 => {
                let bytes = self.other(text).bytes();
                let contents = changed(&bytes[4..bytes.len() - 16], text);
                seal(&Segment::MAGIC, &contents)
            }
            6 => {
                let mut bytes = [&b"SYNA"[..], text].concat();
                let checksum = LaneHash::default().then(&bytes);
                bytes.extend_from_slice(&checksum.0);
                bytes
            }
            _ => return Ok(None),
        }))
    }

    /// A segment of any lane.
    fn any(&self, text: &[u8]) -> &Segment {
        let first = usize::from(text.first().copied().unwrap_or(0));
        let at = first % (self.valid.len() + self.others.len());
        self.valid.get(at).unwrap_or_else(|| self.other(text))
    }

    /// A segment of a lane that need not arrive.
    fn other(&self, text: &[u8]) -> &Segment {
        let first = usize::from(text.first().copied().unwrap_or(0));
        &self.others[first % self.others.len()]
    }
}

/// Bytes with some of them changed: pairs of a place and what is there instead.
fn changed(bytes: &[u8], text: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for pair in text.get(1..).unwrap_or_default().chunks_exact(2) {
        let at = usize::from(pair[0]) * bytes.len() / 256;
        if let Some(byte) = bytes.get_mut(at) {
            *byte = pair[1];
        }
    }
    bytes
}

/// A cursor that no log issued is refused or answered.
fn stray_cursor(log: &FsLog, cursor: Vec<u8>) {
    let mut follower = Follower::new(replica(98));
    follower.request.after = After::Cursor(Cursor(cursor));
    match pollster::block_on(log.fetch(&follower.request)) {
        Ok(page) => assert!(!page.more || !page.segments.is_empty()),
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Rejoin), "{error}");
        }
    }
}

/// Follows all lanes; each answer keeps the contract, and they come to an end. A file that was taken for what its
/// name says may turn out to hold something else: then a place that seemed to be here is not, and the reader is
/// told to go on from what it knows.
fn follow(follower: &mut Follower, log: &FsLog) {
    for _ in 0..10_000 {
        match pollster::block_on(follower.page(log)) {
            Ok(page) if page.more => {}
            Ok(_) => return,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Rejoin, "{error}");
                follower.request.after = After::Known(follower.known());
            }
        }
    }
    panic!("there is always more");
}

fn name_of(span: &Span) -> String {
    let Span { first, last, before, after, .. } = span;
    format!("{first:012}-{last:012}-{before}-{after}.seg")
}

/// A name that a file can have; nothing if it can't.
fn name(text: &[u8]) -> Option<PathBuf> {
    let name: Vec<u8> =
        text.iter().map(|byte| if matches!(byte, b'/' | 0) { b'_' } else { *byte }).collect();
    let is_name = !name.is_empty() && name != b"." && name != b"..";
    is_name.then(|| PathBuf::from(OsStr::from_bytes(&name)))
}

/// Bytes behind their length.
fn bytes<'a>(data: &mut Unstructured<'a>) -> Result<&'a [u8]> {
    let length = usize::from(data.arbitrary::<u8>()?);
    let length = length.min(data.len());
    data.bytes(length)
}
