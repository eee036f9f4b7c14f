//! One-time codes: a token of 256 bits in a link, and beside it eight digits to type.
//!
//! A reader of the database learns neither: it has their SHA-256 only. Eight digits alone could be
//! found by trying all of them, so they are hashed with the id of the request that asked for them,
//! which only a cookie of that browser has. ASVS 5.0, 6.5.1, 6.5.2 and 6.6.2.

use std::fmt;

use app::i18n::mail::{CodeParts, Secret};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::clock::Env;

/// Attempts to type the digits of a code.
pub const MAX_TRIES: i32 = 5;
/// Number of codes of one purpose that an account has at the same time: a new one replaces the
/// oldest.
pub const MAX_VALID: u64 = 3;

const TOKEN_BYTES: usize = 32;
const DIGITS: usize = 8;

/// Purpose of a code: it can be used for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Confirms an address that an account claims.
    Verify,
    /// Sets a new password.
    Reset,
    /// Confirms the address that is to replace the one of an account.
    Change,
    /// Undoes what an alert was about.
    Undo,
    /// Registers an account.
    Invite,
}

impl Purpose {
    /// All variants.
    pub const ALL: [Self; 5] = [Self::Verify, Self::Reset, Self::Change, Self::Undo, Self::Invite];

    /// Stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::Change => "change",
            Self::Undo => "undo",
            Self::Invite => "invite",
        }
    }

    /// Parses the stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }

    /// Lifetime of a code in seconds.
    #[must_use]
    pub const fn lifetime(self) -> i64 {
        match self {
            Self::Verify => 24 * 3600,
            Self::Reset => 30 * 60,
            Self::Change => 3600,
            Self::Undo => 72 * 3600,
            Self::Invite => 7 * 24 * 3600,
        }
    }

    /// Returns whether codes of an account replace each other: the newest [`MAX_VALID`] are valid,
    /// and the use of one invalidates all. Alerts and invitations stand for themselves: a later
    /// alert must not take away the way to undo an earlier one.
    #[must_use]
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Self::Verify | Self::Reset | Self::Change)
    }

    /// Returns whether digits count that are not bound to a browser: where the endpoint checks an
    /// access token of the account. A reset is public, and five attempts of any visitor would be
    /// many.
    #[must_use]
    pub const fn allows_unbound_digits(self) -> bool {
        matches!(self, Self::Verify | Self::Change)
    }
}

/// Token of a link: 256 random bits in base64url. Its `Debug` form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Returns a random token.
    #[must_use]
    pub fn generate(env: &Env) -> Self {
        Self(URL_SAFE_NO_PAD.encode(env.random::<TOKEN_BYTES>()))
    }

    /// Parses a token that a client presents; [`None`] if it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse_random(text).map(Self)
    }

    /// The token for a link.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its SHA-256 in base64url: the stored form.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&["token", &self.0])
    }
}

/// Id of the request that has asked for a code: 256 random bits, which a cookie binds to a browser.
/// Its `Debug` form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// Returns a random id.
    #[must_use]
    pub fn generate(env: &Env) -> Self {
        Self(URL_SAFE_NO_PAD.encode(env.random::<TOKEN_BYTES>()))
    }

    /// Parses the value of a cookie; [`None`] if it cannot be an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse_random(text).map(Self)
    }

    /// The value for a cookie.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its SHA-256 in base64url: the stored form.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&["request", &self.0])
    }
}

/// The eight digits of a code. Their `Debug` form does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Digits(String);

impl Digits {
    /// Returns random digits.
    #[must_use]
    pub fn generate(env: &Env) -> Self {
        // The remainder prefers some digits by less than 1 in 10^11.
        let number = u64::from_le_bytes(env.random::<8>()) % 100_000_000;
        Self(format!("{number:0DIGITS$}"))
    }

    /// Parses digits as they were typed, with white space and hyphens anywhere and full-width digits
    /// of Chinese keyboards; [`None`] if they are not eight digits.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let digits: Option<String> = typed
            .chars()
            .filter(|character| !character.is_whitespace() && *character != '-')
            .map(|character| match character {
                '0'..='9' => Some(character),
                '０'..='９' => char::from_digit(u32::from(character) - u32::from('０'), 10),
                _ => None,
            })
            .collect();
        digits.filter(|digits| digits.len() == DIGITS).map(Self)
    }

    /// The digits without white space.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Their SHA-256 with what they are bound to, in base64url: the stored form.
    #[must_use]
    pub fn hash(&self, purpose: Purpose, user: Uuid, request: Option<&RequestId>) -> String {
        let request = request.map_or("", RequestId::as_str);
        hash(&["digits", purpose.as_str(), &user.to_string(), request, &self.0])
    }
}

/// A new code, before it is stored.
#[derive(Clone, Debug)]
pub struct OneTimeCode {
    /// A UUIDv7.
    pub id: Uuid,
    /// Purpose.
    pub purpose: Purpose,
    /// The account; of an invitation, the administrator. [`None`] for an invitation by the command
    /// line.
    pub user: Option<Uuid>,
    /// E-mail address: the one to confirm, to restore or to invite.
    pub address: Option<String>,
    /// Token of the link.
    pub token: Token,
    /// Digits to type. They count for the account of the code only.
    pub digits: Digits,
    /// Browser in which the digits count; [`None`]: wherever the account is logged in, so that the
    /// endpoint must check an access token.
    pub request: Option<RequestId>,
    /// Seconds of Unix time.
    pub created_at: i64,
    /// Seconds of Unix time.
    pub expires_at: i64,
}

