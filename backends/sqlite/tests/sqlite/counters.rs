//! How many statements and transactions each operation takes, exactly.

use syncline_backend_sqlite::{Counters, SqliteBackend};
use syncline_core::{
    Batch, Collection, Condition, FieldType, Filter, Find, Key, Object, Operation, Schema,
};

use super::support::*;

/// What `work` takes, once the database is ready.
#[track_caller]
fn check(
    schema: &std::sync::Arc<Schema>,
    work: impl FnOnce(&SqliteBackend),
    statements: u64,
    transactions: u64,
) {
    let backend = memory(schema);
    let fill = (0..10).fold(many_notes(10), |batch, at| {
        batch.create("visit", Object::new().with("url", "x").with("time", at))
    });
    let _ = write(&backend, fill).expect("fills");
    let before = backend.counters();
    work(&backend);
    let after = backend.counters();
    let taken = Counters {
        statements: after.statements - before.statements,
        transactions: after.transactions - before.transactions,
    };
    assert_eq!(taken, Counters { statements, transactions });
}

fn notes_and_visits() -> std::sync::Arc<Schema> {
    let visit =
        Collection::define("visit").field("url", FieldType::String).field("time", FieldType::Int);
    schema(1, [note(), visit.key(["url", "time"])])
}

#[track_caller]
fn writes(batch: Batch, statements: u64) {
    check(
        &notes_and_visits(),
        |backend| drop(write(backend, batch).expect("writes")),
        statements,
        1,
    );
}

#[track_caller]
fn finds(find: Find, objects: usize, statements: u64) {
    let work = |backend: &SqliteBackend| {
        assert_eq!(page(backend, find).expect("finds").objects.len(), objects);
    };
    check(&notes_and_visits(), work, statements, 0);
}

fn changes() -> Object {
    Object::new().with("title", "y")
}

fn keys(count: usize) -> Vec<Key> {
    (0..count).map(|at| Key::from(format!("n{at:03}"))).collect()
}

#[test]
fn a_write_takes_one_statement_for_each_step_or_run_of_keys() {
    writes(Batch::new().create("note", a_note("new", "x", 1)), 1);
    writes(Batch::new().update("note", Filter::key("n001"), changes()), 1);
    writes(Batch::new().update("note", Filter::Keys(keys(5)), changes()), 1);
    writes(Batch::new().update("note", Filter::gt("priority", 3), changes()), 1);
    writes(Batch::new().delete("note", Filter::Keys(keys(5))), 1);
    writes(Batch::new().delete("note", Filter::All), 1);
    writes(Batch::new().update("note", Filter::All, Object::new()), 1);
    writes(many_notes(20).delete("note", Filter::eq("title", "no")).pop_front(10), 11);
}

#[test]
fn a_guard_of_the_object_that_is_changed_next_takes_no_statement() {
    let exists = |key: &str| Condition::Exists(key.into());
    let looks = |key: &str| Condition::Looks(key.into(), Object::new().with("title", "x"));
    let guarded = |condition| Batch::new().guard("g", "note", condition);
    let update = |batch: Batch| batch.update("note", Filter::key("n001"), changes());
    writes(update(guarded(exists("n001"))), 1);
    writes(update(guarded(looks("n001"))), 1);
    writes(guarded(exists("n001")).delete("note", Filter::eq("id", "n001")), 1);
    writes(update(guarded(exists("n002"))), 2);
    writes(update(guarded(Condition::Absent("new".into()))), 2);
    writes(guarded(exists("n001")).update("note", Filter::key("n001"), Object::new()), 2);
    writes(guarded(Condition::Unique(Object::new().with("priority", 1))), 1);
    writes(guarded(Condition::Unique(Object::new().with("priority", None::<i64>))), 0);
}

#[test]
fn a_find_takes_one_statement() {
    finds(Find::new("note", Filter::key("n001")), 1, 1);
    finds(Find::new("note", Filter::Keys(keys(7))), 7, 1);
    finds(Find::new("note", Filter::All), 10, 1);
    finds(Find::new("note", Filter::gt("priority", 5)), 5, 1);
    finds(Find::new("note", Filter::key(1)), 0, 0);
    let visits = (0..8).map(|at| Key::compound(["x".into(), at.into()])).collect();
    finds(Find::new("visit", Filter::Keys(visits)), 8, 1);
    check(
        &notes_and_visits(),
        |backend| {
            drop(execute(backend, Operation::Count("note".into(), Filter::All)).expect("counts"))
        },
        1,
        0,
    );
}

#[test]
fn preparing_again_takes_a_few_statements_for_each_collection() {
    let schema = notes_and_visits();
    check(&schema, |backend| prepare(backend, &schema).expect("prepares"), 7, 0);
}

/// A batch without its first steps.
trait PopFront {
    fn pop_front(self, steps: usize) -> Self;
}

impl PopFront for Batch {
    fn pop_front(mut self, steps: usize) -> Self {
        let _ = self.steps.drain(..steps);
        self
    }
}
