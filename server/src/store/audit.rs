//! Who did what, when, from where, and how it ended: written with what it tells of, or not at all.

use std::collections::HashSet;

use app::backend::ClientInfo;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, NotSet,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, Store, StoreError,
    cleanup::portion,
    entities::{
        audit_event::{self, Column},
        user,
    },
};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account was made.
    Registered,
    /// Somebody has tried to log in.
    LoggedIn,
    /// Somebody has asked for a session's next tokens: only what is out of the ordinary is in the
    /// log.
    Refreshed,
    /// A refresh token or an access token was presented that somebody else must have had.
    RefreshReused,
    /// A person has logged out.
    LoggedOut,
    /// A session was ended by something else than its person's log-out or its tokens' reuse. The
    /// detail says why.
    SessionRevoked,
    /// Another key signs tokens from now on.
    KeyRotated,
    /// A key was removed: what it has signed is refused.
    KeyRetired,
    /// A person has changed what is known of them. The detail says what of it.
    ProfileChanged,
    /// A password was changed.
    PasswordChanged,
    /// Somebody who is signed in was asked for the password.
    Reauthenticated,
    /// A log-in came from a device that was not known for the account.
    NewDevice,
    /// A person has fetched everything that is kept about them.
    Exported,
    /// An account was deleted, with everything that was kept of it. Whose it was is not told.
    AccountDeleted,
    /// An administrator has made an account.
    UserCreated,
    /// An administrator has disabled an account.
    UserDisabled,
    /// An administrator has enabled an account again.
    UserEnabled,
    /// An administrator has changed what somebody may do. The detail says to what.
    RoleChanged,
    /// A session or an account has made more changes than it may: the first of many stands for all.
    /// The detail says what it was.
    ChangeRefused,
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
    pub client_info: ClientInfo,
    /// What else there is to tell: which key it was about, or why a session was ended.
    pub detail: Option<String>,
}

/// Which entries somebody wants to see: those for which all that is given is true.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter {
    /// What happened.
    pub event: Option<Event>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Whose account it was about.
    pub user: Option<Uuid>,
    /// From when on, in seconds of Unix time.
    pub since: Option<i64>,
}

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Later entries have greater ones.
    pub id: i64,
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
    /// What else there is to tell.
    pub detail: Option<String>,
}

impl AuditEntry {
    /// That something has happened as it was meant. Who knows more of it adds that.
    #[must_use]
    pub fn of(event: Event, at: i64, client_info: ClientInfo) -> Self {
        Self {
            at,
            event,
            outcome: Outcome::Success,
            user: None,
            session: None,
            client_info,
            detail: None,
        }
    }

    /// What the server or its administrator has done to a key: it is about no account, and nobody
    /// has asked for it over the network.
    #[must_use]
    pub fn of_key(event: Event, at: i64, kid: &str) -> Self {
        Self { detail: Some(kid.to_owned()), ..Self::of(event, at, ClientInfo::default()) }
    }
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Registered,
        Self::LoggedIn,
        Self::Refreshed,
        Self::RefreshReused,
        Self::LoggedOut,
        Self::SessionRevoked,
        Self::KeyRotated,
        Self::KeyRetired,
        Self::ProfileChanged,
        Self::PasswordChanged,
        Self::Reauthenticated,
        Self::NewDevice,
        Self::Exported,
        Self::AccountDeleted,
        Self::UserCreated,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::RoleChanged,
        Self::ChangeRefused,
    ];

    /// As it is written down.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::LoggedIn => "logged_in",
            Self::Refreshed => "refreshed",
            Self::RefreshReused => "refresh_reused",
            Self::LoggedOut => "logged_out",
            Self::SessionRevoked => "session_revoked",
            Self::KeyRotated => "key_rotated",
            Self::KeyRetired => "key_retired",
            Self::ProfileChanged => "profile_changed",
            Self::PasswordChanged => "password_changed",
            Self::Reauthenticated => "reauthenticated",
            Self::NewDevice => "new_device",
            Self::Exported => "account data exported",
            Self::AccountDeleted => "account_deleted",
            Self::UserCreated => "user_created",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::RoleChanged => "role_changed",
            Self::ChangeRefused => "change_refused",
        }
    }
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Success, Self::UnknownAccount, Self::WrongPassword, Self::Disabled, Self::Throttled];

    /// As it is written down.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::UnknownAccount => "unknown_account",
            Self::WrongPassword => "wrong_password",
            Self::Disabled => "disabled",
            Self::Throttled => "throttled",
        }
    }
}

/// Makes a portion of a deleted user's entries anonymous, and returns its size.
pub(super) async fn forget_portion(
    connection: &impl ConnectionTrait,
    user: Uuid,
) -> Result<u64, StoreError> {
    let of_user = Condition::all().add(Column::UserId.eq(user));
    let done = audit_event::Entity::update_many()
        .col_expr(Column::UserId, Expr::value(None::<Uuid>))
        .col_expr(Column::SessionId, Expr::value(None::<Uuid>))
        .col_expr(Column::Address, Expr::value(None::<String>))
        .col_expr(Column::UserAgent, Expr::value(None::<String>))
        .filter(Column::Id.in_subquery(portion::<audit_event::Entity>(Column::Id, of_user)))
        .exec(connection)
        .await?;
    Ok(done.rows_affected)
}

