//! Responses with static files: ranges, cache lifetimes and errors around `ServeDir`.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
};

use app::page_settings::Assets;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use tower_http::services::ServeDir;

/// Prefix of the name of the chunks' loader.
pub(super) const LOADER: &str = "__wasm_split.";
/// Placeholder of the hash in the loader's name, in a build without hashes.
const NO_HASH: &str = ".______________________.";
/// Path of the folder of the client's files.
pub(super) const PKG: &str = "/pkg/";
/// Alias of [`PKG`].
pub(super) const PKG_ALIAS: &str = "/pkg/again/";
/// For names that belong to one content.
pub(in crate::http) const CACHE_IMMUTABLE: HeaderValue =
    HeaderValue::from_static("public, max-age=31536000, immutable");
/// Cached, but revalidated each time.
pub(super) const CACHE_REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
/// For icons.
pub(in crate::http) const CACHE_ONE_HOUR: HeaderValue =
    HeaderValue::from_static("public, max-age=3600");

/// The files, and the names of those that are cached for ever.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) files: ServeDir,
    /// Folder of the program's paths: [`PKG`], or a folder of this build.
    pub(super) folder: String,
    pub(super) assets: Arc<Assets>,
}

/// Serves the same files under another path, from which a page creates a second instance of the
/// client: browsers create one per URL (`app/src/document/start.js`).
pub(super) async fn serve_alias(state: State<Serving>, mut request: Request) -> Response {
    match in_pkg(request.uri(), PKG_ALIAS) {
        Some(uri) => *request.uri_mut() = uri,
        None => return StatusCode::NOT_FOUND.into_response(),
    }
    serve(state, request).await
}

/// Returns the path in [`PKG`] of a file in a folder that exists in URLs only.
fn in_pkg(uri: &Uri, folder: &str) -> Option<Uri> {
    let file = uri.path().strip_prefix(folder)?;
    Uri::try_from(format!("{PKG}{file}")).ok()
}

/// Serves a file, or the requested range of it.
pub(super) async fn serve(State(mut serving): State<Serving>, mut request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if let Some(uri) = in_pkg(request.uri(), &serving.folder) {
        *request.uri_mut() = uri;
    }
    if !takes_range(&request) {
        request.headers_mut().remove(header::RANGE);
    }
    // RFC 9110 §13.1.5: a part is useful only to a client with the rest of the same version.
    if let Some(validator) = request.headers_mut().remove(header::IF_RANGE)
        && request.headers().contains_key(header::RANGE)
    {
        let mut whole = Request::new(Body::empty());
        *whole.method_mut() = Method::HEAD;
        whole.uri_mut().clone_from(request.uri());
        whole.headers_mut().clone_from(request.headers());
        whole.headers_mut().remove(header::RANGE);
        let current = serving.files.try_call(whole).await;
        if current
            .ok()
            .is_none_or(|current| current.headers().get(header::LAST_MODIFIED) != Some(&validator))
        {
            request.headers_mut().remove(header::RANGE);
        }
    }
    let mut response = match serving.files.try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => return failed(&error),
    };
    if response.status() == StatusCode::NOT_FOUND {
        response = file_not_found();
    } else if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
        let keep = cache_control(&path, &serving.assets);
        response.headers_mut().insert(header::CACHE_CONTROL, keep);
        // Intermediate caches store the compressed and the plain file separately.
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

/// Returns whether a request has a supported range. Otherwise the range is ignored (RFC 9110 §14.2).
fn takes_range(request: &Request) -> bool {
    let mut ranges = request.headers().get_all(header::RANGE).iter();
    let (range, second) = (ranges.next().and_then(|range| range.to_str().ok()), ranges.next());
    let range = range
        .and_then(|range| range.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    request.method() == Method::GET
        && second.is_none()
        && range.is_some_and(|(first, last)| {
            is_number(first) && is_number(last) && !(first.is_empty() && last.is_empty())
        })
}

/// Response if there is no such file.
pub(in crate::http) fn file_not_found() -> Response {
    (StatusCode::NOT_FOUND, "There is no such file.\n").into_response()
}

/// Response if a file cannot be opened.
fn failed(error: &io::Error) -> Response {
    // Names that no file can have: too long, with a NUL byte, or through a symlink loop.
    let is_loop = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    if is_loop || matches!(error.kind(), ErrorKind::InvalidFilename | ErrorKind::InvalidInput) {
        return file_not_found();
    }
    tracing::error!(%error, "a file of the site cannot be read");
    (StatusCode::INTERNAL_SERVER_ERROR, "The file cannot be read.\n").into_response()
}

fn cache_control(path: &str, assets: &Assets) -> HeaderValue {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_program = [&assets.js, &assets.wasm, &assets.css]
        .into_iter()
        .chain(&assets.lazy_chunks)
        .any(|asset| asset == path)
        || name.starts_with(LOADER);
    let is_hashed = name.split('.').count() > 2 && !name.contains(NO_HASH);
    match (is_program, is_hashed) {
        (true, true) => CACHE_IMMUTABLE,
        _ if path.starts_with(PKG) => CACHE_REVALIDATE,
        _ => CACHE_ONE_HOUR,
    }
}
