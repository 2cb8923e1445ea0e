//! Holds items to a naive model, whatever is asked in whatever order.

mod common;

use std::collections::BTreeMap;

use pollster::block_on;
use proptest::prelude::*;
use syncline_core::{Error, ErrorKind};
use syncline_server::{HubStore, ItemAnswer, ItemRequest, Terms};
use syncline_server_sqlite::{Durability, Mode, SqliteStore, SqliteStoreConfig};
use syncline_shared_log_wire::item::{
    Check, Checked, Download, Downloaded, Epoch, Epochs, Flush, Item, ItemHistory, ItemId, Known,
    NumberedItem, OldEpoch, Restore, Upload, UploadOutcome, Uploaded, digest,
};

use crate::common::*;

type Items = BTreeMap<ItemId, NumberedItem>;

/// What a store of items should be, in the fewest words.
#[derive(Debug, Default)]
struct Model {
    epoch: u64,
    number: u64,
    items: Items,
    replaced: Vec<(i64, Item)>,
    old: BTreeMap<u64, (i64, Items)>,
}

impl Model {
    fn answer(&mut self, ask: &ItemRequest, terms: &Terms) -> Result<ItemAnswer, ErrorKind> {
        let until = terms.now + terms.keep_epochs;
        Ok(match ask {
            ItemRequest::Epoch => self.at(),
            ItemRequest::Upload(upload) => {
                self.based_on(upload.epoch)?;
                let outcomes = upload.items.iter().map(|item| self.put(item, until)).collect();
                let (epoch, number) = (self.epoch, self.number);
                ItemAnswer::Uploaded(Uploaded { epoch, number, outcomes })
            }
            ItemRequest::Download(ask) => {
                self.based_on(ask.epoch.unwrap_or(self.epoch))?;
                ItemAnswer::Downloaded(self.download(ask))
            }
            ItemRequest::Check(ask) => ItemAnswer::Checked(self.check(ask)),
            ItemRequest::Flush(ask) => {
                self.based_on(ask.epoch)?;
                self.next_epoch(until);
                for item in &ask.items {
                    let _ = self.put(item, until);
                }
                self.at()
            }
            ItemRequest::Epochs => {
                let kept = self.old.iter().rev().filter(|(_, (until, _))| *until > terms.now);
                let old = kept.map(|(epoch, (until, items))| OldEpoch {
                    epoch: *epoch,
                    items: items.values().filter(|kept| !kept.item.deleted).count() as u64,
                    kept_until: *until,
                });
                ItemAnswer::Epochs(Epochs { epoch: self.epoch, old: old.collect() })
            }
            ItemRequest::Restore(which, ask) => {
                self.based_on(ask.epoch)?;
                let old = self.old.get(which).filter(|(until, _)| *until > terms.now);
                let mut items = old.ok_or(ErrorKind::NotFound)?.1.clone();
                self.next_epoch(until);
                let mut by_number: Vec<&mut NumberedItem> = items.values_mut().collect();
                by_number.sort_by_key(|kept| kept.number);
                for kept in by_number {
                    self.number += 1;
                    kept.number = self.number;
                }
                self.items = items;
                self.at()
            }
            ItemRequest::History(of) => {
                let is_of = |item: &Item| item.kind == of.kind && item.key == of.key;
                let kept = self.replaced.iter().rev();
                let kept = kept.filter(|(until, item)| *until > terms.now && is_of(item));
                let replaced = kept.map(|(_, item)| item.clone()).collect();
                ItemAnswer::History(ItemHistory { replaced })
            }
        })
    }

    fn at(&self) -> ItemAnswer {
        ItemAnswer::Epoch(Epoch { epoch: self.epoch, number: self.number })
    }

    fn based_on(&self, epoch: u64) -> Result<(), ErrorKind> {
        if epoch == self.epoch { Ok(()) } else { Err(ErrorKind::Conflict) }
    }

    fn next_epoch(&mut self, until: i64) {
        let _ = self.old.insert(self.epoch, (until, std::mem::take(&mut self.items)));
        self.epoch += 1;
    }

