//! Length of passwords (NIST SP 800-63B-4 §3.1.1.2: no composition rules, code points counted after
//! NFC).

use super::Problem;

/// Default minimum length in code points.
pub const MIN_DEFAULT: usize = 8;
/// Maximum length in code points.
pub const MAX: usize = 128;
/// Maximum size in bytes of a text that is processed as a password: 128 code points before NFC,
/// with some room.
pub const MAX_BYTES: usize = 1024;

/// Checks the length of a new password, which the caller has normalised to NFC.
///
/// # Errors
///
/// A [`Problem`] if it is missing, too short or too long.
pub fn check(nfc: &str, min: usize) -> Result<(), Problem> {
    check_present(nfc)?;
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
pub fn check_present(typed: &str) -> Result<(), Problem> {
    if typed.is_empty() { Err(Problem::PasswordMissing) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_of_password_counts_code_points() {
        assert_eq!(check("", 8), Err(Problem::PasswordMissing));
        assert_eq!(check("1234567", 8), Err(Problem::PasswordTooShort { min: 8 }));
        assert_eq!(check("密码密码密码密码", 8), Ok(()));
        assert_eq!(check("       8", 8), Ok(()));
        assert_eq!(check(&"🔑".repeat(128), 8), Ok(()));
        assert_eq!(check(&"x".repeat(129), 8), Err(Problem::PasswordTooLong));
    }
}
