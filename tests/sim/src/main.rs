//! Runs many worlds, or replays one: `syncline-sim --seeds 10000`, `syncline-sim --seed 7 --trace`.

// A command speaks to the person at the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Parser;
use syncline_sim::{Notes, Summary, Violation, world};

/// Lives through simulated worlds: replicas, faults, crashes and wrong clocks, each decided by a seed.
#[derive(Debug, Parser)]
#[command(name = "syncline-sim", version)]
struct Args {
    /// How many worlds.
    #[arg(long, default_value_t = 1_000, conflicts_with = "seed")]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Only the world of this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Tells the story of a world.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// How many at once; as many as there are processors if nothing is said.
    #[arg(long)]
    threads: Option<usize>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// What many worlds came to.
#[derive(Debug, Default)]
struct Sum {
    worlds: u64,
    total: Summary,
    /// Worlds by the rounds they needed to come to rest.
    rounds: [u64; 10],
    violations: Vec<Violation>,
}

/// So many violations are told; more of them say nothing new.
const TOLD: usize = 10;

fn main() -> ExitCode {
    let args = Args::parse();
    // A panic inside a world is caught, and told as what it is: a broken promise.
    std::panic::set_hook(Box::new(|_| {}));
    let begun = Instant::now();
    let sum = live(&args);
    report(&args, &sum, begun.elapsed());
    if sum.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Lives through all worlds, on all processors.
fn live(args: &Args) -> Sum {
    let (first, count) = args.seed.map_or((args.first, args.seeds), |seed| (seed, 1));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.unwrap_or(processors).max(1);
    let (next, sum) = (AtomicU64::new(0), Mutex::new(Sum::default()));
    std::thread::scope(|scope| {
        let worker = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    break;
                }
                let lived = world(first + at).trace(args.trace).run(Notes);
                let mut sum = sum.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                sum.add(lived);
                if sum.violations.len() >= TOLD {
                    break;
                }
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let shows = !args.json && std::io::stderr().is_terminal();
        let (working, done) = mpsc::channel();
        if shows {
            let next = &next;
            scope.spawn(move || show_progress(next, count, &done));
        }
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
        drop(working);
    });
    sum.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Shows how far it is, from a second on, until the other side of `done` is dropped.
fn show_progress(next: &AtomicU64, count: u64, done: &Receiver<()>) {
    let mut wait = Duration::from_secs(1);
    while done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        eprint!("\r{} of {count} worlds", next.load(Ordering::Relaxed).min(count));
        let _ = std::io::stderr().flush();
        wait = Duration::from_millis(100);
    }
    eprint!("\r\x1b[K");
}

impl Sum {
    fn add(&mut self, lived: Result<Summary, Violation>) {
        self.worlds += 1;
        match lived {
            Ok(one) => {
                let rounds = usize::try_from(one.rounds).unwrap_or(0).min(self.rounds.len() - 1);
                self.rounds[rounds] += 1;
                let total = &mut self.total;
                total.steps += one.steps;
                total.acts += one.acts;
                total.syncs += one.syncs;
                total.requests += one.requests;
                total.batches += one.batches;
                total.looks += one.looks;
                total.faults += one.faults;
                total.millis += one.millis;
                total.story = one.story;
            }
            Err(violation) => self.violations.push(violation),
        }
    }
}

fn report(args: &Args, sum: &Sum, took: Duration) {
    let (total, seconds) = (&sum.total, took.as_secs_f64().max(0.001));
    if args.json {
        let violation = |violation: &Violation| {
            serde_json::json!({
                "seed": violation.seed,
                "invariant": format!("{:?}", violation.broken.invariant),
                "seen": violation.broken.seen,
            })
        };
        let report = serde_json::json!({
            "worlds": sum.worlds,
            "steps": total.steps,
            "acts": total.acts,
            "syncs": total.syncs,
            "requests": total.requests,
            "batches": total.batches,
            "looks": total.looks,
            "faults": total.faults,
            "seconds": seconds,
            "violations": sum.violations.iter().map(violation).collect::<Vec<_>>(),
        });
        println!("{report}");
        return;
    }
    for line in &total.story {
        println!("{line}");
    }
    for violation in &sum.violations {
        println!("{violation}\nreplay it: cargo xtask sim --seed {} --trace\n", violation.seed);
    }
    println!(
        "{} worlds, {} broken; {:.1} s: {:.0} worlds and {:.0} steps a second",
        sum.worlds,
        sum.violations.len(),
        seconds,
        sum.worlds as f64 / seconds,
        total.steps as f64 / seconds,
    );
    println!(
        "{} acts, {} syncs, {} requests, {} batches, {} faults, {} looks at a database; {} days of their time",
        total.acts,
        total.syncs,
        total.requests,
        total.batches,
        total.faults,
        total.looks,
        total.millis / 86_400_000,
    );
    let rounds = sum.rounds.iter().enumerate().filter(|(_, worlds)| **worlds > 0);
    let rounds: Vec<String> =
        rounds.map(|(rounds, worlds)| format!("{rounds}: {worlds}")).collect();
    println!("rounds until all was quiet, with how many worlds: {}", rounds.join(", "));
}
