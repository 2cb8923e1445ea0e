//! Questions with more to them than a filter, and answers that come page by page.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::{CollectionHandle, LiveQuery, edge};
use crate::operation::Operation;
use crate::query::{Continuation, Direction, Find, Page};
use crate::schema::Collection;
use crate::value::{Name, Object};
use crate::{Error, Result};

/// How an object becomes what the caller wants.
pub(super) type Decode<T> = fn(Object, &Collection) -> Result<T>;

/// A question to one collection; nothing is read before one of its endings is called.
///
/// Mistakes in the filter are reported by the ending.
#[derive(Debug)]
#[must_use = "a query asks nothing until it is ended with `all`, `first`, `page`, `stream` or `watch`"]
pub struct Query<T = Object> {
    handle: CollectionHandle,
    find: Result<Find>,
    decode: Decode<T>,
}

impl<T> Query<T> {
    pub(super) fn new(handle: CollectionHandle, find: Result<Find>, decode: Decode<T>) -> Self {
        Self { handle, find, decode }
    }

    /// Reads the answer into something else.
    pub(super) fn decoded<U>(self, decode: Decode<U>) -> Query<U> {
        Query { handle: self.handle, find: self.find, decode }
    }

    /// Sorts by one more field, and at last by key.
    pub fn order_by(self, field: impl Into<Name>, direction: Direction) -> Self {
        self.map(|find| find.order_by(field, direction))
    }

    /// Ends after this many objects.
    pub fn limit(self, limit: u64) -> Self {
        self.map(|find| find.limit(limit))
    }

    /// Leaves out this many objects at the start.
    pub fn skip(self, skip: u64) -> Self {
        self.map(|find| find.skip(skip))
    }

    /// Answers with these fields only, and those of the primary key.
    pub fn select<N: Into<Name>>(self, fields: impl IntoIterator<Item = N>) -> Self {
        self.map(|find| find.select(fields))
    }

    /// Goes on behind the last object of an earlier [page](Self::page) of the same question.
    pub fn after(self, continuation: Continuation) -> Self {
        self.map(|find| Find { after: Some(continuation), ..find })
    }

    /// Reads at most this many objects at a time.
    pub fn page_size(self, objects: usize) -> Self {
        self.map(|find| Find { page_objects: objects.max(1), ..find })
    }

    /// One page of the answer, and where the next one begins.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::find`].
    pub async fn page(self) -> Result<(Vec<T>, Option<Continuation>)> {
        let Self { handle, find, decode } = self;
        let page = handle.manager().execute(Operation::Find(find?)).await?.found()?;
        let definition = handle.definition();
        let objects = page.objects.into_iter().map(|object| decode(object, definition));
        Ok((objects.collect::<Result<_>>()?, page.next))
    }

    /// The whole answer, in memory.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::find`].
    pub async fn all(self) -> Result<Vec<T>> {
        let decode = self.decode;
        let mut pages = self.pages()?;
        let mut all = Vec::new();
        while let Some(objects) = pages.next().await? {
            all.reserve(objects.len());
            for object in objects {
                all.push(decode(object, pages.handle.definition())?);
            }
        }
        Ok(all)
    }

    /// The first object of the answer.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::find`].
    pub async fn first(self) -> Result<Option<T>> {
        let decode = self.decode;
        let mut pages = self.limit(1).pages()?;
        let object = pages.next().await?.and_then(|objects| objects.into_iter().next());
        object.map(|object| decode(object, pages.handle.definition())).transpose()
    }

    /// The answer as a stream that reads a page at a time, so memory stays bounded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the question contradicts the schema; what
    /// goes wrong later comes through the stream and ends it.
    pub fn stream(self) -> Result<ObjectStream<T>> {
        let decode = self.decode;
        Ok(ObjectStream {
            state: State::Idle(Box::new(self.pages()?)),
            page: Vec::new().into_iter(),
            decode,
        })
    }

    /// The whole answer at once, and again whenever it changed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the question contradicts the schema, or is about
    /// a collection that Syncline keeps for itself; what goes wrong later comes through the live query.
    pub fn watch(self) -> Result<LiveQuery<T>> {
        let (decode, handle) = (self.decode, self.handle.clone());
        if handle.definition().is_reserved() {
            return Err(Error::invalid(
                "Syncline keeps this collection for itself and does not tell its changes; only read it",
            )
            .with("collection", handle.definition().name()));
        }
        let pages = self.pages()?;
        let find = pages.find.ok_or_else(|| Error::internal("a question was lost"))?;
        LiveQuery::new(handle.manager().clone(), find, decode)
    }

