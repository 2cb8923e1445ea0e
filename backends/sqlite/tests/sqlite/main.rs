//! What the SQLite backend promises beyond what every backend does.

mod adopt;
mod blocking;
mod counters;
mod full_disk;
mod migrate;
mod odd_values;
mod opening;
mod paging;
mod plans;
mod processes;
mod support;
mod words;
