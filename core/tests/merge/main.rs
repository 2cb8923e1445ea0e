//! The law of merging, held against a model that is written straight from its words.

mod cases;
mod law;
mod lost;
mod support;
