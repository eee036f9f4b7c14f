//! What a token says (RFC 7519), and the order in which it is checked (RFC 8725 §3).

use std::collections::HashMap;

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

/// Makes and checks tokens.
pub struct Codec {
    keys: KeyRing,
    issuer: String,
    audience: String,
    /// What the headers of our own tokens say, by their encoded form: they need not be decoded each time.
    known_headers: HashMap<String, Header>,
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
        Self { keys, issuer, audience, known_headers }
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
        self.check_claims(header, claims?, expected, now)
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

    fn check_claims(&self, header: &Header, claims: Presented, expected: Auth, now: i64) -> Result<Caller, Code> {
        let expires_at = claims.exp.or(Code::TokenInvalid)?;
        let not_before = claims.nbf.or(Code::TokenInvalid)?;
        let issued_at = claims.iat.or(Code::TokenInvalid)?;
        if now >= expires_at {
            return Err(Code::TokenExpired);
        }
        let latest = now.saturating_add(LEEWAY);
        if not_before > latest || issued_at > latest {
            return Err(Code::TokenInvalid);
        }
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
        let is_expected = match expected {
            Auth::Nobody => false,
            Auth::Access => caller.token_type == TokenType::Access,
            Auth::Refresh => caller.token_type == TokenType::Refresh,
            Auth::EitherToken => true,
        };
        if header.typ != Some(caller.token_type) || !is_expected {
            return Err(Code::TokenWrongType);
        }
        Ok(caller)
    }
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const NOW: i64 = 1_800_000_000;

    fn codec() -> Codec {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyRing::load_or_create(folder.path(), None, &World::system()).unwrap();
        Codec::new(keys, "gatehouse".into(), "gatehouse".into())
    }

    fn grant() -> Grant {
        Grant {
            user: Uuid::from_u128(1),
            session: Uuid::from_u128(2),
            generation: 3,
            issued_at: NOW,
            expires_at: NOW + 900,
        }
    }

    fn parts(token: &str) -> (Value, Value) {
        let (header, claims, _) = split(token).unwrap();
        let read = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        (read(header), read(claims))
    }

    /// A token of the codec's own key that says something else.
    fn forge(codec: &Codec, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let (mut header, mut claims) = parts(&codec.access(&grant(), true, &World::system()).unwrap());
        change(&mut header, &mut claims);
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let key = codec.keys.current().unwrap();
        format!("{message}.{}", jsonwebtoken::crypto::sign(message.as_bytes(), &key.encoding, key.algorithm).unwrap())
    }

    #[test]
    fn a_token_says_what_it_was_made_for() {
        let codec = codec();
        let token = codec.access(&grant(), true, &World::system()).unwrap();
        let caller = codec.verify(&token, Auth::Access, NOW).unwrap();
        assert_eq!((caller.user, caller.session, caller.generation), (Uuid::from_u128(1), Uuid::from_u128(2), 3));
        assert!(caller.fresh);
        let (header, claims) = parts(&token);
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!(claims["type"], "access");
        assert_eq!(claims["gen"], 3);
        assert_eq!((&claims["iat"], &claims["nbf"], &claims["exp"]), (&json!(NOW), &json!(NOW), &json!(NOW + 900)));
        let (header, claims) = parts(&codec.refresh(&grant()).unwrap());
        assert_eq!(header["typ"], "rt+jwt");
        assert_eq!(claims.get("fresh"), None);
    }

    #[test]
    fn refresh_tokens_repeat_and_access_tokens_never_do() {
        let codec = codec();
        assert_eq!(codec.refresh(&grant()).unwrap(), codec.refresh(&grant()).unwrap());
        let next = Grant { generation: 4, ..grant() };
        assert_ne!(codec.refresh(&grant()).unwrap(), codec.refresh(&next).unwrap());
        let world = World::system();
        assert_ne!(codec.access(&grant(), true, &world).unwrap(), codec.access(&grant(), true, &world).unwrap());
    }

    #[test]
    fn time_is_exact_for_expiry_and_lenient_for_the_beginning() {
        let codec = codec();
        let token = codec.access(&grant(), true, &World::system()).unwrap();
        for (now, expected) in [
            (NOW - 6, Some(Code::TokenInvalid)),
            (NOW - 5, None),
            (NOW + 899, None),
            (NOW + 900, Some(Code::TokenExpired)),
            (NOW + 901, Some(Code::TokenExpired)),
        ] {
            assert_eq!(codec.verify(&token, Auth::Access, now).err(), expected, "{}", now - NOW);
        }
    }

