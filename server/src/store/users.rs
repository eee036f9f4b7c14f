//! User accounts.

use app::{
    i18n::{Lang, mail::AlertKind},
    protocol::{Role, User},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, IntoActiveModel as _,
    QueryFilter as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Asterisk, Expr, OnConflict, Query},
};
use uuid::Uuid;

use super::{
    AccountAddresses, ActError, Actor, AuditEntry, Change, MailedCode, Store, StoreError,
    account_codes, addresses,
    alerts::AlertEvent,
    audit, bulk_insert, changes,
    entities::{session, user},
    names, one_time_codes, user_words,
};
use crate::domain::{one_time_code::Purpose, username::Name};

/// A new account.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// A UUIDv7.
    pub id: Uuid,
    /// Username as entered.
    pub username: String,
    /// Uniqueness keys of the username.
    pub name: Name,
    /// Password hash as a PHC string.
    pub password_hash: String,
    /// Display name.
    pub nickname: Option<String>,
    /// Role.
    pub role: Role,
    /// E-mail address.
    pub email: Option<String>,
    /// Seconds of Unix time.
    pub created_at: i64,
}

/// An account without its password hash.
#[derive(Clone, Debug)]
pub struct StoredUser {
    /// Public fields.
    pub user: User,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub mobile: Option<String>,
    /// Language of messages to the user: that of the registration, or of the last login from a known
    /// device.
    pub lang: Lang,
    /// Messages about logins from new devices.
    pub alert_new_device: bool,
    /// Seconds of Unix time.
    pub created_at: i64,
    /// Time when the password was set, in seconds of Unix time.
    pub password_changed_at: i64,
    /// Seconds of Unix time; [`None`] while the account is enabled.
    pub disabled_at: Option<i64>,
    /// Verified and pending addresses. A verified one is the e-mail address.
    pub addresses: AccountAddresses,
}

impl StoredUser {
    /// Returns whether the e-mail address is verified.
    #[must_use]
    pub fn is_email_verified(&self) -> bool {
        self.addresses.verified.is_some()
    }

    /// Returns the address that waits for its verification.
    #[must_use]
    pub fn pending_email(&self) -> Option<String> {
        self.addresses.pending.as_ref().map(|address| address.shown().to_owned())
    }

    /// Reads an account, with its addresses.
    pub(super) async fn read(
        connection: &impl ConnectionTrait,
        row: user::Model,
    ) -> Result<Self, StoreError> {
        let addresses = addresses::of_user(connection, row.id).await?;
        Self::of(row, addresses)
    }

    /// Converts a row.
    pub(super) fn of(row: user::Model, addresses: AccountAddresses) -> Result<Self, StoreError> {
        let role = Role::parse(&row.role)
            .ok_or_else(|| StoreError::Unreadable(format!("the role {:?}", row.role)))?;
        Ok(Self {
            user: User {
                id: row.id,
                username: row.username,
                nickname: row.nickname,
                avatar_url: row.avatar_url,
                role,
            },
            email: row.email,
            mobile: row.mobile,
            lang: Lang::from_tag(&row.language).unwrap_or_default(),
            alert_new_device: row.alert_new_device,
            created_at: row.created_at,
            password_changed_at: row.password_changed_at,
            disabled_at: row.disabled_at,
            addresses,
        })
    }
}

/// Epoch of an account's device cookies; cookies of an earlier epoch are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceEpoch {
    /// The account.
    pub user: Uuid,
    /// Number of times that the cookies were invalidated.
    pub epoch: i64,
}

/// Decision about a change of the actor's own account.
#[derive(Debug)]
pub struct UserChange<T> {
    /// The changed account; [`None`] to leave it unchanged.
    pub user: Option<StoredUser>,
    /// Audit entry.
    pub entry: Option<AuditEntry>,
    /// Mail to an address that waits for its verification, with the id of its row.
    pub verification: Option<(Uuid, MailedCode)>,
    /// Result for the caller.
    pub answer: T,
}

