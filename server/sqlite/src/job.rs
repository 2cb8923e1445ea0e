//! One change, as the writer carries it out.

use rusqlite::Connection;
use syncline_core::Error;
use tokio::sync::oneshot;

use crate::error::{Result, again};

/// What a change does. It may be done again if what it was done with was taken back.
pub(crate) type Work<T> = Box<dyn Fn(&Connection) -> Result<T> + Send>;

/// About how many bytes of memory an answer takes until somebody fetches it.
pub(crate) trait Weigh {
    fn weight(&self) -> usize;
}

impl Weigh for () {
    fn weight(&self) -> usize {
        0
    }
}

impl Weigh for i64 {
    fn weight(&self) -> usize {
        0
    }
}

/// A change that somebody waits for.
pub(crate) trait Job: Send {
    /// Does the work in the open transaction.
    fn run(&mut self, connection: &Connection) -> Ran;

    /// Tells who waits what the work came to, or why it was not committed.
    fn answer(self: Box<Self>, committed: std::result::Result<(), &Error>);
}

/// How a change went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    /// Whether the transaction holds all of it, or nothing if it failed.
    pub(crate) is_whole: bool,
    /// The bytes that it occupies until it is answered.
    pub(crate) weight: usize,
}

pub(crate) struct Task<T> {
    work: Work<T>,
    bytes: usize,
    done: Option<Result<T, Error>>,
    waits: oneshot::Sender<Result<T, Error>>,
}

impl<T> Task<T> {
    /// Work on so many bytes, and where its answer will be.
    pub(crate) fn new(bytes: usize, work: Work<T>) -> (Self, oneshot::Receiver<Result<T, Error>>) {
        let (waits, answer) = oneshot::channel();
        (Self { work, bytes, done: None, waits }, answer)
    }
}

impl<T: Send + Weigh> Job for Task<T> {
    fn run(&mut self, connection: &Connection) -> Ran {
        let (done, is_whole) = run(connection, &self.work);
        let weight = self.bytes + done.as_ref().map_or(0, Weigh::weight);
        self.done = Some(done);
        Ran { is_whole, weight }
    }

    fn answer(self: Box<Self>, committed: std::result::Result<(), &Error>) {
        let answer = match (committed, self.done) {
            (Err(error), _) => Err(again(error)),
            (Ok(()), Some(done)) => done,
            (Ok(()), None) => return,
        };
        // Who asked may have gone; the change is made all the same.
        let _ = self.waits.send(answer);
    }
}

/// Does the work; also tells whether the transaction holds all of it, or nothing if it failed.
fn run<T>(
    connection: &Connection,
    work: impl Fn(&Connection) -> Result<T>,
) -> (Result<T, Error>, bool) {
    let before = connection.total_changes();
    // Mapped here, because the thread that failed knows why its disk did not work.
    let done = work(connection).map_err(Error::from);
    let is_untouched = || connection.total_changes() == before && !connection.is_autocommit();
    let is_whole = done.is_ok() || is_untouched();
    (done, is_whole)
}
