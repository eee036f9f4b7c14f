//! Blocklist of common passwords, as a Bloom filter: three bytes a password, and no password can be
//! read from it.
//!
//! A listed password is always found. An unlisted one is rejected by mistake once in 100 000 (17 of
//! 24 bits a password: 0.5075¹⁷), which costs the user another try.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::fold;

/// The embedded filter, made by `scripts/common-passwords`: see `server/passwords`.
pub static COMMON_PASSWORDS: CommonPasswords<'static> =
    match CommonPasswords::read(include_bytes!("../../passwords/common.filter")) {
        Some(common) => common,
        None => {
            panic!("server/passwords/common.filter is no filter: scripts/common-passwords makes it")
        }
    };

/// Magic bytes of a filter file. The number of positions a password and the bits follow, both
/// little-endian.
const MAGIC: [u8; 8] = *b"GHBLOOM1";
/// Bits of the filter for each password.
const BITS_PER_PASSWORD: usize = 24;
/// Bits set for each password: the optimal number of hash functions at 24 bits a password.
const POSITIONS_PER_PASSWORD: u32 = 17;
/// Code points of the shortest password that may be configured: shorter ones need no filter.
const MIN_CODE_POINTS: usize = 6;

/// A set of passwords that supports membership tests only.
#[derive(Clone, Copy, Debug)]
pub struct CommonPasswords<'a> {
    bits: &'a [u8],
    positions: u32,
}

impl<'a> CommonPasswords<'a> {
    /// Reads a filter made by [`build`]; `None` if the bytes are not one.
    #[must_use]
    pub const fn read(bytes: &'a [u8]) -> Option<Self> {
        let Some((magic, rest)) = bytes.split_first_chunk() else { return None };
        let Some((positions, bits)) = rest.split_first_chunk() else { return None };
        if u64::from_le_bytes(*magic) != u64::from_le_bytes(MAGIC) || bits.is_empty() {
            return None;
        }
        Some(Self { bits, positions: u32::from_le_bytes(*positions) })
    }

    /// Returns whether a password is listed, in any case and width, or repeats a listed one.
    #[must_use]
    pub fn contains(&self, password: &str) -> bool {
        let folded = fold(password);
        let folded = folded.trim();
        self.has(folded) || unit(folded).is_some_and(|unit| self.has(unit))
    }

    fn has(&self, folded: &str) -> bool {
        folded.chars().count() >= MIN_CODE_POINTS
            && positions(folded, self.positions, self.bits.len())
                .all(|(byte, bit)| self.bits[byte] & bit != 0)
    }
}

/// Builds the filter of a list. Returns it with the number of passwords in it: duplicates and
/// passwords below the minimum length are left out.
#[must_use]
pub fn build<'p>(passwords: impl IntoIterator<Item = &'p str>) -> (Vec<u8>, usize) {
    let folded: BTreeSet<String> = passwords
        .into_iter()
        .map(|password| fold(password).trim().to_owned())
        .filter(|password| password.chars().count() >= MIN_CODE_POINTS)
        .collect();
    let mut bits = vec![0_u8; (folded.len() * BITS_PER_PASSWORD).div_ceil(8).max(1)];
    for password in &folded {
        for (byte, bit) in positions(password, POSITIONS_PER_PASSWORD, bits.len()) {
            bits[byte] |= bit;
        }
    }
    let filter = [&MAGIC[..], &POSITIONS_PER_PASSWORD.to_le_bytes(), &bits].concat();
    (filter, folded.len())
}

/// Returns the bytes and bits of a password in a filter (double hashing: Kirsch and Mitzenmacher,
/// 2006).
fn positions(password: &str, count: u32, bytes: usize) -> impl Iterator<Item = (usize, u8)> {
    let digest = Sha256::digest(password.as_bytes());
    let word =
        |at: usize| digest[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let (start, step, bits) = (word(0), word(8) | 1, bytes as u64 * 8);
    (0..u64::from(count)).map(move |number| {
        let position = start.wrapping_add(number.wrapping_mul(step)) % bits;
        (usize::try_from(position / 8).unwrap_or_default(), 1 << (position % 8))
    })
}

/// Returns the shortest unit that the text repeats from beginning to end.
fn unit(text: &str) -> Option<&str> {
    let is_repeated = |end: &usize| {
        text.len().is_multiple_of(*end)
            && text.as_bytes()[*end..] == text.as_bytes()[..text.len() - end]
    };
    let end = text.char_indices().map(|(start, _)| start).skip(1).find(is_repeated)?;
    Some(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn contains_common_password_in_any_spelling_returns_true() {
        for password in [
            "123456",
            "password",
            "Password",
            "PASSWORD1",
            "ｐａｓｓｗｏｒｄ",
            " iloveyou ",
            "qwertyuiop",
            "trustno1",
            "1q2w3e4r5t",
            "пароль",
            "йцукен",
            "passwordpassword",
            "Password1Password1",
            "123456123456123456",
        ] {
            assert!(COMMON_PASSWORDS.contains(password), "{password}");
        }
    }

    #[test]
    fn contains_uncommon_password_returns_false() {
        for password in [
            "correct horse battery",
            "correct-horse-battery-staple",
            "Geheimnis der Königin",
            "密码是一句很长的话",
            "password of a queen",
            "abc",
            "",
        ] {
            assert!(!COMMON_PASSWORDS.contains(password), "{password}");
        }
    }

    /// The expected rate is one in 100 000; four in 300 000 are already unlikely.
    #[test]
    fn contains_random_passwords_has_few_false_positives() {
        let found = (0..300_000_u32)
            .filter(|number| {
                let digest = Sha256::digest(number.to_be_bytes());
                let text: String =
                    digest[..12].iter().map(|byte| char::from(b'a' + byte % 26)).collect();
                COMMON_PASSWORDS.has(&text)
            })
            .count();
        assert!(found <= 12, "{found} of 300000");
    }

    #[test]
    fn read_of_invalid_filter_returns_none() {
        let (filter, _) = build(["password"]);
        assert!(CommonPasswords::read(&filter).is_some());
        for rubbish in [&b""[..], b"GHBLOOM1", b"GHBLOOM1\x11\0\0\0", b"GHBLOOM2\x11\0\0\0\xff"] {
            assert!(CommonPasswords::read(rubbish).is_none(), "{rubbish:?}");
        }
    }

    #[test]
    fn unit_of_repeated_text_is_found() {
        for (text, expected) in [
            ("abab", Some("ab")),
            ("aaa", Some("a")),
            ("日本日本", Some("日本")),
            ("aba", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(unit(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn contains_every_password_of_its_list(passwords in proptest::collection::vec("\\PC{6,20}", 1..200)) {
            let (filter, count) = build(passwords.iter().map(String::as_str));
            prop_assert!(count <= passwords.len());
            let common = CommonPasswords::read(&filter).expect("a filter");
            for password in &passwords {
                let is_long = fold(password).trim().chars().count() >= MIN_CODE_POINTS;
                prop_assert!(!is_long || common.contains(password), "{:?}", password);
            }
        }
    }
}
