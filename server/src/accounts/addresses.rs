//! Verification of addresses.

use app::{
    backend::Failure,
    i18n::{Lang, mail::Mail},
    protocol::error::Code,
};
use uuid::Uuid;

use super::hashing::{HashError, unusable_hash};
use crate::{
    clock::Env,
    domain::{
        email_address::EmailAddress,
        message::Message,
        one_time_code::{OneTimeCode, Purpose, SpentCode, Token},
        username::{self, Username},
    },
    failure::internal,
    store::{AddressVerification, MailedCode, Renaming, Store, StoredUser, VerificationContext},
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
    Ok(AddressVerification { user, address, context: verification_context(env)? })
}

/// Makes the values for the rows that a verification writes.
///
/// # Errors
///
/// [`HashError`] if Argon2 rejects the cost of the unusable hash.
pub fn verification_context(env: &Env) -> Result<VerificationContext, HashError> {
    Ok(VerificationContext { id: env.uuid(), renaming: renaming(env)? })
}

/// Parses a token of a link, and returns it with its code, which is not used up: a transaction, and
/// the hash of a password, are not spent on a token that is none.
///
/// # Errors
///
/// `code_invalid` if the token is not that of a valid code of one of the purposes.
pub async fn code_of_token(
    store: &Store,
    text: &str,
    purposes: &[Purpose],
    now: i64,
) -> Result<(Token, SpentCode), Failure> {
    let invalid = || Failure::from(Code::CodeInvalid);
    let token = Token::parse(text).ok_or_else(invalid)?;
    let found = store.code_of_token(&token, purposes, now).await.map_err(internal)?;
    Ok((token, found.ok_or_else(invalid)?))
}

/// Makes a random username, which is a handle, and a hash that no password has.
fn renaming(env: &Env) -> Result<Renaming, HashError> {
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

/// Makes the code and the mail by which the owner of an address verifies it for an account. An
/// address that is to replace a verified one has a shorter time.
#[must_use]
pub fn mailed_verification(env: &Env, account: &StoredUser, address: &EmailAddress) -> MailedCode {
    let is_change = account.addresses.verified.is_some();
    mail_verification(env, account.user.id, account.lang, address, is_change)
}

/// Like [`mailed_verification`], for an account that is not stored yet.
#[must_use]
pub fn mail_verification(
    env: &Env,
    user: Uuid,
    lang: Lang,
    address: &EmailAddress,
    is_change: bool,
) -> MailedCode {
    let purpose = if is_change { Purpose::Change } else { Purpose::Verify };
    let shown = Some(address.shown().to_owned());
    let code = OneTimeCode::generate(env, purpose, Some(user), shown, None);
    let mail = match purpose {
        Purpose::Change => Mail::ChangeAddress(code.parts()),
        _ => Mail::VerifyAddress(code.parts()),
    };
    let message = Message::new(env, Some(user), address.shown().to_owned(), lang, mail);
    MailedCode { code, message }
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
