//! What a token says (RFC 7519), and the order in which it is checked (RFC 8725 §3).

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use app::{
    api::{TokenType, error::Code, operations::Auth},
    backend::Caller,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::Algorithm;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use sha2::Sha256;
use uuid::Uuid;

use super::keys::{Key, KeyRing};
use crate::clock::World;

/// Seconds by which another machine's clock may be ahead of ours, for `nbf` and `iat`. `exp` has no leeway.
const LEEWAY: i64 = 5;
/// Bytes of the longest text that is looked at as a token; ours have about 550.
const MAX_BYTES: usize = 4096;
/// Bytes of a token's name: nobody guesses one, and no two are alike.
const NAME_BYTES: usize = 16;

/// Tokens that are kept in memory at most once they were found good: about a kilobyte each.
const KNOWN_MAX: usize = 4096;

/// Makes and checks tokens.
pub struct Codec {
    keys: KeyRing,
    issuer: String,
    audience: String,
    /// What the headers of our own tokens say, by their encoded form: they need not be decoded each time.
    known_headers: HashMap<String, Header>,
    /// Good tokens that were seen. What they say does not change: on the next call only time and type are to be asked again.
    known: RwLock<HashMap<String, Known>>,
}

/// What is asked again of a token that was once found good.
#[derive(Clone)]
struct Known {
    caller: Caller,
    not_before: i64,
}

/// What a token is to say.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The account.
    pub user: Uuid,
    /// The session.
    pub session: Uuid,
    /// The session's generation.
    pub generation: i64,
    /// Seconds of Unix time.
    pub issued_at: i64,
    /// Seconds of Unix time.
    pub expires_at: i64,
}

/// Why no token could be made.
#[derive(Debug, thiserror::Error)]
#[error("signing failed: {0}")]
pub struct SignError(String);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    kid: Option<String>,
    alg: Option<String>,
    typ: Option<TokenType>,
    has_critical: bool,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: Uuid,
    sid: Uuid,
    jti: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(rename = "type")]
    token_type: TokenType,
    #[serde(skip_serializing_if = "Option::is_none")]
    fresh: Option<bool>,
    #[serde(rename = "gen")]
    generation: i64,
}

/// Claims as they come. Each may be missing or of the wrong type: what is wrong with a token is judged in the promised order,
/// not in that of its members.
#[derive(Deserialize)]
#[serde(default)]
struct Presented {
    iss: Claim<String>,
    aud: Claim<String>,
    sub: Claim<Uuid>,
    sid: Claim<Uuid>,
    jti: Claim<String>,
    iat: Claim<i64>,
    nbf: Claim<i64>,
    exp: Claim<i64>,
    #[serde(rename = "type")]
    token_type: Claim<TokenType>,
    fresh: Claim<bool>,
    #[serde(rename = "gen")]
    generation: Claim<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Claim<T> {
    Is(T),
    IsNot(IgnoredAny),
}

impl<T> Claim<T> {
    fn or(self, code: Code) -> Result<T, Code> {
        match self {
            Self::Is(value) => Ok(value),
            Self::IsNot(_) => Err(code),
        }
    }
}

impl Default for Presented {
    fn default() -> Self {
        const fn missing<T>() -> Claim<T> {
            Claim::IsNot(IgnoredAny)
        }
        Self {
            iss: missing(),
            aud: missing(),
            sub: missing(),
            sid: missing(),
            jti: missing(),
            iat: missing(),
            nbf: missing(),
            exp: missing(),
            token_type: missing(),
            fresh: missing(),
            generation: missing(),
        }
    }
}

impl Codec {
    /// A codec for tokens of this issuer and audience.
    #[must_use]
    pub fn new(keys: KeyRing, issuer: String, audience: String) -> Self {
        let known_headers = keys
            .iter()
            .flat_map(|key| [TokenType::Access, TokenType::Refresh].map(|token_type| encode_header(key, token_type)))
            .filter_map(|encoded| decode_header(&encoded).ok().map(|header| (encoded, header)))
            .collect();
        Self { keys, issuer, audience, known_headers, known: RwLock::default() }
    }

