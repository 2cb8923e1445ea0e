//! The log of real hubs, over fetch.

use std::cell::Cell;

use syncline::shared_log::http::{HttpLog, HttpLogConfig};
use syncline_conformance::{LogFixture, shared_log_suite};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{create, users};
use syncline_browser::{Replica, page};

/// The addresses of the hubs, one for each place that a case needs; `cargo xtask wasm` starts them.
fn hub(place: usize) -> &'static str {
    let hubs = option_env!("SYNCLINE_TEST_HUBS").unwrap_or_default();
    hubs.split(',')
        .nth(place)
        .filter(|hub| !hub.is_empty())
        .expect("`cargo xtask wasm` starts the hubs")
}

thread_local! {
    static OPENED: Cell<u32> = const { Cell::new(0) };
}

/// A name that no other group has: the hubs serve all tests.
fn group() -> String {
    let number = OPENED.with(|opened| opened.replace(opened.get() + 1));
    format!("test {number} {}", js_sys::Math::random())
}

mod kept {
    use super::*;

    shared_log_suite!(
        #[wasm_bindgen_test]
        open
    );

    async fn open() -> LogFixture {
        LogFixture::of(group().parse().expect("it is a name"), |place, group| async move {
            HttpLog::with(HttpLogConfig::new(hub(place), group))
        })
    }
}

#[wasm_bindgen_test]
async fn replicas_meet_at_a_hub() {
    let group = "test".parse().expect("it is a name");
    let log = HttpLog::with(HttpLogConfig::new(hub(2), group)).expect("the address is sound");
    let schema = crate::support::schema;
    let open = async |number| Replica::open(page::storage().await, number, schema()).await;
    let (one, two) = (open(1).await.expect("it opens"), open(2).await.expect("it opens"));
    create(&one, users(0..2_000)).await;
    create(&two, users(3_000..3_010)).await;
    for replica in [&one, &two, &one] {
        let _ = replica.sync(&log).await.expect("it syncs");
    }
    let all = one.all("user").await.expect("it reads");
    assert_eq!(all, [users(0..2_000), users(3_000..3_010)].concat());
    assert_eq!(two.all("user").await.expect("it reads"), all);
}
