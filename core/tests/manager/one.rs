//! Writes to exactly one object.

use std::sync::{Arc, Mutex};

use serde_json::json;
use syncline_backend_memory::MemoryBackend;
use syncline_core::{
    Context, Error, ErrorKind, Filter, Middleware, Next, Object, Operation, Outcome, Result,
    StorageManager, async_trait,
};

use crate::{refused, schema, user, with_storage};

#[test]
fn only_the_first_match_by_key_is_updated() {
    with_storage(async |storage| {
        let users = storage.collection("user")?;
        let aged = |id: &str| user(id, id).with("age", 30);
        let _ =
            users.create_many([aged("c"), aged("a").with("age", 20), aged("b"), aged("d")]).await?;
        assert!(users.update_one(json!({ "age": 30 }), Object::new().with("age", 31)).await?);
        let older = users.find(json!({ "age": 31 })).await?;
        assert_eq!(older, [aged("b").with("age", 31)]);

        assert!(!users.update_one(json!({ "age": 99 }), Object::new().with("age", 1)).await?);
        assert!(users.update_one(Filter::key("c"), Object::new().with("age", 40)).await?);
        assert!(!users.update_one(Filter::key("z"), Object::new().with("age", 40)).await?);
        assert!(users.update_one(Filter::All, Object::new().with("age", 1)).await?);
        assert_eq!(users.find(json!({ "age": 1 })).await?, [aged("a").with("age", 1)]);
        Ok(())
    });
}

#[test]
fn only_the_first_match_by_key_is_deleted() {
    with_storage(async |storage| {
        let users = storage.collection("user")?;
        let _ = users.create_many([user("b", "B"), user("a", "A"), user("c", "C")]).await?;
        assert!(users.delete_one(json!({ "name": { "$gte": "B" } })).await?);
        assert_eq!(users.find(Filter::All).await?, [user("a", "A"), user("c", "C")]);
        let by_object = user("c", "C");
        assert!(users.delete_one(by_object.clone()).await?);
        assert!(!users.delete_one(by_object).await?);
        assert_eq!(users.find(Filter::All).await?, [user("a", "A")]);
        Ok(())
    });
}

/// Changes the object that was just found, as another task might, before the write comes.
#[derive(Debug)]
struct Meddler(Mutex<u32>);

#[async_trait]
impl Middleware for Meddler {
    async fn process(
        &self,
        operation: Operation,
        context: &mut Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        let guarded = matches!(&operation, Operation::Write(batch) if batch.steps.len() > 1);
        let left = {
            let mut left = self.0.lock().map_err(|_| Error::internal("poisoned"))?;
            *left = left.saturating_sub(u32::from(guarded));
            *left
        };
        if guarded && left > 0 {
            let first = Filter::eq("age", 30);
            let page = syncline_core::Find::new("user", first).limit(1);
            let page = next.run(Operation::Find(page), context).await?.found()?;
            let key = page.objects[0].value("id").clone();
            let older = syncline_core::Batch::new().update(
                "user",
                Filter::key(key),
                Object::new().with("age", 99),
            );
            let _ = next.run(Operation::Write(older), context).await?;
        }
        next.run(operation, context).await
    }
}

async fn meddled(times: u32) -> Result<StorageManager> {
    let backend = Arc::new(MemoryBackend::default());
    let storage = StorageManager::builder(backend)
        .schema(schema())
        .with(Meddler(Mutex::new(times + 1)))
        .build()
        .await?;
    let users: Vec<Object> = (0..20)
        .map(|number| format!("u{number:02}"))
        .map(|id| user(&id, &id).with("age", 30))
        .collect();
    for user in users {
        let create = syncline_core::Batch::new().create("user", user);
        let _ = syncline_core::run(storage.backend().as_ref(), Operation::Write(create)).await?;
    }
    Ok(storage)
}

#[test]
fn an_object_that_no_longer_meets_the_filter_is_left_alone() -> Result<()> {
    pollster::block_on(async {
        let storage = meddled(3).await?;
        let users = storage.collection("user")?;
        assert!(users.update_one(json!({ "age": 30 }), Object::new().with("age", 31)).await?);
        let changed = users.find(json!({ "age": 31 })).await?;
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0].value("id"), &"u03".into(), "the first three were changed by others");
        Ok(())
    })
}

#[test]
fn looking_again_has_an_end() -> Result<()> {
    pollster::block_on(async {
        let storage = meddled(1_000).await?;
        let users = storage.collection("user")?;
        let answer = users.delete_one(json!({ "age": 30 })).await;
        let error = refused(answer, ErrorKind::Conflict, &["still meets the filter"]);
        assert!(error.guard().is_some());
        assert_eq!(users.count(Filter::All).await?, 20);
        Ok(())
    })
}
