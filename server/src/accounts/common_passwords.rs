//! Passwords that everybody tries first, as a Bloom filter: a list of any length in three bytes a
//! password, and nobody's password can be read from it.
//!
//! A password of the list is always found. One that is not on it is taken for one of the list once
//! in a hundred thousand times (17 of 24 bits a password: 0.5075¹⁷), which costs its person another
//! try.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::fold;

/// The filter of the list that `scripts/common-passwords` takes: see `server/passwords`.
pub static COMMON_PASSWORDS: CommonPasswords<'static> =
    match CommonPasswords::read(include_bytes!("../../passwords/common.filter")) {
        Some(common) => common,
        None => {
            panic!("server/passwords/common.filter is no filter: scripts/common-passwords makes it")
        }
    };

/// What a filter's file begins with. Then come the number of positions a password has and the bits,
/// both little-endian.
const MAGIC: [u8; 8] = *b"GHBLOOM1";
/// Bits of the filter for each password.
const BITS_PER_PASSWORD: usize = 24;
/// Positions that each password has among the bits: the best number for so many bits.
const POSITIONS_PER_PASSWORD: u32 = 17;
/// Code points of the shortest password that may be configured to be enough: shorter ones need no
/// list.
const MIN_CODE_POINTS: usize = 6;

/// A list of passwords that is asked and cannot be read.
#[derive(Clone, Copy, Debug)]
pub struct CommonPasswords<'a> {
    bits: &'a [u8],
    positions: u32,
}

impl<'a> CommonPasswords<'a> {
    /// Reads a filter as [`build`] has made it; `None` where it is none.
    #[must_use]
    pub const fn read(bytes: &'a [u8]) -> Option<Self> {
        let Some((magic, rest)) = bytes.split_first_chunk() else { return None };
        let Some((positions, bits)) = rest.split_first_chunk() else { return None };
        if u64::from_le_bytes(*magic) != u64::from_le_bytes(MAGIC) || bits.is_empty() {
            return None;
        }
        Some(Self { bits, positions: u32::from_le_bytes(*positions) })
    }

    /// Whether a password is on the list, in whatever case and width, or is one of the list several
    /// times over.
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

/// The filter of a list, and how many passwords of it are in there: doubles and those that are too
/// short anyway are left out.
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

/// The bytes and bits that a password has in a filter (double hashing: Kirsch and Mitzenmacher,
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

/// What a text repeats from its beginning to its end.
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
    fn what_everybody_tries_first_is_found_in_every_spelling() {
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
    fn what_nobody_else_would_try_is_not() {
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

    /// The promise is one in a hundred thousand; four in three hundred thousand would already be
    /// luck.
    #[test]
    fn others_are_hardly_ever_taken_for_common() {
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
    fn a_text_that_is_no_filter_is_not_read() {
        let (filter, _) = build(["password"]);
        assert!(CommonPasswords::read(&filter).is_some());
        for rubbish in [&b""[..], b"GHBLOOM1", b"GHBLOOM1\x11\0\0\0", b"GHBLOOM2\x11\0\0\0\xff"] {
            assert!(CommonPasswords::read(rubbish).is_none(), "{rubbish:?}");
        }
    }

    #[test]
    fn the_unit_of_a_repetition() {
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
        fn all_of_a_list_are_found(passwords in proptest::collection::vec("\\PC{6,20}", 1..200)) {
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
