//! Which objects a batch touches, found out before it is written.

use syncline_core::change::{self, Change, ChangeKind, ChangeSet};
use syncline_core::operation::{Create, Replace, Step, StepOutcome};
use syncline_core::{
    Backend, Batch, Condition, Filter, Find, Key, Object, Page, Result, StorageManager, async_trait,
};

use crate::{schema, user, with_storage};

async fn resolve(storage: &StorageManager, batch: &Batch) -> Result<ChangeSet> {
    let backend: &dyn Backend = storage.backend().as_ref();
    change::resolve(batch, storage.schema(), &backend).await
}

/// Each step's changes in short: `+` created, `~` updated, `-` deleted.
fn told(changes: &ChangeSet) -> Vec<String> {
    let short = |change: &Change| match change.kind {
        ChangeKind::Created(_) => format!("+{}", change.key),
        ChangeKind::Updated(_) => format!("~{}", change.key),
        ChangeKind::Deleted => format!("-{}", change.key),
    };
    changes.steps.iter().map(|step| step.iter().map(short).collect::<Vec<_>>().join(" ")).collect()
}

fn age(age: i32) -> Object {
    Object::new().with("age", age)
}

async fn fill(storage: &StorageManager) -> Result<()> {
    let users = [("c", 3), ("a", 1), ("e", 5), ("b", 2), ("d", 4)];
    let users = users.map(|(id, years)| user(id, id).with("age", years));
    storage.collection("user")?.create_many(users).await.map(drop)
}

#[test]
fn a_step_sees_what_the_steps_before_it_did() {
    with_storage(async |storage| {
        fill(&storage).await?;
        let over = |years| Filter::gt("age", years);
        let batch = Batch::new()
            .create("user", user("f", "f").with("age", 6))
            .update("user", over(4), age(0))
            .update("user", over(2), age(9))
            .delete("user", Filter::eq("age", 0))
            .delete("user", Filter::key("a"))
            .create("user", user("e", "e again").with("age", 9))
            .guard("free", "user", Condition::Absent("a".into()))
            .update("user", Filter::All, age(7))
            .delete("user", Filter::eq("age", 9));
        let changes = resolve(&storage, &batch).await?;
        let wanted = ["+f", "~e ~f", "~c ~d", "-e -f", "-a", "+e", "", "~b ~c ~d ~e", ""];
        assert_eq!(told(&changes), wanted);
        Ok(())
    });
}

#[test]
fn what_resolving_tells_is_what_writing_does() {
    with_storage(async |storage| {
        fill(&storage).await?;
        let steps = [
            Batch::new().update("user", Filter::gt("age", 3), age(3)),
            Batch::new().delete("user", Filter::lte("age", 3).and(Filter::ne("name", "a"))),
            Batch::new()
                .update("user", Filter::key("a"), age(4))
                .delete("user", Filter::eq("age", 4)),
            Batch::new().create("user", user("a", "a")).update(
                "user",
                Filter::eq("age", None::<i32>),
                age(1),
            ),
        ];
        for batch in steps {
            let counts: Vec<u64> = resolve(&storage, &batch)
                .await?
                .steps
                .iter()
                .map(|step| step.len() as u64)
                .collect();
            let outcome =
                storage.execute(syncline_core::Operation::Write(batch)).await?.written()?;
            let written: Vec<u64> = outcome
                .into_iter()
                .map(|outcome| match outcome {
                    StepOutcome::Updated(count) | StepOutcome::Deleted(count) => count,
                    StepOutcome::Created(_) => 1,
                    StepOutcome::Held => 0,
                })
                .collect();
            assert_eq!(counts, written);
        }
        Ok(())
    });
}

#[test]
fn objects_named_by_key_only_have_to_be_there() {
    with_storage(async |storage| {
        fill(&storage).await?;
        let keys = Filter::Keys(vec!["e".into(), "zoe".into(), "a".into(), "e".into()]);
        let batch = Batch::new()
            .update("user", keys, age(1))
            .delete("user", Filter::is_in("id", ["b", "yan"]))
            .update("user", Filter::eq("id", "b"), age(2))
            .delete("user", Filter::Keys(Vec::new()));
        assert_eq!(told(&resolve(&storage, &batch).await?), ["~a ~e", "-b", "", ""]);
        Ok(())
    });
}

