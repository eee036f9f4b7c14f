//! Passwords: what is taken as a new one, and the form in which any is compared.

use app::rules::{self, Problem};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroize;

use super::username::{Username, lookup_key};

/// A password in NFC (NIST SP 800-63B-4 §3.1.1.2). It does not print, and is wiped when dropped.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    /// A password that somebody presents to log in: any text.
    #[must_use]
    pub fn presented(mut typed: String) -> Self {
        let nfc: String = typed.nfc().collect();
        typed.zeroize();
        Self(nfc.into())
    }

    /// A password for an account. No rule of composition: length counts, and that it is not the name.
    ///
    /// # Errors
    ///
    /// The [`Problem`] that makes it no password for this account.
    pub fn chosen(typed: String, min: usize, username: Option<&Username>) -> Result<Self, Problem> {
        // Beyond any length that can pass, not even the normal form is computed.
        if typed.len() > rules::password::MAX_BYTES {
            return Err(Problem::PasswordTooLong);
        }
        let password = Self::presented(typed);
        rules::password::check(password.expose(), min)?;
        if username.is_some_and(|name| lookup_key(password.expose()).as_deref() == Some(name.key())) {
            return Err(Problem::PasswordIsUsername);
        }
        Ok(password)
    }

    /// The password's text.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(typed: &str) -> Result<(), Problem> {
        let name = Username::parse("Mallory7").expect("a name");
        Password::chosen(typed.to_owned(), 8, Some(&name)).map(|_| ())
    }

    #[test]
    fn length_counts_after_normalisation() {
        // Eight letters with eight combining marks are eight code points in NFC.
        assert_eq!(chosen(&"e\u{301}".repeat(7)), Err(Problem::PasswordTooShort { min: 8 }));
        assert_eq!(chosen(&"e\u{301}".repeat(8)), Ok(()));
        assert_eq!(chosen(&"e\u{301}".repeat(128)), Ok(()));
        assert_eq!(chosen(&"é".repeat(129)), Err(Problem::PasswordTooLong));
        assert_eq!(chosen(&"x".repeat(1_000_000)), Err(Problem::PasswordTooLong));
    }

    #[test]
    fn it_is_not_the_name_in_any_spelling() {
        assert_eq!(chosen("mallory7"), Err(Problem::PasswordIsUsername));
        assert_eq!(chosen("ＭＡＬＬＯＲＹ7"), Err(Problem::PasswordIsUsername));
        assert_eq!(chosen("mallory7!"), Ok(()));
    }

    #[test]
    fn it_is_not_trimmed_and_does_not_print() {
        let password = Password::presented(" Geheimnis\u{0} ".to_owned());
        assert_eq!(password.expose(), " Geheimnis\u{0} ");
        assert!(!format!("{password:?}").contains("Geheimnis"));
    }
}
