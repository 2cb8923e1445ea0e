//! Runs one continuous sync by hand: it does what it can, and stands still.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use syncline::sync::{
    Cause, ContinuousEvent, ContinuousObserver, ContinuousOptions, ContinuousSync, SyncHandle,
};
use syncline::timer::HandTimer;
use syncline_it::{Replica, Store};

use crate::desk::{Desk, locked};

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<ContinuousEvent>>);

impl ContinuousObserver for Heard {
    fn on_event(&self, event: &ContinuousEvent) {
        locked(&self.0).push(event.clone());
    }
}

#[derive(Debug, Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A replica that syncs by itself.
pub struct Runner {
    pub replica: Replica,
    pub desk: Arc<Desk>,
    pub handle: SyncHandle,
    pub timer: HandTimer,
    heard: Arc<Heard>,
    future: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    flag: Arc<Flag>,
}

impl Runner {
    /// A replica that has done its first sync.
    pub async fn new(number: u64, desk: Arc<Desk>) -> Self {
        let mut runner = Self::with(number, desk, |options| options).await;
        runner.settle();
        assert_eq!(runner.causes(), [Cause::Start]);
        runner
    }

    /// A replica that has not begun yet.
    pub async fn with(
        number: u64,
        desk: Arc<Desk>,
        configure: impl FnOnce(ContinuousOptions) -> ContinuousOptions,
    ) -> Self {
        Self::on(Replica::new(Store::Memory, number).await, desk, configure)
    }

    /// The same, on a replica that is there.
    pub fn on(
        replica: Replica,
        desk: Arc<Desk>,
        configure: impl FnOnce(ContinuousOptions) -> ContinuousOptions,
    ) -> Self {
        let (timer, heard) = (HandTimer::default(), Arc::new(Heard::default()));
        let options = ContinuousOptions {
            observer: Some(heard.clone()),
            ..configure(ContinuousOptions::default())
        };
        let sync = ContinuousSync::new(replica.log.clone(), desk.clone(), Arc::new(timer.clone()))
            .with(options)
            .on_notice(desk.clone());
        let handle = sync.handle();
        let flag = Arc::new(Flag(true.into()));
        let future = Some(Box::pin(sync.run()) as _);
        Self { replica, desk, handle, timer, heard, future, flag }
    }

    /// Lets it do whatever it can do without time going on.
    pub fn settle(&mut self) {
        let waker = Waker::from(self.flag.clone());
        while self.flag.0.swap(false, Ordering::SeqCst) {
            let Some(future) = &mut self.future else { return };
            if let Poll::Ready(()) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.future = None;
            }
        }
    }

    /// Lets time go on.
    pub fn pass(&mut self, time: Duration) {
        self.timer.advance(time);
        self.settle();
    }

    /// Lets time go on until something it waits for is due; how long that was.
    pub fn pass_to_next(&mut self) -> Duration {
        let time = self.timer.next().expect("it waits for something");
        self.pass(time);
        time
    }

    /// Writes a note; nothing is synced yet.
    pub async fn write(&self, text: &str) {
        let _ = self.replica.create("note", syncline::Object::new().with("text", text)).await;
    }

    pub async fn notes(&self) -> usize {
        self.replica.all("note").await.len()
    }

    pub fn is_running(&self) -> bool {
        self.future.is_some()
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.future = None;
    }

    /// What was told since it was last asked.
    pub fn events(&self) -> Vec<ContinuousEvent> {
        std::mem::take(&mut *locked(&self.heard.0))
    }

    /// Why syncs began since it was last asked; all else is forgotten.
    pub fn causes(&self) -> Vec<Cause> {
        let cause = |event| match event {
            ContinuousEvent::Started(cause) => Some(cause),
            _ => None,
        };
        self.events().into_iter().filter_map(cause).collect()
    }
}
