//! The public keys, for whoever checks our tokens without asking us (RFC 7517).

use std::sync::Arc;

use app::{backend::api_lang, protocol::error::Code};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::error_response;
use crate::tokens::keys::KeyStore;

/// Where they are looked for.
pub(super) const JWKS: &str = "/.well-known/jwks.json";

const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");
/// Whoever meets a key that is not in their copy fetches it anew anyway: this is for those who do
/// not, and for retired keys.
const FIVE_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");
/// The keys are public, the same for everybody, and come without a cookie's doing: any page may
/// read them.
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
/// Bytes of the hash that tells one answer from another.
const TAG_BYTES: usize = 16;

pub(super) async fn jwks(State(keys): State<Arc<KeyStore>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut response = match error_response::only_read(&parts) {
        Ok(()) => {
            // Another process that shares the keys may have begun to sign with a new one: it is
            // here from then on.
            keys.reload_if_changed();
            match serde_json::to_vec(&keys.ring().public()) {
                Ok(body) => key_set(&parts.headers, body),
                Err(error) => {
                    tracing::error!(%error, "public keys could not be serialized");
                    error_response::failure(
                        Code::InternalError,
                        api_lang(&parts.headers),
                        &error_response::name(&parts),
                    )
                }
            }
        }
        Err(refusal) => *refusal,
    };
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
    response
}

fn key_set(asked: &HeaderMap, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..TAG_BYTES]));
    let mut response = if has(asked, &tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, JWK_SET);
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, FIVE_MINUTES);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// Whether whoever asks has this answer already (RFC 9110 §13.1.2).
fn has(asked: &HeaderMap, tag: &str) -> bool {
    let tags = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = tags.flat_map(|tags| tags.split(',')).map(str::trim);
    tags.any(|theirs| theirs == "*" || theirs.strip_prefix("W/").unwrap_or(theirs) == tag)
}
