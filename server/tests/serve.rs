//! Real connections.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::{Gate, Tested, appending, at, group, hub, hub_with, sealer};
use syncline_core::log::{After, Exchange, Fetch, VersionVector};
use syncline_server::Tls;
use syncline_shared_log_wire::write_exchange;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::rustls;

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<syncline_core::Result<()>>,
}

async fn serve(hub: &Tested, tls: Option<Tls>) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel();
    let hub = hub.hub.clone();
    let shutdown = async { stopped.await.unwrap_or_default() };
    let task = tokio::spawn(async move { hub.serve(vec![listener], tls, shutdown).await });
    Served { address, stop, task }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a hub that listens")
    }

    async fn end(self) {
        self.stop.send(()).expect("it runs");
        self.task.await.expect("it did not panic").expect("it ended well");
    }
}

fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer write:*\r\n\
         content-type: application/vnd.syncline\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer write:*\r\n\r\n").into()
}

/// Reads until this has come.
async fn until(stream: &mut (impl AsyncRead + Unpin), wanted: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(wanted) {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).await.expect("it is not cut");
        assert_ne!(length, 0, "it ended: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// Reads to the end; a connection that is cut has ended too.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
    String::from_utf8_lossy(&read).into_owned()
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    stream.write_all(bytes).await.expect("it is taken");
}

#[tokio::test]
async fn a_connection_is_good_for_many_requests() {
    let hub = hub();
    let served = serve(&hub, None).await;
    let mut stream = served.connect().await;
    for _ in 0..3 {
        write(&mut stream, &get("/v1")).await;
        assert!(until(&mut stream, "\"time\"").await.starts_with("HTTP/1.1 200"));
    }
    served.end().await;
    assert_eq!(rest(&mut stream).await, "");
    assert!(hub.store.is_closed.load(Ordering::SeqCst));
}

#[tokio::test]
async fn an_accepted_append_is_finished_before_the_hub_stops() {
    let (hub, family) = (hub(), group("family"));
    let gate = Arc::new(Gate::default());
    *hub.store.gate.lock().unwrap() = Some(gate.clone());
    let served = serve(&hub, None).await;
    let mut stream = served.connect().await;
    let body = write_exchange(&appending(vec![sealer(&family, 1).notes(["a"])]));
    write(&mut stream, &post(&at(&family, "exchange"), &body)).await;
    gate.entered.notified().await;
    served.stop.send(()).unwrap();
    hub.hub.stop();
    assert!(!hub.store.is_closed.load(Ordering::SeqCst));
    gate.open.notify_one();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"));
    served.task.await.unwrap().unwrap();
    assert!(hub.store.is_closed.load(Ordering::SeqCst));
    assert!(TcpStream::connect(served.address).await.is_err(), "nobody is let in any more");
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let (hub, family) = (hub_with(|config| config.grace = Duration::ZERO), group("family"));
    let gate = Arc::new(Gate::default());
    *hub.store.gate.lock().unwrap() = Some(gate.clone());
    let served = serve(&hub, None).await;
    let mut stream = served.connect().await;
    write(&mut stream, &post(&at(&family, "exchange"), &write_exchange(&appending(vec![])))).await;
    gate.entered.notified().await;
    served.end().await;
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn streams_of_notices_and_silent_connections_end_when_the_hub_stops() {
    let (hub, family) = (hub(), group("family"));
    let served = serve(&hub, None).await;
    let mut events = served.connect().await;
    write(&mut events, &get(&at(&family, "notices"))).await;
    until(&mut events, "\"number\":0").await;
    let mut appends = served.connect().await;
    let body = write_exchange(&appending(vec![sealer(&family, 1).notes(["a"])]));
    write(&mut appends, &post(&at(&family, "exchange"), &body)).await;
    until(&mut events, "\"number\":1").await;
    let mut silent = served.connect().await;
    served.end().await;
    assert_eq!(rest(&mut events).await, "0\r\n\r\n", "a stream that ends as it should");
    assert_eq!(rest(&mut silent).await, "");
}

#[tokio::test]
async fn who_guesses_tokens_has_to_wait_and_those_who_know_one_do_not() {
    let hub = hub();
    let served = serve(&hub, None).await;
    let ask = async |token: &str| {
        let mut stream = served.connect().await;
        let path = at(&group("family"), "peers");
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        write(&mut stream, head.as_bytes()).await;
        rest(&mut stream).await
    };
    assert!(ask("read:*").await.starts_with("HTTP/1.1 200"));
    for guess in 0..20 {
        assert!(ask(&format!("guess-{guess}")).await.starts_with("HTTP/1.1 401"), "{guess}");
    }
    let answer = ask("guess-20").await;
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    assert!(answer.contains("\r\nretry-after: 1\r\n") && answer.contains("\"Unavailable\""));
    assert!(ask("expired").await.starts_with("HTTP/1.1 429"));
    assert!(ask("read:*").await.starts_with("HTTP/1.1 200"), "it was good before");
    assert!(ask("write:*").await.starts_with("HTTP/1.1 429"), "it is not known yet");
    hub.clock.set(common::NOW + 1_000);
    assert!(ask("write:*").await.starts_with("HTTP/1.1 200"), "one a second is looked at");
    served.end().await;
}

#[tokio::test]
async fn a_client_that_stops_sending_is_told_so() {
    let hub = hub_with(|config| config.stall_time = Duration::from_millis(20));
    let served = serve(&hub, None).await;
    let mut stream = served.connect().await;
    let request = post(&at(&group("family"), "exchange"), b"XXXX");
    write(&mut stream, &request[..request.len() - 2]).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\"kind\":\"Unavailable\""));
    served.end().await;
}

