//! What people and sync tools do to a disk, past the application: it never fails and counts as no call.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::VirtualDisk;
use super::tree::{Id, Node, Tree};

/// Files by path, with their bytes.
pub type Files = BTreeMap<PathBuf, Arc<Vec<u8>>>;

impl VirtualDisk {
    /// All files in a folder and the folders in it.
    pub fn files(&self, folder: &Path) -> Files {
        let mut files = Files::new();
        let state = self.state();
        if let Ok(id) = state.tree.find(folder) {
            collect(&state.tree, id, folder, &mut files);
        }
        files
    }

    /// Puts a file in the place of whatever has its name, and makes the folders that it takes. Unless it is
    /// durable, a power cut may undo that, or leave half of it.
    ///
    /// # Panics
    ///
    /// If it can't be there, as under a file.
    pub fn put(&self, path: &Path, bytes: &[u8], is_durable: bool) {
        let mut state = self.state();
        let tree = &mut state.tree;
        for folder in folders(path) {
            if tree.find(folder).is_err() {
                tree.add_folder(folder).expect("what is above it is there");
            }
        }
        if tree.find(path).is_ok() {
            tree.remove(path).expect("it is a file");
        }
        let id = tree.add_file(path).expect("its folder is there and its name is free");
        tree.append(id, bytes);
        if is_durable {
            for path in folders(path).skip(1).chain([path]) {
                tree.settle(path).expect("it was just made");
            }
        }
    }

    /// Removes a file, if it is there, for good.
    ///
    /// # Panics
    ///
    /// If it is a folder.
    pub fn take_away(&self, path: &Path) {
        let mut state = self.state();
        if state.tree.find(path).is_ok() {
            state.tree.remove(path).expect("it is a file");
            state.tree.settle(path).expect("its folder is there");
        }
    }
}

/// The folders above a path, the outermost first.
fn folders(path: &Path) -> impl Iterator<Item = &Path> {
    let above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.into_iter().rev()
}

fn collect(tree: &Tree, id: Id, path: &Path, files: &mut Files) {
    match tree.node(id) {
        Node::File(file) => drop(files.insert(path.to_owned(), file.bytes.clone())),
        Node::Folder(_) => {
            for (name, id) in tree.names(id).unwrap_or_default() {
                collect(tree, id, &path.join(name), files);
            }
        }
    }
}
