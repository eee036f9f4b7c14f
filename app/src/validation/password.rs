//! The length of passwords (NIST SP 800-63B-4 §3.1.1.2: no rules of composition, code points
//! counted after NFC).

use super::Problem;

/// Code points that a password needs where nothing else is configured.
pub const MIN_DEFAULT: usize = 8;
/// Code points of the longest password.
pub const MAX: usize = 128;
/// Bytes of the longest text that is looked at as a password at all: 128 code points before NFC,
/// and room.
pub const MAX_BYTES: usize = 1024;

/// Checks a new password, which the caller has brought into NFC.
///
/// # Errors
///
/// The first [`Problem`] that a person would mend.
pub fn check(nfc: &str, min: usize) -> Result<(), Problem> {
    is_there(nfc)?;
    let length = nfc.chars().count();
    if length > MAX || nfc.len() > MAX_BYTES {
        return Err(Problem::PasswordTooLong);
    }
    if length < min {
        return Err(Problem::PasswordTooShort { min });
    }
    Ok(())
}

/// Checks that a current password was entered; only the server can tell whether it is correct.
///
/// # Errors
///
/// [`Problem::PasswordMissing`] if it is empty.
pub fn is_there(typed: &str) -> Result<(), Problem> {
    if typed.is_empty() { Err(Problem::PasswordMissing) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_code_points() {
        assert_eq!(check("", 8), Err(Problem::PasswordMissing));
        assert_eq!(check("1234567", 8), Err(Problem::PasswordTooShort { min: 8 }));
        assert_eq!(check("密码密码密码密码", 8), Ok(()));
        assert_eq!(check("       8", 8), Ok(()));
        assert_eq!(check(&"🔑".repeat(128), 8), Ok(()));
        assert_eq!(check(&"x".repeat(129), 8), Err(Problem::PasswordTooLong));
    }
}
