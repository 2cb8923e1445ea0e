//! A way to a hub that cuts connections, loses the ends of what passes, and says things twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// All goes well.
    None,
    /// It ends behind so many bytes of what the client sends.
    CutsRequest(usize),
    /// It ends behind so many bytes of what the hub answers.
    CutsAnswer(usize),
    /// The piece at so many bytes of what the client sends comes twice.
    RepeatsRequest(usize),
    /// The piece at so many bytes of the answer comes twice.
    RepeatsAnswer(usize),
    /// Everything comes byte by byte.
    Drips,
}

/// A proxy on loopback; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    honest: Arc<AtomicBool>,
    mischiefs: Arc<AtomicU64>,
    door: JoinHandle<()>,
}

impl Proxy {
    /// Leads to a port of this machine; what happens follows from the seed and the connection's number.
    pub async fn before(port: u16, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let own = listener.local_addr().expect("it has an address").port();
        let (honest, mischiefs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (good, done) = (honest.clone(), mischiefs.clone());
        let door = tokio::spawn(async move {
            let mut state = seed;
            while let Ok((client, _)) = listener.accept().await {
                let mischief =
                    if good.load(Ordering::Relaxed) { Mischief::None } else { next(&mut state) };
                if mischief != Mischief::None {
                    let _ = done.fetch_add(1, Ordering::Relaxed);
                }
                tokio::spawn(async move {
                    if let Ok(hub) = TcpStream::connect(("127.0.0.1", port)).await {
                        join(client, hub, mischief).await;
                    }
                });
            }
        });
        Self { port: own, honest, mischiefs, door }
    }

    /// The address of the proxy.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Does nothing bad to new connections from now on.
    pub fn become_honest(&self) {
        self.honest.store(true, Ordering::Relaxed);
    }

    /// To how many connections something happened.
    pub fn mischiefs(&self) -> u64 {
        self.mischiefs.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// So many bytes pass at most on a connection to which something happens.
const LONGEST: usize = 6_000;

fn next(state: &mut u64) -> Mischief {
    // SplitMix64, by Sebastiano Vigna.
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut random = *state;
    random = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    random = (random ^ (random >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    random ^= random >> 31;
    let at = usize::try_from((random >> 8) % 3_000).unwrap_or(0);
    match random % 10 {
        0 | 1 => Mischief::CutsRequest(at),
        2 | 3 => Mischief::CutsAnswer(at),
        4 => Mischief::RepeatsRequest(at),
        5 => Mischief::RepeatsAnswer(at),
        6 => Mischief::Drips,
        _ => Mischief::CutsAnswer(at + LONGEST),
    }
}

async fn join(client: TcpStream, hub: TcpStream, mischief: Mischief) {
    let (from_client, to_client) = client.into_split();
    let (from_hub, to_hub) = hub.into_split();
    let (there, back) = match mischief {
        Mischief::CutsRequest(at) => (Way::Cut(at), Way::Straight),
        Mischief::CutsAnswer(at) => (Way::Straight, Way::Cut(at)),
        Mischief::RepeatsRequest(at) => (Way::Repeat(at), Way::Straight),
        Mischief::RepeatsAnswer(at) => (Way::Straight, Way::Repeat(at)),
        Mischief::Drips => (Way::Drip, Way::Drip),
        Mischief::None => (Way::Straight, Way::Straight),
    };
    // Whichever way ends first ends both: a connection that is cut is cut whole.
    tokio::select! {
        () = pass(from_client, to_hub, there) => {}
        () = pass(from_hub, to_client, back) => {}
    }
}

enum Way {
    Straight,
    Cut(usize),
    Repeat(usize),
    Drip,
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way) {
    let mut buffer = vec![0; 4096];
    let (mut passed, mut repeated) = (0, false);
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let piece = &buffer[..count];
        let written = match way {
            Way::Straight => to.write_all(piece).await,
            Way::Cut(at) if passed + count >= at => {
                let _ = to.write_all(&piece[..at.saturating_sub(passed).min(count)]).await;
                return;
            }
            Way::Cut(_) => to.write_all(piece).await,
            Way::Repeat(at) => {
                let twice = !repeated && passed + count >= at;
                repeated |= twice;
                match to.write_all(piece).await {
                    Ok(()) if twice => to.write_all(piece).await,
                    other => other,
                }
            }
            Way::Drip => drip(&mut to, piece).await,
        };
        passed += count;
        // Connections are kept: one that goes on would end all other mischief.
        let is_over = passed > LONGEST && !matches!(way, Way::Straight);
        if written.is_err() || is_over {
            return;
        }
    }
}

async fn drip(to: &mut OwnedWriteHalf, piece: &[u8]) -> std::io::Result<()> {
    for byte in piece {
        to.write_all(std::slice::from_ref(byte)).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}
