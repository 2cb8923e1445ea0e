//! One trace for every storage: what it comes to is pinned, so that a browser and a server agree.

use std::sync::Arc;

use syncline::shared_log::memory::MemoryLog;
use syncline::sync::fingerprint;
use syncline::{Backend, Operation, Result};

use crate::{Replica, START};

/// How many operations the trace has.
const LENGTH: usize = 600;

/// After how many operations a replica syncs.
const BETWEEN: usize = 23;

/// How many batches were written; the beginning of the fingerprint of whoever synced, each time; and what
/// both replicas hold in the end.
pub const OUTCOME: &str = "342 9df3c54f561c1dd8dd2a849ffed4b60db6492f9949511e1c1c661513b63b2ae39f1bd8d40f10a568917c1a20\
     69ce789c0393573e554f \
     7b2a816ce4e64f59021a3c3c4e792cac1223f17ce0540d721b6f788532e322e3 \
     7b2a816ce4e64f59021a3c3c4e792cac1223f17ce0540d721b6f788532e322e3";

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
    for ((at, batch), millis) in batches.into_iter().enumerate().zip((START..).step_by(1_000)) {
        replicas.iter().for_each(|replica| replica.clock.set(millis));
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
