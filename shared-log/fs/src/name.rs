//! What files and folders are called: lower-case ASCII, so that every file system keeps it.

use std::path::Path;

use syncline_core::id::{hex, unhex};
use syncline_core::log::{LaneHash, Span};
use syncline_core::{Group, ReplicaId};

/// What a file is, as its name tells. A name is only believed where that saves reading the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An acknowledgement, the how manieth.
    Acknowledgement(u64),
    /// A replica that joined.
    Joined(ReplicaId),
    /// Something of ours that holds no data.
    Nothing,
    /// A segment.
    Segment(Span),
    /// The name tells nothing: what is in the file counts.
    Unknown,
}

pub(crate) const TEMPORARY: &str = ".tmp-";

/// The folder of a replica's lane.
pub(crate) fn lane(replica: ReplicaId) -> String {
    format!("lane-{replica}")
}

/// Whose lane is in a folder; a copy made by a sync tool may have more behind the name.
pub(crate) fn lane_of(name: &str) -> Option<ReplicaId> {
    name.strip_prefix("lane-")?.get(..32)?.parse().ok()
}

/// The file that says which group meets here.
pub(crate) fn marker(group: &Group) -> String {
    format!("{}.json", marker_stem(group))
}

/// Whether a file says that another group meets here. A copy of our own marker, made by a sync tool, does not.
pub(crate) fn is_marker_of_others(name: &str, ours: &Group) -> bool {
    is_marker(name) && !name.starts_with(&marker_stem(ours))
}

fn marker_stem(group: &Group) -> String {
    format!("group-{}", short(group.as_str().as_bytes()))
}

fn is_marker(name: &str) -> bool {
    name.starts_with("group-") && name.ends_with(".json")
}

/// The file that says that a replica joined.
pub(crate) fn joined(replica: ReplicaId) -> String {
    format!("join-{replica}.json")
}

/// The file of an acknowledgement with these bytes.
pub(crate) fn acknowledgement(counter: u64, bytes: &[u8]) -> String {
    format!("ack-{counter:012}-{}.ack", short(bytes))
}

/// The file of a segment: the first choice, and what to take where a damaged file has that name.
pub(crate) fn segment(span: &Span, choice: u32) -> String {
    let Span { first, last, before, after, .. } = span;
    let again = if choice > 1 { format!("~{choice}") } else { String::new() };
    format!("{first:012}-{last:012}-{before}-{after}{again}.seg")
}

/// The segment that a file was before a sync tool or a person gave it a longer name.
pub(crate) fn was(replica: Option<ReplicaId>, name: &Path) -> Option<Span> {
    beginning(replica?, name.to_str()?).map(|(span, _)| span)
}

/// What a file in the lane of `replica` is.
pub(crate) fn kind(replica: Option<ReplicaId>, name: &Path) -> Kind {
    let Some(name) = name.to_str() else { return Kind::Unknown };
    if name.starts_with(TEMPORARY) || is_marker(name) {
        return Kind::Nothing;
    }
    if let Some(name) = name.strip_suffix(".seg") {
        let span = replica.and_then(|replica| whole(replica, name));
        if let Some(span) = span {
            return Kind::Segment(span);
        }
    }
    let joined = || name.strip_prefix("join-")?.strip_suffix(".json")?.parse().ok();
    let counter =
        || name.strip_prefix("ack-")?.strip_suffix(".ack")?.split('-').next()?.parse().ok();
    match (joined(), counter()) {
        (Some(replica), _) => Kind::Joined(replica),
        (_, Some(counter)) => Kind::Acknowledgement(counter),
        _ => Kind::Unknown,
    }
}

/// The segment whose name this is.
fn whole(replica: ReplicaId, name: &str) -> Option<Span> {
    let (span, behind) = beginning(replica, name)?;
    let is_choice = |behind: &str| behind.strip_prefix('~')?.parse::<u32>().ok();
    (behind.is_empty() || is_choice(behind).is_some()).then_some(span)
}

