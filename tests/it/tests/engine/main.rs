//! The sync engine against chance, faults, copies, clocks and its own promises.

mod clones;
mod faults;
mod parts;
mod random;
