//! Relationships: aliases, fields of other names, and nested creates.

use serde_json::json;
use syncline_core::schema::RelationshipDef;
use syncline_core::{Collection, FieldType, Filter, Nested, Object, Result, Value};

use super::support::*;
use crate::Fixture;

/// Every way of declaring a relationship can be prepared and used.
pub async fn relationships_of_all_kinds_can_be_declared(fixture: &Fixture) -> Result<()> {
    let child = |name: &str, relationship: RelationshipDef| {
        Collection::define(name).field("text", FieldType::Text).relationship(relationship)
    };
    let definitions = [
        Collection::define("user").field("name", FieldType::String).index(["name"]),
        child("plain", RelationshipDef::child_of("user")).index(["user"]),
        child("aliased", RelationshipDef::child_of("user").alias("owner")),
        child("renamed", RelationshipDef::child_of("user").alias("owner").field("owner_id")),
        child("single", RelationshipDef::single_child_of("user")),
        child("single_aliased", RelationshipDef::single_child_of("user").alias("owner")),
        child(
            "single_renamed",
            RelationshipDef::single_child_of("user").alias("owner").field("owner_id"),
        ),
    ];
    let storage = open_with(fixture, definitions).await?;
    let _ =
        storage.collection("user")?.create(Object::new().with("id", "u").with("name", "U")).await?;
    for name in ["plain", "aliased", "renamed", "single", "single_aliased", "single_renamed"] {
        let alias = if matches!(name, "plain" | "single") { "user" } else { "owner" };
        let child = Object::new().with("id", "c").with("text", "t").with(alias, "u");
        let collection = storage.collection(name)?;
        same(&collection.create(child.clone()).await?, &child)?;
        same(collection.find(Filter::eq(alias, "u")).await?, vec![child])?;
    }
    Ok(())
}

/// A child that holds its parent under a field of another name shows and takes it by its alias.
pub async fn a_child_is_seen_by_its_alias(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let emails = storage.collection("email")?;
    let _ = storage.collection("account")?.create(account("ann")).await?;
    let created = emails.create(email("a@x").with("owner", 1)).await?;
    same(&created, &email("a@x").with("id", 1).with("owner", 1))?;
    let _ = emails.create(email("b@x").with("ownerId", 2)).await?;
    same(emails.find(Filter::eq("owner", 1)).await?, vec![created.clone()])?;
    same(emails.find(json!({ "owner": 1 })).await?, vec![created])?;
    same(emails.update(json!({ "owner": 2 }), Object::new().with("owner", 3)).await?, 1)?;
    same(emails.find(Filter::eq("ownerId", 3)).await?.len(), 1)
}

/// Deleting by alias removes only what matches.
pub async fn children_are_deleted_by_their_alias(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let emails = storage.collection("email")?;
    for (address, owner) in [("a@x", 1), ("b@x", 2), ("c@x", 1)] {
        let _ = emails.create(email(address).with("owner", owner)).await?;
    }
    same(emails.delete(Filter::eq("owner", 1)).await?, 2)?;
    same(all(&storage, "email").await?, vec![email("b@x").with("id", 2).with("owner", 2)])
}

/// The same for the only child of an object.
pub async fn an_only_child_is_seen_and_deleted_by_its_alias(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let proofs = storage.collection("proof")?;
    let proof =
        |id: &str, mail: i64| Object::new().with("id", id).with("code", "x").with("mail", mail);
    same(&proofs.create(proof("p", 1)).await?, &proof("p", 1))?;
    let _ = proofs.create(proof("q", 2)).await?;
    same(proofs.find(Filter::eq("mail", 2)).await?, vec![proof("q", 2)])?;
    same(proofs.delete(Filter::eq("mail", 1)).await?, 1)?;
    same(all(&storage, "proof").await?, vec![proof("q", 2)])
}

/// Children get the key that their parent was given, whoever counted it.
pub async fn nested_objects_are_created_together(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let accounts = storage.collection("account")?;
    let _ = accounts.create(account("first")).await?;
    let proof = Object::new().with("id", "p").with("code", "x");
    let mail =
        Nested { object: email("a@x"), children: vec![("proof".into(), vec![proof.into()])] };
    let mails = vec![mail, email("b@x").into()];
    let ann = Nested { object: account("ann"), children: vec![("emails".into(), mails)] };
    let stored = accounts.create_nested(ann).await?;

    same(stored.object.value("id"), &Value::Int(2))?;
    let mails = all(&storage, "email").await?;
    let wanted = [("a@x", 1), ("b@x", 2)]
        .map(|(address, id)| email(address).with("id", id).with("owner", 2));
    same(mails, wanted.to_vec())?;
    let proofs = all(&storage, "proof").await?;
    same(proofs[0].value("mail"), &Value::Int(1))?;
    same(&stored.children[0].1[0].children[0].1[0].object, &proofs[0])
}
