//! How tokens are signed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a key signs, by the names of RFC 7518 §3.1 and RFC 8037 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// HMAC with SHA-256: whoever can check can also sign.
    #[serde(rename = "HS256")]
    Hs256,
    /// Ed25519: anybody can check, with a public key that signs nothing.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Hs256, Self::EdDsa];

    /// The algorithm of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// Its name: the header's `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Hs256 => Self::HS256,
            Algorithm::EdDsa => Self::EdDSA,
        }
    }
}
