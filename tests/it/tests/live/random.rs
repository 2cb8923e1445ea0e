//! Random questions, writes, syncs and tabs: whoever looks sees what is there, and never the same twice.

use proptest::prelude::*;
use syncline::change::{Touched, TouchedStream};
use syncline::manager::Query;
use syncline::shared_log::memory::MemoryLog;
use syncline::{Batch, Direction, Filter, Key, Object, Step, StorageManager, SyncOptions, Value};
use syncline_it::spy::Viewer;
use syncline_it::{Replica, Store, storage};

use crate::{open, schema};

/// Few ids and values, so that everything meets everything.
fn id() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d", "e"]).prop_map(str::to_owned)
}

fn country() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![Value::from("x"), "y".into(), "z".into(), Value::Null])
}

fn lat() -> impl Strategy<Value = Value> {
    prop_oneof![(0..3).prop_map(|lat: i32| Value::Float(lat.into())), Just(Value::Null)]
}

fn filter() -> impl Strategy<Value = Filter> {
    let simple = prop_oneof![
        id().prop_map(Filter::key),
        id().prop_map(|id| Filter::eq("id", id)),
        prop::collection::vec(id().prop_map(Key::from), 0..4).prop_map(Filter::Keys),
        country().prop_map(|country| Filter::eq("country", country)),
        country().prop_map(|country| Filter::ne("country", country)),
        (0..3).prop_map(|lat: i32| Filter::gte("lat", f64::from(lat))),
        any::<bool>().prop_map(|seen| Filter::eq("seen", seen)),
        Just(Filter::All),
    ];
    prop_oneof![
        2 => simple.clone(),
        1 => (simple.clone(), simple.clone()).prop_map(|(a, b)| a.and(b)),
        1 => (simple.clone(), simple).prop_map(|(a, b)| a.or(b.negated())),
    ]
}

fn changes() -> impl Strategy<Value = Object> {
    let maybe = |value| prop::option::of(value);
    let seen = prop_oneof![any::<bool>().prop_map(Value::from), Just(Value::Null)];
    let name = prop::sample::select(vec![Value::from("n"), "m".into()]);
    (maybe(name.boxed()), maybe(country().boxed()), maybe(lat().boxed()), maybe(seen.boxed()))
        .prop_map(|(name, country, lat, seen)| {
            let fields = [("name", name), ("country", country), ("lat", lat), ("seen", seen)];
            fields.into_iter().filter_map(|(field, value)| Some((field, value?))).collect()
        })
}

fn step() -> impl Strategy<Value = Step> {
    let create = (id(), changes()).prop_map(|(id, object)| {
        let named = if object.contains("name") { object } else { object.with("name", "n") };
        Batch::new().create("city", named.with("id", id)).steps.remove(0)
    });
    let collection = || "city".into();
    prop_oneof![
        3 => create,
        4 => (filter(), changes()).prop_map(move |(filter, changes)| Step::Update {
            collection: collection(), filter, changes,
        }),
        2 => filter().prop_map(move |filter| Step::Delete {
            collection: collection(), filter, limit: None,
        }),
    ]
}

fn batch() -> impl Strategy<Value = Batch> {
    prop_oneof![prop::collection::vec(step(), 1..2), prop::collection::vec(step(), 2..4)]
        .prop_map(|steps| Batch { steps })
}

/// What somebody wants to see.
#[derive(Clone, Debug)]
struct Wish {
    filter: Filter,
    order: Vec<(&'static str, Direction)>,
    limit: Option<u64>,
    skip: u64,
    fields: Option<Vec<&'static str>>,
}

fn wish() -> impl Strategy<Value = Wish> {
    let field = || prop::sample::select(vec!["country", "lat", "seen"]);
    let way = prop::sample::select(vec![Direction::Ascending, Direction::Descending]);
    let order = prop::collection::vec((field(), way), 0..2);
    let fields = prop::option::of(prop::collection::vec(field(), 0..3));
    let skip = prop_oneof![3 => Just(0), 1 => 1_u64..3];
    (filter(), order, prop::option::of(1_u64..4), skip, fields).prop_map(
        |(filter, order, limit, skip, fields)| Wish { filter, order, limit, skip, fields },
    )
}

impl Wish {
    fn query(&self, storage: &StorageManager) -> Query {
        let cities = storage.collection("city").expect("cities");
        let mut query = cities.query(&self.filter).skip(self.skip);
        for (field, direction) in &self.order {
            query = query.order_by(*field, *direction);
        }
        if let Some(limit) = self.limit {
            query = query.limit(limit);
        }
        match &self.fields {
            Some(fields) => query.select(fields.iter().copied()),
            None => query,
        }
    }
}

/// Somebody who watches.
struct Watcher {
    wish: Wish,
    storage: StorageManager,
    viewer: Viewer,
    seen: Option<Vec<Object>>,
}

impl Watcher {
    fn new(storage: &StorageManager, wish: Wish) -> Self {
        let viewer = Viewer::of(wish.query(storage).watch().expect("a live query"));
        Self { wish, storage: storage.clone(), viewer, seen: None }
    }

