//! Members: who joined, how far their lanes go, and what they acknowledged.

use std::collections::BTreeMap;
use std::path::Path;

use syncline_core::log::{Peer, VersionVector};
use syncline_core::{Group, ReplicaId, Result};

use crate::acknowledgement::Acknowledgement;
use crate::error::FsError;
use crate::listing::Listing;
use crate::name;
use crate::read::{Contents, contents};
use crate::write::{create, create_folder, sync_folder};

/// Makes a replica known.
pub(crate) fn join(root: &Path, group: &Group, replica: ReplicaId) -> Result<(), FsError> {
    let folder = root.join(name::lane(replica));
    let file = name::joined(replica);
    if folder.join(&file).exists() {
        return Ok(());
    }
    create_folder(&folder).map_err(FsError::io("make", &folder))?;
    let says = format!("{{\"format\":1,\"group\":{},\"replica\":\"{replica}\"}}\n", json(group));
    let _ = create(&folder, &file, says.as_bytes()).map_err(FsError::io("join in", &folder))?;
    sync_folder(&folder).map_err(FsError::io("make durable", &folder))
}

/// A group's name as JSON; it has no control characters.
pub(crate) fn json(group: &Group) -> String {
    format!("\"{}\"", group.as_str().replace('\\', "\\\\").replace('"', "\\\""))
}

/// Stores what a replica received, and removes what it said before.
///
/// The listing is that of the replica's lane.
pub(crate) fn acknowledge(
    root: &Path,
    group: &Group,
    replica: ReplicaId,
    known: &VersionVector,
    listing: Listing,
) -> Result<(), FsError> {
    let counters: Vec<u64> = listing.acknowledgements.iter().map(|(counter, _)| *counter).collect();
    let files = listing.acknowledgements.clone();
    let newest = newest(listing, group).remove(&replica);
    if newest.as_ref().is_some_and(|newest| newest.known == *known) {
        return Ok(());
    }
    let told = newest.map_or(0, |newest| newest.counter);
    // A damaged file is not overtaken by counting from the whole ones only: it might heal.
    let last = counters.into_iter().fold(told, u64::max);
    let next = Acknowledgement {
        group: group.clone(),
        replica,
        counter: last.saturating_add(1),
        known: known.clone(),
    };
    let bytes = next.to_bytes();
    let folder = root.join(name::lane(replica));
    create_folder(&folder).map_err(FsError::io("make", &folder))?;
    let file = name::acknowledgement(next.counter, &bytes);
    let _ = create(&folder, &file, &bytes).map_err(FsError::io("acknowledge in", &folder))?;
    sync_folder(&folder).map_err(FsError::io("make durable", &folder))?;
    for (_, path) in files.iter().filter(|(_, path)| path.parent() == Some(&folder)) {
        // What stays is older and does not count.
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

/// Everyone who left a trace.
pub(crate) fn peers(listing: Listing, group: &Group) -> Vec<Peer> {
    let chains = listing.chains();
    let mut replicas = chains.replicas();
    replicas.extend(&listing.joined);
    let mut said = newest(listing, group);
    replicas.extend(said.keys());
    let peer = |replica: ReplicaId| Peer {
        replica,
        heads: chains.heads(replica),
        acknowledged: said.remove(&replica).map(|newest| newest.known).unwrap_or_default(),
    };
    replicas.into_iter().map(peer).collect()
}

/// What each replica said last.
fn newest(listing: Listing, group: &Group) -> BTreeMap<ReplicaId, Acknowledgement> {
    let mut all = listing.strays;
    for (_, path) in &listing.acknowledgements {
        if let Contents::Acknowledgement(found) = contents(path, group) {
            all.push(found);
        }
    }
    let mut newest: BTreeMap<ReplicaId, Acknowledgement> = BTreeMap::new();
    // Two with the same counter come from copies of one database. Any order will do that all agree on.
    all.sort_by_key(|found| (found.counter, found.to_bytes()));
    for found in all {
        let _ = newest.insert(found.replica, found);
    }
    newest
}
