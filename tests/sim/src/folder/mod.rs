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

/// Decides: given how many possibilities there are, names one of them.
pub type Choose<'a> = &'a mut dyn FnMut(usize) -> usize;

/// Dice that fall the same way each time, for each seed in its own.
///
/// # Panics
///
/// When they are to choose among no possibilities.
pub fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |possibilities| {
        assert!(possibilities > 0, "there is nothing to choose");
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % possibilities as u64) as usize
    }
}
