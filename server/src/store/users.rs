//! Accounts, as they are kept.

use app::protocol::{Role, User};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _,
    ExprTrait as _, QueryFilter as _, QuerySelect as _, UpdateMany, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, EndReason, Name, Store, StoreError, audit, devices,
    entities::user, login_failures, names,
};

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// A UUIDv7.
    pub id: Uuid,
    /// The name as the person wrote it.
    pub username: String,
    /// The same as far as others may not have it.
    pub name: Name,
    /// A PHC string.
    pub password_hash: String,
    /// How the person wants to be called.
    pub nickname: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// Where the person may be written to.
    pub email: Option<String>,
    /// Seconds of Unix time.
    pub created_at: i64,
}

/// An account, without what is kept of its password.
#[derive(Clone, Debug)]
pub struct StoredUser {
    /// What others may see of it.
    pub user: User,
    /// Where its person may be written to.
    pub email: Option<String>,
    /// The number of its person's phone.
    pub mobile: Option<String>,
    /// Seconds of Unix time.
    pub created_at: i64,
    /// Seconds of Unix time; `None` while the account may be used.
    pub disabled_at: Option<i64>,
}

impl TryFrom<user::Model> for StoredUser {
    type Error = StoreError;

    fn try_from(row: user::Model) -> Result<Self, StoreError> {
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
            created_at: row.created_at,
            disabled_at: row.disabled_at,
        })
    }
}

/// What the device cookies of an account are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceEpoch {
    /// The account.
    pub user: Uuid,
    /// How often its cookies have been invalidated.
    pub epoch: i64,
}

/// Another password for an account.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// Whose it is.
    pub user: Uuid,
    /// The hash of the one that it is to replace, where whoever changes it had to know that one.
    pub old_hash: Option<String>,
    /// A PHC string.
    pub new_hash: String,
    /// The session that goes on; all others end.
    pub kept: Option<Uuid>,
    /// What failed log-ins counted against that are forgiven with it.
    pub forgiven: Option<String>,
}

/// What becomes of an account whose person wants to change something about themself.
#[derive(Debug)]
pub struct UserChange<T> {
    /// The account as it is to be kept; `None` where it stays as it is.
    pub user: Option<StoredUser>,
    /// What of it goes into the audit log.
    pub entry: Option<AuditEntry>,
    /// What whoever has asked is told.
    pub answer: T,
}

impl Store {
    /// Makes an account.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] where the name is taken, also by an account that is made at the
    /// same moment.
    pub async fn insert_user(
        &self,
        new: NewUser,
        entry: AuditEntry,
    ) -> Result<StoredUser, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let stored = insert(transaction, new).await?;
                    audit::insert(transaction, entry).await?;
                    Ok(stored)
                })
            })
            .await
    }

    /// Makes accounts, as many as have names that are free: how many.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: none of them is made then.
    pub async fn insert_users(&self, all: Vec<NewUser>) -> Result<usize, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let mut made = 0;
                    for new in all {
                        match insert(transaction, new).await {
                            Ok(_) => made += 1,
                            Err(StoreError::Conflict) => {}
                            Err(error) => return Err(error),
                        }
                    }
                    Ok(made)
                })
            })
            .await
    }

    /// The account of this id.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn user(&self, id: Uuid) -> Result<Option<StoredUser>, StoreError> {
        user::Entity::find_by_id(id).one(&self.read).await?.map(StoredUser::try_from).transpose()
    }

    /// Changes the actor's own account as decided on its current row, in one transaction: nickname,
    /// e-mail address and phone number. `None` where there is no such account.
    ///
    /// # Errors
    ///
    /// [`ActError`]
    pub async fn change_user<T: Send + 'static>(
        &self,
        actor: Actor,
        decide: impl FnOnce(StoredUser) -> UserChange<T> + Send + 'static,
    ) -> Result<Option<T>, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                let found = user::Entity::find_by_id(actor.user).one(transaction).await?;
                let Some(row) = found else { return Ok(None) };
                let change = decide(row.try_into()?);
                if let Some(StoredUser { user, email, mobile, .. }) = change.user {
                    user::Entity::update_many()
                        .col_expr(user::Column::Nickname, Expr::value(user.nickname))
                        .col_expr(user::Column::Email, Expr::value(email))
                        .col_expr(user::Column::Mobile, Expr::value(mobile))
                        .filter(user::Column::Id.eq(actor.user))
                        .exec(transaction)
                        .await?;
                }
                if let Some(entry) = change.entry {
                    audit::insert(transaction, entry).await?;
                }
                Ok(Some(change.answer))
            })
        })
        .await
    }

    /// The account that is found by this name, and its password's hash as a PHC string.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn user_with_hash(
        &self,
        username_key: &str,
    ) -> Result<Option<(StoredUser, String)>, StoreError> {
        let row = user::Entity::find()
            .filter(user::Column::UsernameKey.eq(username_key))
            .one(&self.read)
            .await?;
        row.map(|row| {
            let hash = row.password_hash.clone();
            Ok((StoredUser::try_from(row)?, hash))
        })
        .transpose()
    }

    /// What device cookies of the account that is found by this name are bound to.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
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

    /// Replaces a password's hash by one of the same password, unless it has been replaced
    /// meanwhile: whether it was this one.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn replace_hash(&self, id: Uuid, old: &str, new: &str) -> Result<bool, StoreError> {
        let update = set_hash(id, Some(old), new);
        self.writer
            .write(move |transaction| {
                Box::pin(async move { Ok(update.exec(transaction).await?.rows_affected > 0) })
            })
            .await
    }

    /// Changes a password and ends the account's sessions but the one that is kept: they come back.
    /// `None`, and nothing done, where the account is gone or its password is not the old one any
    /// more.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn change_password(
        &self,
        change: PasswordChange,
        entry: AuditEntry,
    ) -> Result<Option<Vec<Uuid>>, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move { change_password(transaction, change, entry).await })
            })
            .await
    }

    /// The same on behalf of a session.
    ///
    /// # Errors
    ///
    /// [`ActError`]
    pub async fn change_password_as(
        &self,
        actor: Actor,
        change: PasswordChange,
        entry: AuditEntry,
    ) -> Result<Option<Vec<Uuid>>, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move { change_password(transaction, change, entry).await })
        })
        .await
    }
}

