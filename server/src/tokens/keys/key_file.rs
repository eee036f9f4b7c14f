//! Contents of the key file, and changes of it.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::{CONFIGURED, Key, KeyInfo, KeyRing, KeyRotation, KeyStatus, key};
use crate::{clock::Env, tokens::algorithm::Algorithm};

/// The only supported version of the file format.
const VERSION: u32 = 1;

/// The stored keys.
pub(super) struct KeyFile {
    signing: StoredKey,
    /// Verification-only keys, oldest first.
    others: Vec<StoredKey>,
    refresh_jti_key: Secret,
}

/// The file as read.
#[derive(Deserialize)]
struct StoredFile {
    version: u32,
    current: String,
    keys: Vec<StoredKey>,
    #[serde(rename = "refresh_names")]
    refresh_jti_key: Secret,
}

/// The file as written.
#[derive(Serialize)]
struct FileToWrite<'a> {
    version: u32,
    current: &'a str,
    keys: Vec<&'a StoredKey>,
    #[serde(rename = "refresh_names")]
    refresh_jti_key: &'a Secret,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    kid: String,
    algorithm: Algorithm,
    secret: Secret,
    created_at: i64,
    /// Time at which another key replaced it, in seconds of Unix time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced_at: Option<i64>,
}

/// Secret bytes in base64url. They are not printed, and zeroized on drop.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Secret(String);

/// Error of retiring a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetireError {
    UnknownKey,
    SigningKey,
}

impl KeyFile {
    /// Creates a file with one key.
    pub(super) fn generate(algorithm: Algorithm, env: &Env) -> Self {
        let refresh_jti_key = Secret::generate(env);
        Self { signing: StoredKey::generate(algorithm, env), others: Vec::new(), refresh_jti_key }
    }

    /// Parses a file; the error says what is wrong with it.
    pub(super) fn parse(content: &[u8]) -> Result<Self, String> {
        let StoredFile { version, current, keys, refresh_jti_key } =
            serde_json::from_slice(content).map_err(|error| error.to_string())?;
        if version != VERSION {
            return Err(format!("its version is {version}, this program knows {VERSION}"));
        }
        let (mut signing, others): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|key| key.kid == current);
        let Some(key) = signing.pop() else { return Err(format!("it has no key {current}")) };
        let names: BTreeSet<_> = others.iter().map(|key| &key.kid).collect();
        if !signing.is_empty() || names.len() != others.len() {
            return Err("it has two keys of one name".into());
        }
        let file = Self { signing: key, others, refresh_jti_key };
        // Building the ring validates each key.
        file.ring(None)?;
        Ok(file)
    }

    pub(super) fn to_bytes(&self) -> serde_json::Result<Zeroizing<Vec<u8>>> {
        let written = FileToWrite {
            version: VERSION,
            current: &self.signing.kid,
            keys: self.keys().collect(),
            refresh_jti_key: &self.refresh_jti_key,
        };
        serde_json::to_vec_pretty(&written).map(Zeroizing::new)
    }

    /// Returns the usable keys; a configured secret replaces them all.
    pub(super) fn ring(&self, configured: Option<&SecretString>) -> Result<KeyRing, String> {
        let refresh_jti_key = self.refresh_jti_key.bytes()?;
        if refresh_jti_key.len() < key::BYTES {
            return Err("the key of the refresh tokens' names is too short".into());
        }
        let (signing, others) = if let Some(secret) = configured {
            // Tokens of the stored keys are not accepted: a configured secret is meant to be the
            // only key.
            (Key::new(CONFIGURED, Algorithm::Hs256, secret.expose_secret().as_bytes())?, Vec::new())
        } else {
            (
                self.signing.open()?,
                self.others.iter().map(StoredKey::open).collect::<Result<_, _>>()?,
            )
        };
        Ok(KeyRing::new(signing, others, refresh_jti_key.to_vec().into()))
    }

    /// Returns the algorithm of new tokens.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.signing.algorithm
    }

    /// Returns public information on the keys, oldest first.
    pub(super) fn list(&self) -> Vec<KeyInfo> {
        let others = self.others.iter().map(StoredKey::info);
        others.chain([self.signing.info_with(KeyStatus::Signing)]).collect()
    }

    /// Adds a new signing key; the previous one goes on verifying.
    pub(super) fn rotate(&mut self, algorithm: Algorithm, env: &Env) -> KeyRotation {
        let key = loop {
            let key = StoredKey::generate(algorithm, env);
            if self.keys().all(|other| other.kid != key.kid) {
                break key;
            }
        };
        let mut before = std::mem::replace(&mut self.signing, key);
        before.replaced_at = Some(env.now());
        let rotated = KeyRotation {
            signing: self.signing.info_with(KeyStatus::Signing),
            previous: before.info(),
        };
        self.others.push(before);
        rotated
    }

    /// Removes a verification-only key.
    pub(super) fn retire(&mut self, kid: &str) -> Result<KeyInfo, RetireError> {
        if kid == self.signing.kid {
            return Err(RetireError::SigningKey);
        }
        let position =
            self.others.iter().position(|key| key.kid == kid).ok_or(RetireError::UnknownKey)?;
        Ok(self.others.remove(position).info())
    }

    fn keys(&self) -> impl Iterator<Item = &StoredKey> {
        self.others.iter().chain([&self.signing])
    }
}

impl StoredKey {
    fn generate(algorithm: Algorithm, env: &Env) -> Self {
        // Hexadecimal: an id that begins with a hyphen would look like a command-line option.
        let kid = format!("{:012x}", u64::from_be_bytes(env.random()) >> 16);
        Self {
            kid,
            algorithm,
            secret: Secret::generate(env),
            created_at: env.now(),
            replaced_at: None,
        }
    }

    fn open(&self) -> Result<Key, String> {
        Key::new(&self.kid, self.algorithm, &self.secret.bytes()?)
    }

    fn info(&self) -> KeyInfo {
        self.info_with(KeyStatus::VerifyOnly { since: self.replaced_at })
    }

    fn info_with(&self, status: KeyStatus) -> KeyInfo {
        KeyInfo {
            kid: self.kid.clone(),
            algorithm: self.algorithm,
            created_at: self.created_at,
            status,
        }
    }
}

impl Secret {
    fn generate(env: &Env) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Zeroizing::new(env.random::<{ key::BYTES }>())))
    }

    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        URL_SAFE_NO_PAD.decode(&self.0).map(Zeroizing::new).map_err(|error| error.to_string())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests;
