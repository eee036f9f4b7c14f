//! What stands in the file, and how it changes.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::{CONFIGURED, Key, KeyRing, Listed, Rotated, State, key};
use crate::{clock::World, tokens::algorithm::Algorithm};

/// The only form of the file that this program knows.
const VERSION: u32 = 1;

/// The keys as they are kept.
pub(super) struct KeyFile {
    signing: StoredKey,
    /// Those that have signed before, oldest first.
    others: Vec<StoredKey>,
    refresh_names: Secret,
}

/// The file as it is read.
#[derive(Deserialize)]
struct Read {
    version: u32,
    current: String,
    keys: Vec<StoredKey>,
    refresh_names: Secret,
}

/// The file as it is written.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    current: &'a str,
    keys: Vec<&'a StoredKey>,
    refresh_names: &'a Secret,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    kid: String,
    algorithm: Algorithm,
    secret: Secret,
    created_at: i64,
    /// When another one took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced_at: Option<i64>,
}

/// Secret bytes in base64url. They do not print, and are wiped.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Secret(String);

/// Why a key is not retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Unknown,
    Signs,
}

impl KeyFile {
    /// A file with a first key.
    pub(super) fn generate(algorithm: Algorithm, world: &World) -> Self {
        let refresh_names = Secret::generate(world);
        Self { signing: StoredKey::generate(algorithm, world), others: Vec::new(), refresh_names }
    }

    /// Reads a file, or tells what is wrong with it.
    pub(super) fn parse(content: &[u8]) -> Result<Self, String> {
        let Read { version, current, keys, refresh_names } =
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
        let file = Self { signing: key, others, refresh_names };
        // Whether each key is one shows when it is used.
        file.ring(None)?;
        Ok(file)
    }

    pub(super) fn to_bytes(&self) -> serde_json::Result<Zeroizing<Vec<u8>>> {
        let written = Written {
            version: VERSION,
            current: &self.signing.kid,
            keys: self.keys().collect(),
            refresh_names: &self.refresh_names,
        };
        serde_json::to_vec_pretty(&written).map(Zeroizing::new)
    }

    /// The keys, ready for use; a configured secret takes the place of them all.
    pub(super) fn ring(&self, configured: Option<&SecretString>) -> Result<KeyRing, String> {
        let refresh_names = self.refresh_names.bytes()?;
        if refresh_names.len() < key::BYTES {
            return Err("the key of the refresh tokens' names is too short".into());
        }
        let (signing, others) = if let Some(secret) = configured {
            // What the folder's keys have signed is not taken: whoever configures a secret wants
            // that one alone.
            (Key::new(CONFIGURED, Algorithm::Hs256, secret.expose_secret().as_bytes())?, Vec::new())
        } else {
            (
                self.signing.open()?,
                self.others.iter().map(StoredKey::open).collect::<Result<_, _>>()?,
            )
        };
        Ok(KeyRing::new(signing, others, refresh_names.to_vec().into()))
    }

    /// How new tokens are signed.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.signing.algorithm
    }

    /// What may be told of the keys, oldest first.
    pub(super) fn list(&self) -> Vec<Listed> {
        let others = self.others.iter().map(StoredKey::listed);
        others.chain([self.signing.listed_as(State::Signs)]).collect()
    }

    /// A new key signs from now on; what has signed before goes on checking.
    pub(super) fn rotate(&mut self, algorithm: Algorithm, world: &World) -> Rotated {
        let key = loop {
            let key = StoredKey::generate(algorithm, world);
            if self.keys().all(|other| other.kid != key.kid) {
                break key;
            }
        };
        let mut before = std::mem::replace(&mut self.signing, key);
        before.replaced_at = Some(world.now());
        let rotated =
            Rotated { signing: self.signing.listed_as(State::Signs), before: before.listed() };
        self.others.push(before);
        rotated
    }

    /// Forgets a key that signs no more.
    pub(super) fn retire(&mut self, kid: &str) -> Result<Listed, Kept> {
        if kid == self.signing.kid {
            return Err(Kept::Signs);
        }
        let position = self.others.iter().position(|key| key.kid == kid).ok_or(Kept::Unknown)?;
        Ok(self.others.remove(position).listed())
    }

    fn keys(&self) -> impl Iterator<Item = &StoredKey> {
        self.others.iter().chain([&self.signing])
    }
}

impl StoredKey {
    fn generate(algorithm: Algorithm, world: &World) -> Self {
        // Hexadecimal digits: a name that begins with a hyphen would look like an option on the
        // command line.
        let kid = format!("{:012x}", u64::from_be_bytes(world.random()) >> 16);
        Self {
            kid,
            algorithm,
            secret: Secret::generate(world),
            created_at: world.now(),
            replaced_at: None,
        }
    }

    fn open(&self) -> Result<Key, String> {
        Key::new(&self.kid, self.algorithm, &self.secret.bytes()?)
    }

    fn listed(&self) -> Listed {
        self.listed_as(State::ChecksOnly { since: self.replaced_at })
    }

    fn listed_as(&self, state: State) -> Listed {
        Listed {
            kid: self.kid.clone(),
            algorithm: self.algorithm,
            created_at: self.created_at,
            state,
        }
    }
}

impl Secret {
    fn generate(world: &World) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Zeroizing::new(world.random::<{ key::BYTES }>())))
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
