//! Progress on stderr, for what takes longer than a second and is watched.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far something is. Nothing is shown unless stderr is a terminal.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    bar: ProgressBar,
    is_shown: bool,
}

impl Progress {
    /// Towards a known end, in bytes.
    pub fn of_bytes(total: u64, what: &str) -> Self {
        let bar = ProgressBar::hidden();
        bar.set_length(total);
        bar.set_style(style("{msg} {wide_bar} {bytes}/{total_bytes}, {eta} left"));
        bar.set_message(what.to_owned());
        Self { started: Instant::now(), bar, is_shown: false }
    }

    /// Towards an end that nobody knows.
    pub fn endless(what: &str) -> Self {
        let bar = ProgressBar::hidden();
        bar.set_style(style("{spinner} {msg}"));
        bar.set_message(what.to_owned());
        Self { started: Instant::now(), bar, is_shown: false }
    }

    /// Says how far it is.
    pub fn set(&mut self, position: u64) {
        self.show();
        self.bar.set_position(position);
    }

    /// Says what is being done.
    pub fn tell(&mut self, message: String) {
        self.show();
        self.bar.set_message(message);
        self.bar.tick();
    }

    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&mut self) {
        if !self.is_shown && self.started.elapsed() > PATIENCE {
            self.is_shown = true;
            self.bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
