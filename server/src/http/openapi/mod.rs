//! API documentation: the OpenAPI 3.1 document and an HTML page.

mod document;
mod page;

use std::sync::LazyLock;

use app::protocol::error::Code;
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header, request::Parts},
    response::Response,
};

use super::error_response;

/// Path of the OpenAPI document.
pub(super) const JSON: &str = "/api/openapi.json";
/// Path of the documentation page.
pub(super) const PAGE: &str = "/api/docs";

/// Both forms, built on first use and cached for the life of the process.
static DOCUMENTATION: LazyLock<Option<Documentation>> = LazyLock::new(|| {
    let document = serde_json::to_value(document::document());
    let document = document
        .inspect_err(
            |error| tracing::error!(%error, "the OpenAPI document could not be serialized"),
        )
        .ok()?;
    let json = Bytes::from(document.to_string());
    Some(Documentation { json, html: page::html(&document).into(), csp: page::csp() })
});

struct Documentation {
    json: Bytes,
    html: Bytes,
    csp: HeaderValue,
}

pub(super) async fn json(parts: Parts) -> Response {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    respond(&parts, |documentation, response| {
        *response.body_mut() = Body::from(documentation.json.clone());
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    })
}

pub(super) async fn page(parts: Parts) -> Response {
    const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
    respond(&parts, |documentation, response| {
        *response.body_mut() = Body::from(documentation.html.clone());
        response.headers_mut().insert(header::CONTENT_TYPE, HTML);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, documentation.csp.clone());
    })
}

fn respond(parts: &Parts, fill: impl FnOnce(&Documentation, &mut Response)) -> Response {
    match &*DOCUMENTATION {
        Some(documentation) => {
            let mut response = Response::default();
            fill(documentation, &mut response);
            response
        }
        None => error_response::to_request(Code::InternalError, parts),
    }
}
