//! User accounts: names, passwords, registration and profiles.

pub mod common_passwords;
pub mod email_address;
mod fair_queue;
pub mod hashing;
pub mod password;
mod profile;
mod registration;
pub mod user_cache;
pub mod username;

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

pub use registration::AccountService;

/// Folds case and compatibility variants (Unicode Standard §3.13, D146: compatibility caseless
/// matching, composed).
pub(crate) fn fold(text: &str) -> String {
    text.nfd().default_case_fold().nfkc().default_case_fold().nfkc().collect()
}
