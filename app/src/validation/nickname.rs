//! Nickname: the display name of a user.

use super::{Problem, is_invisible};

/// Maximum length in code points.
pub const MAX: usize = 64;

/// Parses a trimmed nickname; `None` if the input is blank.
///
/// # Errors
///
/// A [`Problem`] if it is too long or has invisible characters.
pub fn parse(typed: &str) -> Result<Option<&str>, Problem> {
    let nickname = typed.trim();
    if nickname.is_empty() {
        return Ok(None);
    }
    let is_rejected = |character| is_invisible(character) && !is_joiner(character);
    if nickname.chars().any(is_rejected) || nickname.chars().all(is_joiner) {
        return Err(Problem::NicknameCharacters);
    }
    if nickname.chars().count() > MAX {
        return Err(Problem::NicknameTooLong);
    }
    Ok(Some(nickname))
}

/// Returns whether a character joins letters or emoji, or selects the form of an emoji: invisible
/// by itself, but common in names.
const fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_typed_text_returns_trimmed_nickname_or_problem() {
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
