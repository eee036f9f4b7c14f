//! Changes that a one-time code authorizes, and mails that carry codes.
//!
//! A code is spent in the transaction of the change. The change is committed also if the code does
//! not match, since wrong digits are counted.

use app::i18n::mail::AlertKind;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AddressVerification, AuditEntry, EndedAccess, Event, NewUser, PasswordChange,
    Store, StoreError, StoredUser, VerificationContext, VerificationOutcome, addresses,
    alerts::{AlertEvent, Alerts},
    audit,
    entities::{
        one_time_code::{self, Column},
        user,
    },
    login_failures, one_time_codes, outbox, passwords, users,
};
use crate::domain::{
    email_address::EmailAddress,
    message::Message,
    one_time_code::{OneTimeCode, PresentedCode, Purpose, SpentCode, Token},
};

/// A code, and the mail that carries it.
#[derive(Clone, Debug)]
pub struct MailedCode {
    /// The code.
    pub code: OneTimeCode,
    /// The mail.
    pub message: Message,
}

/// A password reset.
#[derive(Clone)]
pub struct ResetChange {
    /// The code.
    pub code: PresentedCode,
    /// Password hash as a PHC string.
    pub new_hash: String,
    /// Verification of the address that the code was sent to.
    pub verification: VerificationContext,
    /// Subjects of failed logins to clear, by account.
    pub subjects: fn(&StoredUser, username_key: &str) -> Vec<String>,
}

/// Outcome of a verification by a code.
#[derive(Clone, Debug)]
pub struct CodeVerification {
    /// The account.
    pub user: Uuid,
    /// The address.
    pub address: EmailAddress,
    /// The outcome.
    pub outcome: VerificationOutcome,
}

/// A registration.
#[derive(Clone, Debug)]
pub struct NewRegistration {
    /// The account.
    pub user: NewUser,
    /// Token of the invitation to use up.
    pub invitation: Option<Token>,
    /// Address that waits for its verification, with the id of its row.
    pub pending: Option<(Uuid, EmailAddress, MailedCode)>,
    /// Verification of the address that the invitation was sent to.
    pub verification: VerificationContext,
}

/// Outcome of a registration.
#[derive(Clone, Debug)]
pub enum RegistrationOutcome {
    /// The account was created.
    Registered(Box<StoredUser>),
    /// The invitation is not valid. Nothing was changed.
    InvitationInvalid,
}

/// A valid invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInvitation {
    /// Its id.
    pub id: Uuid,
    /// Address that it was sent to.
    pub address: Option<String>,
    /// The administrator; [`None`] for one by the command line.
    pub user: Option<Uuid>,
    /// Seconds of Unix time.
    pub created_at: i64,
    /// Seconds of Unix time.
    pub expires_at: i64,
}

