//! Around everything: a name for the request, its line in the log, and an answer also where something panics.

use std::{panic::AssertUnwindSafe, sync::Arc};

use app::{api::error::Code, backend::RequestId};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use futures::FutureExt as _;
use tracing::Instrument as _;

use super::answer;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Bytes of a request's name, which has twice as many hexadecimal digits.
const NAME_BYTES: usize = 8;

pub(super) async fn wrap(State(state): State<super::State>, mut request: Request, next: Next) -> Response<Body> {
    let id = format!("{:016x}", u64::from_be_bytes(state.world.random::<NAME_BYTES>()));
    let span = tracing::info_span!("request", id);
    request.extensions_mut().insert(RequestId(Arc::from(id.as_str())));

    // What an answer to a panic needs, kept back: the request itself is gone by then.
    let mut head = Request::new(()).into_parts().0;
    head.headers.clone_from(request.headers());
    head.extensions.clone_from(request.extensions());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());

    async move {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|panic| {
            let message = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("no message");
            tracing::error!(%method, path, message, "panicked");
            answer::failure(&head, Code::InternalError)
        });
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HEADER, value);
        }
        tracing::debug!(%method, path, status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await
}
