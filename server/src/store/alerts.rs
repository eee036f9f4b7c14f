//! Alerts: messages to the owner of an account about what has happened to it, with a link that undoes
//! it ("It was not me").
//!
//! The code of an alert names the address that it was sent to. Its use restores that address, ends
//! all sessions, takes the password away, which another person may know, and sends a reset to that
//! address alone.

use app::{
    backend::ClientInfo,
    i18n::{
        Lang,
        mail::{Alert, AlertKind, Mail, Occurrence},
    },
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
};
use uuid::Uuid;

use super::{
    AddressVerification, AuditEntry, Change, EndedAccess, Event, Store, StoreError,
    VerificationContext, VerificationOutcome, addresses, audit, changes,
    entities::{one_time_code, user},
    one_time_codes, outbox, passwords, user_sessions,
};
use crate::{
    clock::{Env, utc_minute},
    domain::{
        email_address::EmailAddress,
        message::Message,
        one_time_code::{OneTimeCode, PresentedCode, Purpose, Token},
        session::EndReason,
        user_agent,
    },
};

/// Alerts within an hour after which logins from new devices cause no further ones.
const MAX_ALERTS_PER_HOUR: u64 = 10;
/// Seconds of an hour.
const HOUR: i64 = 3600;

/// Sends alerts where mail is set up.
#[derive(Clone, Default)]
pub(super) struct Alerts(Option<Env>);

impl std::fmt::Debug for Alerts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Alerts(on)" } else { "Alerts(off)" })
    }
}

/// An event for an alert.
#[derive(Clone, Copy, Debug)]
pub(super) struct AlertEvent<'a> {
    pub(super) kind: AlertKind,
    /// The account.
    pub(super) user: Uuid,
    /// Seconds of Unix time.
    pub(super) at: i64,
    /// Client of the request; [`None`] if it is that of an administrator.
    pub(super) client: Option<&'a ClientInfo>,
}

impl<'a> AlertEvent<'a> {
    /// The event of an audit entry by the owner of the account; [`None`] if it names no account.
    pub(super) fn of(kind: AlertKind, entry: &'a AuditEntry) -> Option<Self> {
        Some(Self { kind, user: entry.user?, at: entry.at, client: Some(&entry.client_info) })
    }
}

impl Alerts {
    pub(super) fn on(env: Env) -> Self {
        Self(Some(env))
    }

    /// Enqueues an alert to the verified address of the account.
    pub(super) async fn send(
        &self,
        connection: &impl ConnectionTrait,
        event: AlertEvent<'_>,
    ) -> Result<(), StoreError> {
        if self.0.is_none() {
            return Ok(());
        }
        match addresses::of_user(connection, event.user).await?.verified {
            Some(address) => self.send_to(connection, event, &address).await,
            None => Ok(()),
        }
    }

    /// Enqueues an alert to an address, for one that the account has no more.
    pub(super) async fn send_to(
        &self,
        connection: &impl ConnectionTrait,
        event: AlertEvent<'_>,
        address: &EmailAddress,
    ) -> Result<(), StoreError> {
        let Some(env) = &self.0 else { return Ok(()) };
        let AlertEvent { kind, user, at, client } = event;
        let Some(account) = user::Entity::find_by_id(user).one(connection).await? else {
            return Ok(());
        };
        if kind == AlertKind::NewDevice
            && (!account.alert_new_device || is_flooded(connection, user, at).await?)
        {
            return Ok(());
        }
        // What an administrator does is not for the user to undo.
        let undo = if kind == AlertKind::AccountDisabled {
            None
        } else {
            let restored = Some(address.shown().to_owned());
            let code = OneTimeCode::generate(env, Purpose::Undo, Some(user), restored, None);
            one_time_codes::issue(connection, &code).await?;
            Some(code.link_secret())
        };
        // Not in the language of the request: it may be another person's.
        let lang = Lang::from_tag(&account.language).unwrap_or_default();
        let occurrence = occurrence(at, client);
        let alert = Alert { kind, username: account.username, occurrence, undo };
        let recipient = address.shown().to_owned();
        let message = Message::new(env, Some(user), recipient, lang, Mail::Alert(alert));
        outbox::enqueue(connection, message).await
    }
}

