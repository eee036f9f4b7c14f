//! Strength estimate of a password while it is typed, small enough for the first load. It rejects
//! nothing; the list of common passwords is on the server.

/// Estimated strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Guessed online within few attempts.
    Weak,
    /// Guessed offline from a stolen hash.
    Fair,
    /// Hard to guess.
    Good,
    /// Very hard to guess.
    Strong,
}

/// Rows of the keyboard, and the end of the digits: steps along them are predictable.
const ROWS: &str = "qwertyuiop asdfghjkl zxcvbnm 90";

/// Estimates a password by the number of its unpredictable characters. A character is predictable
/// if it repeats the one before it, continues a row of the alphabet or keyboard, or completes a
/// pair that occurred earlier.
#[must_use]
pub fn estimate(password: &str) -> Strength {
    let characters: Vec<char> = password.chars().collect();
    let unpredictable =
        (0..characters.len()).filter(|&at| !is_predictable(&characters, at)).count();
    match unpredictable * bits(&characters) {
        ..30 => Strength::Weak,
        30..45 => Strength::Fair,
        45..60 => Strength::Good,
        _ => Strength::Strong,
    }
}

/// Returns whether a character is predictable from those before it.
fn is_predictable(characters: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return false };
    let pair = &characters[before..=at];
    let is_row = || {
        let step = before.checked_sub(1).and_then(|first| step(characters[first], pair[0]));
        step.is_some() && step == self::step(pair[0], pair[1])
    };
    pair[0] == pair[1] || characters[..at].windows(2).any(|earlier| earlier == pair) || is_row()
}

/// Direction of a step along a row: forwards (`true`), backwards, or `None` if the characters are
/// not neighbours.
fn step(from: char, to: char) -> Option<bool> {
    let (from, to) = (from.to_ascii_lowercase(), to.to_ascii_lowercase());
    let is_next = |left: char, right: char| {
        u32::from(left) + 1 == u32::from(right)
            || ROWS.split_once(left).is_some_and(|(_, rest)| rest.starts_with(right))
    };
    if is_next(from, to) { Some(true) } else { is_next(to, from).then_some(false) }
}

/// Bits of each unpredictable character. Letters in passwords are not random, so few bits are
/// counted; more kinds of characters count more.
fn bits(characters: &[char]) -> usize {
    let kinds = characters.iter().fold(0_u8, |kinds, character| {
        kinds
            | match character {
                'a'..='z' => 1,
                'A'..='Z' => 2,
                '0'..='9' => 4,
                // Ideographs: one of thousands.
                '\u{2e80}'.. => 0b111_0000,
                _ => 8,
            }
    });
    kinds.count_ones() as usize + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimate_of_longer_and_more_varied_password_is_stronger() {
        for (password, strength) in [
            ("", Strength::Weak),
            ("aaaaaaaaaaaaaaaaaaaa", Strength::Weak),
            ("12345678", Strength::Weak),
            ("0987654321", Strength::Weak),
            ("abcdefghijkl", Strength::Weak),
            ("qwertyuiop", Strength::Weak),
            ("abcabcabcabcabc", Strength::Weak),
            ("20012001200120012001", Strength::Weak),
            ("password", Strength::Weak),
            ("sunshine7", Strength::Fair),
            ("kettle hat", Strength::Fair),
            ("xK7#pQ9!", Strength::Good),
            ("correct horse", Strength::Fair),
            ("correct horse 7", Strength::Strong),
            ("correct horse battery", Strength::Strong),
            ("床前明月光疑是地上霜", Strength::Good),
        ] {
            assert_eq!(estimate(password), strength, "{password}");
        }
    }

    #[test]
    fn estimate_of_extended_password_never_decreases() {
        let password = "Zwölf Boxkämpfer jagen 12 Viktoren!";
        let ends = password.char_indices().map(|(at, _)| at).chain([password.len()]);
        let estimates: Vec<_> = ends.map(|end| estimate(&password[..end])).collect();
        assert!(estimates.is_sorted(), "{estimates:?}");
    }
}
