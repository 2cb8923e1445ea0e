//! Several questions in one, answered in one transaction.

use rusqlite::Connection;
use syncline_core::Group;
use syncline_core::log::{Append, Exchange, Exchanged, Fetched};
use syncline_server::{Answer, Terms};

use super::append::{Plan, all_held, cursor, is_done};
use super::fetch::{Page, cut, own};
use super::lane::Lane;
use super::member;
use crate::error::Result;
use crate::group::GroupRow;
use crate::job::Weigh;

/// An exchange, with whom and how.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) group: Group,
    pub(crate) request: Exchange,
    pub(crate) terms: Terms,
}

impl Question {
    /// Whether it surely needs the right to write.
    pub(crate) fn appends(&self) -> bool {
        self.request.append.as_ref().is_some_and(|append| !append.segments.is_empty())
    }

    /// The bytes of its segments.
    pub(crate) fn bytes(&self) -> usize {
        let segments = self.request.append.iter().flat_map(|append| &append.segments);
        segments.map(|segment| segment.bytes().len()).sum()
    }
}

impl Weigh for Answer {
    fn weight(&self) -> usize {
        let fetched = self.exchanged.fetched.iter().flat_map(|fetched| &fetched.segments);
        fetched.map(|segment| segment.bytes().len()).sum()
    }
}

/// Answers without changing anything; nothing if something has to be changed.
pub(crate) fn look(connection: &Connection, question: &Question) -> Result<Option<Answer>> {
    let request = &question.request;
    let row = GroupRow::find(connection, &question.group)?;
    let known = request.acknowledge.as_ref();
    let changes = match &row {
        Some(row) => !member::is_known(connection, row.id, request.replica, request.join, known)?,
        None => request.join || known.is_some(),
    };
    if changes || question.appends() {
        return Ok(None);
    }
    // A group that does not exist is like an empty one.
    answer(connection, question, row.unwrap_or_default()).map(Some)
}

/// Answers with all changes, or changes nothing if it is refused.
pub(crate) fn change(connection: &Connection, question: &Question) -> Result<Answer> {
    let row = GroupRow::find(connection, &question.group)?.unwrap_or_default();
    answer(connection, question, row)
}

fn answer(connection: &Connection, question: &Question, mut row: GroupRow) -> Result<Answer> {
    let Question { group, request, terms } = question;
    // Everything that may be refused comes before anything that is written.
    let page = match &request.fetch {
        Some(fetch) => Some(cut(connection, &row, fetch)?),
        None => None,
    };
    let own = match &page {
        Some(_) => own(connection, &row, request.replica)?,
        None => Vec::new(),
    };
    let plan = match &request.append {
        Some(append) => plan(connection, question, &row, append)?,
        None => None,
    };
    let known = request.acknowledge.as_ref();
    let is_member = member::is_known(connection, row.id, request.replica, request.join, known)?;
    let is_news = plan.as_ref().is_some_and(Plan::is_news);
    if row.id == 0 && (!is_member || is_news) {
        row = GroupRow::make(connection, group, terms)?;
    }
    if !is_member {
        member::keep(connection, row.id, request.replica, known, terms.replicas)?;
    }
    let receipts = match (plan, &request.append) {
        (Some(plan), Some(append)) => {
            Some(plan.carry_out(connection, &mut row, &append.segments, terms)?)
        }
        _ => None,
    };
    let fetched = page.map(|page: Page| Fetched {
        segments: page.segments,
        more: page.ends_at.is_some(),
        // Behind what was appended just now: the caller has that.
        cursor: page.ends_at.unwrap_or_else(|| cursor(row.number, row.hash)),
        own,
        time: Some(terms.now),
        damaged: page.damaged,
    });
    let exchanged = Exchanged { fetched, receipts };
    Ok(Answer { exchanged, number: row.number, is_news })
}

/// What will be appended; nothing if what has to hold does not.
fn plan(
    connection: &Connection,
    question: &Question,
    row: &GroupRow,
    append: &Append,
) -> Result<Option<Plan>> {
    let own = Lane::load(connection, row.id, question.request.replica)?;
    if is_done(&append.only_if, &own) {
        let plan = Plan::of(connection, &question.group, row, &append.segments, &question.terms)?;
        return Ok(Some(plan));
    }
    // Who did not hear the answer asks again, and hears it.
    if all_held(connection, row.id, &append.segments)? {
        return Ok(Some(Plan::nothing(append.segments.len())));
    }
    Ok(None)
}
