//! What a hub counts of itself.
//!
//! No label holds a group, a subject or a path as it came: their number is not bounded, and who reads metrics
//! need not know them.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use syncline_core::{Error, Result};
use syncline_shared_log_wire::admin::Totals;

use crate::record::Record;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: String,
}

/// What is counted while the hub runs.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabel, Histogram, fn() -> Histogram>,
    answered: Counter,
    refused: Counter,
    refusals: Family<KindLabel, Counter>,
    received: Counter,
    sent: Counter,
    /// Appended segments that were new.
    pub(crate) segments: Counter,
    /// The entries of these.
    pub(crate) entries: Counter,
    /// Appended segments that were there already.
    pub(crate) known: Counter,
    /// Calls of the store that changed something.
    pub(crate) changes: Counter,
    store_errors: Family<KindLabel, Counter>,
    /// Connections that are open.
    pub(crate) connections: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            answered: Counter::default(),
            refused: Counter::default(),
            refusals: Family::default(),
            received: Counter::default(),
            sent: Counter::default(),
            segments: Counter::default(),
            entries: Counter::default(),
            known: Counter::default(),
            changes: Counter::default(),
            store_errors: Family::default(),
            connections: Gauge::default(),
        }
    }
}

/// What is not counted but looked up when somebody asks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Levels {
    pub(crate) memory: u64,
    /// If the store counts them.
    pub(crate) commits: Option<u64>,
    pub(crate) totals: Totals,
    pub(crate) is_ready: bool,
    pub(crate) started: i64,
}

impl Metrics {
    /// Counts a request that was answered.
    pub(crate) fn count(&self, record: &Record<'_>) {
        let route = record.route.to_owned();
        let method = known_method(record.method);
        let labels = RequestLabels { route: route.clone(), method, status: record.status };
        self.requests.get_or_create(&labels).inc();
        // Exact to a microsecond up to centuries.
        let seconds = record.micros as f64 / 1e6;
        self.seconds.get_or_create(&RouteLabel { route }).observe(seconds);
        self.answered.inc();
        self.received.inc_by(record.received);
        self.sent.inc_by(record.sent);
        if record.status >= 400 {
            self.refused.inc();
            let kind = record.kind.unwrap_or("none").to_owned();
            self.refusals.get_or_create(&KindLabel { kind }).inc();
        }
    }

    /// Counts an error of the store.
    pub(crate) fn store_failed(&self, kind: &'static str) {
        self.store_errors.get_or_create(&KindLabel { kind: kind.to_owned() }).inc();
    }

    /// Fills in what was counted.
    pub(crate) fn fill(&self, totals: &mut Totals) {
        totals.requests = self.answered.get();
        totals.refused = self.refused.get();
        totals.received = self.received.get();
        totals.sent = self.sent.get();
        totals.connections = u64::try_from(self.connections.get()).unwrap_or(0);
    }

    /// Everything as OpenMetrics text.
    pub(crate) fn text(&self, levels: &Levels) -> Result<String> {
        let mut registry = Registry::with_prefix("syncline");
        self.register(&mut registry);
        register_levels(&mut registry, levels);
        let mut text = String::new();
        encode(&mut text, &registry)
            .map_err(|fmt::Error| Error::internal("metrics could not be written into memory"))?;
        Ok(text)
    }

    fn register(&self, registry: &mut Registry) {
        let counters = [
            ("segments_appended", "Appended segments that were new", &self.segments),
            ("entries_appended", "Entries of appended segments that were new", &self.entries),
            ("segments_known", "Appended segments that were there already", &self.known),
            ("changes", "Calls of the store that changed something, durably", &self.changes),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        registry.register("requests", "Requests that were answered", self.requests.clone());
        let help = "Requests that were refused or failed, by the kind of error";
        registry.register("refusals", help, self.refusals.clone());
        let help = "Errors of the store, by their kind; conflicts and the like are ordinary";
        registry.register("store_errors", help, self.store_errors.clone());
        let help = "Time until an answer begins";
        registry.register_with_unit("request", help, Unit::Seconds, self.seconds.clone());
        let help = "Bytes of requests' bodies as they came";
        registry.register_with_unit("received", help, Unit::Bytes, self.received.clone());
        let help = "Bytes of answers' bodies before compression, without streams";
        registry.register_with_unit("sent", help, Unit::Bytes, self.sent.clone());
        registry.register("connections", "Open connections", self.connections.clone());
    }
}

fn register_levels(registry: &mut Registry, levels: &Levels) {
    let totals = &levels.totals;
    let gauges = [
        ("subscribers", "Clients that wait for notices", totals.subscribers),
        ("groups", "Groups", totals.groups),
        ("segments", "Segments of all groups", totals.segments),
        ("entries", "Entries of all groups", totals.entries),
        ("items", "Items of all groups that are not deleted", totals.items),
        ("ready", "1 if the hub can read and write now", u64::from(levels.is_ready)),
    ];
    for (name, help, level) in gauges {
        registry.register(name, help, gauge(level));
    }
    if let Some(commits) = levels.commits {
        let help = "Commits of the store, each of one change or more";
        registry.register("commits", help, ConstCounter::new(commits));
    }
    let help = "Bytes of all segments and items";
    registry.register_with_unit("stored", help, Unit::Bytes, gauge(totals.bytes));
    let help = "Bytes that requests and answers in flight hold";
    registry.register_with_unit("in_flight", help, Unit::Bytes, gauge(levels.memory));
    let started = Gauge::<f64, AtomicU64>::default();
    // Milliseconds of any year to come are exact.
    started.set(levels.started as f64 / 1000.0);
    let help = "When the hub started, since 1970";
    registry.register_with_unit("start_time", help, Unit::Seconds, started);
    let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "What runs", build);
}

fn gauge(level: u64) -> Gauge {
    let gauge = Gauge::default();
    let _ = gauge.set(i64::try_from(level).unwrap_or(i64::MAX));
    gauge
}

fn histogram() -> Histogram {
    Histogram::new([
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
    ])
}

/// Anybody can make up a method; a label for each would never end.
fn known_method(method: &str) -> &'static str {
    const KNOWN: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.iter().find(|known| **known == method).copied().unwrap_or("other")
}