#[test]
fn changes_carry_what_was_set() {
    with_storage(async |storage| {
        fill(&storage).await?;
        let batch =
            Batch::new().create("user", user("f", "F")).update("user", Filter::key("a"), age(8));
        let changes: Vec<Change> = resolve(&storage, &batch).await?.iter().cloned().collect();
        let change =
            |key: &str, kind| Change { collection: "user".into(), key: Key::from(key), kind };
        let wanted = [
            change("f", ChangeKind::Created(user("f", "F"))),
            change("a", ChangeKind::Updated(age(8))),
        ];
        assert_eq!(changes, wanted);
        Ok(())
    });
}

#[test]
fn narrowing_names_what_was_found() {
    with_storage(async |storage| {
        fill(&storage).await?;
        let batch = Batch::new()
            .update("user", Filter::gt("age", 3), age(3))
            .delete("user", Filter::Keys(vec!["a".into(), "zoe".into()]))
            .delete("user", Filter::eq("id", "b"));
        let changes = resolve(&storage, &batch).await?;
        let narrowed = change::narrow(batch, &changes, storage.schema());
        let wanted = Batch::new()
            .update("user", Filter::Keys(vec!["d".into(), "e".into()]), age(3))
            .delete("user", Filter::Keys(vec!["a".into()]))
            .delete("user", Filter::eq("id", "b"));
        assert_eq!(narrowed, wanted);
        Ok(())
    });
}

#[test]
fn keys_that_the_backend_counts_are_learnt_afterwards() {
    let create = |collection: &str, object, placeholder: Option<&str>, replace| {
        Step::Create(Create {
            collection: collection.into(),
            object,
            placeholder: placeholder.map(Into::into),
            replace,
        })
    };
    let replace = Replace { field: "user".into(), placeholder: "ann".into() };
    let mail = Object::new().with("address", "a@x");
    let batch = Batch::new()
        .step(create("user", user("a", "Ann"), Some("ann"), Vec::new()))
        .step(create("email", mail.clone(), None, vec![replace]));
    with_storage(async |storage| {
        let mut changes = resolve(&storage, &batch).await?;
        assert!(changes.lacks_keys());
        let outcomes = [StepOutcome::Created("a".into()), StepOutcome::Created(9.into())];
        changes.learn_keys(&batch, &outcomes, &schema());
        assert!(!changes.lacks_keys());
        let wanted = Change {
            collection: "email".into(),
            key: Key::from(9),
            kind: ChangeKind::Created(mail.with("number", 9).with("user", "a")),
        };
        assert_eq!(changes.steps[1], [wanted]);
        Ok(())
    });
}

/// Counts how often storage is asked.
struct Counting<'a>(&'a dyn Backend, std::sync::atomic::AtomicUsize);

#[async_trait]
impl change::Reader for Counting<'_> {
    async fn page(&self, find: Find) -> Result<Page> {
        let _ = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        change::Reader::page(&self.0, find).await
    }
}

#[test]
fn thousands_of_keys_are_read_together_and_creates_read_nothing() {
    with_storage(async |storage| {
        let ids: Vec<String> = (0..3_000).map(|number| format!("u{number:04}")).collect();
        let users = ids.iter().fold(Batch::new(), |batch, id| batch.create("user", user(id, id)));
        let updates = ids
            .iter()
            .fold(Batch::new(), |batch, id| batch.update("user", Filter::key(id.as_str()), age(1)));
        let reader = Counting(storage.backend().as_ref(), Default::default());
        let asked = || reader.1.load(std::sync::atomic::Ordering::Relaxed);

        let _ = change::resolve(&users, storage.schema(), &reader).await?;
        assert_eq!(asked(), 0);
        let _ = storage.execute(syncline_core::Operation::Write(users)).await?;
        let changes = change::resolve(&updates, storage.schema(), &reader).await?;
        assert_eq!(changes.iter().count(), 3_000);
        assert_eq!(asked(), 3);
        Ok(())
    });
}