/// The segment that a name begins with, and what stands behind it.
fn beginning(replica: ReplicaId, name: &str) -> Option<(Span, &str)> {
    let mut parts = name.splitn(4, '-');
    let number = |text: &str| {
        let is_number = text.len() >= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { text.parse().ok() } else { None }
    };
    let hash = |text: &str| unhex(text).and_then(|bytes| Some(LaneHash(bytes.try_into().ok()?)));
    let (first, last) = (number(parts.next()?)?, number(parts.next()?)?);
    let before = hash(parts.next()?)?;
    let (after, behind) = parts.next()?.split_at_checked(32)?;
    let span = Span { replica, first, last, before, after: hash(after)? };
    (first >= 1 && first <= last).then_some((span, behind))
}

/// The first half of a hash, as digits.
fn short(bytes: &[u8]) -> String {
    hex(&LaneHash::default().then(bytes).0[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Span {
        Span {
            replica: ReplicaId([7; 16]),
            first: 3,
            last: 14_000_000_000_000,
            before: LaneHash([0xab; 16]),
            after: LaneHash([0x01; 16]),
        }
    }

    #[test]
    fn a_name_tells_the_span() {
        for choice in [1, 2, 99] {
            let name = segment(&sample(), choice);
            assert!(name.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase()));
            assert_eq!(kind(Some(sample().replica), Path::new(&name)), Kind::Segment(sample()));
            assert_eq!(kind(None, Path::new(&name)), Kind::Unknown, "outside of any lane");
        }
    }

    #[test]
    fn other_names_tell_nothing() {
        let good = segment(&sample(), 1);
        let strange = [
            "",
            ".seg",
            "-.seg",
            "~.seg",
            "000000000001-000000000002-é-é.seg",
            &good.replace(".seg", " (copy).seg"),
            &good.replace(".seg", ".sync-conflict-20260101-1.seg"),
            &good.replace(".seg", "~.seg"),
            &good.replace(".seg", "~x.seg"),
            &good.replace("000000000003", "3"),
            &good.replace("000000000003", "000000000000"),
            &good.replace("14000000000000", "000000000001"),
            &good.replace("14000000000000", "99999999999999999999"),
            &good[..good.len() - 8],
            ".DS_Store",
            "join-.json",
            "ack-x.ack",
        ];
        let copy = good.replace(".seg", ".sync-conflict-20260101-1.seg");
        assert_eq!(was(Some(ReplicaId([7; 16])), Path::new(&copy)), Some(sample()));
        assert_eq!(was(Some(ReplicaId([7; 16])), Path::new(&good[..good.len() - 8])), None);
        for name in strange {
            assert_eq!(kind(Some(ReplicaId([7; 16])), Path::new(name)), Kind::Unknown, "{name}");
        }
    }

    #[test]
    fn the_other_files_are_told_by_their_names() {
        let replica = ReplicaId([0xfe; 16]);
        let told = |name: &str| kind(Some(replica), Path::new(name));
        assert_eq!(told(&joined(replica)), Kind::Joined(replica));
        assert_eq!(told(&acknowledgement(12, b"x")), Kind::Acknowledgement(12));
        assert_eq!(told(".tmp-1-1"), Kind::Nothing);
        let [ours, others] = ["family", "work"].map(|group| group.parse().unwrap());
        assert_eq!(told(&marker(&ours)), Kind::Nothing);
        assert!(is_marker_of_others(&marker(&others), &ours));
        let copy = marker(&ours).replace(".json", ".sync-conflict-20261120-1.json");
        for own in [marker(&ours), copy] {
            assert!(!is_marker_of_others(&own, &ours), "{own}");
        }
        assert_eq!(lane_of(&lane(replica)), Some(replica));
        assert_eq!(lane_of(&format!("{} (conflict)", lane(replica))), Some(replica));
        assert_eq!(lane_of("lane-x"), None);
    }
}
