//! JOSE headers of tokens: key, algorithm and token type (RFC 7515 §4.1, RFC 9068 §2.1).

use app::protocol::{TokenType, error::Code};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::algorithm::Algorithm;

/// The understood members of a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) typ: Option<TokenType>,
    /// Set if `crit` is present: extensions must be understood (RFC 7515 §4.1.11), and none is.
    pub(super) has_critical: bool,
}

impl Header {
    /// Returns the encoded header of tokens of this type.
    pub(super) fn encode(kid: &str, algorithm: Algorithm, typ: TokenType) -> String {
        let header = serde_json::json!({ "alg": algorithm.as_str(), "kid": kid, "typ": name(typ) });
        URL_SAFE_NO_PAD.encode(header.to_string())
    }

    /// Decodes a header: any JSON object.
    pub(super) fn decode(encoded: &str) -> Result<Self, Code> {
        let members = decode_object(encoded)?;
        let text = |member: &str| members.get(member).and_then(serde_json::Value::as_str);
        Ok(Self {
            kid: text("kid").map(str::to_owned),
            algorithm: text("alg").and_then(Algorithm::parse),
            typ: [TokenType::Access, TokenType::Refresh]
                .into_iter()
                .find(|typ| text("typ") == Some(name(*typ))),
            has_critical: members.contains_key("crit"),
        })
    }
}

const fn name(typ: TokenType) -> &'static str {
    match typ {
        TokenType::Access => "at+jwt",
        TokenType::Refresh => "rt+jwt",
    }
}

/// Decodes a JSON object in base64url, whatever its members.
pub(super) fn decode_object(
    encoded: &str,
) -> Result<serde_json::Map<String, serde_json::Value>, Code> {
    serde_json::from_str(&decode_text(encoded)?).map_err(|_| Code::TokenMalformed)
}

/// Decodes UTF-8 text in base64url. JSON is UTF-8 (RFC 8259 §8.1) also in members that the parser
/// skips unread.
pub(super) fn decode_text(encoded: &str) -> Result<String, Code> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Code::TokenMalformed)?;
    String::from_utf8(bytes).map_err(|_| Code::TokenMalformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_of_encoded_header_returns_its_members() {
        for algorithm in Algorithm::ALL {
            for typ in [TokenType::Access, TokenType::Refresh] {
                let read = Header::decode(&Header::encode("a key", algorithm, typ)).unwrap();
                let (kid, algorithm, typ) = (Some("a key".to_owned()), Some(algorithm), Some(typ));
                assert_eq!(read, Header { kid, algorithm, typ, has_critical: false });
            }
        }
    }
}