    #[test]
    fn each_claim_is_required_and_typed() {
        let codec = codec();
        for claim in ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "type", "fresh", "gen"] {
            let expected = if claim == "type" { Code::TokenWrongType } else { Code::TokenInvalid };
            let without = forge(&codec, |_, claims| {
                claims.as_object_mut().unwrap().remove(claim);
            });
            assert_eq!(codec.verify(&without, Auth::Access, NOW), Err(expected), "no {claim}");
            for value in [json!(null), json!([]), json!({}), json!(1.5), json!("1"), json!(u64::MAX)] {
                let odd = forge(&codec, |_, claims| claims[claim] = value.clone());
                if claim != "jti" || !value.is_string() {
                    assert_eq!(codec.verify(&odd, Auth::Access, NOW), Err(expected), "{claim} = {value}");
                }
            }
        }
    }

    #[test]
    fn the_algorithm_is_the_keys_and_nothing_in_the_header_is_followed() {
        let codec = codec();
        for alg in ["none", "None", "nOnE", "HS384", "HS512", "RS256", "EdDSA", "hs256", ""] {
            let token = forge(&codec, |header, _| header["alg"] = json!(alg));
            assert_eq!(codec.verify(&token, Auth::Access, NOW), Err(Code::TokenInvalid), "{alg}");
            let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
            assert_eq!(codec.verify(&unsigned, Auth::Access, NOW), Err(Code::TokenInvalid), "{alg}, unsigned");
        }
        for kid in [json!("../../dev/null"), json!("' OR 1=1--"), json!("x".repeat(1000)), json!(7), json!(null)] {
            let token = forge(&codec, |header, _| header["kid"] = kid.clone());
            assert_eq!(codec.verify(&token, Auth::Access, NOW), Err(Code::TokenInvalid), "{kid}");
        }
        let critical = forge(&codec, |header, _| header["crit"] = json!(["exp"]));
        assert_eq!(codec.verify(&critical, Auth::Access, NOW), Err(Code::TokenInvalid));
        let extra = forge(&codec, |header, _| header["jku"] = json!("https://evil.example/keys"));
        assert!(codec.verify(&extra, Auth::Access, NOW).is_ok(), "a member that means nothing changes nothing");
    }

    #[test]
    fn the_types_in_header_and_claims_agree_and_are_the_expected_one() {
        let codec = codec();
        let access = codec.access(&grant(), false, &World::system()).unwrap();
        let refresh = codec.refresh(&grant()).unwrap();
        assert_eq!(codec.verify(&access, Auth::Refresh, NOW), Err(Code::TokenWrongType));
        assert_eq!(codec.verify(&refresh, Auth::Access, NOW), Err(Code::TokenWrongType));
        assert!(codec.verify(&access, Auth::EitherToken, NOW).is_ok());
        assert!(codec.verify(&refresh, Auth::EitherToken, NOW).is_ok());
        assert_eq!(codec.verify(&access, Auth::Nobody, NOW), Err(Code::TokenWrongType));
        for typ in [json!("JWT"), json!("rt+jwt"), json!("AT+JWT"), json!(null), json!(1)] {
            let token = forge(&codec, |header, _| header["typ"] = typ.clone());
            assert_eq!(codec.verify(&token, Auth::EitherToken, NOW), Err(Code::TokenWrongType), "{typ}");
        }
    }

    #[test]
    fn form_comes_first_then_signature_then_time_then_the_rest() {
        let codec = codec();
        let valid = codec.access(&grant(), true, &World::system()).unwrap();
        let (header, claims, signature) = split(&valid).unwrap();
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for token in [
            String::new(),
            "a".into(),
            "a.b".into(),
            format!("{valid}.x"),
            format!("{header}.{claims}=.{signature}"),
            format!("{header}.{claims}.{signature}="),
            format!("{header}.{claims}.sig nature"),
            format!("{}.{claims}.{signature}", encode("[]")),
            format!("{}.{claims}.{signature}", encode("\"x\"")),
            format!("{header}.{}.{signature}", encode("[1]")),
            format!("{header}.{}.{signature}", encode("{")),
            format!("{header}.{}.{signature}", encode("")),
            format!("{header}.{}.{signature}", "A".repeat(5000)),
        ] {
            assert_eq!(codec.verify(&token, Auth::Access, NOW), Err(Code::TokenMalformed), "{token}");
        }
        let expired_and_foreign = forge(&codec, |_, claims| {
            claims["exp"] = json!(NOW);
            claims["iss"] = json!("somebody else");
        });
        assert_eq!(codec.verify(&expired_and_foreign, Auth::Access, NOW), Err(Code::TokenExpired));
        let expired_and_unsigned = format!("{}.AAAA", expired_and_foreign.rsplit_once('.').unwrap().0);
        assert_eq!(codec.verify(&expired_and_unsigned, Auth::Access, NOW), Err(Code::TokenInvalid));
        let array = forge(&codec, |_, claims| claims["aud"] = json!(["gatehouse"]));
        assert_eq!(codec.verify(&array, Auth::Access, NOW), Err(Code::TokenInvalid));
        let twice = format!("{header}.{}.{signature}", encode(r#"{"exp":1,"exp":2}"#));
        assert_eq!(codec.verify(&twice, Auth::Access, NOW), Err(Code::TokenInvalid));
    }

    #[test]
    fn another_key_signs_nothing_here() {
        let (ours, theirs) = (codec(), codec());
        let token = theirs.access(&grant(), true, &World::system()).unwrap();
        assert_eq!(ours.verify(&token, Auth::Access, NOW), Err(Code::TokenInvalid));
    }

    proptest! {
        #[test]
        fn rubbish_is_refused_and_never_panics(token in "[ -~]{0,200}") {
            prop_assert!(codec().verify(&token, Auth::EitherToken, NOW).is_err());
        }

        #[test]
        fn a_token_with_one_byte_changed_is_refused(position in 0_usize..400, byte in b'!'..=b'~') {
            let codec = codec();
            let valid = codec.access(&grant(), true, &World::system()).unwrap();
            let mut bytes = valid.clone().into_bytes();
            let position = position % bytes.len();
            bytes[position] = byte;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assume!(changed != valid);
            prop_assert!(codec.verify(&changed, Auth::Access, NOW).is_err());
        }
    }
}
