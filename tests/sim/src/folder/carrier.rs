//! The carrier: what Syncthing, Dropbox or a person with a USB stick do, at their slowest and clumsiest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::outside::Files;
use super::{Choose, VirtualDisk};

/// What a file holds; nothing if it was deleted.
type Bytes = Option<Arc<Vec<u8>>>;

/// Keeps the copies of a folder on several disks the same, one file after the other, in its own time.
///
/// It carries what it finds: files and deletions, in any order. On the way a beginning of a file may lie
/// there first, under its name or another, a file may come twice or under one more name, and a deleted file may
/// come back. It never makes up contents, and in the end everything has arrived everywhere.
#[derive(Clone, Debug)]
pub struct Carrier {
    sites: Vec<VirtualDisk>,
    folder: PathBuf,
    /// The newest that it knows of each file.
    newest: BTreeMap<PathBuf, Version>,
    /// What it last found, or left, at each site.
    left: Vec<BTreeMap<PathBuf, Left>>,
    copies: u64,
}

#[derive(Clone, Debug, Default)]
struct Version {
    number: u64,
    bytes: Bytes,
}

/// What lies at a site, and which version it is or was made from. A beginning of a file is no version: it
/// counts as whichever was there before.
#[derive(Clone, Debug, Default)]
struct Left {
    number: u64,
    bytes: Bytes,
    is_part: bool,
}

/// One thing that can be done next.
#[derive(Clone, Debug)]
enum Job {
    /// Look at a file that changed at a site.
    Look { site: usize, path: PathBuf, found: Bytes },
    /// Bring a file to a site that has an older one or none.
    Bring { site: usize, path: PathBuf },
}

impl Carrier {
    /// Carries a folder between these disks, where it has the same path everywhere.
    pub fn new(sites: impl IntoIterator<Item = VirtualDisk>, folder: impl Into<PathBuf>) -> Self {
        let sites: Vec<_> = sites.into_iter().collect();
        let left = vec![BTreeMap::new(); sites.len()];
        Self { sites, folder: folder.into(), newest: BTreeMap::new(), left, copies: 0 }
    }

    /// Does one thing, and says what; nothing if everything has arrived everywhere.
    pub fn step(&mut self, choose: Choose<'_>) -> Option<String> {
        let mut jobs = self.jobs();
        if jobs.is_empty() {
            return None;
        }
        Some(match jobs.swap_remove(choose(jobs.len())) {
            Job::Look { site, path, found: None } if choose(4) == 0 => self.bring_back(site, path),
            Job::Look { site, path, found } => self.look(site, path, found),
            Job::Bring { site, path } => match choose(8) {
                0 => self.bring_part(site, &path, path.clone(), choose),
                1 => self.bring_part(site, &path, aside(&path), choose),
                2 => self.bring_copy(site, &path),
                3 => {
                    let told = self.bring(site, path.clone());
                    // It comes once more.
                    self.left[site].entry(path).or_default().number = 0;
                    told
                }
                _ => self.bring(site, path),
            },
        })
    }

    /// Brings everything everywhere, without any clumsiness.
    pub fn finish(&mut self) {
        loop {
            let jobs = self.jobs();
            if jobs.is_empty() {
                return;
            }
            for job in jobs {
                let _ = match job {
                    Job::Look { site, path, found } => self.look(site, path, found),
                    Job::Bring { site, path } => self.bring(site, path),
                };
            }
        }
    }

