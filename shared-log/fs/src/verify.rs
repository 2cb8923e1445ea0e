//! Looking for damage before anyone meets it.

use syncline_core::Group;
use syncline_core::log::Damage;

use crate::listing::{Listing, damage};
use crate::read::{Contents, Findings, Verdict, contents};

/// Reads everything that was listed; what is damaged, whether it is whole elsewhere or not.
pub(crate) fn damages(listing: Listing, group: &Group, findings: &Findings) -> Vec<Damage> {
    let mut damaged = listing.damaged;
    for (span, paths) in listing.segments.iter().chain(&listing.suspects) {
        for path in paths {
            let reason = match contents(path, group) {
                Contents::Segment(found) => {
                    findings.note(path, Verdict::Whole(*found.span()));
                    continue;
                }
                Contents::Damaged(reason) => reason,
                Contents::Foreign | Contents::Acknowledgement(_) => {
                    "it is not a segment".to_owned()
                }
            };
            findings.note(path, Verdict::Damaged);
            damaged.push(damage(path, reason, Some(*span)));
        }
    }
    damaged
}