    fn map(mut self, change: impl FnOnce(Find) -> Find) -> Self {
        self.find = self.find.map(change);
        self
    }

    fn pages(self) -> Result<Pages> {
        let mut operation = Operation::Find(self.find?);
        self.handle.manager().admit(&mut operation)?;
        let find = match operation {
            Operation::Find(find) => Some(find),
            _ => None,
        };
        Ok(Pages { handle: self.handle, find })
    }
}

/// The pages of an answer, one after the other.
#[derive(Debug)]
struct Pages {
    handle: CollectionHandle,
    /// The question for the next page, in the form of storage.
    find: Option<Find>,
}

impl Pages {
    async fn next(&mut self) -> Result<Option<Vec<Object>>> {
        let Some(find) = self.find.take() else { return Ok(None) };
        let manager = self.handle.manager();
        // Most answers fit on one page, and then nobody needs the question again.
        let one = find.limit == Some(1);
        let again = (!one).then(|| find.clone());
        let page: Page = manager.pass(Operation::Find(find)).await?.found()?;
        self.find = again.and_then(|find| find.following(&page));
        let mut objects = page.objects;
        edge::restore_all(&mut objects, self.handle.definition())?;
        Ok(Some(objects))
    }
}

/// The objects of an answer, read a page at a time.
///
/// This is a [`Stream`]; [`next`](Self::next) serves where no stream library is at hand.
///
/// # Example
///
/// ```
/// # use std::sync::Arc;
/// # use syncline_backend_memory::MemoryBackend;
/// # use syncline_core::*;
/// # pollster::block_on(async {
/// # let city = Collection::define("city")
/// #     .field("name", FieldType::String)
/// #     .optional("country", FieldType::String)
/// #     .optional("lat", FieldType::Float);
/// # let schema = Registry::new().collections(1, [city]).finish()?;
/// # let backend = Arc::new(MemoryBackend::default());
/// # let storage = StorageManager::builder(backend).schema(schema).build().await?;
/// # storage.collection("city")?.create(Object::new().with("id", "v").with("name", "Vila")).await?;
/// let mut cities = storage.collection("city")?.query(Filter::All).stream()?;
/// while let Some(city) = cities.next().await {
///     assert_eq!(city?.value("name"), &"Vila".into());
/// }
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
#[must_use = "a stream reads nothing until it is asked"]
pub struct ObjectStream<T = Object> {
    state: State,
    page: std::vec::IntoIter<Object>,
    decode: Decode<T>,
}

enum State {
    /// Between two pages.
    Idle(Box<Pages>),
    /// Waits for a page.
    Reading(Reading),
    /// Nothing more will come.
    Done,
}

#[cfg(not(target_family = "wasm"))]
type Reading = Pin<Box<dyn Future<Output = (Box<Pages>, Result<Option<Vec<Object>>>)> + Send>>;
#[cfg(target_family = "wasm")]
type Reading = Pin<Box<dyn Future<Output = (Box<Pages>, Result<Option<Vec<Object>>>)>>>;

impl<T> ObjectStream<T> {
    /// The next object; nothing if there are no more.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<T> Stream for ObjectStream<T> {
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let this = self.get_mut();
        loop {
            match std::mem::replace(&mut this.state, State::Done) {
                State::Done => return Poll::Ready(None),
                State::Idle(pages) => {
                    if let Some(object) = this.page.next() {
                        let object = (this.decode)(object, pages.handle.definition());
                        this.state = State::Idle(pages);
                        return Poll::Ready(Some(object));
                    }
                    this.state = State::Reading(Box::pin(read(pages)));
                }
                State::Reading(mut reading) => match reading.as_mut().poll(context) {
                    Poll::Pending => {
                        this.state = State::Reading(reading);
                        return Poll::Pending;
                    }
                    Poll::Ready((pages, Ok(Some(objects)))) => {
                        this.page = objects.into_iter();
                        this.state = State::Idle(pages);
                    }
                    Poll::Ready((_, Ok(None))) => return Poll::Ready(None),
                    Poll::Ready((_, Err(error))) => return Poll::Ready(Some(Err(error))),
                },
            }
        }
    }
}

async fn read(mut pages: Box<Pages>) -> (Box<Pages>, Result<Option<Vec<Object>>>) {
    let page = pages.next().await;
    (pages, page)
}

impl<T> fmt::Debug for ObjectStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStream").field("at_hand", &self.page.len()).finish_non_exhaustive()
    }
}
