//! Holds the log in a folder to the contract of every shared log.

use std::sync::Arc;

use syncline_conformance::{LogFixture, shared_log_suite};
use syncline_shared_log_fs::FsLog;

shared_log_suite!(
    #[pollster::test]
    open
);

async fn open() -> LogFixture {
    let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
    LogFixture::new(move |place, group| {
        let folder = folder.clone();
        async move { FsLog::open(folder.path().join(place.to_string()), group) }
    })
}
