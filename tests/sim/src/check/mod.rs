//! What must hold in every world, after every step and in the end.

mod durable;
mod end;
mod invariant;
mod remote;
mod watch;

pub(crate) use durable::RemoteRow;
pub(crate) use end::{Ending, end};
pub use invariant::{Broken, Invariant};
pub(crate) use remote::{check_acknowledgements, check_remotes};
pub(crate) use watch::{Sight, Watch};