    /// A new access token: each is another one.
    ///
    /// # Errors
    ///
    /// [`SignError`]
    pub fn access(&self, grant: &Grant, fresh: bool, world: &World) -> Result<String, SignError> {
        let jti = URL_SAFE_NO_PAD.encode(world.random::<NAME_BYTES>());
        self.sign(grant, &jti, TokenType::Access, Some(fresh))
    }

    /// The refresh token of a session's generation: the same one, however often it is made.
    ///
    /// # Errors
    ///
    /// [`SignError`]
    pub fn refresh(&self, grant: &Grant) -> Result<String, SignError> {
        let jti = self.refresh_jti(grant.session, grant.generation)?;
        self.sign(grant, &jti, TokenType::Refresh, None)
    }

    /// The name of the refresh token of a session's generation.
    ///
    /// # Errors
    ///
    /// [`SignError`]
    pub fn refresh_jti(&self, session: Uuid, generation: i64) -> Result<String, SignError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.keys.refresh_names.expose_secret())
            .map_err(|error| SignError(error.to_string()))?;
        mac.update(session.as_bytes());
        mac.update(&generation.to_be_bytes());
        Ok(URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..NAME_BYTES]))
    }

    /// A MAC with a key of its own for something else than tokens. It is derived from the key that never rotates.
    ///
    /// # Errors
    ///
    /// [`SignError`]
    pub fn mac_for(&self, purpose: &str) -> Result<Hmac<Sha256>, SignError> {
        let keyed = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).map_err(|error| SignError(error.to_string()));
        let mut mac = keyed(self.keys.refresh_names.expose_secret())?;
        mac.update(purpose.as_bytes());
        keyed(&mac.finalize().into_bytes())
    }

    fn sign(&self, grant: &Grant, jti: &str, token_type: TokenType, fresh: Option<bool>) -> Result<String, SignError> {
        let key = self.keys.current().ok_or_else(|| SignError("there is no key".into()))?;
        let claims = serde_json::to_vec(&Claims {
            iss: &self.issuer,
            aud: &self.audience,
            sub: grant.user,
            sid: grant.session,
            jti,
            iat: grant.issued_at,
            nbf: grant.issued_at,
            exp: grant.expires_at,
            token_type,
            fresh,
            generation: grant.generation,
        })
        .map_err(|error| SignError(error.to_string()))?;
        let mut token = encode_header(key, token_type);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = jsonwebtoken::crypto::sign(token.as_bytes(), &key.encoding, key.algorithm)
            .map_err(|error| SignError(error.to_string()))?;
        token.push('.');
        token.push_str(&signature);
        Ok(token)
    }

    /// Checks everything about a token that the token itself tells: form, algorithm and signature, time, issuer and audience,
    /// type, in this order. Whether it was revoked, others know.
    ///
    /// # Errors
    ///
    /// One of the `token_*` codes.
    pub fn verify(&self, token: &str, expected: Auth, now: i64) -> Result<Caller, Code> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned();
        let Some(known) = known else {
            let found = self.decode(token, now)?;
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= KNOWN_MAX {
                // Which are worth keeping is not worth knowing: each can be decoded again.
                known.clear();
            }
            known.insert(token.to_owned(), found.clone());
            drop(known);
            return found.check(expected, now);
        };
        known.check(expected, now)
    }

    /// Everything but whether the type is the expected one, in the promised order.
    fn decode(&self, token: &str, now: i64) -> Result<Known, Code> {
        let (encoded_header, encoded_claims, signature) = split(token)?;
        let decoded_header;
        let header = if let Some(header) = self.known_headers.get(encoded_header) {
            header
        } else {
            decoded_header = decode_header(encoded_header)?;
            &decoded_header
        };
        let claims = match decode_claims(encoded_claims) {
            Err(Code::TokenMalformed) => return Err(Code::TokenMalformed),
            claims => claims,
        };
        let message = &token[..encoded_header.len() + 1 + encoded_claims.len()];
        self.check_signature(header, message, signature)?;
        self.check_claims(header, claims?, now)
    }

    fn check_signature(&self, header: &Header, message: &str, signature: &str) -> Result<(), Code> {
        let key = header.kid.as_deref().and_then(|kid| self.keys.get(kid)).ok_or(Code::TokenInvalid)?;
        // An extension that must be understood (RFC 7515 §4.1.11): we understand none.
        if header.has_critical || header.alg.as_deref() != Some(name(key.algorithm)) {
            return Err(Code::TokenInvalid);
        }
        match jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key.decoding, key.algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Code::TokenInvalid),
        }
    }

    fn check_claims(&self, header: &Header, claims: Presented, now: i64) -> Result<Known, Code> {
        let expires_at = claims.exp.or(Code::TokenInvalid)?;
        let not_before = claims.nbf.or(Code::TokenInvalid)?;
        let issued_at = claims.iat.or(Code::TokenInvalid)?;
        check_time(now, issued_at, not_before, expires_at)?;
        if claims.iss.or(Code::TokenInvalid)? != self.issuer || claims.aud.or(Code::TokenInvalid)? != self.audience {
            return Err(Code::TokenInvalid);
        }
        let caller = Caller {
            user: claims.sub.or(Code::TokenInvalid)?,
            session: claims.sid.or(Code::TokenInvalid)?,
            jti: claims.jti.or(Code::TokenInvalid)?,
            generation: claims.generation.or(Code::TokenInvalid)?,
            token_type: claims.token_type.or(Code::TokenWrongType)?,
            fresh: match (header.typ, claims.fresh) {
                (Some(TokenType::Access), fresh) => fresh.or(Code::TokenInvalid)?,
                _ => false,
            },
            issued_at,
            expires_at,
        };
        if header.typ != Some(caller.token_type) {
            return Err(Code::TokenWrongType);
        }
        Ok(Known { caller, not_before })
    }
}

