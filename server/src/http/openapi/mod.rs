//! API documentation: the OpenAPI 3.1 document and an HTML page.

mod described;
mod document;
mod page;

use std::sync::LazyLock;

use app::{backend::api_lang, protocol::error::Code};
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
};

use super::error_response;

/// Path of the OpenAPI document.
pub(super) const JSON: &str = "/api/openapi.json";
/// Path of the documentation page.
pub(super) const PAGE: &str = "/api/docs";

/// Both forms, built on first use and cached for the life of the process.
static DESCRIPTION: LazyLock<Option<Description>> = LazyLock::new(|| {
    let document = serde_json::to_value(document::document());
    let document = document
        .inspect_err(
            |error| tracing::error!(%error, "the OpenAPI document could not be serialized"),
        )
        .ok()?;
    let json = Bytes::from(document.to_string());
    Some(Description { json, html: page::html(&document).into(), policy: page::policy() })
});

struct Description {
    json: Bytes,
    html: Bytes,
    policy: HeaderValue,
}

pub(super) async fn json(request: Request) -> Response {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    tell(request, |description, response| {
        *response.body_mut() = Body::from(description.json.clone());
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    })
}

pub(super) async fn page(request: Request) -> Response {
    const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
    tell(request, |description, response| {
        *response.body_mut() = Body::from(description.html.clone());
        response.headers_mut().insert(header::CONTENT_TYPE, HTML);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, description.policy.clone());
    })
}

fn tell(request: Request, fill: impl FnOnce(&Description, &mut Response)) -> Response {
    let (parts, _) = request.into_parts();
    if let Err(refusal) = error_response::only_read(&parts) {
        return *refusal;
    }
    match &*DESCRIPTION {
        Some(description) => {
            let mut response = Response::default();
            fill(description, &mut response);
            response
        }
        None => error_response::failure(
            Code::InternalError,
            api_lang(&parts.headers),
            &error_response::name(&parts),
        ),
    }
}
