//! What can be asked of storage, and what it answers.

mod batch;
pub mod check;
mod fill;
mod flatten;
mod nested;
mod placeholder;

pub use batch::{Batch, Condition, Create, Guard, Replace, Step, StepOutcome};
pub use flatten::Shape;
pub use nested::Nested;

use std::sync::Arc;

use crate::query::{Filter, Find, Page};
use crate::schema::Schema;
use crate::value::Name;

/// One request: the only type that travels from the manager to the backend.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Makes storage ready for a schema: creates what is missing, migrates in place what changed.
    Prepare(Arc<Schema>),
    /// Asks for one page of objects.
    Find(Find),
    /// Asks how many objects meet a filter.
    Count(Name, Filter),
    /// Writes; a single write is a batch of one.
    Write(Batch),
}

/// One answer, of the kind that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Storage is ready for the schema.
    Prepared,
    /// A page of objects.
    Found(Page),
    /// How many objects there are.
    Counted(u64),
    /// What each step of a batch did, in the order of the steps.
    Written(Vec<StepOutcome>),
}

macro_rules! outcome_is {
    ($($name:ident $variant:ident $type:ty),+ $(,)?) => {
        $(
            #[doc = concat!("The contents of [`Outcome::", stringify!($variant), "`].")]
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if this is another answer: a
            /// backend broke its contract.
            pub fn $name(self) -> crate::Result<$type> {
                match self {
                    Self::$variant(contents) => Ok(contents),
                    other => Err(crate::Error::internal("a backend gave another kind of answer")
                        .with("wanted", stringify!($variant))
                        .with("got", format_args!("{other:?}"))),
                }
            }
        )+
    };
}

impl Outcome {
    outcome_is! {
        found Found Page,
        counted Counted u64,
        written Written Vec<StepOutcome>,
    }
}