/// Returns whether an account has had so many alerts within the last hour that further ones tell its
/// owner nothing: programs without cookies are a new device with each login.
async fn is_flooded(
    connection: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<bool, StoreError> {
    let recent = one_time_code::Entity::find()
        .filter(one_time_code::Column::UserId.eq(user))
        .filter(one_time_code::Column::Purpose.eq(Purpose::Undo.as_str()))
        .filter(one_time_code::Column::CreatedAt.gt(now.saturating_sub(HOUR)))
        .count(connection)
        .await?;
    Ok(recent >= MAX_ALERTS_PER_HOUR)
}

/// Use of the link of an alert.
#[derive(Clone, Debug)]
pub struct UndoRequest {
    /// Token of the link.
    pub token: Token,
    /// A hash that no password has.
    pub password_hash: String,
    /// Code of the reset. Its account and address are those of the alert.
    pub reset: OneTimeCode,
    /// Id of the message with the reset.
    pub message: Uuid,
    /// Verification of the address, if it is restored.
    pub verification: VerificationContext,
}

impl Store {
    /// Uses the link of an alert. [`None`], and nothing done, if the token is unknown, used or
    /// expired, or its account is gone.
    pub async fn undo(
        &self,
        request: UndoRequest,
        entry: AuditEntry,
    ) -> Result<Option<EndedAccess>, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move { undo(transaction, request, entry).await })
            })
            .await
    }
}

async fn undo(
    connection: &impl ConnectionTrait,
    request: UndoRequest,
    entry: AuditEntry,
) -> Result<Option<EndedAccess>, StoreError> {
    let UndoRequest { token, password_hash, reset, message, verification } = request;
    let presented = PresentedCode::Token(token);
    let spent = one_time_codes::spend(connection, &presented, &[Purpose::Undo], entry.at).await?;
    let Some(spent) = spent else { return Ok(None) };
    let (Some(user), Some(shown)) = (spent.user, spent.address) else { return Ok(None) };
    let Some(account) = user::Entity::find_by_id(user).one(connection).await? else {
        return Ok(None);
    };
    let address = addresses::parse_stored(&shown)?;
    // Alerts that went to an address which was set later: it may be the other person's, who must
    // not be able to undo this. Those of earlier addresses stay valid.
    one_time_code::Entity::delete_many()
        .filter(one_time_code::Column::UserId.eq(user))
        .filter(one_time_code::Column::Purpose.eq(Purpose::Undo.as_str()))
        .filter(one_time_code::Column::CreatedAt.gte(spent.created_at))
        .filter(one_time_code::Column::Address.ne(shown.as_str()))
        .exec(connection)
        .await?;
    let purposes = [Purpose::Verify, Purpose::Change, Purpose::Reset];
    one_time_codes::revoke(connection, user, &purposes).await?;
    let entry = AuditEntry { user: Some(user), ..entry };
    let mut access = EndedAccess { user, former: None, ended: Vec::new() };
    let current = addresses::of_user(connection, user).await?;
    let has_pending = current.pending.is_some();
    if current.verified.is_none_or(|verified| verified.key() != address.key()) || has_pending {
        let verification = AddressVerification { user, address, context: verification };
        let because = AuditEntry { event: Event::AddressVerified, ..entry.clone() };
        // Another account may have verified it meanwhile: then it stays theirs.
        let outcome = addresses::verify(connection, verification, because).await?;
        if let VerificationOutcome::Verified(verified) = outcome {
            access = verified.access;
        }
    }
    passwords::set_new(user, None, &password_hash, entry.at).exec(connection).await?;
    changes::record(connection, [Change::Account(user)]).await?;
    let reason = EndReason::PasswordChanged;
    access.ended.extend(user_sessions::end_others(connection, None, reason, &entry).await?);
    let reset = OneTimeCode { user: Some(user), address: Some(shown.clone()), ..reset };
    one_time_codes::issue(connection, &reset).await?;
    let reset_mail = Message {
        id: message,
        user: Some(user),
        recipient: shown,
        lang: Lang::from_tag(&account.language).unwrap_or_default(),
        mail: Mail::ResetPassword { username: account.username, code: reset.parts() },
        created_at: entry.at,
    };
    outbox::enqueue(connection, reset_mail).await?;
    audit::insert(connection, entry).await?;
    Ok(Some(access))
}

fn occurrence(at: i64, client: Option<&ClientInfo>) -> Occurrence {
    let agent = client.and_then(|client| client.user_agent.as_deref()).unwrap_or_default();
    Occurrence {
        at: utc_minute(at),
        browser: user_agent::browser(agent).map(str::to_owned),
        system: user_agent::system(agent).map(str::to_owned),
        address: client.and_then(|client| client.address).map(|address| address.to_string()),
    }
}
