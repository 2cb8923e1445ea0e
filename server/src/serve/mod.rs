//! Serving: connections, their limits and their end.

mod guests;
mod pace;
mod speak;
mod tls;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::future::join_all;
use syncline_core::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Hub;
use guests::Guests;
pub(crate) use pace::Late;
pub use tls::Tls;

/// How long no connection is taken after that was not possible, such as for want of file descriptors.
const RECOVERY: Duration = Duration::from_millis(50);

/// What all connections share.
#[derive(Debug)]
struct House {
    hub: Hub,
    router: Router,
    tls: Option<Tls>,
    guests: Guests,
}

impl Hub {
    /// Serves until `shutdown` is ready or [`stop`](Self::stop) is called; then finishes what it accepted, within
    /// [`grace`](crate::HubConfig::grace), and closes the store.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from closing.
    pub async fn serve(
        &self,
        listeners: Vec<TcpListener>,
        tls: Option<Tls>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<()> {
        let guests = Guests::new(self.config().connections, self.insight().connections().clone());
        let house = House { hub: self.clone(), router: self.router(), tls, guests };
        let house = Arc::new(house);
        let doors = join_all(listeners.into_iter().map(|listener| door(&house, listener)));
        let until = async {
            tokio::select! {
                () = shutdown => {}
                () = self.stopped() => {}
            }
            tracing::info!("stopping: what was accepted is finished");
            self.stop();
        };
        tokio::join!(doors, until);
        self.store().close().await
    }
}

/// Takes connections until the hub stops, and then waits for their ends.
async fn door(house: &Arc<House>, listener: TcpListener) {
    let mut tasks = JoinSet::new();
    loop {
        let came = tokio::select! {
            came = listener.accept() => came,
            Some(_) = tasks.join_next() => continue,
            () = house.hub.stopped() => break,
        };
        match came {
            Ok((stream, from)) => match house.guests.enter() {
                Some(guest) => {
                    tasks.spawn(speak::attend(house.clone(), stream, from, guest));
                }
                None => refuse(&stream, house.tls.is_some()),
            },
            Err(error) => {
                tracing::warn!(%error, "could not take a connection");
                sleep(RECOVERY).await;
            }
        }
    }
    drop(listener);
    let ended = async { while tasks.join_next().await.is_some() {} };
    if timeout(house.hub.config().grace, ended).await.is_err() {
        tracing::warn!(connections = tasks.len(), "cut what did not finish in time");
        tasks.shutdown().await;
    }
}

/// Every place is taken by somebody who is being answered.
fn refuse(stream: &TcpStream, is_tls: bool) {
    tracing::warn!("refused a connection: there are as many as are allowed");
    if !is_tls {
        // A new connection has room for so little; if not, it just ends.
        let _ = stream.try_write(FULL);
    }
}

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\n\
    content-length: 121\r\n\r\n\
    {\"status\":503,\"kind\":\"Unavailable\",\"detail\":\"the hub has as many connections as it allows; \
    come back later\",\"context\":{}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_one_too_many_is_whole() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        serde_json::from_str::<syncline_shared_log_wire::Problem>(body).unwrap();
    }
}
