//! Looking at the log: how sync stands, what happened, what lost, whether all is well.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value as Json, json};
use syncline::log::Op;
use syncline::merge::{Author, Discard};
use syncline::sync::{self, Doubt, Finding, Fingerprint, LoggedWrite, SyncStatus};
use syncline::value::date;
use syncline::value::json::{key_from_json, key_to_json, object_to_json, value_to_json};
use syncline::{Collection, Error, Key, Result};

use crate::output::{Objects, Output, count, grouped};
use crate::progress::Progress;
use crate::store::{Options, Store};

pub async fn status(options: &Options, output: &Output, db: &Path) -> Result<()> {
    let store = Store::open(options, db).await?;
    let status = sync::status(store.log()?).await?;
    output.result(|| status_json(&status), || status_text(&status))
}

fn status_json(status: &SyncStatus) -> Json {
    let remotes = status.remotes.iter().map(|remote| {
        let peers = remote.peers.iter();
        let peers: Json = peers
            .map(|(replica, known)| json!({"replica": replica, "acknowledged": known}))
            .collect();
        let error = remote.last_error.as_ref();
        json!({
            "name": remote.name,
            "pending": remote.pending,
            "last_success": remote.last_success.map(time),
            "last_error": error.map(|(message, at)| json!({"message": message, "at": time(*at)})),
            "clock_offset": remote.clock_offset,
            "peers": peers,
        })
    });
    let quarantined = status.quarantined.iter().map(|waits| {
        json!({
            "lane": waits.lane,
            "first": waits.first,
            "last": waits.last,
            "reason": waits.reason,
            "collection": waits.collection,
        })
    });
    json!({
        "group": status.group.as_str(),
        "replica": status.replica.to_string(),
        "written": status.written,
        "pending": status.pending,
        "oldest_pending": status.oldest_pending,
        "quarantined": quarantined.collect::<Json>(),
        "discards": status.discards,
        "remotes": remotes.collect::<Json>(),
    })
}

fn status_text(status: &SyncStatus) -> String {
    let mut lines = vec![
        format!("group {}, replica {}", status.group, status.replica),
        format!("written {}, pending {}", grouped(status.written), grouped(status.pending)),
    ];
    if let Some(age) = status.oldest_pending {
        lines.push(format!("the oldest has waited for {} s", grouped(age.unsigned_abs() / 1_000)));
    }
    for waits in &status.quarantined {
        let place = format!("{}/{}-{}", waits.lane, waits.first, waits.last);
        lines.push(format!("{place} cannot be applied yet: {}", waits.reason));
    }
    if status.discards > 0 {
        lines.push("values lost; `syncline discards` prints them".to_owned());
    }
    if status.remotes.is_empty() {
        lines.push("never synced; do it with `syncline sync DB --log folder:PATH`".to_owned());
    }
    for remote in &status.remotes {
        let last = remote.last_success.map_or("never".to_owned(), time);
        let pending = grouped(remote.pending);
        lines.push(format!("{}: pending {pending}, last success {last}", remote.name));
        if let Some((message, at)) = &remote.last_error {
            lines.push(format!("  failed at {}: {message}", time(*at)));
        }
        if let Some(offset) = remote.clock_offset {
            lines.push(format!("  its clock is {offset} ms ahead"));
        }
        for (replica, known) in &remote.peers {
            lines.push(format!("  {replica} has {} of ours", grouped(*known)));
        }
    }
    lines.join("\n")
}

fn time(millis: i64) -> String {
    date::format(millis).unwrap_or_else(|| millis.to_string())
}

pub async fn log(
    options: &Options,
    output: &Output,
    db: &Path,
    collection: Option<&str>,
    key: Option<&str>,
) -> Result<()> {
    let store = Store::open(options, db).await?;
    let collection = collection.map(|name| store.collection(name)).transpose()?;
    let definition = collection.as_ref().map(|collection| collection.definition());
    let key = match (definition, key) {
        (Some(definition), Some(text)) => Some(parse_key(text, definition)?),
        _ => None,
    };
    let name = definition.map(|definition| definition.name());
    let writes = watched("reading", sync::object_log(store.log()?, name, key.as_ref())).await?;
    let mut printed = Objects::new(output);
    for logged in &writes {
        printed.item(|| write_json(logged), || write_text(logged))?;
    }
    if printed.is_empty() && !output.is_json() {
        output.remark("nothing was written, or it was cleaned away because everybody has it");
    }
    printed.end()
}

/// A key as it was typed: text as it is, anything else in JSON.
fn parse_key(text: &str, definition: &Collection) -> Result<Key> {
    let as_text = || key_from_json(&Json::from(text), definition);
    match serde_json::from_str(text) {
        Ok(json) => key_from_json(&json, definition).or_else(|error| as_text().map_err(|_| error)),
        Err(_) => as_text(),
    }
}

fn op(logged: &LoggedWrite) -> (&'static str, Option<Json>) {
    match &logged.write.op {
        Op::Create(fields) => ("create", Some(object_to_json(fields))),
        Op::Update(fields) => ("update", Some(object_to_json(fields))),
        Op::Delete => ("delete", None),
    }
}

