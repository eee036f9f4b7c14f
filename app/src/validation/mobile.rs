//! Mobile phone number for contact; not a login name.

use super::{Problem, narrow};

/// Digits of the shortest accepted number.
const DIGITS_MIN: usize = 8;
/// Digits of the longest number (E.164 §6.2.1).
const DIGITS_MAX: usize = 15;

/// Parses a number to E.164: `+`, country code and subscriber number, digits only; `None` if the
/// input is blank. Separators between digits are dropped, and full-width digits are converted. With
/// `is_chinese`, a number without a country code counts as Chinese if it is a mobile number there:
/// eleven digits, the first of them 1.
///
/// # Errors
///
/// [`Problem::MobileInvalid`] if it is not such a number.
pub fn parse(typed: &str, is_chinese: bool) -> Result<Option<String>, Problem> {
    let is_separator = |character: &char| {
        character.is_whitespace()
            || matches!(character, '-' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}')
    };
    let number: String =
        typed.chars().map(narrow).filter(|character| !is_separator(character)).collect();
    if number.is_empty() {
        return if typed.trim().is_empty() { Ok(None) } else { Err(Problem::MobileInvalid) };
    }
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if is_chinese && is_digits(&number) {
        let national = ["0086", "86", ""].into_iter().find_map(|country| {
            number
                .strip_prefix(country)
                .filter(|number| number.len() == 11 && number.starts_with('1'))
        });
        return national.map(|number| Some(format!("+86{number}"))).ok_or(Problem::MobileInvalid);
    }
    let digits = number.strip_prefix('+').ok_or(Problem::MobileInvalid)?;
    let is_number = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
        && is_digits(digits)
        // No country code starts with 0.
        && !digits.starts_with('0');
    if is_number { Ok(Some(number)) } else { Err(Problem::MobileInvalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_number_with_country_code_returns_e164() {
        for typed in [
            "+8613912345901",
            " +86 139-1234-5901 ",
            "+86 (139) 1234 5901",
            "+86\u{a0}139\u{3000}12345901",
            "＋86 １３９–1234—5901",
        ] {
            for is_chinese in [false, true] {
                let number = parse(typed, is_chinese);
                assert_eq!(
                    number.as_ref().map(Option::as_deref),
                    Ok(Some("+8613912345901")),
                    "{typed:?}"
                );
            }
        }
        assert_eq!(parse("  ", false), Ok(None));
        assert_eq!(parse("+12345678", true).map(|number| number.is_some()), Ok(true));
        for typed in [
            "13912345901",
            "+1234567",
            "+1234567890123456",
            "+0613912345901",
            "+86139x2345901",
            "+86+13912345901",
            "+",
            "()",
        ] {
            assert_eq!(parse(typed, false), Err(Problem::MobileInvalid), "{typed:?}");
        }
    }

    #[test]
    fn parse_of_number_without_country_code_is_chinese_for_chinese_readers_only() {
        for typed in [
            "13912345901",
            " 139-1234-5901 ",
            "139 1234 5901",
            "１３９１２３４５９０１",
            "86 139 1234 5901",
            "008613912345901",
        ] {
            let number = parse(typed, true);
            assert_eq!(
                number.as_ref().map(Option::as_deref),
                Ok(Some("+8613912345901")),
                "{typed:?}"
            );
            assert_eq!(parse(typed, false), Err(Problem::MobileInvalid), "{typed:?}");
        }
        for typed in [
            "1391234590",
            "139123459012",
            "23912345901",
            "01012345678",
            "139x2345901",
            "0013912345901",
            "()",
        ] {
            assert_eq!(parse(typed, true), Err(Problem::MobileInvalid), "{typed:?}");
        }
    }
}
