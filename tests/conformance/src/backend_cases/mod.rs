//! One function for each promise of [`Backend`](syncline_core::Backend), in files by verb.
//!
//! Every case gets a [`Fixture`](crate::Fixture) whose storage is empty and prepared for
//! [`schema`](crate::schema()).

mod batch;
mod count;
mod counted;
mod create;
mod delete;
mod filter;
mod full_text;
mod guard;
mod keys;
mod name;
mod order;
mod page;
mod prepare;
mod select;
mod support;
mod update;
mod value;

pub use batch::*;
pub use count::*;
pub use counted::*;
pub use create::*;
pub use delete::*;
pub use filter::*;
pub use full_text::*;
pub use guard::*;
pub use keys::*;
pub use name::*;
pub use order::*;
pub use page::*;
pub use prepare::*;
pub use select::*;
pub use update::*;
pub use value::*;

#[cfg(test)]
pub(crate) const FILES: &[&str] = &[
    include_str!("batch.rs"),
    include_str!("count.rs"),
    include_str!("counted.rs"),
    include_str!("create.rs"),
    include_str!("delete.rs"),
    include_str!("filter.rs"),
    include_str!("full_text.rs"),
    include_str!("guard.rs"),
    include_str!("keys.rs"),
    include_str!("name.rs"),
    include_str!("order.rs"),
    include_str!("page.rs"),
    include_str!("prepare.rs"),
    include_str!("select.rs"),
    include_str!("update.rs"),
    include_str!("value.rs"),
];
