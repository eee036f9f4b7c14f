//! Around everything: a name for the request, its line in the log, an answer also where something
//! panics (in words for people, as an error of the API for programs), and the headers that every
//! answer has.

use std::{panic::AssertUnwindSafe, sync::Arc};

use app::{
    backend::{RequestId, api_lang},
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

use super::{client_info, connections::InvalidHost, error_page, error_response, headers, pages};
use crate::{clock::Env, network::Network};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Bytes of a request's name, which has twice as many hexadecimal digits.
const NAME_BYTES: usize = 8;

/// What it needs of the server.
#[derive(Clone)]
pub(super) struct Envelope {
    pub(super) env: Env,
    pub(super) trusted_proxies: Arc<[Network]>,
}

pub(super) async fn wrap(
    State(envelope): State<Envelope>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let id = RequestId(
        format!("{:016x}", u64::from_be_bytes(envelope.env.random::<NAME_BYTES>())).into(),
    );
    let is_encrypted = client_info::is_encrypted(
        request.extensions(),
        request.headers(),
        &envelope.trusted_proxies,
    );
    let span = tracing::info_span!("request", id = &*id.0);
    request.extensions_mut().insert(id.clone());
    // What the log and the answer to a panic need, kept back: the request itself is gone by then.
    let (method, uri, asked) = (request.method().clone(), request.uri().clone(), request.headers());
    let page_lang = error_page::is_for_people(&uri, asked).then(|| pages::language(asked));
    let lang = api_lang(asked);

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
            match page_lang {
                Some(lang) => error_page::page(lang, &id, &envelope.env),
                None => error_response::failure(Code::InternalError, lang, &id),
            }
        });
        headers::complete(response.headers_mut(), is_encrypted);
        if let Ok(value) = HeaderValue::from_str(&id.0) {
            response.headers_mut().insert(HEADER, value);
        }
        tracing::debug!(%method, path = uri.path(), status = response.status().as_u16(), "response sent");
        response
    }
    .instrument(span)
    .await
}
