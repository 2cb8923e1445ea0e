//! The default reconciler: the latest write to each field wins.

use super::history::Lost;
use super::{Author, Discard, Incoming, ObjectState, Reconciled, Reconciler};
use crate::operation::Create;
use crate::schema::Collection;
use crate::{Filter, Key, Name, Object, Result, Step};

/// The latest write to each field wins; a delete ends everything before it, a later create starts afresh.
///
/// # Example
///
/// Two replicas edit different fields of one note, and both edits stay:
///
/// ```
/// use syncline_core::log::Op;
/// use syncline_core::merge::{Author, History};
/// use syncline_core::{Object, Stamp};
///
/// let at = |millis| Author { stamp: Stamp::at_millis(millis), ..Author::default() };
/// let mut history = History::default();
/// history.add(at(3), &Op::Update(Object::new().with("title", "new")));
/// history.add(at(2), &Op::Update(Object::new().with("body", "longer")));
/// assert_eq!(history.object(), None, "updates wait for their create");
///
/// history.add(at(1), &Op::Create(Object::new().with("title", "old").with("body", "short")));
/// assert_eq!(history.object(), Some(Object::new().with("title", "new").with("body", "longer")));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FieldLww;

impl Reconciler for FieldLww {
    fn name(&self) -> &'static str {
        "field-lww"
    }

    fn reconcile(&self, state: ObjectState<'_>) -> Result<Reconciled> {
        let ObjectState { collection, key, mut history, row, incoming, witness } = state;
        // Fields that a delete takes out of the history must still leave the row.
        let before: Vec<_> = history.fields().cloned().collect();
        let knew = |one: &Author, other: &Author| witness.knew(one, other);
        // An edit that bears a later stamp than a delete it did not know of is lost as well, until a
        // create comes that stands between the two.
        let is_hidden = |lost: &Lost| !knew(&lost.loser, &lost.winner);
        let told: Vec<_> =
            history.hidden().filter(is_hidden).map(|lost| (lost.loser, lost.field)).collect();
        let mut lost = Vec::new();
        for Incoming { author, op } in incoming {
            history.add_telling(*author, op, &mut lost);
        }
        lost.extend(history.hidden().filter(is_hidden));
        // What was hidden already was told then.
        lost.retain(|lost| !told.iter().any(|told| *told == (lost.loser, lost.field.clone())));
        let discards = lost
            .into_iter()
            .filter(|lost| lost.loser.replica != lost.winner.replica)
            .map(|Lost { field, value, loser, winner }| Discard {
                collection: collection.name().clone(),
                key: key.clone(),
                field,
                lost: value,
                loser,
                winner,
                concurrent: !knew(&winner, &loser) && !knew(&loser, &winner),
            })
            .collect();
        let wanted = history.object().map(|fields| storable(collection, fields));
        let steps = match (row, wanted) {
            (None, None) => None,
            (None, Some(fields)) => Some(create(collection, key, fields)?),
            (Some(_), None) if history.was_deleted() => Some(delete(collection, key)),
            // A row that nobody logged, and updates that wait for a create: the row stays.
            (Some(_), None) => None,
            (Some(row), Some(fields)) => {
                let governed = before.iter().chain(history.fields());
                let changes = differences(collection, row, &fields, governed);
                (!changes.is_empty()).then(|| update(collection, key, changes))
            }
        };
        Ok(Reconciled { steps: steps.into_iter().collect(), history, discards })
    }
}

/// What has to be set in the row, among the fields that entries speak of.
fn differences<'a>(
    collection: &Collection,
    row: &Object,
    wanted: &Object,
    governed: impl Iterator<Item = &'a Name>,
) -> Object {
    governed
        .filter(|name| is_storable_field(collection, name))
        .filter(|name| row.value(name) != wanted.value(name))
        .map(|name| (name.clone(), wanted.value(name).clone()))
        .collect()
}

/// The fields that a row of this collection can hold; the history keeps the others.
pub(crate) fn storable(collection: &Collection, mut fields: Object) -> Object {
    fields.retain(|name, value| {
        !collection.is_key(name)
            && collection.field(name).is_some_and(|field| field.kind.primitive().holds(value))
    });
    fields
}

/// Whether a row of this collection can hold all of these fields, and none of them is empty.
pub(crate) fn is_storable(collection: &Collection, fields: &Object) -> bool {
    fields.iter().all(|(name, value)| {
        let holds = |field: &crate::Field| field.kind.primitive().holds(value);
        !value.is_null() && !collection.is_key(name) && collection.field(name).is_some_and(holds)
    })
}

fn is_storable_field(collection: &Collection, name: &str) -> bool {
    !collection.is_key(name) && collection.field(name).is_some()
}

/// A step that creates an object with these fields, those of its key left out.
///
/// # Errors
///
/// If the key does not fit the collection.
pub(crate) fn create(collection: &Collection, key: &Key, mut object: Object) -> Result<Step> {
    collection.set_key(&mut object, key.clone())?;
    Ok(Step::Create(Create { collection: collection.name().clone(), object, ..Create::default() }))
}

fn update(collection: &Collection, key: &Key, changes: Object) -> Step {
    let (collection, filter) = (collection.name().clone(), Filter::Keys(vec![key.clone()]));
    Step::Update { collection, filter, changes }
}

fn delete(collection: &Collection, key: &Key) -> Step {
    let (collection, filter) = (collection.name().clone(), Filter::Keys(vec![key.clone()]));
    Step::Delete { collection, filter, limit: None }
}
