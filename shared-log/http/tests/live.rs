//! Whole clients and a real hub: databases that sync by themselves, and secure connections.

#[path = "common/hub.rs"]
mod hub;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use syncline_backend_memory::MemoryBackend;
use syncline_core::clock::StepClock;
use syncline_core::log::Exchange;
use syncline_core::sync::{
    Cause, ContinuousEvent, ContinuousObserver, ContinuousOptions, ContinuousSync, SyncHandle,
};
use syncline_core::timer::Backoff;
use syncline_core::{
    ClientLogConfig, Collection, ErrorKind, FieldType, Filter, Group, Object, Registry, ReplicaId,
    SharedLog, StorageManager,
};
use syncline_middleware::{CustomPk, SyncLog, SystemRandom};
use syncline_server::Tls;
use syncline_server_sqlite::{SqliteStore, SqliteStoreConfig};
use syncline_shared_log_http::{HttpLog, HttpLogConfig, Retry, SystemTimer};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

fn family() -> Group {
    "family".parse().expect("a valid name")
}

#[derive(Debug)]
struct Teller(mpsc::UnboundedSender<ContinuousEvent>);

impl ContinuousObserver for Teller {
    fn on_event(&self, event: &ContinuousEvent) {
        let _ = self.0.send(event.clone());
    }
}

const BRIEF: Backoff =
    Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(100) };

/// An application that syncs by itself.
struct Client {
    manager: StorageManager,
    handle: SyncHandle,
    events: mpsc::UnboundedReceiver<ContinuousEvent>,
    causes: Vec<Cause>,
    task: JoinHandle<()>,
}

impl Client {
    async fn new(url: &str) -> Self {
        let clock = Arc::new(StepClock::new(hub::NOW - 1_000, 1));
        let config = ClientLogConfig::new(family(), clock, Arc::new(SystemRandom));
        let log = SyncLog::with(config);
        let note = Collection::define("note").optional("text", FieldType::Text);
        let schema = Registry::new().collections(1, [note]).finish().expect("a sound schema");
        let manager = StorageManager::builder(Arc::new(MemoryBackend::default()))
            .schema(schema)
            .with(CustomPk::default())
            .with(log.clone())
            .build()
            .await
            .expect("it opens");
        let (sender, events) = mpsc::unbounded_channel();
        let options = ContinuousOptions {
            interval: None,
            quiet: Duration::from_millis(1),
            backoff: BRIEF,
            observer: Some(Arc::new(Teller(sender))),
            ..ContinuousOptions::default()
        };
        let mut config = HttpLogConfig::new(url, family());
        config.retry.backoff = BRIEF;
        let shared = Arc::new(HttpLog::with(config).expect("a sound address"));
        let client = log.client().expect("it has a database").clone();
        let sync = ContinuousSync::new(client, shared.clone(), Arc::new(SystemTimer))
            .with(options)
            .on_notice(shared);
        let handle = sync.handle();
        let task = tokio::spawn(sync.run());
        let mut client = Self { manager, handle, events, causes: Vec::new(), task };
        let _ = client.synced().await;
        client
    }

    async fn write(&self, text: &str) {
        let notes = self.manager.collection("note").expect("it is there");
        let _ = notes.create(Object::new().with("text", text)).await.expect("it can be written");
    }

    async fn notes(&self) -> usize {
        let notes = self.manager.collection("note").expect("it is there");
        notes.find(Filter::All).await.expect("they can be read").len()
    }

    /// The next sync that ends well, and why it began.
    async fn synced(&mut self) -> Cause {
        loop {
            match self.events.recv().await.expect("it runs") {
                ContinuousEvent::Started(cause) => self.causes.push(cause),
                ContinuousEvent::Finished(_) => return *self.causes.last().expect("it began"),
                ContinuousEvent::Failed { kind: ErrorKind::Unavailable, .. } => {}
                ContinuousEvent::Failed { kind, message } => panic!("{kind}: {message}"),
                _ => {}
            }
        }
    }

    /// Waits for an event; whatever comes before is passed over.
    async fn told(&mut self, is_it: impl Fn(&ContinuousEvent) -> bool) {
        while !is_it(&self.events.recv().await.expect("it runs")) {}
    }

