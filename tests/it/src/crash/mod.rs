//! Activities that are interrupted everywhere: what they are, where they take place, what must hold behind them.

mod act;
mod activity;
#[cfg(unix)]
pub mod child;
#[cfg(unix)]
pub mod crowd;
mod edit;
mod enumerate;
mod place;
mod stage;
#[cfg(unix)]
pub mod trace;

pub use act::{Act, Heard};
pub use activity::Activity;
pub use edit::{Edit, Ledger};
pub use enumerate::{Way, enumerate};
pub use place::{Meeting, Place, Storage, folder};
pub use stage::Stage;
