//! Server-sent events, as far as a hub uses them.

/// The longest line and the longest event that are read: notices are far shorter.
const LONGEST: usize = 16 << 10;

/// Something that a stream of events said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// An event with this data.
    Data(String),
    /// A comment, or an event without data: a sign of life.
    Alive,
}

/// The stream holds a line or an event that is too long to be a notice.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Reads a stream of events, wherever its pieces begin and end.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    data: Option<String>,
    /// Whether the last byte was a carriage return: a line feed behind it belongs to it.
    was_return: bool,
    /// Whether anything was read; before that, a byte order mark may stand there.
    has_begun: bool,
}

impl Parser {
    /// Reads one more piece; the events that it completes.
    pub fn read(&mut self, piece: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for byte in piece {
            match byte {
                b'\n' if std::mem::take(&mut self.was_return) => {}
                b'\n' | b'\r' => {
                    self.was_return = *byte == b'\r';
                    events.extend(self.end_line()?);
                }
                _ => {
                    self.was_return = false;
                    if self.line.len() >= LONGEST {
                        return Err(TooLong);
                    }
                    self.line.push(*byte);
                }
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Result<Option<Event>, TooLong> {
        let line = std::mem::take(&mut self.line);
        let mut line = String::from_utf8_lossy(&line);
        if !std::mem::replace(&mut self.has_begun, true)
            && let Some(rest) = line.strip_prefix('\u{feff}')
        {
            line = rest.to_owned().into();
        }
        if line.is_empty() {
            return Ok(Some(self.data.take().map_or(Event::Alive, Event::Data)));
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        match field {
            "" => return Ok(Some(Event::Alive)),
            "data" => {
                let value = value.strip_prefix(' ').unwrap_or(value);
                let data = self.data.get_or_insert_default();
                if data.len() + value.len() >= LONGEST {
                    return Err(TooLong);
                }
                if !data.is_empty() {
                    data.push('\n');
                }
                data.push_str(value);
            }
            // The names, ids and advice of events mean nothing to a client of a hub.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "\u{feff}event: notice\r\ndata: {\"number\":7}\r\n\r\n:\n\ndata:a\rdata:  b\r\r\
                          id: 9\nretry: 5\nnonsense\n\ndata\n\ndata: ü\n\ndata: cut off";

    fn data(text: &str) -> Event {
        Event::Data(text.to_owned())
    }

    fn expected() -> Vec<Event> {
        let all = [
            data("{\"number\":7}"),
            Event::Alive,
            Event::Alive,
            data("a\n b"),
            Event::Alive,
            data(""),
            data("ü"),
        ];
        all.into()
    }

    #[test]
    fn a_stream_may_be_cut_anywhere() {
        let bytes = STREAM.as_bytes();
        assert_eq!(Parser::default().read(bytes).unwrap(), expected(), "all at once");
        for first in 0..bytes.len() {
            for second in first..bytes.len() {
                let mut parser = Parser::default();
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                let read = pieces.map(|piece| parser.read(piece).unwrap());
                let read: Vec<_> = read.into_iter().flatten().collect();
                assert_eq!(read, expected(), "cut at {first} and {second}");
            }
        }
        let mut parser = Parser::default();
        let single = bytes.chunks(1).flat_map(|byte| parser.read(byte).unwrap());
        assert_eq!(single.collect::<Vec<_>>(), expected(), "byte by byte");
    }

    #[test]
    fn a_stream_that_never_ends_a_line_is_given_up() {
        let mut parser = Parser::default();
        let endless = vec![b'a'; LONGEST + 1];
        assert_eq!(parser.read(&endless), Err(TooLong));
        let mut parser = Parser::default();
        let line = format!("data: {}\n", "a".repeat(LONGEST / 2));
        assert!(parser.read(line.as_bytes()).is_ok());
        assert_eq!(parser.read(line.as_bytes()), Err(TooLong), "an event that never ends");
    }
}
