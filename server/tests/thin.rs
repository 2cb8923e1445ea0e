//! Leases and items over HTTP.

mod common;

use axum::http::Method;
use common::{Builder, NOW, at, group, hub, hub_with};
use syncline_server::ItemRequest;
use syncline_shared_log_wire::item::{
    Check, Download, Epoch, Flush, ItemId, Restore, Upload, Uploaded,
};
use syncline_shared_log_wire::lease::{Lease, Leases};

#[test]
fn a_lease_is_taken_listed_renewed_and_given_back() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let path = at(&family, "leases/the%20door%2F1");
        let take = || Builder::new(Method::PUT, &path).json(r#"{"holder":"ann","millis":1000}"#);
        let lease = hub.ask(take()).await.json::<Lease>();
        assert_eq!((lease.name.as_str(), lease.expires), ("the door/1", NOW + 1000));
        assert_eq!(hub.ask(take()).await.refused(), (409, "Conflict".into()));
        let listed = hub.ask(Builder::get(&at(&family, "leases"))).await.json::<Leases>();
        assert_eq!(listed.leases, std::slice::from_ref(&lease));
        let other = hub.ask(Builder::get(&at(&group("club"), "leases"))).await.json::<Leases>();
        assert!(other.leases.is_empty());
        let renew = format!(r#"{{"holder":"ann","millis":2000,"token":{}}}"#, lease.token);
        let renewed = hub.ask(Builder::new(Method::PUT, &path).json(&renew)).await.json::<Lease>();
        assert_eq!((renewed.token, renewed.expires), (lease.token, NOW + 2000));
        let release = || Builder::new(Method::DELETE, &format!("{path}?token={}", lease.token));
        assert_eq!(hub.ask(release()).await.json::<Lease>().name, "the door/1");
        assert_eq!(hub.ask(release()).await.refused(), (404, "NotFound".into()));
        let release = Builder::new(Method::DELETE, &path);
        assert_eq!(hub.ask(release).await.refused(), (400, "Invalid".into()), "whose is it?");
    });
}

#[test]
fn a_lease_lasts_no_longer_than_the_hub_allows() {
    pollster::block_on(async {
        let hub = hub_with(|config| config.longest_lease = std::time::Duration::from_secs(1));
        let path = at(&group("family"), "leases/door");
        for (millis, status) in [(0, 400), (1, 200), (1001, 400), (u64::MAX, 400)] {
            let body = format!(r#"{{"holder":"ann","millis":{millis}}}"#);
            let answer = hub.ask(Builder::new(Method::PUT, &path).json(&body)).await;
            assert_eq!(answer.status(), status, "{millis}");
        }
        let nobody = Builder::new(Method::PUT, &path).json(r#"{"holder":"","millis":1}"#);
        assert_eq!(hub.ask(nobody).await.refused(), (400, "Invalid".into()));
    });
}

#[test]
fn the_five_verbs_reach_the_store() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let post = |what: &str, body: &str| {
            Builder::post(&at(&family, &format!("items/{what}"))).json(body)
        };
        let item = r#"{"type":"note","key":"1","data":"x","timestamp":5}"#;
        let answer = hub.ask(post("upload", &format!(r#"{{"epoch":3,"items":[{item}]}}"#))).await;
        assert_eq!(answer.json::<Uploaded>().outcomes.len(), 1);
        assert_eq!(hub.ask(post("download", "{}")).await.status(), 200);
        assert_eq!(hub.ask(post("check", r#"{"items":[]}"#)).await.status(), 200);
        assert_eq!(hub.ask(post("flush", r#"{"epoch":3,"items":[]}"#)).await.status(), 200);
        assert_eq!(hub.ask(post("epochs/2/restore", r#"{"epoch":4}"#)).await.status(), 200);
        for what in ["items/epoch", "items/epochs", "items/history?type=note&key=a%2Fb+c"] {
            assert_eq!(hub.ask(Builder::get(&at(&family, what))).await.status(), 200, "{what}");
        }
        hub.ask(Builder::get(&at(&family, "items/epoch"))).await.json::<Epoch>();

        let asked = std::mem::take(&mut *hub.store.asked.lock().unwrap());
        assert!(asked.iter().all(|(group, _)| *group == family));
        let asked: Vec<ItemRequest> = asked.into_iter().map(|(_, asked)| asked).collect();
        let items = vec![serde_json::from_str(item).unwrap()];
        let expected = [
            ItemRequest::Upload(Upload { epoch: 3, items }),
            ItemRequest::Download(Download { limit: Some(10_000), ..Download::default() }),
            ItemRequest::Check(Check { items: vec![], after: None, up_to: None }),
            ItemRequest::Flush(Flush { epoch: 3, items: vec![] }),
            ItemRequest::Restore(2, Restore { epoch: 4 }),
            ItemRequest::Epoch,
            ItemRequest::Epochs,
            ItemRequest::History(ItemId { kind: "note".into(), key: "a/b c".into() }),
            ItemRequest::Epoch,
        ];
        assert_eq!(asked, expected);
    });
}

#[test]
fn a_lock_of_an_item_is_a_lease_by_its_type_and_key() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let lock = |body: &str| Builder::post(&at(&family, "items/lock")).json(body);
        let take = r#"{"type":"a/b","key":"c/d","holder":"ann","millis":1000}"#;
        let lease = hub.ask(lock(take)).await.json::<Lease>();
        assert_eq!(lease.name, "a%2Fb/c/d");
        let back = r#"{"type":"a/b","key":"c/d","holder":"ann","millis":0,"token":1}"#;
        assert_eq!(hub.ask(lock(back)).await.json::<Lease>(), lease);
        let leases = hub.ask(Builder::get(&at(&family, "leases"))).await.json::<Leases>();
        assert!(leases.leases.is_empty());
    });
}

#[test]
fn items_have_printable_names_and_come_in_pages() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let post = |what: &str, body: &str| {
            Builder::post(&at(&family, &format!("items/{what}"))).json(body)
        };
        let long = "a".repeat(513);
        for (kind, key) in [("", "1"), ("note", ""), ("no\\u0000te", "1"), ("note", long.as_str())]
        {
            let item = format!(r#"{{"type":"{kind}","key":"{key}","timestamp":5}}"#);
            for what in ["upload", "flush"] {
                let body = format!(r#"{{"epoch":0,"items":[{item}]}}"#);
                assert_eq!(hub.ask(post(what, &body)).await.refused(), (400, "Invalid".into()));
            }
            let answer = hub.ask(post("check", &format!(r#"{{"items":[{item}]}}"#))).await;
            assert_eq!(answer.refused(), (400, "Invalid".into()));
        }
        let many = vec![r#"{"type":"a","key":"b","timestamp":5}"#; 10_001].join(",");
        for what in ["upload", "flush", "check"] {
            let body = format!(r#"{{"epoch":0,"items":[{many}]}}"#);
            assert_eq!(hub.ask(post(what, &body)).await.refused(), (413, "Invalid".into()));
        }
        let none = post("download", r#"{"limit":0}"#);
        assert_eq!(hub.ask(none).await.refused(), (400, "Invalid".into()));
        let epoch = post("epochs/x/restore", r#"{"epoch":4}"#);
        assert_eq!(hub.ask(epoch).await.refused(), (400, "Invalid".into()));
    });
}
