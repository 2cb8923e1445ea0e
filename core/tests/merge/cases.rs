//! What storex-sync pins down about reconciliation, case by case, as histories in words.
//!
//! `create`, `modify` and `delete` happen one after the other, at 1, 2, 3 and so on unless `@` says when;
//! what sets the title sets it to its time. A word with `!` is new, the others are applied already.
//! Where we answer otherwise on purpose, the case says why.

use syncline_core::log::Op;
use syncline_core::merge::{Author, Incoming};
use syncline_core::{Object, ReplicaId, Stamp, Step};

use crate::support::{Held, collection};

#[track_caller]
fn check(history: &str, expected: &str) {
    let collection = collection();
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for (position, word) in (1..).zip(history.split_whitespace()) {
        let is_new = word.ends_with('!');
        let word = word.trim_end_matches('!');
        let (op, time) = word.split_once('@').map_or((word, position), |(op, time)| {
            (op, time.parse().expect("a number behind the @"))
        });
        let fields = || Object::new().with("title", time.to_string());
        let op = match op {
            "create" => Op::Create(fields()),
            "modify" => Op::Update(fields()),
            "delete" => Op::Delete,
            other => panic!("{other} is no operation"),
        };
        let stamp = Stamp::at_millis(time);
        let author = Author { stamp, replica: ReplicaId([1; 16]), seq: time as u64, tie: 0 };
        if is_new { &mut new } else { &mut old }.push(Incoming { author, op });
    }
    let mut held = Held::default();
    let _ = held.take(&collection, &old);
    let answer = held.take(&collection, &new);
    let title = |object: &Object| object.value("title").as_text().unwrap_or("-").to_owned();
    let told: Vec<String> = answer
        .steps
        .iter()
        .map(|step| match step {
            Step::Create(create) => format!("create {}", title(&create.object)),
            Step::Update { changes, .. } => {
                assert_eq!(changes.len(), 1, "only what changed");
                format!("update {}", title(changes))
            }
            Step::Delete { .. } => "delete".to_owned(),
            Step::Guard(_) => "guard".to_owned(),
        })
        .collect();
    assert_eq!(told.join(", "), expected, "{history}");
}

#[test]
fn creates_and_edits_come_to_one_step() {
    check("create!", "create 1");
    check("create modify!", "update 2");
    check("create! modify!", "create 2");
    // Different: edits without a create wait for it, instead of updating what is not there.
    check("modify modify!", "");
    check("modify! modify!", "");
    check("create modify! modify!", "update 3");
    check("create modify@3! modify@2!", "update 3");
}

#[test]
fn creates_of_one_key_merge() {
    check("create create!", "update 2");
    check("create! create!", "create 2");
    // Different: theirs throws without a flag, and the object then blocks sync for ever.
    check("create@2! create@1!", "create 2");
}

#[test]
fn a_delete_ends_what_came_before() {
    check("create delete!", "delete");
    check("create modify delete!", "delete");
    check("create modify! delete!", "delete");
    check("create! modify! delete!", "");
    check("create modify modify delete!", "delete");
    check("create modify modify! delete!", "delete");
    check("create modify! modify! delete!", "delete");
    check("create! modify! modify! delete!", "");
}

#[test]
fn a_create_after_a_delete_starts_afresh() {
    check("create delete create!", "create 3");
    // Different: a row that goes and comes back is one update of what changed, not two steps.
    check("create delete! create!", "update 3");
    check("create! delete! create!", "create 3");
    check("delete create delete!", "delete");
    check("delete create! delete!", "");
    check("delete@2! create@3!", "create 3");
}

#[test]
fn a_delete_of_what_is_not_there_writes_nothing() {
    // Different: theirs deletes a row that no entry ever created; the smallest batch is none.
    check("delete! create! delete!", "");
    check("delete!", "");
    check("delete! delete!", "");
    check("delete@1! modify@2! delete@4!", "");
    check("create delete! delete!", "delete");
}

#[test]
fn an_edit_does_not_bring_back_what_was_deleted() {
    check("delete modify!", "");
    check("delete! modify!", "");
    check("modify@2! delete@1!", "");
    check("create delete@3! modify@4!", "delete");
    check("modify@2! create@1! delete@3!", "");
}

#[test]
fn what_they_do_not_test_holds_too() {
    check("delete create@3! modify@2!", "create 3");
    check("create@2 create@1!", "");
    check("create@4 delete@2! modify@3!", "");
    // An edit between two creates was there before the object was born anew.
    check("create delete@4! modify@3! create@5!", "update 5");
    check("modify@5 create@1!", "create 5");
}
