//! Sync that goes on by itself, moved by a timer that stands still until it is told.

mod causes;
mod desk;
mod failures;
mod leading;
mod pauses;
mod runner;
