//! Building a manager.

use std::sync::Arc;

use syncline_backend_memory::MemoryBackend;
use syncline_core::middleware::{Place, Setup};
use syncline_core::{
    Collection, Context, ErrorKind, Filter, Middleware, Next, Object, Operation, Outcome, Result,
    StorageManager, async_trait,
};

use crate::{refused, schema, user, with_storage};

#[derive(Debug)]
struct Station {
    place: Place,
    collection: Option<Collection>,
    fails: bool,
}

impl Station {
    fn at(place: Place) -> Self {
        Self { place, collection: None, fails: false }
    }
}

#[async_trait]
impl Middleware for Station {
    async fn process(
        &self,
        operation: Operation,
        context: &mut Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        next.run(operation, context).await
    }

    fn place(&self) -> Place {
        self.place
    }

    fn collections(&self) -> Result<Vec<Collection>> {
        Ok(self.collection.iter().cloned().collect())
    }

    async fn start(&self, setup: &Setup) -> Result<()> {
        let prepared = setup.schema.get("user").is_some();
        match self.fails || !prepared {
            true => Err(syncline_core::Error::internal("it will not start")),
            false => Ok(()),
        }
    }
}

fn build(stations: Vec<Station>) -> Result<StorageManager> {
    let builder = StorageManager::builder(Arc::new(MemoryBackend::default())).schema(schema());
    let builder = stations.into_iter().fold(builder, |builder, station| builder.with(station));
    pollster::block_on(builder.build())
}

#[test]
fn who_names_comes_before_who_watches_comes_before_who_records() {
    use Place::{Anywhere, Names, Records, Watches};
    for right in [
        vec![],
        vec![Names, Watches, Records],
        vec![Anywhere, Names, Anywhere, Records, Anywhere],
        vec![Names, Names, Watches],
    ] {
        assert!(build(right.iter().copied().map(Station::at).collect()).is_ok(), "{right:?}");
    }
    for wrong in
        [vec![Watches, Names], vec![Records, Watches], vec![Names, Records, Anywhere, Names]]
    {
        let built = build(wrong.into_iter().map(Station::at).collect());
        refused(built, ErrorKind::Invalid, &["CustomPk", "right order: ["]);
    }
}

#[test]
fn a_manager_without_a_schema_is_refused() {
    let built = StorageManager::builder(Arc::new(MemoryBackend::default())).build();
    refused(pollster::block_on(built), ErrorKind::Invalid, &["schema"]);
}

#[test]
fn a_station_that_does_not_start_keeps_the_manager_from_being_built() {
    let station = Station { fails: true, ..Station::at(Place::Anywhere) };
    refused(build(vec![station]), ErrorKind::Internal, &["will not start"]);
}

#[test]
fn the_collections_of_stations_are_there_to_be_read_and_not_to_be_written() {
    let own = Collection::define("sync_own").finish_reserved().unwrap();
    let station = Station { collection: Some(own), ..Station::at(Place::Anywhere) };
    let storage = build(vec![station]).unwrap();
    let own = storage.collection("sync_own").unwrap();
    pollster::block_on(async {
        assert_eq!(own.find(Filter::All).await.unwrap(), []);
        let writes = [
            own.create(Object::new().with("id", "a")).await.err(),
            own.update(Filter::All, Object::new()).await.err(),
            own.delete(Filter::All).await.err(),
        ];
        for error in writes {
            assert_eq!(error.unwrap().kind(), ErrorKind::Invalid);
        }
    });
}

#[test]
fn storage_is_prepared_by_building_and_by_nobody_else() {
    with_storage(async |storage| {
        let again = Operation::Prepare(Arc::new(schema()));
        refused(storage.execute(again).await, ErrorKind::Invalid, &["built"]);
        let clone = storage.clone();
        let _ = clone.collection("user")?.create(user("ann", "Ann")).await?;
        assert!(storage.collection("user")?.find_by_key("ann").await?.is_some());
        Ok(())
    });
}
