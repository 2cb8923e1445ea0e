//! A shared log in a folder, as bad as folders are: disks that fail, power that is cut between any two calls, and
//! tools that carry files from one copy of the folder to another, late, in any order and half at first.
//!
//! [`VirtualDisk`] is the file system of one machine; an [`FsLog`](syncline::shared_log::fs::FsLog) is opened on
//! it. A [`Carrier`] keeps the copies on several disks the same, in its own time. Nothing here knows the time,
//! draws random numbers or depends on addresses: whoever runs it decides, and the same decisions give the same
//! run.

mod carrier;
mod disk;
mod fault;
mod outside;
mod tree;

pub use carrier::Carrier;
pub use disk::{Snapshot, VirtualDisk};
pub use fault::Fault;
pub use outside::Files;

use crate::Dice;

/// Decides: given how many possibilities there are, names one of them.
pub type Choose<'a> = &'a mut dyn FnMut(usize) -> usize;

/// The dice of a seed, as what decides here.
pub fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let dice = Dice::new(seed);
    move |possibilities| dice.below(possibilities)
}
