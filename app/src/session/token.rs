//! Tokens as the browser reads them, without the key: their form, session and times.

use serde::Deserialize;

use crate::protocol::json::from_slice;

/// Claims that the browser uses. Times are Unix times in seconds, by the server's clock.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// Session id.
    #[serde(default)]
    pub sid: String,
    /// Generation of the session: each refresh starts the next.
    #[serde(default, rename = "gen")]
    pub generation: i64,
    /// Time of issue.
    pub iat: i64,
    /// Expiry time.
    pub exp: i64,
}

/// Returns whether a text has the form of a token: three parts in base64url (RFC 7515 §3.1).
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.split('.').count() == 3 && text.split('.').all(is_part)
}

/// Decodes the claims of a token. The signature is not verified: use them for scheduling, never for
/// authorization.
#[must_use]
pub fn claims(token: &str) -> Option<Claims> {
    from_slice(&decode(token.split('.').nth(1)?)?).ok()
}

/// Decodes base64url without padding (RFC 4648 §5). A crate would add more to the first load than
/// these lines.
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
    fn is_well_formed_of_text_requires_three_base64url_parts() {
        for token in ["a.b.c", "eyJ-_0.e30.x"] {
            assert!(is_well_formed(token), "{token:?}");
        }
        for invalid in [
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
            assert!(!is_well_formed(invalid), "{invalid:?}");
        }
    }

    #[test]
    fn claims_of_token_returns_session_generation_and_times() {
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
        for invalid in ["a.b.c", "a", "a.+.c"] {
            assert_eq!(claims(invalid), None, "{invalid}");
        }
    }
}
