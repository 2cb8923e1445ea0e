use proptest::prelude::*;
use syncline_core::query::{compare, matches};
use syncline_core::{FieldType, Registry, Schema};

use super::*;

fn schema() -> Schema {
    let note = Collection::define("note")
        .optional("text", FieldType::Text)
        .optional("count", FieldType::Int)
        .optional("flag", FieldType::Boolean)
        .key(["lane", "seq"])
        .field("lane", FieldType::String)
        .field("seq", FieldType::Int)
        .full_text("text");
    Registry::new().collections(1, [note]).finish().expect("it is sound")
}

fn ways() -> Vec<Way> {
    let way = |fields: &[&str], words: bool| {
        let fields = fields.iter().chain(&["lane", "seq"]).map(|field| Name::from(*field));
        Way { fields: fields.collect(), words }
    };
    vec![
        way(&[], false),
        way(&["count"], false),
        way(&["text", "flag"], false),
        way(&["seq", "text"], false),
        way(&["text"], true),
    ]
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![Just("a"), Just("a b"), Just("b"), Just("ab"), Just("")].prop_map(Value::from)
}

fn or_null(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop_oneof![1 => Just(Value::Null), 5 => value]
}

fn number() -> impl Strategy<Value = Value> {
    (-1_i64..4).prop_map(Value::from)
}

fn object() -> impl Strategy<Value = Object> {
    let flag = any::<bool>().prop_map(Value::from);
    let fields = (text(), number(), or_null(text()), or_null(number()), or_null(flag));
    fields.prop_map(|(lane, seq, text, count, flag)| {
        let object = Object::new().with("lane", lane).with("seq", seq).with("text", text);
        object.with("count", count).with("flag", flag)
    })
}

