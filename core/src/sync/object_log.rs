//! What happened to an object, or to a collection, as far as entries are still kept.

use crate::client::{ClientLog, SEGMENT, bytes, find, number};
use crate::log::{Entry, Segment};
use crate::merge::Author;
use crate::{Filter, Key, Name, ReplicaId, Result, Value};

use super::applying::read;
use crate::log::Write;

/// One thing that happened, and who did it.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedWrite {
    /// Who wrote it, and when.
    pub author: Author,
    /// Whether this replica wrote it, under its present id.
    pub own: bool,
    /// What was written.
    pub write: Write,
}

/// What happened to a collection, or to one object of it, in the order in which merging sees it.
///
/// Entries that everybody has acknowledged may have been cleaned away.
///
/// # Errors
///
/// Whatever reading reports.
pub async fn object_log(
    log: &ClientLog,
    collection: Option<&Name>,
    key: Option<&Key>,
) -> Result<Vec<LoggedWrite>> {
    scan(log, |write| {
        collection.is_none_or(|name| *name == write.collection)
            && key.is_none_or(|key| *key == write.key)
    })
    .await
}

/// Everything that is still kept and that is meant.
pub(super) async fn scan(
    log: &ClientLog,
    is_meant: impl Fn(&Write) -> bool,
) -> Result<Vec<LoggedWrite>> {
    let head = log.fresh_head().await?;
    let mut found = Vec::new();
    let mut note = |replica: ReplicaId, own: bool, entry: Entry, tie: u32| {
        let Entry { seq, stamp, write, .. } = entry;
        let Some(write) = write else { return };
        if is_meant(&write) {
            let author = Author { stamp, replica, seq, tie };
            found.push(LoggedWrite { author, own, write });
        }
    };
    let mut next = Some(ClientLog::entries_behind(0));
    while let Some(question) = next {
        let page = log.find(question.clone()).await?;
        for row in &page.objects {
            let entry = Entry::from_bytes(number(row, "seq")?, bytes(row, "entry")?)?;
            note(head.replica, true, entry, 0);
        }
        next = question.following(&page);
    }
    let mut question = find(&SEGMENT, Filter::ne("bytes", Value::Null));
    question.page_objects = 16;
    let mut next = Some(question);
    while let Some(question) = next {
        let page = log.find(question.clone()).await?;
        for row in &page.objects {
            let segment = Segment::parse(bytes(row, "bytes")?)?;
            // What cannot be read yet is listed by `status`.
            let entries = read(&segment).unwrap_or_default();
            for (entry, hash) in entries {
                note(segment.span().replica, false, entry, hash.tie());
            }
        }
        next = question.following(&page);
    }
    found.sort_by_key(|logged| logged.author);
    Ok(found)
}
