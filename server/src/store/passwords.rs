//! Password hashes of accounts, and their changes.

use app::i18n::mail::AlertKind;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, UpdateMany,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Change, Store, StoreError,
    alerts::{AlertEvent, Alerts},
    audit, changes,
    entities::user,
    login_failures, user_sessions,
};
use crate::domain::session::EndReason;

/// A password change.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// The account.
    pub user: Uuid,
    /// Hash of the current password, if the caller had to know that password.
    pub old_hash: Option<String>,
    /// Password hash as a PHC string.
    pub new_hash: String,
    /// Session that stays active; all others are revoked.
    pub kept: Option<Uuid>,
    /// Subject whose failed logins are cleared.
    pub cleared_subject: Option<String>,
}

impl Store {
    /// Replaces a password hash by another one of the same password, unless the stored hash is not
    /// `old` any more. Returns whether it was replaced.
    pub async fn replace_hash(&self, id: Uuid, old: &str, new: &str) -> Result<bool, StoreError> {
        let update = set_hash(id, Some(old), new);
        self.writer
            .write(move |transaction| {
                Box::pin(async move { Ok(update.exec(transaction).await?.rows_affected > 0) })
            })
            .await
    }

    /// Changes a password, revokes all sessions but the kept one, and returns their ids. [`None`],
    /// and nothing done, if the account is gone or its hash is not the old one any more.
    pub async fn change_password(
        &self,
        change: PasswordChange,
        entry: AuditEntry,
    ) -> Result<Option<Vec<Uuid>>, StoreError> {
        let alerts = self.alerts.clone();
        self.writer
            .write(move |transaction| {
                Box::pin(async move { change_password(transaction, change, entry, &alerts).await })
            })
            .await
    }

    /// Like [`Store::change_password`], on behalf of a session.
    pub async fn change_password_as(
        &self,
        actor: Actor,
        change: PasswordChange,
        entry: AuditEntry,
    ) -> Result<Option<Vec<Uuid>>, ActError> {
        let alerts = self.alerts.clone();
        self.write_as(actor, move |transaction| {
            Box::pin(async move { change_password(transaction, change, entry, &alerts).await })
        })
        .await
    }
}

pub(super) async fn change_password(
    connection: &impl ConnectionTrait,
    change: PasswordChange,
    entry: AuditEntry,
    alerts: &Alerts,
) -> Result<Option<Vec<Uuid>>, StoreError> {
    let update = set_new(change.user, change.old_hash.as_deref(), &change.new_hash, entry.at);
    if update.exec(connection).await?.rows_affected == 0 {
        return Ok(None);
    }
    changes::record(connection, [Change::Account(change.user)]).await?;
    let ended =
        user_sessions::end_others(connection, change.kept, EndReason::PasswordChanged, &entry)
            .await?;
    if let Some(subject) = change.cleared_subject {
        login_failures::clear(connection, &subject).await?;
    }
    if let Some(event) = AlertEvent::of(AlertKind::PasswordChanged, &entry) {
        alerts.send(connection, event).await?;
    }
    audit::insert(connection, entry).await?;
    Ok(Some(ended))
}

/// Sets the hash of a new password; with `old`, only if that is the stored one.
pub(super) fn set_new(
    id: Uuid,
    old: Option<&str>,
    new: &str,
    now: i64,
) -> UpdateMany<user::Entity> {
    set_hash(id, old, new).col_expr(user::Column::PasswordChangedAt, Expr::value(now))
}

/// Sets a password hash; with `old`, only if that is the stored one.
fn set_hash(id: Uuid, old: Option<&str>, new: &str) -> UpdateMany<user::Entity> {
    let update = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(new))
        .filter(user::Column::Id.eq(id));
    match old {
        Some(old) => update.filter(user::Column::PasswordHash.eq(old)),
        None => update,
    }
}
