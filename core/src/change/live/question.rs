//! Whether what happened can matter to an answer: decided without reading anything.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::trace::{Trace, Which};
use crate::query::{Continuation, Filter, Find, matches, may_match};
use crate::schema::Collection;
use crate::sorted::SortedSet;
use crate::value::{Key, Name, Object, Value};

/// So many objects are looked at to judge what happened; reading the answer again is cheaper then.
const LOOKS: usize = 10_000;

/// A question, taken apart for those who judge what can change its answer.
#[derive(Debug)]
pub(crate) struct Question {
    find: Find,
    definition: Arc<Collection>,
    /// The only objects that are asked for, if the question names them.
    keys: Option<Vec<Key>>,
    /// The fields that decide which objects are in the answer, and in what order.
    decides: SortedSet<Name>,
    /// The fields that the answer shows; nothing if it shows all.
    shows: Option<SortedSet<Name>>,
}

/// An answer, in the form of storage.
#[derive(Debug)]
pub(crate) struct Shown {
    objects: Vec<Object>,
    places: HashMap<Key, usize>,
    /// The place of the last object, if the answer is full: what lies behind it is not asked for.
    end: Option<Continuation>,
}

impl Shown {
    /// The objects.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    fn object(&self, key: &Key) -> Option<&Object> {
        self.places.get(key).and_then(|place| self.objects.get(*place))
    }
}

impl Question {
    pub(super) fn new(find: Find, definition: Arc<Collection>) -> Self {
        let mut decides: SortedSet<Name> = find.order.iter().map(|by| by.field.clone()).collect();
        find.filter.each_field(&mut |field| {
            let _ = decides.insert(field.clone());
        });
        let shows = find.fields.as_ref().map(|fields| fields.iter().cloned().collect());
        let keys = definition.keys_in(&find.filter);
        Self { find, definition, keys, decides, shows }
    }

    /// The question.
    pub fn find(&self) -> &Find {
        &self.find
    }

    /// What the collection's objects look like.
    pub fn definition(&self) -> &Collection {
        &self.definition
    }

    /// An answer to this question.
    pub fn answer(&self, objects: Vec<Object>) -> Shown {
        let key =
            |(place, object): (usize, &Object)| Some((self.definition.key_of(object)?, place));
        let places = objects.iter().enumerate().filter_map(key).collect();
        let is_full = self.find.limit.is_some_and(|limit| objects.len() as u64 >= limit);
        let order = &self.find.order;
        let end =
            objects.last().filter(|_| is_full && order.iter().all(|by| self.knows(&by.field)));
        let end = end.map(|last| Continuation::behind(last, order, &self.definition));
        Shown { objects, places, end }
    }

    /// Whether any of these can have changed the answer, which is `shown` if it is known.
    pub(super) fn is_concerned<'a>(
        &self,
        shown: Option<&Shown>,
        mut traces: impl Iterator<Item = Trace<'a>>,
    ) -> bool {
        let mut judge = Judge { question: self, shown, looks: LOOKS };
        traces.any(|trace| judge.matters(trace))
    }

    /// Whether an answer shows this field, of the objects that are in it.
    fn knows(&self, field: &Name) -> bool {
        self.shows.as_ref().is_none_or(|shows| shows.contains(field))
            || self.definition.is_key(field)
    }

    fn named<'a>(&self, which: Which<'a>) -> Option<Cow<'a, [Key]>> {
        match which {
            Which::Key(key) => Some(std::slice::from_ref(key).into()),
            Which::Meeting(Filter::Keys(keys)) => Some(keys.into()),
            Which::Meeting(filter) => self.definition.keys_in(filter).map(Cow::from),
        }
    }

    /// Whether these values are of the types that the schema says.
    fn fits(&self, values: &Object) -> bool {
        let fits = |(name, value): (&Name, &Value)| {
            let field = self.definition.field(name);
            value.is_null() || field.is_none_or(|field| field.kind.primitive().holds(value))
        };
        values.iter().all(fits)
    }

    /// Whether the question is about an object with one of these keys, as far as it names its objects.
    fn may_name<'a>(&self, mut keys: impl Iterator<Item = &'a Key>) -> bool {
        self.keys.as_ref().is_none_or(|own| keys.any(|key| own.contains(key)))
    }
}

/// Judges what happened, within bounds.
struct Judge<'q> {
    question: &'q Question,
    shown: Option<&'q Shown>,
    looks: usize,
}