    /// What can be done. A site is looked at before anything is brought over what changed there.
    fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (site, disk) in self.sites.iter().enumerate() {
            let mut files = disk.files(&self.folder);
            files.retain(|path, _| !is_aside(path));
            for path in self.paths(site, &files) {
                let (found, left) = (files.get(&path).cloned(), self.left[site].get(&path));
                if found != left.and_then(|left| left.bytes.clone()) {
                    jobs.push(Job::Look { site, path, found });
                } else if self.is_older(site, &path) {
                    jobs.push(Job::Bring { site, path });
                }
            }
        }
        jobs
    }

    fn paths(&self, site: usize, files: &Files) -> BTreeSet<PathBuf> {
        let known = self.newest.keys().chain(self.left[site].keys());
        files.keys().chain(known).cloned().collect()
    }

    fn is_older(&self, site: usize, path: &Path) -> bool {
        let newest = self.newest.get(path).map_or(0, |newest| newest.number);
        self.left[site].get(path).map_or(0, |left| left.number) < newest
    }

    /// Takes note of what changed at a site.
    fn look(&mut self, site: usize, path: PathBuf, found: Bytes) -> String {
        let told = format!("{site}: sees {}", show(&path, &found));
        let is_older = self.is_older(site, &path);
        let newest = self.newest.entry(path.clone()).or_default();
        let left = self.left[site].entry(path.clone()).or_default();
        if left.is_part {
            // A power cut took some of what was brought so far.
        } else if !is_older {
            *newest = Version { number: newest.number + 1, bytes: found.clone() };
            left.number = newest.number;
        } else if let Some(bytes) = found.as_ref().filter(|_| found != newest.bytes) {
            // Both were changed: the one that came later gets another name.
            self.copies += 1;
            self.sites[site].put(&copy_of(&path, self.copies), bytes, true);
        }
        left.bytes = found;
        told
    }

    /// Brings the newest, whole.
    fn bring(&mut self, site: usize, path: PathBuf) -> String {
        let Version { number, bytes } = self.newest[&path].clone();
        match &bytes {
            Some(bytes) => self.sites[site].put(&path, bytes, true),
            None => self.sites[site].take_away(&path),
        }
        self.sites[site].take_away(&aside(&path));
        let told = format!("{site}: gets {}", show(&path, &bytes));
        let _ = self.left[site].insert(path, Left { number, bytes, is_part: false });
        told
    }

    /// Brings a beginning of the newest, under this name; the rest comes later. Some tools make the file as
    /// long as it is to be at once.
    fn bring_part(
        &mut self,
        site: usize,
        path: &Path,
        name: PathBuf,
        choose: Choose<'_>,
    ) -> String {
        let Some(bytes) = self.newest[path].bytes.clone() else {
            return self.bring(site, path.to_owned());
        };
        let mut part = bytes[..choose(bytes.len() + 1)].to_vec();
        if choose(2) == 0 {
            part.resize(bytes.len(), 0);
        }
        let part = Arc::new(part);
        self.sites[site].put(&name, &part, false);
        let part = Some(part);
        let told = format!("{site}: gets a part, {}", show(&name, &part));
        if name == path {
            let left = self.left[site].entry(name).or_default();
            (left.bytes, left.is_part) = (part, true);
        }
        told
    }

    /// Brings the newest under one more name.
    fn bring_copy(&mut self, site: usize, path: &Path) -> String {
        self.copies += 1;
        let copy = copy_of(path, self.copies);
        match self.newest[path].bytes.clone() {
            Some(bytes) => {
                self.sites[site].put(&copy, &bytes, true);
                format!("{site}: gets a copy, {}", show(&copy, &Some(bytes)))
            }
            None => self.bring(site, path.to_owned()),
        }
    }

    /// Takes a deletion for a mistake.
    fn bring_back(&mut self, site: usize, path: PathBuf) -> String {
        let left = self.left[site].entry(path).or_default();
        (left.number, left.bytes) = (0, None);
        format!("{site}: does not believe that a file is gone")
    }
}

/// Where a file is kept while it is under way.
fn aside(path: &Path) -> PathBuf {
    path.with_file_name(format!(".syncthing.{}.tmp", name(path)))
}

fn is_aside(path: &Path) -> bool {
    name(path).starts_with(".syncthing.")
}

/// The name of a copy, in the ways of two tools.
fn copy_of(path: &Path, number: u64) -> PathBuf {
    let name = name(path);
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, "bin"));
    path.with_file_name(match number % 2 {
        0 => format!("{stem}.sync-conflict-20261120-{number:06}.{end}"),
        _ => format!("{stem} (conflicted copy {number}).{end}"),
    })
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn show(path: &Path, bytes: &Bytes) -> String {
    let length = bytes.as_ref().map_or("gone".to_owned(), |bytes| format!("{} bytes", bytes.len()));
    format!("{} ({length})", path.display())
}
