//! Work can run where the application wants it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

use syncline_backend_sqlite::{Blocking, SqliteBackend, SqliteConfig};
use syncline_core::{Backend, ErrorKind, Filter, Find, Operation};

use super::support::*;

type Work = Box<dyn FnOnce() + Send>;
type Done = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs work at once, and counts it.
#[derive(Debug, Default)]
struct InPlace(AtomicUsize);

impl Blocking for InPlace {
    fn run(&self, work: Work) -> Done {
        let _ = self.0.fetch_add(1, Ordering::Relaxed);
        work();
        Box::pin(std::future::ready(()))
    }
}

/// A pool of threads, as a runtime has one.
#[derive(Debug)]
struct Pool {
    queue: mpsc::Sender<Box<dyn FnOnce() + Send>>,
    threads: Arc<Mutex<Vec<ThreadId>>>,
}

impl Pool {
    fn new(size: usize) -> Self {
        let (queue, work) = mpsc::channel::<Work>();
        let work = Arc::new(Mutex::new(work));
        let threads = Arc::new(Mutex::new(Vec::new()));
        for _ in 0..size {
            let (work, threads) = (work.clone(), threads.clone());
            let _ = thread::spawn(move || {
                loop {
                    let next = work.lock().expect("no panic").recv();
                    let Ok(next) = next else { return };
                    threads.lock().expect("no panic").push(thread::current().id());
                    next();
                }
            });
        }
        Self { queue, threads }
    }
}

impl Blocking for Pool {
    fn run(&self, work: Work) -> Done {
        let signal = Arc::new(Signal::default());
        let done = signal.clone();
        let work = move || {
            work();
            done.set();
        };
        self.queue.send(Box::new(work)).expect("the pool runs");
        Box::pin(Waiting(signal))
    }
}

/// Set once, from any thread.
#[derive(Debug, Default)]
struct Signal(Mutex<(bool, Option<Waker>)>);

impl Signal {
    fn set(&self) {
        let mut state = self.0.lock().expect("no panic");
        state.0 = true;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

struct Waiting(Arc<Signal>);

impl Future for Waiting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.0.lock().expect("no panic");
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

/// Never runs anything, as a pool that was shut down.
#[derive(Debug)]
struct Closed;

impl Blocking for Closed {
    fn run(&self, work: Work) -> Done {
        drop(work);
        Box::pin(std::future::ready(()))
    }
}

fn open(place: &Place, blocking: Arc<dyn Blocking>) -> SqliteBackend {
    let config = SqliteConfig { blocking: Some(blocking), ..SqliteConfig::default() };
    SqliteBackend::open(place.path(), config).expect("opens")
}

#[test]
fn work_runs_in_place_if_the_application_says_so() {
    let (place, in_place) = (Place::new(), Arc::new(InPlace::default()));
    let backend = open(&place, in_place.clone());
    prepare(&backend, &notes()).expect("prepares");
    let _ = write(&backend, many_notes(3)).expect("writes");
    assert_eq!(all(&backend, "note").len(), 3);
    assert_eq!(in_place.0.load(Ordering::Relaxed), 3);
}

#[test]
fn work_runs_on_a_pool_and_never_on_the_asking_thread() {
    let (place, pool) = (Place::new(), Arc::new(Pool::new(3)));
    let backend = open(&place, pool.clone());
    prepare(&backend, &notes()).expect("prepares");
    let askers: Vec<_> = (0..4)
        .map(|asker| {
            let backend = backend.clone();
            thread::spawn(move || {
                for at in 0..25 {
                    let key = format!("{asker}-{at}");
                    let batch = syncline_core::Batch::new().create("note", a_note(&key, "x", at));
                    let _ = write(&backend, batch).expect("writes");
                    let found = find(&backend, "note", Filter::key(key.as_str())).expect("finds");
                    assert_eq!(found.len(), 1, "a write is seen by the read that follows it");
                }
                thread::current().id()
            })
        })
        .collect();
    let askers: Vec<_> = askers.into_iter().map(|asker| asker.join().expect("no panic")).collect();

    assert_eq!(all(&backend, "note").len(), 100);
    let threads = pool.threads.lock().expect("no panic");
    assert!(threads.iter().all(|thread| !askers.contains(thread)));
}

#[test]
fn an_error_comes_back_from_the_pool() {
    let place = Place::new();
    let backend = open(&place, Arc::new(Pool::new(1)));
    prepare(&backend, &notes()).expect("prepares");
    let twice = many_notes(1).create("note", a_note("n000", "x", 1));
    refused(write(&backend, twice), ErrorKind::Conflict, &["n000"]);
}

#[test]
fn work_that_was_never_run_is_unavailable() {
    let backend = open(&Place::new(), Arc::new(Closed));
    refused(prepare(&backend, &notes()), ErrorKind::Unavailable, &["repeat"]);
}

#[test]
fn handed_over_work_is_done_even_if_nobody_waits_for_it() {
    let (place, in_place) = (Place::new(), Arc::new(InPlace::default()));
    let backend = open(&place, in_place);
    prepare(&backend, &notes()).expect("prepares");
    let mut write = backend.execute(Operation::Write(many_notes(2)));
    let _ = write.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(write);
    assert_eq!(all(&backend, "note").len(), 2);
}

#[test]
fn readers_do_not_wait_for_a_writer_and_there_are_no_more_than_allowed() {
    let place = Place::new();
    let config = SqliteConfig { readers: 2, ..SqliteConfig::default() };
    let backend = SqliteBackend::open(place.path(), config).expect("opens");
    prepare(&backend, &notes()).expect("prepares");
    let _ = write(&backend, many_notes(50)).expect("writes");
    let other = place.connect();
    other.execute_batch("BEGIN IMMEDIATE; DELETE FROM note").expect("begins");

    let gate = Arc::new((Mutex::new(0), Condvar::new()));
    let readers: Vec<_> = (0..6)
        .map(|_| {
            let (backend, gate) = (backend.clone(), gate.clone());
            thread::spawn(move || {
                *gate.0.lock().expect("no panic") += 1;
                gate.1.notify_all();
                let few = Find::new("note", Filter::ne("title", "y"));
                page(&backend, few).expect("finds").objects.len()
            })
        })
        .collect();
    let started = gate.0.lock().expect("no panic");
    drop(gate.1.wait_while(started, |started| *started < 6).expect("no panic"));
    for reader in readers {
        assert_eq!(reader.join().expect("no panic"), 50, "what is not committed is not seen");
    }
    other.execute_batch("ROLLBACK").expect("ends");
}