impl Judge<'_> {
    fn matters(&mut self, trace: Trace<'_>) -> bool {
        match trace {
            Trace::Anything => true,
            Trace::Touched(keys) => self.question.may_name(keys.iter()),
            // What storage makes of values of another type, which a sync may bring, only storage knows.
            Trace::Created(values) | Trace::Updated(_, values) if !self.question.fits(values) => {
                true
            }
            Trace::Created(object) => self.creating(object),
            Trace::Updated(which, changes) => self.updating(which, changes),
            Trace::Deleted(which) => self.deleting(which),
        }
    }

    /// Whether a new object is in the answer, or moves it on.
    fn creating(&self, object: &Object) -> bool {
        let Question { find, definition, .. } = self.question;
        let is_behind = |place: &Continuation| place.is_before(object, &find.order, definition);
        matches(&find.filter, object, definition)
            && find.after.as_ref().is_none_or(is_behind)
            && !self.shown.and_then(|shown| shown.end.as_ref()).is_some_and(is_behind)
    }

    fn updating(&mut self, which: Which<'_>, changes: &Object) -> bool {
        let Question { find, decides, shows, .. } = self.question;
        let changes_any =
            |fields: &SortedSet<Name>| changes.iter().any(|(name, _)| fields.contains(name));
        let moves = changes_any(decides);
        if !moves && !shows.as_ref().is_none_or(changes_any) {
            return false;
        }
        let named = self.question.named(which);
        if named.as_ref().is_some_and(|keys| !self.question.may_name(keys.iter())) {
            return false;
        }
        // What is skipped is not known: an object that leaves it moves all others.
        if moves && (find.skip > 0 || self.lets_in(named.as_deref(), changes)) {
            return true;
        }
        self.shows_any(which, named.as_deref(), |question, object| question.alters(object, changes))
    }

    /// Whether an object that is not in the answer may be in it once it has these values.
    fn lets_in(&mut self, named: Option<&[Key]>, changes: &Object) -> bool {
        let Question { find, definition, .. } = self.question;
        let known = |field: &Name| changes.get(field);
        let may = |key| may_match(&find.filter, key, &known, definition) != Some(false);
        let Some(keys) = named else { return may(None) };
        let is_elsewhere = |key: &&Key| self.shown.and_then(|shown| shown.object(key)).is_none();
        keys.iter().filter(is_elsewhere).any(|key| may(Some(key)))
    }

    fn deleting(&mut self, which: Which<'_>) -> bool {
        let named = self.question.named(which);
        if named.as_ref().is_some_and(|keys| !self.question.may_name(keys.iter())) {
            return false;
        }
        self.question.find.skip > 0 || self.shows_any(which, named.as_deref(), |_, _| true)
    }

    /// Whether an object of the answer is among those, and passes.
    fn shows_any(
        &mut self,
        which: Which<'_>,
        named: Option<&[Key]>,
        pass: impl Fn(&Question, &Object) -> bool,
    ) -> bool {
        let (question, Some(shown)) = (self.question, self.shown) else { return true };
        match (named, which) {
            (Some(keys), _) => {
                keys.iter().filter_map(|key| shown.object(key)).any(|object| pass(question, object))
            }
            (None, Which::Key(_)) => true,
            (None, Which::Meeting(filter)) => {
                let objects = shown.objects();
                let Some(left) = self.looks.checked_sub(objects.len()) else { return true };
                self.looks = left;
                objects
                    .iter()
                    .any(|object| question.may_meet(filter, object) && pass(question, object))
            }
        }
    }
}

impl Question {
    /// Whether an object of the answer may meet a filter.
    fn may_meet(&self, filter: &Filter, object: &Object) -> bool {
        let known = |field: &Name| self.knows(field).then(|| object.value(field));
        let key = self.definition.key_of(object);
        may_match(filter, key.as_ref(), &known, &self.definition) != Some(false)
    }

    /// Whether these values make an object of the answer look different, or move it.
    fn alters(&self, object: &Object, changes: &Object) -> bool {
        let counts = |name: &Name| {
            self.shows.as_ref().is_none_or(|shows| shows.contains(name))
                || self.decides.contains(name)
        };
        let mut changes = changes.iter().filter(|(name, _)| counts(name));
        changes.any(|(name, value)| !self.knows(name) || object.value(name) != value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{FieldType, Registry};

    /// Whether a new object with this latitude concerns whoever asks for those in the north.
    fn concerns(lat: Value) -> bool {
        let city = Collection::define("city").optional("lat", FieldType::Float);
        let schema = Registry::new().collections(1, [city]).finish().expect("the schema is sound");
        let city = schema.collection("city").expect("cities").clone();
        let question = Question::new(Find::new("city", Filter::gt("lat", 42.0)), city);
        let object = Object::new().with("id", "x").with("lat", lat);
        let shown = question.answer(Vec::new());
        question.is_concerned(Some(&shown), std::iter::once(Trace::Created(&object)))
    }

    #[test]
    fn values_of_another_type_may_become_anything() {
        assert!(concerns(43.0.into()) && !concerns(41.0.into()) && !concerns(Value::Null));
        assert!(concerns("43".into()), "some storage makes a number of it");
        assert!(concerns(Value::Int(41)));
    }
}
