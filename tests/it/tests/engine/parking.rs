//! What this application does not understand waits, and everything else goes on.

use syncline::log::{Codec, Extension, Segment};
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::status;
use syncline::{Collection, FieldType, Filter, Object, Registry, Schema, SharedLog};
use syncline_it::{Replica, STORES, Store, law, schema, storage};

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

fn shared() -> MemoryLog {
    MemoryLog::new("test".parse().expect("a group"))
}

/// The usual schema, and a version 2 in which users have a phone and there are tags.
fn newer() -> Schema {
    let user = Collection::define("user")
        .field("name", FieldType::String)
        .optional("nick", FieldType::String)
        .optional("age", FieldType::Int)
        .optional("joined", FieldType::Datetime);
    let with_phone = user.clone().optional("phone", FieldType::String);
    let tag = Collection::define("tag").field("word", FieldType::String);
    Registry::new()
        .collections(1, [user, Collection::define("note").optional("text", FieldType::Text)])
        .collections(2, [with_phone, tag])
        .finish()
        .expect("the schema is sound")
}

async fn open(store: Store, number: u64, schema: Schema) -> Replica {
    Replica::open(storage(store), number, schema, |config| config).await.expect("it opens")
}

#[test]
fn what_a_newer_application_wrote_waits_for_the_upgrade_and_the_rest_goes_on() {
    for store in STORES {
        pollster::block_on(async {
            let (old, new, log) =
                (open(store, 1, schema()).await, open(store, 2, newer()).await, shared());
            let _ = old.create("user", user("a", "old")).await;
            let _ = old.sync(&log).await;
            let _ = new.sync(&log).await;
            let changes = Object::new().with("phone", "123").with("name", "new");
            let _ = new.update("user", Filter::key("a"), changes).await;
            let _ = new.create("tag", Object::new().with("id", "t").with("word", "w")).await;
            let _ = new.create("note", Object::new().with("id", "n").with("text", "x")).await;
            // A batch of which one part is not understood waits as a whole.
            let batch = new.manager.batch().create("note", Object::new().with("id", "with-tag"));
            let tag = Object::new().with("id", "t2").with("word", "w");
            let _ = batch.create("tag", tag).run().await.expect("it writes");
            let _ = new.sync(&log).await;
            let report = old.sync(&log).await;
            assert_eq!((report.integrated, report.parked), (1, 4));
            assert_eq!(old.all("note").await, [Object::new().with("id", "n").with("text", "x")]);
            assert_eq!(old.all("user").await, [user("a", "old")]);
            assert_eq!(status(&old.log).await.expect("a status").quarantined.len(), 3);
            // It edits the same object meanwhile, and later.
            old.clock.set(1_900_000_000_000);
            let _ = old.update("user", Filter::key("a"), Object::new().with("name", "later")).await;
            let _ = old.sync(&log).await;
            let _ = new.sync(&log).await;
            assert_eq!(new.all("user").await, [user("a", "later").with("phone", "123")]);
            let backend = old.backend.clone();
            let upgraded =
                Replica::open(backend, 1, newer(), |config| config).await.expect("it opens");
            let report = upgraded.sync(&log).await;
            assert_eq!((report.integrated, report.parked), (4, 0));
            assert_eq!(status(&upgraded.log).await.expect("a status").quarantined, []);
            law::check_equal(&[upgraded, new]).await;
        });
    }
}

/// The only segment of a log, sealed again in another way.
async fn resealed(
    log: &MemoryLog,
    change: impl Fn(&mut syncline::log::Header, &mut Vec<u8>),
) -> MemoryLog {
    let everything = syncline::log::Fetch {
        replica: syncline::ReplicaId([9; 16]),
        after: syncline::log::After::Known(syncline::log::VersionVector::default()),
        limit_bytes: usize::MAX,
        limit_entries: u64::MAX,
    };
    let changed = shared();
    for (position, segment) in (0..).zip(log.fetch(&everything).await.expect("it answers").segments)
    {
        let (mut header, mut body) = (segment.header().clone(), segment.body().to_vec());
        if position == 0 {
            change(&mut header, &mut body);
        }
        let _ = changed.append(&[Segment::seal(header, &body)]).await.expect("it is taken");
    }
    changed
}

#[test]
fn intact_bytes_that_are_not_understood_are_kept_and_named_and_later_ones_go_on() {
    for store in STORES {
        pollster::block_on(async {
            let (one, log) = (Replica::new(store, 1).await, shared());
            let _ = one.create("user", user("a", "first")).await;
            let _ = one.sync(&log).await;
            let _ = one.create("user", user("b", "second")).await;
            let _ = one.sync(&log).await;
            type Change = fn(&mut syncline::log::Header, &mut Vec<u8>);
            let strange: [(&str, Change); 5] = [
                ("newer", |header, _| header.format = 9),
                ("newer", |header, _| header.key_epoch = 1),
                ("codec", |header, _| header.codec = 77),
                ("newer", |header, _| {
                    header.extensions = vec![Extension { id: 3, bytes: vec![1] }]
                }),
                ("", |_, body| body[0] ^= 1),
            ];
            for (number, (reason, change)) in (10..).zip(strange) {
                let (two, changed) =
                    (Replica::new(store, number).await, resealed(&log, change).await);
                let report = two.sync(&changed).await;
                assert_eq!((report.received, report.integrated, report.parked), (2, 1, 1));
                assert_eq!(two.all("user").await, [user("b", "second")]);
                let waits = status(&two.log).await.expect("a status").quarantined;
                assert!(waits.len() == 1 && waits[0].reason.contains(reason), "{waits:?}");
                let _ = two.create("user", user("c", "own")).await;
                assert!(two.sync(&changed).await.finished);
                assert!(two.sync(&changed).await.finished);
            }
            // An extension that is not critical is no obstacle, and another codec neither.
            let tolerable: [Change; 2] = [
                |header, _| header.extensions = vec![Extension { id: 2, bytes: vec![1] }],
                |header, body| {
                    *body = Codec::JsonDeflate.encode(1, body).expect("it encodes");
                    header.codec = Codec::JsonDeflate.number();
                },
            ];
            for (number, change) in (20..).zip(tolerable) {
                let two = Replica::new(store, number).await;
                let _ = two.sync(&resealed(&log, change).await).await;
                law::check_equal(&[one.clone(), two]).await;
            }
        });
    }
}

#[test]
fn a_key_that_does_not_fit_waits() {
    for store in STORES {
        pollster::block_on(async {
            let counted = |kind| {
                let thing = Collection::define("thing").field("id", kind).key(["id"]);
                Registry::new().collections(1, [thing]).finish().expect("the schema is sound")
            };
            let one = open(store, 1, counted(FieldType::Int)).await;
            let two = open(store, 2, counted(FieldType::String)).await;
            let log = shared();
            let _ = one.create("thing", Object::new().with("id", 7)).await;
            let _ = one.sync(&log).await;
            let report = two.sync(&log).await;
            assert_eq!((report.parked, report.integrated, report.finished), (1, 0, true));
            let _ = two.create("thing", Object::new().with("id", "7")).await;
            let _ = two.sync(&log).await;
            assert_eq!(two.all("thing").await.len(), 1);
        });
    }
}
