//! Members: who joined, how far their lanes go, and what they acknowledged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use syncline_core::log::{Peer, VersionVector};
use syncline_core::{Group, ReplicaId, Result};

use crate::acknowledgement::Acknowledgement;
use crate::error::FsError;
use crate::folder::Folder;
use crate::listing::Listing;
use crate::name;
use crate::read::Contents;
use crate::write::{Created, create, create_folder};

/// Makes a replica known.
pub(crate) fn join(place: &Folder, replica: ReplicaId) -> Result<(), FsError> {
    let (folder, file) = (place.root.join(name::lane(replica)), name::joined(replica));
    if !place.has(&folder.join(&file)) {
        let group = json(&place.group);
        let says = format!("{{\"format\":1,\"group\":{group},\"replica\":\"{replica}\"}}\n");
        let _ = make(place, &folder, &file, says.as_bytes(), "join in")?;
    }
    place.settle(&folder)
}

/// Makes a file in a lane's folder, durable but for its place there.
fn make(
    place: &Folder,
    folder: &Path,
    name: &str,
    bytes: &[u8],
    doing: &'static str,
) -> Result<Created, FsError> {
    create_folder(&*place.fs, folder).map_err(FsError::io("make", folder))?;
    create(&*place.fs, folder, name, bytes).map_err(FsError::io(doing, folder))
}

/// A group's name as JSON; it has no control characters.
pub(crate) fn json(group: &Group) -> String {
    format!("\"{}\"", group.as_str().replace('\\', "\\\\").replace('"', "\\\""))
}

/// Stores what a replica received, and removes what it said before.
///
/// The listing is that of the replica's lane.
pub(crate) fn acknowledge(
    place: &Folder,
    replica: ReplicaId,
    known: &VersionVector,
    listing: Listing,
) -> Result<(), FsError> {
    let counters: Vec<u64> = listing.acknowledgements.iter().map(|(counter, _)| *counter).collect();
    let files = listing.acknowledgements.clone();
    let newest = newest(place, listing).remove(&replica);
    let told = newest.as_ref().map_or(0, |(newest, _)| newest.counter);
    // One that can't be read is overtaken as well: it might heal.
    let last = counters.into_iter().fold(told, u64::max);
    if let Some((newest, file)) = newest.filter(|(newest, _)| newest.counter == last)
        && newest.known == *known
    {
        return keep(place, &file);
    }
    let next = Acknowledgement {
        group: place.group.clone(),
        replica,
        counter: last.saturating_add(1),
        known: known.clone(),
    };
    let (bytes, folder) = (next.to_bytes(), place.root.join(name::lane(replica)));
    let file = name::acknowledgement(next.counter, &bytes);
    let _ = make(place, &folder, &file, &bytes, "acknowledge in")?;
    place.settle(&folder)?;
    for (_, path) in files.iter().filter(|(_, path)| path.parent() == Some(&folder)) {
        // What stays is older and does not count.
        let _ = place.fs.remove(path);
    }
    Ok(())
}

/// Makes a file durable that was found.
fn keep(place: &Folder, file: &Path) -> Result<(), FsError> {
    place.fs.sync(file).map_err(FsError::io("make durable", file))?;
    file.parent().map_or(Ok(()), |folder| place.settle(folder))
}

/// Everyone who left a trace.
pub(crate) fn peers(place: &Folder, listing: Listing) -> Vec<Peer> {
    let chains = listing.chains();
    let mut replicas = chains.replicas();
    replicas.extend(&listing.joined);
    let mut said = newest(place, listing);
    replicas.extend(said.keys());
    let peer = |replica: ReplicaId| Peer {
        replica,
        heads: chains.heads(replica),
        acknowledged: said.remove(&replica).map(|(newest, _)| newest.known).unwrap_or_default(),
    };
    replicas.into_iter().map(peer).collect()
}

/// What each replica said last, and in which file.
fn newest(place: &Folder, listing: Listing) -> BTreeMap<ReplicaId, (Acknowledgement, PathBuf)> {
    let mut all = listing.strays;
    for (_, path) in listing.acknowledgements {
        if let Contents::Acknowledgement(found) = place.contents(&path) {
            all.push((found, path));
        }
    }
    let mut newest = BTreeMap::new();
    // Two with the same counter come from copies of one database. Any order will do that all agree on.
    all.sort_by_key(|(found, _)| (found.counter, found.to_bytes()));
    for (found, path) in all {
        let _ = newest.insert(found.replica, (found, path));
    }
    newest
}
