//! Filters and schemas.

use serde_json::{Value as Json, json};

use super::{Seed, of_kind};

/// For the target `filter`.
pub(super) fn filters() -> Vec<Seed> {
    let things = [
        json!({}),
        json!({"name": "Vila", "lat": {"$gt": 1, "$lt": 2.5}}),
        json!({"$or": [{"name": {"$prefix": "V"}}, {"owner": null}], "flag": true}),
        json!({"$and": [{"count": {"$gte": -1, "$lte": 3}}, {"$not": {"flag": {"$ne": false}}}]}),
        json!({"at": {"$in": ["2026-11-20T12:00:00.000Z", -1]}, "raw": {"$nin": ["AP8="]}}),
        json!({"any": {"$eq": {"x": [1, 2.5, null]}}, "link": {"$exists": true}}),
        json!({"any": {"x": 1}, "body": {"$text": "easy \"3\" OR fold*"}}),
        json!({"body": {"$text": ["easy", "not"], "$not": {"$exists": false, "$prefix": "%_"}}}),
        json!({"$keys": ["a", "b"]}),
        json!({"token": {"$in": [1, 2.5, "t"]}, "link": {"$gt": "a"}}),
        json!([{"lat": {"$lt": 1e300}}, "-lat,name"]),
        json!([{}, ["count", "-id"]]),
        json!([{"count": {"$gt": 9007199254740992.0_f64}}, "flag,raw,at,owner"]),
    ];
    let nest = |inner, _| json!({"name": "a", "$not": inner});
    let deep = [(0..31).fold(json!({}), nest), (0..32).fold(json!({}), nest)];
    let pairs =
        [json!({"$keys": [["x", 1], {"a": "", "b": -1}]}), json!([{"c": {"$gte": 1}}, "-b,a"])];
    let counted = [json!({"$keys": [1, 2]}), json!({"no": {"$gt": 1}, "word": {"$ne": "one"}})];
    let made = (0..12_u8).map(|seed| (seed..250).step_by(usize::from(seed) + 1).collect());
    [
        of_kind("made", 3, made),
        of_kind("thing", 0, things.iter().map(text)),
        of_kind("deep", 0, deep.iter().map(text)),
        of_kind("pair", 1, pairs.iter().map(text)),
        of_kind("counted", 2, counted.iter().map(text)),
    ]
    .concat()
}

/// For the target `schema`.
pub(super) fn schemas() -> Vec<Seed> {
    let city = json!({
        "fields": {"name": {"type": "string"}, "population": {"type": "int", "optional": true}},
        "indices": [{"field": "name"}, {"field": ["country", "name"], "unique": true}],
        "relationships": [{"childOf": "country"}]
    });
    let country =
        json!({"fields": {"code": {"type": "string"}}, "indices": [{"field": "code", "pk": true}]});
    let all = [
        json!({"version": 1, "collections": {}}),
        json!({"version": 1, "collections": {"city": city, "country": country}}),
        crate::filter::schema(),
        json!({"version": 3, "collections": {
            "user": {"version": 1, "fields": {"name": {"type": "text"}},
                     "indices": [{"field": "name", "fullText": true}]},
            "profile": {"fields": {}, "relationships": [
                {"singleChildOf": "user", "alias": "owner", "reverseAlias": "face",
                 "fieldName": "who", "optional": true}]},
            "friend": {"relationships": [
                {"connects": ["user", "user"], "aliases": ["from", "to"],
                 "reverseAliases": ["given", "got"], "fieldNames": ["f", "t"]}]},
        }, "history": [
            {"version": 1, "collections": {
                "user": {"fields": {"name": {"type": "text"}},
                         "indices": [{"field": "name", "fullText": true}]},
                "draft": {"fields": {"raw": {"type": "blob"}}}}},
            {"version": 2, "collections": {
                "user": {"version": 1, "fields": {"name": {"type": "text"}},
                         "indices": [{"field": "name", "fullText": true}]}}},
        ]}),
        json!({"version": 2, "collections": {
            "list": {"fields": {"id": {"type": "random-key"}, "at": {"type": "timestamp"}},
                     "relationships": [{"childOf": "list", "alias": "above", "optional": true}]},
            "link": {"relationships": [{"connects": ["list", "link"]}],
                     "indices": [{"field": [{"relationship": "list"}, "link"], "pk": true}]},
        }}),
    ];
    let made = (0..24_u8).map(|seed| (seed..200).chain(0..seed * 9).collect());
    let written = all.iter().enumerate().map(|(at, json)| (format!("schema-{at}"), text(json)));
    written.chain(of_kind("made", 1, made)).collect()
}

fn text(json: &Json) -> Vec<u8> {
    json.to_string().into_bytes()
}
