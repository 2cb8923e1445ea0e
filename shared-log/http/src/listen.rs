//! Live notices: a stream of events, or answers that wait where streams are blocked.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::http::Method;
use syncline_core::timer::{Backoff, within};
use syncline_core::{ErrorKind, Result};
use syncline_shared_log_wire::notice::Notice;

use crate::caller::{Caller, Question};
use crate::error::HttpError;
use crate::seen::Seen;
use crate::sse::{Event, Parser};
use crate::transport::Chunks;

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";

/// How long a hub is asked to wait with an answer: shorter than the patience of most proxies.
const POLL: Duration = Duration::from_secs(25);
/// After so many polls, a stream is tried again: the client may be in another network now.
const POLLS: u32 = 50;
/// Between streams that end as soon as they begin.
const PAUSE: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };

/// A line to the hub on which news come.
#[derive(Debug, Default)]
pub(crate) struct Line {
    stream: Option<Stream>,
    /// How many more polls before a stream is tried.
    polls: u32,
    /// How many streams ended before they said more than one thing.
    short: u32,
    /// Whether the hub was out of reach: when it is back, it may have news.
    was_lost: bool,
}

struct Stream {
    chunks: Box<dyn Chunks>,
    parser: Parser,
    /// Events that were read and not looked at.
    events: VecDeque<Event>,
    said: u32,
    /// What had been seen when the stream was asked for.
    before: u64,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("said", &self.said).finish_non_exhaustive()
    }
}

/// What a step on the line brought.
enum Step {
    /// The number of the group now. The first one of a connection tells also what a smaller number means.
    Number {
        now: u64,
        first: bool,
        before: u64,
    },
    Nothing,
}

impl Line {
    /// Waits for news. May be stopped at any time: what is kept in `self` is consistent at every wait.
    pub async fn changed(&mut self, caller: &Caller, seen: &Seen) -> Result<()> {
        loop {
            let step = match self.polls {
                0 => self.listen(caller, seen).await,
                _ => self.poll(caller, seen).await,
            };
            let step = step.inspect_err(|error| {
                (self.stream, self.polls) = (None, 0);
                self.was_lost |= error.kind() == ErrorKind::Unavailable;
            })?;
            let Step::Number { now, first, before } = step else { continue };
            let known = seen.number();
            // A smaller number than before the connection: the hub was restored from a backup.
            let is_news = now > known || first && now < before;
            if is_news {
                seen.up_to(now);
            }
            if std::mem::take(&mut self.was_lost) || is_news {
                return Ok(());
            }
        }
    }

    async fn listen(&mut self, caller: &Caller, seen: &Seen) -> Result<Step> {
        let Some(stream) = &mut self.stream else {
            if self.short > 0 {
                let wait = PAUSE.wait(self.short, caller.random.as_ref());
                caller.timer.sleep(wait).await;
            }
            return self.open(caller, seen).await;
        };
        if let Some(event) = stream.events.pop_front() {
            stream.said += 1;
            let first = stream.said == 1;
            if !first {
                self.short = 0;
            }
            let before = stream.before;
            return Ok(match number(&event) {
                Some(now) => Step::Number { now, first, before },
                None => Step::Nothing,
            });
        }
        // The first event comes at once, unless somebody on the way keeps it to himself.
        let silence = caller.timeouts.silence / if stream.said == 0 { 3 } else { 1 };
        let next = within(caller.timer.as_ref(), silence, stream.chunks.next()).await;
        match next {
            Some(Ok(Some(piece))) => match stream.parser.read(&piece) {
                Ok(events) => stream.events.extend(events),
                Err(_) => self.give_streams_up(),
            },
            None if stream.said == 0 => self.give_streams_up(),
            // It ended, broke, or fell silent.
            None | Some(Ok(None) | Err(_)) => {
                self.stream = None;
                self.short = self.short.saturating_add(1);
            }
        }
        Ok(Step::Nothing)
    }

    async fn open(&mut self, caller: &Caller, seen: &Seen) -> Result<Step> {
        let before = seen.number();
        match caller.begin(Question::new(Method::GET, "notices", EVENTS)).await {
            Ok(begun) => {
                let (parser, events) = Default::default();
                let chunks = begun.into_body();
                self.stream = Some(Stream { chunks, parser, events, said: 0, before });
            }
            // Something on the way makes something else of streams; it may let polls through.
            Err(error) if is_other_media(&error) => self.give_streams_up(),
            Err(error) => return Err(error),
        }
        Ok(Step::Nothing)
    }

    async fn poll(&mut self, caller: &Caller, seen: &Seen) -> Result<Step> {
        let before = seen.number();
        // Whoever was cut off wants to know at once that the hub is back.
        let wait = if self.was_lost { Duration::ZERO } else { POLL };
        let path = format!("notices?after={before}&wait={}", wait.as_secs());
        let mut question = Question::new(Method::GET, path, JSON);
        question.patience = wait;
        let answer = caller.ask(question).await?;
        let notice = Notice::read(&answer.body).ok_or(HttpError::Misfit { asked: "notices" })?;
        self.polls -= 1;
        if notice.number == before && !self.was_lost {
            // Whoever answers at once and says nothing new is not asked all the time.
            caller.timer.sleep(PAUSE.wait(1, caller.random.as_ref())).await;
        }
        Ok(Step::Number { now: notice.number, first: true, before })
    }

    fn give_streams_up(&mut self) {
        self.stream = None;
        self.polls = POLLS;
    }
}

fn number(event: &Event) -> Option<u64> {
    let Event::Data(data) = event else { return None };
    Notice::read(data.as_bytes()).map(|notice| notice.number)
}

fn is_other_media(error: &syncline_core::Error) -> bool {
    let mut context = error.context();
    error.kind() == ErrorKind::Unavailable
        && context.any(|(key, value)| key == "status" && value == "200")
}
