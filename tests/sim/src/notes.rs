//! The world's own application: lists of items, in two versions.

use syncline::manager::BatchBuilder;
use syncline::schema::RelationshipDef;
use syncline::{
    Collection, FieldType, Filter, Object, Registry, Result, Schema, StepOutcome, Value,
    async_trait,
};

use crate::app::{App, User};

/// How many objects of a collection there may be: few, so that replicas meet on them.
const OBJECTS: usize = 4;

/// Lists and their items; the second version knows labels, and items that are due.
///
/// Its users create, change and delete few objects, alone and in batches, by key and by filter. Every text
/// that they write is written once in a world, so that each can be followed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notes;

#[async_trait]
impl App for Notes {
    fn schema(&self, version: u32) -> Result<Schema> {
        let list = Collection::define("list").field("title", FieldType::String);
        let item = Collection::define("item")
            .field("text", FieldType::String)
            .relationship(RelationshipDef::child_of("list").optional())
            .optional("rank", FieldType::Int)
            .optional("note", FieldType::Text);
        let registry = Registry::new().collections(1, [list, item.clone()]);
        if version == 1 {
            return registry.finish();
        }
        let label = Collection::define("label").field("word", FieldType::String);
        registry.collections(2, [item.optional("due", FieldType::String), label]).finish()
    }

    fn versions(&self) -> u32 {
        2
    }

    async fn act(&self, user: &User) -> Result<()> {
        match user.dice.below(10) {
            0 => by_filter(user).await,
            1 => delete_by_filter(user).await,
            2 => read_then_write(user).await,
            drawn => {
                let count = if drawn < 5 { 2 + user.dice.below(3) } else { 1 };
                batch(user, count).await
            }
        }
    }
}

/// One step of a batch, and what is promised once it is done.
struct Edit {
    what: String,
    promise: Option<(&'static str, String, &'static str, String)>,
}

async fn batch(user: &User, count: usize) -> Result<()> {
    let (mut batch, mut edits) = (user.manager.batch(), Vec::new());
    for _ in 0..count {
        let (next, edit) = edit(user, batch);
        batch = next;
        edits.push(edit);
    }
    let told: Vec<&str> = edits.iter().map(|edit| edit.what.as_str()).collect();
    user.tell(|| format!("writes {}", told.join(", ")));
    let outcomes = batch.run().await?;
    for (edit, outcome) in edits.iter().zip(outcomes.outcomes()) {
        let took_effect = !matches!(outcome, StepOutcome::Updated(0) | StepOutcome::Deleted(0));
        if let Some((collection, key, field, value)) = edit.promise.as_ref().filter(|_| took_effect)
        {
            user.was_told(collection, key.as_str(), field, value);
        }
    }
    user.tell(|| format!("has written {}", told.join(", ")));
    Ok(())
}

fn edit(user: &User, batch: BatchBuilder) -> (BatchBuilder, Edit) {
    let dice = &user.dice;
    let knows_labels = user.manager.schema().get("label").is_some();
    let collections: &[(&str, &[&str])] = &[
        ("item", &["text", "note"]),
        ("item", &["text", "note"]),
        ("list", &["title"]),
        ("label", &["word"]),
        ("item", &["due"]),
    ];
    let known = if knows_labels { collections } else { &collections[..3] };
    let (collection, fields) = known[dice.below(known.len())];
    let key = format!("{collection}{}", dice.below(OBJECTS));
    let field = fields[dice.below(fields.len())];
    let value = user.token();
    let promise = |field, value: &str| Some((collection, key.clone(), field, value.to_owned()));
    match dice.below(8) {
        0..=3 => {
            let needed = match collection {
                "item" => "text",
                "list" => "title",
                _ => "word",
            };
            let mut object = Object::new().with("id", key.as_str()).with(needed, value.as_str());
            if collection == "item" && dice.percent(50) {
                let _ = object.set("rank", dice.between(0, 3));
                let _ = object.set("list", format!("list{}", dice.below(OBJECTS)));
            }
            let what = format!("create {key} {needed}={value}");
            (batch.create(collection, object), Edit { what, promise: promise(needed, &value) })
        }
        4..=6 => {
            let mut changes = Object::new().with(field, value.as_str());
            if collection == "item" && dice.percent(30) {
                let rank = dice.percent(70).then(|| dice.between(0, 3));
                let _ = changes.set("rank", rank.map_or(Value::Null, Value::from));
            }
            let what = format!("change {key} {field}={value}");
            let batch = batch.update(collection, Filter::key(key.as_str()), changes);
            (batch, Edit { what, promise: promise(field, &value) })
        }
        _ => {
            let what = format!("delete {key}");
            (batch.delete(collection, Filter::key(key.as_str())), Edit { what, promise: None })
        }
    }
}

async fn by_filter(user: &User) -> Result<()> {
    let (rank, next) = (user.dice.between(0, 3), user.dice.between(0, 3));
    user.tell(|| format!("changes items of rank {rank} and more to {next}"));
    let items = user.manager.collection("item")?;
    let changed = items.update(Filter::gte("rank", rank), Object::new().with("rank", next)).await?;
    user.tell(|| format!("has changed {changed}"));
    Ok(())
}

async fn delete_by_filter(user: &User) -> Result<()> {
    let rank = user.dice.between(0, 3);
    user.tell(|| format!("deletes items of rank {rank}"));
    let deleted = user.manager.collection("item")?.delete(Filter::eq("rank", rank)).await?;
    user.tell(|| format!("has deleted {deleted}"));
    Ok(())
}

/// Reads an object, thinks, and writes what it says back with one field changed.
async fn read_then_write(user: &User) -> Result<()> {
    let key = format!("item{}", user.dice.below(OBJECTS));
    let items = user.manager.collection("item")?;
    let Some(item) = items.find_one(Filter::key(key.as_str())).await? else { return Ok(()) };
    user.sleep(user.dice.below(2_000) as u32).await;
    let value = user.token();
    user.tell(|| format!("replaces the note of {key} by {value}, having read {item:?}"));
    let changes = Object::new().with("note", value.as_str());
    if items.update(Filter::key(key.as_str()), changes).await? > 0 {
        user.was_told("item", key.as_str(), "note", &value);
    }
    Ok(())
}
