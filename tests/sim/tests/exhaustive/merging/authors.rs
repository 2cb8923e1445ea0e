//! Who wrote the events of a small world, and when: every way in which authors can be told apart.

use syncline::merge::Author;
use syncline::{ReplicaId, Stamp};

use crate::law::order;

/// How many replicas there are at most.
const REPLICAS: u8 = 3;

/// Why one author comes right behind another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Its stamp is greater; the rest may be anything.
    Stamp,
    /// Its stamp is greater though its `seq` is smaller: it lies on another branch of a forked lane.
    StampDespiteSeq,
    /// The stamps are equal; the replica is greater.
    Replica,
    /// Stamps and replicas are equal; the `seq` is greater.
    Seq,
    /// Stamps, replicas and `seq` are equal: two branches of a lane, and the hash is greater.
    Tie,
}

/// All lists of so many authors, each in rising order: every replica for each of them, and for each
/// neighbouring two every reason why the one comes behind the other.
pub fn all(count: usize) -> Vec<Vec<Author>> {
    let mut lists = vec![Vec::new()];
    for _ in 0..count {
        lists = lists.iter().flat_map(|list| continued(list)).collect();
    }
    lists
}

/// The same without lanes whose stamps do not rise, and of lists that are the same but for the names of the
/// replicas only one: merging sees replicas by comparing them, so a renaming that leaves every comparison
/// as it was leaves the world as it was.
pub fn up_to_renaming(count: usize) -> Vec<Vec<Author>> {
    let mut lists = all(count);
    lists.retain(|list| stamps_rise(list) && renamed(list).all(|other| *list <= other));
    lists
}

fn stamps_rise(list: &[Author]) -> bool {
    list.iter().enumerate().all(|(at, author)| {
        let earlier = list[..at].iter().rev().find(|other| other.replica == author.replica);
        earlier.is_none_or(|earlier| earlier.stamp < author.stamp && earlier.seq < author.seq)
    })
}

/// The list under all names for its replicas that leave it in rising order.
fn renamed(list: &[Author]) -> impl Iterator<Item = Vec<Author>> {
    const NAMES: [[u8; 3]; 6] = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
    let under = |names: &[u8; 3]| -> Vec<Author> {
        let rename = |author: &Author| {
            let name = names[usize::from(author.replica.0[0]) - 1];
            Author { replica: ReplicaId([name; 16]), ..*author }
        };
        list.iter().map(rename).collect()
    };
    let lists: Vec<Vec<Author>> = NAMES.iter().map(under).collect();
    lists.into_iter().filter(|list| list.is_sorted_by(|one, other| order(one, other).is_lt()))
}

fn continued(list: &[Author]) -> Vec<Vec<Author>> {
    let steps = [Step::Stamp, Step::StampDespiteSeq, Step::Replica, Step::Seq, Step::Tie];
    let authors = (0..REPLICAS).flat_map(|number| {
        steps.into_iter().filter_map(move |step| next(list, ReplicaId([number + 1; 16]), step))
    });
    authors.map(|author| [list, &[author]].concat()).collect()
}

/// The next author for one reason, if there can be one.
fn next(list: &[Author], replica: ReplicaId, step: Step) -> Option<Author> {
    let of_lane = list.iter().rev().find(|author| author.replica == replica);
    let seq = of_lane.map_or(10, |author| author.seq + 1);
    // Hashes fall where they decide nothing.
    let tie = 100 - u32::try_from(list.len()).ok()?;
    let Some(last) = list.last() else {
        return (step == Step::Stamp).then_some(Author { stamp: stamp(1), replica, seq, tie });
    };
    let later = stamp(last.stamp.bits() + 1);
    match step {
        Step::Stamp => Some(Author { stamp: later, replica, seq, tie }),
        Step::StampDespiteSeq => {
            let seq = of_lane?.seq - 1;
            Some(Author { stamp: later, replica, seq, tie })
        }
        Step::Replica if replica > last.replica => {
            Some(Author { stamp: last.stamp, replica, seq, tie })
        }
        Step::Seq if replica == last.replica => {
            Some(Author { stamp: last.stamp, replica, seq, tie })
        }
        Step::Tie if replica == last.replica => Some(Author { tie: last.tie + 50, ..*last }),
        _ => None,
    }
}

fn stamp(bits: u64) -> Stamp {
    Stamp::from_bits(bits).expect("a small stamp")
}
