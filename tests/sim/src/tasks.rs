//! Tasks on one thread, of which dice choose who goes on.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::dice::Dice;

pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Everything that is under way.
#[derive(Default)]
pub(crate) struct Tasks(Vec<Task>);

struct Task {
    /// The replica whose process this is part of; nothing for what is on its way through the network.
    owner: Option<usize>,
    what: &'static str,
    work: Work,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Tasks {
    pub(crate) fn spawn(&mut self, owner: Option<usize>, what: &'static str, work: Work) {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        self.0.push(Task { owner, what, work, woken });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many tasks a replica's process has under way.
    pub(crate) fn of(&self, owner: usize, what: &str) -> usize {
        self.0.iter().filter(|task| task.owner == Some(owner) && task.what == what).count()
    }

    /// Ends a process: everything it has under way stops where it is.
    pub(crate) fn kill(&mut self, owner: usize) {
        self.0.retain(|task| task.owner != Some(owner));
    }

    /// Drops one task of a process, as an application drops a future that takes too long.
    pub(crate) fn cancel(&mut self, owner: usize, dice: &Dice) -> Option<&'static str> {
        let of_owner = |(place, task): (usize, &Task)| (task.owner == Some(owner)).then_some(place);
        let places: Vec<usize> = self.0.iter().enumerate().filter_map(of_owner).collect();
        let place = *dice.pick(&places)?;
        Some(self.0.remove(place).what)
    }

    /// Lets one task go on that can; false if all of them wait. Says whose process it was.
    pub(crate) fn step(&mut self, dice: &Dice) -> Option<Option<usize>> {
        let ready = |task: &Task| task.woken.0.load(Ordering::Relaxed);
        let ready: Vec<usize> = (0..self.0.len()).filter(|place| ready(&self.0[*place])).collect();
        let place = *dice.pick(&ready)?;
        let task = self.0.get_mut(place)?;
        let owner = task.owner;
        task.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(task.woken.clone());
        if let Poll::Ready(()) = task.work.as_mut().poll(&mut Context::from_waker(&waker)) {
            drop(self.0.remove(place));
        }
        Some(owner)
    }
}

/// What a future answers that never waits, such as that of storage in memory.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}
