//! When observers are told nothing, when they stop a write, and what stations behind are told.

use std::sync::Arc;

use syncline_core::change::{Change, ChangeKind, ChangeSet};
use syncline_core::{ErrorKind, Filter, Key, Result, StorageManager};
use syncline_middleware::ChangeWatch;

use crate::change_watch::{Notes, watched};
use crate::{Recorder, age, run, seat, storage, user};

async fn with(watch: ChangeWatch) -> Result<(StorageManager, Recorder)> {
    let recorder = Recorder::default();
    let last = recorder.clone();
    let storage = storage(|builder| builder.with(watch).with(last)).await?;
    Ok((storage, recorder))
}

/// One write of each kind, for which a watch that listens would have to read.
async fn write(storage: &StorageManager) -> Result<()> {
    let users = storage.collection("user")?;
    let _ = users.create(user("ann", "Ann")).await?;
    let _ = users.update(Filter::eq("name", "Ann"), age(3)).await?;
    let _ = users.delete(Filter::eq("age", 3)).await?;
    Ok(())
}

#[test]
fn a_watch_that_is_switched_off_lets_everything_through() {
    run(async || {
        let notes = Arc::new(Notes::default());
        let watch = ChangeWatch::new().observe(notes.clone());
        let (storage, recorder) = with(watch.clone()).await?;
        watch.set_enabled(false);
        write(&storage).await?;
        assert_eq!((notes.both(), recorder.seen().reads), (vec![], 0));
        watch.set_enabled(true);
        write(&storage).await?;
        assert_eq!(notes.both().len(), 3);
        Ok(())
    });
}

#[test]
fn a_watch_that_nobody_observes_lets_everything_through() {
    run(async || {
        let (storage, recorder) = with(ChangeWatch::new()).await?;
        write(&storage).await?;
        assert_eq!(recorder.seen().reads, 0, "nothing is read for nobody");
        assert_eq!(recorder.seen().changes, [None, None, None]);

        let late = Arc::new(Notes::default());
        storage.feed().observe(late.clone());
        write(&storage).await?;
        assert_eq!(late.both().len(), 3, "who comes later is told from then on");
        Ok(())
    });
}

#[test]
fn a_batch_about_collections_that_nobody_cares_for_is_let_through() {
    run(async || {
        let only = Some(vec!["seat".into()]);
        let notes = Arc::new(Notes { only, ..Notes::default() });
        let (storage, recorder) = with(ChangeWatch::new().observe(notes.clone())).await?;
        write(&storage).await?;
        assert_eq!((notes.both(), recorder.seen().reads), (vec![], 0));
        Ok(())
    });
}

#[test]
fn an_observer_hears_of_its_collections_only() {
    run(async || {
        let only = Some(vec!["seat".into()]);
        let some = Arc::new(Notes { only, ..Notes::default() });
        let all = Arc::new(Notes::default());
        let watch = ChangeWatch::new().observe(some.clone()).observe(all.clone());
        let (storage, recorder) = with(watch).await?;
        let batch = storage.batch().create("user", user("ann", "Ann")).create("seat", seat("a", 1));
        let _ = batch.update("user", Filter::All, age(1)).run().await?;
        assert_eq!(some.both().len(), 1);
        assert_eq!(all.both().len(), 3);
        assert_eq!(
            recorder.created(),
            [user("ann", "Ann"), seat("a", 1)],
            "the batch is untouched"
        );
        Ok(())
    });
}

#[test]
fn an_observer_that_refuses_stops_the_write() {
    run(async || {
        let first = Arc::new(Notes::default());
        let refusing = Arc::new(Notes { refuse: true, ..Notes::default() });
        let last = Arc::new(Notes::default());
        let watch =
            ChangeWatch::new().observe(first.clone()).observe(refusing).observe(last.clone());
        let (storage, recorder) = with(watch).await?;
        let error = storage.collection("user")?.create(user("ann", "Ann")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert_eq!((first.before().len(), last.before().len()), (1, 0));
        assert_eq!(first.after(), []);
        assert!(recorder.seen().batches.is_empty());
        assert_eq!(storage.collection("user")?.find(Filter::All).await?, []);
        Ok(())
    });
}

#[test]
fn a_write_that_fails_is_not_told_afterwards() {
    run(async || {
        let (storage, notes, _) = watched().await?;
        let users = storage.collection("user")?;
        let _ = users.create(user("ann", "Ann")).await?;
        let _ = notes.both();
        let error = users.create(user("ann", "Other")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!((notes.before().len(), notes.after().len()), (1, 0));
        Ok(())
    });
}

#[test]
fn stations_behind_are_told_the_changes() {
    run(async || {
        let (storage, notes, recorder) = watched().await?;
        let _ = storage.collection("user")?.create(user("ann", "Ann")).await?;
        let told = recorder.seen().changes.pop().flatten().unwrap_or_default();
        assert_eq!(told.iter().cloned().collect::<Vec<_>>(), notes.both());
        Ok(())
    });
}

#[test]
fn what_a_station_behind_found_out_is_what_observers_are_told() {
    run(async || {
        let (storage, notes, recorder) = watched().await?;
        let key = Key::from("bob");
        let instead = Change { collection: "user".into(), key, kind: ChangeKind::Deleted };
        let steps = vec![vec![instead.clone()]];
        recorder.seen().instead = Some(ChangeSet { steps });
        let _ = storage.collection("user")?.create(user("ann", "Ann")).await?;
        assert_eq!(notes.before().len(), 1);
        assert_eq!(notes.after(), [instead]);
        Ok(())
    });
}

#[test]
fn observers_may_read_and_write_themselves() {
    use syncline_core::change::{Observer, Origin};

    #[derive(Debug)]
    struct Answering(std::sync::OnceLock<StorageManager>);

    #[syncline_core::async_trait]
    impl Observer for Answering {
        fn collections(&self) -> Option<Vec<syncline_core::Name>> {
            Some(vec!["user".into()])
        }

        async fn after(&self, changes: &[Change], _: Origin) {
            let storage = self.0.get().expect("the manager is there");
            let seats = storage.collection("seat").expect("there are seats");
            let number = seats.count(Filter::All).await.expect("it counts") as i32;
            let _ = seats.create(seat("a", number)).await.expect("the seat is free");
            assert!(!changes.is_empty());
        }
    }

    run(async || {
        let answering = Arc::new(Answering(std::sync::OnceLock::new()));
        let (storage, _) = with(ChangeWatch::new().observe(answering.clone())).await?;
        let _ = answering.0.set(storage.clone());
        write(&storage).await?;
        assert_eq!(storage.collection("seat")?.count(Filter::All).await?, 3);
        Ok(())
    });
}
