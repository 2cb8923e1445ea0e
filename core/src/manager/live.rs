//! Live queries: an answer, and again whenever it changed.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::query::Decode;
use super::{StorageManager, edge};
use crate::change::{Interest, Listening, Shown};
use crate::operation::Operation;
use crate::query::Find;
use crate::value::Object;
use crate::{BoxFuture, Result};

/// The answer to a question, at once, and again whenever it changed.
///
/// It changes by writes of this manager, by what a sync brings, and by what other tabs and processes wrote, if
/// somebody [tells](StorageManager::touched_elsewhere). The answer is read again only if what happened can
/// matter to it, and given only if it differs from the last one. However much happens while nobody asks, it is
/// read once. A question that cannot be answered gives an error, and the stream goes on with the next change.
///
/// This is a [`Stream`] without an end; [`next`](Self::next) serves where no stream library is at hand. To drop
/// it is to stop watching. A write whose future was dropped while it ran is told at once, though storage may carry it out later;
/// then it is noticed with the next change.
///
/// # Example
///
/// ```
/// # use std::sync::Arc;
/// # use syncline_backend_memory::MemoryBackend;
/// # use syncline_core::*;
/// use serde_json::json;
///
/// # pollster::block_on(async {
/// # let city = Collection::define("city")
/// #     .field("name", FieldType::String)
/// #     .optional("country", FieldType::String);
/// # let schema = Registry::new().collections(1, [city]).finish()?;
/// # let backend = Arc::new(MemoryBackend::default());
/// # let storage = StorageManager::builder(backend).schema(schema).build().await?;
/// let cities = storage.collection("city")?;
/// let mut andorra = cities.query(json!({ "country": "AD" })).limit(10).watch()?;
/// assert_eq!(andorra.next().await?, []);
///
/// let vila = Object::new().with("id", "vila").with("name", "Vila").with("country", "AD");
/// cities.create(vila.clone()).await?;
/// assert_eq!(andorra.next().await?, [vila]);
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
#[must_use = "a live query reads nothing until it is asked"]
pub struct LiveQuery<T = Object> {
    manager: StorageManager,
    listening: Listening,
    decode: Decode<T>,
    reading: Option<BoxFuture<'static, Result<Vec<Object>>>>,
    /// What was given last; nothing if that was an error.
    given: Option<Arc<Shown>>,
}

impl<T> LiveQuery<T> {
    /// A live query for an admitted question.
    pub(super) fn new(manager: StorageManager, find: Find, decode: Decode<T>) -> Result<Self> {
        let definition = manager.schema().collection(&find.collection)?.clone();
        let interest = Arc::new(Interest::new(find, definition));
        let listening = Listening::new(manager.feed().clone(), interest);
        Ok(Self { manager, listening, decode, reading: None, given: None })
    }

    /// The answer the first time, and from then on the next one that differs; waits until there is one.
    ///
    /// To drop this future loses nothing.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::find`](super::CollectionHandle::find).
    pub async fn next(&mut self) -> Result<Vec<T>> {
        poll_fn(|context| self.poll_answer(context)).await
    }

    fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Result<Vec<T>>> {
        loop {
            if self.reading.is_none() {
                ready!(self.listening.interest().poll_stale(context));
                let find = self.listening.interest().question().find().clone();
                self.reading = Some(Box::pin(read(self.manager.clone(), find)));
            }
            let Some(reading) = &mut self.reading else { continue };
            let read = ready!(reading.as_mut().poll(context));
            self.reading = None;
            if let Some(answer) = self.take(read) {
                return Poll::Ready(answer);
            }
        }
    }

    /// What to give of what was read; nothing if it was given already.
    fn take(&mut self, read: Result<Vec<Object>>) -> Option<Result<Vec<T>>> {
        let interest = self.listening.interest();
        let objects = match read {
            Ok(objects) => objects,
            Err(error) => {
                interest.lose_sight();
                self.given = None;
                return Some(Err(error));
            }
        };
        let shown = Arc::new(interest.question().answer(objects));
        interest.show(shown.clone());
        if self.given.as_ref().is_some_and(|given| given.objects() == shown.objects()) {
            return None;
        }
        let answer = self.decoded(&shown);
        self.given = answer.is_ok().then_some(shown);
        Some(answer)
    }

    fn decoded(&self, shown: &Shown) -> Result<Vec<T>> {
        let definition = self.listening.interest().question().definition();
        let mut objects = shown.objects().to_vec();
        edge::restore_all(&mut objects, definition)?;
        objects.into_iter().map(|object| (self.decode)(object, definition)).collect()
    }
}

/// The whole answer, in the form of storage.
async fn read(manager: StorageManager, find: Find) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    let mut next = Some(find);
    while let Some(find) = next {
        let page = manager.pass(Operation::Find(find.clone())).await?.found()?;
        next = find.following(&page);
        objects.extend(page.objects);
    }
    Ok(objects)
}

impl<T> Stream for LiveQuery<T> {
    type Item = Result<Vec<T>>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_answer(context).map(Some)
    }
}

impl<T> fmt::Debug for LiveQuery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveQuery")
            .field("question", self.listening.interest().question().find())
            .finish_non_exhaustive()
    }
}
