//! Where records come from, and how a file is known again.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use syncline::{Error, Result};

use crate::args::Format;
use crate::output::io_failed;

const BUFFER: usize = 1 << 16;

/// Something that is read from its beginning to its end.
pub type Input = BufReader<Box<dyn Read>>;

/// A file, or stdin.
#[derive(Clone, Debug)]
pub enum Source {
    File(PathBuf),
    Stdin,
}

impl Source {
    pub fn new(path: &Path) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdin);
        }
        if path.extension().is_some_and(|end| end == "gz" || end == "zip" || end == "zst") {
            return Err(Error::invalid("the file is compressed; unpack it, or pipe it in as `-`")
                .with("path", path.display()));
        }
        if path.is_dir() {
            return Err(
                Error::invalid("this is a folder; name a file").with("path", path.display())
            );
        }
        let _ = open(path)?;
        Ok(Self::File(path.to_owned()))
    }

    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "stdin".to_owned(),
        }
    }

    /// Reads from a place on.
    pub fn open(&self, from: u64) -> Result<Input> {
        let read: Box<dyn Read> = match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::File(path) => {
                let mut file = open(path)?;
                let _ = file.seek(SeekFrom::Start(from)).map_err(|e| unreadable(path, e))?;
                Box::new(file)
            }
        };
        Ok(BufReader::with_capacity(BUFFER, read))
    }

    /// The format, by the end of the name or by how the contents begin.
    pub fn format(&self, input: &mut Input) -> Result<Format> {
        let end = match self {
            Self::File(path) => path.extension().and_then(|end| end.to_str()),
            Self::Stdin => None,
        };
        match end.map(str::to_ascii_lowercase).as_deref() {
            Some("jsonl" | "ndjson") => return Ok(Format::Jsonl),
            Some("csv") => return Ok(Format::Csv),
            _ => {}
        }
        let begin = input.fill_buf().map_err(|error| self.failed(error))?;
        let begin = begin.strip_prefix(BOM).unwrap_or(begin);
        Ok(match begin.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => Format::Json,
            Some(b'{') | None => Format::Jsonl,
            Some(_) if end == Some("json") => Format::Jsonl,
            Some(_) => Format::Csv,
        })
    }

    pub fn failed(&self, error: io::Error) -> Error {
        unreadable(Path::new(&self.name()), error)
    }

    /// What the file's beginning up to a place is known by; nothing for stdin.
    pub fn prefix(&self) -> Result<Option<Prefix>> {
        match self {
            Self::Stdin => Ok(None),
            Self::File(path) => {
                let size = path.metadata().map_err(|error| unreadable(path, error))?.len();
                Ok(Some(Prefix { path: path.clone(), size, at: 0, hash: Sha256::new() }))
            }
        }
    }
}

/// What some editors begin a text file with.
pub const BOM: &[u8] = b"\xef\xbb\xbf";

/// The beginning of a file up to a place, known by its hash: so a file is known again under another
/// name, and also if it was changed or continued behind that place.
#[derive(Clone, Debug)]
pub struct Prefix {
    path: PathBuf,
    pub size: u64,
    pub at: u64,
    hash: Sha256,
}

impl Prefix {
    /// The beginning up to a later place.
    pub fn up_to(&self, place: u64) -> Result<Self> {
        let failed = |error| unreadable(&self.path, error);
        let mut longer = self.clone();
        if place > self.at {
            let mut file = open(&self.path)?;
            let _ = file.seek(SeekFrom::Start(self.at)).map_err(failed)?;
            let mut part = file.take(place - self.at);
            let mut buffer = vec![0; BUFFER];
            loop {
                let length = part.read(&mut buffer).map_err(failed)?;
                if length == 0 {
                    break;
                }
                longer.hash.update(&buffer[..length]);
                longer.at += length as u64;
            }
        }
        if longer.at != place {
            return Err(Error::invalid("the file changed while it was read; import it again")
                .with("path", self.path.display()));
        }
        Ok(longer)
    }

    pub fn hash(&self) -> Vec<u8> {
        self.hash.clone().finalize().to_vec()
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    io_failed("the file cannot be read", path, error)
}
