//! Questions: one page of objects, or how many there are.

use syncline_core::query::{Order, Pager, compare};
use syncline_core::{Direction, Filter, Find, Object, Page};
use wasm_bindgen::JsValue;

use crate::error::Result;
use crate::key;
use crate::plan::{Access, Along, Flow, Plan, Sorted};
use crate::prepare::Store;
use crate::scan::{self, Scan, meets};
use crate::table::Table;
use crate::transaction::{Mode, Transaction};

/// How many objects are read by an index out of order before it is better to read all of them in order.
const OUT_OF_ORDER: usize = 4_000;

/// One page of the objects that are asked for.
pub(crate) async fn find(store: &Store, find: &Find) -> Result<Page> {
    let table = store.table(&find.collection)?;
    let transaction =
        Transaction::begin(&store.connection, [&table.name], Mode::Read, store.durability)?;
    let rows = transaction.store(&table.name)?;
    Reading { transaction: &transaction, table, store: &rows, find }.page().await
}

/// How many objects meet a filter.
pub(crate) async fn count(
    store: &Store,
    name: &syncline_core::Name,
    filter: &Filter,
) -> Result<u64> {
    let table = store.table(name)?;
    let transaction =
        Transaction::begin(&store.connection, [&table.name], Mode::Read, store.durability)?;
    let rows = transaction.store(&table.name)?;
    let Plan { access, rest, .. } =
        Plan::new(filter, Sorted::default(), &table.collection, &table.ways);
    match access {
        Access::Along(along) if rest.is_empty() && !table.runs => {
            count_along(&transaction, table, &rows, &along).await
        }
        Access::Along(along) => {
            let mut scan = Scan::new(&transaction, table, &rows, along);
            let mut count = 0;
            while let Some(objects) = scan.next().await? {
                count += objects.iter().filter(|object| meets(&rest, object, table)).count() as u64;
            }
            Ok(count)
        }
        Access::Keys(keys) => {
            let keys: Vec<Vec<u8>> = keys.iter().map(key::of_key).collect();
            let objects = scan::by_keys(&transaction, table, &rows, &keys).await?;
            Ok(objects.iter().filter(|object| meets(&rest, object, table)).count() as u64)
        }
    }
}

/// How many places lie on a way.
pub(crate) async fn count_along(
    transaction: &Transaction,
    table: &Table,
    store: &JsValue,
    along: &Along,
) -> Result<u64> {
    let source = scan::source(table, store, along.way);
    for span in &along.spans {
        transaction.js().count(&source, &span.from, span.to.as_deref())?;
    }
    let mut answers = transaction.answers().await?;
    Ok(along.spans.iter().map(|_| answers.counted()).sum())
}

/// A question under way.
struct Reading<'a> {
    transaction: &'a Transaction,
    table: &'a Table,
    store: &'a JsValue,
    find: &'a Find,
}

