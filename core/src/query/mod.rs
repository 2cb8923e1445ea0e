//! Questions: which objects, in which order, how many.

mod demands;
mod fields;
mod filter;
mod fits;
mod matches;
mod maybe;
mod page;
mod parse;

pub use demands::Demands;
pub use filter::{Filter, Test};
pub use matches::{compare, matches, passes, same, words};
pub(crate) use maybe::may_match;
pub use page::Pager;
pub use parse::DEEPEST_FILTER;
pub(crate) use parse::{check_order, descend};

use crate::value::{Name, Value};

/// Which way results are sorted. Null and absent come first when ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

/// One field to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The field.
    pub field: Name,
    /// Which way.
    pub direction: Direction,
}

/// How much one answer holds at most, if nothing else is said.
pub const PAGE_OBJECTS: usize = 1_000;

/// How many bytes one answer holds, about, if nothing else is said.
pub const PAGE_BYTES: usize = 8 << 20;

/// A question for objects of one collection.
///
/// The answer is a page: at most [`page_objects`](Self::page_objects) objects and about
/// [`page_bytes`](Self::page_bytes) bytes, and where to go on from. Objects come sorted by
/// [`order`](Self::order) and then by primary key, so every backend answers alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Find {
    /// The collection.
    pub collection: Name,
    /// Which objects.
    pub filter: Filter,
    /// Sorted by these fields, the first one first, and then by primary key.
    pub order: Vec<Order>,
    /// At most this many objects, over all pages that are still to come.
    pub limit: Option<u64>,
    /// Leaves out this many objects at the start. Only the first page skips.
    pub skip: u64,
    /// Only these fields, and those of the primary key; all if nothing is said.
    pub fields: Option<Vec<Name>>,
    /// Goes on behind this place.
    pub after: Option<Continuation>,
    /// At most this many objects in one page; at least 1.
    pub page_objects: usize,
    /// About this many bytes in one page; a page holds at least one object.
    pub page_bytes: usize,
}

impl Find {
    /// All objects of a collection that meet the filter.
    pub fn new(collection: impl Into<Name>, filter: Filter) -> Self {
        Self {
            collection: collection.into(),
            filter,
            order: Vec::new(),
            limit: None,
            skip: 0,
            fields: None,
            after: None,
            page_objects: PAGE_OBJECTS,
            page_bytes: PAGE_BYTES,
        }
    }

    /// Sorts by one more field.
    #[must_use]
    pub fn order_by(mut self, field: impl Into<Name>, direction: Direction) -> Self {
        self.order.push(Order { field: field.into(), direction });
        self
    }

    /// Ends after this many objects.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Leaves out this many objects at the start.
    #[must_use]
    pub fn skip(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// Answers with these fields only, and those of the primary key.
    #[must_use]
    pub fn select<N: Into<Name>>(mut self, fields: impl IntoIterator<Item = N>) -> Self {
        self.fields = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// The question whose answer follows `page`, or nothing if `page` was the last.
    pub fn following(&self, page: &Page) -> Option<Self> {
        let next = page.next.clone()?;
        let got = page.objects.len() as u64;
        let limit = self.limit.map(|limit| limit.saturating_sub(got));
        if limit == Some(0) {
            return None;
        }
        Some(Self { after: Some(next), skip: 0, limit, ..self.clone() })
    }
}

/// The place behind one object in a sorted result, by key and not by offset.
///
/// What the object holds in the fields that are sorted by, and then its primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continuation {
    /// The values of the fields that the question sorts by, in that order.
    pub order: Vec<Value>,
    /// The values of the primary key.
    pub key: Vec<Value>,
}

/// One page of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The objects, in order. Fields that hold null are left out.
    pub objects: Vec<crate::Object>,
    /// Where the next page begins; nothing if this was the last.
    pub next: Option<Continuation>,
}
