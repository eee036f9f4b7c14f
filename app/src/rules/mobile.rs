//! The number of a mobile phone: no name to log in with.

use super::Problem;

/// Digits of the shortest number that is taken.
const DIGITS_MIN: usize = 8;
/// Digits of the longest number there is (E.164 §6.2.1).
const DIGITS_MAX: usize = 15;

/// The number in what was typed, as E.164 has it: `+`, the country's code and the rest, digits only. What people put between
/// the digits so that they can be read is dropped. `None` where nothing is left.
///
/// # Errors
///
/// A [`Problem`] where it is no such number.
pub fn parse(typed: &str) -> Result<Option<String>, Problem> {
    let is_between = |character: char| character.is_whitespace() || matches!(character, '-' | '(' | ')');
    let number: String = typed.chars().filter(|character| !is_between(*character)).collect();
    if number.is_empty() {
        return if typed.trim().is_empty() { Ok(None) } else { Err(Problem::MobileInvalid) };
    }
    let digits = number.strip_prefix('+').ok_or(Problem::MobileInvalid)?;
    let is_number = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        // No country's code begins with it.
        && !digits.starts_with('0');
    if is_number { Ok(Some(number)) } else { Err(Problem::MobileInvalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for typed in ["+8613912345901", " +86 139-1234-5901 ", "+86 (139) 1234 5901", "+86\u{a0}139\u{3000}12345901"] {
            assert_eq!(parse(typed).as_ref().map(Option::as_deref), Ok(Some("+8613912345901")), "{typed:?}");
        }
        assert_eq!(parse("  "), Ok(None));
        assert_eq!(parse("+12345678").map(|number| number.is_some()), Ok(true));
        for typed in [
            "13912345901",
            "+1234567",
            "+1234567890123456",
            "+0613912345901",
            "+86139x2345901",
            "+86+13912345901",
            "＋8613912345901",
            "+",
            "()",
        ] {
            assert_eq!(parse(typed), Err(Problem::MobileInvalid), "{typed:?}");
        }
    }
}