impl Reading<'_> {
    async fn page(&self) -> Result<Page> {
        let Self { table, find, .. } = self;
        let sorted = Sorted { order: &find.order, after: find.after.as_ref() };
        let plan = Plan::new(&find.filter, sorted, &table.collection, &table.ways);
        match (plan.access, plan.flow) {
            (Access::Keys(keys), _) => self.by_keys(&keys, &plan.rest).await,
            (Access::Along(along), Flow::Mixed) => {
                let ordered = Plan::in_order(&find.filter, sorted, &table.collection, &table.ways);
                let most = if ordered.is_some() { OUT_OF_ORDER } else { usize::MAX };
                if let Some(page) = self.gather(along, &plan.rest, most).await? {
                    return Ok(page);
                }
                match ordered {
                    Some(Plan { access: Access::Along(along), rest, flow }) => {
                        self.stream(along, &rest, flow).await
                    }
                    _ => Ok(Page::default()),
                }
            }
            (Access::Along(along), flow) => self.stream(along, &plan.rest, flow).await,
        }
    }

    /// Takes objects as they come.
    async fn stream(&self, along: Along, rest: &[&Filter], flow: Flow) -> Result<Page> {
        let mut pager = Pager::new(self.find, &self.table.collection);
        let needs = if rest.is_empty() { pager.needs() } else { u64::MAX };
        let mut scan = Scan::new(self.transaction, self.table, self.store, along)
            .backwards(flow == Flow::Backward)
            .needing(needs);
        while let Some(objects) = scan.next().await? {
            let mut met = objects.iter().filter(|object| meets(rest, object, self.table));
            if met.try_for_each(|object| pager.offer(object)).is_break() {
                break;
            }
        }
        Ok(pager.finish())
    }

    /// Takes all objects and sorts them, if there are not too many.
    async fn gather(&self, along: Along, rest: &[&Filter], most: usize) -> Result<Option<Page>> {
        let mut sorting = Sorting::new(self.find, self.table);
        let mut scan = Scan::new(self.transaction, self.table, self.store, along)
            .needing(u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1));
        let mut seen = 0;
        while let Some(objects) = scan.next().await? {
            seen += objects.len();
            if seen > most {
                return Ok(None);
            }
            sorting.take(objects.into_iter().filter(|object| meets(rest, object, self.table)));
        }
        Ok(Some(sorting.finish()))
    }

    async fn by_keys(&self, keys: &[syncline_core::Key], rest: &[&Filter]) -> Result<Page> {
        let Self { table, find, .. } = self;
        let in_key_order = is_key_order(&find.order, table);
        let after = find.after.as_ref().filter(|_| in_key_order);
        let after = after.map(|after| key::of_values(&after.key));
        let keys = keys.iter().map(key::of_key);
        let keys: Vec<Vec<u8>> =
            keys.filter(|key| after.as_ref().is_none_or(|after| key > after)).collect();
        let mut pager = Pager::new(find, &table.collection);
        let mut sorting = Sorting::new(find, table);
        let piece = usize::try_from(pager.needs()).unwrap_or(usize::MAX);
        let piece = piece.min(table.rows_within(scan::PIECE) as usize);
        for keys in keys.chunks(piece.max(1)) {
            let mut objects = scan::by_keys(self.transaction, table, self.store, keys).await?;
            objects.retain(|object| meets(rest, object, table));
            if !in_key_order {
                sorting.take(objects.into_iter());
            } else if objects.iter().try_for_each(|object| pager.offer(object)).is_break() {
                break;
            }
        }
        Ok(if in_key_order { pager.finish() } else { sorting.finish() })
    }
}

/// Whether this order is the order of the keys anyway.
fn is_key_order(order: &[Order], table: &Table) -> bool {
    let key = table.collection.key();
    let same = |(order, key): (&Order, &syncline_core::Name)| {
        order.field == *key && order.direction == Direction::Ascending
    };
    order.len() <= key.len() && order.iter().zip(key).all(same)
}

/// The first objects of an order, as many as a page needs.
struct Sorting<'a> {
    find: &'a Find,
    table: &'a Table,
    pager: Pager<'a>,
    kept: Vec<Object>,
    needs: usize,
}

impl<'a> Sorting<'a> {
    fn new(find: &'a Find, table: &'a Table) -> Self {
        let pager = Pager::new(find, &table.collection);
        let needs = usize::try_from(pager.needs()).unwrap_or(usize::MAX);
        Self { find, table, pager, kept: Vec::new(), needs }
    }

    fn take(&mut self, objects: impl Iterator<Item = Object>) {
        let Self { find, table, .. } = self;
        let is_ahead = |object: &Object| {
            let after = find.after.as_ref();
            after.is_none_or(|place| place.is_before(object, &find.order, &table.collection))
        };
        self.kept.extend(objects.filter(is_ahead));
        if self.kept.len() / 2 > self.needs {
            self.cut();
        }
    }

    /// Keeps what is needed.
    fn cut(&mut self) {
        let (order, collection) = (&self.find.order, &self.table.collection);
        if self.needs < self.kept.len() {
            let in_order = |a: &Object, b: &Object| compare(order, a, b, collection);
            let _ = self.kept.select_nth_unstable_by(self.needs, in_order);
            self.kept.truncate(self.needs);
        }
    }

    fn finish(mut self) -> Page {
        self.cut();
        let (order, collection) = (&self.find.order, &self.table.collection);
        self.kept.sort_unstable_by(|a, b| compare(order, a, b, collection));
        let _ = self.kept.iter().try_for_each(|object| self.pager.offer(object));
        self.pager.finish()
    }
}