impl Store {
    /// Inserts an account.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if the username is taken, also by a concurrent registration.
    pub async fn insert_user(
        &self,
        new: NewUser,
        entry: AuditEntry,
    ) -> Result<StoredUser, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let stored = insert(transaction, new, entry.client_info.lang).await?;
                    audit::insert(transaction, entry).await?;
                    Ok(stored)
                })
            })
            .await
    }

    /// Inserts the accounts whose usernames are free, and returns their number. Many at once cost a
    /// few statements: on PostgreSQL each is a round trip.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: no account was inserted.
    pub async fn insert_users(&self, mut all: Vec<NewUser>) -> Result<usize, StoreError> {
        // In the order of the indexes of names: rows that follow each other there change the same
        // pages. Ids and creation times are new, so at the end of their indexes in any order.
        all.sort_by(|one, other| one.name.key.cmp(&other.name.key));
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let free = names::reserve_all(transaction, all).await?;
                    let rows: Vec<_> =
                        free.into_iter().map(|new| row(new, Lang::default())).collect();
                    let models = rows.iter().cloned().map(user::Model::into_active_model);
                    bulk_insert::insert(transaction, models).await?;
                    user_words::insert_all(transaction, &rows).await?;
                    Ok(rows.len())
                })
            })
            .await
    }

    /// Returns the account with this id.
    pub async fn user(&self, id: Uuid) -> Result<Option<StoredUser>, StoreError> {
        let found = addresses::find_user(&self.read, user::Column::Id.eq(id)).await?;
        found.map(|(row, addresses)| StoredUser::of(row, addresses)).transpose()
    }

    /// Returns the time of the last login of an account, in seconds of Unix time.
    pub async fn last_login(&self, id: Uuid) -> Result<Option<i64>, StoreError> {
        let found: Option<Option<i64>> = user::Entity::find_by_id(id)
            .select_only()
            .column(user::Column::LoggedInAt)
            .into_tuple()
            .one(&self.read)
            .await?;
        Ok(found.flatten())
    }

    /// Changes nickname, e-mail address, phone number and alert of the actor's account as `decide`
    /// says. Row and decision share a transaction; `decide` is called again if the change is made again
    /// because of a concurrent one. [`None`] if the account does not exist.
    pub async fn change_user<T: Send + 'static>(
        &self,
        actor: Actor,
        decide: impl FnOnce(StoredUser) -> UserChange<T> + Clone + Send + 'static,
    ) -> Result<Option<T>, ActError> {
        let alerts = self.alerts.clone();
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                let found = user::Entity::find_by_id(actor.user).one(transaction).await?;
                let Some(row) = found else { return Ok(None) };
                let account = StoredUser::read(transaction, row.clone()).await?;
                let before = account.addresses.clone();
                let change = decide(account);
                if let Some(changed) = change.user {
                    let StoredUser { user, email, mobile, addresses, alert_new_device, .. } =
                        changed;
                    if addresses.verified.is_none() && before.verified.is_some() {
                        addresses::delete_all(transaction, actor.user).await?;
                        // A reset that was sent there must not open the account.
                        let purposes = [Purpose::Reset];
                        one_time_codes::revoke(transaction, actor.user, &purposes).await?;
                        if let (Some(removed), Some(entry)) = (&before.verified, &change.entry)
                            && let Some(event) = AlertEvent::of(AlertKind::AddressRemoved, entry)
                        {
                            alerts.send_to(transaction, event, removed).await?;
                        }
                    }
                    if addresses.pending != before.pending || change.verification.is_some() {
                        let (id, mailed) = change.verification.unzip();
                        let pending = id.zip(addresses.pending.as_ref());
                        addresses::set_pending(transaction, actor.user, pending, actor.at).await?;
                        let purposes = [Purpose::Verify, Purpose::Change];
                        one_time_codes::revoke(transaction, actor.user, &purposes).await?;
                        if let Some(mailed) = mailed {
                            account_codes::send(transaction, mailed).await?;
                        }
                    }
                    if (&row.nickname, &row.email) != (&user.nickname, &email) {
                        let (nickname, email) = (user.nickname.clone(), email.clone());
                        let renamed = user::Model { nickname, email, ..row };
                        user_words::replace(transaction, &renamed).await?;
                    }
                    user::Entity::update_many()
                        .col_expr(user::Column::Nickname, Expr::value(user.nickname))
                        .col_expr(user::Column::Email, Expr::value(email))
                        .col_expr(user::Column::Mobile, Expr::value(mobile))
                        .col_expr(user::Column::AlertNewDevice, Expr::value(alert_new_device))
                        .filter(user::Column::Id.eq(actor.user))
                        .exec(transaction)
                        .await?;
                    changes::record(transaction, [Change::Account(actor.user)]).await?;
                }
                if let Some(entry) = change.entry {
                    audit::insert(transaction, entry).await?;
                }
                Ok(Some(change.answer))
            })
        })
        .await
    }

    /// Returns the account with this username key, and its password hash.
    pub async fn user_with_hash(
        &self,
        username_key: &str,
    ) -> Result<Option<(StoredUser, String)>, StoreError> {
        let has_key = user::Column::UsernameKey.eq(username_key);
        let Some((row, addresses)) = addresses::find_user(&self.read, has_key).await? else {
            return Ok(None);
        };
        let hash = row.password_hash.clone();
        Ok(Some((StoredUser::of(row, addresses)?, hash)))
    }

    /// Returns the device epoch of the account with this username key.
    pub async fn device_epoch(
        &self,
        username_key: &str,
    ) -> Result<Option<DeviceEpoch>, StoreError> {
        let found: Option<(Uuid, i64)> = user::Entity::find()
            .select_only()
            .columns([user::Column::Id, user::Column::DeviceEpoch])
            .filter(user::Column::UsernameKey.eq(username_key))
            .into_tuple()
            .one(&self.read)
            .await?;
        Ok(found.map(|(user, epoch)| DeviceEpoch { user, epoch }))
    }
}

