//! Types and rules without I/O: sessions and their rotation, token claims, usernames, passwords.
//! They take the time as an argument, and know neither the database nor HTTP.

pub mod access;
pub mod claims;
pub mod common_passwords;
pub mod email_address;
pub mod message;
pub mod one_time_code;
pub mod password;
pub mod rotation;
pub mod search_words;
pub mod session;
pub mod user_agent;
pub mod username;

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

/// Folds case and compatibility variants (Unicode Standard §3.13, D146: compatibility caseless
/// matching, composed).
pub(crate) fn fold(text: &str) -> String {
    text.nfd().default_case_fold().nfkc().default_case_fold().nfkc().collect()
}
