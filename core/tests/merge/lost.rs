//! What is told of values that lost, case by case.

use syncline_core::log::Op;
use syncline_core::merge::{Author, Incoming};
use syncline_core::{Object, ReplicaId, Stamp};

use crate::support::{Held, collection};

/// Takes histories in words, one after the other: `create:title@3.2` is a create of the title at 3 by
/// replica 2. Says for each what was told: which field of what was lost, and against what.
#[track_caller]
fn check(calls: &[(&str, &str)]) {
    let (collection, mut held) = (collection(), Held::default());
    for (history, expected) in calls {
        let incoming: Vec<Incoming> = history.split_whitespace().map(incoming).collect();
        let answer = held.take(&collection, &incoming);
        let name = |author: Author| format!("{}.{}", author.stamp.millis(), author.replica.0[0]);
        let told: Vec<String> = answer
            .discards
            .iter()
            .map(|lost| {
                let field = lost.field.as_deref().unwrap_or("all");
                format!("{field} of {} against {}", name(lost.loser), name(lost.winner))
            })
            .collect();
        assert_eq!(told.join(", "), *expected, "{history}");
    }
}

fn incoming(word: &str) -> Incoming {
    let (op, author) = word.split_once('@').expect("an @");
    let (time, replica) = author.split_once('.').expect("a replica");
    let (op, field) = op.split_once(':').unwrap_or((op, ""));
    let fields = Object::new().with(field, time.parse::<i64>().expect("a number"));
    let op = match op {
        "create" => Op::Create(fields),
        "update" => Op::Update(fields),
        "delete" => Op::Delete,
        other => panic!("{other} is no operation"),
    };
    let millis = time.parse().expect("a number");
    let replica = ReplicaId([replica.parse().expect("a number"); 16]);
    let seq = u64::try_from(millis).expect("a small number");
    Incoming { author: Author { stamp: Stamp::at_millis(millis), replica, seq, tie: 0 }, op }
}

#[test]
fn an_edit_that_a_delete_hides_is_told_also_where_the_object_was_created_anew() {
    let story = "create:a@1.1 delete@3.1 create:b@6.1";
    check(&[(story, ""), ("update:a@5.2", "a of 5.2 against 3.1")]);
    check(&[
        ("create:b@1.1 update:a@5.2", ""),
        ("delete@3.1 create:b@6.1", "a of 5.2 against 3.1"),
    ]);
    // What the new create sets itself stands against it instead.
    check(&[
        ("create:a@1.1 delete@3.1 create:a@6.1", ""),
        ("update:a@5.2", "a of 5.2 against 6.1"),
    ]);
}

#[test]
fn an_edit_that_a_delete_hides_is_told_once() {
    let hidden = [("create:a@1.1 delete@3.1", ""), ("update:a@6.2", "a of 6.2 against 3.1")];
    for (later, told) in [
        ("delete@4.3", ""),
        ("delete@7.3", ""),
        ("update:a@7.3", "a of 7.3 against 3.1"),
        ("create:a@7.3", ""),
    ] {
        check(&[hidden[0], hidden[1], (later, told)]);
    }
}

#[test]
fn an_edit_that_came_to_light_again_is_told_again_when_it_loses_again() {
    check(&[
        ("create:a@1.1 delete@3.1", ""),
        ("update:a@6.2", "a of 6.2 against 3.1"),
        ("create:b@4.3", ""),
        ("update:a@7.3", "a of 6.2 against 7.3"),
    ]);
}
