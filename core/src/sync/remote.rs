//! What is known of one shared log.

use serde_json::Value as Json;

use crate::client::{ClientLog, Head, Lead, REMOTE, blob, change, find, int, number, put, text};
use crate::log::{Cursor, VersionVector};
use crate::sorted::SortedMap;
use crate::value::json::map;
use crate::{ErrorKind, Filter, Object, ReplicaId, Result, Step, Value};

/// What is known of one shared log: how far it was read and fed, how the last sync went.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    name: String,
    /// Who this database was when it last synced with the log.
    pub replica: Option<ReplicaId>,
    pub cursor: Option<Cursor>,
    /// Up to here the log holds the own lane.
    pub shared: u64,
    pub acknowledged: VersionVector,
    pub success: Option<i64>,
    pub error: Option<(String, i64)>,
    /// By how many milliseconds the log's time is ahead of this clock.
    pub offset: Option<i64>,
    /// What time it was at the log when it last answered. It is later now.
    pub time: Option<i64>,
    /// How many own entries could have gone when a log that is far was last asked for its members, and when
    /// that was.
    pub asked: Option<(u64, i64)>,
    /// Members and how far they acknowledged the own lane.
    pub peers: SortedMap<String, u64>,
    stored: bool,
}

impl Remote {
    pub fn new(name: String) -> Self {
        Self {
            name,
            replica: None,
            cursor: None,
            shared: 0,
            acknowledged: VersionVector::default(),
            success: None,
            error: None,
            offset: None,
            time: None,
            asked: None,
            peers: SortedMap::new(),
            stored: false,
        }
    }

    /// What is known of the log of this name. The row is made at once: of two processes that sync with it
    /// for the first time, one makes it, and from then on both only change it.
    pub async fn load(log: &ClientLog, name: String) -> Result<Self> {
        let question = find(&REMOTE, Filter::key(name.as_str()));
        if let Some(row) = log.find(question.clone()).await?.objects.first() {
            return Self::from_row(row);
        }
        let mut new = Self::new(name);
        match log.write(vec![new.store()]).await {
            Err(error) if error.kind() == ErrorKind::Conflict && !Lead::is_lost(&error) => {
                log.find(question).await?.objects.first().map_or(Ok(new), Self::from_row)
            }
            other => other.map(|_| new),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// After this database took a new id, nothing of its lane is known to be there.
    pub fn is_for(&mut self, head: &Head) -> bool {
        if self.replica == Some(head.replica) {
            return true;
        }
        self.shared = 0;
        self.peers.clear();
        false
    }

    /// What time the log last said it is, and what this clock showed then, as far as that was stored.
    pub fn heard(&self) -> Option<(i64, i64)> {
        self.time.zip(self.offset).map(|(theirs, offset)| (theirs, theirs.saturating_sub(offset)))
    }

    pub fn from_row(row: &Object) -> Result<Self> {
        let optional = |field: &str| row.value(field).as_int();
        let known = row.value("acknowledged").as_bytes();
        let error = row.value("error").as_text().map(str::to_owned);
        Ok(Self {
            name: text(row, "id")?.to_owned(),
            replica: text(row, "replica")?.parse().ok(),
            cursor: row.value("cursor").as_bytes().map(|bytes| Cursor(bytes.to_vec())),
            shared: number(row, "shared")?,
            acknowledged: known.map(VersionVector::from_bytes).transpose()?.unwrap_or_default(),
            success: optional("success"),
            error: error.zip(optional("error_at")),
            offset: optional("offset"),
            time: optional("time"),
            asked: optional("asked")
                .and_then(|int| u64::try_from(int).ok())
                .zip(optional("asked_at")),
            peers: numbers(row.value("peers")),
            stored: true,
        })
    }

    pub fn store(&mut self) -> Step {
        let (error, error_at) = self.error.clone().unzip();
        let (asked, asked_at) = self.asked.unzip();
        let replica = self.replica.map(|replica| replica.to_string()).unwrap_or_default();
        let row = Object::new()
            .with("acknowledged", blob(&self.acknowledged.to_bytes()))
            .with("asked", asked.map(int))
            .with("asked_at", asked_at)
            .with("cursor", self.cursor.as_ref().map(|cursor| blob(&cursor.0)))
            .with("error", error)
            .with("error_at", error_at)
            .with("offset", self.offset)
            .with("peers", json(&self.peers))
            .with("replica", replica)
            .with("shared", int(self.shared))
            .with("success", self.success)
            .with("time", self.time);
        if std::mem::replace(&mut self.stored, true) {
            return change(&REMOTE, self.name.as_str(), row);
        }
        put(&REMOTE, row.with("id", self.name.as_str()))
    }
}

fn numbers(value: &Value) -> SortedMap<String, u64> {
    let Value::Json(Json::Object(members)) = value else { return SortedMap::new() };
    members.iter().filter_map(|(name, value)| Some((name.clone(), value.as_u64()?))).collect()
}

fn json(numbers: &SortedMap<String, u64>) -> Value {
    let members = numbers.iter().map(|(name, number)| (name.clone(), Json::from(*number)));
    Value::Json(Json::Object(map(members)))
}
