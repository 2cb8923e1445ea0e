//! The names of headers, made where they are compiled: a browser need not load what makes them.

use crate::http::HeaderName;
use syncline_shared_log_wire as wire;

pub(crate) static NUMBER: HeaderName = HeaderName::from_static(wire::NUMBER_HEADER);
pub(crate) static PROTOCOL: HeaderName = HeaderName::from_static(wire::PROTOCOL_HEADER);
pub(crate) static REQUEST: HeaderName = HeaderName::from_static(wire::REQUEST_HEADER);
pub(crate) static SUM: HeaderName = HeaderName::from_static(wire::SUM_HEADER);
