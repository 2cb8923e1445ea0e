//! A server on this machine that answers with the bytes that a test wrote down.

use std::sync::{Arc, Mutex, PoisonError};

use syncline_shared_log_wire::REQUEST_HEADER;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that gives one written answer to each connection, and then closes it.
pub struct Script {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Script {
    /// Answers with these, one after another; with nothing when there are none left.
    pub async fn new(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (mut answers, heard) =
            (answers.into_iter().collect::<Vec<_>>().into_iter(), asked.clone());
        let server = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let head = read_request(&mut connection).await;
                let answer = named(answers.next().unwrap_or_default(), &head);
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(head);
                // A client that had enough closes first.
                let _ = connection.write_all(&answer).await;
                let _ = connection.shutdown().await;
            }
        });
        Self { url, asked, server }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The heads of all requests.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The answer, with the name of the request that it answers, as hubs say it.
fn named(answer: Vec<u8>, head: &str) -> Vec<u8> {
    let name = head.lines().find(|line| line.to_ascii_lowercase().starts_with(REQUEST_HEADER));
    let end = answer.windows(2).position(|two| two == b"\r\n");
    match (name, end) {
        (Some(name), Some(end)) if !contains(&answer, REQUEST_HEADER.as_bytes()) => {
            [&answer[..end + 2], name.as_bytes(), b"\r\n", &answer[end + 2..]].concat()
        }
        _ => answer,
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A whole answer.
pub fn reply(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status} Some\r\nconnection: close\r\n");
    for (name, value) in headers {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    let framed = ["content-length", "transfer-encoding"];
    if !headers.iter().any(|(name, _)| framed.contains(name)) && status != 204 {
        answer.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    answer.push_str("\r\n");
    [answer.into_bytes(), body.to_vec()].concat()
}

async fn read_request(connection: &mut TcpStream) -> String {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
            });
            let start = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0) + 4;
            if bytes.len() >= start + length.unwrap_or(0_usize) {
                return head.to_owned();
            }
        }
        match connection.read(&mut piece).await {
            Ok(0) | Err(_) => return text,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    }
}
