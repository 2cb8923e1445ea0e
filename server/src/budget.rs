//! How much memory all requests and answers have together.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use syncline_core::{Error, ErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::Failure;

/// Memory is counted in pieces of this size.
const PIECE: usize = 1024;

/// The room for all bodies in flight.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    room: Arc<Semaphore>,
    pieces: u32,
    wait: Duration,
}

impl Budget {
    pub(crate) fn new(bytes: usize, wait: Duration) -> Self {
        let pieces = pieces(bytes);
        Self { room: Arc::new(Semaphore::new(pieces as usize)), pieces, wait }
    }

    /// Nothing of it yet.
    pub(crate) fn hold(&self) -> Held {
        Held { budget: self.clone(), permit: None }
    }

    /// How many bytes are held.
    pub(crate) fn taken(&self) -> usize {
        (self.pieces as usize).saturating_sub(self.room.available_permits()) * PIECE
    }

    /// How many bytes are free.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.room.available_permits() * PIECE
    }

    async fn take(&self, pieces: u32) -> Option<OwnedSemaphorePermit> {
        let at_once = self.room.clone().try_acquire_many_owned(pieces);
        match at_once {
            Ok(permit) => Some(permit),
            // To wait for long takes a runtime's timer; without one, whoever asks comes back.
            Err(_) if tokio::runtime::Handle::try_current().is_err() => None,
            Err(_) => {
                let later = self.room.clone().acquire_many_owned(pieces);
                tokio::time::timeout(self.wait, later).await.ok()?.ok()
            }
        }
    }
}

/// The part of the budget that one request has; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Budget,
    permit: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// Makes it exactly so many bytes: at once if that is less, or if there is room.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if there was no room in time.
    pub(crate) async fn resize(&mut self, bytes: usize) -> Result<(), Failure> {
        let (wanted, has) = (pieces(bytes), self.pieces());
        if wanted <= has {
            if let Some(permit) = &mut self.permit {
                drop(permit.split((has - wanted) as usize));
            }
            return Ok(());
        }
        let more = self.budget.take(wanted - has).await.ok_or_else(|| {
            let message = "the hub has no memory free for this now; ask again";
            let error = Error::new(ErrorKind::Unavailable, message);
            Failure::later(error, StatusCode::SERVICE_UNAVAILABLE, 1)
        })?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }

    fn pieces(&self) -> u32 {
        // What is held was asked for as such a number.
        self.permit.as_ref().map_or(0, |permit| permit.num_permits() as u32)
    }
}

fn pieces(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(u32::MAX >> 4).min(u32::MAX >> 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_comes_back() {
        let budget = Budget::new(10 * PIECE, Duration::ZERO);
        let mut held = budget.hold();
        pollster::block_on(held.resize(PIECE * 4 + 1)).unwrap();
        assert_eq!(budget.free(), 5 * PIECE);
        pollster::block_on(held.resize(1)).unwrap();
        assert_eq!(budget.free(), 9 * PIECE);
        let mut other = budget.hold();
        pollster::block_on(other.resize(10 * PIECE)).unwrap_err();
        pollster::block_on(other.resize(9 * PIECE)).unwrap();
        drop((held, other));
        assert_eq!(budget.free(), 10 * PIECE);
    }
}
