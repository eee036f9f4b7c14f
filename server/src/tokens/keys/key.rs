//! A signing key, and its public key if it has one.

use jsonwebtoken::{
    DecodingKey, EncodingKey,
    jwk::{Jwk, PublicKeyUse},
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    failure::InternalError,
    tokens::{algorithm::Algorithm, ring_provider},
};

/// Bytes of a key: the size of the hash (RFC 7518 §3.2), and of Ed25519's seed (RFC 8032 §5.1.5).
pub(super) const BYTES: usize = 32;
/// PKCS #8 prefix of an Ed25519 seed (RFC 8410 §7).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A key that signs and verifies tokens.
pub struct Key {
    /// Its id: the `kid` of a header.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    encoding: EncodingKey,
    decoding: DecodingKey,
    public: Option<Jwk>,
}

/// Error of signing a token.
#[derive(Debug, thiserror::Error)]
#[error("signing failed: {0}")]
pub struct SignError(pub(in crate::tokens) String);

impl InternalError for SignError {}

impl Key {
    /// Creates a key from its secret; the error says why the secret is invalid.
    pub(super) fn new(kid: &str, algorithm: Algorithm, secret: &[u8]) -> Result<Self, String> {
        let told =
            |error: jsonwebtoken::errors::Error| format!("the key {kid} cannot be used: {error}");
        ring_provider::install();
        let (encoding, decoding, public) = match algorithm {
            Algorithm::Hs256 if secret.len() < BYTES => {
                return Err(format!(
                    "the key {kid} has {} bytes, which is too short",
                    secret.len()
                ));
            }
            Algorithm::Hs256 => {
                (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret), None)
            }
            Algorithm::EdDsa if secret.len() != BYTES => {
                return Err(format!("the key {kid} has {} bytes instead of {BYTES}", secret.len()));
            }
            Algorithm::EdDsa => {
                let encoding = EncodingKey::from_ed_der(&Zeroizing::new([&PKCS8, secret].concat()));
                let mut public =
                    Jwk::from_encoding_key(&encoding, algorithm.into()).map_err(told)?;
                public.common.key_id = Some(kid.to_owned());
                public.common.public_key_use = Some(PublicKeyUse::Signature);
                (encoding, DecodingKey::from_jwk(&public).map_err(told)?, Some(public))
            }
        };
        Ok(Self { kid: kid.to_owned(), algorithm, encoding, decoding, public })
    }

    /// Issues a token of this type.
    ///
    /// # Errors
    ///
    /// [`SignError`] if the claims cannot be serialized, or the key cannot sign.
    pub(in crate::tokens) fn encode(
        &self,
        typ: &str,
        claims: &impl Serialize,
    ) -> Result<String, SignError> {
        let mut header = jsonwebtoken::Header::new(self.algorithm.into());
        header.typ = Some(typ.to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.encoding)
            .map_err(|error| SignError(error.to_string()))
    }

    /// Signs a message. Returns the signature in base64url.
    ///
    /// # Errors
    ///
    /// [`SignError`] if the key cannot sign.
    pub fn sign(&self, message: &str) -> Result<String, SignError> {
        jsonwebtoken::crypto::sign(message.as_bytes(), &self.encoding, self.algorithm.into())
            .map_err(|error| SignError(error.to_string()))
    }

    /// Returns whether the signature of a message is valid.
    #[must_use]
    pub fn verifies(&self, message: &str, signature: &str) -> bool {
        let checked = jsonwebtoken::crypto::verify(
            signature,
            message.as_bytes(),
            &self.decoding,
            self.algorithm.into(),
        );
        matches!(checked, Ok(true))
    }

    /// Returns the public key (RFC 8037 §2); `None` for HMAC, whose verifiers can sign.
    #[must_use]
    pub fn public(&self) -> Option<&Jwk> {
        self.public.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    #[test]
    fn sign_with_rfc_8037_key_gives_its_signature() {
        // RFC 8037, appendix A: the private key, its public half, and a signed message.
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = Key::new("a", Algorithm::EdDsa, &seed).unwrap();
        assert_eq!(
            serde_json::to_value(key.public().unwrap()).unwrap(),
            json!({
                "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                "alg": "EdDSA", "use": "sig", "kid": "a",
            })
        );
        let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(key.sign(message).unwrap(), signature);
        assert!(key.verifies(message, signature));
        assert!(!key.verifies("another message", signature));
    }

    #[test]
    fn new_with_secret_of_wrong_size_fails() {
        for algorithm in Algorithm::ALL {
            assert!(Key::new("a", algorithm, &[7; BYTES]).is_ok());
            assert!(Key::new("a", algorithm, &[7; BYTES - 1]).is_err());
        }
        assert!(
            Key::new("a", Algorithm::Hs256, &[7; BYTES + 1]).is_ok(),
            "a configured one may be longer"
        );
        assert!(Key::new("a", Algorithm::EdDsa, &[7; BYTES + 1]).is_err());
    }

    #[test]
    fn public_of_hmac_key_is_none() {
        assert_eq!(Key::new("a", Algorithm::Hs256, &[7; BYTES]).unwrap().public(), None);
    }
}
