//! Format of account names: an e-mail address or a handle.
//!
//! Scripts, normalisation and confusable names need Unicode tables and are checked by the server
//! only.

use super::{Problem, is_invisible, narrow};

/// Minimum length of a handle in code points.
pub const HANDLE_MIN: usize = 3;
/// Maximum length of a handle in code points.
pub const HANDLE_MAX: usize = 32;
/// Maximum length of an e-mail address in characters (RFC 5321 §4.5.3.1.3, without the angle
/// brackets).
pub const EMAIL_MAX: usize = 254;

/// Checks a name as typed; surrounding whitespace is ignored.
///
/// # Errors
///
/// A [`Problem`] if it is missing, or neither a valid address nor a valid handle.
pub fn check(typed: &str) -> Result<(), Problem> {
    let name = typed.trim();
    if name.is_empty() {
        return Err(Problem::UsernameMissing);
    }
    if is_address(name) { check_email(name) } else { check_handle(name) }
}

/// Returns whether a name is meant as an e-mail address: it has an at sign, of ASCII or full width.
#[must_use]
pub fn is_address(name: &str) -> bool {
    name.chars().any(|character| narrow(character) == '@')
}

/// Returns whether a name is a valid e-mail address of a domain without a dot, such as `ada@gmail`:
/// valid, but likely a typo.
#[must_use]
pub fn lacks_domain_dot(name: &str) -> bool {
    let domain: String = name.chars().map(narrow).skip_while(|letter| *letter != '@').collect();
    !domain.is_empty() && !domain.contains('.') && check_email(name).is_ok()
}

/// Checks a trimmed e-mail address. Full-width characters count as ASCII, and labels of the domain
/// may have any visible characters: the server converts both and checks the domain (IDNA).
///
/// # Errors
///
/// [`Problem::EmailInvalid`] or [`Problem::EmailTooLong`].
pub fn check_email(name: &str) -> Result<(), Problem> {
    if name.chars().count() > EMAIL_MAX {
        return Err(Problem::EmailTooLong);
    }
    let narrow: String = name.chars().map(narrow).collect();
    if is_email_with(&narrow, is_visible) { Ok(()) } else { Err(Problem::EmailInvalid) }
}

fn check_handle(name: &str) -> Result<(), Problem> {
    // Characters before length: for "a b" the blank is the more useful report.
    if !name.chars().all(is_handle_character) || name.starts_with(['.', '_', '-']) {
        return Err(Problem::UsernameCharacters);
    }
    match name.chars().count() {
        ..HANDLE_MIN => Err(Problem::UsernameTooShort),
        HANDLE_MIN..=HANDLE_MAX => Ok(()),
        _ => Err(Problem::UsernameTooLong),
    }
}

/// Accepts any visible character beyond ASCII: the server checks that it is a letter or mark.
fn is_handle_character(character: char) -> bool {
    match character {
        '.' | '_' | '-' => true,
        _ if character.is_ascii() => character.is_ascii_alphanumeric(),
        _ => is_visible(character),
    }
}

fn is_visible(character: char) -> bool {
    !is_invisible(character) && !character.is_whitespace()
}

/// Returns whether a text is an e-mail address by the grammar of HTML's `type=email` (HTML Living
/// Standard, "valid e-mail address").
#[must_use]
pub fn is_email(text: &str) -> bool {
    is_email_with(text, |_| false)
}

/// Returns whether a text is an e-mail address whose domain labels may also have the accepted
/// characters beyond ASCII.
fn is_email_with(text: &str, is_accepted: fn(char) -> bool) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_local =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let is_of_label = |character: char| match character {
        '-' => true,
        _ if character.is_ascii() => character.is_ascii_alphanumeric(),
        _ => is_accepted(character),
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.chars().count())
            && label.chars().all(is_of_label)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    !local.is_empty() && local.bytes().all(is_local) && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_of_handle_returns_problem_of_invalid_one() {
        for name in
            ["bob", "Bob.B_c-d", "9lives", " padded ", "测试用户", "ａｄｍｉｎ", &"x".repeat(32)]
        {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        for (name, problem) in [
            ("", Problem::UsernameMissing),
            ("  \u{3000} ", Problem::UsernameMissing),
            ("ab", Problem::UsernameTooShort),
            (&*"x".repeat(33), Problem::UsernameTooLong),
            (".bob", Problem::UsernameCharacters),
            ("-bob", Problem::UsernameCharacters),
            ("bo b", Problem::UsernameCharacters),
            ("bob\u{200b}", Problem::UsernameCharacters),
            ("bob\u{202e}x", Problem::UsernameCharacters),
            ("bob\0x", Problem::UsernameCharacters),
            ("<b>", Problem::UsernameCharacters),
        ] {
            assert_eq!(check(name), Err(problem), "{name:?}");
        }
    }

    #[test]
    fn lacks_domain_dot_is_true_for_addresses_without_one_only() {
        for name in ["ada@gmail", "first.last@example", "ada＠gmail"] {
            assert!(lacks_domain_dot(name), "{name:?}");
        }
        for name in
            ["ada", "ada.b", "ada@gmail.com", "ada＠gmail．com", "ada@例子。测试", "ada@", "@"]
        {
            assert!(!lacks_domain_dot(name), "{name:?}");
        }
    }

    #[test]
    fn check_of_address_returns_problem_of_invalid_one() {
        let long_domain = format!("a@{}", vec!["d".repeat(63); 3].join("."));
        for address in
            ["a@b", "first.last+tag@example.co.uk", "!#$%&'*+/=?^_`{|}~-@x.y", &*long_domain]
        {
            assert_eq!(check(address), Ok(()), "{address:?}");
        }
        for address in [
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@-b",
            "a@b-",
            "a@b..c",
            "a@b.",
            "ä@b.c",
            "a＠b＠c",
            "a@ü\u{200b}.c",
        ] {
            assert_eq!(check(address), Err(Problem::EmailInvalid), "{address:?}");
        }
        for address in [
            "ada＠example．com",
            "ａｄａ＠example。com",
            "a@ｂ.c",
            "ada@münchen.example",
            "ada@例子.测试",
        ] {
            assert_eq!(check(address), Ok(()), "{address:?}");
            assert!(!is_email(address), "the server converts it first");
        }
        assert_eq!(check(&format!("a@{}", "d".repeat(64))), Err(Problem::EmailInvalid));
        assert_eq!(check(&format!("{}@b.c", "a".repeat(251))), Err(Problem::EmailTooLong));
    }
}