impl Store {
    /// Issues a code and enqueues the mail that carries it, if there is one.
    pub async fn issue_code(
        &self,
        code: OneTimeCode,
        message: Option<Message>,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move { issue(transaction, &code, message, entry).await })
            })
            .await
    }

    /// Sends a verification again. `pending` is the id of a row for an address that has none yet.
    pub async fn send_verification(
        &self,
        user: Uuid,
        pending: Option<(Uuid, EmailAddress)>,
        mailed: MailedCode,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    if let Some((id, address)) = &pending {
                        addresses::set_pending(transaction, user, Some((*id, address)), entry.at)
                            .await?;
                    }
                    send(transaction, mailed).await?;
                    audit::insert(transaction, entry).await
                })
            })
            .await
    }

    /// Verifies an address by a code. [`None`] if the code is not valid, or its account is disabled.
    /// The address that was replaced is told.
    pub async fn verify_by_code(
        &self,
        code: PresentedCode,
        verification: VerificationContext,
        entry: AuditEntry,
    ) -> Result<Option<CodeVerification>, StoreError> {
        let alerts = self.alerts.clone();
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let purposes = [Purpose::Verify, Purpose::Change];
                    let spent =
                        one_time_codes::spend(transaction, &code, &purposes, entry.at).await?;
                    let Some((user, _, address)) = spent_for(transaction, spent.as_ref()).await?
                    else {
                        return Ok(None);
                    };
                    let entry = AuditEntry { user: Some(user), ..entry };
                    let because = entry.clone();
                    let outcome = verify(transaction, user, &address, verification, entry).await?;
                    if let VerificationOutcome::Verified(verified) = &outcome
                        && let Some(previous) = &verified.previous
                        && let Some(event) = AlertEvent::of(AlertKind::AddressChanged, &because)
                    {
                        alerts.send_to(transaction, event, previous).await?;
                    }
                    Ok(Some(CodeVerification { user, address, outcome }))
                })
            })
            .await
    }

    /// Sets a new password by a code, ends all sessions, and verifies the address that the code was
    /// sent to. [`None`] if the code is not valid, its account is disabled, or the address is not
    /// that of the account any more.
    pub async fn reset_password(
        &self,
        reset: ResetChange,
        entry: AuditEntry,
    ) -> Result<Option<EndedAccess>, StoreError> {
        let alerts = self.alerts.clone();
        self.writer
            .write(move |transaction| {
                Box::pin(async move { set(transaction, reset, entry, &alerts).await })
            })
            .await
    }

    /// Creates an account, and uses up an invitation.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if the username is taken, also by a concurrent registration.
    pub async fn register(
        &self,
        new: NewRegistration,
        entry: AuditEntry,
    ) -> Result<RegistrationOutcome, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move { register(transaction, new, entry).await })
            })
            .await
    }

    /// Returns the valid invitations, newest first.
    pub async fn invitations(&self, now: i64) -> Result<Vec<StoredInvitation>, StoreError> {
        let rows = one_time_code::Entity::find()
            .filter(Column::Purpose.eq(Purpose::Invite.as_str()).and(Column::ExpiresAt.gt(now)))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .all(&self.read)
            .await?;
        let invitation = |row: one_time_code::Model| StoredInvitation {
            id: row.id,
            address: row.address,
            user: row.user_id,
            created_at: row.created_at,
            expires_at: row.expires_at,
        };
        Ok(rows.into_iter().map(invitation).collect())
    }

    /// Issues an invitation on behalf of an administrator's session.
    pub async fn invite_as(
        &self,
        actor: Actor,
        code: OneTimeCode,
        message: Option<Message>,
        entry: AuditEntry,
    ) -> Result<(), ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move { issue(transaction, &code, message, entry).await })
        })
        .await
    }

    /// Revokes an invitation on behalf of an administrator's session. Returns whether there was one.
    pub async fn revoke_invitation(
        &self,
        actor: Actor,
        id: Uuid,
        entry: AuditEntry,
    ) -> Result<bool, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                let deleted = one_time_code::Entity::delete_many()
                    .filter(
                        Column::Id
                            .eq(id)
                            .and(Column::Purpose.eq(Purpose::Invite.as_str()))
                            .and(Column::ExpiresAt.gt(entry.at)),
                    )
                    .exec(transaction)
                    .await?;
                if deleted.rows_affected == 0 {
                    return Ok(false);
                }
                audit::insert(transaction, entry).await?;
                Ok(true)
            })
        })
        .await
    }
}

/// Issues a code, enqueues the mail that carries it, if there is one, and audits it.
async fn issue(
    connection: &impl ConnectionTrait,
    code: &OneTimeCode,
    message: Option<Message>,
    entry: AuditEntry,
) -> Result<(), StoreError> {
    one_time_codes::issue(connection, code).await?;
    if let Some(message) = message {
        outbox::enqueue(connection, message).await?;
    }
    audit::insert(connection, entry).await
}

/// Issues a code and enqueues its mail.
pub(super) async fn send(
    connection: &impl ConnectionTrait,
    mailed: MailedCode,
) -> Result<(), StoreError> {
    one_time_codes::issue(connection, &mailed.code).await?;
    outbox::enqueue(connection, mailed.message).await
}

