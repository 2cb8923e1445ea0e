//! What a filter demands at least, for storage that looks for a short way to its objects.

use super::{Filter, Test};
use crate::schema::{Collection, Primitive};
use crate::value::{Key, Name, Value};

/// The demands that an object must all meet to meet a filter.
///
/// Storage that answers by itself takes those it has a way for, along a key or an index, and asks
/// [`matches`](super::matches) of the objects on that way for the rest.
///
/// # Example
///
/// ```
/// use syncline_core::query::Demands;
/// use syncline_core::Filter;
///
/// let filter = Filter::eq("lane", "a").and(Filter::gt("seq", 7));
/// assert_eq!(Demands::of(&filter).tests(&"seq".into()).count(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Demands<'a>(Vec<&'a Filter>);

impl<'a> Demands<'a> {
    /// The demands of a filter.
    pub fn of(filter: &'a Filter) -> Self {
        match filter {
            Filter::All => Self(Vec::new()),
            Filter::And(all) => Self(all.iter().flat_map(|one| Self::of(one).0).collect()),
            one => Self(vec![one]),
        }
    }

    /// All of them.
    pub fn all(&self) -> &[&'a Filter] {
        &self.0
    }

    /// Takes out a demand that names objects by nothing but their key, if there is one: the keys, sorted
    /// and each once.
    pub fn take_keys(&mut self, collection: &Collection) -> Option<Vec<Key>> {
        let mut numbered = self.0.iter().enumerate();
        let (at, keys) = numbered.find_map(|(at, demand)| Some((at, keys(demand, collection)?)))?;
        let _ = self.0.remove(at);
        Some(keys)
    }

    /// The tests of one field.
    pub fn tests(&self, field: &Name) -> impl Iterator<Item = &'a Test> {
        self.0.iter().filter_map(move |demand| match demand {
            Filter::Field(name, test) if name == field => Some(test),
            _ => None,
        })
    }

    /// The value of this type that a field has to equal, if it has to.
    pub fn equal(&self, field: &Name, primitive: Primitive) -> Option<&'a Value> {
        self.tests(field).find_map(|test| match test {
            Test::Eq(value) if primitive.holds(value) => Some(value),
            _ => None,
        })
    }
}

/// The keys that a demand names, if it names objects by nothing but their key.
fn keys(demand: &Filter, collection: &Collection) -> Option<Vec<Key>> {
    let mut keys: Vec<Key> = match (demand, collection.key()) {
        (Filter::Keys(keys), _) => keys.clone(),
        (Filter::Field(field, test), [key]) if field == key => {
            let values = match test {
                Test::Eq(value) => std::slice::from_ref(value),
                Test::In(values) => values,
                _ => return None,
            };
            let primitive = collection.key_primitives().next()?;
            // 1.0 equals the key 1 but is not that key, so it has to be searched for.
            let all_of_type = values.iter().all(|value| primitive.holds(value));
            all_of_type.then(|| values.iter().cloned().map(Key::from).collect())?
        }
        _ => return None,
    };
    keys.sort_unstable();
    keys.dedup();
    Some(keys)
}
