//! Builds forged tokens: other claims or headers, signed with a secret known to the test.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use crate::app::App;

/// The signing secret of the application.
pub const SECRET: &str = "known to whoever has signed this token";

/// Starts an application with this signing secret.
pub async fn app() -> App {
    App::with(&[("JWT_SECRET", SECRET)]).await
}

/// Returns the header and the claims of a token.
pub fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"));
    let mut read = || serde_json::from_slice(&parts.next().expect("a part")).expect("JSON");
    (read(), read())
}

/// Changes a token and signs it correctly.
pub fn forge(token: &str, change: impl FnOnce(&mut Value, &mut Value)) -> String {
    sign(token, SECRET.as_bytes(), Algorithm::HS256, change)
}

/// Changes a token and signs it with another secret or algorithm.
pub fn sign(
    token: &str,
    secret: &[u8],
    algorithm: Algorithm,
    change: impl FnOnce(&mut Value, &mut Value),
) -> String {
    let (mut header, mut claims) = parts(token);
    change(&mut header, &mut claims);
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let key = EncodingKey::from_secret(secret);
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).expect("a signature");
    format!("{message}.{signature}")
}
