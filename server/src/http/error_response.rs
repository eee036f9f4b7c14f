//! Failures as answers, for whatever never reaches a server function.

use std::sync::Arc;

use app::{
    backend::{Failure, RequestId, api_lang},
    i18n::Lang,
    protocol::error::{ApiError, Code},
};
use axum::{
    body::Body,
    http::{HeaderValue, Method, header, request::Parts},
    response::Response,
};

/// The name that a request was given.
pub(super) fn name(parts: &Parts) -> RequestId {
    parts.extensions.get().cloned().unwrap_or_else(|| RequestId(Arc::default()))
}

/// The answer to a request that has failed, in a language and with the request's name.
pub(super) fn failure(failure: impl Into<Failure>, lang: Lang, id: &RequestId) -> Response<Body> {
    response(&failure.into().into_api_error(lang, &id.0))
}

/// Refuses whatever is not `GET` or `HEAD`, where there is nothing but something to read.
pub(super) fn only_read(parts: &Parts) -> Result<(), Box<Response<Body>>> {
    const VERBS: HeaderValue = HeaderValue::from_static("GET, HEAD");
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let mut response = failure(Code::MethodNotAllowed, api_lang(&parts.headers), &name(parts));
    response.headers_mut().insert(header::ALLOW, VERBS);
    Err(Box::new(response))
}

fn response(error: &ApiError) -> Response<Body> {
    let mut response = Response::new(Body::from(error.body()));
    *response.status_mut() = error.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.extend(error.headers());
    response
}
