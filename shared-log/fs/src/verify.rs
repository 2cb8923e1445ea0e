//! Looking for damage before anyone meets it.

use syncline_core::log::Damage;

use crate::folder::Folder;
use crate::listing::{Listing, damage};
use crate::read::{Contents, Verdict};

/// Reads everything that was listed; what is damaged, whether it is whole elsewhere or not.
pub(crate) fn damages(folder: &Folder, listing: Listing) -> Vec<Damage> {
    let mut damaged = listing.damaged;
    for (span, paths) in listing.segments.iter().chain(&listing.suspects) {
        for path in paths {
            let reason = match folder.contents(path) {
                Contents::Segment(found) => {
                    folder.findings.note(path, Verdict::Whole(*found.span()));
                    continue;
                }
                Contents::Damaged(reason) => reason,
                Contents::Foreign | Contents::Acknowledgement(_) => {
                    "it is not a segment".to_owned()
                }
            };
            folder.findings.note(path, Verdict::Damaged);
            damaged.push(damage(path, reason, Some(*span)));
        }
    }
    damaged
}
