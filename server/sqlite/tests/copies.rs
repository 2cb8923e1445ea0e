//! Copies of a store, and backups that are put back.

mod common;

use syncline_core::ErrorKind;
use syncline_server_sqlite::SqliteStore;

use crate::common::{append, everything, open, sealer};

#[pollster::test]
async fn a_copy_goes_its_own_way_and_can_be_put_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let on_threads = open(&folder.path().join("hub.db"));
    for store in [SqliteStore::open_in_memory().expect("opens"), on_threads.clone()] {
        let mut ann = sealer(1);
        let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
        let _ = append(&store, std::slice::from_ref(&first)).await.expect("it appends");
        let copy = store.copied().expect("it can be copied");
        let _ = append(&store, std::slice::from_ref(&second)).await.expect("it appends");
        assert_eq!(everything(&copy).await.expect("it answers"), std::slice::from_ref(&first));
        assert_eq!(everything(&store).await.expect("it answers"), [first.clone(), second]);
        match store.restore(&copy) {
            Ok(()) => assert_eq!(everything(&store).await.expect("it answers"), [first]),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "it is on threads"),
        }
    }
}