/// Returns the username key of an account.
pub(super) async fn username_key(
    connection: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<String>, StoreError> {
    Ok(user::Entity::find_by_id(id)
        .select_only()
        .column(user::Column::UsernameKey)
        .into_tuple()
        .one(connection)
        .await?)
}

/// State of an account before a login.
pub(super) struct StateBeforeLogin {
    pub(super) was_logged_in: bool,
    pub(super) is_disabled: bool,
    pub(super) device_epoch: i64,
    /// Number of sessions that have not ended. Expired ones count until they are deleted.
    pub(super) sessions: u64,
}

/// Records the time of a login with the password of this hash, and its language if it is to be that
/// of messages, unless the account is disabled. [`None`], and nothing recorded, if the account is
/// gone or has another password.
pub(super) async fn record_login(
    connection: &impl ConnectionTrait,
    id: Uuid,
    hash: &str,
    now: i64,
    lang: Option<Lang>,
) -> Result<Option<StateBeforeLogin>, StoreError> {
    let same_password = user::Column::Id.eq(id).and(user::Column::PasswordHash.eq(hash));
    let record = || {
        let mut update = user::Entity::update_many()
            .col_expr(user::Column::LoggedInAt, Expr::value(now))
            .filter(same_password.clone());
        if let Some(lang) = lang {
            update = update.col_expr(user::Column::Language, Expr::value(lang.tag()));
        }
        update
    };
    // Most logins are not the first one of the account, and take one statement.
    let mut statement = record()
        .filter(user::Column::LoggedInAt.is_not_null().and(user::Column::DisabledAt.is_null()))
        .into_query();
    let sessions = count_sessions(id);
    statement.returning(
        Query::returning().exprs([Expr::col(user::Column::DeviceEpoch), sessions.clone()]),
    );
    if let Some(row) = connection.query_one(&statement).await? {
        let (device_epoch, sessions): (i64, i64) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        return Ok(Some(StateBeforeLogin {
            was_logged_in: true,
            is_disabled: false,
            device_epoch,
            sessions: sessions.unsigned_abs(),
        }));
    }
    let before: Option<(Option<i64>, Option<i64>, i64, i64)> = user::Entity::find()
        .select_only()
        .columns([user::Column::LoggedInAt, user::Column::DisabledAt, user::Column::DeviceEpoch])
        .expr(sessions)
        .filter(same_password.clone())
        .into_tuple()
        .one(connection)
        .await?;
    let Some((logged_in_at, disabled_at, device_epoch, sessions)) = before else {
        return Ok(None);
    };
    let before = StateBeforeLogin {
        was_logged_in: logged_in_at.is_some(),
        is_disabled: disabled_at.is_some(),
        device_epoch,
        sessions: sessions.unsigned_abs(),
    };
    if !before.is_disabled {
        record().exec(connection).await?;
    }
    Ok(Some(before))
}

/// Returns the number of sessions of a user that have not ended, as a subquery. An index answers it
/// without the rows.
fn count_sessions(user: Uuid) -> Expr {
    let select = Query::select()
        .expr(Expr::col(Asterisk).count())
        .from(session::Entity)
        .and_where(session::Column::UserId.eq(user).and(session::Column::EndedAt.is_null()))
        .to_owned();
    Expr::from(select)
}

/// Invalidates the device cookies of an account.
pub(super) async fn invalidate_device_cookies(
    connection: &impl ConnectionTrait,
    id: Uuid,
) -> Result<(), StoreError> {
    user::Entity::update_many()
        .col_expr(user::Column::DeviceEpoch, Expr::col(user::Column::DeviceEpoch).add(1))
        .filter(user::Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(())
}

/// Inserts an account. [`StoreError::Conflict`], and nothing done, if the username is taken, or the
/// verified address of an account.
pub(super) async fn insert(
    connection: &impl ConnectionTrait,
    new: NewUser,
    lang: Lang,
) -> Result<StoredUser, StoreError> {
    // Before anything is changed. Then the skeleton: if the name itself is taken, so is its
    // skeleton.
    if new.name.key.contains('@') && addresses::owner(connection, &new.name.key).await?.is_some() {
        return Err(StoreError::Conflict);
    }
    names::reserve(connection, &new.name).await?;
    let row = row(new, lang);
    let free = OnConflict::column(user::Column::UsernameKey).do_nothing().to_owned();
    let inserted = user::Entity::insert(row.clone().into_active_model())
        .on_conflict(free)
        .exec_without_returning(connection)
        .await
        // Not a conflict, which would keep the reservation.
        .map_err(StoreError::Unavailable)?;
    if inserted == 0 {
        names::release(connection, &row.username_skeleton).await?;
        return Err(StoreError::Conflict);
    }
    user_words::insert(connection, &row).await?;
    StoredUser::of(row, AccountAddresses::default())
}

/// Returns the row of a new account.
fn row(new: NewUser, lang: Lang) -> user::Model {
    user::Model {
        id: new.id,
        username: new.username,
        username_key: new.name.key,
        username_skeleton: new.name.skeleton,
        password_hash: new.password_hash,
        password_changed_at: new.created_at,
        nickname: new.nickname,
        avatar_url: None,
        role: new.role.as_str().to_owned(),
        email: new.email,
        mobile: None,
        language: lang.tag().to_owned(),
        alert_new_device: true,
        created_at: new.created_at,
        disabled_at: None,
        logged_in_at: None,
        device_epoch: 0,
    }
}
