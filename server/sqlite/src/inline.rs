//! A store without threads: everything is done where it is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use syncline_core::Error;

use crate::connection;
use crate::counters::Tally;
use crate::error::{Result, StoreError};

/// One connection, used by one after the other.
#[derive(Debug)]
pub(crate) struct Inline {
    /// Nothing once it is closed.
    connection: Mutex<Option<Connection>>,
    tally: Arc<Tally>,
}

impl Inline {
    pub(crate) fn new(connection: Connection, tally: Arc<Tally>) -> Self {
        Self { connection: Mutex::new(Some(connection)), tally }
    }

    pub(crate) fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T, Error> {
        self.tally.accepted();
        let answer = self.with(|connection| {
            connection::begin(connection)?;
            let done =
                work(connection).and_then(|answer| connection::commit(connection).map(|()| answer));
            match &done {
                Ok(_) => self.tally.commit(),
                Err(_) => connection::roll_back(connection),
            }
            done
        });
        self.tally.answered();
        answer
    }

    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T, Error> {
        self.tally.read();
        self.with(|connection| connection::read(connection, work))
    }

    pub(crate) fn close(&self) -> Result<(), Error> {
        match self.held().take() {
            Some(connection) => Ok(connection::checkpoint(&connection)?),
            None => Ok(()),
        }
    }

    /// Uses the connection outside of any transaction.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T>,
    ) -> Result<T, Error> {
        match &mut *self.held() {
            Some(connection) => {
                // Somebody who panicked may have left one open.
                connection::roll_back(connection);
                Ok(work(connection)?)
            }
            None => Err(StoreError::Closed.into()),
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
