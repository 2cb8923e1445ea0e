//! Cutting an answer into pages.

use std::ops::ControlFlow;

use super::{Continuation, Find, Page};
use crate::schema::Collection;
use crate::value::{Object, Value};

/// Collects one page of an answer from objects that are offered in order.
///
/// For storage that walks over its objects: it offers those that meet the filter and lie behind
/// [`Find::after`], until told to stop. Skipping, limits, selected fields and where to go on are seen
/// to here.
#[derive(Debug)]
pub struct Pager<'a> {
    find: &'a Find,
    collection: &'a Collection,
    skip: u64,
    bytes: usize,
    full: Option<Continuation>,
    page: Page,
}

impl<'a> Pager<'a> {
    /// An empty page of the answer to `find`.
    pub fn new(find: &'a Find, collection: &'a Collection) -> Self {
        Self { find, collection, skip: find.skip, bytes: 0, full: None, page: Page::default() }
    }

    /// Takes the next object, or says that the page is complete.
    pub fn offer(&mut self, object: &Object) -> ControlFlow<()> {
        if self.is_at_limit() {
            return ControlFlow::Break(());
        }
        if self.skip > 0 {
            self.skip -= 1;
            return ControlFlow::Continue(());
        }
        if let Some(behind) = self.full.take() {
            // Only now it is certain that another page follows.
            self.page.next = Some(behind);
            return ControlFlow::Break(());
        }
        let chosen = self.select(object);
        self.bytes += size(&chosen);
        self.page.objects.push(chosen);
        if self.is_at_limit() {
            return ControlFlow::Break(());
        }
        let many = self.page.objects.len() >= self.find.page_objects;
        if many || self.bytes >= self.find.page_bytes {
            self.full = Some(Continuation::behind(object, &self.find.order, self.collection));
        }
        ControlFlow::Continue(())
    }

    /// The page.
    pub fn finish(self) -> Page {
        self.page
    }

    /// How many objects, those that are skipped included, can be needed at most.
    pub fn needs(&self) -> u64 {
        let page = (self.find.page_objects as u64).max(1).saturating_add(1);
        page.min(self.find.limit.unwrap_or(u64::MAX)).saturating_add(self.find.skip)
    }

    fn is_at_limit(&self) -> bool {
        self.find.limit.is_some_and(|limit| self.page.objects.len() as u64 >= limit)
    }

    fn select(&self, object: &Object) -> Object {
        let Some(fields) = &self.find.fields else { return object.clone() };
        let wanted = |name: &str| {
            fields.iter().any(|field| **field == *name) || self.collection.is_key(name)
        };
        let chosen = object.iter().filter(|(name, _)| wanted(name));
        chosen.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// About how many bytes an object takes.
fn size(object: &Object) -> usize {
    object.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Int(_) | Value::Float(_) | Value::Timestamp(_) => 8,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Json(json) => json_size(json),
    }
}

fn json_size(json: &serde_json::Value) -> usize {
    use serde_json::Value as Json;
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => 8,
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(|item| 1 + json_size(item)).sum(),
        Json::Object(fields) => {
            fields.iter().map(|(name, value)| name.len() + 3 + json_size(value)).sum()
        }
    }
}
