//! What observers are told of each kind of write, before and after.

use std::sync::{Arc, Mutex, PoisonError};

use syncline_core::change::{Change, ChangeKind, Observer, Origin};
use syncline_core::{
    Error, ErrorKind, Filter, Key, Name, Object, Result, StorageManager, async_trait,
};
use syncline_middleware::{ChangeWatch, CustomPk};

use crate::{Recorder, age, name, run, seat, storage, user};

/// Writes down what it is told; refuses, if it is so inclined.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) only: Option<Vec<Name>>,
    pub(crate) refuse: bool,
    pub(crate) before: Mutex<Vec<Change>>,
    pub(crate) after: Mutex<Vec<Change>>,
}

impl Notes {
    pub(crate) fn before(&self) -> Vec<Change> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    pub(crate) fn after(&self) -> Vec<Change> {
        self.after.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    /// What was told both before and after, which must be the same.
    #[track_caller]
    pub(crate) fn both(&self) -> Vec<Change> {
        let after = self.after();
        assert_eq!(self.before(), after);
        after
    }
}

#[async_trait]
impl Observer for Notes {
    fn collections(&self) -> Option<Vec<Name>> {
        self.only.clone()
    }

    async fn before(&self, changes: &[Change]) -> Result<()> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(changes);
        match self.refuse {
            true => Err(Error::new(ErrorKind::Denied, "the observer does not want this")),
            false => Ok(()),
        }
    }

    async fn after(&self, changes: &[Change], origin: Origin) {
        assert_eq!(origin, Origin::Local);
        self.after.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(changes);
    }
}

pub(crate) async fn watched() -> Result<(StorageManager, Arc<Notes>, Recorder)> {
    let (notes, recorder) = (Arc::new(Notes::default()), Recorder::default());
    let (watch, last) = (ChangeWatch::new().observe(notes.clone()), recorder.clone());
    let storage = storage(|builder| builder.with(watch).with(last)).await?;
    Ok((storage, notes, recorder))
}

fn change(collection: &str, key: impl Into<Key>, kind: ChangeKind) -> Change {
    Change { collection: collection.into(), key: key.into(), kind }
}

fn created(collection: &str, key: impl Into<Key>, object: Object) -> Change {
    change(collection, key, ChangeKind::Created(object))
}

fn updated(collection: &str, key: impl Into<Key>, changes: Object) -> Change {
    change(collection, key, ChangeKind::Updated(changes))
}

fn deleted(collection: &str, key: impl Into<Key>) -> Change {
    change(collection, key, ChangeKind::Deleted)
}

fn seat_key(row: &str, number: i32) -> Key {
    Key::compound([row.into(), number.into()])
}

/// Ann, Bob and Cid, and what was told of them forgotten.
async fn three() -> Result<(StorageManager, Arc<Notes>)> {
    let (storage, notes, _) = watched().await?;
    let users = [("cid", "Cid"), ("ann", "Ann"), ("bob", "Bob")];
    let users = users.map(|(id, name)| user(id, name).with("age", 30));
    let _ = storage.collection("user")?.create_many(users).await?;
    let _ = notes.both();
    Ok((storage, notes))
}

async fn seats() -> Result<(StorageManager, Arc<Notes>)> {
    let (storage, notes, _) = watched().await?;
    let _ =
        storage.collection("seat")?.create_many([seat("b", 1), seat("a", 2), seat("a", 1)]).await?;
    let _ = notes.both();
    Ok((storage, notes))
}

#[test]
fn a_create_with_a_key_that_the_backend_counts() {
    run(async || {
        let (storage, notes, _) = watched().await?;
        let title = Object::new().with("title", "all");
        let _ = storage.collection("list")?.create(title.clone()).await?;
        let unnamed = Key::compound([]);
        assert_eq!(notes.before(), [created("list", unnamed, title.clone())], "not counted yet");
        assert_eq!(notes.after(), [created("list", 1, title.with("id", 1))]);
        Ok(())
    });
}

#[test]
fn a_create_with_a_key_that_a_station_gives() {
    run(async || {
        let notes = Arc::new(Notes::default());
        let watch = ChangeWatch::new().observe(notes.clone());
        let storage = storage(|builder| builder.with(CustomPk::default()).with(watch)).await?;
        let ann = storage.collection("user")?.create(name("Ann")).await?;
        let key = Key::from(ann.value("id").clone());
        assert_eq!(notes.both(), [created("user", key, ann)]);
        Ok(())
    });
}

#[test]
fn a_create_with_a_key_of_its_own() {
    run(async || {
        let (storage, notes, _) = watched().await?;
        let _ = storage.collection("user")?.create(user("ann", "Ann")).await?;
        assert_eq!(notes.both(), [created("user", "ann", user("ann", "Ann"))]);
        Ok(())
    });
}

#[test]
fn a_create_with_a_key_of_several_fields() {
    run(async || {
        let (storage, notes, _) = watched().await?;
        let _ = storage.collection("seat")?.create(seat("a", 1)).await?;
        assert_eq!(notes.both(), [created("seat", seat_key("a", 1), seat("a", 1))]);
        Ok(())
    });
}

