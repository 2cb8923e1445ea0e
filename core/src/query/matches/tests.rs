use std::sync::Arc;

use super::super::{Find, Pager};
use super::*;
use crate::schema::{Field, FieldType};
use crate::value::{Key, Name};

fn collection(key: &[&str]) -> Collection {
    let field =
        |name: &&str| Field { name: Arc::from(*name), kind: FieldType::String, optional: false };
    Collection {
        name: "thing".into(),
        version: 1,
        fields: key.iter().map(field).collect(),
        key: key.iter().map(|name| Name::from(*name)).collect(),
        indexes: Vec::new(),
        relationships: Vec::new(),
    }
}

#[track_caller]
fn check(test: Test, passed_by: &[Value], refused_by: &[Value]) {
    for (values, expected) in [(passed_by, true), (refused_by, false)] {
        for value in values {
            let object = Object::new().with("id", "a").with("x", value.clone());
            let filter = Filter::Field("x".into(), test.clone());
            let collection = collection(&["id"]);
            assert_eq!(matches(&filter, &object, &collection), expected, "{test:?} of {value:?}");
            let negated = filter.negated();
            assert_eq!(matches(&negated, &object, &collection), !expected, "not {test:?}");
            if value.is_null() {
                let absent = Object::new().with("id", "a");
                assert_eq!(matches(&negated, &absent, &collection), !expected, "{test:?} absent");
            }
        }
    }
}

#[test]
fn equality_tells_absent_false_zero_and_empty_apart() {
    let all = [Value::Null, false.into(), 0.into(), "".into(), Value::Bytes(Vec::new())];
    for (at, value) in all.iter().enumerate() {
        let others: Vec<Value> = all
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, v)| v.clone())
            .collect();
        check(Test::Eq(value.clone()), std::slice::from_ref(value), &others);
        check(Test::Ne(value.clone()), &others, std::slice::from_ref(value));
        check(Test::In(vec![value.clone()]), std::slice::from_ref(value), &others);
        check(Test::NotIn(vec![value.clone()]), &others, std::slice::from_ref(value));
    }
    check(Test::In(Vec::new()), &[], &all);
    check(Test::NotIn(Vec::new()), &all, &[]);
}

#[test]
fn json_null_is_not_null() {
    let json_null = Value::Json(serde_json::Value::Null);
    check(Test::Exists(true), &[json_null.clone(), 0.into()], &[Value::Null]);
    check(Test::Eq(Value::Null), &[Value::Null], &[json_null]);
}

#[test]
fn null_is_neither_less_nor_greater() {
    let unordered = [Value::Null, "3".into(), Value::Timestamp(3), true.into()];
    check(Test::Lt(4.into()), &[3.into(), 3.9.into()], &unordered);
    check(Test::Lte(3.into()), &[3.into(), 3.0.into()], &unordered);
    check(Test::Gt(2.into()), &[3.into(), 2.1.into()], &unordered);
    check(Test::Gte(3.into()), &[3.into()], &unordered);
    for test in [Test::Lt, Test::Lte, Test::Gt, Test::Gte] {
        check(test(Value::Null), &[], &[Value::Null, 1.into()]);
    }
}

#[test]
fn whole_numbers_and_floats_compare_as_numbers() {
    check(Test::Eq(1.0.into()), &[1.into(), 1.0.into()], &[2.into(), 1.5.into()]);
    check(Test::Eq(0.into()), &[(-0.0).into(), 0.0.into()], &[]);
    check(Test::Gt((-1.5).into()), &[(-1).into()], &[(-2).into()]);
    let rounded = i64::MAX as f64;
    check(Test::Lt(rounded.into()), &[i64::MAX.into()], &[rounded.into()]);
    check(Test::Eq((i64::MIN as f64).into()), &[i64::MIN.into()], &[(i64::MIN + 1).into()]);
    check(Test::Eq(f64::MAX.into()), &[], &[i64::MAX.into(), i64::MIN.into()]);
    check(Test::Eq(f64::NAN.into()), &[], &[0.into(), f64::NAN.into()]);
    let exact = (1_i64 << 53) + 1;
    check(Test::Eq(exact.into()), &[exact.into()], &[((1_i64 << 53) as f64).into()]);
}