    fn put(&mut self, item: &Item, until: i64) -> UploadOutcome {
        let id = ItemId { kind: item.kind.clone(), key: item.key.clone() };
        let rank = |item: &Item| (item.timestamp, digest(item));
        if let Some(kept) = self.items.get(&id) {
            if rank(&kept.item) == rank(item) {
                return UploadOutcome::Known;
            }
            if rank(&kept.item) > rank(item) {
                return UploadOutcome::Older;
            }
            self.replaced.push((until, kept.item.clone()));
        }
        self.number += 1;
        let _ = self.items.insert(id, NumberedItem { number: self.number, item: item.clone() });
        UploadOutcome::Stored
    }

    fn download(&self, ask: &Download) -> Downloaded {
        let wanted = |kept: &&NumberedItem| {
            kept.number > ask.after && (ask.include_deleted || !kept.item.deleted)
        };
        let mut items: Vec<NumberedItem> = self.items.values().filter(wanted).cloned().collect();
        items.sort_by_key(|kept| kept.number);
        let most = ask.limit.unwrap_or(10_000) as usize;
        let more = items.len() > most;
        items.truncate(most);
        let last = items.last().filter(|_| more).map(|kept| kept.number);
        Downloaded { epoch: self.epoch, number: last.unwrap_or(self.number), more, items }
    }

    fn check(&self, ask: &Check) -> Checked {
        let is_within = |id: &ItemId| {
            let place = (id.kind.clone(), id.key.clone());
            ask.after.as_ref().is_none_or(|after| place > *after)
                && ask.up_to.as_ref().is_none_or(|up_to| place <= *up_to)
        };
        let mut checked = Checked { epoch: self.epoch, ..Checked::default() };
        let listed: BTreeMap<ItemId, &Known> =
            ask.items.iter().map(|known| (id(known), known)).collect();
        for (id, known) in listed.iter().filter(|(id, _)| is_within(id)) {
            let list = match self.items.get(id) {
                None => &mut checked.missing,
                Some(kept) if kept.item.timestamp < known.timestamp => &mut checked.older,
                Some(kept) if kept.item.timestamp > known.timestamp => match kept.item.deleted {
                    true => &mut checked.deleted,
                    false => &mut checked.newer,
                },
                Some(kept) => match &known.digest {
                    Some(same) if *same != digest(&kept.item) => &mut checked.differs,
                    _ => continue,
                },
            };
            list.push(id.clone());
        }
        let unlisted = self
            .items
            .iter()
            .filter(|(id, kept)| is_within(id) && !kept.item.deleted && !listed.contains_key(id));
        checked.unlisted = unlisted.map(|(id, _)| id.clone()).collect();
        checked
    }
}

fn id(known: &Known) -> ItemId {
    ItemId { kind: known.kind.clone(), key: known.key.clone() }
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "b/", "ä", "B"]).prop_map(str::to_owned)
}

fn item() -> impl Strategy<Value = Item> {
    let data = prop::option::of(prop::sample::select(vec!["", "x", "y\0y", "\"ü\""]));
    (name(), name(), data, 0..4_i64, any::<bool>()).prop_map(
        |(kind, key, data, timestamp, deleted)| {
            let data = data.map(str::to_owned);
            Item { kind, key, data, timestamp, deleted }
        },
    )
}

/// Mostly the present epoch (0 here stands for it), sometimes another.
fn base() -> impl Strategy<Value = u64> {
    prop_oneof![8 => Just(0_u64), 1 => 1..3_u64]
}

fn known() -> impl Strategy<Value = Known> {
    (item(), any::<bool>()).prop_map(|(item, with_digest)| Known {
        digest: with_digest.then(|| digest(&item)),
        kind: item.kind,
        key: item.key,
        timestamp: item.timestamp,
    })
}

fn range() -> impl Strategy<Value = Option<(String, String)>> {
    prop::option::of((name(), name()))
}

