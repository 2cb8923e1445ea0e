//! One trace for every storage: what it comes to is pinned, so that a browser and a server agree.

use std::sync::Arc;

use syncline::shared_log::memory::MemoryLog;
use syncline::sync::fingerprint;
use syncline::{Backend, Operation, Result};

use crate::Replica;

/// How many operations the trace has.
const LENGTH: usize = 600;

/// After how many operations a replica syncs.
const BETWEEN: usize = 23;

/// How many batches were written; the beginning of the fingerprint of whoever synced, each time; and what
/// both replicas hold in the end.
pub const OUTCOME: &str = "341 9df3c54f561c1dd8dd2a849ffed4bfdb6e50f9518e667f29f052cd2ec7932ae39f1b30ac01b0d05db2181c253d\
     d7531305614fbb0360 \
     ed18c102a23f55bf867c0b6cba05940d933e1ef4d2ff20b0d844e3eea27ae353 \
     ed18c102a23f55bf867c0b6cba05940d933e1ef4d2ff20b0d844e3eea27ae353";

/// Lives through the trace on two storages that meet at a log in memory, and tells what became of it.
///
/// # Errors
///
/// Whatever keeps a replica from opening or syncing; batches of the trace may fail.
pub async fn lived_through(storages: [Arc<dyn Backend>; 2]) -> Result<String> {
    let log = MemoryLog::new("test".parse()?);
    let mut replicas = Vec::new();
    for (backend, number) in storages.into_iter().zip(1..) {
        let schema = syncline_conformance::history_schema();
        replicas.push(Replica::open(backend, number, (*schema).clone()).await?);
    }
    let batches = syncline_conformance::history_of_batches(2_026, LENGTH);
    let (mut written, mut told) = (0, String::new());
    for (at, batch) in batches.into_iter().enumerate() {
        // Some are not allowed, and some meet a taken key: the same ones everywhere.
        let outcome = replicas[at % 2].manager.execute(Operation::Write(batch)).await;
        written += usize::from(outcome.is_ok());
        if at % BETWEEN == 0 {
            let replica = &replicas[at / BETWEEN % 2];
            let _ = replica.sync(&log).await?;
            told.push_str(&held(replica, 2).await?);
        }
    }
    for replica in [0, 1, 0, 1] {
        let _ = replicas[replica].sync(&log).await?;
    }
    Ok(format!(
        "{written} {told} {} {}",
        held(&replicas[0], 32).await?,
        held(&replicas[1], 32).await?
    ))
}

/// The first bytes of what a replica holds.
async fn held(replica: &Replica, bytes: usize) -> Result<String> {
    let total = fingerprint(&replica.log).await?.total();
    Ok(total.iter().take(bytes).map(|byte| format!("{byte:02x}")).collect())
}
