//! The transport of a browser: its own `fetch`, called directly.
//!
//! An HTTP client that wraps it brings a parser of URLs and its tables along, which the browser has already: they
//! would be a good part of what a page loads.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::ready;

use crate::http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use crate::http::{HeaderMap, HeaderValue, StatusCode};
use async_trait::async_trait;
use bytes::Bytes;
use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestCache, RequestCredentials,
    RequestInit, RequestRedirect, Response,
};

use crate::address::Address;
use crate::config::HttpLogConfig;
use crate::error::HttpError;
use crate::names;
use crate::transport::{Chunks, Fault, FaultKind, Transport};

#[wasm_bindgen]
extern "C" {
    /// Of a window, a worker, and whatever else has it.
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

/// The browser's own connections.
#[derive(Debug)]
pub(crate) struct Client;

impl Client {
    pub fn new(_: &HttpLogConfig, _: &Address) -> Result<Self, HttpError> {
        // Where there is none, it would fail each time.
        let is_there = Reflect::has(&js_sys::global(), &"fetch".into()).unwrap_or_default();
        is_there.then_some(Self).ok_or_else(|| {
            HttpError::NoClient(
                Fault::new(FaultKind::Unreachable)
                    .caused_by(Told("there is no `fetch` here".to_owned())),
            )
        })
    }
}

#[async_trait(?Send)]
impl Transport for Client {
    async fn send(
        &self,
        request: crate::http::Request<Bytes>,
    ) -> Result<crate::http::Response<Box<dyn Chunks>>, Fault> {
        let abort = Abort::new()?;
        let init = init(&request, &abort)?;
        let asked = fetch(&request.uri().to_string(), &init).map_err(unreachable)?;
        // A browser does not tell why; that there was no way to the hub is what mostly happened.
        let answer = JsFuture::from(asked).await.map_err(unreachable)?;
        let answer: Response = answer.dyn_into().map_err(unreachable)?;

        let mut response = crate::http::Response::new(());
        *response.status_mut() = StatusCode::from_u16(answer.status()).map_err(Fault::broken)?;
        *response.headers_mut() = headers(&answer.headers())?;
        let reader = answer.body().map(|body| body.get_reader().unchecked_into());
        Ok(response.map(|()| Box::new(Body { reader, reading: None, _abort: abort }) as _))
    }
}

fn init(request: &crate::http::Request<Bytes>, abort: &Abort) -> Result<RequestInit, Fault> {
    let headers = Headers::new().map_err(unreachable)?;
    for (name, value) in request.headers() {
        let value = value.to_str().map_err(Fault::broken)?;
        headers.append(name.as_str(), value).map_err(unreachable)?;
    }
    let init = RequestInit::new();
    init.set_method(request.method().as_str());
    init.set_headers_headers(&headers);
    if !request.body().is_empty() {
        init.set_body_opt_buffer_source(Some(&Uint8Array::from(&request.body()[..])));
    }
    // A browser would keep answers to questions that are asked again and again.
    init.set_cache(RequestCache::NoStore);
    init.set_credentials(RequestCredentials::Omit);
    // A hub never sends elsewhere; a login page of a network does.
    init.set_redirect(RequestRedirect::Error);
    init.set_signal(Some(&abort.0.signal()));
    Ok(init)
}

/// The headers that this crate knows.
fn headers(from: &Headers) -> Result<HeaderMap, Fault> {
    let known = [
        &CONTENT_LENGTH,
        &CONTENT_TYPE,
        &DATE,
        &LOCATION,
        &RETRY_AFTER,
        &names::NUMBER,
        &names::PROTOCOL,
        &names::REQUEST,
        &names::SUM,
    ];
    let mut headers = HeaderMap::new();
    for name in known {
        if let Some(value) = from.get(name.as_str()).map_err(unreachable)? {
            let value = HeaderValue::try_from(value).map_err(Fault::broken)?;
            let _ = headers.append(name, value);
        }
    }
    Ok(headers)
}

/// A body that comes piece by piece. Whoever drops it tells the browser that it need not come.
struct Body {
    reader: Option<ReadableStreamDefaultReader>,
    /// The piece that is asked for: to stop waiting for it does not lose it.
    reading: Option<JsFuture>,
    _abort: Abort,
}

#[async_trait(?Send)]
impl Chunks for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let Some(reader) = &self.reader else { return Ok(None) };
        let reading = &mut self.reading;
        let read = poll_fn(|context| {
            let asked = reading.get_or_insert_with(|| JsFuture::from(reader.read()));
            let read = ready!(Pin::new(asked).poll(context));
            *reading = None;
            read.into()
        });
        let read = read.await.map_err(|why| fault(FaultKind::Broken, &why))?;
        if is_done(&read) {
            return Ok(None);
        }
        let piece = Reflect::get(&read, &"value".into()).map_err(unreachable)?;
        Ok(Some(piece.unchecked_into::<Uint8Array>().to_vec().into()))
    }
}

fn is_done(read: &JsValue) -> bool {
    Reflect::get(read, &"done".into()).is_ok_and(|done| done.is_truthy())
}

/// Ends a request when it is dropped; one that has ended does not mind.
struct Abort(AbortController);

impl Abort {
    fn new() -> Result<Self, Fault> {
        AbortController::new().map(Self).map_err(unreachable)
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn unreachable(why: impl AsRef<JsValue>) -> Fault {
    fault(FaultKind::Unreachable, why.as_ref())
}

fn fault(kind: FaultKind, why: &JsValue) -> Fault {
    let told = why.dyn_ref::<Object>().map(|error| String::from(error.to_string()));
    Fault::new(kind)
        .caused_by(Told(told.unwrap_or_else(|| "the browser does not tell why".to_owned())))
}

/// What the browser said. The standard library's own error of a text brings the tables along by which it is quoted.
#[derive(Debug)]
struct Told(String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Told {}
