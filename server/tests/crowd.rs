//! Many at once. Everything here is bounded in number, and on loopback.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{Tested, appending, at, exchange, group, hub_with, sealer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

async fn serve(hub: &Tested) -> (SocketAddr, JoinHandle<syncline_core::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let hub = hub.hub.clone();
    let task =
        tokio::spawn(async move { hub.serve(vec![listener], None, std::future::pending()).await });
    (address, task)
}

/// Kilobytes of this process, by this line of Linux's account of it; 0 elsewhere.
fn kilobytes(line: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|told| told.starts_with(line)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// So many that the client's end and the hub's fit into what this process may open.
fn crowd() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let most: usize =
        line.split_whitespace().nth(3).and_then(|most| most.parse().ok()).unwrap_or(256);
    10_000.min(most / 2)
}

async fn is_answered(address: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream
        .write_all(b"GET /v1 HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n")
        .await
        .expect("it is taken");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer.starts_with("HTTP/1.1 200")
}

#[tokio::test]
async fn ten_thousand_connections_that_say_nothing_keep_nobody_out() {
    let hub = hub_with(|config| config.connections = 1_000);
    let (address, task) = serve(&hub).await;
    let before = kilobytes("VmRSS");
    let mut silent = Vec::new();
    for number in 0..crowd() {
        let stream = TcpStream::connect(address).await.expect("it listens");
        // Some begin a request and never end it.
        if number % 3 == 0 {
            let _ = stream.try_write(b"GET /v1 HTTP/1.1\r\nhost: h");
        }
        silent.push(stream);
        if number % 1_000 == 0 {
            assert!(is_answered(address).await, "behind {number}");
        }
    }
    assert!(is_answered(address).await);
    assert!(hub.hub.connections() <= 1_010, "{}", hub.hub.connections());
    let grown = kilobytes("VmRSS").saturating_sub(before);
    println!("{} silent connections: {grown} kB more, both ends together", silent.len());
    assert!(grown < 100_000, "{grown} kB");
    drop(silent);
    hub.hub.stop();
    task.await.expect("it did not panic").expect("it ended well");
}

#[tokio::test]
async fn memory_is_bounded_whatever_clients_send() {
    const CLIENTS: usize = 60;
    let hub = hub_with(|config| {
        config.budget_bytes = 64 << 20;
        config.budget_wait = Duration::from_millis(50);
        // Long enough for a busy machine to have them all send what they send.
        config.stall_time = Duration::from_secs(3);
    });
    let (address, task) = serve(&hub).await;
    let path = at(&group("family"), "exchange");
    let before = kilobytes("VmHWM");
    let send = |number: usize| {
        let path = path.clone();
        async move {
            static NOTHING: [u8; 64 << 10] = [0; 64 << 10];
            let mut stream = TcpStream::connect(address).await.ok()?;
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer write:*\r\n\
                 content-length: {}\r\n\r\nX",
                (16 << 20) - number
            );
            stream.write_all(head.as_bytes()).await.ok()?;
            // All but the end: then it waits.
            for _ in 0..255 {
                stream.write_all(&NOTHING).await.ok()?;
            }
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.ok()?;
            answer.split(' ').nth(1)?.parse::<u16>().ok()
        }
    };
    let tasks: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(send(number))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.extend(task.await.expect("it did not panic"));
    }
    let grown = kilobytes("VmHWM").saturating_sub(before);
    println!("{CLIENTS} bodies of 16 MB: {grown} kB more, both ends together; {answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 408 | 503)), "{answers:?}");
    assert!(answers.contains(&503), "somebody found no room: {answers:?}");
    assert!(grown < 200_000, "{grown} kB");
    assert!(is_answered(address).await);
    hub.hub.stop();
    task.await.expect("it did not panic").expect("it ended well");
}

#[tokio::test]
async fn a_thousand_subscribers_hear_of_each_append() {
    let (hub, family) = (hub_with(|_| {}), group("family"));
    let (address, task) = serve(&hub).await;
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let path = at(&family, "notices");
    let head = format!("GET {path} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer read:*\r\n\r\n");
    let mut subscribers = Vec::new();
    for _ in 0..1_000 {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(head.as_bytes()).await.expect("it is taken");
        let heard = heard.clone();
        subscribers.push(tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                let events = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let numbers = events.split("\"number\":").skip(1);
                let numbers = numbers.filter_map(|text| text.split('}').next()?.parse().ok());
                numbers.for_each(|number: u64| heard.send(number).expect("the test listens"));
            }
        }));
    }
    let mut lane = sealer(&family, 1);
    for number in 0..=10 {
        if number > 0 {
            let append = exchange(&family, &appending(vec![lane.notes(["news"])]));
            assert_eq!(hub.ask(append).await.status(), 200);
        }
        for _ in 0..1_000 {
            assert_eq!(hears.recv().await, Some(number));
        }
    }
    hub.hub.stop();
    task.await.expect("it did not panic").expect("it ended well");
    for subscriber in subscribers {
        subscriber.await.expect("it did not panic");
    }
}
