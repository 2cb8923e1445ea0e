//! Reading: filters in all their forms, options, pages and streams.

use serde_json::json;
use syncline_core::{Direction, ErrorKind, Filter, Key, Object, Result, StorageManager, Value};

use crate::{city, refused, with_storage};

/// Ten cities, put in out of order; every other one lies in Andorra.
async fn ten(storage: &StorageManager) -> Result<()> {
    let cities = [7, 2, 9, 0, 4, 1, 8, 3, 6, 5].map(|number: i64| {
        let country = if number % 2 == 0 { "AD" } else { "FR" };
        city(&format!("c{number}"), &format!("n{number}"), country)
            .with("lat", (10 - number) as f64)
    });
    let _ = storage.collection("city")?.create_many(cities).await?;
    Ok(())
}

fn ids(objects: &[Object]) -> Vec<String> {
    objects.iter().map(|object| object.value("id").to_string()).collect()
}

#[test]
fn a_filter_is_a_filter_or_json_or_a_key_or_an_object() {
    with_storage(async |storage| {
        ten(&storage).await?;
        let cities = storage.collection("city")?;
        let filter = Filter::eq("country", "AD").and(Filter::lt("lat", 4.0));
        assert_eq!(ids(&cities.find(&filter).await?), ["c8"]);
        assert_eq!(ids(&cities.find(filter).await?), ["c8"]);
        let json = json!({ "country": "AD", "lat": { "$lt": 4 } });
        assert_eq!(ids(&cities.find(json).await?), ["c8"]);
        assert_eq!(ids(&cities.find(Key::from("c3")).await?), ["c3"]);
        assert_eq!(ids(&cities.find(Object::new().with("name", "n5")).await?), ["c5"]);
        assert_eq!(cities.find(Filter::eq("name", "nobody")).await?, []);
        refused(cities.find(json!({ "nmae": 1 })).await, ErrorKind::Invalid, &["nmae"]);
        refused(cities.find(Filter::eq("nmae", 1)).await, ErrorKind::Invalid, &["nmae", "city"]);
        Ok(())
    });
}

#[test]
fn everything_is_found_page_by_page() {
    with_storage(async |storage| {
        ten(&storage).await?;
        let cities = storage.collection("city")?;
        let all: Vec<String> = (0..10).map(|number| format!("c{number}")).collect();
        assert_eq!(ids(&cities.find(Filter::All).await?), all);
        for size in [1, 3, 5, 10, 11] {
            assert_eq!(ids(&cities.query(Filter::All).page_size(size).all().await?), all);
            let mut stream = cities.query(Filter::All).page_size(size).stream()?;
            let mut streamed = Vec::new();
            while let Some(city) = stream.next().await {
                streamed.push(city?);
            }
            assert_eq!(ids(&streamed), all);
            assert!(stream.next().await.is_none(), "a stream that ended stays ended");
        }
        Ok(())
    });
}

#[test]
fn a_page_tells_where_the_next_one_begins() {
    with_storage(async |storage| {
        ten(&storage).await?;
        let cities = storage.collection("city")?;
        let query = || cities.query(Filter::All).order_by("lat", Direction::Ascending).page_size(4);
        let (first, next) = query().page().await?;
        assert_eq!(ids(&first), ["c9", "c8", "c7", "c6"]);
        let (second, next) = query().after(next.unwrap()).page().await?;
        assert_eq!(ids(&second), ["c5", "c4", "c3", "c2"]);
        let (third, next) = query().after(next.unwrap()).page().await?;
        assert_eq!(ids(&third), ["c1", "c0"]);
        assert!(next.is_none());
        Ok(())
    });
}

#[test]
fn a_query_sorts_skips_limits_and_selects() {
    with_storage(async |storage| {
        ten(&storage).await?;
        let cities = storage.collection("city")?;
        let query = cities
            .query(json!({ "country": "FR" }))
            .order_by("country", Direction::Ascending)
            .order_by("lat", Direction::Ascending)
            .skip(1)
            .limit(3)
            .select(["name"])
            .page_size(2);
        let found = query.all().await?;
        assert_eq!(ids(&found), ["c7", "c5", "c3"]);
        assert!(!found[0].contains("lat"), "only the key and what was selected");
        assert_eq!(cities.query(Filter::All).limit(0).all().await?, []);

        let last = cities.query(Filter::All).order_by("lat", Direction::Ascending);
        assert_eq!(last.first().await?.unwrap().value("id"), &Value::from("c9"));
        assert_eq!(
            cities.find_one(json!({ "country": "FR" })).await?.unwrap().value("name"),
            &"n1".into()
        );
        assert!(cities.find_one(json!({ "country": "ES" })).await?.is_none());
        assert_eq!(cities.count(json!({ "country": "FR" })).await?, 5);
        Ok(())
    });
}

#[test]
fn a_mistake_in_a_query_is_reported_when_it_ends() {
    with_storage(async |storage| {
        let cities = storage.collection("city")?;
        let wrong = || cities.query(json!({ "lat": "north" })).limit(1);
        refused(wrong().all().await, ErrorKind::Invalid, &["lat"]);
        refused(wrong().first().await, ErrorKind::Invalid, &["lat"]);
        refused(wrong().page().await, ErrorKind::Invalid, &["lat"]);
        refused(wrong().stream(), ErrorKind::Invalid, &["lat"]);
        refused(storage.collection("town"), ErrorKind::Invalid, &["town"]);
        Ok(())
    });
}
