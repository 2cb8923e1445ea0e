//! Clients whose clocks are years off.

use syncline::middleware::SystemClock;
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::{object_log, status};
use syncline::{Clock, Object};
use syncline_hub::{HubProcess, client};
use syncline_it::{Replica, Store, law};

use crate::HUB;

const YEAR: i64 = 365 * 24 * 3_600_000;

fn note(id: &str) -> Object {
    Object::new().with("id", id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_years_off_is_put_right_by_the_hub_and_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = HubProcess::start(HUB, &folder.path().join("hub.db"));
    let log = client(&hub.url());
    let now = SystemClock.now_millis();
    let (ahead, behind) =
        (Replica::new(Store::Sqlite, 1).await, Replica::new(Store::Memory, 2).await);
    ahead.clock.set(now + 10 * YEAR);
    behind.clock.set(now - 10 * YEAR);
    for (replica, id) in [(&ahead, "ahead"), (&behind, "behind")] {
        let _ = replica.create("note", note(id)).await;
        assert!(replica.sync(&log).await.finished);
        let logged = object_log(&replica.log, Some(&"note".into()), Some(&id.into())).await;
        let stamp = logged.expect("it tells")[0].author.stamp.millis();
        assert!(stamp.abs_diff(now) < 600_000, "{id} was stamped anew");
        let shown = status(&replica.log).await.expect("a status").remotes[0].clock_offset;
        let shown = shown.expect("the hub tells the time");
        assert!(shown.abs().abs_diff(10 * YEAR) < 600_000, "{id} shows by how much it is off");
    }
    let _ = ahead.sync(&log).await;
    law::check_equal(&[ahead, behind]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_frozen_with_a_wrong_clock_is_taken_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = HubProcess::start(HUB, &folder.path().join("hub.db"));
    let log = client(&hub.url());
    let elsewhere = MemoryLog::new("test".parse().expect("a group"));
    let now = SystemClock.now_millis();
    let (one, two) = (Replica::new(Store::Sqlite, 1).await, Replica::new(Store::Memory, 2).await);
    one.clock.set(now + YEAR);
    two.clock.set(now);
    let _ = one.create("note", note("frozen")).await;
    let _ = one.sync(&elsewhere).await;
    for replica in [&one, &two] {
        assert!(replica.sync(&log).await.finished);
    }
    law::check_equal(&[one, two]).await;
}
