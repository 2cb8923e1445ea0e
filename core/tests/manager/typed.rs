//! Rust types into objects and back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use syncline_core::{Collection, Direction, ErrorKind, Filter, Object, Value, value};

use crate::{refused, schema, with_storage};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Country {
    Ad,
    Fr,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Extra {
    tags: Vec<String>,
    near: BTreeMap<String, f64>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Village,
    Town { people: u32 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct City {
    id: String,
    name: String,
    country: Option<Country>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lat: Option<f64>,
    #[serde(default)]
    seen: i64,
    flag: Option<bool>,
    extra: Option<Extra>,
    picture: Option<Vec<u8>>,
}

fn vila() -> City {
    City {
        id: "vila".into(),
        name: "Vila".into(),
        country: Some(Country::Ad),
        lat: Some(42.5),
        seen: 1_700_000_000_000,
        flag: Some(false),
        extra: Some(Extra {
            tags: vec!["small".into()],
            near: BTreeMap::from([("Pas".to_owned(), 12.5)]),
            kind: Kind::Town { people: 1_000 },
        }),
        picture: Some(vec![0, 255]),
    }
}

fn cities() -> std::sync::Arc<Collection> {
    schema().collection("city").expect("a city").clone()
}

#[test]
fn each_field_becomes_what_the_schema_says() {
    let object = value::to_object(&vila(), &cities()).unwrap();
    let extra =
        json!({"tags": ["small"], "near": {"Pas": 12.5}, "kind": {"Town": {"people": 1000}}});
    let wanted = Object::new()
        .with("id", "vila")
        .with("name", "Vila")
        .with("country", "ad")
        .with("lat", 42.5)
        .with("seen", Value::Timestamp(1_700_000_000_000))
        .with("flag", false)
        .with("extra", extra)
        .with("picture", vec![0, 255]);
    assert_eq!(object, wanted);
    assert_eq!(value::from_object::<City>(object, &cities()).unwrap(), vila());
}

#[test]
fn nothing_is_null_unless_it_is_skipped() {
    let bare = City {
        country: None,
        lat: None,
        seen: 0,
        flag: None,
        extra: None,
        picture: None,
        ..vila()
    };
    let object = value::to_object(&bare, &cities()).unwrap();
    assert_eq!(object.get("country"), Some(&Value::Null));
    assert_eq!(object.get("extra"), Some(&Value::Null));
    assert_eq!(object.get("lat"), None, "skipped");
    let stored = Object::new().with("id", "vila").with("name", "Vila");
    assert_eq!(value::from_object::<City>(stored, &cities()).unwrap(), bare);
}

#[test]
fn a_key_of_none_is_left_out_for_somebody_to_give() {
    #[derive(Serialize)]
    struct Keyless {
        id: Option<String>,
        country: Option<String>,
    }
    let object = value::to_object(&Keyless { id: None, country: None }, &cities()).unwrap();
    assert_eq!(object, Object::new().with("country", Value::Null));
}

#[test]
fn numbers_are_held_to_what_the_field_holds() {
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Any<T> {
        lat: T,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Age<T> {
        age: T,
    }
    let schema = schema();
    let (users, cities) = (schema.collection("user").unwrap(), cities());
    let whole = value::to_object(&Any { lat: 42_u8 }, &cities).unwrap();
    assert_eq!(whole, Object::new().with("lat", 42.0));

    let greatest = value::to_object(&Age { age: i64::MAX as u64 }, users).unwrap();
    assert_eq!(greatest, Object::new().with("age", i64::MAX));
    for error in [
        value::to_object(&Age { age: u64::MAX }, users).unwrap_err(),
        value::to_object(&Age { age: i128::MIN }, users).unwrap_err(),
        value::from_object::<Age<u8>>(Object::new().with("age", 256), users).unwrap_err(),
        value::from_object::<Age<u64>>(Object::new().with("age", -1), users).unwrap_err(),
        value::from_object::<Age<i64>>(Object::new().with("age", 1.5), users).unwrap_err(),
        value::from_object::<Age<i64>>(Object::new(), users).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("collection: user, field: age"), "{error}");
    }
}

#[test]
fn timestamps_are_milliseconds_or_text_as_the_type_asks() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Seen<T> {
        seen: T,
    }
    let stored = Object::new().with("seen", Value::Timestamp(1_500));
    let text = Seen { seen: "1970-01-01T00:00:01.500Z".to_owned() };
    assert_eq!(value::to_object(&text, &cities()).unwrap(), stored);
    assert_eq!(value::to_object(&Seen { seen: 1_500 }, &cities()).unwrap(), stored);
    assert_eq!(value::from_object::<Seen<String>>(stored.clone(), &cities()).unwrap(), text);
    assert_eq!(value::from_object::<Seen<i64>>(stored.clone(), &cities()).unwrap().seen, 1_500);
    let any = value::from_object::<Seen<serde_json::Value>>(stored, &cities()).unwrap();
    assert_eq!(any.seen, json!(1_500));
    refused(
        value::to_object(&Seen { seen: "soon" }, &cities()),
        ErrorKind::Invalid,
        &["field: seen"],
    );
}

#[test]
fn maps_and_wrappers_are_objects_too() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Wrapped(BTreeMap<String, String>);
    let map = Wrapped(BTreeMap::from([("name".to_owned(), "Vila".to_owned())]));
    let object = value::to_object(&map, &cities()).unwrap();
    assert_eq!(object, Object::new().with("name", "Vila"));
    assert_eq!(value::from_object::<Wrapped>(object, &cities()).unwrap(), map);

    let all = value::to_object(&vila(), &cities()).unwrap();
    let map = value::from_object::<BTreeMap<String, serde_json::Value>>(
        all.with("picture", Value::Null),
        &cities(),
    );
    assert_eq!(map.unwrap()["extra"]["kind"], json!({ "Town": { "people": 1000 } }));
}

#[test]
fn what_no_field_can_hold_is_refused_by_name() {
    #[derive(Serialize)]
    struct Named<T> {
        name: T,
    }
    #[derive(Serialize)]
    struct Stranger {
        height: i32,
    }
    let cities = cities();
    let nested = value::to_object(&Named { name: vec![1] }, &cities);
    refused(nested, ErrorKind::Invalid, &["json", "collection: city", "field: name"]);
    refused(value::to_object(&Named { name: vila() }, &cities), ErrorKind::Invalid, &["json"]);
    refused(
        value::to_object(&Stranger { height: 1 }, &cities),
        ErrorKind::Invalid,
        &["height", "skip"],
    );
    refused(value::to_object("text", &cities), ErrorKind::Invalid, &["struct"]);
    refused(value::to_object(&[1, 2], &cities), ErrorKind::Invalid, &["struct"]);
}

#[test]
fn a_typed_collection_reads_and_writes_values() {
    with_storage(async |storage| {
        let cities = storage.collection("city")?.typed::<City>();
        assert_eq!(cities.create(&vila()).await?, vila());
        let pas = City {
            id: "pas".into(),
            name: "Pas".into(),
            country: Some(Country::Fr),
            lat: None,
            ..vila()
        };
        assert_eq!(cities.create_many([&pas]).await?, ["pas".into()]);

        let french = cities.find(json!({ "country": "fr" })).await?;
        assert_eq!(french, std::slice::from_ref(&pas));
        assert_eq!(cities.find_by_key("vila").await?, Some(vila()));
        assert_eq!(cities.find_one(Filter::All).await?, Some(pas.clone()));
        assert_eq!(cities.count(Filter::All).await?, 2);
        let query = cities.query(Filter::All).order_by("name", Direction::Descending);
        assert_eq!(query.all().await?, [vila(), pas.clone()]);
        let mut stream = cities.query(Filter::All).page_size(1).stream()?;
        assert_eq!(stream.next().await.transpose()?, Some(pas.clone()));

        #[derive(Serialize)]
        struct Changes {
            lat: Option<f64>,
            flag: Option<bool>,
        }
        let changes = Changes { lat: Some(1.0), flag: None };
        assert_eq!(cities.update(json!({ "id": "pas" }), &changes).await?, 1);
        let moved = City { lat: Some(1.0), flag: None, ..pas };
        assert_eq!(cities.find_by_key("pas").await?, Some(moved));
        assert!(cities.update_one(json!({ "name": "Vila" }), &json!({ "lat": 3 })).await?);
        assert_eq!(
            cities.untyped().find_by_key("vila").await?.unwrap().value("lat"),
            &Value::Float(3.0)
        );

        assert!(cities.delete_one(json!({ "name": "Vila" })).await?);
        assert_eq!(cities.delete_limited(Filter::All, 1).await?, 1);
        Ok(())
    });
}

#[test]
fn an_object_that_does_not_fit_the_type_is_told_by_field() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Strict {
        id: String,
        flag: bool,
    }
    with_storage(async |storage| {
        let cities = storage.collection("city")?;
        let _ = cities.create(crate::city("vila", "Vila", "AD")).await?;
        let strict = cities.typed::<Strict>();
        refused(strict.find(Filter::All).await, ErrorKind::Invalid, &["city", "field: flag"]);
        let mut stream = strict.query(Filter::All).stream()?;
        refused(stream.next().await.unwrap(), ErrorKind::Invalid, &["flag"]);
        Ok(())
    });
}
