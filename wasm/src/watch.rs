//! Live queries, and what tabs with one database tell each other.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use js_sys::Promise;
use syncline::change::{Touched, TouchedStream};
use syncline::client::Lead;
use syncline::manager::LiveQuery;
use syncline::{Collection, ErrorKind};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::database::Database;
use crate::failure::{Result, read_json};
use crate::options::query;
use crate::packed::pack;
use crate::promise::{Answer, promise};

#[wasm_bindgen]
impl Database {
    /// The packed objects that meet a filter, and again whenever they changed.
    pub fn watch(&self, collection: String, filter: String, options: String) -> Result<Watch> {
        let handle = self.handle(&collection)?;
        let live = query(&read_json(&filter)?, &read_json(&options)?, &handle)?.watch()?;
        let definition = handle.definition().clone();
        Ok(Watch { live: Stoppable::new(live), definition })
    }

    /// What is touched in this database from now on, for other tabs.
    pub fn touched(&self) -> Touches {
        Touches { stream: Stoppable::new(self.storage().touched()) }
    }

    /// Tells what another tab touched; if it is not said, anything.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn elsewhere(&self, touched: Option<Vec<u8>>) -> Promise {
        let this = self.clone();
        promise(async move {
            let touched = match touched.map(|bytes| Touched::from_bytes(&bytes)) {
                // Another version of this page may have said more than this one understands.
                Some(Err(error)) if error.kind() == ErrorKind::Unsupported => Touched::everything(),
                Some(touched) => touched?,
                None => Touched::everything(),
            };
            this.storage().touched_elsewhere(&touched).await;
            Ok(())
        })
    }

    /// Takes the lead of this database from whichever tab has it.
    #[wasm_bindgen(js_name = takeLead, unchecked_return_type = "Promise<Leading>")]
    pub fn take_lead(&self) -> Promise {
        let this = self.clone();
        promise(async move { Ok(Leading(this.log().take_lead().await?)) })
    }
}

/// The lead of a database.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub struct Leading(pub(crate) Lead);

impl Answer for Leading {
    fn into_js(self) -> JsValue {
        self.into()
    }
}

/// A live query.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Watch {
    live: Stoppable<LiveQuery>,
    definition: Arc<Collection>,
}

#[wasm_bindgen]
impl Watch {
    /// The next answer, packed; nothing once it was stopped.
    #[wasm_bindgen(unchecked_return_type = "Promise<Uint8Array | undefined>")]
    pub fn next(&self) -> Promise {
        let this = self.clone();
        promise(async move {
            let next = poll_fn(|context| {
                this.live.poll(context.waker(), |live| pin!(live.next()).poll(context))
            });
            let Some(objects) = next.await.transpose()? else { return Ok(None) };
            Ok(Some(pack(&objects, &this.definition)))
        })
    }

    /// Ends it, and whoever waits for an answer.
    pub fn stop(&self) {
        self.live.stop();
    }
}

/// What is touched in a database.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Touches {
    stream: Stoppable<TouchedStream>,
}

#[wasm_bindgen]
impl Touches {
    /// What was touched since the last time, for `elsewhere` in another tab; nothing once it was stopped.
    #[wasm_bindgen(unchecked_return_type = "Promise<Uint8Array | undefined>")]
    pub fn next(&self) -> Promise {
        let this = self.clone();
        promise(async move {
            let next = poll_fn(|context| {
                this.stream.poll(context.waker(), |stream| pin!(stream.next()).poll(context))
            });
            Ok(next.await.map(|touched| touched.to_bytes()))
        })
    }

    /// Ends it, and whoever waits for it.
    pub fn stop(&self) {
        self.stream.stop();
    }
}

/// Something that is waited for, until it is stopped; copies share it.
#[derive(Debug)]
struct Stoppable<T>(Rc<RefCell<(Option<T>, Option<Waker>)>>);

impl<T> Clone for Stoppable<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Stoppable<T> {
    fn new(of: T) -> Self {
        Self(Rc::new(RefCell::new((Some(of), None))))
    }

    /// What `poll` gives, or nothing if this was stopped.
    fn poll<V>(&self, waker: &Waker, poll: impl FnOnce(&mut T) -> Poll<V>) -> Poll<Option<V>> {
        let (of, waiting) = &mut *self.0.borrow_mut();
        *waiting = Some(waker.clone());
        match of {
            Some(of) => poll(of).map(Some),
            None => Poll::Ready(None),
        }
    }

    fn stop(&self) {
        let (of, waiting) = self.0.take();
        drop(of);
        waiting.into_iter().for_each(Waker::wake);
    }
}
