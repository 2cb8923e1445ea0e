//! The threads of a store: one that writes, some that read.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use syncline_core::{Error, ErrorKind};
use tokio::sync::{oneshot, watch};

use crate::config::SqliteStoreConfig;
use crate::connection::{self, Role};
use crate::counters::Tally;
use crate::error::{Result, StoreError};
use crate::job::{Job, Task, Weigh, Work};
use crate::queue::Queue;

type Changes = Queue<Box<dyn Job>>;
type Reads = Queue<Box<dyn FnOnce(&Connection) + Send>>;

/// The threads, and what waits for them.
#[derive(Debug)]
pub(crate) struct Threads {
    changes: Arc<Changes>,
    reads: Arc<Reads>,
    tally: Arc<Tally>,
    /// How many of the threads have ended.
    ended: watch::Receiver<usize>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    started: usize,
}

impl Threads {
    pub(crate) fn start(
        path: &Path,
        config: &SqliteStoreConfig,
        tally: Arc<Tally>,
    ) -> Result<Self> {
        let changes = Arc::new(Changes::new(config.queue_jobs, config.queue_bytes));
        let reads = Arc::new(Reads::new(config.queue_jobs, config.queue_bytes));
        let ended = watch::Sender::new(0);
        let started = config.readers.max(1) + 1;
        let threads = Self {
            changes: changes.clone(),
            reads: reads.clone(),
            tally: tally.clone(),
            ended: ended.subscribe(),
            threads: Mutex::default(),
            started,
        };
        let writer = Writer {
            connection: connection::open(Some(path), config, Role::Writer)?,
            changes: changes.clone(),
            tally,
            most_jobs: config.commit_jobs.max(1),
            most_bytes: config.commit_bytes,
        };
        let end = End { reads: reads.clone(), changes: changes.clone(), ended: ended.clone() };
        threads.spawn("syncline-hub-write", end, move || writer.run())?;
        for _ in 1..started {
            let connection = connection::open(Some(path), config, Role::Reader)?;
            let end = End { reads: reads.clone(), changes: changes.clone(), ended: ended.clone() };
            let reads = reads.clone();
            threads.spawn("syncline-hub-read", end, move || {
                while let Some(work) = reads.take() {
                    work(&connection);
                }
            })?;
        }
        Ok(threads)
    }

    /// Carries out a change of so many bytes; it is durable when this answers.
    pub(crate) async fn write<T>(&self, bytes: usize, work: Work<T>) -> Result<T, Error>
    where
        T: Send + Weigh + 'static,
    {
        let (task, answer) = Task::new(bytes, work);
        self.changes.push(Box::new(task), bytes)?;
        self.tally.accepted();
        self.wait(answer).await
    }

    /// Answers a question.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (waits, answer) = oneshot::channel();
        let tally = self.tally.clone();
        let job = move |connection: &Connection| {
            tally.read();
            // Who asked may have gone.
            let _ = waits.send(connection::read(connection, work).map_err(Error::from));
        };
        self.reads.push(Box::new(job), 0)?;
        self.wait(answer).await
    }

    /// Lets all threads end what they were given; waits for them.
    pub(crate) async fn close(&self) -> Result<(), Error> {
        self.changes.close();
        self.reads.close();
        let mut ended = self.ended.clone();
        // Fails only if all of them are gone, which is what is waited for.
        let _ = ended.wait_for(|ended| *ended == self.started).await;
        Ok(())
    }

    async fn wait<T>(&self, answer: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
        answer.await.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    fn spawn(&self, name: &str, end: End, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let run = move || {
            let _end = end;
            work();
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread.map_err(StoreError::Thread)?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.changes.close();
        self.reads.close();
        for thread in self.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // One that panicked has said so already.
            let _ = thread.join();
        }
    }
}

/// Tells that a thread has ended. One that panicked takes the others with it: what waits for it would wait
/// forever.
struct End {
    reads: Arc<Reads>,
    changes: Arc<Changes>,
    ended: watch::Sender<usize>,
}

impl Drop for End {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.changes.abandon();
            self.reads.abandon();
        }
        self.ended.send_modify(|ended| *ended += 1);
    }
}

/// What the writing thread has.
struct Writer {
    connection: Connection,
    changes: Arc<Changes>,
    tally: Arc<Tally>,
    most_jobs: usize,
    most_bytes: usize,
}

impl Writer {
    fn run(self) {
        while self.changes.wait() {
            self.commit_what_waits();
        }
        // What was committed is durable, or as durable as was asked for, and whoever opens the file next does
        // this as well.
        let _ = connection::checkpoint(&self.connection);
    }

    /// Carries out what waits, also what comes meanwhile, in one commit.
    fn commit_what_waits(&self) {
        let mut jobs = Vec::new();
        if let Err(error) = connection::begin(&self.connection) {
            self.refuse(error.into());
            return;
        }
        let mut bytes = 0;
        while jobs.len() < self.most_jobs && bytes < self.most_bytes {
            let Some(mut job) = self.changes.try_take() else { break };
            let ran = job.run(&self.connection);
            jobs.push(job);
            if !ran.is_whole {
                connection::roll_back(&self.connection);
                return self.commit_each(jobs);
            }
            bytes += ran.weight;
        }
        match self.commit() {
            Ok(()) => self.answer(jobs, Ok(())),
            // What has no room together may have some one by one.
            Err(error) if error.kind() == ErrorKind::Full && jobs.len() > 1 => {
                self.commit_each(jobs);
            }
            Err(error) => self.answer(jobs, Err(&error)),
        }
    }

    /// One of these failed half-way, and what it left behind was taken back with all the others.
    fn commit_each(&self, jobs: Vec<Box<dyn Job>>) {
        for mut job in jobs {
            if let Err(error) = connection::begin(&self.connection) {
                self.answer(vec![job], Err(&error.into()));
                continue;
            }
            if job.run(&self.connection).is_whole {
                let committed = self.commit();
                self.answer(vec![job], committed.as_ref().copied());
            } else {
                connection::roll_back(&self.connection);
                // It failed, and its own answer says why.
                self.answer(vec![job], Ok(()));
            }
        }
    }

    fn commit(&self) -> Result<(), Error> {
        let committed = connection::commit(&self.connection).map_err(Error::from);
        match &committed {
            Ok(()) => self.tally.commit(),
            Err(_) => connection::roll_back(&self.connection),
        }
        committed
    }

    /// Nothing can be written now. Who comes later finds out for itself: what was in the way may be gone.
    fn refuse(&self, error: Error) {
        for _ in 0..self.changes.len() {
            let Some(job) = self.changes.try_take() else { return };
            self.answer(vec![job], Err(&error));
        }
    }

    fn answer(&self, jobs: Vec<Box<dyn Job>>, committed: std::result::Result<(), &Error>) {
        for job in jobs {
            self.tally.answered();
            job.answer(committed);
        }
    }
}
