//! A store in memory, for tests of what stands before it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use syncline_core::log::{Exchange, Peer, Receipt};
use syncline_core::{Error, ErrorKind, Group, Result, SharedLog};
use syncline_server::{
    Answer, GroupSummary, HubStore, ItemAnswer, ItemRequest, LeaseChange, Terms,
};
use syncline_shared_log_memory::MemoryLog;
use syncline_shared_log_wire::item::{
    Checked, Downloaded, Epoch, Epochs, ItemHistory, UploadOutcome, Uploaded,
};
use syncline_shared_log_wire::lease::Lease;
use tokio::sync::Notify;

/// Keeps lanes as a real store does; items and leases only as far as to see that they were asked for.
#[derive(Debug, Default)]
pub struct TestStore {
    logs: Mutex<BTreeMap<Group, (MemoryLog, u64)>>,
    leases: Mutex<Vec<(Group, Lease)>>,
    /// What was asked about items.
    pub asked: Mutex<Vec<(Group, ItemRequest)>>,
    /// The terms of the last exchange.
    pub terms: Mutex<Option<Terms>>,
    /// The next call fails so.
    pub fails: Mutex<Option<Error>>,
    /// The next call panics.
    pub panics: AtomicBool,
    /// An exchange waits until it is told to go on, if there is one here.
    pub gate: Mutex<Option<Arc<Gate>>>,
    /// How often somebody looked for the newest numbers.
    pub looks: AtomicU64,
    pub is_closed: AtomicBool,
}

/// Holds an exchange up.
#[derive(Debug, Default)]
pub struct Gate {
    pub entered: Notify,
    pub open: Notify,
}

impl TestStore {
    fn log(&self, group: &Group) -> MemoryLog {
        let mut logs = self.logs.lock().unwrap();
        let made = || (MemoryLog::new(group.clone()), 0);
        logs.entry(group.clone()).or_insert_with(made).0.clone()
    }

    fn fail(&self) -> Result<()> {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "told to");
        self.fails.lock().unwrap().take().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl HubStore for TestStore {
    async fn exchange(&self, group: &Group, request: Exchange, terms: &Terms) -> Result<Answer> {
        self.fail()?;
        *self.terms.lock().unwrap() = Some(*terms);
        let gate = self.gate.lock().unwrap().take();
        if let Some(gate) = gate {
            gate.entered.notify_one();
            gate.open.notified().await;
        }
        let exchanged = self.log(group).exchange(&request).await?;
        let stored = exchanged.receipts.iter().flatten();
        let news = stored.filter(|receipt| **receipt == Receipt::Stored).count() as u64;
        let mut logs = self.logs.lock().unwrap();
        let number = &mut logs.get_mut(group).expect("it was made above").1;
        *number += news;
        Ok(Answer { exchanged, number: *number, is_news: news > 0 })
    }

    async fn peers(&self, group: &Group) -> Result<Vec<Peer>> {
        self.fail()?;
        self.log(group).peers().await
    }

    async fn newest(&self, groups: &[Group]) -> Result<Vec<u64>> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let logs = self.logs.lock().unwrap();
        Ok(groups.iter().map(|group| logs.get(group).map_or(0, |(_, number)| *number)).collect())
    }

    async fn groups(&self) -> Result<Vec<GroupSummary>> {
        let logs = self.logs.lock().unwrap();
        let summary = |(group, (_, number)): (&Group, &(MemoryLog, u64))| GroupSummary {
            group: group.clone(),
            number: *number,
            segments: *number,
            entries: *number,
            bytes: 100 * number,
            ahead: 0,
            items: 0,
            epoch: 0,
            changed: None,
        };
        Ok(logs.iter().map(summary).collect())
    }

    async fn lease(&self, group: &Group, change: LeaseChange, terms: &Terms) -> Result<Lease> {
        self.fail()?;
        let mut leases = self.leases.lock().unwrap();
        let at = |leases: &[(Group, Lease)], wanted: &str| {
            leases.iter().position(|(of, lease)| of == group && lease.name == wanted)
        };
        match change {
            LeaseChange::Take { name, holder, millis, .. } => {
                if at(&leases, &name).is_some() {
                    return Err(Error::new(ErrorKind::Conflict, "taken").with("holder", holder));
                }
                let token = leases.len() as u64 + 1;
                let lease = Lease { name, holder, token, expires: terms.now + millis };
                leases.push((group.clone(), lease.clone()));
                Ok(lease)
            }
            LeaseChange::Renew { name, millis, .. } => {
                let gone = || Error::new(ErrorKind::Conflict, "there is no such lease");
                let at = at(&leases, &name).ok_or_else(gone)?;
                leases[at].1.expires = terms.now + millis;
                Ok(leases[at].1.clone())
            }
            LeaseChange::Release { name, .. } => match at(&leases, &name) {
                Some(at) => Ok(leases.remove(at).1),
                None => Err(Error::new(ErrorKind::NotFound, "there is no such lease")),
            },
        }
    }

    async fn leases(&self, group: &Group, _now: i64) -> Result<Vec<Lease>> {
        let leases = self.leases.lock().unwrap();
        Ok(leases.iter().filter(|(of, _)| of == group).map(|(_, lease)| lease.clone()).collect())
    }

    async fn items(&self, group: &Group, request: ItemRequest, _: &Terms) -> Result<ItemAnswer> {
        self.fail()?;
        self.asked.lock().unwrap().push((group.clone(), request.clone()));
        Ok(match request {
            ItemRequest::Upload(upload) => ItemAnswer::Uploaded(Uploaded {
                epoch: upload.epoch,
                number: 1,
                outcomes: vec![UploadOutcome::Stored; upload.items.len()],
            }),
            ItemRequest::Download(_) => ItemAnswer::Downloaded(Downloaded {
                epoch: 0,
                number: 0,
                more: false,
                items: Vec::new(),
            }),
            ItemRequest::Check(_) => ItemAnswer::Checked(Checked::default()),
            ItemRequest::Epochs => ItemAnswer::Epochs(Epochs { epoch: 0, old: Vec::new() }),
            ItemRequest::History(_) => ItemAnswer::History(ItemHistory { replaced: Vec::new() }),
            _ => ItemAnswer::Epoch(Epoch { epoch: 0, number: 0 }),
        })
    }

    async fn check(&self) -> Result<()> {
        self.fail()
    }

    fn commits(&self) -> Option<u64> {
        Some(7)
    }

    async fn close(&self) -> Result<()> {
        self.is_closed.store(true, Ordering::SeqCst);
        Ok(())
    }
}