/// Returns the account and the address of a code that was used; [`None`] if the account is gone or
/// disabled.
async fn spent_for(
    connection: &impl ConnectionTrait,
    spent: Option<&SpentCode>,
) -> Result<Option<(Uuid, StoredUser, EmailAddress)>, StoreError> {
    let Some(SpentCode { user: Some(user), address: Some(address), .. }) = spent else {
        return Ok(None);
    };
    let Some(row) = user::Entity::find_by_id(*user).one(connection).await? else {
        return Ok(None);
    };
    if row.disabled_at.is_some() {
        return Ok(None);
    }
    let account = StoredUser::read(connection, row).await?;
    Ok(Some((*user, account, addresses::parse_stored(address)?)))
}

async fn verify(
    connection: &impl ConnectionTrait,
    user: Uuid,
    address: &EmailAddress,
    context: VerificationContext,
    entry: AuditEntry,
) -> Result<VerificationOutcome, StoreError> {
    let verification = AddressVerification { user, address: address.clone(), context };
    addresses::verify(connection, verification, entry).await
}

async fn set(
    connection: &impl ConnectionTrait,
    reset: ResetChange,
    entry: AuditEntry,
    alerts: &Alerts,
) -> Result<Option<EndedAccess>, StoreError> {
    let ResetChange { code, new_hash, verification, subjects } = reset;
    let spent = one_time_codes::spend(connection, &code, &[Purpose::Reset], entry.at).await?;
    let Some((user, account, address)) = spent_for(connection, spent.as_ref()).await? else {
        return Ok(None);
    };
    let Some(username_key) = users::username_key(connection, user).await? else { return Ok(None) };
    let is_current = match &account.addresses.verified {
        Some(verified) => verified.key() == address.key(),
        None => username_key == address.key(),
    };
    if !is_current {
        return Ok(None);
    }
    let mut access = EndedAccess { user, former: None, ended: Vec::new() };
    if account.is_email_verified() {
        addresses::set_pending(connection, user, None, entry.at).await?;
        one_time_codes::revoke(connection, user, &[Purpose::Verify, Purpose::Change]).await?;
    } else {
        // The owner of the address has not set the password, nor any other address of the account.
        let verifying = AuditEntry { event: Event::AddressVerified, ..entry.clone() };
        match verify(connection, user, &address, verification, verifying).await? {
            VerificationOutcome::Verified(verified) => access = verified.access,
            VerificationOutcome::Taken | VerificationOutcome::NoAccount => return Ok(None),
        }
    }
    for subject in subjects(&account, &username_key) {
        login_failures::clear(connection, &subject).await?;
    }
    let change =
        PasswordChange { user, old_hash: None, new_hash, kept: None, cleared_subject: None };
    let entry = AuditEntry { user: Some(user), ..entry };
    let own = passwords::change_password(connection, change, entry, alerts).await?;
    access.ended.extend(own.unwrap_or_default());
    Ok(Some(access))
}

async fn register(
    connection: &impl ConnectionTrait,
    new: NewRegistration,
    entry: AuditEntry,
) -> Result<RegistrationOutcome, StoreError> {
    let NewRegistration { user, invitation, pending, verification } = new;
    // Nothing is written before the account: a conflict must not have changed anything.
    let mut invited = None;
    if let Some(token) = &invitation {
        let found =
            one_time_codes::of_token(connection, token, &[Purpose::Invite], entry.at).await?;
        let Some(found) = found else { return Ok(RegistrationOutcome::InvitationInvalid) };
        invited = found.address.as_deref().map(addresses::parse_stored).transpose()?;
    }
    let stored = users::insert(connection, user, entry.client_info.lang).await?;
    if let Some(token) = invitation {
        let code = PresentedCode::Token(token);
        one_time_codes::spend(connection, &code, &[Purpose::Invite], entry.at).await?;
    }
    let id = stored.user.id;
    audit::insert(connection, entry.clone()).await?;
    match invited {
        Some(address) => {
            // The invitation came by mail: the address is that of the new user, unless another
            // account has verified it.
            let entry = AuditEntry { event: Event::AddressVerified, ..entry };
            verify(connection, id, &address, verification, entry).await?;
        }
        None => {
            if let Some((row, address, mailed)) = pending {
                addresses::set_pending(connection, id, Some((row, &address)), entry.at).await?;
                send(connection, mailed).await?;
            }
        }
    }
    Ok(RegistrationOutcome::Registered(Box::new(stored)))
}
