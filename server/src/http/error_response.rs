//! Error responses of the layers that no server function handles.

use std::sync::Arc;

use app::{
    backend::{Failure, RequestId, api_lang},
    i18n::Lang,
    protocol::error::Code,
};
use axum::{
    body::Body,
    http::{HeaderValue, header, request::Parts},
    response::Response,
};

/// Returns the id of a request.
pub(super) fn request_id(parts: &Parts) -> RequestId {
    parts.extensions.get().cloned().unwrap_or_else(|| RequestId(Arc::default()))
}

/// Response to a request that failed, in a language.
pub(super) fn failure(failure: impl Into<Failure>, lang: Lang, id: &RequestId) -> Response {
    let error = failure.into().into_api_error(lang, &id.0);
    let mut response = Response::new(Body::from(error.body()));
    *response.status_mut() = error.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.extend(error.headers());
    response
}

/// Response to a request that failed, in its language.
pub(super) fn to_request(error: impl Into<Failure>, parts: &Parts) -> Response {
    failure(error, api_lang(&parts.headers), &request_id(parts))
}

/// Fallback for paths under `/api` without an endpoint.
pub(super) async fn not_found(parts: Parts) -> Response {
    to_request(Code::NotFound, &parts)
}

/// Fallback for paths that do not support the method of a request. axum adds `Allow`.
pub(super) async fn method_not_allowed(parts: Parts) -> Response {
    to_request(Code::MethodNotAllowed, &parts)
}
