//! What several tests say.
#![allow(dead_code)] // Each test uses a part of it.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use syncline_conformance::lanes::{Sealer, replica};
use syncline_core::log::{
    After, Append, AppendIf, Exchange, Exchanged, Fetch, Fetched, Peer, Receipt, Segment,
    VersionVector,
};
use syncline_core::{Group, ReplicaId, Result, SharedLog};
use syncline_server::{Answer, HubStore, Terms};
use syncline_server_sqlite::{Mode, SqliteStore, SqliteStoreConfig};

/// What time it is in these tests: when the made-up lanes are written.
pub const NOW: i64 = 1_700_000_000_000;

pub const TERMS: Terms = Terms {
    now: NOW,
    quota: 1 << 40,
    latest: NOW + 300_000,
    keep_epochs: 1_000,
    answer_bytes: 8 << 20,
    groups: 100,
    replicas: 1_000,
};

pub fn group() -> Group {
    "family".parse().expect("a valid name")
}

pub fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SqliteStoreConfig::default()).expect("opens")
}

pub fn open_inline(path: &Path) -> SqliteStore {
    let config = SqliteStoreConfig { mode: Mode::Inline, ..SqliteStoreConfig::default() };
    SqliteStore::open(path, config).expect("opens")
}

/// Someone who writes the lane of replica `number`.
pub fn sealer(number: u8) -> Sealer {
    Sealer::new(&group(), replica(number))
}

pub fn appending(segments: &[Segment]) -> Exchange {
    let by = segments.first().map_or(replica(0), |segment| segment.span().replica);
    let (segments, only_if) = (segments.to_vec(), AppendIf::Always);
    let append = Some(Append { segments, only_if, frozen: false });
    Exchange { append, ..Exchange::of(by) }
}

pub fn fetching(by: ReplicaId, after: After) -> Exchange {
    let fetch = Fetch { replica: by, after, limit_bytes: 1 << 20, limit_entries: 1_000 };
    Exchange { fetch: Some(fetch), ..Exchange::of(by) }
}

pub async fn append(store: &SqliteStore, segments: &[Segment]) -> Result<Answer> {
    store.exchange(&group(), appending(segments), &TERMS).await
}

/// Everything that the store holds of the group, page by page, as someone new gets it.
pub async fn everything(store: &SqliteStore) -> Result<Vec<Segment>> {
    let (mut after, mut all) = (After::Known(VersionVector::default()), Vec::new());
    loop {
        let answer = store.exchange(&group(), fetching(replica(250), after), &TERMS).await?;
        let fetched = answer.exchanged.fetched.expect("a page was asked for");
        all.extend(fetched.segments);
        after = After::Cursor(fetched.cursor);
        if !fetched.more {
            return Ok(all);
        }
    }
}

/// A shared log over a hub's store, as if there was no network between them.
#[derive(Debug)]
pub struct Direct {
    pub store: Arc<dyn HubStore>,
    pub group: Group,
    pub name: String,
}

impl Direct {
    async fn ask(&self, request: Exchange) -> Result<Exchanged> {
        Ok(self.store.exchange(&self.group, request, &TERMS).await?.exchanged)
    }
}

#[async_trait]
impl SharedLog for Direct {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        let _ = self.ask(Exchange { join: true, ..Exchange::of(replica) }).await?;
        Ok(())
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        Ok(self.ask(appending(segments)).await?.receipts.expect("nothing has to hold"))
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        let fetch = Some(request.clone());
        let exchanged = self.ask(Exchange { fetch, ..Exchange::of(request.replica) }).await?;
        Ok(exchanged.fetched.expect("a page was asked for"))
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        let acknowledge = Some(known.clone());
        let _ = self.ask(Exchange { acknowledge, ..Exchange::of(replica) }).await?;
        Ok(())
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        self.store.peers(&self.group).await
    }

    async fn exchange(&self, request: &Exchange) -> Result<Exchanged> {
        self.ask(request.clone()).await
    }
}
