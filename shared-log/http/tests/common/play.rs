//! A transport that plays what a test wrote down, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use syncline_core::log::Exchanged;
use syncline_core::{Error, ErrorKind};
use syncline_shared_log_http::{
    Chunks, Fault, FaultKind, HttpLog, HttpLogConfig, Transport, Whole,
};
use syncline_shared_log_wire::{
    BYTES, NUMBER_HEADER, PROBLEM, Problem, REQUEST_HEADER, write_exchanged,
};
use tokio::sync::mpsc;

/// What becomes of one request.
pub enum Act {
    Answer(Response<Box<dyn Chunks>>),
    Fails(FaultKind),
    /// Never answers.
    Hangs,
}

impl Act {
    pub fn status(status: u16) -> Self {
        Self::with(status, &[], "")
    }

    pub fn with(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Self {
        Self::body(status, headers, Box::new(Whole::new(body)))
    }

    pub fn body(status: u16, headers: &[(&str, &str)], body: Box<dyn Chunks>) -> Self {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Self::Answer(response.body(body).expect("a sound answer"))
    }

    /// A problem with the status of its kind, or with another one.
    pub fn problem(error: &Error, status: Option<u16>) -> Self {
        let problem = Problem::new(error);
        let status = status.unwrap_or(problem.status);
        let body = serde_json::to_vec(&problem.with_status(status)).expect("plain data");
        Self::with(status, &[("content-type", PROBLEM)], body)
    }

    pub fn denied(status: u16) -> Self {
        Self::problem(&Error::new(ErrorKind::Denied, "no"), Some(status))
    }

    /// The answer to an exchange, or a part of one, with the group's newest number.
    pub fn exchanged(exchanged: &Exchanged, number: u64) -> Self {
        let number = number.to_string();
        let headers = [("content-type", BYTES), (NUMBER_HEADER, number.as_str())];
        Self::with(200, &headers, write_exchanged(exchanged))
    }

    /// A stream of events, and the end at which they are put in.
    pub fn stream() -> (Self, Feed) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let headers = [("content-type", "text/event-stream")];
        (Self::body(200, &headers, Box::new(Fed(receiver))), Feed(Some(sender)))
    }
}

/// The end of a body at which it is put in; dropped, the body is over.
pub struct Feed(Option<mpsc::UnboundedSender<Result<Bytes, Fault>>>);

impl Feed {
    pub fn say(&self, text: &str) {
        let sender = self.0.as_ref().expect("it goes on");
        // Nobody may be listening any more.
        let _ = sender.send(Ok(Bytes::copy_from_slice(text.as_bytes())));
    }

    pub fn number(&self, number: u64) {
        self.say(&format!("event: notice\ndata: {{\"number\":{number}}}\n\n"));
    }

    pub fn breaks(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(Err(Fault::new(FaultKind::Broken)));
        }
    }

    pub fn is_heard(&self) -> bool {
        self.0.as_ref().is_some_and(|sender| !sender.is_closed())
    }
}

struct Fed(mpsc::UnboundedReceiver<Result<Bytes, Fault>>);

#[async_trait]
impl Chunks for Fed {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        self.0.recv().await.transpose()
    }
}

/// A transport that plays.
#[derive(Clone, Default)]
pub struct Play(Arc<Mutex<Stage>>);

#[derive(Default)]
struct Stage {
    acts: VecDeque<Act>,
    asked: Vec<Request<Bytes>>,
}

impl Play {
    pub fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        let play = Self::default();
        acts.into_iter().for_each(|act| play.add(act));
        play
    }

    pub fn add(&self, act: Act) {
        self.stage().acts.push_back(act);
    }

    pub fn log(&self, config: HttpLogConfig) -> HttpLog {
        HttpLog::over(Arc::new(self.clone()), config).expect("a sound configuration")
    }

    /// What was asked until now.
    pub fn asked(&self) -> Vec<Request<Bytes>> {
        self.stage().asked.clone()
    }

    /// The tokens that came, one for each request.
    pub fn tokens(&self) -> Vec<String> {
        let token = |request: &Request<Bytes>| {
            let value = request.headers().get("authorization");
            value.map_or("none", |value| value.to_str().expect("text")).to_owned()
        };
        self.asked().iter().map(token).collect()
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Play {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Play")
    }
}

#[async_trait]
impl Transport for Play {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Box<dyn Chunks>>, Fault> {
        let name = request.headers().get(REQUEST_HEADER).cloned();
        let act = {
            let mut stage = self.stage();
            stage.asked.push(request);
            stage.acts.pop_front().unwrap_or(Act::Fails(FaultKind::Unreachable))
        };
        match act {
            Act::Answer(mut answer) => {
                if let (Some(name), false) = (name, answer.headers().contains_key(REQUEST_HEADER)) {
                    let _ = answer.headers_mut().insert(REQUEST_HEADER, name);
                }
                Ok(answer)
            }
            Act::Fails(kind) => Err(Fault::new(kind)),
            Act::Hangs => std::future::pending().await,
        }
    }
}
