//! The collections that a client log keeps, next to the data.

use std::sync::LazyLock;

use crate::query::Find;
use crate::schema::FieldType::{Binary, Boolean, Int, Json, String, Text};
use crate::schema::{Collection, Definition};
use crate::value::canonical::{put_key, put_text};
use crate::{Filter, Key, Name, Object, Result, Step, Value};

macro_rules! names {
    ($($constant:ident $name:literal $says:literal),+ $(,)?) => {
        $(
            #[doc = $says]
            pub(crate) static $constant: LazyLock<Name> = LazyLock::new(|| Name::from($name));
        )+
    };
}

names! {
    HEAD "sync_head" "One row: who this replica is, how far its lane goes, its clock, what it has applied.",
    ENTRY "sync_entry" "This replica's own entries, by `seq`, as canonical bytes.",
    CUT "sync_cut" "Which own entries form a segment, fixed before it is first sent.",
    HISTORY "sync_history" "What all entries about one object came to.",
    LANE "sync_lane" "How far each other lane is received and applied.",
    SEGMENT "sync_segment" "Segments of other lanes, as they came.",
    CONTEXT "sync_context" "What the writer of a lane had applied, from one `seq` on.",
    PARKED "sync_parked" "Batches that could not be applied yet, and why.",
    DISCARD "sync_discard" "Values that lost, until somebody took note.",
    REMOTE "sync_remote" "What is known of each shared log.",
    ENTRY_BYTES "entry" "The field of `sync_entry` that holds the canonical bytes.",
    ENTRY_SEQ "seq" "The field of `sync_entry` that holds the number.",
    HISTORY_ID "id" "The field of `sync_history` that names the object.",
    HISTORY_STATE "state" "The field of `sync_history` that holds what entries came to.",
}

/// The name of the only row of `sync_head`.
pub(crate) const HEAD_ID: &str = "head";

/// The definitions of all of them.
pub(crate) fn definitions() -> Result<Vec<Collection>> {
    let all = own_lane().into_iter().chain(other_lanes()).chain(bookkeeping());
    all.map(Definition::finish_reserved).collect()
}

fn define(name: &LazyLock<Name>) -> Definition {
    Collection::define((**name).clone())
}

/// Who this replica is and what it wrote.
fn own_lane() -> [Definition; 3] {
    [
        define(&HEAD)
            .field("id", String)
            .field("format", Int)
            .field("group", String)
            .field("replica", String)
            .field("rev", Int)
            .field("frozen", Int)
            .field("frozen_hash", Binary)
            .field("folded", Int)
            .field("folded_hash", Binary)
            .field("clock", Int)
            .field("applied", Int)
            .field("context", Binary)
            .field("context_due", Boolean)
            .optional("ahead", Int)
            .optional("lead", Int),
        define(&ENTRY).field("seq", Int).field("entry", Binary).optional("clock", Int).key(["seq"]),
        define(&CUT)
            .field("first", Int)
            .field("last", Int)
            .field("before", Binary)
            .field("after", Binary)
            .field("greatest", Int)
            .key(["first"]),
    ]
}

/// What others wrote.
fn other_lanes() -> [Definition; 4] {
    [
        define(&LANE)
            .field("id", String)
            .field("replica", String)
            .field("received", Int)
            .field("received_hash", Binary)
            .field("applied", Int)
            .field("applied_hash", Binary)
            .field("except", Binary)
            .field("context", Binary)
            .field("mine", Boolean),
        define(&SEGMENT)
            .field("lane", String)
            .field("first", Int)
            .field("last", Int)
            .field("before", Binary)
            .field("after", Binary)
            .optional("bytes", Binary)
            .key(["lane", "first"]),
        define(&CONTEXT)
            .field("lane", String)
            .field("seq", Int)
            .field("context", Binary)
            .key(["lane", "seq"]),
        define(&PARKED)
            .field("lane", String)
            .field("first", Int)
            .field("last", Int)
            .field("reason", Text)
            .field("schema", Int)
            .optional("collection", String)
            .key(["lane", "first"]),
    ]
}

/// What merging came to, and what is known of shared logs.
fn bookkeeping() -> [Definition; 3] {
    [
        define(&HISTORY).field("id", Binary).field("state", Binary).key(["id"]),
        define(&DISCARD).field("id", String).field("values", Json),
        define(&REMOTE)
            .field("id", String)
            .optional("cursor", Binary)
            .field("replica", String)
            .field("shared", Int)
            .optional("acknowledged", Binary)
            .optional("success", Int)
            .optional("error", Text)
            .optional("error_at", Int)
            .optional("offset", Int)
            .optional("peers", Json)
            .optional("time", Int)
            .optional("asked", Int)
            .optional("asked_at", Int),
    ]
}

/// The key of an object's history: its collection and key, in canonical bytes, so that objects whose keys
/// rise with time have histories side by side.
pub(crate) fn object_id(collection: &str, key: &Key) -> Vec<u8> {
    let mut id = Vec::with_capacity(64);
    put_text(&mut id, collection);
    put_key(&mut id, key);
    id
}

/// A number as storage has it; `seq` and stamps stay below 2^63.
pub(crate) fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A number that storage holds.
pub(crate) fn number(row: &Object, field: &str) -> Result<u64> {
    row.value(field).as_int().and_then(|int| u64::try_from(int).ok()).ok_or_else(|| broken(field))
}

/// Bytes that storage holds.
pub(crate) fn bytes<'a>(row: &'a Object, field: &str) -> Result<&'a [u8]> {
    row.value(field).as_bytes().ok_or_else(|| broken(field))
}

/// Text that storage holds.
pub(crate) fn text<'a>(row: &'a Object, field: &str) -> Result<&'a str> {
    row.value(field).as_text().ok_or_else(|| broken(field))
}

/// A lane's hash that storage holds.
pub(crate) fn hash(row: &Object, field: &str) -> Result<crate::log::LaneHash> {
    bytes(row, field)?.try_into().map(crate::log::LaneHash).map_err(|_| broken(field))
}

/// Bytes as a value.
pub(crate) fn blob(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

fn broken(field: &str) -> crate::Error {
    crate::Error::corrupt("a row of the client log is broken; restore the database")
        .with("field", field)
}

/// A step that stores a new row.
pub(crate) fn put(collection: &LazyLock<Name>, object: Object) -> Step {
    let collection = (**collection).clone();
    Step::Create(crate::operation::Create { collection, object, ..Default::default() })
}

/// A step that changes the row with this key.
pub(crate) fn change(collection: &LazyLock<Name>, key: impl Into<Key>, changes: Object) -> Step {
    Step::Update { collection: (**collection).clone(), filter: Filter::key(key), changes }
}

/// A question for rows of one of these collections.
pub(crate) fn find(collection: &LazyLock<Name>, filter: Filter) -> Find {
    Find::new((**collection).clone(), filter)
}