impl OneTimeCode {
    /// Makes a code that is valid from now on.
    #[must_use]
    pub fn generate(
        env: &Env,
        purpose: Purpose,
        user: Option<Uuid>,
        address: Option<String>,
        request: Option<RequestId>,
    ) -> Self {
        let now = env.now();
        Self {
            id: env.uuid(),
            purpose,
            user,
            address,
            token: Token::generate(env),
            digits: Digits::generate(env),
            request,
            created_at: now,
            expires_at: now.saturating_add(purpose.lifetime()),
        }
    }

    /// The secrets for a mail.
    #[must_use]
    pub fn parts(&self) -> CodeParts {
        CodeParts { token: self.link_secret(), digits: Secret(self.digits.0.clone()) }
    }

    /// The token for a mail that has no digits.
    #[must_use]
    pub fn link_secret(&self) -> Secret {
        Secret(self.token.0.clone())
    }
}

/// Code as a client presents it.
#[derive(Clone, Debug)]
pub enum PresentedCode {
    /// Token of the link.
    Token(Token),
    /// Digits, for an account.
    Digits {
        /// The account.
        user: Uuid,
        /// The digits.
        digits: Digits,
        /// The browser, from its cookie. Digits that are bound to a browser do not match without.
        request: Option<RequestId>,
    },
}

/// A code that was used. It cannot be used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpentCode {
    /// Id.
    pub id: Uuid,
    /// Purpose.
    pub purpose: Purpose,
    /// The account; of an invitation, the administrator.
    pub user: Option<Uuid>,
    /// E-mail address.
    pub address: Option<String>,
    /// Seconds of Unix time.
    pub created_at: i64,
}

/// Parses 256 bits in base64url. Any other spelling of the same bits is rejected.
fn parse_random(text: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    (bytes.len() == TOKEN_BYTES).then(|| text.to_owned())
}

/// Hashes parts, none of which contains a zero byte.
fn hash(parts: &[&str]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(parts.join("\0")))
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestId(…)")
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digits(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Env {
        Env::system()
    }

    #[test]
    fn token_parse_of_other_texts_returns_none() {
        let token = Token::generate(&env());
        assert_eq!(token.as_str().len(), 43);
        assert_eq!(Token::parse(token.as_str()), Some(token.clone()));
        let cut = &token.as_str()[1..];
        let long = format!("{}A", token.as_str());
        // The last character has two unused bits: only one spelling is accepted.
        let loose = format!("{}B", "A".repeat(42));
        for text in ["", "-", cut, &long, &loose, &format!(" {}", token.as_str())] {
            assert_eq!(Token::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn digits_parse_of_spaced_and_full_width_digits_returns_them() {
        for typed in ["12345678", " 1234 5678\n", "1234-5678", "１２３４　５６７８"] {
            let digits = Digits::parse(typed).unwrap_or_else(|| panic!("{typed:?}"));
            assert_eq!(digits.as_str(), "12345678", "{typed:?}");
        }
        for typed in ["", "1234567", "123456789", "1234567a", "١٢٣٤٥٦٧٨", "+1234567"] {
            assert_eq!(Digits::parse(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn digits_hash_depends_on_purpose_account_and_browser() {
        let (digits, user) = (Digits("00000001".to_owned()), Uuid::from_u128(1));
        let request = RequestId::generate(&env());
        let hash = digits.hash(Purpose::Reset, user, Some(&request));
        assert_eq!(hash.len(), 43);
        assert_eq!(digits.hash(Purpose::Reset, user, Some(&request)), hash);
        for other in [
            Digits("00000002".to_owned()).hash(Purpose::Reset, user, Some(&request)),
            digits.hash(Purpose::Verify, user, Some(&request)),
            digits.hash(Purpose::Reset, Uuid::from_u128(2), Some(&request)),
            digits.hash(Purpose::Reset, user, Some(&RequestId::generate(&env()))),
            digits.hash(Purpose::Reset, user, None),
        ] {
            assert_ne!(other, hash);
        }
    }

    #[test]
    fn generate_gives_each_purpose_its_lifetime_and_other_secrets() {
        let env = env();
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::parse(purpose.as_str()), Some(purpose));
            let [one, other] =
                [0, 1].map(|_| OneTimeCode::generate(&env, purpose, None, None, None));
            assert_eq!(one.expires_at - one.created_at, purpose.lifetime());
            assert_ne!(one.token, other.token);
            assert_eq!(Digits::parse(one.digits.as_str()), Some(one.digits));
        }
    }

    #[test]
    fn debug_of_a_code_shows_no_secret() {
        let request = RequestId::generate(&env());
        let code = OneTimeCode::generate(&env(), Purpose::Reset, None, None, Some(request.clone()));
        let shown = format!("{code:?}");
        for secret in [code.token.as_str(), code.digits.as_str(), request.as_str()] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
