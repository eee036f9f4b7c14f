//! Sends requests with `fetch`, by way of reqwasm.

use bytes::Bytes;
use futures::future::{FutureExt, LocalBoxFuture};
use http::Method;
use leptos::prelude::*;
use reqwasm::http::{self as net, Request};
use web_sys::{AbortSignal, RequestRedirect};

use crate::{
    dom,
    protocol::paths,
    session::{
        ports::Fetch,
        transport::{ApiRequest, ApiResponse, NetworkError, with_retry_after},
    },
};

/// Timeout of a request in milliseconds.
const REQUEST_TIMEOUT_MS: u32 = 30_000;
/// Timeout of the data export in milliseconds: the archive may be large and the connection slow.
const EXPORT_TIMEOUT_MS: u32 = 600_000;
/// Timeout of a logout in milliseconds: short, because the session ends in this browser even if the
/// server does not respond.
const LOGOUT_TIMEOUT_MS: u32 = 5_000;

/// `fetch`, with a count of the pending requests.
pub(super) struct BrowserFetch {
    pub(super) pending_requests: RwSignal<u32>,
}

impl Fetch for BrowserFetch {
    fn send(
        &self,
        request: ApiRequest,
        bearer: Option<String>,
    ) -> LocalBoxFuture<'static, Result<ApiResponse, NetworkError>> {
        let pending = PendingRequest::begin(self.pending_requests);
        async move {
            let _pending = pending;
            fetch(request, bearer).await.map_err(|_| NetworkError)
        }
        .boxed_local()
    }
}

async fn fetch(request: ApiRequest, bearer: Option<String>) -> Result<ApiResponse, reqwasm::Error> {
    let timeout = match &*request.url {
        paths::LOGOUT => LOGOUT_TIMEOUT_MS,
        paths::EXPORT => EXPORT_TIMEOUT_MS,
        _ => REQUEST_TIMEOUT_MS,
    };
    let mut builder = Request::new(&request.url)
        .method(method(&request.method))
        .abort_signal(Some(&AbortSignal::timeout_with_u32(timeout)))
        // The API never redirects: the target of a redirect must not get password or token.
        .redirect(RequestRedirect::Error)
        .header("Accept", &request.accept)
        .header("Accept-Language", dom::lang().tag());
    if let Some(bearer) = bearer {
        builder = builder.header("Authorization", &format!("Bearer {bearer}"));
    }
    if let Some(body) = request.body {
        builder = builder
            .header("Content-Type", &request.content_type)
            .body(js_sys::Uint8Array::from(&*body));
    }
    let response = builder.send().await?;
    let date = response.headers().get("Date").map(|date| js_sys::Date::parse(&date) / 1000.0);
    let retry_after = response.headers().get("Retry-After");
    Ok(ApiResponse {
        status: response.status(),
        content_type: response.headers().get("Content-Type").unwrap_or_default(),
        body: Bytes::from(with_retry_after(response.binary().await?, retry_after)),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole seconds; an invalid date is NaN and filtered out"
        )]
        date: date.filter(|date| date.is_finite()).map(|date| date as i64),
    })
}

fn method(method: &Method) -> net::Method {
    match method.as_str() {
        "POST" => net::Method::POST,
        "PUT" => net::Method::PUT,
        "PATCH" => net::Method::PATCH,
        "DELETE" => net::Method::DELETE,
        _ => net::Method::GET,
    }
}

/// Counts a request until it completes or is cancelled.
struct PendingRequest(RwSignal<u32>);

impl PendingRequest {
    fn begin(count: RwSignal<u32>) -> Self {
        count.update(|count| *count += 1);
        Self(count)
    }
}

impl Drop for PendingRequest {
    fn drop(&mut self) {
        self.0.update(|count| *count = count.saturating_sub(1));
    }
}