#[tokio::test]
async fn a_client_that_stops_reading_is_cut() {
    let hub = hub_with(|config| {
        config.stall_time = Duration::from_millis(50);
        (config.body_bytes, config.fetch_bytes, config.segment_bytes) =
            (32 << 20, 32 << 20, 32 << 20);
    });
    let family = group("family");
    let served = serve(&hub, None).await;
    let mut appends = served.connect().await;
    let text = "x".repeat(24 << 20);
    let body = write_exchange(&appending(vec![sealer(&family, 1).notes([text.as_str()])]));
    write(&mut appends, &post(&at(&family, "exchange"), &body)).await;
    until(&mut appends, "200 OK").await;

    let after = After::Known(VersionVector::default());
    let fetch =
        Fetch { replica: Default::default(), after, limit_bytes: 32 << 20, limit_entries: 10 };
    let fetch = Exchange { fetch: Some(fetch), ..Exchange::of(Default::default()) };
    let mut stalls = served.connect().await;
    write(&mut stalls, &post(&at(&family, "exchange"), &write_exchange(&fetch))).await;
    until(&mut stalls, "200 OK").await;
    // It reads nothing more until the hub has let go of it: then there is an end that is too early.
    while hub.hub.connections() > 1 {
        tokio::task::yield_now().await;
    }
    assert!(rest(&mut stalls).await.len() < 20 << 20);
    served.end().await;
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut() {
    let hub = hub_with(|config| config.head_time = Duration::from_millis(20));
    let served = serve(&hub, None).await;
    let mut half = served.connect().await;
    write(&mut half, b"GET /v1 HTTP/1.1\r\nhost: hub\r\n").await;
    let mut silent = served.connect().await;
    rest(&mut half).await;
    assert_eq!(rest(&mut silent).await, "");
    served.end().await;
}

#[tokio::test]
async fn a_connection_is_not_idle_for_ever() {
    let hub = hub_with(|config| config.idle_time = Duration::from_millis(20));
    let served = serve(&hub, None).await;
    let mut stream = served.connect().await;
    write(&mut stream, &get("/v1")).await;
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"));
    served.end().await;
}

#[tokio::test]
async fn whoever_asks_before_sending_is_not_made_to_send_what_is_refused() {
    let hub = hub_with(|config| config.body_bytes = 1 << 20);
    let served = serve(&hub, None).await;
    let expecting = |length: usize| {
        format!(
            "POST /v1/groups/g/exchange HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer write:*\r\n\
             expect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let mut stream = served.connect().await;
    write(&mut stream, expecting(2 << 20).as_bytes()).await;
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 413"));
    let body = write_exchange(&appending(vec![]));
    let mut stream = served.connect().await;
    write(&mut stream, expecting(body.len()).as_bytes()).await;
    until(&mut stream, "100 Continue").await;
    write(&mut stream, &body).await;
    until(&mut stream, "200 OK").await;
    served.end().await;
}

#[tokio::test]
async fn an_answer_that_comes_early_is_not_lost() {
    let hub = hub_with(|config| config.body_bytes = 1 << 20);
    let served = serve(&hub, None).await;
    let mut stream = served.connect().await;
    let large = post(&at(&group("family"), "exchange"), &vec![b'X'; 2 << 20]);
    write(&mut stream, &large).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("connection: close"));
    served.end().await;
}

#[tokio::test]
async fn silent_connections_make_room_for_those_who_ask() {
    let hub = hub_with(|config| config.connections = 50);
    let served = serve(&hub, None).await;
    let mut silent = Vec::new();
    for _ in 0..500 {
        silent.push(served.connect().await);
    }
    let mut asks = served.connect().await;
    write(&mut asks, &get("/v1")).await;
    until(&mut asks, "200 OK").await;
    assert!(hub.hub.connections() <= 60, "{}", hub.hub.connections());
    assert_eq!(rest(&mut silent[0]).await, "", "the oldest had to go");
    served.end().await;
}

#[tokio::test]
async fn one_too_many_is_told_so() {
    let (hub, family) = (hub_with(|config| config.connections = 1), group("family"));
    let served = serve(&hub, None).await;
    let mut events = served.connect().await;
    write(&mut events, &get(&at(&family, "notices"))).await;
    until(&mut events, "\"number\":0").await;
    let mut second = served.connect().await;
    let answer = rest(&mut second).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Unavailable"), "{answer}");
    served.end().await;
}

#[tokio::test]
async fn what_is_not_http_does_not_hurt() {
    let hub = hub();
    let served = serve(&hub, None).await;
    for rubbish in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET",
        b"\0\0\0\0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = served.connect().await;
        write(&mut stream, rubbish).await;
        stream.shutdown().await.unwrap();
        rest(&mut stream).await;
    }
    let mut stream = served.connect().await;
    write(&mut stream, &get(&format!("/v1?{}", "a".repeat(100_000)))).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    served.end().await;
}

#[tokio::test]
async fn a_request_that_can_be_read_in_two_ways_is_read_in_none() {
    let hub = hub();
    let served = serve(&hub, None).await;
    let path = at(&group("family"), "exchange");
    let heads = [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 6",
        "content-length: -1",
        "content-length: +5",
        "content-length: 99999999999999999999",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: xchunked",
        "content-length : 5",
        "content-length: 5\r\n folded: 1",
        "x: a\0b",
    ];
    for head in heads {
        let mut stream = served.connect().await;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer write:*\r\n{head}\r\n\r\n\
             GET /v1 HTTP/1.1\r\nhost: hub\r\n\r\n"
        );
        write(&mut stream, request.as_bytes()).await;
        stream.shutdown().await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(
            !answer.contains("HTTP/1.1 5") && !answer.contains("HTTP/1.1 2"),
            "{head}: {answer}"
        );
    }
    // Where both are given, chunks count, and nobody is answered behind them.
    let mut stream = served.connect().await;
    let both = format!(
        "POST {path} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer write:*\r\ncontent-length: 3\r\n\
         transfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /v1 HTTP/1.1\r\nhost: hub\r\n\r\n"
    );
    write(&mut stream, both.as_bytes()).await;
    stream.shutdown().await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(!answer.contains("200 OK"), "{answer}");
    served.end().await;
}

#[tokio::test]
async fn tls_works_and_a_plain_client_is_turned_away() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let hub = hub();
    let served = serve(&hub, Some(tls)).await;

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = served.connect().await;
    let mut stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    write(&mut stream, &get("/v1")).await;
    assert!(until(&mut stream, "\"time\"").await.starts_with("HTTP/1.1 200"));

    let mut plain = served.connect().await;
    write(&mut plain, &get("/v1")).await;
    assert!(!rest(&mut plain).await.contains("HTTP/1.1 200"));
    let mut silent = served.connect().await;
    served.end().await;
    assert_eq!(rest(&mut silent).await, "");
}

#[test]
fn a_certificate_must_be_one_and_fit_its_key() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let wrong =
        [("", key.as_str()), (&certificate, ""), (&key, &certificate), (&certificate, &other)];
    for (certificate, key) in wrong {
        let error = Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), syncline_core::ErrorKind::Invalid);
        assert!(!error.to_string().contains("PRIVATE KEY-----"));
    }
}