fn ask() -> impl Strategy<Value = ItemRequest> {
    let items = || prop::collection::vec(item(), 0..6);
    let known = prop::collection::btree_map((name(), name()), known(), 0..8).prop_map(|known| {
        let named = |((kind, key), known)| Known { kind, key, ..known };
        known.into_iter().map(named).collect::<Vec<_>>()
    });
    prop_oneof![
        6 => (base(), items())
            .prop_map(|(epoch, items)| ItemRequest::Upload(Upload { epoch, items })),
        3 => (0..20_u64, prop::option::of(1..4_u64), any::<bool>(), prop::option::of(base()))
            .prop_map(|(after, limit, include_deleted, epoch)| {
                ItemRequest::Download(Download { after, limit, include_deleted, epoch })
            }),
        3 => (known, range(), range())
            .prop_map(|(items, after, up_to)| ItemRequest::Check(Check { items, after, up_to })),
        1 => (base(), items())
            .prop_map(|(epoch, items)| ItemRequest::Flush(Flush { epoch, items })),
        1 => (0..6_u64, base())
            .prop_map(|(which, epoch)| ItemRequest::Restore(which, Restore { epoch })),
        1 => Just(ItemRequest::Epoch),
        1 => Just(ItemRequest::Epochs),
        2 => (name(), name()).prop_map(|(kind, key)| ItemRequest::History(ItemId { kind, key })),
    ]
}

/// Says from which epoch a question goes on: so many off the present one.
fn rebased(ask: ItemRequest, epoch: u64) -> ItemRequest {
    match ask {
        ItemRequest::Upload(ask) => ItemRequest::Upload(Upload { epoch: epoch + ask.epoch, ..ask }),
        ItemRequest::Download(ask) => {
            let epoch = ask.epoch.map(|off| epoch + off);
            ItemRequest::Download(Download { epoch, ..ask })
        }
        ItemRequest::Flush(ask) => ItemRequest::Flush(Flush { epoch: epoch + ask.epoch, ..ask }),
        ItemRequest::Restore(which, ask) => {
            ItemRequest::Restore(which, Restore { epoch: epoch + ask.epoch })
        }
        other => other,
    }
}

fn kind_of(answer: Result<ItemAnswer, Error>, model: &Model) -> Result<ItemAnswer, ErrorKind> {
    answer.map_err(|error| {
        let epoch = model.epoch.to_string();
        let tells = error.context().any(|pair| pair == ("epoch", epoch.as_str()));
        assert!(error.kind() != ErrorKind::Conflict || tells, "{error}");
        error.kind()
    })
}

/// The counts in the group's row are those of the rows that they count.
fn counts_hold(path: &std::path::Path, store: &SqliteStore, model: &Model) {
    let file = rusqlite::Connection::open(path).expect("works here");
    let sum = |table: &str| -> i64 {
        let sql = format!("SELECT coalesce(sum(size), 0) FROM {table}");
        file.query_row(&sql, [], |row| row.get(0)).expect("works here")
    };
    let summaries = block_on(store.groups()).expect("works here");
    let Some(summary) = summaries.first() else { return };
    assert_eq!(summary.bytes as i64, sum("hub_item") + sum("hub_item_history"));
    let live = model.items.values().filter(|kept| !kept.item.deleted).count();
    assert_eq!((summary.items, summary.epoch), (live as u64, model.epoch));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn items_agree_with_a_naive_model(
        steps in prop::collection::vec((ask(), 0..300_i64), 1..40),
    ) {
        let folder = tempfile::tempdir().expect("works here");
        let path = folder.path().join("hub.db");
        let (mode, durability) = (Mode::Inline, Durability::Normal);
        let config = SqliteStoreConfig { mode, durability, ..SqliteStoreConfig::default() };
        let store = SqliteStore::open(&path, config).expect("works here");
        let (mut model, mut terms) = (Model::default(), TERMS);
        for (ask, millis) in steps {
            terms.now += millis;
            let ask = rebased(ask, model.epoch);
            let answer = kind_of(block_on(store.items(&group(), ask.clone(), &terms)), &model);
            prop_assert_eq!(answer, model.answer(&ask, &terms), "{:?}", ask);
        }
        counts_hold(&path, &store, &model);
    }
}
