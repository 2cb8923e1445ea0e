//! Every activity is interrupted at every durable step; nothing is lost, and nothing happens twice.

mod steps;
#[cfg(unix)]
mod syscalls;
#[cfg(unix)]
mod whenever;