fn test(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Test> {
    let value = value.boxed();
    let several = proptest::collection::vec(value.clone(), 0..3);
    prop_oneof![
        3 => value.clone().prop_map(Test::Eq),
        1 => value.clone().prop_map(Test::Ne),
        1 => value.clone().prop_map(Test::Lt),
        1 => value.clone().prop_map(Test::Lte),
        1 => value.clone().prop_map(Test::Gt),
        1 => value.prop_map(Test::Gte),
        1 => several.prop_map(Test::In),
        1 => any::<bool>().prop_map(Test::Exists),
    ]
}

fn demand() -> impl Strategy<Value = Filter> {
    let field = |name: &'static str| move |test| Filter::Field(Name::from(name), test);
    let texts = || prop_oneof![4 => test(text()), 1 => "[ab]{0,2}".prop_map(Test::Prefix)];
    let words = proptest::collection::vec("[ab]{0,2}", 0..3).prop_map(Test::Words);
    prop_oneof![
        texts().prop_map(field("lane")),
        test(number()).prop_map(field("seq")),
        texts().prop_map(field("text")),
        words.prop_map(field("text")),
        test(number()).prop_map(field("count")),
        test(any::<bool>().prop_map(Value::from)).prop_map(field("flag")),
        Just(Filter::eq("count", Value::Null)),
        Just(Filter::eq("count", 1.0)),
    ]
}

fn order() -> impl Strategy<Value = Vec<Order>> {
    let fields = vec!["lane", "seq", "text", "count", "flag"];
    let by = (proptest::sample::select(fields), any::<bool>());
    proptest::collection::vec(by, 0..4).prop_map(|all| {
        let mut order: Vec<Order> = Vec::new();
        for (field, falls) in all {
            let direction = if falls { Direction::Descending } else { Direction::Ascending };
            if order.iter().all(|by| *by.field != *field) {
                order.push(Order { field: field.into(), direction });
            }
        }
        order
    })
}

/// What is found along a plan, as storage goes it, before it is asked for the rest.
fn found(plan: &Plan<'_>, objects: &[Object], collection: &Collection) -> Vec<Object> {
    let along = match &plan.access {
        Access::Along(along) => along,
        Access::Keys(keys) => {
            let of = |key: &Key| {
                objects.iter().find(|object| collection.key_of(object).as_ref() == Some(key))
            };
            return keys.iter().filter_map(of).cloned().collect();
        }
    };
    let way = &ways()[along.way];
    let mut places: Vec<(Vec<u8>, &Object)> = Vec::new();
    for object in objects {
        if !way.words {
            places.push((way.place(object, None), object));
            continue;
        }
        let text = object.value(&way.fields[0]).as_text().unwrap_or_default();
        let all: std::collections::BTreeSet<String> = words(text).collect();
        for word in all {
            let word = key::of_values([&Value::Text(word)]);
            places.push((way.place(object, Some(&word)), object));
        }
    }
    places.sort();
    if plan.flow == Flow::Backward {
        places.reverse();
    }
    let of_span = |span: &Span| {
        let within = places.iter().filter(|(place, _)| span.holds(place));
        within.map(|(_, object)| (*object).clone()).collect::<Vec<_>>()
    };
    along.spans.iter().flat_map(of_span).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_way_leaves_nothing_out_and_keeps_the_order(
        all in proptest::collection::vec(object(), 0..8),
        demands in proptest::collection::vec(demand(), 0..4),
        order in order(),
        place in proptest::option::of(object()),
        in_order in any::<bool>(),
    ) {
        let schema = schema();
        let collection = schema.collection("note").expect("it is defined");
        let mut objects: Vec<Object> = Vec::new();
        for object in all {
            if objects.iter().all(|other| collection.key_of(other) != collection.key_of(&object)) {
                objects.push(object);
            }
        }
        let filter = if demands.is_empty() { Filter::All } else { Filter::And(demands) };
        // One that is there is as it was when the page before ended with it: of one that changed since then, all that
        // matters is that it does not come twice.
        let as_it_is = |place: Object| {
            let is_it = |object: &&Object| collection.key_of(object) == collection.key_of(&place);
            objects.iter().find(is_it).cloned().unwrap_or(place)
        };
        let place = place.map(as_it_is);
        let after = place.map(|place| Continuation::behind(&place, &order, collection));
        let sorted = Sorted { order: &order, after: after.as_ref() };
        let plan = match in_order {
            true => Plan::in_order(&filter, sorted, collection, &ways()),
            false => Some(Plan::new(&filter, sorted, collection, &ways())),
        };
        let Some(plan) = plan else { return Ok(()) };

        let ahead = |object: &Object| {
            after.as_ref().is_none_or(|after| after.is_before(object, &order, collection))
        };
        let mut expected = objects.clone();
        expected.retain(|object| matches(&filter, object, collection) && ahead(object));
        expected.sort_by(|a, b| compare(&order, a, b, collection));

        let mut got = found(&plan, &objects, collection);
        got.retain(|object| plan.rest.iter().all(|rest| matches(rest, object, collection)));
        if plan.flow == Flow::Mixed {
            got.retain(ahead);
            got.sort_by(|a, b| compare(&order, a, b, collection));
        }
        prop_assert_eq!(got, expected, "{:?}", plan);
    }
}

#[test]
fn the_narrowest_way_is_gone() {
    let schema = schema();
    let collection = schema.collection("note").expect("it is defined");
    let taken = |filter: Filter| {
        let plan = Plan::new(&filter, Sorted::default(), collection, &ways());
        match plan.access {
            Access::Along(along) => (along.way, plan.rest.len()),
            Access::Keys(_) => (usize::MAX, plan.rest.len()),
        }
    };
    assert_eq!(taken(Filter::All), (0, 0));
    assert_eq!(taken(Filter::eq("lane", "a").and(Filter::gt("seq", 3))), (0, 0));
    assert_eq!(taken(Filter::eq("count", 3)), (1, 0));
    assert_eq!(taken(Filter::eq("text", "a").and(Filter::eq("flag", true))), (2, 0));
    assert_eq!(taken(Filter::eq("flag", true)), (0, 1));
    let words = Filter::Field("text".into(), Test::Words(vec!["a".into()]));
    assert_eq!(taken(words.and(Filter::gt("count", 1))), (4, 2));
}
