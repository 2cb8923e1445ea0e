//! Files, folders and names, each with what of it would survive a power cut.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Choose;

/// A file or folder, whatever its names.
pub(super) type Id = usize;

const ROOT: Id = 0;

/// A whole disk.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    changes: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    File(File),
    Folder(Folder),
}

/// What is in a file, and what of it is durable.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) bytes: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    /// The how manieth change of the disk changed it last.
    pub(super) changed: u64,
}

/// For each name what it led to, one after the other: first what is durable, last what is seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    names: BTreeMap<String, Vec<Option<Id>>>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::Folder(Folder::default())], changes: 0 }
    }
}

impl Tree {
    /// What is at a path.
    pub(super) fn find(&self, path: &Path) -> io::Result<Id> {
        steps(path)?.iter().try_fold(ROOT, |id, name| {
            self.folder(id)?.seen(name).ok_or_else(|| ErrorKind::NotFound.into())
        })
    }

    /// A file or folder.
    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// The names in a folder and what they lead to.
    pub(super) fn names(&self, id: Id) -> io::Result<Vec<(&str, Id)>> {
        let names = self.folder(id)?.names.iter();
        Ok(names.filter_map(|(name, states)| Some((name.as_str(), (*states.last()?)?))).collect())
    }

    /// A file.
    pub(super) fn file(&self, id: Id) -> io::Result<&File> {
        match &self.nodes[id] {
            Node::File(file) => Ok(file),
            Node::Folder(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    /// Makes an empty file.
    pub(super) fn add_file(&mut self, path: &Path) -> io::Result<Id> {
        let id = self.nodes.len();
        self.name(path, id)?;
        self.changes += 1;
        self.nodes.push(Node::File(File { changed: self.changes, ..File::default() }));
        Ok(id)
    }

    /// Makes an empty folder.
    pub(super) fn add_folder(&mut self, path: &Path) -> io::Result<()> {
        self.name(path, self.nodes.len())?;
        self.nodes.push(Node::Folder(Folder::default()));
        Ok(())
    }

    /// Writes behind what is in a file.
    pub(super) fn append(&mut self, id: Id, bytes: &[u8]) {
        self.changes += 1;
        if let Node::File(file) = &mut self.nodes[id] {
            Arc::make_mut(&mut file.bytes).extend_from_slice(bytes);
            file.changed = self.changes;
        }
    }

    /// Gives a file or folder a name that is free.
    pub(super) fn name(&mut self, path: &Path, id: Id) -> io::Result<()> {
        let (folder, name) = self.place(path)?;
        if folder.seen(&name).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        folder.set(name, Some(id));
        Ok(())
    }

    /// Takes a name away from a file.
    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let _ = self.file(self.find(path)?)?;
        let (folder, name) = self.place(path)?;
        folder.set(name, None);
        Ok(())
    }

    /// Makes a file's contents or a folder's names durable.
    pub(super) fn sync(&mut self, id: Id) {
        match &mut self.nodes[id] {
            Node::File(file) => file.durable = file.bytes.clone(),
            Node::Folder(folder) => folder.keep(|states| states.len() - 1),
        }
    }

    /// Makes durable what a name leads to, or that it leads nowhere.
    pub(super) fn settle(&mut self, path: &Path) -> io::Result<()> {
        let (folder, name) = self.place(path)?;
        let seen = folder.seen(&name);
        let _ = folder.names.insert(name, vec![seen]);
        if let Some(id) = seen.filter(|id| matches!(self.nodes[*id], Node::File(_))) {
            self.sync(id);
        }
        Ok(())
    }

    /// The power is cut: of what is not durable anything may be lost and anything kept.
    pub(super) fn lose(&mut self, choose: Choose<'_>) {
        for node in &mut self.nodes {
            match node {
                Node::File(file) => file.lose(choose),
                // Names are lost and kept one by one: nothing keeps them in order.
                Node::Folder(folder) => folder.keep(|states| match states.len() {
                    1 => 0,
                    several => choose(several),
                }),
            }
        }
    }

    fn folder(&self, id: Id) -> io::Result<&Folder> {
        match &self.nodes[id] {
            Node::Folder(folder) => Ok(folder),
            Node::File(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }

    /// The folder that a path lies in, and the name there.
    fn place(&mut self, path: &Path) -> io::Result<(&mut Folder, String)> {
        let name = steps(path)?.pop().ok_or(ErrorKind::AlreadyExists)?;
        let parent = self.find(path.parent().unwrap_or(Path::new("/")))?;
        match &mut self.nodes[parent] {
            Node::Folder(folder) => Ok((folder, name)),
            Node::File(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }
}

impl File {
    /// The first choice is to lose whatever can be lost, the last one to lose nothing.
    fn lose(&mut self, choose: Choose<'_>) {
        if self.bytes == self.durable {
            return;
        }
        // Nobody writes but behind what is there.
        let (durable, length) = (self.durable.len(), self.bytes.len());
        let mut left = self.bytes.to_vec();
        match choose(5) {
            0 => left.truncate(durable),
            1 => left.truncate(durable + choose(length - durable)),
            2 => left[durable..].fill(0),
            3 => left[durable + choose(length - durable)..].fill(0),
            _ => {}
        }
        self.bytes = Arc::new(left);
        self.durable = self.bytes.clone();
    }
}

impl Folder {
    fn seen(&self, name: &str) -> Option<Id> {
        *self.names.get(name)?.last()?
    }

    fn set(&mut self, name: String, to: Option<Id>) {
        self.names.entry(name).or_insert_with(|| vec![None]).push(to);
    }

    /// Makes one state of each name the durable one.
    fn keep(&mut self, mut which: impl FnMut(&[Option<Id>]) -> usize) {
        self.names.retain(|_, states| {
            let kept = states[which(states)];
            *states = vec![kept];
            kept.is_some()
        });
    }
}

/// The one name of a path; there are no links that would make it another.
pub(super) fn plain(path: &Path) -> io::Result<PathBuf> {
    Ok(Path::new("/").join(steps(path)?.iter().collect::<PathBuf>()))
}

/// The names on the way to a path, from the root.
fn steps(path: &Path) -> io::Result<Vec<String>> {
    let mut steps = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => {
                steps.push(name.to_str().ok_or(ErrorKind::InvalidInput)?.to_owned());
            }
            Component::ParentDir => drop(steps.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Ok(steps)
}
