//! Whoever stops in the middle, be it a page that is closed, loses nothing that was promised and leaves
//! nothing half done.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use syncline::{Batch, Filter, Object, Operation, StorageManager};
use syncline_browser::{Replica, page};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{create, log, replica, schema, users};

/// Goes on with a future so many times, then drops it; the answer if there was one by then.
async fn polled<T>(future: impl Future<Output = T>, times: u32) -> Option<T> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            // Dropped at once, not when something happens that it waits for.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[wasm_bindgen_test]
async fn a_batch_that_is_dropped_anywhere_is_written_wholly_or_not_at_all() {
    let (mut ended, mut times) = (false, 0);
    while !ended {
        times += 1;
        let config = page::config();
        // Without a log, which would find out beforehand which objects the filters mean.
        let open = async || {
            let manager = StorageManager::builder(page::open(&config).await).schema(schema());
            manager.build().await.expect("it opens")
        };
        let one = open().await;
        let handle = one.collection("user").expect("there are users");
        let _ = handle.create_many(users(0..3)).await.expect("they are new");
        // The filters make it write, read and write again.
        let batch = Batch::new()
            .create("user", users(7..8).remove(0))
            .update("user", Filter::gte("name", "User 2"), Object::new().with("age", 1))
            .delete("user", Filter::eq("name", "User 0"));
        ended = polled(one.execute(Operation::Write(batch)), times).await.is_some();
        drop((handle, one));

        let again = open().await.collection("user").expect("there are users");
        let found = again.find(Filter::All).await.expect("it reads");
        let ids: Vec<&str> = found.iter().filter_map(|user| user.value("id").as_text()).collect();
        let wholly = ids == ["00001", "00002", "00007"];
        assert!(wholly || found == users(0..3), "dropped after {times}: {found:?}");
        assert!(wholly || !ended, "what was answered is there");
    }
    assert!(times > 3, "it waits in between");
}

#[wasm_bindgen_test]
async fn a_sync_that_is_dropped_anywhere_is_done_by_the_next() {
    let (mut ended, mut times) = (false, 0);
    while !ended {
        times += 1;
        let (other, log) = (replica(2).await, log());
        create(&other, users(10..14)).await;
        let _ = other.sync(&log).await.expect("it syncs");
        let config = page::config();
        let one = Replica::open(page::open(&config).await, 1, schema()).await.expect("it opens");
        create(&one, users(0..3)).await;
        ended = polled(one.sync(&log), times).await.is_some();
        drop(one);

        let again = Replica::open(page::open(&config).await, 1, schema()).await.expect("it opens");
        let _ = again.sync(&log).await.expect("it syncs");
        let _ = other.sync(&log).await.expect("it syncs");
        let all = again.all("user").await.expect("it reads");
        assert_eq!(all, [users(0..3), users(10..14)].concat(), "dropped after {times}");
        assert_eq!(other.all("user").await.expect("it reads"), all, "dropped after {times}");
    }
    assert!(times > 8, "it waits in between");
}
