//! Two hubs that keep everything in one file.

use std::collections::BTreeSet;

use syncline::log::{After, Span};
use syncline::{ErrorKind, SharedLog};
use syncline_conformance::lanes::{Follower, Sealer, replica};
use syncline_hub::{HubProcess, client};

use crate::HUB;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_two_hubs_on_one_file_miss_nothing() {
    const EACH: usize = 60;
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("hub.db");
    let hubs = [HubProcess::start(HUB, &store), HubProcess::start(HUB, &store)];
    let writers: Vec<_> = (1..=6_u8)
        .map(|number| {
            let log = client(&hubs[usize::from(number) % 2].url());
            tokio::spawn(async move {
                let mut sealer = Sealer::new(log.group(), replica(number));
                for _ in 0..EACH {
                    let segment = sealer.notes(["x"]);
                    while let Err(error) = log.append(std::slice::from_ref(&segment)).await {
                        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                    }
                }
            })
        })
        .collect();
    let readers: Vec<_> = hubs
        .iter()
        .map(|hub| {
            let log = client(&hub.url());
            tokio::spawn(async move {
                let mut request = Follower::new(replica(99)).request;
                let mut seen: BTreeSet<Span> = BTreeSet::new();
                while seen.len() < 6 * EACH {
                    let fetched = log.fetch(&request).await.expect("it answers");
                    for segment in &fetched.segments {
                        assert!(seen.insert(*segment.span()), "nothing comes twice");
                    }
                    request.after = After::Cursor(fetched.cursor);
                }
            })
        })
        .collect();
    for task in writers.into_iter().chain(readers) {
        task.await.expect("it ends well");
    }
}