#[test]
fn an_update_of_one_object_by_key() {
    run(async || {
        let (storage, notes) = three().await?;
        let users = storage.collection("user")?;
        assert!(users.update_one(Key::from("bob"), age(31)).await?);
        assert_eq!(notes.both(), [updated("user", "bob", age(31))]);
        assert!(!users.update_one(Key::from("zoe"), age(31)).await?);
        assert_eq!(notes.both(), [], "there is no Zoe");
        Ok(())
    });
}

#[test]
fn an_update_of_one_object_by_a_key_of_several_fields() {
    run(async || {
        let (storage, notes) = seats().await?;
        let taken = || Object::new().with("taken", true);
        assert!(storage.collection("seat")?.update_one(seat_key("a", 2), taken()).await?);
        assert_eq!(notes.both(), [updated("seat", seat_key("a", 2), taken())]);
        Ok(())
    });
}

#[test]
fn an_update_of_several_objects_by_key() {
    run(async || {
        let (storage, notes) = three().await?;
        let some = Filter::is_in("id", ["cid", "zoe", "ann"]);
        assert_eq!(storage.collection("user")?.update(some, age(31)).await?, 2);
        assert_eq!(
            notes.both(),
            [updated("user", "ann", age(31)), updated("user", "cid", age(31))]
        );
        Ok(())
    });
}

#[test]
fn an_update_by_another_field() {
    run(async || {
        let (storage, notes) = three().await?;
        let users = storage.collection("user")?;
        assert_eq!(users.update(Filter::gte("name", "Bob"), age(31)).await?, 2);
        assert_eq!(
            notes.both(),
            [updated("user", "bob", age(31)), updated("user", "cid", age(31))]
        );
        assert!(users.update_one(Filter::eq("age", 31), age(32)).await?);
        assert_eq!(notes.both(), [updated("user", "bob", age(32))]);
        Ok(())
    });
}

#[test]
fn an_update_in_a_collection_with_a_key_of_several_fields() {
    run(async || {
        let (storage, notes) = seats().await?;
        let taken = || Object::new().with("taken", true);
        assert_eq!(storage.collection("seat")?.update(Filter::eq("row", "a"), taken()).await?, 2);
        let wanted = [1, 2].map(|number| updated("seat", seat_key("a", number), taken()));
        assert_eq!(notes.both(), wanted);
        Ok(())
    });
}

#[test]
fn a_delete_of_one_object_by_key() {
    run(async || {
        let (storage, notes) = three().await?;
        assert!(storage.collection("user")?.delete_one(Key::from("bob")).await?);
        assert_eq!(notes.both(), [deleted("user", "bob")]);
        Ok(())
    });
}

#[test]
fn a_delete_of_several_objects_by_key() {
    run(async || {
        let (storage, notes) = three().await?;
        let some = Filter::Keys(vec!["cid".into(), "ann".into(), "zoe".into()]);
        assert_eq!(storage.collection("user")?.delete(some).await?, 2);
        assert_eq!(notes.both(), [deleted("user", "ann"), deleted("user", "cid")]);
        Ok(())
    });
}

#[test]
fn a_delete_by_other_fields() {
    run(async || {
        let (storage, notes) = three().await?;
        let some = Filter::eq("age", 30).and(Filter::ne("name", "Bob"));
        assert_eq!(storage.collection("user")?.delete(some).await?, 2);
        assert_eq!(notes.both(), [deleted("user", "ann"), deleted("user", "cid")]);
        Ok(())
    });
}

#[test]
fn a_delete_in_a_collection_with_a_key_of_several_fields() {
    run(async || {
        let (storage, notes) = seats().await?;
        assert_eq!(storage.collection("seat")?.delete(Filter::eq("number", 1)).await?, 2);
        let wanted = ["a", "b"].map(|row| deleted("seat", seat_key(row, 1)));
        assert_eq!(notes.both(), wanted);
        Ok(())
    });
}

#[test]
fn a_batch_of_all_kinds() {
    run(async || {
        let (storage, notes) = three().await?;
        let mail = Object::new().with("id", "m1").with("address", "dan@x");
        let report = storage
            .batch()
            .create_as("dan", "user", user("dan", "Dan"))
            .create("email", mail.clone())
            .replace("user", "dan")
            .update("user", Filter::eq("age", 30), age(31))
            .delete("user", Filter::eq("age", 31).and(Filter::lt("name", "Bob")))
            .delete("user", Key::from("dan"));
        let _ = report.run().await?;
        let wanted = [
            created("user", "dan", user("dan", "Dan")),
            created("email", "m1", mail.with("user", "dan")),
            updated("user", "ann", age(31)),
            updated("user", "bob", age(31)),
            updated("user", "cid", age(31)),
            deleted("user", "ann"),
            deleted("user", "dan"),
        ];
        assert_eq!(notes.both(), wanted);
        Ok(())
    });
}
