//! What live queries wait for: changes that can matter to their answers.

mod interest;
mod question;
mod trace;

pub(crate) use interest::{Interest, Listening};
pub(crate) use question::Shown;
pub(super) use trace::Trace;
