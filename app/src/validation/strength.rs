//! How hard a password is to guess, while it is typed: an estimate in a few hundred bytes that
//! every visitor can afford. Nothing is refused by it. Which passwords everybody tries first, the
//! server knows.

/// What an estimate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Guessed in no time.
    Weak,
    /// Guessed by whoever has stolen the hashes.
    Fair,
    /// Hard to guess.
    Good,
    /// Out of reach.
    Strong,
}

/// The rows of keyboards, and what people count: steps along them are no surprise.
const ROWS: &str = "qwertyuiop asdfghjkl zxcvbnm 90";

/// Estimates a password, by its characters that do not follow from those before them: a repetition,
/// a row of the alphabet or of the keyboard, a pair that was there already.
#[must_use]
pub fn estimate(password: &str) -> Strength {
    let characters: Vec<char> = password.chars().collect();
    let surprises = (0..characters.len()).filter(|&at| !follows(&characters, at)).count();
    match surprises * bits(&characters) {
        ..30 => Strength::Weak,
        30..45 => Strength::Fair,
        45..60 => Strength::Good,
        _ => Strength::Strong,
    }
}

/// Whether a character could be told from those before it.
fn follows(characters: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return false };
    let pair = &characters[before..=at];
    let is_row = || {
        let way = before.checked_sub(1).and_then(|first| way(characters[first], pair[0]));
        way.is_some() && way == self::way(pair[0], pair[1])
    };
    pair[0] == pair[1] || characters[..at].windows(2).any(|earlier| earlier == pair) || is_row()
}

/// Which way one goes from a character to its neighbour in a row; `None` where it is none.
fn way(from: char, to: char) -> Option<bool> {
    let (from, to) = (from.to_ascii_lowercase(), to.to_ascii_lowercase());
    let is_next = |left: char, right: char| {
        u32::from(left) + 1 == u32::from(right)
            || ROWS.split_once(left).is_some_and(|(_, rest)| rest.starts_with(right))
    };
    if is_next(from, to) { Some(true) } else { is_next(to, from).then_some(false) }
}

/// What each surprise is worth, in bits: people's letters are no dice, and more kinds of characters
/// are more to try.
fn bits(characters: &[char]) -> usize {
    let kinds = characters.iter().fold(0_u8, |kinds, character| {
        kinds
            | match character {
                'a'..='z' => 1,
                'A'..='Z' => 2,
                '0'..='9' => 4,
                // One of thousands.
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
    fn what_is_long_and_varied_is_strong() {
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
    fn more_is_never_less() {
        let password = "Zwölf Boxkämpfer jagen 12 Viktoren!";
        let ends = password.char_indices().map(|(at, _)| at).chain([password.len()]);
        let estimates: Vec<_> = ends.map(|end| estimate(&password[..end])).collect();
        assert!(estimates.is_sorted(), "{estimates:?}");
    }
}
