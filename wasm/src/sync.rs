//! Sync with a hub.

use std::fmt;
use std::sync::Arc;

use js_sys::{Function, Promise};
use serde_json::Value as Json;
use syncline::shared_log::http::{Credentials, HttpLog, HttpLogConfig, SystemTimer};
use syncline::sync::{
    ContinuousEvent, ContinuousObserver, ContinuousOptions, ContinuousSync, SyncHandle,
    SyncOptions, discards, do_sync, doubts, fingerprint, status, take_discards,
};
use syncline::value::json_text::written;
use syncline::{Error, ErrorKind, async_trait};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::database::Database;
use crate::failure::Result;
use crate::promise::promise;
use crate::report;
use crate::watch::Leading;

#[wasm_bindgen]
impl Database {
    /// Syncs once with a hub and answers with the report, as JSON.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn sync(&self, url: String, token: Option<Function>) -> Promise {
        let this = self.clone();
        promise(async move {
            let hub = this.hub(url, token)?;
            let done = do_sync(this.log(), &hub, &SyncOptions::default()).await?;
            Ok(written(&report::report(&done)))
        })
    }

    /// Fails if this is no address of a hub.
    #[wasm_bindgen(js_name = checkAddress)]
    pub fn check_address(&self, url: String) -> Result<()> {
        self.hub(url, None).map(drop)
    }

    /// Goes on syncing with a hub until it is stopped, or loses the lead that it is given; `tell` hears of it, event by event, as JSON.
    #[wasm_bindgen(js_name = startSync)]
    pub fn start_sync(
        &self,
        url: String,
        token: Option<Function>,
        lead: Option<Leading>,
        tell: Function,
    ) -> Result<Syncing> {
        let hub = self.hub(url, token)?;
        let lead = lead.map(|lead| lead.0);
        let options = ContinuousOptions {
            sync: SyncOptions { lead, ..SyncOptions::default() },
            observer: Some(Arc::new(Teller(tell))),
            ..ContinuousOptions::default()
        };
        let sync =
            ContinuousSync::new(self.log().clone(), Arc::new(hub.clone()), Arc::new(SystemTimer))
                .with(options)
                .on_notice(Arc::new(hub));
        let handle = sync.handle();
        spawn_local(sync.run());
        Ok(Syncing { handle })
    }

    /// How sync stands, as JSON.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn status(&self) -> Promise {
        let this = self.clone();
        promise(async move { Ok(written(&report::status(&status(this.log()).await?))) })
    }

    /// The values that lost against concurrent writes and that nobody took, as JSON.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn discards(&self) -> Promise {
        let this = self.clone();
        promise(async move {
            let all = discards(this.log()).await?;
            Ok(written(&Json::from_iter(all.iter().map(report::discard))))
        })
    }

    /// The same, and they are forgotten.
    #[wasm_bindgen(js_name = takeDiscards, unchecked_return_type = "Promise<string>")]
    pub fn take_discards(&self) -> Promise {
        let this = self.clone();
        promise(async move {
            let mut taken = Vec::new();
            take_discards(this.log(), |some| {
                taken.extend(some.iter().map(report::discard));
                Ok(())
            })
            .await?;
            Ok(written(&Json::from(taken)))
        })
    }

    /// The objects that merging left doubtful, as JSON.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn doubts(&self) -> Promise {
        let this = self.clone();
        promise(async move {
            let all = doubts(this.log()).await?;
            Ok(written(&Json::from_iter(all.iter().map(report::doubt))))
        })
    }

    /// Equal text for equal data.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn fingerprint(&self) -> Promise {
        let this = self.clone();
        promise(async move { Ok(fingerprint(this.log()).await?.to_string()) })
    }
}

impl Database {
    fn hub(&self, url: String, token: Option<Function>) -> Result<HttpLog> {
        let config = HttpLogConfig::new(url, self.log().group().clone());
        let config = match token {
            Some(token) => config.credentials(Arc::new(Tokens(token))),
            None => config,
        };
        Ok(HttpLog::with(config)?)
    }
}

/// A sync that goes on.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Syncing {
    handle: SyncHandle,
}

#[wasm_bindgen]
impl Syncing {
    /// Syncs now.
    #[wasm_bindgen(js_name = syncNow)]
    pub fn sync_now(&self) {
        self.handle.sync_now();
    }

    /// Syncs if the last sync failed.
    #[wasm_bindgen(js_name = tryAgain)]
    pub fn try_again(&self) {
        self.handle.try_again();
    }

    /// Lets no more sync come by itself.
    pub fn pause(&self) {
        self.handle.pause();
    }

    /// Ends any pause.
    pub fn resume(&self) {
        self.handle.resume();
    }

    /// Ends, after the sync at hand.
    pub fn stop(&self) {
        self.handle.stop();
    }
}

/// Tells a function of JavaScript what a continuous sync does.
struct Teller(Function);

impl ContinuousObserver for Teller {
    fn on_event(&self, event: &ContinuousEvent) {
        if let Some(json) = report::event(event) {
            // It is our own TypeScript, which passes on what goes wrong in an application's listener.
            let _ = self.0.call1(&JsValue::NULL, &written(&json).into());
        }
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}

/// Tokens from a function of JavaScript, which gets the one that was refused.
struct Tokens(Function);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

#[async_trait(?Send)]
impl Credentials for Tokens {
    async fn token(&self, refused: Option<&str>) -> syncline::Result<Option<String>> {
        let refused = refused.map_or(JsValue::UNDEFINED, JsValue::from_str);
        let answer = self.0.call1(&JsValue::NULL, &refused).map_err(|why| no_token(&why))?;
        let answer =
            JsFuture::from(Promise::resolve(&answer)).await.map_err(|why| no_token(&why))?;
        if answer.is_null() || answer.is_undefined() {
            return Ok(None);
        }
        answer.as_string().map(Some).ok_or_else(|| Error::invalid("`token` gives text, or nothing"))
    }
}

#[wasm_bindgen]
extern "C" {
    /// JavaScript's own words for a value; there are objects that have none.
    #[wasm_bindgen(js_name = String, catch)]
    fn string_of(value: &JsValue) -> std::result::Result<String, JsValue>;
}

/// It may give one the next time: an application mostly asks somebody for it.
fn no_token(why: &JsValue) -> Error {
    let told = match why.dyn_ref::<js_sys::Error>() {
        Some(error) => Some(error.message().into()),
        None => string_of(why).ok(),
    };
    Error::new(ErrorKind::Unavailable, "`token` gave no token; it is asked again the next time")
        .with("reason", told.unwrap_or_default())
}
