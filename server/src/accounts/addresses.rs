//! Verification of addresses.

use uuid::Uuid;

use super::hashing::{HashError, unusable_hash};
use crate::{
    clock::Env,
    domain::{
        email_address::EmailAddress,
        username::{self, Username},
    },
    store::{AddressVerification, Renaming, StoredUser},
};

/// Describes the verification of an address of an account.
///
/// # Errors
///
/// [`HashError`] if Argon2 rejects the cost of the unusable hash.
pub fn verification(
    env: &Env,
    user: Uuid,
    address: EmailAddress,
) -> Result<AddressVerification, HashError> {
    Ok(AddressVerification { user, address, renaming: renaming(env)?, id: env.uuid() })
}

/// Describes what an account gets in place of a username that belongs to another person.
///
/// # Errors
///
/// [`HashError`] if Argon2 rejects the cost of the unusable hash.
pub fn renaming(env: &Env) -> Result<Renaming, HashError> {
    // 64 random bits: neither taken nor guessed.
    let username = format!("user-{:016x}", u64::from_le_bytes(env.random()));
    let name = username::name_of(&username);
    Ok(Renaming { username, name, password_hash: unusable_hash(env)? })
}

/// Returns the address of an account that could be verified: the one that waits for it, else the
/// contact address, else the username, if that is an address. `None` if it is verified, or there is
/// none.
#[must_use]
pub fn unverified(account: &StoredUser) -> Option<EmailAddress> {
    if let Some(pending) = &account.addresses.pending {
        return Some(pending.clone());
    }
    if account.addresses.verified.is_some() {
        return None;
    }
    match &account.email {
        Some(email) => EmailAddress::parse(email).ok(),
        None => username_address(&account.user.username),
    }
}

/// Returns the address that a username is, if it is one.
#[must_use]
pub fn username_address(username: &str) -> Option<EmailAddress> {
    let username = Username::parse(username).ok()?;
    EmailAddress::parse(username.shown()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renaming_makes_a_valid_username_that_differs_each_time() {
        let env = Env::system();
        let (one, other) = (renaming(&env).unwrap(), renaming(&env).unwrap());
        let username = Username::parse(&one.username).unwrap();
        assert_eq!(username.name(), &one.name);
        assert_ne!(one.username, other.username);
        assert_ne!(one.password_hash, other.password_hash);
    }
}
