//! Replicas meet at a hub, over HTTP.