fn write_json(logged: &LoggedWrite) -> Json {
    let (op, fields) = op(logged);
    let mut json = author_json(&logged.author);
    json["own"] = logged.own.into();
    json["collection"] = (*logged.write.collection).into();
    json["key"] = key_to_json(&logged.write.key);
    json["op"] = op.into();
    if let Some(fields) = fields {
        json["fields"] = fields;
    }
    json
}

fn write_text(logged: &LoggedWrite) -> String {
    let (op, fields) = op(logged);
    let fields = fields.map(|fields| format!(" {fields}")).unwrap_or_default();
    let write = &logged.write;
    format!("{} {op} {} {}{fields}", author(&logged.author), write.collection, write.key)
}

fn author_json(author: &Author) -> Json {
    json!({
        "time": time(author.stamp.millis()),
        "stamp": author.stamp.bits(),
        "replica": author.replica.to_string(),
        "seq": author.seq,
    })
}

fn author(author: &Author) -> String {
    format!("{} {}/{}", time(author.stamp.millis()), author.replica.short(), author.seq)
}

pub async fn discards(options: &Options, output: &Output, db: &Path, take: bool) -> Result<()> {
    let store = Store::open(options, db).await?;
    let log = store.log()?;
    let mut printed = Objects::new(output);
    let mut print = |discards: Vec<Discard>| -> Result<()> {
        for discard in &discards {
            printed.item(|| discard_json(discard), || discard_text(discard))?;
        }
        printed.flush()
    };
    match take {
        true => sync::take_discards(log, &mut print).await?,
        false => print(sync::discards(log).await?)?,
    }
    if printed.is_empty() && !output.is_json() {
        output.remark("no values lost");
    }
    printed.end()
}

pub fn discard_json(discard: &Discard) -> Json {
    json!({
        "collection": &*discard.collection,
        "key": key_to_json(&discard.key),
        "field": discard.field.as_deref(),
        "lost": value_to_json(&discard.lost),
        "loser": author_json(&discard.loser),
        "winner": author_json(&discard.winner),
        "concurrent": discard.concurrent,
    })
}

pub fn discard_text(discard: &Discard) -> String {
    let lost = value_to_json(&discard.lost);
    let what = match &discard.field {
        Some(field) => format!("{}: {field} = {lost}", discard.key),
        None => format!("{}: {lost}", discard.key),
    };
    let (loser, winner) = (author(&discard.loser), author(&discard.winner));
    format!("{} {what}, written {loser}, lost against {winner}", discard.collection)
}

pub async fn fingerprint(options: &Options, output: &Output, db: &Path) -> Result<()> {
    let store = Store::open(options, db).await?;
    let fingerprint = watched("reading", sync::fingerprint(store.log()?)).await?;
    output.result(|| fingerprint_json(&fingerprint), || fingerprint.to_string())
}

pub fn fingerprint_json(fingerprint: &Fingerprint) -> Json {
    let each = fingerprint.collections.iter();
    let each: serde_json::Map<String, Json> =
        each.map(|(name, hash)| (name.to_string(), hex(hash).into())).collect();
    let total = hex(&fingerprint.total());
    json!({"fingerprint": total, "schema": fingerprint.schema, "collections": each})
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub async fn doctor(options: &Options, output: &Output, db: &Path) -> Result<ExitCode> {
    let store = Store::open(options, db).await?;
    let findings = watched("checking", sync::doctor(store.log()?)).await?;
    // What is doubtful is for the application to decide: the log is well all the same.
    let doubts = sync::doubts(store.log()?).await?;
    let healthy = findings.is_empty();
    output.result(
        || {
            json!({
                "healthy": healthy,
                "findings": findings.iter().map(finding_json).collect::<Json>(),
                "doubts": doubts.iter().map(doubt_json).collect::<Json>(),
            })
        },
        || {
            let mut lines: Vec<String> =
                doubts.iter().map(|doubt| format!("doubtful: {doubt}")).collect();
            lines.extend(findings.iter().map(Finding::to_string));
            lines.push(match healthy {
                true => "all is well".to_owned(),
                false => count(findings.len() as u64, "finding"),
            });
            lines.join("\n")
        },
    )?;
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn finding_json(finding: &Finding) -> Json {
    json!({
        "problem": format!("{:?}", finding.problem),
        "collection": finding.collection.as_deref(),
        "key": finding.key.as_ref().map(key_to_json),
        "details": finding.details,
    })
}

fn doubt_json(doubt: &Doubt) -> Json {
    json!({
        "kind": format!("{:?}", doubt.kind),
        "collection": &*doubt.collection,
        "key": key_to_json(&doubt.key),
        "fields": doubt.fields.iter().map(|field| &**field).collect::<Vec<_>>(),
        "other": doubt.other.as_ref().map(key_to_json),
    })
}

/// Waits for something, and shows that.
async fn watched<T>(what: &str, work: impl Future<Output = T>) -> T {
    let _progress = Progress::endless(what);
    work.await
}

/// Complains about a place that has no name.
pub fn not_a_folder(path: &Path) -> Error {
    Error::invalid("the folder is not empty; name a new one").with("path", path.display())
}
