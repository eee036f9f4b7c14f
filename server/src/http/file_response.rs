//! Bytes that somebody has sent, on their way out: to be shown as pictures and nothing else, or to
//! be saved (OWASP ASVS 3.2.1).

use std::fmt::Write as _;

use app::{
    backend::{Failure, api_lang},
    protocol::error::Code,
};
use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::error_response;
use crate::{files::FileService, objects::Content};

/// Where everybody's picture is.
pub(super) const AVATARS: &str = "/avatars/{file}";
/// Its name is for this picture alone, whatever comes after it.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Opened by itself it is a picture in an empty room.
const ALONE: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

/// Answers with somebody's picture: without a token, because whoever was told its name may see it.
pub(super) async fn avatar(
    State(files): State<FileService>,
    Path(file): Path<String>,
    request: Request,
) -> Response {
    const INLINE: HeaderValue = HeaderValue::from_static("inline; filename=\"picture.jpg\"");
    // A front end of another origin may show people, too.
    const ANYWHERE: HeaderValue = HeaderValue::from_static("cross-origin");
    let (parts, _) = request.into_parts();
    if let Err(refusal) = error_response::only_read(&parts) {
        return *refusal;
    }
    let content = match files.avatar(&file).await {
        Ok(Some(content)) => content,
        Ok(None) => return (StatusCode::NOT_FOUND, "There is no such file.\n").into_response(),
        Err(failure) => return failed(failure, &parts),
    };
    let mut response = bytes("image/jpeg", content);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, INLINE);
    headers.insert(header::CACHE_CONTROL, FOREVER);
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), ANYWHERE);
    if parts.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

fn failed(failure: Failure, parts: &axum::http::request::Parts) -> Response {
    debug_assert_ne!(failure.code(), Code::NotFound, "a picture that is not there is no failure");
    error_response::failure(failure, api_lang(&parts.headers), &error_response::name(parts))
}

/// Something to be saved under a name.
pub(super) fn attachment(name: &str, media_type: &'static str, content: Content) -> Response {
    let mut response = bytes(media_type, content);
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition(name));
    response
}

fn bytes(media_type: &'static str, content: Content) -> Response {
    let mut response = Response::new(Body::from_stream(content.stream));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, content.size.into());
    headers.insert(header::CONTENT_SECURITY_POLICY, ALONE);
    response
}

/// `attachment`, with the name for those who read it encoded, and for the others as far as it is
/// ASCII (RFC 6266 §4.3, appendix D).
fn disposition(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() || " ._-".contains(character) {
                character
            } else {
                '_'
            }
        })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    HeaderValue::try_from(format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_within_its_header() {
        for (name, expected) in [
            ("x.png", r#"attachment; filename="x.png"; filename*=UTF-8''x.png"#),
            (
                "夏 \"1\".png",
                r#"attachment; filename="_ _1_.png"; filename*=UTF-8''%E5%A4%8F%20%221%22.png"#,
            ),
            ("a\r\nb: c", r#"attachment; filename="a__b_ c"; filename*=UTF-8''a%0D%0Ab%3A%20c"#),
        ] {
            assert_eq!(disposition(name), expected);
        }
    }
}
