//! The least hub: keeps what is uploaded in a file, durably, and gives it back. HTTP as far as that takes.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use crate::Result;

/// A server on this machine that keeps lines in a file. Its thread ends with the process.
#[derive(Debug)]
pub(crate) struct LineServer {
    address: SocketAddr,
}

impl LineServer {
    pub(crate) fn start(file: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, file) = (listener.local_addr()?, file.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that went away has nobody to tell.
                let _ = answer(stream, &file);
            }
        });
        Ok(Self { address })
    }

    pub(crate) fn upload(&self, lines: &[u8]) -> Result {
        let head = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n", lines.len());
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(lines)?;
        read_message(&mut BufReader::new(stream)).map(drop)
    }

    pub(crate) fn download(&self) -> Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
        let (_, body) = read_message(&mut BufReader::new(stream))?;
        Ok(String::from_utf8(body)?)
    }
}

fn answer(stream: TcpStream, path: &PathBuf) -> Result {
    let mut reader = BufReader::new(stream);
    let (first, body) = read_message(&mut reader)?;
    let body = if first.starts_with("POST") {
        let mut file = File::create(path)?;
        file.write_all(&body)?;
        file.sync_data()?;
        Vec::new()
    } else {
        std::fs::read(path)?
    };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)?;
    Ok(())
}

fn read_message(reader: &mut BufReader<TcpStream>) -> Result<(String, Vec<u8>)> {
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim().strip_prefix("content-length: ") {
            Some(number) => length = number.parse()?,
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((first, body))
}