/// Returns those of the users whose accounts exist.
async fn existing(
    connection: &impl ConnectionTrait,
    users: impl IntoIterator<Item = Uuid>,
) -> Result<HashSet<Uuid>, StoreError> {
    let users: Vec<_> = users.into_iter().collect::<HashSet<_>>().into_iter().collect();
    let mut existing = HashSet::new();
    // SQLite binds no more than 32 766 values at once.
    for some in users.chunks(1_000) {
        let found: Vec<Uuid> = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::Id.is_in(some.iter().copied()))
            .into_tuple()
            .all(connection)
            .await?;
        existing.extend(found);
    }
    Ok(existing)
}

/// Writes an entry down, as part of the change that it tells of.
pub(super) async fn insert(
    connection: &impl ConnectionTrait,
    entry: AuditEntry,
) -> Result<(), StoreError> {
    insert_all(connection, vec![entry]).await
}

/// Writes entries down, in their order. Those about an account that does not exist any more are
/// anonymous: they may come from a call that was running while the account was deleted. Nothing
/// else is written between the look-up and the entries.
pub(super) async fn insert_all(
    connection: &impl ConnectionTrait,
    entries: Vec<AuditEntry>,
) -> Result<(), StoreError> {
    let existing = existing(connection, entries.iter().filter_map(|entry| entry.user)).await?;
    let anonymous = |entry: AuditEntry| match entry.user {
        Some(user) if !existing.contains(&user) => {
            AuditEntry { user: None, session: None, client_info: ClientInfo::default(), ..entry }
        }
        _ => entry,
    };
    let rows = entries.into_iter().map(anonymous).map(|entry| audit_event::ActiveModel {
        id: NotSet,
        at: Set(entry.at),
        event: Set(entry.event.as_str().to_owned()),
        outcome: Set(entry.outcome.as_str().to_owned()),
        user_id: Set(entry.user),
        session_id: Set(entry.session),
        address: Set(entry.client_info.address.map(|address| address.to_string())),
        user_agent: Set(entry.client_info.user_agent),
        detail: Set(entry.detail),
    });
    audit_event::Entity::insert_many(rows).exec_without_returning(connection).await?;
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

    /// The same for an act of a session that has changed nothing else.
    ///
    /// # Errors
    ///
    /// [`ActError`]
    pub async fn insert_audit_entry_as(
        &self,
        actor: Actor,
        entry: AuditEntry,
    ) -> Result<(), ActError> {
        self.write_as(actor, move |transaction| Box::pin(insert(transaction, entry))).await
    }

    /// The audit log, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn audit_entries(&self) -> Result<Vec<StoredEntry>, StoreError> {
        self.audit_page(AuditFilter::default(), 0, u64::MAX).await
    }

    /// Some entries of the audit log, oldest first, that came after the one with this id.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn audit_page(
        &self,
        filter: AuditFilter,
        after: i64,
        at_most: u64,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let AuditFilter { event, outcome, user, since } = filter;
        let wanted = Condition::all()
            .add(Column::Id.gt(after))
            .add_option(event.map(|event| Column::Event.eq(event.as_str())))
            .add_option(outcome.map(|outcome| Column::Outcome.eq(outcome.as_str())))
            .add_option(user.map(|user| Column::UserId.eq(user)))
            .add_option(since.map(|since| Column::At.gte(since)));
        let rows = audit_event::Entity::find()
            .filter(wanted)
            .order_by_asc(Column::Id)
            // SQLite counts with a sign.
            .limit(at_most.min(i64::MAX.unsigned_abs()))
            .all(&self.read)
            .await?;
        // Looked up after the rows: of an account that is deleted in between nothing is shown.
        let existing = existing(&self.read, rows.iter().filter_map(|row| row.user_id)).await?;
        let is_gone =
            |row: &audit_event::Model| row.user_id.is_some_and(|user| !existing.contains(&user));
        // Otherwise the filter would tell which of the anonymous entries are this user's.
        let is_hidden = |row: &audit_event::Model| user.is_some() && is_gone(row);
        Ok(rows.iter().filter(|row| !is_hidden(row)).map(|row| stored(row, is_gone(row))).collect())
    }

    /// Forgets the entries up to a moment, in seconds of Unix time.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn sweep_audit_entries(&self, until: i64) -> Result<u64, StoreError> {
        let over = Condition::all().add(Column::At.lte(until));
        self.delete_in_portions::<audit_event::Entity>(Column::Id, over).await
    }
}

/// An entry as it may be shown: where its account is gone, without all that leads to the person.
fn stored(row: &audit_event::Model, is_anonymous: bool) -> StoredEntry {
    let unless_anonymous = |text: &Option<String>| text.clone().filter(|_| !is_anonymous);
    StoredEntry {
        id: row.id,
        at: row.at,
        event: row.event.clone(),
        outcome: row.outcome.clone(),
        user: row.user_id.filter(|_| !is_anonymous),
        session: row.session_id.filter(|_| !is_anonymous),
        address: unless_anonymous(&row.address),
        user_agent: unless_anonymous(&row.user_agent),
        detail: row.detail.clone(),
    }
}
