//! What a backend can do beyond the minimum, and what each operation needs.

use crate::query::{Filter, Find, Test};
use crate::{Batch, Error, ErrorKind, Operation, Result, Step};

/// What a backend does beyond creating, finding, updating and deleting by equality.
///
/// Everything is off by default, so a backend that forgets to speak promises nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capability {
    /// A batch of several steps is applied wholly or not at all; guards and placeholders work.
    pub atomic_batch: bool,
    /// Filters beyond equality: ranges, prefixes, lists of values, and, or, not.
    pub compare: bool,
    /// Objects can be counted without reading them.
    pub count: bool,
    /// A collection can have an index of its words, and `$text` finds them.
    pub full_text: bool,
    /// Results can be sorted by one field.
    pub order_by_one: bool,
    /// Results can be sorted by more than one field.
    pub order_by_many: bool,
    /// A find can leave out objects at the start.
    pub skip: bool,
}

impl Capability {
    /// Holds if the operation needs nothing that is not declared.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`], with the name of the missing capability.
    pub fn allow(&self, operation: &Operation) -> Result<()> {
        match operation {
            Operation::Prepare(schema) => {
                let wanted = schema.collections().any(|collection| collection.has_full_text());
                need("full_text", wanted, self.full_text)
            }
            Operation::Find(find) => self.allow_find(find),
            Operation::Count(_, filter) => {
                need("count", true, self.count)?;
                self.allow_filter(filter)
            }
            Operation::Write(batch) => self.allow_batch(batch),
        }
    }

    fn allow_find(&self, find: &Find) -> Result<()> {
        need("order_by_one", !find.order.is_empty(), self.order_by_one)?;
        need("order_by_many", find.order.len() > 1, self.order_by_many)?;
        need("skip", find.skip > 0, self.skip)?;
        self.allow_filter(&find.filter)
    }

    fn allow_batch(&self, batch: &Batch) -> Result<()> {
        let several = batch.steps.len() > 1;
        for step in &batch.steps {
            let together = matches!(step, Step::Guard(_));
            need("atomic_batch", several || together, self.atomic_batch)?;
            if let Step::Update { filter, .. } | Step::Delete { filter, .. } = step {
                self.allow_filter(filter)?;
            }
        }
        Ok(())
    }

    fn allow_filter(&self, filter: &Filter) -> Result<()> {
        match filter {
            Filter::All | Filter::Keys(_) | Filter::Field(_, Test::Eq(_)) => Ok(()),
            Filter::Field(_, Test::Words(_)) => need("full_text", true, self.full_text),
            Filter::Field(_, _) => need("compare", true, self.compare),
            Filter::And(all) => all.iter().try_for_each(|filter| {
                let plain = matches!(filter, Filter::Field(_, Test::Eq(_)) | Filter::All);
                need("compare", !plain, self.compare)?;
                self.allow_filter(filter)
            }),
            Filter::Or(any) => {
                need("compare", true, self.compare)?;
                any.iter().try_for_each(|filter| self.allow_filter(filter))
            }
            Filter::Not(filter) => {
                need("compare", true, self.compare)?;
                self.allow_filter(filter)
            }
        }
    }
}

fn need(name: &'static str, wanted: bool, declared: bool) -> Result<()> {
    if wanted && !declared {
        return Err(Error::new(ErrorKind::Unsupported, "the backend does not declare this")
            .with("capability", name));
    }
    Ok(())
}
