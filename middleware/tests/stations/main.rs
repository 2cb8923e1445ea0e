//! The stations in front of the memory backend.

mod change_watch;
mod change_watch_limits;
mod custom_pk;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncline_backend_memory::MemoryBackend;
use syncline_core::change::ChangeSet;
use syncline_core::manager::ManagerBuilder;
use syncline_core::middleware::Place;
use syncline_core::schema::RelationshipDef;
use syncline_core::{
    Batch, Collection, Context, FieldType, Middleware, Next, Object, Operation, Outcome, Registry,
    Result, Schema, StorageManager, async_trait,
};

/// Users with emails that each have one proof, lists whose keys the backend counts, and seats with
/// a key of two fields.
fn schema() -> Schema {
    let user =
        Collection::define("user").field("name", FieldType::String).optional("age", FieldType::Int);
    let email = Collection::define("email").field("address", FieldType::String).child_of("user");
    let proof = Collection::define("proof")
        .field("code", FieldType::String)
        .relationship(RelationshipDef::single_child_of("email"));
    let list = Collection::define("list")
        .field("id", FieldType::AutoPk)
        .field("title", FieldType::String)
        .relationship(RelationshipDef::child_of("list").alias("parent").optional());
    let seat = Collection::define("seat")
        .key(["row", "number"])
        .field("row", FieldType::String)
        .field("number", FieldType::Int)
        .optional("taken", FieldType::Boolean);
    let collections = [user, email, proof, list, seat];
    Registry::new().collections(1, collections).finish().expect("the schema is sound")
}

/// Runs a test, which may fail with any error.
fn run<F: Future<Output = Result<()>>>(test: impl FnOnce() -> F) {
    pollster::block_on(test()).expect("nothing goes wrong that the test does not expect");
}

async fn storage(
    stations: impl FnOnce(ManagerBuilder) -> ManagerBuilder,
) -> Result<StorageManager> {
    let backend = Arc::new(MemoryBackend::default());
    stations(StorageManager::builder(backend).schema(schema())).build().await
}

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

fn name(name: &str) -> Object {
    Object::new().with("name", name)
}

fn age(age: i32) -> Object {
    Object::new().with("age", age)
}

fn seat(row: &str, number: i32) -> Object {
    Object::new().with("row", row).with("number", number)
}

/// A station behind the others that remembers what came by.
#[derive(Clone, Debug, Default)]
struct Recorder {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    batches: Vec<Batch>,
    changes: Vec<Option<ChangeSet>>,
    reads: usize,
    /// What the recorder says the changes are, instead of what it was told.
    instead: Option<ChangeSet>,
}

impl Recorder {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The objects that the last batch creates.
    fn created(&self) -> Vec<Object> {
        let seen = self.seen();
        let steps = seen.batches.last().map(|batch| batch.steps.clone()).unwrap_or_default();
        steps
            .into_iter()
            .filter_map(|step| match step {
                syncline_core::Step::Create(create) => Some(create.object),
                _ => None,
            })
            .collect()
    }
}

#[async_trait]
impl Middleware for Recorder {
    async fn process(
        &self,
        operation: Operation,
        context: &mut Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        {
            let mut seen = self.seen();
            match &operation {
                Operation::Write(batch) => {
                    seen.batches.push(batch.clone());
                    seen.changes.push(context.changes.clone());
                    if let Some(instead) = &seen.instead {
                        context.changes = Some(instead.clone());
                    }
                }
                _ => seen.reads += 1,
            }
        }
        next.run(operation, context).await
    }

    fn place(&self) -> Place {
        Place::Records
    }
}
