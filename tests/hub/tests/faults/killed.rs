//! Hubs that are killed while clients upload.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use syncline::log::{Segment, Span};
use syncline::{ErrorKind, SharedLog};
use syncline_conformance::lanes::{Follower, Sealer, replica};
use syncline_hub::{HubProcess, client};
use tokio::sync::mpsc;

use crate::HUB;

const CLIENTS: u8 = 20;
const KILLS: usize = 50;

/// Uploads until it is told to stop; answers with what was acknowledged.
async fn upload(
    url: String,
    number: u8,
    stops: Arc<AtomicBool>,
    acknowledged: mpsc::UnboundedSender<()>,
) -> Vec<Segment> {
    let log = client(&url);
    let mut sealer = Sealer::new(log.group(), replica(number));
    let mut all = Vec::new();
    while !stops.load(Ordering::Relaxed) {
        let segment = sealer.notes(["a", "b"]);
        while let Err(error) = log.append(std::slice::from_ref(&segment)).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            tokio::task::yield_now().await;
        }
        all.push(segment);
        let _ = acknowledged.send(());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_killed_again_and_again_loses_nothing_and_holds_nothing_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut hub = HubProcess::start(HUB, &folder.path().join("hub.db"));
    let stops = Arc::new(AtomicBool::new(false));
    let (sender, mut acknowledged) = mpsc::unbounded_channel();
    let uploads: Vec<_> = (1..=CLIENTS)
        .map(|number| tokio::spawn(upload(hub.url(), number, stops.clone(), sender.clone())))
        .collect();
    for kill in 0..KILLS {
        // Another number of segments each time, so that it dies at another moment.
        for _ in 0..(7 + kill * 13 % 41) {
            acknowledged.recv().await.expect("clients go on");
        }
        tokio::task::block_in_place(|| hub.kill_and_restart());
    }
    stops.store(true, Ordering::Relaxed);
    let mut told = BTreeMap::new();
    for upload in uploads {
        for segment in upload.await.expect("it uploads") {
            assert_eq!(told.insert(*segment.span(), segment), None);
        }
    }
    let mut held: BTreeMap<Span, Segment> = BTreeMap::new();
    for segment in Follower::new(replica(99)).all(&client(&hub.url())).await.expect("it answers") {
        assert_eq!(held.insert(*segment.span(), segment), None, "nothing comes twice");
    }
    assert_eq!(held.len(), told.len());
    assert!(held == told, "what was acknowledged is there, as it was sealed");
}
