//! A reader of JSON text.

use std::fmt;

use serde_json::{Map, Number, Value as Json};

use super::float;

/// What is wrong with a text that is no JSON.
#[derive(Debug)]
pub struct Broken {
    what: &'static str,
    at: usize,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl std::error::Error for Broken {}

type Result<T> = std::result::Result<T, Broken>;

/// Reads a value that is nested at most so deep.
pub(super) fn read(text: &[u8], deepest: usize) -> Result<Json> {
    let whole = match std::str::from_utf8(text) {
        Ok(whole) => whole,
        Err(error) => return Err(Broken { what: "no UTF-8", at: error.valid_up_to() }),
    };
    let mut reader = Reader { text: whole, at: 0 };
    let json = reader.value(deepest)?;
    match reader.peek() {
        None => Ok(json),
        Some(_) => Err(reader.broken("there is something behind the value")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn broken(&self, what: &'static str) -> Broken {
        Broken { what, at: self.at }
    }

    /// The byte at hand.
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
        self.byte()
    }

    /// Takes the byte at hand if it is this one.
    fn take(&mut self, wanted: u8) -> bool {
        let is_it = self.byte() == Some(wanted);
        self.at += usize::from(is_it);
        is_it
    }

    fn word(&mut self, word: &str, json: Json) -> Result<Json> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.broken("a value is wanted"));
        }
        self.at += word.len();
        Ok(json)
    }

    fn value(&mut self, deeper: usize) -> Result<Json> {
        match self.peek() {
            Some(b'n') => self.word("null", Json::Null),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'[') => self.list(self.inside(deeper)?),
            Some(b'{') => self.object(self.inside(deeper)?),
            _ => Err(self.broken("a value is wanted")),
        }
    }

    fn inside(&self, deeper: usize) -> Result<usize> {
        deeper.checked_sub(1).ok_or_else(|| self.broken("it is nested too deep"))
    }

    fn list(&mut self, deeper: usize) -> Result<Json> {
        self.at += 1;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(deeper)?);
            if self.ends(b']')? {
                return Ok(Json::Array(items));
            }
        }
    }

    fn object(&mut self, deeper: usize) -> Result<Json> {
        self.at += 1;
        let mut members = Map::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.broken("a name is wanted"));
            }
            let name = self.string()?;
            let _ = self.peek();
            if !self.take(b':') {
                return Err(self.broken("`:` is wanted"));
            }
            let _ = members.insert(name, self.value(deeper)?);
            if self.ends(b'}')? {
                return Ok(Json::Object(members));
            }
        }
    }

    /// Takes the bracket that ends a list or an object, or the comma before what comes next.
    fn ends(&mut self, bracket: u8) -> Result<bool> {
        let _ = self.peek();
        if self.take(bracket) {
            return Ok(true);
        }
        match self.take(b',') {
            true => Ok(false),
            false => Err(self.broken("`,` or the end is wanted")),
        }
    }

    fn string(&mut self) -> Result<String> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let begin = self.at;
            while self.byte().is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            string.push_str(&self.text[begin..self.at]);
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => {
                    self.at += 1;
                    string.push(self.escaped()?);
                }
                _ => return Err(self.broken("a text ends without `\"`")),
            }
        }
    }

    /// What stands behind a backslash.
    fn escaped(&mut self) -> Result<char> {
        let letter = self.byte();
        self.at += 1;
        Ok(match letter {
            Some(letter @ (b'"' | b'\\' | b'/')) => letter.into(),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.broken("there is no such escape")),
        })
    }

    fn unicode(&mut self) -> Result<char> {
        let first = self.hex()?;
        let code = match first {
            0xd800..=0xdbff if self.take(b'\\') && self.take(b'u') => {
                let second = self.hex()?;
                match second {
                    0xdc00..=0xdfff => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    _ => first,
                }
            }
            _ => first,
        };
        char::from_u32(code).ok_or_else(|| self.broken("half a letter"))
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.broken("four hexadecimal digits are wanted"))?;
        self.at += 4;
        Ok(code)
    }

    fn number(&mut self) -> Result<Json> {
        let begin = self.at;
        let is_negative = self.take(b'-');
        let first = self.at;
        let whole = self.digits()?;
        if whole.len() > 1 && whole.starts_with('0') {
            self.at = first + 1;
            return Err(self.broken("a number begins with 0"));
        }
        let fraction = if self.take(b'.') { self.digits()? } else { "" };
        let mut exponent = 0_i64;
        let has_exponent = self.take(b'e') || self.take(b'E');
        if has_exponent {
            let is_small = self.take(b'-');
            if !is_small {
                let _ = self.take(b'+');
            }
            for digit in self.digits()?.bytes() {
                exponent = exponent.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
            }
            exponent = if is_small { -exponent } else { exponent };
        }
        if fraction.is_empty() && !has_exponent {
            // Negative zero is a float.
            match (is_negative, whole.parse::<u64>(), self.text[begin..self.at].parse::<i64>()) {
                (false, Ok(int), _) => return Ok(int.into()),
                (true, _, Ok(int)) if int != 0 => return Ok(int.into()),
                _ => {}
            }
        }
        let float = float::read(whole, fraction, exponent);
        let float = if is_negative { -float } else { float };
        Number::from_f64(float)
            .map(Json::Number)
            .ok_or_else(|| self.broken("a number is too large"))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<&'a str> {
        let begin = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match begin < self.at {
            true => Ok(&self.text[begin..self.at]),
            false => Err(self.broken("a digit is wanted")),
        }
    }
}
