//! Well-known URLs (RFC 8615): the public keys, for services that verify our tokens themselves
//! (RFC 7517), and the page to change the password, for password managers.

use std::{sync::Arc, time::Duration};

use app::{protocol::error::Code, routes::Page};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::error_response;
use crate::tokens::keys::KeyStore;

/// Path of the key set.
pub(super) const JWKS: &str = "/.well-known/jwks.json";
/// Path that leads to the page to change the password (W3C, A Well-Known URL for Changing
/// Passwords).
pub(super) const CHANGE_PASSWORD: &str = "/.well-known/change-password";

const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");
/// Clients fetch the set again if a token names a key that they do not know; the limit is for those
/// that do not, and for retired keys.
const CACHE_FIVE_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");
/// The keys are public and do not depend on cookies, so pages of any origin may read them.
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
/// Time in which the keys of a database are read.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes of the hash in the entity tag.
const ETAG_BYTES: usize = 16;

pub(super) async fn change_password() -> (StatusCode, [(header::HeaderName, &'static str); 1]) {
    (StatusCode::FOUND, [(header::LOCATION, Page::SettingsSecurity.path())])
}

pub(super) async fn jwks(State(keys): State<Arc<KeyStore>>, parts: Parts) -> Response {
    // Another process that shares the keys may have started to sign with a new one. Without the
    // database none can, and services that verify tokens themselves do without it.
    match tokio::time::timeout(RELOAD_TIMEOUT, keys.reload()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "the keys could not be read; the keys in memory are served");
        }
        Err(_) => tracing::warn!("the keys could not be read in time; those in memory are served"),
    }
    let mut response = match serde_json::to_vec(&keys.ring().public()) {
        Ok(body) => key_set(&parts.headers, body),
        Err(error) => {
            tracing::error!(%error, "public keys could not be serialized");
            error_response::to_request(Code::InternalError, &parts)
        }
    };
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
    response
}

fn key_set(request_headers: &HeaderMap, body: Vec<u8>) -> Response {
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..ETAG_BYTES]));
    let mut response = if matches_etag(request_headers, &etag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, JWK_SET);
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, CACHE_FIVE_MINUTES);
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// Returns whether the client has the current representation (RFC 9110 §13.1.2).
fn matches_etag(headers: &HeaderMap, etag: &str) -> bool {
    let lines =
        headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut etags = lines.flat_map(|line| line.split(',')).map(str::trim);
    etags.any(|theirs| theirs == "*" || theirs.strip_prefix("W/").unwrap_or(theirs) == etag)
}
