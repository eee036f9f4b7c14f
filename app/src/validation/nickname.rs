//! The name that a person is greeted by.

use super::{Problem, is_invisible};

/// Code points of the longest nickname.
pub const MAX: usize = 64;

/// The nickname in what was typed: trimmed, `None` where nothing is left.
///
/// # Errors
///
/// A [`Problem`] where it is too long or has characters that a person cannot see.
pub fn parse(typed: &str) -> Result<Option<&str>, Problem> {
    let nickname = typed.trim();
    if nickname.is_empty() {
        return Ok(None);
    }
    let is_refused = |character| is_invisible(character) && !is_joiner(character);
    if nickname.chars().any(is_refused) || nickname.chars().all(is_joiner) {
        return Err(Problem::NicknameCharacters);
    }
    if nickname.chars().count() > MAX {
        return Err(Problem::NicknameTooLong);
    }
    Ok(Some(nickname))
}

/// What joins letters and emoji, or chooses how an emoji looks: invisible by itself, and at home in
/// names.
const fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicknames() {
        assert_eq!(parse("  小明 "), Ok(Some("小明")));
        assert_eq!(parse("👨\u{200d}👩\u{200d}👧"), Ok(Some("👨\u{200d}👩\u{200d}👧")));
        assert_eq!(parse("  "), Ok(None));
        assert_eq!(parse("\u{200d}"), Err(Problem::NicknameCharacters));
        assert_eq!(parse("a\nb"), Err(Problem::NicknameCharacters));
        assert_eq!(parse("a\u{202e}b"), Err(Problem::NicknameCharacters));
        assert_eq!(parse(&"x".repeat(64)).map(|_| ()), Ok(()));
        assert_eq!(parse(&"x".repeat(65)), Err(Problem::NicknameTooLong));
    }
}
