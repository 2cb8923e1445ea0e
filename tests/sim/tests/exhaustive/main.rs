//! Every small world: what is enumerated here is enumerated whole, nothing is drawn at random.

mod law;
mod lost;
mod merging;
mod syncing;
mod threads;
