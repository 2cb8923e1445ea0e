//! JSON objects, as many as there are, in little code.

use serde_json::{Map, Value as Json};

/// A JSON object with these members.
macro_rules! object {
    ($($name:literal: $value:expr),+ $(,)?) => {
        $crate::json::object_of(&mut [$(($name, ::serde_json::Value::from($value))),+])
    };
}

pub(crate) use object;

/// A JSON object with these members, which are taken.
pub(crate) fn object_of(members: &mut [(&str, Json)]) -> Json {
    let mut object = Map::new();
    for (name, value) in members {
        let _ = object.insert((*name).to_owned(), value.take());
    }
    Json::Object(object)
}
