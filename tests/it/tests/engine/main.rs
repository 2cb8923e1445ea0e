//! The sync engine against chance, faults, copies, clocks and its own promises.

mod cleaning;
mod clocks;
mod clones;
mod counts;
mod far;
mod faults;
mod hooks;
mod meanwhile;
mod parity;
mod parking;
mod parts;
mod processes;
mod random;
