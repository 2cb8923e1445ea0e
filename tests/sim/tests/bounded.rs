//! Pages and batches stay within their limits, however much was written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use syncline::shared_log::memory::MemoryLog;
use syncline::value::canonical::put_object;
use syncline::{Backend, Capability, Object, Operation, Outcome, Result, SyncOptions, async_trait};
use syncline_it::{Replica, Store, schema, storage};

/// Storage that notes the most that was asked of it at once.
#[derive(Debug)]
struct Measured {
    inner: Arc<dyn Backend>,
    page_bytes: AtomicUsize,
    batch_steps: AtomicUsize,
}

#[async_trait]
impl Backend for Measured {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn execute(&self, operation: Operation) -> Result<Outcome> {
        if let Operation::Write(batch) = &operation {
            let _ = self.batch_steps.fetch_max(batch.steps.len(), Ordering::Relaxed);
        }
        let outcome = self.inner.execute(operation).await?;
        if let Outcome::Found(page) = &outcome {
            let mut bytes = Vec::new();
            page.objects.iter().for_each(|object| put_object(&mut bytes, object));
            let _ = self.page_bytes.fetch_max(bytes.len(), Ordering::Relaxed);
        }
        Ok(outcome)
    }
}

/// The most bytes of a page and the most steps of a batch, when so many objects are written, sent and received.
fn most(objects: usize, options: &SyncOptions) -> [(usize, usize); 2] {
    pollster::block_on(async {
        let mut replicas = Vec::new();
        for number in 1..=2 {
            let inner = storage(Store::Memory);
            let (page_bytes, batch_steps) = Default::default();
            let storage = Arc::new(Measured { inner, page_bytes, batch_steps });
            let opened = Replica::open(storage.clone(), number, schema(), |config| config).await;
            replicas.push((storage, opened.expect("it opens")));
        }
        let log = MemoryLog::new("test".parse().expect("a group"));
        for from in (0..objects).step_by(500) {
            let mut batch = replicas[0].1.manager.batch();
            for number in from..from + 500 {
                let user = Object::new().with("id", format!("{number:09}")).with("name", "x");
                batch = batch.create("user", user);
            }
            let _ = batch.run().await.expect("it writes");
        }
        for (_, replica) in &replicas {
            let _ = replica.sync_with(&log, options).await;
        }
        assert_eq!(
            replicas[1]
                .1
                .manager
                .collection("user")
                .expect("it is there")
                .count(syncline::Filter::All)
                .await
                .expect("it counts"),
            objects as u64
        );
        [0, 1].map(|number: usize| {
            let storage = &replicas[number].0;
            let most = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
            (most(&storage.page_bytes), most(&storage.batch_steps))
        })
    })
}

#[test]
fn four_times_as_much_makes_no_page_and_no_batch_larger() {
    let options =
        SyncOptions { upload_entries: 2_000, download_entries: 2_000, ..Default::default() };
    let (some, many) = (most(100_000, &options), most(400_000, &options));
    for ((some, many), who) in some.into_iter().zip(many).zip(["the sender", "the receiver"]) {
        assert!(
            many.0 <= some.0 + some.0 / 10,
            "{who}: pages of {} bytes, then {}",
            some.0,
            many.0
        );
        assert!(many.1 <= some.1 + some.1 / 10, "{who}: batches of {}, then {}", some.1, many.1);
        assert!(many.0 < 16 << 20, "{who}: a page of {} bytes", many.0);
    }
}
