//! Places to meet, as they are typed.

use std::sync::Arc;

use syncline::shared_log::fs::FsLog;
use syncline::{Error, Group, Result, SharedLog};

use crate::args::hub::Asking;

/// A place to meet.
#[derive(Debug)]
pub struct Place {
    pub log: Arc<dyn SharedLog>,
    /// The same, if it is a hub.
    #[cfg(feature = "hub")]
    pub hub: Option<syncline::shared_log::http::HttpLog>,
}

/// Opens a place: `folder:PATH`, or a hub's address.
pub fn open(place: &str, group: &Group, asking: &Asking) -> Result<Place> {
    match place.split_once(':') {
        Some(("folder", path)) if !path.is_empty() => {
            let log = Arc::new(FsLog::open(path, group.clone())?);
            Ok(Place {
                log,
                #[cfg(feature = "hub")]
                hub: None,
            })
        }
        Some(("http" | "https", rest)) if rest.starts_with("//") => hub(place, group, asking),
        _ => Err(Error::invalid(
            "this names no place to meet; a folder is named as folder:PATH, a hub by its address",
        )
        .with("got", format_args!("{place:?}"))),
    }
}

#[cfg(feature = "hub")]
fn hub(url: &str, group: &Group, asking: &Asking) -> Result<Place> {
    use syncline::shared_log::http::{HttpLog, HttpLogConfig};

    let mut config = HttpLogConfig::new(url, group.clone());
    config.allow_plain_token = asking.allow_plain_token;
    if let Some(token) = crate::hub::token_of(asking)? {
        config = config.token(token);
    }
    let log = HttpLog::with(config)?;
    Ok(Place { log: Arc::new(log.clone()), hub: Some(log) })
}

#[cfg(not(feature = "hub"))]
fn hub(_: &str, _: &Group, _: &Asking) -> Result<Place> {
    Err(crate::without_hub())
}