impl Known {
    fn check(self, expected: Auth, now: i64) -> Result<Caller, Code> {
        let Self { caller, not_before } = self;
        check_time(now, caller.issued_at, not_before, caller.expires_at)?;
        let is_expected = match expected {
            Auth::Nobody => false,
            Auth::Access => caller.token_type == TokenType::Access,
            Auth::Refresh => caller.token_type == TokenType::Refresh,
            Auth::EitherToken => true,
        };
        if is_expected { Ok(caller) } else { Err(Code::TokenWrongType) }
    }
}

fn check_time(now: i64, issued_at: i64, not_before: i64, expires_at: i64) -> Result<(), Code> {
    if now >= expires_at {
        return Err(Code::TokenExpired);
    }
    let latest = now.saturating_add(LEEWAY);
    if not_before > latest || issued_at > latest { Err(Code::TokenInvalid) } else { Ok(()) }
}

/// The three parts of a token.
fn split(token: &str) -> Result<(&str, &str, &str), Code> {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(claims), Some(signature), None)
            if token.len() <= MAX_BYTES && signature.bytes().all(is_base64url) =>
        {
            Ok((header, claims, signature))
        }
        _ => Err(Code::TokenMalformed),
    }
}

const fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HS256 => "HS256",
        // No key for another one is ever made.
        _ => "",
    }
}

const fn typ(token_type: TokenType) -> &'static str {
    match token_type {
        TokenType::Access => "at+jwt",
        TokenType::Refresh => "rt+jwt",
    }
}

fn encode_header(key: &Key, token_type: TokenType) -> String {
    let header = serde_json::json!({ "alg": name(key.algorithm), "kid": key.kid, "typ": typ(token_type) });
    URL_SAFE_NO_PAD.encode(header.to_string())
}

fn decode_header(encoded: &str) -> Result<Header, Code> {
    let members = decode_object(encoded)?;
    let text = |member: &str| members.get(member).and_then(serde_json::Value::as_str);
    Ok(Header {
        kid: text("kid").map(str::to_owned),
        alg: text("alg").map(str::to_owned),
        typ: [TokenType::Access, TokenType::Refresh]
            .into_iter()
            .find(|token_type| text("typ") == Some(typ(*token_type))),
        has_critical: members.contains_key("crit"),
    })
}

fn decode_object(encoded: &str) -> Result<serde_json::Map<String, serde_json::Value>, Code> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Code::TokenMalformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Code::TokenMalformed)
}

fn decode_claims(encoded: &str) -> Result<Presented, Code> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Code::TokenMalformed)?;
    // A derived structure would also take an array.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Code::TokenMalformed);
    }
    // An object that names a member twice is an object, and none of ours.
    serde_json::from_slice(&bytes).or_else(|_| decode_object(encoded).and(Err(Code::TokenInvalid)))
}

#[cfg(test)]
mod tests;
