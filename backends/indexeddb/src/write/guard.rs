//! Guards: what must hold at their place in a batch.

use syncline_core::query::{Test, same};
use syncline_core::value::Name;
use syncline_core::{Condition, Filter, Guard, Object, Value};

use super::Writing;
use crate::error::{IndexedDbError, Result};
use crate::key;
use crate::plan::{Access, Plan, Sorted};
use crate::read::count_along;
use crate::scan::{Scan, meets};

impl Writing {
    pub(super) async fn guard(&mut self, sheet: usize, guard: Guard) -> Result<()> {
        let Guard { name, collection, condition } = guard;
        if self.holds(sheet, &condition).await? {
            return Ok(());
        }
        Err(IndexedDbError::Guard { guard: name, collection })
    }

    async fn holds(&mut self, sheet: usize, condition: &Condition) -> Result<bool> {
        let key = match condition {
            Condition::Exists(key) | Condition::Absent(key) | Condition::Looks(key, _) => key,
            Condition::Unique(values) => return self.is_unique(sheet, values).await,
        };
        let key = key::of_key(key);
        self.know(sheet, &key).await?;
        Ok(is_met(condition, self.sheets[sheet].object(&key)))
    }

    /// Whether at most one object has these values.
    async fn is_unique(&mut self, sheet: usize, values: &Object) -> Result<bool> {
        if values.iter().any(|(_, value)| value.is_null()) {
            return Ok(true);
        }
        self.flush()?;
        let equal =
            |(field, value): (&Name, &Value)| Filter::Field(field.clone(), Test::Eq(value.clone()));
        let filter = Filter::And(values.iter().map(equal).collect());
        let table = self.sheets[sheet].table.clone();
        let plan = Plan::new(&filter, Sorted::default(), &table.collection, &table.ways);
        let Access::Along(along) = plan.access else {
            // A key has one object at most.
            return Ok(true);
        };
        let rows = &self.sheets[sheet].rows;
        if plan.rest.is_empty() && !table.runs {
            return Ok(count_along(&self.transaction, &table, rows, &along).await? < 2);
        }
        let mut scan = Scan::new(&self.transaction, &table, rows, along);
        let mut found = 0;
        while let Some(objects) = scan.next().await? {
            found += objects.iter().filter(|object| meets(&plan.rest, object, &table)).count();
            if found > 1 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a condition about one key is met by what lies under it.
pub(super) fn is_met(condition: &Condition, object: Option<&Object>) -> bool {
    match (condition, object) {
        (Condition::Absent(_), object) => object.is_none(),
        (Condition::Looks(_, look), Some(object)) => {
            look.iter().all(|(field, value)| same(object.value(field), value))
        }
        (_, object) => object.is_some(),
    }
}