    /// Looks until there is nothing new.
    fn look(&mut self) {
        while let Some(answer) = self.viewer.look() {
            let answer = answer.expect("it can be read");
            assert_ne!(self.seen.as_ref(), Some(&answer), "the same again: {:?}", self.wish);
            self.seen = Some(answer);
        }
    }

    /// Looks, and holds what was seen against what is there.
    async fn check(&mut self) {
        self.look();
        let there = self.wish.query(&self.storage).all().await.expect("it can be read");
        assert_eq!(self.seen.as_ref(), Some(&there), "{:?}", self.wish);
    }
}

/// Some look after each batch, some now and then.
fn writing(wishes: Vec<Wish>, batches: Vec<(Batch, u8)>) {
    pollster::block_on(async {
        let (storage, _) = open().await;
        let mut watchers: Vec<Watcher> =
            wishes.into_iter().map(|wish| Watcher::new(&storage, wish)).collect();
        for (batch, lookers) in batches {
            // A key that is taken fails the batch: then nothing of it is written.
            let steps = batch.steps.into_iter();
            let _ = steps.fold(storage.batch(), |batch, step| batch.step(step)).run().await;
            for (number, watcher) in watchers.iter_mut().enumerate() {
                if lookers & (1 << number) != 0 {
                    watcher.check().await;
                }
            }
        }
        for watcher in &mut watchers {
            watcher.check().await;
        }
    });
}

/// Something that happens to one of two tabs with one database, or to another device.
#[derive(Clone, Debug)]
enum Act {
    Write(Batch),
    Sync,
    /// What the other tab told is heard.
    Hear,
    /// Those who watch look.
    Look,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => batch().prop_map(Act::Write),
        2 => Just(Act::Sync),
        2 => Just(Act::Hear),
        3 => Just(Act::Look),
    ]
}

/// What a tab told and the other one has not heard yet.
fn told(stream: &mut TouchedStream) -> Option<Touched> {
    let mut next = std::pin::pin!(stream.next());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match next.as_mut().poll(&mut context) {
        std::task::Poll::Ready(touched) => Some(touched),
        std::task::Poll::Pending => None,
    }
}

fn living(wishes: Vec<(usize, Wish)>, acts: Vec<(usize, Act)>) {
    pollster::block_on(async {
        let shared = MemoryLog::new("test".parse().expect("a group"));
        let (one, two) = (storage(Store::Memory), storage(Store::Memory));
        let mut all = Vec::new();
        for (number, backend) in (1..).zip([one.clone(), one, two]) {
            let opened = Replica::open(backend, number, schema(), |config| config).await;
            all.push(opened.expect("it opens"));
        }
        let mut streams: Vec<TouchedStream> =
            all.iter().take(2).map(|tab| tab.manager.touched()).collect();
        let mut watchers: Vec<(usize, Watcher)> = wishes
            .into_iter()
            .map(|(who, wish)| (who, Watcher::new(&all[who].manager, wish)))
            .collect();
        for (who, act) in acts {
            let replica = &all[who];
            match act {
                Act::Write(batch) => {
                    let steps = batch.steps.into_iter();
                    let batch = steps.fold(replica.manager.batch(), |batch, step| batch.step(step));
                    let _ = batch.run().await;
                }
                Act::Sync => {
                    let sizes = SyncOptions { download_entries: 3, ..SyncOptions::default() };
                    let _ = replica.sync_with(&shared, &sizes).await;
                }
                Act::Hear => hear(&mut streams, &all, who).await,
                Act::Look => {
                    watchers.iter_mut().filter(|(of, _)| *of == who).for_each(|(_, it)| it.look());
                }
            }
        }
        for replica in all.iter().chain(&all) {
            let _ = replica.sync(&shared).await;
        }
        for who in [0, 1] {
            hear(&mut streams, &all, who).await;
        }
        for (_, watcher) in &mut watchers {
            watcher.check().await;
        }
    });
}

/// One of the two tabs hears what the other one told.
async fn hear(streams: &mut [TouchedStream], all: &[Replica], who: usize) {
    let Some(stream) = streams.get_mut(1 - who.min(1)).filter(|_| who < 2) else { return };
    if let Some(touched) = told(stream) {
        let heard = Touched::from_bytes(&touched.to_bytes()).expect("it can be read");
        assert_eq!(heard, touched);
        all[who].manager.touched_elsewhere(&heard).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn whoever_looks_sees_what_is_there_and_never_the_same_twice(
        wishes in prop::collection::vec(wish(), 1..8),
        batches in prop::collection::vec((batch(), any::<u8>()), 1..16),
    ) {
        writing(wishes, batches);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 300, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn tabs_and_syncs_are_seen_in_the_end(
        wishes in prop::collection::vec((0_usize..3, wish()), 1..8),
        acts in prop::collection::vec((0_usize..3, act()), 1..24),
    ) {
        living(wishes, acts);
    }
}
