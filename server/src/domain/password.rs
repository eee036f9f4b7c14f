//! Password policy, and the normal form in which passwords are compared.

use app::validation::{self, Problem, ServerProblem};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize, Zeroizing};

use super::{common_passwords::CommonPasswords, email_address, fold, username::Username};

/// Code points of the shortest username that a password is searched for: shorter ones occur in many
/// words.
const NAME_MIN: usize = 4;

/// Requirements on new passwords.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Minimum length in code points.
    pub min: usize,
    /// The blocklist of common passwords, if enabled.
    pub common: Option<&'static CommonPasswords<'static>>,
}

/// A password in NFC (NIST SP 800-63B-4 §3.1.1.2). It is not printed, and zeroized on drop.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    /// A password presented for login: any text.
    #[must_use]
    pub fn presented(mut typed: String) -> Self {
        let nfc: String = typed.nfc().collect();
        typed.zeroize();
        Self(nfc.into())
    }

    /// Checks a new password of an account. There are no composition rules: its length counts, and
    /// that it resembles neither the username nor a common password.
    ///
    /// # Errors
    ///
    /// The [`Problem`] that makes the password unacceptable.
    pub fn chosen(
        typed: String,
        policy: &Policy,
        username: Option<&Username>,
    ) -> Result<Self, Problem> {
        // A longer text cannot pass: its normal form is not computed.
        if typed.len() > validation::password::MAX_BYTES {
            return Err(Problem::PasswordTooLong);
        }
        let password = Self::presented(typed);
        validation::password::check(password.expose(), policy.min)?;
        if let Some(username) = username {
            password.check_against(username.key(), policy.min)?;
            let readable = email_address::readable(username.key());
            if readable != username.key() {
                password.check_against(&readable, policy.min)?;
            }
        }
        if policy.common.is_some_and(|common| common.contains(password.expose())) {
            return Err(ServerProblem::PasswordCommon.into());
        }
        Ok(password)
    }

    /// Rejects the username, the part of an e-mail address before the `@`, and either with a few
    /// characters added: fewer than half of the minimum length.
    fn check_against(&self, name: &str, min: usize) -> Result<(), Problem> {
        let folded = Zeroizing::new(fold(self.expose().trim()));
        if *folded == name {
            return Err(Problem::PasswordIsUsername);
        }
        let local = name.split('@').next().unwrap_or(name);
        let is_all_but = |name: &str| {
            let rest = Zeroizing::new(folded.replacen(name, "", 1));
            rest.len() < folded.len() && rest.chars().count() * 2 < min
        };
        let is_like =
            |name: &str| *folded == name || (name.chars().count() >= NAME_MIN && is_all_but(name));
        if is_like(name) || is_like(local) { Err(Problem::PasswordLikeUsername) } else { Ok(()) }
    }

    /// Returns the password.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::common_passwords::COMMON_PASSWORDS;

    const POLICY: Policy = Policy { min: 8, common: Some(&COMMON_PASSWORDS) };

    fn chosen_by(name: &str, typed: &str) -> Result<(), Problem> {
        let name = Username::parse(name).expect("a name");
        Password::chosen(typed.to_owned(), &POLICY, Some(&name)).map(|_| ())
    }

    fn chosen(typed: &str) -> Result<(), Problem> {
        chosen_by("Mallory7", typed)
    }

    #[test]
    fn chosen_password_length_counts_in_nfc() {
        // Eight letters with eight combining marks are eight code points in NFC.
        assert_eq!(chosen(&"e\u{301}".repeat(7)), Err(Problem::PasswordTooShort { min: 8 }));
        assert_eq!(chosen(&"e\u{301}".repeat(8)), Ok(()));
        assert_eq!(chosen(&"e\u{301}".repeat(128)), Ok(()));
        assert_eq!(chosen(&"é".repeat(129)), Err(Problem::PasswordTooLong));
        assert_eq!(chosen(&"x".repeat(1_000_000)), Err(Problem::PasswordTooLong));
    }

    #[test]
    fn chosen_password_equal_to_username_is_rejected() {
        assert_eq!(chosen("mallory7"), Err(Problem::PasswordIsUsername));
        assert_eq!(chosen(" ＭＡＬＬＯＲＹ7"), Err(Problem::PasswordIsUsername));
        assert_eq!(
            chosen_by("ada.lovelace@example.com", "Ada.Lovelace@Example.com"),
            Err(Problem::PasswordIsUsername)
        );
    }

    #[test]
    fn chosen_password_resembling_username_is_rejected() {
        for typed in ["mallory7!", "Mallory7123", "!!MALLORY7!"] {
            assert_eq!(chosen(typed), Err(Problem::PasswordLikeUsername), "{typed}");
        }
        for typed in ["mallory7-2027", "7yrollam", "mallory and I"] {
            assert_eq!(chosen(typed), Ok(()), "{typed}");
        }
        for typed in ["ada.lovelace", "Ada.Lovelace1", "ada.lovelace@example.com!"] {
            assert_eq!(
                chosen_by("ada.lovelace@example.com", typed),
                Err(Problem::PasswordLikeUsername),
                "{typed}"
            );
        }
        // A short name occurs in many words.
        assert_eq!(chosen_by("bob", "bobsleds"), Ok(()));
    }

    #[test]
    fn chosen_common_password_is_rejected() {
        for typed in ["12345678", "Password1", "ｑｗｅｒｔｙｕｉｏｐ", "passwordpassword"]
        {
            assert_eq!(chosen(typed), Err(ServerProblem::PasswordCommon.into()), "{typed}");
        }
        let lenient = Policy { common: None, ..POLICY };
        assert!(Password::chosen("12345678".to_owned(), &lenient, None).is_ok());
    }

    #[test]
    fn debug_of_password_hides_untrimmed_text() {
        let password = Password::presented(" Geheimnis\u{0} ".to_owned());
        assert_eq!(password.expose(), " Geheimnis\u{0} ");
        assert!(!format!("{password:?}").contains("Geheimnis"));
    }
}
