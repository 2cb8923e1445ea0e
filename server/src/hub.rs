//! The hub itself: what all handlers share, and the routes put together.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router, middleware};
use syncline_core::Clock;
use syncline_shared_log_wire::{PROTOCOL, Welcome, path};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::{self, App};
use crate::auth::Authenticate;
use crate::budget::Budget;
use crate::insight::Insight;
use crate::notice::Notices;
use crate::rate::Rates;
use crate::store::Terms;
use crate::strangers::Strangers;
use crate::{HubConfig, HubStore, api, compress, frame, origin, page};

/// A hub. Cheap to copy: all copies are the same hub.
///
/// # Example
///
/// ```no_run
/// use std::sync::Arc;
/// use syncline_core::{Clock, Result};
/// use syncline_server::{Hub, HubConfig, HubStore, auth::Open};
/// use tokio::net::TcpListener;
///
/// async fn run(store: Arc<dyn HubStore>, clock: Arc<dyn Clock>, door: TcpListener) -> Result<()> {
///     let hub = Hub::new(HubConfig::default(), store, Arc::new(Open), clock);
///     hub.serve(vec![door], None, std::future::pending()).await
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: HubConfig,
    store: Arc<dyn HubStore>,
    gate: Arc<dyn Authenticate>,
    clock: Arc<dyn Clock>,
    budget: Budget,
    rates: Rates,
    strangers: Strangers,
    notices: Notices,
    insight: Insight,
    app: Option<App>,
    stops: watch::Sender<bool>,
}

impl Hub {
    /// A hub with these limits, over this store, for whom the gate lets in, by this clock.
    pub fn new(
        config: HubConfig,
        store: Arc<dyn HubStore>,
        gate: Arc<dyn Authenticate>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        // The largest request that is allowed must fit, or it would never be answered.
        let largest = 2 * config.body_bytes + config.fetch_bytes + config.segment_bytes + (4 << 20);
        let budget = Budget::new(config.budget_bytes.max(largest), config.budget_wait);
        let rates = Rates::new(config.rate, config.burst);
        let strangers = Strangers::new(config.wrong_tokens);
        let notices = Notices::new(config.subscribers);
        let insight = Insight::new(clock.as_ref());
        let store = Arc::new(insight.watch(store, clock.clone()));
        let app = config.app.as_deref().map(|folder| App::new(folder, &config));
        let stops = watch::channel(false).0;
        Self {
            shared: Arc::new(Shared {
                config,
                store,
                gate,
                clock,
                budget,
                rates,
                strangers,
                notices,
                insight,
                app,
                stops,
            }),
        }
    }

    /// Everything that the hub answers, as a service.
    ///
    /// A plain request needs no runtime, neither timers nor tasks; notices, waiting for memory and files of an
    /// application do. Limits of
    /// connections and of their time are those of [`serve`](Self::serve).
    pub fn router(&self) -> Router {
        Router::new()
            .route(path::ROOT, get(welcome))
            .merge(api::routes())
            .merge(page::routes(self.app().is_none()))
            .fallback(app::nothing_here)
            .method_not_allowed_fallback(frame::other_method)
            .layer(CatchPanicLayer::custom(frame::panicked))
            .layer(middleware::from_fn_with_state(self.clone(), frame::check))
            // Around the refusals, so that a page sees why it was refused.
            .layer(origin::layer(self))
            .layer(middleware::from_fn_with_state(self.clone(), frame::around))
            .layer(compress::layer())
            .with_state(self.clone())
    }

    /// The limits.
    pub fn config(&self) -> &HubConfig {
        &self.shared.config
    }

    /// Where everything is kept.
    pub fn store(&self) -> &Arc<dyn HubStore> {
        &self.shared.store
    }

    /// Who tells whom a token belongs to.
    pub fn gate(&self) -> &Arc<dyn Authenticate> {
        &self.shared.gate
    }

    /// What time it is, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.shared.clock.now_millis()
    }

    /// How many clients wait for notices.
    pub fn subscribers(&self) -> usize {
        self.notices().waiting()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        usize::try_from(self.insight().connections().get()).unwrap_or_default()
    }

    /// Whether the hub is about to stop: it finishes what it accepted and is no longer ready for more.
    pub fn is_stopping(&self) -> bool {
        *self.shared.stops.borrow()
    }

    /// Ends all streams of notices. [`serve`](Self::serve) calls this when it is to stop; whoever serves the
    /// [router](Self::router) in another way calls it first.
    pub fn stop(&self) {
        self.shared.stops.send_replace(true);
        self.notices().close();
    }

    /// Ready when the hub is about to stop.
    pub(crate) async fn stopped(&self) {
        let mut stops = self.shared.stops.subscribe();
        // It can only fail when there is no hub left, and that has stopped too.
        let _ = stops.wait_for(|stops| *stops).await;
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.shared.rates
    }

    pub(crate) fn strangers(&self) -> &Strangers {
        &self.shared.strangers
    }

    pub(crate) fn insight(&self) -> &Insight {
        &self.shared.insight
    }

    /// The application that it serves too.
    pub(crate) fn app(&self) -> Option<&App> {
        self.shared.app.as_ref()
    }

    pub(crate) fn notices(&self) -> &Notices {
        &self.shared.notices
    }

    /// On which terms changes are taken now.
    pub(crate) fn terms(&self) -> Terms {
        let config = self.config();
        let millis =
            |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let now = self.now();
        Terms {
            now,
            quota: config.quota_bytes,
            latest: now.saturating_add(millis(config.drift)),
            keep_epochs: millis(config.keep_epochs),
            answer_bytes: config.fetch_bytes as u64,
            groups: config.groups.max(1),
            replicas: config.replicas.max(1),
        }
    }
}

async fn welcome(State(hub): State<Hub>) -> Json<Welcome> {
    Json(Welcome { protocols: vec![PROTOCOL], time: hub.now() })
}
