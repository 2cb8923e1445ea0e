//! The items of one JSON list, told apart without reading all of it.

use std::io::BufRead;

use syncline::{Error, Result};

use super::records::{Place, Record, parse};
use super::source::{BOM, Input, Source};

/// A JSON list, read item by item.
pub struct List {
    source: Source,
    input: Input,
    at: Place,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Before,
    Opened,
    BehindItem,
    BehindComma,
    Closed,
}

impl List {
    /// A list from a place on: from its beginning, or from behind an item.
    pub fn new(source: Source, input: Input, at: Place) -> Self {
        let state = if at.bytes == 0 { State::Before } else { State::BehindItem };
        Self { source, input, at, state }
    }

    /// The next item.
    pub fn next(&mut self) -> Result<Option<Record>> {
        loop {
            let Some(byte) = self.peek()? else {
                return match self.state {
                    State::Closed => Ok(None),
                    _ => Err(self.wrong("the file ends before the list does; is it whole?")),
                };
            };
            if byte.is_ascii_whitespace() {
                self.advance(byte);
                continue;
            }
            match (self.state, byte) {
                (State::Before, byte) if byte == BOM[0] && self.at.bytes == 0 => {
                    BOM.iter().for_each(|byte| self.advance(*byte));
                    continue;
                }
                (State::Before, b'[') => self.state = State::Opened,
                (State::Opened | State::BehindItem, b']') => self.state = State::Closed,
                (State::BehindItem, b',') => self.state = State::BehindComma,
                (State::Opened | State::BehindComma, b']' | b',') => {
                    return Err(self.wrong("an item of the list is missing"));
                }
                (State::Opened | State::BehindComma, _) => return self.item().map(Some),
                (State::Before, _) => return Err(self.wrong("this is not a JSON list")),
                (State::BehindItem, _) => {
                    return Err(self.wrong("a comma is missing between two items"));
                }
                (State::Closed, _) => {
                    return Err(self.wrong("something stands behind the end of the list"));
                }
            }
            self.advance(byte);
        }
    }

    /// One item: up to where its brackets are closed, or to the next comma.
    fn item(&mut self) -> Result<Record> {
        let line = self.at.lines + 1;
        let (mut text, mut depth, mut quoted, mut escaped) = (Vec::new(), 0_u32, false, false);
        while let Some(byte) = self.peek()? {
            if depth == 0 && !quoted && matches!(byte, b',' | b']') {
                break;
            }
            self.advance(byte);
            text.push(byte);
            if quoted {
                quoted = escaped || byte != b'"';
                escaped = !escaped && byte == b'\\';
                continue;
            }
            match byte {
                b'"' => quoted = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && byte == b'}' {
                break;
            }
        }
        if depth > 0 || quoted {
            return Err(Error::invalid("the file ends in the middle of an item").with("line", line));
        }
        self.state = State::BehindItem;
        Ok(Record { line, end: self.at, json: parse(&text) })
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        let buffer = self.input.fill_buf().map_err(|error| self.source.failed(error))?;
        Ok(buffer.first().copied())
    }

    fn advance(&mut self, byte: u8) {
        self.input.consume(1);
        self.at.bytes += 1;
        self.at.lines += u64::from(byte == b'\n');
    }

    fn wrong(&self, message: &'static str) -> Error {
        Error::invalid(message).with("line", self.at.lines + 1)
    }
}
