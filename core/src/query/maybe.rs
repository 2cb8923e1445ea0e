//! Whether an object of which not everything is known meets a filter.

use super::{Filter, passes};
use crate::schema::Collection;
use crate::value::{Key, Name, Value};

/// Whether an object meets a filter, as far as what is known of it tells; nothing if it may or may not.
///
/// `known` tells what a field holds, or nothing if that is not known.
pub(crate) fn may_match<'a>(
    filter: &Filter,
    key: Option<&'a Key>,
    known: &impl Fn(&Name) -> Option<&'a Value>,
    collection: &Collection,
) -> Option<bool> {
    let judge = |filter: &Filter| may_match(filter, key, known, collection);
    match filter {
        Filter::All => Some(true),
        Filter::Keys(keys) => key.map(|key| keys.contains(key)),
        Filter::Field(field, test) => {
            let place = collection.key().iter().position(|name| name == field);
            let of_key = || key?.values().get(place?);
            known(field).or_else(of_key).map(|value| passes(test, value))
        }
        Filter::And(all) => decided(all.iter().map(judge), false),
        Filter::Or(any) => decided(any.iter().map(judge), true),
        Filter::Not(filter) => judge(filter).map(|meets| !meets),
    }
}

/// The answer of several of which one may decide: `by` if one is so, the opposite if none can be.
fn decided(answers: impl Iterator<Item = Option<bool>>, by: bool) -> Option<bool> {
    let mut is_open = false;
    for answer in answers {
        match answer {
            Some(answer) if answer == by => return Some(by),
            Some(_) => {}
            None => is_open = true,
        }
    }
    (!is_open).then_some(!by)
}
