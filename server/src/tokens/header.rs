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

/// Returns the `typ` of tokens of a type.
pub(super) const fn name(typ: TokenType) -> &'static str {
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
                let text = format!(
                    r#"{{"alg":"{algorithm}","kid":"a key","typ":"{}","other":1}}"#,
                    name(typ)
                );
                let read = Header::decode(&URL_SAFE_NO_PAD.encode(text)).unwrap();
                let (kid, algorithm, typ) = (Some("a key".to_owned()), Some(algorithm), Some(typ));
                assert_eq!(read, Header { kid, algorithm, typ, has_critical: false });
            }
        }
    }
}
