//! Writes and syncs of several replicas in any order: every row equals the law at every step, and all agree
//! in the end.

use proptest::prelude::*;
use syncline::log::Codec;
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::Stage;
use syncline::{Filter, Object, SharedLog, SyncOptions, Value, do_sync};
use syncline_it::{Replica, Store, law};

/// One thing that somebody does.
#[derive(Clone, Debug)]
pub enum Act {
    Write(Vec<Edit>),
    UpdateByAge(i64, Object),
    DeleteByAge(i64),
    Clock(i64),
    Sync(Wish),
}

/// A part of a batch, about one of few objects.
#[derive(Clone, Debug)]
pub enum Edit {
    Create(u8, Object),
    Update(u8, Object),
    Delete(u8),
}

/// How somebody syncs.
#[derive(Clone, Debug)]
pub struct Wish {
    sizes: (u64, u64),
    single_batch: bool,
    skip: Vec<Stage>,
    codec: Codec,
}

fn changes() -> impl Strategy<Value = Object> {
    let age = prop_oneof![Just(Value::Null), (0_i64..3).prop_map(Value::from)];
    let nick = prop_oneof![Just(Value::Null), "[xy]".prop_map(Value::from)];
    let name = "[ab]".prop_map(Value::from);
    (prop::option::of(name), prop::option::of(nick), prop::option::of(age)).prop_map(
        |(name, nick, age)| {
            let mut object = Object::new();
            for (field, value) in [("name", name), ("nick", nick), ("age", age)] {
                let _ = value.map(|value| object.set(field, value));
            }
            object
        },
    )
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => (0_u8..4, changes()).prop_map(|(id, object)| Edit::Create(id, object)),
        3 => (0_u8..4, changes()).prop_map(|(id, object)| Edit::Update(id, object)),
        1 => (0_u8..4).prop_map(Edit::Delete),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let stage = prop_oneof![
        Just(Stage::Receive),
        Just(Stage::Share),
        Just(Stage::Integrate),
        Just(Stage::CleanUp)
    ];
    let skip = prop::collection::vec(stage, 0..2);
    let codec = (0_usize..4).prop_map(|at| Codec::ALL[at]);
    ((1_u64..4, 1_u64..4), any::<bool>(), skip, codec)
        .prop_map(|(sizes, single_batch, skip, codec)| Wish { sizes, single_batch, skip, codec })
}

pub fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => prop::collection::vec(edit(), 1..2).prop_map(Act::Write),
        3 => prop::collection::vec(edit(), 2..5).prop_map(Act::Write),
        1 => (0_i64..3, changes()).prop_map(|(age, changes)| Act::UpdateByAge(age, changes)),
        1 => (0_i64..3).prop_map(Act::DeleteByAge),
        1 => (0_i64..5).prop_map(Act::Clock),
        7 => wish().prop_map(Act::Sync),
    ]
}

impl Wish {
    fn options(&self) -> SyncOptions {
        SyncOptions {
            upload_entries: self.sizes.0,
            download_entries: self.sizes.1,
            single_batch: self.single_batch,
            skip: self.skip.clone(),
            codec: self.codec,
            ..SyncOptions::default()
        }
    }
}

pub async fn carry_out(replica: &Replica, log: &dyn SharedLog, act: Act) {
    let users = replica.manager.collection("user").expect("there are users");
    match act {
        Act::Write(edits) => {
            let key = |id| Filter::key(format!("u{id}"));
            let fill = |batch: syncline::manager::BatchBuilder, edit| match edit {
                Edit::Create(id, mut object) => {
                    let _ = object.set("id", format!("u{id}"));
                    if !object.contains("name") {
                        let _ = object.set("name", "new");
                    }
                    batch.create("user", object)
                }
                Edit::Update(id, object) => batch.update("user", key(id), object),
                Edit::Delete(id) => batch.delete("user", key(id)),
            };
            // What is there already cannot be created: then nothing of the batch is written.
            let _ = edits.into_iter().fold(replica.manager.batch(), fill).run().await;
        }
        Act::UpdateByAge(age, changes) => {
            let _ = users.update(Filter::gte("age", age), changes).await.expect("it updates");
        }
        Act::DeleteByAge(age) => {
            let _ = users.delete(Filter::eq("age", age)).await.expect("it deletes");
        }
        Act::Clock(step) => replica.clock.set(1_800_000_000_000 + step * 1_000),
        Act::Sync(wish) => {
            drop(do_sync(&replica.log, log, &wish.options()).await.expect("it syncs"))
        }
    }
}

/// Everybody syncs with any of the logs, and with all of them in the end.
fn story(replicas: &[Store], logs: usize, acts: Vec<(usize, Act)>) {
    pollster::block_on(async {
        let log =
            |number| MemoryLog::new("test".parse().expect("a group")).named(&format!("{number}"));
        let logs: Vec<MemoryLog> = (0..logs).map(log).collect();
        let mut all = Vec::new();
        for (number, store) in (1..).zip(replicas) {
            all.push(Replica::new(*store, number).await);
        }
        for (who, act) in acts {
            let replica = &all[who % all.len()];
            carry_out(replica, &logs[(who / all.len()) % logs.len()], act).await;
            law::check(replica).await;
        }
        let mut known = law::Entries::new();
        for log in logs.iter().chain(&logs) {
            for replica in &all {
                let report = replica.sync(log).await;
                assert!(report.finished && report.parked == 0);
            }
        }
        for replica in &all {
            for (id, entries) in law::applied(replica).await {
                known.entry(id).or_default().extend(entries);
            }
        }
        law::check_equal(&all).await;
        let first = law::seen(&all[0]).await;
        assert_eq!(first, law::rows(&known), "nothing is lost, nothing is twice");
        for log in &logs {
            assert_eq!(law::shared(log).await, known, "the log has it all");
        }
        for replica in &all {
            assert_eq!(replica.sync(&logs[0]).await.received, 0, "all is quiet");
        }
    });
}

fn acts(most: usize) -> impl Strategy<Value = Vec<(usize, Act)>> {
    prop::collection::vec((0_usize..12, act()), 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 300, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn two_replicas_in_memory_always_show_the_law(acts in acts(40)) {
        story(&[Store::Memory, Store::Memory], 1, acts);
    }

    #[test]
    fn four_replicas_in_memory_always_show_the_law(acts in acts(60)) {
        story(&[Store::Memory; 4], 1, acts);
    }

    #[test]
    fn three_replicas_with_two_logs_always_show_the_law(acts in acts(50)) {
        story(&[Store::Memory; 3], 2, acts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 300, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn three_replicas_on_both_storages_always_show_the_law(acts in acts(40)) {
        story(&[Store::Sqlite, Store::Memory, Store::Sqlite], 1, acts);
    }
}
