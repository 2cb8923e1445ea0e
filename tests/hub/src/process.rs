//! A hub as a process that can be killed.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A hub that runs as a process of its own; it is killed when this is dropped.
#[derive(Debug)]
pub struct HubProcess {
    program: PathBuf,
    store: PathBuf,
    port: u16,
    child: Child,
}

/// A port of this machine that nobody listens at.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it has an address").port()
}

impl HubProcess {
    /// Starts this program as a hub over a store, and waits until it listens.
    pub fn start(program: &str, store: &Path) -> Self {
        Self::start_at(program, store, free_port())
    }

    fn start_at(program: &str, store: &Path, port: u16) -> Self {
        let mut child = Command::new(program)
            .arg(store)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the hub starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        let read = BufReader::new(stdout).read_line(&mut line);
        assert_eq!((read.is_ok(), line.trim()), (true, "ready"), "the hub runs");
        Self { program: program.into(), store: store.to_owned(), port, child }
    }

    /// The hub's address; the same after a restart.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The hub's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the hub with SIGKILL and starts it again.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        let program = self.program.to_string_lossy().into_owned();
        let again = Self::start_at(&program, &self.store, self.port);
        *self = again;
    }

    fn kill(&mut self) {
        self.child.kill().expect("it was started here");
        let _ = self.child.wait().expect("it ends");
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
