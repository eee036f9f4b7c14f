//! What the browser may know of a token without its key: its form, its session, and when it was
//! made to end.

use serde::Deserialize;

/// What a token says that the browser goes by. Times are seconds of Unix time by the server's
/// clock.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// The session.
    #[serde(default)]
    pub sid: String,
    /// The session's generation: each refresh begins the next.
    #[serde(default, rename = "gen")]
    pub generation: i64,
    /// When it was made.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
}

/// Whether a text has the form of a token: three parts in base64url (RFC 7515 §3.1). What has not
/// is rubbish.
#[must_use]
pub fn is_shaped(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.split('.').count() == 3 && text.split('.').all(is_part)
}

/// What a token says. Nothing is verified: it is good for planning, never for trust.
#[must_use]
pub fn claims(token: &str) -> Option<Claims> {
    serde_json::from_slice(&decode(token.split('.').nth(1)?)?).ok()
}

/// Base64url without padding (RFC 4648 §5). A crate for it would cost every visitor more than these
/// lines.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut buffer, mut bits) = (0_u32, 0);
    for character in text.bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        buffer = buffer << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(buffer >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form() {
        for token in ["a.b.c", "eyJ-_0.e30.x"] {
            assert!(is_shaped(token), "{token:?}");
        }
        for rubbish in [
            "",
            "a",
            "a.b",
            "a.b.",
            "..",
            "a.b.c.d",
            "a.b.c ",
            "a.b.ü",
            "[object Object]",
            "undefined",
            "a=.b.c",
        ] {
            assert!(!is_shaped(rubbish), "{rubbish:?}");
        }
    }

    #[test]
    fn what_a_token_says() {
        // {"typ":"at+jwt"} . {"sub":"ü?>","iat":1700000000,"exp":1700000900} . x
        let token = "eyJ0eXAiOiJhdCtqd3QifQ.eyJzdWIiOiLDvD8-IiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDA5MDB9.x";
        let bare =
            Claims { sid: String::new(), generation: 0, iat: 1_700_000_000, exp: 1_700_000_900 };
        assert_eq!(claims(token), Some(bare));
        // {"sid":"s","gen":7,"iat":1,"exp":2}
        let token = "e30.eyJzaWQiOiJzIiwiZ2VuIjo3LCJpYXQiOjEsImV4cCI6Mn0.x";
        assert_eq!(
            claims(token),
            Some(Claims { sid: "s".to_owned(), generation: 7, iat: 1, exp: 2 })
        );
        for rubbish in ["a.b.c", "a", "a.+.c"] {
            assert_eq!(claims(rubbish), None, "{rubbish}");
        }
    }
}
