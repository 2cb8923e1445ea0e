//! Both cores at work on one enumeration.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does each piece of work once, on as many threads as there are cores, and adds up what comes of it.
pub fn sum<T: Sync>(work: &[T], each: impl Fn(&T) -> u64 + Sync) -> u64 {
    let next = AtomicUsize::new(0);
    let one_thread = || {
        let mut sum = 0;
        while let Some(piece) = work.get(next.fetch_add(1, Ordering::SeqCst)) {
            sum += each(piece);
        }
        sum
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(one_thread)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no world broke the law")).sum()
    })
}

/// Does something; if it panics, tells where it was.
pub fn at<T>(place: &impl Debug, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| panic!("this happened at {place:#?}"))
}
