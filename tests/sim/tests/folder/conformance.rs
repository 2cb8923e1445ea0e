//! Holds the log in a folder to the contract of every shared log, on virtual disks.

use std::sync::Arc;

use syncline::shared_log::fs::FsLog;
use syncline_conformance::{LogFixture, shared_log_suite};
use syncline_sim::folder::VirtualDisk;

fn fixture(disk: VirtualDisk) -> LogFixture {
    LogFixture::new(move |place, group| {
        let disk = Arc::new(disk.clone());
        async move { FsLog::open_on(disk, format!("/meet/{place}"), group) }
    })
}

mod with_links {
    use super::*;

    shared_log_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> LogFixture {
        fixture(VirtualDisk::new())
    }
}

mod without_links {
    use super::*;

    shared_log_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> LogFixture {
        fixture(VirtualDisk::without_links())
    }
}
