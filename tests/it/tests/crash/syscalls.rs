//! On a disk: a process of its own, with an SQLite file and a folder to meet in, is killed before every system
//! call that changes something there, and hears of errors from the disk.

use std::io::Write;
use std::process::{Command, Output};
use std::sync::OnceLock;

use syncline_it::crash::child::{self, Progress};
use syncline_it::crash::trace::{self, Injection, Point};
use syncline_it::crash::{Activity, Meeting, Place, Stage, Storage, folder};

/// What comes before an activity, in a folder that is copied for each child.
struct Template {
    stage: Stage,
}

impl Template {
    fn new(activity: Activity) -> Self {
        let place = Place::new(Storage::Files, Meeting::Folder);
        let mut stage = pollster::block_on(Stage::prepare(activity, place));
        stage.close();
        Self { stage }
    }

    /// Runs a child in a copy; `run` may change how it is run.
    fn run(&self, run: impl FnOnce(Command, &Place) -> Output) -> Child {
        let place = self.stage.place.copied();
        let mut command = Command::new(env!("CARGO_BIN_EXE_interrupted"));
        child::give_task(&mut command, self.stage.activity, place.root());
        let output = run(command, &place);
        Child { place, output }
    }

    /// All of the activity's system calls that change something.
    fn points(&self) -> Vec<Point> {
        let (listing, _own) = folder();
        let mut points = Vec::new();
        let child = self.run(|command, place| {
            let (found, output) = trace::list(&command, place.root(), &listing.join("listing"));
            points = found;
            output
        });
        assert!(child.output.status.success(), "it does what it is told: {:?}", child.output);
        assert!(child.progress().steps.is_some(), "it comes to the end");
        self.go_on(child);
        points
    }

    /// Lets children abort themselves at every durable step: what can be done without tracing.
    fn aborted_everywhere(&self) {
        let whole = self.run(|mut command, _| command.output().expect("it starts"));
        let steps = whole.progress().steps.expect("it comes to the end");
        assert!(steps >= 6, "not only {steps}");
        self.go_on(whole);
        for (at, after) in (0..steps).flat_map(|at| [(at, false), (at, true)]) {
            let child = self.run(|mut command, _| {
                child::let_abort(&mut command, at, after);
                command.output().expect("it starts")
            });
            assert!(!child.output.status.success(), "it aborts at {at}: {:?}", child.output);
            self.go_on(child);
        }
    }

    /// Checks everyone, does the rest, and lets all sync.
    fn go_on(&self, child: Child) {
        let progress = child.progress();
        pollster::block_on(async {
            let stage = self.stage.moved_to(child.place).await;
            let _ = progress.go_on(stage).await;
        });
    }
}

/// A child that came to its end, and where.
struct Child {
    place: Place,
    output: Output,
}

impl Child {
    fn progress(&self) -> Progress {
        Progress::of(&self.output.stdout)
    }
}

/// Whether processes can be traced here; if not, says so, once.
fn can_trace() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| {
        let Err(why) = trace::is_possible() else { return true };
        // The test runner would keep what is printed to itself.
        let _ = writeln!(
            std::io::stderr(),
            "\n*** {why}\n*** No process can be killed inside a call to SQLite or to the folder, nor hear \
             of errors from the disk: children abort themselves between such calls instead."
        );
        false
    })
}

/// Kills a process before every such call; an enumeration that ends too early fails.
fn killed_everywhere(activity: Activity, at_least: usize) {
    let template = Template::new(activity);
    if !can_trace() {
        return template.aborted_everywhere();
    }
    let points = template.points();
    assert!(points.len() >= at_least, "{} calls, and not {at_least}", points.len());
    for point in &points {
        let child = template.run(|command, _| {
            trace::at(point, Injection::Kill, &command).output().expect("strace is there")
        });
        assert!(trace::was_killed(&child.output), "at {point:?}: {:?}", child.output);
        template.go_on(child);
    }
}

/// Lets every such call fail, once, and from there on.
fn fails_everywhere(activity: Activity, at_least: usize) {
    if !can_trace() {
        return;
    }
    let template = Template::new(activity);
    let mut heard = 0;
    for point in template.points() {
        let (error, kind) = match point.call.as_str() {
            "fsync" | "fdatasync" => ("EIO", "Unavailable"),
            // SQLite does not say why it cannot open a file.
            "openat" if !point.line.contains("/log") => ("ENOSPC", "Denied"),
            _ => ("ENOSPC", "Full"),
        };
        for injection in [Injection::Error(error), Injection::ErrorFrom(error)] {
            let child = template.run(|command, _| {
                trace::at(&point, injection, &command).output().expect("strace is there")
            });
            let output = &child.output;
            assert!(output.status.success(), "it goes on: {injection:?} {point:?} {output:?}");
            let errors = child.progress().errors;
            let others: Vec<_> = errors.iter().filter(|error| error.0 != kind).collect();
            assert!(others.is_empty(), "not {kind}: {others:?} {injection:?} {point:?}");
            heard += errors.len();
            template.go_on(child);
        }
    }
    assert!(heard >= at_least, "{heard} errors, and not {at_least}");
}

#[test]
fn a_database_is_made_and_synced_wherever_its_process_is_killed() {
    killed_everywhere(Activity::Begin, 90);
}

#[test]
fn a_write_is_there_as_a_whole_or_not_at_all_wherever_its_process_is_killed() {
    killed_everywhere(Activity::Write, 60);
}

#[test]
fn a_sync_goes_on_where_it_was_wherever_its_process_is_killed() {
    killed_everywhere(Activity::Sync, 150);
}

#[test]
fn a_migration_goes_on_where_it_was_wherever_its_process_is_killed() {
    killed_everywhere(Activity::Migrate, 120);
}

#[test]
fn rows_are_adopted_once_wherever_their_process_is_killed() {
    killed_everywhere(Activity::Adopt, 150);
}

#[test]
fn a_copied_database_takes_a_new_id_once_wherever_its_process_is_killed() {
    killed_everywhere(Activity::Renew, 145);
}

#[test]
fn what_is_cleaned_away_is_missed_by_nobody_wherever_its_process_is_killed() {
    killed_everywhere(Activity::CleanUp, 60);
}

#[test]
fn a_write_that_the_disk_refuses_anywhere_is_an_error_with_a_kind_and_costs_nothing_else() {
    fails_everywhere(Activity::Write, 180);
}

#[test]
fn a_sync_that_the_disk_refuses_anywhere_is_an_error_with_a_kind_and_loses_nothing() {
    fails_everywhere(Activity::Sync, 400);
}
