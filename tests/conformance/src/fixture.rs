//! What a case may do with a backend.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use syncline_core::operation::check;
use syncline_core::value::{Key, Name};
use syncline_core::{
    Backend, Batch, Capability, Error, ErrorKind, Find, Object, Operation, Outcome, Page, Result,
    Schema, StepOutcome,
};

type Opened = Pin<Box<dyn Future<Output = Result<Arc<dyn Backend>>>>>;
type Open = Box<dyn Fn() -> Opened>;

/// A backend under test, with an empty place to keep objects.
///
/// Every test makes its own. Operations go through [`syncline_core::run`], as they do everywhere.
pub struct Fixture {
    backend: RefCell<Option<Arc<dyn Backend>>>,
    schema: RefCell<Option<Arc<Schema>>>,
    open: Open,
}

impl Fixture {
    /// A backend that cannot be opened a second time; [`reopen`](Self::reopen) goes on with it.
    pub fn new(backend: impl Backend + 'static) -> Self {
        let backend: Arc<dyn Backend> = Arc::new(backend);
        let kept = backend.clone();
        let open: Open = Box::new(move || {
            let backend = kept.clone();
            Box::pin(async move { Ok(backend) })
        });
        Self { backend: RefCell::new(Some(backend)), schema: RefCell::default(), open }
    }

