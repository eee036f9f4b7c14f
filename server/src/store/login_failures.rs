//! Failed logins: one row per attempt and subject that it counts against.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    ExprTrait as _, NotSet, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    ActError, Actor, AuditEntry, Store, StoreError, audit,
    entities::login_failure::{self, Column},
};

impl Store {
    /// Returns the times of the newest failures of a subject between `after` and `now`, newest
    /// first. Failures dated after `now` were written with a wrong clock and do not count.
    pub async fn login_failures(
        &self,
        subject: &str,
        after: i64,
        now: i64,
        at_most: u32,
    ) -> Result<Vec<i64>, StoreError> {
        Ok(login_failure::Entity::find()
            .select_only()
            .column(Column::At)
            .filter(Column::Subject.eq(subject).and(Column::At.gt(after)).and(Column::At.lte(now)))
            .order_by_desc(Column::At)
            .limit(u64::from(at_most))
            .into_tuple()
            .all(&self.read)
            .await?)
    }

    /// Records a failed login for each subject that it counts against.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the failure was not counted, so the result of the login must not be
    /// disclosed.
    pub async fn insert_login_failure(
        &self,
        subjects: Vec<String>,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let at = entry.at;
                    let rows = subjects.into_iter().map(|subject| login_failure::ActiveModel {
                        id: NotSet,
                        subject: Set(subject),
                        at: Set(at),
                    });
                    if rows.len() > 0 {
                        login_failure::Entity::insert_many(rows)
                            .exec_without_returning(transaction)
                            .await?;
                    }
                    audit::insert(transaction, entry).await
                })
            })
            .await
    }

    /// Clears the failures of a subject after the actor has presented the right password.
    pub async fn clear_login_failures(
        &self,
        actor: Actor,
        subject: Option<String>,
        entry: AuditEntry,
    ) -> Result<(), ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                if let Some(subject) = subject {
                    clear(transaction, &subject).await?;
                }
                audit::insert(transaction, entry).await
            })
        })
        .await
    }

    /// Deletes the failures that no longer count.
    pub async fn sweep_login_failures(&self, until: i64) -> Result<u64, StoreError> {
        let over = Condition::all().add(Column::At.lte(until));
        self.delete_in_batches::<login_failure::Entity>(Column::Id, over).await
    }
}

/// Clears the failures of a subject.
pub(super) async fn clear(
    connection: &impl ConnectionTrait,
    subject: &str,
) -> Result<(), StoreError> {
    login_failure::Entity::delete_many()
        .filter(Column::Subject.eq(subject))
        .exec(connection)
        .await?;
    Ok(())
}
