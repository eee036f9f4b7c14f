//! Signature algorithms of tokens.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A signature algorithm, named as in RFC 7518 §3.1 and RFC 8037 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// HMAC with SHA-256: every verifier can also sign.
    #[serde(rename = "HS256")]
    Hs256,
    /// Ed25519: verifiers need the public key only.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Self; 2] = [Self::Hs256, Self::EdDsa];

    /// Returns the algorithm with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// Returns its name: the `alg` of a header.
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
