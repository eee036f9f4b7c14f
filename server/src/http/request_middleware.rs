//! Middleware of every request: request id, log span, conversion of panics to error responses, error
//! pages for browsers, and the security headers.

use std::{panic::AssertUnwindSafe, sync::Arc};

use app::{
    backend::{RequestId, api_lang},
    page_settings::SiteInfo,
    protocol::error::Code,
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use futures::FutureExt as _;
use tracing::Instrument as _;

use super::{
    client_info, connections::InvalidHost, error_page, error_response, headers, pages,
    request_metrics,
};
use crate::{clock::Env, network::Network};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Bytes of a request id, which has twice as many hexadecimal digits.
const REQUEST_ID_BYTES: usize = 8;

/// The part of the server that the middleware needs.
#[derive(Clone)]
pub(super) struct RequestMiddleware {
    pub(super) env: Env,
    pub(super) trusted_proxies: Arc<[Network]>,
    pub(super) site: Arc<SiteInfo>,
}

pub(super) async fn handle(
    State(middleware): State<RequestMiddleware>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let id = RequestId(
        format!("{:016x}", u64::from_be_bytes(middleware.env.random::<REQUEST_ID_BYTES>())).into(),
    );
    let is_encrypted = client_info::is_encrypted(
        request.extensions(),
        request.headers(),
        &middleware.trusted_proxies,
    );
    let span = tracing::info_span!("request", id = &*id.0);
    request.extensions_mut().insert(id.clone());
    // Kept for the log and the response to a panic: the request is consumed by then.
    let (method, uri, request_headers) =
        (request.method().clone(), request.uri().clone(), request.headers());
    let page_lang =
        error_page::is_for_browser(&uri, request_headers).then(|| pages::language(request_headers));
    let lang = api_lang(request_headers);

    let started_at = middleware.env.clock.elapsed();

    async move {
        let answering = async {
            if request.extensions().get::<InvalidHost>().is_some() {
                return error_response::failure(Code::BadRequest, lang, &id);
            }
            next.run(request).await
        };
        let answered = AssertUnwindSafe(answering).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|panic| {
            let message = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("no message");
            tracing::error!(%method, path = uri.path(), message, "request handler panicked");
            error_response::failure(Code::InternalError, lang, &id)
        });
        if let Some(lang) = page_lang
            && error_page::lacks_page(&response)
        {
            let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
            let RequestMiddleware { site, env, .. } = &middleware;
            response = error_page::page(status, headers, lang, site, &id, env);
        }
        headers::add_defaults(response.headers_mut(), is_encrypted);
        if let Ok(value) = HeaderValue::from_str(&id.0) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        let took = middleware.env.clock.elapsed().saturating_sub(started_at);
        request_metrics::record(&method, uri.path(), response.status(), took);
        tracing::debug!(%method, path = uri.path(), status = response.status().as_u16(), "response sent");
        response
    }
    .instrument(span)
    .await
}
