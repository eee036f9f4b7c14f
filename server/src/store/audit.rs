//! Who did what, when, from where, and how it ended: written with what it tells of, or not at all.

use app::backend::Origin;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait as _, NotSet, QueryOrder as _};
use uuid::Uuid;

use super::{Store, StoreError, entities::audit_event};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account was made.
    Registered,
    /// Somebody has tried to log in.
    LoggedIn,
    /// Somebody has asked for a session's next tokens: only what is out of the ordinary is in the log.
    Refreshed,
    /// A refresh token or an access token was presented that somebody else must have had.
    RefreshReused,
    /// A person has logged out.
    LoggedOut,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it was meant.
    Success,
    /// There is no such account.
    UnknownAccount,
    /// The password was another.
    WrongPassword,
    /// The account is disabled.
    Disabled,
    /// It was tried too often, and not looked at. The first of many stands for all.
    Throttled,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Seconds of Unix time.
    pub at: i64,
    /// What happened.
    pub event: Event,
    /// How it ended.
    pub outcome: Outcome,
    /// Whose account it was about, where there is one.
    pub user: Option<Uuid>,
    /// Which session it was about, where there is one.
    pub session: Option<Uuid>,
    /// From where it was asked for.
    pub origin: Origin,
}

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Seconds of Unix time.
    pub at: i64,
    /// What happened.
    pub event: String,
    /// How it ended.
    pub outcome: String,
    /// Whose account it was about.
    pub user: Option<Uuid>,
    /// Which session it was about.
    pub session: Option<Uuid>,
    /// The address from where it was asked for.
    pub address: Option<String>,
    /// What the program that asked calls itself.
    pub user_agent: Option<String>,
}

impl Event {
    /// As it is written down.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::LoggedIn => "logged_in",
            Self::Refreshed => "refreshed",
            Self::RefreshReused => "refresh_reused",
            Self::LoggedOut => "logged_out",
        }
    }
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::UnknownAccount => "unknown_account",
            Self::WrongPassword => "wrong_password",
            Self::Disabled => "disabled",
            Self::Throttled => "throttled",
        }
    }
}

/// Writes an entry down, as part of the change that it tells of.
pub(super) async fn insert(connection: &impl ConnectionTrait, entry: AuditEntry) -> Result<(), StoreError> {
    audit_event::Entity::insert(audit_event::ActiveModel {
        id: NotSet,
        at: Set(entry.at),
        event: Set(entry.event.as_str().to_owned()),
        outcome: Set(entry.outcome.as_str().to_owned()),
        user_id: Set(entry.user),
        session_id: Set(entry.session),
        address: Set(entry.origin.address.map(|address| address.to_string())),
        user_agent: Set(entry.origin.user_agent),
    })
    .exec_without_returning(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Writes down what has changed nothing else.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn insert_audit_entry(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.writer.write(move |transaction| Box::pin(insert(transaction, entry))).await
    }

    /// The audit log, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn audit_entries(&self) -> Result<Vec<StoredEntry>, StoreError> {
        let rows = audit_event::Entity::find().order_by_asc(audit_event::Column::Id).all(&self.read).await?;
        Ok(rows
            .into_iter()
            .map(|row| StoredEntry {
                at: row.at,
                event: row.event,
                outcome: row.outcome,
                user: row.user_id,
                session: row.session_id,
                address: row.address,
                user_agent: row.user_agent,
            })
            .collect())
    }
}
