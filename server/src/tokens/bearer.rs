//! Bearer tokens in request headers (RFC 6750 §2.1).

use app::protocol::error::Code;
use axum::http::{HeaderMap, header::AUTHORIZATION};

/// Returns the bearer token of a request.
///
/// # Errors
///
/// `token_missing` without the header, with another scheme or with an empty token;
/// `token_malformed` if the token is not UTF-8; `bad_request` with several headers.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Code> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Code::TokenMissing)?;
    if values.next().is_some() {
        return Err(Code::BadRequest);
    }
    let value = value.as_bytes().trim_ascii();
    let scheme = value.split(|byte| *byte == b' ').next().unwrap_or_default();
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(Code::TokenMissing);
    }
    match value[scheme.len()..].trim_ascii() {
        [] => Err(Code::TokenMissing),
        token => std::str::from_utf8(token).map_err(|_| Code::TokenMalformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(values: &[&[u8]]) -> Result<String, Code> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).expect("a header"));
        }
        bearer(&headers).map(str::to_owned)
    }

    #[test]
    fn bearer_with_scheme_in_any_case_returns_token() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c "] {
            assert_eq!(of(&[value.as_bytes()]), Ok("a.b.c".to_owned()), "{value:?}");
        }
    }

    #[test]
    fn bearer_without_usable_token_is_missing_or_malformed() {
        for value in ["", "Bearer", "Bearer ", "Basic YTpi", "a.b.c", "Bearera.b.c"] {
            assert_eq!(of(&[value.as_bytes()]), Err(Code::TokenMissing), "{value:?}");
        }
        assert_eq!(of(&[]), Err(Code::TokenMissing));
        assert_eq!(of(&[b"Bearer \xff"]), Err(Code::TokenMalformed));
        assert_eq!(of(&[b"Bearer a.b.c", b"Bearer a.b.c"]), Err(Code::BadRequest));
    }
}
