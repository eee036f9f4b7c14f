//! What may be told of keys: everything but the secrets.

use crate::tokens::algorithm::Algorithm;

/// What may be told of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its name: the header's `kid`.
    pub kid: String,
    /// How it signs.
    pub algorithm: Algorithm,
    /// Seconds of Unix time.
    pub created_at: i64,
    /// What it is for.
    pub status: KeyStatus,
}

/// What a rotation has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRotation {
    /// The key that signs now.
    pub signing: KeyInfo,
    /// The key that has signed until now.
    pub previous: KeyInfo,
}

/// What a key is for. It goes one way: a key that has stopped signing never signs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// It signs new tokens.
    Signing,
    /// It checks what it has signed.
    VerifyOnly {
        /// When it stopped signing, in seconds of Unix time; somebody may have edited that away.
        since: Option<i64>,
    },
}

impl KeyStatus {
    /// When a key can be retired without anybody noticing, where its tokens live this long: what it
    /// has signed has expired.
    #[must_use]
    pub fn safe_to_retire_at(self, longest_life: i64) -> Option<i64> {
        /// Seconds after which no server signs with a key that was replaced: all have followed.
        const RELOAD_SECONDS: i64 = 5;
        match self {
            Self::Signing => None,
            Self::VerifyOnly { since } => {
                Some(since?.saturating_add(longest_life).saturating_add(RELOAD_SECONDS))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_safe_to_retire_once_what_it_has_signed_has_expired() {
        assert_eq!(KeyStatus::Signing.safe_to_retire_at(900), None);
        assert_eq!(KeyStatus::VerifyOnly { since: None }.safe_to_retire_at(900), None);
        let safe_at = KeyStatus::VerifyOnly { since: Some(1_000) }.safe_to_retire_at(900).unwrap();
        assert!(
            (1_901..1_960).contains(&safe_at),
            "a server that follows a moment later is thought of: {safe_at}"
        );
        assert_eq!(
            KeyStatus::VerifyOnly { since: Some(i64::MAX) }.safe_to_retire_at(900),
            Some(i64::MAX)
        );
    }
}
