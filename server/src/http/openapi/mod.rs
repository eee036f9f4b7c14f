//! API documentation: the OpenAPI 3.1 document and an HTML page.

mod document;
mod page;

use std::sync::{Arc, OnceLock};

use app::{i18n::Lang, page_settings::SiteInfo, protocol::error::Code};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header, request::Parts},
    response::Response,
};

use super::{error_response, pages};

/// Path of the OpenAPI document.
pub(super) const JSON: &str = "/api/openapi.json";
/// Path of the documentation page.
pub(super) const PAGE: &str = "/api/docs";

/// Both forms of the documentation, built on first use.
#[derive(Clone)]
pub(super) struct Documentation {
    site: Arc<SiteInfo>,
    built: Arc<OnceLock<Option<Built>>>,
}

struct Built {
    json: Bytes,
    pages: [(Lang, Bytes); 2],
    csp: HeaderValue,
}

impl Documentation {
    pub(super) fn new(site: Arc<SiteInfo>) -> Self {
        Self { site, built: Arc::default() }
    }

    fn built(&self) -> Option<&Built> {
        self.built.get_or_init(|| Built::new(&self.site)).as_ref()
    }
}

impl Built {
    fn new(site: &SiteInfo) -> Option<Self> {
        let document = serde_json::to_value(document::document(&site.name));
        let document = document
            .inspect_err(
                |error| tracing::error!(%error, "the OpenAPI document could not be serialized"),
            )
            .ok()?;
        let json = Bytes::from(document.to_string());
        let page = |lang| (lang, page::html(&document, site, lang).into());
        Some(Self { json, pages: [page(Lang::En), page(Lang::Zh)], csp: page::csp() })
    }
}

pub(super) async fn json(State(documentation): State<Documentation>, parts: Parts) -> Response {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let Some(built) = documentation.built() else { return failed(&parts) };
    let mut response = Response::new(Body::from(built.json.clone()));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

pub(super) async fn page(State(documentation): State<Documentation>, parts: Parts) -> Response {
    const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
    let Some(built) = documentation.built() else { return failed(&parts) };
    let lang = pages::language(&parts.headers);
    let page = built.pages.iter().find(|(of, _)| *of == lang).map(|(_, page)| page.clone());
    let mut response = Response::new(Body::from(page.unwrap_or_default()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HTML);
    headers.insert(header::VARY, pages::VARY);
    headers.insert(header::CONTENT_SECURITY_POLICY, built.csp.clone());
    response
}

fn failed(parts: &Parts) -> Response {
    error_response::to_request(Code::InternalError, parts)
}