async fn change_password(
    connection: &impl ConnectionTrait,
    change: PasswordChange,
    entry: AuditEntry,
) -> Result<Option<Vec<Uuid>>, StoreError> {
    let update = set_hash(change.user, change.old_hash.as_deref(), &change.new_hash);
    if update.exec(connection).await?.rows_affected == 0 {
        return Ok(None);
    }
    let ended =
        devices::end_others(connection, change.kept, EndReason::PasswordChanged, &entry).await?;
    if let Some(subject) = change.forgiven {
        login_failures::forgive(connection, &subject).await?;
    }
    audit::insert(connection, entry).await?;
    Ok(Some(ended))
}

/// Sets a password's hash, where it is the old one.
fn set_hash(id: Uuid, old: Option<&str>, new: &str) -> UpdateMany<user::Entity> {
    let update = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(new))
        .filter(user::Column::Id.eq(id));
    match old {
        Some(old) => update.filter(user::Column::PasswordHash.eq(old)),
        None => update,
    }
}

/// What an account was like before a log-in.
pub(super) struct BeforeLogIn {
    pub(super) was_logged_in: bool,
    pub(super) is_disabled: bool,
    pub(super) device_epoch: i64,
}

/// Notes the time of a log-in with the password of this hash, unless the account is disabled.
/// `None`, and nothing noted, where the account is gone or has another password.
pub(super) async fn note_log_in(
    connection: &impl ConnectionTrait,
    id: Uuid,
    hash: &str,
    now: i64,
) -> Result<Option<BeforeLogIn>, StoreError> {
    let before: Option<(Option<i64>, Option<i64>, i64)> = user::Entity::find_by_id(id)
        .select_only()
        .columns([user::Column::LoggedInAt, user::Column::DisabledAt, user::Column::DeviceEpoch])
        .filter(user::Column::PasswordHash.eq(hash))
        .into_tuple()
        .one(connection)
        .await?;
    let Some((logged_in_at, disabled_at, device_epoch)) = before else { return Ok(None) };
    let before = BeforeLogIn {
        was_logged_in: logged_in_at.is_some(),
        is_disabled: disabled_at.is_some(),
        device_epoch,
    };
    if !before.is_disabled {
        user::Entity::update_many()
            .col_expr(user::Column::LoggedInAt, Expr::value(now))
            .filter(user::Column::Id.eq(id))
            .exec(connection)
            .await?;
    }
    Ok(Some(before))
}

/// Invalidates the device cookies of an account.
pub(super) async fn forget_devices(
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

/// [`StoreError::Conflict`], and nothing done, where the name is taken.
async fn insert(connection: &impl ConnectionTrait, new: NewUser) -> Result<StoredUser, StoreError> {
    // First what it looks like: where the name itself is taken, so is that, and nothing has been
    // changed.
    names::take(connection, &new.name).await?;
    let row = user::ActiveModel {
        id: Set(new.id),
        username: Set(new.username),
        username_key: Set(new.name.key),
        username_skeleton: Set(Some(new.name.skeleton)),
        password_hash: Set(new.password_hash),
        nickname: Set(new.nickname),
        avatar_url: Set(None),
        role: Set(new.role.as_str().to_owned()),
        email: Set(new.email),
        mobile: Set(None),
        created_at: Set(new.created_at),
        disabled_at: Set(None),
        logged_in_at: Set(None),
        device_epoch: Set(0),
    };
    row.insert(connection).await?.try_into()
}
