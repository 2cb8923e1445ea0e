//! The files of an application that a hub serves beside its own answers.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use http_body_util::BodyExt;
use syncline_core::{Error, ErrorKind};
use tower_http::services::ServeDir;
use tower_http::services::fs::{
    Backend, DefaultServeDirFallback, ServeFileSystemResponseBody, TokioBackend, TokioFile,
};

use crate::budget::Budget;
use crate::compress::Dense;
use crate::failure::Failure;
use crate::{Hub, HubConfig, frame};

/// What an answer takes in memory at most while it is sent: a piece of a file, and a compressor.
const EACH: usize = 512 << 10;

/// The most memory of all such answers. Apart from that of the hub's own: whoever reads files needs no token.
const ALL: usize = 32 << 20;

/// How much of a file is in memory at once.
const PIECE: usize = 32 << 10;

/// The files of a folder.
#[derive(Debug)]
pub(crate) struct App {
    files: ServeDir<DefaultServeDirFallback, Inside>,
    room: Budget,
}

impl App {
    pub(crate) fn new(folder: &Path, config: &HubConfig) -> Self {
        let inside = Inside(folder.into());
        let files = ServeDir::with_backend(folder, inside).with_buf_chunk_size(PIECE);
        let files = files.precompressed_br().precompressed_gzip();
        Self { files, room: Budget::new(ALL, config.budget_wait) }
    }

    /// The file at this path, if there is one.
    async fn file(&self, uri: Uri, method: &Method, headers: &HeaderMap) -> Found {
        let mut held = self.room.hold();
        held.resize(EACH).await?;
        let mut request = Request::new(Body::empty());
        (*request.uri_mut(), *request.method_mut()) = (uri, method.clone());
        *request.headers_mut() = headers.clone();
        let answer = match self.files.clone().try_call(request).await {
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => return Ok(None),
            Ok(answer) => answer,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => {
                let message = "a file of the application cannot be read now; ask again";
                return Err(Error::new(ErrorKind::Unavailable, message).caused_by(error).into());
            }
        };
        // Its room is free again when the last piece was sent.
        let sent = |body: ServeFileSystemResponseBody| {
            Body::new(body.map_frame(move |frame| {
                let _ = &held;
                frame
            }))
        };
        Ok(Some(answer.map(sent)))
    }
}

type Found = Result<Option<Response>, Failure>;

/// Whether there is no such file, or no file could have this name.
fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied};

    let kinds = [InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied];
    kinds.contains(&error.kind())
}

/// Answers what is none of the hub's own paths: with a file of the application, if there is one.
///
/// Applications make up paths of their own as people move around in them; who is shown such a path anew gets the
/// page from which the application starts.
pub(crate) async fn nothing_here(
    State(hub): State<Hub>,
    request: Request,
) -> Result<Response, Failure> {
    let (uri, method, headers) = (request.uri(), request.method(), request.headers());
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let Some(app) = hub.app().filter(|_| is_read && may_be_file(uri.path())) else {
        return Err(frame::nothing_here());
    };
    if let Some(answer) = app.file(uri.clone(), method, headers).await? {
        return Ok(described(answer, uri.path()));
    }
    let start = match accepts_pages(headers) {
        true => app.file(Uri::from_static("/"), method, headers).await?,
        false => None,
    };
    start.map(|answer| described(answer, "/")).ok_or_else(frame::nothing_here)
}

/// Paths of the hub stay the hub's, also where it has nothing; and a path that begins like the name of a host
/// must not become one in a redirect.
fn may_be_file(path: &str) -> bool {
    let is_below = |root: &str| {
        path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    !["/v1", "/hub"].into_iter().any(is_below) && !path.contains("//") && !path.contains('\\')
}

/// Whether somebody wants to see a page, and not a part of one.
fn accepts_pages(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Says how long an answer holds and what it is.
fn described(mut answer: Response, path: &str) -> Response {
    let is_there = answer.status().is_success() || answer.status() == StatusCode::NOT_MODIFIED;
    let media = answer.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    let media = media.unwrap_or_default().to_owned();
    // Bundlers name what lies there by its contents: another content has another name.
    let holds = if is_there && path.starts_with("/assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(holds));
    let is_bare_text = media.starts_with("text/") && !media.contains(';');
    let with_letters = HeaderValue::from_str(&format!("{media}; charset=utf-8"));
    if let (true, Ok(media)) = (is_bare_text, with_letters) {
        answer.headers_mut().insert(header::CONTENT_TYPE, media);
    }
    if is_dense(&media) {
        answer.extensions_mut().insert(Dense);
    }
    answer
}

/// What is compressed already. Such a file is not worth another try.
fn is_dense(media: &str) -> bool {
    let is_picture = media.starts_with("image/") && media != "image/svg+xml";
    is_picture
        || ["video/", "audio/", "font/woff", "application/zip", "application/gzip"]
            .into_iter()
            .any(|dense| media.starts_with(dense))
}

/// Opens only what lies inside of a folder, wherever links lead, and nothing that is hidden.
#[derive(Clone, Debug)]
struct Inside(Arc<Path>);

impl Inside {
    /// Where a path leads, if that is a file or folder inside.
    async fn place(self, path: PathBuf) -> io::Result<PathBuf> {
        let nothing = || io::Error::from(io::ErrorKind::NotFound);
        let root = tokio::fs::canonicalize(&self.0).await?;
        let place = tokio::fs::canonicalize(&path)
            .await
            .map_err(|error| if is_missing(&error) { nothing() } else { error })?;
        let asked = path.strip_prefix(&self.0).map_err(|_| nothing())?;
        let inside = place.strip_prefix(&root).map_err(|_| nothing())?;
        if is_hidden(asked) || is_hidden(inside) {
            return Err(nothing());
        }
        let what = tokio::fs::metadata(&place).await?;
        // A pipe would never end.
        if what.is_file() || what.is_dir() { Ok(place) } else { Err(nothing()) }
    }
}

fn is_hidden(path: &Path) -> bool {
    let mut names = path.iter().map(|name| name.as_encoded_bytes());
    names.any(|name| name.starts_with(b".") && name != b".well-known")
}

type Coming<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl Backend for Inside {
    type File = TokioFile;
    type Metadata = std::fs::Metadata;
    type OpenFuture = Coming<TokioFile>;
    type MetadataFuture = Coming<std::fs::Metadata>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let place = self.clone().place(path);
        Box::pin(async move { TokioBackend.open(place.await?).await })
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let place = self.clone().place(path);
        Box::pin(async move { tokio::fs::metadata(place.await?).await })
    }
}
