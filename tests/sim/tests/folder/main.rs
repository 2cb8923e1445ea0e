//! A shared log in a folder whose disk fails, whose power is cut, and whose files come late.

mod acts;
mod carried;
mod conformance;
mod crash;
mod disk;
mod story;
mod synced;
mod together;
