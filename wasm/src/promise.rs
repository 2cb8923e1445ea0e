//! Work that JavaScript waits for.

use std::pin::Pin;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use crate::failure::Result;

/// Work, whatever it is: boxed, so that what a promise needs is compiled once and not for each of them.
type Work = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// A promise of what `work` gives.
pub(crate) fn promise<T: Answer>(work: impl Future<Output = Result<T>> + 'static) -> Promise {
    let work: Work = Box::pin(async { work.await.map(Answer::into_js).map_err(JsValue::from) });
    future_to_promise(work)
}

/// What JavaScript is answered with.
pub(crate) trait Answer {
    /// The same, as JavaScript has it.
    fn into_js(self) -> JsValue;
}

impl Answer for () {
    fn into_js(self) -> JsValue {
        JsValue::UNDEFINED
    }
}

impl Answer for bool {
    fn into_js(self) -> JsValue {
        self.into()
    }
}

impl Answer for f64 {
    fn into_js(self) -> JsValue {
        self.into()
    }
}

impl Answer for String {
    fn into_js(self) -> JsValue {
        self.into()
    }
}

/// Objects are packed.
impl Answer for Vec<u8> {
    fn into_js(self) -> JsValue {
        Uint8Array::from(&self[..]).into()
    }
}

impl<T: Answer> Answer for Option<T> {
    fn into_js(self) -> JsValue {
        self.map_or(JsValue::UNDEFINED, Answer::into_js)
    }
}