    /// Stops; why its syncs began.
    async fn stopped(mut self) -> Vec<Cause> {
        self.handle.stop();
        self.task.await.expect("it ends");
        while let Some(event) = self.events.recv().await {
            if let ContinuousEvent::Started(cause) = event {
                self.causes.push(cause);
            }
        }
        self.causes
    }
}

#[tokio::test]
async fn what_one_writes_the_other_has_at_once() {
    let url = hub::serve(hub::store(), None).await;
    let (mut ann, mut bob) = (Client::new(&url).await, Client::new(&url).await);
    for round in 1..=3 {
        ann.write("from Ann").await;
        assert_eq!(ann.synced().await, Cause::Written);
        assert_eq!(bob.synced().await, Cause::Notice);
        assert_eq!(bob.notes().await, 2 * round - 1);
        bob.write("from Bob").await;
        assert_eq!(bob.synced().await, Cause::Written);
        assert_eq!(ann.synced().await, Cause::Notice);
        assert_eq!(ann.notes().await, 2 * round);
    }
    let expected =
        |one, other| -> Vec<Cause> { [vec![Cause::Start], [one, other].repeat(3)].concat() };
    let none = "nobody syncs because of their own writes' notices";
    assert_eq!(ann.stopped().await, expected(Cause::Written, Cause::Notice), "{none}");
    assert_eq!(bob.stopped().await, expected(Cause::Notice, Cause::Written), "{none}");
}

#[tokio::test]
async fn a_hub_that_comes_back_is_found_and_nothing_was_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || {
        let path = folder.path().join("hub.db");
        SqliteStore::open(path, SqliteStoreConfig::default()).expect("it opens")
    };
    let somewhere = "127.0.0.1:0".parse().expect("an address");
    let (mut running, address) = hub::start(open(), None, somewhere).await;
    let url = format!("http://{address}");
    let (mut ann, mut bob) = (Client::new(&url).await, Client::new(&url).await);
    for round in 1..=3 {
        running.stop().await;
        ann.write("while the hub is away").await;
        ann.told(|event| *event == ContinuousEvent::Offline).await;
        (running, _) = hub::start(open(), None, address).await;
        ann.told(|event| *event == ContinuousEvent::Online).await;
        while bob.notes().await < round {
            let _ = bob.synced().await;
        }
        assert_eq!((ann.notes().await, bob.notes().await), (round, round));
    }
    running.stop().await;
}

#[tokio::test]
async fn requests_share_a_connection() {
    let url = hub::serve(hub::store(), None).await;
    let (front, counted) = hub::count_connections(&url).await;
    let log = HttpLog::new(&front, family()).expect("a sound address");
    let replica = ReplicaId([1; 16]);
    for _ in 0..5 {
        log.join(replica).await.expect("it answers");
        let _ = log.peers().await.expect("it answers");
        let _ = log.exchange(&Exchange::of(replica)).await.expect("it answers");
        let _ = log.clone().append(&[]).await.expect("there is nothing to do");
    }
    assert_eq!(counted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_certificate_of_ones_own_making_has_to_be_trusted() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("it is made");
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = Tls::from_pem(certificate.as_bytes(), key.as_bytes()).expect("they fit");
    let url = hub::serve(hub::store(), Some(tls)).await;
    let mut config = HttpLogConfig::new(&url, family()).token("not asked for");
    config.retry = Retry::never();
    let replica = ReplicaId([1; 16]);

    let strange = HttpLog::with(config.clone()).expect("a sound configuration");
    let error = strange.join(replica).await.expect_err("nobody knows that certificate");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let cause = std::error::Error::source(&error).expect("it says why").to_string();
    assert!(cause.contains("certificate"), "{cause}");

    config.trusted = Some(certificate.into_bytes());
    let known = HttpLog::with(config.clone()).expect("a sound configuration");
    known.join(replica).await.expect("it is trusted");
    assert_eq!(known.peers().await.expect("it answers").len(), 1);

    config.trusted = Some(b"no certificate".to_vec());
    assert_eq!(HttpLog::with(config).expect_err("that is none").kind(), ErrorKind::Invalid);
}
