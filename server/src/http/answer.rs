//! Failures as answers, for whatever never reaches a server function.

use app::{
    api::error::ApiError,
    backend::{Failure, RequestId, api_lang},
};
use axum::{
    body::Body,
    http::{HeaderValue, header, request::Parts},
    response::Response,
};

/// The answer to a request that has failed.
pub(super) fn failure(parts: &Parts, failure: impl Into<Failure>) -> Response<Body> {
    let id = parts.extensions.get::<RequestId>();
    let error = failure.into().in_words(api_lang(parts), id.map_or("", |id| &id.0));
    response(&error)
}

fn response(error: &ApiError) -> Response<Body> {
    let mut response = Response::new(Body::from(error.body()));
    *response.status_mut() = error.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.extend(error.headers());
    response
}
