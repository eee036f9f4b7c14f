//! Responses with user files: avatars, which are displayed, and attachments, which are saved (OWASP
//! ASVS 3.2.1).

use std::fmt::Write as _;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, header, request::Parts},
    response::Response,
};

use super::{
    error_response,
    static_files::{CACHE_IMMUTABLE, file_not_found},
};
use crate::{files::FileService, objects::Content};

/// Path of avatars.
pub(super) const AVATARS: &str = "/avatars/{file}";
/// CSP for user files opened as a top-level document: no scripts, no framing, sandboxed.
const SANDBOX_CSP: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
/// Avatars may be displayed by front ends of other origins.
const CORP_CROSS_ORIGIN: HeaderValue = HeaderValue::from_static("cross-origin");
const INLINE: HeaderValue = HeaderValue::from_static("inline; filename=\"picture.jpg\"");

/// Responds with an avatar. No token is required: the name is random, and only users who may see
/// the avatar know it.
pub(super) async fn avatar(
    State(files): State<FileService>,
    Path(file): Path<String>,
    parts: Parts,
) -> Response {
    let content = match files.avatar(&file).await {
        Ok(Some(content)) => content,
        Ok(None) => return file_not_found(),
        Err(failure) => return error_response::to_request(failure, &parts),
    };
    let mut response = bytes("image/jpeg", content);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, INLINE);
    // The name belongs to this picture only.
    headers.insert(header::CACHE_CONTROL, CACHE_IMMUTABLE);
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), CORP_CROSS_ORIGIN);
    response
}

/// Responds with a file to save under a name.
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
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX_CSP);
    response
}

/// Returns `attachment` with the name, encoded and as an ASCII fallback (RFC 6266 §4.3, appendix D).
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
    fn disposition_escapes_the_name() {
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