    /// A backend that `open` opens, and opens again, at the same place.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from opening.
    pub async fn opening<F, B>(open: impl Fn() -> F + 'static) -> Result<Self>
    where
        F: Future<Output = Result<B>> + 'static,
        B: Backend + 'static,
    {
        let open: Open = Box::new(move || {
            let opened = open();
            Box::pin(async move { Ok(Arc::new(opened.await?) as Arc<dyn Backend>) })
        });
        let backend = open().await?;
        Ok(Self { backend: RefCell::new(Some(backend)), schema: RefCell::default(), open })
    }

    /// Lets go of the backend and opens it again.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from opening.
    pub async fn reopen(&self) -> Result<()> {
        drop(self.backend.take());
        let backend = (self.open)().await?;
        let _ = self.backend.replace(Some(backend));
        Ok(())
    }

    /// The backend.
    pub fn backend(&self) -> Arc<dyn Backend> {
        self.backend.borrow().clone().expect("only missing while it is opened again")
    }

    /// What the backend declares.
    pub fn capability(&self) -> Capability {
        self.backend().capability()
    }

    /// Carries out `operation`, once it has been checked against the schema as the manager does.
    ///
    /// # Errors
    ///
    /// Whatever the backend reports, and [`ErrorKind::Internal`] if such an operation never arrives: a
    /// case must not ask for more than the contract.
    pub async fn run(&self, mut operation: Operation) -> Result<Outcome> {
        if let Operation::Prepare(schema) = &operation {
            let schema = schema.clone();
            let outcome = self.run_unchecked(operation).await?;
            let _ = self.schema.replace(Some(schema));
            return Ok(outcome);
        }
        if let Some(schema) = self.schema.borrow().as_ref() {
            self.check(&mut operation, schema).map_err(|error| {
                Error::internal("the case sends what never arrives").caused_by(error)
            })?;
        }
        self.run_unchecked(operation).await
    }

    /// Carries out `operation` as it is; sync writes what other replicas wrote, whatever the schema says.
    ///
    /// # Errors
    ///
    /// Whatever the backend reports.
    pub async fn run_unchecked(&self, operation: Operation) -> Result<Outcome> {
        let backend = self.backend();
        syncline_core::run(backend.as_ref(), operation).await
    }

    fn check(&self, operation: &mut Operation, schema: &Schema) -> Result<()> {
        check::operation(operation, schema)?;
        match operation {
            Operation::Write(batch) => check::keys_present(batch, schema),
            _ => Ok(()),
        }
    }

    /// Carries out `operation` and holds the backend to what it declares, either way.
    ///
    /// If `needed` picks a capability the backend declares, its answer is handed back for the case
    /// to judge. If not, the operation must be refused with [`ErrorKind::Unsupported`]. Anything
    /// else, success included, fails the case.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] if the backend did what it does not declare.
    pub async fn attempt(
        &self,
        needed: impl Fn(Capability) -> bool,
        operation: Operation,
    ) -> Result<Option<Result<Outcome>>> {
        let answer = self.run(operation).await;
        if needed(self.capability()) {
            return Ok(Some(answer));
        }
        match answer {
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
            other => Err(Error::internal("did what it does not declare")
                .with("answer", format_args!("{other:?}"))),
        }
    }

    /// Makes storage ready for a schema.
    ///
    /// # Errors
    ///
    /// Whatever the backend reports.
    pub async fn prepare(&self, schema: &Arc<Schema>) -> Result<()> {
        match self.run(Operation::Prepare(schema.clone())).await? {
            Outcome::Prepared => Ok(()),
            other => Err(Error::internal("prepared, it answers something else")
                .with("answer", format_args!("{other:?}"))),
        }
    }

    /// Writes a batch.
    ///
    /// # Errors
    ///
    /// Whatever the backend reports.
    pub async fn write(&self, batch: Batch) -> Result<Vec<StepOutcome>> {
        self.run(Operation::Write(batch)).await?.written()
    }

    /// Writes a batch, if the backend declares what is needed; see [`attempt`](Self::attempt).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] if the backend did what it does not declare.
    pub async fn try_write(
        &self,
        needed: impl Fn(Capability) -> bool,
        batch: Batch,
    ) -> Result<Option<Result<Vec<StepOutcome>>>> {
        let answer = self.attempt(needed, Operation::Write(batch)).await?;
        Ok(answer.map(|answer| answer.and_then(Outcome::written)))
    }

    /// Creates one object.
    ///
    /// # Errors
    ///
    /// Whatever the backend reports.
    pub async fn create(&self, collection: &str, object: Object) -> Result<Key> {
        match self.write(Batch::new().create(collection, object)).await?.as_slice() {
            [StepOutcome::Created(key)] => Ok(key.clone()),
            other => Err(Error::internal("a create answers with its key")
                .with("answer", format_args!("{other:?}"))),
        }
    }

    /// Creates objects in this order: in one batch if the backend has batches, else one by one.
    ///
    /// # Errors
    ///
    /// Whatever the backend reports.
    pub async fn fill(
        &self,
        collection: &str,
        objects: impl IntoIterator<Item = Object>,
    ) -> Result<()> {
        let name = Name::from(collection);
        if self.capability().atomic_batch {
            let batch = objects
                .into_iter()
                .fold(Batch::new(), |batch, object| batch.create(name.clone(), object));
            let _ = self.write(batch).await?;
            return Ok(());
        }
        for object in objects {
            let _ = self.create(collection, object).await?;
        }
        Ok(())
    }

    /// One page of an answer.
    ///
    /// # Errors
    ///
    /// Whatever the backend reports.
    pub async fn page(&self, find: Find) -> Result<Page> {
        self.run(Operation::Find(find)).await?.found()
    }

    /// All objects that are asked for, page after page.
    ///
    /// # Errors
    ///
    /// As for [`pages`](Self::pages).
    pub async fn find(&self, find: Find) -> Result<Vec<Object>> {
        let pages = self.pages(find).await?;
        Ok(pages.into_iter().flat_map(|page| page.objects).collect())
    }

    /// All pages of an answer.
    ///
    /// # Errors
    ///
    /// Whatever the backend reports, and [`ErrorKind::Internal`] if the pages are not as promised.
    pub async fn pages(&self, find: Find) -> Result<Vec<Page>> {
        let mut pages = Vec::new();
        let mut next = Some(find);
        while let Some(find) = next {
            let page = self.page(find.clone()).await?;
            let broken = if page.objects.len() > find.page_objects {
                Some("a page holds more objects than it may")
            } else if page.objects.is_empty() && (page.next.is_some() || !pages.is_empty()) {
                Some("a page is empty although it was announced, or announces another")
            } else if page.next.is_some() && page.next == find.after {
                Some("a page goes on from where it began")
            } else {
                None
            };
            if let Some(broken) = broken {
                return Err(Error::internal(broken).with("question", format_args!("{find:?}")));
            }
            next = find.following(&page);
            pages.push(page);
        }
        Ok(pages)
    }

    /// All objects that are asked for, if the backend declares what is needed; see
    /// [`attempt`](Self::attempt).
    ///
    /// # Errors
    ///
    /// Whatever the backend reports, and [`ErrorKind::Internal`] if it did what it does not declare.
    pub async fn try_find(
        &self,
        needed: impl Fn(Capability) -> bool,
        find: Find,
    ) -> Result<Option<Vec<Object>>> {
        match self.attempt(needed, Operation::Find(find.clone())).await? {
            Some(answer) => answer.map(drop)?,
            None => return Ok(None),
        }
        self.find(find).await.map(Some)
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("backend", &self.backend).finish_non_exhaustive()
    }
}
