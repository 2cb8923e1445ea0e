//! The lead: of several tabs or processes with one database, the one that syncs, and a number that stops the
//! one before it.

use super::{ClientLog, HEAD, HEAD_ID, TRIES, change, find, int};
use crate::operation::{Condition, Guard};
use crate::{Error, ErrorKind, Filter, Key, Object, Result, Step};

/// The field of the head's row that counts how often the lead was taken.
const FIELD: &str = "lead";

/// The right to sync a database, until somebody else takes it.
///
/// Each sync that is [given](crate::SyncOptions::lead) one guards every batch that it writes by it. Once another
/// lead is taken, such a sync writes nothing any more and fails with a
/// [`Conflict`](crate::ErrorKind::Conflict) at the guard [`GUARD`](Self::GUARD): however long its tab or process
/// was frozen, it does no harm. Writes of the application need no lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead {
    number: u64,
}

impl Lead {
    /// The name of the guard that stops those who lost the lead.
    pub const GUARD: &'static str = "sync lead";

    /// How often the lead of this database was taken, this time included.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether this is the error of a sync that lost the lead: whoever wants to sync on takes it again.
    pub fn is_lost(error: &Error) -> bool {
        error.kind() == ErrorKind::Conflict && error.guard() == Some(Self::GUARD)
    }

    /// A step that fails once somebody else took the lead.
    fn guard(self) -> Step {
        guard(Some(self.number))
    }
}

impl ClientLog {
    /// Takes the lead of this database from whoever has it.
    ///
    /// Who is to take it, tabs or processes settle between them, such as by a lock of the browser; this makes
    /// certain that whoever had it before writes nothing any more, even if it does not know yet.
    ///
    /// # Errors
    ///
    /// Whatever reading and writing report.
    ///
    /// # Example
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use syncline_core::{ClientLog, Result, SharedLog, SyncOptions, do_sync};
    /// use syncline_core::client::Lead;
    ///
    /// # async fn example(log: ClientLog, shared: Arc<dyn SharedLog>) -> Result<()> {
    /// let lead = log.take_lead().await?;
    /// let options = SyncOptions { lead: Some(lead), ..SyncOptions::default() };
    /// match do_sync(&log, shared.as_ref(), &options).await {
    ///     Err(error) if Lead::is_lost(&error) => {} // Another tab syncs now.
    ///     other => drop(other?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn take_lead(&self) -> Result<Lead> {
        for _ in 0..TRIES {
            let before = self.lead_number().await?;
            let number = before.unwrap_or_default() + 1;
            let taken = Object::new().with(FIELD, int(number));
            // Not by the revision of the head: whoever writes meanwhile need not look again.
            match self.write(vec![guard(before), change(&HEAD, HEAD_ID, taken)]).await {
                Err(error) if Lead::is_lost(&error) => {}
                other => return other.map(|_| Lead { number }),
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "others take the lead all the time; try again"))
    }

    /// The same log, whose own batches are written only as long as this lead holds.
    pub(crate) fn led_by(&self, lead: Option<Lead>) -> Self {
        Self(self.0.clone(), lead)
    }

    /// Fails if the lead by which this log writes is lost.
    pub(crate) async fn check_lead(&self) -> Result<()> {
        let Some(lead) = self.1 else { return Ok(()) };
        if self.lead_number().await? == Some(lead.number) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, "another tab or process took the lead; it syncs now")
            .at_guard(Lead::GUARD)
            .with("lead", lead.number))
    }

    /// The step that stops this log's batches if its lead is lost.
    pub(super) fn lead_guard(&self) -> Option<Step> {
        self.1.map(Lead::guard)
    }

    async fn lead_number(&self) -> Result<Option<u64>> {
        let head = self.find(find(&HEAD, Filter::key(HEAD_ID)).select([FIELD])).await?;
        let number = head.objects.first().and_then(|row| row.value(FIELD).as_int());
        Ok(number.and_then(|number| u64::try_from(number).ok()))
    }
}

fn guard(number: Option<u64>) -> Step {
    let looks = Object::new().with(FIELD, number.map(int));
    let condition = Condition::Looks(Key::from(HEAD_ID), looks);
    Step::Guard(Guard { name: Lead::GUARD.into(), collection: (*HEAD).clone(), condition })
}
