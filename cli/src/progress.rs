//! Progress on stderr, for what takes longer than a second and is watched.

use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the picture moves, so that nobody takes slow for dead.
const TICK: Duration = Duration::from_millis(100);

/// How far something is. Nothing is shown unless stderr is a terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// While it is there, somebody waits to show the bar.
    _work: Option<Sender<()>>,
}

impl Progress {
    /// Towards a known end, in bytes.
    pub fn of_bytes(total: u64, what: &str) -> Self {
        let progress = Self::new("{msg} {wide_bar} {bytes}/{total_bytes}, {eta} left", what);
        progress.bar.set_length(total);
        progress
    }

    /// Towards an end that nobody knows.
    pub fn endless(what: &str) -> Self {
        Self::new("{spinner} {msg}", what)
    }

    fn new(template: &str, what: &str) -> Self {
        let bar = ProgressBar::hidden();
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what.to_owned());
        if !std::io::stderr().is_terminal() {
            return Self { bar, _work: None };
        }
        let (work, ended) = mpsc::channel::<()>();
        let shown = bar.clone();
        let _ = std::thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(TICK);
            }
        });
        Self { bar, _work: Some(work) }
    }

    /// Says how far it is.
    pub fn set(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Says what is being done.
    pub fn tell(&self, message: String) {
        self.bar.set_message(message);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