#[test]
fn a_prefix_is_met_letter_by_letter() {
    check(
        Test::Prefix("a%".into()),
        &["a%".into(), "a%b".into()],
        &["A%".into(), "ab".into(), "a".into(), Value::Null, 1.into()],
    );
    check(Test::Prefix(String::new()), &["".into(), "a".into()], &[Value::Null]);
}

#[test]
fn words_are_found_whole_in_any_order_and_case() {
    let text = "Testing THIS stuff: is not always easy-going";
    let wanted = |words: &[&str]| Test::Words(words.iter().map(|word| (*word).into()).collect());
    check(wanted(&["easy", "testing"]), &[text.into()], &["easy".into(), Value::Null]);
    check(wanted(&["Easy Going"]), &[text.into()], &["easygoing".into()]);
    check(wanted(&["eas"]), &[], &[text.into()]);
}

#[test]
fn keys_are_compared_with_their_type() {
    let object = Object::new().with("a", 1).with("b", "x");
    let keys = |keys: &[Key]| Filter::Keys(keys.to_vec());
    let both = Key::compound([Value::from(1), Value::from("x")]);
    let swapped = Key::compound([Value::from("x"), Value::from(1)]);
    let collection = collection(&["a", "b"]);
    assert!(matches(&keys(&[swapped.clone(), both]), &object, &collection));
    assert!(!matches(&keys(&[swapped]), &object, &collection));
    assert!(!matches(&keys(&[]), &object, &collection));
    assert!(!matches(&Filter::key("1"), &Object::new().with("a", 1), &collection));
}

#[test]
fn no_alternative_is_never_met_and_no_demand_always() {
    let (object, collection) = (Object::new().with("id", "a"), collection(&["id"]));
    assert!(matches(&Filter::And(Vec::new()), &object, &collection));
    assert!(!matches(&Filter::Or(Vec::new()), &object, &collection));
    assert!(matches(&Filter::All, &object, &collection));
}

#[test]
fn results_sort_by_each_field_its_own_way_and_then_by_key() {
    let collection = collection(&["id"]);
    let object =
        |id: &str, x: Option<i64>, y: i64| Object::new().with("id", id).with("x", x).with("y", y);
    let order = Find::new("thing", Filter::All)
        .order_by("x", Direction::Ascending)
        .order_by("y", Direction::Descending)
        .order;
    let sorted = [
        object("e", None, 2),
        object("d", None, 1),
        object("b", Some(1), 5),
        object("c", Some(1), 5),
        object("a", Some(2), 9),
    ];
    for (at, a) in sorted.iter().enumerate() {
        let place = Continuation::behind(a, &order, &collection);
        for (other, b) in sorted.iter().enumerate() {
            assert_eq!(compare(&order, a, b, &collection), at.cmp(&other), "{a:?} {b:?}");
            assert_eq!(place.is_before(b, &order, &collection), at < other, "{a:?} {b:?}");
        }
    }
}

#[test]
fn a_page_ends_where_it_is_full_and_says_so_only_if_more_follows() {
    let collection = collection(&["id"]);
    let objects: Vec<Object> =
        ["a", "b", "c", "d"].map(|id| Object::new().with("id", id).with("x", "y")).to_vec();
    let page = |find: &Find, objects: &[Object]| {
        let mut pager = Pager::new(find, &collection);
        let _ = objects.iter().try_for_each(|object| pager.offer(object));
        pager.finish()
    };
    let mut find = Find::new("thing", Filter::All).skip(1);
    find.page_objects = 2;
    let first = page(&find, &objects);
    assert_eq!(first.objects, objects[1..3]);
    assert_eq!(first.next.expect("d follows").key, [Value::from("c")]);
    assert_eq!(page(&find, &objects[..3]).next, None, "nothing follows");
    assert_eq!(page(&find.clone().limit(2), &objects).next, None, "the limit ends it");
    assert!(page(&find.clone().limit(0), &objects).objects.is_empty());
    find.page_bytes = 0;
    assert_eq!(page(&find, &objects).objects, objects[1..2], "at least one object");
    find.fields = Some(vec!["other".into()]);
    assert_eq!(page(&find, &objects).objects, [Object::new().with("id", "b")]);
}
